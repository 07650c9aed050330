//! `USING` and `NATURAL`. On Redshift blanks at the end of text do not count, and a condition that heeds them has to be written with ON. What
//! is one column to the query are two then, so each place that names it names the one that has the value. On DuckDB `*` leaves the
//! columns in common where they stand in the first relation, and does not put them first; they have the type of one side.
//!
//! - <https://duckdb.org/docs/stable/sql/query_syntax/from>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Join_examples.html>

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::{Ident, Join, JoinConstraint, JoinOperator, Select, SelectItem, Spanned, TableFactor, TableWithJoins};
use sqlparser::tokenizer::Span;

use super::products::has_real_and_other;
use super::rewrite::Rewrite;
use super::walk::{Origins, entry_name, factors};
use super::writer::{Sql, Writer, lowered, print_name};
use crate::analysis::{SqlType, Using};
use crate::dialect::Engine;

/// What is to be known of FROM before SELECT is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    /// What stands for a column that two relations have in common.
    merged: BTreeMap<String, String>,
    /// What the columns of lateral entries are computed from.
    pub origins: BTreeMap<String, Origins>,
    /// Entries of FROM whose columns something else stands for.
    pub entries: BTreeSet<String>,
    /// Tables of FROM as they are written, and the conditions of their rows alone, where a lateral entry may read them.
    pub relations: BTreeMap<String, (String, Vec<String>)>,
    /// Subqueries in place of values, by their places in memory, and the joins that find what they stand for.
    pub lookups: Vec<(usize, String)>,
    /// Names of entries, within a query whose columns something stands for: they hide those outside.
    names: Vec<String>,
    /// What stands on the left of a join, by its place in memory, for a column that joins before it have in common.
    lefts: BTreeMap<(usize, String), String>,
    /// Whether `*` gives the columns in another order.
    reorders: bool,
    /// Whether FROM has columns that the query does not know of and `*` would give.
    pub adds: bool,
    /// The columns that the only `*` of the SELECT gives, where each has a name of its own.
    columns: Option<Vec<String>>,
    /// What the lists of the SELECT are ordered by, once there is one.
    pub order_within_groups: Option<String>,
}

impl Sources {
    /// What stands for a column of an entry of FROM, by the name of the entry before it and, where it is so named, `alone`.
    pub(super) fn stands_for(&mut self, entry: &str, name: &str, text: String, alone: bool) {
        if alone {
            self.merged.insert(name.to_owned(), text.clone());
        }
        self.merged.insert(format!("{entry}.{name}"), text);
        self.entries.insert(entry.to_owned());
    }
}

