//! Queries: WITH, set operations, VALUES, SELECT and its clauses.

use sqlparser::ast::{
    Cte, Expr, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Spanned, Value, Values, WildcardAdditionalOptions, With,
};
use sqlparser::tokenizer::Span;

use super::collation::output_expression;
use super::distinct_on::{Distinction, grouping_is_empty};
use super::levels::is_constant;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::using::folded;
use super::writer::{Selected, Writer, span_of};
use crate::analysis::{SqlType, Typed};
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn query(&mut self, query: &Query) -> String {
        let names = self.mark_names();
        let written = stacker::maybe_grow(128 * 1024, 1024 * 1024, || self.query_parts(query));
        self.close_names(names);
        written
    }

    fn query_parts(&mut self, query: &Query) -> String {
        self.refuse_foreign(query);
        self.refuse_chosen_rows(query);
        let mut text = String::new();
        if let Some(with) = &query.with {
            text.push_str(&self.with(with));
        }
        if let SetExpr::Values(values) = &*query.body
            && !self.is(Engine::Postgres)
        {
            let rows = self.rows_in_from(values, self.columns_of(query), false);
            if query.order_by.is_none() {
                text.push_str(rows.strip_prefix('(').and_then(|rows| rows.strip_suffix(')')).unwrap_or(&rows));
            } else {
                text.push_str(&format!("select *{}from {rows} as acca_rows", self.line()));
                self.order_by_number(query, &mut text);
            }
            self.limit(query, &mut text);
            return text;
        }
        let keys: Vec<&Expr> = order_keys(query).iter().map(|key| &key.expr).collect();
        if self.orders_outside(&query.body, &keys) && self.pins_order() {
            let inner = self.indented(|writer| format!("{}{}", writer.line(), writer.body(&query.body, &[])));
            let line = self.line();
            text.push_str(&format!("select *{line}from ({inner}{line}) as acca_rows"));
            self.order_by_number(query, &mut text);
        } else {
            text.push_str(&self.body(&query.body, order_keys(query)));
            // What USING has merged is named by the keys too.
            let is_select = matches!(&*query.body, SetExpr::Select(_));
            let last = self.last_select.take().zip(self.last_sources.take()).filter(|_| is_select);
            let entered = last.map(|(select, sources)| {
                self.enter_select(select);
                self.sources.push(sources);
            });
            self.order_and_limit(query, &mut text);
            if entered.is_some() {
                self.leave_select();
                self.sources.pop();
            }
        }
        self.limit(query, &mut text);
        text
    }

    /// Rows of a set operation are ordered by columns of its first side; around it they have names.
    fn order_by_number(&mut self, query: &Query, text: &mut String) {
        let columns = self.columns_of(query);
        let keys: Vec<String> = order_keys(query)
            .iter()
            .map(|key| {
                let at = match (whole_number(&key.expr), &*query.body) {
                    (Some(number), _) => usize::try_from(number).ok().and_then(|number| number.checked_sub(1)),
                    (None, SetExpr::Select(select)) => place_in_list(select, &key.expr),
                    _ => None,
                };
                let behind = at.and_then(|at| columns?.get(at));
                let written = match behind {
                    Some(column) => super::writer::print_name(&column.name),
                    None => self.expression(&key.expr).text,
                };
                let is_text = self.is_text(&key.expr) || behind.is_some_and(super::set_operations::is_text);
                let collate = if is_text { self.order_suffix() } else { "" };
                format!("{written}{collate}{}", self.direction(key))
            })
            .collect();
        text.push_str(&format!("{}order by {}", self.line(), keys.join(", ")));
    }

    fn with(&mut self, with: &With) -> String {
        let line = self.line();
        let mut text = String::with_capacity(4096);
        text.push_str(if with.recursive { "with recursive " } else { "with " });
        for (at, cte) in with.cte_tables.iter().enumerate() {
            if at > 0 {
                text.push(',');
                text.push_str(line);
            }
            if with.recursive {
                self.open_query(&cte.alias.name);
            }
            text.push_str(&self.cte(cte, with.recursive));
            if !with.recursive {
                self.open_query(&cte.alias.name);
            }
        }
        text.push_str(line);
        text
    }

    fn cte(&mut self, cte: &Cte, recursive: bool) -> String {
        if recursive {
            self.refuse_recursion_of_new_rows(cte);
            self.refuse_recursion_of_wide_numbers(cte);
        }
        let mut name = self.alias(&cte.alias);
        // Redshift wants the columns of a recursive one to be named.
        if recursive && cte.alias.columns.is_empty() && self.is(Engine::Redshift) {
            match self.columns_of(&cte.query) {
                Some(columns) => {
                    let columns: Vec<String> = columns.iter().map(|column| super::writer::print_name(&column.name)).collect();
                    name = format!("{name} ({})", columns.join(", "));
                }
                None => {
                    self.lacks(cte.query.span(), "a recursive query whose columns are not named", "name them behind its name");
                }
            }
        }
        let hint = match &cte.materialized {
            Some(hint) if !self.is(Engine::Redshift) => format!("{} ", hint.to_string().to_lowercase()),
            _ => String::new(),
        };
        if recursive && self.is(Engine::Redshift) {
            self.widen_texts(cte);
        }
        [name.as_str(), " as ", &hint, &self.subquery(&cte.query)].concat()
    }

    /// A text that grows from row to row is as wide as can be in all members: its type is that of the first.
    fn widen_texts(&mut self, cte: &Cte) {
        let Some(columns) = self.columns_of(&cte.query) else { return };
        let texts: Vec<bool> = columns.iter().map(|column| column.typed.sql_type.is_some_and(|kind| kind.name() == "text")).collect();
        let mut members = vec![&*cte.query.body];
        while let Some(member) = members.pop() {
            match member {
                SetExpr::SetOperation { left, right, .. } => members.extend([&**left, &**right]),
                SetExpr::Select(select) => {
                    let items = select.projection.iter().zip(&texts).filter(|(_, is_text)| **is_text);
                    self.widened.extend(items.map(|(item, _)| std::ptr::from_ref(item).addr()));
                }
                _ => {}
            }
        }
    }

    pub(super) fn body(&mut self, body: &SetExpr, order_by: &[OrderByExpr]) -> String {
        match body {
            SetExpr::Select(select) => self.select(select, order_by),
            SetExpr::Query(query) => self.subquery(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => self.set_operation(left, *op, *set_quantifier, right),
            SetExpr::Values(values) if self.is(Engine::Redshift) => {
                let rows = self.rows_in_from(values, self.columns_of_body(body), false);
                format!("select *{}from {rows} as acca_rows", self.line())
            }
            SetExpr::Values(values) => self.values(values),
            other => {
                self.refuse(other.span(), "this is no query that all engines have", "write a SELECT");
                String::new()
            }
        }
    }

    fn set_operation(&mut self, left: &SetExpr, op: SetOperator, quantifier: SetQuantifier, right: &SetExpr) -> String {
        self.keep_digits(left, right);
        if op != SetOperator::Union || quantifier != SetQuantifier::All {
            self.refuse_incomparable_rows(self.columns_of_body(left), left.span());
        }
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
        if let Some(grouped) = self.set_by_groups(left, op, !all.is_empty(), right) {
            return grouped;
        }
        if let Some(wide) = self.set_of_wide_numbers(left, &format!("{word}{all}"), right) {
            return wide;
        }
        let line = self.line();
        let (one, other) = (self.side(left, op, quantifier), self.side(right, op, SetQuantifier::ByName));
        format!("{one}{line}{word}{all}{line}{other}")
    }

    /// A side of a set operation; in parentheses where it is another one, as engines differ in what binds tighter.
    fn side(&mut self, side: &SetExpr, op: SetOperator, quantifier: SetQuantifier) -> String {
        match side {
            SetExpr::SetOperation { op: inner, set_quantifier, .. } if *inner != op || *set_quantifier != quantifier => {
                let inner = self.indented(|writer| format!("{}{}", writer.line(), writer.body(side, &[])));
                format!("({inner}{})", self.line())
            }
            _ => self.body(side, &[]),
        }
    }

    /// VALUES in FROM. DuckDB gives other names to its columns, and Redshift has none.
    pub(super) fn rows_in_from(&mut self, values: &Values, columns: Option<&[crate::analysis::Output]>, named: bool) -> String {
        let keeps = match self.target() {
            Engine::Postgres => true,
            Engine::DuckDb => named,
            Engine::Redshift => false,
        };
        if keeps || !self.rewrites(Rewrite::Values) {
            return format!("({})", self.values(values));
        }
        let digits = self.digits_of_rows(values);
        let carried = self.carried_in_rows(values);
        let typed = |at: usize| columns.and_then(|columns| columns.get(at)).map(|column| column.typed);
        let mut rows = Vec::new();
        for (number, row) in values.rows.iter().enumerate() {
            let mut cells = Vec::new();
            for (at, cell) in row.content.iter().enumerate() {
                let written = self.cell(cell, digits.get(at).copied().flatten());
                // The first row decides about the types, and the names.
                let written = match carried.get(at).copied().flatten() {
                    Some(behind) => format!("cast(cast({written} as decimal(38,{behind})) as varchar(40))"),
                    None if number == 0 => self.typed_cell(written, typed(at), span_of(cell)),
                    None => written,
                };
                cells.push(if number == 0 { format!("{written} as column{}", at + 1) } else { written });
            }
            rows.push(format!("select {}", cells.join(", ")));
        }
        let rows = format!("({})", rows.join(" union all "));
        if carried.iter().all(Option::is_none) {
            return rows;
        }
        let received = carried.iter().enumerate().map(|(at, behind)| match behind {
            Some(behind) => format!("cast(column{0} as decimal(38,{behind})) as column{0}", at + 1),
            None => format!("column{}", at + 1),
        });
        format!("(select {} from {rows} as acca_rows)", received.collect::<Vec<_>>().join(", "))
    }

    /// A cell of the first row, as a value of the column's type.
    fn typed_cell(&mut self, written: String, typed: Option<Typed>, span: Span) -> String {
        let Some((kind, typed)) = typed.and_then(|typed| Some((typed.sql_type?, typed))) else { return written };
        let spelled = if matches!(kind.name(), "text" | "varchar") && kind.length().is_none() {
            self.text_type(typed.bytes.and_then(|bytes| usize::try_from(bytes).ok()))
        } else {
            self.print_type(kind, typed.digits, span)
        };
        format!("cast({written} as {spelled})")
    }

    fn cell(&mut self, cell: &Expr, digits: Option<i32>) -> String {
        let scaled = self.scaled.get(&std::ptr::from_ref(cell).addr()).copied();
        self.aligned(cell, digits.max(scaled)).text
    }

    /// For each column of rows the digits behind the point that its numbers get, where some would be lost.
    fn digits_of_rows(&self, values: &Values) -> Vec<Option<i32>> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let cells = |at: usize| values.rows.iter().filter_map(move |row| row.content.get(at)).collect::<Vec<_>>();
        (0..width).map(|at| self.common_digits(&cells(at))).collect()
    }

    fn values(&mut self, values: &Values) -> String {
        let digits = self.digits_of_rows(values);
        let rows = values.rows.iter().map(|row| {
            let cells: Vec<String> = row.content.iter().zip(&digits).map(|(cell, digits)| self.cell(cell, *digits)).collect();
            format!("({})", cells.join(", "))
        });
        format!("values {}", rows.collect::<Vec<_>>().join(", "))
    }

    fn select(&mut self, select: &Select, order_by: &[OrderByExpr]) -> String {
        self.refuse_foreign_clauses(select);
        self.refuse_columns_alike(select);
        let names = self.mark_names();
        self.open_entries(select);
        let redshift = self.is(Engine::Redshift);
        let group_keys = if redshift { self.written_group_keys(select) } else { None };
        let levels = if redshift { self.levels_of(select, order_by, group_keys.as_deref()) } else { None };
        self.enter_select(Selected { group_keys, aliases: self.aliases_of(select), ..Selected::default() });
        let windows = self.windows_of(select);
        let selected = self.leave_select().unwrap_or_default();
        self.enter_select(Selected { windows, levels, ..selected });
        self.look_at_sources(select);
        if redshift {
            self.look_at_lookups(select);
        }
        if select.distinct.is_some() {
            self.refuse_incomparable_rows(self.columns(select), select.projection.first().map_or_else(Span::empty, Spanned::span));
        }
        let text = match self.distinct_around(select) {
            None => self.on_levels(select, order_by),
            Some(columns) => {
                self.set_around(&columns);
                let inner = self.indented(|writer| format!("{}{}", writer.line(), writer.on_levels(select, &[])));
                self.grouped_by_all(&columns, &inner)
            }
        };
        self.last_select = self.leave_select();
        self.last_sources = self.sources.pop();
        self.close_names(names);
        text
    }

    fn on_levels(&mut self, select: &Select, order_by: &[OrderByExpr]) -> String {
        if self.levels_mut().is_some() { self.two_levels(select, order_by) } else { self.one_level(select, order_by) }
    }

    fn one_level(&mut self, select: &Select, order_by: &[OrderByExpr]) -> String {
        let distinction = self.distinction(select, order_by);
        let mut text = String::with_capacity(1024);
        text.push_str("select");
        text.push_str(&distinction.word);
        self.projection(&select.projection, &mut text);
        self.write_behind(select, distinction, &mut text);
        text
    }

    /// All of a SELECT that stands behind its list.
    pub(super) fn behind(&mut self, select: &Select, distinction: Distinction) -> String {
        let mut text = String::new();
        self.write_behind(select, distinction, &mut text);
        text
    }

    fn write_behind(&mut self, select: &Select, distinction: Distinction, text: &mut String) {
        if !select.from.is_empty() {
            text.push_str(self.line());
            text.push_str("from ");
            text.push_str(&self.from(&select.from));
        }
        let guard = self.guard_at(select);
        if let Some(condition) = &select.selection {
            text.push_str(self.line());
            text.push_str("where ");
            self.note_compared(condition);
            match &guard {
                Some(guard) => text.push_str(&format!("{guard} and {}", self.condition(condition).part())),
                None => text.push_str(&self.condition(condition).text),
            }
        } else if let Some(guard) = &guard {
            text.push_str(&format!("{}where {guard}", self.line()));
        } else if distinction.qualify.is_some() && grouping_is_empty(select) {
            // QUALIFY right behind a relation would be taken for its name.
            text.push_str(&format!("{}where true", self.line()));
        }
        match distinction.group_by {
            Some(keys) => text.push_str(&format!("{}group by {keys}", self.line())),
            None => text.push_str(&self.group_by(&select.group_by, select)),
        }
        if let Some(condition) = &select.having {
            let first = guard.map(|guard| format!("{guard} and ")).unwrap_or_default();
            let condition = self.condition(condition);
            let condition = if first.is_empty() { condition.text } else { condition.part() };
            text.push_str(&format!("{}having {first}{condition}", self.line()));
        }
        if let Some(condition) = distinction.qualify {
            text.push_str(&format!("{}qualify {condition}", self.line()));
        }
    }

    pub(super) fn refuse_foreign(&mut self, query: &Query) {
        let foreign =
            query.for_clause.is_some() || query.settings.is_some() || query.format_clause.is_some() || !query.pipe_operators.is_empty();
        if foreign {
            self.refuse(query.span(), "this query has clauses that PostgreSQL does not have", "write it in PostgreSQL's SQL");
        }
        if !query.locks.is_empty() && !self.is(Engine::Postgres) {
            self.lacks(query.span(), "FOR UPDATE and FOR SHARE", "leave it out: a model only reads");
        }
    }

    pub(super) fn refuse_foreign_clauses(&mut self, select: &Select) {
        let foreign = !select.optimizer_hints.is_empty()
            || select.select_modifiers.is_some()
            || select.exclude.is_some()
            || select.into.is_some()
            || !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.connect_by.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.value_table_mode.is_some()
            || select.flavor != SelectFlavor::Standard;
        if let Some(condition) = &select.qualify {
            let help = "put the window function into the list of a subquery, and its condition into WHERE around that";
            self.refuse(span_of(condition), "PostgreSQL has no QUALIFY", help);
        }
        if select.top.is_some() {
            self.refuse(select.span(), "PostgreSQL has no TOP", "write LIMIT 10 at the end, behind ORDER BY");
        }
        if foreign {
            self.refuse(select.span(), "this SELECT has clauses that PostgreSQL does not have", "write it in PostgreSQL's SQL");
        }
    }

    fn projection(&mut self, items: &[SelectItem], text: &mut String) {
        match items {
            [] => {}
            [only] => {
                text.push(' ');
                text.push_str(&self.item(only));
            }
            many => self.indented(|writer| {
                for (at, item) in many.iter().enumerate() {
                    text.push_str(if at == 0 { "" } else { "," });
                    text.push_str(writer.line());
                    text.push_str(&writer.item(item));
                }
            }),
        }
    }

    /// A value of a list. A null of no type is text as a column, and on DuckDB an integer.
    fn output(&mut self, expression: &Expr) -> String {
        let digits = self.scaled.get(&std::ptr::from_ref(expression).addr()).copied();
        let written = self.aligned(expression, digits).text;
        if let Some(guard) = self.guard_at(expression) {
            return format!("case when {guard} then {written} end");
        }
        if self.is(Engine::Postgres) || !is_null_of_no_type(expression) || !self.rewrites(Rewrite::TypedLiteral) {
            return written;
        }
        let wanted = self.typed(expression).wanted.map(SqlType::from).filter(|kind| kind.name() != "unknown");
        match (wanted, self.target()) {
            (Some(kind), _) if kind.name() != "numeric" => {
                format!("cast({written} as {})", self.print_type(kind, None, span_of(expression)))
            }
            (None, Engine::DuckDb) => format!("cast({written} as varchar)"),
            _ => written,
        }
    }

    pub(super) fn item(&mut self, item: &SelectItem) -> String {
        match item {
            SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }
                if self.dotted.contains(&std::ptr::from_ref(item).addr()) =>
            {
                format!("{} || '.' as value", self.expression(value).part())
            }
            SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }
                if self.widened.contains(&std::ptr::from_ref(item).addr()) && self.rewrites(Rewrite::TextLength) =>
            {
                // Names stand behind the name of the query.
                format!("cast({} as varchar(65535))", self.expression(value).text)
            }
            SelectItem::UnnamedExpr(expression) => {
                let written = self.output(expression);
                self.named_as_in_postgres(expression, written)
            }
            SelectItem::ExprWithAlias { expr, alias } if alias.quote_style == Some('\'') => {
                let help = format!("write {} or \"{0}\"", alias.value);
                self.refuse(span_of(expr), "a name in single quotes is not PostgreSQL's", help).text
            }
            SelectItem::ExprWithAlias { expr, alias } => [self.output(expr).as_str(), " as ", &self.name(alias)].concat(),
            SelectItem::Wildcard(options) if is_plain(options) => self.all_columns(item.span()).unwrap_or_else(|| "*".to_owned()),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) if is_plain(options) => {
                let entries = self.sources.last().map(|sources| &sources.entries).filter(|entries| !entries.is_empty());
                let entry = name.0.last().and_then(|part| part.as_ident());
                if entries.zip(entry).is_some_and(|(entries, entry)| entries.contains(&folded(entry))) {
                    self.lacks(name.span(), "all columns of a lateral entry", "name the columns");
                }
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
            // A cast has the name of a type.
            Expr::Identifier(name) if self.scaled.contains_key(&std::ptr::from_ref(expression).addr()) => {
                format!("{written} as {}", self.name(name))
            }
            Expr::CompoundIdentifier(parts) if self.scaled.contains_key(&std::ptr::from_ref(expression).addr()) => {
                format!("{written} as {}", parts.last().map_or_else(String::new, |name| self.name(name)))
            }
            // Of what two relations have in common, a call may be left.
            Expr::Identifier(name) if self.merged_column(std::slice::from_ref(name)).is_some() => {
                format!("{written} as {}", self.name(name))
            }
            Expr::CompoundIdentifier(parts) if self.merged_column(parts).is_some() => {
                format!("{written} as {}", parts.last().map_or_else(String::new, |name| self.name(name)))
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => written,
            other if self.is(Engine::Postgres) && !written.is_empty() => {
                // What is rewritten would be named after the rewrite.
                let name = crate::analysis::output_name(other);
                if name == "?column?" { written } else { format!("{written} as {}", super::writer::print_name(&name)) }
            }
            other => format!("{written} as {}", super::writer::print_name(&crate::analysis::output_name(other))),
        }
    }

    fn group_by(&mut self, group_by: &GroupByExpr, select: &Select) -> String {
        match group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                if keys.is_empty() {
                    return String::new();
                }
                keys.iter().for_each(|key| self.refuse_key_alike(key, select, true));
                let keys: Vec<&Expr> = keys.iter().filter(|key| !self.is_constant_inside(key, select)).collect();
                if keys.is_empty() {
                    self.lacks(group_by.span(), "GROUP BY of constants only, in this form", "leave the constants out of it");
                    return String::new();
                }
                let mut written: Vec<String> = keys.iter().map(|key| self.grouping_key(key, select)).collect();
                written.extend(keys.iter().filter_map(|key| self.exact_key(key, select)));
                format!("{}group by {}", self.line(), written.join(", "))
            }
            other => {
                self.refuse(other.span(), "this form of GROUP BY is not PostgreSQL's", "list the keys, as in group by 1, 2");
                String::new()
            }
        }
    }

    /// A constant of the list that a key names, of a SELECT in two levels: it stands in the outer one.
    fn is_constant_inside(&mut self, key: &Expr, select: &Select) -> bool {
        self.levels_mut().is_some() && output_expression(select, key).is_some_and(is_constant)
    }

    /// A further key where blanks at the end of text do not count: the text with a point behind it.
    fn exact_key(&mut self, key: &Expr, select: &Select) -> Option<String> {
        if !self.is(Engine::Redshift) {
            return None;
        }
        if matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)) {
            return None;
        }
        let behind = self.grouped_by(select, key);
        (self.is_text(behind) && !is_constant(behind) && self.rewrites(Rewrite::TrailingBlanks)).then(|| self.equal_text(behind).text)
    }

    fn grouping_key(&mut self, key: &Expr, select: &Select) -> String {
        // A name of the list that no relation has.
        if let (Expr::Identifier(name), None) = (key, self.type_of(key))
            && let Some(behind) = output_expression(select, key)
        {
            // A constant can be a key by its name only.
            return if is_constant(behind) { self.name(name) } else { self.expression(behind).text };
        }
        // A number of an item, which stands at another place inside.
        if self.levels_mut().is_some()
            && let Some(behind) = output_expression(select, key).filter(|_| whole_number(key).is_some())
        {
            return self.expression(behind).text;
        }
        let (word, sets) = match key {
            Expr::Rollup(sets) => ("rollup", sets),
            Expr::Cube(sets) => ("cube", sets),
            Expr::GroupingSets(sets) => ("grouping sets", sets),
            other => {
                self.refuse_json_key(other);
                return self.expression(other).text;
            }
        };
        let has_text = sets.iter().flatten().any(|key| self.is_text(key));
        if self.is(Engine::Redshift) && has_text && self.rewrites(Rewrite::TrailingBlanks) {
            return self.sets_of_text(word, sets, span_of(key));
        }
        let sets: Vec<String> = sets
            .iter()
            .map(|set| {
                let keys: Vec<String> = set.iter().map(|key| self.expression(key).text).collect();
                if keys.len() == 1 && word != "grouping sets" { keys.join(", ") } else { format!("({})", keys.join(", ")) }
            })
            .collect();
        format!("{word} ({})", sets.join(", "))
    }

    /// Each text with a point behind it beside itself, where blanks at its end do not count: the sets are written one by one.
    fn sets_of_text(&mut self, word: &str, sets: &[Vec<Expr>], span: Span) -> String {
        let written: Vec<String> = sets
            .iter()
            .map(|set| {
                let mut keys: Vec<String> = set.iter().map(|key| self.expression(key).text).collect();
                for key in set.iter().filter(|key| self.is_text(key)).collect::<Vec<_>>() {
                    keys.push(self.equal_text(key).text);
                }
                keys.join(", ")
            })
            .collect();
        if word == "cube" && written.len() > 5 {
            self.lacks(span, "a cube of more than five texts", "write the sets that are needed with GROUPING SETS");
            return String::new();
        }
        let joined = |chosen: Vec<&String>| format!("({})", chosen.into_iter().map(String::as_str).collect::<Vec<_>>().join(", "));
        let all: Vec<String> = match word {
            "rollup" => (0..=written.len()).rev().map(|length| joined(written.iter().take(length).collect())).collect(),
            "cube" => (0..(1_usize << written.len()))
                .rev()
                .map(|chosen| joined(written.iter().enumerate().filter(|(at, _)| (chosen >> at) & 1 == 1).map(|(_, keys)| keys).collect()))
                .collect(),
            _ => written.iter().map(|keys| format!("({keys})")).collect(),
        };
        format!("grouping sets ({})", all.join(", "))
    }

    fn order_and_limit(&mut self, query: &Query, text: &mut String) {
        if let Some(order_by) = &query.order_by {
            match &order_by.kind {
                OrderByKind::Expressions(keys) if order_by.interpolate.is_none() => {
                    let select = match &*query.body {
                        SetExpr::Select(select) => Some(&**select),
                        _ => None,
                    };
                    text.push_str(&format!("{}order by {}", self.line(), self.order_keys_of(keys, select)));
                }
                _ => {
                    self.refuse(order_by.span(), "this form of ORDER BY is not PostgreSQL's", "list the keys");
                }
            }
        }
    }

    /// LIMIT, then OFFSET: Redshift knows no other order.
    fn limit(&mut self, query: &Query, text: &mut String) {
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => (limit.as_ref(), offset.as_ref()),
            Some(_) => {
                self.refuse(query.span(), "this form of LIMIT is not PostgreSQL's", "write LIMIT n OFFSET m");
                return;
            }
        };
        let rows = match &query.fetch {
            // Without a limit.
            None => limit.filter(|limit| !self.is_null_literal(limit)).map(|limit| self.expression(limit).part()),
            Some(fetch) if !fetch.with_ties && !fetch.percent => {
                Some(fetch.quantity.as_ref().map_or_else(|| "1".to_owned(), |rows| self.expression(rows).part()))
            }
            Some(_) => {
                let help = "rank the rows with rank() and keep those up to n";
                self.refuse(query.span(), "FETCH … WITH TIES is not the same on all engines", help);
                None
            }
        };
        if let Some(rows) = rows {
            text.push_str(&format!("{}limit {rows}", self.line()));
        }
        if let Some(offset) = offset {
            text.push_str(&format!("{}offset {}", self.line(), self.expression(&offset.value).part()));
        }
    }
}

