//! The one integration-test binary: everything that is tested from outside the crate. One binary links once.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`tidy`] | the rules of the house: floors, sizes, names |
//! | [`cases`] | runs the case files under `cases/` and the pages of the diagnostics |
//! | [`workbench`], [`engines`] | how cases are compiled, and run on DuckDB and PostgreSQL |
//! | [`expressions`] | expressions of templates, with what dbt prints for them |
//! | [`fuzz`] | how inputs at random are made, counted and repeated, for as long as is wanted |
//! | [`random_input`] | bad input at random |
//! | [`random_sql`] | SQL at random |
//! | [`habits`] | what is written in place of functions of other engines |
//! | [`harness`] | what a case file is, and how it is compared with what the compiler says |
//! | [`adapters`] | what sessions of both engines promise |
//! | [`features`] | contracts, unit tests and the like, over several runs |
//! | [`load`] | landing files into both engines |
//! | [`materialized_views`] | materialized views and unlogged tables of PostgreSQL |
//! | [`packages`] | packages that are installed, macros called from the command line |
//! | [`portable`] | portable queries give the same rows on all engines |
//! | [`postgres`] | a PostgreSQL server for tests |
//! | [`second_check`] | a second check says what a cold one says |
//! | [`redshift`] | an imitation of Amazon Redshift on PostgreSQL |
//! | [`second_run`] | a second run says what a cold one says |
//! | [`trace`] | where the time of a command went |
//! | [`cli_commands`] | the commands: what they print and write, how they end |
//! | [`retry`] | what a retry keeps, and what it can go on with |
//! | [`selection`] | named selectors, state, deferral, retry, clone |
//! | [`serving`] | one project on two warehouses |
//! | [`project`] | a project in a temporary folder, and the built binary run in it |
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test stops at the first surprise, and its items are seen by this binary only"
)]

mod adapters;
mod artifacts;
mod attributes;
mod bench;
mod cases;
mod cli_commands;
mod docs;
mod engines;
mod expression_types;
mod expressions;
mod features;
mod flags;
mod flagship;
mod freshness;
mod fuzz;
mod habits;
mod harness;
mod hooks;
mod kept_tables;
mod late_changes;
mod load;
mod materialized_views;
mod microbatch;
mod packages;
mod partitions;
mod portable;
mod postgres;
#[allow(dead_code, reason = "tests on a server are to use the rest of it")]
mod project;
mod publication;
mod query_comment;
mod random_input;
mod random_sql;
#[allow(dead_code, reason = "the harness of portable models and the service are to use the rest of it")]
mod redshift;
mod redshift_external;
mod redshift_faults;
mod redshift_flagship;
mod redshift_loads;
mod redshift_storage;
mod redshift_target;
mod retry;
mod run;
mod second_check;
mod second_run;
mod selection;
mod serving;
mod several_targets;
mod tidy;
mod timeouts;
mod trace;
mod workbench;
