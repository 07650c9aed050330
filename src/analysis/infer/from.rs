//! FROM: tables, subqueries, functions and joins.

use std::sync::Arc;

use sqlparser::ast::{
    FunctionArg, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias, TableFactor, TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::equalities::Holds;
use super::keys::{keys_of, product, unique_of};
use super::query::take;
use super::rows::is_rows_from;
use super::scope::{Column, CteLink, Found, Item, Scope, fold, system_type};
use super::typed::{OuterName, Using};
use super::{Finding, Inference, Outer, Table, path, settled};
use crate::analysis::catalogue::catalogue;
use crate::analysis::coercion::{array_element, common};
use crate::analysis::facts::{EdgeKind, Facts, Meaning, Origin, Origins, merge, merge_labels};
use crate::analysis::other_names::{UNITS, written_instead};
use crate::analysis::sql_type::SqlType;
use crate::analysis::units::Measure;
use crate::diag::{Diagnostic, codes};
use crate::syntax::{UNNAMED, using_alias};

/// Which side may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
}

/// Columns that are named where one is not there.
const MOST_NAMED: usize = 8;

impl Inference<'_> {
    pub(super) fn from<'e>(
        &mut self,
        tables: &[TableWithJoins],
        outer: Outer<'e>,
        ctes: Option<&'e CteLink<'e>>,
        indirect: &mut Origins,
    ) -> Scope<'e> {
        let mut scope = Scope::new(outer, ctes);
        for table in tables {
            self.table_with_joins(table, &mut scope, indirect);
        }
        self.check_names(&scope, tables);
        scope
    }

    /// Adds the entries of one element of the list to the scope; what stands left of it can be seen by what is lateral.
    fn table_with_joins(&mut self, table: &TableWithJoins, scope: &mut Scope<'_>, indirect: &mut Origins) {
        let start = scope.items.len();
        let items = self.table_factor(&table.relation, scope, indirect);
        scope.rows = keys_of(&items);
        let before = std::mem::replace(&mut scope.unique, unique_of(&items));
        scope.items.extend(items);
        for join in &table.joins {
            let right = self.table_factor(&join.relation, scope, indirect);
            let left = scope.items.split_off(start);
            let (split, right_keys, right_unique) = (left.len(), keys_of(&right), unique_of(&right));
            let mut joined = self.join(join, left, right, scope, indirect);
            let rows = std::mem::take(&mut scope.rows);
            if self.is_looked_into {
                scope.rows = self.joined_keys(join, rows, &right_keys, &mut joined, split);
                scope.unique = self.joined_unique(join, &scope.unique, &right_unique, &mut joined, split);
            }
            scope.items.extend(joined);
        }
        if start > 0 {
            scope.unique = product(&before, &scope.unique);
        }
    }

    fn join(&mut self, join: &Join, left: Vec<Item>, right: Vec<Item>, scope: &Scope<'_>, indirect: &mut Origins) -> Vec<Item> {
        use JoinOperator as Operator;
        let (kind, constraint) = match &join.join_operator {
            Operator::Join(constraint) | Operator::Inner(constraint) | Operator::CrossJoin(constraint) => (JoinKind::Inner, constraint),
            Operator::Left(constraint) | Operator::LeftOuter(constraint) => (JoinKind::Left, constraint),
            Operator::Right(constraint) | Operator::RightOuter(constraint) => (JoinKind::Right, constraint),
            Operator::FullOuter(constraint) => (JoinKind::Full, constraint),
            // Joins of other engines: everything is there, and nothing is certain.
            _ => {
                self.doubts.is_blind = true;
                let mut items: Vec<Item> = left.into_iter().chain(right).collect();
                items.iter_mut().for_each(|item| {
                    item.open = true;
                    item.may_be_missing();
                });
                return items;
            }
        };
        let (split, both_len) = (left.len(), left.len() + right.len());
        let mut both = Scope { items: left.into_iter().chain(right).collect(), ..Scope::new(scope.outer, scope.ctes) };
        match constraint {
            JoinConstraint::On(condition) => {
                self.fix_currencies(condition, &mut both, &holds(kind, split, both_len));
                let facts = self.without_aggregates("JOIN conditions", |this| this.condition(condition, &both, "JOIN/ON"));
                take(indirect, &facts, EdgeKind::Join);
                missing_sides(&mut both.items, split, kind);
                both.items
            }
            JoinConstraint::Using(names) => {
                let names = names.iter().filter_map(|name| name.0.last()?.as_ident().cloned());
                let (aliases, names): (Vec<Ident>, Vec<Ident>) = names.partition(|name| using_alias(&name.value).is_some());
                let mut items = self.join_using(join, &names, both.items, split, kind, indirect);
                // `using (a, b) as j`: these columns are known as those of j, too.
                if let (Some(alias), Some(joined)) = (aliases.first().and_then(|alias| using_alias(&alias.value)), items.last()) {
                    let columns = joined.columns.iter().take(names.len()).cloned().collect();
                    items.push(Item { name: Some(alias.to_owned()), columns, named: true, ..Item::default() });
                }
                items
            }
            JoinConstraint::Natural => {
                let (left, right) = both.items.split_at(split);
                let right: Vec<&str> = plain_columns(right).map(|column| &*column.name).collect();
                let shared = plain_columns(left).filter(|column| right.contains(&&*column.name));
                let names: Vec<Ident> = shared.map(|column| Ident::with_quote('"', &*column.name)).collect();
                let mut items = self.join_using(join, &names, both.items, split, kind, indirect);
                if items.iter().any(|item| item.open) {
                    // Which columns are shared is not known.
                    items.iter_mut().for_each(|item| item.open = true);
                }
                items
            }
            JoinConstraint::None => {
                missing_sides(&mut both.items, split, kind);
                both.items
            }
        }
    }

    fn join_using(
        &mut self,
        join: &Join,
        names: &[Ident],
        mut items: Vec<Item>,
        split: usize,
        kind: JoinKind,
        indirect: &mut Origins,
    ) -> Vec<Item> {
        let mut shared: Vec<Using> = Vec::new();
        let mut merged: Vec<Column> = Vec::new();
        let mut used: Vec<u32> = Vec::new();
        let mut same: Vec<(u32, u32, String)> = Vec::new();
        for ident in names {
            let name = fold(ident);
            let (left, right) = items.split_at(split);
            let sides = [self.using_column(left, &name, ident.span), self.using_column(right, &name, ident.span)];
            let [left, right] = sides;
            used.extend([&left, &right].into_iter().flatten().map(|column| column.id));
            if let (Some(left), Some(right)) = (&left, &right) {
                same.push((left.facts.meaning.same_as, right.facts.meaning.same_as, name.clone()));
            }
            let (entry, other) = (entry_of(&items, left.as_ref()), entry_of(&items, right.as_ref()));
            let sides = [&left, &right].map(|side| side.as_ref().and_then(|column| column.facts.sql_type));
            let column = self.merged(&name, left, right, kind, ident.span);
            shared.push(Using { name: name.clone(), sql_type: column.facts.sql_type, sides, left: entry, right: other });
            take(indirect, &column.facts, EdgeKind::Join);
            merged.push(column);
        }
        for (left, right, name) in same.into_iter().filter(|(left, right, _)| *left != 0 && *right != 0) {
            match kind {
                JoinKind::Inner => super::currencies::same_columns(&mut items, left, right),
                JoinKind::Left => self.equalities.add(right, left),
                JoinKind::Right => self.equalities.add(left, right),
                JoinKind::Full => {
                    let whole = self.whole_of(left, right);
                    let column = merged.iter_mut().find(|column| *column.name == *name);
                    column.into_iter().for_each(|column| column.facts.meaning.same_as = whole);
                    self.currency_names.insert(whole, name);
                }
            }
        }
        missing_sides(&mut items, split, kind);
        let open = items.iter().any(|item| item.plain && item.open);
        if let Some(types) = self.types.as_mut().filter(|_| !open) {
            types.note_using(join, shared);
        }
        let rest = plain_columns(&items).filter(|column| !used.contains(&column.id)).cloned().collect::<Vec<_>>();
        items.iter_mut().for_each(|item| item.plain = false);
        items.push(Item { columns: merged.into_iter().chain(rest).collect(), open, plain: true, ..Item::default() });
        items
    }

    fn using_column(&mut self, side: &[Item], name: &str, span: Span) -> Option<Column> {
        let found: Vec<&Column> = plain_columns(side).filter(|column| *column.name == *name).collect();
        match found.as_slice() {
            [column] => {
                self.mark_read(column.id);
                Some((*column).clone())
            }
            [] if side.iter().any(|item| item.plain && item.open) => None,
            [] => {
                let names: Vec<&str> = plain_columns(side).map(|column| &*column.name).collect();
                let message = format!("column '{name}' of USING is not on both sides of the join");
                self.find(span, Diagnostic::new(&codes::UNKNOWN_COLUMN, message).did_you_mean(name, names));
                None
            }
            _ => {
                self.mistake(span, &codes::AMBIGUOUS_COLUMN, format!("column '{name}' of USING is there more than once on one side"));
                None
            }
        }
    }

    fn merged(&mut self, name: &str, left: Option<Column>, right: Option<Column>, kind: JoinKind, span: Span) -> Column {
        let (Some(left), Some(right)) = (left, right) else {
            return Column { name: name.into(), facts: Facts::unknown(), id: self.next_id() };
        };
        let sql_type = match (left.facts.sql_type, right.facts.sql_type) {
            (Some(one), Some(other)) => match common(&[one, other]) {
                Ok(common) => Some(common),
                Err(_) => {
                    let message = format!("column '{name}' of USING is {one} on one side and {other} on the other");
                    self.mistake(span, &codes::TYPE_MISMATCH, message);
                    None
                }
            },
            _ => None,
        };
        let mut origins = left.facts.origins.clone();
        merge(&mut origins, &right.facts.origins);
        let (nullable, id) = match kind {
            // Rows with a null on one side do not come together.
            JoinKind::Inner => (false, left.id),
            JoinKind::Left => (left.facts.nullable, left.id),
            JoinKind::Right => (right.facts.nullable, right.id),
            JoinKind::Full => (left.facts.nullable || right.facts.nullable, self.next_id()),
        };
        let (one, other) = (super::units::measure(&left.facts), super::units::measure(&right.facts));
        if one.unified(&other).is_err() {
            let what = format!("column '{name}' of USING has");
            self.unlike(&what, "on one side", "on the other", (&one, &other), span);
        }
        let (always, other) = if kind == JoinKind::Right { (&right, &left) } else { (&left, &right) };
        let mut meaning = always.facts.meaning.clone();
        merge_labels(&mut meaning.labels, &other.facts.meaning.labels);
        let digits = super::typed::merged(&left.facts, &right.facts);
        let bytes = super::sizes::merged(&left.facts, &right.facts);
        Column { name: name.into(), facts: Facts { sql_type, nullable, origins, meaning, digits, bytes }, id }
    }

    fn table_factor(&mut self, factor: &TableFactor, left: &Scope<'_>, indirect: &mut Origins) -> Vec<Item> {
        match factor {
            // `from only t` looks like a table with an alias, and no table can be called so without quotes.
            TableFactor::Table { name, alias: Some(alias), args: None, .. } if is_only(name) => {
                let item = self.named_table(&[fold(&alias.name)], None, left, alias.name.span, indirect);
                vec![item]
            }
            TableFactor::Table { name, alias, args: None, .. } => {
                let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
                let item = self.named_table(&path(&parts), alias.as_ref(), left, name.span(), indirect);
                vec![item]
            }
            TableFactor::Table { name, alias, args: Some(arguments), with_ordinality, .. } if is_rows_from(name) => {
                vec![self.rows_from(&arguments.args, *with_ordinality, alias.as_ref(), left)]
            }
            TableFactor::XmlTable { row_expression, passing, columns, alias, .. } => {
                vec![self.xml_table(row_expression, passing, columns, alias.as_ref(), left)]
            }
            TableFactor::JsonTable { json_expr, columns, alias, .. } => vec![self.json_table(json_expr, columns, alias.as_ref(), left)],
            TableFactor::Table { name, alias, args: Some(arguments), with_ordinality, .. } => {
                vec![self.table_function(name, &arguments.args, *with_ordinality, alias.as_ref(), left)]
            }
            TableFactor::Function { name, args, with_ordinality, alias, .. } => {
                vec![self.table_function(name, args, *with_ordinality, alias.as_ref(), left)]
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                let found = self.findings.len();
                let result =
                    if *lateral { self.dependent_query(subquery, left, left.ctes) } else { self.query(subquery, left.outer, left.ctes) };
                merge(indirect, &result.indirect);
                let open = result.open || self.findings.len() > found;
                vec![self.item(result.columns, open, None, alias.as_ref()).keyed_by(&result.keys, &result.unique)]
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let arrays: Vec<Facts> = array_exprs.iter().map(|array| self.expression(array, left)).collect();
                vec![self.unnest(&arrays, *with_ordinality, alias.as_ref())]
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let mut inner = Scope { items: left.items.clone(), ..Scope::new(left.outer, left.ctes) };
                self.table_with_joins(table_with_joins, &mut inner, indirect);
                let items = inner.items.split_off(left.items.len());
                match alias {
                    Some(_) => {
                        let columns = plain_columns(&items).cloned().collect();
                        let open = items.iter().any(|item| item.plain && item.open);
                        vec![self.item(columns, open, None, alias.as_ref())]
                    }
                    None => items,
                }
            }
            TableFactor::TableFunction { expr, alias } => {
                self.expression(expr, left);
                vec![self.item(Vec::new(), true, None, alias.as_ref())]
            }
            _ => {
                self.doubts.is_blind = true;
                vec![Item { open: true, plain: true, ..Item::default() }]
            }
        }
    }

    /// A name in FROM: a common table expression or a table.
    fn named_table(&mut self, name: &[String], alias: Option<&TableAlias>, scope: &Scope<'_>, span: Span, indirect: &mut Origins) -> Item {
        if let [single] = name
            && let Some(cte) = scope.cte(single)
        {
            merge(indirect, &cte.result.indirect);
            let item =
                self.item(cte.result.columns.clone(), cte.result.open, Some(single), alias).keyed_by(&cte.result.keys, &cte.result.unique);
            if let Some(number) = cte.number {
                self.mention_cte(number, &item);
            }
            return item;
        }
        self.table_item(name, alias, scope, span)
    }

    pub(super) fn table_item(&mut self, name: &[String], alias: Option<&TableAlias>, scope: &Scope<'_>, span: Span) -> Item {
        let last = name.last().cloned().unwrap_or_default();
        if let [single] = name
            && let Some(kind) =
                super::calls::session_type(single).filter(|_| single != "user" && matches!(self.tables.find(name), Table::Foreign))
        {
            // `from current_date`
            let column = alias.map_or_else(|| single.clone(), |alias| fold(&alias.name));
            let columns = vec![Column { name: column.into(), facts: Facts::of(Some(kind.into()), single == "current_schema"), id: 0 }];
            return self.item(columns, false, Some(single), alias);
        }
        let mut item = match self.tables.find(name) {
            Table::Node(node, schema) => {
                let columns = schema.columns.iter().map(|column| {
                    let mut origins = Origins::new();
                    if self.is_looked_into {
                        origins.push(Origin { column: self.read(node, &column.name), kind: EdgeKind::Value });
                    }
                    let meaning = Meaning { measure: column.measure.clone(), labels: column.labels.clone(), ..Meaning::default() };
                    let facts = Facts {
                        sql_type: column.sql_type,
                        nullable: column.nullable,
                        origins,
                        meaning,
                        digits: column.digits,
                        bytes: column.bytes,
                    };
                    Column { name: column.name.as_str().into(), facts, id: 0 }
                });
                let columns = columns.collect();
                let has_capitals = |name: &str| name.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
                if let Some(types) = self.types.as_mut().filter(|_| schema.columns.iter().any(|column| has_capitals(&column.name))) {
                    types.note_capitals();
                }
                let told = schema.keys.iter().chain(self.tables.keys(node));
                let position = |name: &String| schema.columns.iter().position(|column| column.name == *name);
                let keys: Vec<Vec<usize>> = told.filter_map(|key| key.iter().map(position).collect()).collect();
                // Several nulls pass a test `unique`.
                let full = |name: &String| {
                    let column = schema.columns.iter().find(|column| column.name == *name);
                    column.is_some_and(|column| !column.nullable) || self.tables.is_never_null(node, name)
                };
                let promised = self.tables.keys(node).iter().filter(|key| key.iter().all(full));
                let certain = schema.unique.iter().chain(promised).filter(|_| self.is_looked_into);
                let unique: Vec<Vec<usize>> = certain.filter_map(|key| key.iter().map(position).collect()).collect();
                let mut item = self.item(columns, schema.open, Some(&last), alias).keyed_by(&keys, &unique);
                let ids: Vec<u32> = item.columns.iter().map(|column| column.id).collect();
                let id_of = |name: &String| position(name).and_then(|at| ids.get(at).copied());
                for (column, told) in item.columns.iter_mut().zip(&schema.columns).filter(|(_, told)| !told.determined_by.is_empty()) {
                    column.facts.meaning.determined_by = told.determined_by.iter().map(id_of).collect::<Option<_>>().unwrap_or_default();
                }
                Item { keyed: schema.keyed, outside: schema.outside, ..item }
            }
            Table::Foreign => {
                if name.len() == 1 {
                    self.check_foreign(&last, scope, span);
                }
                let item = self.item(Vec::new(), true, Some(&last), alias);
                Item { keyed: true, ..item }
            }
        };
        item.stored = true;
        if alias.is_none() {
            item.schema = name.len().checked_sub(2).and_then(|at| name.get(at)).cloned();
        }
        item
    }

    /// A table outside of the project may have any name, but one that is nearly that of a common table expression is a mistake.
    fn check_foreign(&mut self, name: &str, scope: &Scope<'_>, span: Span) {
        let names = scope.cte_names();
        if let Some(near) = crate::diag::nearest(name, names.iter().map(String::as_str)) {
            let message = format!("nothing in this query or project is called '{name}'");
            self.find(span, Diagnostic::new(&codes::UNKNOWN_RELATION, message).help(format!("did you mean '{near}'?")));
        }
    }

    /// An entry of FROM with columns of its own, which the alias may rename.
    pub(super) fn item(&mut self, columns: Vec<Column>, open: bool, name: Option<&str>, alias: Option<&TableAlias>) -> Item {
        let mut columns: Vec<Column> = columns
            .into_iter()
            .map(|column| {
                let facts = Facts { sql_type: settled(column.facts.sql_type), ..column.facts };
                Column { facts, id: self.next_id(), ..column }
            })
            .collect();
        let given = alias.map(|alias| fold(&alias.name)).filter(|alias| alias != UNNAMED);
        let called = given.or_else(|| name.map(str::to_owned));
        self.settle_currencies(&mut columns, called.as_deref());
        if let Some(alias) = alias {
            for (column, renamed) in columns.iter_mut().zip(&alias.columns) {
                column.name = fold(&renamed.name).into();
            }
            for renamed in alias.columns.iter().skip(columns.len()).filter(|_| open) {
                columns.push(Column { name: fold(&renamed.name).into(), facts: Facts::unknown(), id: self.next_id() });
            }
        }
        let name = called;
        Item { named: name.is_some(), name, columns, open, plain: true, ..Item::default() }
    }

    pub(super) fn table_function(
        &mut self,
        name: &ObjectName,
        arguments: &[FunctionArg],
        ordinality: bool,
        alias: Option<&TableAlias>,
        left: &Scope<'_>,
    ) -> Item {
        let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
        let names = path(&parts);
        let function = names.last().cloned().unwrap_or_default();
        let named = arguments.iter().any(|argument| !matches!(argument, FunctionArg::Unnamed(_)));
        let given: Vec<Facts> = arguments
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value))
                | FunctionArg::Named { arg: FunctionArgExpr::Expr(value), .. }
                | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(value), .. } => self.expression(value, left),
                _ => Facts::unknown(),
            })
            .collect();
        if function == "unnest" && given.len() > 1 {
            return self.unnest(&given, ordinality, alias);
        }
        let session = super::calls::session_type(&function).filter(|_| parts.len() == 1 && given.is_empty());
        let call = if named || session.is_some() { None } else { self.plain_call(&function, &given, name.span()) };
        let mut columns: Vec<Column> = Vec::new();
        let mut open = false;
        // A series of plain days is one of instants to the database only.
        let is_of_days = function == "generate_series" && given.first().is_some_and(super::units::is_plain_day);
        let measure = match given.first() {
            Some(_) if is_of_days => Measure::Number,
            Some(array) if function == "unnest" => super::units::measure(array),
            _ => Measure::Unknown,
        };
        let column = |name: &str, sql_type: Option<SqlType>| Column {
            name: name.into(),
            facts: Facts::of(sql_type, true).reading(&given).measured(measure.clone()),
            id: 0,
        };
        let declared = alias.map(|alias| &alias.columns[..]).filter(|columns| columns.iter().any(|column| column.data_type.is_some()));
        match (declared, call.as_ref().and_then(|call| call.function)) {
            (Some(declared), _) => columns.extend(declared.iter().map(|declared| {
                let sql_type = declared.data_type.as_ref().and_then(|kind| SqlType::parse(&kind.to_string()));
                column(&fold(&declared.name), sql_type)
            })),
            (None, Some(known)) if !known.columns.is_empty() => {
                let given: Vec<_> = given.iter().filter_map(|facts| facts.sql_type).map(|kind| kind.id).collect();
                columns.extend(known.columns.iter().map(|(name, id)| {
                    let sql_type = crate::analysis::polymorphic::resolve(&given, &known.arguments, *id);
                    column(name, sql_type.map(SqlType::from))
                }));
            }
            (None, _) => {
                let result = call.as_ref().and_then(|call| call.result).or(session);
                open = result.is_none_or(|id| id == super::known().record);
                if !open {
                    let only = alias.map(|alias| fold(&alias.name)).filter(|alias| alias != UNNAMED).unwrap_or_else(|| function.clone());
                    columns.push(column(&only, result.map(SqlType::from)));
                }
            }
        }
        if ordinality {
            columns.push(ordinality_column());
        }
        self.function_item(columns, open, &function, alias).of_series(&function, arguments, ordinality)
    }

    /// What a function in FROM gives: its units are by columns that stand left of it, which go on being seen.
    pub(super) fn function_item(&mut self, columns: Vec<Column>, open: bool, name: &str, alias: Option<&TableAlias>) -> Item {
        let measures: Vec<Measure> = columns.iter().map(|column| column.facts.meaning.measure.clone()).collect();
        let mut item = self.item(columns, open, Some(name), alias);
        for (column, measure) in item.columns.iter_mut().zip(measures) {
            column.facts.meaning.measure = measure;
        }
        item
    }

    fn unnest(&mut self, arrays: &[Facts], ordinality: bool, alias: Option<&TableAlias>) -> Item {
        let only = alias.filter(|_| arrays.len() == 1).map(|alias| fold(&alias.name));
        let mut open = false;
        let mut columns: Vec<Column> = Vec::new();
        for array in arrays {
            let element = array.sql_type.and_then(|kind| Some((array_element(kind.id)?, kind.id)));
            // Text with weights gives three columns, a multirange gives ranges: rare enough to be left unknown.
            open |= element.is_none();
            let sql_type = element.map(|(element, _)| SqlType::from(element));
            let facts = Facts::of(sql_type, true).reading(std::slice::from_ref(array)).measured(super::units::measure(array));
            columns.push(Column { name: only.as_deref().unwrap_or("unnest").into(), facts, id: 0 });
        }
        if ordinality {
            columns.push(ordinality_column());
        }
        self.function_item(columns, open, "unnest", alias)
    }

    /// Two entries of FROM under one name.
    fn check_names(&mut self, scope: &Scope<'_>, tables: &[TableWithJoins]) {
        let named: Vec<&Item> = scope.items.iter().filter(|item| item.named).collect();
        for (at, item) in named.iter().enumerate() {
            let same = |other: &&&Item| other.name == item.name && other.schema == item.schema;
            if let (Some(name), true) = (&item.name, named.iter().take(at).any(|other| same(&other))) {
                let span = tables.get(1).map_or_else(
                    || tables.first().and_then(|table| table.joins.last()).map_or_else(Span::empty, |join| join.relation.span()),
                    |table| table.relation.span(),
                );
                let span = alias_span(tables, name).unwrap_or(span);
                let problem = Diagnostic::new(&codes::DUPLICATE_ALIAS, format!("two relations in FROM are called '{name}'"));
                self.find(span, problem.help("give each an alias of its own"));
            }
        }
    }
}

