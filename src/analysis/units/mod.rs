//! Units of measure: what a number, a moment or odds are counted in.
//!
//! A unit is declared on columns (`meta: {unit: minor, currency: currency_code}`, read in `declare.rs`) and goes with the value
//! as a field of `Facts`, through the places that types go through; the rules of the walk are in `infer/units.rs`, those about
//! currencies that a column names in `infer/currencies.rs`.
//!
//! - Nothing known (`Measure::Unknown`) is never an error. A number that is written in the query (`Measure::Number`) takes the unit
//!   of what it stands beside, so `amount > 0` and `odds - 1` are right; times and divided by a number, a value keeps its unit:
//!   pence divided by 100 stay pence, and only a macro that `acca.yml` declares as a conversion makes pounds of them.
//! - `+`, `-`, comparisons, branches, unions, joins and tests want like units; `*` and `/` combine them: amounts times counts,
//!   fractions or decimal odds are amounts, an amount by an amount of the same unit is a fraction, a count by a count a number, and what has no name of its own
//!   stays a product that is like nothing but itself.
//! - A moment is an instant (`timestamptz`) or the reading of a clock in a zone (`timestamp`, a day, a text). `at time zone` with
//!   a literal goes from one to the other, and refuses a clock of another zone.
//! - The currency of an amount is fixed (`GBP`) or that of the row, named by a column beside it. While a query is walked, that column
//!   is known by its number; in the schema of a relation by its name.

mod declare;
mod marks;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use declare::{ConversionUnits, Declarations, declared_measure, is_unit};
pub use marks::{MarkKind, marks, read_mark};

use crate::base::Span;

/// What is known of the unit of a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Measure {
    #[default]
    Unknown,
    /// A number written in the query, or made of such: it takes the unit of what it stands beside.
    Number,
    Is(Arc<Measured>),
}

/// Two units that are not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlike;

/// A unit, and where it was declared first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub unit: Unit,
    pub declared: Option<Span>,
}

