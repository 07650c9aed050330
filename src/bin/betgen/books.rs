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
