//! Intervals: literals, and what is added to moments. Redshift adds months, days and microseconds with `dateadd`, in years of twelve months,
//! so that the 29th of February meets the 28th as everywhere.
//!
//! - <https://www.postgresql.org/docs/15/datatype-datetime.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html>
//! - <https://duckdb.org/docs/stable/sql/data_types/interval>

use sqlparser::ast::{BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Interval};

use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

/// What PostgreSQL keeps of an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    months: i64,
    days: i64,
    micros: i64,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3600 * SECOND;

impl Span {
    fn with(self, other: Span) -> Option<Span> {
        Some(Span {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            micros: self.micros.checked_add(other.micros)?,
        })
    }

    /// Whether every engine has room for it: months and days in 32 bits, and all of it in microseconds.
    fn is_kept_everywhere(self) -> bool {
        let all = self.months.checked_mul(30).and_then(|days| days.checked_add(self.days)).and_then(|days| days.checked_mul(DAY));
        let fits = |count: i64| i32::try_from(count).is_ok();
        fits(self.months) && fits(self.days) && all.and_then(|all| all.checked_add(self.micros)).is_some() && self.micros != i64::MIN
    }

    /// As PostgreSQL compares it: days of 24 hours, months of 30 days.
    pub(super) fn in_micros(self) -> i64 {
        (self.months * 30 + self.days) * DAY + self.micros
    }

    /// Its length, where that is always the same.
    pub(super) fn in_fixed_micros(self) -> Option<i64> {
        (self.months == 0).then(|| self.in_micros())
    }

    /// The only unit of DATEADD in it, and how many of that.
    pub(super) fn in_one_unit(self) -> Option<(i64, &'static str)> {
        match (self.months, self.days, self.micros) {
            (months @ 1.., 0, 0) | (months @ ..=-1, 0, 0) => Some((months, "month")),
            (0, days @ 1.., 0) | (0, days @ ..=-1, 0) => Some((days, "day")),
            (0, 0, micros @ 1..) | (0, 0, micros @ ..=-1) => {
                let units = [("hour", 3600 * SECOND), ("minute", 60 * SECOND), ("second", SECOND)];
                let whole = units.into_iter().find(|(_, size)| micros % size == 0);
                Some(whole.map_or((micros, "microsecond"), |(unit, size)| (micros / size, unit)))
            }
            _ => None,
        }
    }
}

