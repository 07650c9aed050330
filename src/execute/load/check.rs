//! Whether a text is a value of a declared type. Accepts a strict subset of what PostgreSQL and DuckDB both read, and read
//! alike, so that a row is loaded by both or rejected by both. Nothing is rounded, trimmed or guessed.

use crate::dialect::ColumnType;

/// Checks one value that is not NULL. `value` must be UTF-8.
///
/// # Errors
/// What is wrong with the value, to stand after the name of the column.
pub(super) fn check(data_type: ColumnType, value: &[u8]) -> Result<(), String> {
    let fault = match data_type {
        ColumnType::Smallint => integer(value, i16::MIN.into(), i16::MAX.into()),
        ColumnType::Integer => integer(value, i32::MIN.into(), i32::MAX.into()),
        ColumnType::Bigint => integer(value, i64::MIN, i64::MAX),
        ColumnType::Numeric { precision, scale } => numeric(value, precision.into(), scale.into()),
        ColumnType::Real => float(value, |text| text.parse::<f32>().ok().filter(|x| x.is_finite()).map(|x| x == 0.0)),
        ColumnType::Double => float(value, |text| text.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| x == 0.0)),
        ColumnType::Boolean => boolean(value),
        ColumnType::Date => fault_unless(date(value), "is not a date of the form YYYY-MM-DD"),
        ColumnType::Time => fault_unless(time(value).is_some_and(<[u8]>::is_empty), "is not a time of the form HH:MM:SS"),
        ColumnType::Timestamp => timestamp(value),
        ColumnType::Timestamptz => timestamptz(value),
        ColumnType::Uuid => fault_unless(uuid(value), "is not a UUID"),
        ColumnType::Text => text(value),
        ColumnType::Varchar(length) => text(value).or_else(|| varchar(value, length)),
        ColumnType::Json | ColumnType::Jsonb => json(value),
    };
    match fault {
        None => Ok(()),
        Some(fault) => Err(format!("{} {fault} ({data_type})", quoted(value))),
    }
}

/// The value in quotes for a reason: clipped, control characters escaped.
pub(super) fn quoted(value: &[u8]) -> String {
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(value);
    let visible = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let clipped: String = text.chars().take(SHOWN).map(visible).collect();
    if text.chars().nth(SHOWN).is_some() { format!("'{clipped}…'") } else { format!("'{clipped}'") }
}

fn fault_unless(accepted: bool, fault: &str) -> Option<String> {
    (!accepted).then(|| fault.to_owned())
}

/// The digits behind an optional minus.
fn unsigned(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"-").unwrap_or(value)
}

fn all_digits(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

fn integer(value: &[u8], least: i64, greatest: i64) -> Option<String> {
    if !all_digits(unsigned(value)) {
        return Some("is not an integer".to_owned());
    }
    let parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
    fault_unless(parsed.is_some_and(|number| least <= number && number <= greatest), "is out of range")
}

fn numeric(value: &[u8], precision: usize, scale: usize) -> Option<String> {
    let digits = unsigned(value);
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, decimals) = match point {
        Some(at) => (digits.get(..at).unwrap_or(&[]), digits.get(at + 1..).unwrap_or(&[])),
        None => (digits, &[][..]),
    };
    let whole_is_right = whole.iter().all(u8::is_ascii_digit) && (point.is_some() || !whole.is_empty());
    if !whole_is_right || (point.is_some() && !all_digits(decimals)) {
        return Some("is not a decimal number".to_owned());
    }
    if decimals.len() > scale {
        return Some(format!("has {} decimals and may have {scale}", decimals.len()));
    }
    let leading_zeros = whole.iter().take_while(|byte| **byte == b'0').count();
    let significant = whole.len() - leading_zeros;
    (significant > precision - scale).then(|| format!("has {significant} digits before the point and may have {}", precision - scale))
}

/// `parse` tells whether the finite number is zero.
fn float(value: &[u8], parse: impl Fn(&str) -> Option<bool>) -> Option<String> {
    let body = unsigned(value);
    let (mantissa, exponent) = match body.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (body.get(..at).unwrap_or(&[]), Some(body.get(at + 1..).unwrap_or(&[]))),
        None => (body, None),
    };
    let mut parts = mantissa.splitn(2, |byte| *byte == b'.');
    let whole = parts.next().unwrap_or(&[]);
    let exponent_is_right = exponent.is_none_or(|digits| all_digits(digits.strip_prefix(b"+").unwrap_or(unsigned(digits))));
    let mantissa_is_right = match parts.next() {
        Some(decimals) => whole.iter().all(u8::is_ascii_digit) && all_digits(decimals),
        None => all_digits(whole),
    };
    if !(mantissa_is_right && exponent_is_right) {
        return Some("is not a number".to_owned());
    }
    // A number too small for the type would silently become zero.
    let is_zero = mantissa.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let parsed = std::str::from_utf8(value).ok().and_then(parse);
    fault_unless(parsed.is_some_and(|zero| zero == is_zero), "is out of range")
}

