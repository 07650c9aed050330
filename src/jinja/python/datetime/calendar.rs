//! `date` and `time`

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, Time};
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::text::{self, strftime};
use super::{DateTimeValue, DeltaValue, Zone, out_of_range};
use crate::jinja::python::{bind, no_method, text_argument, text_or, tuple, whole_or};
use crate::jinja::values::operation;

#[derive(Clone, PartialEq, Eq)]
pub(in crate::jinja) struct DateValue(pub(in crate::jinja) Date);

/// A time of day, perhaps in a zone.
#[derive(Clone)]
pub(in crate::jinja) struct TimeValue {
    pub(in crate::jinja) time: Time,
    pub(in crate::jinja) zone: Option<Zone>,
}

/// The date of that year, month and day.
pub(super) fn date(year: i64, month: i64, day: i64) -> Result<Date, Error> {
    let made = i16::try_from(year)
        .ok()
        .filter(|year| (1..=9999).contains(year))
        .and_then(|year| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok());
    made.ok_or_else(|| operation(format!("there is no date {year}-{month:02}-{day:02}")))
}

/// The time of that hour, minute, second and microsecond.
pub(super) fn time(hour: i64, minute: i64, second: i64, micro: i64) -> Result<Time, Error> {
    let made = || {
        let nanos = i32::try_from(micro.checked_mul(1_000)?).ok()?;
        Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, nanos).ok()
    };
    made().ok_or_else(|| operation(format!("there is no time {hour:02}:{minute:02}:{second:02}")))
}

/// The zone that an argument names; none is none.
pub(in crate::jinja) fn zone(function: &str, value: Option<&Value>) -> Result<Option<Zone>, Error> {
    match value {
        None => Ok(None),
        Some(value) if value.is_none() => Ok(None),
        Some(value) => Zone::of(value).map(Some).ok_or_else(|| operation(format!("{function}() takes a time zone"))),
    }
}

impl DateValue {
    pub(in crate::jinja) fn of(value: &Value) -> Option<DateValue> {
        value.downcast_object_ref::<DateValue>().cloned()
    }

    pub(in crate::jinja) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    pub(in crate::jinja) fn construct(args: &[Value]) -> Result<Value, Error> {
        let [year, month, day] = bind("date", args, ["year", "month", "day"], 3)?;
        let part = |name: &str, value: Option<Value>| whole_or("date", name, value.as_ref(), 0);
        Ok(DateValue(date(part("year", year)?, part("month", month)?, part("day", day)?)?).into_value())
    }

    pub(super) fn since(&self, other: &DateValue) -> DeltaValue {
        let days = i128::from(ordinal(self.0) - ordinal(other.0));
        DeltaValue::new(days * 86_400_000_000)
    }

    pub(super) fn moved(&self, by: &DeltaValue) -> Result<DateValue, Error> {
        let days = by.micros().div_euclid(86_400_000_000);
        from_ordinal(i64::try_from(i128::from(ordinal(self.0)) + days).map_err(|_| out_of_range())?)
    }
}

/// Days since the day before the first of January of the year 1.
pub(super) fn ordinal(date: Date) -> i64 {
    let before = i64::from(date.year()) - 1;
    before * 365 + before / 4 - before / 100 + before / 400 + i64::from(date.day_of_year())
}

pub(in crate::jinja) fn from_ordinal(days: i64) -> Result<DateValue, Error> {
    let first = Date::new(1, 1, 1).map_err(|_| out_of_range())?;
    let span = jiff::Span::new().try_days(days - 1).map_err(|_| out_of_range())?;
    let found = first.checked_add(span).map_err(|_| out_of_range())?;
    if (1..=9999).contains(&found.year()) { Ok(DateValue(found)) } else { Err(out_of_range()) }
}

pub(super) fn date_attribute(date: Date, key: &str) -> Option<Value> {
    Some(match key {
        "year" => Value::from(date.year()),
        "month" => Value::from(date.month()),
        "day" => Value::from(date.day()),
        _ => return None,
    })
}

/// The methods that dates and datetimes share.
pub(super) fn date_method(date: Date, method: &str) -> Option<Value> {
    let weekday = date.weekday();
    Some(match method {
        "weekday" => Value::from(weekday.to_monday_zero_offset()),
        "isoweekday" => Value::from(weekday.to_monday_one_offset()),
        "toordinal" => Value::from(ordinal(date)),
        "isocalendar" => {
            let week = date.iso_week_date();
            tuple([i64::from(week.year()), i64::from(week.week()), i64::from(weekday.to_monday_one_offset())].map(Value::from))
        }
        _ => return None,
    })
}

const DATE_METHODS: &[&str] = &["ctime", "isocalendar", "isoformat", "isoweekday", "replace", "strftime", "toordinal", "weekday"];

