//! Tables that are built on another target: their rows come through files.

use super::attributes::finished;
use super::materialize::{PlanInput, staged};
use super::publication::publish;
use super::steps::{Counted, NodePlan, SendRows, Step, TableName};
use crate::base::{ColumnInfo, RelationKind};
use crate::diag::Diagnostic;

/// What is sent to either side.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub send: SendRows,
    /// With the types of the target that gets them.
    pub columns: Vec<ColumnInfo>,
    /// Fills the staging table.
    pub load: String,
    /// Counts what is in it.
    pub arrived: String,
    /// Only newer rows go over; `None`: all, which make the table anew.
    pub newer: Option<Newer>,
}

/// Rows that take the place of those from a watermark on.
#[derive(Clone, Debug)]
pub struct Newer {
    /// The condition of the rows that are replaced.
    pub replaced: String,
    /// Counts all rows of the table that gets them.
    pub total: String,
}

/// Columns in the order of the table that gets them, where rows are added to it.
///
/// # Errors
/// As [`super::plan_node`], of indexes.
pub fn plan_arrival(input: &PlanInput<'_>, arrival: Arrival) -> Result<NodePlan, Diagnostic> {
    let Arrival { send, columns, load, arrived, newer } = arrival;
    let typed: Vec<(&str, &str)> = columns.iter().map(|column| (column.name.as_str(), column.data_type.as_str())).collect();
    input.physical.check_columns(input.node, &typed)?;
    let stage = staged(input.relation);
    let names = columns.iter().map(|column| column.name.clone()).collect();
    let mut steps = vec![
        Step::CreateTable { table: stage.clone(), columns, physical: input.physical.clone() },
        Step::FetchRows { table: stage.clone(), sql: load },
        Step::CompareCounts { table: stage.clone(), arrived, of: Counted::Sent },
    ];
    match newer {
        None => {
            steps.push(Step::Analyze { table: stage });
            steps.extend(publish(input, RelationKind::Table));
        }
        Some(Newer { replaced, total }) => {
            let table = input.relation.clone();
            let delete = format!("delete from {}\nwhere {replaced}", table.quoted());
            steps.push(Step::Statement { title: format!("delete replaced rows of {}", table.display()), sql: delete });
            // A row that was changed has another watermark than it had.
            let keys = input.node.config.strings("unique_key");
            if !keys.is_empty() {
                let source = TableName::Relation(stage.clone());
                let texts = input.texts_of(&keys);
                steps.push(Step::DeleteMatching { target: table.clone(), source, keys, texts, predicates: Vec::new() });
            }
            steps.push(Step::Append { target: table.clone(), source: TableName::Relation(stage.clone()), columns: names });
            let drop = format!("drop table {}", stage.quoted());
            steps.push(Step::Statement { title: format!("drop {}", stage.display()), sql: drop });
            steps.push(Step::CompareCounts { table: table.clone(), arrived: total, of: Counted::All });
            steps.push(Step::Analyze { table });
        }
    }
    let plan = finished(input, steps)?;
    let before = std::iter::once(Step::SendRows(send)).chain(plan.before).collect();
    Ok(NodePlan { before, ..plan })
}
