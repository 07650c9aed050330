//! Runs a unit test: the model's query over fixtures, and its rows held against the expected ones.

use std::sync::Arc;

use super::node::{Outcome, Turn, keep_compiled, query_failed, unit_failed};
use super::prepare::{NodeError, RunJob};
use super::warehouse::{SessionWarehouse, SharedSession, locked};
use super::{AdapterError, ColumnInfo};
use crate::analysis::CompiledNode;
use crate::assertions::{Difference, differences, shown, table};
use crate::base::{ResourceType, Span};
use crate::diag::{Diagnostic, codes};
use crate::dialect::{columns_of, rows_query};
use crate::jinja::{NodeState, UnitScope, Warehouse, ephemeral_name};
use crate::plan::{Status, seed_columns, seed_rows};
use crate::project::{Detail, InputCall, Node, UnitInput, UnitRow, UnitRows, UnitTest};
use crate::syntax::before_semicolon;

pub(super) fn run_unit_test(turn: &Turn<'_>, test: &UnitTest, outcome: &mut Outcome) -> Result<(), NodeError> {
    let Turn { job, node, session, .. } = *turn;
    let Some(model) = job.compilation.manifest.node(&test.tested) else {
        let message = format!("unit test '{}' tests '{}', which is not there", node.name, test.tested);
        return Err(Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(test.model_span).into());
    };
    let compiled = compile(job, node, model, test, session)?;
    outcome.messages = compiled.messages.clone();
    keep_compiled(turn, &compiled, outcome);
    let query = before_semicolon(&compiled.sql);
    let given = locked(session).describe(query).map_err(|error| query_failed(model, &compiled, error))?;
    let columns = compared(model, test, &given)?;
    let expected = match &test.expect {
        UnitRows::Listed { rows, .. } => rows_query(&columns, rows, job.engine),
        UnitRows::Sql { query, span, .. } => columns_of(&rendered(job, node, query, *span, session)?, &columns),
        UnitRows::OfSeed => rows_query(&columns, &[], job.engine),
    };
    let read = |sql: &str| -> Result<Vec<Vec<String>>, AdapterError> {
        Ok(locked(session).query(sql, None)?.rows.iter().map(|row| shown(row)).collect())
    };
    let expected = read(&expected).map_err(|error| unit_failed(node, test.expect_span, "the expected rows", &error))?;
    let actual = read(&columns_of(query, &columns)).map_err(|error| query_failed(model, &compiled, error))?;
    let found = differences(&expected, &actual);
    if found.is_empty() {
        outcome.status = Some(Status::Pass);
        outcome.failures = Some(0);
        return Ok(());
    }
    outcome.status = Some(Status::Fail);
    outcome.failures = Some(1);
    outcome.message = if found.len() == 1 { "1 row differs".to_owned() } else { format!("{} rows differ", found.len()) };
    let names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    outcome.diagnostics.push(failed(node, model, test, &names, &found));
    Ok(())
}

fn failed(node: &Node, model: &Node, test: &UnitTest, columns: &[String], found: &[Difference]) -> Diagnostic {
    let rows = match &test.expect {
        UnitRows::Listed { rows, .. } => rows.as_slice(),
        UnitRows::Sql { .. } | UnitRows::OfSeed => &[],
    };
    let first = found.iter().find_map(|difference| Some((rows.get(difference.number?)?.span, difference)));
    let message = format!("'{}' gives other rows than its unit test '{}' expects", model.name, node.name);
    let problem = Diagnostic::new(&codes::UNIT_TEST_FAILED, message);
    let problem = match first {
        Some((span, difference)) => problem.labelled(span, difference.words(columns)),
        None => problem.at(test.expect_span),
    };
    problem.note(format!("actual differs from expected (→ expected → actual, - missing, + too many):\n{}", table(columns, found)))
}

/// The columns that are compared: those that the expected rows name, or all.
fn compared(model: &Node, test: &UnitTest, given: &[ColumnInfo]) -> Result<Vec<ColumnInfo>, Diagnostic> {
    let UnitRows::Listed { rows, .. } = &test.expect else { return Ok(given.to_vec()) };
    let Some(columns) = named_columns(rows, given, &format!("model '{}'", model.name))? else { return Ok(given.to_vec()) };
    Ok(columns)
}

/// The columns that rows name, each once; `None` when there are no rows.
fn named_columns(rows: &[UnitRow], held: &[ColumnInfo], owner: &str) -> Result<Option<Vec<ColumnInfo>>, Diagnostic> {
    let mut named: Vec<ColumnInfo> = Vec::new();
    for row in rows {
        for (name, _) in &row.cells {
            let Some(column) = held.iter().find(|column| column.name.eq_ignore_ascii_case(name)) else {
                let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, format!("{owner} has no column '{name}'")).at(row.span);
                let problem = problem.did_you_mean(name, held.iter().map(|column| column.name.as_str()));
                let names = held.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(problem.help(format!("its columns are: {names}")));
            };
            if !named.contains(column) {
                named.push(column.clone());
            }
        }
    }
    Ok((!rows.is_empty()).then_some(named))
}

