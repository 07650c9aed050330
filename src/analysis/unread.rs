//! Queries that acca cannot read: nothing in them is checked, which whoever reads "Checked" has to know.

use super::infer::Finding;
use crate::diag::{Diagnostic, Severity, codes};
use crate::project::Node;
use crate::syntax::Unread;

/// What is said of a query that a template makes of what the database says, where personal data may go through it into a report.
pub(super) fn unasked_query(node: &Node) -> Diagnostic {
    let message = format!("the query of '{}' depends on what the database says, so nothing in it is checked", node.name);
    let problem = Diagnostic::new(&codes::UNREAD_QUERY, message).at(node.body.unwrap_or(node.origin));
    let problem = problem.note("personal data may reach a report through it, unseen");
    problem.help("declare 'labels' on its columns, look at the query yourself, and allow it with a reason")
}

/// What is said of a query that cannot be read. `guarded` says that it may let personal data into a report.
pub(super) fn unread_query(node: &Node, unread: Unread, sql: &str, guarded: bool) -> Finding {
    let message = format!("the query of '{}' cannot be read, so nothing in it is checked: {}", node.name, unread.why);
    let mut problem = Diagnostic::new(&codes::UNREAD_QUERY, message);
    if guarded {
        problem.severity = Severity::Error;
        problem = problem.note("personal data may reach a report through it, unseen");
    }
    let problem = problem.help("correct the syntax, or write it as PostgreSQL does too: what only other engines have is not read");
    // A query that ends too early is at fault where it ends.
    let end = sql.trim_end().char_indices().next_back().map(|(at, last)| at..at + last.len_utf8());
    Finding::new(problem, unread.range.or(end))
}
