//! The one order that all lists of a SELECT must have on Redshift.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html>

use sqlparser::tokenizer::Span;

use super::writer::{Writer, unmarked};
use crate::dialect::Engine;

impl Writer<'_> {
    /// Refuses a second order within groups in a SELECT.
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
}
