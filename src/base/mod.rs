//! Floor 0: plain data that every floor shares. No input or output happens here.

mod dag;
mod facts;
mod files;
mod framed;
mod ident;
mod moment;
mod recorded;
mod rows;
mod s3;
mod source;
mod window;

pub use dag::{Cycle, Dag};
pub use facts::{ColumnFacts, RelationFacts};
pub use files::{Files, MemoryFiles};
pub use framed::{Framed, sum_of, unframed};
pub use ident::{Relation, RelationKind, ResourceType, UniqueId, quote_ident};
pub use moment::timestamp;
pub use recorded::{Asked, Digest, Recorded, Reread, digest};
pub use rows::{ColumnInfo, Datum, Table};
pub use s3::bucket_and_key;
pub use source::{FileId, Position, SourceFile, Sources, Span};
pub use window::{Window, parse_moment, utc_of, utc_stamp, utc_text};
