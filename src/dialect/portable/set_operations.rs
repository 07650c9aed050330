//! Set operations on Redshift: it has no `EXCEPT ALL` and `INTERSECT ALL`, and those that it has take texts for equal that differ in blanks at
//! their end. Both sides are put one below the other, and rows that are equal to the last blank are grouped. Exact numbers have 19 digits at
//! most where two sides come together: those that may have more come as text, all with as many digits behind the point.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html>

use std::ops::ControlFlow;

use sqlparser::ast::{Cte, Expr, SetExpr, SetOperator, SetQuantifier, Values, visit_relations};

use super::distinct_on::item_expression;
use super::rewrite::Rewrite;
use super::type_names::MOST_DIGITS;
use super::writer::{Writer, print_name};
use crate::analysis::{Output, Typed};
use crate::dialect::Engine;

/// Digits that Redshift keeps of a number where two sides come together.
const KEPT_DIGITS: i32 = 19;
/// Digits before the point that such a number has room for, of which nobody says how many it has there.
const ROOM: i32 = 15;

/// A column of both sides as it comes together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carried {
    AsItIs,
    /// As the text of a number with so many digits behind the point.
    AsText(i32),
}

impl Carried {
    fn sent(self, name: &str) -> String {
        match self {
            Carried::AsItIs => name.to_owned(),
            Carried::AsText(digits) => format!("cast(cast({name} as decimal(38,{digits})) as varchar(40)) as {name}"),
        }
    }

    fn received(self, name: &str) -> String {
        match self {
            Carried::AsItIs => name.to_owned(),
            Carried::AsText(digits) => format!("cast({name} as decimal(38,{digits}))"),
        }
    }
}

impl<'q> Writer<'q> {
    /// How each column comes together on Redshift; `None` where all do as they are.
    fn carried(&mut self, left: &SetExpr, right: &SetExpr) -> Option<Vec<Carried>> {
        if !self.is(Engine::Redshift) || !self.rewrites(Rewrite::WideCoalesce) {
            return None;
        }
        let (first, second) = (self.columns_of_body(left)?, self.columns_of_body(right)?);
        let mut carried = Vec::new();
        for (one, other) in first.iter().zip(second) {
            carried.push(match wide(one, other) {
                Wide::No => Carried::AsItIs,
                Wide::Digits(digits) => Carried::AsText(digits),
                Wide::Unknown => {
                    let what =
                        format!("a set operation over '{}', of which nobody knows how many digits it has behind the point", one.name);
                    self.lacks(sqlparser::ast::Spanned::span(right), &what, "cast both sides to one numeric(p,s)");
                    Carried::AsItIs
                }
            });
        }
        carried.iter().any(|column| *column != Carried::AsItIs).then_some(carried)
    }

    /// `None` where no number has more digits than Redshift keeps.
    pub(super) fn set_of_wide_numbers(&mut self, left: &SetExpr, word: &str, right: &SetExpr) -> Option<String> {
        let carried = self.carried(left, right)?;
        let outputs = self.columns_of_body(left)?;
        let names: Vec<String> = (1..=carried.len()).map(|number| format!("acca_{number}")).collect();
        let list = names.join(", ");
        let sent: Vec<String> = names.iter().zip(&carried).map(|(name, column)| column.sent(name)).collect();
        let mut sides = Vec::new();
        for side in [left, right] {
            sides.push(self.indented(|writer| {
                let line = writer.line();
                let rows = writer.indented(|writer| format!("{}{}", writer.line(), writer.body(side, &[])));
                format!("{line}select {}{line}from ({rows}{line}) as acca_rows ({list})", sent.join(", "))
            }));
        }
        let line = self.line();
        let output = names.iter().zip(&carried).zip(outputs);
        let output: Vec<String> =
            output.map(|((name, column), output)| format!("{} as {}", column.received(name), print_name(&output.name))).collect();
        let rows = sides.join(&format!("{line}    {word}"));
        Some(format!("select {}{line}from ({rows}{line}) as acca_rows ({list})", output.join(", ")))
    }

