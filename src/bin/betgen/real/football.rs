//! Football: Premier League results, and A-League results with exchange prices.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;

use super::{Table, fields};
use crate::calendar::{MINUTE, Moment};
use crate::error::Result;

/// A finished match.
pub(crate) struct Match {
    /// The day in London (Premier League) or in UTC (A-League).
    pub(crate) day: Date,
    pub(crate) home: String,
    pub(crate) away: String,
    pub(crate) home_goals: i64,
    pub(crate) away_goals: i64,
    /// Known where the source has the time of half-time.
    pub(crate) kick_off: Option<Moment>,
    /// Best prices to back home, draw and away, where the source has them.
    pub(crate) prices: Option<[f64; 3]>,
}

pub(crate) fn load_premier_league(real: &Path) -> Result<Vec<Match>> {
    let path = real.join("football_results/premier-league_2526.csv");
    let table = Table::load(&path)?;
    let columns = table.columns(&path, ["Date", "HomeTeam", "AwayTeam", "FTHG", "FTAG"])?;
    let parse = |row: &csv::StringRecord| {
        let [day, home, away, home_goals, away_goals] = fields(row, columns);
        Some(Match {
            day: day.parse().ok()?,
            home: home.to_owned(),
            away: away.to_owned(),
            home_goals: home_goals.parse().ok()?,
            away_goals: away_goals.parse().ok()?,
            kick_off: None,
            prices: None,
        })
    };
    Ok(table.rows.iter().filter_map(parse).collect())
}

pub(crate) fn load_a_league(real: &Path) -> Result<Vec<Match>> {
    let path = real.join("exchange/A-League_2025-2026_Match_Odds.csv");
    let table = Table::load(&path)?;
    let names = ["MARKET_ID", "PATH", "RUNNER_NAME", "RUNNER_STATUS", "HOME_SCORE", "AWAY_SCORE", "BEST_BACK_KICK_OFF", "HALF_TIME"];
    let columns = table.columns(&path, names)?;
    let mut markets: BTreeMap<&str, Vec<&csv::StringRecord>> = BTreeMap::new();
    for row in &table.rows {
        let [market, ..] = fields(row, columns);
        markets.entry(market).or_default().push(row);
    }
    Ok(markets.values().filter_map(|rows| parse_market(rows, columns)).collect())
}

/// One match from its three runners. The team names of the file's own columns are damaged in a few rows, so they are
/// taken from the end of the menu path, which says `Home v Away`.
fn parse_market(rows: &[&csv::StringRecord], columns: [usize; 8]) -> Option<Match> {
    let [_, path, _, _, home_goals, away_goals, _, half_time] = fields(rows.first()?, columns);
    let (home, away) = path.rsplit('/').next()?.split_once(" v ")?;
    let price = |name: &str| {
        let row = rows.iter().find(|row| fields(row, columns)[2] == name)?;
        fields(row, columns)[6].parse::<f64>().ok()
    };
    let won = |name: &str| rows.iter().any(|row| fields(row, columns)[2] == name && fields(row, columns)[3] == "WINNER");
    let kick_off = kick_off_before(half_time)?;
    let goals = home_goals.parse().ok().zip(away_goals.parse().ok());
    // A few rows lack the score; the winner is known, so the commonest such score stands in.
    let (home_goals, away_goals) = goals.unwrap_or(if won(home) {
        (2, 1)
    } else if won(away) {
        (1, 2)
    } else {
        (1, 1)
    });
    Some(Match {
        day: kick_off.utc_date(),
        home: home.to_owned(),
        away: away.to_owned(),
        home_goals,
        away_goals,
        kick_off: Some(kick_off),
        prices: price(home).zip(price("The Draw")).zip(price(away)).map(|((home, draw), away)| [home, draw, away]),
    })
}

/// Kick-off from the time of half-time (`2026-01-16 09:27:44.000 Z`): 49 minutes earlier, to the nearest five minutes.
fn kick_off_before(half_time: &str) -> Option<Moment> {
    let (day, clock) = half_time.split_once(' ')?;
    let mut parts = clock.get(..8)?.split(':').map(|part| part.parse::<i64>().ok());
    let seconds = parts.next()?? * 3600 + parts.next()?? * 60 + parts.next()??;
    let about = Moment::utc(day.parse().ok()?, seconds).seconds() - 49 * MINUTE;
    Some(Moment::from_seconds((about + 150).div_euclid(300) * 300))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn kick_off_is_reckoned_from_half_time() {
        let kick_off = kick_off_before("2025-10-26 02:50:50.000 Z").unwrap();
        assert_eq!(kick_off, Moment::utc(date(2025, 10, 26), 2 * 3600));
        assert_eq!(kick_off_before(""), None);
    }
}
