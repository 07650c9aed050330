//! Currencies that a column names: which column that is wherever the amount goes, what joins and filters say of it, and that amounts
//! of several currencies are not put together by an aggregate.

use std::sync::Arc;

use sqlparser::ast::{BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};
use sqlparser::tokenizer::Span;

use super::Inference;
use super::equalities::Holds;
use super::literal::quoted;
use super::scope::{Column, Found, Item, QueryResult, Scope, fold};
use super::units::measure;
use crate::analysis::facts::{Facts, Meaning, SchemaColumn};
use crate::analysis::units::{Currency, Measure, Unit};
use crate::diag::{Diagnostic, codes};

/// Aggregates and window functions that make one amount of many.
const PUTS_TOGETHER: &[&str] = &[
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "percentile_cont",
    "percentile_disc",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "variance",
    "var_pop",
    "var_samp",
    "mode",
];

/// Window functions that give the value of another row as it is.
const FROM_OTHER_ROW: &[&str] = &["lag", "lead", "first_value", "last_value", "nth_value"];

/// What a condition says of a column that names a currency.
enum Said {
    /// It is the same as this column.
    Same(u32),
    Fixed(Arc<str>),
}

fn is_by_column(measure: &Measure) -> bool {
    measure.unit().is_some_and(|unit| unit.named_by().any(|currency| matches!(currency, Currency::Column(_) | Currency::Sibling(_))))
}

