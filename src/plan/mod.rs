//! Floor 5: what is to be done, as typed steps, and what came of it.

mod materialize;
mod result;
mod seed;
pub mod select;
mod steps;

pub use materialize::{Hook, Hooks, PlanInput, SNAPSHOT_COLUMNS, plan_load, plan_node, staged};
pub use result::{NodeResult, RunResult, Status};
pub use seed::plan_seed;
pub use steps::{
    Attachments, ColumnDefinition, Dependent, Existing, Merge, NodePlan, Publish, SnapshotSpec, SnapshotStrategy, Step, TableName,
    retired_prefix, suffixed,
};
