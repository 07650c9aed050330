//! The days of the simulation, one after the other. Only bets that can still change stay in memory.

use jiff::civil::Date;

use crate::accounts::{Business, Population};
use crate::arguments::{Plan, Window};
use crate::bet::Bet;
use crate::betting::Betting;
use crate::books::Books;
use crate::calendar::{Moment, add_days, days_since_epoch};
use crate::error::{Error, Result};
use crate::faults::Fault;
use crate::fx::Rates;
use crate::random::Dice;
use crate::settle::delete;
use crate::world::World;
use crate::write::meridian::DayRows;
use crate::write::{Cut, Output, halcyon, meridian, trading, treasury};

/// Days of a window (from 0) after whose bets each company deletes one.
const DELETIONS: [i64; 6] = [1, 2, 5, 8, 11, 15];
/// The day of a window (from 0) when one customer of both companies excludes himself at each.
const FORCED_EXCLUSIONS: i64 = 2;

struct Simulation<'a> {
    plan: &'a Plan,
    rates: Rates,
    betting: Betting<'a>,
    population: Population,
    books: Books,
    output: Output,
    /// Bets something may still happen to, in the order they were placed.
    meridian: Vec<Bet>,
    halcyon: Vec<Bet>,
    /// Where the last extracts were cut.
    last: Option<Date>,
    meridian_settlements: i64,
    faults: Vec<Fault>,
}

/// Writes all files of the plan.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let rates = Rates::load(&plan.real)?;
    let world = World::load(&plan.real, &plan.windows, plan.seed)?;
    check_events(&world, &plan.windows)?;
    let first = plan.windows.first().map_or(Date::MIN, |window| window.first);
    rates.pounds_per_euro(first)?;
    let mut simulation = Simulation {
        plan,
        rates,
        betting: Betting::new(&world, plan.seed, plan.scale),
        population: Population::found(first, plan.scale, plan.seed),
        books: Books::default(),
        output: Output::open(&plan.out)?,
        meridian: Vec::new(),
        halcyon: Vec::new(),
        last: None,
        meridian_settlements: 0,
        faults: plan.faults.clone(),
    };
    trading::write_lists(&simulation.output)?;
    for &window in &plan.windows {
        for day in window.days() {
            simulation.day(window, day)?;
        }
    }
    if let Some(fault) = simulation.faults.first() {
        return Err(Error::Argument(format!("no bet of the last window is fit for the fault {}; choose more days", fault.name())));
    }
    treasury::write_controls(&simulation.books, &simulation.population, plan, &simulation.output)
}

/// Every window needs something to bet on.
fn check_events(world: &World, windows: &[Window]) -> Result<()> {
    for window in windows {
        let (from, until) = (Moment::utc(window.first, 0), Moment::utc(add_days(window.last, 1), 0));
        if world.starting(from, until).is_empty() {
            return Err(Error::Argument(format!(
                "--days: no real event starts from {} to {}; choose other days",
                window.first, window.last
            )));
        }
    }
    Ok(())
}

impl Simulation<'_> {
    fn day(&mut self, window: Window, day: Date) -> Result<()> {
        let day_of_window = days_since_epoch(day) - days_since_epoch(window.first);
        let idle_days = self.last.map_or(0, |last| days_since_epoch(day) - days_since_epoch(last) - 1);
        self.population.live_through(day, idle_days, day_of_window == FORCED_EXCLUSIONS);
        for business in Business::ALL {
            let mut bets = self.betting.bets_of_day(business, day, &self.population)?;
            if DELETIONS.contains(&day_of_window) && window.contains(add_days(day, 2)) {
                let mut dice = Dice::new(self.plan.seed, "delete", days_since_epoch(day));
                let victim = dice.between(0, bets.len() as i64 - 1) as usize;
                if let Some(bet) = bets.get_mut(victim) {
                    delete(bet, &mut dice);
                }
            }
            bets.iter().for_each(|bet| self.books.take(bet));
            match business {
                Business::Meridian => self.meridian.append(&mut bets),
                Business::Halcyon => self.halcyon.append(&mut bets),
            }
        }
        let full = day == window.first;
        self.export_meridian(self.cut(Business::Meridian, day), full)?;
        self.export_halcyon(self.cut(Business::Halcyon, day), full)?;
        trading::write_day(self.betting.world, &self.cut(Business::Meridian, day), &self.output)?;
        self.last = Some(day);
        Ok(())
    }

    fn cut(&self, business: Business, day: Date) -> Cut {
        Cut::after(self.last.map(|last| business.day_start(add_days(last, 1))), business, day)
    }

    fn export_meridian(&mut self, cut: Cut, full: bool) -> Result<()> {
        let accounts = self.population.of(Business::Meridian);
        meridian::write_customers(accounts, full, &cut, &self.output)?;
        book(&mut self.books, &self.meridian, &cut, &self.rates)?;
        let mut rows = DayRows::collect(&self.meridian, accounts, &cut, self.meridian_settlements);
        self.meridian_settlements += rows.settlements.len() as i64;
        let last_window = self.plan.windows.last().is_some_and(|window| window.contains(cut.day) && cut.day > window.first);
        if last_window {
            self.faults.retain(|fault| !fault.spoil(&mut rows));
        }
        rows.write(&cut, &self.output)?;
        keep_changing(&mut self.meridian, cut.until);
        Ok(())
    }

    fn export_halcyon(&mut self, cut: Cut, full: bool) -> Result<()> {
        let accounts = self.population.of(Business::Halcyon);
        halcyon::write_customers(accounts, full, &cut, &self.output)?;
        book(&mut self.books, &self.halcyon, &cut, &self.rates)?;
        halcyon::write_bets(&self.halcyon, accounts, &cut, &self.output)?;
        halcyon::write_selections(&self.halcyon, &cut, &self.output)?;
        keep_changing(&mut self.halcyon, cut.until);
        Ok(())
    }
}

