//! The generator's own accounts: totals kept while bets are simulated, never read back from the files.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::accounts::Business;
use crate::bet::Bet;
use crate::error::Result;
use crate::fx::Rates;
use crate::settle::{Settlement, Status};

/// Of one business and business day, void bets left out; pence at the day's euro rate.
#[derive(Default)]
pub(crate) struct DayTotal {
    pub(crate) bets: i64,
    pub(crate) turnover: i64,
    pub(crate) returns: i64,
}

/// Of the bets one company took on one day of its own clock; stakes in minor units of whatever currency.
#[derive(Default)]
pub(crate) struct SourceTotal {
    pub(crate) bets: i64,
    pub(crate) stakes: i64,
}

#[derive(Default)]
pub(crate) struct Books {
    pub(crate) days: BTreeMap<(Date, Business), DayTotal>,
    pub(crate) sources: BTreeMap<(Business, Date), SourceTotal>,
    pub(crate) bets: i64,
    pub(crate) settled: i64,
}

impl Books {
    /// Books a bet when it is taken. Bets that will be deleted never count.
    pub(crate) fn take(&mut self, bet: &Bet) {
        if bet.deleted.is_some() {
            return;
        }
        self.bets += 1;
        let total = self.sources.entry((bet.business, bet.business.native_date(bet.placed))).or_default();
        total.bets += 1;
        total.stakes += bet.total_stake();
    }

    /// Books a settlement when it is exported.
    pub(crate) fn settle(&mut self, bet: &Bet, settlement: &Settlement, rates: &Rates) -> Result<()> {
        if bet.deleted.is_some() {
            return Ok(());
        }
        self.settled += 1;
        if settlement.status == Status::Void {
            return Ok(());
        }
        let day = settlement.at.london_date();
        let total = self.days.entry((day, bet.business)).or_default();
        total.bets += 1;
        total.turnover += rates.to_pence(bet.cash_stake(), bet.currency, day)?;
        total.returns += rates.to_pence(settlement.returned, bet.currency, day)?;
        Ok(())
    }

    pub(crate) fn open_bets(&self) -> i64 {
        self.bets - self.settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bet_type::BetType;
    use crate::calendar::Moment;
    use crate::fx::Currency;
    use jiff::civil::date;

    fn bet(currency: Currency, bonus: i64) -> Bet {
        Bet {
            key: String::new(),
            business: Business::Meridian,
            account: 0,
            currency,
            placed: Moment::utc(date(2025, 10, 25), 0),
            bet_type: BetType::Single,
            each_way: false,
            lines: 1,
            unit_stake: 1_000,
            bonus,
            mobile: false,
            in_play: false,
            legs: Vec::new(),
            settlement: None,
            deleted: None,
        }
    }

    fn settlement(status: Status, returned: i64) -> Settlement {
        Settlement { at: Moment::utc(date(2025, 10, 25), 23 * 3600 + 1), status, returned }
    }

    #[test]
    fn bets_are_booked_on_the_london_day_at_its_rate_without_voids_and_bonus() {
        let rates = Rates::load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/real"))).unwrap();
        let mut books = Books::default();
        let mut deleted = bet(Currency::Gbp, 0);
        deleted.deleted = Some(Moment::utc(date(2025, 10, 26), 0));
        let bets = [
            (bet(Currency::Gbp, 0), settlement(Status::Won, 2_500)),
            (bet(Currency::Eur, 0), settlement(Status::CashedOut, 505)),
            (bet(Currency::Gbp, 1_000), settlement(Status::Won, 700)),
            (bet(Currency::Gbp, 0), settlement(Status::Void, 1_000)),
            (deleted, settlement(Status::Lost, 0)),
        ];
        for (bet, settlement) in &bets {
            books.take(bet);
            books.settle(bet, settlement, &rates).unwrap();
        }
        // Sunday 26 October takes Friday's 0.8726: 10.00 and 5.05 euro are 8.73 and 4.41 pounds.
        let total = books.days.get(&(date(2025, 10, 26), Business::Meridian)).unwrap();
        assert_eq!((total.bets, total.turnover, total.returns), (3, 1_000 + 873, 2_500 + 441 + 700));
        assert_eq!((books.days.len(), books.bets, books.open_bets()), (1, 4, 0));
    }
}
