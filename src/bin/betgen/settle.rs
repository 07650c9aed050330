//! Decides how and when a bet ends.

use crate::bet::{Bet, Leg};
use crate::calendar::{DAY, HOUR, MINUTE, Moment, add_days, london_offset};
use crate::error::{Error, Result};
use crate::price::Price;
use crate::random::Dice;
use crate::returns::{Outcome, payout};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Won,
    Lost,
    Void,
    CashedOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) at: Moment,
    pub(crate) status: Status,
    /// What is paid, in minor units; of a void bet the cash stake.
    pub(crate) returned: i64,
}

const OPERATOR_VOIDS: f64 = 0.004;
const CASH_OUTS: f64 = 0.04;
const LATE_SETTLEMENTS: f64 = 0.015;
/// More while the days of UTC and of London differ, since only then do the two disagree about the business day.
const LATE_SUMMER_SETTLEMENTS: f64 = 0.05;

/// Fills in the results of the legs and the settlement.
pub(crate) fn settle(bet: &mut Bet, dice: &mut Dice) -> Result<()> {
    let settlement = if !bet.in_play && dice.chance(OPERATOR_VOIDS) {
        void_by_operator(bet, dice)
    } else if bet.bonus == 0 && !bet.in_play && dice.chance(CASH_OUTS) {
        cash_out(bet, dice)?
    } else {
        settle_by_results(bet, dice)?
    };
    bet.settlement = Some(settlement);
    Ok(())
}

/// The price was a palpable error: the bet is void whatever the results.
fn void_by_operator(bet: &mut Bet, dice: &mut Dice) -> Settlement {
    let at = recorded(bet, bet.placed.plus_seconds(dice.between(10 * MINUTE, 5 * HOUR)), dice);
    for leg in &mut bet.legs {
        leg.outcome = Outcome::Void;
        leg.resulted = Some(at);
    }
    Settlement { at, status: Status::Void, returned: bet.cash_stake() }
}

/// Sold back before its first result; the results that follow are no longer recorded on it.
fn cash_out(bet: &mut Bet, dice: &mut Dice) -> Result<Settlement> {
    let first = bet.legs.iter().map(|leg| leg.starts.seconds() + (leg.ends.seconds() - leg.starts.seconds()) * 4 / 5).min();
    let earliest = bet.placed.seconds() + 2 * MINUTE;
    let at = dice.between(earliest, first.unwrap_or(earliest));
    let best = pay(bet, bet.legs.iter().map(|leg| (leg.price, Outcome::Won)).collect())?;
    let offer = (bet.total_stake() as f64 * (0.35 + 1.6 * dice.unit() * dice.unit())) as i64;
    for leg in &mut bet.legs {
        leg.resulted = None;
    }
    let at = recorded(bet, Moment::from_seconds(at), dice);
    Ok(Settlement { at, status: Status::CashedOut, returned: offer.min(best * 9 / 10).max(1) })
}

/// Settled when its last leg is resulted, or earlier once no line can win any more.
fn settle_by_results(bet: &mut Bet, dice: &mut Dice) -> Result<Settlement> {
    for position in 0..bet.legs.len() {
        let ends = bet.legs.get(position).map_or(bet.placed, |leg| leg.ends);
        let resulted = recorded(bet, ends.plus_seconds(dice.between(3, 45)), dice);
        if let Some(leg) = bet.legs.get_mut(position) {
            leg.resulted = Some(resulted);
        }
    }
    let decided = decided_at(bet)?;
    let mut at = decided.plus_seconds(dice.between(4, 200));
    let summer = london_offset(at.seconds()) > 0;
    if dice.chance(if summer { LATE_SUMMER_SETTLEMENTS } else { LATE_SETTLEMENTS }) {
        at = by_hand_around_midnight(at, dice);
    }
    let at = recorded(bet, at, dice);
    if bet.legs.iter().all(|leg| leg.outcome == Outcome::Void) {
        return Ok(Settlement { at, status: Status::Void, returned: bet.cash_stake() });
    }
    let paid = pay(bet, bet.legs.iter().map(|leg| (leg.price, leg.outcome)).collect())?;
    let returned = (paid - bet.bonus).max(0);
    let status = if paid > 0 { Status::Won } else { Status::Lost };
    Ok(Settlement { at, status, returned })
}

/// When the last result that matters is recorded.
fn decided_at(bet: &Bet) -> Result<Moment> {
    let mut times: Vec<Moment> = bet.legs.iter().filter_map(|leg| leg.resulted).collect();
    times.sort();
    for &time in &times {
        // An unresulted leg at odds of one keeps every line alive that no result has ended.
        let known = |leg: &Leg| leg.resulted.filter(|&resulted| resulted <= time).map_or(Outcome::Void, |_| leg.outcome);
        if pay(bet, bet.legs.iter().map(|leg| (leg.price, known(leg))).collect())? == 0 {
            return Ok(time);
        }
    }
    Ok(times.last().copied().unwrap_or(bet.placed))
}

