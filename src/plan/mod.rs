//! Floor 5: what is to be done, as typed steps, and what came of it.

mod alter;
mod arrival;
mod attributes;
mod choices;
mod contract;
mod freshness;
mod incremental;
mod key_advice;
mod materialize;
mod materialized_view;
mod node_meta;
mod partitions;
mod physical;
mod placement;
mod publication;
mod result;
mod seed;
pub mod select;
mod snapshot;
mod state;
mod steps;
mod timeout;
mod unload;

pub use alter::{AlterColumns, ColumnChanges};
pub use arrival::{Arrival, Newer, plan_arrival};
pub use choices::{check_choices, strategy_macro};
pub use contract::{Contract, ContractColumn};
pub use freshness::{Age, Freshness, FreshnessResult, age};
pub use incremental::{SchemaChange, predicates_key};
pub use key_advice::{advises, check_design, key_advice};
pub use materialize::{Hooks, PlanInput, failures_kept, needs_columns, plan_failures, plan_leading, plan_load, plan_node, staged};
pub use node_meta::check_meta;
pub use partitions::{CheckPartitions, MakePartitions, Seen, partitions_ahead};
pub use physical::{Distribution, Physical, Sort, StorageFeatures, encoding_of};
pub use placement::{Placed, Placement, check_serving, place};
pub use publication::{Attachments, Dependent, Managed, Publish, Reference, ReplaceView, Reserve, Setting, SettingKind, rebound};
pub use result::{BatchResults, NodeResult, RunResult, STOPPED, Status};
pub use seed::{SeedRules, misfit, plan_seed, seed_columns, seed_rows};
pub use snapshot::{DeletedRows, SNAPSHOT_MOMENT, SnapshotNames, SnapshotSpec, SnapshotStrategy};
pub use state::{State, StateBatches, StateFreshness, StateManifest, StateNode, StateResult, StateResults};
pub use steps::{
    BucketFiles, Comment, Counted, Existing, Hook, Index, LandingFiles, Merge, NodePlan, Privilege, SendRows, Step, TableName,
    retired_prefix, suffixed,
};
pub use timeout::{parse_timeout, timeout_of};
pub use unload::{ExistingFiles, UnloadFormat, Unloading, unload_place};
