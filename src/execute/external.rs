//! External schemas and tables of a source: what is declared and missing is made, each statement alone, since none of them can run in
//! a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use serde_json::{Map, Value};

use super::external_parts::parts;
use super::node::{Outcome, Turn, run_statements};
use super::prepare::{NodeError, Prepared};
use super::warehouse::{SharedSession, locked};
use super::{AdapterError, Datum};
use crate::analysis::{Compilation, CompiledNode};
use crate::base::Relation;
use crate::diag::{Diagnostic, codes};
use crate::dialect::Engine;
use crate::dialect::external::{self as sql, ExternalColumn, ExternalPart, ExternalReader};
use crate::jinja::NodeState;
use crate::plan::{NodePlan, Status, Step};
use crate::project::{Detail, External, ExternalTable, Node};

/// Whether a source is in an external schema of the engine, so that nothing of it is made in the database itself.
pub(super) fn is_outside(node: &Node, engine: Engine) -> bool {
    engine == Engine::Redshift && external_of(node).is_some()
}

/// Whether a source is to be made or refused as an external one: engines without external schemas load its landing files, where it has some.
pub(super) fn is_external(turn: &Turn<'_>) -> bool {
    let Detail::Source(source) = &turn.node.detail else { return false };
    source.external.is_some() && (turn.job.engine == Engine::Redshift || source.landing.is_none())
}

fn external_of(node: &Node) -> Option<&External> {
    match &node.detail {
        Detail::Source(source) => source.external.as_ref(),
        _ => None,
    }
}

/// Whether the engine can read the sources that a node reads, in the way in which the node reads them.
///
/// # Errors
/// `unsupported-in-dialect` for the first that it cannot.
pub(super) fn reads_fit(compilation: &Compilation, node: &Node, engine: Engine) -> Result<(), Diagnostic> {
    let mut streams = BTreeSet::new();
    for (read, external) in sources(compilation, node) {
        let place = node.body.map_or(node.origin, |body| body.sub(0, 0));
        let wrong = |message: String, help: &str| {
            let problem = Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message).at(place);
            Err(problem.also(external.schema.span, "declared here").help(help))
        };
        if engine != Engine::Redshift {
            let loaded = matches!(&read.detail, Detail::Source(source) if source.landing.is_some());
            if !loaded {
                return Err(elsewhere(read, external).at(place));
            }
            continue;
        }
        let of_stream = external.schema.from.is_stream();
        if of_stream && node.materialized() != "materialized_view" {
            let message = format!("'{}' reads the stream '{}', which only a materialized view can", node.name, read.name);
            return wrong(message, "make a model of materialized: materialized_view of the stream, and read that");
        }
        if of_stream && streams.insert(&read.id) && streams.len() > 1 {
            let message = format!("'{}' reads several streams, and a materialized view can be of one", node.name);
            return wrong(message, "make a materialized view of each, and join those");
        }
        if !of_stream && node.materialized() == "materialized_view" && node.config.bool("auto_refresh") == Some(true) {
            let message =
                format!("the materialized view '{}' is to refresh by itself, and '{}' is in an external schema", node.name, read.name);
            return wrong(message, "take 'auto_refresh' away: each run refreshes it");
        }
        if node.materialized() == "view" && node.config.bool("bind") == Some(true) {
            let message = format!("'{}' is a view that binds, and '{}' is in an external schema", node.name, read.name);
            return wrong(message, "take 'bind' away: only late-binding views read external schemas");
        }
    }
    Ok(())
}

/// The external sources that a node reads, through ephemeral models too.
fn sources<'c>(compilation: &'c Compilation, node: &'c Node) -> Vec<(&'c Node, &'c External)> {
    let mut found = Vec::new();
    for read in node.depends_on.iter().filter_map(|id| compilation.manifest.node(id)) {
        if read.is_ephemeral() {
            found.extend(sources(compilation, read));
        }
        found.extend(external_of(read).map(|external| (read, external)));
    }
    found
}

/// What is said on an engine without external schemas.
fn elsewhere(read: &Node, external: &External) -> Diagnostic {
    let message = format!("the source '{}' is in an external schema, which this engine does not have", read.name);
    let help = match &external.table {
        Some(table) => {
            format!("say beside it under meta how the files are loaded elsewhere, as in landing: {{path: '{}**'}}", table.location)
        }
        None => "give it rows of landing files there (meta.landing), or build what reads it on a target of type redshift".to_owned(),
    };
    Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message).also(external.schema.span, "declared here").help(help)
}

