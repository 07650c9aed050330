//! Types that a declared column of a raw table may have: written as PostgreSQL writes them, printed for each engine.

use std::fmt;

use super::Engine;

/// A column type that means the same on every engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Smallint,
    Integer,
    Bigint,
    /// Digits in all, and after the point.
    Numeric {
        precision: u8,
        scale: u8,
    },
    Real,
    Double,
    Boolean,
    Date,
    /// A time of day, microseconds.
    Time,
    /// Without zone, microseconds.
    Timestamp,
    /// An instant, microseconds.
    Timestamptz,
    Uuid,
    Text,
    /// At most so many characters.
    Varchar(u32),
    Json,
    Jsonb,
}

/// Bytes of the longest text that a column of Redshift holds.
const MAX_BYTES: u32 = 65_535;

/// The greatest precision that all engines have.
const MAX_PRECISION: u8 = 38;

impl ColumnType {
    /// Reads a declared type: PostgreSQL's names and their aliases, letter case and blanks ignored.
    ///
    /// # Errors
    /// A sentence that says why the type cannot be loaded and what to write instead.
    pub fn parse(declared: &str) -> Result<ColumnType, String> {
        let text = declared.trim().to_ascii_lowercase();
        let (name, arguments) = split_arguments(&text).ok_or_else(|| format!("'{declared}' is not a type"))?;
        match (name.as_str(), arguments.as_slice()) {
            ("smallint" | "int2", []) => Ok(ColumnType::Smallint),
            ("integer" | "int" | "int4", []) => Ok(ColumnType::Integer),
            ("bigint" | "int8", []) => Ok(ColumnType::Bigint),
            ("numeric" | "decimal" | "dec", []) => {
                Err(format!("'{declared}' needs precision and scale, as in numeric(19,4): without them engines differ"))
            }
            ("numeric" | "decimal" | "dec", [precision]) => numeric(declared, *precision, 0),
            ("numeric" | "decimal" | "dec", [precision, scale]) => numeric(declared, *precision, *scale),
            ("real" | "float4", []) => Ok(ColumnType::Real),
            ("double precision" | "float8" | "float", []) => Ok(ColumnType::Double),
            ("boolean" | "bool", []) => Ok(ColumnType::Boolean),
            ("date", []) => Ok(ColumnType::Date),
            ("time" | "time without time zone", [] | [6]) => Ok(ColumnType::Time),
            ("timestamp" | "timestamp without time zone", [] | [6]) => Ok(ColumnType::Timestamp),
            ("timestamptz" | "timestamp with time zone", [] | [6]) => Ok(ColumnType::Timestamptz),
            ("uuid", []) => Ok(ColumnType::Uuid),
            ("text" | "varchar" | "character varying", []) => Ok(ColumnType::Text),
            ("varchar" | "character varying", [length @ 1..=10_485_760]) => Ok(ColumnType::Varchar(*length)),
            ("json", []) => Ok(ColumnType::Json),
            ("jsonb", []) => Ok(ColumnType::Jsonb),
            _ => Err(format!(
                "'{declared}' cannot be loaded from a file; use smallint, integer, bigint, numeric(p,s), real, double precision, boolean, \
                 date, time, timestamp, timestamptz, uuid, text, varchar(n), json or jsonb"
            )),
        }
    }

    /// The type in the DDL of `engine`.
    pub fn print(self, engine: Engine) -> String {
        match (engine, self) {
            (Engine::DuckDb, ColumnType::Numeric { precision, scale }) => format!("DECIMAL({precision},{scale})"),
            (Engine::DuckDb, ColumnType::Real) => "FLOAT".to_owned(),
            (Engine::DuckDb, ColumnType::Double) => "DOUBLE".to_owned(),
            (Engine::DuckDb, ColumnType::Text | ColumnType::Varchar(_)) => "VARCHAR".to_owned(),
            (Engine::DuckDb, ColumnType::Timestamptz) => "TIMESTAMP WITH TIME ZONE".to_owned(),
            (Engine::DuckDb, ColumnType::Json | ColumnType::Jsonb) => "JSON".to_owned(),
            (Engine::DuckDb, other) => other.to_string().to_uppercase(),
            // Redshift keeps semi-structured values in SUPER and has no UUID; text of 36 characters holds one.
            (Engine::Redshift, ColumnType::Json | ColumnType::Jsonb) => "super".to_owned(),
            (Engine::Redshift, ColumnType::Uuid) => "varchar(36)".to_owned(),
            (Engine::Redshift, ColumnType::Text) => format!("varchar({MAX_BYTES})"),
            // Lengths are those of bytes there, and a character has up to four (`r_Character_types`).
            (Engine::Redshift, ColumnType::Varchar(length)) => format!("varchar({})", length.saturating_mul(4).min(MAX_BYTES)),
            (Engine::Postgres | Engine::Redshift, other) => other.to_string(),
        }
    }

