//! The query that asks a source for its newest row.

use super::Engine;
use crate::base::Relation;

/// One row: the newest value of an expression over the rows of a relation that a condition keeps, and the engine's time.
pub fn newest_of_field(relation: &Relation, field: &str, filter: Option<&str>, engine: Engine) -> String {
    // On a line of its own each: either may end in a comment.
    let filter = filter.map_or_else(String::new, |filter| format!("\nwhere (\n{filter}\n)"));
    format!("select max(\n{field}\n) as max_loaded_at, {} as snapshotted_at\nfrom {}{filter}", now(engine), relation.quoted())
}

/// The same for a query of the project's that gives one value.
pub fn newest_of_query(query: &str, engine: Engine) -> String {
    format!("select (\n{query}\n) as max_loaded_at, {} as snapshotted_at", now(engine))
}

/// Redshift's own clock beside rows of a table (`c_SQL_functions_leader_node_only`); it is UTC there.
fn now(engine: Engine) -> &'static str {
    match engine {
        Engine::Redshift => "getdate()",
        Engine::DuckDb | Engine::Postgres => "current_timestamp",
    }
}
