//! Case files: a small project, and what the compiler says about it, in one Markdown file.
//!
//! ````markdown
//! # A model that nobody wrote
//!
//! A sentence about what is to be seen.
//!
//! ```sql models/orders.sql
//! select * from {{ ref('customers') }} -- error: [unknown-ref]
//! ```
//!
//! ```expect diagnostics
//! …
//! ```
//! ````
//!
//! - A fenced block whose info string is a language and a path is a file of the project. `dbt_project.yml` may be left out.
//! - A block `env` sets environment variables, one `NAME=value` a line.
//! - A block with a language only is prose.
//! - A comment `-- error: [code]` (also `# …` and `{# … #}`, and `warning` or `note`) says that a diagnostic of that code points
//!   at this line; alone on its line it speaks of the next one. A text in double quotes after it is to be found in the message.
//!   Every diagnostic needs its comment, unless the case has an `expect diagnostics` block.
//! - A block `expect <what> [arguments]` holds what the compiler is to answer. `UPDATE_CASES=1` writes the answers into the
//!   file; they are reviewed, never edited by hand. What can be asked for is listed in `workbench.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What a case stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    pub title: String,
    /// Path → text.
    pub files: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
    expectations: Vec<Expectation>,
    markers: Vec<Marker>,
}

/// An `expect` block.
#[derive(Clone, Debug, PartialEq)]
struct Expectation {
    /// The words after `expect`.
    about: Vec<String>,
    body: String,
    /// Bytes of the case file that the block takes, fences included.
    range: Range<usize>,
}

/// A comment that announces a diagnostic.
#[derive(Clone, Debug, PartialEq)]
struct Marker {
    path: String,
    line: usize,
    severity: String,
    code: String,
    message: Option<String>,
}

/// A diagnostic, as far as markers speak of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Path and line (from 1); `None` when it points at no file.
    pub place: Option<(String, usize)>,
    pub severity: String,
    pub code: String,
    pub message: String,
}

impl Case {
    pub fn without_expectations(self) -> Case {
        Case { expectations: Vec::new(), ..self }
    }

    /// Whether a marker announces one of these codes.
    pub fn announces(&self, codes: &[&str]) -> bool {
        self.markers.iter().any(|marker| codes.contains(&marker.code.as_str()))
    }

    /// Whether a block expects an answer of this kind (its first word).
    pub fn expects(&self, kind: &str) -> bool {
        self.expectations.iter().any(|expectation| expectation.about.first().is_some_and(|first| first == kind))
    }
}

/// What the compiler says to a case.
pub struct Outcome {
    pub diagnostics: Vec<Found>,
    /// All diagnostics as a terminal shows them; the answer to `expect diagnostics`.
    pub drawn: String,
    /// Answers every other `expect`.
    pub answer: Answer,
}

/// The text that belongs into `expect <words>`, or why there is none.
pub type Answer = Box<dyn Fn(&[&str]) -> Result<String, String>>;

/// What became of a case: nothing to say means that it passed.
#[derive(Debug, Default, PartialEq)]
pub struct Verdict {
    pub problems: Vec<String>,
    /// The case file with the answers written in, where they differ from what it holds.
    pub updated: Option<String>,
}

