//! The query that asks a source for its newest row.

use crate::base::Relation;

/// One row: the newest value of an expression over the rows of a relation that a condition keeps, and the engine's time.
pub fn newest_of_field(relation: &Relation, field: &str, filter: Option<&str>) -> String {
    // On a line of its own each: either may end in a comment.
    let filter = filter.map_or_else(String::new, |filter| format!("\nwhere (\n{filter}\n)"));
    format!("select max(\n{field}\n) as max_loaded_at, current_timestamp as snapshotted_at\nfrom {}{filter}", relation.quoted())
}

/// The same for a query of the project's that gives one value.
pub fn newest_of_query(query: &str) -> String {
    format!("select (\n{query}\n) as max_loaded_at, current_timestamp as snapshotted_at")
}
