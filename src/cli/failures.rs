//! The end of a run: what went wrong once more, with places and first rows, and the summary.

use std::collections::BTreeSet;

use serde_json::json;

use super::arguments::LogLevel;
use super::log::Log;
use super::node_line::{display_name, status_style, status_text};
use super::style::{self, paint};
use super::table;
use super::text::{seconds, thousands};
use crate::base::{Sources, Span, UniqueId};
use crate::diag::{Diagnostic, Severity, codes};
use crate::plan::{NodeResult, RunResult, Status};
use crate::project::{Detail, Manifest, Node};

/// How many warnings of tests are shown with their rows; the rest have their lines above.
const MOST_WARNINGS: usize = 10;
/// How wide the rows of a failed test are drawn where nothing limits them.
const WIDE: usize = 140;

/// Prints everything that went wrong, warnings first so that errors stand above the summary, and the summary.
///
/// `strict`: warnings fail the run, so that they are shown even when little is to be said; `said`: of these nodes nothing is left to say.
pub(super) fn report(log: &Log<'_>, run: &RunResult, (manifest, sources): (&Manifest, &Sources), strict: bool, said: &BTreeSet<UniqueId>) {
    let with = |status: Status| run.nodes.iter().filter(move |result| result.status == status && !said.contains(&result.id));
    let mut shown: Vec<&NodeResult> = Vec::new();
    if log.shows(LogLevel::Warn) || strict {
        shown.extend(with(Status::Warn).take(MOST_WARNINGS));
    }
    shown.extend(with(Status::Fail));
    shown.extend(with(Status::Error));
    let outside: Vec<_> = run.diagnostics.iter().collect();
    if !log.is_json() && log.shows(LogLevel::Error) && (!shown.is_empty() || !outside.is_empty()) {
        log.terminal.print("");
    }
    for result in shown {
        if let Some(node) = manifest.node(&result.id) {
            problem(log, result, node, sources);
        }
    }
    for problem in outside {
        log.report_diagnostic(problem, sources);
    }
    let summary = summary(run);
    let data = json!({"elapsed": run.elapsed, "interrupted": run.interrupted});
    log.line("EndOfRunSummary", &summary, data);
}

fn problem(log: &Log<'_>, result: &NodeResult, node: &Node, sources: &Sources) {
    for diagnostic in &result.diagnostics {
        log.report_diagnostic(diagnostic, sources);
    }
    if log.collects() && result.diagnostics.is_empty() && matches!(result.status, Status::Fail | Status::Warn) {
        log.report_diagnostic(&failed_test(result, node), sources);
    }
    if log.is_json() || !log.shows(LogLevel::Error) {
        return;
    }
    if result.diagnostics.is_empty() {
        log.terminal.print(&format!("{}\n", judged(result, node, sources, log.terminal.width())));
    } else if let Some(path) = result.compiled_path.as_ref().filter(|_| result.status == Status::Error) {
        log.terminal.print(&format!("{} {path}\n", paint(style::DIM, "compiled:")));
    }
}

/// A test that found rows, or an error that has no place: what, where, the SQL, the first rows.
fn judged(result: &NodeResult, node: &Node, sources: &Sources, width: Option<usize>) -> String {
    let status = paint(status_style(result.status), &status_text(result));
    let mut lines = vec![format!("{status} {}: {}", paint(style::BOLD, &display_name(node)), result.message)];
    lines.push(format!("  {} {}", paint(style::DIM, "declared:"), place(node, sources)));
    if let Some(path) = &result.compiled_path {
        lines.push(format!("  {} {path}", paint(style::DIM, "compiled:")));
    }
    if let Some(sample) = result.sample.as_ref().filter(|sample| !sample.rows.is_empty()) {
        let drawn = table::draw(sample, Some(width.unwrap_or(WIDE).saturating_sub(3)));
        lines.extend(drawn.lines().map(|line| format!("  {line}")));
        let more = result.failures.unwrap_or(0).saturating_sub(sample.rows.len() as u64);
        if more > 0 {
            lines.push(format!("  {}", paint(style::DIM, &format!("… {} more", thousands(more)))));
        }
    }
    lines.join("\n")
}

