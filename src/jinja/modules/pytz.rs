//! `modules.pytz`

use minijinja::{Error, Value};

use super::Members;
use crate::diag::nearest;
use crate::jinja::failure::raise_with;
use crate::jinja::python::datetime::{Zone, zone_names};
use crate::jinja::python::{List, bind, text_argument, whole};
use crate::jinja::values::operation;

pub(super) const MEMBERS: Members =
    &["timezone", "utc", "UTC", "FixedOffset", "all_timezones", "all_timezones_set", "common_timezones", "common_timezones_set"];

pub(super) fn member(name: &str) -> Option<Value> {
    match name {
        "utc" | "UTC" => Some(Zone::utc().into_value()),
        "all_timezones" | "all_timezones_set" | "common_timezones" | "common_timezones_set" => {
            Some(List::value(zone_names().into_iter().map(Value::from)))
        }
        _ => None,
    }
}

pub(super) fn call(name: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    match name {
        "timezone" => Some(timezone(args)),
        "FixedOffset" => Some(fixed_offset(args)),
        _ => None,
    }
}

fn timezone(args: &[Value]) -> Result<Value, Error> {
    let [zone] = bind("timezone", args, ["zone"], 1)?;
    let zone = zone.unwrap_or_default();
    let name = text_argument("timezone", "zone", &zone)?;
    Zone::named(name).map(Zone::into_value).ok_or_else(|| {
        let names = zone_names();
        let help = nearest(name, names.iter().map(String::as_str)).map(|near| format!("did you mean '{near}'?"));
        raise_with(&crate::diag::codes::JINJA_ERROR, format!("no time zone is called '{name}'"), help.into_iter().collect())
    })
}

fn fixed_offset(args: &[Value]) -> Result<Value, Error> {
    let [minutes] = bind("FixedOffset", args, ["offset"], 1)?;
    let minutes = whole("FixedOffset", "offset", &minutes.unwrap_or_default())?;
    let zone = minutes.checked_mul(60).and_then(|seconds| i32::try_from(seconds).ok()).and_then(Zone::fixed);
    zone.map(Zone::into_value).ok_or_else(|| operation("a time zone is less than a day from UTC"))
}
