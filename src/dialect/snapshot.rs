//! Statements of snapshots: history kept by rows with an interval of validity.

use super::steps::{Statement, print_names};
use crate::base::{Relation, quote_ident};
use crate::plan::{SnapshotSpec, SnapshotStrategy};

/// The moment of the snapshot as UTC without a zone; the same throughout a transaction.
const NOW: &str = "cast(now() at time zone 'UTC' as timestamp)";

fn updated_at(strategy: &SnapshotStrategy) -> String {
    match strategy {
        SnapshotStrategy::Timestamp(expression) => expression.clone(),
        SnapshotStrategy::Check(_) => NOW.to_owned(),
    }
}

/// A hash of the keys and the moment: dbt's `dbt_scd_id`. The separator keeps ('a', 'bc') apart from ('ab', 'c').
fn scd_id(keys: &[String], qualifier: &str, moment: &str) -> String {
    let parts = keys.iter().map(|key| format!("coalesce(cast({qualifier}{key} as varchar), '')"));
    let all: Vec<String> = parts.chain([format!("coalesce(cast({moment} as varchar), '')")]).collect();
    format!("md5({})", all.join(" || '|' || "))
}

/// `create table … as` for the first run: every row is current.
pub(super) fn first(table: &Relation, spec: &SnapshotSpec) -> Statement {
    let moment = updated_at(&spec.strategy);
    let head = format!(
        "create table {} as\nselect\n    *,\n    {} as dbt_scd_id,\n    {moment} as dbt_updated_at,\n    {moment} as dbt_valid_from,\n    \
         cast(null as timestamp) as dbt_valid_to\nfrom (\n",
        table.quoted(),
        scd_id(&spec.keys, "", &moment),
    );
    let at = head.len();
    Statement::from((format!("{head}{}\n) as source_rows", spec.query), at))
}

/// Rows that are new or have changed since the current version, with the moment of the change.
pub(super) fn changes(name: &str, spec: &SnapshotSpec) -> Statement {
    let head = format!(
        "create temporary table {} as\nwith source_rows as (\n    select *, {} as acca_updated_at\n    from (\n",
        quote_ident(name),
        updated_at(&spec.strategy)
    );
    let at = head.len();
    let on = spec.keys.iter().map(|key| format!("live.{key} = source_rows.{key}")).collect::<Vec<_>>().join(" and ");
    let changed = match &spec.strategy {
        SnapshotStrategy::Timestamp(_) => "source_rows.acca_updated_at > live.dbt_valid_from".to_owned(),
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
    let tail = format!(
        "\n    ) as query_rows\n)\nselect source_rows.*\nfrom source_rows\nleft join {} as live\n    on {on} and live.dbt_valid_to is null\n\
         where live.dbt_scd_id is null\n    or {changed}",
        spec.target.quoted(),
    );
    Statement::from((format!("{head}{}{tail}", spec.query), at))
}

/// Closes the current versions of what has changed or is gone; adds the new versions.
pub(super) fn apply(name: &str, spec: &SnapshotSpec) -> Vec<String> {
    let target = spec.target.quoted();
    let changes = quote_ident(name);
    let matching =
        |left: &str, right: &str| spec.keys.iter().map(|key| format!("{left}.{key} = {right}.{key}")).collect::<Vec<_>>().join(" and ");
    let mut statements = vec![format!(
        "update {target} as live\nset dbt_valid_to = changes.acca_updated_at\nfrom {changes} as changes\nwhere {} and live.dbt_valid_to is null",
        matching("live", "changes")
    )];
    if spec.close_deleted {
        statements.push(format!(
            "update {target} as live\nset dbt_valid_to = {NOW}\nwhere live.dbt_valid_to is null\n  and not exists (\n    select 1\n    from (\n{}\n    ) as source_rows\n    where {}\n)",
            spec.query,
            matching("source_rows", "live")
        ));
    }
    let columns = print_names(&spec.columns);
    statements.push(format!(
        "insert into {target} ({columns}, dbt_scd_id, dbt_updated_at, dbt_valid_from, dbt_valid_to)\nselect {columns}, {}, acca_updated_at, acca_updated_at, null\nfrom {changes}",
        scd_id(&spec.keys, "", "acca_updated_at")
    ));
    statements
}
