//! Floor 2: SQL text and its tokens, on `sqlparser`. Never sees a template.

mod tokens;

pub use tokens::{CteInsertion, cte_insertion, is_single_query};
