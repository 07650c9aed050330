//! SQL of the loads: the state in schema `_acca`, raw tables with their reject tables, and the statements that put one file
//! into them.

use std::collections::BTreeSet;

pub use super::redshift::{DirectCopy, DirectFormat, NULL_MARK, RowInserts, StagedCopy, type_for_parquet};
use super::{ColumnType, Engine, literal, quote_text};
use crate::base::{Relation, quote_ident};
pub use crate::project::{FILE_COLUMN, LOADED_AT_COLUMN};

/// The schema for what must outlive a run.
pub const STATE_SCHEMA: &str = "_acca";

/// A column of a raw table, its name as it stands in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawColumn {
    pub name: String,
    pub data_type: ColumnType,
}

/// A row of `_acca.load_manifest`: which content of which file is in the raw table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestEntry {
    /// The raw table.
    pub relation: Relation,
    /// Path of the file as it is recorded.
    pub file: String,
    /// The source's unique id.
    pub source: String,
    pub sha256: String,
    pub bytes: u64,
    pub rows: u64,
    pub rejected: u64,
    pub run_id: String,
}

/// A row of a reject table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RejectRow<'a> {
    pub line: u64,
    pub reason: &'a str,
    pub raw: &'a str,
}

/// How DuckDB is to read a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvScan<'a> {
    pub path: &'a str,
    /// The columns in the order of the file.
    pub columns: Vec<RawColumn>,
    pub header: bool,
    pub delimiter: u8,
    pub quote: Option<u8>,
    pub null_text: &'a str,
    /// Whether a quoted null text is NULL as well.
    pub quoted_nulls: bool,
    pub gzip: bool,
    /// Bytes of the longest record.
    pub longest: usize,
    /// Bytes of the file on disk.
    pub bytes: u64,
}

/// The reject table of a raw table stands beside it.
pub fn rejects_of(table: &Relation) -> Relation {
    table.with_identifier(&format!("{}__rejects", table.identifier))
}

fn state_relation(name: &str) -> String {
    format!("{}.{}", quote_ident(STATE_SCHEMA), quote_ident(name))
}

fn manifest() -> String {
    state_relation("load_manifest")
}

/// How the manifest names a raw table: the database is the one that the manifest is in.
fn recorded_name(table: &Relation) -> String {
    quote_text(&format!("{}.{}", quote_ident(&table.schema), quote_ident(&table.identifier)))
}

/// A schema is in the session's database on PostgreSQL; DuckDB may have attached others.
fn schema_of(engine: Engine, table: &Relation) -> String {
    match engine {
        Engine::DuckDb => format!("{}.{}", quote_ident(&table.database), quote_ident(&table.schema)),
        Engine::Postgres | Engine::Redshift => quote_ident(&table.schema),
    }
}

/// Taken by everything that creates schemas and tables, until the end of its transaction: `CREATE … IF NOT EXISTS` alone
/// fails when two sessions run it at once. DuckDB's sessions are in one process and take turns there.
pub fn creation_lock(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "SELECT pg_catalog.pg_advisory_xact_lock(7161202011);\n",
        Engine::DuckDb | Engine::Redshift => "",
    }
}

/// Creates schema `_acca` and the manifest of loads, where they are missing.
pub fn create_state(engine: Engine) -> String {
    let text = ColumnType::Text.print(engine);
    let instant = ColumnType::Timestamptz.print(engine);
    // DuckDB checks keys too early when a row is deleted and inserted in one transaction.
    let key = if engine == Engine::DuckDb { "" } else { ",\n  PRIMARY KEY (relation, file)" };
    format!(
        "{}CREATE SCHEMA IF NOT EXISTS {};\nCREATE TABLE IF NOT EXISTS {} (\n  relation {text} NOT NULL,\n  file {text} NOT NULL,\n  \
         source {text} NOT NULL,\n  sha256 {text} NOT NULL,\n  bytes bigint NOT NULL,\n  rows bigint NOT NULL,\n  rejected bigint NOT NULL,\n  \
         loaded_at {instant} NOT NULL,\n  run_id {text} NOT NULL{key}\n);\n",
        creation_lock(engine),
        quote_ident(STATE_SCHEMA),
        manifest(),
    )
}

