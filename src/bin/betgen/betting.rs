//! One day's bets of one company: who bets, when, on what and how much.

use jiff::civil::{Date, Weekday};

use crate::accounts::{Account, Business, Population};
use crate::bet::{Bet, Leg};
use crate::bet_type::BetType;
use crate::calendar::{DAY, HOUR, MINUTE, Moment, add_days, days_since_epoch, london_offset};
use crate::error::Result;
use crate::price::{Price, Rung};
use crate::random::Dice;
use crate::returns::{Outcome, payout};
use crate::settle::settle;
use crate::stakes;
use crate::world::{Event, Market, MarketKind, Selection, Sport, World};

/// Bets a day at scale 1 when the programme is full.
const MERIDIAN_BETS: f64 = 420.0;
const HALCYON_BETS: f64 = 310.0;
/// A hundred units of popularity are a full programme.
const FULL_PROGRAMME: f64 = 100.0;
const IN_PLAY_BETS: f64 = 0.005;
const FREE_BETS: f64 = 0.03;
/// Bets in the hours that the clocks repeat, at scale 1.
const BETS_WHEN_CLOCKS_CHANGE: f64 = 14.0;
/// No bet may win more than this (minor units): the companies' maximum payout.
const MAXIMUM_PAYOUT: i64 = 25_000_000;
const FIRST_BET_ID: i64 = 810_000_001;

/// Takes bets, numbering them through.
pub(crate) struct Betting<'a> {
    pub(crate) world: &'a World,
    pub(crate) seed: u64,
    pub(crate) scale: f64,
    taken: i64,
}

/// What is fixed for all bets of the day.
struct Session<'a> {
    business: Business,
    from: Moment,
    until: Moment,
    accounts: &'a [Account],
    /// Sums of the customers' activity, to draw them by.
    activity: Vec<f64>,
    /// Events open for betting that have not started when the day begins, with what they draw.
    programme: Vec<(&'a Event, f64)>,
    running: Vec<(&'a Event, f64)>,
}

/// Where and when a bet begins.
struct Opening<'a> {
    event: &'a Event,
    placed: Moment,
    in_play: bool,
}

