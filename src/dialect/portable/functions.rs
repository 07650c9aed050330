//! Functions that portable queries may call, and what each engine writes for them. What is not here is refused.

use super::calls::Call;
use super::writer::{Sql, Writer};
use crate::dialect::Engine;

/// What an engine writes for a function.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// The same name, the same meaning.
    Same,
    By(fn(&mut Writer<'_>, &Call<'_>) -> Sql),
    /// Nothing that means the same; the usual way out.
    Not(&'static str),
}

pub(super) struct Entry {
    pub name: &'static str,
    postgres: How,
    duckdb: How,
    redshift: How,
}

impl Entry {
    pub(super) fn how(&self, engine: Engine) -> How {
        match engine {
            Engine::Postgres => self.postgres,
            Engine::DuckDb => self.duckdb,
            Engine::Redshift => self.redshift,
        }
    }
}

use How::{By, Not, Same};

const fn same(name: &'static str) -> Entry {
    Entry { name, postgres: Same, duckdb: Same, redshift: Same }
}

const fn by(name: &'static str, write: fn(&mut Writer<'_>, &Call<'_>) -> Sql) -> Entry {
    Entry { name, postgres: By(write), duckdb: By(write), redshift: By(write) }
}

const FUNCTIONS: &[Entry] = &[
    same("abs"),
    by("avg", |writer, call| writer.average(call)),
    same("bool_and"),
    same("bool_or"),
    same("coalesce"),
    same("count"),
    same("dense_rank"),
    same("first_value"),
    same("greatest"),
    same("lag"),
    same("last_value"),
    same("lead"),
    same("least"),
    same("lower"),
    same("max"),
    same("min"),
    Entry { name: "now", postgres: Same, duckdb: Same, redshift: Not("take the moment from a column, or from the run's variables") },
    same("ntile"),
    same("nullif"),
    same("rank"),
    same("row_number"),
    same("sum"),
    same("upper"),
];

/// Aggregates take DISTINCT, FILTER and an order.
const AGGREGATES: &[&str] = &["avg", "bool_and", "bool_or", "count", "max", "min", "sum"];

/// Of which rows of the window it is, the frame says.
const FRAMED: &[&str] = &["first_value", "last_value", "nth_value"];

pub(super) fn find(name: &str) -> Option<&'static Entry> {
    FUNCTIONS.iter().find(|entry| entry.name == name)
}

pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

pub(super) fn is_framed(name: &str) -> bool {
    is_aggregate(name) || FRAMED.contains(&name)
}

/// What is usually written in place of a function that is not on the list.
pub(super) fn way_out(_: &str) -> &'static str {
    "use a function that docs/portable.md lists"
}
