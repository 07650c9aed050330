//! Queries: WITH, set operations, VALUES, SELECT and its clauses.

use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, LimitClause, NamedWindowExpr, OrderByKind, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Spanned, Values, With,
};

use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn query(&mut self, query: &Query) -> String {
        stacker::maybe_grow(128 * 1024, 1024 * 1024, || self.query_parts(query))
    }

    fn query_parts(&mut self, query: &Query) -> String {
        let foreign =
            query.for_clause.is_some() || query.settings.is_some() || query.format_clause.is_some() || !query.pipe_operators.is_empty();
        if foreign {
            self.refuse(query.span(), "this query has clauses that PostgreSQL does not have", "write it in PostgreSQL's SQL");
        }
        if !query.locks.is_empty() && !self.is(Engine::Postgres) {
            self.lacks(query.span(), "FOR UPDATE and FOR SHARE", "leave it out: a model only reads");
        }
        let mut text = String::new();
        if let Some(with) = &query.with {
            text.push_str(&self.with(with));
        }
        text.push_str(&self.body(&query.body));
        self.order_and_limit(query, &mut text);
        text
    }

    fn with(&mut self, with: &With) -> String {
        let line = self.line();
        let ctes: Vec<String> = with.cte_tables.iter().map(|cte| self.cte(cte)).collect();
        let recursive = if with.recursive { "recursive " } else { "" };
        format!("with {recursive}{}{line}", ctes.join(&format!(",{line}")))
    }

    fn cte(&mut self, cte: &Cte) -> String {
        let name = self.alias(&cte.alias);
        let query = self.subquery(&cte.query);
        format!("{name} as {query}")
    }

    fn body(&mut self, body: &SetExpr) -> String {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.subquery(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => self.set_operation(left, *op, *set_quantifier, right),
            SetExpr::Values(values) => self.values(values),
            other => {
                self.refuse(other.span(), "this is no query that all engines have", "write a SELECT");
                String::new()
            }
        }
    }

    fn set_operation(&mut self, left: &SetExpr, op: SetOperator, quantifier: SetQuantifier, right: &SetExpr) -> String {
        let word = match op {
            SetOperator::Union => "union",
            SetOperator::Except => "except",
            SetOperator::Intersect => "intersect",
            SetOperator::Minus => {
                self.refuse(left.span(), "MINUS is not PostgreSQL's", "write EXCEPT");
                ""
            }
        };
        let all = match quantifier {
            SetQuantifier::All => " all",
            SetQuantifier::None | SetQuantifier::Distinct => "",
            _ => {
                self.refuse(left.span(), "set operations by name are not PostgreSQL's", "write the columns in one order");
                ""
            }
        };
        let line = self.line();
        let (one, other) = (self.side(left, op, quantifier), self.side(right, op, SetQuantifier::ByName));
        format!("{one}{line}{word}{all}{line}{other}")
    }

    /// A side of a set operation; in parentheses where it is another one, as engines differ in what binds tighter.
    fn side(&mut self, side: &SetExpr, op: SetOperator, quantifier: SetQuantifier) -> String {
        match side {
            SetExpr::SetOperation { op: inner, set_quantifier, .. } if *inner != op || *set_quantifier != quantifier => {
                let inner = self.indented(|writer| format!("{}{}", writer.line(), writer.body(side)));
                format!("({inner}{})", self.line())
            }
            _ => self.body(side),
        }
    }

    fn values(&mut self, values: &Values) -> String {
        let rows = values.rows.iter().map(|row| {
            let cells: Vec<String> = row.content.iter().map(|cell| self.expression(cell).text).collect();
            format!("({})", cells.join(", "))
        });
        format!("values {}", rows.collect::<Vec<_>>().join(", "))
    }

    fn select(&mut self, select: &Select) -> String {
        self.refuse_foreign_clauses(select);
        let mut text = "select".to_owned();
        match &select.distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => text.push_str(" distinct"),
            Some(Distinct::On(keys)) => {
                let keys: Vec<String> = keys.iter().map(|key| self.expression(key).text).collect();
                if self.is(Engine::Redshift) {
                    self.lacks(select.span(), "DISTINCT ON", "number the rows with row_number() and keep the first");
                }
                text.push_str(&format!(" distinct on ({})", keys.join(", ")));
            }
        }
        text.push_str(&self.projection(&select.projection));
        if !select.from.is_empty() {
            text.push_str(&format!("{}from {}", self.line(), self.from(&select.from)));
        }
        if let Some(condition) = &select.selection {
            text.push_str(&format!("{}where {}", self.line(), self.expression(condition).text));
        }
        text.push_str(&self.group_by(&select.group_by));
        if let Some(condition) = &select.having {
            text.push_str(&format!("{}having {}", self.line(), self.expression(condition).text));
        }
        self.named_windows(select);
        text
    }

    fn named_windows(&mut self, select: &Select) {
        let written =
            select.named_window.iter().any(|window| matches!(window.1, NamedWindowExpr::WindowSpec(_) | NamedWindowExpr::NamedWindow(_)));
        if written {
            self.refuse(
                select.span(),
                "named windows are not on the list of what is the same on all engines",
                "write the window at the call",
            );
        }
    }

    fn refuse_foreign_clauses(&mut self, select: &Select) {
        let foreign = !select.optimizer_hints.is_empty()
            || select.select_modifiers.is_some()
            || select.top.is_some()
            || select.exclude.is_some()
            || select.into.is_some()
            || !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.connect_by.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.qualify.is_some()
            || select.value_table_mode.is_some()
            || select.flavor != SelectFlavor::Standard;
        if foreign {
            self.refuse(select.span(), "this SELECT has clauses that PostgreSQL does not have", "write it in PostgreSQL's SQL");
        }
    }

    fn projection(&mut self, items: &[SelectItem]) -> String {
        match items {
            [] => String::new(),
            [only] => format!(" {}", self.item(only)),
            many => self.indented(|writer| {
                let items: Vec<String> = many.iter().map(|item| format!("{}{}", writer.line(), writer.item(item))).collect();
                items.join(",")
            }),
        }
    }

    fn item(&mut self, item: &SelectItem) -> String {
        match item {
            SelectItem::UnnamedExpr(expression) => {
                let written = self.expression(expression).text;
                self.named_as_in_postgres(expression, written)
            }
            SelectItem::ExprWithAlias { expr, alias } => format!("{} as {}", self.expression(expr).text, self.name(alias)),
            SelectItem::Wildcard(options) if options.to_string() == "*" || options.to_string().is_empty() => "*".to_owned(),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) if options.to_string().is_empty() => {
                format!("{}.*", self.object_name(name))
            }
            other => {
                self.refuse(other.span(), "this item of SELECT is not PostgreSQL's", "name the columns");
                String::new()
            }
        }
    }

    /// A column without a name gets the one that PostgreSQL gives it.
    fn named_as_in_postgres(&mut self, expression: &Expr, written: String) -> String {
        match expression {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => written,
            other if self.is(Engine::Postgres) && !written.is_empty() => {
                // What is rewritten would be named after the rewrite.
                let name = crate::analysis::output_name(other);
                if name == "?column?" { written } else { format!("{written} as {}", super::writer::print_name(&name)) }
            }
            other => format!("{written} as {}", super::writer::print_name(&crate::analysis::output_name(other))),
        }
    }

    fn group_by(&mut self, group_by: &GroupByExpr) -> String {
        match group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                if keys.is_empty() {
                    return String::new();
                }
                let keys: Vec<String> = keys.iter().map(|key| self.grouping_key(key)).collect();
                format!("{}group by {}", self.line(), keys.join(", "))
            }
            other => {
                self.refuse(other.span(), "this form of GROUP BY is not PostgreSQL's", "list the keys");
                String::new()
            }
        }
    }

    fn grouping_key(&mut self, key: &Expr) -> String {
        let (word, sets) = match key {
            Expr::Rollup(sets) => ("rollup", sets),
            Expr::Cube(sets) => ("cube", sets),
            Expr::GroupingSets(sets) => ("grouping sets", sets),
            other => return self.expression(other).text,
        };
        let sets: Vec<String> = sets
            .iter()
            .map(|set| {
                let keys: Vec<String> = set.iter().map(|key| self.expression(key).text).collect();
                if keys.len() == 1 && word != "grouping sets" { keys.join(", ") } else { format!("({})", keys.join(", ")) }
            })
            .collect();
        format!("{word} ({})", sets.join(", "))
    }

    fn order_and_limit(&mut self, query: &Query, text: &mut String) {
        if let Some(order_by) = &query.order_by {
            match &order_by.kind {
                OrderByKind::Expressions(keys) if order_by.interpolate.is_none() => {
                    text.push_str(&format!("{}order by {}", self.line(), self.order_keys(keys)));
                }
                _ => {
                    self.refuse(order_by.span(), "this form of ORDER BY is not PostgreSQL's", "list the keys");
                }
            }
        }
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                if let Some(limit) = limit {
                    text.push_str(&format!("{}limit {}", self.line(), self.expression(limit).part()));
                }
                if let Some(offset) = offset {
                    text.push_str(&format!("{}offset {}", self.line(), self.expression(&offset.value).part()));
                }
            }
            Some(_) => {
                self.refuse(query.span(), "this form of LIMIT is not PostgreSQL's", "write LIMIT n OFFSET m");
            }
        }
        match &query.fetch {
            None => {}
            Some(fetch) if !fetch.with_ties && !fetch.percent => {
                let rows = fetch.quantity.as_ref().map_or_else(|| "1".to_owned(), |rows| self.expression(rows).part());
                text.push_str(&format!("{}limit {rows}", self.line()));
            }
            Some(_) => {
                self.refuse(
                    query.span(),
                    "FETCH … WITH TIES is not the same on all engines",
                    "rank the rows with rank() and keep those up to n",
                );
            }
        }
    }
}