fn boolean(value: &[u8]) -> Option<String> {
    let known = [&b"true"[..], b"false", b"t", b"f", b"1", b"0"];
    fault_unless(known.iter().any(|word| value.eq_ignore_ascii_case(word)), "is none of true, false, t, f, 1, 0")
}

/// Reads exactly `digits` digits: the number and what follows.
fn number(value: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = value.split_at_checked(digits)?;
    if !all_digits(head) {
        return None;
    }
    Some((head.iter().fold(0, |number, byte| number * 10 + u32::from(byte - b'0')), rest))
}

fn literal(value: &[u8], byte: u8) -> Option<&[u8]> {
    value.strip_prefix(&[byte])
}

/// Whether it is exactly `YYYY-MM-DD`, a day that exists, from year 1.
fn date(value: &[u8]) -> bool {
    date_prefix(value).is_some_and(<[u8]>::is_empty)
}

fn date_prefix(value: &[u8]) -> Option<&[u8]> {
    let (year, rest) = number(value, 4)?;
    let (month, rest) = number(literal(rest, b'-')?, 2)?;
    let (day, rest) = number(literal(rest, b'-')?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (year >= 1 && (1..=last).contains(&day)).then_some(rest)
}

/// `HH:MM:SS` with up to six fractional digits: what follows it.
fn time(value: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = number(value, 2)?;
    let (minute, rest) = number(literal(rest, b':')?, 2)?;
    let (second, rest) = number(literal(rest, b':')?, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let Some(fraction) = literal(rest, b'.') else { return Some(rest) };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=6).contains(&digits) { fraction.get(digits..) } else { None }
}

/// What follows date and time.
fn date_time(value: &[u8]) -> Option<&[u8]> {
    let rest = date_prefix(value)?;
    time(literal(rest, b' ').or_else(|| literal(rest, b'T'))?)
}

fn timestamp(value: &[u8]) -> Option<String> {
    match date_time(value) {
        Some([]) => None,
        Some(zone) if offset(zone) => Some("has a UTC offset, which a timestamp without time zone would lose".to_owned()),
        _ => Some("is not a timestamp of the form YYYY-MM-DD HH:MM:SS with up to 6 fractional digits".to_owned()),
    }
}

fn timestamptz(value: &[u8]) -> Option<String> {
    match date_time(value) {
        Some([]) => Some("has no UTC offset (Z, +01:00), so that its instant is not known".to_owned()),
        Some(zone) if offset(zone) => None,
        _ => Some("is not a timestamp of the form YYYY-MM-DD HH:MM:SS with up to 6 fractional digits and Z or an offset".to_owned()),
    }
}

/// `Z`, `+HH`, `+HH:MM`, at most 14 hours.
fn offset(zone: &[u8]) -> bool {
    if zone == b"Z" {
        return true;
    }
    let Some(rest) = literal(zone, b'+').or_else(|| literal(zone, b'-')) else { return false };
    match number(rest, 2) {
        Some((hours, [])) => hours <= 14,
        Some((hours, rest)) => {
            let minutes = literal(rest, b':').and_then(|rest| number(rest, 2));
            hours <= 14 && matches!(minutes, Some((0..=59, [])))
        }
        None => false,
    }
}

fn uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// PostgreSQL stores no NUL character.
fn text(value: &[u8]) -> Option<String> {
    fault_unless(memchr::memchr(0, value).is_none(), "contains a NUL character")
}

fn varchar(value: &[u8], length: u32) -> Option<String> {
    let limit = usize::try_from(length).unwrap_or(usize::MAX);
    if value.len() <= limit {
        return None;
    }
    // Every byte but those that continue a character.
    let characters = value.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
    (characters > limit).then(|| format!("has {characters} characters and may have {length}"))
}

fn json(value: &[u8]) -> Option<String> {
    match serde_json::from_slice::<serde_json::Value>(value) {
        Ok(_) if memchr::memmem::find(value, b"\\u0000").is_some() => Some("contains a NUL character".to_owned()),
        Ok(_) => None,
        Err(error) => Some(format!("is {}", json_fault(&error))),
    }
}

/// The parser's words for a text of one line.
pub(super) fn json_fault(error: &serde_json::Error) -> String {
    format!("not valid JSON: {}", error.to_string().replace(" at line 1 column ", " at column "))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Values with the verdict; the engines' tests load the accepted ones.
    pub(crate) const CASES: &[(&str, &[&str], &[&str])] = &[
        ("smallint", &["0", "-32768", "32767", "007", "-0"], &["", "32768", "-32769", "+5", " 5", "5 ", "1.0", "1e2", "0x1", "--1", "٣"]),
        ("integer", &["2147483647", "-2147483648"], &["2147483648", "99999999999999999999"]),
        ("bigint", &["9223372036854775807", "-9223372036854775808"], &["9223372036854775808", "1_000"]),
        (
            "numeric(5,2)",
            &["0", "-0.05", ".5", "-.5", "999.99", "-999.99", "000999.9", "12.50"],
            &["", ".", "5.", "-", "1000", "1.005", "1.000", "1,5", "1e1", "NaN", "+1", "1.5 "],
        ),
        ("numeric(3,3)", &["0.123", ".999", "0", "000.1"], &["1", "0.1234"]),
        ("numeric(38,0)", &["99999999999999999999999999999999999999"], &["100000000000000000000000000000000000000"]),
        (
            "double precision",
            &["0", "-0.0", "1.5", ".5", "1e308", "4.9e-324", "-1E+5", "0.1", "123456789012345678"],
            &["", "1e309", "1e-400", "NaN", "inf", "1.", "e5", "1e", "0x10", "+1"],
        ),
        ("real", &["3.4e38", "1e-45", "0.1"], &["3.5e38", "1e-46"]),
        ("boolean", &["true", "FALSE", "t", "f", "1", "0", "T"], &["", "yes", "2", "on", "tr", "Y", " t"]),
        (
            "date",
            &["2026-01-16", "0001-01-01", "9999-12-31", "2024-02-29"],
            &["", "2026-02-29", "2026-13-01", "0000-01-01", "2026-1-16", "16/01/2026", "20260116", "2026-01-16 ", "infinity", "1900-02-29"],
        ),
        ("time", &["00:00:00", "23:59:59.999999", "10:00:00.5"], &["24:00:00", "10:00", "10:00:60", "10:00:00.1234567"]),
        (
            "timestamp",
            &[
                "2026-01-16 20:01:02",
                "2026-01-16T20:01:02.123456",
                "0001-01-01 00:00:00",
                "9999-12-31 23:59:59.999999",
                "2026-01-16 20:01:02.1",
            ],
            &[
                "2026-01-16",
                "2026-01-16 20:01",
                "2026-01-16 20:01:02.1234567",
                "2026-01-16 20:01:02Z",
                "2026-01-16 24:00:00",
                "2026-01-16  20:01:02",
            ],
        ),
        (
            "timestamptz",
            &["2026-01-16T20:01:02Z", "2026-01-16 20:01:02+01", "2026-01-16 20:01:02.5-05:30", "2026-07-16T20:01:02.123456+14:00"],
            &["2026-01-16 20:01:02", "2026-01-16 20:01:02 +01", "2026-01-16 20:01:02+1", "2026-01-16 20:01:02+15", "2026-01-16T20:01:02z"],
        ),
        (
            "uuid",
            &["0189e7e7-0000-7000-8000-00000000abcd", "0189E7E7-0000-7000-8000-00000000ABCD"],
            &["", "0189e7e7000070008000000000000001", "{0189e7e7-0000-7000-8000-000000000001}", "0189e7e7-0000-7000-8000-00000000000g"],
        ),
        ("varchar(3)", &["", "abc", "äöü", "  a"], &["abcd", "äöüx", "abc "]),
        ("text", &["", "x\ty\\N", "\u{1F3C7}", "NULL", "\\.", "\"q\""], &["a\0b"]),
        ("json", &["{\"a\": [1, null]}", "1.50", "\"x\""], &["", "{a: 1}", "[1,]", "\"\\u0000\"", "nul"]),
    ];

    #[test]
    fn accepts_and_rejects_strictly() {
        for (declared, accepted, rejected) in CASES {
            let data_type = ColumnType::parse(declared).unwrap();
            for value in *accepted {
                assert_eq!(check(data_type, value.as_bytes()), Ok(()), "{declared} {value:?}");
            }
            for value in *rejected {
                assert!(check(data_type, value.as_bytes()).is_err(), "{declared} {value:?} is accepted");
            }
        }
    }

    #[test]
    fn reasons_name_value_and_type() {
        let reason = |declared: &str, value: &str| check(ColumnType::parse(declared).unwrap(), value.as_bytes()).unwrap_err();
        assert_eq!(reason("numeric(12,2)", "1.005"), "'1.005' has 3 decimals and may have 2 (numeric(12,2))");
        assert_eq!(reason("integer", "twelve"), "'twelve' is not an integer (integer)");
        assert_eq!(reason("integer", "1\t2"), "'1\\t2' is not an integer (integer)");
        let long = reason("date", &"x".repeat(100));
        assert!(long.starts_with(&format!("'{}…'", "x".repeat(60))), "{long}");
    }
}