impl fmt::Display for DateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::iso_date(self.0))
    }
}

impl fmt::Debug for DateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "datetime.date({}, {}, {})", self.0.year(), self.0.month(), self.0.day())
    }
}

impl Object for DateValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<DateValue>()?.0))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        date_attribute(self.0, key.as_str()?)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let midnight = || DateTimeValue { at: self.0.to_datetime(Time::midnight()), zone: None, offset: None };
        match method {
            "strftime" | "__format__" => {
                let [format] = bind(method, args, ["format"], 1)?;
                let format = format.unwrap_or_default();
                Ok(Value::from(strftime(&midnight(), text_argument(method, "format", &format)?)))
            }
            "isoformat" => Ok(Value::from(self.to_string())),
            "ctime" => Ok(Value::from(strftime(&midnight(), "%a %b %e %H:%M:%S %Y"))),
            "replace" => {
                let [year, month, day] = bind(method, args, ["year", "month", "day"], 0)?;
                let part = |name: &str, value: Option<Value>, held: i64| whole_or("replace", name, value.as_ref(), held);
                let year = part("year", year, i64::from(self.0.year()))?;
                let month = part("month", month, i64::from(self.0.month()))?;
                Ok(DateValue(date(year, month, part("day", day, i64::from(self.0.day()))?)?).into_value())
            }
            _ => date_method(self.0, method).ok_or_else(|| no_method(&Value::from_dyn_object(self.clone()), method, DATE_METHODS)),
        }
    }
}

impl TimeValue {
    pub(in crate::jinja) fn of(value: &Value) -> Option<TimeValue> {
        value.downcast_object_ref::<TimeValue>().cloned()
    }

    pub(in crate::jinja) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    pub(in crate::jinja) fn construct(args: &[Value]) -> Result<Value, Error> {
        let names = ["hour", "minute", "second", "microsecond", "tzinfo", "fold"];
        let [hour, minute, second, micro, tzinfo, _] = bind("time", args, names, 0)?;
        let part = |name: &str, value: Option<Value>| whole_or("time", name, value.as_ref(), 0);
        let time = time(part("hour", hour)?, part("minute", minute)?, part("second", second)?, part("microsecond", micro)?)?;
        Ok(TimeValue { time, zone: zone("time", tzinfo.as_ref())? }.into_value())
    }

    fn on_a_day(&self) -> DateTimeValue {
        let day = Date::new(1900, 1, 1).unwrap_or(Date::ZERO);
        DateTimeValue { at: day.to_datetime(self.time), zone: None, offset: None }
    }
}

pub(super) fn time_attribute(time: Time, key: &str) -> Option<Value> {
    Some(match key {
        "hour" => Value::from(time.hour()),
        "minute" => Value::from(time.minute()),
        "second" => Value::from(time.second()),
        "microsecond" => Value::from(time.subsec_nanosecond() / 1_000),
        _ => return None,
    })
}

impl fmt::Debug for TimeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("datetime.time(")?;
        f.write_str(&text::repr_time(self.time))?;
        if let Some(zone) = &self.zone {
            write!(f, ", tzinfo={zone:?}")?;
        }
        f.write_str(")")
    }
}

impl Object for TimeValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.time.cmp(&other.downcast_ref::<TimeValue>()?.time))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "tzinfo" => Some(self.zone.clone().map_or(Value::from(()), Zone::into_value)),
            key => time_attribute(self.time, key),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::iso_time(self.time, "auto").unwrap_or_default())
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "isoformat" => {
                let [timespec] = bind(method, args, ["timespec"], 0)?;
                text::iso_time(self.time, text_or(method, "timespec", timespec.as_ref(), "auto")?).map(Value::from)
            }
            "strftime" => {
                let [format] = bind(method, args, ["format"], 1)?;
                let format = format.unwrap_or_default();
                Ok(Value::from(strftime(&self.on_a_day(), text_argument(method, "format", &format)?)))
            }
            "replace" => {
                let names = ["hour", "minute", "second", "microsecond", "tzinfo"];
                let [hour, minute, second, micro, tzinfo] = bind(method, args, names, 0)?;
                let held = |key: &str| time_attribute(self.time, key).and_then(|value| value.as_i64()).unwrap_or(0);
                let part = |name: &str, value: Option<Value>| whole_or("replace", name, value.as_ref(), held(name));
                let time = time(part("hour", hour)?, part("minute", minute)?, part("second", second)?, part("microsecond", micro)?)?;
                let zone = if tzinfo.is_some() { zone(method, tzinfo.as_ref())? } else { self.zone.clone() };
                Ok(TimeValue { time, zone }.into_value())
            }
            _ => Err(no_method(&Value::from_dyn_object(self.clone()), method, &["isoformat", "replace", "strftime"])),
        }
    }
}
