//! Materialized views of engines that bind them to tables for good: a table under one cannot be replaced, and the view cannot be renamed.

use super::node::Turn;
use crate::base::RelationKind;
use crate::diag::{Diagnostic, codes};
use crate::plan::{NodePlan, Step};
use crate::project::{Detail, Node};

/// Whether everything that a materialized view reads stays from run to run.
///
/// # Errors
/// `invalid-config` for the first relation that is replaced, or that the engine does not read in such a view.
pub(super) fn check_reads(turn: &Turn<'_>) -> Result<(), Diagnostic> {
    let node = turn.node;
    let Some((read, why, way_out)) = node.depends_on.iter().find_map(|id| unfit(turn, id)) else { return Ok(()) };
    let message = format!("the materialized view '{}' reads '{read}', {why}", node.name);
    let place = node.config.span("materialized").or(node.body).unwrap_or(node.origin);
    Err(Diagnostic::new(&codes::INVALID_CONFIG, message).at(place).help(way_out).help(format!("or make '{}' a table", node.name)))
}

/// A relation that such a view cannot be made of, why, and what to do. What is ephemeral is part of the query.
fn unfit<'t>(turn: &Turn<'t>, id: &str) -> Option<(&'t str, &'static str, String)> {
    let read = turn.job.compilation.manifest.node(id)?;
    let name = read.name.as_str();
    match (&read.detail, read.materialized()) {
        (Detail::Model(_), "ephemeral") => read.depends_on.iter().find_map(|id| unfit(turn, id)),
        (Detail::Model(_), "view") => Some((
            name,
            "which is a view: this engine takes tables only",
            format!("read what '{name}' reads, or make '{name}' incremental"),
        )),
        (Detail::Model(_), "table") => Some((
            name,
            "which each run replaces, and it would stay bound to the replaced table",
            format!("make '{name}' incremental, so that its table stays"),
        )),
        (Detail::Seed { .. }, _) => {
            Some((name, "a seed, which each run replaces", format!("declare the table of '{name}' as a source that is filled by hand")))
        }
        _ => None,
    }
}

/// Whether a plan leaves the tables that materialized views of the project are bound to.
///
/// # Errors
/// `unsafe-publication` when one would be replaced.
pub(super) fn check_replaced(turn: &Turn<'_>, plan: &NodePlan) -> Result<(), Diagnostic> {
    let replaces = plan.steps.iter().any(|step| matches!(step, Step::Publish(publish) if publish.replaced.is_some()));
    let bound = |reader: &&Node| {
        let held = reader.relation.as_ref().and_then(|relation| turn.catalog.kind(relation));
        reader.materialized() == "materialized_view" && held == Some(RelationKind::MaterializedView) && reads(turn, reader, &turn.node.id)
    };
    let manifest = &turn.job.compilation.manifest;
    let Some(reader) = manifest.nodes.iter().find(bound).filter(|_| replaces) else { return Ok(()) };
    let message = format!("'{}' is not replaced: the materialized view '{}' is bound to its table", turn.node.name, reader.name);
    let view = reader.relation.as_ref().map(crate::base::Relation::display).unwrap_or_default();
    let place = turn.node.config.span("materialized").or(turn.node.body).unwrap_or(turn.node.origin);
    let problem = Diagnostic::new(&codes::UNSAFE_PUBLICATION, message).at(place);
    Err(problem
        .help(format!("drop it first with 'drop materialized view {view}': the run that makes it anew is the one of '{}'", reader.name)))
}

fn reads(turn: &Turn<'_>, reader: &Node, id: &str) -> bool {
    reader.depends_on.iter().any(|read| {
        &**read == id || turn.job.compilation.manifest.node(read).is_some_and(|read| read.is_ephemeral() && reads(turn, read, id))
    })
}
