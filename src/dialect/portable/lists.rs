//! What lists and percentiles ask of a query on Redshift: one order for all in a SELECT, and a table, since only the nodes that hold
//! tables have them.
//!
//! <https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html>

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Visit, Visitor};
use sqlparser::tokenizer::Span;

use super::writer::{Writer, unmarked};
use crate::dialect::Engine;

impl Writer<'_> {
    /// Refuses a second order within groups in a SELECT, and aggregates of constants.
    pub(super) fn one_order(&mut self, order: &str, span: Span) {
        if !self.is(Engine::Redshift) {
            return;
        }
        if !self.reads_a_table() {
            let help = "put the rows into a seed or a model of their own";
            self.lacks(span, "this aggregate in a query that reads no table", help);
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

/// Whether a query reads something that it does not make itself.
pub(super) fn reads_a_table(query: &Query) -> bool {
    let mut relations = Relations::default();
    let _ = query.visit(&mut relations);
    relations.read.iter().any(|name| !relations.made.contains(name))
}

#[derive(Default)]
struct Relations {
    read: BTreeSet<String>,
    made: BTreeSet<String>,
}

impl Visitor for Relations {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.read.insert(relation.to_string().to_lowercase());
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.made.extend(tables.map(|table| table.alias.name.to_string().to_lowercase()));
        ControlFlow::Continue(())
    }
}
