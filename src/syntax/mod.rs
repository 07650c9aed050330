//! Floor 2: SQL text, on `sqlparser` and a scanner. Never sees a template.

mod dialect;
mod marks;
mod query;
mod respelling;
mod statement;
mod tokens;

pub use marks::{MARK_PREFIX, Mark, mark_of, marked_expression, parse_marked};
pub use query::{Lines, Unread, double_equals, parse_query, try_parse_exact, try_parse_query, without_texts};
pub use respelling::{AddedColumn, FIELDS, ROWS_FROM, UNNAMED, added_columns, using_alias};
pub use statement::{CteInsertion, Shape, before_semicolon, cte_insertion, is_single_query, past_comments, shape};
