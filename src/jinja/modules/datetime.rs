//! `modules.datetime`

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::Members;
use crate::jinja::python::datetime::{
    DateTimeValue, DateValue, DeltaValue, TimeValue, Zone, from_ordinal, parse_date, parse_datetime, parse_format, parse_time, zone,
};
use crate::jinja::python::{bind, no_method, number_of, text_argument, whole};
use crate::jinja::scope::Scope;
use crate::jinja::values::operation;

/// `timezone` is more than dbt hands out.
pub(super) const MEMBERS: Members = &["date", "datetime", "time", "timedelta", "timezone", "tzinfo", "MINYEAR", "MAXYEAR"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Date,
    DateTime,
    Time,
    TimeDelta,
    TimeZone,
}

pub(super) fn member(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    let class = match name {
        "date" => Class::Date,
        "datetime" => Class::DateTime,
        "time" => Class::Time,
        "timedelta" => Class::TimeDelta,
        "timezone" | "tzinfo" => Class::TimeZone,
        "MINYEAR" => return Some(Value::from(1)),
        "MAXYEAR" => return Some(Value::from(9999)),
        _ => return None,
    };
    Some(Value::from_object(ClassValue { class, scope: scope.clone() }))
}

/// A class: called it makes a value, and it has methods of its own.
struct ClassValue {
    class: Class,
    scope: Arc<Scope>,
}

impl fmt::Debug for ClassValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.class {
            Class::Date => "date",
            Class::DateTime => "datetime",
            Class::Time => "time",
            Class::TimeDelta => "timedelta",
            Class::TimeZone => "timezone",
        };
        write!(f, "<class 'datetime.{name}'>")
    }
}

