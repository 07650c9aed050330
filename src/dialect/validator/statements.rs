//! Statements that define or change: what Redshift has none of, and the limits of what it has.

use super::scan::{Kind, Tokens};
use super::type_names::{columns, definition};
use super::{Findings, external};

/// Columns of a table, and bytes of a name.
const MAX_COLUMNS: usize = 1600;
const MAX_NAME: usize = 127;

pub(super) fn check(tokens: &Tokens<'_>, found: &mut Findings) {
    for at in 0..tokens.len() {
        if tokens.kind(at) == Some(Kind::Name) && tokens.name(at).is_some_and(|name| name.len() > MAX_NAME) {
            found.refuse(tokens.range(at, at), 169, format!("a name has at most {MAX_NAME} bytes"), None);
        }
    }
    match tokens.word(0).as_str() {
        "create" => create(tokens, found),
        "alter" => alter(tokens, found),
        "insert" => insert(tokens, found),
        "with" => with(tokens, found),
        "update" => update(tokens, found),
        "delete" => delete(tokens, found),
        "merge" => merge(tokens, found),
        "copy" => copy(tokens, found),
        "unload" => unload(tokens, found),
        "refresh" => refresh(tokens, found),
        "lock" => lock(tokens, found),
        "truncate" => truncate(tokens, found),
        "drop" => drop(tokens, found),
        "savepoint" => whole(tokens, found, 198, "savepoints are not supported", None),
        "release" => whole(tokens, found, 198, "savepoints are not supported", None),
        "rollback" if tokens.is(1, "to") => whole(tokens, found, 198, "savepoints are not supported", None),
        "values" => whole(tokens, found, 128, "VALUES is not supported as a query", Some("write SELECT … UNION ALL SELECT …")),
        "do" => whole(tokens, found, 192, "DO is not supported", Some("write a stored procedure")),
        "listen" | "notify" | "unlisten" | "cluster" | "reindex" | "discard" | "checkpoint" => {
            whole(tokens, found, 174, format!("{} is not supported", tokens.word(0).to_uppercase()), None);
        }
        "prepare" => prepare(tokens, found),
        _ => {}
    }
}

/// What cannot run while a transaction is open: facts 178, 188, 193, 194.
pub(super) fn check_in_transaction(tokens: &Tokens<'_>, found: &mut Findings) {
    match (tokens.word(0).as_str(), tokens.word(1).as_str()) {
        ("truncate", _) => whole(tokens, found, 193, "TRUNCATE commits the transaction", Some("use DELETE in a transaction")),
        ("vacuum", _) => whole(tokens, found, 194, "VACUUM cannot run in a transaction", None),
        ("create" | "drop", "database") => whole(tokens, found, 194, "a database is not made or dropped in a transaction", None),
        ("create" | "alter", "external") | ("drop", "external") if tokens.is(2, "table") => {
            whole(tokens, found, 194, "an external table is not defined in a transaction", None);
        }
        ("refresh", "materialized") => whole(tokens, found, 188, "REFRESH MATERIALIZED VIEW is a transaction of its own", None),
        ("alter", "table")
            if (2..tokens.len()).any(|at| tokens.is(at, "type")) && (2..tokens.len()).any(|at| tokens.are(at, &["alter", "column"])) =>
        {
            whole(
                tokens,
                found,
                178,
                "the type of a column is not altered in a transaction",
                Some("add a column, fill it, drop the old one and rename"),
            );
        }
        ("alter", "table") if external::adds_partitions(tokens) => {
            whole(tokens, found, 194, "partitions of an external table are not added in a transaction", None);
        }
        _ => {}
    }
}

fn whole(tokens: &Tokens<'_>, found: &mut Findings, fact: u16, message: impl Into<String>, help: Option<&'static str>) {
    found.refuse(tokens.range(0, tokens.len().saturating_sub(1)), fact, message, help);
}

/// From the first token to that one.
fn head(tokens: &Tokens<'_>, last: usize, found: &mut Findings, fact: u16, message: impl Into<String>, help: Option<&'static str>) {
    found.refuse(tokens.range(0, last), fact, message, help);
}

