//! `acca explain`: the steps and the SQL that a run would send.

use std::collections::BTreeMap;

use serde_json::json;

use super::Exit;
use super::arguments::{ExplainArguments, ExplainOutput, LogLevel, Offline};
use super::context::Context;
use super::node_line::kind;
use super::run::plain_options;
use super::sides::{Side, Sides, sides};
use super::style::{self, paint};
use crate::analysis::Compilation;
use crate::base::{ResourceType, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::execute::{
    Assumption, NodeExplanation, Origins, RunJob, RunOptions, Served, engine_of, expect_columns, explain, explain_assuming,
    may_be_out_of_reach, open,
};
use crate::project::Node;

const EXPLAINED: [ResourceType; 4] = [ResourceType::Source, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Model];

pub(super) fn cmd_explain(context: &Context<'_>, arguments: &ExplainArguments) -> Result<(), Exit> {
    if let Some(sides) = sides(context)? {
        return explain_sides(context, &sides, arguments);
    }
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let mut selected = context.select(compilation, &arguments.selection, &EXPLAINED)?;
    selected.retain(|number| compilation.manifest.nodes.get(*number).is_some_and(Node::is_runnable));
    if selected.is_empty() {
        context.log.remark("NothingToDo", "There is nothing to explain: nothing that is selected is built by a run of its own.");
        return Ok(());
    }
    let (explained, unseen) = explanations(context, compilation, arguments, selected)?;
    let explained: Vec<Explained<'_>> = explained.iter().map(|explanation| Explained { explanation, compilation, side: None }).collect();
    show(context, arguments, &explained, unseen.as_ref())
}

/// What would be done to a node.
struct Explained<'e> {
    explanation: &'e NodeExplanation,
    compilation: &'e Compilation,
    /// One of several targets.
    side: Option<&'e Side<'e>>,
}

/// `unseen`: why nothing could be looked up where it was to be. The steps outlive what is said beside them, so they say it too.
fn show(context: &Context<'_>, arguments: &ExplainArguments, explained: &[Explained<'_>], unseen: Option<&Diagnostic>) -> Result<(), Exit> {
    let mut failed = false;
    if let (Some(problem), ExplainOutput::Text, false) = (unseen, arguments.output, context.log.is_json()) {
        context.terminal.print(&paint(style::DIM, &format!("-- {}", problem.message.replace('\n', " "))));
        context.terminal.print(&paint(style::DIM, "-- so nothing is taken to stand there: these are the steps of a first build\n"));
    }
    if arguments.output == ExplainOutput::Json {
        let mut document: Vec<_> = explained.iter().map(described).collect();
        for entry in document.iter_mut().filter_map(|node| node.as_object_mut()).filter(|_| unseen.is_some()) {
            entry.insert("assumed".to_owned(), json!("empty"));
        }
        context.terminal.write(&format!("{}\n", serde_json::Value::from(document)));
    }
    for explained in explained {
        if arguments.output == ExplainOutput::Text {
            print(context, explained);
        }
        for problem in &explained.explanation.diagnostics {
            failed = true;
            context.log.diagnostic(problem, &explained.compilation.project.sources);
        }
    }
    if failed { Err(Exit::Failed) } else { Ok(()) }
}