/// A product of powers, ascending, none with the exponent 0, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    factors: Vec<(Kind, i8)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    Amount {
        scale: Scale,
        currency: Currency,
    },
    Odds(Odds),
    Percent,
    /// Of 1.
    Fraction,
    Count,
    /// The reading of a clock, or a day, in a zone.
    Clock(Zone),
    Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scale {
    /// Pence, cents.
    Minor,
    /// Pounds, euro.
    Major,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Currency {
    /// Nothing is said of it.
    Unknown,
    /// ISO 4217.
    Fixed(Arc<str>),
    /// Named by the column of that number.
    Column(u32),
    /// Named by the column of that name in the same relation.
    Sibling(Arc<str>),
    /// All of them, put together on purpose.
    Any,
    /// It differs from row to row, by a column that is not here.
    Hidden,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Odds {
    /// Stake included: 2.5.
    Decimal,
    /// 3/2, or one of its two numbers.
    Fractional,
    /// +150, -200.
    American,
    Probability,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Zone {
    Utc,
    Named(Arc<str>),
    /// Named by the column of that number.
    Column(u32),
    /// Named by a column of the same relation.
    Sibling(Arc<str>),
    /// It differs from row to row, by a column that is not here.
    Hidden,
    /// That of whoever asks: the day of an instant that is just cast.
    Session,
}

impl Zone {
    /// A zone as people write it.
    pub fn parse(text: &str) -> Zone {
        let folded = text.trim();
        match folded.to_ascii_uppercase().as_str() {
            "UTC" | "GMT" | "Z" | "ETC/UTC" | "ZULU" | "UCT" | "ETC/GMT" => Zone::Utc,
            _ => Zone::Named(folded.into()),
        }
    }

    fn is_like(&self, other: &Zone) -> bool {
        match (self, other) {
            (Zone::Named(one), Zone::Named(other)) => one.eq_ignore_ascii_case(other),
            (Zone::Hidden, _) | (_, Zone::Hidden) => true,
            _ => self == other,
        }
    }
}

/// What names a zone is followed in the same way as what names a currency.
impl Zone {
    fn named_by(&self) -> Option<Currency> {
        match self {
            Zone::Column(id) => Some(Currency::Column(*id)),
            Zone::Sibling(name) => Some(Currency::Sibling(Arc::clone(name))),
            Zone::Hidden => Some(Currency::Hidden),
            Zone::Utc | Zone::Named(_) | Zone::Session => None,
        }
    }

    fn by(named: Currency) -> Zone {
        match named {
            Currency::Column(id) => Zone::Column(id),
            Currency::Sibling(name) => Zone::Sibling(name),
            Currency::Fixed(zone) => Zone::parse(&zone),
            Currency::Hidden | Currency::Unknown | Currency::Any => Zone::Hidden,
        }
    }
}

impl Currency {
    /// What both are, when they can be one. What is hidden cannot be compared any more, so it is given the benefit of the doubt.
    fn unified(&self, other: &Currency) -> Option<Currency> {
        match (self, other) {
            // What holds all currencies holds them with one more.
            (Currency::Any, _) | (_, Currency::Any) => Some(Currency::Any),
            (Currency::Unknown, known) | (known, Currency::Unknown) => Some(known.clone()),
            (Currency::Hidden, known) | (known, Currency::Hidden) => Some(known.clone()),
            (one, other) => (one == other).then(|| one.clone()),
        }
    }
}

impl Kind {
    fn unified(&self, other: &Kind) -> Option<Kind> {
        match (self, other) {
            (Kind::Amount { scale, currency }, Kind::Amount { scale: other_scale, currency: other }) => {
                let currency = currency.unified(other).filter(|_| scale == other_scale)?;
                Some(Kind::Amount { scale: *scale, currency })
            }
            // The database goes from one to the other in the same zone.
            (Kind::Instant, Kind::Clock(Zone::Session)) | (Kind::Clock(Zone::Session), Kind::Instant) => Some(Kind::Instant),
            (Kind::Clock(one), Kind::Clock(zone)) => {
                one.is_like(zone).then(|| if *one == Zone::Hidden { other.clone() } else { self.clone() })
            }
            // A probability is a fraction of all cases.
            (Kind::Fraction, Kind::Odds(Odds::Probability)) | (Kind::Odds(Odds::Probability), Kind::Fraction) => {
                Some(Kind::Odds(Odds::Probability))
            }
            _ => (self == other).then(|| self.clone()),
        }
    }
}

impl From<Kind> for Unit {
    fn from(kind: Kind) -> Unit {
        Unit { factors: vec![(kind, 1)] }
    }
}

impl Unit {
    /// The kind of which it is the first power alone.
    pub fn single(&self) -> Option<&Kind> {
        match self.factors.as_slice() {
            [(kind, 1)] => Some(kind),
            _ => None,
        }
    }

    pub fn is_moment(&self) -> bool {
        matches!(self.single(), Some(Kind::Clock(_) | Kind::Instant))
    }

    /// What both are, when they are alike.
    pub fn unified(&self, other: &Unit) -> Option<Unit> {
        if self.factors.len() != other.factors.len() {
            return None;
        }
        let mut left: Vec<&(Kind, i8)> = other.factors.iter().collect();
        let mut factors = Vec::new();
        for (kind, power) in &self.factors {
            let (at, found) =
                left.iter().enumerate().find_map(|(at, (other, same))| Some((at, kind.unified(other).filter(|_| power == same)?)))?;
            left.remove(at);
            factors.push((found, *power));
        }
        factors.sort();
        Some(Unit { factors })
    }

    /// The product, or with `sign` −1 the quotient; `None` for what has no meaning: a moment multiplied.
    fn combined(&self, other: &Unit, sign: i8) -> Option<Measure> {
        if self.is_moment() || other.is_moment() {
            return Some(Measure::Unknown);
        }
        // Both numbers of a fraction are fractional odds, and so is the fraction.
        let fractional = Kind::Odds(Odds::Fractional);
        if sign < 0 && other.single() == Some(&fractional) && self.factors.contains(&(fractional, 1)) {
            return None;
        }
        let mut factors = self.factors.clone();
        for (kind, power) in &other.factors {
            let power = power.saturating_mul(sign);
            let opposite = factors.iter_mut().find(|(held, against)| against.signum() != power.signum() && held.unified(kind).is_some());
            match opposite {
                Some((_, held)) => *held = held.saturating_add(power),
                None => match factors.iter_mut().find(|(held, _)| held == kind) {
                    Some((_, held)) => *held = held.saturating_add(power),
                    None => factors.push((kind.clone(), power)),
                },
            }
            factors.retain(|(_, power)| *power != 0);
        }
        // So many of so many is a share, an average or a rate, whatever the columns are that count: a plain number.
        if factors.is_empty() && self.single() == Some(&Kind::Count) {
            return Some(Measure::Number);
        }
        if factors.is_empty() {
            return Some(Unit::from(Kind::Fraction).into());
        }
        Some(Unit { factors: absorbed(factors) }.into())
    }

    /// Puts other currencies in the place of those that it has, and other columns in that of the one which names its zone.
    pub fn with_currencies(&self, change: &mut dyn FnMut(&Currency) -> Option<Currency>) -> Option<Unit> {
        let mut changed: Option<Unit> = None;
        for (at, (kind, _)) in self.factors.iter().enumerate() {
            let new = match kind {
                Kind::Amount { scale, currency } => change(currency).map(|currency| Kind::Amount { scale: *scale, currency }),
                Kind::Clock(zone) => zone.named_by().and_then(|named| change(&named)).map(|named| Kind::Clock(Zone::by(named))),
                Kind::Odds(_) | Kind::Percent | Kind::Fraction | Kind::Count | Kind::Instant => None,
            };
            let Some(new) = new else { continue };
            let unit = changed.get_or_insert_with(|| self.clone());
            if let Some((kind, _)) = unit.factors.get_mut(at) {
                *kind = new;
            }
        }
        if let Some(unit) = &mut changed {
            // What has become one currency cancels out.
            let whole = unit.clone();
            let mut product: Option<Unit> = None;
            for (kind, power) in whole.factors {
                let factor = Unit { factors: vec![(kind, power)] };
                product = match product {
                    None => Some(factor),
                    Some(product) => match product.combined(&factor, 1) {
                        Some(Measure::Is(measured)) => Some(measured.unit.clone()),
                        _ => Some(product),
                    },
                };
            }
            return product;
        }
        changed
    }

    /// Columns of the same relation that name its currencies or its zone.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.factors.iter().filter_map(|(kind, _)| match kind {
            Kind::Amount { currency: Currency::Sibling(name), .. } | Kind::Clock(Zone::Sibling(name)) => Some(&**name),
            _ => None,
        })
    }

    /// Its currencies, and what names its zone.
    pub fn named_by(&self) -> impl Iterator<Item = Currency> {
        self.factors.iter().filter_map(|(kind, _)| match kind {
            Kind::Amount { currency, .. } => Some(currency.clone()),
            Kind::Clock(zone) => zone.named_by(),
            Kind::Odds(_) | Kind::Percent | Kind::Fraction | Kind::Count | Kind::Instant => None,
        })
    }

    pub fn currencies(&self) -> impl Iterator<Item = &Currency> {
        self.factors.iter().filter_map(|(kind, _)| match kind {
            Kind::Amount { currency, .. } => Some(currency),
            _ => None,
        })
    }
}

