//! FROM: relations, subqueries, joins.

use std::borrow::Cow;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query, SetExpr, Spanned, TableAlias, TableFactor, TableWithJoins, Value,
    visit_expressions,
};

use super::lateral_columns::is_lateral;
use super::lookups::goes_left;
use super::rewrite::Rewrite;
use super::series::RowSeries;
use super::using::is_by_name;
use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn from(&mut self, relations: &[TableWithJoins]) -> String {
        // What is joined belongs to the nearest, so a list with something lateral is written as joins.
        let lookups: Vec<String> = match self.sources.last() {
            Some(sources) => sources.lookups.iter().map(|(_, join)| join.clone()).collect(),
            None => Vec::new(),
        };
        if let [first, behind @ ..] = relations
            && (behind.iter().any(|relation| sees_before(&relation.relation)) || !lookups.is_empty())
            && behind.iter().all(goes_left)
            && self.is(Engine::Redshift)
        {
            let mut text = self.joined(first);
            for relation in behind {
                let operator = JoinOperator::CrossJoin(JoinConstraint::None);
                let written = self.lateral(&operator, &relation.relation);
                let written = written.unwrap_or_else(|| format!("cross join {}", self.factor(&relation.relation)));
                self.add_join(&mut text, &written);
                for join in &relation.joins {
                    let written = self.join(join);
                    self.add_join(&mut text, &written);
                }
            }
            lookups.iter().for_each(|join| self.add_join(&mut text, join));
            return text;
        }
        let written: Vec<String> = relations.iter().map(|relation| self.joined(relation)).collect();
        written.join(", ")
    }

    fn joined(&mut self, relation: &TableWithJoins) -> String {
        let mut text = self.factor(&relation.relation);
        for join in &relation.joins {
            let written = self.join(join);
            self.add_join(&mut text, &written);
        }
        text
    }

    /// Nothing is joined where columns are computed only.
    fn add_join(&self, text: &mut String, written: &str) {
        if !written.is_empty() {
            text.push_str(self.line());
            text.push_str(written);
        }
    }

    pub(super) fn factor(&mut self, factor: &TableFactor) -> String {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                self.refuse_query_alike(name);
                let name = self.object_name(name);
                self.aliased(name, alias.as_ref(), factor)
            }
            TableFactor::Table { name, alias, args: Some(arguments), with_ordinality: false, sample: None, .. }
                if arguments.settings.is_none() =>
            {
                self.table_function(name, &arguments.args, alias.as_ref())
            }
            TableFactor::Function { name, args, with_ordinality: false, alias, .. } => self.table_function(name, args, alias.as_ref()),
            TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_offset_alias: None, with_ordinality: false } => {
                self.unnest(array_exprs, alias.as_ref(), factor.span())
            }
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                if *lateral && self.is(Engine::Redshift) {
                    match window_within(subquery) {
                        Some(name) => {
                            let help = "number the rows by order and limit, or compute it in a CTE that is read here";
                            self.lacks(factor.span(), &format!("LATERAL with a window function ({name}) inside"), help);
                        }
                        None => {
                            let help = "read one relation outside of it, put what is joined before into a CTE, and compute what a further query gives outside";
                            self.lacks(factor.span(), "this form of LATERAL", help);
                        }
                    }
                }
                if *lateral && self.is(Engine::DuckDb) {
                    self.refuse_outer_join(subquery);
                }
                let written = match &*subquery.body {
                    SetExpr::Values(values)
                        if subquery.order_by.is_none() && subquery.limit_clause.is_none() && subquery.with.is_none() =>
                    {
                        let named = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
                        self.rows_in_from(values, self.columns_of(subquery), named)
                    }
                    _ => self.subquery(subquery),
                };
                let word = if *lateral { "lateral " } else { "" };
                self.aliased(format!("{word}{written}"), alias.as_ref(), factor)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let inner = self.joined(table_with_joins);
                self.aliased(format!("({inner})"), alias.as_ref(), factor)
            }
            other => {
                let help = match other {
                    TableFactor::Pivot { .. } => "write a column for each value: sum(x) filter (where key = 'a') as a",
                    TableFactor::Unpivot { .. } => "write cross join lateral (values ('a', a), ('b', b)) as x (name, value)",
                    TableFactor::Table { with_hints, .. } if !with_hints.is_empty() => "leave the hint out",
                    TableFactor::Table { sample: Some(_), .. } => "take rows by their key, as in where id % 100 = 0",
                    TableFactor::TableFunction { .. } => {
                        "read relations and subqueries; rows by number give from generate_series(1, 10) as g (n)"
                    }
                    _ => "read relations and subqueries",
                };
                self.refuse(other.span(), "this entry of FROM is not on the list of what is the same on all engines", help);
                String::new()
            }
        }
    }

    pub(super) fn object_name(&mut self, name: &ObjectName) -> String {
        if let Some(renamed) = self.renamed.iter().find(|renamed| renamed.is(name)) {
            let spans = name.0.iter().map(Spanned::span);
            return self.spelled(spans.zip(renamed.there.parts().map(|part| Cow::Borrowed(&**part))));
        }
        let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
        match parts {
            Some(parts) => self.names(parts),
            None => self.refuse(name.span(), format!("'{name}' is no plain name"), "name the relation").text,
        }
    }

    fn aliased(&mut self, text: String, alias: Option<&TableAlias>, factor: &TableFactor) -> String {
        let Some(alias) = alias else { return text };
        if alias.at.is_some() || alias.columns.iter().any(|column| column.data_type.is_some()) {
            self.refuse(factor.span(), "this kind of alias is not the same on all engines", "give the relation a plain name");
        }
        format!("{text} as {}", self.alias(alias))
    }

    /// A name with names of columns.
    pub(super) fn alias(&mut self, alias: &TableAlias) -> String {
        let name = self.name(&alias.name);
        if alias.columns.is_empty() {
            return name;
        }
        let columns: Vec<String> = alias.columns.iter().map(|column| self.name(&column.name)).collect();
        format!("{name} ({})", columns.join(", "))
    }

    fn join(&mut self, join: &Join) -> String {
        if let Some(written) = self.lateral(&join.join_operator, &join.relation) {
            return written;
        }
        let relation = self.factor(&join.relation);
        let (words, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => ("join", constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => ("left join", constraint),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => ("right join", constraint),
            JoinOperator::FullOuter(constraint) => ("full join", constraint),
            JoinOperator::CrossJoin(constraint @ JoinConstraint::None) => ("cross join", constraint),
            _ => {
                let help = match &join.join_operator {
                    JoinOperator::CrossApply => "write cross join lateral (select …) as x",
                    JoinOperator::OuterApply => "write left join lateral (select …) as x on true",
                    JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) => "write where exists (select from … where …)",
                    JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) => "write where not exists (select from … where …)",
                    JoinOperator::AsOf { .. } => "write left join lateral (select … where … order by moment desc limit 1) as x on true",
                    _ => "use inner, left, right, full or cross join",
                };
                self.refuse(join.relation.span(), "this kind of join is not PostgreSQL's", help);
                return String::new();
            }
        };
        match constraint {
            JoinConstraint::On(condition) => {
                self.note_compared(condition);
                let is_asked = !matches!(condition, Expr::Value(value) if value.value == Value::Boolean(true));
                let condition = self.condition(condition).text;
                let lateral = relation.strip_prefix("lateral ").filter(|_| words == "left join" && is_asked);
                match (lateral, &join.relation) {
                    // DuckDB asks that the condition compares both sides. Inside, it may be any.
                    (Some(relation), TableFactor::Derived { alias: Some(alias), .. })
                        if self.is(Engine::DuckDb) && self.rewrites(Rewrite::Lateral) =>
                    {
                        let name = self.name(&alias.name);
                        format!("{words} lateral (select * from {relation} where {condition}) as {name} on true")
                    }
                    _ => format!("{words} {relation} on {condition}"),
                }
            }
            by_name if is_by_name(by_name) => match (self.using_as_condition(join), by_name) {
                (Some(condition), _) => format!("{words} {relation} on {condition}"),
                (None, JoinConstraint::Using(columns)) => {
                    let columns: Vec<String> = columns.iter().map(|column| self.object_name(column)).collect();
                    format!("{words} {relation} using ({})", columns.join(", "))
                }
                (None, _) => format!("natural {words} {relation}"),
            },
            JoinConstraint::Using(_) | JoinConstraint::Natural => String::new(),
            JoinConstraint::None if words == "cross join" => format!("{words} {relation}"),
            JoinConstraint::None => {
                let help = "write on a.key = b.key behind it, or cross join for all pairs";
                self.refuse(join.relation.span(), "a join without a condition is not PostgreSQL's", help).text
            }
        }
    }
}

/// The first window function within a query.
fn window_within(query: &Query) -> Option<String> {
    visit_expressions(query, |expression| match expression {
        Expr::Function(function) if function.over.is_some() => ControlFlow::Break(function.name.to_string().to_lowercase()),
        _ => ControlFlow::Continue(()),
    })
    .break_value()
}

/// A subquery, or a function, which sees what stands before it.
fn sees_before(factor: &TableFactor) -> bool {
    is_lateral(factor) || RowSeries::of(factor).is_some()
}
