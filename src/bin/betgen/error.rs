//! Everything that can stop the generator. Each message is one line.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Argument(String),
    #[error("cannot read real data file {}: {reason}", path.display())]
    RealData { path: PathBuf, reason: String },
    #[error("cannot write {}: {reason}", path.display())]
    Write { path: PathBuf, reason: String },
    #[error("no euro rate on or before {0}: choose later days")]
    NoRate(jiff::civil::Date),
    #[error("the return of bet {0} does not fit 128 bits")]
    Overflow(String),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;
