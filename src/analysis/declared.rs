//! Columns that are not the result of a query: of sources, of seeds, and what a snapshot adds.

use serde_json::Value;

use super::facts::{RelationSchema, SchemaColumn};
use super::seed_types::guess_type;
use super::sql_type::SqlType;
use crate::project::{Column, Detail, ExternalFrom, FILE_COLUMN, LOADED_AT_COLUMN, Node};

/// The columns that the properties of a source declare. They are all that it has when each of them has a type: whoever writes
/// only names and descriptions may have left some out.
pub(super) fn declared_schema(node: &Node) -> RelationSchema {
    let mut columns: Vec<SchemaColumn> = node.columns.iter().map(declared_column).collect();
    let landing = matches!(&node.detail, Detail::Source(table) if table.landing.is_some());
    if landing {
        columns.iter_mut().for_each(|column| column.sql_type = column.sql_type.map(SqlType::as_loaded));
        let always = |name: &str, kind: &str| SchemaColumn { nullable: false, ..typed(name, kind) };
        columns.push(always(FILE_COLUMN, "text"));
        columns.push(always(LOADED_AT_COLUMN, "timestamptz"));
    }
    let external = match &node.detail {
        Detail::Source(table) => table.external.as_ref(),
        _ => None,
    };
    if let Some(external) = external.filter(|external| external.schema.from.is_stream() && node.columns.is_empty()) {
        let columns = stream_columns(external.schema.from).iter().map(|(name, kind)| typed(name, kind));
        return RelationSchema { columns: columns.collect(), ..RelationSchema::default() };
    }
    // Those that folders tell stand behind the columns of the files.
    for partition in external.and_then(|external| external.table.as_ref()).into_iter().flat_map(|table| &table.partitions) {
        if !columns.iter().any(|column| column.name.eq_ignore_ascii_case(&partition.name)) {
            columns.push(typed(&partition.name.to_lowercase(), &partition.data_type));
        }
    }
    let outside = external.is_some_and(|external| external.schema.from.has_files());
    let complete = !node.columns.is_empty() && node.columns.iter().all(|column| column.data_type.is_some());
    RelationSchema { columns, open: !complete, keyed: !landing, outside, ..RelationSchema::default() }
}

/// What streams have (`materialized-view-streaming-ingestion`). Of bytes and documents the type is not said: functions take them here
/// that they take nowhere else.
fn stream_columns(from: ExternalFrom) -> &'static [(&'static str, &'static str)] {
    match from {
        ExternalFrom::Kinesis => &[
            ("approximate_arrival_timestamp", "timestamp"),
            ("partition_key", "varchar(256)"),
            ("shard_id", "char(20)"),
            ("sequence_number", "varchar(128)"),
            ("refresh_time", "timestamp"),
            ("kinesis_data", ""),
        ],
        _ => &[
            ("kafka_partition", "bigint"),
            ("kafka_offset", "bigint"),
            ("kafka_timestamp_type", "char(1)"),
            ("kafka_timestamp", "timestamp"),
            ("kafka_key", ""),
            ("kafka_value", ""),
            ("kafka_headers", ""),
            ("refresh_time", "timestamp"),
        ],
    }
}

/// The columns of a source of which the project says nothing, as `catalog.json` of the last documentation has them. There may be more by
/// now.
pub(super) fn catalogued_schema(node: &Node, catalog: &Value) -> Option<RelationSchema> {
    let columns = catalog.get("sources")?.get(&*node.id)?.get("columns")?.as_object()?;
    let mut columns: Vec<&Value> = columns.values().collect();
    columns.sort_by_key(|column| column.get("index").and_then(Value::as_u64));
    let column = |column: &&Value| Some(typed(column.get("name")?.as_str()?, column.get("type")?.as_str()?));
    let columns = columns.iter().filter_map(column).collect();
    Some(RelationSchema { columns, ..RelationSchema::unknown() })
}