/// Odds times odds are odds; counts, fractions, probabilities and decimal odds make nothing else of what they are multiplied with.
fn absorbed(mut factors: Vec<(Kind, i8)>) -> Vec<(Kind, i8)> {
    for (kind, power) in &mut factors {
        if matches!(kind, Kind::Odds(Odds::Decimal | Odds::Probability)) && *power > 1 {
            *power = 1;
        }
    }
    for kind in [Kind::Fraction, Kind::Count, Kind::Odds(Odds::Probability), Kind::Odds(Odds::Decimal)] {
        let amount = factors.iter().any(|(other, _)| matches!(other, Kind::Amount { .. }));
        if factors.len() > 1 && (amount || kind != Kind::Odds(Odds::Decimal)) {
            factors.retain(|(held, _)| *held != kind);
        }
    }
    for (kind, power) in &mut factors {
        if matches!(kind, Kind::Fraction | Kind::Count) && *power > 1 {
            *power = 1;
        }
    }
    // Fair odds are what a probability is the reciprocal of.
    match factors.as_mut_slice() {
        [(kind @ Kind::Odds(Odds::Decimal), power @ -1)] => (*kind, *power) = (Kind::Odds(Odds::Probability), 1),
        [(kind @ Kind::Odds(Odds::Probability), power @ -1)] => (*kind, *power) = (Kind::Odds(Odds::Decimal), 1),
        [(Kind::Fraction, power @ -1)] => *power = 1,
        _ => {}
    }
    factors.sort();
    factors
}

