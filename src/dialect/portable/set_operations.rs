//! Set operations on Redshift: it has no `EXCEPT ALL` and `INTERSECT ALL`, and those that it has take texts for equal that differ in blanks at
//! their end. Both sides are put one below the other, and rows that are equal to the last blank are grouped. Exact numbers have 19 digits at
//! most where two sides come together: those that may have more come as text, all with as many digits behind the point.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html>

use std::ops::ControlFlow;
use std::rc::Rc;

use sqlparser::ast::{Cte, Expr, SetExpr, SetOperator, SetQuantifier, Values, visit_relations};

use super::digits::Part;
use super::distinct_on::item_expression;
use super::rewrite::Rewrite;
use super::writer::{Writer, print_name};
use crate::analysis::Output;
use crate::dialect::Engine;

/// Digits that Redshift keeps of a number where two sides come together.
const KEPT_DIGITS: i32 = 19;

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
    /// How each column comes together on Redshift; `None` where all do as they are. Where the sides stand `apart`, as queries of their own, a null
    /// is text.
    fn carried(&mut self, left: &SetExpr, right: &SetExpr, mut apart: bool) -> Option<Vec<Carried>> {
        if !self.is(Engine::Redshift) || !self.rewrites(Rewrite::WideCoalesce) {
            return None;
        }
        let (first, second) = (self.parts_of(left)?, self.parts_of(right)?);
        let mut carried = Vec::new();
        for (at, (one, other)) in first.iter().zip(second.iter()).enumerate() {
            carried.push(match (one, other, one.with(*other)) {
                (Part::Exact(_), Part::Exact(_), Part::Exact(size)) if size.all() > KEPT_DIGITS => Carried::AsText(size.behind),
                (Part::Unknown, Part::Unknown | Part::Exact(_), _) | (Part::Exact(_), Part::Unknown, _) => {
                    let name = self.columns_of_body(left).and_then(|columns| columns.get(at)).map_or("", |column| &*column.name);
                    let what = format!("a set operation over '{name}', of which nobody knows how many digits it has behind the point");
                    self.lacks(sqlparser::ast::Spanned::span(right), &what, "cast both sides to one numeric(p,s)");
                    Carried::AsItIs
                }
                _ => Carried::AsItIs,
            });
        }
        apart |= carried.iter().any(|column| *column != Carried::AsItIs);
        let columns = [left, right].map(|side| self.columns_of_body(side));
        let is_numeric = |at: usize| columns.iter().any(|columns| columns.and_then(|columns| columns.get(at)).is_some_and(is_numeric));
        for (at, ((one, other), column)) in first.iter().zip(second.iter()).zip(&mut carried).enumerate() {
            if let (Part::Null, Part::Exact(size)) | (Part::Exact(size), Part::Null) = (one, other)
                && apart
                && is_numeric(at)
            {
                *column = Carried::AsText(size.behind);
            }
        }
        carried.iter().any(|column| *column != Carried::AsItIs).then_some(carried)
    }

    /// What is known of each column of a body from all of its SELECTs; `None` where some are not known.
    fn parts_of(&mut self, body: &SetExpr) -> Option<Rc<[Part]>> {
        match body {
            SetExpr::Query(query) => self.parts_of(&query.body),
            SetExpr::SetOperation { left, right, .. } => {
                let place = std::ptr::from_ref(&**left).addr();
                if let Some(held) = self.united.get(&place) {
                    return held.clone();
                }
                let sides = stacker::maybe_grow(128 * 1024, 1024 * 1024, || self.parts_of(left).zip(self.parts_of(right)));
                let united = sides.map(|(first, second)| first.iter().zip(second.iter()).map(|(one, other)| one.with(*other)).collect());
                self.united.insert(place, united.clone());
                united
            }
            SetExpr::Select(select) => {
                let columns = self.columns(select)?;
                let items: Option<Vec<&Expr>> = select.projection.iter().map(item_expression).collect();
                Some(match items {
                    Some(items) => items.into_iter().map(|item| self.part_of(item)).collect(),
                    None => columns.iter().map(|column| self.part_of_column(column.typed)).collect(),
                })
            }
            SetExpr::Values(values) => {
                let width = values.rows.first()?.content.len();
                let cells = |at: usize| values.rows.iter().filter_map(move |row| row.content.get(at));
                Some((0..width).map(|at| cells(at).fold(Part::Null, |all, cell| all.with(self.part_of(cell)))).collect())
            }
            _ => None,
        }
    }

    /// `None` where no number has more digits than Redshift keeps.
    pub(super) fn set_of_wide_numbers(&mut self, left: &SetExpr, word: &str, right: &SetExpr) -> Option<String> {
        let carried = self.carried(left, right, false)?;
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
            let cells = values.rows.iter().filter_map(|row| row.content.get(at)).map(|cell| self.part_of(cell));
            match cells.fold(Part::Null, Part::with) {
                Part::Exact(size) if size.all() > KEPT_DIGITS => Some(size.behind),
                _ => None,
            }
        };
        (0..width).map(carried).collect()
    }

    /// The rounds of a recursive query come together in one form only, that of its first rows.
    pub(super) fn refuse_recursion_of_wide_numbers(&mut self, cte: &Cte) {
        let SetExpr::SetOperation { left, right, .. } = &*cte.query.body else { return };
        if self.is(Engine::Postgres) {
            return;
        }
        if self.carried(left, right, false).is_some() {
            let help = "cast both sides to a numeric of 19 digits at most, as in numeric(19,4)";
            self.lacks(cte.alias.name.span, "a recursive query over numbers of more than 19 digits", help);
        }
        let (Some(first), Some(step)) = (self.parts_of(left), self.parts_of(right)) else { return };
        let columns = self.columns_of(&cte.query);
        for (at, (first, step)) in first.iter().zip(step.iter()).enumerate() {
            let grows = match (first, step) {
                (Part::Exact(first), Part::Exact(step)) => step.behind > first.behind,
                (Part::Exact(_), Part::Unknown) => true,
                _ => false,
            };
            if grows {
                let what = "a recursive query whose steps have more digits behind the point than its first rows";
                self.lacks(cte.alias.name.span, what, "cast the number on both sides to one numeric(p,s)");
            }
            // A number that is written has no more room than it needs.
            if let (Part::Exact(size), true, true) = (first, self.is(Engine::DuckDb), is_unsized(columns, at)) {
                self.scale_item(left, at, size.behind);
            }
        }
    }

    /// All sides get all digits behind the point, and numbers that are too long then are an error.
    pub(super) fn keep_digits(&mut self, left: &SetExpr, right: &SetExpr) {
        if !self.is(Engine::DuckDb) {
            return;
        }
        let (Some(first), Some(second)) = (self.parts_of(left), self.parts_of(right)) else { return };
        for (at, (one, other)) in first.iter().zip(second.iter()).enumerate() {
            let Some(behind) = one.with(*other).lost() else { continue };
            let [first, second] = [left, right].map(|side| self.scale_item(side, at, behind));
            if !(first && second) {
                let name = self.columns_of_body(left).and_then(|columns| columns.get(at)).map_or("", |column| &*column.name);
                let what = format!("the digits of column '{name}', of which one side has more behind the point than fit");
                self.lacks(sqlparser::ast::Spanned::span(right), &what, "cast both sides to one numeric(p,s)");
            }
        }
    }

    /// Gives an item of all SELECTs of a body so many digits behind the point; `false` where one has no such item.
    pub(super) fn scale_item(&mut self, body: &SetExpr, at: usize, behind: i32) -> bool {
        match body {
            SetExpr::Query(query) => self.scale_item(&query.body, at, behind),
            SetExpr::SetOperation { left, right, .. } => {
                let [first, second] = [left, right].map(|side| self.scale_item(side, at, behind));
                first && second
            }
            SetExpr::Select(select) => {
                let items: Option<Vec<&Expr>> = select.projection.iter().map(item_expression).collect();
                let Some(item) = items.as_ref().and_then(|items| items.get(at)) else { return false };
                self.scale(item, behind);
                true
            }
            SetExpr::Values(values) => {
                let cells = values.rows.iter().filter_map(|row| row.content.get(at));
                cells.for_each(|cell| self.scale(cell, behind));
                true
            }
            _ => false,
        }
    }

    fn scale(&mut self, value: &Expr, behind: i32) {
        let held = self.scaled.entry(std::ptr::from_ref(value).addr()).or_insert(behind);
        *held = behind.max(*held);
    }

    /// `None` where Redshift does the same as PostgreSQL.
    pub(super) fn set_by_groups(&mut self, left: &SetExpr, op: SetOperator, all: bool, right: &SetExpr) -> Option<String> {
        if !self.is(Engine::Redshift) || all && op == SetOperator::Union {
            return None;
        }
        let (first, second) = (self.columns_of_body(left), self.columns_of_body(right));
        let are_text = |(one, other): (&Output, &Output)| is_text(one) || is_text(other) || is_literal(one) && is_literal(other);
        let texts = first.zip(second).map(|(first, second)| first.iter().zip(second).map(are_text).collect::<Vec<bool>>());
        let needed = if all { Rewrite::SetOperationAll } else { Rewrite::TrailingBlanks };
        if !all && texts.as_ref().is_some_and(|texts| !texts.contains(&true)) || !self.rewrites(needed) {
            return None;
        }
        let (Some(first), Some(texts)) = (first, texts) else {
            let span = sqlparser::ast::Spanned::span(left);
            return Some(self.lacks(span, &format!("{op} of columns that are not known"), "name the columns and their types").text);
        };
        let names: Vec<String> = (1..=texts.len()).map(|number| format!("acca_{number}")).collect();
        let exact = |(name, text): (&String, &bool)| if *text { format!("{name} || '.'") } else { name.clone() };
        let exact: Vec<String> = names.iter().zip(&texts).map(exact).collect();
        let carried = self.carried(left, right, true).unwrap_or_else(|| vec![Carried::AsItIs; names.len()]);
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
            SetExpr::SetOperation { .. } | SetExpr::Values(_) => self.types.columns_of_set(body),
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

fn is_numeric(column: &Output) -> bool {
    column.typed.sql_type.is_some_and(|kind| kind.name() == "numeric")
}

/// Whether a column is an exact number of any size.
fn is_unsized(columns: Option<&[Output]>, at: usize) -> bool {
    let column = columns.and_then(|columns| columns.get(at)).filter(|column| is_numeric(column));
    column.is_some_and(|column| column.typed.sql_type.is_none_or(|kind| kind.precision().is_none()))
}

pub(super) fn is_text(column: &Output) -> bool {
    column.typed.sql_type.is_none_or(|kind| matches!(kind.name(), "text" | "varchar" | "bpchar"))
}

/// A literal in quotes, which is text beside another one.
fn is_literal(column: &Output) -> bool {
    column.typed.sql_type.is_some_and(|kind| kind.name() == "unknown")
}