/// A test that found rows, for programs that read what was found.
fn failed_test(result: &NodeResult, node: &Node) -> Diagnostic {
    let message = format!("test '{}' failed: {}", node.name, result.message);
    let mut problem = Diagnostic::new(&codes::TEST_FAILED, message).at(written(node));
    if result.status == Status::Warn {
        problem.severity = Severity::Warning;
    }
    match &result.compiled_path {
        Some(path) => problem.help(format!("the rows are those that the query in '{path}' finds")),
        None => problem,
    }
}

fn written(node: &Node) -> Span {
    match &node.detail {
        Detail::GenericTest(test) => test.span,
        _ => node.body.unwrap_or(node.origin),
    }
}

fn place(node: &Node, sources: &Sources) -> String {
    let span = written(node);
    let file = sources.file(span.file);
    format!("{}:{}", file.path, file.position(span.start as usize).line)
}

/// The last line, with the words of dbt's.
pub(super) fn summary(run: &RunResult) -> String {
    let passed = run.count(Status::Success) + run.count(Status::Pass);
    let failed = run.count(Status::Error) + run.count(Status::Fail);
    let stopped = run.nodes.iter().filter(|node| node.was_stopped()).count();
    let part = |name: &str, count: usize, colour: anstyle::Style| {
        let text = format!("{name}={count}");
        if count > 0 { paint(colour, &text) } else { text }
    };
    let parts = [
        part("PASS", passed, style::GOOD),
        part("WARN", run.count(Status::Warn), style::WARNING),
        part("ERROR", failed, style::BAD),
        part("SKIP", run.count(Status::Skipped) - stopped, style::BOLD),
        format!("TOTAL={}", run.nodes.len()),
    ];
    // dbt has no word for it.
    let of_stopped = (stopped > 0).then(|| part("STOPPED", stopped, style::BOLD));
    let parts: Vec<String> = parts.iter().take(4).cloned().chain(of_stopped).chain(parts.iter().skip(4).cloned()).collect();
    if run.nodes.is_empty() && run.failed() {
        return format!("{} Nothing was run.", paint(style::BAD, "Failed."));
    }
    let word = if run.interrupted { "Stopped." } else { "Done." };
    format!("{word} {} in {}", parts.join(" "), seconds(run.elapsed))
}

#[cfg(test)]
mod tests {
    use super::super::node_line::tests::{model, result};
    use super::*;
    use crate::base::{ColumnInfo, Datum, Table};

    #[test]
    fn a_failed_test_shows_where_it_is_and_what_it_found() {
        let mut sources = Sources::default();
        sources.add("tests/no_negative_stakes.sql", "select 1");
        let mut test = model("no_negative_stakes");
        test.detail = Detail::SingularTest;
        let column = |name: &str| ColumnInfo { name: name.to_owned(), data_type: String::new() };
        let found = NodeResult {
            failures: Some(1203),
            compiled_path: Some("target/compiled/shop/tests/no_negative_stakes.sql".to_owned()),
            sample: Some(Table {
                columns: vec![column("bet_id"), column("stake")],
                rows: vec![vec![Datum::Text("B-1".to_owned()), Datum::Decimal("-1.00".to_owned())]],
            }),
            ..result(&test, Status::Fail, "Got 1203 results, configured to fail if != 0")
        };
        insta::assert_snapshot!(style::plain(&judged(&found, &test, &sources, Some(80))), @r"
        FAIL 1,203 no_negative_stakes: Got 1203 results, configured to fail if != 0
          declared: tests/no_negative_stakes.sql:1
          compiled: target/compiled/shop/tests/no_negative_stakes.sql
          bet_id | stake
          -------+------
          B-1    | -1.00
          … 1,202 more
        ");
    }

    #[test]
    fn the_summary_counts_as_dbt_does() {
        let node = model("a");
        let statuses = [Status::Success, Status::Pass, Status::Warn, Status::Fail, Status::Error, Status::Skipped];
        let nodes = statuses.map(|status| result(&node, status, "")).to_vec();
        let mut run = RunResult { nodes, elapsed: 3.21, ..RunResult::default() };
        assert_eq!(style::plain(&summary(&run)), "Done. PASS=2 WARN=1 ERROR=2 SKIP=1 TOTAL=6 in 3.21s");
        run.interrupted = true;
        run.nodes.push(result(&node, Status::Skipped, "stopped; nothing of it was kept"));
        assert!(style::plain(&summary(&run)).contains(" SKIP=1 STOPPED=1 TOTAL=7 "), "{}", summary(&run));
        assert!(style::plain(&summary(&run)).starts_with("Stopped. "));
    }
}