impl Inference<'_> {
    /// The columns of an entry of FROM have got numbers: those that name currencies and those that determine others are found again.
    pub(super) fn settle_currencies(&mut self, columns: &mut [Column], item: Option<&str>) {
        if columns.iter().any(|column| is_by_column(&column.facts.meaning.measure) || !column.facts.meaning.determined_by.is_empty()) {
            let before: Vec<(u32, u32, String)> =
                columns.iter().map(|column| (column.facts.meaning.same_as, column.id, column.name.to_string())).collect();
            let renumbered = |old: u32| before.iter().find(|(same_as, ..)| *same_as == old && old != 0).map(|(_, id, _)| *id);
            for column in columns.iter_mut() {
                let meaning = &mut column.facts.meaning;
                let settled = meaning.measure.with_currencies(&mut |currency| {
                    let id = match currency {
                        Currency::Column(old) => renumbered(*old),
                        Currency::Sibling(name) => before.iter().find(|(_, _, held)| held.eq_ignore_ascii_case(name)).map(|(_, id, _)| *id),
                        _ => return None,
                    };
                    Some(id.map_or(Currency::Hidden, Currency::Column))
                });
                meaning.measure = settled.unwrap_or_else(|| meaning.measure.clone());
                let determined_by: Option<Vec<u32>> = meaning.determined_by.iter().map(|old| renumbered(*old)).collect();
                meaning.determined_by = determined_by.unwrap_or_default();
                for currency in meaning.measure.unit().into_iter().flat_map(Unit::named_by) {
                    let named = before.iter().find(|(_, id, _)| currency == Currency::Column(*id));
                    if let Some((_, id, name)) = named {
                        let name = item.map_or_else(|| name.clone(), |item| format!("{item}.{name}"));
                        self.currency_names.insert(*id, name);
                    }
                }
            }
        }
        for column in columns {
            column.facts.meaning.same_as = column.id;
        }
    }

    /// What is equal where a condition holds: `a.currency_code = b.currency_code and b.currency_code = 'GBP'`.
    pub(super) fn fix_currencies(&mut self, condition: &Expr, scope: &mut Scope<'_>, holds: &Holds) {
        if !scope.items.iter().flat_map(|item| &item.columns).any(|column| is_by_column(&column.facts.meaning.measure)) {
            return;
        }
        let mut conjuncts = Vec::new();
        collect_conjuncts(condition, &mut conjuncts);
        let mut fixed: Vec<(u32, Arc<str>)> = Vec::new();
        for (left, right) in conjuncts {
            match (self.identity(left, scope), self.identity(right, scope)) {
                // A column of an enclosing query stays what it is.
                (Some(one), Some(other)) if one != other && is_here(other, scope) => self.same(other, one, scope, holds),
                (Some(one), Some(other)) if one != other => self.same(one, other, scope, holds),
                (Some(one), None) => fixed.extend(quoted(right).map(|code| (one, code.into()))),
                (None, Some(other)) => fixed.extend(quoted(left).map(|code| (other, code.into()))),
                _ => {}
            }
        }
        for (id, code) in fixed {
            // Where a column that may be missing has a value, so has what it stands for.
            let mut ids = self.equalities.all_of(id);
            ids.extend(ids.clone().into_iter().flat_map(|id| self.equalities.standing_for(id)));
            let items = match holds {
                Holds::Always | Holds::Here => &mut scope.items[..],
                Holds::Present(range) => scope.items.get_mut(range.clone()).unwrap_or_default(),
                Holds::Both(_) => &mut [],
            };
            ids.into_iter().for_each(|id| settle(items, id, &Said::Fixed(Arc::clone(&code))));
        }
    }

    /// A condition says that the column `id` is equal to another.
    fn same(&mut self, id: u32, other: u32, scope: &mut Scope<'_>, holds: &Holds) {
        match holds {
            Holds::Always => {
                settle(&mut scope.items, id, &Said::Same(other));
                self.equalities.add(id, other);
            }
            Holds::Here => settle(&mut scope.items, id, &Said::Same(other)),
            Holds::Both(split) => {
                let left = |id: u32| scope.items.get(..*split).is_some_and(|items| names(items, id));
                // A condition on one side keeps no row of it away.
                if left(id) != left(other) && is_here(id, scope) && is_here(other, scope) {
                    let (left, right) = if left(id) { (id, other) } else { (other, id) };
                    self.whole_of(left, right);
                }
            }
            Holds::Present(range) => {
                let present = |id: u32| scope.items.get(range.clone()).is_some_and(|items| names(items, id));
                match (present(id), present(other)) {
                    (true, true) => settle(scope.items.get_mut(range.clone()).unwrap_or_default(), id, &Said::Same(other)),
                    (true, false) => self.equalities.add(id, other),
                    (false, true) => self.equalities.add(other, id),
                    // It keeps no row of theirs away.
                    (false, false) => {}
                }
            }
        }
    }

    /// The scope in which a condition holds; `None` where that changes nothing.
    pub(super) fn narrowed<'e>(&mut self, condition: &Expr, scope: &Scope<'e>) -> Option<Scope<'e>> {
        let by_column = scope.items.iter().flat_map(|item| &item.columns).any(|column| is_by_column(&column.facts.meaning.measure));
        if !by_column {
            return None;
        }
        let mut narrowed = Scope { items: scope.items.clone(), grouped: scope.grouped, ..Scope::new(scope.outer, scope.ctes) };
        self.fix_currencies(condition, &mut narrowed, &Holds::Here);
        Some(narrowed)
    }

    /// An aggregate of amounts whose currency a column names; `keys` are what the rows have in common.
    pub(super) fn check_currencies(&mut self, name: &str, facts: &[Facts], keys: Option<&[u32]>, scope: &Scope<'_>, span: Span) -> bool {
        let (Some(first), Some(keys)) = (facts.first(), keys) else { return true };
        if !PUTS_TOGETHER.contains(&name) {
            return true;
        }
        let given = measure(first);
        let Some(unit) = given.unit() else { return true };
        let mixed = unit.currencies().find(|currency| match currency {
            Currency::Column(id) => !self.in_common(*id, keys, scope),
            Currency::Hidden => true,
            _ => false,
        });
        let Some(mixed) = mixed else { return true };
        let (message, help) = match mixed {
            Currency::Column(id) => {
                let column = self.currency_names.get(id).cloned().unwrap_or_default();
                let message = format!("{name}() puts amounts together whose currency is named by '{column}', which may be several");
                (message, format!("add '{column}' to GROUP BY or PARTITION BY, filter by one currency, or convert the amounts first"))
            }
            _ => {
                let message = format!("{name}() puts amounts together whose currency is named by a column that is not here");
                (message, "select the column that names the currency with the amount, and group by it".to_owned())
            }
        };
        let mut problem = Diagnostic::new(&codes::MIXED_CURRENCY, message);
        if let Some(place) = given.declared() {
            problem = problem.also(place, format!("'{}' comes from here", self.spelled_unit(unit)));
        }
        self.find_unit(span, problem.help(help));
        false
    }

    /// Whether rows that have the keys in common have this column in common.
    fn in_common(&self, id: u32, keys: &[u32], scope: &Scope<'_>) -> bool {
        // For one row of an enclosing query its columns have one value.
        let enclosing = std::iter::successors(scope.outer, |scope| scope.outer).flat_map(|outer| &outer.items);
        let enclosing = enclosing.flat_map(|item| &item.columns).map(|column| column.facts.meaning.same_as);
        let keys = &keys.iter().copied().chain(enclosing.filter(|id| *id != 0)).collect::<Vec<u32>>()[..];
        let determined = |id: u32| {
            let mut columns = scope.items.iter().flat_map(|item| &item.columns).filter(|column| column.facts.meaning.same_as == id);
            columns.any(|column| self.determines(keys, &column.facts))
        };
        self.equalities.all_of(id).into_iter().any(|id| keys.contains(&id) || determined(id))
    }

    /// The unit of an array that an aggregate makes: what differs between its elements cannot be seen any more.
    pub(super) fn in_one_array(&self, element: &Measure, keys: Option<&[u32]>, scope: &Scope<'_>) -> Measure {
        let hidden = element.with_currencies(&mut |currency| match currency {
            Currency::Column(id) if !keys.is_some_and(|keys| self.in_common(*id, keys, scope)) => Some(Currency::Hidden),
            _ => None,
        });
        hidden.unwrap_or_else(|| element.clone())
    }

    /// The numbers of columns that keys are, unchanged.
    pub(super) fn identities<'x>(&self, keys: impl IntoIterator<Item = &'x Expr>, scope: &Scope<'_>) -> Vec<u32> {
        keys.into_iter().filter_map(|key| self.identity(key, scope)).collect()
    }

    /// The number of the column that an expression is, unchanged.
    fn identity(&self, expression: &Expr, scope: &Scope<'_>) -> Option<u32> {
        if let Expr::Function(call) = expression
            && let Some(parts) = coalesced(call)
        {
            let parts: Option<Vec<u32>> = parts.into_iter().map(|part| self.identity(part, scope)).collect();
            return Some(self.equalities.first_of(&parts?)).filter(|id| *id != 0);
        }
        identity(expression, scope)
    }

    /// Whether the keys determine a value, as was declared.
    pub(super) fn determines(&self, keys: &[u32], facts: &Facts) -> bool {
        let by = &facts.meaning.determined_by;
        !by.is_empty() && by.iter().all(|id| self.equalities.all_of(*id).iter().any(|id| keys.contains(id)))
    }

    /// What a window function takes from another row: its currency is this row's only where all rows of the partition have one.
    pub(super) fn of_other_row(&mut self, name: &str, call: &Function, facts: &[Facts], scope: &Scope<'_>) -> Option<Measure> {
        let spec = call.over.as_ref().filter(|_| FROM_OTHER_ROW.contains(&name)).and_then(|over| self.window_of(over))?;
        let keys = self.identities(&spec.partition_by, scope);
        let given = measure(facts.first()?);
        let columns = scope.items.iter().flat_map(|item| &item.columns);
        let determined: Vec<u32> =
            columns.filter(|column| self.determines(&keys, &column.facts)).map(|column| column.facts.meaning.same_as).collect();
        let row = format!("{} {spec}", call.name);
        given.with_currencies(&mut |currency| {
            let Currency::Column(id) = currency else { return None };
            if self.equalities.all_of(*id).iter().any(|id| keys.contains(id) || determined.contains(id)) {
                return None;
            }
            let other = match self.of_other_rows.get(&(*id, row.clone())) {
                Some(other) => *other,
                None => {
                    let other = self.next_id();
                    self.of_other_rows.insert((*id, row.clone()), other);
                    let name = self.currency_names.get(id).cloned().unwrap_or_default();
                    self.currency_names.insert(other, format!("{name} of another row"));
                    other
                }
            };
            Some(Currency::Column(other))
        })
    }
}

