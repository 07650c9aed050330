//! Floor 2: the files of a dbt-format project, read and checked, every value with its place.

mod landing;

pub use landing::{Compression, FileFormat, Landing};
