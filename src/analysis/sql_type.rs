//! A type with its modifier, read from text and spelled as `format_type` spells it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::catalogue::{TypeId, catalogue};

/// A type of a value or a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SqlType {
    pub id: TypeId,
    /// Precision, scale or length, packed as in `pg_attribute.atttypmod`; −1 for none.
    pub modifier: i32,
}

/// The bytes that a length in a modifier counts too many.
const HEADER: i32 = 4;
const FULL_RANGE: i32 = 0x7fff;
const FULL_PRECISION: i32 = 0xffff;

impl From<TypeId> for SqlType {
    fn from(id: TypeId) -> SqlType {
        SqlType { id, modifier: -1 }
    }
}

impl SqlType {
    /// Reads a type as people write it: `int`, `numeric(10,2)[]`, `timestamp(3) with time zone`. `None` where the catalogue has
    /// no such type (one of an extension, an enum of the user's) or the modifier is not one.
    pub fn parse(text: &str) -> Option<SqlType> {
        let mut text = text.trim();
        let mut is_array = false;
        while let Some(before) = text.strip_suffix(']') {
            let (before, size) = before.rsplit_once('[')?;
            if !size.trim().bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            text = before.trim_end();
            is_array = true;
        }
        if let Some(before) = strip_word(text, "array") {
            text = before;
            is_array = true;
        }
        let scalar = parse_scalar(text)?;
        if !is_array {
            return Some(scalar);
        }
        let array = catalogue().entry(scalar.id).array?;
        Some(SqlType { id: array, modifier: scalar.modifier })
    }

    /// What loads make of a declared type: text of any length is text, times have all their digits.
    pub(super) fn as_loaded(self) -> SqlType {
        let known = &catalogue().known;
        match (self.id, self.modifier) {
            (id, -1) if id == known.varchar => known.text.into(),
            (id, _) if [known.time, known.timestamp, known.timestamptz].contains(&id) => id.into(),
            _ => self,
        }
    }

    /// As in `pg_type`: `int4`, `_int4` for a list of these.
    pub fn name(self) -> &'static str {
        catalogue().entry(self.id).name
    }

    /// Of `numeric(p,s)`: p.
    pub fn precision(self) -> Option<i32> {
        (self.id == catalogue().known.numeric && self.modifier >= HEADER).then(|| (self.modifier - HEADER) >> 16)
    }

    /// Of `numeric(p,s)`: s.
    pub fn scale(self) -> Option<i32> {
        // Packed behind the precision, as a signed number of eleven bits.
        self.precision().map(|_| (((self.modifier - HEADER) & 0x7ff) ^ 1024) - 1024)
    }

    /// Of `varchar(n)` and `char(n)`: n, in characters.
    pub fn length(self) -> Option<i32> {
        let known = &catalogue().known;
        ([known.varchar, known.bpchar].contains(&self.id) && self.modifier >= HEADER).then(|| self.modifier - HEADER)
    }

    /// The type of the elements of an array.
    pub fn element(self) -> Option<SqlType> {
        Some(SqlType { id: catalogue().entry(self.id).element?, modifier: self.modifier })
    }
}

fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let at = text.len().checked_sub(word.len())?;
    let (before, last) = (text.get(..at)?, text.get(at..)?);
    (last.eq_ignore_ascii_case(word) && before.ends_with(' ')).then(|| before.trim_end())
}

/// `timestamp (3) with time zone` → `timestamp with time zone`, `[3]`.
fn split(text: &str) -> Option<(String, Vec<i32>)> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((before, rest)) = text.split_once('(') else { return Some((words(text), Vec::new())) };
    let (inside, after) = rest.split_once(')')?;
    let numbers: Option<Vec<i32>> = inside.split(',').map(|part| part.trim().parse().ok()).collect();
    Some((words(&format!("{before} {after}")), numbers?))
}

fn parse_scalar(text: &str) -> Option<SqlType> {
    let (name, numbers) = split(text)?;
    if let Some(quoted) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        return catalogue().type_named(quoted).filter(|_| numbers.is_empty()).map(SqlType::from);
    }
    let folded = name.to_lowercase();
    let name = folded.strip_prefix("pg_catalog.").unwrap_or(&folded);
    let known = &catalogue().known;
    if let Some(fields) = name.strip_prefix("interval") {
        return interval(fields.trim(), &numbers);
    }
    let (name, default) = match name {
        "int" | "integer" => ("int4", None),
        "bigint" => ("int8", None),
        "smallint" => ("int2", None),
        "decimal" | "dec" => ("numeric", None),
        "real" => ("float4", None),
        "double precision" | "double" => ("float8", None),
        "boolean" => ("bool", None),
        "character varying" | "char varying" => ("varchar", None),
        "character" | "char" => ("bpchar", Some(1)),
        "bit" => ("bit", Some(1)),
        "bit varying" => ("varbit", None),
        "time without time zone" => ("time", None),
        "time with time zone" => ("timetz", None),
        "timestamp without time zone" => ("timestamp", None),
        "timestamp with time zone" => ("timestamptz", None),
        "float" => return float(&numbers),
        other => (other, None),
    };
    let id = catalogue().type_named(name)?;
    let length = numbers.first().copied().or(default);
    let modifier = match (numbers.as_slice(), length) {
        (_, None) => -1,
        ([precision, scale], _) if id == known.numeric => ((precision << 16) | (scale & 0x7ff)) + HEADER,
        ([precision], _) if id == known.numeric => (precision << 16) + HEADER,
        (_, Some(length)) if id == known.varchar || id == known.bpchar => length + HEADER,
        (_, Some(length)) if id == known.bit || id == known.varbit => length,
        (_, Some(digits)) if [known.time, known.timetz, known.timestamp, known.timestamptz].contains(&id) => digits.min(6),
        _ => return None,
    };
    Some(SqlType { id, modifier })
}