impl<'a> Betting<'a> {
    pub(crate) fn new(world: &'a World, seed: u64, scale: f64) -> Betting<'a> {
        Betting { world, seed, scale, taken: 0 }
    }

    /// The bets of this day on the company's clock, settled, in the order they were placed.
    pub(crate) fn bets_of_day(&mut self, business: Business, day: Date, population: &Population) -> Result<Vec<Bet>> {
        let mut dice = Dice::new(self.seed, business.name(), days_since_epoch(day));
        let session = self.session(business, day, population.of(business));
        let mut bets = Vec::new();
        for number in 0..self.number_of_bets(&session, &mut dice) {
            // Saturdays have every type of bet, however rare.
            let rota = (day.weekday() == Weekday::Saturday).then(|| BetType::ALL.get(number).copied()).flatten();
            let opening = self.opening(&session, rota.is_some(), &mut dice);
            bets.extend(opening.and_then(|opening| self.place(&session, &opening, rota, &mut dice)));
        }
        bets.extend(self.bets_when_clocks_change(&session, &mut dice));
        bets.sort_by_key(|bet| bet.placed);
        for bet in &mut bets {
            bet.key = match business {
                Business::Meridian => (FIRST_BET_ID + self.taken).to_string(),
                Business::Halcyon => dice.guid(),
            };
            self.taken += i64::from(business == Business::Meridian);
            settle(bet, &mut dice)?;
        }
        Ok(bets)
    }

    fn session<'s>(&self, business: Business, day: Date, accounts: &'s [Account]) -> Session<'s>
    where
        'a: 's,
    {
        let (from, until) = (business.day_start(day), business.day_start(add_days(day, 1)));
        let mut total = 0.0;
        let mut sum = |account: &Account| {
            let may_bet = account.may_bet_at(until) || account.may_bet_at(from);
            total += if may_bet { account.activity } else { 0.0 };
            total
        };
        let draw = |event: &'a Event| {
            let days_ahead = (event.starts.seconds() - until.seconds()).max(0) as f64 / DAY as f64;
            (event, event.competition.popularity() * (-1.5 * days_ahead).exp() * if days_ahead > 0.0 { 0.35 } else { 1.0 })
        };
        let is_open = |event: &&Event| event.published < until;
        let football = |event: &&Event| event.competition.sport() == Sport::Football && !event.abandoned;
        Session {
            business,
            from,
            until,
            accounts,
            activity: accounts.iter().map(&mut sum).collect(),
            programme: self.world.starting(from, until.plus_seconds(6 * DAY)).iter().filter(is_open).map(draw).collect(),
            running: self.world.starting(from.plus_seconds(-HOUR), until).iter().filter(football).map(|event| (event, 1.0)).collect(),
        }
    }

    fn number_of_bets(&self, session: &Session<'_>, dice: &mut Dice) -> usize {
        let full = match session.business {
            Business::Meridian => MERIDIAN_BETS,
            Business::Halcyon => HALCYON_BETS,
        };
        let popularity: f64 = session.programme.iter().map(|(_, draw)| draw).sum();
        let programme = (0.25 + popularity / FULL_PROGRAMME).min(1.4);
        if session.programme.is_empty() { 0 } else { (full * self.scale * programme * dice.log_normal(1.0, 0.06)) as usize }
    }

    /// The first event of the bet and the moment it is placed, shortly before the start more often than not.
    fn opening(&self, session: &Session<'a>, early: bool, dice: &mut Dice) -> Option<Opening<'a>> {
        if !early
            && dice.chance(IN_PLAY_BETS)
            && let Some(event) = dice.weighted(session.running.iter().copied())
        {
            let placed = event.starts.plus_seconds(dice.between(3 * MINUTE, 95 * MINUTE));
            return (session.from..session.until).contains(&placed).then_some(Opening { event, placed, in_play: true });
        }
        for _ in 0..30 {
            let event = dice.weighted(session.programme.iter().copied())?;
            let placed = if early { session.from.plus_seconds(dice.between(7 * HOUR, 10 * HOUR)) } else { before(event, session, dice) };
            let latest = session.until.min(event.starts.plus_seconds(-20));
            if placed >= session.from.max(event.published) && placed < latest {
                return Some(Opening { event, placed, in_play: false });
            }
        }
        None
    }

    /// Night owls bet through the hour that comes twice.
    fn bets_when_clocks_change(&self, session: &Session<'a>, dice: &mut Dice) -> Vec<Bet> {
        let changes = london_offset(session.from.seconds()) > london_offset(session.until.seconds());
        let number = if changes { (BETS_WHEN_CLOCKS_CHANGE * self.scale) as usize } else { 0 };
        let midnight = Moment::utc(session.until.plus_seconds(-HOUR).utc_date(), 0);
        let mut bets = Vec::new();
        for _ in 0..number {
            let placed = midnight.plus_seconds(dice.between(5 * MINUTE, 115 * MINUTE));
            let later = session
                .programme
                .iter()
                .copied()
                .filter(|(event, _)| event.starts > midnight.plus_seconds(2 * HOUR - 1) && event.published < placed);
            let event = dice.weighted(later);
            bets.extend(event.and_then(|event| self.place(session, &Opening { event, placed, in_play: false }, None, dice)));
        }
        bets
    }

    fn place(&self, session: &Session<'a>, opening: &Opening<'a>, rota: Option<BetType>, dice: &mut Dice) -> Option<Bet> {
        let placed = session.business.recorded(opening.placed.plus_ticks(dice.between(0, 9_999_999)));
        let account = session.bettor(placed, dice)?;
        let customer = session.accounts.get(account)?;
        let (mut bet_type, wants_each_way) = stakes::choose_bet(opening.event.competition.sport(), dice);
        bet_type = if opening.in_play { BetType::Single } else { rota.unwrap_or(bet_type) };
        let each_way = wants_each_way && !opening.in_play && opening.event.markets.iter().any(|market| market.each_way);
        let events = self.events_of(opening, placed, bet_type, each_way, dice);
        if events.len() < bet_type.shape().legs {
            bet_type = BetType::accumulator(events.len())?;
        }
        let legs: Vec<Leg> = events.into_iter().filter_map(|event| choose_leg(session.business, event, opening, each_way, dice)).collect();
        let lines = bet_type.lines() * if each_way { 2 } else { 1 };
        let free = bet_type == BetType::Single && !each_way && !opening.in_play && dice.chance(FREE_BETS);
        let wanted = if free { stakes::free_stake(dice) } else { stakes::unit_stake(bet_type, lines, customer.stake_level, dice) };
        let unit_stake = within_maximum(bet_type, each_way, wanted, &legs, dice)?;
        Some(Bet {
            key: String::new(),
            business: session.business,
            account,
            currency: customer.person.currency,
            placed,
            bet_type,
            each_way,
            lines,
            unit_stake,
            bonus: if free { unit_stake } else { 0 },
            mobile: dice.chance(0.68),
            in_play: opening.in_play,
            legs,
            settlement: None,
            deleted: None,
        })
    }

    /// The events of all legs: the first, and later ones drawn from what follows, mostly of the same sport.
    fn events_of(&self, opening: &Opening<'a>, placed: Moment, bet_type: BetType, each_way: bool, dice: &mut Dice) -> Vec<&'a Event> {
        let sport = opening.event.competition.sport();
        let mixed = dice.chance(0.06);
        let ahead = if sport == Sport::Football { 60 * HOUR } else { 26 * HOUR };
        let until = placed.max(opening.event.starts).plus_seconds(ahead);
        let fits = |event: &&'a Event| {
            let offered = event.markets.iter().any(|market| market.each_way) || !each_way;
            let wanted = mixed || event.competition.sport() == sport;
            event.id != opening.event.id && event.published < placed && offered && wanted
        };
        let followers = self.world.starting(placed.plus_seconds(30), until).iter();
        let mut others: Vec<(&'a Event, f64)> = followers.filter(fits).map(|event| (event, event.competition.popularity())).collect();
        let mut events = vec![opening.event];
        while events.len() < bet_type.shape().legs {
            let Some(event) = dice.weighted(others.iter().copied()) else { break };
            others.retain(|(other, _)| other.id != event.id);
            events.push(event);
        }
        events.sort_by_key(|event| (event.starts, event.id));
        events
    }
}

impl Session<'_> {
    /// A customer who may bet now, drawn by activity.
    fn bettor(&self, placed: Moment, dice: &mut Dice) -> Option<usize> {
        let total = self.activity.last().copied()?;
        for _ in 0..40 {
            let drawn = dice.unit() * total;
            let position = self.activity.partition_point(|&sum| sum <= drawn);
            if self.accounts.get(position).is_some_and(|account| account.may_bet_at(placed)) {
                return Some(position);
            }
        }
        None
    }
}

