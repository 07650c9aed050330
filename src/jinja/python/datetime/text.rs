//! Dates and times as text, both ways.

use jiff::civil::{Date, DateTime, Time, Weekday};
use minijinja::Error;

use super::calendar::{date, time};
use super::zone::offset_text;
use super::{DateTimeValue, Zone};
use crate::jinja::values::operation;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

fn name<'n>(names: &[&'n str], at: i8) -> &'n str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or("")
}

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

pub(super) fn iso_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

pub(super) fn iso_time(time: Time, timespec: &str) -> Result<String, Error> {
    let (hour, minute, second, micros) = (time.hour(), time.minute(), time.second(), time.subsec_nanosecond() / 1_000);
    Ok(match timespec {
        "auto" if micros == 0 => format!("{hour:02}:{minute:02}:{second:02}"),
        "auto" | "microseconds" => format!("{hour:02}:{minute:02}:{second:02}.{micros:06}"),
        "milliseconds" => format!("{hour:02}:{minute:02}:{second:02}.{:03}", micros / 1_000),
        "seconds" => format!("{hour:02}:{minute:02}:{second:02}"),
        "minutes" => format!("{hour:02}:{minute:02}"),
        "hours" => format!("{hour:02}"),
        other => return Err(operation(format!("isoformat() knows no timespec '{other}'"))),
    })
}

pub(super) fn iso_datetime(value: &DateTimeValue, separator: &str, timespec: &str) -> Result<String, Error> {
    let offset = value.offset.map_or_else(String::new, |offset| offset_text(offset.seconds(), ":"));
    Ok(format!("{}{separator}{}{offset}", iso_date(value.at.date()), iso_time(value.at.time(), timespec)?))
}

/// Arguments of the constructor, without trailing zeros.
pub(super) fn repr_time(time: Time) -> String {
    let micros = time.subsec_nanosecond() / 1_000;
    let mut text = format!("{}, {}", time.hour(), time.minute());
    if time.second() != 0 || micros != 0 {
        text.push_str(&format!(", {}", time.second()));
    }
    if micros != 0 {
        text.push_str(&format!(", {micros}"));
    }
    text
}

/// Python's `strftime` in the C locale. Directives that it does not know stay as they are.
pub(in crate::jinja) fn strftime(value: &DateTimeValue, format: &str) -> String {
    let mut out = String::with_capacity(format.len() + 8);
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let bare = chars.next_if_eq(&'-').is_some();
        let Some(directive) = chars.next() else {
            out.push('%');
            break;
        };
        match written(value, directive) {
            Some(text) if bare => {
                let trimmed = text.trim_start_matches(['0', ' ']);
                out.push_str(if trimmed.is_empty() { "0" } else { trimmed });
            }
            Some(text) => out.push_str(&text),
            None => {
                out.push('%');
                out.push(directive);
            }
        }
    }
    out
}

fn written(value: &DateTimeValue, directive: char) -> Option<String> {
    let (date, time) = (value.at.date(), value.at.time());
    let weekday = date.weekday();
    let hour12 = (time.hour() + 11).rem_euclid(12) + 1;
    Some(match directive {
        'a' => short(name(&DAYS, weekday.to_monday_zero_offset())).to_owned(),
        'A' => name(&DAYS, weekday.to_monday_zero_offset()).to_owned(),
        'b' | 'h' => short(name(&MONTHS, date.month() - 1)).to_owned(),
        'B' => name(&MONTHS, date.month() - 1).to_owned(),
        'w' => weekday.to_sunday_zero_offset().to_string(),
        'u' => weekday.to_monday_one_offset().to_string(),
        'd' => format!("{:02}", date.day()),
        'e' => format!("{:2}", date.day()),
        'm' => format!("{:02}", date.month()),
        'y' => format!("{:02}", date.year().rem_euclid(100)),
        'Y' => date.year().to_string(),
        'C' => format!("{:02}", date.year() / 100),
        'G' => date.iso_week_date().year().to_string(),
        'V' => format!("{:02}", date.iso_week_date().week()),
        'U' => format!("{:02}", (i32::from(date.day_of_year()) + 6 - i32::from(weekday.to_sunday_zero_offset())) / 7),
        'W' => format!("{:02}", (i32::from(date.day_of_year()) + 6 - i32::from(weekday.to_monday_zero_offset())) / 7),
        'j' => format!("{:03}", date.day_of_year()),
        'H' => format!("{:02}", time.hour()),
        'k' => format!("{:2}", time.hour()),
        'I' => format!("{hour12:02}"),
        'l' => format!("{hour12:2}"),
        'p' => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'M' => format!("{:02}", time.minute()),
        'S' => format!("{:02}", time.second()),
        'f' => format!("{:06}", time.subsec_nanosecond() / 1_000),
        's' => value.instant().ok()?.as_second().to_string(),
        'z' => value.offset.map_or_else(String::new, |offset| offset_text(offset.seconds(), "")),
        'Z' => value.zone_name(),
        'c' => strftime(value, "%a %b %e %H:%M:%S %Y"),
        'x' | 'D' => strftime(value, "%m/%d/%y"),
        'X' | 'T' => strftime(value, "%H:%M:%S"),
        'F' => strftime(value, "%Y-%m-%d"),
        'R' => strftime(value, "%H:%M"),
        'r' => strftime(value, "%I:%M:%S %p"),
        'n' => "\n".to_owned(),
        't' => "\t".to_owned(),
        '%' => "%".to_owned(),
        _ => return None,
    })
}

