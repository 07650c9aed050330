//! Queries: WITH, set operations, VALUES, SELECT.

use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, SetOperator, SetQuantifier, Spanned, Value, Values, With,
};

use super::currencies::{both_by_name, rename_currencies};
use super::equalities::Holds;
use super::grouping::{Grouping, has_aggregate};
use super::keys::keys_of_select;
use super::literal::quoted;
use super::narrowing::narrow;
use super::output_name::output_name;
use super::rows::is_fields;
use super::scope::{Column, CteLink, Found, QueryResult, Scope, fold};
use super::ties::{is_limited, unique_of_set};
use super::{Inference, Outer, known, path, settled};
use crate::analysis::coercion::common;
use crate::analysis::facts::{EdgeKind, Facts, Origins, merge};
use crate::analysis::sql_type::SqlType;
use crate::diag::{Diagnostic, codes};
use crate::syntax::added_columns;

impl Inference<'_> {
    /// `outer` is what encloses a subquery; the common table expressions of what encloses it are known in it too.
    pub(super) fn query(&mut self, query: &Query, outer: Outer<'_>, ctes: Option<&CteLink<'_>>) -> QueryResult {
        // A subquery may aggregate wherever it stands.
        let before = self.aggregates.take();
        let result = stacker::maybe_grow(128 * 1024, 1024 * 1024, || match &query.with {
            Some(with) => self.with(with, 0, query, outer, ctes),
            None => self.query_body(query, outer, ctes),
        });
        if let Some(types) = &mut self.types {
            types.note_query(query, &result);
        }
        self.aggregates = before;
        result
    }

    /// Each common table expression sees those before it, so each is a frame of its own.
    fn with(&mut self, with: &With, at: usize, query: &Query, outer: Outer<'_>, ctes: Option<&CteLink<'_>>) -> QueryResult {
        let Some(cte) = with.cte_tables.get(at) else { return self.query_body(query, outer, ctes) };
        let result = self.cte(cte, with.recursive, outer, ctes);
        let number = Some(self.declare_cte(cte, &result));
        let link = CteLink { name: fold(&cte.alias.name), result, number, before: ctes };
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.with(with, at + 1, query, outer, Some(&link)))
    }

    fn cte(&mut self, cte: &Cte, recursive: bool, outer: Outer<'_>, ctes: Option<&CteLink<'_>>) -> QueryResult {
        let found = self.findings.len();
        let mut result = match (&*cte.query.body, recursive && cte.query.with.is_none()) {
            (SetExpr::SetOperation { left, right, op: SetOperator::Union, .. }, true) => {
                let first = self.set_expr(left, outer, ctes);
                let mut first = renamed(self.settle(first), cte);
                first.unique.clear();
                // Later rounds may add nulls to any column.
                first.columns.iter_mut().for_each(|column| column.facts.nullable = true);
                // Each round may make a text longer.
                let sizes: Vec<Option<u32>> = first.columns.iter_mut().map(|column| column.facts.bytes.take()).collect();
                let link = CteLink { name: fold(&cte.alias.name), result: first.clone(), number: None, before: ctes };
                let more = self.set_expr(right, outer, Some(&link));
                self.check_widths(&first, &more, right.span(), "UNION");
                self.check_step(&first, &more, right);
                let measures = both_by_name(&first, &more);
                for ((column, other), size) in first.columns.iter_mut().zip(&more.columns).zip(sizes) {
                    column.facts.bytes = size;
                    column.facts.bytes = super::sizes::merged(&column.facts, &other.facts);
                }
                for ((column, other), measures) in first.columns.iter_mut().zip(&more.columns).zip(&measures) {
                    let meaning = self.united((column, other), measures, "UNION", right.span());
                    column.facts.meaning = meaning;
                    merge(&mut column.facts.origins, &other.facts.origins);
                }
                merge(&mut first.indirect, &more.indirect);
                first
            }
            _ => self.query(&cte.query, outer, ctes),
        };
        if let Some(types) = &mut self.types {
            types.note_query(&cte.query, &result);
        }
        if self.findings.len() > found {
            // One mistake, one error: who reads it is not blamed as well.
            result.open = true;
        }
        let mut result = renamed(result, cte);
        let added = cte.alias.columns.last().map(|kept| added_columns(&kept.name.value)).unwrap_or_default();
        result.columns.extend(added.into_iter().map(|added| {
            let facts = Facts::of(added.kind.and_then(SqlType::parse), false);
            Column { name: added.name.into(), facts, id: 0 }
        }));
        result
    }

    /// PostgreSQL wants each column of a recursive query to have the type of its first rows, with precision and scale.
    fn check_step(&mut self, first: &QueryResult, more: &QueryResult, step: &SetExpr) {
        if self.tables.has_foreign_functions() || first.open || more.open {
            return;
        }
        let spans = projection_spans(step);
        for (at, (column, other)) in first.columns.iter().zip(&more.columns).enumerate() {
            let (Some(left), Some(right)) = (column.facts.sql_type, other.facts.sql_type) else { continue };
            let found = match common(&[left, right]) {
                Ok(both) if both == left => continue,
                Ok(both) => format!("{both} with those of its step"),
                Err(_) => format!("{right} in those of its step"),
            };
            let span = spans.get(at).copied().unwrap_or_else(|| step.span());
            let message = format!("column '{}' of the recursive query is {left} in its first rows and {found}", column.name);
            self.find(span, Diagnostic::new(&codes::TYPE_MISMATCH, message).help(format!("cast both to one type, as in x::{left}")));
        }
    }

    fn query_body(&mut self, query: &Query, outer: Outer<'_>, ctes: Option<&CteLink<'_>>) -> QueryResult {
        let orders = query.order_by.as_ref().map_or(&[][..], |order| match &order.kind {
            OrderByKind::Expressions(expressions) => expressions,
            OrderByKind::All(_) => &[],
        });
        let mut result = match &*query.body {
            SetExpr::Select(select) => self.select(select, (orders, is_limited(query)), outer, ctes, true),
            other => {
                let result = self.set_expr(other, outer, ctes);
                let mut result = self.settle(result);
                self.order_of_set(&mut result, orders, other, outer, ctes);
                self.doubt_ties_of_set(query, &result, orders);
                result
            }
        };
        if query.limit_clause.is_some() || query.fetch.is_some() {
            result.single = false;
            result.keys.clear();
        }
        let scope = Scope::new(outer, ctes);
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                for expression in limit.iter().chain(offset.iter().map(|offset| &offset.value)) {
                    self.expression(expression, &scope);
                }
            }
            Some(LimitClause::OffsetCommaLimit { .. }) | None => {}
        }
        if !query.pipe_operators.is_empty() || query.for_clause.is_some() {
            self.doubts.is_blind = true;
            return QueryResult { open: true, ..QueryResult::default() };
        }
        result
    }

    /// Literals stay without a type: the query around it may give them one.
    fn set_expr(&mut self, body: &SetExpr, outer: Outer<'_>, ctes: Option<&CteLink<'_>>) -> QueryResult {
        stacker::maybe_grow(128 * 1024, 1024 * 1024, || match body {
            SetExpr::Select(select) => self.select(select, (&[], false), outer, ctes, false),
            SetExpr::Query(query) => {
                if query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() {
                    self.set_expr(&query.body, outer, ctes)
                } else {
                    self.query(query, outer, ctes)
                }
            }
            SetExpr::SetOperation { left, right, op, set_quantifier } => {
                let (mut first, mut second) = (self.set_expr(left, outer, ctes), self.set_expr(right, outer, ctes));
                if matches!(set_quantifier, SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName) {
                    (first, second) = aligned(first, second);
                }
                let unique = unique_of_set(&first, *op, *set_quantifier);
                let result = QueryResult { unique, ..self.set_operation(first, second, *op, [left, right]) };
                if let Some(types) = &mut self.types {
                    types.note_set(body, &result);
                }
                result
            }
            SetExpr::Values(values) => {
                let result = self.values(values, outer, ctes);
                if let Some(types) = &mut self.types {
                    types.note_set(body, &result);
                }
                result
            }
            SetExpr::Table(table) => {
                let name = table.schema_name.iter().chain(&table.table_name).map(|name| name.to_ascii_lowercase()).collect::<Vec<_>>();
                let item = self.table_item(&name, None, &Scope::new(outer, ctes), body.span());
                QueryResult { columns: item.columns, open: item.open, ..QueryResult::default() }
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                QueryResult { open: true, ..QueryResult::default() }
            }
        })
    }

    fn settle(&mut self, mut result: QueryResult) -> QueryResult {
        for column in &mut result.columns {
            column.facts.sql_type = settled(column.facts.sql_type);
        }
        result
    }

    fn check_widths(&mut self, first: &QueryResult, second: &QueryResult, span: sqlparser::tokenizer::Span, operator: &str) -> bool {
        let (left, right) = (first.columns.len(), second.columns.len());
        if first.open || second.open || left == right {
            return true;
        }
        self.mistake(span, &codes::UNEQUAL_COLUMNS, format!("one side of {operator} gives {left} columns and the other {right}"));
        false
    }

    fn set_operation(&mut self, first: QueryResult, second: QueryResult, operator: SetOperator, sides: [&SetExpr; 2]) -> QueryResult {
        let [_, right] = sides;
        if !self.check_widths(&first, &second, right.span(), &operator.to_string()) {
            return QueryResult { open: true, ..first };
        }
        let open = first.open || second.open;
        let mut result = QueryResult { open, indirect: first.indirect.clone(), ..QueryResult::default() };
        merge(&mut result.indirect, &second.indirect);
        if operator != SetOperator::Union {
            // Whether a row is there depends on all columns of the other side.
            for column in &second.columns {
                let origins: Origins = column.facts.origins.iter().map(|origin| origin.of_kind(EdgeKind::Filter)).collect();
                merge(&mut result.indirect, &origins);
            }
        }
        let spans = projection_spans(right);
        let mut measures = both_by_name(&first, &second).into_iter();
        let mut others = second.columns.into_iter();
        for (at, column) in first.columns.into_iter().enumerate() {
            let Some(other) = others.next() else {
                result.columns.push(Column { facts: Facts { sql_type: None, nullable: true, ..column.facts }, ..column });
                continue;
            };
            let sql_type = match (column.facts.sql_type, other.facts.sql_type) {
                // Where one side is open, columns may not stand beside each other.
                _ if open => None,
                (Some(left), Some(right_type)) => match common(&[left, right_type]) {
                    // Between literals nothing is decided yet.
                    Ok(text) if left.id == known().unknown && right_type.id == known().unknown => {
                        // But by PostgreSQL, for which both are text now.
                        Some(if self.tables.has_foreign_functions() { left } else { text })
                    }
                    Ok(common) => {
                        let span = spans.get(at).copied().unwrap_or_else(|| right.span());
                        self.doubt_common(&[(&column.facts, span), (&other.facts, span)], common);
                        sides.into_iter().filter_map(|side| item_at(side, at)).for_each(|item| self.check_literal(item, Some(common.id)));
                        Some(common)
                    }
                    Err(_) => {
                        let span = spans.get(at).copied().unwrap_or_else(|| right.span());
                        let message = format!("column '{}' is {left} on one side of {operator} and {right_type} on the other", column.name);
                        let problem = Diagnostic::new(&codes::TYPE_MISMATCH, message);
                        self.find(span, problem.help("write the columns in one order on both sides, or cast one, as in x::text"));
                        None
                    }
                },
                _ => None,
            };
            // What only the first side gives is not null when that is not; the second side adds no rows then.
            let nullable = match operator {
                SetOperator::Except | SetOperator::Minus => column.facts.nullable,
                _ => column.facts.nullable || other.facts.nullable || open,
            };
            let span = spans.get(at).copied().unwrap_or_else(|| right.span());
            let measures = measures.next().filter(|_| !open).unwrap_or_default();
            let meaning = self.united((&column, &other), &measures, &operator.to_string(), span);
            let digits = super::typed::merged(&column.facts, &other.facts);
            let bytes = super::sizes::merged(&column.facts, &other.facts);
            let facts = Facts { sql_type, nullable, origins: column.facts.origins, meaning, digits, bytes };
            let facts = if operator == SetOperator::Union { facts.reading(std::slice::from_ref(&other.facts)) } else { facts };
            result.columns.push(Column { facts, ..column });
        }
        result
    }

    fn values(&mut self, values: &Values, outer: Outer<'_>, ctes: Option<&CteLink<'_>>) -> QueryResult {
        let scope = Scope::new(outer, ctes);
        let rows: Vec<Vec<Facts>> =
            values.rows.iter().map(|row| row.content.iter().map(|value| self.expression(value, &scope)).collect()).collect();
        let width = rows.first().map_or(0, Vec::len);
        if let Some(row) = values.rows.iter().zip(&rows).find(|(_, facts)| facts.len() != width).map(|(row, _)| row) {
            let span = row.content.first().map_or_else(|| values.span(), Spanned::span);
            self.mistake(span, &codes::UNEQUAL_COLUMNS, "the lists of VALUES are not of one length".to_owned());
            return QueryResult { open: true, ..QueryResult::default() };
        }
        let columns = (0..width).map(|at| {
            let cells: Vec<&Facts> = rows.iter().filter_map(|row| row.get(at)).collect();
            let types: Option<Vec<_>> = cells.iter().map(|facts| facts.sql_type).collect();
            let sql_type = types.and_then(|types| common(&types).map_err(|_| ()).ok());
            let all_unknown = cells.iter().all(|facts| facts.sql_type.is_some_and(|kind| kind.id == known().unknown));
            let sql_type = if all_unknown { cells.first().and_then(|facts| facts.sql_type) } else { sql_type };
            if let Some(kind) = sql_type.filter(|_| !all_unknown) {
                values.rows.iter().filter_map(|row| row.content.get(at)).for_each(|cell| self.check_literal(cell, Some(kind.id)));
            }
            let mut facts = Facts::of(sql_type, cells.iter().any(|facts| facts.nullable));
            facts.digits =
                cells.iter().map(|cell| super::typed::digits(cell)).collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max());
            facts.bytes = super::sizes::most(cells.iter().copied());
            cells.iter().for_each(|cell| facts = std::mem::take(&mut facts).reading(std::slice::from_ref(cell)));
            Column { name: format!("column{}", at + 1).into(), facts, id: 0 }
        });
        QueryResult { columns: columns.collect(), single: rows.len() == 1, ..QueryResult::default() }
    }

    /// `orders`: and whether only the first rows are taken. `last`: its own literals become text.
    fn select(
        &mut self,
        select: &Select,
        orders: (&[OrderByExpr], bool),
        outer: Outer<'_>,
        ctes: Option<&CteLink<'_>>,
        last: bool,
    ) -> QueryResult {
        let mut indirect = Origins::new();
        let aliases_before = self.aliases.len();
        self.aliases.extend(select.projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
            _ => None,
        }));
        let result = self.select_from(select, orders, (outer, ctes), &mut indirect, last);
        self.aliases.truncate(aliases_before);
        result
    }

    fn select_from(
        &mut self,
        select: &Select,
        (orders, limited): (&[OrderByExpr], bool),
        (outer, ctes): (Outer<'_>, Option<&CteLink<'_>>),
        indirect: &mut Origins,
        last: bool,
    ) -> QueryResult {
        let mut scope = self.from(&select.from, outer, ctes, indirect);
        if !select.lateral_views.is_empty() || select.prewhere.is_some() || !select.connect_by.is_empty() || select.into.is_some() {
            self.doubts.is_blind = true;
            return QueryResult { open: true, ..QueryResult::default() };
        }
        if let Some(condition) = &select.selection {
            self.fix_currencies(condition, &mut scope, &Holds::Always);
            let facts = self.without_aggregates("WHERE", |this| this.condition(condition, &scope, "WHERE"));
            take(indirect, &facts, EdgeKind::Filter);
            narrow(&mut scope, condition);
        }
        let grouping = self.group_by(select, &scope, indirect);
        scope.grouped = grouping.never_empty();
        let keys_before = std::mem::replace(&mut self.group_keys, grouping.in_common());
        let windows_before = self.name_windows(&select.named_window, &scope, &grouping);
        let columns = self.projection(&select.projection, &scope, &grouping);
        let mut result = QueryResult {
            columns: columns.columns,
            open: columns.open,
            indirect: std::mem::take(indirect),
            single: grouping.is_single(),
            keys: Vec::new(),
            unique: Vec::new(),
        };
        if self.is_looked_into {
            result.keys = keys_of_select(select, &scope, &grouping, &result);
            result.unique = self.unique_of_select(select, &scope, &grouping, &result);
        }
        if let Some(having) = &select.having {
            let facts = self.condition(having, &scope, "HAVING");
            self.check_grouped(having, &scope, &grouping);
            take(&mut result.indirect, &facts, EdgeKind::Filter);
            result.single = false;
        }
        if let Some(qualify) = &select.qualify {
            let facts = self.expression(qualify, &scope);
            take(&mut result.indirect, &facts, EdgeKind::Filter);
        }
        if let Some(Distinct::On(keys)) = &select.distinct {
            for key in keys {
                let facts = self.order_key(key, &result, &scope, &grouping, true);
                take(&mut result.indirect, &facts, EdgeKind::Group);
            }
        }
        for order in orders {
            let facts = self.order_key(&order.expr, &result, &scope, &grouping, true);
            take(&mut result.indirect, &facts, EdgeKind::Order);
        }
        self.doubt_ties(select, (orders, limited), &scope, &grouping);
        self.group_keys = keys_before;
        self.windows = windows_before;
        if grouping.has_sets() {
            // A column that a set leaves out is null in its rows.
            result.columns.iter_mut().for_each(|column| column.facts.nullable = true);
        }
        self.name_by_equals(&mut result.columns);
        let result = if last { self.settle(result) } else { result };
        if let Some(types) = &mut self.types {
            types.note_select(select, &result);
        }
        result
    }

    fn projection(&mut self, items: &[SelectItem], scope: &Scope<'_>, grouping: &Grouping) -> QueryResult {
        let mut result = QueryResult::default();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(Expr::Function(call)) if is_fields(call) => self.fields_of_call(call, scope, &mut result),
                SelectItem::UnnamedExpr(expression) => {
                    let mut facts = self.expression(expression, scope);
                    facts.meaning.constant = constant(expression).or(facts.meaning.constant);
                    facts.meaning.written = Some(expression.span());
                    self.check_grouped(expression, scope, grouping);
                    result.columns.push(Column { name: output_name(expression).into(), facts, id: 0 });
                }
                // `inet '10.0.0.1'`: a literal of a type that the grammar does not know is read as an alias.
                SelectItem::ExprWithAlias { expr: Expr::Identifier(kind), alias } if alias.quote_style == Some('\'') => {
                    let facts = Facts::of(crate::analysis::sql_type::SqlType::parse(&kind.value), false);
                    result.columns.push(Column { name: fold(kind).into(), facts, id: 0 });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let mut facts = self.expression(expr, scope);
                    facts.meaning.constant = constant(expr).or(facts.meaning.constant);
                    facts.meaning.written = Some(expr.span());
                    self.check_grouped(expr, scope, grouping);
                    result.columns.push(Column { name: fold(alias).into(), facts, id: 0 });
                }
                SelectItem::ExprWithAliases { expr, .. } => {
                    self.expression(expr, scope);
                    result.open = true;
                }
                SelectItem::Wildcard(options) => {
                    let changed = options.to_string().len() > 1;
                    for entry in scope.items.iter().filter(|item| item.plain) {
                        self.mark_all_read(entry);
                        result.open |= entry.open || changed;
                        result.columns.extend(entry.columns.iter().map(|column| starred(column, options.wildcard_token.0.span)));
                    }
                    self.check_star(scope, grouping, None, options.wildcard_token.0.span);
                }
                SelectItem::QualifiedWildcard(kind, _) => self.qualified_star(kind, scope, grouping, &mut result),
            }
        }
        result
    }

    fn qualified_star(&mut self, kind: &SelectItemQualifiedWildcardKind, scope: &Scope<'_>, grouping: &Grouping, result: &mut QueryResult) {
        let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
            result.open = true;
            return;
        };
        let parts: Vec<_> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
        let names = path(&parts);
        let (schema, relation) = match names.as_slice() {
            [relation] => (None, relation),
            [.., schema, relation] => (Some(schema.as_str()), relation),
            [] => return,
        };
        match scope.item(schema, relation) {
            Some((item, _)) => {
                result.open |= item.open;
                result.columns.extend(item.columns.iter().map(|column| starred(column, name.span())));
                self.mark_all_read(item);
                let ids: Vec<u32> = item.columns.iter().map(|column| column.id).collect();
                self.check_star(scope, grouping, Some(&ids), name.span());
            }
            None => {
                self.unknown_item(relation, scope, name.span());
                result.open = true;
            }
        }
    }

    /// An expression of ORDER BY or DISTINCT ON: an output column by name or number, or an expression over the input.
    fn order_key(&mut self, key: &Expr, result: &QueryResult, scope: &Scope<'_>, grouping: &Grouping, checked: bool) -> Facts {
        match output_column(key, result) {
            Some(column) => {
                let mut facts = column.facts.clone();
                self.note(key, &mut facts);
                facts
            }
            None if number(key).is_some() => {
                self.out_of_range(key, result);
                Facts::unknown()
            }
            None => {
                let facts = self.expression(key, scope);
                if checked {
                    self.check_grouped(key, scope, grouping);
                }
                facts
            }
        }
    }

    fn out_of_range(&mut self, key: &Expr, result: &QueryResult) {
        if !result.open
            && let Some(number) = number(key)
        {
            let message = format!("position {number} is asked for, and the query gives {} columns", result.columns.len());
            self.mistake(key.span(), &codes::UNKNOWN_COLUMN, message);
        }
    }

    /// After a set operation only its own columns can be ordered by.
    fn order_of_set(
        &mut self,
        result: &mut QueryResult,
        orders: &[OrderByExpr],
        body: &SetExpr,
        outer: Outer<'_>,
        ctes: Option<&CteLink<'_>>,
    ) {
        for order in orders {
            let key = &order.expr;
            match output_column(key, result) {
                Some(column) => {
                    let mut facts = column.facts.clone();
                    self.note(key, &mut facts);
                    take(&mut result.indirect, &facts, EdgeKind::Order);
                }
                None if number(key).is_some() => self.out_of_range(key, result),
                None => match key {
                    Expr::Identifier(name) if !result.open && matches!(body, SetExpr::SetOperation { .. }) => {
                        let names: Vec<String> = result.columns.iter().map(|column| column.name.to_string()).collect();
                        let name = fold(name);
                        let problem = Diagnostic::new(&codes::UNKNOWN_COLUMN, format!("there is no column '{name}' in the result"))
                            .did_you_mean(&name, names.iter().map(String::as_str));
                        self.find(key.span(), problem);
                    }
                    _ => {
                        let mut scope = Scope::new(outer, ctes);
                        scope.items.push(super::scope::Item {
                            columns: result.columns.clone(),
                            open: true,
                            plain: true,
                            ..Default::default()
                        });
                        self.expression(key, &scope);
                    }
                },
            }
        }
    }

    fn group_by(&mut self, select: &Select, scope: &Scope<'_>, indirect: &mut Origins) -> Grouping {
        let mut grouping = Grouping::of(select).with_foreign(self.tables.has_foreign_functions()).with_portable(self.tables.is_portable());
        let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
            self.group_by_all(select, scope, indirect, &mut grouping);
            return grouping;
        };
        grouping.sets |= !modifiers.is_empty();
        for key in keys {
            let common = in_every_set(key, !modifiers.is_empty());
            let parts: Vec<&Expr> = match key {
                Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                    grouping.sets = true;
                    sets.iter().flatten().collect()
                }
                Expr::Tuple(parts) => parts.iter().collect(),
                other => vec![other],
            };
            for part in parts {
                let target = self.group_target(part, select, scope);
                let facts = self.without_aggregates("GROUP BY", |this| this.expression(target.unwrap_or(part), scope));
                take(indirect, &facts, EdgeKind::Group);
                grouping.keys.extend(Some(facts.meaning.same_as).filter(|id| *id != 0 && common.contains(&part)));
                if number(part).is_some() && target.is_none() {
                    // A position of something that a star gives.
                    grouping.opaque = true;
                }
                grouping.add(target.unwrap_or(part), scope);
            }
        }
        grouping
    }

    /// What a query with GROUP BY ALL gives beside its aggregates is what it groups by.
    fn group_by_all(&mut self, select: &Select, scope: &Scope<'_>, indirect: &mut Origins, grouping: &mut Grouping) {
        for item in &select.projection {
            let Some(expression) = item_expression(item) else {
                // A star gives all columns there are.
                let all = scope.items.iter().flat_map(|item| &item.columns).map(|column| column.facts.meaning.same_as);
                grouping.keys.extend(all.filter(|id| *id != 0));
                continue;
            };
            if !has_aggregate(expression) {
                let facts = self.expression(expression, scope);
                take(indirect, &facts, EdgeKind::Group);
                grouping.keys.extend(Some(facts.meaning.same_as).filter(|id| *id != 0));
            }
        }
    }

    /// A key of GROUP BY that is an output column: by number, or by a name that no column of FROM has, whatever is further out.
    fn group_target<'s>(&mut self, key: &Expr, select: &'s Select, scope: &Scope<'_>) -> Option<&'s Expr> {
        if let Some(number) = number(key) {
            let starred = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
            let target = number.checked_sub(1).and_then(|at| select.projection.get(at)).filter(|_| !starred);
            if target.is_none() && !starred {
                let message = format!("position {number} is asked for, and the query gives {} columns", select.projection.len());
                self.mistake(key.span(), &codes::UNKNOWN_COLUMN, message);
            }
            return target.and_then(item_expression);
        }
        let Expr::Identifier(ident) = key else { return None };
        let name = fold(ident);
        if !matches!(scope.column(&name), Found::Missing | Found::Column(_, 1..)) {
            return None;
        }
        select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if fold(alias) == name => Some(expr),
            SelectItem::UnnamedExpr(expr) if output_name(expr) == name => Some(expr),
            _ => None,
        })
    }

    /// Walks something in which aggregates may not stand.
    pub(super) fn without_aggregates<T>(&mut self, clause: &'static str, walk: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.aggregates.replace(clause);
        let result = walk(self);
        self.aggregates = before;
        result
    }
}

