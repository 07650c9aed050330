//! Events, markets, selections and results: real fixtures and outcomes, with a bookmaker's prices around them.

use std::path::Path;

use crate::arguments::Window;
use crate::calendar::{DAY, HOUR, MINUTE, Moment, add_days};
use crate::error::Result;
use crate::fixtures::{self, GoalModel};
use crate::price::Rung;
use crate::random::Dice;
use crate::real::football::{Match, load_a_league, load_premier_league};
use crate::real::racing::{Race, Runner, load_races};
use crate::returns::Outcome;

/// Events starting up to this many days after a window's end are open for betting within it.
const HORIZON_DAYS: i64 = 5;
const FIRST_EVENT_ID: i64 = 50_001;
const FIRST_MARKET_ID: i64 = 200_001;
const FIRST_SELECTION_ID: i64 = 1_000_001;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sport {
    Football,
    Racing,
}

impl Sport {
    pub(crate) const ALL: [Sport; 2] = [Sport::Football, Sport::Racing];

    pub(crate) fn id(self) -> i64 {
        match self {
            Sport::Football => 1,
            Sport::Racing => 2,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Sport::Football => "Football",
            Sport::Racing => "Horse Racing",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Competition {
    PremierLeague,
    ALeague,
    BritishRacing,
    IrishRacing,
}

impl Competition {
    pub(crate) const ALL: [Competition; 4] =
        [Competition::PremierLeague, Competition::ALeague, Competition::BritishRacing, Competition::IrishRacing];

    /// Key, sport, name, country.
    pub(crate) fn row(self) -> (i64, Sport, &'static str, &'static str) {
        match self {
            Competition::PremierLeague => (11, Sport::Football, "Premier League", "GB"),
            Competition::ALeague => (12, Sport::Football, "A-League Men", "AU"),
            Competition::BritishRacing => (21, Sport::Racing, "British Racing", "GB"),
            Competition::IrishRacing => (22, Sport::Racing, "Irish Racing", "IE"),
        }
    }

    pub(crate) fn id(self) -> i64 {
        self.row().0
    }

    pub(crate) fn sport(self) -> Sport {
        self.row().1
    }

    /// How much one event draws, a British race being 1.
    pub(crate) fn popularity(self) -> f64 {
        match self {
            Competition::PremierLeague => 9.0,
            Competition::ALeague => 1.5,
            Competition::BritishRacing => 1.0,
            Competition::IrishRacing => 0.7,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarketKind {
    MatchOdds,
    TotalGoals,
    BothTeamsToScore,
    MatchOddsInPlay,
    Win,
}

impl MarketKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            MarketKind::MatchOdds => "Match Odds",
            MarketKind::TotalGoals => "Over/Under 2.5 Goals",
            MarketKind::BothTeamsToScore => "Both Teams To Score",
            MarketKind::MatchOddsInPlay => "Match Odds In-Play",
            MarketKind::Win => "Win",
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            MarketKind::MatchOdds | MarketKind::MatchOddsInPlay => "match_odds",
            MarketKind::TotalGoals => "total_goals",
            MarketKind::BothTeamsToScore => "both_teams_to_score",
            MarketKind::Win => "win",
        }
    }

    pub(crate) fn is_in_play(self) -> bool {
        self == MarketKind::MatchOddsInPlay
    }
}

pub(crate) struct Event {
    pub(crate) id: i64,
    pub(crate) competition: Competition,
    pub(crate) name: String,
    pub(crate) published: Moment,
    pub(crate) starts: Moment,
    /// When the results are known.
    pub(crate) ends: Moment,
    pub(crate) abandoned: bool,
    pub(crate) markets: Vec<Market>,
}

pub(crate) struct Market {
    pub(crate) id: i64,
    pub(crate) kind: MarketKind,
    /// Whether a place is paid, so that each-way bets are taken.
    pub(crate) each_way: bool,
    pub(crate) selections: Vec<Selection>,
}

pub(crate) struct Selection {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) opening: Rung,
    pub(crate) outcome: Outcome,
}

/// All events that can be bet on in some window, in order of their start.
pub(crate) struct World {
    pub(crate) events: Vec<Event>,
}

impl World {
    pub(crate) fn load(real: &Path, windows: &[Window], seed: u64) -> Result<World> {
        let mut dice = Dice::new(seed, "world", 0);
        let mut events = Vec::new();
        let premier_league = load_premier_league(real)?;
        let kick_offs = fixtures::kick_offs(&premier_league);
        let model = GoalModel::fit(&premier_league);
        for (game, kick_off) in premier_league.iter().zip(kick_offs) {
            events.extend(open(windows, kick_off).map(|()| football_event(game, kick_off, Competition::PremierLeague, &model, &mut dice)));
        }
        let a_league = load_a_league(real)?;
        let model = GoalModel::fit(&a_league);
        for game in &a_league {
            let kick_off = game.kick_off.filter(|&kick_off| open(windows, kick_off).is_some());
            events.extend(kick_off.map(|kick_off| football_event(game, kick_off, Competition::ALeague, &model, &mut dice)));
        }
        for race in load_races(real)? {
            events.extend(open(windows, race.off).map(|()| race_event(&race, &mut dice)));
        }
        events.sort_by(|a, b| (a.starts, &a.name).cmp(&(b.starts, &b.name)));
        number(&mut events);
        Ok(World { events })
    }

    /// The events starting in this half-open span.
    pub(crate) fn starting(&self, from: Moment, until: Moment) -> &[Event] {
        let first = self.events.partition_point(|event| event.starts < from);
        let last = self.events.partition_point(|event| event.starts < until);
        self.events.get(first..last).unwrap_or_default()
    }
}

fn open(windows: &[Window], starts: Moment) -> Option<()> {
    let day = starts.utc_date();
    windows.iter().any(|window| (window.first..=add_days(window.last, HORIZON_DAYS)).contains(&day)).then_some(())
}

fn number(events: &mut [Event]) {
    let (mut market_id, mut selection_id) = (FIRST_MARKET_ID, FIRST_SELECTION_ID);
    for (event, event_id) in events.iter_mut().zip(FIRST_EVENT_ID..) {
        event.id = event_id;
        for market in &mut event.markets {
            market.id = market_id;
            market_id += 1;
            for selection in &mut market.selections {
                selection.id = selection_id;
                selection_id += 1;
            }
        }
    }
}

fn football_event(game: &Match, kick_off: Moment, competition: Competition, model: &GoalModel, dice: &mut Dice) -> Event {
    let chances = model.chances(game);
    let bookmaker = |chance: f64, dice: &mut Dice| Rung::nearest(dice.log_normal(0.955, 0.015) / chance.clamp(0.01, 0.97));
    let result = game.home_goals.cmp(&game.away_goals);
    let match_odds = |dice: &mut Dice| {
        let names = [(game.home.as_str(), result.is_gt()), ("The Draw", result.is_eq()), (game.away.as_str(), result.is_lt())];
        let prices = game.prices.unwrap_or(chances.result.map(|chance| 1.0 / chance));
        let selections = names.into_iter().zip(prices);
        selections.map(|((name, won), price)| selection(name, bookmaker(1.0 / price, dice), won)).collect()
    };
    let pair = |names: [&str; 2], chance: f64, first_won: bool, dice: &mut Dice| {
        let [first, second] = names;
        vec![selection(first, bookmaker(chance, dice), first_won), selection(second, bookmaker(1.0 - chance, dice), !first_won)]
    };
    let over = game.home_goals + game.away_goals > 2;
    let both = game.home_goals > 0 && game.away_goals > 0;
    let markets = vec![
        market(MarketKind::MatchOdds, match_odds(dice)),
        market(MarketKind::TotalGoals, pair(["Over 2.5", "Under 2.5"], chances.over, over, dice)),
        market(MarketKind::BothTeamsToScore, pair(["Yes", "No"], chances.both, both, dice)),
        market(MarketKind::MatchOddsInPlay, match_odds(dice)),
    ];
    Event {
        id: 0,
        competition,
        name: format!("{} v {}", game.home, game.away),
        published: kick_off.plus_seconds(-7 * DAY - dice.between(0, 4 * HOUR)),
        starts: kick_off,
        ends: kick_off.plus_seconds(dice.between(106 * MINUTE, 117 * MINUTE)),
        abandoned: false,
        markets,
    }
}

fn race_event(race: &Race, dice: &mut Dice) -> Event {
    let selections: Vec<Selection> = race.runners.iter().map(|runner| runner_selection(runner, dice)).collect();
    let running = race.runners.iter().filter(|runner| runner.outcome != Outcome::Void).count();
    let places = race.runners.iter().any(|runner| runner.outcome == Outcome::Placed);
    let win = Market { each_way: running >= 5 && places, ..market(MarketKind::Win, selections) };
    let day_before = add_days(race.off.london_date(), -1);
    Event {
        id: 0,
        competition: if race.irish { Competition::IrishRacing } else { Competition::BritishRacing },
        name: format!("{} {} {}", race.off.london_clock(), race.course, race.title),
        published: Moment::london(day_before, 10 * HOUR + dice.between(0, 90) * MINUTE),
        starts: race.off,
        ends: race.off.plus_seconds(dice.between(6 * MINUTE, 15 * MINUTE)),
        abandoned: race.abandoned,
        markets: vec![win],
    }
}

/// Exchange prices are fair; a bookmaker shortens them, outsiders most.
fn runner_selection(runner: &Runner, dice: &mut Dice) -> Selection {
    let shortening = (0.96 - 0.07 * runner.price.ln()).clamp(0.55, 0.95);
    let decimal = 1.0 + (runner.price - 1.0) * shortening * dice.log_normal(1.0, 0.12);
    Selection { id: 0, name: runner.name.clone(), opening: Rung::nearest(decimal), outcome: runner.outcome }
}

fn market(kind: MarketKind, selections: Vec<Selection>) -> Market {
    Market { id: 0, kind, each_way: false, selections }
}

fn selection(name: &str, opening: Rung, won: bool) -> Selection {
    Selection { id: 0, name: name.to_owned(), opening, outcome: if won { Outcome::Won } else { Outcome::Lost } }
}
