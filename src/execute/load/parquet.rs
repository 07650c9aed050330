//! Parquet: DuckDB reads it, whatever the engine of the target. Rows are checked in the CSV form that DuckDB writes of it.

use super::columns::{LoadColumn, Misfit, match_by_name};
use crate::dialect::ColumnType;
use crate::dialect::load::{ParquetColumn, RawColumn, describe_parquet};
use crate::execute::adapter::{AdapterError, Session};

/// Matches the file's columns to the declared ones, in the declared order.
pub(super) fn bind(
    duckdb: &mut dyn Session,
    path: &str,
    declared: &[LoadColumn],
) -> Result<Result<Vec<ParquetColumn>, Misfit>, AdapterError> {
    let present = duckdb.query(&describe_parquet(path), Some(0))?.columns;
    let names: Vec<String> = present.iter().map(|column| column.name.clone()).collect();
    let places = match match_by_name(declared, &names) {
        Ok(places) => places,
        Err(misfit) => return Ok(Err(misfit)),
    };
    let mut bound = Vec::new();
    let mut faults = Vec::new();
    for (column, place) in declared.iter().zip(places) {
        let Some(found) = present.get(place) else { continue };
        if !holds(column.data_type, &found.data_type) {
            faults.push(format!("column '{}' is {} in the file and {} in its declaration", column.name, found.data_type, column.data_type));
        }
        bound.push(ParquetColumn {
            in_file: found.name.clone(),
            column: RawColumn { name: column.stored_name(), data_type: column.data_type },
        });
    }
    if faults.is_empty() {
        return Ok(Ok(bound));
    }
    let help = vec!["declare types that hold the file's values without loss under 'columns' of the source table".to_owned()];
    Ok(Err(Misfit { message: format!("the file does not fit its declaration: {}", faults.join(", ")), help }))
}

/// Whether every value of DuckDB's type is, apart from its length, a value of the declared type, exactly.
fn holds(declared: ColumnType, found: &str) -> bool {
    let integer_digits = match found {
        "TINYINT" | "UTINYINT" => Some(3),
        "SMALLINT" | "USMALLINT" => Some(5),
        "INTEGER" | "UINTEGER" => Some(10),
        "BIGINT" => Some(19),
        "UBIGINT" => Some(20),
        _ => None,
    };
    match declared {
        ColumnType::Smallint => matches!(found, "TINYINT" | "UTINYINT" | "SMALLINT"),
        ColumnType::Integer => matches!(found, "TINYINT" | "UTINYINT" | "SMALLINT" | "USMALLINT" | "INTEGER"),
        ColumnType::Bigint => matches!(found, "TINYINT" | "UTINYINT" | "SMALLINT" | "USMALLINT" | "INTEGER" | "UINTEGER" | "BIGINT"),
        ColumnType::Numeric { precision, scale } => {
            let (digits, decimals) = match (integer_digits, decimal_type(found)) {
                (Some(digits), _) => (digits, 0),
                (None, Some((found_precision, found_scale))) => (found_precision - found_scale, found_scale),
                (None, None) => return false,
            };
            digits <= precision - scale && decimals <= scale
        }
        ColumnType::Real => found == "FLOAT",
        ColumnType::Double => matches!(found, "FLOAT" | "DOUBLE"),
        ColumnType::Boolean => found == "BOOLEAN",
        ColumnType::Date => found == "DATE",
        ColumnType::Time => found == "TIME",
        ColumnType::Timestamp => matches!(found, "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS"),
        ColumnType::Timestamptz => found == "TIMESTAMP WITH TIME ZONE",
        ColumnType::Uuid => found == "UUID",
        ColumnType::Text | ColumnType::Varchar(_) => found == "VARCHAR",
        ColumnType::Json | ColumnType::Jsonb => matches!(found, "JSON" | "VARCHAR"),
    }
}

fn decimal_type(found: &str) -> Option<(u8, u8)> {
    let (precision, scale) = found.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.parse().ok()?, scale.parse().ok()?);
    (scale <= precision).then_some((precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lossless_types_fit() {
        for (declared, found, fits) in [
            ("integer", "INTEGER", true),
            ("integer", "BIGINT", false),
            ("numeric(12,2)", "DECIMAL(12,2)", true),
            ("numeric(12,4)", "DECIMAL(10,2)", true),
            ("numeric(12,4)", "DECIMAL(12,2)", false),
            ("numeric(12,2)", "DOUBLE", false),
            ("numeric(19,0)", "BIGINT", true),
            ("timestamp", "TIMESTAMP_NS", false),
            ("timestamptz", "TIMESTAMP", false),
            ("varchar(5)", "VARCHAR", true),
        ] {
            assert_eq!(holds(ColumnType::parse(declared).unwrap(), found), fits, "{declared} {found}");
        }
    }
}