/// Both sides of a union by name: each column stands beside that of its name, or a null.
fn aligned(mut first: QueryResult, mut second: QueryResult) -> (QueryResult, QueryResult) {
    let absent = |name: &str| Column { name: name.into(), facts: Facts::of(Some(known().unknown.into()), true), id: 0 };
    let mut beside = Vec::new();
    for column in &first.columns {
        let found = second.columns.iter().position(|other| other.name.eq_ignore_ascii_case(&column.name));
        beside.push(found.map_or_else(|| absent(&column.name), |at| second.columns.remove(at)));
    }
    first.columns.extend(second.columns.iter().map(|column| absent(&column.name)));
    beside.append(&mut second.columns);
    (first, QueryResult { columns: beside, keys: Vec::new(), unique: Vec::new(), ..second })
}

/// What the columns of an expression decide about the rows.
pub(super) fn take(into: &mut Origins, facts: &Facts, kind: EdgeKind) {
    let origins: Origins = facts.origins.iter().map(|origin| origin.of_kind(kind)).collect();
    merge(into, &origins);
}

fn renamed(mut result: QueryResult, cte: &Cte) -> QueryResult {
    let given = || cte.alias.columns.iter().filter(|alias| added_columns(&alias.name.value).is_empty());
    if given().next().is_some() {
        let names: Vec<String> = result.columns.iter().map(|column| column.name.to_string()).collect();
        let news = names.iter().zip(given()).map(|(old, alias)| (old.clone(), fold(&alias.name))).collect::<Vec<_>>();
        result.columns.iter_mut().for_each(|column| rename_currencies(&mut column.facts, &news));
    }
    for (column, alias) in result.columns.iter_mut().zip(given()) {
        column.name = fold(&alias.name).into();
    }
    result
}

