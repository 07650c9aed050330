//! `string_agg(distinct …)`, and the one order that all lists of a SELECT must have on Redshift.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html>
//! - <https://duckdb.org/docs/stable/sql/functions/aggregates>

use sqlparser::ast::Expr;
use sqlparser::tokenizer::Span;

use super::calls::Call;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of, unmarked};
use crate::dialect::Engine;

impl Writer<'_> {
    /// In the order of the values: PostgreSQL takes no other, and goes by it where none is written. On Redshift a character that no text has
    /// stands behind each, so that blanks at the end count and an empty string is one.
    pub(super) fn distinct_list(&mut self, call: &Call<'_>, value: &Expr, delimiter: &str) -> Sql {
        let delimiter = self.text(delimiter);
        let written = match self.target() {
            // What is ordered has to be what is aggregated, and that is text.
            Engine::Postgres if self.pins_order() => format!("cast({} as text) collate \"C\"", self.expression(value).text),
            _ => self.ordered_text(value),
        };
        let options = match call.order_by {
            [] => String::new(),
            [key] if key.expr.to_string() == value.to_string() => key.options.to_string().to_lowercase(),
            _ => {
                let help = "order by the value, or aggregate over a SELECT DISTINCT";
                return self.refuse(call.span, "distinct strings have no other order than their own", help);
            }
        };
        if !self.is(Engine::Redshift) {
            let (argument, filter) = self.filtered(call.function, written.clone());
            let nulls = if options.contains("nulls") { "" } else { " nulls last" };
            return Sql::atom(format!("string_agg(distinct {argument}, {delimiter} order by {written}{options}{nulls}){filter}"));
        }
        if !self.rewrites(Rewrite::StringAggregate) {
            let plain = self.expression(value).text;
            return Sql::atom(format!("listagg(distinct {plain}, {delimiter}) within group (order by {plain}{options})"));
        }
        let (argument, filter) = self.filtered(call.function, written.clone());
        let order = format!("{written}{options}");
        self.one_order(&order, call.span);
        Sql::atom(format!("replace(listagg(distinct {argument}, {delimiter}) within group (order by {order}){filter}, chr(1), '')"))
    }

    /// Redshift takes one order within groups in a SELECT.
    pub(super) fn one_order(&mut self, order: &str, span: Span) {
        if !self.is(Engine::Redshift) {
            return;
        }
        let Some(sources) = self.sources.last_mut() else { return };
        let order = unmarked(order).sql;
        let other = sources.order_within_groups.get_or_insert_with(|| order.clone());
        if *other != order {
            let help = "aggregate in one query for each order, and join them";
            self.lacks(span, "aggregates of a SELECT in different orders", help);
        }
    }

    /// A delimiter, where it is a literal.
    pub(super) fn delimiter<'e>(&mut self, delimiter: &'e Expr) -> Option<&'e str> {
        let text = super::literals::plain_text(delimiter);
        if text.is_none() {
            self.refuse(span_of(delimiter), "the delimiter is to be a literal", "write the delimiter as a literal");
        }
        text
    }
}
