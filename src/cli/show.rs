//! `acca show`: the first rows of a node or of a query.

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{ShowArguments, ShowOutput};
use super::compile::compile_inline;
use super::context::{Context, nodes};
use super::style::{self, paint};
use super::table;
use crate::analysis::{Compilation, CompiledNode};
use crate::base::{FileId, Relation, ResourceType, Span, Table};
use crate::diag::{Diagnostic, codes};
use crate::execute::{AdapterError, Connected, LazyWarehouse, connection_failed};
use crate::jinja::NodeState;
use crate::plan::{RunResult, Status};
use crate::project::{Detail, Node};

const SHOWN: [ResourceType; 6] =
    [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Source, ResourceType::Test, ResourceType::Analysis];
/// A test is shown only when it is named: those that follow a model are not asked for.
const WITHOUT_TESTS: [ResourceType; 5] =
    [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Source, ResourceType::Analysis];

pub(super) fn cmd_show(context: &Context<'_>, arguments: &ShowArguments) -> Result<(), Exit> {
    let mut loaded = context.load()?;
    if let Some(text) = &arguments.inline {
        context.read_from(&loaded.compilation, &arguments.selection.state, &[])?;
        let (node, compiled) = compile_inline(context, &mut loaded.compilation, text)?;
        let connected = context.open(&loaded.compilation)?;
        return show_all(context, &loaded.compilation, &connected, vec![(&node, compiled)], arguments.shown());
    }
    let compilation = &loaded.compilation;
    if let (Some(text), Some(root)) = (&arguments.inline_direct, compilation.project.packages.first()) {
        let node = compilation.operation(root, "inline", Span::new(FileId(0), 0, 0));
        let connected = context.open(compilation)?;
        let query = CompiledNode::of(text.clone());
        return show_all(context, compilation, &connected, vec![(&node, query)], arguments.shown());
    }
    if arguments.selection.select.is_empty() {
        context.terminal.print_error(&format!("{} say what to show: <MODEL> or --inline <SQL>", paint(style::BAD, "error:")));
        return Err(Exit::Usage);
    }
    let mut selected = context.select(compilation, &arguments.selection, &SHOWN)?;
    let is_other = |number: &usize| compilation.manifest.nodes.get(*number).is_some_and(|node| WITHOUT_TESTS.contains(&node.resource));
    if selected.iter().any(is_other) {
        selected.retain(is_other);
    }
    let mut queries = Vec::new();
    for node in nodes(compilation, &selected) {
        queries.push((node, query_of(context, compilation, node)?));
    }
    if queries.is_empty() {
        return Ok(());
    }
    let connected = context.open(compilation)?;
    show_all(context, compilation, &connected, queries, arguments.shown())
}

/// How many rows of a seed are shown when it has been loaded.
const OF_A_SEED: usize = 10;

/// The first rows of the nodes that a run has loaded.
pub(super) fn show_loaded(context: &Context<'_>, compilation: &Compilation, result: &RunResult) -> Result<(), Exit> {
    let loaded = result.nodes.iter().filter(|node| node.status == Status::Success);
    let loaded: Vec<&Node> = loaded.filter_map(|node| compilation.manifest.node(&node.id)).collect();
    let mut queries = Vec::new();
    for node in loaded {
        queries.push((node, query_of(context, compilation, node)?));
    }
    if queries.is_empty() {
        return Ok(());
    }
    let connected = context.open(compilation)?;
    show_all(context, compilation, &connected, queries, (Some(OF_A_SEED), ShowOutput::Text, true))
}

/// What has SQL of its own is shown as that SQL gives it now; what is loaded is shown as it stands in the database.
fn query_of(context: &Context<'_>, compilation: &Compilation, node: &Node) -> Result<CompiledNode, Exit> {
    if let (Detail::Seed { .. } | Detail::Source(_) | Detail::Snapshot { .. }, Some(relation)) = (&node.detail, &node.relation) {
        return Ok(CompiledNode::of(format!("select * from {}", from(relation))));
    }
    let warehouse = std::sync::Arc::new(LazyWarehouse::new(&compilation.project.target, &context.root));
    compilation.compile_node(node, NodeState::default(), Some(warehouse)).map_err(|problem| {
        context.log.diagnostic(&problem, &compilation.project.sources);
        Exit::Failed
    })
}

fn from(relation: &Relation) -> String {
    relation.quoted()
}

/// How many rows, how they are printed, and whether each table has its name above it in any case.
type Shown = (Option<usize>, ShowOutput, bool);

impl ShowArguments {
    fn shown(&self) -> Shown {
        (usize::try_from(self.limit).ok(), self.output, false)
    }
}

fn show_all(
    context: &Context<'_>,
    compilation: &Compilation,
    connected: &Connected,
    queries: Vec<(&Node, CompiledNode)>,
    (limit, output, named): Shown,
) -> Result<(), Exit> {
    let fail = |problem: &Diagnostic| {
        context.log.diagnostic(problem, &compilation.project.sources);
        Exit::Failed
    };
    let mut session = connected.adapter.connect().map_err(|error| fail(&connection_failed(&compilation.project.target, &error)))?;
    let named = named || queries.len() > 1;
    let mut failed = None;
    for (node, compiled) in queries {
        let sql = compiled.sql.trim_end().trim_end_matches(';');
        match session.query(sql, limit) {
            Ok(rows) => print(context, node, &rows, output, named),
            Err(error) => failed = Some(fail(&query_failed(node, &compiled, &error))),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn query_failed(node: &Node, compiled: &CompiledNode, error: &AdapterError) -> Diagnostic {
    let problem = Diagnostic::new(&codes::STATEMENT_FAILED, format!("'{}': {error}", node.name));
    let AdapterError::Statement { offset, hints, .. } = error else { return problem };
    let place = offset.and_then(|at| compiled.locate(at..at + 1));
    let problem = match place {
        Some(place) => problem.at(place.within.unwrap_or(place.call)),
        None => problem,
    };
    hints.iter().fold(problem, |problem, hint| problem.help(hint.clone()))
}

fn print(context: &Context<'_>, node: &Node, rows: &Table, output: ShowOutput, named: bool) {
    let output = if context.log.is_json() { ShowOutput::Json } else { output };
    match output {
        ShowOutput::Text => {
            if named {
                context.terminal.print(&paint(style::BOLD, &node.name));
            }
            context.terminal.print(&table::draw(rows, context.terminal.width()));
            if rows.rows.is_empty() {
                context.terminal.print(&paint(style::DIM, "(no rows)"));
            }
            if named {
                context.terminal.print("");
            }
        }
        ShowOutput::Json => context.terminal.write(&format!("{}\n", as_json(node, rows))),
        ShowOutput::Csv => context.terminal.write(&format!("{}\n", table::csv(rows))),
    }
}

fn as_json(node: &Node, rows: &Table) -> Value {
    let object = |row: &Vec<crate::base::Datum>| -> Map<String, Value> {
        rows.columns.iter().zip(row).map(|(column, cell)| (column.name.clone(), json!(cell))).collect()
    };
    json!({"node": node.name, "show": rows.rows.iter().map(object).collect::<Vec<_>>()})
}