/// The keys of an element of GROUP BY that all its rows are grouped by: other sets put rows together that differ in the rest.
fn in_every_set(key: &Expr, adds_totals: bool) -> Vec<&Expr> {
    if adds_totals {
        return Vec::new();
    }
    match key {
        Expr::Cube(_) | Expr::Rollup(_) => Vec::new(),
        Expr::GroupingSets(sets) => {
            let Some((first, others)) = sets.split_first() else { return Vec::new() };
            first.iter().filter(|key| others.iter().all(|set| set.contains(key))).collect()
        }
        Expr::Tuple(parts) => parts.iter().collect(),
        other => vec![other],
    }
}

/// What a side of a set operation gives as a column, where that is an expression.
fn item_at(body: &SetExpr, at: usize) -> Option<&Expr> {
    match body {
        SetExpr::Select(select) if select.projection.iter().all(|item| item_expression(item).is_some()) => {
            select.projection.get(at).and_then(item_expression)
        }
        SetExpr::Query(query) => item_at(&query.body, at),
        _ => None,
    }
}

fn item_expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// A position as in `order by 2`.
pub(super) fn number(key: &Expr) -> Option<usize> {
    match key {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// A column that a star gives; it is written there unless the query has written it further in.
fn starred(column: &Column, span: sqlparser::tokenizer::Span) -> Column {
    let mut column = column.clone();
    column.facts.meaning.written = column.facts.meaning.written.or(Some(span));
    column
}

/// The code of a currency, written as a literal.
fn constant(expression: &Expr) -> Option<std::sync::Arc<str>> {
    match expression {
        Expr::Cast { expr, .. } => constant(expr),
        other => quoted(other).filter(|text| text.len() == 3).map(Into::into),
    }
}

fn output_column<'r>(key: &Expr, result: &'r QueryResult) -> Option<&'r Column> {
    if let Some(number) = number(key) {
        return result.columns.get(number.checked_sub(1)?);
    }
    let Expr::Identifier(ident) = key else { return None };
    let name = fold(ident);
    result.columns.iter().find(|column| *column.name == *name)
}

/// Where the columns of a query are written, when none of them is a star.
fn projection_spans(body: &SetExpr) -> Vec<sqlparser::tokenizer::Span> {
    match body {
        SetExpr::Select(select) => {
            let starred = select.projection.iter().any(|item| item_expression(item).is_none());
            if starred { Vec::new() } else { select.projection.iter().filter_map(item_expression).map(Spanned::span).collect() }
        }
        SetExpr::Query(query) => projection_spans(&query.body),
        _ => Vec::new(),
    }
}
