//! The control totals the built warehouse is held against.

use super::Output;
use crate::accounts::Population;
use crate::arguments::Plan;
use crate::books::Books;
use crate::error::Result;

/// A title, a header, the rows, and a trailer with their number.
fn write_framed(name: &str, header: &str, rows: &[String], plan: &Plan, output: &Output) -> Result<()> {
    let mut text = format!("BETGEN CONTROL TOTALS;{}\n{header}\n", plan.windows_text());
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text.push_str(&format!("TRAILER;{}\n", rows.len()));
    output.plain(&format!("treasury/{name}_{}.txt", plan.last_day()), text.as_bytes())
}

pub(crate) fn write_controls(books: &Books, population: &Population, plan: &Plan, output: &Output) -> Result<()> {
    let days: Vec<String> = books
        .days
        .iter()
        .map(|((day, business), total)| {
            let gross = pounds(total.turnover - total.returns);
            let (turnover, returns) = (pounds(total.turnover), pounds(total.returns));
            format!("{day};{};{};{turnover};{returns};{gross}", business.name(), total.bets)
        })
        .collect();
    write_framed("control_totals", "business_day;business;bet_count;turnover_gbp;returns_gbp;ggr_gbp", &days, plan, output)?;

    let metrics = [
        ("matched_customers", population.matched() as i64),
        ("golden_customers", population.golden() as i64),
        ("review_conflicts", population.conflicts() as i64),
        ("open_bets", books.open_bets()),
        ("bets_total", books.bets),
    ];
    let metrics: Vec<String> = metrics.iter().map(|(metric, value)| format!("{metric};{value}")).collect();
    write_framed("control_matches", "metric;value", &metrics, plan, output)?;

    let sources: Vec<String> = books
        .sources
        .iter()
        .map(|((business, day), total)| {
            let table = match business {
                crate::accounts::Business::Meridian => "bets",
                crate::accounts::Business::Halcyon => "bet",
            };
            format!("{};{table};{day};{};{}", business.name(), total.bets, total.stakes)
        })
        .collect();
    write_framed("control_source_totals", "source;table_name;business_day;row_count;sum_stake_minor", &sources, plan, output)
}

/// Pence as pounds with two digits.
fn pounds(pence: i64) -> String {
    format!("{}{}.{:02}", if pence < 0 { "-" } else { "" }, pence.abs() / 100, pence.abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pounds_keep_their_sign() {
        assert_eq!(pounds(123_456), "1234.56");
        assert_eq!(pounds(-7), "-0.07");
    }
}
