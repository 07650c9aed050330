//! Keeps two runs from building the same relation at the same time, where several processes may use one database.
//!
//! PostgreSQL's advisory locks belong to the session: they go with it, however it ends.

use super::{Engine, quote_text};

/// Beyond so many relations a run takes the whole database: the server's table of locks is small.
const MOST_LOCKS: usize = 1000;

/// The query that takes the leases and returns what another run holds: one name a row, none when all were free. `None` where
/// the engine lets one process write at a time anyway.
pub fn take_leases(engine: Engine, relations: &[String]) -> Option<String> {
    if engine != Engine::Postgres {
        return None;
    }
    let hash = |name: &str| format!("hashtextextended({name}, 0)");
    let everything = quote_text("acca: the whole database");
    if relations.len() > MOST_LOCKS {
        return Some(format!("select 'something in this database' where not pg_try_advisory_lock({})", hash(&everything)));
    }
    let wanted = relations.iter().map(|name| format!("({})", quote_text(name))).collect::<Vec<_>>().join(", ");
    let shared = format!("select 'the whole database' as name where not pg_try_advisory_lock_shared({})", hash(&everything));
    if wanted.is_empty() {
        return Some(shared);
    }
    Some(format!(
        "{shared}\nunion all\nselect name from (values {wanted}) as wanted(name) where not pg_try_advisory_lock({})",
        hash("'acca: ' || name")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_needs_no_lease() {
        assert_eq!(take_leases(Engine::DuckDb, &["s.a".to_owned()]), None);
        let many: Vec<String> = (0..=MOST_LOCKS).map(|number| format!("s.t{number}")).collect();
        assert!(take_leases(Engine::Postgres, &many).is_some_and(|sql| sql.len() < 200));
    }
}
