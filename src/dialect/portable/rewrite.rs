//! The rewrites by name, and which differences between engines each is for.

use crate::dialect::Engine;

/// One rewrite. Its name stands in tests and in `docs/portable.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rewrite {
    Average,
    Division,
    Filter,
    NullOrder,
}

/// What is done about a difference, and on which engines.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub rewrite: Rewrite,
    pub name: &'static str,
    /// Numbers of the differences that it is for.
    pub facts: &'static [u16],
    pub engines: &'static [Engine],
    /// What is written, in a few words.
    pub about: &'static str,
}

use Engine::{DuckDb, Postgres, Redshift};

const WAYS: &[Way] = &[
    Way {
        rewrite: Rewrite::Average,
        name: "average",
        facts: &[40, 41],
        engines: &[Postgres, DuckDb, Redshift],
        about: "the average of exact numbers is their exact sum divided by their count, with 16 digits behind the point",
    },
    Way {
        rewrite: Rewrite::Division,
        name: "division",
        facts: &[36, 37, 38],
        engines: &[Postgres, DuckDb, Redshift],
        about: "integers are divided without a fraction, exact numbers exactly to 16 digits behind the point, and division by zero is an error",
    },
    Way {
        rewrite: Rewrite::Filter,
        name: "filter",
        facts: &[109],
        engines: &[Redshift],
        about: "FILTER becomes a CASE around what is aggregated",
    },
    Way {
        rewrite: Rewrite::NullOrder,
        name: "null-order",
        facts: &[123],
        engines: &[DuckDb],
        about: "NULLS FIRST or NULLS LAST is written wherever rows are ordered",
    },
];

/// All rewrites.
pub fn ways() -> &'static [Way] {
    WAYS
}

impl Rewrite {
    pub fn named(name: &str) -> Option<Rewrite> {
        WAYS.iter().find(|way| way.name == name).map(|way| way.rewrite)
    }
}
