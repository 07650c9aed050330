//! Changes to the columns of a table that stays.

use std::collections::BTreeSet;

use super::materialize::PlanInput;
use super::publication::{Attachments, Dependent, Reserve};
use super::steps::Step;
use crate::base::{ColumnInfo, Relation, RelationKind};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnChanges {
    /// NULL in the rows that are there.
    pub add: Vec<ColumnInfo>,
    pub drop: Vec<String>,
    /// The values that are there are cast.
    pub retype: Vec<ColumnInfo>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterColumns {
    pub table: Relation,
    pub changes: ColumnChanges,
    /// Views that read a column of another type, and what reads them: they are dropped before and made anew behind.
    pub readers: Vec<Dependent>,
    /// Names and statements of indexes that the engine wants out of the way meanwhile.
    pub indexes: Vec<(String, String)>,
}

impl ColumnChanges {
    /// The steps that change a table, with its readers locked out where the engine binds them by identity.
    pub(super) fn steps(self, input: &PlanInput<'_>) -> Vec<Step> {
        if self == ColumnChanges::default() {
            return Vec::new();
        }
        let touches_readers = !(self.drop.is_empty() && self.retype.is_empty());
        let reserve = input.existing.owner.clone().filter(|_| touches_readers).map(|owner| {
            Step::Reserve(Reserve {
                live: input.relation.clone(),
                kind: RelationKind::Table,
                owner,
                readers: Vec::new(),
                referring: BTreeSet::new(),
            })
        });
        let alter = AlterColumns { table: input.relation.clone(), changes: self, readers: Vec::new(), indexes: Vec::new() };
        reserve.into_iter().chain([Step::AlterColumns(alter)]).collect()
    }
}

impl AlterColumns {
    /// Views that read a column that goes.
    pub fn held_by<'a>(&self, attachments: &'a Attachments) -> Vec<&'a Dependent> {
        attachments.dependents.iter().filter(|view| view.columns.iter().any(|column| self.changes.drop.contains(column))).collect()
    }

    /// The same changes with the views that have to go along, each after those that it reads.
    #[must_use]
    pub fn taking(self, attachments: &Attachments) -> AlterColumns {
        let is_retyped = |name: &String| self.changes.retype.iter().any(|column| column.name == *name);
        let mut taken: BTreeSet<&Relation> = BTreeSet::new();
        let mut readers = Vec::new();
        for view in &attachments.dependents {
            if view.columns.iter().any(is_retyped) || view.reads.iter().any(|read| taken.contains(read)) {
                taken.insert(&view.relation);
                readers.push(view.clone());
            }
        }
        AlterColumns { readers, ..self }
    }
}

/// Columns of text that were too short for what comes: they get the type that comes.
pub(super) fn widened(input: &PlanInput<'_>, incoming: &[ColumnInfo]) -> Vec<ColumnInfo> {
    let is_wider = |column: &&ColumnInfo| {
        let held = input.existing.columns.iter().find(|held| input.is_same(&held.name, &column.name));
        held.and_then(|held| limit(&held.data_type))
            .is_some_and(|held| is_text(&column.data_type) && limit(&column.data_type).is_none_or(|most| most > held))
    };
    incoming.iter().filter(is_wider).cloned().collect()
}

/// Whether a table has columns of text that may be too short.
pub(super) fn has_limits(columns: &[ColumnInfo]) -> bool {
    columns.iter().any(|column| limit(&column.data_type).is_some())
}

/// The most characters of a `character varying(n)`; `None` for other types and without a limit.
fn limit(data_type: &str) -> Option<u64> {
    let lower = data_type.to_lowercase();
    let rest = lower.strip_prefix("character varying").or_else(|| lower.strip_prefix("varchar"))?;
    rest.trim().strip_prefix('(')?.strip_suffix(')')?.trim().parse().ok()
}

pub(super) fn is_text(data_type: &str) -> bool {
    let lower = data_type.to_lowercase();
    lower == "text" || lower.starts_with("character varying") || lower.starts_with("varchar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_text() {
        for (data_type, most) in
            [("character varying(10)", Some(10)), ("VARCHAR(5)", Some(5)), ("varchar", None), ("text", None), ("numeric(5)", None)]
        {
            assert_eq!(limit(data_type), most, "{data_type}");
        }
    }
}
