//! The European Central Bank's daily reference rates.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::exact::Fraction;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Currency {
    Gbp,
    Eur,
}

impl Currency {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Currency::Gbp => "GBP",
            Currency::Eur => "EUR",
        }
    }
}

/// Pounds for one euro, by the day the rate was published.
pub(crate) struct Rates(BTreeMap<Date, Fraction>);

impl Rates {
    pub(crate) fn load(real: &Path) -> Result<Rates> {
        let path = real.join("fx/ecb_eur_daily.csv");
        let bad = |reason: String| Error::RealData { path: path.clone(), reason };
        let mut reader = csv::Reader::from_path(&path).map_err(|error| bad(error.to_string()))?;
        let headers = reader.headers().map_err(|error| bad(error.to_string()))?.clone();
        let column = headers.iter().position(|name| name == "GBP").ok_or_else(|| bad("it has no column GBP".to_owned()))?;
        let mut rates = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| bad(error.to_string()))?;
            let day = record.get(0).and_then(|text| text.parse::<Date>().ok());
            let rate = record.get(column).and_then(parse_decimal);
            match (day, rate) {
                (Some(day), Some(rate)) => rates.insert(day, rate),
                _ => return Err(bad(format!("line {} has no day or no rate", record.position().map_or(0, csv::Position::line)))),
            };
        }
        Ok(Rates(rates))
    }

    /// The rate of this day, or of the last earlier day that has one (weekends, holidays).
    pub(crate) fn pounds_per_euro(&self, day: Date) -> Result<Fraction> {
        self.0.range(..=day).next_back().map(|(_, &rate)| rate).ok_or(Error::NoRate(day))
    }

    /// Pence for an amount in minor units at the rate of its business day, rounded half up.
    pub(crate) fn to_pence(&self, amount: i64, currency: Currency, day: Date) -> Result<i64> {
        match currency {
            Currency::Gbp => Ok(amount),
            Currency::Eur => Fraction::new(amount, 1)
                .times(self.pounds_per_euro(day)?)
                .and_then(Fraction::round_half_up)
                .ok_or_else(|| Error::Overflow(format!("{amount} cents on {day}"))),
        }
    }
}

/// `0.8726` as 8726/10000.
fn parse_decimal(text: &str) -> Option<Fraction> {
    let (whole, digits) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let scale = 10_i64.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let number: i64 = format!("{whole}{digits}").parse().ok()?;
    (number > 0).then(|| Fraction::new(number, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn rates() -> Rates {
        let rate = |text| parse_decimal(text).unwrap();
        Rates(BTreeMap::from([(date(2025, 10, 24), rate("0.8726")), (date(2025, 10, 27), rate("0.8721"))]))
    }

    #[test]
    fn weekend_takes_the_rate_of_friday() {
        let rates = rates();
        for day in [24, 25, 26] {
            assert_eq!(rates.to_pence(1000, Currency::Eur, date(2025, 10, day)).unwrap(), 873);
        }
        assert_eq!(rates.to_pence(1000, Currency::Eur, date(2025, 10, 27)).unwrap(), 872);
    }

    #[test]
    fn pounds_stay_and_halves_round_up() {
        assert_eq!(rates().to_pence(777, Currency::Gbp, date(2025, 10, 25)).unwrap(), 777);
        // 62.50 euro × 0.8726 = 54.5375; 2.50 × 0.8726 = 2.1815
        assert_eq!(rates().to_pence(6250, Currency::Eur, date(2025, 10, 25)).unwrap(), 5454);
        let half = Rates(BTreeMap::from([(date(2026, 1, 1), parse_decimal("0.85").unwrap())]));
        assert_eq!(half.to_pence(10, Currency::Eur, date(2026, 1, 1)).unwrap(), 9);
    }

    #[test]
    fn days_before_the_first_rate_are_an_error() {
        assert!(rates().to_pence(1, Currency::Eur, date(2025, 10, 23)).unwrap_err().to_string().contains("2025-10-23"));
    }
}
