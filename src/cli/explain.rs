//! `acca explain`: the steps and the SQL that a run would send.

use serde_json::json;

use super::Exit;
use super::arguments::{ExplainArguments, ExplainOutput, LogLevel, Offline};
use super::context::Context;
use super::node_line::kind;
use super::run::plain_options;
use super::style::{self, paint};
use crate::analysis::Compilation;
use crate::base::ResourceType;
use crate::diag::Diagnostic;
use crate::execute::{Assumption, NodeExplanation, RunJob, RunOptions, engine_of, explain, explain_assuming, may_be_out_of_reach, open};
use crate::project::{Manifest, Node};

const EXPLAINED: [ResourceType; 4] = [ResourceType::Source, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Model];

pub(super) fn cmd_explain(context: &Context<'_>, arguments: &ExplainArguments) -> Result<(), Exit> {
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let mut selected = context.select(compilation, &arguments.selection, &EXPLAINED)?;
    selected.retain(|number| compilation.manifest.nodes.get(*number).is_some_and(Node::is_runnable));
    if selected.is_empty() {
        context.log.remark("NothingToDo", "There is nothing to explain: nothing that is selected is built by a run of its own.");
        return Ok(());
    }
    let explained = explanations(context, compilation, arguments, selected)?;
    let mut failed = false;
    if arguments.output == ExplainOutput::Json {
        let document: Vec<_> = explained.iter().map(described).collect();
        context.terminal.write(&format!("{}\n", serde_json::Value::from(document)));
    }
    for explanation in &explained {
        if arguments.output == ExplainOutput::Text {
            print(context, explanation, &compilation.manifest);
        }
        for problem in &explanation.diagnostics {
            failed = true;
            context.log.diagnostic(problem, &compilation.project.sources);
        }
    }
    if failed { Err(Exit::Failed) } else { Ok(()) }
}

fn explanations(
    context: &Context<'_>,
    compilation: &Compilation,
    arguments: &ExplainArguments,
    selected: Vec<usize>,
) -> Result<Vec<NodeExplanation>, Exit> {
    let said = |problem: Diagnostic| {
        context.log.diagnostic(&problem, &compilation.project.sources);
        Exit::Failed
    };
    let options = RunOptions { threads: 1, full_refresh: arguments.full_refresh, ..plain_options(context, compilation) };
    let target = &compilation.project.target;
    let assumption = match arguments.offline {
        Some(Offline::Empty) => Assumption::Empty,
        Some(Offline::Built) => Assumption::Built,
        None => {
            let connected = open(target, &context.root).and_then(|connected| connected.commented(compilation));
            let explained = connected.and_then(|connected| {
                let (adapter, engine, selected, options) = (connected.adapter, connected.engine, selected.clone(), options.clone());
                explain(&RunJob { compilation, adapter, engine, selected, options })
            });
            match explained {
                Err(problem) if may_be_out_of_reach(target) => {
                    let text =
                        "The database is not asked: these are the steps for an empty one. --offline=built shows those of a later run.";
                    context.log.remark("Unconnected", &format!("{}\n{text}", problem.message));
                    Assumption::Empty
                }
                explained => return explained.map_err(said),
            }
        }
    };
    let engine = engine_of(target).map_err(said)?;
    explain_assuming(compilation, engine, &selected, &options, &*context.files, assumption).map_err(said)
}

/// Steps with their statements, for programs.
fn described(explanation: &NodeExplanation) -> serde_json::Value {
    let steps: Vec<_> = explanation.steps.iter().map(|(title, sql)| json!({"title": title, "sql": sql})).collect();
    json!({"unique_id": &*explanation.id, "steps": steps})
}

fn print(context: &Context<'_>, explanation: &NodeExplanation, manifest: &Manifest) {
    if context.log.is_json() {
        context.log.event(LogLevel::Info, "Explanation", &explanation.id, described(explanation));
        return;
    }
    let kind = manifest.node(&explanation.id).map(kind).unwrap_or_default();
    context.terminal.print(&paint(style::BOLD, &format!("-- {} ({kind})", explanation.id)));
    for (number, (title, statements)) in explanation.steps.iter().enumerate() {
        context.terminal.print(&paint(style::DIM, &format!("-- {}. {title}", number + 1)));
        for statement in statements {
            context.terminal.print(&format!("{};", statement.trim_end().trim_end_matches(';')));
        }
    }
    context.terminal.print("");
}