fn create(tokens: &Tokens<'_>, found: &mut Findings) {
    let replace = tokens.are(1, &["or", "replace"]);
    let at = if replace { 3 } else { 1 };
    match tokens.word(at).as_str() {
        "index" => head(tokens, at, found, 172, "there are no indexes", Some("leave it out; sort keys take their place")),
        "unique" if tokens.is(at + 1, "index") => {
            head(tokens, at + 1, found, 172, "there are no indexes", Some("leave it out; sort keys take their place"))
        }
        "table" if replace => {
            head(tokens, at, found, 166, "CREATE OR REPLACE TABLE is not supported", Some("build beside, rename, and drop"))
        }
        "unlogged" => head(tokens, at, found, 173, "there are no unlogged tables", Some("leave the word out")),
        word @ ("sequence" | "trigger" | "domain" | "type" | "extension" | "rule" | "operator" | "aggregate" | "collation" | "policy"
        | "publication" | "subscription" | "cast" | "tablespace" | "conversion" | "statistics") => {
            head(tokens, at, found, 174, format!("CREATE {} is not supported", word.to_uppercase()), None);
        }
        "foreign" if tokens.is(at + 1, "table") => {
            head(tokens, at + 1, found, 214, "there are no foreign tables", Some("CREATE EXTERNAL TABLE"))
        }
        "function" => function(tokens, found),
        "external" if tokens.is(2, "schema") => external::schema(tokens, found),
        "external" if tokens.is(2, "table") => external::table(tokens, found),
        "materialized" => materialized_view(tokens, found),
        "view" => view(tokens, at, found),
        _ => {}
    }
    if (1..5).any(|at| tokens.is(at, "table")) && !tokens.is(at, "external") {
        table(tokens, found);
    }
}

fn table(tokens: &Tokens<'_>, found: &mut Findings) {
    let temporary = (1..4).any(|at| tokens.is_any(at, &["temp", "temporary"]));
    let name =
        (1..5).find(|at| tokens.is(*at, "table")).map(|at| if tokens.are(at + 1, &["if", "not", "exists"]) { at + 4 } else { at + 1 });
    if let Some(name) = name.filter(|name| temporary && tokens.is(name + 1, ".")) {
        found.refuse(tokens.range(name, name + 2), 190, "a temporary table has no schema", Some("leave the schema out"));
    }
    let body = definition(tokens);
    let end = (0..tokens.len()).find(|at| tokens.is(*at, "as") && tokens.get(*at).is_some_and(|token| token.depth == 0));
    attributes(tokens, end.unwrap_or(tokens.len()), found);
    let Some(body) = body else { return };
    let columns = columns(tokens);
    if columns.len() > MAX_COLUMNS {
        found.refuse(tokens.range(body.start, body.end), 169, format!("a table has at most {MAX_COLUMNS} columns"), None);
    }
    for at in body.clone() {
        let behind = |words: &[&str]| tokens.are(at, words);
        let own = tokens.get(at).is_some_and(|token| Some(token.depth) == tokens.get(body.start).map(|first| first.depth));
        if !own {
            continue;
        }
        if behind(&["check", "("]) {
            found.refuse(tokens.range(at, at), 162, "CHECK is not supported", Some("test the rule instead"));
        } else if behind(&["exclude"]) && tokens.is_any(at + 1, &["using", "("]) {
            found.refuse(tokens.range(at, at), 162, "EXCLUDE is not supported", Some("test the rule instead"));
        } else if behind(&["as", "identity"]) && !tokens.is(at + 2, "(") {
            found.refuse(tokens.range(at, at + 1), 30, "IDENTITY needs a seed and a step", Some("IDENTITY(1, 1)"));
        } else if behind(&["generated", "always", "as", "identity"]) {
            found.refuse(tokens.range(at, at + 3), 30, "GENERATED ALWAYS AS IDENTITY is not supported", Some("IDENTITY(1, 1)"));
        } else if behind(&["generated", "always", "as", "("]) {
            found.refuse(tokens.range(at, at + 2), 175, "there are no generated columns", Some("compute the value in the model"));
        } else if behind(&["default", "(", "select"]) {
            found.refuse(tokens.range(at, at + 2), 176, "a default holds no query", None);
        } else if behind(&["deferrable"]) || behind(&["initially", "deferred"]) {
            found.refuse(tokens.range(at, at), 160, "constraints are told, not enforced: there is nothing to defer", None);
        }
    }
}