/// Creates the schema, the raw table and its reject table, where they are missing. To be run behind [`creation_lock`].
pub fn create_raw(engine: Engine, table: &Relation, columns: &[RawColumn]) -> String {
    let text = ColumnType::Text.print(engine);
    let instant = ColumnType::Timestamptz.print(engine);
    let columns: Vec<String> =
        columns.iter().map(|column| format!("  {} {},\n", quote_ident(&column.name), column.data_type.print(engine))).collect();
    format!(
        "CREATE SCHEMA IF NOT EXISTS {};\nCREATE TABLE IF NOT EXISTS {} (\n{}  {} {text} NOT NULL,\n  {} {instant} NOT NULL DEFAULT {}\n);\n\
         CREATE TABLE IF NOT EXISTS {} (\n  file {text} NOT NULL,\n  line bigint NOT NULL,\n  reason {text} NOT NULL,\n  \
         {} {text} NOT NULL,\n  loaded_at {instant} NOT NULL\n);\n",
        schema_of(engine, table),
        table.quoted(),
        columns.concat(),
        quote_ident(FILE_COLUMN),
        quote_ident(LOADED_AT_COLUMN),
        now(engine),
        rejects_of(table).quoted(),
        raw_column(engine),
    )
}

/// The column of a reject table that holds the row as it stood in the file: a reserved word on Redshift (`r_pg_keywords`).
fn raw_column(engine: Engine) -> &'static str {
    match engine {
        Engine::Redshift => "\"raw\"",
        Engine::DuckDb | Engine::Postgres => "raw",
    }
}

/// Redshift's other functions for the time run where no rows are (`c_SQL_functions_leader_node_only`).
fn now(engine: Engine) -> &'static str {
    match engine {
        Engine::Redshift => "getdate()",
        Engine::DuckDb | Engine::Postgres => "now()",
    }
}

/// Forgets the files of a raw table, so that all of them are loaded anew.
pub fn forget_files(table: &Relation) -> String {
    format!("DELETE FROM {} WHERE relation = {}", manifest(), recorded_name(table))
}

/// Deletes the rows and the rejects of files that no longer exist and forgets them. `files` must not be empty. The manifest comes
/// first: a load of one of them at the same time then waits until this transaction ends.
pub fn remove_files(table: &Relation, files: &BTreeSet<String>) -> String {
    let names: Vec<String> = files.iter().map(|file| quote_text(file)).collect();
    let names = names.join(", ");
    format!(
        "{} AND file IN ({names});\nDELETE FROM {} WHERE {} IN ({names});\nDELETE FROM {} WHERE file IN ({names});\n",
        forget_files(table),
        table.quoted(),
        quote_ident(FILE_COLUMN),
        rejects_of(table).quoted(),
    )
}

/// The query for the names of the loaded files of a raw table: `file`.
pub fn select_recorded_files(table: &Relation) -> String {
    format!("SELECT file FROM {} WHERE relation = {}", manifest(), recorded_name(table))
}

/// The query for whether a raw table has no row.
pub fn select_is_empty(table: &Relation) -> String {
    format!("SELECT count(*) = 0 FROM (SELECT 1 FROM {} LIMIT 1) AS first_row", table.quoted())
}

/// Drops a raw table with its reject table and forgets its files.
pub fn drop_raw(table: &Relation) -> String {
    format!("{};\nDROP TABLE {};\nDROP TABLE IF EXISTS {};\n", forget_files(table), table.quoted(), rejects_of(table).quoted())
}

/// The manifest of loads, in the database of the raw table.
pub fn manifest_relation(table: &Relation) -> Relation {
    Relation::new(&table.database, STATE_SCHEMA, "load_manifest")
}

