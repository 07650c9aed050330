//! Types that Redshift has not, and lengths that it cannot have.

use super::Findings;
use super::scan::{Kind, Tokens};

/// Types by name: the row of the list and what to use instead.
const UNKNOWN: &[(&str, u16, &str)] = &[
    ("json", 23, "use SUPER, or VARCHAR"),
    ("jsonb", 23, "use SUPER, or VARCHAR"),
    ("uuid", 27, "use CHAR(36)"),
    ("bytea", 28, "use VARBYTE"),
    ("serial", 29, "use IDENTITY(1, 1)"),
    ("bigserial", 29, "use IDENTITY(1, 1)"),
    ("smallserial", 29, "use IDENTITY(1, 1)"),
    ("money", 32, "use DECIMAL"),
    ("xml", 32, "use VARCHAR"),
    ("bit", 32, "use VARBYTE or VARCHAR"),
    ("varbit", 32, "use VARBYTE or VARCHAR"),
    ("inet", 32, "use VARCHAR"),
    ("cidr", 32, "use VARCHAR"),
    ("macaddr", 32, "use VARCHAR"),
    ("hstore", 32, "use SUPER"),
    ("tsvector", 32, "there is no text search"),
    ("tsquery", 32, "there is no text search"),
    ("point", 32, "use GEOMETRY"),
    ("line", 32, "use GEOMETRY"),
    ("lseg", 32, "use GEOMETRY"),
    ("box", 32, "use GEOMETRY"),
    ("path", 32, "use GEOMETRY"),
    ("polygon", 32, "use GEOMETRY"),
    ("circle", 32, "use GEOMETRY"),
    ("int4range", 32, "use two columns"),
    ("int8range", 32, "use two columns"),
    ("numrange", 32, "use two columns"),
    ("tsrange", 32, "use two columns"),
    ("tstzrange", 32, "use two columns"),
    ("daterange", 32, "use two columns"),
    ("tinyint", 32, "use SMALLINT"),
    ("regclass", 203, "ask the system views"),
];

pub(super) fn check(tokens: &Tokens<'_>, found: &mut Findings) {
    for at in 0..tokens.len() {
        if tokens.is(at, "::") {
            check_type(tokens, at + 1, found);
        }
        if tokens.is_any(at, &["cast", "try_cast"])
            && tokens.is(at + 1, "(")
            && let Some(closes) = tokens.get(at + 1).and_then(|opens| opens.partner)
            && let Some(word) = tokens.find(at + 2..closes, "as")
        {
            check_type(tokens, word + 1, found);
        }
    }
    for column in columns(tokens) {
        check_type(tokens, column + 1, found);
    }
    if tokens.are(0, &["alter", "table"]) {
        for at in 0..tokens.len() {
            let past = usize::from(tokens.is(at + 1, "column"));
            if tokens.is(at, "add") && past == 1 {
                check_type(tokens, at + 3, found);
            }
        }
    }
}

/// The names of the columns that CREATE TABLE defines, as places of tokens.
pub(super) fn columns(tokens: &Tokens<'_>) -> Vec<usize> {
    let Some(inside) = definition(tokens) else { return Vec::new() };
    let constraints = ["constraint", "primary", "unique", "foreign", "check", "exclude", "like"];
    let starts = tokens.parts(inside).into_iter().map(|part| part.start);
    starts.filter(|start| !tokens.is_any(*start, &constraints) || tokens.kind(*start) == Some(Kind::Name)).collect()
}

/// What stands between the parentheses of CREATE TABLE, unless it is a query.
pub(super) fn definition(tokens: &Tokens<'_>) -> Option<std::ops::Range<usize>> {
    if !tokens.is(0, "create") {
        return None;
    }
    let table = (1..5).find(|at| tokens.is(*at, "table"))?;
    let opens = (table..tokens.len()).take_while(|at| !tokens.is(*at, "as")).find(|at| tokens.is(*at, "("))?;
    // `distkey (k)` of a table that a query makes.
    if tokens.is_any(opens - 1, &["distkey", "sortkey"]) {
        return None;
    }
    Some(opens + 1..tokens.get(opens)?.partner?)
}

fn check_type(tokens: &Tokens<'_>, at: usize, found: &mut Findings) {
    let (Some(token), name) = (tokens.get(at), tokens.word(at)) else { return };
    if token.kind != Kind::Word || tokens.is(at + 1, ".") {
        return;
    }
    if let Some((known, fact, help)) = UNKNOWN.iter().find(|(known, ..)| *known == name) {
        found.refuse(tokens.range(at, at), *fact, format!("there is no type {known}"), Some(help));
    }
    let numbers: Vec<Option<i64>> = match tokens.get(at + 1) {
        Some(opens) if opens.text == "(" => {
            let end = opens.partner.unwrap_or(at + 2);
            (at + 2..end).filter(|place| !tokens.is(*place, ",")).map(|place| tokens.get(place)?.text.parse().ok()).collect()
        }
        _ => Vec::new(),
    };
    let last = if numbers.is_empty() { at } else { tokens.behind(at + 1) - 1 };
    let range = tokens.range(at, last);
    let first = numbers.first().copied().flatten();
    match name.as_str() {
        "varchar" | "nvarchar" if first.is_some_and(|length| length > 65535) => {
            found.refuse(range, 7, "a VARCHAR has at most 65535 bytes", None);
        }
        "char" | "character" | "nchar" | "bpchar" if first.is_some_and(|length| length > 4096) => {
            found.refuse(range, 6, "a CHAR has at most 4096 bytes", Some("use VARCHAR"));
        }
        "numeric" | "decimal" => match numbers.as_slice() {
            [] => found.loses(
                range,
                8,
                format!("{name} without precision has no fraction: it is DECIMAL(18,0)"),
                Some("say precision and scale"),
            ),
            [Some(precision), ..] if *precision > 38 => found.refuse(range, 9, "a DECIMAL has at most 38 digits", None),
            [_, Some(scale)] if *scale > 37 || *scale < 0 => {
                found.refuse(range, 9, "a DECIMAL has from 0 to 37 digits behind the point", None);
            }
            _ => {}
        },
        "timestamp" | "timestamptz" | "time" | "timetz" if !numbers.is_empty() => {
            found.refuse(range, 15, format!("{name} takes no precision"), Some("it has microseconds; leave the number out"));
        }
        "text" => found.loses(range, 1, "TEXT has 256 bytes: it is VARCHAR(256)", Some("say the length in bytes: VARCHAR(65535)")),
        "varchar" | "nvarchar" if numbers.is_empty() => {
            found.loses(range, 2, "VARCHAR without a length has 256 bytes", Some("say the length in bytes: VARCHAR(65535)"));
        }
        "character" if tokens.is(at + 1, "varying") && !tokens.is(at + 2, "(") => {
            found.loses(tokens.range(at, at + 1), 2, "VARCHAR without a length has 256 bytes", Some("say the length in bytes"));
        }
        _ => {}
    }
}
