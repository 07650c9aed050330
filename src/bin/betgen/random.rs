//! Named streams of random numbers: what one part of the simulation draws never shifts what another part draws.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use sha2::{Digest, Sha256};

pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream called `label`, number `index`, of this seed.
    pub(crate) fn new(seed: u64, label: &str, index: i64) -> Dice {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(index.to_le_bytes());
        hash.update(label.as_bytes());
        Dice(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number from `low` to `high`, both possible; `low` when there is nothing between.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low { low } else { self.0.random_range(low..=high) }
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.between(0, items.len() as i64 - 1) as usize)
    }

    /// The item whose weight is drawn; none when all weights are zero.
    pub(crate) fn weighted<T: Copy>(&mut self, items: impl IntoIterator<Item = (T, f64)> + Clone) -> Option<T> {
        let total: f64 = items.clone().into_iter().map(|(_, weight)| weight).sum();
        let mut left = self.unit() * total;
        let mut last = None;
        for (item, weight) in items {
            if weight > 0.0 {
                last = Some(item);
                left -= weight;
                if left < 0.0 {
                    break;
                }
            }
        }
        last
    }

    /// Log-normal with this median; `sigma` is the spread of the logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.0);
        median * (sigma * normal).exp()
    }

    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        let standard: f64 = Exp1.sample(&mut self.0);
        mean * standard
    }

    /// A random (version 4) identifier in upper case.
    pub(crate) fn guid(&mut self) -> String {
        let bits: u128 = self.0.random();
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032X}");
        let mut guid = String::with_capacity(36);
        for (position, digit) in hex.chars().enumerate() {
            if [8, 12, 16, 20].contains(&position) {
                guid.push('-');
            }
            guid.push(digit);
        }
        guid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |label: &str, index| Dice::new(42, label, index).guid();
        assert_eq!(draw("bets", 1), draw("bets", 1));
        assert_ne!(draw("bets", 1), draw("bets", 2));
        assert_ne!(draw("bets", 1), draw("customers", 1));
    }

    #[test]
    fn guid_has_version_and_variant() {
        let guid = Dice::new(1, "guid", 0).guid();
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.chars().nth(14), Some('4'));
        assert!(matches!(guid.chars().nth(19), Some('8' | '9' | 'A' | 'B')));
    }

    #[test]
    fn weights_of_zero_are_never_drawn() {
        let mut dice = Dice::new(7, "weights", 0);
        assert!((0..200).all(|_| dice.weighted([(1, 0.0), (2, 1.0), (3, 0.0)]) == Some(2)));
        assert_eq!(dice.weighted([(1, 0.0)]), None);
    }
}
