//! Clauses and operators that Redshift has not.

use super::Findings;
use super::scan::{Kind, Tokens};

/// Words that follow each other, the row of the list, what is said, and what to write instead.
type Phrase = (&'static [&'static str], u16, &'static str, Option<&'static str>);

const PHRASES: &[Phrase] = &[
    (
        &["distinct", "on", "("],
        124,
        "DISTINCT ON is not supported",
        Some("keep the first row of each group with QUALIFY ROW_NUMBER() OVER (…) = 1"),
    ),
    (&["filter", "(", "where"], 109, "FILTER is not supported", Some("put the condition into the argument: SUM(CASE WHEN … THEN x END)")),
    (&["on", "conflict"], 150, "ON CONFLICT is not supported", Some("use MERGE, or DELETE and INSERT in one transaction")),
    (&["is", "distinct", "from"], 131, "IS DISTINCT FROM is not supported", Some("write DECODE(a, b, 0, 1) = 1")),
    (&["is", "not", "distinct", "from"], 131, "IS NOT DISTINCT FROM is not supported", Some("write DECODE(a, b, 0, 1) = 0")),
    (&["except", "all"], 133, "EXCEPT ALL is not supported", Some("number the rows with ROW_NUMBER and use EXCEPT")),
    (&["intersect", "all"], 133, "INTERSECT ALL is not supported", Some("number the rows with ROW_NUMBER and use INTERSECT")),
    (&["as", "materialized", "("], 136, "AS MATERIALIZED is not supported", Some("leave the word out")),
    (&["as", "not", "materialized"], 136, "AS NOT MATERIALIZED is not supported", Some("leave the words out")),
    (&["fetch", "first"], 140, "FETCH FIRST is not supported", Some("use LIMIT")),
    (&["fetch", "next"], 140, "FETCH NEXT is not supported", Some("use LIMIT")),
    (&["with", "ties"], 140, "WITH TIES is not supported", Some("use RANK")),
    (&["limit", "null"], 140, "LIMIT NULL is not supported", None),
    (&["for", "update"], 142, "FOR UPDATE is not supported", None),
    (&["for", "share"], 142, "FOR SHARE is not supported", None),
    (&["for", "no", "key", "update"], 142, "FOR NO KEY UPDATE is not supported", None),
    (&["for", "key", "share"], 142, "FOR KEY SHARE is not supported", None),
    (&["exclude", "current", "row"], 116, "EXCLUDE of a frame is not supported", None),
    (&["exclude", "ties"], 116, "EXCLUDE of a frame is not supported", None),
    (&["exclude", "group"], 116, "EXCLUDE of a frame is not supported", None),
    (&["with", "ordinality"], 129, "WITH ORDINALITY is not supported", Some("iterate a SUPER value: FROM t, t.items AS x AT i")),
    (&["rows", "from", "("], 129, "ROWS FROM is not supported", None),
    (&["array", "["], 25, "there are no arrays", Some("ARRAY(…) builds a SUPER value")),
    (&["from", "only"], 173, "there is no inheritance of tables", None),
    (&["at", "local"], 105, "AT LOCAL is not supported", Some("use CONVERT_TIMEZONE")),
    (&["set", "constraints"], 160, "constraints are not enforced", None),
];

/// Operators that are not there.
const OPERATORS: &[(&str, u16, &str)] = &[
    ("~*", 79, "write REGEXP_INSTR(s, pattern, 1, 1, 0, 'i') > 0"),
    ("!~*", 79, "write REGEXP_INSTR(s, pattern, 1, 1, 0, 'i') = 0"),
    ("->", 145, "use JSON_EXTRACT_PATH_TEXT, or a path of a SUPER value"),
    ("->>", 145, "use JSON_EXTRACT_PATH_TEXT, or a path of a SUPER value"),
    ("#>", 145, "use JSON_EXTRACT_PATH_TEXT, or a path of a SUPER value"),
    ("#>>", 145, "use JSON_EXTRACT_PATH_TEXT, or a path of a SUPER value"),
    ("@>", 149, "look into the SUPER value"),
    ("<@", 149, "look into the SUPER value"),
    ("?", 149, "look into the SUPER value"),
];

/// Words that are reserved there and not in PostgreSQL, and are names of columns more often than anything else.
const RESERVED: &[&str] = &[
    "defrag",
    "delta",
    "encrypt",
    "encryption",
    "explicit",
    "lun",
    "luns",
    "new",
    "oid",
    "old",
    "open",
    "percent",
    "permissions",
    "raw",
    "readratio",
    "recover",
    "rejectlog",
    "resort",
    "restore",
    "snapshot",
    "system",
    "tag",
    "wallet",
];

/// Behind these a word is the name of a column.
const BEFORE_COLUMNS: &[&str] = &[
    "select", "distinct", ",", "(", "by", "where", "and", "or", "not", "on", "when", "then", "else", "=", "<>", "<", ">", "<=", ">=", "+",
    "-", "*", "/", "||", "between", "having",
];