/// Which item of a list an expression is, by its name or by how it is written.
pub(super) fn place_in_list(select: &Select, key: &Expr) -> Option<usize> {
    let written = key.to_string();
    let starred = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    let is_it = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr, alias } => alias.to_string().eq_ignore_ascii_case(&written) || expr.to_string() == written,
        SelectItem::UnnamedExpr(expression) => expression.to_string() == written,
        _ => false,
    };
    select.projection.iter().position(is_it).filter(|_| !starred)
}

/// `null`, or a CASE that gives nothing else.
fn is_null_of_no_type(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_null_of_no_type(inner),
        Expr::Value(value) => value.value == Value::Null,
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref()).all(is_null_of_no_type)
        }
        _ => false,
    }
}

/// `*` with nothing behind it.
fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    let WildcardAdditionalOptions { wildcard_token: _, opt_ilike, opt_exclude, opt_except, opt_replace, opt_rename, opt_alias } = options;
    let is_changed = opt_ilike.is_some() || opt_exclude.is_some() || opt_except.is_some();
    !is_changed && opt_replace.is_none() && opt_rename.is_none() && opt_alias.is_none()
}

fn order_keys(query: &Query) -> &[OrderByExpr] {
    match query.order_by.as_ref().map(|order_by| &order_by.kind) {
        Some(OrderByKind::Expressions(keys)) => keys,
        _ => &[],
    }
}
