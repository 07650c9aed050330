//! meridian's export: gzipped CSV, UTC without a zone, minor units, fractional odds, one-letter codes.

use super::{Csv, Cut, Output};
use crate::accounts::{Account, Standing};
use crate::bet::Bet;
use crate::calendar::Moment;
use crate::error::Result;
use crate::price::Price;
use crate::returns::Outcome;
use crate::settle::Status;

/// One day's rows of bets, before they are written; faults are injected here.
pub(crate) struct DayRows<'a> {
    pub(crate) bets: Vec<BetRow<'a>>,
    pub(crate) legs: Vec<LegRow<'a>>,
    pub(crate) settlements: Vec<SettlementRow<'a>>,
    tombstones: Vec<(&'a str, Moment)>,
}

pub(crate) struct BetRow<'a> {
    pub(crate) bet: &'a Bet,
    pub(crate) bet_id: &'a str,
    customer_id: &'a str,
    /// Whether the bet was placed since the last extract.
    pub(crate) new: bool,
    /// Whether a fault has taken this bet already.
    pub(crate) spoilt: bool,
    pub(crate) placed: Moment,
    updated: Moment,
    pub(crate) unit_stake: i64,
    pub(crate) total_stake: i64,
    pub(crate) currency: &'static str,
    pub(crate) status: char,
}

pub(crate) struct LegRow<'a> {
    pub(crate) bet_id: &'a str,
    pub(crate) leg_no: usize,
    selection_id: i64,
    price: (i64, i64),
    pub(crate) result: Option<char>,
    updated: Moment,
}

#[derive(Clone, Copy)]
pub(crate) struct SettlementRow<'a> {
    pub(crate) settlement_id: i64,
    pub(crate) bet_id: &'a str,
    pub(crate) settled: Moment,
    pub(crate) return_amount: i64,
    pub(crate) kind: char,
    pub(crate) currency: &'static str,
}

const FIRST_SETTLEMENT_ID: i64 = 430_000_001;

impl<'a> DayRows<'a> {
    /// The rows of the extract; `settled` settlements were exported before.
    pub(crate) fn collect(bets: &'a [Bet], accounts: &'a [Account], cut: &Cut, settled: i64) -> DayRows<'a> {
        let mut rows = DayRows { bets: Vec::new(), legs: Vec::new(), settlements: Vec::new(), tombstones: Vec::new() };
        for bet in bets {
            match bet.deleted.filter(|&deleted| deleted < cut.until) {
                Some(deleted) => rows.tombstones.push((&bet.key, deleted)),
                None => rows.add(bet, accounts, cut),
            }
        }
        rows.settlements.sort_by(|a, b| (a.settled, a.bet_id).cmp(&(b.settled, b.bet_id)));
        for (row, number) in rows.settlements.iter_mut().zip(FIRST_SETTLEMENT_ID + settled..) {
            row.settlement_id = number;
        }
        rows
    }

    fn add(&mut self, bet: &'a Bet, accounts: &'a [Account], cut: &Cut) {
        let settlement = bet.settled_by(cut.until);
        let currency = bet.currency.code();
        let updated = settlement.map_or(bet.placed, |settlement| settlement.at);
        if cut.contains(updated) {
            self.bets.push(BetRow {
                bet,
                bet_id: &bet.key,
                customer_id: accounts.get(bet.account).map_or("", |account| &account.key),
                new: cut.contains(bet.placed),
                spoilt: false,
                placed: bet.placed,
                updated,
                unit_stake: bet.unit_stake,
                total_stake: bet.total_stake(),
                currency,
                status: settlement.map_or('O', |settlement| status_code(settlement.status)),
            });
        }
        for (leg, leg_no) in bet.legs.iter().zip(1..) {
            let result = leg.result_by(cut.until);
            let updated = result.and(leg.resulted).unwrap_or(bet.placed);
            if cut.contains(updated) {
                let Price::Fractional { num, den } = leg.price else { continue };
                let (selection_id, result) = (leg.selection_id, result.map(result_code));
                self.legs.push(LegRow { bet_id: &bet.key, leg_no, selection_id, price: (num, den), result, updated });
            }
        }
        if let Some(settlement) = settlement.filter(|settlement| cut.contains(settlement.at)) {
            let kind = match settlement.status {
                Status::Won | Status::Lost => 'S',
                Status::Void => 'V',
                Status::CashedOut => 'C',
            };
            let (settled, return_amount) = (settlement.at, settlement.returned);
            self.settlements.push(SettlementRow { settlement_id: 0, bet_id: &bet.key, settled, return_amount, kind, currency });
        }
    }

    pub(crate) fn write(&self, cut: &Cut, output: &Output) -> Result<()> {
        write_bets(&self.bets, cut, output)?;
        write_legs(&self.legs, cut, output)?;
        write_settlements(&self.settlements, cut, output)?;
        let mut csv = Csv::new(&["BET_ID", "DELETED_AT"])?;
        for (bet_id, deleted) in &self.tombstones {
            csv.row([bet_id.to_string(), deleted.utc_text()])?;
        }
        output.gzip(&format!("meridian/bets_tombstone/bets_tombstone_{}.csv.gz", cut.day), &csv.bytes()?)
    }
}