/// What stands outside of the columns: how rows are stored.
fn attributes(tokens: &Tokens<'_>, end: usize, found: &mut Findings) {
    let depth = |at: usize| tokens.get(at).map_or(0, |token| token.depth);
    let mut keys = 0;
    for at in 0..end {
        if tokens.is(at, "distkey") {
            keys += if tokens.is(at + 1, "(") { tokens.parts(at + 2..tokens.behind(at + 1).saturating_sub(1)).len() } else { 1 };
            if keys > 1 {
                found.refuse(tokens.range(at, at), 168, "a table has one DISTKEY", None);
            }
        }
        if depth(at) > 0 {
            continue;
        }
        if tokens.is(at, "sortkey") && tokens.is(at + 1, "(") {
            let columns = tokens.parts(at + 2..tokens.behind(at + 1).saturating_sub(1)).len();
            let interleaved = at > 0 && tokens.is(at - 1, "interleaved");
            let most = if interleaved { 8 } else { 400 };
            if columns > most {
                found.refuse(tokens.range(at, at), 168, format!("such a SORTKEY has at most {most} columns"), None);
            }
        }
        if tokens.are(at, &["partition", "by"]) || tokens.are(at, &["partition", "of"]) {
            found.refuse(
                tokens.range(at, at + 1),
                173,
                "tables are not partitioned",
                Some("leave it out; sort and distribution keys take its place"),
            );
        }
        if tokens.are(at, &["inherits", "("]) {
            found.refuse(tokens.range(at, at), 173, "there is no inheritance of tables", None);
        }
        if tokens.is(at, "tablespace") {
            found.refuse(tokens.range(at, at), 173, "there are no tablespaces", None);
        }
        if tokens.are(at, &["with", "("]) {
            found.refuse(tokens.range(at, at), 173, "storage parameters are not supported", None);
        }
        if tokens.are(at, &["on", "commit"]) {
            found.refuse(tokens.range(at, at + 1), 190, "ON COMMIT is not supported", None);
        }
    }
}

fn function(tokens: &Tokens<'_>, found: &mut Findings) {
    for at in 0..tokens.len() {
        if tokens.is(at, "language") {
            match tokens.word(at + 1).as_str() {
                "plpythonu" => {
                    found.refuse(tokens.range(at, at + 1), 192, "new functions in Python are not taken", Some("use a Lambda function"))
                }
                "plpgsql" => found.refuse(tokens.range(at, at + 1), 192, "a function is written in SQL; PL/pgSQL is for procedures", None),
                _ => {}
            }
        }
        if tokens.are(at, &["returns", "table"]) || tokens.are(at, &["returns", "setof"]) {
            found.refuse(tokens.range(at, at + 1), 192, "functions return one value", None);
        }
    }
}

fn materialized_view(tokens: &Tokens<'_>, found: &mut Findings) {
    external::refreshed_by_itself(tokens, found);
    let with = (0..tokens.len()).find(|at| tokens.is(*at, "with") && tokens.is_any(at + 1, &["data", "no"]) && *at > 3);
    if let Some(at) = with {
        found.refuse(tokens.range(at, tokens.len() - 1), 187, "WITH DATA is not supported", Some("leave it out"));
    }
    if tokens.are(2, &["view", "if"]) {
        head(tokens, 3, found, 187, "IF NOT EXISTS of a materialized view is not supported", None);
    }
    for at in 0..tokens.len() {
        let outer = tokens.get(at).is_some_and(|token| token.depth == 0);
        if outer && (tokens.are(at, &["order", "by"]) || tokens.is(at, "limit")) {
            found.refuse(tokens.range(at, at), 187, "a materialized view has neither ORDER BY nor LIMIT", None);
        }
    }
}

