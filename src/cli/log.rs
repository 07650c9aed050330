//! What a command says besides its result: sentences for people, or one JSON object a line for programs.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::arguments::{LogFormat, LogLevel};
use super::diagnostic_format::Collected;
use super::log_file::LogFile;
use super::style::{self, paint};
use super::terminal::Terminal;
use crate::base::{Position, Sources};
use crate::diag::{Diagnostic, Diagnostics, Severity, render};

/// More diagnostics than this are counted, not shown.
const MOST_SHOWN: usize = 50;
/// The width of drawings where nothing limits it.
const WIDE: usize = 120;

#[derive(Clone)]
pub(super) struct Log<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) format: LogFormat,
    pub(super) level: LogLevel,
    /// Whether what templates say is shown.
    pub(super) prints: bool,
    pub(super) invocation_id: &'a str,
    pub(super) file: Option<Arc<LogFile>>,
    /// Takes the diagnostics where a format of `--output` was asked for.
    pub(super) collected: Option<&'a Collected>,
}

/// dbt's codes of events that both have.
const CODES: [(&str, &str); 9] = [
    ("MainReportVersion", "A001"),
    ("NodeStart", "Q024"),
    ("NodeFinished", "Q025"),
    ("LogFreshnessResult", "Q018"),
    ("FreshnessCheckComplete", "Q006"),
    ("CommandCompleted", "Q039"),
    ("EndOfRunSummary", "Z030"),
    ("JinjaLogInfo", "I062"),
    ("JinjaLogWarning", "I061"),
];

