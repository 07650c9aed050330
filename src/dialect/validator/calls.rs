//! Functions: those that Redshift has not, those that only one kind of node has, and arguments that it does not take.

use super::Findings;
use super::scan::{Call, Kind, Tokens};

/// Functions that are not there: the row of the list and what to use instead.
const UNKNOWN: &[(&str, u16, &str)] = &[
    ("string_agg", 61, "LISTAGG(x, ',') WITHIN GROUP (ORDER BY k)"),
    ("array_agg", 112, "LISTAGG, or rows of their own"),
    ("json_agg", 112, "rows of their own"),
    ("jsonb_agg", 112, "rows of their own"),
    ("json_object_agg", 112, "rows of their own"),
    ("mode", 112, "count and keep the first with QUALIFY"),
    ("every", 112, "BOOL_AND"),
    ("bit_xor", 112, "no usual way"),
    ("corr", 112, "write the sums out"),
    ("covar_pop", 112, "write the sums out"),
    ("covar_samp", 112, "write the sums out"),
    ("regr_slope", 112, "write the sums out"),
    ("regr_intercept", 112, "write the sums out"),
    ("regr_count", 112, "write the sums out"),
    ("concat_ws", 58, "|| with CASE for what may be NULL"),
    ("format", 71, "||"),
    ("overlay", 70, "SUBSTRING and ||"),
    ("quote_nullable", 70, "QUOTE_LITERAL and COALESCE"),
    ("encode", 74, "TO_HEX or FROM_VARBYTE"),
    ("convert_from", 74, "FROM_VARBYTE"),
    ("convert_to", 74, "TO_VARBYTE"),
    ("sha256", 73, "SHA2(x, 256)"),
    ("sha512", 73, "SHA2(x, 512)"),
    ("sha224", 73, "SHA2(x, 224)"),
    ("sha384", 73, "SHA2(x, 384)"),
    ("regexp_matches", 83, "REGEXP_SUBSTR"),
    ("regexp_match", 83, "REGEXP_SUBSTR"),
    ("regexp_split_to_array", 83, "SPLIT_TO_ARRAY"),
    ("regexp_split_to_table", 83, "SPLIT_TO_ARRAY, iterated in FROM"),
    ("string_to_array", 83, "SPLIT_TO_ARRAY"),
    ("clock_timestamp", 86, "GETDATE() or TIMEOFDAY()"),
    ("transaction_timestamp", 86, "SYSDATE"),
    ("statement_timestamp", 86, "GETDATE()"),
    ("pg_sleep", 86, "no usual way"),
    ("make_date", 107, "DATEADD, or a cast of text"),
    ("make_timestamp", 107, "DATEADD, or a cast of text"),
    ("make_timestamptz", 107, "DATEADD, or a cast of text"),
    ("make_time", 107, "a cast of text"),
    ("make_interval", 107, "DATEADD"),
    ("date_bin", 107, "DATEADD and DATEDIFF"),
    ("justify_days", 107, "DATEDIFF"),
    ("justify_hours", 107, "DATEDIFF"),
    ("justify_interval", 107, "DATEDIFF"),
    ("div", 50, "TRUNC(a / b)"),
    ("width_bucket", 50, "CASE"),
    ("setseed", 50, "SET seed"),
    ("gen_random_uuid", 27, "MD5 of what is unique"),
    ("unnest", 129, "iterate a SUPER value: FROM t, t.items AS x"),
    ("generate_subscripts", 129, "iterate a SUPER value with AT"),
    ("array_length", 129, "GET_ARRAY_LENGTH of a SUPER value"),
    ("cardinality", 129, "GET_ARRAY_LENGTH of a SUPER value"),
    ("array_to_string", 129, "no usual way"),
    ("json_build_object", 149, "OBJECT('key', value)"),
    ("jsonb_build_object", 149, "OBJECT('key', value)"),
    ("json_build_array", 149, "ARRAY(…)"),
    ("jsonb_build_array", 149, "ARRAY(…)"),
    ("jsonb_array_elements", 149, "iterate a SUPER value: FROM t, t.items AS x"),
    ("json_array_elements", 149, "iterate a SUPER value: FROM t, t.items AS x"),
    ("jsonb_array_elements_text", 149, "iterate a SUPER value: FROM t, t.items AS x"),
    ("jsonb_each", 149, "UNPIVOT of a SUPER value"),
    ("json_each", 149, "UNPIVOT of a SUPER value"),
    ("jsonb_object_keys", 149, "UNPIVOT of a SUPER value"),
    ("to_json", 149, "JSON_SERIALIZE"),
    ("to_jsonb", 149, "JSON_PARSE"),
    ("row_to_json", 149, "OBJECT('key', value)"),
    ("jsonb_extract_path_text", 145, "JSON_EXTRACT_PATH_TEXT"),
    ("nextval", 174, "IDENTITY(1, 1)"),
    ("currval", 174, "IDENTITY(1, 1)"),
    ("setval", 174, "IDENTITY(1, 1)"),
    ("pg_advisory_lock", 197, "LOCK"),
    ("pg_advisory_xact_lock", 197, "LOCK"),
    ("pg_try_advisory_lock", 197, "LOCK"),
    ("to_regclass", 203, "ask the system views"),
];

