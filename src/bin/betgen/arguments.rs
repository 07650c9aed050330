//! The command line and its meaning.

use std::path::PathBuf;

use clap::Parser;
use jiff::civil::Date;

use crate::calendar::add_days;
use crate::error::{Error, Result};
use crate::faults::Fault;

const EXAMPLE: &str = "Example (the committed sample):
  betgen --out data/sample --seed 42 --days 2025-10-24..2025-10-27,2026-01-16..2026-02-05

Every fault injected must make the test that guards it fail:
  betgen --out /tmp/faulty --inject penny --inject missing_leg";

/// Write the raw extracts of two betting companies, the shared trading system and the treasury, deterministically:
/// the same arguments give the same bytes.
#[derive(Debug, Parser)]
#[command(name = "betgen", version, after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// Folder to write to; extracts of an earlier run in it are replaced
    #[arg(long, value_name = "DIR", default_value = "data/sample")]
    out: PathBuf,
    /// Folder of the real results, prices and exchange rates
    #[arg(long, value_name = "DIR", default_value = "data/real")]
    real: PathBuf,
    /// Seed of all random choices
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Days to simulate: ranges FIRST..LAST, in order, separated by commas
    #[arg(long, value_name = "RANGES", default_value = "2025-10-24..2025-10-27,2026-01-16..2026-02-05")]
    days: String,
    /// Bets and customers: small, medium (20 times), large (400 times), or any factor of small
    #[arg(long, default_value = "small")]
    scale: String,
    /// Fault that spoils one bet; may be repeated, or several separated by commas
    #[arg(long, value_name = "FAULT", value_delimiter = ',')]
    inject: Vec<String>,
    /// Print the faults and the tests that must catch them, then stop
    #[arg(long)]
    list_faults: bool,
}

/// A checked command line.
pub(crate) enum Request {
    ListFaults,
    Generate(Plan),
}

pub(crate) struct Plan {
    pub(crate) out: PathBuf,
    pub(crate) real: PathBuf,
    pub(crate) seed: u64,
    pub(crate) windows: Vec<Window>,
    pub(crate) scale: f64,
    pub(crate) faults: Vec<Fault>,
}

/// Days simulated without a gap, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) first: Date,
    pub(crate) last: Date,
}

impl Window {
    pub(crate) fn days(self) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(self.first), |&day| Some(add_days(day, 1))).take_while(move |&day| day <= self.last)
    }

    pub(crate) fn contains(self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

impl Plan {
    pub(crate) fn last_day(&self) -> Date {
        self.windows.last().map_or(Date::MIN, |window| window.last)
    }

    /// `2025-10-24..2025-10-27,2026-01-16..2026-02-05`
    pub(crate) fn windows_text(&self) -> String {
        let texts: Vec<String> = self.windows.iter().map(|window| format!("{}..{}", window.first, window.last)).collect();
        texts.join(",")
    }
}

impl Arguments {
    pub(crate) fn into_request(self) -> Result<Request> {
        if self.list_faults {
            return Ok(Request::ListFaults);
        }
        Ok(Request::Generate(Plan {
            windows: parse_windows(&self.days)?,
            scale: parse_scale(&self.scale)?,
            faults: self.inject.iter().map(|name| parse_fault(name)).collect::<Result<_>>()?,
            out: self.out,
            real: self.real,
            seed: self.seed,
        }))
    }
}

fn parse_windows(text: &str) -> Result<Vec<Window>> {
    let windows: Vec<Window> = text.split(',').map(parse_window).collect::<Result<_>>()?;
    for pair in windows.windows(2) {
        if let [earlier, later] = pair
            && later.first <= add_days(earlier.last, 1)
        {
            let message = format!("--days: {} must begin at least two days after {} ends", later.first, earlier.last);
            return Err(Error::Argument(message));
        }
    }
    Ok(windows)
}

fn parse_window(text: &str) -> Result<Window> {
    let bad = |reason: &str| Error::Argument(format!("--days: `{text}` {reason}; write 2026-01-16..2026-02-05"));
    let (first, last) = text.trim().split_once("..").unwrap_or((text.trim(), text.trim()));
    let day = |text: &str| text.parse::<Date>().map_err(|_| bad("is not a range of days"));
    let window = Window { first: day(first)?, last: day(last)? };
    if window.first > window.last {
        return Err(bad("ends before it begins"));
    }
    if !(2000..2100).contains(&window.first.year()) || !(2000..2100).contains(&window.last.year()) {
        return Err(bad("is outside the years 2000 to 2099"));
    }
    Ok(window)
}

fn parse_scale(text: &str) -> Result<f64> {
    match text {
        "small" => Ok(1.0),
        "medium" => Ok(20.0),
        "large" => Ok(400.0),
        number => {
            number.parse().ok().filter(|factor| (0.05..=100_000.0).contains(factor)).ok_or_else(|| {
                Error::Argument(format!("--scale: `{text}` is neither small, medium, large nor a number from 0.05 to 100000"))
            })
        }
    }
}

fn parse_fault(name: &str) -> Result<Fault> {
    Fault::ALL.into_iter().find(|fault| fault.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        Error::Argument(format!("--inject: there is no fault `{name}`; known are {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn windows_are_ranges_or_single_days() {
        let windows = parse_windows("2025-10-24..2025-10-27,2026-01-16").unwrap();
        assert_eq!(windows[0], Window { first: date(2025, 10, 24), last: date(2025, 10, 27) });
        assert_eq!(windows[0].days().count(), 4);
        assert_eq!(windows[1].days().count(), 1);
    }

    #[test]
    fn bad_arguments_are_named_in_one_line() {
        for (text, part) in [
            ("2026-01-20..2026-01-16", "ends before it begins"),
            ("yesterday", "is not a range of days"),
            ("2026-01-16..2026-01-20,2026-01-18", "must begin at least two days after"),
            ("1815-06-18", "is outside the years"),
        ] {
            let message = parse_windows(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
            assert!(!message.contains('\n'));
        }
        assert!(parse_scale("huge").unwrap_err().to_string().contains("neither small"));
        assert!(parse_fault("gremlin").unwrap_err().to_string().contains("known are missing_leg"));
    }
}
