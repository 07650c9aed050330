//! Tables that are cut into partitions: the rows are gathered first, as the partitions that they need have to be there before them.

use super::contract::Contract;
use super::materialize::{PlanInput, invalid, staged};
use super::physical::Physical;
use super::publication::publish;
use super::steps::{Index, NodePlan, Step, TableName, suffixed};
use crate::base::{Relation, RelationKind};
use crate::diag::Diagnostic;
use crate::project::{ConstraintKind, PartitionBy};

/// Makes the partitions that rows need and the table lacks, and those of the time to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MakePartitions {
    pub table: Relation,
    /// Whose name partitions have in front of theirs: they keep it when the table is renamed.
    pub named_after: Relation,
    /// Where the rows are.
    pub source: TableName,
    /// The column of `source` that tells the partition of a row, as it is written.
    pub key: String,
    pub by: PartitionBy,
    pub unlogged: bool,
    /// Eight characters that only this run has: the table that is replaced still has its own partitions.
    pub run_tag: String,
    pub seen: Seen,
    /// Of the column of a table that stands, by which it is cut: what the database has of values is of that type.
    pub data_type: Option<String>,
}

/// Whom a table keeps waiting while it gets partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nobody sees it yet.
    ByNobody,
    /// Others read and write it, until the end of the transaction that writes the rows.
    InUse,
    /// Others read and write it, and each partition is a transaction of its own.
    Ahead,
}

/// Whether the partitions of a table that stands are those that the configuration asks for. Rows of others would go to the
/// partition for the rest, and nobody would hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckPartitions {
    pub table: Relation,
    pub by: PartitionBy,
    pub data_type: Option<String>,
}

/// The temporary table that holds the rows until their partitions are there.
pub(super) fn gathered(input: &PlanInput<'_>) -> String {
    suffixed(&input.relation.identifier, "__acca_rows")
}

/// The steps that make a table of rows that have been gathered, beside the live one, and put it in place.
pub(super) fn partitioned_table(input: &PlanInput<'_>, by: &PartitionBy, gather: Step) -> Result<Vec<Step>, Diagnostic> {
    check_keys(input, by)?;
    let rows = gathered(input);
    let (stage, source) = (staged(input.relation), TableName::Temporary(rows.clone()));
    let (create, columns) = match &input.contract {
        Some(contract) => {
            let contract = Contract { physical: input.physical.clone(), ..contract.clone() };
            let columns = contract.columns.iter().map(|column| column.name.clone()).collect();
            (Step::CreateContracted { table: stage.clone(), contract }, columns)
        }
        None => {
            let physical: Physical = input.physical.clone();
            (Step::CreateLike { table: stage.clone(), like: source.clone(), physical }, Vec::new())
        }
    };
    let mut steps = vec![
        gather,
        create,
        Step::MakePartitions(make_partitions(input, by, Some(stage.clone()), source.clone(), by.column.clone())),
        Step::FillFrom { table: stage.clone(), source, columns },
        Step::DropTemporary { name: rows },
        Step::Analyze { table: stage },
    ];
    steps.extend(publish(input, RelationKind::Table));
    Ok(steps)
}

/// The step that makes what is missing for the rows of `source`. `stage`: the table is still being built there.
pub(super) fn make_partitions(
    input: &PlanInput<'_>,
    by: &PartitionBy,
    stage: Option<Relation>,
    source: TableName,
    key: String,
) -> MakePartitions {
    let data_type = stage.is_none().then(|| data_type(input, by)).flatten();
    MakePartitions {
        seen: if stage.is_some() { Seen::ByNobody } else { Seen::InUse },
        table: stage.unwrap_or_else(|| input.relation.clone()),
        named_after: input.relation.clone(),
        source,
        key,
        by: by.clone(),
        unlogged: input.physical.unlogged,
        run_tag: input.run_tag.to_owned(),
        data_type,
    }
}

/// The step that holds the partitions of a table that stands against the configuration.
pub(super) fn check_partitions(input: &PlanInput<'_>) -> Option<Step> {
    let by = input.physical.partition_by.clone()?;
    let data_type = data_type(input, &by);
    Some(Step::CheckPartitions(CheckPartitions { table: input.relation.clone(), by, data_type }))
}

fn data_type(input: &PlanInput<'_>, by: &PartitionBy) -> Option<String> {
    let column = input.existing.columns.iter().find(|column| input.is_named(&by.column, &column.name));
    column.map(|column| column.data_type.clone())
}

/// The plan with the rows gathered and their partitions made before the transaction that writes them, where nothing else of it comes
/// first: a partition that is made keeps the readers of the one for the rest waiting until the end of its transaction.
#[must_use]
pub fn partitions_ahead(mut plan: NodePlan) -> NodePlan {
    let in_use = |step: &Step| matches!(step, Step::MakePartitions(MakePartitions { seen: Seen::InUse, .. }));
    let Some(at) = plan.steps.iter().position(in_use) else { return plan };
    // Temporary tables outlive a transaction; hooks and changed columns are part of it.
    let alone = |step: &Step| {
        matches!(
            step,
            Step::CheckPartitions(_)
                | Step::MakePartitions(_)
                | Step::CreateTableAs { table: TableName::Temporary(_), .. }
                | Step::SnapshotChanges { .. }
        )
    };
    let rest = plan.steps.split_off(at + 1);
    let leading = std::mem::replace(&mut plan.steps, rest);
    if !leading.iter().all(alone) {
        plan.steps.splice(0..0, leading);
        return plan;
    }
    plan.before.extend(leading.into_iter().map(|step| match step {
        Step::MakePartitions(step) => Step::MakePartitions(MakePartitions { seen: Seen::Ahead, ..step }),
        step => step,
    }));
    plan
}

/// A key of the whole table that lacks the column is one that nobody can watch over, since each partition has its own index.
fn check_keys(input: &PlanInput<'_>, by: &PartitionBy) -> Result<(), Diagnostic> {
    let Some(contract) = &input.contract else { return Ok(()) };
    let is_key = |kind: ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique);
    let of_columns = contract.columns.iter().flat_map(|column| {
        let keys = column.constraints.iter().filter(|constraint| is_key(constraint.kind));
        keys.map(|_| vec![column.name.clone()])
    });
    let own = contract.constraints.iter().filter(|constraint| is_key(constraint.kind)).map(|constraint| constraint.columns.clone());
    match of_columns.chain(own).find(|columns| lacks(columns, by)) {
        Some(columns) => Err(unwatched(input, by, &columns)),
        None => Ok(()),
    }
}

/// As [`check_keys`], for unique indexes.
pub(super) fn check_indexes(input: &PlanInput<'_>, indexes: &[Index]) -> Result<(), Diagnostic> {
    let Some(by) = &input.physical.partition_by else { return Ok(()) };
    match indexes.iter().find(|index| index.unique && lacks(&index.columns, by)) {
        Some(index) => Err(unwatched(input, by, &index.columns)),
        None => Ok(()),
    }
}

fn lacks(columns: &[String], by: &PartitionBy) -> bool {
    !columns.iter().any(|column| column.trim_matches('"').eq_ignore_ascii_case(by.column.trim_matches('"')))
}

fn unwatched(input: &PlanInput<'_>, by: &PartitionBy, columns: &[String]) -> Diagnostic {
    let key = columns.join(", ");
    let message = format!("the key ({key}) of '{}' lacks '{}', by which the table is partitioned", input.node.name, by.column);
    let problem = invalid(input.node, "partition_by", message).at(input.node.stored_at("partition_by"));
    problem.help("add the column to the key, or guard it with a 'unique' test: PostgreSQL watches over keys within a partition only")
}