/// Of the leader node: not beside tables. As calls, and as words without parentheses.
const LEADER: &[(&str, u16, &str)] = &[
    ("now", 85, "SYSDATE or GETDATE()"),
    ("current_timestamp", 85, "SYSDATE or GETDATE()"),
    ("localtimestamp", 85, "SYSDATE or GETDATE()"),
    ("current_time", 87, "SYSDATE or GETDATE()"),
    ("localtime", 87, "SYSDATE or GETDATE()"),
    ("age", 87, "DATEDIFF or MONTHS_BETWEEN"),
    ("isfinite", 87, "a comparison"),
    ("substr", 65, "SUBSTRING"),
    ("generate_series", 106, "a recursive query with a list of columns, or a table of numbers"),
];

/// Of compute nodes: not without a table.
const COMPUTE: &[&str] = &["listagg", "median", "percentile_cont", "percentile_disc"];

/// Aggregates that take a frame in a window.
const AGGREGATES: &[&str] = &[
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "stddev",
    "stddev_samp",
    "stddev_pop",
    "variance",
    "var_samp",
    "var_pop",
    "bool_and",
    "bool_or",
    "first_value",
    "last_value",
    "nth_value",
];

pub(super) fn check(tokens: &Tokens<'_>, found: &mut Findings) {
    let calls = tokens.calls();
    let reads = reads_a_table(tokens);
    // What a statement defines is no call.
    let defines =
        tokens.is_any(0, &["create", "alter", "drop", "comment", "grant", "revoke", "copy", "unload"]) && !tokens.word(1).is_empty();
    for call in &calls {
        if call.qualified {
            continue;
        }
        check_name(tokens, call, reads, found);
        check_arguments(tokens, call, found);
        check_window(tokens, call, found);
    }
    let is_query = tokens.is_any(0, &["select", "with"]);
    for at in 0..tokens.len() {
        let bare = tokens.is_any(at, &["current_timestamp", "localtimestamp", "current_time", "localtime"]) && !tokens.is(at + 1, "(");
        if bare && reads && !(at > 0 && tokens.is(at - 1, ".")) {
            let word = tokens.word(at);
            found.refuse(
                tokens.range(at, at),
                85,
                format!("{} is of the leader node: it cannot stand beside a table", word.to_uppercase()),
                Some("use SYSDATE or GETDATE()"),
            );
        }
    }
    if is_query && !reads && !defines {
        for call in calls.iter().filter(|call| COMPUTE.contains(&tokens.word(call.name).as_str())) {
            let name = tokens.word(call.name).to_uppercase();
            found.refuse(tokens.range(call.name, call.name), 111, format!("{name} needs a table in its query"), None);
        }
    }
    orders_of_groups(tokens, &calls, found);
}

