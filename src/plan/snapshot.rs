//! Snapshots: the history of rows, as intervals of validity.

use serde_json::Value;

use super::alter::{ColumnChanges, is_text, widened};
use super::materialize::{PlanInput, invalid, staged};
use super::partitions::{check_partitions, gathered, make_partitions, partitioned_table};
use super::publication::publish;
use super::steps::{Step, TableName, suffixed};
use crate::base::{ColumnInfo, Relation, RelationKind};
use crate::diag::Diagnostic;
use crate::project::Node;

/// What a snapshot compares and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotSpec {
    pub target: Relation,
    pub query: String,
    /// The temporary table that holds the rows of the query, where they are needed more than once.
    pub rows: Option<String>,
    /// Columns or expressions that identify a row.
    pub keys: Vec<String>,
    pub strategy: SnapshotStrategy,
    pub deleted: DeletedRows,
    pub names: SnapshotNames,
    /// The expression that ends the interval of a current row; `None`: NULL.
    pub open_end: Option<String>,
    /// Columns of the query; empty before the first run.
    pub columns: Vec<String>,
    /// Those of them that are text.
    pub texts: Vec<String>,
    /// The project's own expression for the moment of the snapshot.
    pub now: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotStrategy {
    /// A row has changed when this column or expression is later than before.
    Timestamp(String),
    /// A row has changed when one of these columns differs; empty: any column.
    Check(Vec<String>),
}

/// What happens to a row that is gone from the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletedRows {
    /// It stays current.
    Ignore,
    /// Its interval ends.
    Close,
    /// Its interval ends, and a row that says so is current from then on.
    Record,
}

/// Names of the columns that a snapshot adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotNames {
    pub scd_id: String,
    pub updated_at: String,
    pub valid_from: String,
    pub valid_to: String,
    /// Only with [`DeletedRows::Record`]: `True` or `False`, as text.
    pub is_deleted: String,
}

impl SnapshotNames {
    fn of(node: &Node) -> SnapshotNames {
        let given = node.config.get("snapshot_meta_column_names");
        let name = |key: &str| given.and_then(|names| names.get(key)).and_then(Value::as_str).unwrap_or(key).to_owned();
        SnapshotNames {
            scd_id: name("dbt_scd_id"),
            updated_at: name("dbt_updated_at"),
            valid_from: name("dbt_valid_from"),
            valid_to: name("dbt_valid_to"),
            is_deleted: name("dbt_is_deleted"),
        }
    }

    fn has(&self, input: &PlanInput<'_>, column: &ColumnInfo) -> bool {
        [&self.scd_id, &self.updated_at, &self.valid_from, &self.valid_to, &self.is_deleted]
            .iter()
            .any(|name| input.is_named(name, &column.name))
    }
}

pub(super) fn snapshot(input: &PlanInput<'_>) -> Result<Vec<Step>, Diagnostic> {
    let node = input.node;
    let keys = node.config.strings("unique_key");
    if keys.is_empty() {
        return Err(invalid(node, "unique_key", format!("the snapshot '{}' needs a 'unique_key'", node.name)));
    }
    let names = SnapshotNames::of(node);
    let incoming: Vec<ColumnInfo> = input.incoming.iter().filter(|column| !names.has(input, column)).cloned().collect();
    let spec = SnapshotSpec {
        target: input.relation.clone(),
        query: input.query.to_owned(),
        rows: None,
        keys,
        strategy: strategy(node)?,
        deleted: deleted_rows(node),
        names,
        open_end: node.config.str("dbt_valid_to_current").map(str::to_owned),
        columns: incoming.iter().map(|column| column.name.clone()).collect(),
        texts: incoming.iter().filter(|column| is_text(&column.data_type)).map(|column| column.name.clone()).collect(),
        now: None,
    };
    if input.existing.kind.is_none() {
        if let Some(by) = &input.physical.partition_by {
            let physical = input.physical.clone().temporary();
            return partitioned_table(input, by, Step::SnapshotFirst { table: TableName::Temporary(gathered(input)), spec, physical });
        }
        let first = Step::SnapshotFirst { table: TableName::Relation(staged(input.relation)), spec, physical: input.physical.clone() };
        return Ok([first].into_iter().chain(publish(input, RelationKind::Table)).collect());
    }
    if let Some(kind) = input.existing.kind.filter(|kind| *kind != RelationKind::Table) {
        let (what, place) = (kind.as_str().replace('_', " "), input.relation.display());
        let message = format!("the snapshot '{}' keeps its history in a table, and {place} is a {what}", node.name);
        return Err(invalid(node, "alias", message).help(format!("drop the {what}, or give the snapshot another 'alias' or schema")));
    }
    let mut added = input.missing(&incoming, &input.existing.columns);
    if spec.deleted == DeletedRows::Record {
        let mark = ColumnInfo { name: spec.names.is_deleted.clone(), data_type: "varchar".to_owned() };
        added.extend(input.missing(&[mark], &input.existing.columns));
    }
    let alter = ColumnChanges { add: added, drop: Vec::new(), retype: widened(input, &incoming) }.steps(input);
    let (changes, rows) = (suffixed(&input.relation.identifier, "__acca_changes"), suffixed(&input.relation.identifier, "__acca_rows"));
    if spec.deleted == DeletedRows::Ignore {
        return Ok(check_partitions(input).into_iter().chain(alter).chain(apply(input, changes, spec)).collect());
    }
    // What is gone is found in the same rows as what has changed.
    let source = Step::CreateTableAs {
        table: TableName::Temporary(rows.clone()),
        query: spec.query.clone(),
        physical: input.physical.clone().temporary(),
    };
    let spec = SnapshotSpec { rows: Some(rows.clone()), ..spec };
    Ok(check_partitions(input)
        .into_iter()
        .chain([source])
        .chain(alter)
        .chain(apply(input, changes, spec))
        .chain([Step::DropTemporary { name: rows }])
        .collect())
}

