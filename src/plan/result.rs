//! What came of the nodes of a run: the last of the nouns that data goes through.

use std::sync::Arc;

use serde::Serialize;

use crate::base::{Table, UniqueId, Window};
use crate::diag::Diagnostic;

/// dbt's statuses, spelled as in `run_results.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Built or loaded.
    Success,
    /// Failed with an error of the engine or of a template.
    Error,
    /// Not begun because something above it failed, or because the run was stopped.
    Skipped,
    /// A test that found nothing.
    Pass,
    /// A test that found rows, severity error.
    Fail,
    /// A test that found rows, severity warning.
    Warn,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Success => "success",
            Status::Error => "error",
            Status::Skipped => "skipped",
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::Warn => "warn",
        }
    }

    /// Whether the run has failed with it (exit code 1).
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Error | Status::Fail)
    }
}

/// How the message of a node begins that was under way when the run was stopped. Its status is dbt's for what was not carried out.
pub const STOPPED: &str = "stopped; ";

/// What came of one node.
#[derive(Clone, Debug)]
pub struct NodeResult {
    pub id: UniqueId,
    pub status: Status,
    /// One line for people: `SELECT 120`, `Got 3 results, configured to fail if != 0`, the engine's error.
    pub message: String,
    /// Failing rows of a test.
    pub failures: Option<u64>,
    pub rows_affected: Option<u64>,
    /// RFC 3339, UTC, with microseconds. Equal to `completed_at` for what was skipped.
    pub started_at: String,
    pub completed_at: String,
    /// Seconds.
    pub execution_time: f64,
    /// Number of the worker, from 1.
    pub thread: usize,
    pub compiled_sql: Option<Arc<str>>,
    /// Where the compiled SQL was written, relative to the project's root.
    pub compiled_path: Option<String>,
    /// Errors with their places.
    pub diagnostics: Vec<Diagnostic>,
    /// The first rows that a test found.
    pub sample: Option<Table>,
    /// Of a model that is built in batches of time.
    pub batches: Option<BatchResults>,
}

/// Which batches of a model were built, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchResults {
    pub successful: Vec<Window>,
    pub failed: Vec<Window>,
}

impl NodeResult {
    /// Whether it was under way when the run was stopped.
    pub fn was_stopped(&self) -> bool {
        self.status == Status::Skipped && self.message.starts_with(STOPPED)
    }

    /// dbt's word for what came of it: a model of which some batches were built has a status of its own.
    pub fn status_word(&self) -> &'static str {
        let partly = self.batches.as_ref().is_some_and(|batches| !batches.successful.is_empty());
        if partly && self.status == Status::Error { "partial success" } else { self.status.as_str() }
    }

    /// Of a node for which nothing was sent. `at` is RFC 3339, UTC, with microseconds.
    pub fn without_work(id: UniqueId, status: Status, message: String, at: String) -> NodeResult {
        NodeResult {
            id,
            status,
            message,
            failures: None,
            rows_affected: None,
            started_at: at.clone(),
            completed_at: at,
            execution_time: 0.0,
            thread: 0,
            compiled_sql: None,
            compiled_path: None,
            diagnostics: Vec::new(),
            sample: None,
            batches: None,
        }
    }
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub struct RunResult {
    /// In the order in which the nodes finished.
    pub nodes: Vec<NodeResult>,
    /// Ctrl-C ended it.
    pub interrupted: bool,
    /// Things that happened outside of nodes (hooks, clean-up).
    pub diagnostics: Vec<Diagnostic>,
    /// Seconds.
    pub elapsed: f64,
}

impl RunResult {
    pub fn count(&self, status: Status) -> usize {
        self.nodes.iter().filter(|node| node.status == status).count()
    }

    pub fn failed(&self) -> bool {
        self.nodes.iter().any(|node| node.status.is_failure())
            || self.diagnostics.iter().any(|problem| problem.severity == crate::diag::Severity::Error)
    }
}
