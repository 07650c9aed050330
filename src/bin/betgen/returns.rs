//! What a bet pays, exactly.

use crate::bet_type::BetType;
use crate::exact::Fraction;
use crate::price::Price;

/// How a selection fared. `Placed` wins only the place half of an each-way bet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Won,
    Placed,
    Lost,
    Void,
}

/// The return in minor units: each line is its unit stake times the product of its legs' odds, void legs at one, and
/// the sum of the lines is rounded once, half up. Each-way adds the same lines again on the places. `None` when the
/// numbers are too large.
pub(crate) fn payout(bet_type: BetType, each_way: bool, unit_stake: i64, legs: &[(Price, Outcome)]) -> Option<i64> {
    let unit = Fraction::new(unit_stake, 1);
    let mut total = unit.times(lines_sum(bet_type, legs.iter().map(|&(price, outcome)| to_win(price, outcome)))?)?;
    if each_way {
        let places = lines_sum(bet_type, legs.iter().map(|&(price, outcome)| to_place(price, outcome)))?;
        total = total.plus(unit.times(places)?)?;
    }
    total.round_half_up()
}

fn to_win(price: Price, outcome: Outcome) -> Fraction {
    match outcome {
        Outcome::Won => price.decimal(),
        Outcome::Placed | Outcome::Lost => Fraction::ZERO,
        Outcome::Void => Fraction::ONE,
    }
}

fn to_place(price: Price, outcome: Outcome) -> Fraction {
    match outcome {
        Outcome::Won | Outcome::Placed => price.place_decimal(),
        Outcome::Lost => Fraction::ZERO,
        Outcome::Void => Fraction::ONE,
    }
}

/// The sum over all sets of legs, from the type's smallest to all of them, of the product of their odds. `sums[k]` is
/// that sum for the sets of `k` legs met so far (an elementary symmetric polynomial), so a goliath needs 36 steps
/// instead of 247 products.
fn lines_sum(bet_type: BetType, odds: impl Iterator<Item = Fraction>) -> Option<Fraction> {
    let shape = bet_type.shape();
    let mut sums = vec![Fraction::ZERO; shape.legs + 1];
    if let Some(none) = sums.first_mut() {
        *none = Fraction::ONE;
    }
    for odds in odds {
        for size in (1..=shape.legs).rev() {
            let shorter = *sums.get(size - 1)?;
            let sum = sums.get_mut(size)?;
            *sum = sum.plus(shorter.times(odds)?)?;
        }
    }
    sums.into_iter().skip(shape.smallest).try_fold(Fraction::ZERO, Fraction::plus)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evens() -> Price {
        Price::Fractional { num: 1, den: 1 }
    }

    #[test]
    fn single_rounds_half_up() {
        // 1.25 at 11/8: 1.25 × 2.375 = 2.96875
        assert_eq!(payout(BetType::Single, false, 125, &[(Price::Fractional { num: 11, den: 8 }, Outcome::Won)]), Some(297));
        // 0.50 at 1.05: 0.525
        assert_eq!(payout(BetType::Single, false, 50, &[(Price::Decimal { hundredths: 105 }, Outcome::Won)]), Some(53));
    }

    #[test]
    fn accumulator_multiplies_and_one_loser_ends_it() {
        let won = [(evens(), Outcome::Won), (Price::Decimal { hundredths: 333 }, Outcome::Won), (evens(), Outcome::Won)];
        // 1.00 × 2 × 3.33 × 2 = 13.32
        assert_eq!(payout(BetType::Treble, false, 100, &won), Some(1332));
        let lost = [won[0], (evens(), Outcome::Lost), won[2]];
        assert_eq!(payout(BetType::Treble, false, 100, &lost), Some(0));
    }

    #[test]
    fn void_leg_counts_at_one() {
        let legs = [(evens(), Outcome::Won), (evens(), Outcome::Void), (Price::Decimal { hundredths: 250 }, Outcome::Won)];
        assert_eq!(payout(BetType::Treble, false, 200, &legs), Some(1000));
        assert_eq!(payout(BetType::Single, false, 200, &[(evens(), Outcome::Void)]), Some(200));
    }

    #[test]
    fn trixie_by_hand() {
        // 2.00, 3.00 and 4.00: doubles 6 + 8 + 12, treble 24: 50 units.
        let odds = [evens(), Price::Decimal { hundredths: 300 }, Price::Fractional { num: 3, den: 1 }];
        let all: Vec<_> = odds.iter().map(|&price| (price, Outcome::Won)).collect();
        assert_eq!(payout(BetType::Trixie, false, 10, &all), Some(500));
        // The last one loses: only the first double of 6 is left.
        let two = [all[0], all[1], (odds[2], Outcome::Lost)];
        assert_eq!(payout(BetType::Trixie, false, 10, &two), Some(60));
    }

    #[test]
    fn lucky_15_each_way_by_hand() {
        // Four horses at 5/1 (place odds 2.00): one wins, one is placed, two lose.
        let five = Price::Fractional { num: 5, den: 1 };
        let legs = [(five, Outcome::Won), (five, Outcome::Placed), (five, Outcome::Lost), (five, Outcome::Lost)];
        // Win part: one single, 6. Place part: two singles at 2 and one double at 4: 8. 14 units.
        assert_eq!(payout(BetType::Lucky15, true, 25, &legs), Some(350));
        assert_eq!(payout(BetType::Lucky15, false, 25, &legs), Some(150));
    }

    #[test]
    fn patent_with_a_void_leg_by_hand() {
        // 2.00 won, void, lost: singles 2 + 1, doubles 2: 5 units.
        let legs = [(evens(), Outcome::Won), (evens(), Outcome::Void), (evens(), Outcome::Lost)];
        assert_eq!(payout(BetType::Patent, false, 100, &legs), Some(500));
    }

    #[test]
    fn all_legs_void_return_the_whole_stake_of_every_type() {
        for bet_type in BetType::ALL {
            let legs = vec![(evens(), Outcome::Void); bet_type.shape().legs];
            assert_eq!(payout(bet_type, false, 10, &legs), Some(10 * bet_type.lines()));
            assert_eq!(payout(bet_type, true, 10, &legs), Some(20 * bet_type.lines()));
        }
    }

    #[test]
    fn goliath_of_winners_agrees_with_the_closed_form() {
        // Eight winners at evens: sum of C(8,k) 2^k for k from 2 to 8 = 3^8 − 1 − 16.
        let legs = vec![(evens(), Outcome::Won); 8];
        assert_eq!(payout(BetType::Goliath, false, 1, &legs), Some(6561 - 17));
    }
}