fn view(tokens: &Tokens<'_>, at: usize, found: &mut Findings) {
    let late = (at..tokens.len()).any(|at| tokens.are(at, &["with", "no", "schema", "binding"]));
    if !late {
        return;
    }
    let ctes: Vec<String> = (at..tokens.len())
        .filter(|place| tokens.is_any(place.saturating_sub(1), &["with", ","]) && tokens.are(place + 1, &["as", "("]))
        .filter_map(|place| tokens.name(place))
        .collect();
    for place in at..tokens.len() {
        let names = tokens.is_any(place, &["from", "join"]) && matches!(tokens.kind(place + 1), Some(Kind::Word | Kind::Name));
        let first = tokens.name(place + 1).unwrap_or_default();
        let other = ["select", "lateral"].contains(&first.as_str()) || ctes.contains(&first) || tokens.is(place + 2, "(");
        let in_call = tokens.get(place).is_some_and(|token| token.depth > 0)
            && (0..place)
                .rev()
                .find(|before| {
                    tokens.is(*before, "(") && tokens.get(*before).and_then(|opens| opens.partner).is_some_and(|closes| closes > place)
                })
                .is_some_and(|opens| opens > 0 && tokens.is_any(opens - 1, &["extract", "trim", "substring"]));
        if names && !other && !in_call && !tokens.is(place + 2, ".") {
            found.refuse(
                tokens.range(place + 1, place + 1),
                184,
                format!("a view that binds late names schemas: '{first}' has none"),
                Some("write schema.table"),
            );
        }
    }
}

fn alter(tokens: &Tokens<'_>, found: &mut Findings) {
    if tokens.is_any(1, &["index", "sequence", "domain", "type", "extension", "trigger"]) {
        return head(tokens, 1, found, 174, format!("ALTER {} is not supported", tokens.word(1).to_uppercase()), None);
    }
    if tokens.are(1, &["materialized", "view"]) && (3..tokens.len()).any(|at| tokens.are(at, &["rename", "to"])) {
        return whole(tokens, found, 187, "a materialized view cannot be renamed", Some("make it anew"));
    }
    if !tokens.is(1, "table") {
        return;
    }
    if external::adds_partitions(tokens) {
        return external::partitions(tokens, found);
    }
    let outer = |at: &usize| tokens.get(*at).is_some_and(|token| token.depth == 0);
    let several =
        (2..tokens.len()).filter(outer).find(|at| tokens.is(*at, ",") && tokens.is_any(at + 1, &["add", "drop", "rename", "alter"]));
    if let Some(at) =
        several.filter(|at| !(tokens.is(at + 1, "alter") && (2..*at).any(|at| tokens.is_any(at, &["sortkey", "diststyle", "distkey"]))))
    {
        found.refuse(tokens.range(at, at + 1), 177, "ALTER TABLE takes one action", Some("one statement for each action"));
    }
    for at in 2..tokens.len() {
        if tokens.are(at, &["alter", "column"]) || tokens.is(at, "alter") && tokens.is(at + 2, "type") {
            let column = if tokens.is(at + 1, "column") { at + 2 } else { at + 1 };
            alter_column(tokens, at, column, found);
        }
        if tokens.is(at, "add") && tokens.is_any(at + 1, &["check", "exclude"]) {
            found.refuse(
                tokens.range(at, at + 1),
                162,
                format!("{} is not supported", tokens.word(at + 1).to_uppercase()),
                Some("test the rule instead"),
            );
        }
        if tokens.are(at, &["add", "constraint"]) && tokens.is_any(at + 3, &["check", "exclude"]) {
            found.refuse(
                tokens.range(at, at + 3),
                162,
                format!("{} is not supported", tokens.word(at + 3).to_uppercase()),
                Some("test the rule instead"),
            );
        }
        if tokens.are(at, &["if", "exists"]) && at == 2
            || tokens.are(at, &["add", "column", "if"])
            || tokens.are(at, &["drop", "column", "if"])
        {
            found.refuse(tokens.range(at, at + 1), 177, "IF EXISTS of ALTER TABLE is not supported", None);
        }
        if tokens.is_any(at, &["inherit", "attach", "detach", "enable", "disable"])
            && tokens.get(at).is_some_and(|token| token.depth == 0)
            && at > 2
        {
            found.refuse(tokens.range(at, at), 173, format!("{} is not supported", tokens.word(at).to_uppercase()), None);
        }
    }
    let adds = (2..tokens.len()).find(|at| tokens.are(*at, &["add", "column"]));
    let bare = adds.filter(|at| {
        (*at..tokens.len()).any(|at| tokens.are(at, &["not", "null"])) && !(*at..tokens.len()).any(|at| tokens.is(at, "default"))
    });
    if let Some(at) = bare {
        found.refuse(tokens.range(at, at + 2), 177, "a new column that is NOT NULL needs a default", None);
    }
}