/// A moment before the event: shortly before it for most, else when people are awake.
fn before(event: &Event, session: &Session<'_>, dice: &mut Dice) -> Moment {
    let (rush, mean) = match event.competition.sport() {
        Sport::Racing => (0.75, 22.0),
        Sport::Football => (0.6, 50.0),
    };
    if event.starts < session.until && dice.chance(rush) {
        return event.starts.plus_seconds(-(dice.exponential(mean) * MINUTE as f64) as i64 - 25);
    }
    let hours = [(0, 2.0), (3, 0.6), (6, 2.0), (9, 7.0), (12, 9.0), (15, 8.0), (18, 9.0), (21, 6.0)];
    let hour = dice.weighted(hours).unwrap_or(12);
    session.from.plus_seconds(hour * HOUR + dice.between(0, 3 * HOUR - 1))
}

fn choose_leg(business: Business, event: &Event, opening: &Opening<'_>, each_way: bool, dice: &mut Dice) -> Option<Leg> {
    let in_play = opening.in_play;
    let weight = |market: &Market| match market.kind {
        MarketKind::MatchOdds => 62.0,
        MarketKind::TotalGoals => 22.0,
        MarketKind::BothTeamsToScore => 16.0,
        MarketKind::Win => 1.0,
        MarketKind::MatchOddsInPlay => 0.0,
    };
    let offered = event.markets.iter().filter(|market| market.kind.is_in_play() == in_play);
    let market = dice.weighted(offered.map(|market| (market, if in_play { 1.0 } else { weight(market) })))?;
    let backed = |selection: &'_ Selection| {
        // Runners that will be withdrawn are few; they are backed more so that voids are not too rare.
        let withdrawn = if selection.outcome == Outcome::Void { 2.5 } else { 1.0 };
        selection.opening.approximate().powf(-0.8) * withdrawn
    };
    let selection = dice.weighted(market.selections.iter().map(|selection| (selection, backed(selection))))?;
    Some(Leg {
        selection_id: selection.id,
        price: struck(business, selection.opening, in_play, dice),
        // A place is worth something only to an each-way bet.
        outcome: if selection.outcome == Outcome::Placed && !each_way { Outcome::Lost } else { selection.outcome },
        starts: event.starts,
        ends: event.ends,
        resulted: None,
    })
}

/// The price at the moment of the bet: it drifts from the opening, in-play much further.
fn struck(business: Business, opening: Rung, in_play: bool, dice: &mut Dice) -> Price {
    let drift =
        if in_play { dice.between(-6, 6) } else { dice.weighted([(-2, 0.06), (-1, 0.17), (0, 0.54), (1, 0.17), (2, 0.06)]).unwrap_or(0) };
    let rung = opening.moved(drift);
    match business {
        Business::Meridian => rung.fractional(),
        Business::Halcyon => {
            let extra = if dice.chance(0.3) { dice.between(-3, 4) } else { 0 };
            Price::Decimal { hundredths: (rung.hundredths() + extra).max(103) }
        }
    }
}

/// The wanted stake, cut until the best possible return is within the maximum.
fn within_maximum(bet_type: BetType, each_way: bool, wanted: i64, legs: &[Leg], dice: &mut Dice) -> Option<i64> {
    let best: Vec<(Price, Outcome)> = legs.iter().map(|leg| (leg.price, Outcome::Won)).collect();
    let mut unit_stake = wanted;
    while payout(bet_type, each_way, unit_stake, &best).is_none_or(|paid| paid > MAXIMUM_PAYOUT) {
        if unit_stake <= 5 {
            return None;
        }
        unit_stake = stakes::sensible(unit_stake as f64 / 8.0, dice);
    }
    Some(unit_stake)
}