/// The unit of what an aggregate made of several currencies.
pub(super) fn without_currency(measure: &Measure) -> Measure {
    measure.with_currencies(&mut |_| Some(Currency::Unknown)).unwrap_or_else(|| measure.clone())
}

fn settle(items: &mut [Item], id: u32, said: &Said) {
    for column in items.iter_mut().flat_map(|item| &mut item.columns) {
        let meaning = &mut column.facts.meaning;
        let changed = meaning.measure.with_currencies(&mut |currency| match said {
            _ if *currency != Currency::Column(id) => None,
            Said::Same(other) => Some(Currency::Column(*other)),
            Said::Fixed(code) => Some(Currency::Fixed(Arc::clone(code))),
        });
        if let Some(changed) = changed {
            meaning.measure = changed;
        }
        if let Said::Same(other) = said {
            if meaning.same_as == id {
                meaning.same_as = *other;
            }
            meaning.determined_by.iter_mut().filter(|held| **held == id).for_each(|held| *held = *other);
        }
    }
}

fn is_here(id: u32, scope: &Scope<'_>) -> bool {
    names(&scope.items, id)
}

fn names(items: &[Item], id: u32) -> bool {
    items.iter().flat_map(|item| &item.columns).any(|column| column.facts.meaning.same_as == id)
}

