//! Statements of snapshots: history kept by rows with an interval of validity.

use super::steps::{Statement, print_names};
use crate::base::{Relation, quote_ident};
use crate::plan::{DeletedRows, SnapshotSpec, SnapshotStrategy};

/// The moment of the snapshot as UTC without a zone; the same throughout a transaction.
const NOW: &str = "cast(now() at time zone 'UTC' as timestamp)";

/// The column of the changes that says from when on they hold.
const MOMENT: &str = "acca_valid_from";

fn now(spec: &SnapshotSpec) -> &str {
    spec.now.as_deref().unwrap_or(NOW)
}

fn updated_at(spec: &SnapshotSpec) -> String {
    match &spec.strategy {
        SnapshotStrategy::Timestamp(expression) => expression.clone(),
        SnapshotStrategy::Check(_) => now(spec).to_owned(),
    }
}

/// A hash of the keys and the moment: dbt's `dbt_scd_id`. The separator keeps ('a', 'bc') apart from ('ab', 'c').
fn scd_id(keys: &[String], qualifier: &str, moment: &str) -> String {
    let parts = keys.iter().map(|key| format!("coalesce(cast({qualifier}{key} as varchar), '')"));
    let all: Vec<String> = parts.chain([format!("coalesce(cast({moment} as varchar), '')")]).collect();
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

fn matching(spec: &SnapshotSpec, left: &str, right: &str) -> String {
    spec.keys.iter().map(|key| format!("{left}.{key} = {right}.{key}")).collect::<Vec<_>>().join(" and ")
}

/// `create table … as` for the first run: every row is current.
pub(super) fn first(table: &Relation, spec: &SnapshotSpec) -> Statement {
    let moment = updated_at(spec);
    let names = &spec.names;
    // The end of an interval is of the type of its beginning.
    let end = match &spec.open_end {
        None => format!("nullif({moment}, {moment})"),
        Some(end) => format!("coalesce(nullif({moment}, {moment}), {end})"),
    };
    let mark = match spec.deleted {
        DeletedRows::Record => format!(",\n    cast('False' as varchar) as {}", names.is_deleted),
        DeletedRows::Ignore | DeletedRows::Close => String::new(),
    };
    let head = format!(
        "create table {} as\nselect\n    *,\n    {} as {},\n    {moment} as {},\n    {moment} as {},\n    {end} as {}{mark}\nfrom (\n",
        table.quoted(),
        scd_id(&spec.keys, "", &moment),
        names.scd_id,
        names.updated_at,
        names.valid_from,
        names.valid_to,
    );
    let at = head.len();
    Statement::from((format!("{head}{}\n) as source_rows", spec.query), at))
}

/// Rows that are new or have changed since the current version, with the moment of the change.
pub(super) fn changes(name: &str, spec: &SnapshotSpec) -> Statement {
    let names = &spec.names;
    let head = format!(
        "create temporary table {} as\nwith source_rows as (\n    select *, {} as acca_updated_at\n    from (\n",
        quote_ident(name),
        updated_at(spec)
    );
    let at = head.len();
    let mut changed = match &spec.strategy {
        SnapshotStrategy::Timestamp(_) => format!("source_rows.acca_updated_at > live.{}", names.valid_from),
        SnapshotStrategy::Check(columns) => {
            let compared =
                if columns.is_empty() { spec.columns.iter().map(|column| quote_ident(column)).collect() } else { columns.clone() };
            compared
                .iter()
                .map(|column| format!("live.{column} is distinct from source_rows.{column}"))
                .collect::<Vec<_>>()
                .join("\n    or ")
        }
    };
    let mut moment = "source_rows.acca_updated_at".to_owned();
    if spec.deleted == DeletedRows::Record {
        // A row that comes back as it was ends the record of its deletion, and not before that began.
        let marked = is_marked_deleted(spec, "live");
        changed.push_str(&format!("\n    or {marked}"));
        moment = format!("case when {marked} and {moment} <= live.{} then {} else {moment} end", names.valid_from, now(spec));
    }
    let columns: String = spec.columns.iter().map(|column| format!("source_rows.{}, ", quote_ident(column))).collect();
    let tail = format!(
        "\n    ) as query_rows\n)\nselect {columns}{moment} as {MOMENT}\nfrom source_rows\nleft join {} as live\n    on {} and {}\n\
         where live.{} is null\n    or {changed}",
        spec.target.quoted(),
        matching(spec, "live", "source_rows"),
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
pub(super) fn apply(name: &str, spec: &SnapshotSpec) -> Vec<String> {
    let target = spec.target.quoted();
    let names = &spec.names;
    let changes = quote_ident(name);
    let mut statements = vec![format!(
        "update {target} as live\nset {} = changes.{MOMENT}\nfrom {changes} as changes\nwhere {} and {}",
        names.valid_to,
        matching(spec, "live", "changes"),
        is_current(spec, "live"),
    )];
    let end = spec.open_end.as_deref().unwrap_or("null");
    let columns = print_names(&spec.columns);
    let own = format!("{}, {}, {}, {}", names.scd_id, names.updated_at, names.valid_from, names.valid_to);
    let gone = format!(
        "{}\n  and not exists (\n    select 1\n    from (\n{}\n    ) as source_rows\n    where {}\n)",
        is_current(spec, "live"),
        source_rows(spec),
        matching(spec, "source_rows", "live")
    );
    let now = now(spec);
    let close = |also: &str| format!("update {target} as live\nset {} = {now}\nwhere {gone}{also}", names.valid_to);
    match spec.deleted {
        DeletedRows::Ignore => {}
        DeletedRows::Close => statements.push(close("")),
        DeletedRows::Record => {
            let not_marked = format!("\n  and not {}", is_marked_deleted(spec, "live"));
            statements.push(format!(
                "insert into {target} ({columns}, {own}, {})\nselect {columns}, {}, {now}, {now}, {end}, 'True'\nfrom {target} as live\nwhere {gone}{not_marked}",
                names.is_deleted,
                scd_id(&spec.keys, "live.", now),
            ));
            statements.push(close(&not_marked));
        }
    }
    let (mark, unmarked) = match spec.deleted {
        DeletedRows::Record => (format!(", {}", names.is_deleted), ", 'False'"),
        DeletedRows::Ignore | DeletedRows::Close => (String::new(), ""),
    };
    statements.push(format!(
        "insert into {target} ({columns}, {own}{mark})\nselect {columns}, {}, {MOMENT}, {MOMENT}, {end}{unmarked}\nfrom {changes}",
        scd_id(&spec.keys, "", MOMENT)
    ));
    statements
}
