//! Named faults: each spoils one bet of the last window on its way into meridian's files, after the control totals
//! were taken, so that exactly the tests that guard against it fail.

use crate::settle::Status;
use crate::write::meridian::{BetRow, DayRows, SettlementRow};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    MissingLeg,
    WrongCurrency,
    UnitMixup,
    Penny,
    DuplicateSettlement,
    LatePrice,
}

impl Fault {
    pub(crate) const ALL: [Fault; 6] =
        [Fault::MissingLeg, Fault::WrongCurrency, Fault::UnitMixup, Fault::Penny, Fault::DuplicateSettlement, Fault::LatePrice];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::MissingLeg => "missing_leg",
            Fault::WrongCurrency => "wrong_currency",
            Fault::UnitMixup => "unit_mixup",
            Fault::Penny => "penny",
            Fault::DuplicateSettlement => "duplicate_settlement",
            Fault::LatePrice => "late_price",
        }
    }

    /// What is spoilt, and the integrity rules whose tests must fail.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Fault::MissingLeg => "one leg of a lost treble or longer is not exported: rule 5 (legs demanded by the bet type)",
            Fault::WrongCurrency => "the settlement of a sterling bet says EUR: rule 7 (currency of bet and settlement agree)",
            Fault::UnitMixup => "the amounts of one bet are written in pounds, not pence: rule 11 (control totals)",
            Fault::Penny => "one return is a penny too high: rule 11 (control totals; rule 3 tolerates one minor unit)",
            Fault::DuplicateSettlement => "a won single is settled twice: rule 3 (return = stake × odds) and rule 11 (control totals)",
            Fault::LatePrice => "a pre-match bet is placed after the start: rule 6 (warn: no late bets unless in-play)",
        }
    }

    /// Spoils the first fit bet of the day; false when there is none.
    pub(crate) fn spoil(self, rows: &mut DayRows<'_>) -> bool {
        match self {
            Fault::MissingLeg => drop_leg(rows),
            Fault::WrongCurrency => change_settlement(rows, |row| row.currency = "EUR"),
            Fault::UnitMixup => write_in_pounds(rows),
            Fault::Penny => change_settlement(rows, |row| row.return_amount += 1),
            Fault::DuplicateSettlement => settle_twice(rows),
            Fault::LatePrice => place_late(rows),
        }
    }
}

/// A bet placed and finished on the day, so that no other version of its rows exists.
fn fit(rows: &DayRows<'_>, position: usize) -> bool {
    let Some(row) = rows.bets.get(position) else { return false };
    let legs = rows.legs.iter().filter(|leg| leg.bet_id == row.bet_id && leg.result.is_some()).count();
    row.new && !row.spoilt && row.bet.deleted.is_none() && row.status != 'O' && legs == row.bet.legs.len()
}

fn find(rows: &DayRows<'_>, wanted: impl Fn(&BetRow<'_>) -> bool) -> Option<usize> {
    (0..rows.bets.len()).find(|&position| fit(rows, position) && rows.bets.get(position).is_some_and(&wanted))
}

fn won_single(row: &BetRow<'_>) -> bool {
    row.status == 'W' && row.bet.legs.len() == 1 && row.bet.bonus == 0 && !row.bet.each_way && row.currency == "GBP"
}

fn drop_leg(rows: &mut DayRows<'_>) -> bool {
    let Some(position) = find(rows, |row| row.bet.legs.len() > 2 && row.status == 'L') else { return false };
    let Some(row) = rows.bets.get_mut(position) else { return false };
    row.spoilt = true;
    let bet_id = row.bet_id;
    let before = rows.legs.len();
    rows.legs.retain(|leg| leg.bet_id != bet_id || leg.leg_no != 2);
    rows.legs.len() < before
}

fn change_settlement(rows: &mut DayRows<'_>, change: impl Fn(&mut SettlementRow)) -> bool {
    let Some(position) = find(rows, won_single) else { return false };
    let Some(row) = rows.bets.get_mut(position) else { return false };
    row.spoilt = true;
    let bet_id = row.bet_id;
    rows.settlements.iter_mut().find(|settlement| settlement.bet_id == bet_id).map(change).is_some()
}

fn write_in_pounds(rows: &mut DayRows<'_>) -> bool {
    let Some(position) = find(rows, |row| won_single(row) && row.bet.unit_stake % 100 == 0) else { return false };
    let Some(row) = rows.bets.get_mut(position) else { return false };
    row.spoilt = true;
    row.unit_stake /= 100;
    row.total_stake /= 100;
    let bet_id = row.bet_id;
    for settlement in rows.settlements.iter_mut().filter(|settlement| settlement.bet_id == bet_id) {
        settlement.return_amount = (settlement.return_amount + 50) / 100;
    }
    true
}

fn settle_twice(rows: &mut DayRows<'_>) -> bool {
    let Some(position) = find(rows, won_single) else { return false };
    let Some(row) = rows.bets.get_mut(position) else { return false };
    row.spoilt = true;
    let bet_id = row.bet_id;
    let Some(first) = rows.settlements.iter().find(|settlement| settlement.bet_id == bet_id).copied() else { return false };
    // Far above all keys the generator gives out.
    rows.settlements.push(SettlementRow { settlement_id: first.settlement_id + 1_000_000_000_000, ..first });
    true
}

fn place_late(rows: &mut DayRows<'_>) -> bool {
    let single = |row: &BetRow<'_>| {
        let status = row.bet.settlement.as_ref().map(|settlement| settlement.status);
        row.bet.legs.len() == 1 && !row.bet.in_play && matches!(status, Some(Status::Won | Status::Lost))
    };
    let Some(position) = find(rows, single) else { return false };
    let Some(row) = rows.bets.get_mut(position) else { return false };
    let Some(leg) = row.bet.legs.first() else { return false };
    row.spoilt = true;
    row.placed = leg.starts.plus_seconds(90).whole_second();
    true
}
