//! `datetime`

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::calendar::{date, date_attribute, date_method, time, time_attribute, zone};
use super::text::{self, strftime};
use super::{DateValue, DeltaValue, TimeValue, Zone, out_of_range};
use crate::jinja::python::{bind, no_method, text_argument, text_or, whole_or};
use crate::jinja::values::operation;

/// A moment of a calendar; with a zone also one of the world.
#[derive(Clone)]
pub(in crate::jinja) struct DateTimeValue {
    pub(in crate::jinja) at: DateTime,
    pub(in crate::jinja) zone: Option<Zone>,
    /// The distance from UTC that holds; of a zone that changes its clocks one of two may.
    pub(in crate::jinja) offset: Option<Offset>,
}

impl DateTimeValue {
    pub(in crate::jinja) fn of(value: &Value) -> Option<DateTimeValue> {
        value.downcast_object_ref::<DateTimeValue>().cloned()
    }

    pub(in crate::jinja) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    pub(in crate::jinja) fn construct(args: &[Value]) -> Result<Value, Error> {
        let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
        let [year, month, day, hour, minute, second, micro, tzinfo, _] = bind("datetime", args, names, 3)?;
        let part = |name: &str, value: Option<Value>| whole_or("datetime", name, value.as_ref(), 0);
        let date = date(part("year", year)?, part("month", month)?, part("day", day)?)?;
        let time = time(part("hour", hour)?, part("minute", minute)?, part("second", second)?, part("microsecond", micro)?)?;
        let naive = DateTimeValue { at: date.to_datetime(time), zone: None, offset: None };
        Ok(match zone("datetime", tzinfo.as_ref())? {
            Some(zone) => naive.with_zone(&zone, false),
            None => naive,
        }
        .into_value())
    }

    pub(in crate::jinja) fn at(instant: Timestamp, zone: &Zone) -> DateTimeValue {
        let offset = zone.offset_of(instant);
        DateTimeValue { at: offset.to_datetime(instant), zone: Some(zone.clone()), offset: Some(offset) }
    }

    /// The same reading of the clock, in a zone.
    pub(in crate::jinja) fn with_zone(&self, zone: &Zone, summer: bool) -> DateTimeValue {
        let mut offset = zone.offset_at(self.at);
        if summer
            && let Ok(earlier) = self.at.checked_sub(jiff::Span::new().hours(1))
            && zone.offset_at(earlier).seconds() > offset.seconds()
        {
            offset = zone.offset_at(earlier);
        }
        DateTimeValue { at: self.at, zone: Some(zone.clone()), offset: Some(offset) }
    }

    /// The same moment, in another zone. Without a zone a moment is taken as UTC.
    pub(in crate::jinja) fn into_zone(self, zone: &Zone) -> Result<DateTimeValue, Error> {
        Ok(DateTimeValue::at(self.instant()?, zone))
    }

    pub(in crate::jinja) fn instant(&self) -> Result<Timestamp, Error> {
        self.offset.unwrap_or(Offset::UTC).to_timestamp(self.at).map_err(|_| out_of_range())
    }

    pub(super) fn since(&self, other: &DateTimeValue) -> Result<DeltaValue, Error> {
        if self.zone.is_some() != other.zone.is_some() {
            return Err(operation("a datetime with a time zone and one without cannot be subtracted"));
        }
        let micros = |value: &DateTimeValue| value.instant().map(|instant| instant.as_nanosecond() / 1_000);
        Ok(DeltaValue::new(micros(self)? - micros(other)?))
    }

    /// Python moves the reading of the clock, whatever the zone's clocks do meanwhile.
    pub(super) fn moved(&self, by: &DeltaValue) -> Result<DateTimeValue, Error> {
        let micros = i64::try_from(by.micros()).map_err(|_| out_of_range())?;
        let span = jiff::SignedDuration::from_micros(micros);
        let at = self.at.checked_add(span).map_err(|_| out_of_range())?;
        if !(1..=9999).contains(&at.year()) {
            return Err(out_of_range());
        }
        Ok(DateTimeValue { at, zone: self.zone.clone(), offset: self.offset })
    }

    pub(super) fn offset_value(&self) -> Result<Value, Error> {
        Ok(self.offset.map_or(Value::from(()), |offset| DeltaValue::new(i128::from(offset.seconds()) * 1_000_000).into_value()))
    }

    pub(super) fn zone_name(&self) -> String {
        match (&self.zone, self.instant()) {
            (Some(zone), Ok(instant)) => zone.abbreviation(instant),
            _ => String::new(),
        }
    }

