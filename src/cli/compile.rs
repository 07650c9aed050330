//! `acca compile`: writes the SQL of nodes without running it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{CompileArguments, ExplainOutput};
use super::context::{Context, nodes};
use super::joined::Joined;
use super::log::Log;
use super::ls::resources;
use super::run::{chosen, recorded};
use super::sides::{Side, each, sides};
use super::style::{self, paint};
use super::text::{counted, seconds};
use crate::analysis::{Compilation, CompiledNode, Depth};
use crate::artifacts::Compiled;
use crate::base::{Files, ResourceType, UniqueId};
use crate::diag::{Diagnostic, Diagnostics, summary};
use crate::execute::{LazyWarehouse, artifact_path, engine_of, node_fits, write_sql};
use crate::jinja::{Message, NodeState, Warehouse};
use crate::plan::{NodeResult, RunResult, Status};
use crate::project::Node;

const COMPILED: [ResourceType; 4] = [ResourceType::Model, ResourceType::Test, ResourceType::Snapshot, ResourceType::Analysis];

pub(super) fn cmd_compile(context: &Context<'_>, arguments: &CompileArguments) -> Result<(), Exit> {
    carry_out_compile(context, arguments, None)
}

/// `only`: these nodes in place of a selection.
pub(super) fn carry_out_compile(context: &Context<'_>, arguments: &CompileArguments, only: Option<&BTreeSet<String>>) -> Result<(), Exit> {
    if let Some(sides) = sides(context)? {
        return each(context, sides, true, |side, joined| {
            compile_all(&side.context, &side.loaded.compilation, arguments, only, Some((side, joined)))
        });
    }
    let mut loaded = context.load()?;
    if let Some(text) = &arguments.inline {
        context.read_from(&loaded.compilation, &arguments.selection.state, &[])?;
        let (_, compiled) = compile_inline(context, &mut loaded.compilation, text)?;
        print_sql(context, arguments, "inline", &compiled.sql);
        return Ok(());
    }
    compile_all(context, &loaded.compilation, arguments, only, None)
}