fn alter_column(tokens: &Tokens<'_>, at: usize, column: usize, found: &mut Findings) {
    let action = column + 1;
    if tokens.are(action, &["set", "not"]) || tokens.are(action, &["drop", "not"]) {
        found.refuse(tokens.range(at, action + 2), 179, "NOT NULL of a column is not altered", Some("make the table anew"));
    } else if tokens.are(action, &["set", "default"]) || tokens.are(action, &["drop", "default"]) {
        found.refuse(tokens.range(at, action + 1), 179, "the default of a column is not altered", Some("make the table anew"));
    } else if tokens.is(action, "type") || tokens.are(action, &["set", "data"]) {
        let of = if tokens.is(action, "type") { action + 1 } else { action + 3 };
        let sized = tokens.is_any(of, &["varchar", "varbyte", "nvarchar"]) || tokens.are(of, &["character", "varying"]);
        if !sized {
            found.refuse(
                tokens.range(at, of),
                178,
                "only the size of a VARCHAR is altered",
                Some("add a column, fill it, drop the old one and rename"),
            );
        }
        if (of..tokens.len()).any(|at| tokens.is(at, "using")) {
            found.refuse(tokens.range(at, of), 178, "ALTER COLUMN TYPE takes no USING", None);
        }
    }
}

fn insert(tokens: &Tokens<'_>, found: &mut Findings) {
    let rows = (0..tokens.len()).find(|at| tokens.is(*at, "values") && tokens.get(*at).is_some_and(|token| token.depth == 0));
    let Some(values) = rows else { return };
    let several = tokens.is(tokens.behind(values + 1), ",");
    let query = (values..tokens.len()).find(|at| tokens.are(*at, &["(", "select"]));
    if let Some(at) = query.filter(|_| several) {
        found.refuse(tokens.range(at, at + 1), 159, "VALUES of many rows holds no query", Some("INSERT … SELECT"));
    }
}

/// WITH stands behind INSERT INTO, fact 158; data is not changed in it, fact 135.
fn with(tokens: &Tokens<'_>, found: &mut Findings) {
    for at in 1..tokens.len() {
        let depth = tokens.get(at).map_or(0, |token| token.depth);
        if depth == 0 && tokens.is(at - 1, ")") && tokens.is_any(at, &["insert", "update", "delete", "merge"]) {
            found.refuse(
                tokens.range(0, at),
                158,
                format!("WITH does not stand before {}", tokens.word(at).to_uppercase()),
                Some("put it behind INSERT INTO …"),
            );
        }
        if tokens.is(at - 1, "(") && tokens.are(at, &["insert", "into"]) || tokens.is(at - 1, "(") && tokens.are(at, &["delete", "from"]) {
            found.refuse(tokens.range(at, at + 1), 135, "data is not changed in WITH", None);
        }
        if tokens.is(at - 1, "(") && tokens.is(at, "update") && tokens.kind(at + 1) == Some(Kind::Word) && tokens.is(at + 2, "set") {
            found.refuse(tokens.range(at, at), 135, "data is not changed in WITH", None);
        }
    }
}