/// Reads a case, asks the compiler and compares.
pub fn check(text: &str, compile: &dyn Fn(&Case) -> Outcome) -> Verdict {
    let case = match parse(text) {
        Ok(case) => case,
        Err(problem) => return Verdict { problems: vec![problem], updated: None },
    };
    if case.markers.is_empty() && case.expectations.is_empty() {
        return Verdict { problems: vec!["the case expects nothing: add a marker or an expect block".to_owned()], updated: None };
    }
    let outcome = compile(&case);
    let mut problems = compare_markers(&case, &outcome);
    let mut updated = text.to_owned();
    for expectation in case.expectations.iter().rev() {
        let about: Vec<&str> = expectation.about.iter().map(String::as_str).collect();
        let answer = match about.as_slice() {
            ["diagnostics"] => Ok(outcome.drawn.clone()),
            _ => (outcome.answer)(&about),
        };
        match answer {
            Err(problem) => problems.push(format!("expect {}: {problem}", about.join(" "))),
            Ok(answer) if normal(&answer) == normal(&expectation.body) => {}
            Ok(answer) => {
                problems.push(format!(
                    "expect {} differs (- the case, + the compiler):\n{}",
                    about.join(" "),
                    diff(&expectation.body, &answer)
                ));
                updated.replace_range(expectation.range.clone(), &print_expectation(&about, &answer));
            }
        }
    }
    Verdict { problems, updated: (updated != text).then_some(updated) }
}

/// Matches every marker with one diagnostic, and the other way round.
fn compare_markers(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut left: Vec<&Found> = outcome.diagnostics.iter().collect();
    let mut problems = Vec::new();
    for marker in &case.markers {
        let fits = |found: &&Found| {
            found.place.as_ref().is_some_and(|(path, line)| *path == marker.path && *line == marker.line)
                && found.severity == marker.severity
                && found.code == marker.code
                && marker.message.as_ref().is_none_or(|text| found.message.contains(text.as_str()))
        };
        match left.iter().position(fits) {
            Some(at) => {
                left.remove(at);
            }
            None => problems.push(format!("{} is announced and does not come", print_marker(marker))),
        }
    }
    let described = case.expectations.iter().any(|expectation| expectation.about == ["diagnostics"]);
    if !described {
        problems.extend(left.into_iter().map(|found| format!("{} is not announced", print_found(found))));
    }
    problems
}

fn print_marker(marker: &Marker) -> String {
    let message = marker.message.as_ref().map(|text| format!(" \"{text}\"")).unwrap_or_default();
    format!("{}:{}: {}: [{}]{message}", marker.path, marker.line, marker.severity, marker.code)
}

fn print_found(found: &Found) -> String {
    let place = found.place.as_ref().map(|(path, line)| format!("{path}:{line}: ")).unwrap_or_default();
    format!("{place}{}: [{}] {}", found.severity, found.code, found.message)
}

/// Without trailing blanks, which editors remove and nobody sees.
fn normal(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

fn diff(old: &str, new: &str) -> String {
    let (old, new) = (normal(old) + "\n", normal(new) + "\n");
    let diff = similar::TextDiff::from_lines(&old, &new);
    let mut text = String::new();
    for change in diff.iter_all_changes() {
        write!(text, "    {} {}", change.tag(), change.value()).unwrap();
    }
    text.trim_end().to_owned()
}

fn print_expectation(about: &[&str], answer: &str) -> String {
    let answer = normal(answer);
    let ticks = answer.lines().map(|line| line.chars().take_while(|letter| *letter == '`').count()).max().unwrap_or(0);
    let fence = "`".repeat((ticks + 1).max(3));
    let newline = if answer.is_empty() { "" } else { "\n" };
    format!("{fence}expect {}\n{answer}{newline}{fence}\n", about.join(" "))
}

/// A fenced block: its info string, its body, and the bytes that it takes.
struct Fenced<'a> {
    info: &'a str,
    body: &'a str,
    range: Range<usize>,
    line: usize,
}