/// The second relation of that name.
fn alias_span(tables: &[TableWithJoins], name: &str) -> Option<Span> {
    let factors = tables.iter().flat_map(|table| std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation)));
    let mut spans = factors.filter_map(|factor| match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            (fold(&alias.name) == name).then_some(alias.name.span)
        }
        TableFactor::Table { name: table, alias: None, .. } => {
            let ident = table.0.last()?.as_ident()?;
            (fold(ident) == name).then_some(ident.span)
        }
        _ => None,
    });
    spans.next_back()
}

pub(super) fn ordinality_column() -> Column {
    Column { name: "ordinality".into(), facts: Facts::of(catalogue().type_named("int8").map(SqlType::from), false), id: 0 }
}

fn is_only(name: &ObjectName) -> bool {
    let only = |ident: &Ident| ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("only");
    matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(only))
}

fn plain_columns(items: &[Item]) -> impl Iterator<Item = &Column> {
    items.iter().filter(|item| item.plain).flat_map(|item| &item.columns)
}

/// For which rows the condition of a join holds.
fn holds(kind: JoinKind, split: usize, all: usize) -> Holds {
    match kind {
        JoinKind::Inner => Holds::Always,
        JoinKind::Left => Holds::Present(split..all),
        JoinKind::Right => Holds::Present(0..split),
        JoinKind::Full => Holds::Both(split),
    }
}