fn update(tokens: &Tokens<'_>, found: &mut Findings) {
    let Some(set) = (0..tokens.len()).find(|at| tokens.is(*at, "set") && tokens.get(*at).is_some_and(|token| token.depth == 0)) else {
        return;
    };
    let end =
        (set..tokens.len()).find(|at| tokens.get(*at).is_some_and(|token| token.depth == 0) && tokens.is_any(*at, &["from", "where"]));
    assignments(tokens, set + 1..end.unwrap_or(tokens.len()), found);
    outer_join(tokens, found);
}

fn assignments(tokens: &Tokens<'_>, inside: std::ops::Range<usize>, found: &mut Findings) {
    for part in tokens.parts(inside) {
        if tokens.is(part.start + 1, ".") {
            found.refuse(
                tokens.range(part.start, part.start + 2),
                156,
                "a column that is SET has no table before it",
                Some("leave the table out"),
            );
        }
        if tokens.is(part.start, "(") {
            found.refuse(tokens.range(part.start, part.start), 156, "columns are SET one by one", None);
        }
    }
}

/// UPDATE and DELETE join inside only, fact 144.
fn outer_join(tokens: &Tokens<'_>, found: &mut Findings) {
    for at in 0..tokens.len() {
        let outer = tokens.get(at).is_some_and(|token| token.depth == 0);
        if outer && tokens.is_any(at, &["left", "right", "full"]) && (tokens.is(at + 1, "join") || tokens.are(at + 1, &["outer", "join"])) {
            found.refuse(tokens.range(at, at + 1), 144, "UPDATE and DELETE take no outer joins", Some("join in a subquery"));
        }
    }
}

fn delete(tokens: &Tokens<'_>, found: &mut Findings) {
    let mut at = if tokens.is(1, "from") { 2 } else { 1 };
    while tokens.is(at + 1, ".") {
        at += 2;
    }
    let aliased = tokens.is(at + 1, "as")
        || matches!(tokens.kind(at + 1), Some(Kind::Name))
        || tokens.kind(at + 1) == Some(Kind::Word) && !tokens.is_any(at + 1, &["using", "where", "returning"]);
    if aliased {
        found.refuse(tokens.range(at, at + 1), 157, "the target of DELETE has no alias", Some("write its name"));
    }
    outer_join(tokens, found);
}

fn merge(tokens: &Tokens<'_>, found: &mut Findings) {
    let outer = |at: &usize| tokens.get(*at).is_some_and(|token| token.depth == 0);
    let Some(using) = (0..tokens.len()).filter(outer).find(|at| tokens.is(*at, "using")) else { return };
    if tokens.is(using + 1, "(") {
        found.refuse(tokens.range(using, using + 1), 153, "the source of MERGE is a table", Some("put its rows into a temporary table"));
    }
    if (0..tokens.len()).filter(outer).any(|at| tokens.are(at, &["remove", "duplicates"])) {
        return;
    }
    let whens: Vec<usize> = (using..tokens.len()).filter(outer).filter(|at| tokens.is(*at, "when")).collect();
    let matched = whens.iter().filter(|at| tokens.is(**at + 1, "matched")).count();
    if whens.len() != 2 || matched != 1 {
        found.refuse(tokens.range(0, 1), 152, "MERGE has one WHEN MATCHED and one WHEN NOT MATCHED", None);
    }
    for at in &whens {
        let word = if tokens.is(at + 1, "not") { at + 3 } else { at + 2 };
        if !tokens.is(word, "then") {
            found.refuse(tokens.range(*at, word), 152, "WHEN of MERGE takes no further condition", Some("filter the source"));
        }
        if tokens.are(word, &["then", "do"]) {
            found.refuse(tokens.range(word, word + 1), 152, "DO NOTHING is not supported", None);
        }
        if tokens.are(word, &["then", "update", "set"]) {
            let end = (word..tokens.len()).filter(outer).find(|at| tokens.is(*at, "when")).unwrap_or(tokens.len());
            assignments(tokens, word + 3..end, found);
        }
    }
}

