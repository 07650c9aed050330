//! Values as a project's formats say that they are written, into the forms that are checked.

use std::borrow::Cow;

use crate::dialect::ColumnType;
use crate::project::{Conversions, TimeFormat, TimePart};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The value as it is to be checked and loaded; `None` is NULL.
///
/// # Errors
/// Why it is not of the form that its format says.
pub(super) fn converted<'v>(conversions: &Conversions, data_type: ColumnType, value: &'v [u8]) -> Result<Option<Cow<'v, [u8]>>, String> {
    let mut value = Cow::Borrowed(value);
    if let Some(sign) = conversions.replace_invalid
        && std::str::from_utf8(&value).is_err()
    {
        value = Cow::Owned(replaced(&value, sign).into_bytes());
    }
    if conversions.blanks_as_null && !value.is_empty() && value.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
        return Ok(None);
    }
    let format = match data_type {
        ColumnType::Date => &conversions.date_format,
        ColumnType::Timestamp | ColumnType::Timestamptz => &conversions.timestamp_format,
        _ => &None,
    };
    let Some(format) = format else { return Ok(Some(value)) };
    let text = String::from_utf8_lossy(&value);
    let told = || format!("{} is not of the form {} ({data_type})", super::check::quoted(&value), format.text);
    let plain = plain_form(format, &text, data_type).ok_or_else(told)?;
    Ok(Some(Cow::Owned(plain.into_bytes())))
}

/// Each run of bytes that is no character becomes one sign.
fn replaced(value: &[u8], sign: char) -> String {
    let mut text = String::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(sign);
        }
    }
    text
}

#[derive(Default)]
struct Moment {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    /// Digits behind the point.
    fraction: String,
    afternoon: Option<bool>,
    offset: String,
}

/// `2026-01-31`, `2026-01-31 10:20:30.5+01:00`; whether the day exists is found by the check behind.
fn plain_form(format: &TimeFormat, text: &str, data_type: ColumnType) -> Option<String> {
    let mut moment = Moment::default();
    let mut rest = text;
    for part in &format.parts {
        match part {
            TimePart::EpochSeconds => return since_1970(text, 1, data_type),
            TimePart::EpochMilliseconds => return since_1970(text, 1000, data_type),
            TimePart::Year => (moment.year, rest) = number(rest, 4, 4)?,
            TimePart::Month => (moment.month, rest) = number(rest, 1, 2)?,
            TimePart::Day => (moment.day, rest) = number(rest, 1, 2)?,
            TimePart::Hour24 | TimePart::Hour12 => (moment.hour, rest) = number(rest, 1, 2)?,
            TimePart::Minute => (moment.minute, rest) = number(rest, 1, 2)?,
            TimePart::Second => {
                (moment.second, rest) = number(rest, 1, 2)?;
                if let Some(behind) = rest.strip_prefix('.') {
                    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
                    if digits == 0 || digits > 6 {
                        return None;
                    }
                    let (fraction, behind) = behind.split_at(digits);
                    (moment.fraction, rest) = (fraction.to_owned(), behind);
                }
            }
            TimePart::MonthName => {
                let name = rest.get(..3)?.to_lowercase();
                moment.month = u32::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
                rest = rest.get(3..)?;
            }
            TimePart::HalfDay => {
                moment.afternoon = Some(match rest.get(..2)?.to_lowercase().as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return None,
                });
                rest = rest.get(2..)?;
            }
            TimePart::Offset => {
                let length =
                    rest.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b':' | b'Z' | b'z')).count();
                let (offset, behind) = rest.split_at(length);
                (moment.offset, rest) = (offset.to_uppercase(), behind);
            }
            TimePart::Sign(sign) => rest = rest.strip_prefix(*sign)?,
        }
    }
    if !rest.is_empty() {
        return None;
    }
    moment.print(data_type)
}

impl Moment {
    fn print(&self, data_type: ColumnType) -> Option<String> {
        let date = format!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
        if matches!(data_type, ColumnType::Date) {
            return Some(date);
        }
        let hour = match self.afternoon {
            None => self.hour,
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        let fraction = if self.fraction.is_empty() { String::new() } else { format!(".{}", self.fraction) };
        Some(format!("{date} {hour:02}:{:02}:{:02}{fraction}{}", self.minute, self.second, self.offset))
    }
}

/// As many digits as there are, within limits.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    if digits < least { None } else { Some((number.parse().ok()?, rest)) }
}

/// Whole units and up to six digits of a second behind, without a double between.
fn since_1970(text: &str, units: i64, data_type: ColumnType) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let places = if units == 1 { 6 } else { 3 };
    let is_number = !whole.is_empty() && whole.strip_prefix('-').unwrap_or(whole).bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || fraction.len() > places || !fraction.bytes().all(|byte| byte.is_ascii_digit()) || text.ends_with('.') {
        return None;
    }
    let part: i64 = format!("{fraction:0<places$}").parse().ok()?;
    let micros = whole.parse::<i64>().ok()?.checked_mul(1_000_000 / units)?;
    let micros = if whole.starts_with('-') { micros.checked_sub(part)? } else { micros.checked_add(part)? };
    let moment = jiff::Timestamp::from_microsecond(micros).ok()?;
    let zone = if matches!(data_type, ColumnType::Timestamptz) { "+00:00" } else { "" };
    Some(format!("{}{zone}", moment.strftime("%Y-%m-%d %H:%M:%S.%6f")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(format: &str, data_type: ColumnType, value: &str) -> Option<String> {
        let is_date = matches!(data_type, ColumnType::Date);
        plain_form(&TimeFormat::parse(format, is_date).unwrap(), value, data_type)
    }

    #[test]
    fn values_become_plain() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(told("DD/MM/YYYY", ColumnType::Date, "1/12/2026"), some("2026-12-01"));
        assert_eq!(told("DD-MON-YYYY", ColumnType::Date, "01-Feb-2026"), some("2026-02-01"));
        assert_eq!(told("MM/DD/YYYY HH12:MI AM", ColumnType::Timestamp, "01/31/2026 12:05 am"), some("2026-01-31 00:05:00"));
        assert_eq!(told("YYYYMMDDTHH24MISSOF", ColumnType::Timestamptz, "20260131T102030.5+01:00"), some("2026-01-31 10:20:30.5+01:00"));
        assert_eq!(told("epochsecs", ColumnType::Timestamp, "1.5"), some("1970-01-01 00:00:01.500000"));
        assert_eq!(told("epochmillisecs", ColumnType::Timestamptz, "-1500"), some("1969-12-31 23:59:58.500000+00:00"));
        for (format, value) in [("DD/MM/YYYY", "1/12/26"), ("DD/MM/YYYY", "1/12/2026 "), ("DD/MM/YYYY", "a/1/2026")] {
            assert_eq!(told(format, ColumnType::Date, value), None, "{value}");
        }
        assert_eq!(told("YYYY-MM-DD HH12:MI AM", ColumnType::Timestamp, "2026-01-01 13:00 PM"), None);
    }

    #[test]
    fn broken_bytes_become_signs() {
        assert_eq!(replaced(b"caf\xe9 \xff\xfe!", '?'), "caf? ??!");
    }
}
