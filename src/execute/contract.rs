//! Holds the query of a node against its contract, before anything is built.

use super::guarded_keys::{guarded, is_guarded};
use super::node::Turn;
use super::prepare::{NodeError, RunJob};
use super::warehouse::{SessionWarehouse, SharedSession, locked};
use super::{AdapterError, ColumnInfo};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};
use crate::dialect::{Engine, Support, declared_type, loses_its_fraction, same_type, support, trusts_keys};
use crate::jinja::NodeState;
use crate::plan::{Contract, ContractColumn};
use crate::project::{Column, Constraint, Node};

/// What the node's contract declares, its types as the engine spells them, when `incoming`, the columns of its query, are those.
/// They get the declared order and types, as the table will have them.
///
/// `in_transaction`: one is open, which a refused question must not end.
pub(super) fn check(
    turn: &Turn<'_>,
    state: NodeState,
    incoming: &mut Vec<ColumnInfo>,
    in_transaction: bool,
) -> Result<Contract, NodeError> {
    let Turn { job, node, session, .. } = *turn;
    let declared = declared_types(turn, in_transaction && job.engine == Engine::Postgres)?;
    if let Some(problem) = compare(node, &declared, incoming) {
        return Err(problem.into());
    }
    let mut promised = Vec::new();
    let mut contract = Contract { run_tag: job.options.tag(), ..Contract::default() };
    for (column, spelled) in node.query_columns().zip(declared) {
        let given = incoming.iter().find(|given| column.names(&given.name)).map_or(&column.name, |given| &given.name);
        let place = column.span.or(node.properties).unwrap_or(node.origin);
        let constraints = referring(job, node, state, column.constraints(), place, session)?;
        promised.push(ColumnInfo { name: given.clone(), data_type: spelled });
        contract.columns.push(ContractColumn { name: given.clone(), data_type: written_type(job, node, column), constraints });
    }
    *incoming = promised;
    contract.constraints = referring(job, node, state, node.constraints(), node.properties.unwrap_or(node.origin), session)?;
    Ok(if trusts_keys(job.engine) { guarded(contract, node, &job.compilation.manifest) } else { contract })
}

/// The columns of the query of a node without a contract, where its table cannot be made by the query itself. A type that is not known
/// (without a connection) is the declared one.
pub(super) fn of_query(turn: &Turn<'_>, incoming: &[ColumnInfo]) -> Result<Contract, NodeError> {
    let Turn { job, node, .. } = *turn;
    let mut contract = Contract { run_tag: job.options.tag(), of_query: true, ..Contract::default() };
    for given in incoming {
        let declared = node.columns.iter().find(|column| column.names(&given.name)).and_then(|column| column.data_type.as_deref());
        let is_known = |data_type: &&str| *data_type != "unknown" && !loses_its_fraction(data_type, job.engine);
        let Some(data_type) = [Some(given.data_type.as_str()), declared].into_iter().flatten().find(is_known) else {
            let message = format!("the type of column '{}' of '{}' is not known, and its table needs it", given.name, node.name);
            let place = node.properties.or(node.body).unwrap_or(node.origin);
            let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(place);
            return Err(problem.help("declare its 'data_type', or cast it in the query").into());
        };
        let data_type = declared_type(data_type, true, None, job.engine);
        contract.columns.push(ContractColumn { name: given.name.clone(), data_type, constraints: Vec::new() });
    }
    Ok(contract)
}

fn written_type(job: &RunJob<'_>, node: &Node, column: &Column) -> String {
    let bytes = job.compilation.text_bytes(node, &column.name);
    declared_type(column.data_type.as_deref().unwrap_or(""), node.contract_alias_types(), bytes, job.engine)
}