/// Whether a relation stands behind FROM or JOIN that is no query of this statement and none of the catalogue.
pub(super) fn reads_a_table(tokens: &Tokens<'_>) -> bool {
    let named: Vec<String> = (0..tokens.len())
        .filter(|at| {
            let past_list = if tokens.is(at + 1, "(") { tokens.behind(at + 1) } else { at + 1 };
            tokens.are(past_list, &["as", "("]) && *at > 0 && tokens.is_any(at - 1, &["with", "recursive", ","])
        })
        .filter_map(|at| tokens.name(at))
        .collect();
    (0..tokens.len()).any(|at| {
        let opens = tokens.is_any(at, &["from", "join", "into", "update", "using"]);
        if !opens || inside_a_call(tokens, at) || at > 0 && tokens.is(at - 1, "distinct") {
            return false;
        }
        let Some(first) = tokens.name(at + 1) else { return false };
        if tokens.is_any(at + 1, &["select", "lateral", "only", "values"]) && tokens.kind(at + 1) == Some(Kind::Word) {
            return false;
        }
        let qualified = tokens.is(at + 2, ".");
        let catalogue =
            ["pg_", "svv_", "stv_", "stl_", "sys_"].iter().any(|prefix| first.starts_with(prefix)) || first == "information_schema";
        !catalogue && (qualified || !named.contains(&first)) && !tokens.is(at + 2, "(")
    })
}

/// `EXTRACT(year FROM x)`, `TRIM(BOTH FROM x)`: FROM of a call.
fn inside_a_call(tokens: &Tokens<'_>, at: usize) -> bool {
    let Some(depth) = tokens.get(at).map(|token| token.depth) else { return false };
    let opens = (0..at).rev().find(|place| tokens.is(*place, "(") && tokens.get(*place).is_some_and(|token| token.depth + 1 == depth));
    depth > 0 && opens.is_some_and(|opens| opens > 0 && tokens.is_any(opens - 1, &["extract", "trim", "substring", "position", "overlay"]))
}

fn check_name(tokens: &Tokens<'_>, call: &Call, reads: bool, found: &mut Findings) {
    let (name, range) = (tokens.word(call.name), tokens.range(call.name, call.name));
    // `CREATE TABLE format (…)`, `INSERT INTO mode (…)`, `AS age (…)`: names of relations.
    let is_relation = call.name > 0
        && tokens.is_any(call.name - 1, &["table", "into", "view", "as", "exists", "update", "on", "index"])
        && !(tokens.is(call.name - 1, "on") && tokens.is_any(0, &["select", "with", "insert", "create"]));
    if is_relation {
        return;
    }
    if let Some((_, fact, help)) = UNKNOWN.iter().find(|(known, ..)| *known == name) {
        found.refuse(range.clone(), *fact, format!("there is no function {}", name.to_uppercase()), Some(help));
    }
    if let Some((_, fact, help)) = LEADER.iter().find(|(known, ..)| *known == name)
        && (reads || name == "generate_series")
    {
        let message = format!("{} is of the leader node: it cannot stand beside a table", name.to_uppercase());
        found.refuse(range, *fact, message, Some(help));
    }
}

fn check_arguments(tokens: &Tokens<'_>, call: &Call, found: &mut Findings) {
    let name = tokens.word(call.name);
    let count = call.arguments.len();
    let whole = tokens.range(call.name, tokens.behind(call.name + 1) - 1);
    let argument = |at: usize| call.arguments.get(at).cloned().unwrap_or(0..0);
    let is_negative = |at: usize| tokens.is(argument(at).start, "-") && argument(at).len() == 2;
    let is_text = |at: usize| argument(at).len() == 1 && tokens.kind(argument(at).start) == Some(Kind::Text);
    match name.as_str() {
        "concat" if count != 2 => found.refuse(whole, 57, "CONCAT takes two arguments", Some("write || and COALESCE")),
        "log" if count > 1 => found.refuse(whole, 49, "LOG takes one argument", Some("divide logarithms: LN(x) / LN(b)")),
        "lag" | "lead" if count > 2 => {
            found.refuse(whole, 117, format!("{} takes no default", name.to_uppercase()), Some("tell the first row by ROW_NUMBER"));
        }
        "to_timestamp" if count == 1 => {
            found.refuse(whole, 104, "TO_TIMESTAMP takes a text and a format", Some("write TIMESTAMP 'epoch' + x * INTERVAL '1 second'"));
        }
        "listagg" if call.within.is_none() && argument(0).chain(argument(1)).any(|at| tokens.are(at, &["order", "by"])) => {
            found.refuse(whole, 61, "the order of LISTAGG stands behind it", Some("LISTAGG(x, ',') WITHIN GROUP (ORDER BY k)"));
        }
        "listagg" if count > 1 && !is_text(1) => found.refuse(whole, 61, "the delimiter of LISTAGG must be a constant", None),
        "regexp_replace" if count > 3 && is_text(3) => {
            found.refuse(whole, 80, "the fourth argument of REGEXP_REPLACE is a position", Some("all matches are replaced: leave 'g' out"));
        }
        "left" | "right" if is_negative(1) => {
            found.refuse(whole, 67, format!("the length of {} must not be negative", name.to_uppercase()), Some("use SUBSTRING and LEN"));
        }
        "split_part" if is_negative(2) => found.refuse(whole, 68, "SPLIT_PART counts from the left only", Some("use REVERSE")),
        "json_extract_path_text" if count > 7 => found.refuse(whole, 145, "JSON_EXTRACT_PATH_TEXT takes at most five keys", None),
        "substring" if argument(0).any(|at| tokens.is(at, "from") && tokens.kind(at + 1) == Some(Kind::Text)) => {
            found.refuse(whole, 82, "SUBSTRING takes no pattern", Some("use NULLIF(REGEXP_SUBSTR(s, p, 1, 1, 'e'), '')"));
        }
        "decode" if count == 2 => found.refuse(whole, 74, "DECODE is the function that compares", Some("use FROM_HEX or TO_VARBYTE")),
        "percentile_cont" | "percentile_disc" if call.within.is_none() => {
            found.refuse(whole, 110, format!("{} needs WITHIN GROUP", name.to_uppercase()), None);
        }
        _ => {}
    }
    if name != "listagg" && AGGREGATES.contains(&name.as_str()) {
        let ordered = call.arguments.last().and_then(|last| tokens.find(last.clone(), "order"));
        if let Some(at) = ordered.filter(|at| tokens.is(at + 1, "by")) {
            found.refuse(tokens.range(at, at + 1), 61, format!("{} takes no ORDER BY", name.to_uppercase()), None);
        }
    }
}

