//! Queries that acca cannot read: nothing in them is checked, which whoever reads "Checked" has to know.

use std::ops::Range;

use super::infer::Finding;
use crate::diag::{Diagnostic, Severity, codes, nearest};
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
    Finding::new(problem, unread.range.or_else(|| end_of(sql)))
}

/// A query that ends too early is at fault where it ends.
fn end_of(sql: &str) -> Option<Range<usize>> {
    sql.trim_end().char_indices().next_back().map(|(at, last)| at..at + last.len_utf8())
}

/// What is said of a portable query that cannot be read.
pub(super) fn unread_portable(unread: Unread, sql: &str) -> Finding {
    let message = format!("a portable query must be read to be rewritten, and this one is not: {}", unread.why);
    let problem = Diagnostic { severity: Severity::Error, ..Diagnostic::new(&codes::UNREAD_QUERY, message) };
    let places = |range: &Range<usize>| Some((sql.get(..range.start)?, sql.get(range.clone())?, sql.get(range.end..)?));
    let meant = unread.range.as_ref().and_then(places).and_then(|(before, found, behind)| {
        let written = written_instead(before, found, behind).map(str::to_owned);
        written.or_else(|| misspelt(before, found))
    });
    let general =
        "look just before it for a comma, a parenthesis or a word that is missing; what is not PostgreSQL's SQL cannot be portable";
    let problem = problem.help(meant.unwrap_or_else(|| general.to_owned()));
    Finding::new(problem, unread.range.or_else(|| end_of(sql)))
}

/// A word of the grammar that is nearly there: at the place, or right before it.
fn misspelt(before: &str, found: &str) -> Option<String> {
    const WORDS: [&str; 14] =
        ["select", "from", "where", "group", "having", "order", "limit", "union", "join", "left", "inner", "with", "partition", "between"];
    let last = before.split(|c: char| !c.is_alphanumeric() && c != '_').rfind(|word| !word.is_empty());
    let near = |word: &str| nearest(word, WORDS).filter(|near| !word.eq_ignore_ascii_case(near) && word.len() > 3);
    [Some(found), last].into_iter().flatten().find_map(|word| Some(format!("did you mean {} by '{word}'?", near(word)?.to_uppercase())))
}

/// What PostgreSQL has in place of what other engines read: by the word at which the reader stopped, and by what stands before it.
fn written_instead(before: &str, found: &str, behind: &str) -> Option<&'static str> {
    let before = before.trim_end();
    let start = before.char_indices().rev().nth(79).map_or(0, |(at, _)| at);
    let near = before.get(start..).unwrap_or(before).to_lowercase();
    let found = found.to_lowercase();
    let words: Vec<&str> = near.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let last = |back: usize| words.len().checked_sub(back + 1).and_then(|at| words.get(at)).copied().unwrap_or_default();
    let ends_with_word = |word: &str| near.ends_with(word) && last(0) == word;
    let follows = |word: &str, within: usize| words.iter().rev().take(within).any(|held| *held == word);
    let behind = behind.trim_start().get(..2).unwrap_or_default();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    Some(match found.as_str() {
        "`" => "names stand in double quotes, or in none: order_id, \"order_id\"",
        "," if is_number(last(0)) && last(1) == "limit" => "write limit 10 offset 5: how many rows, then how many are passed over",
        ":" => "a key of a document is read by ->> : document ->> 'key'",
        "*" if near.ends_with('*') => "write power(x, y)",
        "/" if near.ends_with('/') => "write x / y: of whole numbers it has no fraction",
        "group" if !behind.eq_ignore_ascii_case("by") => "write GROUP BY",
        "order" if !behind.eq_ignore_ascii_case("by") => "write ORDER BY",
        "partition" if !behind.eq_ignore_ascii_case("by") => "write PARTITION BY",
        "(" if behind == "+)" => "write LEFT JOIN … ON …",
        "with" => "write group by rollup (a, b)",
        "'" => "no other quote closes this one; within a text write a quote twice",
        "div" => "write x / y: of whole numbers it has no fraction",
        "[" if ends_with_word("in") => "write the values in parentheses: in (1, 2)",
        "contains" => "write text like '%part%'",
        "exclude" | "except" | "replace" if near.ends_with('*') => EVERY_COLUMN,
        "ignore" | "respect" => IGNORE_NULLS,
        "apply" => "write left join lateral (select …) as x on true, or cross join lateral (select …) as x",
        "from" | ")" | "where" | "group" | "order" if near.ends_with(',') => NOTHING_FOLLOWS,
        _ if ["select", "from"].iter().any(|word| ends_with_word(word) && near.trim_end_matches(word).trim_end().ends_with(',')) => {
            NOTHING_FOLLOWS
        }
        _ if ends_with_word("when") && last(1) == "case" => "each CASE ends with END",
        "select" if ends_with_word("minus") => "write EXCEPT",
        _ if near.ends_with("* except (") || near.ends_with("* exclude (") || near.ends_with("* replace (") => EVERY_COLUMN,
        _ if follows("filter", 3) && !follows("where", 3) => "write filter (where condition)",
        _ if is_number(last(1)) && is_unit(last(0)) => "write interval '1 day' for a length of time; a date moves by days as date + 1",
        _ => return None,
    })
}

const NOTHING_FOLLOWS: &str = "take the comma away: nothing follows it";
const EVERY_COLUMN: &str = "name the columns that are wanted: PostgreSQL has no * without some";
const IGNORE_NULLS: &str =
    "PostgreSQL has no IGNORE NULLS: number the rows by count(x) over (order by key) in a subquery, and take max(x) of each number";

/// A unit of time, one or many.
fn is_unit(word: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    matches!(one, "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" | "second")
}
