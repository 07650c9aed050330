//! How much is staked, and on what kind of bet.

use crate::bet_type::BetType;
use crate::random::Dice;
use crate::world::Sport;

/// The type of bet and whether it is each-way.
pub(crate) fn choose_bet(sport: Sport, dice: &mut Dice) -> (BetType, bool) {
    let bet_type = dice.weighted(BetType::ALL.map(|bet_type| (bet_type, frequency(bet_type, sport)))).unwrap_or(BetType::Single);
    let each_way = match bet_type {
        BetType::Single => 0.18,
        BetType::Lucky15 | BetType::Lucky31 | BetType::Lucky63 => 0.4,
        _ => 0.1,
    };
    (bet_type, sport == Sport::Racing && dice.chance(each_way))
}

/// Out of a thousand bets on this sport.
fn frequency(bet_type: BetType, sport: Sport) -> f64 {
    let (football, racing) = match bet_type {
        BetType::Single => (640.0, 780.0),
        BetType::Double => (95.0, 75.0),
        BetType::Treble => (80.0, 35.0),
        BetType::Accumulator4 => (62.0, 14.0),
        BetType::Accumulator5 => (45.0, 6.0),
        BetType::Accumulator6 => (22.0, 3.0),
        BetType::Accumulator7 => (8.0, 1.0),
        BetType::Accumulator8 => (6.0, 1.0),
        BetType::Trixie => (9.0, 11.0),
        BetType::Patent => (6.0, 14.0),
        BetType::Yankee => (8.0, 12.0),
        BetType::Lucky15 => (9.0, 32.0),
        BetType::Canadian => (2.0, 2.5),
        BetType::Lucky31 => (2.0, 6.0),
        BetType::Heinz => (1.5, 1.5),
        BetType::Lucky63 => (1.0, 3.0),
        BetType::SuperHeinz => (0.5, 0.5),
        BetType::Goliath => (0.5, 0.7),
    };
    match sport {
        Sport::Football => football,
        Sport::Racing => racing,
    }
}

/// The stake of one line in minor units: log-normal with a heavy tail, rounded as people round.
pub(crate) fn unit_stake(bet_type: BetType, lines: i64, level: f64, dice: &mut Dice) -> i64 {
    let median = match bet_type {
        BetType::Single => 800.0,
        BetType::Double | BetType::Treble => 500.0,
        _ if bet_type.shape().smallest == bet_type.shape().legs => 350.0,
        _ => 600.0,
    };
    let total = dice.log_normal(median, 1.1) * level;
    sensible(total / lines as f64, dice)
}

/// The nearest amount somebody would type.
pub(crate) fn sensible(amount: f64, dice: &mut Dice) -> i64 {
    let step = match amount {
        _ if amount < 15.0 => return if amount < 7.5 { 5 } else { 10 },
        _ if amount < 75.0 => return [20, 25, 50].into_iter().min_by_key(|step| (*step as f64 - amount).abs() as i64).unwrap_or(50),
        _ if amount < 1_000.0 => [100, 100, 100, 50],
        _ if amount < 5_000.0 => [500, 500, 500, 100],
        _ if amount < 20_000.0 => [1_000, 1_000, 500, 5_000],
        _ if amount < 100_000.0 => [5_000, 5_000, 10_000, 2_500],
        _ => [10_000; 4],
    };
    let step = *dice.pick(&step).unwrap_or(&100);
    let steps = (amount / step as f64).round() as i64;
    (steps.max(1) * step).min(1_000_000)
}

/// Free bets come in round amounts.
pub(crate) fn free_stake(dice: &mut Dice) -> i64 {
    *dice.pick(&[500, 500, 500, 1_000, 1_000, 2_000]).unwrap_or(&500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stakes_are_round_and_positive() {
        let mut dice = Dice::new(5, "stakes", 0);
        for _ in 0..2_000 {
            let stake = unit_stake(BetType::Single, 1, 1.0, &mut dice);
            assert!(stake >= 5 && stake % 5 == 0 && stake <= 1_000_000);
            assert!(stake < 1_000 || stake % 100 == 0, "{stake}");
        }
        assert_eq!(sensible(22.0, &mut dice), 20);
    }

    #[test]
    fn singles_dominate_and_only_racing_is_each_way() {
        let mut dice = Dice::new(5, "types", 0);
        let bets: Vec<_> = (0..2_000).map(|_| choose_bet(Sport::Football, &mut dice)).collect();
        assert!(bets.iter().filter(|(bet_type, _)| *bet_type == BetType::Single).count() > 1_000);
        assert!(bets.iter().all(|(_, each_way)| !each_way));
        assert!((0..200).any(|_| choose_bet(Sport::Racing, &mut dice).1));
    }
}
