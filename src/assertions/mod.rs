//! Floor 5: data tests. An assertion is a query of the rows that break a rule, with a judgement on how many there may be.

mod unit_test;

pub use unit_test::{Difference, differences, shown, table};

use crate::diag::{Diagnostic, codes};
use crate::project::Node;
use crate::syntax::before_semicolon;

/// What the number of failing rows means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Warn,
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `!= 0`, `> 10`: when a number of failing rows is too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    comparison: Comparison,
    bound: i64,
}

impl Threshold {
    fn parse(text: &str) -> Option<Threshold> {
        let text = text.trim();
        let operators = [
            ("!=", Comparison::NotEqual),
            ("<>", Comparison::NotEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<=", Comparison::LessOrEqual),
            ("==", Comparison::Equal),
            ("=", Comparison::Equal),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
        ];
        let (comparison, rest) = operators.iter().find_map(|(sign, comparison)| text.strip_prefix(sign).map(|rest| (*comparison, rest)))?;
        Some(Threshold { comparison, bound: rest.trim().parse().ok()? })
    }

    fn holds(self, count: i64) -> bool {
        match self.comparison {
            Comparison::Equal => count == self.bound,
            Comparison::NotEqual => count != self.bound,
            Comparison::Less => count < self.bound,
            Comparison::LessOrEqual => count <= self.bound,
            Comparison::Greater => count > self.bound,
            Comparison::GreaterOrEqual => count >= self.bound,
        }
    }
}

/// How the rows of a test's query are counted and judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    warn_only: bool,
    warn_if: Threshold,
    error_if: Threshold,
    warn_text: String,
    error_text: String,
    fail_calc: String,
    limit: Option<u64>,
}

impl Assertion {
    /// Reads the test's configuration: `severity`, `warn_if`, `error_if`, `fail_calc`, `limit`.
    ///
    /// # Errors
    /// `invalid-config` at the value that cannot be read.
    pub fn of(node: &Node) -> Result<Assertion, Diagnostic> {
        let invalid = |key: &str, what: &str| {
            let place = node.config.span(key).or(node.properties).unwrap_or(node.origin);
            Diagnostic::new(&codes::INVALID_CONFIG, format!("'{key}' of test '{}' {what}", node.name)).at(place)
        };
        let threshold = |key: &str| {
            let text = node.config.str(key).unwrap_or("!= 0").to_owned();
            let read = Threshold::parse(&text);
            read.map(|threshold| (threshold, text))
                .ok_or_else(|| invalid(key, "is not a comparison with a whole number").help("write it like '> 10' or '!= 0'"))
        };
        let warn_only = match node.config.str("severity").unwrap_or("error").to_lowercase().as_str() {
            "error" => false,
            "warn" => true,
            other => return Err(invalid("severity", &format!("is '{other}'")).help("severity is 'error' or 'warn'")),
        };
        let (warn_if, warn_text) = threshold("warn_if")?;
        let (error_if, error_text) = threshold("error_if")?;
        let limit = node.config.get("limit").and_then(serde_json::Value::as_u64);
        let fail_calc = node.config.str("fail_calc").unwrap_or("count(*)").to_owned();
        Ok(Assertion { warn_only, warn_if, error_if, warn_text, error_text, fail_calc, limit })
    }

    /// The query whose only cell is the number to judge. The test's own query keeps lines of its own: its last may be a comment.
    pub fn count_query(&self, failing_rows: &str) -> String {
        format!("select {} as failures\nfrom (\n{}\n) as failing_rows", self.fail_calc, failing_rows)
    }

    /// The first rows that break the rule.
    pub fn sample_query(&self, failing_rows: &str, rows: usize) -> String {
        format!("select *\nfrom (\n{}\n) as failing_rows\nlimit {rows}", failing_rows)
    }

    /// Byte offset of the test's query in [`Assertion::count_query`].
    pub fn query_offset(&self) -> usize {
        format!("select {} as failures\nfrom (\n", self.fail_calc).len()
    }

    /// The failing rows, as many as the test's `limit` lets through.
    pub fn limited(&self, failing_rows: &str) -> String {
        let query = before_semicolon(failing_rows);
        self.limit.map_or_else(|| query.to_owned(), |limit| format!("{query}\nlimit {limit}"))
    }

    /// The verdict and a line for people.
    pub fn judge(&self, failures: i64) -> (Verdict, String) {
        let results = if failures == 1 { "1 result".to_owned() } else { format!("{failures} results") };
        if !self.warn_only && self.error_if.holds(failures) {
            (Verdict::Fail, format!("got {results}, fails if {}", self.error_text))
        } else if self.warn_if.holds(failures) {
            (Verdict::Warn, format!("got {results}, warns if {}", self.warn_text))
        } else {
            (Verdict::Pass, String::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_compare() {
        for (text, count, holds) in [("!= 0", 0, false), (">10", 11, true), (">= 10", 10, true), ("= 3", 3, true), ("< 5", 5, false)] {
            assert_eq!(Threshold::parse(text).map(|threshold| threshold.holds(count)), Some(holds), "{text} {count}");
        }
        assert_eq!(Threshold::parse("lots"), None);
    }
}