/// The query for the loaded files of a raw table: `file`, `sha256`.
pub fn select_files(table: &Relation) -> String {
    format!("SELECT file, sha256 FROM {} WHERE relation = {}", manifest(), recorded_name(table))
}

/// The query for the files with rows in the raw table, whether the manifest knows them or not: `file`.
pub fn select_stored_files(table: &Relation) -> String {
    format!("SELECT DISTINCT {} FROM {}", quote_ident(FILE_COLUMN), table.quoted())
}

/// The query for the files with rows in the reject table: `file`.
pub fn select_rejected_files(table: &Relation) -> String {
    format!("SELECT DISTINCT file FROM {}", rejects_of(table).quoted())
}

/// Writes the manifest's row, with `replace` in place of that of an older version. On PostgreSQL it always does, it makes a second load of the same file
/// wait until this transaction ends, and returns one row: whether there was an older version.
pub fn write_manifest(engine: Engine, entry: &ManifestEntry, replace: bool) -> String {
    let ManifestEntry { relation, file, source, sha256, bytes, rows, rejected, run_id } = entry;
    let relation = recorded_name(relation);
    let now = if engine == Engine::Redshift { now(engine) } else { "CURRENT_TIMESTAMP" };
    let [file, source, sha256, run_id] = [file, source, sha256, run_id].map(|text| literal(text, engine));
    let into = format!("INSERT INTO {} (relation, file, source, sha256, bytes, rows, rejected, loaded_at, run_id)", manifest());
    let values = format!("VALUES ({relation}, {file}, {source}, {sha256}, {bytes}, {rows}, {rejected}, {now}, {run_id})");
    match engine {
        Engine::Postgres => format!(
            "{into}\n{values}\nON CONFLICT (relation, file) DO UPDATE SET source = excluded.source, sha256 = excluded.sha256, \
             bytes = excluded.bytes, rows = excluded.rows, rejected = excluded.rejected, loaded_at = excluded.loaded_at, \
             run_id = excluded.run_id\nRETURNING xmax <> 0 AS replaced"
        ),
        Engine::DuckDb | Engine::Redshift if replace => {
            format!("DELETE FROM {} WHERE relation = {relation} AND file = {file};\n{into}\n{values}", manifest())
        }
        Engine::DuckDb | Engine::Redshift => format!("{into}\n{values}"),
    }
}

/// Deletes the rows of an older version of the file.
pub fn delete_file(table: &Relation, file: &str) -> String {
    format!("DELETE FROM {} WHERE {} = {}", table.quoted(), quote_ident(FILE_COLUMN), quote_text(file))
}

/// Deletes what is noted of the file in the reject table.
pub fn delete_rejects(table: &Relation, file: &str) -> String {
    format!("DELETE FROM {} WHERE file = {}", rejects_of(table).quoted(), quote_text(file))
}

/// Notes rejected rows. `rows` must not be empty.
pub fn insert_rejects(engine: Engine, table: &Relation, file: &str, rows: &[RejectRow<'_>]) -> String {
    let file = literal(file, engine);
    let now = if engine == Engine::Redshift { now(engine) } else { "CURRENT_TIMESTAMP" };
    let values: Vec<String> = rows
        .iter()
        .map(|row| format!("({file}, {}, {}, {}, {now})", row.line, literal(row.reason, engine), literal(row.raw, engine)))
        .collect();
    let raw = raw_column(engine);
    format!("INSERT INTO {} (file, line, reason, {raw}, loaded_at) VALUES\n{}", rejects_of(table).quoted(), values.join(",\n"))
}

/// PostgreSQL: the statement that rows in COPY's text format are sent to, the file's name last.
pub fn copy_from_stdin(table: &Relation, columns: &[RawColumn]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quote_ident(&column.name)).collect();
    format!("COPY {} ({}, {}) FROM STDIN (FORMAT text)", table.quoted(), columns.join(", "), quote_ident(FILE_COLUMN))
}