/// `side`: one of several targets, of which it compiles what is placed there, and what is wrong on all of them.
fn compile_all(
    context: &Context<'_>,
    compilation: &Compilation,
    arguments: &CompileArguments,
    only: Option<&BTreeSet<String>>,
    side: Option<(&Side<'_>, &mut Joined)>,
) -> Result<(), Exit> {
    let began = Instant::now();
    let resources = resources(&arguments.resources, &COMPILED);
    let mut selected = chosen(context, compilation, &arguments.selection, &resources, only)?;
    selected.retain(|number| side.as_ref().is_none_or(|(side, _)| side.builds(*number)));
    let selected = nodes(compilation, &selected);
    let (written, problems, result) = compile_nodes(context, compilation, &selected, !arguments.no_introspect);
    context.stage("compiled", began.elapsed());
    let result = RunResult { elapsed: began.elapsed().as_secs_f64(), ..result };
    context.write_artifacts(compilation, &written, Some((&result, recorded(context, "compile", arguments.recorded()))));
    if side.is_none() {
        context.log.diagnostics(&problems, &compilation.project.sources);
    }
    print_only(context, arguments, &selected, &written);
    let took = seconds(began.elapsed().as_secs_f64());
    let folder = context.relative(&context.target_path(compilation).join("compiled"));
    context.log.remark("CompileDone", &format!("Compiled {} into {folder} in {took}", counted(written.len(), "node")));
    if let Some((side, joined)) = side {
        joined.add(problems, side);
    } else if problems.has_errors() {
        context.terminal.print_error(&format!("{} {}", paint(style::BAD, "Failed:"), summary(&problems)));
        return Err(Exit::Failed);
    }
    Ok(())
}

impl CompileArguments {
    fn recorded(&self) -> Map<String, Value> {
        let mut recorded = self.selection.recorded();
        let entries = [("introspect", !self.no_introspect), ("empty", self.empty), ("full_refresh", self.full_refresh)];
        recorded.extend(entries.map(|(key, set)| (key.to_owned(), json!(set))));
        recorded
    }
}

/// Compiles nodes on all cores and writes their SQL into the target folder.
/// `asks`: whether templates may ask the database.
pub(super) fn compile_nodes(context: &Context<'_>, compilation: &Compilation, selected: &[&Node], asks: bool) -> CompileOutcome {
    let target = &compilation.project.target;
    let warehouse: Arc<dyn Warehouse> = Arc::new(match asks {
        true => LazyWarehouse::new(target, &context.root),
        false => LazyWarehouse::closed(target, &context.root, "the database is not asked (--no-introspect)"),
    });
    let target_path = context.target_path(compilation);
    let engine = engine_of(target).ok();
    compilation.read_portable(selected);
    compilation.look_ahead(selected.iter().filter_map(|node| compilation.manifest.number(&node.id)), Depth::Read);
    let compiled: Vec<(UniqueId, Result<Stored, Vec<Diagnostic>>)> = selected
        .par_iter()
        .map(|node| {
            let _held = context.files.working_on("nodes compiled", &node.id);
            let compiled = compilation.compile_with_all(node, NodeState::default(), Some(warehouse.clone()));
            let compiled = compiled.and_then(|compiled| {
                let fits = |engine| node_fits(compilation, node, &compiled, engine);
                engine.map_or(Ok(()), fits).map_err(|problem| vec![problem])?;
                let mistakes = compilation.certain_mistakes(node);
                if !mistakes.is_empty() {
                    return Err(mistakes.to_vec());
                }
                Ok(compiled)
            });
            let path = || artifact_path(compilation, &target_path, node, "compiled");
            let stored = compiled.map(|compiled| Stored { foreign: compilation.foreign(node, &compiled), ..Stored::new(compiled, path()) });
            (node.id.clone(), stored)
        })
        .collect();
    let written = written(context, compiled);
    context.disk.reached("compiled");
    written
}

/// Prints the SQL where one node was asked for; the tests that came along with it do not count.
fn print_only(context: &Context<'_>, arguments: &CompileArguments, selected: &[&Node], written: &Written) {
    let mut asked = selected.iter().filter(|node| node.resource != ResourceType::Test || selected.len() == 1);
    if let (Some(only), None) = (asked.next(), asked.next())
        && let Some(compiled) = written.get(&only.id)
        && !arguments.selection.select.is_empty()
    {
        print_sql(context, arguments, &only.name, &compiled.sql);
    }
}

fn print_sql(context: &Context<'_>, arguments: &CompileArguments, name: &str, sql: &str) {
    let sql = sql.trim_end();
    if context.log.is_json() {
        context.log.output_data("CompiledNode", sql, json!({"node_name": name, "compiled": sql, "is_inline": name == "inline"}));
    } else if arguments.output == ExplainOutput::Json {
        context.terminal.print(&json!({"node": name, "compiled": sql}).to_string());
    } else {
        context.terminal.print(sql);
    }
}

pub(super) type Written = BTreeMap<UniqueId, Compiled>;

/// What was written, what is wrong, and what `retry` is to know.
pub(super) type CompileOutcome = (Written, Diagnostics, RunResult);

/// The SQL of a node, and what came of writing it.
struct Stored {
    sql: Arc<str>,
    messages: Vec<Message>,
    /// What the engine of the target does not run.
    foreign: Vec<Diagnostic>,
    path: PathBuf,
    stored: io::Result<()>,
}

impl Stored {
    fn new(compiled: CompiledNode, path: PathBuf) -> Stored {
        let stored = write_sql(&path, &compiled.sql);
        Stored { sql: compiled.sql.into(), messages: compiled.messages, foreign: Vec::new(), path, stored }
    }
}

/// Says what templates said and what could not be written, in the order of the nodes.
fn written(context: &Context<'_>, compiled: Vec<(UniqueId, Result<Stored, Vec<Diagnostic>>)>) -> CompileOutcome {
    let mut written = BTreeMap::new();
    let mut result = RunResult { nodes: Vec::with_capacity(compiled.len()), ..RunResult::default() };
    let at = context.metadata().generated_at;
    let mut problems = Diagnostics::default();
    for (id, compiled) in compiled {
        match compiled {
            Ok(Stored { sql, messages, foreign, path, stored }) => {
                say(&context.log, &messages);
                problems.extend(foreign);
                if let Err(error) = &stored {
                    context.terminal.print_error(&format!("{} cannot be written: {error}", context.relative(&path)));
                }
                let path = stored.ok().map(|()| context.relative(&path));
                let done = NodeResult::without_work(id.clone(), Status::Success, String::new(), at.clone());
                result.nodes.push(NodeResult { compiled_sql: Some(sql.clone()), ..done });
                written.insert(id, Compiled { sql, path });
            }
            Err(found) => {
                let message = found.first().map(|problem| problem.message.clone()).unwrap_or_default();
                result.nodes.push(NodeResult::without_work(id, Status::Error, message, at.clone()));
                problems.extend(found);
            }
        }
    }
    problems.sort();
    (written, problems, result)
}

fn say(log: &Log<'_>, messages: &[Message]) {
    messages.iter().for_each(|message| log.said(message, true));
}

/// Compiles a text of the command line as if it were a file of the project.
pub(super) fn compile_inline(context: &Context<'_>, compilation: &mut Compilation, text: &str) -> Result<(Node, CompiledNode), Exit> {
    let file = compilation.project.sources.add("--inline", text);
    let span = compilation.project.sources.whole(file);
    let Some(root) = compilation.project.packages.first() else { return Err(Exit::Usage) };
    let node = compilation.operation(root, "inline", span);
    let warehouse: Arc<dyn Warehouse> = Arc::new(LazyWarehouse::new(&compilation.project.target, &context.root));
    match compilation.compile_node(&node, NodeState::default(), Some(warehouse)) {
        Ok(compiled) => {
            say(&context.log, &compiled.messages);
            Ok((node, compiled))
        }
        Err(problem) => {
            context.log.diagnostic(&problem, &compilation.project.sources);
            Err(Exit::Failed)
        }
    }
}
