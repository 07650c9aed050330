//! Subqueries that depend on the row around them in a way that Redshift does not take apart, and so refuses.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html>

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, Spanned, TableFactor,
    TableWithJoins, Value, Visit, Visitor,
};
use sqlparser::tokenizer::Span;

/// The way out that there always is.
pub(super) const WAY_OUT: &str = "join a query that groups its rows by what the condition compares";

/// All but MIN and MAX, which IN may have per group; in PostgreSQL's spelling too.
const AGGREGATES: &[&str] = &[
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "listagg",
    "median",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// What is refused, as an object: `a subquery in …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub span: Span,
    pub what: &'static str,
}

/// The patterns that the manual lists, as far as names with a relation before them tell. LIMIT is looked for elsewhere.
pub(super) fn refused(tree: &impl Visit) -> Vec<Pattern> {
    let mut reader =
        Reader { blocks: Vec::new(), inner: HashSet::new(), outer_joins: HashSet::new(), keys: HashSet::new(), found: Vec::new() };
    let _ = tree.visit(&mut reader);
    reader.found
}

/// A query, and what it is to the one around it.
struct Block {
    relations: BTreeSet<String>,
    /// A value or a condition, not a relation of FROM or WITH.
    is_inner: bool,
    in_outer_join: bool,
    in_key: bool,
    has_window: bool,
    span: Span,
}

struct Reader {
    /// The outermost first.
    blocks: Vec<Block>,
    // Places in memory of queries that are yet to be read.
    inner: HashSet<usize>,
    outer_joins: HashSet<usize>,
    keys: HashSet<usize>,
    found: Vec<Pattern>,
}

impl Reader {
    fn refuse(&mut self, span: Span, what: &'static str) {
        let pattern = Pattern { span, what };
        if !self.found.contains(&pattern) {
            self.found.push(pattern);
        }
    }

    /// `relation.column`: where the relation stands tells which queries it reaches out of.
    fn reference(&mut self, relation: &Ident, span: Span) {
        let name = relation.value.to_lowercase();
        let Some(home) = self.blocks.iter().rposition(|block| block.relations.contains(&name)) else { return };
        let crossed = self.blocks.get(home + 1..).unwrap_or_default();
        if crossed.iter().filter(|block| block.is_inner).count() == 0 {
            return;
        }
        let mut patterns = Vec::new();
        if crossed.iter().filter(|block| block.is_inner).count() > 1 {
            patterns.push((span, "a name of a query that is not the next one around a subquery"));
        }
        for block in crossed {
            if block.in_outer_join {
                patterns.push((block.span, "a subquery in ON of an outer join that depends on the row"));
            }
            if block.in_key {
                patterns.push((block.span, "grouping by a subquery that depends on the row"));
            }
        }
        if let Some(block) = crossed.last().filter(|block| block.has_window) {
            patterns.push((block.span, "a window function in a subquery that depends on the row"));
        }
        for (span, what) in patterns {
            self.refuse(span, what);
        }
    }

    fn select(&mut self, select: &Select) {
        for join in select.from.iter().flat_map(all_joins) {
            let (JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)) = &join.join_operator
            else {
                continue;
            };
            if let JoinConstraint::On(condition) = constraint {
                self.outer_joins.extend(subqueries(condition));
            }
        }
        if let GroupByExpr::Expressions(keys, _) = &select.group_by {
            for key in keys {
                self.keys.extend(subqueries(behind(select, key)));
            }
        }
    }

    /// `x in (select sum(y) from z group by w)`
    fn grouped_list(&mut self, query: &Query) {
        let SetExpr::Select(select) = &*query.body else { return };
        let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        let aggregates = |call: &Function| {
            let name = call.name.to_string().to_lowercase();
            call.over.is_none() && AGGREGATES.contains(&name.as_str())
        };
        if is_grouped && has_call(&select.projection, &aggregates) {
            self.refuse(query.span(), "IN with a subquery of aggregates per group");
        }
    }
}

