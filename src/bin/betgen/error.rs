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
    #[error("amounts too large for 128 bits: {0}")]
    Overflow(String),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;