/// Reads from the left of a text.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn digits(&mut self, least: usize, most: usize) -> Option<&'t str> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let found = self.rest.get(..count).filter(|_| count >= least)?;
        self.rest = self.rest.get(count..)?;
        Some(found)
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        self.digits(least, most)?.parse().ok()
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Millionths, from up to six digits; further ones are cut off.
    fn micros(&mut self) -> Option<i64> {
        let digits = self.digits(1, 18)?;
        let six: String = digits.chars().chain("000000".chars()).take(6).collect();
        six.parse().ok()
    }

    fn one_of(&mut self, names: &[&str], whole: bool) -> Option<usize> {
        let lower = self.rest.to_lowercase();
        let mut found: Option<(usize, usize)> = None;
        for (at, name) in names.iter().enumerate() {
            let name = if whole { *name } else { short(name) };
            if lower.starts_with(&name.to_lowercase()) && found.is_none_or(|(_, length)| name.len() > length) {
                found = Some((at, name.len()));
            }
        }
        let (at, length) = found?;
        self.rest = self.rest.get(length..)?;
        Some(at)
    }

    /// `Z`, `+02:00`, `+0200`, `+02`: seconds.
    fn offset(&mut self) -> Option<i32> {
        if self.take('Z') {
            return Some(0);
        }
        let negative = self.take('-');
        if !negative && !self.take('+') {
            return None;
        }
        let hours = self.number(2, 2)?;
        let mut seconds = hours * 3600;
        for unit in [60, 1] {
            let colon = self.take(':');
            match self.number(2, 2) {
                Some(part) => seconds += part * unit,
                None if colon => return None,
                None => break,
            }
        }
        i32::try_from(if negative { -seconds } else { seconds }).ok()
    }
}

/// `2024-01-05` or `20240105`
pub(in crate::jinja) fn parse_date(text: &str) -> Option<Date> {
    let mut reader = Reader { rest: text };
    let date = read_date(&mut reader)?;
    reader.rest.is_empty().then_some(date)
}

fn read_date(reader: &mut Reader<'_>) -> Option<Date> {
    let year = reader.number(4, 4)?;
    let dashed = reader.take('-');
    if reader.take('W') {
        let week = i8::try_from(reader.number(2, 2)?).ok()?;
        let day = if reader.take('-') || reader.rest.starts_with(|c: char| c.is_ascii_digit()) { reader.number(1, 1)? } else { 1 };
        let weekday = Weekday::from_monday_one_offset(i8::try_from(day).ok()?).ok()?;
        return Some(jiff::civil::ISOWeekDate::new(i16::try_from(year).ok()?, week, weekday).ok()?.date());
    }
    let month = reader.number(2, 2)?;
    if dashed && !reader.take('-') {
        return None;
    }
    date(year, month, reader.number(2, 2)?).ok()
}

/// `10:20`, `10:20:30.5`, `102030`, with an offset behind it.
pub(in crate::jinja) fn parse_time(text: &str) -> Option<(Time, Option<i32>)> {
    let mut reader = Reader { rest: text };
    let found = read_time(&mut reader)?;
    reader.rest.is_empty().then_some(found)
}

fn read_time(reader: &mut Reader<'_>) -> Option<(Time, Option<i32>)> {
    let hour = reader.number(2, 2)?;
    let (mut minute, mut second, mut micros) = (0, 0, 0);
    let colon = reader.take(':');
    if colon || reader.rest.starts_with(|c: char| c.is_ascii_digit()) {
        minute = reader.number(2, 2)?;
        if if colon { reader.take(':') } else { reader.rest.starts_with(|c: char| c.is_ascii_digit()) } {
            second = reader.number(2, 2)?;
            if reader.take('.') || reader.take(',') {
                micros = reader.micros()?;
            }
        }
    }
    let offset = if reader.rest.is_empty() { None } else { Some(reader.offset()?) };
    Some((time(hour, minute, second, micros).ok()?, offset))
}