    /// Digits behind the point of each column of rows whose numbers come as text on Redshift.
    pub(super) fn carried_in_rows(&mut self, values: &Values) -> Vec<Option<i32>> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        if !self.is(Engine::Redshift) || values.rows.len() < 2 || !self.rewrites(Rewrite::WideCoalesce) {
            return vec![None; width];
        }
        let carried = |at: usize| {
            let cells: Vec<&Expr> = values.rows.iter().filter_map(|row| row.content.get(at)).collect();
            let kinds: Vec<&str> = cells.iter().map(|cell| self.type_name(cell)).collect();
            let are_exact = kinds.iter().all(|kind| matches!(*kind, "int2" | "int4" | "int8" | "numeric" | "unknown"));
            if !are_exact || !kinds.contains(&"numeric") {
                return None;
            }
            let sizes: Vec<(i32, i32)> = cells.iter().filter_map(|cell| Some((self.precision(cell), self.typed(cell).digits?))).collect();
            let behind = sizes.iter().map(|(_, digits)| *digits).max()?;
            let before = sizes.iter().map(|(precision, digits)| precision - digits).max()?;
            (before + behind > KEPT_DIGITS).then_some(behind)
        };
        (0..width).map(carried).collect()
    }

    /// The rounds of a recursive query come together in one form only.
    pub(super) fn refuse_recursion_of_wide_numbers(&mut self, cte: &Cte) {
        let SetExpr::SetOperation { left, right, .. } = &*cte.query.body else { return };
        self.refuse_lost_digits(left, right);
        if self.carried(left, right).is_some() {
            let help = "cast both sides to a numeric of 19 digits at most, as in numeric(19,4)";
            self.lacks(cte.alias.name.span, "a recursive query over numbers of more than 19 digits", help);
        }
        let sides = (self.columns_of_body(left), self.columns_of_body(right));
        let (Some(first), Some(step), true) = (sides.0, sides.1, self.is(Engine::Redshift)) else { return };
        let is_exact = |column: &Output| column.typed.sql_type.is_some_and(|kind| kind.name() == "numeric");
        let grows =
            |(first, step): (&Output, &Output)| is_exact(step) && step.typed.digits.is_none_or(|digits| Some(digits) > first.typed.digits);
        if first.iter().zip(step).any(grows) {
            let what = "a recursive query whose steps have more digits behind the point than its first rows";
            self.lacks(cte.alias.name.span, what, "cast the number on both sides to one numeric(p,s)");
        }
    }

    /// DuckDB keeps 38 digits of a column that two sides have together, and takes what is too much from behind the point: all sides get all
    /// digits behind it, and numbers that are too long then are an error.
    pub(super) fn keep_digits(&mut self, left: &SetExpr, right: &SetExpr) {
        if !self.is(Engine::DuckDb) {
            return;
        }
        let mut sides = Vec::new();
        if !self.sides_of(left, &mut sides) || !self.sides_of(right, &mut sides) {
            return;
        }
        let width = sides.first().map_or(0, |columns| columns.len());
        for at in 0..width {
            let sizes = sides.iter().map(|columns| columns.get(at).and_then(|column| size(column.typed)));
            let Some(sizes) = sizes.collect::<Option<Vec<_>>>() else { continue };
            let behind = sizes.iter().map(|(_, digits)| *digits).max().unwrap_or_default();
            let loses = sizes.iter().any(|(precision, digits)| precision - digits + behind > MOST_DIGITS);
            if loses && !(self.scale_item(left, at, behind) && self.scale_item(right, at, behind)) {
                let column = sides.first().and_then(|columns| columns.get(at));
                column.into_iter().for_each(|column| self.lacks_digits(column, right));
            }
        }
    }

    /// The columns of all SELECTs of a body; `false` where some are not known.
    fn sides_of(&self, body: &SetExpr, sides: &mut Vec<&'q [Output]>) -> bool {
        match body {
            SetExpr::SetOperation { left, right, .. } => self.sides_of(left, sides) && self.sides_of(right, sides),
            SetExpr::Query(query) if !matches!(&*query.body, SetExpr::Select(_)) => self.sides_of(&query.body, sides),
            other => {
                let columns = self.columns_of_body(other);
                sides.extend(columns);
                columns.is_some()
            }
        }
    }

    /// The rounds of a recursive query have the digits of its first rows.
    fn refuse_lost_digits(&mut self, left: &SetExpr, right: &SetExpr) {
        let (Some(first), Some(second), true) = (self.columns_of_body(left), self.columns_of_body(right), self.is(Engine::DuckDb)) else {
            return;
        };
        for (one, _) in first.iter().zip(second).filter(|(one, other)| loses_digits(one.typed, other.typed)) {
            self.lacks_digits(one, right);
        }
    }

    fn lacks_digits(&mut self, column: &Output, right: &SetExpr) {
        let what = format!("the digits of column '{}', of which one side has more behind the point than fit", column.name);
        self.lacks(sqlparser::ast::Spanned::span(right), &what, "cast both sides to one numeric(p,s)");
    }

    /// Gives an item of all SELECTs of a body so many digits behind the point; `false` where one has no such item.
    fn scale_item(&mut self, body: &SetExpr, at: usize, behind: i32) -> bool {
        match body {
            SetExpr::Query(query) => self.scale_item(&query.body, at, behind),
            SetExpr::SetOperation { left, right, .. } => self.scale_item(left, at, behind) && self.scale_item(right, at, behind),
            SetExpr::Select(select) => {
                let items: Option<Vec<&Expr>> = select.projection.iter().map(item_expression).collect();
                let Some(item) = items.as_ref().and_then(|items| items.get(at)) else { return false };
                let held = self.scaled.entry(std::ptr::from_ref(*item).addr()).or_insert(behind);
                *held = behind.max(*held);
                true
            }
            _ => false,
        }
    }

    /// `None` where Redshift does the same as PostgreSQL.
    pub(super) fn set_by_groups(&mut self, left: &SetExpr, op: SetOperator, all: bool, right: &SetExpr) -> Option<String> {
        if !self.is(Engine::Redshift) || all && op == SetOperator::Union {
            return None;
        }
        let (first, second) = (self.columns_of_body(left), self.columns_of_body(right));
        let has_text =
            |columns: Option<&[Output]>| columns.is_none_or(|columns| columns.iter().any(|column| is_text(column) || is_literal(column)));
        let needed = if all { Rewrite::SetOperationAll } else { Rewrite::TrailingBlanks };
        if !all && !has_text(first) && !has_text(second) || !self.rewrites(needed) {
            return None;
        }
        let (Some(first), Some(second)) = (first, second) else {
            let span = sqlparser::ast::Spanned::span(left);
            return Some(self.lacks(span, &format!("{op} of columns that are not known"), "name the columns and their types").text);
        };
        let texts: Vec<bool> =
            first.iter().zip(second).map(|(one, other)| is_text(one) || is_text(other) || is_literal(one) && is_literal(other)).collect();
        let names: Vec<String> = (1..=texts.len()).map(|number| format!("acca_{number}")).collect();
        let exact = |(name, text): (&String, &bool)| if *text { format!("{name} || '.'") } else { name.clone() };
        let exact: Vec<String> = names.iter().zip(&texts).map(exact).collect();
        let carried = self.carried(left, right).unwrap_or_else(|| vec![Carried::AsItIs; names.len()]);
        let sent: Vec<String> = names.iter().zip(&carried).map(|(name, column)| column.sent(name)).collect();
        let sent = sent.join(", ");
        let copies = if all { format!(", row_number() over (partition by {}) as acca_copy", exact.join(", ")) } else { String::new() };
        let list = names.join(", ");
        let mut sides = Vec::new();
        for (number, side) in [left, right].into_iter().enumerate() {
            sides.push(self.indented(|writer| {
                let line = writer.line();
                let rows = writer.indented(|writer| format!("{}{}", writer.line(), writer.body(side, &[])));
                let tagged = format!("select {sent}{copies}, {} as acca_side", number + 1);
                format!("{line}{tagged}{line}from ({rows}{line}) as acca_rows ({list})")
            }));
        }
        let line = self.line();
        let output = names.iter().zip(&carried).zip(first);
        let output: Vec<String> =
            output.map(|((name, column), output)| format!("{} as {}", column.received(name), print_name(&output.name))).collect();
        let mut keys = names.clone();
        keys.extend(exact.into_iter().filter(|key| !names.contains(key)));
        keys.extend(all.then(|| "acca_copy".to_owned()));
        let condition = match op {
            SetOperator::Except => format!("{line}having max(acca_side) = 1"),
            SetOperator::Intersect => format!("{line}having min(acca_side) = 1 and max(acca_side) = 2"),
            _ => String::new(),
        };
        let union = format!("{line}    union all");
        let (output, keys) = (output.join(", "), keys.join(", "));
        Some(format!("select {output}{line}from ({}{line}) as acca_rows{line}group by {keys}{condition}", sides.join(&union)))
    }

    pub(super) fn columns_of_body(&self, body: &SetExpr) -> Option<&'q [Output]> {
        match body {
            SetExpr::Select(select) => self.columns(select),
            SetExpr::Query(query) => self.columns_of(query).or_else(|| self.columns_of_body(&query.body)),
            SetExpr::SetOperation { left, .. } => self.columns_of_body(left),
            _ => None,
        }
    }

    /// Redshift goes on with all rows of a recursive query, not with new ones only.
    pub(super) fn refuse_recursion_of_new_rows(&mut self, cte: &Cte) {
        let SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, right, .. } = &*cte.query.body else { return };
        let name = cte.alias.name.value.to_lowercase();
        let reads_itself = visit_relations(right, |relation| {
            let same = relation.to_string().trim_matches('"').to_lowercase() == name;
            if same { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if self.is(Engine::Redshift) && *set_quantifier != SetQuantifier::All && reads_itself.is_break() {
            let help = "write UNION ALL, with a condition that ends it";
            self.lacks(cte.alias.name.span, "UNION in a recursive query", help);
        }
    }
}

/// Whether a column of two sides may have more digits than are kept.
enum Wide {
    No,
    /// So many behind the point.
    Digits(i32),
    Unknown,
}

fn wide(one: &Output, other: &Output) -> Wide {
    let kinds = [one, other].map(|column| column.typed.sql_type.map_or("", |kind| kind.name()));
    if !kinds.contains(&"numeric") || !kinds.iter().all(|kind| matches!(*kind, "int2" | "int4" | "int8" | "numeric")) {
        return Wide::No;
    }
    let [Some(first), Some(second)] = [one, other].map(|column| column.typed.digits) else { return Wide::Unknown };
    let behind = first.max(second);
    let before = |column: &Output, digits: i32| {
        let kind = column.typed.sql_type?;
        Some(match kind.name() {
            "int2" => 5,
            "int4" => 10,
            // Numbers of more digits than that are an error.
            "int8" => ROOM,
            _ => kind.precision()? - digits,
        })
    };
    let needed = before(one, first).unwrap_or(ROOM).max(before(other, second).unwrap_or(ROOM));
    if needed + behind > KEPT_DIGITS { Wide::Digits(behind) } else { Wide::No }
}

/// Whether 38 digits are too few for the numbers of both sides.
pub(super) fn loses_digits(one: Typed, other: Typed) -> bool {
    let (Some(one), Some(other)) = (size(one), size(other)) else { return false };
    let behind = one.1.max(other.1);
    [one, other].iter().any(|(precision, digits)| precision - digits + behind > MOST_DIGITS)
}

/// Digits of an exact number, in all and behind the point, that it has at most.
fn size(typed: Typed) -> Option<(i32, i32)> {
    let kind = typed.sql_type?;
    let precision = match kind.name() {
        "int2" => 5,
        "int4" => 10,
        "int8" => 19,
        "numeric" => kind.precision().unwrap_or(MOST_DIGITS),
        _ => return None,
    };
    Some((precision, typed.digits?))
}

pub(super) fn is_text(column: &Output) -> bool {
    column.typed.sql_type.is_none_or(|kind| matches!(kind.name(), "text" | "varchar" | "bpchar"))
}

/// A literal in quotes, which is text beside another one.
fn is_literal(column: &Output) -> bool {
    column.typed.sql_type.is_some_and(|kind| kind.name() == "unknown")
}
