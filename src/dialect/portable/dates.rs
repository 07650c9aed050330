//! Dates and moments: parts, truncation, formats, now.
//!
//! - <https://www.postgresql.org/docs/15/functions-datetime.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html>
//! - <https://duckdb.org/docs/stable/sql/functions/timestamp>

use sqlparser::ast::{BinaryOperator, Expr};
use sqlparser::tokenizer::Span;

use super::ages::is_age;
use super::calls::Call;
use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

/// Parts of a date that are whole numbers and mean the same everywhere.
const WHOLE_PARTS: &[&str] = &["year", "quarter", "month", "week", "day", "hour", "minute", "dow", "doy"];
/// What moments are cut to.
const UNITS: &[&str] = &["year", "quarter", "month", "week", "day", "hour", "minute", "second"];

impl Writer<'_> {
    pub(super) fn extract(&mut self, field: &str, value: &Expr, span: Span) -> Sql {
        if self.is(Engine::Postgres) && !is_age(value) {
            return Sql::atom(format!("extract({field} from {})", self.expression(value).text));
        }
        match self.part_of_moment(field, value, span) {
            Some((text, digits)) => Sql::atom(format!("cast({text} as decimal(38,{digits}))")),
            None => Sql::atom("null"),
        }
    }

    /// `date_part('year', x)` is a binary float.
    pub(super) fn date_part(&mut self, call: &Call<'_>) -> Sql {
        let [field, value] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let Some(name) = plain_text(field) else {
            return self.refuse(span_of(field), "the part is to be a literal", "write it as a literal");
        };
        if self.is(Engine::Postgres) && !is_age(value) {
            return self.plain_call(call, "date_part");
        }
        match self.part_of_moment(&name.to_lowercase(), value, call.span) {
            Some((text, _)) => Sql::atom(format!("cast({text} as {})", self.double())),
            None => Sql::atom("null"),
        }
    }

    /// A part of a moment, exactly, and its digits behind the point.
    fn part_of_moment(&mut self, field: &str, value: &Expr, span: Span) -> Option<(String, i32)> {
        let kind = self.type_name(value);
        if let Some(years) = self.years_of_age(field, value) {
            return Some((years, 0));
        }
        if matches!(field, "epoch" | "day" | "days") && kind == "interval" {
            return self.between_moments(value, field != "epoch", span);
        }
        if !matches!(kind, "date" | "timestamp" | "timestamptz") {
            let message = format!("the {field} of {kind} is not the same on all engines");
            self.refuse(span, message, "take it of a date or a timestamp; of a difference of moments take the epoch");
            return None;
        }
        let written = self.expression(value).text;
        let fine = self.rewrites(Rewrite::DateParts);
        let redshift = self.is(Engine::Redshift);
        Some(match field {
            "second" | "milliseconds" | "millisecond" | "microseconds" | "microsecond" if fine => {
                let micros = if redshift {
                    format!("datediff(microsecond, date_trunc('minute', {written}), {written})")
                } else {
                    format!("extract(microseconds from {written})")
                };
                match field {
                    "second" => (format!("{micros} * 0.000001"), 6),
                    "milliseconds" | "millisecond" => (format!("{micros} * 0.001"), 3),
                    _ => (micros, 0),
                }
            }
            "epoch" if fine => {
                let moment = if kind == "date" { format!("cast({written} as timestamp)") } else { written };
                let micros = match (redshift, kind) {
                    (false, _) => format!("epoch_us({moment})"),
                    (true, "timestamptz") => format!("datediff(microsecond, timestamp '1970-01-01', {moment} at time zone 'UTC')"),
                    (true, _) => format!("datediff(microsecond, timestamp '1970-01-01', {moment})"),
                };
                (format!("{micros} * 0.000001"), 6)
            }
            "isodow" if redshift => (format!("case when extract(dow from {written}) = 0 then 7 else extract(dow from {written}) end"), 0),
            "isoyear" if redshift => (format!("extract(year from dateadd(day, 3, date_trunc('week', {written})))"), 0),
            "isodow" | "isoyear" => (format!("extract({field} from {written})"), 0),
            "day" | "hour" | "minute" | "second" | "epoch" => (format!("extract({field} from {written})"), 6),
            field if WHOLE_PARTS.contains(&field) => (format!("extract({field} from {written})"), 0),
            _ => {
                self.refuse(
                    span,
                    format!("the part '{field}' is not the same on all engines"),
                    "compute it from the year, month, day or epoch",
                );
                return None;
            }
        })
    }

    /// `extract(epoch from a - b)`, and the whole days between.
    fn between_moments(&mut self, value: &Expr, in_days: bool, span: Span) -> Option<(String, i32)> {
        if let Expr::Nested(inner) = value {
            return self.between_moments(inner, in_days, span);
        }
        let moment = |name: &str| matches!(name, "timestamp" | "timestamptz");
        let difference = match value {
            Expr::BinaryOp { left, op: BinaryOperator::Minus, right } => Some((&**left, &**right)),
            _ => None,
        };
        let between =
            difference.filter(|(later, earlier)| moment(self.type_name(later)) && self.type_name(later) == self.type_name(earlier));
        let Some((later, earlier)) = between else {
            self.refuse(span, "this part of an interval is not the same on all engines", "take it of the difference of two timestamps");
            return None;
        };
        let (later, earlier) = (self.expression(later).text, self.expression(earlier).text);
        let micros = match self.target() {
            Engine::DuckDb => format!("(epoch_us({later}) - epoch_us({earlier}))"),
            _ => format!("datediff(microsecond, {earlier}, {later})"),
        };
        if in_days {
            let divided = if self.is(Engine::DuckDb) { "//" } else { "/" };
            return Some((format!("{micros} {divided} 86400000000"), 0));
        }
        Some((format!("{micros} * 0.000001"), 6))
    }

    /// What a date is cut to is a moment with a zone in PostgreSQL.
    pub(super) fn date_trunc(&mut self, call: &Call<'_>) -> Sql {
        let (unit, value, zone) = match call.arguments.as_slice() {
            [unit, value] => (unit, value, None),
            [unit, value, zone] => (unit, value, Some(zone)),
            _ => return self.wrong_arguments(call),
        };
        let Some(unit_text) = plain_text(unit).map(str::to_lowercase).filter(|unit| UNITS.contains(&unit.as_str())) else {
            let help = "write the unit as a literal: year, quarter, month, week, day, hour, minute or second";
            return self.refuse(span_of(unit), "this unit is not the same on all engines", help);
        };
        let kind = self.type_name(value);
        if !matches!(kind, "date" | "timestamp" | "timestamptz") {
            return self.wrong_arguments(call);
        }
        let written = self.expression(value);
        if self.is(Engine::Postgres) {
            let zone = zone.map_or_else(String::new, |zone| format!(", {}", self.expression(zone).text));
            return Sql::atom(format!("date_trunc('{unit_text}', {}{zone})", written.text));
        }
        let name = self.marked(call.span, "date_trunc");
        if let Some(zone) = zone {
            let Some(zone) = self.zone(zone) else { return Sql::atom("null") };
            // A moment without a zone is taken for one with the zone of the session first.
            let moment = match kind {
                "timestamptz" => written.part(),
                _ if self.rewrites(Rewrite::DateTruncation) => format!("cast({} as timestamptz)", written.text),
                _ => written.part(),
            };
            return Sql::loose(format!("{name}('{unit_text}', {moment} at time zone {zone}) at time zone {zone}"));
        }
        let cut = format!("{name}('{unit_text}', {})", written.text);
        match kind {
            "date" if self.rewrites(Rewrite::DateTruncation) => Sql::atom(format!("cast({cut} as timestamptz)")),
            _ => Sql::atom(cut),
        }
    }

    pub(super) fn at_time_zone(&mut self, moment: &Expr, zone: &Expr) -> Sql {
        let Some(zone) = self.zone(zone) else { return Sql::atom("null") };
        let kind = self.type_name(moment);
        let written = self.expression(moment);
        let moment = match kind {
            "timestamp" | "timestamptz" => written.part(),
            "date" => format!("cast({} as timestamptz)", written.text),
            _ => return self.refuse(span_of(moment), format!("{kind} has no time zone"), "cast it to timestamp"),
        };
        Sql::loose(format!("{moment} at time zone {zone}"))
    }

    /// A zone by its name. Offsets are read with another sign by some, and not checked by others.
    fn zone(&mut self, zone: &Expr) -> Option<String> {
        let known = plain_text(zone).filter(|name| *name == "UTC" || name.contains('/') && !name.contains(['+', '-']));
        if known.is_none() {
            self.refuse(
                span_of(zone),
                "this time zone is not the same on all engines",
                "write the name of a region, such as 'Europe/Berlin', or 'UTC'",
            );
        }
        known.map(|name| self.text(name))
    }

    /// The start of the transaction.
    pub(super) fn moment(&mut self, call: &Call<'_>) -> Sql {
        let local = call.name == "localtimestamp";
        if !call.arguments.is_empty() {
            return self.wrong_arguments(call);
        }
        match self.target() {
            Engine::Redshift if !self.rewrites(Rewrite::Now) => self.plain_call(call, &call.name),
            Engine::Redshift if local => Sql::atom("sysdate"),
            Engine::Redshift => Sql::loose("sysdate at time zone 'UTC'"),
            Engine::DuckDb if local => Sql::loose("now() at time zone 'UTC'"),
            _ => Sql::atom("now()"),
        }
    }

    pub(super) fn make_date(&mut self, call: &Call<'_>) -> Sql {
        if !self.is(Engine::Redshift) || !self.rewrites(Rewrite::MakeDate) {
            return self.plain_call(call, "make_date");
        }
        let [year, month, day] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let part = |writer: &mut Self, value: &Expr, width: i32| {
            format!("lpad(cast({} as varchar(11)), {width}, '0')", writer.expression(value).text)
        };
        let parts = [part(self, year, 4), part(self, month, 2), part(self, day, 2)];
        // What has more digits would be cut.
        let [year, month, day] = [year, month, day].map(|value| self.expression(value).part());
        let [years, months, days] = parts;
        let none = format!("{year} not between 1 and 9999 or {month} not between 1 and 12 or {day} not between 1 and 31");
        let known = format!("{year} is not null and {month} is not null and {day} is not null");
        let parts = [format!("case when {known} and ({none}) then 'none' else {years} end"), months, days];
        let text = format!("({}) || '-' || {} || '-' || {}", parts[0], parts[1], parts[2]);
        Sql::atom(format!("to_date({text}, 'YYYY-MM-DD', true)"))
    }

    pub(super) fn formatted_moment(&mut self, call: &Call<'_>) -> Sql {
        let [value, format] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        if !matches!(self.type_name(value), "date" | "timestamp" | "timestamptz") {
            return self.refuse(call.span, "to_char of numbers is not the same on all engines", "round it and cast it to text");
        }
        let Some((format, translated)) = self.format(format, call) else { return Sql::atom("null") };
        let value = self.expression(value).text;
        match self.target() {
            Engine::DuckDb if self.rewrites(Rewrite::DateFormat) => Sql::atom(format!("strftime({value}, {})", self.text(&translated))),
            Engine::DuckDb => Sql::atom(format!("strftime({value}, {})", self.text(&format))),
            _ => Sql::atom(format!("to_char({value}, {})", self.text(&format))),
        }
    }

    pub(super) fn read_date(&mut self, call: &Call<'_>) -> Sql {
        match self.read_moment(call) {
            Some(text) if self.is(Engine::DuckDb) => Sql::atom(format!("cast({text} as date)")),
            Some(text) => Sql::atom(text),
            None => Sql::atom("null"),
        }
    }

    pub(super) fn read_instant(&mut self, call: &Call<'_>) -> Sql {
        if let [seconds] = call.arguments.as_slice() {
            let written = self.expression(seconds);
            return match self.target() {
                Engine::Redshift if self.rewrites(Rewrite::ReadMoment) => {
                    // As binary numbers, and a half to the even neighbour.
                    let exact = format!("(cast({} as double precision) * 1000000)", written.text);
                    let (down, odd) = (format!("floor({exact})"), format!("floor({exact}) / 2 > floor(floor({exact}) / 2)"));
                    let rest = format!("{exact} - {down}");
                    let up = format!("case when {rest} > 0.5 or {rest} = 0.5 and {odd} then 1 else 0 end");
                    let micros = format!("cast({down} + {up} as bigint)");
                    Sql::loose(format!("dateadd(microsecond, {micros}, timestamp '1970-01-01') at time zone 'UTC'"))
                }
                _ => Sql::atom(format!("to_timestamp({})", written.text)),
            };
        }
        match self.read_moment(call) {
            Some(text) if self.is(Engine::DuckDb) => Sql::atom(format!("cast({text} as timestamptz)")),
            Some(text) => Sql::atom(text),
            None => Sql::atom("null"),
        }
    }

    fn read_moment(&mut self, call: &Call<'_>) -> Option<String> {
        let [value, format] = call.arguments.as_slice() else {
            self.wrong_arguments(call);
            return None;
        };
        if let Some(text) = plain_text(format).filter(|text| !is_read_alike(text)) {
            let message = format!("a date is not read alike by '{text}' on all engines");
            self.refuse(span_of(format), message, "write a year of four digits, and months and days as YYYY, MM, DD, DDD or Mon");
            return None;
        }
        let (format, translated) = self.format(format, call)?;
        let value = self.expression(value).text;
        let strict = self.rewrites(Rewrite::ReadMoment);
        Some(match self.target() {
            Engine::DuckDb => format!("strptime({value}, {})", self.text(if strict { &translated } else { &format })),
            // Without the third argument, the 30th of February is a day in March.
            _ => format!("{}({value}, {}{})", call.name, self.text(&format), if strict { ", true" } else { "" }),
        })
    }

    fn format(&mut self, format: &Expr, call: &Call<'_>) -> Option<(String, String)> {
        let help =
            "write a literal of YYYY, YY, MM, DD, DDD, HH24, HH12, MI, SS, MS, US, AM, Mon, FMMonth, Dy, FMDay, IYYY, IW, ID and signs";
        let text = plain_text(format);
        let translated = text.and_then(translate_format);
        if translated.is_none() {
            self.refuse(if text.is_some() { span_of(format) } else { call.span }, "this format is not the same on all engines", help);
        }
        Some((text?.to_owned(), translated?))
    }
}

