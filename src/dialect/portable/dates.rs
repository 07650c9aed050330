//! Dates and moments: parts, truncation, formats, now.
//!
//! - <https://www.postgresql.org/docs/15/functions-datetime.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html>
//! - <https://duckdb.org/docs/stable/sql/functions/timestamp>

use sqlparser::ast::{BinaryOperator, Expr};
use sqlparser::tokenizer::Span;

use super::ages::is_age;
use super::calls::Call;
use super::formats::{Piece, is_read_alike, read_format};
use super::intervals::scaled;
use super::literals::plain_text;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

/// Parts of a date that are whole numbers and mean the same everywhere.
pub(super) const WHOLE_PARTS: &[&str] = &["year", "quarter", "month", "week", "day", "hour", "minute", "dow", "doy"];
/// What moments are cut to.
const UNITS: &[&str] = &["year", "quarter", "month", "week", "day", "hour", "minute", "second"];

/// A literal, or the year of a moment.
fn is_year(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_year(inner),
        Expr::Extract { .. } => true,
        other => whole_number(other).is_some_and(|year| year > 0),
    }
}

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
        if let Some(years) = self.part_of_age(field, value) {
            return Some((years, 0));
        }
        if matches!(field, "epoch" | "day" | "hour" | "minute" | "second") && kind == "interval" {
            return self.between_moments(value, field, span);
        }
        if kind.is_empty() && self.is_refused(value) {
            return None;
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
            "second" | "epoch" => (format!("extract({field} from {written})"), 6),
            field if WHOLE_PARTS.contains(&field) => (format!("extract({field} from {written})"), 0),
            _ => {
                self.refuse(
                    span,
                    format!("the part '{field}' is not the same on all engines"),
                    match field {
                        "weekday" | "dayofweek" | "dw" => "write dow: 0 is Sunday",
                        "dayofyear" | "dy" | "yearday" => "write doy",
                        "weekofyear" | "isoweek" | "ww" | "wk" => "write week",
                        "yy" | "yyyy" => "write year",
                        "mm" | "mon" => "write month",
                        "dd" => "write day",
                        "qq" => "write quarter",
                        _ => "compute it from the year, month, day or epoch",
                    },
                );
                return None;
            }
        })
    }

    /// `extract(epoch from a - b)`, and the whole days, hours and minutes between.
    fn between_moments(&mut self, value: &Expr, field: &str, span: Span) -> Option<(String, i32)> {
        if let Expr::Nested(inner) = value {
            return self.between_moments(inner, field, span);
        }
        let between = match value {
            Expr::BinaryOp { left, op: BinaryOperator::Minus, right } => self.moments_apart(left, right),
            _ => None,
        };
        let Some((later, earlier)) = between else {
            self.refuse(span, "this part of an interval is not the same on all engines", "take it of the difference of two timestamps");
            return None;
        };
        let micros = match self.target() {
            Engine::DuckDb => format!("(epoch_us({later}) - epoch_us({earlier}))"),
            _ => format!("datediff(microsecond, {earlier}, {later})"),
        };
        let divided = if self.is(Engine::DuckDb) { "//" } else { "/" };
        Some(match field {
            "day" => (format!("{micros} {divided} 86400000000"), 0),
            "hour" => (format!("({micros} % 86400000000) {divided} 3600000000"), 0),
            "minute" => (format!("({micros} % 3600000000) {divided} 60000000"), 0),
            "second" => (format!("({micros} % 60000000) * 0.000001"), 6),
            _ => (format!("{micros} * 0.000001"), 6),
        })
    }

    /// DuckDB takes the word for the column of the list that has its name.
    pub(super) fn today(&mut self, call: &Call<'_>) -> Sql {
        if self.is(Engine::DuckDb) { Sql::atom("current_date()".to_owned()) } else { self.plain_call(call, "current_date") }
    }

    /// A moment that is cut, beside something that it equals or not. Where that is a constant which begins no unit, DuckDB knows the answer
    /// without a look at the moment, and gives it for nulls too, unless it does not see that the moment is cut.
    pub(super) fn hide_cut(&mut self, side: &Expr, written: String) -> String {
        let is_cut = matches!(side, Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("date_trunc"));
        let hides = is_cut && self.is(Engine::DuckDb) && self.rewrites(Rewrite::DateTruncation);
        if hides { format!("least({written})") } else { written }
    }

    /// What a date is cut to is a moment with a zone in PostgreSQL.
    pub(super) fn date_trunc(&mut self, call: &Call<'_>) -> Sql {
        let (unit, value, zone) = match call.arguments.as_slice() {
            [unit, value] => (unit, value, None),
            [unit, value, zone] => (unit, value, Some(zone)),
            _ => return self.wrong_arguments(call),
        };
        let Some(unit_text) = plain_text(unit).map(str::to_lowercase).filter(|unit| UNITS.contains(&unit.as_str())) else {
            if plain_text(value).is_some_and(|unit| UNITS.contains(&unit.to_lowercase().as_str())) {
                return self.wrong_arguments(call);
            }
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

    /// `timezone(zone, moment)`
    pub(super) fn time_zone_call(&mut self, call: &Call<'_>) -> Sql {
        match call.arguments.as_slice() {
            [zone, moment] => self.at_time_zone(moment, zone),
            _ => self.wrong_arguments(call),
        }
    }

    /// A moment, cut to steps of one length from an origin on.
    pub(super) fn date_bin(&mut self, call: &Call<'_>) -> Sql {
        let [step, moment, origin] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let micros =
            scaled(step).filter(|(_, times)| times.is_none()).and_then(|(span, _)| span.in_fixed_micros()).filter(|size| *size > 0);
        let kind = self.type_name(moment);
        let (Some(micros), true) = (micros, kind == "timestamp" && self.type_name(origin) == kind) else {
            let help = "write a literal of days and less, and both moments without a zone";
            return self.refuse(call.span, "this kind of date_bin is not the same on all engines", help);
        };
        let (moment, origin) = (self.expression(moment).part(), self.expression(origin).part());
        if !self.rewrites(Rewrite::DateBin) {
            return self.plain_call(call, "date_bin");
        }
        let since = match self.target() {
            Engine::DuckDb => format!("(epoch_us({moment}) - epoch_us({origin}))"),
            _ => format!("datediff(microsecond, {origin}, {moment})"),
        };
        // What lies before the origin is cut downwards too.
        let cut = format!("{since} - ({since} % {micros} + {micros}) % {micros}");
        match self.target() {
            Engine::DuckDb => Sql::loose(format!("{origin} + to_microseconds({cut})")),
            _ => Sql::atom(format!("dateadd(microsecond, {cut}, {origin})")),
        }
    }

    /// A zone by its name. Offsets are read with another sign by some, and not checked by others.
    fn zone(&mut self, zone: &Expr) -> Option<String> {
        let known = plain_text(zone).filter(|name| *name == "UTC" || name.contains('/') && !name.contains(['+', '-']));
        if known.is_none() {
            self.refuse(
                span_of(zone),
                "this time zone is not the same on all engines",
                "write the name of a region, such as 'Europe/Berlin', or 'UTC'; of a zone in a column a CASE with a branch for each zone",
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
        let [year, month, day] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        if self.is(Engine::DuckDb) && !is_year(year) && self.rewrites(Rewrite::MakeDate) {
            // It has a year 0, and those before it.
            let (part, written) = (self.expression(year).part(), self.plain_call(call, "make_date").text);
            return Sql::loose(format!("case when {part} < 1 then error('date field value out of range') else {written} end"));
        }
        if !self.is(Engine::Redshift) || !self.rewrites(Rewrite::MakeDate) {
            return self.plain_call(call, "make_date");
        }
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
            return self.formatted_number(call, value, format);
        }
        let Some((text, pieces)) = self.format(format, call) else { return Sql::atom("null") };
        let value = self.expression(value).text;
        match self.target() {
            Engine::DuckDb if self.rewrites(Rewrite::DateFormat) => self.put_together(&pieces, |writer, run| match run {
                [Piece::Made(_, text)] => text.replace("{}", &value),
                run => format!("strftime({value}, {})", writer.text(&run.iter().filter_map(Piece::code).collect::<String>())),
            }),
            Engine::DuckDb => Sql::atom(format!("strftime({value}, {})", self.text(&text))),
            Engine::Redshift => self.put_together(&pieces, |writer, run| match run {
                [Piece::Quoted(text)] => writer.text(text),
                run => format!("to_char({value}, {})", writer.text(&run.iter().map(Piece::spelled).collect::<String>())),
            }),
            _ => Sql::atom(format!("to_char({value}, {})", self.text(&text))),
        }
    }

    /// Runs of a format that one call can write, joined.
    fn put_together(&mut self, pieces: &[Piece<'_>], mut write: impl FnMut(&mut Self, &[Piece<'_>]) -> String) -> Sql {
        let apart = |piece: &Piece<'_>| match self.engine {
            Engine::Redshift => matches!(piece, Piece::Quoted(_)),
            _ => matches!(piece, Piece::Made(..)),
        };
        let runs: Vec<&[Piece<'_>]> = pieces.chunk_by(|one, other| !apart(one) && !apart(other)).collect();
        let mut parts: Vec<String> = runs.into_iter().map(|run| write(self, run)).collect();
        match parts.len() {
            1 => Sql::atom(parts.pop().unwrap_or_default()),
            _ => Sql::loose(parts.join(" || ")),
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
        let (text, pieces) = self.format(format, call)?;
        let Some(codes) = pieces.iter().map(Piece::code).collect::<Option<String>>() else {
            return self.not_read_alike(format, &text);
        };
        if !is_read_alike(&pieces) {
            return self.not_read_alike(format, &text);
        }
        let spelled: String = pieces.iter().map(Piece::spelled).collect();
        let value = self.expression(value).text;
        let strict = self.rewrites(Rewrite::ReadMoment);
        Some(match self.target() {
            Engine::DuckDb => format!("strptime({value}, {})", self.text(if strict { &codes } else { &text })),
            // Without the third argument, the 30th of February is a day in March.
            _ => format!("{}({value}, {}{})", call.name, self.text(&spelled), if strict { ", true" } else { "" }),
        })
    }

    fn not_read_alike(&mut self, format: &Expr, text: &str) -> Option<String> {
        let message = format!("a date is not read alike by '{text}' on all engines");
        self.refuse(span_of(format), message, "write a year of four digits, and months and days as YYYY, MM, DD, DDD or Mon");
        None
    }

    fn format<'e>(&mut self, format: &'e Expr, call: &Call<'_>) -> Option<(String, Vec<Piece<'e>>)> {
        let help = "write a literal of YYYY, YY, Q, MM, DD, DDD, D, HH24, HH12, MI, SS, MS, US, AM, Mon, Month, Dy, Day, IYYY, IW, ID, \
                    WW, W, FM before names, and signs";
        let text = plain_text(format);
        let pieces = text.and_then(read_format);
        if pieces.is_none() {
            self.refuse(if text.is_some() { span_of(format) } else { call.span }, "this format is not the same on all engines", help);
        }
        Some((text?.to_owned(), pieces?))
    }
}
