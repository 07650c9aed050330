//! Bad input at random: the projects of all case files with a few pieces taken out, doubled, exchanged or put in. Whatever comes
//! of it, the compiler answers in time, and what it refuses it refuses with a diagnostic whose place can be drawn.
//!
//! `RANDOM_INPUTS=100000` looks longer, `RANDOM_SEED=7` elsewhere; see `fuzz`.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;

use crate::cases::case_projects;
use crate::fuzz::{Attempt, number, patience, search};
use crate::harness::Case;
use crate::workbench::compile;

/// Mutated projects of a plain run.
const INPUTS: usize = 2000;
/// No project of a case takes a hundredth of this.
const TOO_LONG: Duration = Duration::from_secs(20);

/// Pieces that mean something in YAML, Jinja, SQL or selections, and such as mean nothing anywhere.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{ ref('a') }}",
    "{{ ref() }}",
    "{% macro m() %}",
    "{% endmacro %}",
    "{% for x in [1] %}",
    "{% endfor %}",
    "{% if true %}",
    "{% endif %}",
    "{% do [].append(1) %}",
    "{{ return(1) }}",
    "{{ m() }}",
    "{% set x = {'a': [1, 2]} %}",
    "{{ config(x=) }}",
    "{% snapshot s %}",
    "{% test t(model) %}",
    "{% docs d %}",
    "{% raw %}",
    "(",
    ")",
    "'",
    "\"",
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    ":",
    "- ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "&a",
    "*a",
    "<<: *a",
    "!!int",
    "---",
    "...",
    "|",
    ">",
    "[",
    "]",
    "{",
    "}",
    "? ",
    "null",
    "~",
    "true",
    "0x",
    "1e999",
    "é",
    "日本",
    "🏇",
    "\u{feff}",
    "\u{202e}",
    "with x as (",
    "select",
    " from ",
    "enabled: false",
    "version: 2",
    "models:",
    "config:",
    "data_tests:",
    "+materialized: view",
];

fn mutate(case: &Case, random: &mut StdRng) -> Case {
    let mut case = case.clone();
    for _ in 0..random.random_range(1..4) {
        let paths: Vec<String> = case.files.keys().cloned().collect();
        let Some(path) = paths.get(random.random_range(0..paths.len().max(1))) else { return case };
        let text = case.files.get(path).cloned().unwrap_or_default();
        let changed = mutate_text(&text, &case.files, random);
        case.files.insert(path.clone(), changed);
    }
    case
}

fn mutate_text(text: &str, others: &BTreeMap<String, String>, random: &mut StdRng) -> String {
    let (start, end) = (boundary(text, random), boundary(text, random));
    let (start, end) = (start.min(end), start.max(end));
    // Mostly short pieces: a project without half of its text is soon refused.
    let end = if random.random_bool(0.8) { shorten(text, start, end) } else { end };
    let (before, middle, after) = (&text[..start], &text[start..end], &text[end..]);
    match random.random_range(0..5) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{middle}{middle}{after}"),
        2 => format!("{before}{}{middle}{after}", PIECES[random.random_range(0..PIECES.len())]),
        3 => format!("{before}{}{after}", PIECES[random.random_range(0..PIECES.len())]),
        _ => {
            let other = others.values().nth(random.random_range(0..others.len())).map_or("", String::as_str);
            let (from, to) = (boundary(other, random), boundary(other, random));
            format!("{before}{}{after}", &other[from.min(to)..from.max(to)])
        }
    }
}

fn boundary(text: &str, random: &mut StdRng) -> usize {
    let mut at = random.random_range(0..=text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn shorten(text: &str, start: usize, end: usize) -> usize {
    let mut end = end.min(start + 12);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end.max(start)
}

/// What is wrong with the compiler's answer, if anything.
fn judge(case: &Case) -> Option<String> {
    let began = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| compile(case)));
    let Ok(outcome) = answer else { return Some("panicked".to_owned()) };
    if began.elapsed() > patience(TOO_LONG) {
        return Some(format!("took {:?}", began.elapsed()));
    }
    let strange = outcome.diagnostics.iter().find(|found| found.code.is_empty() || found.message.is_empty());
    strange.map(|found| format!("said {found:?}"))
}

#[test]
fn any_input_gets_an_answer() {
    let projects: Vec<Case> = case_projects();
    let attempt = |random: &mut StdRng, _: usize| {
        let case = mutate(&projects[random.random_range(0..projects.len())], random);
        let problem = judge(&case);
        let files = || case.files.iter().map(|(path, text)| format!("--- {path}\n{text}\n")).collect::<String>();
        Attempt { problem: problem.map(|problem| format!("('{}') {problem}\n{}", case.title, files())), understood: true }
    };
    let inputs = number("RANDOM_INPUTS").unwrap_or(INPUTS);
    let found = search("random_input", inputs, &attempt);
    let failures = &found.failures;
    assert!(failures.is_empty(), "{} of {} failed\n{}", failures.len(), found.done, failures[..failures.len().min(3)].join("\n\n"));
    assert!(found.done > 0);
}
