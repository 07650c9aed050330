//! Floor 1: what acca has to say to the person who wrote the project. Plain data; [`render`] draws it.

pub mod codes;
mod masking;
mod render;

pub use codes::Code;
pub use render::{render, summary};

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::base::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A place with a few words beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One mistake: a sentence that stands alone, the place, and what to do about it.
///
/// Style: impersonal, present tense, names in single quotes, no full stop at the end of the message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    pub code: &'static Code,
    pub severity: Severity,
    pub message: String,
    /// Where the mistake is; `None` only when no file of the project holds it (a flag, a connection, a missing file).
    pub primary: Option<Label>,
    /// Other places that explain it: the first declaration, the macro's line.
    pub secondary: Vec<Label>,
    /// What to do, as an imperative.
    pub help: Vec<String>,
    pub notes: Vec<String>,
}

impl Diagnostic {
    pub fn new(code: &'static Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity,
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn at(self, span: Span) -> Diagnostic {
        self.labelled(span, "")
    }

    pub fn at_opt(self, span: Option<Span>) -> Diagnostic {
        match span {
            Some(span) => self.at(span),
            None => self,
        }
    }

    pub fn labelled(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.primary = Some(Label { span, text: text.into() });
        self
    }

    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }

    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// Adds the candidate that is spelled most like `wrong`, as "did you mean", when one is near.
    pub fn did_you_mean<'a>(self, wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Diagnostic {
        match nearest(wrong, candidates) {
            Some(near) => self.help(format!("did you mean '{near}'?")),
            None => self,
        }
    }
}

/// The candidate nearest to `wrong` by edits, when the distance is small for its length.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wrong.to_lowercase();
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let of_wrong = letters(&folded);
    let distance = |candidate: &str| match candidate.to_lowercase() {
        // The same letters in another order, as `steak` and `stake`.
        other if other.len() == folded.len() && other.len() > 3 && letters(&other) == of_wrong => 1,
        other => strsim::osa_distance(&folded, &other),
    };
    candidates
        .into_iter()
        .filter(|candidate| *candidate != wrong)
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (wrong.chars().count().max(candidate.chars().count()) / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Collects everything that is wrong, so that one run shows it all.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// Hashes of those in the list: there may be thousands, and most are told once.
    told: HashSet<u64>,
}

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let mut hasher = DefaultHasher::new();
        diagnostic.hash(&mut hasher);
        if self.told.insert(hasher.finish()) || !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in other {
            self.push(diagnostic);
        }
    }

    #[must_use]
    pub fn without(self, code: &Code) -> Diagnostics {
        let mut kept = Diagnostics::default();
        kept.extend(self.list.into_iter().filter(|problem| problem.code != code));
        kept
    }

    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// By place, then by code: the order of reading does not show.
    pub fn sort(&mut self) {
        self.list
            .sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.primary.as_ref().map(|label| label.span), diagnostic.code.name));
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_near_names_only() {
        assert_eq!(nearest("fct_bets", ["fct_bet", "dim_customer"]), Some("fct_bet"));
        assert_eq!(nearest("fct_bets", ["dim_customer"]), None);
        assert_eq!(nearest("STG_x", ["stg_x"]), Some("stg_x"));
    }
}
