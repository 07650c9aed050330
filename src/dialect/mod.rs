//! Floor 6: prints exact SQL for each engine from typed structs. Pure functions; nothing here runs a statement.

mod alter;
mod attributes;
mod catalog;
mod claims;
mod column_type;
mod contract;
mod correlated;
mod freshness;
mod lease;
pub mod load;
mod partitions;
pub mod portable;
mod publication;
mod redshift;
mod snapshot;
mod steps;
pub mod transfer;
mod unit_test;
mod unload;
mod validator;

pub use alter::indexes_in_the_way;
pub use attributes::{grant, has_privileges};
pub use catalog::catalog_query;
pub use claims::{Claim, ClaimAnswer, ClaimBucket, claims};
pub use column_type::ColumnType;
pub use contract::{Support, declared_type, loses_its_fraction, same_type, support, trusts_keys};
pub use freshness::{newest_of_field, newest_of_query};
pub use lease::take_leases;
pub use partitions::free_the_rest;
pub use portable::{Rewriter, knows_letters};
pub use publication::{
    bind_to_live, drop_retired, end_publication, lock_out, lock_reader, lock_referring, one_publication, patience, patience_of_session,
    reads_retired, retired_among,
};
pub use redshift::external;
pub use redshift::{S3Format, load_errors, manifest as s3_manifest};
pub use steps::{Fallback, Statement, analyze, print_step, print_titled, relation_word};
pub use unit_test::{columns_of, rows_query};
pub use unload::unload;
pub use validator::{Refusal, Severity, refusals, refusals_in_order};

use crate::plan::StorageFeatures;

/// The engines that acca prints SQL for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    DuckDb,
    Postgres,
    Redshift,
}

/// Whether the engine refuses what PostgreSQL's rules for names and types refuse.
pub fn has_the_checked_rules(engine: Engine) -> bool {
    engine == Engine::Postgres
}

/// Whether names that differ in the case of letters only are one name, in quotes too.
pub fn folds_case(engine: Engine) -> bool {
    match engine {
        Engine::DuckDb | Engine::Redshift => true,
        Engine::Postgres => false,
    }
}

/// Whether a name that is not in quotes becomes lower case. DuckDB keeps it as it is written and finds it however it is written.
pub fn lowers_names(engine: Engine) -> bool {
    engine != Engine::DuckDb
}

/// Bytes that a name may have: PostgreSQL cuts longer ones, so that two may become one. DuckDB has no limit.
pub fn max_identifier(engine: Engine) -> Option<usize> {
    match engine {
        Engine::DuckDb => None,
        Engine::Postgres => Some(63),
        Engine::Redshift => Some(127),
    }
}

/// Bytes that a statement may have.
pub fn max_statement(engine: Engine) -> Option<usize> {
    (engine == Engine::Redshift).then_some(redshift::MAX_STATEMENT)
}

/// What the engine has of the ways to store a table that the configuration asks for.
pub fn storage(engine: Engine) -> StorageFeatures {
    match engine {
        Engine::DuckDb => StorageFeatures::default(),
        Engine::Postgres => StorageFeatures { identity: true, partitions: true, ..StorageFeatures::default() },
        Engine::Redshift => StorageFeatures { columnar: true, identity: true, ..StorageFeatures::default() },
    }
}

/// The type of a seed's column, from the one that was told or guessed, and the bytes and the digits behind the point that its
/// values have at most.
pub fn seed_type(data_type: &str, bytes: usize, places: usize, engine: Engine) -> String {
    match engine {
        Engine::Redshift => redshift::sized_type(data_type, bytes, places),
        Engine::DuckDb | Engine::Postgres => data_type.to_owned(),
    }
}

/// Whether the engine has materialized views that acca keeps.
pub fn has_materialized_views(engine: Engine) -> bool {
    engine != Engine::DuckDb
}

/// Whether a materialized view is bound for good, can take no other name, and is refreshed outside of transactions.
pub fn binds_materialized_views(engine: Engine) -> bool {
    engine == Engine::Redshift
}

/// A string constant of the engine.
pub fn literal(text: &str, engine: Engine) -> String {
    match engine {
        Engine::Redshift => redshift::quote_text(text),
        Engine::DuckDb | Engine::Postgres => quote_text(text),
    }
}

/// The text in single quotes, a quote inside doubled: a string constant on every engine (PostgreSQL with its
/// standard-conforming strings, which sessions are pinned to).
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