fn book(books: &mut Books, bets: &[Bet], cut: &Cut, rates: &Rates) -> Result<()> {
    for bet in bets {
        if let Some(settlement) = bet.settlement.as_ref().filter(|settlement| cut.contains(settlement.at)) {
            books.settle(bet, settlement, rates)?;
        }
    }
    Ok(())
}

fn keep_changing(bets: &mut Vec<Bet>, cut: Moment) {
    bets.retain(|bet| bet.changes_after(cut));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

    fn plan(out: &Path, windows: &[(Date, Date)], faults: Vec<Fault>) -> Plan {
        let windows = windows.iter().map(|&(first, last)| Window { first, last }).collect();
        Plan { out: out.to_owned(), real: Path::new(PROJECT).join("data/real"), seed: 42, windows, scale: 1.0, faults }
    }

    fn weekend() -> [(Date, Date); 1] {
        [(Date::constant(2026, 1, 16), Date::constant(2026, 1, 17))]
    }

    fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in walkdir::WalkDir::new(root).into_iter().map(|entry| entry.unwrap()).filter(|entry| entry.file_type().is_file()) {
            let name = entry.path().strip_prefix(root).unwrap().to_owned();
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
        files
    }

    fn generate(windows: &[(Date, Date)], faults: Vec<Fault>) -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        run(&plan(folder.path(), windows, faults)).unwrap();
        files(folder.path())
    }

    #[test]
    fn equal_arguments_give_equal_bytes_and_replace_earlier_files() {
        let folder = tempfile::tempdir().unwrap();
        run(&plan(folder.path(), &[(Date::constant(2025, 10, 25), Date::constant(2025, 10, 26))], Vec::new())).unwrap();
        run(&plan(folder.path(), &weekend(), Vec::new())).unwrap();
        assert!(files(folder.path()) == generate(&weekend(), Vec::new()));
    }

    #[test]
    fn the_committed_sample_is_what_the_generator_writes() {
        let day = Date::constant;
        let mut sample = files(&Path::new(PROJECT).join("data/sample"));
        sample.remove(Path::new("README.md"));
        let generated = generate(&[(day(2025, 10, 24), day(2025, 10, 27)), (day(2026, 1, 16), day(2026, 2, 5))], Vec::new());
        let changed: Vec<_> = generated.iter().filter(|(name, bytes)| sample.get(*name) != Some(*bytes)).map(|(name, _)| name).collect();
        assert!(
            changed.is_empty() && sample.len() == generated.len(),
            "write the sample anew (data/sample/README.md); changed: {changed:?}"
        );
    }

    #[test]
    fn each_fault_changes_its_own_files_and_no_control_total() {
        let clean = generate(&weekend(), Vec::new());
        for (fault, tables) in [
            (Fault::MissingLeg, vec!["bet_legs"]),
            (Fault::WrongCurrency, vec!["settlements"]),
            (Fault::UnitMixup, vec!["bets", "settlements"]),
            (Fault::Penny, vec!["settlements"]),
            (Fault::DuplicateSettlement, vec!["settlements"]),
            (Fault::LatePrice, vec!["bets"]),
        ] {
            let faulty = generate(&weekend(), vec![fault]);
            let changed: Vec<&PathBuf> =
                clean.iter().filter(|(name, bytes)| faulty.get(*name) != Some(*bytes)).map(|(name, _)| name).collect();
            let expected: Vec<PathBuf> =
                tables.iter().map(|table| PathBuf::from(format!("meridian/{table}/{table}_2026-01-17.csv.gz"))).collect();
            assert_eq!(changed, expected.iter().collect::<Vec<_>>(), "{}", fault.name());
        }
    }

    #[test]
    fn days_without_events_or_rates_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |first, last| run(&plan(folder.path(), &[(first, last)], Vec::new())).unwrap_err().to_string();
        assert!(refused(Date::constant(2026, 7, 1), Date::constant(2026, 7, 2)).contains("no real event starts"));
        assert!(files(folder.path()).is_empty());
    }
}
