//! Time zones: those of the IANA database as `pytz` gives them, and fixed distances.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::{DateTimeValue, DeltaValue};
use crate::jinja::python::{bind, no_method};
use crate::jinja::values::operation;

/// A zone in templates.
#[derive(Clone)]
pub(in crate::jinja) struct Zone {
    zone: TimeZone,
    /// The name that it was asked for by.
    name: Arc<str>,
    /// An offset rather than a place.
    fixed: bool,
}

fn database() -> &'static TimeZoneDatabase {
    static BUNDLED: OnceLock<TimeZoneDatabase> = OnceLock::new();
    BUNDLED.get_or_init(TimeZoneDatabase::bundled)
}

/// The names of all zones.
pub(in crate::jinja) fn names() -> Vec<String> {
    database().available().map(|name| name.to_string()).collect()
}

impl Zone {
    pub(in crate::jinja) fn utc() -> Zone {
        Zone { zone: TimeZone::UTC, name: "UTC".into(), fixed: false }
    }

    pub(in crate::jinja) fn named(name: &str) -> Option<Zone> {
        if name.eq_ignore_ascii_case("utc") {
            return Some(Zone::utc());
        }
        let zone = database().get(name).ok()?;
        let proper = zone.iana_name().unwrap_or(name).into();
        Some(Zone { zone, name: proper, fixed: false })
    }

    pub(in crate::jinja) fn fixed(seconds: i32) -> Option<Zone> {
        let offset = Offset::from_seconds(seconds).ok()?;
        let name = if seconds == 0 { "UTC".to_owned() } else { format!("UTC{}", offset_text(seconds, ":")) };
        Some(Zone { zone: TimeZone::fixed(offset), name: name.into(), fixed: true })
    }

    pub(in crate::jinja) fn of(value: &Value) -> Option<Zone> {
        value.downcast_object_ref::<Zone>().cloned()
    }

    pub(in crate::jinja) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    pub(in crate::jinja) fn is_utc(&self) -> bool {
        &*self.name == "UTC"
    }

    /// The offset in force at a local time; of two the one without summer time, as `pytz` chooses.
    pub(super) fn offset_at(&self, local: DateTime) -> Offset {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } => before,
            AmbiguousOffset::Fold { after, .. } => after,
        }
    }

    pub(super) fn offset_of(&self, instant: jiff::Timestamp) -> Offset {
        self.zone.to_offset(instant)
    }

    /// `EST`, `CEST`; an offset where the zone has no letters for it.
    pub(super) fn abbreviation(&self, instant: jiff::Timestamp) -> String {
        if self.fixed {
            return self.name.to_string();
        }
        self.zone.to_offset_info(instant).abbreviation().to_owned()
    }

    pub(super) fn is_summer(&self, instant: jiff::Timestamp) -> bool {
        !self.fixed && self.zone.to_offset_info(instant).dst().is_dst()
    }
}

/// `+02:00`, `-0530`
pub(super) fn offset_text(seconds: i32, colon: &str) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let magnitude = seconds.unsigned_abs();
    let (hours, minutes, rest) = (magnitude / 3600, magnitude / 60 % 60, magnitude % 60);
    let seconds = if rest == 0 { String::new() } else { format!("{colon}{rest:02}") };
    format!("{sign}{hours:02}{colon}{minutes:02}{seconds}")
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_utc(), self.fixed) {
            (true, false) => f.write_str("<UTC>"),
            (true, true) => f.write_str("datetime.timezone.utc"),
            (false, true) => {
                let offset = self.zone.to_offset(jiff::Timestamp::UNIX_EPOCH);
                let delta = DeltaValue::new(i128::from(offset.seconds()) * 1_000_000);
                write!(f, "datetime.timezone({delta:?})")
            }
            (false, false) => write!(f, "<DstTzInfo '{}'>", self.name),
        }
    }
}

const METHODS: &[&str] = &["localize", "normalize", "utcoffset", "tzname", "dst", "fromutc"];

impl Object for Zone {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        Some(self.name.cmp(&other.downcast_ref::<Zone>()?.name))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == "zone").then(|| Value::from(&*self.name))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if !METHODS.contains(&method) {
            return Err(no_method(&Value::from_dyn_object(self.clone()), method, METHODS));
        }
        let [at, is_dst] = bind(method, args, ["dt", "is_dst"], 1)?;
        let at = at.unwrap_or_default();
        let Some(moment) = DateTimeValue::of(&at) else {
            return match method {
                "tzname" if at.is_none() => Ok(Value::from(&*self.name)),
                "utcoffset" | "dst" | "tzname" if at.is_none() => Ok(Value::from(())),
                _ => Err(operation(format!("{method}() takes a datetime"))),
            };
        };
        let summer = is_dst.is_some_and(|is_dst| is_dst.is_true());
        match method {
            "localize" if moment.zone.is_some() => Err(operation("localize() takes a datetime without a time zone")),
            "localize" => Ok(moment.with_zone(self, summer).into_value()),
            "normalize" | "fromutc" => Ok(moment.into_zone(self)?.into_value()),
            "utcoffset" => DateTimeValue { zone: None, ..moment }.with_zone(self, summer).offset_value(),
            "tzname" => Ok(Value::from(DateTimeValue { zone: None, ..moment }.with_zone(self, summer).zone_name())),
            _ => DateTimeValue { zone: None, ..moment }.with_zone(self, summer).summer_time(),
        }
    }
}
