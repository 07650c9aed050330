//! Floor 4: what the SQL of a node says.

mod candidates;
mod catalogue;
mod certain;
mod coercion;
mod columns;
mod compilation;
mod configured;
mod consequences;
mod declared;
mod described;
mod empty;
mod facts;
mod generic;
mod infer;
mod insertion;
mod judgement;
mod kept;
mod meaning;
mod mistyped;
mod near_misses;
mod other_names;
mod personal;
mod polymorphic;
mod portable;
mod promises;
mod seed_types;
mod siblings;
mod sql_type;
mod unit_test;
pub mod units;
mod unread;

pub use certain::Depth;
pub use columns::{Analysis, ColumnEdge, NodeAnalysis};
pub use compilation::{Compilation, CompiledNode, check_is_query};
pub use facts::{EdgeKind, Facts, Meaning, Origin, RelationSchema, SchemaColumn};
pub use infer::{
    ExpressionTypes, Finding, Inferred, OuterColumn, OuterName, Output, Table, Tables, Typed, Using, infer, output_name, quotient_digits,
};
pub use kept::{Edited, Standing};
pub use mistyped::{UNKNOWN_TYPE, type_instead};
pub use other_names::{habits, usage, written_instead};
pub use personal::is_personal;
pub use portable::{Lowered, Lowering, Piece, Portable, Renamed, TypedQuery, is_portable, read_together};
pub use seed_types::guess_type;
pub use sql_type::SqlType;