fn float(numbers: &[i32]) -> Option<SqlType> {
    let name = match numbers {
        [] | [25..=53] => "float8",
        [1..=24] => "float4",
        _ => return None,
    };
    catalogue().type_named(name).map(SqlType::from)
}

const YEAR: i32 = 1 << 2;
const MONTH: i32 = 1 << 1;
const DAY: i32 = 1 << 3;
const HOUR: i32 = 1 << 10;
const MINUTE: i32 = 1 << 11;
const SECOND: i32 = 1 << 12;
const FIELDS: &[(&str, i32)] = &[
    ("year", YEAR),
    ("month", MONTH),
    ("day", DAY),
    ("hour", HOUR),
    ("minute", MINUTE),
    ("second", SECOND),
    ("year to month", YEAR | MONTH),
    ("day to hour", DAY | HOUR),
    ("day to minute", DAY | HOUR | MINUTE),
    ("day to second", DAY | HOUR | MINUTE | SECOND),
    ("hour to minute", HOUR | MINUTE),
    ("hour to second", HOUR | MINUTE | SECOND),
    ("minute to second", MINUTE | SECOND),
];

fn interval(fields: &str, numbers: &[i32]) -> Option<SqlType> {
    let range = match fields {
        "" => None,
        fields => Some(FIELDS.iter().find(|(name, _)| *name == fields)?.1),
    };
    let modifier = match (range, numbers.first()) {
        (None, None) => -1,
        (range, digits) => (range.unwrap_or(FULL_RANGE) << 16) | digits.map_or(FULL_PRECISION, |digits| (*digits).min(6)),
    };
    Some(SqlType { id: catalogue().known.interval, modifier })
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = catalogue().entry(self.id);
        if let Some(element) = self.element().filter(|_| entry.name.starts_with('_')) {
            return write!(f, "{element}[]");
        }
        let known = &catalogue().known;
        let modifier = self.modifier;
        match (self.id, modifier) {
            // Without a length these are not what their plain names mean.
            (id, -1) if id == known.bpchar => f.write_str("bpchar"),
            (id, -1) if id == known.bit => f.write_str("\"bit\""),
            (_, -1) => f.write_str(entry.display),
            (id, _) if id == known.numeric => {
                let packed = modifier - HEADER;
                // The scale is a signed number of eleven bits.
                write!(f, "numeric({},{})", packed >> 16, ((packed & 0x7ff) ^ 1024) - 1024)
            }
            (id, _) if id == known.varchar || id == known.bpchar => write!(f, "{}({})", entry.display, modifier - HEADER),
            (id, _) if id == known.interval => {
                let (range, digits) = ((modifier >> 16) & FULL_RANGE, modifier & FULL_PRECISION);
                let fields = FIELDS.iter().find(|(_, mask)| *mask == range).map_or(String::new(), |(name, _)| format!(" {name}"));
                let digits = if digits == FULL_PRECISION { String::new() } else { format!("({digits})") };
                write!(f, "interval{fields}{digits}")
            }
            _ => match entry.display.split_once(" with") {
                Some((name, zone)) => write!(f, "{name}({modifier}) with{zone}"),
                None => write!(f, "{}({modifier})", entry.display),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SqlType;

    #[test]
    fn reads_what_people_write_and_spells_as_the_catalogue() {
        for (written, spelled) in [
            ("INT", "integer"),
            ("numeric (10, 2)", "numeric(10,2)"),
            ("numeric(3,-2)", "numeric(3,-2)"),
            ("decimal(5)[]", "numeric(5,0)[]"),
            ("timestamp(3) with time zone", "timestamp(3) with time zone"),
            ("timestamptz(6)", "timestamp(6) with time zone"),
            ("varchar(20)", "character varying(20)"),
            ("char", "character(1)"),
            ("bpchar", "bpchar"),
            ("interval day to second(3)", "interval day to second(3)"),
            ("float(10)", "real"),
            ("text array", "text[]"),
            ("pg_catalog.int4[3][4]", "integer[]"),
            ("\"char\"", "\"char\""),
            ("int4range", "int4range"),
        ] {
            assert_eq!(SqlType::parse(written).map(|parsed| parsed.to_string()).as_deref(), Some(spelled), "{written}");
        }
        for unknown in ["citext", "numeric(x)", "int(4)", "", "map(int, text)", "varchar(", "]"] {
            assert_eq!(SqlType::parse(unknown), None, "{unknown}");
        }
    }
}
