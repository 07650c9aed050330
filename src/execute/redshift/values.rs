//! Values and types of results.

use aws_sdk_redshiftdata::types::{ColumnMetadata, Field};

use crate::execute::adapter::{ColumnInfo, Datum};

/// A column as Redshift spells its type.
pub(super) fn column(metadata: &ColumnMetadata) -> ColumnInfo {
    let name = metadata.label().filter(|label| !label.is_empty()).or(metadata.name()).unwrap_or("");
    let type_name = metadata.type_name().unwrap_or("unknown").to_ascii_lowercase();
    let (length, precision, scale) = (metadata.length(), metadata.precision(), metadata.scale());
    // Lengths of text come as one or the other.
    let size = if length > 0 { length } else { precision };
    let data_type = match type_name.as_str() {
        "varchar" | "text" if size > 0 => format!("character varying({size})"),
        "bpchar" | "char" if size > 0 => format!("character({size})"),
        "varchar" | "text" => "character varying".to_owned(),
        "bpchar" | "char" => "character".to_owned(),
        "numeric" | "decimal" if precision > 0 => format!("numeric({precision},{scale})"),
        "int2" => "smallint".to_owned(),
        "int4" => "integer".to_owned(),
        "int8" => "bigint".to_owned(),
        "float4" => "real".to_owned(),
        "float8" => "double precision".to_owned(),
        "bool" => "boolean".to_owned(),
        "timestamp" => "timestamp without time zone".to_owned(),
        "timestamptz" => "timestamp with time zone".to_owned(),
        "time" => "time without time zone".to_owned(),
        "timetz" => "time with time zone".to_owned(),
        "varbyte" => "binary varying".to_owned(),
        other => other.to_owned(),
    };
    ColumnInfo { name: name.to_owned(), data_type }
}

/// A value of a column of that type: exact decimals come as their digits.
pub(super) fn datum(field: &Field, data_type: &str) -> Datum {
    let of_number = data_type.starts_with("numeric");
    match field {
        Field::BooleanValue(truth) => Datum::Bool(*truth),
        Field::LongValue(whole) => Datum::Int(*whole),
        Field::DoubleValue(fraction) => Datum::Float(*fraction),
        Field::StringValue(digits) if of_number => Datum::Decimal(digits.clone()),
        Field::StringValue(text) => Datum::Text(text.clone()),
        Field::BlobValue(bytes) => Datum::Text(bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()),
        _ => Datum::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_spelled_with_their_sizes() {
        let spelled = |name: &str, length: i32, precision: i32, scale: i32| {
            column(&ColumnMetadata::builder().name("c").type_name(name).length(length).precision(precision).scale(scale).build()).data_type
        };
        assert_eq!(spelled("varchar", 12, 0, 0), "character varying(12)");
        assert_eq!(spelled("varchar", 0, 256, 0), "character varying(256)");
        assert_eq!(spelled("numeric", 0, 12, 2), "numeric(12,2)");
        assert_eq!((spelled("int8", 0, 19, 0), spelled("super", 0, 0, 0)), ("bigint".to_owned(), "super".to_owned()));
        assert_eq!(datum(&Field::StringValue("1.50".to_owned()), "numeric(9,2)"), Datum::Decimal("1.50".to_owned()));
        assert_eq!(datum(&Field::IsNull(true), "integer"), Datum::Null);
    }
}