/// Reads a case file.
pub fn parse(text: &str) -> Result<Case, String> {
    let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or("").trim().to_owned();
    if title.is_empty() {
        return Err("the first line is no title ('# …')".to_owned());
    }
    let mut case = Case { title, ..Case::default() };
    for block in fenced_blocks(text)? {
        let words: Vec<&str> = block.info.split_whitespace().collect();
        match words.as_slice() {
            ["expect"] => return Err(format!("line {}: expect what?", block.line)),
            ["expect", about @ ..] => case.expectations.push(Expectation {
                about: about.iter().map(|word| (*word).to_owned()).collect(),
                body: block.body.to_owned(),
                range: block.range,
            }),
            ["env"] => {
                let pairs = block.body.lines().filter_map(|line| line.split_once('='));
                case.env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            [_language, path] => {
                case.markers.extend(markers(path, block.body).map_err(|problem| format!("line {}: {problem}", block.line))?);
                if case.files.insert((*path).to_owned(), block.body.to_owned()).is_some() {
                    return Err(format!("line {}: {path} is there twice", block.line));
                }
            }
            [] | [_] => {}
            _ => return Err(format!("line {}: '{}' is neither a language and a path nor an expectation", block.line, block.info)),
        }
    }
    Ok(case)
}

fn fenced_blocks(text: &str) -> Result<Vec<Fenced<'_>>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, &str, usize, usize, usize)> = None;
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        let (fence, rest) = line.split_at(ticks);
        match open {
            None if ticks >= 3 => open = Some((fence, rest.trim(), at, at + line.len(), index + 1)),
            Some((opened, info, start, body, opened_line)) if ticks >= opened.len() && rest.trim().is_empty() => {
                blocks.push(Fenced { info, body: &text[body..at], range: start..at + line.len(), line: opened_line });
                open = None;
            }
            _ => {}
        }
        at += line.len();
    }
    match open {
        Some((.., line)) => Err(format!("line {line}: the block never ends")),
        None => Ok(blocks),
    }
}

static MARKER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?:--|#|\{#-?)\s*(error|warning|note): \[([a-z0-9-]+)\](?: "([^"]*)")?(?:\s*-?#\})?"#).unwrap());

