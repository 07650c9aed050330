//! The order of text. DuckDB and Redshift compare bytes; PostgreSQL asks the locale of the database, unless it is told `COLLATE "C"`.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_collation_sequences.html>
//! - <https://www.postgresql.org/docs/15/collation.html>

use sqlparser::ast::{Expr, Select, SelectItem, SetExpr};

use super::distinct_on::item_expression;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, lowered};
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn is_text(&self, expression: &Expr) -> bool {
        matches!(self.type_name(expression), "text" | "varchar")
    }

    /// What was found by its bytes is text as any other again: `lower` of it, and a column made of it, would know letters of ASCII only.
    pub(super) fn plain_letters(&mut self, found: Sql) -> Sql {
        if self.is(Engine::Postgres) && self.rewrites(Rewrite::Collation) {
            return Sql::loose(format!("{} collate \"default\"", found.text));
        }
        found
    }

    /// Whether more has to be written where text is ordered: PostgreSQL asks a locale, and on Redshift blanks at the end do not count.
    pub(super) fn pins_order(&mut self) -> bool {
        match self.target() {
            Engine::Postgres => self.rewrites(Rewrite::Collation),
            Engine::Redshift => self.rewrites(Rewrite::TrailingBlanks),
            Engine::DuckDb => false,
        }
    }

    /// The same behind a column that only has a name.
    pub(super) fn order_suffix(&self) -> &'static str {
        match self.engine {
            Engine::Postgres => " collate \"C\"",
            Engine::Redshift => " || chr(1)",
            Engine::DuckDb => "",
        }
    }

    /// An expression that is compared or ordered by: text by its bytes.
    pub(super) fn ordered_text(&mut self, expression: &Expr) -> String {
        let is_text = self.is_text(expression);
        let written = self.expression(expression);
        if !is_text {
            return written.text;
        }
        match self.target() {
            Engine::Postgres if self.pins_order() => format!("{} collate \"C\"", written.part()),
            // Before all characters that a text may have, so that of two the shorter one stays first.
            Engine::Redshift if self.pins_order() => format!("{} || chr(1)", written.part()),
            _ => written.text,
        }
    }

    /// A key by which the rows of a SELECT are ordered. A name or a number of a column of text gives way to the expression
    /// behind it: only that can be given an order.
    pub(super) fn ordered_key(&mut self, key: &Expr, select: Option<&Select>) -> String {
        if let Some(name) = select.and_then(|select| self.name_around(select, key)) {
            return name;
        }
        // A column that the SELECT gives comes before one of FROM, for which something else may be written.
        let is_merged = matches!(key, Expr::Identifier(name) if self.merged_column(std::slice::from_ref(name)).is_some());
        if !self.is_text(key) && (is_merged || self.is_outside()) && select.is_some_and(|select| output_expression(select, key).is_some()) {
            return if let Expr::Identifier(name) = key { self.name(name) } else { key.to_string() };
        }
        if !self.is(Engine::DuckDb) && self.is_text(key) {
            if let Some(behind) = select.and_then(|select| output_expression(select, key)) {
                return self.ordered_text(behind);
            }
            if whole_number(key).is_some() {
                return self.expression(key).text;
            }
        }
        self.ordered_text(key)
    }

    /// Whether rows are ordered by text where no expression may stand: they come from a set operation, or are made distinct.
    pub(super) fn orders_outside(&self, body: &SetExpr, keys: &[&Expr]) -> bool {
        let bare = match body {
            SetExpr::Select(select) => matches!(select.distinct, Some(sqlparser::ast::Distinct::Distinct)),
            _ => true,
        };
        !self.is(Engine::DuckDb) && bare && keys.iter().any(|key| self.is_text(key))
    }
}

impl Writer<'_> {
    /// What a key of GROUP BY stands for: a name is first of all that of a column that is read, then that of a column of the list.
    pub(super) fn grouped_by<'s>(&self, select: &'s Select, key: &'s Expr) -> &'s Expr {
        let is_read = matches!(key, Expr::Identifier(_)) && self.type_of(key).is_some();
        output_expression(select, key).filter(|_| !is_read).unwrap_or(key)
    }
}

/// What stands behind a column of the output that is named by its alias or its number.
pub(super) fn output_expression<'s>(select: &'s Select, key: &Expr) -> Option<&'s Expr> {
    if let Some(number) = whole_number(key) {
        let starred = select.projection.iter().any(|item| item_expression(item).is_none());
        return select.projection.get(usize::try_from(number).ok()?.checked_sub(1)?).filter(|_| !starred).and_then(item_expression);
    }
    let Expr::Identifier(name) = key else { return None };
    let named = lowered(name);
    select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if lowered(alias) == named => Some(expr),
        SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(parts)) if parts.last().is_some_and(|last| lowered(last) == named) => {
            Some(expr)
        }
        SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => None,
        SelectItem::UnnamedExpr(expr) if crate::analysis::output_name(expr) == *named => Some(expr),
        _ => None,
    })
}
