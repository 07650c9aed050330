//! Whether Redshift would take a statement. [`refusals`] gives every reason why not, with its place.
//!
//! Nobody needs a cluster to hear that there are no arrays: documents say so, and the list of differences between the engines
//! (`fact`) says where. What is found is what Redshift refuses, and, apart from that ([`Severity::Loses`]), what it takes and means
//! otherwise than it looks. A statement of which nothing is found may still be refused: for names and types that only the database knows.
//!
//! Rules read tokens and calls ([`scan`]), since no parser at hand reads all of Redshift's statements, and the tree of a query
//! ([`tree`]) where only that tells.

mod calls;
mod clauses;
mod external;
mod scan;
mod statements;
mod tree;
mod type_names;

use std::ops::Range;

use scan::Tokens;

use crate::analysis::Finding;
use crate::diag::{Diagnostic, codes};

/// Bytes of a statement over the wire protocol (`r_SELECT_synopsis`).
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A reason why a statement is not what Redshift takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Bytes of the statement.
    pub range: Range<usize>,
    /// What is wrong, such as `DISTINCT ON is not supported`.
    pub message: String,
    /// What to write instead, where there is a usual way.
    pub help: Option<&'static str>,
    /// The row of the list of differences.
    pub fact: u16,
    pub severity: Severity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The statement fails.
    Refused,
    /// The statement is run, and values are not what they look like: a number without its fraction.
    Loses,
}

/// What the rules put their findings into.
#[derive(Default)]
struct Findings(Vec<Refusal>);

impl Findings {
    fn refuse(&mut self, range: Range<usize>, fact: u16, message: impl Into<String>, help: Option<&'static str>) {
        self.0.push(Refusal { range, message: message.into(), help, fact, severity: Severity::Refused });
    }

    fn loses(&mut self, range: Range<usize>, fact: u16, message: impl Into<String>, help: Option<&'static str>) {
        self.0.push(Refusal { range, message: message.into(), help, fact, severity: Severity::Loses });
    }
}

/// Why Redshift would not take one statement, in the order of the text.
pub fn refusals(sql: &str) -> Vec<Refusal> {
    let mut found = Findings::default();
    if sql.len() > MAX_BYTES {
        found.refuse(0..sql.len(), 200, "a statement has at most 16 MB", Some("load rows with COPY"));
        return found.0;
    }
    let tokens = Tokens::new(sql);
    clauses::check(&tokens, &mut found);
    type_names::check(&tokens, &mut found);
    calls::check(&tokens, &mut found);
    statements::check(&tokens, &mut found);
    tree::check(sql, &tokens, &mut found);
    found.0.sort_by_key(|refusal| (refusal.range.start, refusal.fact));
    found.0.dedup();
    found.0
}

/// What is found, as it is said of a query that somebody wrote.
pub(super) fn foreign(sql: &str) -> Vec<Finding> {
    let finding = |refusal: Refusal| {
        let message = match refusal.severity {
            Severity::Refused => format!("Redshift does not run this: {}", refusal.message),
            Severity::Loses => format!("Redshift reads this otherwise: {}", refusal.message),
        };
        let diagnostic = Diagnostic::new(&codes::FOREIGN_SQL, message);
        let diagnostic = refusal.help.map_or(diagnostic.clone(), |help| diagnostic.help(help));
        Finding::new(diagnostic, Some(refusal.range))
    };
    refusals(sql).into_iter().filter(|refusal| !is_common(sql, refusal)).map(finding).collect()
}

/// A cast to VARCHAR or TEXT without a length: mostly of numbers and dates, which are short.
fn is_common(sql: &str, refusal: &Refusal) -> bool {
    let defines = sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("create"));
    refusal.severity == Severity::Loses && matches!(refusal.fact, 1 | 2) && !defines
}

/// Why Redshift would not take the statements of one session in that order, with the number of the statement: what a transaction
/// does not bear is among the reasons.
pub fn refusals_in_order<'s>(statements: impl IntoIterator<Item = &'s str>) -> Vec<(usize, Refusal)> {
    let mut found = Vec::new();
    let mut open = false;
    for (at, sql) in statements.into_iter().enumerate() {
        found.extend(refusals(sql).into_iter().map(|refusal| (at, refusal)));
        let tokens = Tokens::new(sql);
        if open {
            let mut inside = Findings::default();
            statements::check_in_transaction(&tokens, &mut inside);
            found.extend(inside.0.into_iter().map(|refusal| (at, refusal)));
        }
        match tokens.word(0).as_str() {
            "begin" | "start" => open = true,
            "commit" | "end" | "rollback" | "abort" | "truncate" => open = false,
            _ => {}
        }
    }
    found
}
