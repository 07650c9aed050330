//! `USING` and `NATURAL` on Redshift: blanks at the end of text do not count there, and a condition that heeds them has to be written with
//! ON. What is one column to the query are two then, so each place that names it names the one that has the value.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_Join_examples.html>

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::{Ident, Join, JoinConstraint, JoinOperator, Select, Spanned, TableFactor, TableWithJoins};
use sqlparser::tokenizer::Span;

use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, print_name};
use crate::analysis::Using;
use crate::dialect::Engine;

/// What is to be known of FROM before SELECT is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    /// What stands for a column that two relations have in common.
    merged: BTreeMap<String, String>,
    /// The columns of the SELECT, where it is `*` alone and each has a name of its own.
    columns: Option<Vec<String>>,
    /// What the lists of the SELECT are ordered by, once there is one.
    pub order_within_groups: Option<String>,
}

impl Writer<'_> {
    pub(super) fn look_at_sources(&mut self, select: &Select) {
        let mut sources = Sources::default();
        if self.is(Engine::Redshift) {
            let names = self.columns(select).map(|columns| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>());
            let all_differ = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
            sources.columns = names.filter(|names| select.projection.len() == 1 && all_differ(names));
            for relation in &select.from {
                self.look_at_joins(relation, &mut sources);
            }
        }
        self.sources.push(sources);
    }

    fn look_at_joins(&mut self, relation: &TableWithJoins, sources: &mut Sources) {
        let factors = std::iter::once(&relation.relation).chain(relation.joins.iter().map(|join| &join.relation));
        for factor in factors {
            if let TableFactor::NestedJoin { table_with_joins, alias: None } = factor {
                self.look_at_joins(table_with_joins, sources);
            }
        }
        for join in &relation.joins {
            let Some(shared) = self.types.using(join).filter(|shared| shared.iter().any(is_text)) else { continue };
            for column in shared {
                let name = print_name(&column.name);
                let side = |side: &Option<String>| side.as_ref().map(|side| format!("{}.{name}", print_name(side)));
                let text = match (&join.join_operator, side(&column.left), side(&column.right)) {
                    (JoinOperator::Right(_) | JoinOperator::RightOuter(_), _, Some(right)) => right,
                    (JoinOperator::FullOuter(_), Some(left), Some(right)) => format!("coalesce({left}, {right})"),
                    (_, Some(left), _) => left,
                    _ => continue,
                };
                sources.merged.insert(column.name.clone(), text);
            }
        }
    }

    /// What stands for a column that is named alone.
    pub(super) fn merged_column(&self, parts: &[Ident]) -> Option<Sql> {
        let [name] = parts else { return None };
        self.sources.last()?.merged.get(&folded(name)).map(Sql::atom)
    }

    /// A condition for ON; `None` where USING means the same.
    pub(super) fn using_as_condition(&mut self, join: &Join) -> Option<String> {
        if !self.is(Engine::Redshift) {
            return None;
        }
        let Some(shared) = self.types.using(join) else {
            let help = "write the condition with ON";
            return Some(self.lacks(join.relation.span(), "USING and NATURAL of columns that are not known", help).text);
        };
        if !shared.iter().any(is_text) || !self.rewrites(Rewrite::TrailingBlanks) {
            return None;
        }
        let mut pairs = Vec::new();
        for column in shared {
            let (Some(left), Some(right)) = (&column.left, &column.right) else {
                let help = "write the condition with ON";
                return Some(self.lacks(join.relation.span(), "USING of columns that several joins have in common", help).text);
            };
            let name = print_name(&column.name);
            let [left, right] = [left, right].map(|side| format!("{}.{name}", print_name(side)));
            pairs.push(if is_text(column) { format!("({left} || '.') = ({right} || '.')") } else { format!("{left} = {right}") });
        }
        Some(pairs.join(" and "))
    }

    /// `*`, where it would give columns twice.
    pub(super) fn all_columns(&mut self, span: Span) -> Option<String> {
        let Sources { merged, columns, .. } = self.sources.last().filter(|sources| !sources.merged.is_empty())?.clone();
        let Some(columns) = columns else {
            return Some(self.lacks(span, "* behind USING and NATURAL of text", "name the columns").text);
        };
        let written = columns.iter().map(|column| {
            let name = print_name(column);
            merged.get(column).map_or_else(|| name.clone(), |text| format!("{text} as {name}"))
        });
        Some(written.collect::<Vec<_>>().join(", "))
    }
}

pub(super) fn is_by_name(constraint: &JoinConstraint) -> bool {
    matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural)
}

fn is_text(column: &Using) -> bool {
    column.sql_type.is_none_or(|kind| matches!(kind.name(), "text" | "varchar" | "bpchar"))
}

pub(super) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}
