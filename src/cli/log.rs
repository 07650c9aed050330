//! What a command says besides its result: sentences for people, or one JSON object a line for programs.

use serde_json::{Map, Value, json};

use super::arguments::LogFormat;
use super::style::{self, paint};
use super::terminal::Terminal;
use crate::base::{Position, Sources};
use crate::diag::{Diagnostic, Diagnostics, Severity, render};

/// More diagnostics than this are counted, not shown.
const MOST_SHOWN: usize = 50;
/// The width of drawings where nothing limits it.
const WIDE: usize = 120;

pub(super) struct Log<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) format: LogFormat,
    pub(super) quiet: bool,
    pub(super) invocation_id: &'a str,
}

impl Log<'_> {
    /// A line of the report that the command is there for: standard output.
    pub(super) fn line(&self, name: &str, text: &str, data: Value) {
        if self.quiet {
            return;
        }
        match self.format {
            LogFormat::Text => self.terminal.print(text),
            LogFormat::Json => self.event("info", name, text, data),
        }
    }

    /// A remark beside the result: standard error.
    pub(super) fn remark(&self, name: &str, text: &str) {
        if self.quiet {
            return;
        }
        match self.format {
            LogFormat::Text => self.terminal.print_error(text),
            LogFormat::Json => self.event("info", name, text, json!({})),
        }
    }

    /// What a template said.
    pub(super) fn said(&self, message: &crate::jinja::Message, standard_error: bool) {
        let level = if message.warning { "warn" } else { "info" };
        let text = if message.warning { format!("{} {}", paint(style::WARNING, "warning:"), message.text) } else { message.text.clone() };
        match self.format {
            LogFormat::Json => self.event(level, "JinjaLog", &message.text, json!({})),
            LogFormat::Text if self.quiet && !message.warning => {}
            LogFormat::Text if standard_error => self.terminal.print_error(&text),
            LogFormat::Text => self.terminal.print(&text),
        }
    }

    /// Draws diagnostics, errors last so that they stand above the prompt. Quiet leaves errors only.
    pub(super) fn diagnostics(&self, diagnostics: &Diagnostics, sources: &Sources) {
        let mut listed: Vec<&Diagnostic> = diagnostics.iter().collect();
        listed.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        listed.retain(|problem| !self.quiet || problem.severity == Severity::Error);
        let hidden = listed.len().saturating_sub(MOST_SHOWN);
        for problem in listed.iter().skip(hidden) {
            self.diagnostic(problem, sources);
        }
        if hidden > 0 {
            self.remark("Hidden", &format!("… and {hidden} more before these"));
        }
    }

    /// One diagnostic, on standard error.
    pub(super) fn diagnostic(&self, problem: &Diagnostic, sources: &Sources) {
        match self.format {
            LogFormat::Json => {
                let level = if problem.severity == Severity::Error { "error" } else { "warn" };
                self.event(level, "Diagnostic", &problem.message, describe(problem, sources));
            }
            // Notes are asides: one line each.
            LogFormat::Text if problem.severity == Severity::Note => {
                let help = problem.help.first().map_or_else(String::new, |help| format!("; {help}"));
                self.terminal.print_error(&paint(style::DIM, &format!("note: {}{help}", problem.message)));
            }
            LogFormat::Text => {
                let width = self.terminal.error_width().unwrap_or(WIDE);
                self.terminal.print_error(&format!("{}\n", render(problem, sources, self.terminal.error_colour(), width)));
            }
        }
    }

    /// A diagnostic as part of the report: standard output.
    pub(super) fn report_diagnostic(&self, problem: &Diagnostic, sources: &Sources) {
        match self.format {
            LogFormat::Json => self.diagnostic(problem, sources),
            LogFormat::Text => {
                let width = self.terminal.width().unwrap_or(WIDE);
                self.terminal.print(&format!("{}\n", render(problem, sources, self.terminal.colour(), width)));
            }
        }
    }

    pub(super) fn event(&self, level: &str, name: &str, message: &str, data: Value) {
        let event = json!({
            "info": {
                "category": "",
                "code": "",
                "extra": {},
                "invocation_id": self.invocation_id,
                "level": level,
                "msg": style::plain(message),
                "name": name,
                "pid": std::process::id(),
                "thread": std::thread::current().name().unwrap_or("MainThread"),
                "ts": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            },
            "data": data,
        });
        self.terminal.write(&format!("{event}\n"));
    }
}

/// A diagnostic for programs.
fn describe(problem: &Diagnostic, sources: &Sources) -> Value {
    let mut described = Map::new();
    described.insert("code".to_owned(), json!(problem.code.name));
    described.insert("severity".to_owned(), json!(problem.severity));
    described.insert("message".to_owned(), json!(problem.message));
    if let Some(primary) = &problem.primary {
        let file = sources.file(primary.span.file);
        let Position { line, column } = file.position(primary.span.start as usize);
        described.insert("path".to_owned(), json!(&*file.path));
        described.insert("line".to_owned(), json!(line));
        described.insert("column".to_owned(), json!(column));
    }
    described.insert("help".to_owned(), json!(problem.help));
    described.insert("notes".to_owned(), json!(problem.notes));
    Value::Object(described)
}
