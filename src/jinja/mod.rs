//! Floor 3: dbt's Jinja on minijinja. Turns templates into SQL that knows where each part was written.
//!
//! Two bridges carry dbt's language over the engine. A macro of the engine gives text only, so every macro of a project is an
//! object of ours whose body is a template of its own, called with its arguments as context; `return(v)` leaves it as an error
//! that the call catches. Lists and maps of the engine cannot be changed, so literals are wrapped into objects that can.

mod access;
mod adapter;
mod caller;
mod calls;
pub mod describe;
mod doc_calls;
mod extents;
mod failure;
mod filters;
mod first_pass;
mod flags;
mod functions;
mod known;
mod link_units;
mod literals;
mod macro_calls;
mod open_blocks;
mod own_macro;
mod parse;
mod rare;
mod reading;
mod relation;
mod render;
mod scope;
mod span_map;
mod table;
mod templates;
mod unit;
mod unused_overrides;
mod values;
mod warehouse;
mod yaml_text;

// The language itself: what Python and Jinja2 have.
mod context;
mod library;
mod modules;
mod python;

pub use first_pass::Found;
pub use functions::DBT_VERSION;
pub use macro_calls::macro_calls;
pub use own_macro::{Argument, MacroCall, NodeArgument};
pub use parse::{Parsed, Passed, Unparsed, Work};
pub use reading::{Deferral, Empty, Reading};
pub use render::{Linked, Rendered};
pub use scope::{Message, NodeState};
pub use span_map::{Origin, Place, Segment, SpanMap};
pub use templates::{BUILTIN_PACKAGE, Invocation, Templates};
pub use unit::UnitScope;
pub use warehouse::{StatementResult, Warehouse};
pub use yaml_text::YamlText;

/// The macros that acca brings, as files of package [`BUILTIN_PACKAGE`]: path and text.
pub const BUILTIN_MACROS: [(&str, &str); 19] = [
    ("macros/attributes.sql", include_str!("builtin/attributes.sql")),
    ("macros/columns.sql", include_str!("builtin/columns.sql")),
    ("macros/contracts.sql", include_str!("builtin/contracts.sql")),
    ("macros/dates.sql", include_str!("builtin/dates.sql")),
    ("macros/fixtures.sql", include_str!("builtin/fixtures.sql")),
    ("macros/incremental.sql", include_str!("builtin/incremental.sql")),
    ("macros/names.sql", include_str!("builtin/names.sql")),
    ("macros/packages.sql", include_str!("builtin/packages.sql")),
    ("macros/relations.sql", include_str!("builtin/relations.sql")),
    ("macros/running.sql", include_str!("builtin/running.sql")),
    ("macros/schemas.sql", include_str!("builtin/schemas.sql")),
    ("macros/seeds.sql", include_str!("builtin/seeds.sql")),
    ("macros/sets.sql", include_str!("builtin/sets.sql")),
    ("macros/snapshot_steps.sql", include_str!("builtin/snapshot_steps.sql")),
    ("macros/snapshots.sql", include_str!("builtin/snapshots.sql")),
    ("macros/tests.sql", include_str!("builtin/tests.sql")),
    ("macros/text.sql", include_str!("builtin/text.sql")),
    ("macros/times.sql", include_str!("builtin/times.sql")),
    ("macros/types.sql", include_str!("builtin/types.sql")),
];

/// The name of the common table expression that stands for an ephemeral model.
pub fn ephemeral_name(model: &str) -> String {
    format!("__dbt__cte__{model}")
}