/// The declared types as the engine spells them.
fn declared_types(turn: &Turn<'_>, savepoint: bool) -> Result<Vec<String>, NodeError> {
    let Turn { job, node, session, .. } = *turn;
    let is_whole = |column: &&Column| column.data_type.as_deref().is_some_and(|declared| loses_its_fraction(declared, job.engine));
    if let Some(column) = node.query_columns().find(is_whole) {
        let message =
            format!("column '{}' of '{}' would lose its fractions: this engine's numeric has none without a scale", column.name, node.name);
        let place = column.data_type_span.or(column.span).unwrap_or(node.origin);
        return Err(Diagnostic::new(&codes::INVALID_CONFIG, message)
            .at(place)
            .help("write precision and scale, as in numeric(19,4)")
            .into());
    }
    let ask = |columns: &[&Column]| {
        let types: Vec<String> = columns.iter().map(|column| written_type(job, node, column)).collect();
        if savepoint {
            locked(session).execute("savepoint acca_types")?;
        }
        let found = locked(session).spelled(&types);
        if savepoint && found.is_err() {
            locked(session).execute("rollback to savepoint acca_types")?;
        }
        found
    };
    let columns: Vec<&Column> = node.query_columns().collect();
    let refused = match ask(&columns) {
        Ok(found) => return Ok(found),
        Err(error @ AdapterError::Statement { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    // One of them is no type: which one, is told when each is asked for alone.
    for column in &columns {
        if let Err(AdapterError::Statement { message, .. }) = ask(&[column]) {
            let data_type = column.data_type.as_deref().unwrap_or("");
            let message = format!("'{data_type}', the declared type of column '{}' of '{}', is refused: {message}", column.name, node.name);
            let place = column.data_type_span.or(column.span).unwrap_or(node.origin);
            return Err(Diagnostic::new(&codes::INVALID_CONFIG, message).at(place).into());
        }
    }
    Err(refused.into())
}

/// One line of the table of differences.
struct Difference<'a> {
    column: &'a str,
    declared: &'a str,
    actual: &'a str,
    mismatch: &'static str,
    place: Option<Span>,
}

fn compare(node: &Node, declared: &[String], actual: &[ColumnInfo]) -> Option<Diagnostic> {
    let mut differences = Vec::new();
    for (column, data_type) in node.query_columns().zip(declared) {
        let given = actual.iter().find(|given| column.names(&given.name));
        let mismatch = match given {
            None => "missing in the query",
            Some(given) if same_type(data_type, &given.data_type) => continue,
            Some(_) => "type differs",
        };
        let place = if given.is_some() { column.data_type_span.or(column.span) } else { column.span };
        let actual = given.map_or("", |given| &given.data_type);
        differences.push(Difference { column: &column.name, declared: data_type, actual, mismatch, place });
    }
    for given in actual.iter().filter(|given| !node.query_columns().any(|column| column.names(&given.name))) {
        let (column, actual) = (given.name.as_str(), given.data_type.as_str());
        differences.push(Difference { column, declared: "", actual, mismatch: "missing in the contract", place: None });
    }
    (!differences.is_empty()).then(|| broken(node, &differences))
}

fn broken(node: &Node, differences: &[Difference<'_>]) -> Diagnostic {
    let message = format!("the query of '{}' does not give the columns that its contract declares", node.name);
    let whole = node.config.span("contract").or(node.properties).unwrap_or(node.origin);
    let mut problem = Diagnostic::new(&codes::CONTRACT_BROKEN, message);
    let mut placed = differences.iter().filter_map(|difference| Some((difference.place?, difference)));
    problem = match placed.next() {
        Some((place, first)) => problem.labelled(place, words(first)),
        None => problem.at(whole),
    };
    for (place, difference) in placed {
        problem = problem.also(place, words(difference));
    }
    problem.note(table(differences)).help("change the query, with a cast for a type, or what the contract declares")
}

fn words(difference: &Difference<'_>) -> String {
    match difference.actual {
        "" => "the query has no such column".to_owned(),
        actual => format!("the query gives {actual}"),
    }
}

/// Columns one below the other, for people.
fn table(differences: &[Difference<'_>]) -> String {
    let mut lines = vec![["column", "declared", "actual", "mismatch"]];
    lines.extend(differences.iter().map(|difference| [difference.column, difference.declared, difference.actual, difference.mismatch]));
    let width = |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let print = |line: &[&str; 4]| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        cells.join(" | ").trim_end().to_owned()
    };
    lines.iter().map(print).collect::<Vec<_>>().join("\n")
}

/// The constraints, with the relations that foreign keys refer to in place of the calls that name them.
fn referring(
    job: &RunJob<'_>,
    node: &Node,
    state: NodeState,
    constraints: Vec<Constraint>,
    place: Span,
    session: &SharedSession,
) -> Result<Vec<Constraint>, Diagnostic> {
    let linked = job.compilation.linked(Some(std::sync::Arc::new(SessionWarehouse(session.clone()))));
    let resolve = |mut constraint: Constraint| {
        if let Some(call) = &constraint.to {
            let rendered = job.compilation.templates.render_text(&format!("{{{{ {call} }}}}"), place, node, state, &linked)?;
            constraint.to = Some(rendered.sql.trim().to_owned());
        }
        Ok(constraint)
    };
    constraints.into_iter().map(resolve).collect()
}

/// A warning for each kind of constraint that the engine does not have or does not watch over, where the first one is declared.
pub(super) fn constraints_left_out(job: &RunJob<'_>) -> Vec<Diagnostic> {
    let mut problems: Vec<(_, Diagnostic)> = Vec::new();
    let nodes = job.selected.iter().filter_map(|number| job.compilation.manifest.nodes.get(*number));
    for node in nodes.filter(|node| node.contract_enforced() && node.has_constraints()) {
        let whole = node.properties.unwrap_or(node.origin);
        let own = node.constraints().into_iter().map(|constraint| (constraint.columns.clone(), constraint, whole));
        let columns = node.columns.iter().flat_map(|column| {
            let place = column.span.unwrap_or(whole);
            column.constraints().into_iter().map(move |constraint| (vec![column.name.clone()], constraint, place))
        });
        for (columns, constraint, place) in own.chain(columns) {
            let what = match support(constraint.kind, job.engine) {
                Support::NotEnforced if trusts_keys(job.engine) && !is_guarded(&constraint, &columns, node, &job.compilation.manifest) => {
                    if !constraint.warn_unsupported {
                        continue;
                    }
                    "is not made: this engine would believe it, and no test of the project proves it"
                }
                Support::Missing if constraint.warn_unsupported => "is not made: this engine cannot have it",
                Support::NotEnforced if constraint.warn_unenforced => "is made, but this engine does not watch over it",
                _ => continue,
            };
            if problems.iter().any(|(kind, _)| *kind == constraint.kind) {
                continue;
            }
            let message = format!("the {} constraint of '{}' {what}", constraint.kind.as_str(), node.name);
            let problem = Diagnostic::new(&codes::UNSUPPORTED_CONFIG, message).at(place);
            let flag = if what.starts_with("is made") { "warn_unenforced" } else { "warn_unsupported" };
            problems.push((constraint.kind, problem.help(format!("'{flag}: false' in the constraint says that this is known"))));
        }
    }
    problems.into_iter().map(|(_, problem)| problem).collect()
}