fn write_bets(rows: &[BetRow<'_>], cut: &Cut, output: &Output) -> Result<()> {
    let mut csv = Csv::new(&[
        "BET_ID",
        "CUSTOMER_ID",
        "PLACED_AT",
        "BET_TYPE_CODE",
        "EACH_WAY_FLAG",
        "NUM_LINES",
        "UNIT_STAKE",
        "TOTAL_STAKE",
        "BONUS_STAKE",
        "CURRENCY_CODE",
        "STATUS",
        "CHANNEL_CODE",
        "UPDATED_AT",
    ])?;
    for row in rows {
        csv.row([
            row.bet_id,
            row.customer_id,
            &row.placed.utc_text(),
            row.bet.bet_type.shape().code,
            yes_or_no(row.bet.each_way),
            &row.bet.lines.to_string(),
            &row.unit_stake.to_string(),
            &row.total_stake.to_string(),
            &row.bet.bonus.to_string(),
            row.currency,
            &row.status.to_string(),
            if row.bet.mobile { "M" } else { "W" },
            &row.updated.utc_text(),
        ])?;
    }
    output.gzip(&format!("meridian/bets/bets_{}.csv.gz", cut.day), &csv.bytes()?)
}

fn write_legs(rows: &[LegRow<'_>], cut: &Cut, output: &Output) -> Result<()> {
    let mut csv = Csv::new(&["BET_ID", "LEG_NO", "SELECTION_ID", "PRICE_NUM", "PRICE_DEN", "RESULT", "UPDATED_AT"])?;
    for row in rows {
        csv.row([
            row.bet_id,
            &row.leg_no.to_string(),
            &row.selection_id.to_string(),
            &row.price.0.to_string(),
            &row.price.1.to_string(),
            &row.result.map(String::from).unwrap_or_default(),
            &row.updated.utc_text(),
        ])?;
    }
    output.gzip(&format!("meridian/bet_legs/bet_legs_{}.csv.gz", cut.day), &csv.bytes()?)
}

fn write_settlements(rows: &[SettlementRow<'_>], cut: &Cut, output: &Output) -> Result<()> {
    let mut csv = Csv::new(&["SETTLEMENT_ID", "BET_ID", "SETTLED_AT", "RETURN_AMOUNT", "SETTLEMENT_TYPE", "CURRENCY_CODE"])?;
    for row in rows {
        csv.row([
            &row.settlement_id.to_string(),
            row.bet_id,
            &row.settled.utc_text(),
            &row.return_amount.to_string(),
            &row.kind.to_string(),
            row.currency,
        ])?;
    }
    output.gzip(&format!("meridian/settlements/settlements_{}.csv.gz", cut.day), &csv.bytes()?)
}

/// The accounts changed since the last extract, or all of them.
pub(crate) fn write_customers(accounts: &[Account], full: bool, cut: &Cut, output: &Output) -> Result<()> {
    let mut csv = Csv::new(&[
        "CUSTOMER_ID",
        "EMAIL",
        "FIRST_NAME",
        "SURNAME",
        "DATE_OF_BIRTH",
        "POSTCODE",
        "COUNTRY_CODE",
        "CURRENCY_CODE",
        "REGISTERED_AT",
        "STATUS",
        "MARKETING_OPT_IN",
        "UPDATED_AT",
    ])?;
    for account in accounts.iter().filter(|account| full || cut.contains(account.updated)) {
        let person = &account.person;
        let status = match account.standing {
            Standing::Active => "A",
            Standing::Suspended => "S",
            Standing::SelfExcluded => "X",
            Standing::Closed | Standing::Deleted => "C",
        };
        csv.row([
            account.key.as_str(),
            &person.email,
            &person.forename,
            &person.surname,
            &person.birth.to_string(),
            &person.postcode,
            person.country,
            person.currency.code(),
            &account.registered.utc_text(),
            status,
            yes_or_no(account.marketing),
            &account.updated.utc_text(),
        ])?;
    }
    output.gzip(&format!("meridian/customers/customers_{}.csv.gz", cut.day), &csv.bytes()?)
}

fn yes_or_no(flag: bool) -> &'static str {
    if flag { "Y" } else { "N" }
}

fn status_code(status: Status) -> char {
    match status {
        Status::Won => 'W',
        Status::Lost => 'L',
        Status::Void => 'V',
        Status::CashedOut => 'C',
    }
}

fn result_code(outcome: Outcome) -> char {
    match outcome {
        Outcome::Won => 'W',
        Outcome::Placed => 'P',
        Outcome::Lost => 'L',
        Outcome::Void => 'V',
    }
}