    pub(super) fn summer_time(&self) -> Result<Value, Error> {
        let Some(zone) = &self.zone else { return Ok(Value::from(())) };
        let hours = i128::from(zone.is_summer(self.instant()?));
        Ok(DeltaValue::new(hours * 3_600_000_000).into_value())
    }

    fn replaced(&self, args: &[Value]) -> Result<DateTimeValue, Error> {
        let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
        let [year, month, day, hour, minute, second, micro, tzinfo, _] = bind("replace", args, names, 0)?;
        let held = |name: &str| {
            let found = date_attribute(self.at.date(), name).or_else(|| time_attribute(self.at.time(), name));
            found.and_then(|value| value.as_i64()).unwrap_or(0)
        };
        let part = |name: &str, value: Option<Value>| whole_or("replace", name, value.as_ref(), held(name));
        let date = date(part("year", year)?, part("month", month)?, part("day", day)?)?;
        let time = time(part("hour", hour)?, part("minute", minute)?, part("second", second)?, part("microsecond", micro)?)?;
        let naive = DateTimeValue { at: date.to_datetime(time), zone: None, offset: None };
        let zone = if tzinfo.is_some() { zone("replace", tzinfo.as_ref())? } else { self.zone.clone() };
        Ok(zone.map_or(naive.clone(), |zone| naive.with_zone(&zone, false)))
    }
}

impl fmt::Display for DateTimeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::iso_datetime(self, " ", "auto").unwrap_or_default())
    }
}

impl fmt::Debug for DateTimeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.at.date();
        write!(f, "datetime.datetime({}, {}, {}, {}", date.year(), date.month(), date.day(), text::repr_time(self.at.time()))?;
        if let Some(zone) = &self.zone {
            write!(f, ", tzinfo={zone:?}")?;
        }
        f.write_str(")")
    }
}

const METHODS: &[&str] = &[
    "astimezone",
    "ctime",
    "date",
    "dst",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "time",
    "timestamp",
    "timetz",
    "toordinal",
    "tzname",
    "utcoffset",
    "weekday",
];

impl Object for DateTimeValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<DateTimeValue>()?;
        match (&self.zone, &other.zone) {
            (Some(_), Some(_)) => Some(self.instant().ok()?.cmp(&other.instant().ok()?)),
            (None, None) => Some(self.at.cmp(&other.at)),
            _ => None,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "tzinfo" => Some(self.zone.clone().map_or(Value::from(()), Zone::into_value)),
            "fold" => Some(Value::from(0)),
            key => date_attribute(self.at.date(), key).or_else(|| time_attribute(self.at.time(), key)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "strftime" | "__format__" => {
                let [format] = bind(method, args, ["format"], 1)?;
                let format = format.unwrap_or_default();
                Ok(Value::from(strftime(self, text_argument(method, "format", &format)?)))
            }
            "isoformat" => {
                let [separator, timespec] = bind(method, args, ["sep", "timespec"], 0)?;
                let separator = text_or(method, "sep", separator.as_ref(), "T")?;
                text::iso_datetime(self, separator, text_or(method, "timespec", timespec.as_ref(), "auto")?).map(Value::from)
            }
            "astimezone" => {
                let [tz] = bind(method, args, ["tz"], 0)?;
                let zone = zone(method, tz.as_ref())?.unwrap_or_else(Zone::utc);
                Ok(DateTimeValue::clone(self).into_zone(&zone)?.into_value())
            }
            "date" => Ok(DateValue(self.at.date()).into_value()),
            "time" => Ok(TimeValue { time: self.at.time(), zone: None }.into_value()),
            "timetz" => Ok(TimeValue { time: self.at.time(), zone: self.zone.clone() }.into_value()),
            "timestamp" => {
                let micros = self.instant()?.as_nanosecond() / 1_000;
                Ok(Value::from(micros as f64 / 1_000_000.0))
            }
            "replace" => Ok(self.replaced(args)?.into_value()),
            "utcoffset" => self.offset_value(),
            "tzname" if self.zone.is_none() => Ok(Value::from(())),
            "tzname" => Ok(Value::from(self.zone_name())),
            "dst" => self.summer_time(),
            "ctime" => Ok(Value::from(strftime(self, "%a %b %e %H:%M:%S %Y"))),
            _ => date_method(self.at.date(), method).ok_or_else(|| no_method(&Value::from_dyn_object(self.clone()), method, METHODS)),
        }
    }
}
