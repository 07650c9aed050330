//! Where nulls stand: PostgreSQL and Redshift put them last going up and first going down, DuckDB last in both.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_ORDER_BY_clause.html>
//! - <https://duckdb.org/docs/stable/sql/query_syntax/orderby>

use sqlparser::ast::{OrderByExpr, OrderBySort, Select};

use super::collation::output_expression;
use super::rewrite::Rewrite;
use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    /// A key by which rows are ordered.
    fn order_key(&mut self, key: &OrderByExpr, select: Option<&Select>) -> String {
        select.into_iter().for_each(|select| self.refuse_key_alike(&key.expr, select, false));
        let written = self.ordered_key(&key.expr, select);
        self.directed(key, written)
    }

    /// Keys of a window inside of a SELECT, which sees neither the names nor the numbers of what the SELECT gives.
    pub(super) fn inner_order_keys(&mut self, keys: &[OrderByExpr], select: &Select) -> String {
        let key = |writer: &mut Self, key: &OrderByExpr| {
            let written = writer.ordered_text(output_expression(select, &key.expr).unwrap_or(&key.expr));
            writer.directed(key, written)
        };
        keys.iter().map(|held| key(self, held)).collect::<Vec<_>>().join(", ")
    }

    /// A key of a window, and how rows are ordered by it.
    pub(super) fn order_key_in_parts(&mut self, key: &OrderByExpr) -> (String, String) {
        (self.ordered_key(&key.expr, None), self.direction(key))
    }

    fn directed(&mut self, key: &OrderByExpr, written: String) -> String {
        format!("{written}{}", self.direction(key))
    }

    pub(super) fn direction(&mut self, key: &OrderByExpr) -> String {
        self.refuse_json_key(&key.expr);
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
        format!("{direction}{nulls}")
    }

    pub(super) fn order_keys(&mut self, keys: &[OrderByExpr]) -> String {
        self.order_keys_of(keys, None)
    }

    /// Keys that may name columns which the SELECT gives.
    pub(super) fn order_keys_of(&mut self, keys: &[OrderByExpr], select: Option<&Select>) -> String {
        keys.iter().map(|key| self.order_key(key, select)).collect::<Vec<_>>().join(", ")
    }
}