impl Visitor for Reader {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let place = std::ptr::from_ref(query).addr();
        let mut block = Block {
            relations: BTreeSet::new(),
            is_inner: self.inner.contains(&place),
            in_outer_join: self.outer_joins.contains(&place),
            in_key: self.keys.contains(&place),
            has_window: false,
            span: query.span(),
        };
        each_select(&query.body, &mut |select| {
            select.from.iter().for_each(|entry| names_of(entry, &mut block.relations));
            block.has_window |= has_call(&select.projection, &|call| call.over.is_some());
            self.select(select);
        });
        self.blocks.push(block);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.blocks.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::InSubquery { subquery, .. } => self.grouped_list(subquery),
            Expr::CompoundIdentifier(parts) => {
                if let [relation, _] = parts.as_slice() {
                    self.reference(relation, expression.span());
                }
            }
            _ => {}
        }
        self.inner.extend(subquery(expression));
        ControlFlow::Continue(())
    }
}

/// Where in memory the query of an expression is.
fn subquery(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Subquery(query) | Expr::Exists { subquery: query, .. } | Expr::InSubquery { subquery: query, .. } => {
            Some(std::ptr::from_ref(&**query).addr())
        }
        _ => None,
    }
}

/// Those of an expression, without those within them.
fn subqueries(expression: &Expr) -> Vec<usize> {
    let mut outermost = Outermost { depth: 0, seen: &mut |_| {}, queries: Vec::new() };
    let _ = expression.visit(&mut outermost);
    outermost.queries
}

fn has_call(tree: &impl Visit, is_it: &dyn Fn(&Function) -> bool) -> bool {
    let mut found = false;
    let _ = tree.visit(&mut Outermost { depth: 0, seen: &mut |call| found |= is_it(call), queries: Vec::new() });
    found
}

/// Reads what belongs to the query itself.
struct Outermost<'s> {
    depth: usize,
    seen: &'s mut dyn FnMut(&Function),
    queries: Vec<usize>,
}

impl Visitor for Outermost<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            self.queries.extend(subquery(expression));
            if let Expr::Function(call) = expression {
                (self.seen)(call);
            }
        }
        ControlFlow::Continue(())
    }
}

/// The expression of the list that a key of GROUP BY names, or the key itself.
fn behind<'s>(select: &'s Select, key: &'s Expr) -> &'s Expr {
    let item = match key {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => {
                let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                at.and_then(|at| select.projection.get(at))
            }
            _ => None,
        },
        Expr::Identifier(name) => select.projection.iter().find(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => alias.value.eq_ignore_ascii_case(&name.value),
            _ => false,
        }),
        _ => None,
    };
    match item {
        Some(SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) => expression,
        _ => key,
    }
}

/// Every SELECT of a body that may be a UNION.
fn each_select(body: &SetExpr, use_it: &mut impl FnMut(&Select)) {
    match body {
        SetExpr::Select(select) => use_it(select),
        SetExpr::SetOperation { left, right, .. } => {
            each_select(left, use_it);
            each_select(right, use_it);
        }
        _ => {}
    }
}

fn all_joins(entry: &TableWithJoins) -> Vec<&Join> {
    let factors = std::iter::once(&entry.relation).chain(entry.joins.iter().map(|join| &join.relation));
    let nested = factors.filter_map(|factor| match factor {
        TableFactor::NestedJoin { table_with_joins, .. } => Some(all_joins(table_with_joins)),
        _ => None,
    });
    nested.flatten().chain(&entry.joins).collect()
}

/// The names by which the relations of an entry of FROM are known.
fn names_of(entry: &TableWithJoins, names: &mut BTreeSet<String>) {
    for factor in std::iter::once(&entry.relation).chain(entry.joins.iter().map(|join| &join.relation)) {
        let named = match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. } => Some(&alias.name),
            TableFactor::Table { name, alias: None, .. } => name.0.last().and_then(|part| part.as_ident()),
            TableFactor::NestedJoin { table_with_joins, .. } => {
                names_of(table_with_joins, names);
                None
            }
            _ => None,
        };
        names.extend(named.map(|name| name.value.to_lowercase()));
    }
}
