//! Reads what the engine's catalogue says of the relations of some schemas.

use super::{AdapterError, Datum, Session};
use crate::base::{ColumnFacts, RelationFacts};
use crate::dialect::{Engine, catalog_query};

/// All relations of the schemas, ordered by schema and name. A schema that does not exist has none.
///
/// # Errors
/// As [`Session::query`].
pub fn read_catalog(session: &mut dyn Session, engine: Engine, schemas: &[String]) -> Result<Vec<RelationFacts>, AdapterError> {
    if schemas.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query(&catalog_query(engine, schemas), None)?.rows;
    let mut found: Vec<RelationFacts> = Vec::new();
    for row in rows {
        let Ok([database, schema, name, kind, comment, owner, rows, bytes, column, index, data_type, column_comment]) =
            <[Datum; 12]>::try_from(row)
        else {
            continue;
        };
        let (database, schema, name) = (database.to_string(), schema.to_string(), name.to_string());
        let is_same = |held: &&mut RelationFacts| held.database == database && held.schema == schema && held.name == name;
        let column = ColumnFacts {
            name: column.to_string(),
            data_type: data_type.to_string(),
            index: whole(&index).unwrap_or(0),
            comment: text(column_comment),
        };
        match found.last_mut().filter(is_same) {
            Some(held) => held.columns.push(column),
            None => found.push(RelationFacts {
                database,
                schema,
                name,
                kind: kind.to_string(),
                comment: text(comment),
                owner: text(owner),
                rows: whole(&rows),
                bytes: whole(&bytes),
                columns: vec![column],
            }),
        }
    }
    Ok(found)
}

fn text(value: Datum) -> Option<String> {
    match value {
        Datum::Null => None,
        value => Some(value.to_string()),
    }
}

fn whole(value: &Datum) -> Option<i64> {
    match value {
        Datum::Int(whole) => Some(*whole),
        value => value.to_string().parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::execute::{Adapter, DuckDb, MEMORY};

    #[test]
    fn relations_come_with_comments_and_columns_in_order() {
        let database = DuckDb::open(MEMORY, None, &BTreeMap::new()).unwrap();
        let mut session = database.connect().unwrap();
        for sql in [
            "create schema \"S\"",
            "create table \"S\".t (b integer, a varchar)",
            "insert into \"S\".t values (1, 'x'), (2, 'y')",
            "comment on table \"S\".t is 'all of it'",
            "comment on column \"S\".t.a is 'the letter'",
            "create view \"S\".v as select a from \"S\".t",
        ] {
            session.execute(sql).unwrap();
        }
        let found = read_catalog(&mut *session, Engine::DuckDb, &["s".to_owned(), "missing".to_owned()]).unwrap();
        let told: Vec<_> = found.iter().map(|held| (held.name.as_str(), held.kind.as_str(), held.comment.as_deref(), held.rows)).collect();
        assert_eq!(told, [("t", "BASE TABLE", Some("all of it"), Some(2)), ("v", "VIEW", None, None)]);
        let columns: Vec<_> =
            found[0].columns.iter().map(|column| (column.index, column.name.as_str(), column.comment.as_deref())).collect();
        assert_eq!(columns, [(1, "b", None), (2, "a", Some("the letter"))]);
    }
}
