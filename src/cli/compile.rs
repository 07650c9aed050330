//! `acca compile`: writes the SQL of nodes without running it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::Exit;
use super::arguments::{CompileArguments, LogFormat};
use super::context::{Context, nodes};
use super::log::Log;
use super::ls::resources;
use super::style::{self, paint};
use super::text::{counted, seconds};
use crate::analysis::{Compilation, CompiledNode};
use crate::artifacts::{Compiled, write_atomically};
use crate::base::{Files, ResourceType};
use crate::diag::{Diagnostic, Diagnostics, summary};
use crate::execute::{LazyWarehouse, artifact_path};
use crate::jinja::{NodeState, Warehouse};
use crate::project::Node;

const COMPILED: [ResourceType; 4] = [ResourceType::Model, ResourceType::Test, ResourceType::Snapshot, ResourceType::Analysis];

pub(super) fn cmd_compile(context: &Context<'_>, arguments: &CompileArguments) -> Result<(), Exit> {
    let began = Instant::now();
    let mut loaded = context.load()?;
    if let Some(text) = &arguments.inline {
        let (_, compiled) = compile_inline(context, &mut loaded.compilation, text)?;
        context.terminal.print(compiled.sql.trim_end());
        return Ok(());
    }
    let compilation = &loaded.compilation;
    let selected = context.select(compilation, &arguments.selection, &resources(&arguments.resources, &COMPILED))?;
    let selected = nodes(compilation, &selected);
    let (written, problems) = compile_nodes(context, compilation, &selected);
    context.stage("compiled", began.elapsed());
    context.write_artifacts(compilation, &written, None);
    context.log.diagnostics(&problems, &compilation.project.sources);
    print_only(context, arguments, &selected, &written);
    let took = seconds(began.elapsed().as_secs_f64());
    let folder = context.relative(&context.target_path(compilation).join("compiled"));
    context.log.remark("CompileDone", &format!("Compiled {} into {folder} in {took}", counted(written.len(), "node")));
    if problems.has_errors() {
        context.terminal.print_error(&format!("{} {}", paint(style::BAD, "Failed:"), summary(&problems)));
        return Err(Exit::Failed);
    }
    Ok(())
}

/// Compiles nodes on all cores and writes their SQL into the target folder.
pub(super) fn compile_nodes(context: &Context<'_>, compilation: &Compilation, selected: &[&Node]) -> (Written, Diagnostics) {
    let warehouse: Arc<dyn Warehouse> = Arc::new(LazyWarehouse::new(&compilation.project.target, &context.root));
    let compiled: Vec<(&Node, Result<CompiledNode, Diagnostic>)> = selected
        .par_iter()
        .map(|node| {
            let _held = context.files.working_on("nodes compiled", &node.id);
            (*node, compilation.compile_node(node, NodeState::default(), Some(warehouse.clone())))
        })
        .collect();
    context.disk.reached("compiled");
    let written = write_all(context, compilation, compiled);
    context.disk.reached("compiled files");
    written
}

/// Prints the SQL where one node was asked for; the tests that came along with it do not count.
fn print_only(context: &Context<'_>, arguments: &CompileArguments, selected: &[&Node], written: &Written) {
    let mut asked = selected.iter().filter(|node| node.resource != ResourceType::Test || selected.len() == 1);
    if let (Some(only), None) = (asked.next(), asked.next())
        && let Some(compiled) = written.get(&only.id)
        && !arguments.selection.select.is_empty()
        && context.log.format == LogFormat::Text
    {
        context.terminal.print(compiled.sql.trim_end());
    }
}

pub(super) type Written = BTreeMap<crate::base::UniqueId, Compiled>;

fn write_all(
    context: &Context<'_>,
    compilation: &Compilation,
    compiled: Vec<(&Node, Result<CompiledNode, Diagnostic>)>,
) -> (Written, Diagnostics) {
    let mut written = BTreeMap::new();
    let mut problems = Diagnostics::default();
    let target_path = context.target_path(compilation);
    for (node, compiled) in compiled {
        match compiled {
            Ok(compiled) => {
                say(&context.log, &compiled);
                let path = artifact_path(compilation, &target_path, node, "compiled");
                let stored = write_atomically(&path, compiled.sql.as_bytes());
                if let Err(error) = &stored {
                    context.terminal.print_error(&format!("{} cannot be written: {error}", context.relative(&path)));
                }
                let path = stored.ok().map(|()| context.relative(&path));
                written.insert(node.id.clone(), Compiled { sql: compiled.sql, path });
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems.sort();
    (written, problems)
}

fn say(log: &Log<'_>, compiled: &CompiledNode) {
    compiled.messages.iter().for_each(|message| log.said(message, true));
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
            say(&context.log, &compiled);
            Ok((node, compiled))
        }
        Err(problem) => {
            context.log.diagnostic(&problem, &compilation.project.sources);
            Err(Exit::Failed)
        }
    }
}