impl Writer<'_> {
    /// `interval '1 month'`
    pub(super) fn interval(&mut self, interval: &Interval, expression: &Expr) -> Sql {
        match read_interval(interval) {
            Some(span) => self.interval_literal(span, expression),
            None => {
                self.refuse(span_of(expression), "this interval is not the same on all engines", "write it as interval '1 month 2 days'")
            }
        }
    }

    /// `'1 month'::interval`
    pub(super) fn interval_cast(&mut self, inner: &Expr, data_type: &DataType) -> Option<Sql> {
        if !matches!(data_type, DataType::Interval { fields: None, precision: None }) {
            return None;
        }
        Some(self.interval_spelled(inner))
    }

    /// What becomes an interval.
    pub(super) fn interval_spelled(&mut self, inner: &Expr) -> Sql {
        let span = plain_text(inner).and_then(read_text);
        match (span, counted_units(inner)) {
            (Some(span), _) => self.interval_literal(span, inner),
            (None, Some((unit, count))) => self.times_interval(unit, count, inner),
            (None, None) => self.refuse(
                span_of(inner),
                "a cast to interval is not the same on all engines",
                "write a literal, times a number where it varies",
            ),
        }
    }

    /// `(n || ' days')::interval` and `make_interval(days => n)`: a literal, times a whole number.
    fn times_interval(&mut self, unit: Span, count: &Expr, place: &Expr) -> Sql {
        if !matches!(self.type_name(count), "int2" | "int4") {
            return self.refuse(span_of(place), "an interval of this many units is not the same on all engines", "count with an integer");
        }
        let count = self.expression(count).part();
        let literal = self.interval_literal(unit, place).text;
        Sql::loose(format!("{count} * {literal}"))
    }

    /// A call of `make_interval` with one unit by its name.
    pub(super) fn interval_made(&mut self, function: &Function, place: &Expr) -> Option<Sql> {
        let (unit, count) = made_interval(function)?;
        Some(self.times_interval(unit, count, place))
    }

    fn interval_literal(&mut self, span: Span, expression: &Expr) -> Sql {
        if self.is(Engine::Redshift) {
            return self.lacks(span_of(expression), "an interval that stands alone", "add it to a moment");
        }
        let mut parts = Vec::new();
        for (count, unit) in [(span.months, "months"), (span.days, "days")] {
            if count != 0 {
                parts.push(format!("{count} {unit}"));
            }
        }
        if span.micros != 0 || parts.is_empty() {
            parts.push(format!("{} seconds", seconds(span.micros)));
        }
        Sql::atom(format!("interval '{}'", parts.join(" ")))
    }

    /// A moment and an interval, or days; `None` where it is neither.
    pub(super) fn moved(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Sql> {
        let moment = |name: &str| matches!(name, "date" | "timestamp" | "timestamptz");
        let (one, other) = (self.type_name(left), self.type_name(right));
        for (base, added) in [(one, right), (other, left)] {
            if *op == BinaryOperator::Plus && moment(base) && plain_text(added).is_some() {
                let help = "write interval '1 month', or a whole number of days";
                return Some(self.refuse(span_of(added), "a literal without a type beside a moment is not the same on all engines", help));
            }
        }
        if one == "date" && other == "date" && self.is(Engine::DuckDb) {
            let difference = Sql::loose(format!("{} - {}", self.expression(left).part(), self.expression(right).part()));
            return Some(Sql::atom(format!("cast({} as integer)", difference.text)));
        }
        if moment(one) && moment(other) && self.is(Engine::Redshift) && (one, other) != ("date", "date") {
            return Some(self.lacks(span_of(left), "an interval between moments", "take extract(epoch from a - b), or subtract dates"));
        }
        let (base, added, sign) = match (one, op, other) {
            (_, BinaryOperator::Plus, "interval") if moment(one) => (left, right, 1),
            (_, BinaryOperator::Minus, "interval") if moment(one) => (left, right, -1),
            ("interval", BinaryOperator::Plus, _) if moment(other) => (right, left, 1),
            _ => return None,
        };
        if !self.is(Engine::Redshift) {
            return None;
        }
        let Some((span, times)) = scaled(added) else {
            return Some(self.lacks(
                span_of(added),
                "an interval that is computed",
                "write a literal, times a whole number where it varies",
            ));
        };
        if let Some(times) = times.filter(|times| !matches!(self.type_name(times), "int2" | "int4" | "int8")) {
            return Some(self.lacks(span_of(times), "an interval times a fraction", "take whole numbers of a smaller unit"));
        }
        Some(self.added(base, span, times, sign))
    }

    fn added(&mut self, base: &Expr, span: Span, times: Option<&Expr>, sign: i64) -> Sql {
        let mut text = self.expression(base).text;
        let times = times.map(|times| self.expression(times).part());
        let rewritten = self.rewrites(Rewrite::DateAddition);
        // Years of twelve months: DATEADD of a year would make the 29th of February the 1st of March.
        let units = [("month", span.months), ("day", span.days), ("microsecond", span.micros)];
        for (unit, count) in units.into_iter().filter(|(_, count)| *count != 0) {
            let count = count * sign;
            let (unit, count) = if !rewritten && unit == "month" && count % 12 == 0 { ("year", count / 12) } else { (unit, count) };
            // So many microseconds are no plain integer.
            let wide = if unit == "microsecond" { format!("cast({count} as bigint)") } else { count.to_string() };
            let count = times.as_ref().map_or_else(|| count.to_string(), |times| format!("{wide} * {times}"));
            text = format!("dateadd({unit}, {count}, {text})");
        }
        if self.type_name(base) == "date" { Sql::atom(format!("cast({text} as timestamp)")) } else { Sql::atom(text) }
    }
}