/// The column of the changes that says from when on they hold.
pub const SNAPSHOT_MOMENT: &str = "acca_valid_from";

fn apply(input: &PlanInput<'_>, changes: String, spec: SnapshotSpec) -> Vec<Step> {
    let partitions = input.physical.partition_by.as_ref().map(|by| {
        let is_own = |name: &str| name.eq_ignore_ascii_case(by.column.trim_matches('"'));
        // Intervals begin and end with the moment of the change.
        let of_interval = [&spec.names.valid_from, &spec.names.valid_to, &spec.names.updated_at].into_iter().any(|name| is_own(name));
        let key = if of_interval { SNAPSHOT_MOMENT.to_owned() } else { by.column.clone() };
        Step::MakePartitions(make_partitions(input, by, None, TableName::Temporary(changes.clone()), key))
    });
    let find = Step::SnapshotChanges { changes: changes.clone(), spec: spec.clone() };
    let record = [Step::SnapshotApply { changes: changes.clone(), spec }, Step::DropTemporary { name: changes }];
    [find].into_iter().chain(partitions).chain(record).collect()
}

fn strategy(node: &Node) -> Result<SnapshotStrategy, Diagnostic> {
    let name = &node.name;
    match node.config.str("strategy") {
        Some("timestamp") => match node.config.str("updated_at") {
            Some(column) => Ok(SnapshotStrategy::Timestamp(column.to_owned())),
            None => Err(invalid(node, "strategy", format!("the strategy 'timestamp' of '{name}' needs 'updated_at'"))),
        },
        Some("check") => match node.config.get("check_cols") {
            Some(Value::String(all)) if all == "all" => Ok(SnapshotStrategy::Check(Vec::new())),
            Some(Value::Array(_)) => Ok(SnapshotStrategy::Check(node.config.strings("check_cols"))),
            _ => Err(invalid(node, "check_cols", format!("the strategy 'check' of '{name}' needs 'check_cols': 'all' or a list"))),
        },
        other => Err(unknown_snapshot_strategy(node, other)),
    }
}

pub(super) fn unknown_snapshot_strategy(node: &Node, given: Option<&str>) -> Diagnostic {
    let what = given.map_or("no strategy".to_owned(), |given| format!("the unknown strategy '{given}'"));
    let problem = invalid(node, "strategy", format!("the snapshot '{}' has {what}", node.name));
    problem.did_you_mean(given.unwrap_or_default(), ["timestamp", "check"]).help("it is 'timestamp' or 'check'")
}

fn deleted_rows(node: &Node) -> DeletedRows {
    match node.config.str("hard_deletes") {
        Some("invalidate") => DeletedRows::Close,
        Some("new_record") => DeletedRows::Record,
        None if node.config.bool("invalidate_hard_deletes") == Some(true) => DeletedRows::Close,
        _ => DeletedRows::Ignore,
    }
}
