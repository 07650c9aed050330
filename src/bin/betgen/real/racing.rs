//! British and Irish flat and jump races with exchange starting prices.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;

use super::{Table, fields};
use crate::calendar::{HOUR, Moment};
use crate::error::Result;
use crate::returns::Outcome;

const MONTHS: [&str; 2] = ["2026-01", "2026-02"];

/// A race with one winner, or one that was abandoned (all its runners void).
pub(crate) struct Race {
    pub(crate) off: Moment,
    pub(crate) course: String,
    pub(crate) title: String,
    pub(crate) irish: bool,
    pub(crate) abandoned: bool,
    pub(crate) runners: Vec<Runner>,
}

pub(crate) struct Runner {
    pub(crate) name: String,
    /// Exchange starting price; the model's price for a runner that was withdrawn.
    pub(crate) price: f64,
    pub(crate) outcome: Outcome,
}

type Columns = [usize; 12];
const COLUMNS: [&str; 12] = [
    "LOCAL_RACE_DATE",
    "RACETIME",
    "COUNTRY_ID",
    "TRACK",
    "WIN_MARKET_ID",
    "RACE_NAME",
    "RACE_NUMBER",
    "SELECTION_ID",
    "RUNNER_NAME",
    "RATED_PRICE",
    "WIN_BSP",
    "WIN_RESULT",
];

/// All races of the files, dead heats and races without a known winner left out.
pub(crate) fn load_races(real: &Path) -> Result<Vec<Race>> {
    let mut races = Vec::new();
    for month in MONTHS {
        let path = real.join(format!("exchange/UK_IE_Thoroughbred_Racing_Model_{month}.csv"));
        let table = Table::load(&path)?;
        let columns = table.columns(&path, COLUMNS)?;
        let [placed] = table.columns(&path, ["PLACE_RESULT"])?;
        let mut markets: BTreeMap<&str, BTreeMap<&str, &csv::StringRecord>> = BTreeMap::new();
        for row in &table.rows {
            let [_, _, _, _, market, _, _, selection, ..] = fields(row, columns);
            // Abandoned meetings are listed twice; the runner's key makes them one.
            markets.entry(market).or_default().insert(selection, row);
        }
        races.extend(markets.values().filter_map(|rows| parse_race(rows, columns, placed)));
    }
    Ok(races)
}

fn parse_race(rows: &BTreeMap<&str, &csv::StringRecord>, columns: Columns, placed: usize) -> Option<Race> {
    let [day, time, country, course, _, title, number, ..] = fields(rows.values().next()?, columns);
    let runners: Vec<Runner> = rows.values().filter_map(|row| parse_runner(row, columns, placed)).collect();
    let winners = runners.iter().filter(|runner| runner.outcome == Outcome::Won).count();
    let abandoned = runners.iter().all(|runner| runner.outcome == Outcome::Void);
    if runners.len() < 2 || (winners != 1 && !abandoned) {
        return None;
    }
    let off = parse_off(time).or_else(|| scheduled_off(day.parse().ok()?, number.parse().ok()?))?;
    Some(Race { off, course: course.to_owned(), title: title.to_owned(), irish: country == "35.0", abandoned, runners })
}

fn parse_runner(row: &csv::StringRecord, columns: Columns, placed: usize) -> Option<Runner> {
    let [_, _, _, _, _, _, _, _, name, rated, starting, result] = fields(row, columns);
    let outcome = match (result, row.get(placed).unwrap_or_default()) {
        ("1.0", _) => Outcome::Won,
        ("0.0", "1.0") => Outcome::Placed,
        ("0.0", _) => Outcome::Lost,
        _ => Outcome::Void,
    };
    let price: f64 = starting.parse().or_else(|_| rated.parse()).ok()?;
    Some(Runner { name: name.to_owned(), price: price.clamp(1.05, 250.0), outcome })
}

/// The file's clock is that of Brisbane, ten hours before UTC all year: the first race of Cheltenham's trials day on
/// 24 January 2026 stands at 22:05, and was off at 12:05.
fn parse_off(time: &str) -> Option<Moment> {
    let (day, clock) = time.split_once(' ')?;
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
    let seconds = parts.next()?? * HOUR + parts.next()?? * 60 + parts.next()??;
    Some(Moment::utc(day.parse().ok()?, seconds).plus_seconds(-10 * HOUR))
}

/// Abandoned meetings have no times: races half past twelve onwards, every half hour.
fn scheduled_off(day: Date, number: i64) -> Option<Moment> {
    (1..=20).contains(&number).then(|| Moment::london(day, 12 * HOUR + number * HOUR / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn brisbane_time_becomes_utc() {
        assert_eq!(parse_off("2026-01-24 22:05:00"), Some(Moment::utc(date(2026, 1, 24), 12 * HOUR + 300)));
        assert_eq!(parse_off("2026-01-17 03:00:00"), Some(Moment::utc(date(2026, 1, 16), 17 * HOUR)));
        assert_eq!(parse_off(""), None);
    }
}
