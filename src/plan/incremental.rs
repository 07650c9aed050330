//! Incremental models: rows of the query are added to a table that stays, whose columns may have to follow those of the query.

use super::alter::{ColumnChanges, widened};
use super::choices::strategy_macro;
use super::materialize::{PlanInput, invalid, table};
use super::partitions::{check_partitions, make_partitions};
use super::steps::{Merge, Step, TableName, suffixed};
use crate::base::{ColumnInfo, RelationKind};
use crate::diag::{Diagnostic, codes};
use crate::project::{Microbatch, Node, PartitionBy};

/// What happens when the query's columns are no longer those of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// The table's columns count: the query must still have them, others of its columns are not kept.
    Ignore,
    Fail,
    /// New columns are added; those that the query no longer has stay, and are NULL in new rows.
    Append,
    /// The table gets the query's columns and types.
    Sync,
}

impl SchemaChange {
    pub fn of(node: &Node) -> SchemaChange {
        match node.config.str("on_schema_change") {
            Some("fail") => SchemaChange::Fail,
            Some("append_new_columns") => SchemaChange::Append,
            Some("sync_all_columns") => SchemaChange::Sync,
            _ => SchemaChange::Ignore,
        }
    }
}

/// Which of the two names the predicates are given under; dbt looks at the older one first.
pub fn predicates_key(node: &Node) -> Option<&'static str> {
    ["predicates", "incremental_predicates"].into_iter().find(|key| !node.config.strings(key).is_empty())
}

pub(super) fn incremental(input: &PlanInput<'_>) -> Result<Vec<Step>, Diagnostic> {
    let again = input.batch.is_some_and(|batch| batch.incremental);
    let refresh = !again && input.node.config.bool("full_refresh").unwrap_or(input.full_refresh);
    if input.existing.kind != Some(RelationKind::Table) || refresh {
        return table(input);
    }
    let keys = input.node.config.strings("unique_key");
    let default = if keys.is_empty() { "append" } else { "delete+insert" };
    let strategy = input.node.config.str("incremental_strategy").unwrap_or(default);
    let needs_keys = matches!(strategy, "merge" | "delete+insert");
    if needs_keys && keys.is_empty() {
        let message = format!("the incremental strategy '{strategy}' of '{}' needs a 'unique_key'", input.node.name);
        return Err(invalid(input.node, "incremental_strategy", message));
    }
    let changes = suffixed(&input.relation.identifier, "__acca_changes");
    let source = TableName::Temporary(changes.clone());
    let target = input.relation.clone();
    let (mut steps, columns) = follow_schema(input)?;
    let texts = input.texts_of(&keys);
    let predicates = predicates_key(input.node).map(|key| input.node.config.strings(key)).unwrap_or_default();
    let append = Step::Append { target: target.clone(), source: source.clone(), columns: columns.clone() };
    let gather = Step::CreateTableAs { table: source.clone(), query: input.query.to_owned(), physical: input.physical.clone().temporary() };
    let make = |by: &PartitionBy| Step::MakePartitions(make_partitions(input, by, None, source.clone(), by.column.clone()));
    let make = input.physical.partition_by.as_ref().map(make);
    steps.splice(0..0, check_partitions(input).into_iter().chain([gather]).chain(make));
    match strategy {
        "append" => steps.push(append),
        "delete+insert" => {
            steps.push(Step::DeleteMatching { target, source, keys, texts, predicates });
            steps.push(append);
        }
        "merge" => {
            let update = merge_update(input, &columns, &keys);
            steps.push(Step::CheckKeys { source: source.clone(), keys: keys.clone() });
            steps.push(Step::Merge(Merge { target, source, keys, texts, columns, update, predicates }));
        }
        // With a key rows are changed by it, as dbt does on PostgreSQL; without one a batch takes the place of its time.
        "microbatch" if !input.own_strategy && !keys.is_empty() => {
            let update = merge_update(input, &columns, &keys);
            steps.push(Step::CheckKeys { source: source.clone(), keys: keys.clone() });
            steps.push(Step::Merge(Merge { target, source, keys, texts, columns, update, predicates }));
        }
        "microbatch" if !input.own_strategy => {
            let (Some(batches), Some(batch)) = (Microbatch::of(input.node), input.batch) else {
                let message = format!("'{}' is built in batches, and no batch of it is known", input.node.name);
                return Err(invalid(input.node, "incremental_strategy", message));
            };
            steps.push(Step::DeleteWindow { target, column: batches.event_time, window: batch.read, predicates });
            steps.push(append);
        }
        // A macro of the project takes the place of this step.
        _ if input.own_strategy => steps.push(append),
        other => return Err(unknown_strategy(input.node, other)),
    }
    steps.push(Step::DropTemporary { name: changes });
    steps.push(Step::Analyze { table: input.relation.clone() });
    Ok(steps)
}

