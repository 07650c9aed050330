//! Portable queries: written in PostgreSQL's SQL, printed for each engine from the typed tree so that the rows are the same.
//!
//! The printer ([`query`], [`expression`], [`calls`]) writes every node of the tree anew. What it does not know is refused, never
//! passed through; so are functions, operators and types that are not on the lists ([`functions`], [`type_names`]).
//!
//! To add a rewrite:
//! 1. a variant of [`Rewrite`] with its name and the facts it is for (`rewrite.rs`);
//! 2. a file of its own, with a link to what the engine's vendor says in its doc comment, and in it a method of [`Writer`] that
//!    gives [`Sql`]: it asks `self.type_of(expression)`, lowers the parts with `self.expression(part)`, and returns the text for
//!    `self.engine`, or `self.refuse(span, what, help)`;
//! 3. call it from `expression.rs` (an operator or a form of the grammar), from the list in `functions.rs` (a function), or from
//!    `query.rs` and `from.rs` (a clause), behind `self.rewrites(Rewrite::…)`: tests switch a rewrite off there, to see that it is needed;
//! 4. a query over the trap data in `tests/compiler/portable/<family>.sql`, which every engine must answer alike, and which must
//!    fail on the engines it names when the rewrite is off;
//! 5. `UPDATE_DOCS=1 cargo nextest run portable` writes `docs/portable.md` from the table.

mod ages;
mod aggregates;
mod aliases;
mod alike;
mod average;
mod calls;
mod casts;
mod certainty;
mod choice;
mod collation;
mod comparisons;
mod dates;
mod differences;
mod digest;
mod digits;
mod distinct_on;
mod division;
mod durations;
mod expression;
mod filter;
mod formats;
mod from;
mod functions;
mod groups;
mod guards;
mod integers;
mod intervals;
mod json;
mod lateral;
mod lateral_columns;
mod lateral_keys;
mod letters;
mod levels;
mod lists;
mod literals;
mod lookups;
mod null_order;
mod number_formats;
mod numbers;
mod overflow;
mod padded;
mod patterns;
mod products;
mod query;
mod regular;
mod remainders;
mod rewrite;
mod rows;
mod scales;
mod series;
mod set_operations;
mod similar;
mod strings;
mod trim;
mod turns;
mod type_names;
mod typed_literals;
mod using;
mod uuid;
mod walk;
mod widths;
mod windows;
mod writer;

pub use rewrite::{Rewrite, Way, ways};

use sqlparser::ast::Spanned;

use self::writer::Writer;
use super::Engine;
use crate::analysis::{Finding, Lowered, Lowering, TypedQuery};

/// The differences between engines that a query can meet: number and subject.
pub fn differences() -> &'static [(u16, &'static str)] {
    differences::DIFFERENCES
}

/// A query for whether the database knows the case of letters beyond ASCII; `None` where an engine always does.
pub fn knows_letters(engine: Engine) -> Option<&'static str> {
    (engine == Engine::Postgres).then_some("select upper('\u{e9}i') = '\u{c9}I'")
}

/// The functions that portable queries may call, and whether PostgreSQL, DuckDB and Redshift have them.
pub fn functions() -> impl Iterator<Item = (&'static str, [bool; 3])> {
    functions::names()
}

/// Rewrites portable queries for an engine.
pub struct Rewriter {
    engine: Engine,
    /// A test sees what becomes of a query without this one.
    without: Option<Rewrite>,
}

impl Rewriter {
    pub fn new(engine: Engine) -> Rewriter {
        Rewriter { engine, without: None }
    }

    pub fn without(engine: Engine, rewrite: Rewrite) -> Rewriter {
        Rewriter { engine, without: Some(rewrite) }
    }
}

impl Lowering for Rewriter {
    fn lower(&self, query: &TypedQuery<'_>) -> Result<Option<Lowered>, Vec<Finding>> {
        let mut writer = Writer::new(query, self.engine, self.without);
        let text = writer.query(query.query);
        writer.refuse_padded_rows(query.types.columns_of_query(query.query), || Spanned::span(query.query));
        writer.refuse_correlations(query.query);
        writer.finish(&text)
    }

    fn tells_blanks_apart(&self) -> bool {
        self.engine != Engine::Redshift
    }

    fn foreign(&self, sql: &str) -> Vec<Finding> {
        match self.engine {
            Engine::Redshift => super::validator::foreign(sql),
            Engine::DuckDb | Engine::Postgres => Vec::new(),
        }
    }
}
