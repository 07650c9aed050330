//! Statements of snapshots: history kept by rows with an interval of validity.

use super::steps::{Statement, print_names, print_table};
use super::{Engine, redshift};
use crate::base::quote_ident;
use crate::plan::{DeletedRows, Physical, SNAPSHOT_MOMENT, SnapshotSpec, SnapshotStrategy, TableName};

/// The moment of the snapshot as UTC without a zone; the same throughout a transaction.
const NOW: &str = "cast(now() at time zone 'UTC' as timestamp)";
const NOW_ON_REDSHIFT: &str = "sysdate";

const MOMENT: &str = SNAPSHOT_MOMENT;

fn now(spec: &SnapshotSpec, engine: Engine) -> &str {
    spec.now.as_deref().unwrap_or(if engine == Engine::Redshift { NOW_ON_REDSHIFT } else { NOW })
}

fn updated_at(spec: &SnapshotSpec, engine: Engine) -> String {
    match &spec.strategy {
        SnapshotStrategy::Timestamp(expression) => expression.clone(),
        SnapshotStrategy::Check(_) => now(spec, engine).to_owned(),
    }
}

/// The type of text that cuts nothing: Redshift's `varchar` alone has 256 bytes.
fn text_type(engine: Engine) -> &'static str {
    if engine == Engine::Redshift { "varchar(65535)" } else { "varchar" }
}

/// Whether a column differs, NULL being a value. Redshift has no `is distinct from`, but its `decode` takes NULL for a value; it
/// does not see blanks at the end of text, which the length counts.
fn differs(spec: &SnapshotSpec, column: &str, engine: Engine) -> String {
    if engine != Engine::Redshift {
        return format!("live.{column} is distinct from source_rows.{column}");
    }
    let differs = format!("decode(live.{column}, source_rows.{column}, 0, 1) = 1");
    let plain = column.trim_matches('"');
    match spec.texts.iter().any(|text| text.eq_ignore_ascii_case(plain)) {
        true => format!("{differs}\n    or len(live.{column}) <> len(source_rows.{column})"),
        false => differs,
    }
}

/// How rows of the snapshot are called in a statement that changes them, and the words that begin it.
fn changed_rows(spec: &SnapshotSpec, engine: Engine) -> (String, String) {
    let target = spec.target.quoted();
    match engine {
        Engine::Redshift => (target.clone(), format!("update {target}")),
        Engine::DuckDb | Engine::Postgres => ("live".to_owned(), format!("update {target} as live")),
    }
}

/// A hash of the keys and the moment: dbt's `dbt_scd_id`. The separator keeps ('a', 'bc') apart from ('ab', 'c').
fn scd_id(keys: &[String], qualifier: &str, moment: &str, engine: Engine) -> String {
    let text = text_type(engine);
    let parts = keys.iter().map(|key| format!("coalesce(cast({qualifier}{key} as {text}), '')"));
    let all: Vec<String> = parts.chain([format!("coalesce(cast({moment} as {text}), '')")]).collect();
    format!("md5({})", all.join(" || '|' || "))
}

/// Whether a row of the snapshot is the current version of its key.
fn is_current(spec: &SnapshotSpec, alias: &str) -> String {
    let valid_to = &spec.names.valid_to;
    match &spec.open_end {
        None => format!("{alias}.{valid_to} is null"),
        Some(end) => format!("({alias}.{valid_to} is null or {alias}.{valid_to} = {end})"),
    }
}

fn is_marked_deleted(spec: &SnapshotSpec, alias: &str) -> String {
    format!("coalesce({alias}.{}, 'False') = 'True'", spec.names.is_deleted)
}

fn matching(spec: &SnapshotSpec, left: &str, right: &str, engine: Engine) -> String {
    let same = |key: &String| match engine {
        Engine::Redshift => redshift::same_key(left, right, key, &spec.texts),
        Engine::DuckDb | Engine::Postgres => format!("{left}.{key} = {right}.{key}"),
    };
    spec.keys.iter().map(same).collect::<Vec<_>>().join(" and ")
}

/// `create table … as` for the first run: every row is current.
pub(super) fn first(table: &TableName, spec: &SnapshotSpec, physical: &Physical, engine: Engine) -> Statement {
    let moment = updated_at(spec, engine);
    let names = &spec.names;
    // The end of an interval is of the type of its beginning.
    let end = match &spec.open_end {
        None => format!("nullif({moment}, {moment})"),
        Some(end) => format!("coalesce(nullif({moment}, {moment}), {end})"),
    };
    let mark = match spec.deleted {
        DeletedRows::Record => format!(",\n    cast('False' as {}) as {}", text_type(engine), names.is_deleted),
        DeletedRows::Ignore | DeletedRows::Close => String::new(),
    };
    let stored = if engine == Engine::Redshift { redshift::attributes(physical) } else { String::new() };
    let head = format!(
        "create {} {}{stored} as\nselect\n    *,\n    {} as {},\n    {moment} as {},\n    {moment} as {},\n    {end} as {}{mark}\nfrom (\n",
        if matches!(table, TableName::Temporary(_)) { "temporary table" } else { "table" },
        print_table(table),
        scd_id(&spec.keys, "", &moment, engine),
        names.scd_id,
        names.updated_at,
        names.valid_from,
        names.valid_to,
    );
    let at = head.len();
    Statement::from((format!("{head}{}\n) as source_rows", spec.query), at))
}

