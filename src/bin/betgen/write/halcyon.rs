//! halcyon's export: pipes, windows-1252, London's clock with seven digits, major units with four, GUIDs and bits.

use super::{Cut, Output};
use crate::accounts::{Account, Standing};
use crate::bet::Bet;
use crate::error::Result;
use crate::price::Price;
use crate::returns::Outcome;
use crate::settle::Status;

const NULL: &str = "NULL";

/// Text without quotes: no field contains the delimiter.
struct Piped(String);

impl Piped {
    fn new(header: &str) -> Piped {
        Piped(format!("{header}\n"))
    }

    fn row(&mut self, fields: &[&str]) {
        self.0.push_str(&fields.join("|"));
        self.0.push('\n');
    }

    fn write(self, table: &str, file: &str, cut: &Cut, output: &Output) -> Result<()> {
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&self.0);
        let day = cut.day.strftime("%Y%m%d");
        output.plain(&format!("halcyon/{table}/{file}_{day}.txt"), &bytes)
    }
}

/// The accounts changed since the last extract, or all of them.
pub(crate) fn write_customers(accounts: &[Account], full: bool, cut: &Cut, output: &Output) -> Result<()> {
    let mut text = Piped::new(
        "CustomerGuid|EmailAddress|Forename|Surname|BirthDate|Postcode|CurrencyCode|CreatedAt|IsActive|IsSelfExcluded|IsDeleted|ModifiedAt",
    );
    for account in accounts.iter().filter(|account| full || cut.contains(account.updated)) {
        let person = &account.person;
        text.row(&[
            &account.key,
            &person.email,
            &person.forename,
            &person.surname,
            &person.birth.to_string(),
            &person.postcode,
            person.currency.code(),
            &account.registered.london_text(),
            bit(account.standing == Standing::Active),
            bit(account.standing == Standing::SelfExcluded),
            bit(account.standing == Standing::Deleted),
            &account.updated.london_text(),
        ]);
    }
    text.write("customer", "Customer", cut, output)
}

pub(crate) fn write_bets(bets: &[Bet], accounts: &[Account], cut: &Cut, output: &Output) -> Result<()> {
    let mut text = Piped::new(
        "BetGuid|CustomerGuid|BetTypeName|IsEachWay|LineCount|UnitStake|TotalStake|FreeBetStake|CurrencyCode|PlacedAt|SettledAt|ReturnAmount|StatusCode|Platform|IsDeleted|ModifiedAt",
    );
    for bet in bets {
        let settlement = bet.settled_by(cut.until);
        let modified = cut.latest([Some(bet.placed), settlement.map(|settlement| settlement.at), bet.deleted]);
        let Some(modified) = modified.filter(|&modified| cut.contains(modified)) else { continue };
        text.row(&[
            &bet.key,
            accounts.get(bet.account).map_or(NULL, |account| &account.key),
            bet.bet_type.shape().name,
            bit(bet.each_way),
            &bet.lines.to_string(),
            &money(bet.unit_stake),
            &money(bet.total_stake()),
            &money(bet.bonus),
            bet.currency.code(),
            &bet.placed.london_text(),
            &settlement.map_or(NULL.to_owned(), |settlement| settlement.at.london_text()),
            &settlement.map_or(NULL.to_owned(), |settlement| money(settlement.returned)),
            settlement.map_or("1", |settlement| status_code(settlement.status)),
            if bet.mobile { "App" } else { "Web" },
            bit(bet.deleted.is_some_and(|deleted| deleted < cut.until)),
            &modified.london_text(),
        ]);
    }
    text.write("bet", "Bet", cut, output)
}

pub(crate) fn write_selections(bets: &[Bet], cut: &Cut, output: &Output) -> Result<()> {
    let mut text = Piped::new("BetGuid|LegNumber|SelectionKey|DecimalOdds|LegResult|ModifiedAt");
    for bet in bets {
        for (leg, number) in bet.legs.iter().zip(1..) {
            let result = leg.result_by(cut.until);
            let modified = result.and(leg.resulted).unwrap_or(bet.placed);
            let Price::Decimal { hundredths } = leg.price else { continue };
            if cut.contains(modified) {
                text.row(&[
                    &bet.key,
                    &i32::to_string(&number),
                    &format!("T{:09}", leg.selection_id),
                    &money(hundredths),
                    result.map_or(NULL, result_name),
                    &modified.london_text(),
                ]);
            }
        }
    }
    text.write("bet_selection", "BetSelection", cut, output)
}

fn bit(flag: bool) -> &'static str {
    if flag { "1" } else { "0" }
}

/// Hundredths as a number with four digits: `1250` is `12.5000`.
fn money(hundredths: i64) -> String {
    format!("{}.{:02}00", hundredths / 100, hundredths % 100)
}

fn status_code(status: Status) -> &'static str {
    match status {
        Status::Won => "2",
        Status::Lost => "3",
        Status::Void => "4",
        Status::CashedOut => "5",
    }
}

fn result_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Won => "Won",
        Outcome::Placed => "Placed",
        Outcome::Lost => "Lost",
        Outcome::Void => "Void",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_four_digits() {
        assert_eq!(money(1250), "12.5000");
        assert_eq!(money(5), "0.0500");
        assert_eq!(money(237), "2.3700");
    }
}