/// The model's query over fixtures. The rows of the model itself come last: its columns may have to be told by the others.
fn compile(job: &RunJob<'_>, node: &Node, model: &Node, test: &UnitTest, session: &SharedSession) -> Result<CompiledNode, NodeError> {
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
    let mut fixtures: Vec<(String, String)> = Vec::new();
    let mut unit = UnitScope { test: node.name.clone(), overrides: test.overrides.clone(), ..UnitScope::default() };
    let is_this = |input: &&UnitInput| input.reads == Some(InputCall::This);
    for input in test.given.iter().filter(|input| !is_this(input)).chain(test.given.iter().filter(is_this)) {
        let Some(read) = input.node.as_ref().and_then(|id| job.compilation.manifest.node(id)) else { continue };
        let name = match &read.detail {
            Detail::Source(source) => ephemeral_name(&format!("{}__{}", source.source_name, read.name)),
            _ => ephemeral_name(read.alias.as_deref().unwrap_or(&read.name)),
        };
        let own = || {
            let mut first = unit.clone();
            first.overrides.macros.insert("is_incremental".to_owned(), false.into());
            let compiled = job.compilation.compile_unit_test(model, first, &fixtures, Some(warehouse.clone()))?;
            locked(session).describe(before_semicolon(&compiled.sql)).map_err(|error| query_failed(model, &compiled, error))
        };
        let query = fixture(job, node, read, input, session, if is_this(&input) { Some(&own) } else { None })?;
        fixtures.push((name.clone(), query));
        if is_this(&input) {
            unit.this = Some(name.clone());
        }
        unit.inputs.insert(read.id.clone(), name);
    }
    Ok(job.compilation.compile_unit_test(model, unit, &fixtures, Some(warehouse))?)
}

/// Asks for the columns of the tested model's own query.
type OwnColumns<'a> = dyn Fn() -> Result<Vec<ColumnInfo>, NodeError> + 'a;

/// The query that gives the rows of an input.
fn fixture(
    job: &RunJob<'_>,
    node: &Node,
    read: &Node,
    input: &UnitInput,
    session: &SharedSession,
    own: Option<&OwnColumns<'_>>,
) -> Result<String, NodeError> {
    let seed;
    let rows = match &input.rows {
        UnitRows::Sql { query, span, .. } => return rendered(job, node, query, *span, session),
        UnitRows::Listed { rows, .. } => rows,
        UnitRows::OfSeed => {
            seed = rows_of_seed(job, node, read, input.span)?;
            &seed
        }
    };
    let columns = match (own, held_columns(read, session)?) {
        (_, Some(held)) => held,
        (Some(own), None) => own()?,
        (None, None) => columns(job, node, read, rows, input.span, session)?,
    };
    named_columns(rows, &columns, &format!("{} '{}'", read.resource, read.name))?;
    Ok(rows_query(&columns, rows, job.engine))
}

/// Rows as SQL may hold templates.
fn rendered(job: &RunJob<'_>, node: &Node, query: &str, span: Span, session: &SharedSession) -> Result<String, NodeError> {
    let linked = job.compilation.linked(Some(Arc::new(SessionWarehouse(session.clone()))));
    let rendered = job.compilation.templates.render_text(query, span, node, NodeState::default(), &linked)?;
    Ok(before_semicolon(&rendered.sql).to_owned())
}

fn rows_of_seed(job: &RunJob<'_>, node: &Node, read: &Node, span: Span) -> Result<Vec<UnitRow>, NodeError> {
    let Detail::Seed { path } = &read.detail else {
        let message = format!("unit test '{}' has no rows for '{}'", node.name, read.name);
        let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(span);
        return Err(problem.help("add 'rows:'; only those of a seed are known without").into());
    };
    Ok(seed_rows(read, &seed_file(job, read, path)?, span)?)
}

fn seed_file(job: &RunJob<'_>, seed: &Node, path: &str) -> Result<Vec<u8>, Diagnostic> {
    std::fs::read(job.options.root.join(path)).map_err(|error| {
        Diagnostic::new(&codes::MISSING_FILE, format!("the file of seed '{}' cannot be read: {error}", seed.name)).at(seed.origin)
    })
}

/// The columns of the relation, when it is there.
fn held_columns(read: &Node, session: &SharedSession) -> Result<Option<Vec<ColumnInfo>>, AdapterError> {
    let Some(relation) = read.relation.as_ref().filter(|_| !read.is_ephemeral()) else { return Ok(None) };
    let held = locked(session).columns(relation)?;
    Ok((!held.is_empty()).then_some(held))
}

/// The columns of an input that is not in the database: those of its query when it is ephemeral, or the declared ones.
fn columns(
    job: &RunJob<'_>,
    node: &Node,
    read: &Node,
    rows: &[UnitRow],
    span: Span,
    session: &SharedSession,
) -> Result<Vec<ColumnInfo>, NodeError> {
    if read.is_ephemeral() {
        let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
        let compiled = job.compilation.compile_node(read, NodeState::default(), Some(warehouse))?;
        return locked(session).describe(before_semicolon(&compiled.sql)).map_err(|error| query_failed(read, &compiled, error));
    }
    if let Detail::Seed { path } = &read.detail {
        return Ok(seed_columns(read, &seed_file(job, read, path)?)?);
    }
    let declared: Vec<ColumnInfo> = read
        .columns
        .iter()
        .filter_map(|column| Some(ColumnInfo { name: column.name.clone(), data_type: column.data_type.clone()? }))
        .collect();
    let is_declared = |name: &String| declared.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    if !declared.is_empty() && rows.iter().flat_map(|row| &row.cells).all(|(name, _)| is_declared(name)) {
        return Ok(declared);
    }
    let what = if read.resource == ResourceType::Source { "source table" } else { read.resource.as_str() };
    let message = format!("unit test '{}' cannot know the columns of the {what} '{}': it is not in the database", node.name, read.name);
    let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(span);
    Err(problem.help("build it first, give its rows as SQL, or declare its columns with their 'data_type'").into())
}
