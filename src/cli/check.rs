//! `acca check`: what the database would refuse, found without it.

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use super::Exit;
use super::arguments::CheckArguments;
use super::context::Context;
use super::joined::Joined;
use super::sides::{Side, each, sides_apart};
use super::style::{self, paint};
use super::text::{counted, seconds};
use crate::analysis::{Analysis, Compilation, is_portable};
use crate::artifacts::write_atomically;
use crate::base::{Files, ResourceType};
use crate::diag::{Diagnostic, Diagnostics, Severity, codes, summary};
use crate::dialect::{has_the_checked_rules, storage};
use crate::execute::engine_of;
use crate::plan::{StorageFeatures, advises, check_design, key_advice};
use crate::project::{Detail, Node};

/// Beside the saved parse.
const FILE_NAME: &str = "partial_check.acca";

const CHECKED: [ResourceType; 4] = [ResourceType::Model, ResourceType::Snapshot, ResourceType::Test, ResourceType::Analysis];

pub(super) fn cmd_check(context: &Context<'_>, arguments: &CheckArguments) -> Result<(), Exit> {
    if let Some(sides) = sides_apart(context)? {
        let check =
            |side: &Side<'_>, joined: &mut Joined| check_all(&side.context, &side.loaded.compilation, arguments, Some((side, joined)));
        return each(context, sides, false, check);
    }
    let loaded = context.load()?;
    check_all(context, &loaded.compilation, arguments, None)
}

/// `side`: one of several targets, of which it checks what is placed there, and what is wrong on all of them.
fn check_all(
    context: &Context<'_>,
    compilation: &Compilation,
    arguments: &CheckArguments,
    side: Option<(&Side<'_>, &mut Joined)>,
) -> Result<(), Exit> {
    let began = Instant::now();
    let mut selected: BTreeSet<usize> = context.select(compilation, &arguments.selection, &CHECKED)?.into_iter().collect();
    selected.retain(|number| side.as_ref().is_none_or(|(side, _)| side.builds(*number)));
    let analysis = analyse(context, compilation, &selected);
    context.disk.reached("checked");
    let strict = engine_of(&compilation.project.target).is_ok_and(has_the_checked_rules);
    let mut problems = Diagnostics::default();
    for (number, found) in analysis.nodes.iter().filter(|(number, _)| selected.contains(number)) {
        let strict = strict || compilation.manifest.nodes.get(*number).is_some_and(is_portable);
        let doubts = found.problems.iter().filter(|problem| strict || !is_of_checked_rules(problem));
        problems.extend(doubts.cloned().map(|problem| as_the_target_sees_it(problem, strict)));
    }
    problems.extend(analysis.problems.iter().cloned());
    if let Ok(engine) = engine_of(&compilation.project.target) {
        problems.extend(of_storage(context, compilation, &analysis, storage(engine)));
    }
    // Nothing but time would come of taking it apart.
    let _ = ManuallyDrop::new(analysis);
    problems.sort();
    let problems = context.judged(problems);
    let failed = problems.has_errors();
    if let Some((side, joined)) = side {
        joined.add(problems, side);
        joined.count(side, selected.len());
        return if failed { Err(Exit::Failed) } else { Ok(()) };
    }
    context.log.diagnostics(&problems, &compilation.project.sources);
    if failed {
        context.terminal.print_error(&format!("{} {}", paint(style::BAD, "Failed:"), summary(&problems)));
        return Err(Exit::Failed);
    }
    say_checked(context, &counted(selected.len(), "node"), began.elapsed(), &problems);
    Ok(())
}

pub(super) fn say_checked(context: &Context<'_>, what: &str, took: Duration, problems: &Diagnostics) {
    let unread = problems.iter().filter(|problem| problem.code == &codes::UNREAD_QUERY).count();
    let but = if unread == 0 { String::new() } else { format!(", but for {unread} that cannot be read") };
    context.log.remark("CheckDone", &format!("Checked {what} in {}{but}", seconds(took.as_secs_f64())));
}

/// What is said about how tables are stored. Keys are asked for by all readers, so what the last check has left is not enough.
fn of_storage(context: &Context<'_>, compilation: &Compilation, analysis: &Analysis, has: StorageFeatures) -> Vec<Diagnostic> {
    let is_stored = |node: &Node| STORAGE_WORDS.iter().any(|word| node.stored(word).is_some());
    if !advises(compilation, has.columnar) && !compilation.manifest.nodes.iter().any(is_stored) {
        return Vec::new();
    }
    let whole = analysis.nodes.len() == compilation.manifest.nodes.iter().filter(|node| has_columns(node)).count();
    let again = (!whole).then(|| compilation.analyse(&*context.files, None));
    let analysis = again.as_ref().unwrap_or(analysis);
    let mut problems = check_design(compilation, analysis, has);
    problems.extend(key_advice(compilation, analysis, has.columnar));
    problems
}

const STORAGE_WORDS: [&str; 5] = ["dist", "sort", "encode", "partition_by", "indexes"];

fn has_columns(node: &Node) -> bool {
    !matches!(node.detail, Detail::Exposure(_) | Detail::UnitTest(_) | Detail::Operation)
}

/// With what the last check has left, and leaving what this one finds out.
fn analyse(context: &Context<'_>, compilation: &Compilation, selected: &BTreeSet<usize>) -> Analysis {
    let path = context.target_path(compilation).join(FILE_NAME);
    let held = if context.global.parses_partially() { std::fs::read(&path).ok() } else { None };
    let (analysis, renewed) = compilation.analyse_again(&*context.files, Some(selected), held.as_deref());
    if let Some(renewed) = renewed {
        // It only saves time: a folder that cannot be written is told of where artefacts go.
        let _ = write_atomically(&path, &renewed);
    }
    analysis
}

/// What is doubtful only where integers are divided as PostgreSQL does it, and functions are those that it has.
fn is_of_checked_rules(problem: &Diagnostic) -> bool {
    problem.severity == Severity::Warning && [&codes::INTEGER_DIVISION, &codes::UNKNOWN_FUNCTION].contains(&problem.code)
}

/// The rules are PostgreSQL's: another engine may take what they refuse.
fn as_the_target_sees_it(problem: Diagnostic, strict: bool) -> Diagnostic {
    let of_the_project =
        [&codes::INVALID_CONFIG, &codes::MIXED_CURRENCY, &codes::PERSONAL_DATA_IN_REPORT, &codes::UNIT_ASSERTION, &codes::UNIT_MISMATCH]
            .contains(&problem.code);
    // No engine takes a name that means nothing, nor a union of unequal sides.
    let of_every_engine =
        [&codes::NOT_A_QUERY, &codes::UNKNOWN_COLUMN, &codes::UNKNOWN_RELATION, &codes::UNEQUAL_COLUMNS].contains(&problem.code);
    // What is an error because the project says so stays one.
    if strict || of_the_project || of_every_engine || problem.severity != Severity::Error || problem.code.severity != Severity::Error {
        return problem;
    }
    Diagnostic { severity: Severity::Warning, ..problem }.note("PostgreSQL refuses this; whether this target does is not known")
}