fn markers(path: &str, text: &str) -> Result<Vec<Marker>, String> {
    let mut found = Vec::new();
    // Markers that stand alone wait for the next line of the file's own.
    let mut waiting: Vec<Marker> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let here = MARKER.captures_iter(line).map(|captures| Marker {
            path: path.to_owned(),
            line: index + 1,
            severity: captures[1].to_owned(),
            code: captures[2].to_owned(),
            message: captures.get(3).map(|text| text.as_str().to_owned()),
        });
        let here: Vec<Marker> = here.collect();
        if !here.is_empty() && MARKER.replace_all(line, "").trim().is_empty() {
            waiting.extend(here);
        } else {
            found.extend(waiting.drain(..).map(|marker| Marker { line: index + 1, ..marker }));
            found.extend(here);
        }
    }
    match waiting.first() {
        Some(marker) => Err(format!("{path}: no line follows the marker [{}]", marker.code)),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A compiler that finds the word `bad`, one error for each line, and answers `expect shout FILE`.
    fn toy(case: &Case) -> Outcome {
        let mut diagnostics = Vec::new();
        for (path, text) in &case.files {
            for (index, _) in text.lines().enumerate().filter(|(_, line)| line.split(['-', '#']).next().unwrap().contains("bad")) {
                let place = Some((path.clone(), index + 1));
                diagnostics.push(Found {
                    place,
                    severity: "error".into(),
                    code: "bad-word".into(),
                    message: "'bad' is not allowed".into(),
                });
            }
        }
        let drawn = diagnostics.iter().map(print_found).collect::<Vec<_>>().join("\n");
        let files = case.files.clone();
        let answer = move |about: &[&str]| match about {
            ["shout", path] => files.get(*path).map(|text| text.to_uppercase()).ok_or(format!("there is no {path}")),
            _ => Err("unknown".to_owned()),
        };
        Outcome { diagnostics, drawn, answer: Box::new(answer) }
    }

    /// `~~~` stands for a fence.
    fn checked(text: &str) -> Verdict {
        check(&text.replace("~~~", "```"), &toy)
    }

    #[test]
    fn markers_and_answers_that_agree_pass() {
        let verdict = checked(
            "# Title\n\nWords.\n\n~~~sql a.sql\ngood\nbad -- error: [bad-word] \"not allowed\"\n{# error: [bad-word] #}\nbad\n~~~\n\n\
             ~~~sql\nbad, but prose\n~~~\n~~~yaml b.yml\nx: bad # error: [bad-word]\n~~~\n~~~expect shout c\n   HI  \n\n~~~\n~~~text c\n   hi\n~~~\n",
        );
        assert_eq!(verdict, Verdict::default());
    }

    #[test]
    fn a_diagnostic_that_was_not_announced_fails() {
        let verdict = checked("# T\n~~~sql a.sql\nbad -- error: [bad-word]\nbad\n~~~\n");
        assert_eq!(verdict.problems, ["a.sql:2: error: [bad-word] 'bad' is not allowed is not announced"]);
    }

    #[test]
    fn a_marker_without_its_diagnostic_fails() {
        let announced = |marker: &str| checked(&format!("# T\n~~~sql a.sql\nbad -- {marker}\n~~~\n")).problems;
        assert_eq!(announced("warning: [bad-word]")[0], "a.sql:1: warning: [bad-word] is announced and does not come");
        assert_eq!(announced("error: [worse-word]")[0], "a.sql:1: error: [worse-word] is announced and does not come");
        assert_eq!(announced("error: [bad-word] \"other\"")[0], "a.sql:1: error: [bad-word] \"other\" is announced and does not come");
        assert_eq!(announced("error: [bad-word] -- error: [bad-word]").len(), 1, "one diagnostic answers one marker");
    }

    #[test]
    fn an_expectation_that_differs_is_shown_and_rewritten() {
        let verdict = checked("# T\n~~~text c\none\ntwo\n~~~\n~~~expect shout c\nONE\nTOW\n~~~\nAfter.\n");
        assert_eq!(verdict.problems, ["expect shout c differs (- the case, + the compiler):\n      ONE\n    - TOW\n    + TWO"]);
        let updated = verdict.updated.unwrap();
        assert_eq!(updated, "# T\n```text c\none\ntwo\n```\n```expect shout c\nONE\nTWO\n```\nAfter.\n");
        assert_eq!(check(&updated, &toy), Verdict::default());
    }

    #[test]
    fn answers_with_fences_get_longer_fences() {
        let verdict = check("# T\n````text c\n```\n````\n```expect shout c\n```\n```expect diagnostics\n```\n", &toy);
        assert_eq!(verdict.updated.unwrap(), "# T\n````text c\n```\n````\n````expect shout c\n```\n````\n```expect diagnostics\n```\n");
    }

    #[test]
    fn an_expectation_of_diagnostics_replaces_markers() {
        let verdict = checked("# T\n~~~sql a.sql\nbad\n~~~\n~~~expect diagnostics\na.sql:1: error: [bad-word] 'bad' is not allowed\n~~~\n");
        assert_eq!(verdict, Verdict::default());
    }

    #[test]
    fn cases_that_cannot_fail_are_refused() {
        let problem = |text: &str| checked(text).problems.remove(0);
        assert_eq!(problem("# T\n~~~sql a.sql\ngood\n~~~\n"), "the case expects nothing: add a marker or an expect block");
        assert_eq!(problem("T\n"), "the first line is no title ('# …')");
        assert_eq!(problem("# T\n~~~sql a.sql\n"), "line 2: the block never ends");
        assert_eq!(problem("# T\n~~~sql a.sql\n~~~\n~~~sql a.sql\n~~~\n"), "line 4: a.sql is there twice");
        assert_eq!(problem("# T\n~~~sql a b c\n~~~\n"), "line 2: 'sql a b c' is neither a language and a path nor an expectation");
        assert_eq!(problem("# T\n~~~sql a.sql\n-- error: [bad-word]\n~~~\n"), "line 2: a.sql: no line follows the marker [bad-word]");
        assert_eq!(problem("# T\n~~~expect shout nobody\n~~~\n"), "expect shout nobody: there is no nobody");
    }
}
