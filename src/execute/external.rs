//! External schemas and tables of a source: what is declared and missing is made, each statement alone, since none of them can run in
//! a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::buckets::Buckets;
use super::node::{Outcome, Turn, run_statements};
use super::prepare::{NodeError, Prepared};
use super::warehouse::{SharedSession, locked};
use super::{AdapterError, Datum};
use crate::analysis::{Compilation, CompiledNode};
use crate::base::{Relation, bucket_and_key};
use crate::diag::{Diagnostic, codes};
use crate::dialect::Engine;
use crate::dialect::external::{self as sql, ExternalColumn, ExternalPart};
use crate::jinja::NodeState;
use crate::plan::{NodePlan, Status, Step};
use crate::project::{Detail, External, ExternalTable, Node, PartitionFolders};

/// Folder of rows whose partition column is NULL, in Hive's words.
const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

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
        let mut held = held(turn, relation)?;
        if let Some(found) = &held {
            let differences = differences(found, &columns, table);
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
        let missing: Vec<ExternalPart> = parts(turn, table)?.into_iter().filter(|part| !known.contains(&part.values)).collect();
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
    columns: Vec<ExternalColumn>,
    parts: BTreeSet<Vec<String>>,
}

fn held(turn: &Turn<'_>, relation: &Relation) -> Result<Option<Held>, NodeError> {
    let Some(location) = texts(turn, &sql::find_external_table(relation))?.into_iter().next().and_then(|row| row.into_iter().next()) else {
        return Ok(None);
    };
    let column = |row: Vec<String>| match <[String; 3]>::try_from(row) {
        Ok([name, data_type, part]) => Some(ExternalColumn { name, data_type, is_partition: part != "0" }),
        Err(_) => None,
    };
    let columns = texts(turn, &sql::find_external_columns(relation))?.into_iter().filter_map(column).collect();
    let values = |row: &Vec<String>| serde_json::from_str::<Vec<String>>(row.first()?).ok();
    let parts = texts(turn, &sql::find_external_partitions(relation))?.iter().filter_map(values).collect();
    Ok(Some(Held { location, columns, parts }))
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
fn differences(held: &Held, wanted: &[ExternalColumn], table: &ExternalTable) -> Vec<String> {
    let mut found = Vec::new();
    if held.location.trim_end_matches('/') != table.location.trim_end_matches('/') {
        found.push(format!("its files are at '{}' and declared at '{}'", held.location, table.location));
    }
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

/// The parts of the table: those whose values are told, and otherwise the folders that are there.
fn parts(turn: &Turn<'_>, table: &ExternalTable) -> Result<Vec<ExternalPart>, NodeError> {
    if table.partitions.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(told) = table.partitions.iter().map(|partition| partition.values.as_deref()).collect::<Option<Vec<_>>>() {
        let mut combined: Vec<Vec<String>> = vec![Vec::new()];
        for values in told {
            let with = |before: &Vec<String>| {
                values.iter().map(|value| [before.as_slice(), std::slice::from_ref(value)].concat()).collect::<Vec<_>>()
            };
            combined = combined.iter().flat_map(with).collect();
        }
        return Ok(combined.into_iter().map(|values| ExternalPart { location: folder(table, &values), values }).collect());
    }
    if turn.job.options.offline {
        return Ok(Vec::new());
    }
    let Some((bucket, prefix)) = bucket_and_key(&table.location) else { return Ok(Vec::new()) };
    let objects = Buckets::of(&turn.job.compilation.project.target)?.list(bucket, prefix)?;
    let mut found = BTreeSet::new();
    for object in &objects {
        let Some(below) = object.url.strip_prefix(&table.location) else { continue };
        match folders(table, below) {
            Ok(Some(values)) => {
                found.insert(values);
            }
            Ok(None) => {}
            Err(why) => return Err(unclear(turn.node, table, &object.url, &why).into()),
        }
    }
    Ok(found.into_iter().map(|(values, folder)| ExternalPart { values, location: format!("{}{folder}", table.location) }).collect())
}

fn unclear(node: &Node, table: &ExternalTable, object: &str, why: &str) -> Diagnostic {
    let message = format!("source '{}': the partition of '{object}' is not to be told: {why}", node.name);
    Diagnostic::new(&codes::LOAD_FAILED, message)
        .at(table.location_span)
        .help("move the file, or list the values of the partitions in 'vals'")
}

/// Where a part lies whose values are told.
fn folder(table: &ExternalTable, values: &[String]) -> String {
    let named = |(partition, value): (&crate::project::ExternalPartition, &String)| match table.folders {
        PartitionFolders::NameAndValue => format!("{}={value}/", partition.name),
        PartitionFolders::YearMonthDay => format!("{}/", value.replace('-', "/")),
    };
    let folders: String = table.partitions.iter().zip(values).map(named).collect();
    format!("{}{folders}", table.location)
}

/// Values of a part and its folder, by a path below the location of the table. `None` for what Spectrum leaves out.
fn folders(table: &ExternalTable, below: &str) -> Result<Option<(Vec<String>, String)>, String> {
    let mut rest: Vec<&str> = below.split('/').collect();
    let file = rest.pop().unwrap_or("");
    // Names that begin so are hidden (`r_CREATE_EXTERNAL_TABLE`).
    if file.starts_with(['_', '.']) {
        return Ok(None);
    }
    let (mut values, mut taken) = (Vec::new(), 0);
    for partition in &table.partitions {
        let value = match table.folders {
            PartitionFolders::NameAndValue => {
                let folder = rest.get(taken).copied().unwrap_or("");
                let (name, value) = folder.split_once('=').ok_or_else(|| format!("it is in no folder {}=…", partition.name))?;
                if !name.eq_ignore_ascii_case(&partition.name) {
                    return Err(format!("its folder '{folder}' is none of '{}'", partition.name));
                }
                taken += 1;
                unescaped(value)
            }
            PartitionFolders::YearMonthDay => {
                let parts = rest.get(taken..taken + 3).ok_or("it is in no folders of year, month and day")?;
                taken += 3;
                parts.join("-")
            }
        };
        if value == NULL_FOLDER {
            return Err(format!("its rows have no '{}', and a partition needs a value", partition.name));
        }
        values.push(value);
    }
    let folder: String = rest.iter().take(taken).map(|folder| format!("{folder}/")).collect();
    Ok(Some((values, folder)))
}

/// Hive writes some letters of values as `%3A`.
fn unescaped(value: &str) -> String {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}