pub(super) fn unknown_strategy(node: &Node, name: &str) -> Diagnostic {
    let message = format!("'{}' has the unknown incremental strategy '{name}'", node.name);
    let problem = invalid(node, "incremental_strategy", message).did_you_mean(name, ["append", "delete+insert", "merge", "microbatch"]);
    let own = strategy_macro(name);
    problem.help(format!("it is one of append, delete+insert, merge, microbatch, or has a macro '{own}' of the project"))
}

/// The columns that a match updates: those named, or all but the keys and those excluded.
fn merge_update(input: &PlanInput<'_>, columns: &[String], keys: &[String]) -> Vec<String> {
    let node = input.node;
    let named = node.config.strings("merge_update_columns");
    if !named.is_empty() {
        return named;
    }
    let excluded = node.config.strings("merge_exclude_columns");
    let is_in = |list: &[String], column: &String| list.iter().any(|written| input.is_named(written, column));
    columns.iter().filter(|column| !is_in(keys, column) && !is_in(&excluded, column)).cloned().collect()
}

/// The steps that make the table follow the query, and the columns that rows are added with. Text that has become longer is given
/// room whatever the policy: what was cut short or refused is no history.
fn follow_schema(input: &PlanInput<'_>) -> Result<(Vec<Step>, Vec<String>), Diagnostic> {
    let policy = SchemaChange::of(input.node);
    let names = |columns: &[ColumnInfo]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let widened = widened(input, input.incoming);
    if policy == SchemaChange::Ignore {
        let changes = ColumnChanges { retype: widened, ..ColumnChanges::default() };
        return Ok((changes.steps(input), names(&input.existing.columns)));
    }
    let added = input.missing(input.incoming, &input.existing.columns);
    let removed = input.missing(&input.existing.columns, input.incoming);
    check_keys_stay(input, &removed)?;
    let of_another_type = |column: &&ColumnInfo| {
        let same = |held: &&ColumnInfo| input.is_same(&held.name, &column.name);
        input.existing.columns.iter().find(same).is_some_and(|held| held.data_type != column.data_type)
    };
    let retyped: Vec<ColumnInfo> = input.incoming.iter().filter(of_another_type).cloned().collect();
    let unlike: Vec<ColumnInfo> = retyped.iter().filter(|column| !widened.contains(column)).cloned().collect();
    if policy == SchemaChange::Fail && !(added.is_empty() && removed.is_empty() && unlike.is_empty()) {
        return Err(schema_changed(input, &added, &removed, &unlike));
    }
    let changes = match policy {
        SchemaChange::Sync => ColumnChanges { add: added, drop: names(&removed), retype: retyped },
        SchemaChange::Ignore | SchemaChange::Fail | SchemaChange::Append => ColumnChanges { add: added, drop: Vec::new(), retype: widened },
    };
    Ok((changes.steps(input), names(input.incoming)))
}

/// Without the key among the new rows, the engine would find the table's own column under its name, and every row would match.
fn check_keys_stay(input: &PlanInput<'_>, removed: &[ColumnInfo]) -> Result<(), Diagnostic> {
    let keys = input.node.config.strings("unique_key");
    let lost = removed.iter().find(|column| keys.iter().any(|key| input.is_named(key, &column.name)));
    let Some(lost) = lost else { return Ok(()) };
    let message = format!("the query of '{}' does not give '{}', which is its 'unique_key'", input.node.name, lost.name);
    Err(invalid(input.node, "unique_key", message).help("select the column, or name another key"))
}

fn schema_changed(input: &PlanInput<'_>, added: &[ColumnInfo], removed: &[ColumnInfo], retyped: &[ColumnInfo]) -> Diagnostic {
    let node = input.node;
    let place = node.config.span("on_schema_change").or(node.body).unwrap_or(node.origin);
    let message = format!("the columns of '{}' are not those of its table any more", node.name);
    let mut problem = Diagnostic::new(&codes::SCHEMA_CHANGED, message).at(place);
    for (what, columns) in [("new", added), ("gone", removed), ("of another type", retyped)] {
        if !columns.is_empty() {
            let list: Vec<String> = columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
            problem = problem.note(format!("{what}: {}", list.join(", ")));
        }
    }
    problem
        .help("build it once with --full-refresh, which makes the table anew")
        .help("'on_schema_change' can also be append_new_columns or sync_all_columns")
}
