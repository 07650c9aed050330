//! Which warnings fail the command: `--warn-error` and `--warn-error-options`.

use serde_json::Value;

use crate::base::Sources;
use crate::diag::{Diagnostic, Severity, codes};
use crate::project::parse_yaml;

/// Names that dbt has for warnings, and the code that acca has.
const NAMES: [(&str, &str); 6] = [
    ("NoNodesForSelectionCriteria", "nothing-selected"),
    ("NoNodeForYamlKey", "orphan-properties"),
    ("UnusedResourceConfigPath", "unexpected-property"),
    ("LogTestResult", TEST),
    ("LogFreshnessResult", FRESHNESS),
    ("JinjaLogWarning", MESSAGE),
];

/// A data test that warns, a source that is a little too old, and a warning of a template: they have no code of their own.
pub(super) const TEST: &str = "test-warning";
pub(super) const FRESHNESS: &str = "freshness-warning";
const MESSAGE: &str = "template-warning";

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Error,
    Warn,
    Silence,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WarnError {
    all: bool,
    error: Vec<String>,
    warn: Vec<String>,
    silence: Vec<String>,
}

impl WarnError {
    /// # Errors
    /// A diagnostic with its place in the text of the flag.
    pub(super) fn new(warn_error: bool, options: Option<&str>) -> Result<WarnError, Box<(Diagnostic, Sources)>> {
        let mut found = WarnError { all: warn_error, ..WarnError::default() };
        let Some(text) = options.filter(|text| !text.trim().is_empty()) else { return Ok(found) };
        let mut sources = Sources::default();
        let file = sources.add("--warn-error-options", text);
        let parsed = match parse_yaml(file, text) {
            Ok(parsed) => parsed,
            Err(problem) => return Err(Box::new((problem, sources))),
        };
        let wrong = |message: String| {
            Diagnostic::new(&codes::INVALID_CONFIG, message)
                .at(parsed.root.span)
                .help("write it like --warn-error-options '{error: all, warn: [nothing-selected], silence: [test-warning]}'")
        };
        let Value::Object(entries) = parsed.root.to_json() else {
            return Err(Box::new((wrong("'--warn-error-options' is no mapping".to_owned()), sources)));
        };
        for (key, value) in &entries {
            let result = match key.as_str() {
                "error" | "include" => found.errors(value),
                "warn" | "exclude" => names(value).map(|names| found.warn.extend(names)),
                "silence" => names(value).map(|names| found.silence.extend(names)),
                other => Err(format!("'{other}' is no key of '--warn-error-options'; there are error, warn and silence")),
            };
            if let Err(message) = result {
                return Err(Box::new((wrong(message), sources)));
            }
        }
        Ok(found)
    }

    fn errors(&mut self, value: &Value) -> Result<(), String> {
        if value.as_str().is_some_and(|text| text == "all" || text == "*") {
            self.all = true;
            return Ok(());
        }
        self.error.extend(names(value)?);
        Ok(())
    }

    /// What becomes of a warning of this code.
    pub(super) fn verdict(&self, code: &str) -> Verdict {
        let listed = |list: &[String]| list.iter().any(|held| held == code);
        if listed(&self.silence) {
            Verdict::Silence
        } else if listed(&self.error) || (self.all && !listed(&self.warn)) {
            Verdict::Error
        } else {
            Verdict::Warn
        }
    }

    /// Whether this diagnostic fails the command though it is a warning.
    pub(super) fn fails(&self, problem: &Diagnostic) -> bool {
        problem.severity == Severity::Warning && self.verdict(problem.code.name) == Verdict::Error
    }

    /// The diagnostic as it counts: a warning that fails the command is an error, one that is silenced is nothing.
    pub(super) fn judged(&self, problem: Diagnostic) -> Option<Diagnostic> {
        match self.verdict(problem.code.name) {
            Verdict::Error if problem.severity == Severity::Warning => Some(Diagnostic { severity: Severity::Error, ..problem }),
            Verdict::Silence if problem.severity == Severity::Warning => None,
            _ => Some(problem),
        }
    }
}

/// Codes of a list of names. A name in dbt's spelling that has no code here never comes up.
fn names(value: &Value) -> Result<Vec<String>, String> {
    let listed = match value {
        Value::Array(listed) => listed.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let code = |value: &Value| -> Result<String, String> {
        let name = value.as_str().ok_or_else(|| format!("{value} is no name of a warning"))?;
        if let Some((_, code)) = NAMES.iter().find(|(theirs, _)| *theirs == name) {
            return Ok((*code).to_owned());
        }
        let own = [TEST, FRESHNESS, MESSAGE].contains(&name) || crate::diag::codes::find(name).is_some();
        let is_theirs = name.starts_with(|first: char| first.is_ascii_uppercase()) && !name.contains('-');
        if own || is_theirs {
            return Ok(name.to_owned());
        }
        Err(format!("'{name}' is no warning; 'acca explain-code' lists the codes"))
    };
    listed.iter().map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(warn_error: bool, options: &str) -> Result<WarnError, String> {
        WarnError::new(warn_error, Some(options)).map_err(|problem| problem.0.message)
    }

    #[test]
    fn options_tell_errors_from_warnings() {
        let found = read(false, "{error: all, warn: [NoNodesForSelectionCriteria], silence: [test-warning]}").unwrap();
        let verdicts = ["nothing-selected", TEST, "duplicate-key"].map(|code| found.verdict(code));
        assert_eq!(verdicts, [Verdict::Warn, Verdict::Silence, Verdict::Error]);
        let found = read(false, "{include: [LogTestResult]}").unwrap();
        assert_eq!([TEST, "duplicate-key"].map(|code| found.verdict(code)), [Verdict::Error, Verdict::Warn]);
        assert_eq!(read(true, "").unwrap().verdict("duplicate-key"), Verdict::Error);
        assert_eq!(read(true, "{exclude: [duplicate-key]}").unwrap().verdict("duplicate-key"), Verdict::Warn);
    }

    #[test]
    fn wrong_options_are_told() {
        assert!(read(false, "[a]").unwrap_err().contains("no mapping"));
        assert!(read(false, "{errors: all}").unwrap_err().contains("'errors' is no key"));
        assert!(read(false, "{error: [nothing-select]}").unwrap_err().contains("'nothing-select' is no warning"));
        assert!(read(false, "{error: [3]}").is_err() && read(false, "{error: [").is_err());
        assert!(read(false, "{error: [SomethingNewOfDbt]}").is_ok());
    }
}