fn check_window(tokens: &Tokens<'_>, call: &Call, found: &mut Findings) {
    let Some(over) = call.over.clone() else { return };
    let name = tokens.word(call.name);
    let order = tokens.find(over.clone(), "order");
    let frame = tokens.find(over.clone(), "rows").or_else(|| tokens.find(over.clone(), "range"));
    if AGGREGATES.contains(&name.as_str()) && order.is_some() && frame.is_none() {
        let range = tokens.range(call.name, over.end);
        let help =
            Some("without one it is of ranges elsewhere: ROWS UNBOUNDED PRECEDING is the same only where no two rows are equal in order");
        found.refuse(range, 115, format!("{} with an order needs a frame of ROWS", name.to_uppercase()), help);
    }
    if let Some(partition) = tokens.find(over.clone(), "partition") {
        let end = order.or(frame).unwrap_or(over.end);
        for item in tokens.parts(partition + 2..end) {
            if item.len() == 1 && tokens.kind(item.start) == Some(Kind::Text) {
                found.refuse(
                    tokens.range(item.start, item.start),
                    120,
                    "a constant in PARTITION BY is not supported",
                    Some("leave it out"),
                );
            }
        }
    }
}

/// One order for all of a SELECT, fact 64.
fn orders_of_groups(tokens: &Tokens<'_>, calls: &[Call], found: &mut Findings) {
    let text = |range: &std::ops::Range<usize>| {
        range
            .clone()
            .map(|at| tokens.name(at).unwrap_or_else(|| tokens.get(at).map_or("", |token| token.text).to_owned()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut known: Vec<(usize, String)> = Vec::new();
    for call in calls {
        let Some(within) = &call.within else { continue };
        let select = select_of(tokens, call.name);
        let order = text(within);
        match known.iter().find(|(other, _)| *other == select) {
            Some((_, other)) if *other != order => found.refuse(
                tokens.range(within.start, within.end.saturating_sub(1)),
                64,
                "all WITHIN GROUP of a SELECT have one order",
                Some("put them into queries of their own"),
            ),
            Some(_) => {}
            None => known.push((select, order)),
        }
    }
}

/// The SELECT that a token belongs to.
fn select_of(tokens: &Tokens<'_>, at: usize) -> usize {
    let depth = tokens.get(at).map_or(0, |token| token.depth);
    let mut lowest = depth;
    for place in (0..at).rev() {
        let Some(token) = tokens.get(place) else { continue };
        if token.depth <= lowest && tokens.is(place, "select") {
            return place;
        }
        lowest = lowest.min(token.depth);
    }
    0
}
