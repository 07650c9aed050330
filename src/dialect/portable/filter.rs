//! `FILTER (WHERE …)`, which Redshift does not have: what does not count becomes null, which aggregates leave out.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html>

use sqlparser::ast::Function;

use super::rewrite::Rewrite;
use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    /// What is aggregated and what follows the call, for an aggregate with a filter. `*` counts rows.
    pub(super) fn filtered(&mut self, call: &Function, argument: String) -> (String, String) {
        let Some(filter) = &call.filter else { return (argument, String::new()) };
        let condition = self.expression(filter).text;
        if self.is(Engine::Redshift) && self.rewrites(Rewrite::Filter) {
            let counted = if argument == "*" { "1" } else { &argument };
            (format!("case when {condition} then {counted} end"), String::new())
        } else {
            (argument, format!(" filter (where {condition})"))
        }
    }
}