/// An interval literal, and the number that it is taken times.
pub(super) fn scaled(expression: &Expr) -> Option<(Span, Option<&Expr>)> {
    match expression {
        Expr::Nested(inner) => scaled(inner),
        Expr::Interval(interval) => Some((read_interval(interval)?, None)),
        Expr::Value(_) => Some((read_text(plain_text(expression)?)?, None)),
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => match plain_text(expr) {
            Some(text) => Some((read_text(text)?, None)),
            None => counted_units(expr).map(|(unit, count)| (unit, Some(count))),
        },
        Expr::Function(function) => made_interval(function).map(|(unit, count)| (unit, Some(count))),
        Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } => match (scaled(left), scaled(right)) {
            (Some((span, None)), None) => Some((span, Some(right))),
            (None, Some((span, None))) => Some((span, Some(left))),
            _ => None,
        },
        _ => None,
    }
}

/// `n || ' days'`
fn counted_units(text: &Expr) -> Option<(Span, &Expr)> {
    match text {
        Expr::Nested(inner) => counted_units(inner),
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            let unit = plain_text(right)?.trim();
            let is_word = !unit.is_empty() && unit.chars().all(|c| c.is_ascii_alphabetic());
            let unit = read_text(&format!("1 {unit}")).filter(|_| is_word)?;
            match &**left {
                Expr::Cast { expr, .. } => Some((unit, expr)),
                count => Some((unit, count)),
            }
        }
        _ => None,
    }
}

/// `make_interval(days => n)`
fn made_interval(function: &Function) -> Option<(Span, &Expr)> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let [argument] = list.args.as_slice() else { return None };
    let (name, count) = match argument {
        FunctionArg::Named { name, arg: FunctionArgExpr::Expr(count), .. } => (name, count),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(count), .. } => (name, count),
        _ => return None,
    };
    let unit = name.value.to_lowercase();
    let known = matches!(unit.as_str(), "years" | "months" | "weeks" | "days" | "hours" | "mins");
    if !known || !function.name.to_string().eq_ignore_ascii_case("make_interval") {
        return None;
    }
    Some((read_text(&format!("1 {unit}"))?, count))
}

fn read_interval(interval: &Interval) -> Option<Span> {
    if interval.last_field.is_some() || interval.leading_precision.is_some() || interval.fractional_seconds_precision.is_some() {
        return None;
    }
    let text = plain_text(&interval.value)?;
    match &interval.leading_field {
        None => read_text(text),
        Some(field) => read_text(&format!("{} {field}", text.trim())),
    }
}

/// `1 year 2 months -3 days 04:05:06.7`
fn read_text(text: &str) -> Option<Span> {
    let mut span = Span::default();
    let spaced = spaced(text);
    let mut words = spaced.split_whitespace().peekable();
    let mut seen = false;
    while let Some(word) = words.next() {
        seen = true;
        let part = if word.contains(':') {
            Span { micros: read_clock(word)?, ..Span::default() }
        } else {
            let unit = words.next().unwrap_or("second").to_ascii_lowercase();
            units(word, &unit)?
        };
        span = span.with(part)?;
    }
    (seen && span.is_kept_everywhere()).then_some(span)
}