/// What is missing of a source.
pub(super) fn plan(turn: &Turn<'_>) -> Result<NodePlan, NodeError> {
    let (Some(external), Some(relation)) = (external_of(turn.node), &turn.node.relation) else { return Ok(NodePlan::default()) };
    if turn.job.engine != Engine::Redshift {
        return Err(elsewhere(turn.node, external).at(turn.node.properties.unwrap_or(turn.node.origin)).into());
    }
    let mut steps = Vec::new();
    let mut state = |title: String, sql: String| steps.push(Step::Statement { title, sql });
    if texts(turn, &sql::find_external_schema(&relation.schema))?.is_empty() {
        let role = turn.job.compilation.project.target.settings.get("iam_role").and_then(serde_json::Value::as_str);
        let statement = sql::create_external_schema(&relation.schema, &external.schema, role);
        state(format!("create external schema {}", relation.schema), statement);
    }
    if let Some(table) = &external.table {
        let columns = sql::external_columns(&turn.node.columns, table);
        let (mut held, wanted) = (held(turn, relation)?, parts(turn, table)?);
        if let Some(found) = &held {
            let differences = differences(found, &columns, table, &wanted);
            if !differences.is_empty() && !turn.job.options.full_refresh {
                return Err(differs(turn.node, table, relation, &differences).into());
            }
            if turn.job.options.full_refresh {
                state(format!("drop external table {}", relation.display()), sql::drop_external_table(relation));
                held = None;
            }
        }
        if held.is_none() {
            state(format!("create external table {}", relation.display()), sql::create_external_table(relation, &columns, table));
        }
        let known = held.map(|held| held.parts).unwrap_or_default();
        let missing: Vec<ExternalPart> = wanted.into_iter().filter(|part| !known.contains_key(&part.values)).collect();
        for (statement, parts) in sql::add_partitions(relation, &columns, &missing).into_iter().zip(missing.chunks(100)) {
            let word = if parts.len() == 1 { "partition" } else { "partitions" };
            state(format!("add {} {word} to {}", parts.len(), relation.display()), statement);
        }
    }
    Ok(NodePlan { before: steps, ..NodePlan::default() })
}

pub(super) fn run(turn: &Turn<'_>, outcome: &mut Outcome) -> Result<(), NodeError> {
    let _one_at_a_time = turn.catalog.external.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = plan(turn)?;
    let prepared = Prepared { compiled: CompiledNode::default(), plan, state: NodeState::default() };
    for step in &prepared.plan.before {
        if turn.interrupt.is_raised() {
            return Err(AdapterError::Cancelled.into());
        }
        run_statements(turn, step, &prepared, outcome)?;
    }
    super::node::write_script(turn, outcome);
    outcome.status = Some(Status::Success);
    let done: Vec<String> = prepared.plan.before.iter().map(Step::title).collect();
    outcome.message = if done.is_empty() { "nothing is missing".to_owned() } else { done.join(", ") };
    Ok(())
}

/// An external table as it stands in the catalogue.
struct Held {
    location: String,
    /// The class of its serde; empty where the catalogue does not tell.
    serde: String,
    /// Of the serde, and of the table; `None` where the catalogue does not tell.
    of_serde: Option<Map<String, Value>>,
    of_table: Option<Map<String, Value>>,
    columns: Vec<ExternalColumn>,
    /// Location by values.
    parts: BTreeMap<Vec<String>, String>,
}

fn held(turn: &Turn<'_>, relation: &Relation) -> Result<Option<Held>, NodeError> {
    let Some(found) = texts(turn, &sql::find_external_table(relation))?.into_iter().next() else { return Ok(None) };
    let Ok([location, serde, of_serde, of_table]) = <[String; 4]>::try_from(found) else { return Ok(None) };
    let column = |row: Vec<String>| match <[String; 3]>::try_from(row) {
        Ok([name, data_type, part]) => Some(ExternalColumn { name, data_type, is_partition: part != "0" }),
        Err(_) => None,
    };
    let columns = texts(turn, &sql::find_external_columns(relation))?.into_iter().filter_map(column).collect();
    let part = |row: &Vec<String>| Some((serde_json::from_str::<Vec<String>>(row.first()?).ok()?, row.get(1)?.clone()));
    let parts = texts(turn, &sql::find_external_partitions(relation))?.iter().filter_map(part).collect();
    let [of_serde, of_table] = [of_serde, of_table].map(|text| serde_json::from_str(&text).ok());
    Ok(Some(Held { location, serde, of_serde, of_table, columns, parts }))
}

