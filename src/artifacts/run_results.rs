//! `run_results.json`, version 6.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::Metadata;
use crate::base::{Window, utc_stamp};
use crate::plan::{BatchResults, NodeResult, RunResult};
use crate::project::Manifest;

/// Writes what came of a run as dbt writes it, ascending by node. `arguments` are those of the command line; secrets must not be
/// among them. Entries are made one at a time: with the SQL of many thousand nodes they are larger than the project.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_run_results(
    run: &RunResult,
    manifest: &Manifest,
    arguments: Map<String, Value>,
    metadata: &Metadata,
    out: &mut dyn Write,
) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        metadata: Value,
        results: Results<'a>,
        elapsed_time: f64,
        args: Map<String, Value>,
    }
    let mut results: Vec<&NodeResult> = run.nodes.iter().collect();
    results.sort_by(|a, b| a.id.cmp(&b.id));
    let metadata = metadata.describe("run-results/v6");
    let document = Document { metadata, results: Results(&results, manifest), elapsed_time: run.elapsed, args: arguments };
    Ok(serde_json::to_writer(out, &document)?)
}

struct Results<'a>(&'a [&'a NodeResult], &'a Manifest);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|result| entry(result, self.1)))
    }
}

fn batch_results(batches: &BatchResults) -> Value {
    let listed =
        |windows: &[Window]| windows.iter().map(|window| json!([utc_stamp(window.start), utc_stamp(window.end)])).collect::<Value>();
    json!({"successful": listed(&batches.successful), "failed": listed(&batches.failed)})
}

fn entry(result: &NodeResult, manifest: &Manifest) -> Value {
    let node = manifest.node(&result.id);
    let relation = node.filter(|node| !node.is_ephemeral()).and_then(|node| node.relation.as_ref());
    let mut response = Map::new();
    if let Some(rows) = result.rows_affected {
        response.insert("_message".to_owned(), json!(result.message));
        response.insert("rows_affected".to_owned(), json!(rows));
    }
    let timing = if result.started_at == result.completed_at {
        json!([])
    } else {
        json!([{"name": "execute", "started_at": result.started_at, "completed_at": result.completed_at}])
    };
    json!({
        "status": result.status_word(),
        "timing": timing,
        "thread_id": if result.thread == 0 { "MainThread".to_owned() } else { format!("Thread-{}", result.thread) },
        "execution_time": result.execution_time,
        "adapter_response": response,
        "message": result.message,
        "failures": result.failures,
        "unique_id": &*result.id,
        "compiled": result.compiled_sql.is_some(),
        "compiled_code": result.compiled_sql.as_deref(),
        "relation_name": relation.map(crate::base::Relation::quoted),
        "batch_results": result.batches.as_ref().map(batch_results),
    })
}
