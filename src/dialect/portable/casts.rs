//! Casts: to text, to numbers, to booleans, and how long text may be.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html>
//! - <https://duckdb.org/docs/stable/sql/data_types/typecasting>

use sqlparser::ast::{DataType, Expr};

use super::json::is_json_text;
use super::literals::{has_fine_seconds, plain_text};
use super::rewrite::Rewrite;
use super::typed_literals::truth;
use super::writer::{Sql, Writer, span_of};
use crate::analysis::SqlType;
use crate::dialect::Engine;

/// Spellings of the truth that PostgreSQL reads.
pub(super) const TRUE: &[&str] = &["t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"];
pub(super) const FALSE: &[&str] = &["f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"];

pub(super) fn is_text_type(kind: SqlType) -> bool {
    matches!(kind.name(), "text" | "varchar")
}

impl Writer<'_> {
    pub(super) fn cast(&mut self, expression: &Expr, inner: &Expr, data_type: &DataType) -> Sql {
        if let Some(interval) = self.interval_cast(inner, data_type) {
            return interval;
        }
        let digits = self.typed(expression).digits;
        let (target, spelled) = self.type_written(data_type, digits, span_of(inner));
        let Some(target) = target else { return Sql::atom("null") };
        if let Some(text) = self.padded_as_text(inner, target, &spelled) {
            return text;
        }
        let from = self.type_name(inner);
        if self.is(Engine::Postgres) {
            return Sql::atom(format!("cast({} as {spelled})", self.expression(inner).text));
        }
        if is_json_text(inner) && matches!(target.name(), "numeric" | "float4" | "float8") && self.rewrites(Rewrite::JsonPath) {
            return self.json_to_number(inner, target, &spelled);
        }
        if let ("date" | "timestamp" | "timestamptz", Some(text)) = (target.name(), plain_text(inner))
            && !Writer::is_moment(text)
        {
            let help = "write it as 2024-01-31 or 2024-01-31 12:00:00";
            return self.refuse(span_of(inner), "this literal is not the same on all engines", help);
        }
        if let ("time", Some(text)) = (target.name(), plain_text(inner))
            && has_fine_seconds(text)
        {
            return self.refuse(span_of(inner), "this literal is not the same on all engines", "write six digits of a second at most");
        }
        if let ("bool", Some(text)) = (target.name(), plain_text(inner))
            && let Some(truth) = truth(text.trim()).filter(|_| self.rewrites(Rewrite::BooleanCast))
        {
            return truth;
        }
        match (from, target.name()) {
            ("bool", "text" | "varchar") if self.is(Engine::Redshift) && self.rewrites(Rewrite::BooleanCast) => {
                let written = self.truth_as_text(inner);
                if self.fits(inner, target) { written } else { self.limited(written, target, &spelled) }
            }
            ("text" | "varchar", "bool") if self.rewrites(Rewrite::BooleanCast) => self.text_as_truth(inner),
            ("text" | "varchar", "int2" | "int4" | "int8") if self.is(Engine::DuckDb) && self.rewrites(Rewrite::WholeNumberCast) => {
                self.text_as_whole(inner, &spelled)
            }
            ("float4" | "float8", "int2" | "int4" | "int8") if self.is(Engine::Redshift) => {
                self.lacks(span_of(inner), "rounding binary floats to the even neighbour", "cast it to numeric(p,s) first")
            }
            ("numeric", "int2" | "int4" | "int8") if self.is(Engine::Redshift) && self.rewrites(Rewrite::RoundingCast) => {
                Sql::atom(format!("cast(round({}, 0) as {spelled})", self.expression(inner).text))
            }
            ("text" | "varchar", "numeric" | "float4" | "float8") if self.is(Engine::DuckDb) && self.rewrites(Rewrite::WholeNumberCast) => {
                // Underscores between digits are none of PostgreSQL's.
                Sql::atom(format!("cast(replace({}, '_', '?') as {spelled})", self.read_text(inner).text))
            }
            ("float8", "float4") if self.is(Engine::DuckDb) => self.as_real(inner, &spelled),
            ("unknown" | "text" | "varchar", "uuid") if self.is(Engine::Redshift) => self.text_as_uuid(inner, &spelled),
            ("timestamptz", "time") if self.is(Engine::DuckDb) => {
                Sql::atom(format!("cast(cast({} as timestamp) as time)", self.expression(inner).text))
            }
            ("text" | "varchar", "date" | "timestamp" | "timestamptz" | "time") if self.rewrites(Rewrite::MomentText) => {
                self.text_as_moment(inner, target, &spelled)
            }
            ("float4" | "float8" | "numeric", "numeric") => self.cast_to_decimal(inner, from, target, &spelled),
            ("unknown" | "text" | "varchar", "text" | "varchar") if target.length().is_none() => self.text_as_text(inner, &spelled),
            ("unknown" | "text" | "varchar", "text" | "varchar") => self.shortened_text(inner, target, &spelled),
            (_, "text" | "varchar") => {
                let written = self.as_text(inner);
                if self.fits(inner, target) { written } else { self.limited(written, target, &spelled) }
            }
            ("json" | "jsonb", "json" | "jsonb") if self.is(Engine::Redshift) => self.expression(inner),
            (_, "json" | "jsonb") if self.is(Engine::Redshift) => Sql::atom(format!("json_parse({})", self.expression(inner).text)),
            _ => Sql::atom(format!("cast({} as {spelled})", self.expression(inner).text)),
        }
    }

    fn json_to_number(&mut self, inner: &Expr, target: SqlType, spelled: &str) -> Sql {
        if target.name() == "numeric" && target.scale().is_none() {
            let message = "how many digits this number has behind the point is not known";
            return self.refuse(span_of(inner), message, "write precision and scale, as in numeric(18,2)");
        }
        Sql::atom(format!("cast({} as {spelled})", self.json_number(inner).text))
    }

    fn cast_to_decimal(&mut self, inner: &Expr, from: &str, target: SqlType, spelled: &str) -> Sql {
        let written = self.expression(inner).text;
        let scale = target.scale();
        if from != "numeric" && scale.is_none() {
            let message = "how many digits this number has behind the point is not known";
            return self.refuse(span_of(inner), message, "write precision and scale, as in numeric(18,2)");
        }
        match (self.target(), scale) {
            // PostgreSQL goes by fifteen decimal digits, which is what people see: 0.145 is rounded up.
            (Engine::DuckDb, Some(_)) if from != "numeric" && self.rewrites(Rewrite::DecimalCast) => {
                let digits = if from == "float4" { 6 } else { 15 };
                Sql::atom(format!("cast(printf('%.{digits}g', cast({written} as double)) as {spelled})"))
            }
            (Engine::Redshift, Some(_)) if from == "float4" => {
                let help = "cast it to double precision first: x::double precision::numeric(18,2)";
                self.lacks(span_of(inner), "the six digits that PostgreSQL makes an exact number of a real from", help)
            }
            (Engine::Redshift, Some(scale)) if self.rewrites(Rewrite::RoundingCast) => {
                Sql::atom(format!("cast(round({written}, {scale}) as {spelled})"))
            }
            _ => Sql::atom(format!("cast({written} as {spelled})")),
        }
    }

    /// A binary float as an exact number, by its fifteen digits.
    pub(super) fn rounded_float(&mut self, inner: &Expr, places: i64) -> Sql {
        let from = self.type_name(inner);
        let spelled = format!("decimal(38,{places})");
        match SqlType::parse(&format!("numeric(38,{places})")) {
            Some(target) => self.cast_to_decimal(inner, from, target, &spelled),
            None => Sql::atom("null"),
        }
    }

    fn shortened_text(&mut self, inner: &Expr, target: SqlType, spelled: &str) -> Sql {
        let written = self.expression(inner);
        self.limited(written, target, spelled)
    }

    /// `varchar(n)` cuts after n characters. DuckDB keeps all, Redshift counts bytes.
    pub(super) fn limited(&mut self, written: Sql, target: SqlType, spelled: &str) -> Sql {
        match target.length() {
            Some(length) if self.rewrites(Rewrite::TextLength) => {
                let cut = format!("left({}, {length})", written.text);
                if self.is(Engine::Redshift) { Sql::atom(format!("cast({cut} as {spelled})")) } else { Sql::atom(cut) }
            }
            _ => Sql::atom(format!("cast({} as {spelled})", written.text)),
        }
    }

    fn truth_as_text(&mut self, inner: &Expr) -> Sql {
        let part = self.expression(inner).part();
        Sql::loose(format!("case when {part} then 'true' when not {part} then 'false' end"))
    }

    fn text_as_truth(&mut self, inner: &Expr) -> Sql {
        let written = self.read_text(inner).text;
        let list = |words: &[&str]| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
        let value = format!("lower(trim({written}))");
        let wrong = match self.target() {
            Engine::DuckDb => format!("error('invalid input syntax for type boolean: ' || {value})"),
            // What is no number cannot be cast to one, so the statement fails.
            _ => format!("cast('invalid input syntax for type boolean: ' || {value} as integer) = 1"),
        };
        let cast = Sql::loose(format!(
            "case when {value} in ({}) then true when {value} in ({}) then false when {value} is not null then {wrong} end",
            list(TRUE),
            list(FALSE),
        ));
        self.of_single_keys(inner, cast)
    }

    /// Text that is read as something else.
    fn read_text(&mut self, inner: &Expr) -> Sql {
        if is_json_text(inner) { self.json_whole(inner) } else { self.expression(inner) }
    }

    /// DuckDB rounds `'1.5'` to 2, where PostgreSQL says that it is no integer.
    fn text_as_whole(&mut self, inner: &Expr, spelled: &str) -> Sql {
        let part = self.read_text(inner).part();
        let wrong = format!("error('invalid input syntax for type {spelled}: ' || {part})");
        let cast = Sql::loose(format!(
            "case when {part} is null or regexp_full_match({part}, '\\s*[-+]?[0-9]+\\s*') then cast({part} as {spelled}) else {wrong} end"
        ));
        self.of_single_keys(inner, cast)
    }

    /// Of a seventh digit of a second PostgreSQL makes a sixth, DuckDB nothing; behind a date it reads whatever there is, and a year of two
    /// digits for what it says, in place of a month.
    fn text_as_moment(&mut self, inner: &Expr, target: SqlType, spelled: &str) -> Sql {
        let part = self.read_text(inner).part();
        let fine = "[.][0-9]{7}";
        let plain = if target.name() == "time" {
            r"\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]*)?)?\s*"
        } else {
            // A year zero is none.
            // A date is read from a moment without a look at its hour, and a zone is any number.
            concat!(
                r"\s*([1-9][0-9]{3}|0[0-9]{2}[1-9])-[0-9]+-[0-9]+",
                r"([ T](([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-9.]+)?|24:00(:00)?)(Z| ?[-+](0?[0-9]|1[0-5])(:[0-5][0-9]){0,2})?)?\s*"
            )
        };
        let message = format!("'text of a {spelled} that is not read alike by all engines: ' || {part}");
        let (wrong, error) = match self.target() {
            Engine::DuckDb => {
                (format!("regexp_matches({part}, '{fine}') or not regexp_full_match({part}, '{plain}')"), format!("error({message})"))
            }
            // What is no moment cannot be cast to one, so the statement fails.
            _ => (format!("{part} ~ '{fine}'"), format!("cast({message} as {spelled})")),
        };
        let cast = Sql::loose(format!("case when {wrong} then {error} else cast({part} as {spelled}) end"));
        self.of_single_keys(inner, cast)
    }

    /// A value as text, spelled alike on all engines.
    pub(super) fn as_text(&mut self, expression: &Expr) -> Sql {
        let typed = self.typed(expression);
        let kind = typed.sql_type.map_or("", SqlType::name);
        match kind {
            "text" | "varchar" | "unknown" => self.expression(expression),
            "int2" | "int4" | "int8" => self.plain_text_cast(expression),
            // Before the year 1.
            "date" if self.is(Engine::DuckDb) && self.rewrites(Rewrite::MomentText) => {
                Sql::atom(format!("replace({}, '(BC)', 'BC')", self.plain_text_cast(expression).text))
            }
            "date" => self.plain_text_cast(expression),
            "numeric" if self.scale_of(expression).is_some() || typed.digits == Some(0) => self.exact_text(expression),
            "numeric" if typed.sql_type.and_then(SqlType::scale).is_some() => self.plain_text_cast(expression),
            "numeric" if self.chooses(expression) => self.text_of_choice(expression),
            "bool" if self.is(Engine::Redshift) && self.rewrites(Rewrite::BooleanCast) => self.truth_as_text(expression),
            "bool" => self.plain_text_cast(expression),
            "timestamp" if self.is(Engine::DuckDb) => self.plain_text_cast(expression),
            "uuid" if self.is(Engine::Redshift) => self.expression(expression),
            "uuid" => self.plain_text_cast(expression),
            other => {
                let message = format!("{other} is not spelled alike on all engines");
                let help = match other {
                    "date" | "timestamp" | "timestamptz" | "time" => {
                        "format it with to_char, as in to_char(placed_at, 'YYYY-MM-DD HH24:MI:SS')"
                    }
                    "numeric" | "float4" | "float8" => "cast it to numeric(p,s) first, as in cast(x as numeric(12,2))",
                    _ => "take text out of it by its fields, or cast it to a type that all engines spell alike",
                };
                self.refuse(span_of(expression), message, help)
            }
        }
    }

    /// The text of a number whose values all have one scale: the type of what is written gets that too.
    fn exact_text(&mut self, expression: &Expr) -> Sql {
        let scale = self.scale_of(expression).unwrap_or_default();
        if self.is(Engine::Postgres) || !self.rewrites(Rewrite::ExactText) {
            return self.plain_text_cast(expression);
        }
        let written = self.expression(expression).text;
        Sql::atom(format!("cast(cast({written} as decimal(38,{scale})) as {})", self.text_type_of(expression)))
    }

    fn plain_text_cast(&mut self, expression: &Expr) -> Sql {
        let written = self.expression(expression).text;
        Sql::atom(format!("cast({written} as {})", self.text_type_of(expression)))
    }
}