impl Writer<'_> {
    pub(super) fn look_at_sources(&mut self, select: &Select) {
        let mut sources = Sources::default();
        if self.sources.iter().any(|sources| !sources.entries.is_empty()) {
            sources.names = factors(select).filter_map(entry_name).collect();
        }
        if !self.is(Engine::Postgres) {
            sources.columns = self.starred_columns(select);
            for relation in &select.from {
                self.look_at_joins(relation, &mut sources);
            }
        }
        self.sources.push(sources);
        self.inside(|writer| writer.look_at_laterals(select));
    }

    /// The columns of the only `*` of a list, where each has a name of its own.
    fn starred_columns(&self, select: &Select) -> Option<Vec<String>> {
        let is_bare = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
        if is_bare { self.starred_names(select) } else { None }
    }

    /// The same of `*` and `t.*`.
    pub(super) fn starred_names(&self, select: &Select) -> Option<Vec<String>> {
        let is_star = |item: &SelectItem| !matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
        let star = select.projection.iter().position(is_star)?;
        let columns = self.columns(select)?;
        let behind = select.projection.len() - star - 1;
        let several = select.projection.iter().filter(|item| is_star(item));
        let starred = columns.get(star..columns.len().checked_sub(behind)?)?;
        let all_differ = starred.iter().map(|column| &column.name).collect::<BTreeSet<_>>().len() == starred.len();
        (several.count() == 1 && all_differ).then(|| starred.iter().map(|column| column.name.to_string()).collect())
    }

    fn look_at_joins(&mut self, relation: &TableWithJoins, sources: &mut Sources) {
        let factors = std::iter::once(&relation.relation).chain(relation.joins.iter().map(|join| &join.relation));
        for factor in factors {
            if let TableFactor::NestedJoin { table_with_joins, alias: None } = factor {
                self.look_at_joins(table_with_joins, sources);
            }
        }
        for join in &relation.joins {
            if self.is(Engine::DuckDb) {
                sources.reorders |= constraint_of(join).is_some_and(is_by_name);
                self.cast_to_common(join, sources);
                continue;
            }
            let Some(shared) = self.types.using(join).filter(|shared| shared.iter().any(is_text)) else { continue };
            for column in shared {
                let name = print_name(&column.name);
                let side = |side: &Option<String>| side.as_ref().map(|side| format!("{}.{name}", print_name(side)));
                let left = side(&column.left).or_else(|| sources.merged.get(&column.name).cloned());
                if let (None, Some(left)) = (&column.left, &left) {
                    sources.lefts.insert((std::ptr::from_ref(join).addr(), column.name.clone()), left.clone());
                }
                let text = match (&join.join_operator, left, side(&column.right)) {
                    (JoinOperator::Right(_) | JoinOperator::RightOuter(_), _, Some(right)) => right,
                    (JoinOperator::FullOuter(_), Some(left), Some(right)) => format!("coalesce({left}, {right})"),
                    (_, Some(left), _) => left,
                    _ => continue,
                };
                sources.merged.insert(column.name.clone(), text);
            }
        }
    }

    /// What stands for a column that is named.
    pub(super) fn merged_column(&self, parts: &[Ident]) -> Option<Sql> {
        match parts {
            [name] => match self.types.entry_of(parts) {
                Some(entry) => self.merged_further_out(entry, &folded(name)),
                None => self.sources.last().filter(|sources| !sources.merged.is_empty())?.merged.get(&*lowered(name)).map(Sql::atom),
            },
            [entry, name] if self.sources.iter().any(|sources| !sources.merged.is_empty()) => {
                self.merged_further_out(&folded(entry), &folded(name))
            }
            _ => None,
        }
    }

    /// Whether what stands for a name would mean something else here, as a query within has entries of its own.
    pub(super) fn is_captured(&self, parts: &[Ident]) -> bool {
        // Nearly always, and it is asked for each name.
        if self.sources.iter().all(|sources| sources.entries.is_empty()) {
            return false;
        }
        let (entry, name, alone) = match parts {
            [name] => match self.types.entry_of(parts) {
                Some(entry) => (entry.to_owned(), folded(name), true),
                None => return false,
            },
            [entry, name] if self.sources.len() > 1 => (folded(entry), folded(name), false),
            _ => return false,
        };
        let key = format!("{entry}.{name}");
        let Some(at) = self.sources.iter().rposition(|sources| sources.merged.contains_key(&key)) else { return false };
        let Some(nearer) = self.sources.get(at + 1..).filter(|nearer| !nearer.is_empty()) else { return false };
        let hides = |name: &String| nearer.iter().any(|sources| sources.names.contains(name));
        if hides(&entry) {
            return alone;
        }
        let origins = self.sources.get(at).and_then(|sources| sources.origins.get(&entry));
        origins.is_some_and(|origins| nearer.iter().any(|sources| origins.are_hidden_by(&sources.names)))
    }

    /// A column of a lateral entry, which queries within may name too.
    fn merged_further_out(&self, entry: &str, name: &str) -> Option<Sql> {
        let key = format!("{entry}.{name}");
        let hides = |sources: &&Sources| sources.merged.contains_key(&key) || sources.names.iter().any(|name| name == entry);
        self.sources.iter().rev().find(hides)?.merged.get(&key).map(Sql::atom)
    }

    /// What two relations have in common has the type of both in PostgreSQL, and that of one side on DuckDB.
    fn cast_to_common(&mut self, join: &Join, sources: &mut Sources) {
        let is_right = matches!(join.join_operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_));
        let is_full = matches!(join.join_operator, JoinOperator::FullOuter(_));
        for column in self.types.using(join).unwrap_or_default() {
            let name = print_name(&column.name);
            let named = |side: &Option<String>| side.as_ref().map(|side| format!("{}.{name}", print_name(side)));
            // What stood for it before this join stands for one side of it at most.
            let before = sources.merged.remove(&column.name);
            if is_full {
                let both = before.zip(named(&column.right)).map(|(left, right)| format!("coalesce({left}, {right})"));
                sources.merged.extend(both.map(|both| (column.name.clone(), both)));
                continue;
            }
            let (side, own) = if is_right { (&column.right, column.sides[1]) } else { (&column.left, column.sides[0]) };
            let value = named(side).or_else(|| before.clone());
            let spelled = match column.sql_type.filter(|kind| own.is_some_and(|own| own.id != kind.id)).map(SqlType::name) {
                Some("int4") => Some("integer"),
                Some("int8") => Some("bigint"),
                Some("float8") => Some("double"),
                Some(name @ ("timestamp" | "timestamptz")) => Some(name),
                _ => None,
            };
            let text = match (value, spelled) {
                (Some(value), Some(spelled)) if self.rewrites(Rewrite::Using) => Some(format!("cast({value} as {spelled})")),
                _ => before.filter(|_| side.is_none()),
            };
            sources.merged.extend(text.map(|text| (column.name.clone(), text)));
        }
    }

    /// A condition for ON; `None` where USING means the same.
    pub(super) fn using_as_condition(&mut self, join: &Join) -> Option<String> {
        let is_mixed = |shared: &[Using]| shared.iter().any(|column| has_real_and_other(&column.sides));
        if self.types.using(join).is_some_and(is_mixed) {
            let message = "a join of real with another number is not the same on all engines";
            return Some(self.refuse(join.relation.span(), message, "write the condition with ON").text);
        }
        let is_padded = |kind: &Option<SqlType>| kind.is_some_and(|kind| kind.name() == "bpchar");
        if self.types.using(join).is_some_and(|shared| shared.iter().any(|column| column.sides.iter().any(is_padded))) {
            return Some(self.refuse_padded(join.relation.span()).text);
        }
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
            let name = print_name(&column.name);
            let side = |side: &Option<String>| side.as_ref().map(|side| format!("{}.{name}", print_name(side)));
            let before = || self.sources.last()?.lefts.get(&(std::ptr::from_ref(join).addr(), column.name.clone())).cloned();
            let (Some(left), Some(right)) = (side(&column.left).or_else(before), side(&column.right)) else {
                let help = "write the condition with ON";
                return Some(self.lacks(join.relation.span(), "USING of columns that several joins have in common", help).text);
            };
            pairs.push(format!("{left} = {right}"));
            if is_text(column) {
                pairs.push(format!("octet_length({left}) = octet_length({right})"));
            }
        }
        Some(pairs.join(" and "))
    }

    /// `*`, where it would give columns twice, or others.
    pub(super) fn all_columns(&mut self, span: Span) -> Option<String> {
        let sources = self.sources.last()?;
        let (changes, reorders) = (!sources.merged.is_empty() || sources.adds, sources.reorders);
        if !(changes || reorders && self.rewrites(Rewrite::Using)) {
            return None;
        }
        let Sources { merged, columns, adds, .. } = self.sources.last()?.clone();
        let Some(columns) = columns else {
            let what = if adds { "* of names that are there twice, beside what is looked up" } else { "* behind USING and NATURAL" };
            return Some(self.lacks(span, what, "name the columns").text);
        };
        let written = columns.iter().map(|column| {
            let name = print_name(column);
            merged.get(column).map_or_else(|| name.clone(), |text| format!("{text} as {name}"))
        });
        Some(written.collect::<Vec<_>>().join(", "))
    }
}

fn constraint_of(join: &Join) -> Option<&JoinConstraint> {
    match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

pub(super) fn is_by_name(constraint: &JoinConstraint) -> bool {
    matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural)
}

fn is_text(column: &Using) -> bool {
    column.sql_type.is_none_or(|kind| matches!(kind.name(), "text" | "varchar" | "bpchar"))
}

pub(super) fn folded(name: &Ident) -> String {
    lowered(name).into_owned()
}