impl ClassValue {
    fn now(&self) -> Timestamp {
        let now = self.scope.shared.files.now();
        // Python counts in microseconds.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Where the machine's clock is read: the zone of the variable TZ, or UTC.
    fn local(&self) -> Zone {
        self.scope.shared.files.env("TZ").and_then(|name| Zone::named(&name)).unwrap_or_else(Zone::utc)
    }

    fn local_now(&self) -> DateTimeValue {
        DateTimeValue { zone: None, offset: None, ..DateTimeValue::at(self.now(), &self.local()) }
    }

    fn timestamp(&self, seconds: &Value, zone: Option<&Zone>) -> Result<DateTimeValue, Error> {
        let seconds = number_of(seconds).ok_or_else(|| operation("fromtimestamp() takes a number of seconds"))?.to_f64();
        let micros = (seconds * 1_000_000.0).round();
        let instant = Timestamp::from_microsecond(micros as i64).map_err(|_| operation("the timestamp is out of range"))?;
        Ok(match zone {
            Some(zone) => DateTimeValue::at(instant, zone),
            None => DateTimeValue { zone: None, offset: None, ..DateTimeValue::at(instant, &self.local()) },
        })
    }

    fn datetime_method(&self, method: &str, args: &[Value]) -> Result<DateTimeValue, Error> {
        let naive = |value: DateTimeValue| DateTimeValue { zone: None, offset: None, ..value };
        match method {
            "now" => {
                let [tz] = bind(method, args, ["tz"], 0)?;
                Ok(zone(method, tz.as_ref())?.map_or_else(|| self.local_now(), |zone| DateTimeValue::at(self.now(), &zone)))
            }
            "utcnow" => {
                let [] = bind(method, args, [], 0)?;
                Ok(naive(DateTimeValue::at(self.now(), &Zone::utc())))
            }
            "today" => {
                let [] = bind(method, args, [], 0)?;
                Ok(self.local_now())
            }
            "strptime" => {
                let [text, format] = bind(method, args, ["date_string", "format"], 2)?;
                let (text, format) = (text.unwrap_or_default(), format.unwrap_or_default());
                parse_format(text_argument(method, "date_string", &text)?, text_argument(method, "format", &format)?)
            }
            "fromisoformat" => {
                let text = iso_argument(method, args)?;
                parse_datetime(&text).ok_or_else(|| not_iso("datetime", &text))
            }
            "fromtimestamp" => {
                let [seconds, tz] = bind(method, args, ["timestamp", "tz"], 1)?;
                self.timestamp(&seconds.unwrap_or_default(), zone(method, tz.as_ref())?.as_ref())
            }
            "utcfromtimestamp" => {
                let [seconds] = bind(method, args, ["timestamp"], 1)?;
                Ok(naive(self.timestamp(&seconds.unwrap_or_default(), Some(&Zone::utc()))?))
            }
            "fromordinal" => {
                let [days] = bind(method, args, ["ordinal"], 1)?;
                let date = from_ordinal(whole(method, "ordinal", &days.unwrap_or_default())?)?;
                Ok(midnight(&date))
            }
            "combine" => {
                let [date, time, tz] = bind(method, args, ["date", "time", "tzinfo"], 2)?;
                let date = date.unwrap_or_default();
                let date = DateValue::of(&date).or_else(|| DateTimeValue::of(&date).map(|moment| DateValue(moment.at.date())));
                let time = TimeValue::of(&time.unwrap_or_default());
                let (Some(date), Some(time)) = (date, time) else { return Err(operation("combine() takes a date and a time")) };
                let moment = DateTimeValue { at: date.0.to_datetime(time.time), zone: None, offset: None };
                let zone = if tz.is_some() { zone(method, tz.as_ref())? } else { time.zone };
                Ok(zone.map_or(moment.clone(), |zone| moment.with_zone(&zone, false)))
            }
            _ => {
                let known =
                    ["combine", "fromisoformat", "fromordinal", "fromtimestamp", "now", "strptime", "today", "utcfromtimestamp", "utcnow"];
                Err(no_method(&Value::from("datetime"), method, &known))
            }
        }
    }

    fn date_method(&self, method: &str, args: &[Value]) -> Result<DateValue, Error> {
        match method {
            "today" => {
                let [] = bind(method, args, [], 0)?;
                Ok(DateValue(self.local_now().at.date()))
            }
            "fromisoformat" => {
                let text = iso_argument(method, args)?;
                parse_date(&text).map(DateValue).ok_or_else(|| not_iso("date", &text))
            }
            "fromordinal" => {
                let [days] = bind(method, args, ["ordinal"], 1)?;
                from_ordinal(whole(method, "ordinal", &days.unwrap_or_default())?)
            }
            "fromtimestamp" => {
                let [seconds] = bind(method, args, ["timestamp"], 1)?;
                Ok(DateValue(self.timestamp(&seconds.unwrap_or_default(), None)?.at.date()))
            }
            _ => Err(no_method(&Value::from("date"), method, &["fromisoformat", "fromordinal", "fromtimestamp", "today"])),
        }
    }
}

fn midnight(date: &DateValue) -> DateTimeValue {
    DateTimeValue { at: date.0.to_datetime(jiff::civil::Time::midnight()), zone: None, offset: None }
}

fn iso_argument(method: &str, args: &[Value]) -> Result<String, Error> {
    let [text] = bind(method, args, ["date_string"], 1)?;
    Ok(text_argument(method, "date_string", &text.unwrap_or_default())?.to_owned())
}

fn not_iso(what: &str, text: &str) -> Error {
    operation(format!("'{text}' is no {what} in the form of ISO 8601"))
}

impl Object for ClassValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (self.class, key.as_str()?) {
            (Class::TimeZone, "utc") => Zone::fixed(0).map(Zone::into_value),
            (Class::Date, "min") => parse_date("0001-01-01").map(|date| DateValue(date).into_value()),
            (Class::Date, "max") => parse_date("9999-12-31").map(|date| DateValue(date).into_value()),
            (Class::DateTime, "min") => parse_datetime("0001-01-01").map(DateTimeValue::into_value),
            (Class::DateTime, "max") => parse_datetime("9999-12-31T23:59:59.999999").map(DateTimeValue::into_value),
            _ => None,
        }
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        match self.class {
            Class::Date => DateValue::construct(args),
            Class::DateTime => DateTimeValue::construct(args),
            Class::Time => TimeValue::construct(args),
            Class::TimeDelta => DeltaValue::construct(args),
            Class::TimeZone => {
                let [offset] = bind("timezone", args, ["offset"], 1)?;
                let offset = DeltaValue::of(&offset.unwrap_or_default()).ok_or_else(|| operation("timezone() takes a timedelta"))?;
                let seconds = i32::try_from(offset.micros() / 1_000_000).ok().and_then(Zone::fixed);
                seconds.map(Zone::into_value).ok_or_else(|| operation("a time zone is less than a day from UTC"))
            }
        }
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match self.class {
            Class::DateTime => self.datetime_method(method, args).map(DateTimeValue::into_value),
            Class::Date => self.date_method(method, args).map(DateValue::into_value),
            Class::Time if method == "fromisoformat" => {
                let text = iso_argument(method, args)?;
                let (time, offset) = parse_time(text.trim_start_matches('T')).ok_or_else(|| not_iso("time", &text))?;
                Ok(TimeValue { time, zone: offset.and_then(Zone::fixed) }.into_value())
            }
            Class::Time | Class::TimeDelta | Class::TimeZone => {
                Err(no_method(&Value::from_dyn_object(self.clone()), method, &["fromisoformat"]))
            }
        }
    }
}
