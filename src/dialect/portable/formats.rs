//! Formats of `to_char` and `to_date`. DuckDB has those of `strftime`; what it lacks (quarters, names in capitals or padded with blanks) is
//! put together from parts. On Redshift text in quotes stands beside the call, and patterns of numbers are in capitals.
//!
//! - <https://www.postgresql.org/docs/15/functions-formatting.html#FUNCTIONS-FORMATTING-DATETIME-TABLE>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html>
//! - <https://duckdb.org/docs/stable/sql/functions/dateformat>

/// A part of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'f> {
    /// A pattern: as PostgreSQL has it, and as `strftime` does.
    Pattern(&'static str, &'static str),
    /// A pattern that `strftime` lacks: what stands for it, with `{}` for the moment.
    Made(&'static str, &'static str),
    /// Signs between patterns.
    Signs(&'f str),
    /// What stands in quotes.
    Quoted(&'f str),
}

const PATTERNS: &[(&str, &str)] = &[
    ("FMMonth", "%B"),
    ("FMHH24", "%-H"),
    ("FMHH12", "%-I"),
    ("FMDD", "%-d"),
    ("FMMM", "%-m"),
    ("FMMI", "%-M"),
    ("FMSS", "%-S"),
    ("FMDay", "%A"),
    ("YYYY", "%Y"),
    ("IYYY", "%G"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("DDD", "%j"),
    ("Mon", "%b"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("MS", "%g"),
    ("US", "%f"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("Dy", "%a"),
    ("IW", "%V"),
    ("ID", "%u"),
    ("HH", "%I"),
];

const MADE: &[(&str, &str)] = &[
    ("FMMONTH", "upper(strftime({}, '%B'))"),
    ("FMmonth", "lower(strftime({}, '%B'))"),
    ("FMDAY", "upper(strftime({}, '%A'))"),
    ("FMday", "lower(strftime({}, '%A'))"),
    ("MONTH", "rpad(upper(strftime({}, '%B')), 9, ' ')"),
    ("Month", "rpad(strftime({}, '%B'), 9, ' ')"),
    ("month", "rpad(lower(strftime({}, '%B')), 9, ' ')"),
    ("MON", "upper(strftime({}, '%b'))"),
    ("mon", "lower(strftime({}, '%b'))"),
    ("DAY", "rpad(upper(strftime({}, '%A')), 9, ' ')"),
    ("Day", "rpad(strftime({}, '%A'), 9, ' ')"),
    ("day", "rpad(lower(strftime({}, '%A')), 9, ' ')"),
    ("DY", "upper(strftime({}, '%a'))"),
    ("dy", "lower(strftime({}, '%a'))"),
    ("am", "lower(strftime({}, '%p'))"),
    ("pm", "lower(strftime({}, '%p'))"),
    ("WW", "lpad(cast((dayofyear({}) - 1) // 7 + 1 as varchar), 2, '0')"),
    ("W", "cast((day({}) - 1) // 7 + 1 as varchar)"),
    ("Q", "cast(quarter({}) as varchar)"),
    ("D", "cast(dayofweek({}) + 1 as varchar)"),
];

/// Patterns that mean the same in small letters.
fn has_no_case(pattern: &str) -> bool {
    pattern.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && !matches!(pattern, "AM" | "PM")
        && !matches!(pattern, "MONTH" | "MON" | "DAY" | "DY" | "FMMONTH" | "FMDAY")
}

/// The parts of a format; `None` where one of them is not the same on all engines.
pub(super) fn read_format(format: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    // Other patterns than those that they begin with.
    if ["SSSS", "IDDD", "ssss", "iddd"].iter().any(|other| format.contains(other)) {
        return None;
    }
    while let Some(c) = rest.chars().next() {
        let begins = |pattern: &str| {
            rest.starts_with(pattern)
                || has_no_case(pattern) && rest.get(..pattern.len()).is_some_and(|start| start == pattern.to_ascii_lowercase())
        };
        let known = PATTERNS.iter().map(|(pattern, code)| Piece::Pattern(pattern, code));
        let made = MADE.iter().map(|(pattern, text)| Piece::Made(pattern, text));
        let longest = known.chain(made).filter(|piece| begins(piece.pattern())).max_by_key(|piece| piece.pattern().len());
        if let Some(piece) = longest {
            rest = rest.get(piece.pattern().len()..)?;
            // An ordinal ending belongs to the pattern before it.
            if rest.starts_with("th") || rest.starts_with("TH") {
                return None;
            }
            pieces.push(piece);
            continue;
        }
        let (first, behind) = rest.split_at_checked(c.len_utf8())?;
        rest = behind;
        pieces.push(match c {
            '"' => {
                let (quoted, after) = rest.split_once('"')?;
                rest = after;
                Piece::Quoted(quoted)
            }
            '\\' => return None,
            c if c.is_alphanumeric() => return None,
            _ => Piece::Signs(first),
        });
    }
    Some(pieces)
}

/// Whether text is read alike by a format: a year of four digits is in it, and nothing from which only some engines take a day.
pub(super) fn is_read_alike(pieces: &[Piece<'_>]) -> bool {
    let has = |patterns: &[&str]| pieces.iter().any(|piece| patterns.contains(&piece.pattern()));
    has(&["YYYY"]) && !has(&["YY", "IYYY", "IW", "ID", "Dy", "FMDay"])
}

impl Piece<'_> {
    pub(super) fn pattern(&self) -> &'static str {
        match self {
            Piece::Pattern(pattern, _) | Piece::Made(pattern, _) => pattern,
            Piece::Signs(_) | Piece::Quoted(_) => "",
        }
    }

    /// As `strftime` and `strptime` have it; `None` where they lack it.
    pub(super) fn code(&self) -> Option<String> {
        match self {
            Piece::Pattern(_, code) => Some((*code).to_owned()),
            Piece::Made(..) => None,
            Piece::Signs(text) | Piece::Quoted(text) => Some(text.replace('%', "%%")),
        }
    }

    /// As PostgreSQL and Redshift have it.
    pub(super) fn spelled(&self) -> String {
        match self {
            Piece::Pattern(pattern, _) | Piece::Made(pattern, _) => (*pattern).to_owned(),
            Piece::Signs(text) => (*text).to_owned(),
            Piece::Quoted(text) => format!("\"{text}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_or_refused() {
        let codes = |format| read_format(format)?.iter().map(Piece::code).collect::<Option<String>>();
        let spelled = |format| read_format(format).map(|pieces| pieces.iter().map(Piece::spelled).collect::<String>());
        assert_eq!(codes("YYYY-MM-DD\"T\"HH24:MI:SS.US").as_deref(), Some("%Y-%m-%dT%H:%M:%S.%f"));
        assert_eq!(codes("FMMonth YYYY"), Some("%B %Y".to_owned()));
        assert_eq!(codes("yyyy-mm-dd hh24"), Some("%Y-%m-%d %H".to_owned()));
        assert_eq!(spelled("yyyy-\"Q\"q Month mon"), Some("YYYY-\"Q\"Q Month mon".to_owned()));
        assert_eq!(read_format("Month").map(|pieces| pieces.len()), Some(1));
        assert_eq!(codes("Q"), None);
        assert_eq!(read_format("DDth"), None);
        assert_eq!(read_format("YYYY week"), None);
        assert_eq!(read_format("J"), None);
        assert_eq!(read_format("SSSS"), None);
        let alike = |format| read_format(format).is_some_and(|pieces| is_read_alike(&pieces));
        assert!(alike("DD.MM.YYYY") && alike("yyyymmdd") && !alike("YY-MM-DD") && !alike("MM-DD") && !alike("IYYY-IW"));
    }
}