fn missing_sides(items: &mut [Item], split: usize, kind: JoinKind) {
    let (left, right) = items.split_at_mut(split);
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        left.iter_mut().for_each(Item::may_be_missing);
    }
    if matches!(kind, JoinKind::Left | JoinKind::Full) {
        right.iter_mut().for_each(Item::may_be_missing);
    }
}

impl Inference<'_> {
    /// A name before a point that nothing in FROM has.
    pub(super) fn unknown_item(&mut self, name: &str, scope: &Scope<'_>, span: Span) {
        let names = scope.item_names();
        let message = format!("nothing in FROM is called '{name}'");
        self.find(span, Diagnostic::new(&codes::UNKNOWN_RELATION, message).did_you_mean(name, names.iter().map(String::as_str)));
    }

    /// A row as one value: nothing is known of it but where it comes from.
    pub(super) fn whole_row(&mut self, item: &Item) -> Facts {
        self.mark_all_read(item);
        item.columns.iter().fold(Facts::unknown(), |row, column| row.reading(std::slice::from_ref(&column.facts)))
    }

    /// A name that two columns of one entry have.
    fn named_twice(&mut self, item: &Item, name: &str, span: Span) -> Facts {
        let mut places: Vec<_> = item.named_so(name).filter_map(|column| self.lines.range(column.facts.meaning.written?)).collect();
        places.dedup();
        let of = item.name.as_ref().map_or_else(|| "the join".to_owned(), |name| format!("'{name}'"));
        let message = format!("{of} has {} columns '{name}'", if item.named_so(name).count() == 2 { "two" } else { "several" });
        let problem = Diagnostic::new(&codes::AMBIGUOUS_COLUMN, message);
        let problem = match item.stored {
            true => problem,
            false => problem.help(format!("give one of them another name where it is selected, as in: … as other_{name}")),
        };
        let both = ["one is this", "another is this"];
        let texts = if places.len() == 1 { &["both come from here"][..] } else { &both[..] };
        let also = places.into_iter().zip(texts.iter().copied()).collect();
        self.findings.push(Finding { diagnostic: problem, range: self.lines.range(span), also });
        Facts::unknown()
    }

    /// What else the name of a column that is not there is meant for.
    fn meant_by(&self, name: &str, is_quoted: bool) -> Option<String> {
        let bare = name.trim_matches(['\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']);
        if is_quoted || bare != name {
            return Some(format!("if it is a text, write it in single quotes: '{bare}'"));
        }
        let is_named = self.aliases.iter().any(|alias| alias == name);
        if is_named && UNITS.contains(&name) {
            return Some(format!(
                "if it is a unit of time, write it in single quotes: '{name}'; if it is what this list names so, compute that in a subquery"
            ));
        }
        if is_named {
            return Some(format!(
                "'{name}' is named in this list, and known outside of it only: compute it in a subquery, or write it out here"
            ));
        }
        if UNITS.contains(&name) {
            return Some(format!("if it is a unit of time, write it in single quotes: '{name}'"));
        }
        if matches!(name, "count" | "sum" | "avg") {
            return Some(format!("if it is a call, write its parentheses: {name}(…)"));
        }
        let is_clock = matches!(name, "sysdate" | "systimestamp" | "curdate" | "today" | "getdate");
        written_instead(name).filter(|_| is_clock).map(|instead| format!("write {instead}"))
    }

    /// Facts of a column by the parts of its name.
    pub(super) fn column(&mut self, parts: &[Ident], scope: &Scope<'_>) -> Facts {
        let names = path(parts);
        let span = parts.first().map_or_else(Span::empty, |first| first.span);
        let last_span = parts.last().map_or(span, |last| last.span);
        match names.as_slice() {
            [name] => match scope.column(name) {
                Found::Column(column, level) => {
                    // Case counts in portable queries, so that a nearer column that differs in it is another one.
                    let differs = self.tables.is_portable() && *column.name != **name;
                    let (alike, (column, level)) = match differs.then(|| scope.same_further_out(name, level)).flatten() {
                        Some(same) => (Some(Arc::clone(&column.name)), same),
                        None => (None, (column, level)),
                    };
                    self.mark_read(column.id);
                    self.mention(column.id, true);
                    if let (Some(types), 1.., Some(name)) = (&mut self.types, level, parts.first()) {
                        types.note_outer_name(name, OuterName { alike, ..scope.outer_name(column.id, level) });
                    }
                    column.facts.clone()
                }
                Found::Perhaps => {
                    self.mark_perhaps_read(name, scope);
                    match scope.item(None, name) {
                        Some((item, _)) if !item.open => self.whole_row(item),
                        _ => Facts::of(system_type(name), true),
                    }
                }
                Found::Ambiguous(items) => {
                    let problem =
                        Diagnostic::new(&codes::AMBIGUOUS_COLUMN, format!("column '{name}' is in several relations: {}", items.join(", ")));
                    self.find(
                        span,
                        problem.help(format!("write which one is meant: {}.{name}", items.first().map_or("x", String::as_str))),
                    );
                    Facts::unknown()
                }
                Found::Twice(item) => self.named_twice(item, name, span),
                Found::Missing if matches!(name.as_str(), "current_schema" | "current_role" | "current_catalog") => {
                    Facts::of(Some(super::known().name.into()), name == "current_schema")
                }
                // The name of something in FROM stands for its whole row.
                Found::Missing if scope.item(None, name).is_some() => {
                    scope.item(None, name).map_or_else(Facts::unknown, |(item, _)| self.whole_row(item))
                }
                // Other engines know the names of the list of SELECT everywhere in it, and rows by a number.
                Found::Missing if self.tables.has_foreign_functions() && (name == "rowid" || self.aliases.contains(name)) => {
                    Facts::unknown()
                }
                Found::Missing => {
                    let names = scope.column_names();
                    let problem = Diagnostic::new(&codes::UNKNOWN_COLUMN, format!("there is no column '{name}'"));
                    let mut problem = problem.did_you_mean(name, names.iter().map(String::as_str));
                    let is_quoted = parts.iter().any(|part| part.quote_style.is_some());
                    match self.meant_by(name, is_quoted) {
                        // What is nearly a column is hardly a text.
                        Some(_) if is_quoted && !problem.help.is_empty() => {}
                        Some(help) => problem = problem.help(help),
                        None if problem.help.is_empty() && !names.is_empty() => {
                            let more = if names.len() > MOST_NAMED { ", …" } else { "" };
                            let first: Vec<&str> = names.iter().take(MOST_NAMED).map(String::as_str).collect();
                            problem = problem.help(format!("the columns here are {}{more}", first.join(", ")));
                        }
                        None => {}
                    }
                    self.find(span, problem);
                    Facts::unknown()
                }
            },
            [.., relation, name] => {
                let schema = names.len().checked_sub(3).and_then(|at| names.get(at)).map(String::as_str);
                let Some((item, _)) = scope.item(schema, relation) else {
                    // `a.b` may be a field of a column there.
                    let is_column = |name: &String| !matches!(scope.column(name), Found::Missing);
                    if self.tables.has_foreign_functions() && (names.len() > 2 || is_column(relation)) {
                        return Facts::unknown();
                    }
                    if names.len() == 2 || scope.item(None, relation).is_none() {
                        self.unknown_item(relation, scope, span);
                    }
                    return Facts::unknown();
                };
                match item.column(name) {
                    Found::Column(column, ..) => {
                        self.mark_read(column.id);
                        self.mention(column.id, false);
                        column.facts.clone()
                    }
                    Found::Perhaps => Facts::of(system_type(name), true),
                    Found::Twice(item) => self.named_twice(item, name, span.union(&last_span)),
                    Found::Ambiguous(_) => Facts::unknown(),
                    // `x.f` may also be a call f(x) over the row.
                    Found::Missing if !catalogue().functions(name).is_empty() => self.whole_row(item),
                    Found::Missing => {
                        let names: Vec<&str> = item.columns.iter().map(|column| &*column.name).collect();
                        let problem = Diagnostic::new(&codes::UNKNOWN_COLUMN, format!("'{relation}' has no column '{name}'"))
                            .did_you_mean(name, names);
                        // From the name of the relation on, as the server says it.
                        self.find(span.union(&last_span), problem);
                        Facts::unknown()
                    }
                }
            }
            [] => Facts::unknown(),
        }
    }
}

/// The name by which a column can be named with a point.
fn entry_of(items: &[Item], column: Option<&Column>) -> Option<String> {
    let id = column?.id;
    items.iter().find(|item| item.named && item.columns.iter().any(|column| column.id == id))?.name.clone()
}
