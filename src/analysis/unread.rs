//! Queries that acca cannot read: nothing in them is checked, which whoever reads "Checked" has to know.

use std::cmp::Ordering;
use std::ops::Range;

use super::infer::Finding;
use crate::diag::{Diagnostic, Severity, codes};
use crate::project::Node;
use crate::syntax::{Unread, without_texts};

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
        let before = without_texts(before);
        let written = written_instead(&before, found, behind).map(str::to_owned);
        written.or_else(|| misspelt(&before, found, behind))
    });
    let meant = meant.or_else(|| unread.why.starts_with("expected END,").then(|| "each CASE ends with END".to_owned()));
    let general =
        "look just before it for a comma, a parenthesis or a word that is missing; what is not PostgreSQL's SQL cannot be portable";
    let problem = problem.help(meant.unwrap_or_else(|| general.to_owned()));
    Finding::new(problem, unread.range.or_else(|| end_of(sql)))
}

/// A word of the grammar that is nearly there: at the place, or right before it. What else may be a name is none: what follows FROM or a
/// comma, or stands in the query again.
fn misspelt(before: &str, found: &str, behind: &str) -> Option<String> {
    const WORDS: [&str; 14] =
        ["select", "from", "where", "group", "having", "order", "limit", "union", "join", "left", "inner", "with", "partition", "between"];
    const BEFORE_NAMES: [&str; 6] = ["from", "join", "as", "with", "into", "only"];
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words = |text: &str| text.split(|c| !is_part(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let is_named = |before: &str| {
        let before = before.trim_end();
        before.ends_with([',', '.']) || words(before).last().is_some_and(|word| BEFORE_NAMES.contains(&&*word.to_lowercase()))
    };
    let stands_once = |word: &str| [before, found, behind].iter().flat_map(|part| words(part)).filter(|held| held == word).count() == 1;
    let last = before.trim_end();
    let start =
        last.rfind(|c| !is_part(c)).map_or(0, |at| at + last.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8));
    let candidates = [(before, found), (last.get(..start)?, last.get(start..)?)];
    candidates.into_iter().find_map(|(before, word)| {
        let meant = WORDS.into_iter().find(|meant| is_slip(&word.to_lowercase(), meant))?;
        (!is_named(before) && stands_once(word)).then(|| format!("did you mean {} where '{word}' stands?", meant.to_uppercase()))
    })
}

/// One letter is left out, another one, typed twice, or two are turned around. What has another letter more is a name mostly: `orders`.
fn is_slip(word: &str, meant: &str) -> bool {
    let (typed, letters): (Vec<char>, Vec<char>) = (word.chars().collect(), meant.chars().collect());
    let is_near = || strsim::osa_distance(word, meant) == 1;
    let without = |at: usize| typed.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, letter)| *letter).collect::<Vec<_>>();
    let is_doubled = || typed.windows(2).enumerate().any(|(at, pair)| pair.first() == pair.last() && without(at) == letters);
    match typed.len().cmp(&letters.len()) {
        Ordering::Greater => is_doubled(),
        Ordering::Equal | Ordering::Less => typed.len() > 2 && typed.first() == letters.first() && is_near(),
    }
}

/// What PostgreSQL has in place of what other engines read: by the word at which the reader stopped, and by what stands before it.
fn written_instead(before: &str, found: &str, behind: &str) -> Option<&'static str> {
    let before = before.trim_end();
    let start = before.char_indices().rev().nth(79).map_or(0, |(at, _)| at);
    let near = before.get(start..).unwrap_or(before).to_lowercase();
    let next = without_texts(behind).to_lowercase();
    let next: Vec<&str> = next.split_whitespace().take(4).collect();
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
        "/" if near.ends_with('/') => "comments begin with --; whole numbers are divided by x / y, which gives no fraction",
        "group" if !behind.eq_ignore_ascii_case("by") => "write GROUP BY",
        "order" if !behind.eq_ignore_ascii_case("by") => "write ORDER BY",
        "partition" if !behind.eq_ignore_ascii_case("by") => "write PARTITION BY",
        "(" if behind == "+)" => "write LEFT JOIN … ON …",
        "with" if matches!(next.as_slice(), ["rollup", ..]) => "write group by rollup (a, b)",
        "with" if matches!(next.as_slice(), ["cube", ..]) => "write group by cube (a, b)",
        "with" if names_a_query(&next) => "put what WITH names before the first SELECT, or the query that begins with WITH in parentheses",
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
        "select" if ends_with_word("minus") => "write EXCEPT",
        _ if near.ends_with("* except (") || near.ends_with("* exclude (") || near.ends_with("* replace (") => EVERY_COLUMN,
        _ if follows("filter", 3) && !follows("where", 3) => "write filter (where condition)",
        _ if is_number(last(1)) && is_unit(last(0)) => "write interval '1 day' for a length of time; a date moves by days as date + 1",
        _ => return None,
    })
}

/// Whether these words follow WITH before a query: `recursive r as (`, `r (n) as (`.
fn names_a_query(next: &[&str]) -> bool {
    match next {
        ["recursive", ..] | [_, "as" | "as(", ..] => true,
        [_, columns, ..] => columns.starts_with('('),
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::try_parse_exact;

    fn help(sql: &str) -> String {
        unread_portable(try_parse_exact(sql).unwrap_err(), sql).diagnostic.help.join("; ")
    }

    #[test]
    fn words_that_are_nearly_of_the_grammar() {
        for (sql, meant) in [
            ("select id form \"a\".\"orders\"", "FROM where 'form' stands"),
            ("select id from orders whre id = 1", "WHERE where 'whre' stands"),
            ("selct id from orders", "SELECT where 'selct' stands"),
            ("select id fromm orders o", "FROM where 'fromm' stands"),
            ("select id from orders o where o.id = 1 odrer by id", "ORDER where 'odrer' stands"),
            ("select id from orders as o lef outer join b on true", "LEFT where 'lef' stands"),
        ] {
            assert_eq!(help(sql), format!("did you mean {meant}?"), "{sql}");
        }
        for sql in [
            "select id from \"a\".\"orders\" )",
            "select id from orders y z",
            "select id from form 12",
            "select id from groups 12",
            "select id from a, form 12",
            "select id from a where limits 5",
            "select id from a as form 12",
            "select form.id from (select 1 as id) form where form 12",
            "select 'form' 12",
        ] {
            assert!(help(sql).starts_with("look just before it"), "{sql}: {}", help(sql));
        }
    }

    #[test]
    fn with_and_case_are_told_apart() {
        assert_eq!(help("select a from t group by a with rollup"), "write group by rollup (a, b)");
        assert_eq!(help("select a from t group by a with cube"), "write group by cube (a, b)");
        for sql in
            ["select 1 as a union all with x as (select 2) select a from x", "with a as (select 1) with b (c) as (select 2) select 1"]
        {
            assert!(help(sql).starts_with("put what WITH names"), "{sql}: {}", help(sql));
        }
        assert!(help("select a from t x with no schema binding").starts_with("look just before"));
        assert!(help("select case when id = = 1 then 'a' else 'b' end from t").starts_with("look just before"));
        assert_eq!(help("select case when id in [1] then 'a' end from t"), "write the values in parentheses: in (1, 2)");
        assert_eq!(help("select case when id = 1 then 'a' as b from t"), "each CASE ends with END");
    }

    #[test]
    fn comments_hide_no_comma() {
        assert_eq!(help("select a, -- the last\nfrom t"), NOTHING_FOLLOWS);
        assert_eq!(help("select a, /* more, */\nfrom t"), NOTHING_FOLLOWS);
    }
}