/// Columns that USING makes one.
pub(super) fn same_columns(items: &mut [Item], left: u32, right: u32) {
    if left != 0 && right != 0 && left != right {
        settle(items, right, &Said::Same(left));
    }
}

fn collect_conjuncts<'c>(condition: &'c Expr, found: &mut Vec<(&'c Expr, &'c Expr)>) {
    match condition {
        Expr::Nested(inner) => collect_conjuncts(inner, found),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            collect_conjuncts(left, found);
            collect_conjuncts(right, found);
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } | Expr::IsNotDistinctFrom(left, right) => found.push((left, right)),
        Expr::InList { expr, list, negated: false } => found.extend(list.first().filter(|_| list.len() == 1).map(|only| (&**expr, only))),
        _ => {}
    }
}

/// The arguments of a call of `coalesce`.
fn coalesced(call: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &call.args else { return None };
    let [name] = call.name.0.as_slice() else { return None };
    let part = |argument: &'_ FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
    if fold(name.as_ident()?) != "coalesce" || !list.args.iter().all(part) {
        return None;
    }
    let parts = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(part)) => Some(part),
        _ => None,
    });
    Some(parts.collect())
}

fn identity(expression: &Expr, scope: &Scope<'_>) -> Option<u32> {
    let column = match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => return identity(inner, scope),
        Expr::Identifier(ident) => match scope.column(&fold(ident)) {
            Found::Column(column, _) => column.facts.meaning.same_as,
            _ => 0,
        },
        Expr::CompoundIdentifier(parts) => {
            let [.., relation, name] = parts.as_slice() else { return None };
            match scope.item(None, &fold(relation))?.0.column(&fold(name)) {
                Found::Column(column, _) => column.facts.meaning.same_as,
                _ => 0,
            }
        }
        _ => 0,
    };
    (column != 0).then_some(column)
}

/// The currencies of a query's columns by names of its columns. What a value of an open row of constants names is its own: in
/// `select 'EUR' as currency_code, rate_of_euro as rate`, the currency of the rate is named by that column too.
pub(super) fn by_name(columns: &[Column], names: &[String], generalised: &[bool]) -> Vec<Measure> {
    let place = |id: u32| columns.iter().position(|column| column.facts.meaning.same_as == id && id != 0);
    let sibling = |at: usize| names.get(at).map(|name| Currency::Sibling(name.as_str().into()));
    let change = |currency: &Currency| match currency {
        Currency::Column(id) => Some(place(*id).and_then(sibling).unwrap_or(Currency::Hidden)),
        Currency::Sibling(name) => {
            let at = columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            Some(at.and_then(sibling).unwrap_or(Currency::Hidden))
        }
        Currency::Fixed(code) => {
            let mut constants = columns.iter().enumerate().filter(|(at, _)| generalised.get(*at) == Some(&true));
            let at = constants.find(|(_, column)| column.facts.meaning.constant.as_ref() == Some(code)).map(|(at, _)| at);
            at.and_then(sibling)
        }
        Currency::Unknown | Currency::Any | Currency::Hidden => None,
    };
    let measured = |column: &Column| {
        let given = measure(&column.facts);
        given.with_currencies(&mut |currency| change(currency)).unwrap_or(given)
    };
    columns.iter().map(measured).collect()
}

