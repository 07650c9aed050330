//! The query that reads relations and their columns from an engine's catalogue, for the documentation.

use super::{Engine, quote_text};

/// One row a column, ordered by schema, relation and place of the column: database, schema, relation, kind, comment, owner,
/// estimated rows, bytes, column, its place, its type, its comment. `schemas` are compared without regard to case.
pub fn catalog_query(engine: Engine, schemas: &[String]) -> String {
    let list = schemas.iter().map(|schema| quote_text(&schema.to_lowercase())).collect::<Vec<_>>().join(", ");
    match engine {
        Engine::DuckDb => duckdb(&list),
        Engine::Postgres => postgres(&list, "pg_catalog.pg_total_relation_size(c.oid)", " AND c.relpersistence <> 't'"),
        // Its system tables are those of PostgreSQL 8, which could not tell the size and had temporary tables in schemas of their own.
        Engine::Redshift => postgres(&list, "NULL::bigint", ""),
    }
}

fn duckdb(schemas: &str) -> String {
    format!(
        "SELECT r.database_name, r.schema_name, r.name, r.kind, r.comment, NULL, r.row_count, NULL,\n  \
         c.column_name, c.column_index, c.data_type, c.comment\n\
         FROM (\n  \
         SELECT database_name, schema_name, table_name AS name, 'BASE TABLE' AS kind, comment, estimated_size AS row_count\n  \
         FROM duckdb_tables() WHERE NOT temporary AND NOT internal\n  \
         UNION ALL\n  \
         SELECT database_name, schema_name, view_name, 'VIEW', comment, NULL FROM duckdb_views() WHERE NOT temporary AND NOT internal\n\
         ) AS r\n\
         JOIN duckdb_columns() AS c\n  \
         ON c.database_name = r.database_name AND c.schema_name = r.schema_name AND c.table_name = r.name\n\
         WHERE lower(r.schema_name) IN ({schemas})\n\
         ORDER BY r.database_name, r.schema_name, r.name, c.column_index"
    )
}

fn postgres(schemas: &str, bytes: &str, permanent: &str) -> String {
    format!(
        "SELECT current_database(), n.nspname, c.relname,\n  \
         CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'BASE TABLE' END,\n  \
         pg_catalog.obj_description(c.oid, 'pg_class'), pg_catalog.pg_get_userbyid(c.relowner),\n  \
         CASE WHEN c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0 THEN c.reltuples::bigint END,\n  \
         CASE WHEN c.relkind IN ('r', 'm') THEN {bytes} END,\n  \
         a.attname, a.attnum::bigint, pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.col_description(c.oid, a.attnum)\n\
         FROM pg_catalog.pg_class c\n\
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n\
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid\n\
         WHERE lower(n.nspname) IN ({schemas}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f'){permanent}\n  \
         AND a.attnum > 0 AND NOT a.attisdropped\n\
         ORDER BY n.nspname, c.relname, a.attnum"
    )
}
