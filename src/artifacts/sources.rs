//! `sources.json`, version 3.

use serde_json::{Value, json};

use super::Metadata;
use crate::plan::{FreshnessResult, Status};

/// What came of `source freshness` as dbt writes it. A source that could not be asked is listed with its error.
pub fn sources(results: &[FreshnessResult], elapsed: f64, metadata: &Metadata) -> Value {
    json!({
        "metadata": metadata.describe("sources/v3"),
        "results": results.iter().filter_map(entry).collect::<Vec<_>>(),
        "elapsed_time": elapsed,
    })
}

fn entry(result: &FreshnessResult) -> Option<Value> {
    let status = match result.status {
        Status::Pass | Status::Success => "pass",
        Status::Warn => "warn",
        Status::Fail | Status::Error => "error",
        Status::Skipped => return None,
    };
    let Some(age) = &result.age else {
        let error = result.diagnostic.as_ref().map(|problem| problem.message.as_str());
        return Some(json!({"unique_id": &*result.id, "error": error, "status": "runtime error"}));
    };
    Some(json!({
        "unique_id": &*result.id,
        "max_loaded_at": age.max_loaded_at,
        "snapshotted_at": age.snapshotted_at,
        "max_loaded_at_time_ago_in_s": age.seconds,
        "status": status,
        "criteria": result.freshness.criteria(),
        "adapter_response": {},
        "timing": [{"name": "execute", "started_at": result.started_at, "completed_at": result.completed_at}],
        "thread_id": format!("Thread-{}", result.thread),
        "execution_time": result.execution_time,
    }))
}