impl From<Unit> for Measure {
    fn from(unit: Unit) -> Measure {
        Measure::Is(Arc::new(Measured { unit, declared: None }))
    }
}

impl Measure {
    pub fn of(unit: Unit, declared: Option<Span>) -> Measure {
        Measure::Is(Arc::new(Measured { unit, declared }))
    }

    pub fn unit(&self) -> Option<&Unit> {
        match self {
            Measure::Is(measured) => Some(&measured.unit),
            Measure::Unknown | Measure::Number => None,
        }
    }

    pub fn declared(&self) -> Option<Span> {
        match self {
            Measure::Is(measured) => measured.declared,
            Measure::Unknown | Measure::Number => None,
        }
    }

    /// What both are.
    ///
    /// # Errors
    /// When they are known, and unlike.
    pub fn unified(&self, other: &Measure) -> Result<Measure, Unlike> {
        match (self, other) {
            (Measure::Is(one), Measure::Is(second)) => {
                let unit = one.unit.unified(&second.unit).ok_or(Unlike)?;
                Ok(Measure::of(unit, one.declared.or(second.declared)))
            }
            (known @ Measure::Is(_), _) | (_, known @ Measure::Is(_)) => Ok(known.clone()),
            (Measure::Number, Measure::Number) => Ok(Measure::Number),
            _ => Ok(Measure::Unknown),
        }
    }

    pub fn times(&self, other: &Measure) -> Measure {
        match (self, other) {
            (Measure::Is(one), Measure::Is(second)) => match one.unit.combined(&second.unit, 1) {
                Some(Measure::Is(product)) => Measure::of(product.unit.clone(), one.declared.or(second.declared)),
                other => other.unwrap_or_default(),
            },
            (known @ Measure::Is(_), Measure::Number) | (Measure::Number, known @ Measure::Is(_)) => known.clone(),
            (Measure::Number, Measure::Number) => Measure::Number,
            _ => Measure::Unknown,
        }
    }

    pub fn divided_by(&self, other: &Measure) -> Measure {
        match (self, other) {
            (Measure::Is(one), Measure::Is(second)) => match one.unit.combined(&second.unit, -1) {
                Some(Measure::Is(quotient)) => Measure::of(quotient.unit.clone(), one.declared.or(second.declared)),
                Some(other) => other,
                None => self.clone(),
            },
            (Measure::Is(_), Measure::Number) => self.clone(),
            (Measure::Number, Measure::Is(measured)) => {
                let factors = measured.unit.factors.iter().map(|(kind, power)| (kind.clone(), power.saturating_neg())).collect();
                Measure::of(Unit { factors: absorbed(factors) }, measured.declared)
            }
            (Measure::Number, Measure::Number) => Measure::Number,
            _ => Measure::Unknown,
        }
    }

    pub fn with_currencies(&self, change: &mut dyn FnMut(&Currency) -> Option<Currency>) -> Option<Measure> {
        let Measure::Is(measured) = self else { return None };
        Some(Measure::of(measured.unit.with_currencies(change)?, measured.declared))
    }