/// Longer ones before those that they begin with.
const FORMATS: &[(&str, &str)] = &[
    ("FMMonth", "%B"),
    ("FMHH24", "%-H"),
    ("FMHH12", "%-I"),
    ("FMDD", "%-d"),
    ("FMMM", "%-m"),
    ("FMMI", "%-M"),
    ("FMSS", "%-S"),
    ("FMDay", "%A"),
    ("YYYY", "%Y"),
    ("IYYY", "%G"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("DDD", "%j"),
    ("Mon", "%b"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("MS", "%g"),
    ("US", "%f"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("Dy", "%a"),
    ("IW", "%V"),
    ("ID", "%u"),
    ("HH", "%I"),
];

/// Whether text is read alike by a format: a year of four digits is in it, and nothing from which only some engines take a day.
fn is_read_alike(format: &str) -> bool {
    let of_others = ["IYYY", "IW", "ID", "Dy", "Day", "DAY", "DY"];
    let years = format.replace("YYYY", "");
    years.len() < format.len() && !years.contains("YY") && !of_others.iter().any(|part| format.contains(part))
}

/// A format of `to_char` as one of `strftime`; `None` where a part of it has no counterpart.
fn translate_format(format: &str) -> Option<String> {
    let mut translated = String::new();
    let mut rest = format;
    // Seconds of the day, and the day of the year by weeks, are other parts than those that they begin with.
    if format.contains("SSSS") || format.contains("IDDD") {
        return None;
    }
    while let Some(c) = rest.chars().next() {
        if let Some((known, code)) = FORMATS.iter().find(|(known, _)| rest.starts_with(known)) {
            translated.push_str(code);
            rest = rest.get(known.len()..)?;
            continue;
        }
        rest = rest.get(c.len_utf8()..)?;
        match c {
            '"' => {
                let (quoted, after) = rest.split_once('"')?;
                translated.push_str(&quoted.replace('%', "%%"));
                rest = after;
            }
            '%' => translated.push_str("%%"),
            c if c.is_alphanumeric() => return None,
            c => translated.push(c),
        }
    }
    Some(translated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_translated_or_refused() {
        assert_eq!(translate_format("YYYY-MM-DD\"T\"HH24:MI:SS.US").as_deref(), Some("%Y-%m-%dT%H:%M:%S.%f"));
        assert_eq!(translate_format("FMMonth YYYY"), Some("%B %Y".to_owned()));
        assert_eq!(translate_format("Month"), None);
        assert_eq!(translate_format("Q"), None);
        assert_eq!(translate_format("SSSS"), None);
        assert!(is_read_alike("DD.MM.YYYY") && !is_read_alike("YY-MM-DD") && !is_read_alike("MM-DD") && !is_read_alike("IYYY-IW"));
    }
}
