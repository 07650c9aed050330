//! `on-run-start` and `on-run-end`: what projects do before and after the nodes of a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::prepare::RunJob;
use super::warehouse::{SessionWarehouse, SharedSession, locked};
use super::{Event, Reporter};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Argument, NodeArgument, NodeState, Warehouse};
use crate::plan::{NodeResult, Status};
use crate::project::{Detail, Package};

/// The hooks before a run, or with the results of its nodes those after it, of all packages, each in autocommit.
pub(super) fn run_hooks(
    job: &RunJob<'_>,
    session: &SharedSession,
    reporter: &dyn Reporter,
    results: Option<&[NodeResult]>,
) -> Result<(), Diagnostic> {
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
    let linked = job.compilation.linked(Some(warehouse));
    for package in packages(job) {
        let (name, list) = match results {
            None => ("on-run-start", &package.on_run_start),
            Some(_) => ("on-run-end", &package.on_run_end),
        };
        for (text, span) in list {
            let node = job.compilation.operation(package, name, *span);
            let known = results.map(|results| known(job, results)).unwrap_or_default();
            let rendered = job.compilation.templates.render_with(text, *span, &node, NodeState::default(), &linked, &known)?;
            for message in &rendered.messages {
                reporter.report(&Event::Said { node: &node, message });
            }
            let sql = rendered.sql.trim().trim_end_matches(';');
            if !sql.is_empty() {
                let done = locked(session).execute(sql);
                done.map_err(|error| Diagnostic::new(&codes::STATEMENT_FAILED, format!("the {name} hook fails: {error}")).at(*span))?;
            }
        }
    }
    Ok(())
}

/// dbt's order: packages by name, the root project last.
fn packages<'j>(job: &'j RunJob<'_>) -> Vec<&'j Package> {
    let project = &job.compilation.project;
    let mut packages: Vec<&Package> = project.packages.iter().collect();
    packages.sort_by_key(|package| (package.name == project.name, package.name.clone()));
    packages
}

/// What only the hooks after a run can ask: what came of each node, and the schemas in which something was built.
fn known(job: &RunJob<'_>, results: &[NodeResult]) -> Vec<(String, Argument)> {
    let manifest = &job.compilation.manifest;
    let built = results.iter().filter(|result| !matches!(result.status, Status::Error | Status::Fail | Status::Skipped));
    let built = built.filter_map(|result| manifest.node(&result.id));
    let relations = built.filter(|node| matches!(node.detail, Detail::Model(_) | Detail::Seed { .. } | Detail::Snapshot { .. }));
    let schemas: BTreeSet<(String, String)> = relations
        .filter_map(|node| node.relation.as_ref())
        .map(|relation| (relation.database.to_string(), relation.schema.to_string()))
        .collect();
    let names: BTreeSet<&String> = schemas.iter().map(|(_, schema)| schema).collect();
    let json = |value: serde_json::Value| Argument::Json(value);
    let described = results.iter().filter_map(|result| Some(Argument::Result(result_entries(result, manifest.node(&result.id)?))));
    vec![
        ("results".to_owned(), Argument::List(described.collect())),
        ("schemas".to_owned(), json(serde_json::json!(names))),
        ("database_schemas".to_owned(), json(serde_json::json!(schemas))),
    ]
}

fn result_entries(result: &NodeResult, node: &crate::project::Node) -> Vec<(String, Argument)> {
    let response = serde_json::json!({"_message": result.message, "rows_affected": result.rows_affected});
    let timing = serde_json::json!([
        {"name": "execute", "started_at": result.started_at, "completed_at": result.completed_at},
    ]);
    let entries = [
        ("unique_id", Argument::Json((&*result.id).into())),
        ("node", Argument::Node(NodeArgument(Arc::new(node.clone())))),
        ("status", Argument::Json(result.status.as_str().into())),
        ("message", Argument::Json(result.message.as_str().into())),
        ("failures", Argument::Json(result.failures.into())),
        ("execution_time", Argument::Json(result.execution_time.into())),
        ("thread_id", Argument::Json(format!("Thread-{}", result.thread).into())),
        ("timing", Argument::Json(timing)),
        ("adapter_response", Argument::Json(response)),
    ];
    entries.map(|(name, value)| (name.to_owned(), value)).into()
}
