//! Types that portable queries may name, and how each engine spells them. What is not here is refused.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html>
//! - <https://duckdb.org/docs/stable/sql/data_types/overview>

use sqlparser::ast::DataType;
use sqlparser::tokenizer::Span;

use super::digits::MOST_DIGITS;
use super::writer::Writer;
use crate::analysis::{SqlType, type_instead};
use crate::dialect::Engine;

/// What is said where another type is written.
const TYPES: &str = "write one of smallint, integer, bigint, numeric(p,s), real, double precision, boolean, date, time, timestamp, timestamptz, \
                     text, varchar(n), uuid, json, jsonb";

impl Writer<'_> {
    /// A type as the query writes it; `digits` behind the point for exact numbers whose type does not say it.
    pub(super) fn type_written(&mut self, written: &DataType, digits: Option<i32>, span: Span) -> (Option<SqlType>, String) {
        let parsed = SqlType::parse(&written.to_string());
        if parsed.is_some_and(|kind| kind.name() == "bpchar") {
            self.refuse_padded(span);
            return (None, String::new());
        }
        let Some(kind) = parsed else {
            let message = format!("'{written}' is not on the list of types that are the same on all engines");
            let instead = type_instead(&written.to_string());
            let help = instead.map_or_else(|| TYPES.to_owned(), |instead| format!("write {instead}"));
            self.refuse(span, message, help);
            return (None, String::new());
        };
        (parsed, self.print_type(kind, digits, span))
    }

    pub(super) fn print_type(&mut self, kind: SqlType, digits: Option<i32>, span: Span) -> String {
        if self.is(Engine::Postgres) {
            return kind.to_string();
        }
        let duckdb = self.is(Engine::DuckDb);
        let spelled = match kind.name() {
            "int2" => "smallint",
            "int4" => "integer",
            "int8" => "bigint",
            "float4" => "real",
            "float8" => {
                if duckdb {
                    "double"
                } else {
                    "double precision"
                }
            }
            "bool" => "boolean",
            "date" => "date",
            "timestamp" if kind.modifier == -1 => "timestamp",
            "timestamptz" if kind.modifier == -1 => "timestamptz",
            "json" | "jsonb" => {
                if duckdb {
                    "json"
                } else {
                    "super"
                }
            }
            "uuid" if duckdb => "uuid",
            "uuid" => "varchar(36)",
            "time" if kind.modifier == -1 => "time",
            "text" | "varchar" if duckdb => "varchar",
            "text" => "varchar(65535)",
            "varchar" => return format!("varchar({})", kind.length().map_or(65535, |length| (length * 4).min(65535))),
            "numeric" => return self.decimal(kind, digits, span),
            _ => {
                let message = format!("the type {kind} is not the same on all engines");
                self.refuse(span, message, TYPES);
                ""
            }
        };
        spelled.to_owned()
    }

    fn decimal(&mut self, kind: SqlType, digits: Option<i32>, span: Span) -> String {
        match (kind.precision(), kind.scale(), digits) {
            (Some(precision), Some(scale), _) if precision <= MOST_DIGITS && (0..=precision).contains(&scale) => {
                format!("decimal({precision},{scale})")
            }
            (None, _, Some(digits)) if digits <= MOST_DIGITS => format!("decimal({MOST_DIGITS},{digits})"),
            _ => {
                let message = format!(
                    "{kind} is not the same on all engines: they keep {MOST_DIGITS} digits, and have to know how many are behind the point"
                );
                self.refuse(span, message, "write precision and scale, as in numeric(18,2)");
                String::new()
            }
        }
    }
}