    /// As `acca schema` prints it.
    pub fn spelled(&self) -> Option<String> {
        self.unit().map(Unit::to_string)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |f: &mut fmt::Formatter<'_>, above: bool| {
            let mut first = true;
            for (kind, power) in self.factors.iter().filter(|(_, power)| (*power > 0) == above) {
                if !first {
                    f.write_str(" * ")?;
                }
                first = false;
                write!(f, "{kind}")?;
                if power.abs() > 1 {
                    write!(f, "^{}", power.abs())?;
                }
            }
            Ok(())
        };
        if self.factors.iter().any(|(_, power)| *power > 0) {
            side(f, true)?;
        } else {
            f.write_str("1")?;
        }
        if self.factors.iter().any(|(_, power)| *power < 0) {
            f.write_str(" / ")?;
            side(f, false)?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Amount { scale, currency } => {
                f.write_str(if *scale == Scale::Minor { "minor" } else { "major" })?;
                match currency {
                    Currency::Unknown => Ok(()),
                    Currency::Any => f.write_str(" any"),
                    Currency::Fixed(code) => write!(f, " {code}"),
                    Currency::Sibling(column) => write!(f, " by {column}"),
                    Currency::Column(_) | Currency::Hidden => f.write_str(" by row"),
                }
            }
            Kind::Odds(Odds::Decimal) => f.write_str("decimal_odds"),
            Kind::Odds(Odds::Fractional) => f.write_str("fractional_odds"),
            Kind::Odds(Odds::American) => f.write_str("american_odds"),
            Kind::Odds(Odds::Probability) => f.write_str("probability"),
            Kind::Percent => f.write_str("percent"),
            Kind::Fraction => f.write_str("fraction"),
            Kind::Count => f.write_str("count"),
            Kind::Clock(Zone::Utc) => f.write_str("clock UTC"),
            Kind::Clock(Zone::Named(zone)) => write!(f, "clock {zone}"),
            Kind::Clock(Zone::Sibling(column)) => write!(f, "clock by {column}"),
            Kind::Clock(Zone::Column(_) | Zone::Hidden) => f.write_str("clock by row"),
            Kind::Clock(Zone::Session) => f.write_str("clock of the session"),
            Kind::Instant => f.write_str("instant"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(scale: Scale, currency: &str) -> Measure {
        let currency = if currency.is_empty() { Currency::Unknown } else { Currency::Fixed(currency.into()) };
        Unit::from(Kind::Amount { scale, currency }).into()
    }

    fn spelled(measure: &Measure) -> String {
        measure.spelled().unwrap_or_default()
    }

    #[test]
    fn products_and_quotients() {
        let (pounds, euro, pence) = (amount(Scale::Major, "GBP"), amount(Scale::Major, "EUR"), amount(Scale::Minor, "GBP"));
        let of = |kind: Kind| Measure::from(Unit::from(kind));
        let (decimal, fractional) = (of(Kind::Odds(Odds::Decimal)), of(Kind::Odds(Odds::Fractional)));
        let rate = pounds.divided_by(&euro);
        let cases = [
            (pounds.divided_by(&pounds), "fraction"),
            (pounds.divided_by(&amount(Scale::Major, "")), "fraction"),
            (rate.clone(), "major GBP / major EUR"),
            (euro.times(&rate), "major GBP"),
            (pounds.times(&rate), "major GBP^2 / major EUR"),
            (pence.times(&Measure::Number), "minor GBP"),
            (pounds.divided_by(&pence), "major GBP / minor GBP"),
            (pounds.times(&of(Kind::Count)), "major GBP"),
            (pounds.times(&of(Kind::Fraction)), "major GBP"),
            (pounds.times(&of(Kind::Percent)), "major GBP * percent"),
            (pounds.times(&decimal), "major GBP"),
            (pounds.times(&fractional), "major GBP * fractional_odds"),
            (decimal.times(&decimal), "decimal_odds"),
            (fractional.divided_by(&fractional), "fractional_odds"),
            (of(Kind::Count).divided_by(&of(Kind::Count)), ""),
            (pounds.times(&decimal).times(&of(Kind::Odds(Odds::Probability))), "major GBP"),
            (Measure::Number.divided_by(&decimal), "probability"),
            (Measure::Number.divided_by(&of(Kind::Odds(Odds::Probability))), "decimal_odds"),
            (decimal.times(&of(Kind::Odds(Odds::Probability))), "decimal_odds"),
            (pounds.times(&Measure::Number.divided_by(&decimal)), "major GBP"),
            (pounds.times(&of(Kind::Instant)), ""),
            (pounds.times(&Measure::Unknown), ""),
        ];
        for (measure, expected) in cases {
            assert_eq!(spelled(&measure), expected);
        }
    }

    #[test]
    fn what_is_alike() {
        let (pounds, euro, pence) = (amount(Scale::Major, "GBP"), amount(Scale::Major, "EUR"), amount(Scale::Minor, "GBP"));
        assert!(pounds.unified(&euro).is_err() && pounds.unified(&pence).is_err());
        assert_eq!(amount(Scale::Major, "").unified(&pounds), Ok(pounds.clone()));
        assert_eq!(Measure::Number.unified(&pence), Ok(pence.clone()));
        assert_eq!(Measure::Unknown.unified(&pence), Ok(pence));
        let clock = |zone: &str| Measure::from(Unit::from(Kind::Clock(Zone::parse(zone))));
        assert!(clock("GMT").unified(&clock("UTC")).is_ok() && clock("europe/london").unified(&clock("Europe/London")).is_ok());
        assert!(clock("UTC").unified(&clock("Europe/London")).is_err());
    }
}
