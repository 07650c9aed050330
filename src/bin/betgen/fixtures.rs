//! What the results files lack: kick-off times of the Premier League, and the chances of goals.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};

use crate::calendar::{HOUR, MINUTE, Moment};
use crate::real::football::Match;

/// A kick-off for each match, in the slots usual for the day of the week.
pub(crate) fn kick_offs(matches: &[Match]) -> Vec<Moment> {
    let mut of_day: BTreeMap<Date, usize> = BTreeMap::new();
    for game in matches {
        *of_day.entry(game.day).or_default() += 1;
    }
    let mut met: BTreeMap<Date, usize> = BTreeMap::new();
    let slot = |game: &Match| {
        let position = met.entry(game.day).or_default();
        *position += 1;
        let all = of_day.get(&game.day).copied().unwrap_or_default();
        Moment::london(game.day, slot(game.day.weekday(), *position, all))
    };
    matches.iter().map(slot).collect()
}

/// Second of the London day of match number `position` (from 1) of `all` that day.
fn slot(weekday: Weekday, position: usize, all: usize) -> i64 {
    let (hour, minute) = match weekday {
        Weekday::Saturday if position == 1 && all > 2 => (12, 30),
        Weekday::Saturday if position == all && all > 6 => (20, 0),
        Weekday::Saturday if position + 1 >= all && all > 3 => (17, 30),
        Weekday::Saturday => (15, 0),
        Weekday::Sunday if position == all => (16, 30),
        Weekday::Sunday => (14, 0),
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday if position * 2 <= all => (19, 30),
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => (20, 0),
    };
    hour * HOUR + minute * MINUTE
}

/// Goals as two independent Poisson numbers, their means from each team's goal difference over the season.
pub(crate) struct GoalModel(BTreeMap<String, f64>);

/// Chances of home, draw, away; of more than 2.5 goals; of both teams scoring.
pub(crate) struct Chances {
    pub(crate) result: [f64; 3],
    pub(crate) over: f64,
    pub(crate) both: f64,
}

const MOST_GOALS: i64 = 14;

impl GoalModel {
    pub(crate) fn fit(matches: &[Match]) -> GoalModel {
        let mut totals: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for game in matches {
            let difference = game.home_goals - game.away_goals;
            for (team, goals) in [(&game.home, difference), (&game.away, -difference)] {
                let total = totals.entry(team.clone()).or_default();
                *total = (total.0 + goals, total.1 + 1);
            }
        }
        GoalModel(totals.into_iter().map(|(team, (goals, games))| (team, goals as f64 / games.max(1) as f64)).collect())
    }

    pub(crate) fn chances(&self, game: &Match) -> Chances {
        let strength = |team: &String| self.0.get(team).copied().unwrap_or_default();
        let edge = (0.4 * (strength(&game.home) - strength(&game.away))).clamp(-1.2, 1.2);
        let (home, away) = (poisson(1.5 * edge.exp()), poisson(1.2 * (-edge).exp()));
        let mut chances = Chances { result: [0.0; 3], over: 0.0, both: 0.0 };
        let [home_win, draw, away_win] = &mut chances.result;
        for (home_goals, home_chance) in (0..).zip(home) {
            for (away_goals, away_chance) in (0..).zip(away) {
                let chance = home_chance * away_chance;
                match home_goals.cmp(&away_goals) {
                    std::cmp::Ordering::Greater => *home_win += chance,
                    std::cmp::Ordering::Equal => *draw += chance,
                    std::cmp::Ordering::Less => *away_win += chance,
                }
                chances.over += if home_goals + away_goals > 2 { chance } else { 0.0 };
                chances.both += if home_goals > 0 && away_goals > 0 { chance } else { 0.0 };
            }
        }
        chances
    }
}

fn poisson(mean: f64) -> [f64; MOST_GOALS as usize + 1] {
    let mut chance = (-mean).exp();
    let mut goals = 0.0;
    std::array::from_fn(|_| {
        let this = chance;
        goals += 1.0;
        chance *= mean / goals;
        this
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn game(home: &str, away: &str, home_goals: i64, away_goals: i64) -> Match {
        let [home, away] = [home, away].map(str::to_owned);
        Match { day: date(2026, 1, 17), home, away, home_goals, away_goals, kick_off: None, prices: None }
    }

    #[test]
    fn chances_of_a_match_add_up_and_favour_the_stronger() {
        let games = [game("Strong", "Weak", 4, 0), game("Weak", "Strong", 1, 2)];
        let chances = GoalModel::fit(&games).chances(&games[0]);
        assert!((chances.result.iter().sum::<f64>() - 1.0).abs() < 0.01);
        assert!(chances.result[0] > chances.result[2]);
    }

    #[test]
    fn saturdays_have_an_early_and_a_late_match() {
        let games: Vec<Match> = (0..5).map(|_| game("A", "B", 0, 0)).collect();
        let clocks: Vec<String> = kick_offs(&games).into_iter().map(Moment::london_clock).collect();
        assert_eq!(clocks, ["12:30", "15:00", "15:00", "17:30", "17:30"]);
    }
}
