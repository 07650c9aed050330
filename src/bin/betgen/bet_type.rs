//! Bet types: how many selections they take and into how many lines they divide.

/// Every type of bet both companies sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BetType {
    Single,
    Double,
    Treble,
    Accumulator4,
    Accumulator5,
    Accumulator6,
    Accumulator7,
    Accumulator8,
    Trixie,
    Patent,
    Yankee,
    Lucky15,
    Canadian,
    Lucky31,
    Heinz,
    Lucky63,
    SuperHeinz,
    Goliath,
}

/// A bet of `legs` selections is one line for each set of at least `smallest` of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) legs: usize,
    pub(crate) smallest: usize,
    /// meridian's code.
    pub(crate) code: &'static str,
    /// halcyon's name.
    pub(crate) name: &'static str,
}

impl BetType {
    pub(crate) const ALL: [BetType; 18] = [
        BetType::Single,
        BetType::Double,
        BetType::Treble,
        BetType::Accumulator4,
        BetType::Accumulator5,
        BetType::Accumulator6,
        BetType::Accumulator7,
        BetType::Accumulator8,
        BetType::Trixie,
        BetType::Patent,
        BetType::Yankee,
        BetType::Lucky15,
        BetType::Canadian,
        BetType::Lucky31,
        BetType::Heinz,
        BetType::Lucky63,
        BetType::SuperHeinz,
        BetType::Goliath,
    ];

    pub(crate) const fn shape(self) -> Shape {
        let (legs, smallest, code, name) = match self {
            BetType::Single => (1, 1, "SGL", "Single"),
            BetType::Double => (2, 2, "DBL", "Double"),
            BetType::Treble => (3, 3, "TBL", "Treble"),
            BetType::Accumulator4 => (4, 4, "AC4", "Accumulator4"),
            BetType::Accumulator5 => (5, 5, "AC5", "Accumulator5"),
            BetType::Accumulator6 => (6, 6, "AC6", "Accumulator6"),
            BetType::Accumulator7 => (7, 7, "AC7", "Accumulator7"),
            BetType::Accumulator8 => (8, 8, "AC8", "Accumulator8"),
            BetType::Trixie => (3, 2, "TRX", "Trixie"),
            BetType::Patent => (3, 1, "PAT", "Patent"),
            BetType::Yankee => (4, 2, "YAN", "Yankee"),
            BetType::Lucky15 => (4, 1, "L15", "Lucky 15"),
            BetType::Canadian => (5, 2, "CAN", "Canadian"),
            BetType::Lucky31 => (5, 1, "L31", "Lucky 31"),
            BetType::Heinz => (6, 2, "HNZ", "Heinz"),
            BetType::Lucky63 => (6, 1, "L63", "Lucky 63"),
            BetType::SuperHeinz => (7, 2, "SHZ", "Super Heinz"),
            BetType::Goliath => (8, 2, "GOL", "Goliath"),
        };
        Shape { legs, smallest, code, name }
    }

    /// Lines of a bet that is not each-way.
    pub(crate) fn lines(self) -> i64 {
        let Shape { legs, smallest, .. } = self.shape();
        (smallest..=legs).map(|chosen| choose(legs, chosen)).sum()
    }

    /// The plain accumulator of this many legs.
    pub(crate) fn accumulator(legs: usize) -> Option<BetType> {
        BetType::ALL.into_iter().find(|bet_type| bet_type.shape().legs == legs && bet_type.shape().smallest == legs)
    }
}

/// In how many ways `chosen` of `all` can be picked.
fn choose(all: usize, chosen: usize) -> i64 {
    (0..chosen).fold(1, |ways, i| ways * (all - i) as i64 / (i as i64 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_number_of_lines() {
        let lines: Vec<(&str, i64)> = BetType::ALL.iter().map(|bet_type| (bet_type.shape().code, bet_type.lines())).collect();
        let expected = [
            ("SGL", 1),
            ("DBL", 1),
            ("TBL", 1),
            ("AC4", 1),
            ("AC5", 1),
            ("AC6", 1),
            ("AC7", 1),
            ("AC8", 1),
            ("TRX", 4),
            ("PAT", 7),
            ("YAN", 11),
            ("L15", 15),
            ("CAN", 26),
            ("L31", 31),
            ("HNZ", 57),
            ("L63", 63),
            ("SHZ", 120),
            ("GOL", 247),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn accumulators_are_found_by_their_legs() {
        assert_eq!(BetType::accumulator(1), Some(BetType::Single));
        assert_eq!(BetType::accumulator(6), Some(BetType::Accumulator6));
        assert_eq!(BetType::accumulator(9), None);
    }
}
