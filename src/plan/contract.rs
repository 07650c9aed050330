//! Tables whose columns and constraints are declared: they are made first and filled from the query then.

use super::materialize::{PlanInput, staged};
use super::physical::Physical;
use super::publication::publish;
use super::steps::{Step, TableName};
use crate::base::RelationKind;
use crate::project::Constraint;

/// What a contract declares of a table, with the names that the query gives its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// In the order of the declaration.
    pub columns: Vec<ContractColumn>,
    /// Those of the relation as a whole.
    pub constraints: Vec<Constraint>,
    /// Eight characters that only this run has: names of keys are unique in a schema, and the table that is replaced still has its own.
    pub run_tag: String,
    /// How the table is stored.
    pub physical: Physical,
    /// Nobody declared it: its columns are those of the query.
    pub of_query: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractColumn {
    pub name: String,
    pub data_type: String,
    pub constraints: Vec<Constraint>,
}

/// The steps that make the table beside the live one, fill it and put it in place.
pub(super) fn contracted_table(input: &PlanInput<'_>, contract: &Contract) -> Vec<Step> {
    let stage = staged(input.relation);
    let columns = contract.columns.iter().map(|column| column.name.clone()).collect();
    let mut steps = vec![
        Step::CreateContracted { table: stage.clone(), contract: Contract { physical: input.physical.clone(), ..contract.clone() } },
        Step::InsertQuery { table: TableName::Relation(stage.clone()), columns, query: input.query.to_owned() },
        Step::Analyze { table: stage },
    ];
    steps.extend(publish(input, RelationKind::Table));
    steps
}
