//! Diagnostics for programs: JSON lines, SARIF, JUnit, annotations, one line each.

use serde_json::{Map, Value, json};

use super::arguments::DiagnosticFormat;
use crate::base::{Position, Sources, Span};
use crate::diag::{Diagnostic, Diagnostics, Severity};

pub(super) fn print(problems: &Diagnostics, sources: &Sources, format: DiagnosticFormat) -> String {
    match format {
        DiagnosticFormat::Sarif => format!("{}\n", sarif(problems, sources)),
        DiagnosticFormat::Junit => junit(problems, sources),
        DiagnosticFormat::Json => problems.iter().map(|problem| format!("{}\n", object(problem, sources))).collect(),
        DiagnosticFormat::Github => problems.iter().map(|problem| github(problem, sources)).collect(),
        DiagnosticFormat::Human | DiagnosticFormat::Concise => problems.iter().map(|problem| concise(problem, sources)).collect(),
    }
}

/// Path, first and last position; both from 1, the end behind the last character.
fn place(span: Span, sources: &Sources) -> (&str, Position, Position) {
    let file = sources.file(span.file);
    (&file.path, file.position(span.start as usize), file.position(span.end as usize))
}

fn object(problem: &Diagnostic, sources: &Sources) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), json!(problem.code.name));
    object.insert("level".to_owned(), json!(problem.severity));
    object.insert("message".to_owned(), json!(problem.message));
    let located = problem.primary.as_ref().map(|label| place(label.span, sources));
    object.insert("file".to_owned(), json!(located.map(|(path, ..)| path)));
    object.insert("line".to_owned(), json!(located.map(|(_, start, _)| start.line)));
    object.insert("column".to_owned(), json!(located.map(|(_, start, _)| start.column)));
    object.insert("end_line".to_owned(), json!(located.map(|(.., end)| end.line)));
    object.insert("end_column".to_owned(), json!(located.map(|(.., end)| end.column)));
    object.insert("help".to_owned(), json!(problem.help));
    let related = problem.secondary.iter().map(|label| {
        let (path, start, end) = place(label.span, sources);
        json!({
            "message": label.text, "file": path, "line": start.line, "column": start.column,
            "end_line": end.line, "end_column": end.column,
        })
    });
    object.insert("related".to_owned(), related.collect());
    Value::Object(object)
}

fn concise(problem: &Diagnostic, sources: &Sources) -> String {
    let place = problem.primary.as_ref().map(|label| place(label.span, sources));
    let place = place.map_or_else(String::new, |(path, start, _)| format!("{path}:{}:{}: ", start.line, start.column));
    format!("{place}{}[{}]: {}\n", problem.severity.as_str(), problem.code.name, problem.message)
}

/// `::error file=…,line=…::message`; the message may not hold line ends or per cents.
fn github(problem: &Diagnostic, sources: &Sources) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let level = if problem.severity == Severity::Note { "notice" } else { problem.severity.as_str() };
    let place = problem.primary.as_ref().map(|label| place(label.span, sources)).map_or_else(String::new, |(path, start, end)| {
        format!("file={},line={},col={},endLine={},endColumn={},", property(path), start.line, start.column, end.line, end.column)
    });
    let help = problem.help.iter().map(|help| format!("; {help}")).collect::<String>();
    format!("::{level} {place}title={}::{}\n", property(problem.code.name), escape(&format!("{}{help}", problem.message)))
}

fn sarif(problems: &Diagnostics, sources: &Sources) -> Value {
    let mut codes: Vec<&'static crate::diag::Code> = problems.iter().map(|problem| problem.code).collect();
    codes.sort_by_key(|code| code.name);
    codes.dedup();
    let rules = codes.iter().map(|code| json!({"id": code.name, "shortDescription": {"text": code.summary}}));
    let location = |span: Span| {
        let (path, start, end) = place(span, sources);
        json!({"physicalLocation": {
            "artifactLocation": {"uri": path},
            "region": {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column},
        }})
    };
    let results = problems.iter().map(|problem| {
        let related = problem.secondary.iter().map(|label| {
            let mut place = location(label.span);
            if let Value::Object(entries) = &mut place {
                entries.insert("message".to_owned(), json!({"text": label.text}));
            }
            place
        });
        json!({
            "ruleId": problem.code.name,
            "level": problem.severity.as_str(),
            "message": {"text": std::iter::once(&problem.message).chain(&problem.help).cloned().collect::<Vec<_>>().join("; ")},
            "locations": problem.primary.iter().map(|label| location(label.span)).collect::<Vec<_>>(),
            "relatedLocations": related.collect::<Vec<_>>(),
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "acca", "version": env!("CARGO_PKG_VERSION"), "rules": rules.collect::<Vec<_>>()}},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn junit(problems: &Diagnostics, sources: &Sources) -> String {
    let escape = |text: &str| {
        let mut out = String::new();
        for letter in text.chars() {
            match letter {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                // Letters that XML has no way to write.
                letter if letter < ' ' && !matches!(letter, '\n' | '\t') => out.push(' '),
                letter => out.push(letter),
            }
        }
        out
    };
    let cases: String = problems
        .iter()
        .map(|problem| {
            let path = problem.primary.as_ref().map_or("", |label| place(label.span, sources).0);
            let body = concise(problem, sources);
            let (name, message) = (escape(problem.code.name), escape(&problem.message));
            let head = format!("    <testcase classname=\"{}\" name=\"{name}\">", escape(path));
            match problem.severity {
                Severity::Error => {
                    format!("{head}<failure type=\"{name}\" message=\"{message}\">{}</failure></testcase>\n", escape(body.trim_end()))
                }
                _ => format!("{head}<system-out>{}</system-out></testcase>\n", escape(body.trim_end())),
            }
        })
        .collect();
    let (all, failed) = (problems.iter().count(), problems.count(Severity::Error));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"acca check\" tests=\"{all}\" failures=\"{failed}\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}
