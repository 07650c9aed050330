//! How values of landing files are rewritten before they are checked: what a project says of dates, blanks and broken bytes. It is done by
//! acca's own pass over a file, so that every engine holds the same rows.

use serde::{Deserialize, Serialize};

/// What is done to values; nothing, where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversions {
    /// Of columns of type date.
    pub date_format: Option<TimeFormat>,
    /// Of columns of type timestamp and timestamptz.
    pub timestamp_format: Option<TimeFormat>,
    /// Whether a value of nothing but blanks is NULL.
    pub blanks_as_null: bool,
    /// What takes the place of bytes that the encoding does not have; `None`: their row is a reject.
    pub replace_invalid: Option<char>,
}

impl Conversions {
    pub fn is_empty(&self) -> bool {
        *self == Conversions::default()
    }
}

/// How dates or times are written, in the words of COPY's DATEFORMAT and TIMEFORMAT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeFormat {
    /// As it is written.
    pub text: String,
    pub parts: Vec<TimePart>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimePart {
    /// Four digits.
    Year,
    /// One or two digits, as are days, hours, minutes and seconds.
    Month,
    /// `Jan`, in English.
    MonthName,
    Day,
    Hour24,
    Hour12,
    Minute,
    /// With up to six digits behind a point.
    Second,
    /// `AM` or `PM`.
    HalfDay,
    /// `+01`, `-03:30`, `Z`.
    Offset,
    /// Seconds since 1970 in UTC, with a fraction.
    EpochSeconds,
    EpochMilliseconds,
    Sign(char),
}

const WORDS: &[(&str, TimePart)] = &[
    ("EPOCHMILLISECS", TimePart::EpochMilliseconds),
    ("EPOCHSECS", TimePart::EpochSeconds),
    ("YYYY", TimePart::Year),
    ("HH24", TimePart::Hour24),
    ("HH12", TimePart::Hour12),
    ("MON", TimePart::MonthName),
    ("MM", TimePart::Month),
    ("DD", TimePart::Day),
    ("HH", TimePart::Hour24),
    ("MI", TimePart::Minute),
    ("SS", TimePart::Second),
    ("AM", TimePart::HalfDay),
    ("PM", TimePart::HalfDay),
    ("OF", TimePart::Offset),
];

impl TimeFormat {
    /// # Errors
    /// What is wrong with it, in words for people.
    pub fn parse(text: &str, is_date: bool) -> Result<TimeFormat, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            let word = WORDS.iter().find(|(word, _)| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)));
            let length = match word {
                Some((word, part)) => {
                    parts.push(*part);
                    word.len()
                }
                None if sign == 'T' || !sign.is_alphanumeric() => {
                    parts.push(TimePart::Sign(sign));
                    sign.len_utf8()
                }
                None => return Err(format!("'{rest}' begins with no word of a format")),
            };
            rest = rest.get(length..).unwrap_or("");
        }
        let format = TimeFormat { text: text.to_owned(), parts };
        format.check(is_date).map_or(Ok(format), Err)
    }

    fn has(&self, part: TimePart) -> bool {
        self.parts.contains(&part)
    }

    fn check(&self, is_date: bool) -> Option<String> {
        let is_epoch = |part: &TimePart| matches!(part, TimePart::EpochSeconds | TimePart::EpochMilliseconds);
        let is_time = |part: &TimePart| {
            matches!(part, TimePart::Hour24 | TimePart::Hour12 | TimePart::Minute | TimePart::Second | TimePart::HalfDay | TimePart::Offset)
                || is_epoch(part)
        };
        let words = self.parts.iter().filter(|part| !matches!(part, TimePart::Sign(_)));
        let mut seen: Vec<&TimePart> = Vec::new();
        for word in words {
            if seen.contains(&word) {
                return Some("it says a part of the time twice".to_owned());
            }
            seen.push(word);
        }
        if self.parts.iter().any(is_epoch) {
            let alone = self.parts.len() == 1 && !is_date;
            return (!alone).then(|| "seconds since 1970 stand alone, and are no date".to_owned());
        }
        if !self.has(TimePart::Year) || !self.has(TimePart::Day) || self.has(TimePart::Month) == self.has(TimePart::MonthName) {
            return Some("it needs YYYY, one of MM and MON, and DD".to_owned());
        }
        if is_date {
            return self.parts.iter().any(is_time).then(|| "a date has no time of the day".to_owned());
        }
        if self.has(TimePart::Hour24) == self.has(TimePart::Hour12) || !self.has(TimePart::Minute) {
            return Some("it needs one of HH24 and HH12, and MI".to_owned());
        }
        let halves = self.has(TimePart::HalfDay) != self.has(TimePart::Hour12);
        halves.then(|| "HH12 and AM go together".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_complete_or_refused() {
        for format in ["YYYY-MM-DD HH24:MI:SS", "dd/mm/yyyy HH12:MI AM", "YYYYMMDDTHH24MISSOF", "epochsecs"] {
            assert!(TimeFormat::parse(format, false).is_ok(), "{format}");
        }
        for (format, why) in [
            ("MM-DD", "it needs YYYY"),
            ("YY-MM-DD HH:MI", "begins with no word"),
            ("YYYY-MM-DD", "it needs one of HH24"),
            ("YYYY-MM-DD HH12:MI", "HH12 and AM"),
            ("YYYY-MM-DD HH24:MI:SS:SS", "twice"),
            ("epochsecs Z", "begins with no word"),
        ] {
            let refused = TimeFormat::parse(format, false).unwrap_err();
            assert!(refused.contains(why), "{format}: {refused}");
        }
        assert!(TimeFormat::parse("YYYY-MM-DD HH24:MI", true).is_err());
        assert!(TimeFormat::parse("DD.MON.YYYY", true).is_ok());
    }
}