/// So many of a unit, by any of the names that PostgreSQL knows it by.
fn units(count: &str, unit: &str) -> Option<Span> {
    let months = |factor: i64| Some(Span { months: whole(count)?.checked_mul(factor)?, ..Span::default() });
    let days = |factor: i64| Some(Span { days: whole(count)?.checked_mul(factor)?, ..Span::default() });
    let micros = |factor: i64| Some(Span { micros: read_scaled(count, factor)?, ..Span::default() });
    match unit {
        "year" | "years" | "y" | "yr" | "yrs" => months(12),
        "month" | "months" | "mon" | "mons" => months(1),
        "week" | "weeks" | "w" => days(7),
        "day" | "days" | "d" => days(1),
        "hour" | "hours" | "h" | "hr" | "hrs" => micros(3600 * SECOND),
        "minute" | "minutes" | "m" | "min" | "mins" => micros(60 * SECOND),
        "second" | "seconds" | "s" | "sec" | "secs" => micros(SECOND),
        "millisecond" | "milliseconds" | "ms" | "msec" | "msecs" => micros(SECOND / 1000),
        "microsecond" | "microseconds" | "us" | "usec" | "usecs" => micros(1),
        _ => None,
    }
}

/// `1day` as two words.
fn spaced(text: &str) -> String {
    let mut spaced = String::new();
    let mut digit = false;
    // A sign may stand apart from its number.
    for c in text.replace("- ", "-").replace("+ ", "+").chars() {
        if digit && c.is_alphabetic() {
            spaced.push(' ');
        }
        digit = c.is_ascii_digit();
        spaced.push(c);
    }
    spaced
}

fn whole(word: &str) -> Option<i64> {
    word.strip_prefix('+').unwrap_or(word).parse().ok()
}

/// A number with a fraction, times a factor; none where that is no whole number.
fn read_scaled(word: &str, factor: i64) -> Option<i64> {
    let (sign, digits) = word.strip_prefix('-').map_or((1, word.trim_start_matches('+')), |digits| (-1, digits));
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let units: i64 = if units.is_empty() { 0 } else { units.parse().ok()? };
    let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let fraction: i64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let part = fraction.checked_mul(factor)?;
    let all = units.checked_mul(factor)?.checked_add(part / scale)?;
    (part % scale == 0).then_some(sign * all)
}

fn read_clock(word: &str) -> Option<i64> {
    let (sign, digits) = word.strip_prefix('-').map_or((1, word), |digits| (-1, digits));
    let mut parts = digits.split(':');
    let hours = read_scaled(parts.next()?, 3600 * SECOND)?;
    let minutes = read_scaled(parts.next()?, 60 * SECOND)?;
    let seconds = parts.next().map_or(Some(0), |part| read_scaled(part, SECOND))?;
    let all = hours.checked_add(minutes)?.checked_add(seconds)?;
    parts.next().is_none().then_some(sign * all)
}

fn seconds(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:06}", micros.abs() / SECOND, micros.abs() % SECOND);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_intervals() {
        let read = |text: &str| read_text(text).map(|span| (span.months, span.days, span.micros));
        assert_eq!(read("1 year 2 months"), Some((14, 0, 0)));
        assert_eq!(read("-1 day 02:03:04.5"), Some((0, -1, 7_384_500_000)));
        assert_eq!(read("1.5 hours"), Some((0, 0, 5_400_000_000)));
        assert_eq!(read("3"), Some((0, 0, 3_000_000)));
        assert_eq!(read("1week"), Some((0, 7, 0)));
        assert_eq!(read("1 month - 1 day"), Some((1, -1, 0)));
        assert_eq!(read("500 ms"), Some((0, 0, 500_000)));
        assert_eq!(read("2 usecs 3 s"), Some((0, 0, 3_000_002)));
        assert_eq!(read("1 hs"), None);
        assert_eq!(read("999999999999999999 years"), None);
        assert_eq!(read("9223372036854775807 seconds"), None);
        assert_eq!(read("2562047788:00:54"), read("9223372036854 seconds"));
        assert_eq!(read("1.5 months"), None);
        assert_eq!(read("1 day ago"), None);
        assert_eq!(seconds(-1_500_000), "-1.5");
    }
}