impl Log<'_> {
    pub(super) fn shows(&self, level: LogLevel) -> bool {
        level >= self.level && level != LogLevel::None
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == LogFormat::Json
    }

    /// A line of the report that the command is there for: standard output.
    pub(super) fn line(&self, name: &str, text: &str, data: Value) {
        self.say(LogLevel::Info, name, text, data, false);
    }

    /// Whether diagnostics are kept for a format that programs read.
    pub(super) fn collects(&self) -> bool {
        self.collected.is_some()
    }

    /// A remark beside the result: standard error.
    pub(super) fn remark(&self, name: &str, text: &str) {
        self.say(LogLevel::Info, name, text, json!({}), true);
    }

    /// What only interests who looks for a fault: standard error.
    pub(super) fn detail(&self, name: &str, text: &str, data: Value) {
        self.say(LogLevel::Debug, name, text, data, true);
    }

    /// What programs want to know and people only when they look for a fault.
    pub(super) fn detail_or_event(&self, name: &str, text: &str, data: impl FnOnce() -> Value) {
        match self.is_json() {
            true => self.event(LogLevel::Info, name, text, data()),
            false => self.keep(LogLevel::Debug, name, text, data),
        }
    }

    /// A line of the result itself: printed whatever the level is.
    pub(super) fn output(&self, name: &str, text: &str) {
        self.output_data(name, text, json!({"msg": text}));
    }

    /// As [`Log::output`], with something else for programs.
    pub(super) fn output_data(&self, name: &str, text: &str, data: Value) {
        match self.format {
            LogFormat::Json => self.write_event(LogLevel::Info, name, text, data),
            LogFormat::Text | LogFormat::Debug => self.terminal.print(text),
        }
    }

    fn say(&self, level: LogLevel, name: &str, text: &str, data: Value, standard_error: bool) {
        if self.is_json() {
            return self.event(level, name, text, data);
        }
        self.keep(level, name, text, || data);
        if !self.shows(level) {
            return;
        }
        let text = if self.format == LogFormat::Debug { format!("{}  {text}", time_of_day()) } else { text.to_owned() };
        if standard_error { self.terminal.print_error(&text) } else { self.terminal.print(&text) }
    }

    /// What a template said.
    pub(super) fn said(&self, message: &crate::jinja::Message, standard_error: bool) {
        let (level, name) = if message.warning { (LogLevel::Warn, "JinjaLogWarning") } else { (LogLevel::Info, "JinjaLogInfo") };
        let text = if message.warning { format!("{} {}", paint(style::WARNING, "warning:"), message.text) } else { message.text.clone() };
        if message.warning || self.prints {
            self.say(level, name, &text, json!({"msg": message.text}), standard_error);
        }
    }

    /// Draws diagnostics, errors last so that they stand above the prompt. Quiet leaves errors only.
    pub(super) fn diagnostics(&self, diagnostics: &Diagnostics, sources: &Sources) {
        self.diagnostics_in(diagnostics.iter().map(|problem| (problem, sources)).collect());
    }

    /// As [`Log::diagnostics`], each with the files that it points into.
    pub(super) fn diagnostics_in(&self, mut listed: Vec<(&Diagnostic, &Sources)>) {
        if self.collected.is_some() {
            return listed.iter().for_each(|(problem, sources)| self.diagnostic(problem, sources));
        }
        listed.sort_by_key(|(problem, _)| std::cmp::Reverse(problem.severity));
        listed.retain(|(problem, _)| self.file.is_some() || self.shows(level_of(problem)));
        let hidden = listed.len().saturating_sub(MOST_SHOWN);
        for (problem, sources) in listed.iter().skip(hidden) {
            self.diagnostic(problem, sources);
        }
        if hidden > 0 {
            self.remark("Hidden", &format!("… and {hidden} more before these"));
        }
    }

    /// One diagnostic, on standard error.
    pub(super) fn diagnostic(&self, problem: &Diagnostic, sources: &Sources) {
        let level = level_of(problem);
        if let Some(collected) = self.collected.filter(|_| self.shows(level)) {
            return collected.add(problem, sources);
        }
        if self.is_json() {
            return self.event(level, "Diagnostic", &problem.message, describe(problem, sources));
        }
        self.keep(level, "Diagnostic", &render(problem, sources, false, WIDE), || describe(problem, sources));
        match problem.severity {
            _ if !self.shows(level) => {}
            // Notes are asides: one line each.
            Severity::Note => {
                let help = problem.help.first().map_or_else(String::new, |help| format!("; {help}"));
                self.terminal.print_error(&paint(style::DIM, &format!("note: {}{help}", problem.message)));
            }
            Severity::Error | Severity::Warning => {
                let width = self.terminal.error_width().unwrap_or(WIDE);
                self.terminal.print_error(&format!("{}\n", render(problem, sources, self.terminal.error_colour(), width)));
            }
        }
    }

    /// A diagnostic as part of the report: standard output.
    pub(super) fn report_diagnostic(&self, problem: &Diagnostic, sources: &Sources) {
        let level = level_of(problem);
        if self.is_json() || self.collected.is_some() {
            return self.diagnostic(problem, sources);
        }
        self.keep(level, "Diagnostic", &render(problem, sources, false, WIDE), || describe(problem, sources));
        if self.shows(level) {
            let width = self.terminal.width().unwrap_or(WIDE);
            self.terminal.print(&format!("{}\n", render(problem, sources, self.terminal.colour(), width)));
        }
    }

    /// An event for programs: one object on a line of its own.
    pub(super) fn event(&self, level: LogLevel, name: &str, message: &str, data: Value) {
        self.keep(level, name, message, || data.clone());
        if self.shows(level) {
            self.write_event(level, name, message, data);
        }
    }

    fn write_event(&self, level: LogLevel, name: &str, message: &str, data: Value) {
        self.terminal.write(&format!("{}\n", self.describe_event(level, name, message, data)));
    }

    fn describe_event(&self, level: LogLevel, name: &str, message: &str, data: Value) -> Value {
        json!({
            "info": {
                "category": "",
                "code": CODES.iter().find(|(known, _)| *known == name).map_or("", |(_, code)| *code),
                "extra": {},
                "invocation_id": self.invocation_id,
                "level": level.as_str(),
                "msg": style::plain(message),
                "name": name,
                "pid": std::process::id(),
                "thread": std::thread::current().name().unwrap_or("MainThread"),
                "ts": crate::base::timestamp(jiff::Timestamp::now()),
            },
            "data": data,
        })
    }

    /// Writes an event to the log file, if there is one.
    fn keep(&self, level: LogLevel, name: &str, text: &str, data: impl FnOnce() -> Value) {
        let Some(file) = self.file.as_ref().filter(|file| level >= file.level) else { return };
        match file.format {
            LogFormat::Json => file.write(&self.describe_event(level, name, text, data()).to_string()),
            LogFormat::Text => file.write(&style::plain(text)),
            LogFormat::Debug => file.write(&format!("{} [{}] {}", time_of_day(), level.as_str(), style::plain(text))),
        }
    }
}

fn time_of_day() -> String {
    jiff::Timestamp::now().strftime("%H:%M:%S%.6f").to_string()
}

fn level_of(problem: &Diagnostic) -> LogLevel {
    match problem.severity {
        Severity::Error => LogLevel::Error,
        Severity::Warning => LogLevel::Warn,
        Severity::Note => LogLevel::Info,
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