/// Statements of all targets in the order of the graph: where a node is built, then where its table goes.
fn explain_sides(context: &Context<'_>, sides: &Sides<'_>, arguments: &ExplainArguments) -> Result<(), Exit> {
    let mut selected = Vec::new();
    for side in &sides.sides {
        let compilation = &side.loaded.compilation;
        let mut numbers = side.context.select(compilation, &arguments.selection, &EXPLAINED)?;
        let runnable = |number: &usize| compilation.manifest.nodes.get(*number).is_some_and(Node::is_runnable);
        numbers.retain(|number| side.builds(*number) && runnable(number) || side.gets(*number));
        selected.push(numbers);
    }
    if selected.iter().all(Vec::is_empty) {
        context.log.remark("NothingToDo", "There is nothing to explain: nothing that is selected is built by a run of its own.");
        return Ok(());
    }
    let explained = match arguments.offline {
        Some(_) => None,
        None => Some(connected_sides(context, sides, arguments, &selected)?),
    };
    let (explained, unseen) = match explained {
        Some(Ok(explained)) => (explained, None),
        Some(Err(problem)) => (offline_sides(sides, arguments, &selected)?, Some(problem)),
        None => (offline_sides(sides, arguments, &selected)?, None),
    };
    let mut shown: Vec<Explained<'_>> = Vec::new();
    for (side, explanations) in sides.sides.iter().zip(&explained) {
        let compilation = &*side.loaded.compilation;
        shown.extend(explanations.iter().map(|explanation| Explained { explanation, compilation, side: Some(side) }));
    }
    if let Some(order) = &sides.order {
        let places: BTreeMap<&UniqueId, usize> = order.iter().enumerate().map(|(place, id)| (id, place)).collect();
        shown.sort_by_key(|shown| (places.get(&shown.explanation.id).copied(), is_arrival(shown)));
    }
    show(context, arguments, &shown, unseen.as_ref())
}

fn is_arrival(explained: &Explained<'_>) -> bool {
    explained.side.and_then(|side| side.placed.as_ref()).is_some_and(|placed| placed.arrivals.contains_key(&explained.explanation.id))
}

/// Why nothing could be looked up, where one of the targets is out of reach that may be so.
fn connected_sides(
    context: &Context<'_>,
    sides: &Sides<'_>,
    arguments: &ExplainArguments,
    selected: &[Vec<usize>],
) -> Result<Result<Vec<Vec<NodeExplanation>>, Diagnostic>, Exit> {
    let may_be = sides.sides.iter().any(|side| may_be_out_of_reach(side.target()));
    let explained = || {
        let open = |side: &Side<'_>| open(side.target(), &context.root).and_then(|open| open.commented(&side.loaded.compilation));
        let connected = sides.sides.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let adapters: Vec<_> = connected.iter().map(|connected| Some(connected.adapter.clone())).collect();
        let each = sides.sides.iter().zip(connected).zip(selected).map(|((side, connected), selected)| {
            let compilation = &*side.loaded.compilation;
            let mut origins = sides.origins(side, &adapters);
            expect_columns(&mut origins, compilation, selected, &*side.context.files);
            let served = Served { origins, partner: None };
            let options = options(&side.context, compilation, arguments);
            let (adapter, engine, selected) = (connected.adapter, connected.engine, selected.clone());
            explain(&RunJob { compilation, adapter, engine, selected, options, served })
        });
        each.collect::<Result<Vec<_>, Diagnostic>>()
    };
    match explained() {
        Ok(explained) => Ok(Ok(explained)),
        Err(problem) if may_be => {
            unconnected(context, &problem);
            Ok(Err(problem))
        }
        Err(problem) => {
            let (first, problem) = (sides.sides.first(), with_offline(problem));
            first.into_iter().for_each(|side| context.log.diagnostic(&problem, &side.loaded.compilation.project.sources));
            Err(Exit::Failed)
        }
    }
}

fn offline_sides(sides: &Sides<'_>, arguments: &ExplainArguments, selected: &[Vec<usize>]) -> Result<Vec<Vec<NodeExplanation>>, Exit> {
    let mut explained = Vec::new();
    for (side, selected) in sides.sides.iter().zip(selected) {
        let compilation = &side.loaded.compilation;
        let done = engine_of(side.target()).and_then(|engine| {
            let options = options(&side.context, compilation, arguments);
            explain_assuming(compilation, engine, selected, &options, &*side.context.files, assumed(arguments), &sides.origins(side, &[]))
        });
        explained.push(done.map_err(|problem| {
            side.context.log.diagnostic(&problem, &compilation.project.sources);
            Exit::Failed
        })?);
    }
    Ok(explained)
}

