//! Units in expressions: what must be alike, and what comes of an operator or a function. The rules are told in `analysis/units`.

use sqlparser::ast::{DataType, Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::literal::quoted;
use super::scope::Column;
use super::{Finding, Inference, known};
use crate::analysis::facts::{Facts, Meaning, merge_labels};
use crate::analysis::sql_type::SqlType;
use crate::analysis::units::{Currency, Kind, Measure, Unit, Zone, known_zone_name};
use crate::diag::{Diagnostic, codes};

/// Operators whose sides must be of one unit.
const COMPARISONS: &[&str] = &["=", "<>", "!=", "<", "<=", ">", ">="];

/// Functions and aggregates that give a value in the unit of their first argument.
const KEEPS_FIRST: &[&str] = &[
    "abs",
    "any_value",
    "array_agg",
    "array_append",
    "array_cat",
    "array_prepend",
    "array_remove",
    "avg",
    "btrim",
    "ceil",
    "ceiling",
    "first_value",
    "floor",
    "lag",
    "last_value",
    "lead",
    "left",
    "ltrim",
    "max",
    "min",
    "mod",
    "mode",
    "nth_value",
    "percentile_cont",
    "percentile_disc",
    "round",
    "rtrim",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "substr",
    "substring",
    "sum",
    "trim",
    "trunc",
    "unnest",
    "upper",
];

/// Aggregates of which nothing of the values is left.
const COUNTS: &[&str] = &["count", "row_number", "rank", "dense_rank", "ntile", "regr_count", "approx_count_distinct"];

/// What an expression's unit is, moments by their type included.
pub(super) fn measure(facts: &Facts) -> Measure {
    match (&facts.meaning.measure, facts.sql_type) {
        (Measure::Unknown, Some(kind)) if kind.id == known().timestamptz => Unit::from(Kind::Instant).into(),
        (measure, _) => measure.clone(),
    }
}

/// A day of which nobody has said on what clock it is.
pub(super) fn is_plain_day(facts: &Facts) -> bool {
    facts.meaning.measure == Measure::Unknown && facts.sql_type.is_some_and(|kind| kind.id == known().date)
}

fn is_moment(measure: &Measure) -> bool {
    measure.unit().is_some_and(Unit::is_moment)
}

impl Inference<'_> {
    /// Findings about units do not put names in doubt, so they are kept apart.
    pub(super) fn find_unit(&mut self, span: Span, diagnostic: Diagnostic) {
        let range = self.lines.range(span);
        self.unit_findings.push(Finding::new(diagnostic, range));
    }

    /// A unit with the columns that name its currencies.
    pub(super) fn spelled_unit(&self, unit: &Unit) -> String {
        let named = unit.with_currencies(&mut |currency| match currency {
            Currency::Column(id) => self.currency_names.get(id).map(|name| Currency::Sibling(name.as_str().into())),
            _ => None,
        });
        named.as_ref().unwrap_or(unit).to_string()
    }

    /// Both sides of an operator must be of one unit.
    pub(super) fn check_operator_units(&mut self, name: &str, left: &Facts, right: &Facts, span: &dyn Fn() -> Span) {
        let adds = matches!(name, "+" | "-");
        if !adds && !COMPARISONS.contains(&name) {
            return;
        }
        let (one, other) = self.together(left, right);
        // Days are added to a day.
        if adds && is_moment(&one) != is_moment(&other) {
            return;
        }
        if one.unified(&other).is_err() {
            let what = if adds { format!("operator {name}") } else { format!("the comparison with {name}") };
            self.unlike(&format!("{what} has"), "on one side", "on the other", (&one, &other), span());
        }
    }

    /// One error about two units, with the places where they were declared.
    pub(super) fn unlike(&mut self, what: &str, here: &str, there: &str, sides: (&Measure, &Measure), span: Span) {
        self.told_unlike(&|one, other| format!("{what} the unit '{one}' {here} and '{other}' {there}"), sides, span);
    }

    fn told_unlike(&mut self, message: &dyn Fn(&str, &str) -> String, sides: (&Measure, &Measure), span: Span) {
        let (Some(one), Some(other)) = (sides.0.unit(), sides.1.unit()) else { return };
        // What nobody has declared is not held against anybody: a count beside a quotient of counts. A zone in the SQL is declared there.
        let clocks = [one, other].iter().all(|unit| matches!(unit.single(), Some(Kind::Clock(_))));
        if sides.0.declared().or(sides.1.declared()).is_none() && !clocks {
            return;
        }
        let (one_text, other_text) = (self.spelled_unit(one), self.spelled_unit(other));
        let mut problem = Diagnostic::new(&codes::UNIT_MISMATCH, message(&one_text, &other_text));
        for (measure, text) in [(sides.0, &one_text), (sides.1, &other_text)] {
            if let Some(place) = measure.declared() {
                problem = problem.also(place, format!("'{text}' comes from here"));
            }
        }
        let help = if one.is_moment() && other.is_moment() {
            "make both instants with 'at time zone', each with the zone of its own clock"
        } else {
            "convert one side with a macro that acca.yml declares under 'conversions'"
        };
        self.find_unit(span, problem.help(help));
    }

    /// What an arithmetic operator gives.
    pub(super) fn operator_measure(&self, name: &str, left: &Facts, right: &Facts) -> Measure {
        let (one, other) = self.together(left, right);
        let is_truncated_day =
            |facts: &Facts| facts.meaning.measure == Measure::Number && facts.sql_type.is_some_and(|kind| kind.id == known().timestamptz);
        match name {
            // A day that was truncated, and an interval.
            "+" | "-" if is_truncated_day(left) || is_truncated_day(right) => Measure::Number,
            "+" | "-" => match (is_moment(&one), is_moment(&other)) {
                (true, true) => Measure::Unknown,
                (true, false) => one,
                (false, true) => other,
                (false, false) => one.unified(&other).unwrap_or_default(),
            },
            "*" => one.times(&other),
            "/" => one.divided_by(&other),
            "%" => one,
            _ => Measure::Unknown,
        }
    }

    /// The unit of branches, which must be one.
    pub(super) fn common_measure(&mut self, what: &str, parts: &[(Facts, &Expr)]) -> Measure {
        let mut common: Option<Measure> = None;
        for (facts, expression) in parts {
            let here = measure(facts);
            let Some(so_far) = common else {
                common = Some(here);
                continue;
            };
            let (so_far, here) = self.alike(&so_far, &here);
            match so_far.unified(&here) {
                Ok(both) => common = Some(both),
                Err(_) => {
                    self.unlike(&format!("{what} gives"), "in one place", "in another", (&so_far, &here), expression.span());
                    return Measure::Unknown;
                }
            }
        }
        common.unwrap_or_default()
    }

    /// A cast keeps the unit. A clock's reading that becomes an instant takes the zone of whoever asks.
    pub(super) fn cast_measure(&mut self, facts: &Facts, target: Option<SqlType>, data_type: &DataType, span: Span) -> Measure {
        let given = measure(facts);
        let Some(target) = target else { return given };
        let moment = given.unit().and_then(Unit::single).cloned();
        match moment {
            // There and back again in one zone.
            Some(Kind::Clock(Zone::Session)) if target.id == known().timestamptz => Unit::from(Kind::Instant).into(),
            Some(Kind::Clock(_)) if target.id == known().timestamptz => {
                if given.declared().is_none() {
                    return Measure::Unknown;
                }
                let unit = given.unit().map(Unit::to_string).unwrap_or_default();
                let mut problem = Diagnostic::new(
                    &codes::UNIT_MISMATCH,
                    format!("the cast to {data_type} reads the unit '{unit}' in the zone of the session"),
                );
                if let Some(place) = given.declared() {
                    problem = problem.also(place, format!("'{unit}' comes from here"));
                }
                self.find_unit(span, problem.help("name the zone of the clock with 'at time zone'"));
                Measure::Unknown
            }
            Some(Kind::Instant) if [known().date, known().timestamp].contains(&target.id) => {
                Measure::of(Kind::Clock(Zone::Session).into(), given.declared())
            }
            Some(Kind::Instant) if target.id != known().timestamptz => Measure::Unknown,
            _ if target.id == known().bool => Measure::Unknown,
            _ => given,
        }
    }

    /// What a function gives, when its arguments are of units.
    pub(super) fn call_measure(&mut self, name: &str, facts: &[Facts], expressions: &[Option<&Expr>], span: Span) -> Measure {
        let first = || facts.first().map(measure).unwrap_or_default();
        match name {
            _ if COUNTS.contains(&name) => Unit::from(Kind::Count).into(),
            _ if KEEPS_FIRST.contains(&name) => first(),
            "date_trunc" | "date_bin" => match facts.get(1) {
                // A plain day: that the database makes an instant of it, in a zone of its own, does not mean that anybody said so.
                Some(day) if is_plain_day(day) => Measure::Number,
                moment => moment.map(measure).unwrap_or_default(),
            },
            "age" => {
                if let [one, other] = facts {
                    self.check_operator_units("-", one, other, &|| span);
                }
                Measure::Unknown
            }
            "timezone" => match (facts, expressions.first().copied().flatten()) {
                ([named_by, moment, ..], Some(zone)) => self.in_zone(moment, (named_by, zone), span),
                _ => Measure::Unknown,
            },
            _ => Measure::Unknown,
        }
    }

    /// `moment at time zone zone`.
    fn in_zone(&mut self, moment: &Facts, (named_by, zone): (&Facts, &Expr), span: Span) -> Measure {
        let given = measure(moment);
        let by = named_by.meaning.same_as;
        let zone = match quoted(zone) {
            Some(name) if !self.is_zone(name, zone.span()) => None,
            Some(name) => Some(Zone::parse(name)),
            None if by != 0 => {
                self.currency_names.entry(by).or_insert_with(|| zone.to_string());
                Some(Zone::Column(by))
            }
            None => None,
        };
        match given.unit().and_then(Unit::single) {
            Some(Kind::Instant) => match zone {
                Some(zone) => Measure::of(Kind::Clock(zone).into(), given.declared()),
                None => Measure::Unknown,
            },
            Some(Kind::Clock(held)) => {
                // A column may well name the one zone that a clock is in.
                let may_be = matches!((held, &zone), (Zone::Named(_) | Zone::Utc, Some(Zone::Column(_))));
                if let Some(zone) = zone.filter(|_| !may_be) {
                    let (given, read) = self.alike(&given, &Unit::from(Kind::Clock(zone)).into());
                    if given.unified(&read).is_err() {
                        let message = |one: &str, other: &str| format!("'at time zone' reads the unit '{one}' as if it were '{other}'");
                        self.told_unlike(&message, (&given, &read), span);
                    }
                }
                Measure::of(Kind::Instant.into(), given.declared())
            }
            _ => match moment.sql_type {
                // Nobody says what the clock was, so it is taken at its word.
                Some(kind) if kind.id == known().timestamp => Unit::from(Kind::Instant).into(),
                _ => Measure::Unknown,
            },
        }
    }

    /// Whether there is a zone of that name, as far as it looks like one of the map: what else a database takes for a zone is its affair.
    fn is_zone(&mut self, name: &str, span: Span) -> bool {
        let on_map = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
        };
        let lists = ["posix/", "right/"];
        if lists.iter().any(|list| name.starts_with(list)) || !name.split('/').all(on_map) {
            return true;
        }
        let Err(near) = known_zone_name(name) else { return true };
        let problem = Diagnostic::new(&codes::UNKNOWN_ZONE, format!("there is no time zone '{name}'"));
        self.find_unit(span, problem.did_you_mean(name, near.as_deref()));
        false
    }

    /// What a column of a set operation means: both sides must agree.
    pub(super) fn united(&mut self, sides: (&Column, &Column), measures: &(Measure, Measure), operator: &str, span: Span) -> Meaning {
        let ((left, right), (one, other)) = (sides, measures);
        let mut meaning = Meaning { labels: left.facts.meaning.labels.clone(), ..Meaning::default() };
        merge_labels(&mut meaning.labels, &right.facts.meaning.labels);
        meaning.written = left.facts.meaning.written;
        if left.facts.meaning.constant == right.facts.meaning.constant {
            meaning.constant.clone_from(&left.facts.meaning.constant);
        }
        match one.unified(other) {
            Ok(both) => meaning.measure = both,
            Err(_) => {
                let what = format!("column '{}' has", left.name);
                let here = format!("on one side of {operator}");
                self.unlike(&what, &here, "on the other", (one, other), span);
            }
        }
        meaning
    }

    /// Personal data does not come through what counts.
    pub(super) fn is_counted(name: &str) -> bool {
        COUNTS.contains(&name)
    }
}