fn declared_column(column: &Column) -> SchemaColumn {
    // The database folds names without quotes.
    let name = if column.quote == Some(true) { column.name.clone() } else { column.name.to_lowercase() };
    let sql_type = column.data_type.as_deref().and_then(SqlType::parse);
    SchemaColumn { name, sql_type, nullable: !column.constraints.iter().any(is_not_null), ..SchemaColumn::default() }
}

/// What the database numbers, in front of what the query gives.
pub(super) fn with_identities(node: &Node, mut schema: RelationSchema) -> RelationSchema {
    let numbered = |column: &Column| {
        let declared = declared_column(column);
        SchemaColumn { sql_type: declared.sql_type.or_else(|| SqlType::parse("bigint")), nullable: false, ..declared }
    };
    schema.columns.splice(0..0, node.columns.iter().filter(|column| column.is_identity()).map(numbered));
    schema
}

fn is_not_null(constraint: &Value) -> bool {
    matches!(constraint.get("type").and_then(Value::as_str), Some("not_null" | "primary_key"))
}

fn typed(name: &str, kind: &str) -> SchemaColumn {
    SchemaColumn { name: name.to_owned(), sql_type: SqlType::parse(kind), nullable: true, ..SchemaColumn::default() }
}

/// The columns of a seed, as its plan makes them. `file` is `None` where it cannot be read.
pub(super) fn seed_schema(node: &Node, file: Option<&[u8]>) -> RelationSchema {
    let Some(file) = file else { return RelationSchema::unknown() };
    let delimiter = node.config.str("delimiter").and_then(|text| text.bytes().next()).unwrap_or(b',');
    let bytes = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let Ok(names) = reader.headers().map(|names| names.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>()) else {
        return RelationSchema::unknown();
    };
    let Ok(records) = reader.records().collect::<Result<Vec<_>, _>>() else { return RelationSchema::unknown() };
    let told = node.config.get("column_types");
    let columns = names.iter().enumerate().map(|(at, name)| {
        let config = told.and_then(|types| types.get(name)).and_then(Value::as_str).map(str::to_owned);
        let declared = || node.columns.iter().find(|column| column.name == *name).and_then(|column| column.data_type.clone());
        let values = records.iter().filter_map(|record| record.get(at)).filter(|value| !value.is_empty());
        let kind = config.or_else(declared).unwrap_or_else(|| guess_type(values));
        typed(name, &kind)
    });
    RelationSchema { columns: columns.collect(), ..RelationSchema::default() }
}

/// The columns of a snapshot's table: those of its query and those that say from when to when a row was so.
pub(super) fn snapshot_schema(node: &Node, query: RelationSchema) -> RelationSchema {
    let given = node.config.get("snapshot_meta_column_names");
    let name = |key: &str| given.and_then(|names| names.get(key)).and_then(Value::as_str).unwrap_or(key).to_owned();
    let moment = match node.config.str("strategy") {
        Some("timestamp") => {
            let column = node.config.str("updated_at").map(str::to_lowercase);
            query.columns.iter().find(|held| Some(&held.name) == column.as_ref()).and_then(|column| column.sql_type)
        }
        _ => SqlType::parse("timestamp"),
    };
    let mut added = vec![typed(&name("dbt_scd_id"), "text")];
    for key in ["dbt_updated_at", "dbt_valid_from", "dbt_valid_to"] {
        added.push(SchemaColumn { name: name(key), sql_type: moment, nullable: true, ..SchemaColumn::default() });
    }
    if node.config.str("hard_deletes") == Some("new_record") {
        added.push(typed(&name("dbt_is_deleted"), "text"));
    }
    let mut columns: Vec<SchemaColumn> =
        query.columns.into_iter().filter(|column| !added.iter().any(|other| other.name == column.name)).collect();
    columns.extend(added);
    // Each row is there in all its versions.
    let unique = vec![vec![name("dbt_scd_id")]];
    RelationSchema { columns, keys: Vec::new(), unique, ..query }
}