/// The trader on the night shift settles what was left over, up to half an hour either side of midnight.
fn by_hand_around_midnight(at: Moment, dice: &mut Dice) -> Moment {
    let midnight = Moment::london(add_days(at.london_date(), 1), 0);
    let shifted = midnight.plus_seconds(dice.between(-25 * MINUTE, 25 * MINUTE));
    if shifted > at { shifted } else { at.plus_seconds(HOUR) }
}

fn pay(bet: &Bet, legs: Vec<(Price, Outcome)>) -> Result<i64> {
    payout(bet.bet_type, bet.each_way, bet.unit_stake, &legs).ok_or_else(|| Error::Overflow(format!("return of bet {}", bet.key)))
}

/// As precise as the company's clock.
fn recorded(bet: &Bet, moment: Moment, dice: &mut Dice) -> Moment {
    bet.business.recorded(moment.plus_ticks(dice.between(0, 9_999_999)))
}

/// Marks a bet for removal in the middle of the next day; what would have happened to it later does not.
pub(crate) fn delete(bet: &mut Bet, dice: &mut Dice) {
    let noon = Moment::from_seconds(bet.placed.seconds().div_euclid(DAY) * DAY + DAY + 12 * HOUR);
    let at = recorded(bet, noon.plus_seconds(dice.between(-2 * HOUR, 3 * HOUR)), dice);
    bet.settlement = bet.settlement.filter(|settlement| settlement.at < at);
    for leg in &mut bet.legs {
        leg.resulted = leg.resulted.filter(|&resulted| resulted < at);
    }
    bet.deleted = Some(at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Business;
    use crate::bet_type::BetType;
    use crate::fx::Currency;

    fn bet(bet_type: BetType, outcomes: &[Outcome]) -> Bet {
        let leg = |(number, &outcome): (usize, &Outcome)| Leg {
            selection_id: number as i64,
            price: Price::Fractional { num: 1, den: 1 },
            outcome,
            starts: Moment::from_seconds(10_000 * (number as i64 + 1)),
            ends: Moment::from_seconds(10_000 * (number as i64 + 1) + 600),
            resulted: None,
        };
        Bet {
            key: "1".to_owned(),
            business: Business::Meridian,
            account: 0,
            currency: Currency::Gbp,
            placed: Moment::from_seconds(5_000),
            bet_type,
            each_way: false,
            lines: bet_type.lines(),
            unit_stake: 100,
            bonus: 0,
            mobile: true,
            in_play: false,
            legs: outcomes.iter().enumerate().map(leg).collect(),
            settlement: None,
            deleted: None,
        }
    }

    #[test]
    fn an_accumulator_is_settled_with_its_first_loser() {
        let mut dice = Dice::new(3, "settle", 0);
        let mut treble = bet(BetType::Treble, &[Outcome::Lost, Outcome::Won, Outcome::Won]);
        let settlement = settle_by_results(&mut treble, &mut dice).unwrap();
        assert_eq!((settlement.status, settlement.returned), (Status::Lost, 0));
        assert_eq!(decided_at(&treble).unwrap(), treble.legs[0].resulted.unwrap());
        assert!(treble.legs.iter().all(|leg| leg.resulted.is_some()));
    }

    #[test]
    fn a_trixie_lives_until_two_legs_lose() {
        let mut dice = Dice::new(3, "settle", 1);
        let mut trixie = bet(BetType::Trixie, &[Outcome::Lost, Outcome::Lost, Outcome::Won]);
        settle_by_results(&mut trixie, &mut dice).unwrap();
        assert_eq!(decided_at(&trixie).unwrap(), trixie.legs[1].resulted.unwrap());
    }

    #[test]
    fn a_free_bet_does_not_return_its_stake() {
        let mut dice = Dice::new(3, "settle", 2);
        let mut free = bet(BetType::Single, &[Outcome::Won]);
        free.bonus = free.total_stake();
        assert_eq!(settle_by_results(&mut free, &mut dice).unwrap().returned, 100);
        let mut void = bet(BetType::Single, &[Outcome::Void]);
        void.bonus = void.total_stake();
        let settlement = settle_by_results(&mut void, &mut dice).unwrap();
        assert_eq!((settlement.status, settlement.returned), (Status::Void, 0));
    }

    #[test]
    fn a_cash_out_comes_before_every_result() {
        for number in 0..50 {
            let mut dice = Dice::new(3, "cash-out", number);
            let mut double = bet(BetType::Double, &[Outcome::Won, Outcome::Won]);
            let settlement = cash_out(&mut double, &mut dice).unwrap();
            assert_eq!(settlement.status, Status::CashedOut);
            assert!(settlement.at > double.placed && settlement.at < double.legs[0].ends);
            assert!(settlement.returned < 400);
        }
    }
}