pub(super) fn check(tokens: &Tokens<'_>, found: &mut Findings) {
    let routine = tokens.is(0, "create") && (1..4).any(|at| tokens.is_any(at, &["function", "procedure"]));
    for at in 0..tokens.len() {
        for (words, fact, message, help) in PHRASES {
            if tokens.are(at, words) && !is_name(tokens, at) {
                let last = if words.last().is_some_and(|last| *last == "(") { words.len() - 2 } else { words.len() - 1 };
                found.refuse(tokens.range(at, at + last), *fact, *message, *help);
            }
        }
        match tokens.kind(at) {
            Some(Kind::Sign) => check_sign(tokens, at, found),
            Some(Kind::Foreign) if !routine => found.refuse(
                tokens.range(at, at),
                53,
                "literals are plain: no E'…', no U&'…', no dollar quotes",
                Some("write the text in single quotes, with backslashes doubled"),
            ),
            Some(Kind::Word) => {
                check_word(tokens, at, found);
                check_reserved(tokens, at, found);
            }
            _ => {}
        }
    }
}

/// A word behind a point is a name, whatever it says.
fn is_name(tokens: &Tokens<'_>, at: usize) -> bool {
    at > 0 && tokens.is(at - 1, ".")
}

fn check_sign(tokens: &Tokens<'_>, at: usize, found: &mut Findings) {
    let Some(text) = tokens.get(at).map(|token| token.text) else { return };
    if let Some((sign, fact, help)) = OPERATORS.iter().find(|(sign, ..)| *sign == text) {
        found.refuse(tokens.range(at, at), *fact, format!("there is no operator {sign}"), Some(help));
    }
    // A pattern is a literal, fact 78.
    if matches!(text, "~" | "!~") && !matches!(tokens.kind(at + 1), Some(Kind::Text)) && at > 0 && !tokens.is(at - 1, "(") {
        found.refuse(tokens.range(at, at + 1), 78, format!("the pattern of {text} must be a literal"), Some("use REGEXP_INSTR"));
    }
    if text == "[" && tokens.is(at + 1, "]") {
        found.refuse(tokens.range(at, at + 1), 25, "there are no arrays", Some("use SUPER"));
    }
}

fn check_word(tokens: &Tokens<'_>, at: usize, found: &mut Findings) {
    if is_name(tokens, at) {
        return;
    }
    let starts_clause = |words: &[&str]| at > 0 && tokens.is_any(at - 1, words);
    match tokens.word(at).as_str() {
        "lateral" if starts_clause(&[",", "join", "from"]) => found.refuse(
            tokens.range(at, at),
            126,
            "LATERAL is not supported",
            Some("join a query that groups or numbers its rows, or iterate a SUPER value"),
        ),
        "tablesample" if !starts_clause(&["select", ","]) => {
            found.refuse(tokens.range(at, at), 141, "TABLESAMPLE is not supported", Some("write WHERE RANDOM() < p"));
        }
        "window" if tokens.kind(at + 1) == Some(Kind::Word) && tokens.are(at + 2, &["as", "("]) => {
            found.refuse(tokens.range(at, at), 119, "the WINDOW clause is not supported", Some("write the window out behind each OVER"));
        }
        "over" if tokens.kind(at + 1) == Some(Kind::Word) && at > 0 && tokens.is(at - 1, ")") => {
            found.refuse(tokens.range(at, at + 1), 119, "named windows are not supported", Some("write the window out behind OVER"));
        }
        word @ ("range" | "groups") if tokens.is_any(at + 1, &["between", "unbounded", "current"]) => {
            found.refuse(
                tokens.range(at, at),
                116,
                format!("a frame of {} is not supported", word.to_uppercase()),
                Some("frames are of ROWS"),
            );
        }
        "values" if starts_clause(&["("]) && at > 1 && tokens.is_any(at - 2, &["from", "join", "as", ",", "in"]) => {
            found.refuse(tokens.range(at, at), 128, "VALUES is not supported as a table", Some("write SELECT … UNION ALL SELECT …"))
        }
        word @ ("any" | "some" | "all")
            if tokens.is(at + 1, "(")
                && starts_clause(&["=", "<>", "!=", "<", ">", "<=", ">="])
                && !tokens.is_any(at + 2, &["select", "with", "("]) =>
        {
            found.refuse(tokens.range(at, at), 130, format!("{} takes a subquery only", word.to_uppercase()), Some("use IN or NOT IN"));
        }
        "returning"
            if ["insert", "update", "delete", "merge", "with"].contains(&tokens.word(0).as_str()) && !starts_clause(&["select", ","]) =>
        {
            found.refuse(tokens.range(at, at), 151, "RETURNING is not supported", None);
        }
        "collate" if tokens.kind(at + 1) == Some(Kind::Name) || tokens.is(at + 1, "pg_catalog") => {
            found.refuse(
                tokens.range(at, at + 1),
                56,
                "there are no collations by name",
                Some("text is ordered by its bytes; leave COLLATE out"),
            );
        }
        _ => {}
    }
}

/// Fact 171. Names behind a point and behind AS may be any word.
fn check_reserved(tokens: &Tokens<'_>, at: usize, found: &mut Findings) {
    let is_statement = tokens.is_any(0, &["select", "with", "insert", "update", "delete", "create"]);
    if is_statement && at > 0 && tokens.is_any(at, RESERVED) && tokens.is_any(at - 1, BEFORE_COLUMNS) && !tokens.is_any(at + 1, &["(", "."])
    {
        let word = tokens.word(at);
        found.refuse(tokens.range(at, at), 171, format!("'{word}' is a reserved word"), Some("put it in double quotes"));
    }
}
