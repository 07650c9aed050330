//! How long nodes took the last time they ran, for the order of the next run: `timings.json`, acca's own file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::plan::{RunResult, Status};

/// Seconds by node.
pub type Timings = BTreeMap<String, f64>;

/// Reads `timings.json`, or the results of a run where there is none. What cannot be read tells nothing: it is only for speed.
pub fn read_timings(timings: Option<Vec<u8>>, run_results: impl FnOnce() -> Option<Vec<u8>>) -> Timings {
    let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).ok();
    if let Some(Value::Object(held)) = timings.and_then(parse).as_mut().and_then(|document| document.get_mut("seconds")).map(Value::take) {
        return held.into_iter().filter_map(|(id, seconds)| Some((id, seconds.as_f64()?))).collect();
    }
    let Some(results) = run_results().and_then(parse) else { return Timings::new() };
    let entry = |result: &Value| {
        let done = matches!(result.get("status")?.as_str()?, "success" | "pass" | "warn" | "fail");
        done.then_some((result.get("unique_id")?.as_str()?.to_owned(), result.get("execution_time")?.as_f64()?))
    };
    results.get("results").and_then(Value::as_array).into_iter().flatten().filter_map(entry).collect()
}

/// The timings with those of a run in place of older ones. What failed, was skipped or was only compiled says nothing of how long it
/// takes.
pub fn updated_timings(mut timings: Timings, run: &RunResult) -> Value {
    for node in run.nodes.iter().filter(|node| node.thread > 0 && !matches!(node.status, Status::Error | Status::Skipped)) {
        timings.insert(node.id.to_string(), (node.execution_time * 1e6).round() / 1e6);
    }
    json!({"seconds": timings})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::NodeResult;

    #[test]
    fn times_come_from_their_file_or_from_the_last_results() {
        let results = br#"{"results": [{"status": "success", "unique_id": "model.a", "execution_time": 2.5},
            {"status": "error", "unique_id": "model.b", "execution_time": 9}, {"status": "skipped"}, 3]}"#;
        let read =
            |timings: Option<&[u8]>, results: Option<&[u8]>| read_timings(timings.map(<[u8]>::to_vec), || results.map(<[u8]>::to_vec));
        assert_eq!(read(None, Some(results)), Timings::from([("model.a".to_owned(), 2.5)]));
        assert_eq!(
            read(Some(br#"{"seconds": {"model.c": 1, "model.d": null}}"#), Some(results)),
            Timings::from([("model.c".to_owned(), 1.0)])
        );
        assert!(read(Some(b"{"), Some(b"[]")).is_empty() && read(None, None).is_empty());
        let done = |id: &str| NodeResult::without_work(id.into(), Status::Success, String::new(), String::new());
        let nodes = vec![done("model.compiled"), NodeResult { thread: 1, execution_time: 0.5, ..done("model.run") }];
        let run = RunResult { nodes, ..RunResult::default() };
        let kept = updated_timings(Timings::from([("model.old".to_owned(), 3.0), ("model.compiled".to_owned(), 4.0)]), &run);
        assert_eq!(kept, json!({"seconds": {"model.compiled": 4.0, "model.old": 3.0, "model.run": 0.5}}));
    }
}
