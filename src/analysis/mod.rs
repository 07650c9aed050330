//! Floor 4: what the SQL of a node says.

mod compilation;
mod empty;
mod unit_test;

pub use compilation::{Compilation, CompiledNode, check_is_query};
