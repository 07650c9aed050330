//! Exact arithmetic: money is counted in whole minor units, odds are fractions, and nothing is rounded but the result.

/// A non-negative fraction in lowest terms. Operations give `None` when 128 bits are not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Fraction {
    pub(crate) const ZERO: Fraction = Fraction { numerator: 0, denominator: 1 };
    pub(crate) const ONE: Fraction = Fraction { numerator: 1, denominator: 1 };

    /// `denominator` must be positive.
    pub(crate) fn new(numerator: i64, denominator: i64) -> Fraction {
        reduced(i128::from(numerator), i128::from(denominator))
    }

    pub(crate) fn plus(self, other: Fraction) -> Option<Fraction> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Some(reduced(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?))
    }

    pub(crate) fn times(self, other: Fraction) -> Option<Fraction> {
        // Reducing crosswise first keeps long accumulators within 128 bits.
        let left = reduced(self.numerator, other.denominator);
        let right = reduced(other.numerator, self.denominator);
        Some(Fraction {
            numerator: left.numerator.checked_mul(right.numerator)?,
            denominator: left.denominator.checked_mul(right.denominator)?,
        })
    }

    /// The nearest whole number, halves up.
    pub(crate) fn round_half_up(self) -> Option<i64> {
        let doubled = self.numerator.checked_mul(2)?.checked_add(self.denominator)?;
        i64::try_from(doubled / self.denominator.checked_mul(2)?).ok()
    }
}

fn reduced(numerator: i128, denominator: i128) -> Fraction {
    let divisor = greatest_common_divisor(numerator, denominator).max(1);
    Fraction { numerator: numerator / divisor, denominator: denominator / divisor }
}

fn greatest_common_divisor(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_up() {
        assert_eq!(Fraction::new(5, 2).round_half_up(), Some(3));
        assert_eq!(Fraction::new(7, 3).round_half_up(), Some(2));
        assert_eq!(Fraction::new(249, 100).round_half_up(), Some(2));
    }

    #[test]
    fn sums_and_products_stay_in_lowest_terms() {
        let sum = Fraction::new(1, 6).plus(Fraction::new(1, 3)).unwrap();
        assert_eq!(sum, Fraction::new(1, 2));
        assert_eq!(sum.times(Fraction::new(4, 3)).unwrap(), Fraction::new(2, 3));
        assert_eq!(Fraction::ZERO.times(sum), Some(Fraction::ZERO));
    }

    #[test]
    fn too_large_a_number_is_reported() {
        let huge = Fraction::new(i64::MAX, 1);
        let square = huge.times(huge).unwrap();
        assert_eq!(square.times(huge), None);
        assert_eq!(square.round_half_up(), None);
    }
}
