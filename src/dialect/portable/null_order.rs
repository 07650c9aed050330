//! Where nulls stand: PostgreSQL and Redshift put them last going up and first going down, DuckDB last in both.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_ORDER_BY_clause.html>
//! - <https://duckdb.org/docs/stable/sql/query_syntax/orderby>

use sqlparser::ast::{OrderByExpr, OrderBySort};

use super::rewrite::Rewrite;
use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    /// A key by which rows are ordered.
    pub(super) fn order_key(&mut self, key: &OrderByExpr) -> String {
        let written = self.expression(&key.expr).text;
        let falls = match &key.options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(other) => {
                let what = format!("the order {other:?}");
                self.lacks(super::writer::span_of(&key.expr), &what, "order by an expression with ASC or DESC");
                false
            }
        };
        let direction = if falls { " desc" } else { "" };
        let nulls = match key.options.nulls_first {
            Some(first) => Some(first),
            None if self.is(Engine::DuckDb) && self.rewrites(Rewrite::NullOrder) => Some(falls),
            None => None,
        };
        let nulls = nulls.map_or("", |first| if first { " nulls first" } else { " nulls last" });
        format!("{written}{direction}{nulls}")
    }

    pub(super) fn order_keys(&mut self, keys: &[OrderByExpr]) -> String {
        keys.iter().map(|key| self.order_key(key)).collect::<Vec<_>>().join(", ")
    }
}