    /// The type as the catalogue of `engine` spells it (`format_type`, `duckdb_columns()`).
    pub fn catalogue_name(self, engine: Engine) -> String {
        match (engine, self) {
            (Engine::DuckDb, other) => other.print(Engine::DuckDb),
            (_, ColumnType::Time) => "time without time zone".to_owned(),
            (_, ColumnType::Timestamp) => "timestamp without time zone".to_owned(),
            (_, ColumnType::Timestamptz) => "timestamp with time zone".to_owned(),
            (Engine::Redshift, ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Uuid) => {
                self.print(engine).replacen("varchar", "character varying", 1)
            }
            (_, ColumnType::Varchar(length)) => format!("character varying({length})"),
            (engine, other) => other.print(engine),
        }
    }
}

fn numeric(declared: &str, precision: u32, scale: u32) -> Result<ColumnType, String> {
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=MAX_PRECISION), Ok(scale)) if scale <= precision => Ok(ColumnType::Numeric { precision, scale }),
        _ => Err(format!("'{declared}' must have a precision of 1 to {MAX_PRECISION} and a scale of at most that")),
    }
}

/// `numeric (12, 2)` → `numeric`, `[12, 2]`; arguments may stand before the end (`timestamp(6) with time zone`).
fn split_arguments(text: &str) -> Option<(String, Vec<u32>)> {
    let words = |text: &str| text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let Some((before, rest)) = text.split_once('(') else { return Some((words(text), Vec::new())) };
    let (inside, after) = rest.split_once(')')?;
    let arguments: Option<Vec<u32>> = inside.split(',').map(|part| part.trim().parse().ok()).collect();
    Some((words(&format!("{before} {after}")), arguments?))
}

/// As PostgreSQL writes it, in its short form.
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Smallint => f.write_str("smallint"),
            ColumnType::Integer => f.write_str("integer"),
            ColumnType::Bigint => f.write_str("bigint"),
            ColumnType::Numeric { precision, scale } => write!(f, "numeric({precision},{scale})"),
            ColumnType::Real => f.write_str("real"),
            ColumnType::Double => f.write_str("double precision"),
            ColumnType::Boolean => f.write_str("boolean"),
            ColumnType::Date => f.write_str("date"),
            ColumnType::Time => f.write_str("time"),
            ColumnType::Timestamp => f.write_str("timestamp"),
            ColumnType::Timestamptz => f.write_str("timestamptz"),
            ColumnType::Uuid => f.write_str("uuid"),
            ColumnType::Text => f.write_str("text"),
            ColumnType::Varchar(length) => write!(f, "varchar({length})"),
            ColumnType::Json => f.write_str("json"),
            ColumnType::Jsonb => f.write_str("jsonb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_postgresql_names_and_prints_for_each_engine() {
        for (declared, duckdb, postgres) in [
            ("INT8", "BIGINT", "bigint"),
            ("numeric (12, 2)", "DECIMAL(12,2)", "numeric(12,2)"),
            ("decimal(5)", "DECIMAL(5,0)", "numeric(5,0)"),
            ("timestamp(6) with time zone", "TIMESTAMP WITH TIME ZONE", "timestamptz"),
            ("Double  Precision", "DOUBLE", "double precision"),
            ("character varying(20)", "VARCHAR", "varchar(20)"),
            ("varchar", "VARCHAR", "text"),
            ("jsonb", "JSON", "jsonb"),
        ] {
            let parsed = ColumnType::parse(declared).unwrap();
            assert_eq!((parsed.print(Engine::DuckDb).as_str(), parsed.print(Engine::Postgres).as_str()), (duckdb, postgres), "{declared}");
        }
    }

    #[test]
    fn refuses_what_engines_would_read_differently() {
        for declared in ["numeric", "numeric(39,2)", "numeric(2,3)", "char(3)", "timestamp(3)", "interval", "varchar(x)", "", "int(4"] {
            assert!(ColumnType::parse(declared).is_err(), "{declared}");
        }
    }
}