/// DuckDB takes a path as a pattern: each of a pattern's signs becomes a set of itself, so that it stands for one file only.
fn exact_path(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for sign in path.chars() {
        match sign {
            '*' | '?' | '[' => pattern.extend(['[', sign, ']']),
            _ => pattern.push(sign),
        }
    }
    quote_text(&pattern)
}

/// DuckDB: the scan of one Parquet file, without columns made of folders that are named as in `key=value`.
fn scan_parquet(path: &str) -> String {
    format!("read_parquet({}, hive_partitioning = false)", exact_path(path))
}

/// DuckDB: fills the raw table from a CSV file that was checked before.
pub fn insert_from_csv(table: &Relation, columns: &[RawColumn], file: &str, scan: &CsvScan<'_>) -> String {
    let character = |byte: u8| quote_text(&char::from(byte).to_string());
    let quote = scan.quote.map_or_else(|| "''".to_owned(), character);
    let types: Vec<String> = scan
        .columns
        .iter()
        .map(|column| format!("{}: {}", quote_text(&column.name), quote_text(&column.data_type.print(Engine::DuckDb))))
        .collect();
    let names: Vec<String> = columns.iter().map(|column| quote_ident(&column.name)).collect();
    let names = names.join(", ");
    format!(
        "INSERT INTO {} ({names}, {})\nSELECT {names}, {}\nFROM read_csv({}, auto_detect = false, header = {}, delim = {}, quote = {quote}, \
         escape = {quote}, nullstr = {}, allow_quoted_nulls = {}, compression = {}, max_line_size = {}, strict_mode = true, \
         hive_partitioning = false, columns = {{{}}})",
        table.quoted(),
        quote_ident(FILE_COLUMN),
        quote_text(file),
        exact_path(scan.path),
        scan.header,
        character(scan.delimiter),
        quote_text(scan.null_text),
        scan.quoted_nulls,
        quote_text(if scan.gzip { "gzip" } else { "none" }),
        max_line_size(scan),
        types.join(", "),
    )
}

/// DuckDB's reader makes buffers of many times this size: small ones halve the time that a small file takes.
fn max_line_size(scan: &CsvScan<'_>) -> usize {
    const SMALL_FILE: u64 = 1_000_000;
    let least = if scan.bytes < SMALL_FILE { 65_536 } else { 2_097_152 };
    (2 * scan.longest).max(least)
}

/// A column of a Parquet file and the declared column that it fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParquetColumn {
    pub in_file: String,
    pub column: RawColumn,
}

/// DuckDB: the names and types of a Parquet file's columns.
pub fn describe_parquet(path: &str) -> String {
    format!("SELECT * FROM {}", scan_parquet(path))
}

fn parquet_values(columns: &[ParquetColumn]) -> String {
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            let data_type = column.column.data_type.print(Engine::DuckDb);
            format!("CAST({} AS {data_type}) AS {}", quote_ident(&column.in_file), quote_ident(&column.column.name))
        })
        .collect();
    values.join(", ")
}

/// DuckDB: writes a Parquet file as CSV, in which everything that is not NULL stands in quotes.
pub fn parquet_to_csv(columns: &[ParquetColumn], parquet: &str, csv: &str) -> String {
    format!(
        "COPY (SELECT {} FROM {}) TO {} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', FORCE_QUOTE *, NULLSTR '')",
        parquet_values(columns),
        scan_parquet(parquet),
        quote_text(csv)
    )
}