/// Rows that are new or have changed since the current version, with the moment of the change.
pub(super) fn changes(name: &str, spec: &SnapshotSpec, engine: Engine) -> Statement {
    let names = &spec.names;
    let head = format!(
        "create temporary table {} as\nwith source_rows as (\n    select *, {} as acca_updated_at\n    from (\n",
        quote_ident(name),
        updated_at(spec, engine)
    );
    let at = head.len();
    let mut changed = match &spec.strategy {
        SnapshotStrategy::Timestamp(_) => format!("source_rows.acca_updated_at > live.{}", names.valid_from),
        SnapshotStrategy::Check(columns) => {
            let compared =
                if columns.is_empty() { spec.columns.iter().map(|column| quote_ident(column)).collect() } else { columns.clone() };
            compared.iter().map(|column| differs(spec, column, engine)).collect::<Vec<_>>().join("\n    or ")
        }
    };
    let mut moment = "source_rows.acca_updated_at".to_owned();
    if spec.deleted == DeletedRows::Record {
        // A row that comes back as it was ends the record of its deletion, and not before that began.
        let marked = is_marked_deleted(spec, "live");
        changed.push_str(&format!("\n    or {marked}"));
        moment = format!("case when {marked} and {moment} <= live.{} then {} else {moment} end", names.valid_from, now(spec, engine));
    }
    let columns: String = spec.columns.iter().map(|column| format!("source_rows.{}, ", quote_ident(column))).collect();
    let tail = format!(
        "\n    ) as query_rows\n)\nselect {columns}{moment} as {MOMENT}\nfrom source_rows\nleft join {} as live\n    on {} and {}\n\
         where live.{} is null\n    or {changed}",
        spec.target.quoted(),
        matching(spec, "live", "source_rows", engine),
        is_current(spec, "live"),
        names.scd_id,
    );
    let sql = format!("{head}{}{tail}", source_rows(spec));
    if spec.rows.is_some() { Statement::plain(sql) } else { Statement::from((sql, at)) }
}

/// The query, or where its rows are.
fn source_rows(spec: &SnapshotSpec) -> String {
    spec.rows.as_ref().map_or_else(|| spec.query.clone(), |rows| format!("select * from {}", quote_ident(rows)))
}

/// Closes the current versions of what has changed or is gone; adds the new versions.
pub(super) fn apply(name: &str, spec: &SnapshotSpec, engine: Engine) -> Vec<String> {
    let target = spec.target.quoted();
    let names = &spec.names;
    let changes = quote_ident(name);
    let (changed, update) = changed_rows(spec, engine);
    let mut statements = vec![format!(
        "{update}\nset {} = changes.{MOMENT}\nfrom {changes} as changes\nwhere {} and {}",
        names.valid_to,
        matching(spec, &changed, "changes", engine),
        is_current(spec, &changed),
    )];
    let end = spec.open_end.as_deref().unwrap_or("null");
    let columns = print_names(&spec.columns);
    let own = format!("{}, {}, {}, {}", names.scd_id, names.updated_at, names.valid_from, names.valid_to);
    let gone = |rows: &str| {
        format!(
            "{}\n  and not exists (\n    select 1\n    from (\n{}\n    ) as source_rows\n    where {}\n)",
            is_current(spec, rows),
            source_rows(spec),
            matching(spec, "source_rows", rows, engine)
        )
    };
    let now = now(spec, engine);
    let close = |also: &str| format!("{update}\nset {} = {now}\nwhere {}{also}", names.valid_to, gone(&changed));
    match spec.deleted {
        DeletedRows::Ignore => {}
        DeletedRows::Close => statements.push(close("")),
        DeletedRows::Record => {
            let not_marked = |rows: &str| format!("\n  and not {}", is_marked_deleted(spec, rows));
            statements.push(format!(
                "insert into {target} ({columns}, {own}, {})\nselect {columns}, {}, {now}, {now}, {end}, 'True'\nfrom {target} as live\nwhere {}{}",
                names.is_deleted,
                scd_id(&spec.keys, "live.", now, engine),
                gone("live"),
                not_marked("live"),
            ));
            statements.push(close(&not_marked(&changed)));
        }
    }
    let (mark, unmarked) = match spec.deleted {
        DeletedRows::Record => (format!(", {}", names.is_deleted), ", 'False'"),
        DeletedRows::Ignore | DeletedRows::Close => (String::new(), ""),
    };
    statements.push(format!(
        "insert into {target} ({columns}, {own}{mark})\nselect {columns}, {}, {MOMENT}, {MOMENT}, {end}{unmarked}\nfrom {changes}",
        scd_id(&spec.keys, "", MOMENT, engine)
    ));
    statements
}
