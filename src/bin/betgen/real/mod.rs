//! Readers of the real results and prices (see `data/real/README.md`).

pub(crate) mod football;
pub(crate) mod racing;

use std::path::Path;

use crate::error::{Error, Result};

/// The rows of one file, addressed by column name.
struct Table {
    headers: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    fn load(path: &Path) -> Result<Table> {
        let bad = |error: csv::Error| Error::RealData { path: path.to_owned(), reason: error.to_string() };
        let mut reader = csv::Reader::from_path(path).map_err(bad)?;
        let headers = reader.headers().map_err(bad)?.clone();
        let rows = reader.records().collect::<std::result::Result<_, _>>().map_err(bad)?;
        Ok(Table { headers, rows })
    }

    /// Finds the named columns; the result reads the fields of a row in that order.
    fn columns<const N: usize>(&self, path: &Path, names: [&str; N]) -> Result<[usize; N]> {
        let mut found = [0; N];
        for (place, name) in found.iter_mut().zip(names) {
            *place = self
                .headers
                .iter()
                .position(|header| header == name)
                .ok_or_else(|| Error::RealData { path: path.to_owned(), reason: format!("it has no column {name}") })?;
        }
        Ok(found)
    }
}

fn fields<const N: usize>(row: &csv::StringRecord, columns: [usize; N]) -> [&str; N] {
    columns.map(|column| row.get(column).unwrap_or_default())
}