fn assumed(arguments: &ExplainArguments) -> Assumption {
    match arguments.offline {
        Some(Offline::Built) => Assumption::Built,
        Some(Offline::Empty) | None => Assumption::Empty,
    }
}

fn options(context: &Context<'_>, compilation: &Compilation, arguments: &ExplainArguments) -> RunOptions {
    RunOptions { threads: 1, full_refresh: arguments.full_refresh, ..plain_options(context, compilation) }
}

fn unconnected(context: &Context<'_>, problem: &Diagnostic) {
    let text = "What stands there could not be looked up, so nothing is taken to: these are the steps of a first build. --offline=built shows those of a \
                later run.";
    context.log.remark("Unconnected", &format!("{}\n{text}", problem.message));
}

/// The way out where the database is not there.
fn with_offline(problem: Diagnostic) -> Diagnostic {
    match problem.code == &codes::CONNECTION_FAILED {
        true => problem.help("without a connection: --offline shows the steps of a first build, --offline=built those of a later run"),
        false => problem,
    }
}

fn explanations(
    context: &Context<'_>,
    compilation: &Compilation,
    arguments: &ExplainArguments,
    selected: Vec<usize>,
) -> Result<(Vec<NodeExplanation>, Option<Diagnostic>), Exit> {
    let said = |problem: Diagnostic| {
        context.log.diagnostic(&with_offline(problem), &compilation.project.sources);
        Exit::Failed
    };
    let options = options(context, compilation, arguments);
    let target = &compilation.project.target;
    let mut unseen = None;
    if arguments.offline.is_none() {
        let connected = open(target, &context.root).and_then(|connected| connected.commented(compilation));
        let explained = connected.and_then(|connected| {
            let (adapter, engine, selected, options) = (connected.adapter, connected.engine, selected.clone(), options.clone());
            explain(&RunJob { compilation, adapter, engine, selected, options, served: Served::default() })
        });
        match explained {
            Err(problem) if may_be_out_of_reach(target) => {
                unconnected(context, &problem);
                unseen = Some(problem);
            }
            explained => return explained.map(|explained| (explained, None)).map_err(said),
        }
    }
    let engine = engine_of(target).map_err(said)?;
    let explained = explain_assuming(compilation, engine, &selected, &options, &*context.files, assumed(arguments), &Origins::new());
    explained.map(|explained| (explained, unseen)).map_err(said)
}

/// Steps with their statements, for programs.
fn described(explained: &Explained<'_>) -> serde_json::Value {
    let explanation = explained.explanation;
    let steps: Vec<_> = explanation.steps.iter().map(|(title, sql)| json!({"title": title, "sql": sql})).collect();
    let mut described = json!({"unique_id": &*explanation.id, "steps": steps});
    if let (Some(side), Some(entries)) = (explained.side, described.as_object_mut()) {
        entries.insert("target".to_owned(), json!(side.target().name));
    }
    described
}

fn print(context: &Context<'_>, explained: &Explained<'_>) {
    let explanation = explained.explanation;
    if context.log.is_json() {
        context.log.event(LogLevel::Info, "Explanation", &explanation.id, described(explained));
        return;
    }
    let mut kind = explained.compilation.manifest.node(&explanation.id).map(kind).unwrap_or_default();
    if is_arrival(explained) {
        "transfer".clone_into(&mut kind);
    }
    let place = explained.side.map_or_else(String::new, |side| {
        let word = if is_arrival(explained) { "to" } else { "on" };
        format!(" {word} {}", side.target().name)
    });
    context.terminal.print(&paint(style::BOLD, &format!("-- {} ({kind}){place}", explanation.id)));
    for (number, (title, statements)) in explanation.steps.iter().enumerate() {
        context.terminal.print(&paint(style::DIM, &format!("-- {}. {title}", number + 1)));
        for statement in statements {
            context.terminal.print(&format!("{};", statement.trim_end().trim_end_matches(';')));
        }
    }
    context.terminal.print("");
}
