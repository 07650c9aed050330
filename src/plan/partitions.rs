//! Tables that are cut into partitions: the rows are gathered first, as the partitions that they need have to be there before them.

use super::contract::Contract;
use super::materialize::{PlanInput, invalid, staged};
use super::physical::Physical;
use super::publication::publish;
use super::steps::{Index, Step, TableName, suffixed};
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
        Step::MakePartitions(make_partitions(input, by, stage.clone(), source.clone(), by.column.clone())),
        Step::FillFrom { table: stage.clone(), source, columns },
        Step::DropTemporary { name: rows },
        Step::Analyze { table: stage },
    ];
    steps.extend(publish(input, RelationKind::Table));
    Ok(steps)
}

/// The step that makes what is missing for the rows of `source`.
pub(super) fn make_partitions(input: &PlanInput<'_>, by: &PartitionBy, table: Relation, source: TableName, key: String) -> MakePartitions {
    MakePartitions {
        table,
        named_after: input.relation.clone(),
        source,
        key,
        by: by.clone(),
        unlogged: input.physical.unlogged,
        run_tag: input.run_tag.to_owned(),
    }
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