/// DuckDB: fills the raw table from a Parquet file that was checked before.
pub fn insert_from_parquet(table: &Relation, columns: &[ParquetColumn], file: &str, parquet: &str) -> String {
    let names: Vec<String> = columns.iter().map(|column| quote_ident(&column.column.name)).collect();
    format!(
        "INSERT INTO {} ({}, {})\nSELECT {}, {}\nFROM {}",
        table.quoted(),
        names.join(", "),
        quote_ident(FILE_COLUMN),
        parquet_values(columns),
        quote_text(file),
        scan_parquet(parquet)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Relation {
        Relation::new("shop", "raw", "bets")
    }

    fn columns() -> Vec<RawColumn> {
        let column = |name: &str, data_type| RawColumn { name: name.to_owned(), data_type };
        vec![column("id", ColumnType::Bigint), column("Stake", ColumnType::Numeric { precision: 12, scale: 2 })]
    }

    #[test]
    fn raw_tables_hold_the_columns_the_file_and_the_time() {
        insta::assert_snapshot!(create_raw(Engine::Postgres, &table(), &columns()), @r#"
        CREATE SCHEMA IF NOT EXISTS "raw";
        CREATE TABLE IF NOT EXISTS "shop"."raw"."bets" (
          "id" bigint,
          "Stake" numeric(12,2),
          "_acca_file" text NOT NULL,
          "_acca_loaded_at" timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE IF NOT EXISTS "shop"."raw"."bets__rejects" (
          file text NOT NULL,
          line bigint NOT NULL,
          reason text NOT NULL,
          raw text NOT NULL,
          loaded_at timestamptz NOT NULL
        );
        "#);
        insta::assert_snapshot!(copy_from_stdin(&table(), &columns()), @r#"
        COPY "shop"."raw"."bets" ("id", "Stake", "_acca_file") FROM STDIN (FORMAT text)
        "#);
    }

    #[test]
    fn names_and_values_are_quoted() {
        let rows = [RejectRow { line: 7, reason: "it's wrong", raw: "a'b" }];
        insta::assert_snapshot!(insert_rejects(Engine::Postgres, &Relation::new("d", "s", "a\"b"), "o'file", &rows), @r#"
        INSERT INTO "d"."s"."a""b__rejects" (file, line, reason, raw, loaded_at) VALUES
        ('o''file', 7, 'it''s wrong', 'a''b', CURRENT_TIMESTAMP)
        "#);
        insta::assert_snapshot!(forget_files(&Relation::new("d", "s'", "a\"b")), @r#"
        DELETE FROM "_acca"."load_manifest" WHERE relation = '"s''"."a""b"'
        "#);
        insta::assert_snapshot!(remove_files(&table(), &["a.csv", "it's.csv"].map(str::to_owned).into()), @r#"
        DELETE FROM "_acca"."load_manifest" WHERE relation = '"raw"."bets"' AND file IN ('a.csv', 'it''s.csv');
        DELETE FROM "shop"."raw"."bets" WHERE "_acca_file" IN ('a.csv', 'it''s.csv');
        DELETE FROM "shop"."raw"."bets__rejects" WHERE file IN ('a.csv', 'it''s.csv');
        "#);
    }

    #[test]
    fn duckdb_is_told_everything_about_a_file() {
        let scan = CsvScan {
            path: "/data/[it's]*.csv",
            columns: columns(),
            header: true,
            delimiter: b'|',
            quote: None,
            null_text: "NULL",
            quoted_nulls: true,
            gzip: true,
            longest: 40_000,
            bytes: 10,
        };
        insta::assert_snapshot!(insert_from_csv(&table(), &columns(), "data/it's.csv", &scan), @r#"
        INSERT INTO "shop"."raw"."bets" ("id", "Stake", "_acca_file")
        SELECT "id", "Stake", 'data/it''s.csv'
        FROM read_csv('/data/[[]it''s][*].csv', auto_detect = false, header = true, delim = '|', quote = '', escape = '', nullstr = 'NULL', allow_quoted_nulls = true, compression = 'gzip', max_line_size = 80000, strict_mode = true, hive_partitioning = false, columns = {'id': 'BIGINT', 'Stake': 'DECIMAL(12,2)'})
        "#);
    }
}
