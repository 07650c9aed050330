//! The shared trading system's files: UTC with a Z.

use super::{Csv, Cut, Output};
use crate::calendar::Moment;
use crate::error::Result;
use crate::returns::Outcome;
use crate::world::{Competition, Event, Sport, World};

/// The short lists that do not change.
pub(crate) fn write_lists(output: &Output) -> Result<()> {
    let mut sports = Csv::new(&["sport_id", "sport_name"])?;
    for sport in Sport::ALL {
        sports.row([&sport.id().to_string(), sport.name()])?;
    }
    output.plain("trading/sports.csv", &sports.bytes()?)?;
    let mut competitions = Csv::new(&["competition_id", "sport_id", "competition_name", "country_code"])?;
    for competition in Competition::ALL {
        let (id, sport, name, country) = competition.row();
        competitions.row([&id.to_string(), &sport.id().to_string(), name, country])?;
    }
    output.plain("trading/competitions.csv", &competitions.bytes()?)
}

pub(crate) fn write_day(world: &World, cut: &Cut, output: &Output) -> Result<()> {
    write_events(world, cut, output)?;
    let published: Vec<&Event> = world.events.iter().filter(|event| cut.contains(event.published)).collect();
    write_markets(&published, cut, output)?;
    write_selections(&published, cut, output)?;
    write_results(world, cut, output)
}

/// Every version of every event, in the order they arose.
fn write_events(world: &World, cut: &Cut, output: &Output) -> Result<()> {
    let mut versions: Vec<(Moment, &Event, &str)> = Vec::new();
    for event in &world.events {
        versions.push((event.published, event, "scheduled"));
        if event.abandoned {
            versions.push((event.ends, event, "abandoned"));
        } else {
            versions.push((event.starts, event, "in_play"));
            versions.push((event.ends, event, "finished"));
        }
    }
    versions.retain(|(updated, _, _)| cut.contains(*updated));
    versions.sort_by_key(|(updated, event, _)| (*updated, event.id));
    let mut text = String::new();
    for (updated, event, status) in versions {
        let version = serde_json::json!({
            "event_id": event.id,
            "competition_id": event.competition.id(),
            "event_name": event.name,
            "starts_at": event.starts.iso_text(),
            "status": status,
            "updated_at": updated.iso_text(),
        });
        text.push_str(&version.to_string());
        text.push('\n');
    }
    output.gzip(&format!("trading/events/events_{}.ndjson.gz", cut.day), text.as_bytes())
}

fn write_markets(events: &[&Event], cut: &Cut, output: &Output) -> Result<()> {
    let mut csv = Csv::new(&["market_id", "event_id", "market_name", "market_type", "is_in_play"])?;
    for event in events {
        for market in &event.markets {
            csv.row([
                market.id.to_string().as_str(),
                &event.id.to_string(),
                market.kind.name(),
                market.kind.code(),
                if market.kind.is_in_play() { "true" } else { "false" },
            ])?;
        }
    }
    output.gzip(&format!("trading/markets/markets_{}.csv.gz", cut.day), &csv.bytes()?)
}

fn write_selections(events: &[&Event], cut: &Cut, output: &Output) -> Result<()> {
    let mut csv = Csv::new(&["selection_id", "market_id", "selection_name", "opening_price"])?;
    for market in events.iter().flat_map(|event| &event.markets) {
        for selection in &market.selections {
            let price = selection.opening.ten_thousandths();
            let price = format!("{}.{:04}", price / 10_000, price % 10_000);
            csv.row([&selection.id.to_string(), &market.id.to_string(), &selection.name, &price])?;
        }
    }
    output.gzip(&format!("trading/selections/selections_{}.csv.gz", cut.day), &csv.bytes()?)
}

fn write_results(world: &World, cut: &Cut, output: &Output) -> Result<()> {
    let mut csv = Csv::new(&["selection_id", "result", "resulted_at"])?;
    for event in world.events.iter().filter(|event| cut.contains(event.ends)) {
        let resulted = event.ends.iso_text();
        for selection in event.markets.iter().flat_map(|market| &market.selections) {
            let result = match selection.outcome {
                Outcome::Won => "won",
                Outcome::Placed => "placed",
                Outcome::Lost => "lost",
                Outcome::Void => "void",
            };
            csv.row([selection.id.to_string().as_str(), result, &resulted])?;
        }
    }
    output.gzip(&format!("trading/results/results_{}.csv.gz", cut.day), &csv.bytes()?)
}
