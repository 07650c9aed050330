//! `acca explain`: the steps and the SQL that a run would send.

use serde_json::json;

use super::Exit;
use super::arguments::{ExplainArguments, ExplainOutput, LogLevel};
use super::context::Context;
use super::node_line::kind;
use super::run::plain_options;
use super::style::{self, paint};
use crate::base::ResourceType;
use crate::execute::{NodeExplanation, RunJob, RunOptions, explain};
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
    let connected = context.open(compilation)?;
    let job = RunJob {
        compilation,
        adapter: connected.adapter,
        engine: connected.engine,
        selected,
        options: RunOptions { threads: 1, full_refresh: arguments.full_refresh, ..plain_options(context, compilation) },
    };
    let explained = explain(&job).map_err(|problem| {
        context.log.diagnostic(&problem, &compilation.project.sources);
        Exit::Failed
    })?;
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