/// Both sides of a set operation, with currencies by names of the left side's columns.
pub(super) fn both_by_name(left: &QueryResult, right: &QueryResult) -> Vec<(Measure, Measure)> {
    let names: Vec<String> = left.columns.iter().map(|column| column.name.to_string()).collect();
    let pairs = || left.columns.iter().zip(&right.columns);
    let generalised: Vec<bool> = pairs()
        .map(|(one, other)| {
            let (one, other) = (&one.facts.meaning.constant, &other.facts.meaning.constant);
            one != other && (one.is_some() || other.is_some())
        })
        .collect();
    by_name(&left.columns, &names, &generalised).into_iter().zip(by_name(&right.columns, &names, &generalised)).collect()
}

/// The columns of a whole query for its readers.
pub(super) fn schema_columns(columns: &[Column]) -> Vec<SchemaColumn> {
    let names: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
    let measures = by_name(columns, &names, &[]);
    let name_of = |id: &u32| columns.iter().find(|column| column.facts.meaning.same_as == *id).map(|column| column.name.to_string());
    let told = |(column, measure): (&Column, Measure)| {
        let meaning = &column.facts.meaning;
        SchemaColumn {
            name: column.name.to_string(),
            sql_type: column.facts.sql_type,
            nullable: column.facts.nullable,
            measure,
            labels: meaning.labels.clone(),
            determined_by: meaning.determined_by.iter().map(name_of).collect::<Option<_>>().unwrap_or_default(),
            digits: column.facts.digits,
            bytes: super::sizes::bytes(&column.facts),
        }
    };
    columns.iter().zip(measures).map(told).collect()
}

/// Columns, each with one beside it that certainly does not name its currency or its zone: there the query writes a code, or another
/// column than the one that names it.
pub(super) fn strangers(columns: &[Column]) -> Vec<(String, String)> {
    let is_given = |id: u32| columns.iter().any(|column| column.facts.meaning.same_as == id);
    let is_lost = |currency: &Currency| match currency {
        Currency::Column(id) => !is_given(*id),
        Currency::Hidden => true,
        _ => false,
    };
    let mut found = Vec::new();
    for column in columns {
        let given = measure(&column.facts);
        let lost: Vec<Currency> = given.unit().into_iter().flat_map(Unit::named_by).filter(is_lost).collect();
        let is_stranger = |other: &&Column| {
            let Meaning { constant, same_as, .. } = &other.facts.meaning;
            let is_other = |lost: &Currency| constant.is_some() || *same_as != 0 && matches!(lost, Currency::Column(_));
            lost.iter().any(is_other)
        };
        found.extend(columns.iter().filter(is_stranger).map(|other| (column.name.to_string(), other.name.to_string())));
    }
    found
}

/// Out of the query that it is from, the column that names a currency cannot be seen, unless it is one of an enclosing query.
pub(super) fn hide_currencies(facts: &mut Facts, scope: &Scope<'_>) {
    let is_around = |id: u32| is_here(id, scope) || std::iter::successors(scope.outer, |scope| scope.outer).any(|outer| is_here(id, outer));
    let hidden = facts.meaning.measure.with_currencies(&mut |currency| match currency {
        Currency::Column(id) if is_around(*id) => None,
        Currency::Column(_) | Currency::Sibling(_) => Some(Currency::Hidden),
        _ => None,
    });
    if let Some(hidden) = hidden {
        facts.meaning.measure = hidden;
    }
}

/// Columns that name currencies were renamed.
pub(super) fn rename_currencies(facts: &mut Facts, names: &[(String, String)]) {
    let renamed = facts.meaning.measure.with_currencies(&mut |currency| match currency {
        Currency::Sibling(old) => {
            names.iter().find(|(held, _)| held.eq_ignore_ascii_case(old)).map(|(_, new)| Currency::Sibling(new.as_str().into()))
        }
        _ => None,
    });
    if let Some(renamed) = renamed {
        facts.meaning.measure = renamed;
    }
}