/// What `fromisoformat` reads.
pub(in crate::jinja) fn parse_datetime(text: &str) -> Option<DateTimeValue> {
    let mut reader = Reader { rest: text };
    let date = read_date(&mut reader)?;
    if reader.rest.is_empty() {
        return Some(DateTimeValue { at: date.to_datetime(Time::midnight()), zone: None, offset: None });
    }
    // Any one character stands between date and time.
    let mut chars = reader.rest.chars();
    chars.next();
    let (time, offset) = parse_time(chars.as_str())?;
    let naive = DateTimeValue { at: date.to_datetime(time), zone: None, offset: None };
    Some(match offset {
        Some(seconds) => naive.with_zone(&Zone::fixed(seconds)?, false),
        None => naive,
    })
}

/// What `strptime` has read so far.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    half: Option<usize>,
    minute: i64,
    second: i64,
    micros: i64,
    offset: Option<i32>,
    zone: Option<Zone>,
}

/// `strptime`
///
/// # Errors
/// Says where text and format part.
pub(in crate::jinja) fn parse_format(text: &str, format: &str) -> Result<DateTimeValue, Error> {
    let differs = || operation(format!("the time '{text}' does not have the format '{format}'"));
    let mut reader = Reader { rest: text };
    let mut parts = Parts::default();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            reader.rest = reader.rest.trim_start();
        } else if c != '%' {
            reader.take(c).then_some(()).ok_or_else(differs)?;
        } else {
            let directive = chars.next().ok_or_else(differs)?;
            parts.read(&mut reader, directive).ok_or_else(differs)?;
        }
    }
    if !reader.rest.is_empty() {
        return Err(differs());
    }
    parts.into_datetime().ok_or_else(differs)
}

impl Parts {
    fn read(&mut self, reader: &mut Reader<'_>, directive: char) -> Option<()> {
        match directive {
            'Y' => self.year = Some(reader.number(4, 4)?),
            'y' => {
                let year = reader.number(2, 2)?;
                self.year = Some(year + if year < 69 { 2000 } else { 1900 });
            }
            'm' => self.month = Some(reader.number(1, 2)?),
            'd' | 'e' => self.day = Some(reader.number(1, 2)?),
            'j' => self.day_of_year = Some(reader.number(1, 3)?),
            'H' | 'I' => self.hour = reader.number(1, 2)?,
            'M' => self.minute = reader.number(1, 2)?,
            'S' => self.second = reader.number(1, 2)?,
            'f' => self.micros = reader.micros()?,
            'p' => self.half = Some(reader.one_of(&["AM", "PM"], true)?),
            'B' => self.month = Some(reader.one_of(&MONTHS, true)? as i64 + 1),
            'b' | 'h' => self.month = Some(reader.one_of(&MONTHS, false)? as i64 + 1),
            'A' => drop(reader.one_of(&DAYS, true)?),
            'a' => drop(reader.one_of(&DAYS, false)?),
            'w' | 'u' => drop(reader.number(1, 1)?),
            'z' => self.offset = Some(reader.offset()?),
            'Z' => {
                let end = reader.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(reader.rest.len());
                let (zone, rest) = reader.rest.split_at(end);
                if zone.eq_ignore_ascii_case("utc") || zone.eq_ignore_ascii_case("gmt") {
                    reader.rest = rest;
                } else if !zone.is_empty() {
                    return None;
                }
            }
            'F' => self.read_all(reader, "Y-m-d")?,
            'T' | 'X' => self.read_all(reader, "H:M:S")?,
            'R' => self.read_all(reader, "H:M")?,
            'D' | 'x' => self.read_all(reader, "m/d/y")?,
            '%' => reader.take('%').then_some(())?,
            _ => return None,
        }
        Some(())
    }

    fn read_all(&mut self, reader: &mut Reader<'_>, directives: &str) -> Option<()> {
        for c in directives.chars() {
            if c.is_ascii_alphabetic() { self.read(reader, c)? } else { reader.take(c).then_some(())? }
        }
        Some(())
    }

    fn into_datetime(self) -> Option<DateTimeValue> {
        let year = self.year.unwrap_or(1900);
        let date = match self.day_of_year {
            Some(day) => date(year, 1, 1).ok()?.checked_add(jiff::Span::new().try_days(day - 1).ok()?).ok()?,
            None => date(year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?,
        };
        let hour = match self.half {
            Some(half) => self.hour % 12 + 12 * half as i64,
            None => self.hour,
        };
        let at: DateTime = date.to_datetime(time(hour, self.minute, self.second, self.micros).ok()?);
        let naive = DateTimeValue { at, zone: None, offset: None };
        let zone = match self.offset {
            Some(seconds) => Some(Zone::fixed(seconds)?),
            None => self.zone,
        };
        Some(zone.map_or(naive.clone(), |zone| naive.with_zone(&zone, false)))
    }
}
