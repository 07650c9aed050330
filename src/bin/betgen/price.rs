//! Prices as the two companies quote them, and the bookmaker's ladder of fractions.

use crate::exact::Fraction;

/// The price of one leg as it was struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// meridian: `num/den` to one.
    Fractional { num: i64, den: i64 },
    /// halcyon: decimal odds in hundredths.
    Decimal { hundredths: i64 },
}

impl Price {
    /// Decimal odds, the stake included, exactly.
    pub(crate) fn decimal(self) -> Fraction {
        match self {
            Price::Fractional { num, den } => Fraction::new(num + den, den),
            Price::Decimal { hundredths } => Fraction::new(hundredths, 100),
        }
    }

    /// Decimal odds for a place: a fifth of the odds to win.
    pub(crate) fn place_decimal(self) -> Fraction {
        match self {
            Price::Fractional { num, den } => Fraction::new(num + 5 * den, 5 * den),
            Price::Decimal { hundredths } => Fraction::new(hundredths + 400, 500),
        }
    }
}

/// The steps of the ladder. Their decimal odds all end within three digits, so that no quotation is rounded.
const LADDER: [(i64, i64); 62] = [
    (1, 20),
    (1, 10),
    (1, 5),
    (1, 4),
    (3, 10),
    (7, 20),
    (2, 5),
    (9, 20),
    (1, 2),
    (11, 20),
    (3, 5),
    (13, 20),
    (7, 10),
    (3, 4),
    (4, 5),
    (17, 20),
    (9, 10),
    (19, 20),
    (1, 1),
    (21, 20),
    (11, 10),
    (6, 5),
    (5, 4),
    (13, 10),
    (11, 8),
    (7, 5),
    (6, 4),
    (8, 5),
    (13, 8),
    (17, 10),
    (7, 4),
    (9, 5),
    (15, 8),
    (2, 1),
    (21, 10),
    (11, 5),
    (9, 4),
    (12, 5),
    (5, 2),
    (13, 5),
    (11, 4),
    (3, 1),
    (16, 5),
    (7, 2),
    (4, 1),
    (9, 2),
    (5, 1),
    (11, 2),
    (6, 1),
    (13, 2),
    (7, 1),
    (8, 1),
    (9, 1),
    (10, 1),
    (12, 1),
    (14, 1),
    (16, 1),
    (20, 1),
    (25, 1),
    (33, 1),
    (50, 1),
    (100, 1),
];

/// A step of the ladder, counted from the shortest price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rung(usize);

impl Rung {
    /// The step nearest to these decimal odds, measured as a ratio of the winnings.
    pub(crate) fn nearest(decimal: f64) -> Rung {
        let winnings = (decimal - 1.0).max(0.01);
        let distance = |&(num, den): &(i64, i64)| (num as f64 / den as f64 / winnings).ln().abs();
        let nearest = LADDER.iter().enumerate().min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        Rung(nearest.map_or(0, |(step, _)| step))
    }

    /// The step this many steps longer (or shorter, when negative), within the ladder.
    pub(crate) fn moved(self, steps: i64) -> Rung {
        let step = (self.0 as i64 + steps).clamp(0, LADDER.len() as i64 - 1);
        Rung(step as usize)
    }

    fn fraction(self) -> (i64, i64) {
        LADDER.get(self.0).copied().unwrap_or((1, 1))
    }

    pub(crate) fn fractional(self) -> Price {
        let (num, den) = self.fraction();
        Price::Fractional { num, den }
    }

    /// Decimal odds in hundredths, the third digit rounded half up.
    pub(crate) fn hundredths(self) -> i64 {
        let (num, den) = self.fraction();
        (200 * (num + den) + den) / (2 * den)
    }

    /// Decimal odds in ten-thousandths, exactly.
    pub(crate) fn ten_thousandths(self) -> i64 {
        let (num, den) = self.fraction();
        10_000 * (num + den) / den
    }

    pub(crate) fn approximate(self) -> f64 {
        let (num, den) = self.fraction();
        1.0 + num as f64 / den as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladder_rises_and_is_exact_in_four_digits() {
        for pair in LADDER.windows(2) {
            let [(a, b), (c, d)] = pair else { continue };
            assert!(a * d < c * b, "{a}/{b} must be shorter than {c}/{d}");
        }
        assert!(LADDER.iter().all(|(_, den)| 10_000 % den == 0));
    }

    #[test]
    fn nearest_rung_and_moves() {
        assert_eq!(Rung::nearest(2.0).fractional(), Price::Fractional { num: 1, den: 1 });
        assert_eq!(Rung::nearest(2.37).hundredths(), 238);
        assert_eq!(Rung::nearest(2.37).ten_thousandths(), 23_750);
        assert_eq!(Rung::nearest(900.0).moved(5).fractional(), Price::Fractional { num: 100, den: 1 });
        assert_eq!(Rung::nearest(1.01).moved(-3).fractional(), Price::Fractional { num: 1, den: 20 });
    }

    #[test]
    fn place_odds_are_a_fifth() {
        assert_eq!(Price::Fractional { num: 10, den: 1 }.place_decimal(), Fraction::new(3, 1));
        assert_eq!(Price::Decimal { hundredths: 1100 }.place_decimal(), Fraction::new(3, 1));
    }
}
