//! The files of each system, in its own format.

pub(crate) mod halcyon;
pub(crate) mod meridian;
pub(crate) mod trading;
pub(crate) mod treasury;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::Date;

use crate::accounts::Business;
use crate::calendar::{Moment, add_days};
use crate::error::{Error, Result};

/// What one day's extract holds: changes since the last extract, on the system's own clock.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) day: Date,
    pub(crate) from: Moment,
    pub(crate) until: Moment,
}

impl Cut {
    /// The extract after the one that was cut at `last`; the first when there is none.
    pub(crate) fn after(last: Option<Moment>, business: Business, day: Date) -> Cut {
        Cut { day, from: last.unwrap_or(Moment::EARLIEST), until: business.day_start(add_days(day, 1)) }
    }

    pub(crate) fn contains(&self, moment: Moment) -> bool {
        (self.from..self.until).contains(&moment)
    }

    /// The last of these moments before the cut.
    pub(crate) fn latest(&self, moments: impl IntoIterator<Item = Option<Moment>>) -> Option<Moment> {
        moments.into_iter().flatten().filter(|&moment| moment < self.until).max()
    }
}

/// The folder extracts are written to.
pub(crate) struct Output {
    root: PathBuf,
}

/// Every file lies in one of these folders and its name starts so.
const PLACES: [(&str, &str, &str); 17] = [
    ("meridian/customers", "customers_", ".csv.gz"),
    ("meridian/bets", "bets_", ".csv.gz"),
    ("meridian/bet_legs", "bet_legs_", ".csv.gz"),
    ("meridian/settlements", "settlements_", ".csv.gz"),
    ("meridian/bets_tombstone", "bets_tombstone_", ".csv.gz"),
    ("halcyon/customer", "Customer_", ".txt"),
    ("halcyon/bet", "Bet_", ".txt"),
    ("halcyon/bet_selection", "BetSelection_", ".txt"),
    ("trading", "sports", ".csv"),
    ("trading", "competitions", ".csv"),
    ("trading/events", "events_", ".ndjson.gz"),
    ("trading/markets", "markets_", ".csv.gz"),
    ("trading/selections", "selections_", ".csv.gz"),
    ("trading/results", "results_", ".csv.gz"),
    ("treasury", "control_totals_", ".txt"),
    ("treasury", "control_matches_", ".txt"),
    ("treasury", "control_source_totals_", ".txt"),
];

impl Output {
    /// Opens the folder and removes the extracts of an earlier run, and nothing else.
    pub(crate) fn open(root: &Path) -> Result<Output> {
        for (folder, prefix, suffix) in PLACES {
            let folder = root.join(folder);
            let failed = |error: std::io::Error| Error::Write { path: folder.clone(), reason: error.to_string() };
            fs::create_dir_all(&folder).map_err(failed)?;
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let name = entry.file_name();
                let ours = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
                if ours {
                    fs::remove_file(entry.path()).map_err(failed)?;
                }
            }
        }
        Ok(Output { root: root.to_owned() })
    }

    pub(crate) fn plain(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(name);
        fs::write(&path, bytes).map_err(|error| Error::Write { path, reason: error.to_string() })
    }

    /// Compressed without a time stamp, so that equal contents give equal files.
    pub(crate) fn gzip(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let failed = |error: std::io::Error| Error::Write { path: self.root.join(name), reason: error.to_string() };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).map_err(failed)?;
        self.plain(name, &encoder.finish().map_err(failed)?)
    }
}

/// Comma-separated text with a header.
struct Csv {
    writer: csv::Writer<Vec<u8>>,
}

impl Csv {
    fn new(header: &[&str]) -> Result<Csv> {
        let mut csv = Csv { writer: csv::Writer::from_writer(Vec::new()) };
        csv.row(header)?;
        Ok(csv)
    }

    fn row<T: AsRef<[u8]>>(&mut self, fields: impl IntoIterator<Item = T>) -> Result<()> {
        self.writer.write_record(fields).map_err(|error| Error::Write { path: PathBuf::from("csv"), reason: error.to_string() })
    }

    fn bytes(self) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(|error| Error::Write { path: PathBuf::from("csv"), reason: error.to_string() })
    }
}
