//! Text values of the simple query protocol, typed by the oid of their column.

use sqlx::postgres::{PgColumn, PgRow};
use sqlx::{Column, Row, ValueRef};

use crate::execute::adapter::Datum;

/// Oids of built-in types are fixed (PostgreSQL's `pg_type.dat`).
const BOOL: u32 = 16;
const INTEGERS: [u32; 4] = [20, 21, 23, 26];
const FLOATS: [u32; 2] = [700, 701];
const NUMERIC: u32 = 1700;

/// The spelling of `format_type` for types that results mostly have; the others are asked for.
pub(super) fn common_type(oid: u32) -> Option<&'static str> {
    Some(match oid {
        16 => "boolean",
        20 => "bigint",
        21 => "smallint",
        23 => "integer",
        25 => "text",
        700 => "real",
        701 => "double precision",
        1043 => "character varying",
        1082 => "date",
        1114 => "timestamp without time zone",
        1184 => "timestamp with time zone",
        1700 => "numeric",
        2950 => "uuid",
        3802 => "jsonb",
        _ => return None,
    })
}

pub(super) fn name_and_oid(column: &PgColumn) -> (String, u32) {
    (column.name().to_owned(), oid(column))
}

pub(super) fn names_and_oids(row: &PgRow) -> Vec<(String, u32)> {
    row.columns().iter().map(name_and_oid).collect()
}

fn oid(column: &PgColumn) -> u32 {
    column.type_info().oid().map_or(0, |oid| oid.0)
}

pub(super) fn row(row: &PgRow) -> Result<Vec<Datum>, sqlx::Error> {
    row.columns().iter().map(|column| Ok(text(row, column)?.map_or(Datum::Null, |text| datum(oid(column), text)))).collect()
}

/// NULL becomes the empty text.
pub(super) fn text_row(row: &PgRow) -> Result<Vec<String>, sqlx::Error> {
    row.columns().iter().map(|column| Ok(text(row, column)?.unwrap_or("").to_owned())).collect()
}

fn text<'a>(row: &'a PgRow, column: &PgColumn) -> Result<Option<&'a str>, sqlx::Error> {
    let value = row.try_get_raw(column.ordinal())?;
    if value.is_null() { Ok(None) } else { value.as_str().map(Some).map_err(sqlx::Error::Decode) }
}

fn datum(oid: u32, text: &str) -> Datum {
    let typed = match oid {
        BOOL => Some(Datum::Bool(text == "t")),
        NUMERIC if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && text.ends_with(|c: char| c.is_ascii_digit()) => {
            Some(Datum::Decimal(text.to_owned()))
        }
        _ if INTEGERS.contains(&oid) => text.parse().ok().map(Datum::Int),
        _ if FLOATS.contains(&oid) => text.parse().ok().map(Datum::Float),
        _ => None,
    };
    typed.unwrap_or_else(|| Datum::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_typed_by_oid() {
        assert_eq!(datum(16, "t"), Datum::Bool(true));
        assert_eq!(datum(20, "-9223372036854775808"), Datum::Int(i64::MIN));
        assert_eq!(datum(1700, "12.50"), Datum::Decimal("12.50".to_owned()));
        assert_eq!(datum(1700, "NaN"), Datum::Text("NaN".to_owned()));
        assert_eq!(datum(1700, "-Infinity"), Datum::Text("-Infinity".to_owned()));
        assert_eq!(datum(701, "0.1"), Datum::Float(0.1));
        assert_eq!(datum(1184, "2026-01-16 20:01:02+00"), Datum::Text("2026-01-16 20:01:02+00".to_owned()));
    }
}
