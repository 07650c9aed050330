//! Diagnostics for programs: JSON lines, SARIF, JUnit, annotations, one line each.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value, json};

use super::arguments::DiagnosticFormat;
use super::context::PROJECT_FILE;
use crate::base::{Position, Sources, Span};
use crate::diag::{Code, Diagnostic, Severity};

/// What a command finds, kept until its end: some formats are one document.
pub(super) struct Collected {
    format: DiagnosticFormat,
    found: Mutex<Vec<Found>>,
    /// The project's folder in its repository, with a `/` behind it.
    folder: OnceLock<String>,
}

/// A diagnostic with its places written out: those of one command may point into different texts.
#[derive(Clone, PartialEq, Eq)]
struct Found {
    code: &'static Code,
    severity: Severity,
    message: String,
    notes: Vec<String>,
    help: Vec<String>,
    place: Option<Place>,
    related: Vec<(String, Place)>,
}

/// First and last position; both from 1, the end behind the last character.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    path: String,
    start: Position,
    end: Position,
}

impl Collected {
    /// Nothing for people: they are told at once.
    pub(super) fn new(format: DiagnosticFormat) -> Option<Collected> {
        (format != DiagnosticFormat::Human).then(|| Collected { format, found: Mutex::default(), folder: OnceLock::new() })
    }

    /// Says where the project is. What reviews of a repository read names files from the repository's root.
    pub(super) fn is_about(&self, project: &Path) {
        let repository = project.ancestors().find(|folder| folder.join(".git").exists());
        let inside = repository.and_then(|repository| project.strip_prefix(repository).ok());
        let folders = inside.into_iter().flatten().map(|part| format!("{}/", part.to_string_lossy()));
        let _ = self.folder.set(folders.collect());
    }

    pub(super) fn add(&self, problem: &Diagnostic, sources: &Sources) {
        let found = Found::new(problem, sources);
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&found) {
            all.push(found);
        }
    }

    /// Everything that was found, as the format has it.
    pub(super) fn text(&self) -> String {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder.get().map_or("", String::as_str);
        match self.format {
            DiagnosticFormat::Sarif => format!("{}\n", sarif(&found, folder)),
            DiagnosticFormat::Junit => junit(&found),
            DiagnosticFormat::Json => found.iter().map(|problem| format!("{}\n", object(problem))).collect(),
            DiagnosticFormat::Github => found.iter().map(|problem| github(problem, folder)).collect(),
            DiagnosticFormat::Human | DiagnosticFormat::Concise => found.iter().map(concise).collect(),
        }
    }
}

impl Found {
    fn new(problem: &Diagnostic, sources: &Sources) -> Found {
        let place = |span: Span| {
            let file = sources.file(span.file);
            Place { path: file.path.to_string(), start: file.position(span.start as usize), end: file.position(span.end as usize) }
        };
        Found {
            code: problem.code,
            severity: problem.severity,
            message: problem.message.clone(),
            notes: problem.notes.clone(),
            help: problem.help.clone(),
            place: problem.primary.as_ref().map(|label| place(label.span)),
            related: problem.secondary.iter().map(|label| (label.text.clone(), place(label.span))).collect(),
        }
    }

    /// The message with all that is said besides.
    fn whole(&self, between: &str) -> String {
        let parts = std::iter::once(&self.message).chain(&self.notes).chain(&self.help);
        parts.map(String::as_str).collect::<Vec<_>>().join(between)
    }
}

fn object(problem: &Found) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), json!(problem.code.name));
    object.insert("level".to_owned(), json!(problem.severity));
    object.insert("message".to_owned(), json!(problem.message));
    let located = problem.place.as_ref();
    object.insert("file".to_owned(), json!(located.map(|place| &place.path)));
    object.insert("line".to_owned(), json!(located.map(|place| place.start.line)));
    object.insert("column".to_owned(), json!(located.map(|place| place.start.column)));
    object.insert("end_line".to_owned(), json!(located.map(|place| place.end.line)));
    object.insert("end_column".to_owned(), json!(located.map(|place| place.end.column)));
    object.insert("notes".to_owned(), json!(problem.notes));
    object.insert("help".to_owned(), json!(problem.help));
    let related = problem.related.iter().map(|(text, Place { path, start, end })| {
        json!({
            "message": text, "file": path, "line": start.line, "column": start.column,
            "end_line": end.line, "end_column": end.column,
        })
    });
    object.insert("related".to_owned(), related.collect());
    Value::Object(object)
}

fn concise(problem: &Found) -> String {
    let place = problem.place.as_ref();
    let place = place.map_or_else(String::new, |Place { path, start, .. }| format!("{path}:{}:{}: ", start.line, start.column));
    format!("{place}{}[{}]: {}\n", problem.severity.as_str(), problem.code.name, problem.message)
}

/// `::error file=…,line=…::message`; the message may not hold line ends or per cents.
fn github(problem: &Found, folder: &str) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let level = if problem.severity == Severity::Note { "notice" } else { problem.severity.as_str() };
    let place = problem.place.as_ref().map_or_else(String::new, |Place { path, start, end }| {
        format!("file={folder}{},line={},col={},endLine={},endColumn={},", property(path), start.line, start.column, end.line, end.column)
    });
    format!("::{level} {place}title={}::{}\n", property(problem.code.name), escape(&problem.whole("; ")))
}

fn sarif(problems: &[Found], folder: &str) -> Value {
    let mut codes: Vec<&'static Code> = problems.iter().map(|problem| problem.code).collect();
    codes.sort_by_key(|code| code.name);
    codes.dedup();
    let rules = codes.iter().map(|code| json!({"id": code.name, "shortDescription": {"text": code.summary}}));
    let location = |Place { path, start, end }: &Place| {
        json!({"physicalLocation": {
            "artifactLocation": {"uri": format!("{folder}{path}")},
            "region": {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column},
        }})
    };
    // Whoever shows results by file refuses those without one.
    let nowhere = || json!({"physicalLocation": {"artifactLocation": {"uri": format!("{folder}{PROJECT_FILE}")}}});
    let results = problems.iter().map(|problem| {
        let related = problem.related.iter().map(|(text, place)| {
            let mut place = location(place);
            if let Value::Object(entries) = &mut place {
                entries.insert("message".to_owned(), json!({"text": text}));
            }
            place
        });
        json!({
            "ruleId": problem.code.name,
            "level": problem.severity.as_str(),
            "message": {"text": problem.whole("; ")},
            "locations": [problem.place.as_ref().map_or_else(nowhere, location)],
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

fn junit(problems: &[Found]) -> String {
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
            let path = problem.place.as_ref().map_or(PROJECT_FILE, |place| place.path.as_str());
            let besides = problem.notes.iter().chain(&problem.help).map(|text| format!("{text}\n"));
            let body: String = std::iter::once(concise(problem)).chain(besides).collect();
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
    let (all, failed) = (problems.len(), problems.iter().filter(|problem| problem.severity == Severity::Error).count());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"acca\" tests=\"{all}\" failures=\"{failed}\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}