/// Rows of the catalogue; none where nobody is asked.
fn texts(turn: &Turn<'_>, query: &str) -> Result<Vec<Vec<String>>, AdapterError> {
    if turn.job.options.offline {
        return Ok(Vec::new());
    }
    let text = |datum: &Datum| datum.to_string();
    Ok(rows(turn.session, query)?.iter().map(|row| row.iter().map(text).collect()).collect())
}

fn rows(session: &SharedSession, query: &str) -> Result<Vec<Vec<Datum>>, AdapterError> {
    Ok(locked(session).query(query, None)?.rows)
}

/// What the table has otherwise than it is declared.
fn differences(held: &Held, wanted: &[ExternalColumn], table: &ExternalTable, parts: &[ExternalPart]) -> Vec<String> {
    let mut found = Vec::new();
    if !is_same_place(&held.location, &table.location) {
        found.push(format!("its files are at '{}' and declared at '{}'", held.location, table.location));
    }
    found.extend(read_otherwise(held, &sql::external_reader(table)));
    let by_name: BTreeMap<&str, &ExternalColumn> = held.columns.iter().map(|column| (column.name.as_str(), column)).collect();
    for column in wanted {
        match by_name.get(column.name.as_str()) {
            None => found.push(format!("it has no column '{}'", column.name)),
            Some(other) if other.is_partition != column.is_partition => {
                let word = if column.is_partition { "no" } else { "a" };
                found.push(format!("'{}' is {word} partition column of it", column.name));
            }
            Some(other) if sql::plain_external_type(&other.data_type) != sql::plain_external_type(&column.data_type) => {
                found.push(format!("its column '{}' is {} and declared as {}", column.name, other.data_type, column.data_type));
            }
            Some(_) => {}
        }
    }
    let undeclared = held.columns.iter().filter(|column| !wanted.iter().any(|wanted| wanted.name == column.name));
    found.extend(undeclared.map(|column| format!("it has a column '{}' that is not declared", column.name)));
    let moved = parts.iter().filter_map(|part| Some((part, held.parts.get(&part.values)?)));
    let mut moved = moved.filter(|(part, known)| !is_same_place(known, &part.location));
    if let Some((part, known)) = moved.next() {
        let more = match moved.count() {
            0 => String::new(),
            more => format!(" and {more} more of its partitions lie elsewhere"),
        };
        found.push(format!("its partition {} is at '{known}' and its files at '{}'{more}", part.values.join(", "), part.location));
    }
    found
}

fn is_same_place(one: &str, other: &str) -> bool {
    // Hive's words for the protocol.
    let plain = |place: &str| {
        let place = place.trim_end_matches('/');
        place.strip_prefix("s3a:").or_else(|| place.strip_prefix("s3n:")).map_or_else(|| place.to_owned(), |rest| format!("s3:{rest}"))
    };
    plain(one) == plain(other)
}

/// In what the files are read otherwise than is declared. What the catalogue does not tell is held to be so.
fn read_otherwise(held: &Held, wanted: &ExternalReader) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(serde) = wanted.serde.as_ref().filter(|serde| !held.serde.is_empty() && !held.serde.ends_with(serde.as_str())) {
        found.push(format!("its files are read by {} and declared to be read by {serde}", held.serde));
        // Its parameters are those of another one.
        return found;
    }
    let parameters = wanted.parameters.iter().map(|(name, value, usual)| (&held.of_serde, *name, value, *usual));
    for (of, name, value, usual) in parameters.chain([(&held.of_table, sql::HEADER_LINES, &wanted.header_lines, "0")]) {
        // A catalogue that tells no parameter at all tells nothing of this one.
        let Some(of) = of.as_ref().filter(|of| !of.is_empty()) else { continue };
        let known = of.get(name).map_or_else(|| usual.to_owned(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if known != *value {
            found.push(format!("its '{name}' is '{known}' and declared as '{value}'"));
        }
    }
    found
}

fn differs(node: &Node, table: &ExternalTable, relation: &Relation, differences: &[String]) -> Diagnostic {
    let message = format!(
        "source '{}': the external table '{}' differs from its declaration: {}",
        node.name,
        relation.display(),
        differences.join(", ")
    );
    Diagnostic::new(&codes::LOAD_FAILED, message)
        .at(table.span)
        .help("change the declaration, or make the table anew with --full-refresh: its files stay as they are")
}
