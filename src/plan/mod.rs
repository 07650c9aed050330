//! Floor 5: what is to be done, as typed steps, and what came of it.

mod result;

pub use result::{NodeResult, RunResult, Status};
