//! Names that differ in case only: two in PostgreSQL, and one elsewhere, even in quotes.
//!
//! - <https://duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>

use std::collections::BTreeMap;

use sqlparser::ast::{Expr, Ident, ObjectName, Select, SelectItem, Spanned, TableFactor};
use sqlparser::tokenizer::Span;

use super::collation::output_expression;
use super::walk::factors;
use super::writer::{Writer, lowered};
use crate::dialect::Engine;

/// Names that can be read where a query is being written.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Of queries of WITH.
    queries: Vec<String>,
    /// Of entries of FROM.
    entries: Vec<String>,
}

/// How many there are.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize, usize);

impl Writer<'_> {
    /// Whether names may differ in case only. Without a capital in quotes, here or in what is read, there are none.
    pub(super) fn tells_case(&self) -> bool {
        self.has_capitals && !self.is(Engine::Postgres)
    }

    pub(super) fn mark_names(&self) -> Mark {
        Mark(self.open.queries.len(), self.open.entries.len())
    }

    /// What was opened since is not read any more.
    pub(super) fn close_names(&mut self, mark: Mark) {
        self.open.queries.truncate(mark.0);
        self.open.entries.truncate(mark.1);
    }

    /// From here on this query of WITH can be read.
    pub(super) fn open_query(&mut self, name: &Ident) {
        if self.tells_case() {
            let named = lowered(name).into_owned();
            self.refuse_alike(|open| &open.queries, &named, "two queries whose names", name.span);
            self.open.queries.push(named);
        }
    }

    /// A relation of no schema might be taken for a query of WITH.
    pub(super) fn refuse_query_alike(&mut self, name: &ObjectName) {
        if let ([part], true) = (name.0.as_slice(), self.tells_case())
            && let Some(name) = part.as_ident()
        {
            let named = lowered(name).into_owned();
            if !self.open.queries.contains(&named) {
                self.refuse_alike(|open| &open.queries, &named, "a relation and a query whose names", name.span);
            }
        }
    }

    /// From here on the columns of the entries of FROM can be read by their names.
    pub(super) fn open_entries(&mut self, select: &Select) {
        if !self.tells_case() {
            return;
        }
        for factor in factors(select) {
            let (TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. }) = factor
            else {
                let TableFactor::Table { name, .. } = factor else { continue };
                name.0.last().and_then(|part| part.as_ident()).into_iter().for_each(|name| self.open_entry(name));
                continue;
            };
            self.open_entry(&alias.name);
        }
    }

    fn open_entry(&mut self, name: &Ident) {
        let named = lowered(name).into_owned();
        self.refuse_alike(|open| &open.entries, &named, "two entries of FROM whose names", name.span);
        self.open.entries.push(named);
    }

    pub(super) fn refuse_columns_alike(&mut self, select: &Select) {
        if !self.tells_case() {
            return;
        }
        let Some(columns) = self.columns(select).filter(|columns| columns.iter().any(|column| has_capitals(&column.name))) else { return };
        let mut names = BTreeMap::new();
        for column in columns {
            let held = names.insert(self.caseless(&column.name), &column.name);
            if let Some(held) = held.filter(|held| **held != column.name) {
                let what = format!("two columns whose names differ in case only, '{held}' and '{}'", column.name);
                let span = select.projection.first().map_or_else(Span::empty, Spanned::span);
                self.lacks(span, &what, "give one of them another name");
            }
        }
    }

    /// A key by a name that others take for that of another column: DuckDB and Redshift look at the columns of FROM and of the list without regard to case.
    pub(super) fn refuse_key_alike(&mut self, key: &Expr, select: &Select, is_group: bool) {
        let (Expr::Identifier(name), true) = (key, self.tells_case()) else { return };
        let named = lowered(name);
        let of_list = |item: &SelectItem| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(lowered(alias).into_owned()),
            _ => None,
        };
        let mut given = select.projection.iter().filter_map(of_list);
        let clause = if is_group { "GROUP BY" } else { "ORDER BY" };
        if let Some(other) = given.clone().find(|given| *given != *named && self.caseless(given) == self.caseless(&named)) {
            let what = format!("{clause} '{named}' beside a column '{other}' of the list");
            self.lacks(name.span, &what, "write the entry of FROM before it, as in t.id, or the number of the column of the list");
        } else if is_group && has_capitals(&named) && given.any(|given| given == *named) && !is_itself(select, key) {
            let what = format!("GROUP BY '{named}', which may be a column of FROM without regard to case,");
            self.lacks(name.span, &what, "write the number of the column of the list, as in group by 1");
        }
    }

    fn refuse_alike(&mut self, held: fn(&Open) -> &Vec<String>, name: &str, what: &str, span: Span) {
        let caseless = self.caseless(name);
        if let Some(held) = held(&self.open).iter().find(|held| *held != name && self.caseless(held) == caseless) {
            let what = format!("{what} differ in case only, '{held}' and '{name}'");
            self.lacks(span, &what, "give one of them another name");
        }
    }

    /// DuckDB tells letters beyond ASCII apart; of Redshift nobody says it.
    fn caseless(&self, name: &str) -> String {
        if self.is(Engine::DuckDb) { name.to_ascii_lowercase() } else { name.to_lowercase() }
    }
}

/// Whether a key names an item that is a column of that very name.
fn is_itself(select: &Select, key: &Expr) -> bool {
    let last = |expression: &Expr| match expression {
        Expr::Identifier(name) => Some(lowered(name).into_owned()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| lowered(name).into_owned()),
        _ => None,
    };
    output_expression(select, key).is_some_and(|behind| last(behind).is_some() && last(behind) == last(key))
}

fn has_capitals(name: &str) -> bool {
    name.chars().any(char::is_uppercase)
}