fn copy(tokens: &Tokens<'_>, found: &mut Findings) {
    let from = (0..tokens.len()).find(|at| tokens.is(*at, "from"));
    match from {
        Some(at) if tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Text && token.text.starts_with("'s3://")) => {}
        Some(at)
            if tokens
                .get(at + 1)
                .is_some_and(|token| ["'emr://", "'dynamodb://", "'ssh"].iter().any(|kind| token.text.starts_with(kind))) => {}
        Some(at) => {
            found.refuse(tokens.range(at, at + 1), 205, "COPY reads S3, no file and no client", Some("COPY t FROM 's3://…' IAM_ROLE '…'"))
        }
        None => return whole(tokens, found, 205, "COPY writes nothing", Some("UNLOAD ('query') TO 's3://…'")),
    }
    let has = |word: &str| (0..tokens.len()).any(|at| tokens.is(at, word));
    if !has("iam_role") && !has("credentials") && !has("access_key_id") {
        whole(tokens, found, 205, "COPY needs the role that may read", Some("add IAM_ROLE"));
    }
    if (has("parquet") || has("orc")) && (has("maxerror") || has("ignoreallerrors")) {
        whole(tokens, found, 206, "COPY of Parquet and ORC bears no errors: no MAXERROR", None);
    }
}

fn unload(tokens: &Tokens<'_>, found: &mut Findings) {
    let has = |word: &str| (0..tokens.len()).any(|at| tokens.is(at, word));
    if has("allowoverwrite") && has("cleanpath") {
        whole(tokens, found, 212, "UNLOAD takes either ALLOWOVERWRITE or CLEANPATH", None);
    }
    if !has("iam_role") && !has("credentials") && !has("access_key_id") {
        whole(tokens, found, 212, "UNLOAD needs the role that may write", Some("add IAM_ROLE"));
    }
    if !tokens.is(1, "(") || tokens.kind(2) != Some(Kind::Text) {
        whole(tokens, found, 212, "the query of UNLOAD is a literal", Some("UNLOAD ('select …')"));
    }
}

fn refresh(tokens: &Tokens<'_>, found: &mut Findings) {
    if let Some(at) = (0..tokens.len()).find(|at| tokens.is(*at, "concurrently")) {
        found.refuse(tokens.range(at, at), 188, "CONCURRENTLY is not supported", Some("leave it out"));
    }
}

fn lock(tokens: &Tokens<'_>, found: &mut Findings) {
    if let Some(at) = (0..tokens.len()).find(|at| tokens.is(*at, "in") && !tokens.are(at + 1, &["access", "exclusive"])) {
        found.refuse(tokens.range(at, tokens.len() - 1), 197, "LOCK takes ACCESS EXCLUSIVE only", Some("leave the mode out"));
    }
    if (0..tokens.len()).any(|at| tokens.is(at, "nowait")) {
        whole(tokens, found, 197, "NOWAIT is not supported", None);
    }
}

fn truncate(tokens: &Tokens<'_>, found: &mut Findings) {
    let several = (0..tokens.len()).any(|at| tokens.is(at, ","));
    let option = (1..tokens.len()).find(|at| tokens.is_any(*at, &["cascade", "restart", "continue", "restrict", "only"]));
    if several || option.is_some() {
        whole(tokens, found, 193, "TRUNCATE takes one table and no option", None);
    }
}

fn drop(tokens: &Tokens<'_>, found: &mut Findings) {
    if tokens.is_any(1, &["index", "sequence", "trigger", "domain", "type", "extension", "rule", "aggregate", "operator"]) {
        head(tokens, 1, found, 174, format!("DROP {} is not supported", tokens.word(1).to_uppercase()), None);
    }
}

/// Parameters are for SELECT and changes of data, fact 201.
fn prepare(tokens: &Tokens<'_>, found: &mut Findings) {
    if let Some(at) = (0..tokens.len()).find(|at| tokens.is(*at, "as") && tokens.is_any(at + 1, &["create", "alter", "drop"])) {
        found.refuse(tokens.range(at, at + 1), 201, "only SELECT and changes of data are prepared", None);
    }
}
