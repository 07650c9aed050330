//! Shows a run while it goes on: a line for each finished node and, on a terminal, what runs now.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::arguments::{LogFormat, LogLevel};
use super::log::Log;
use super::node_line::{Layout, Place, display_name, finished, kind, status_text};
use super::style::{self, paint};
use super::terminal::Terminal;
use super::text::{clip, clip_middle, counted, pad_left, pad_right, seconds, width};
use crate::base::{Sources, UniqueId};
use crate::execute::{Event, Reporter};
use crate::plan::{NodeResult, Status};
use crate::project::{Detail, Node};

/// How often the live lines are drawn anew.
const FRAME: Duration = Duration::from_millis(120);
/// The most nodes that are shown at once.
const MOST_RUNNING: usize = 8;
const DOTS: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const BARS: [&str; 4] = ["|", "/", "-", "\\"];

pub(super) struct Progress<'a> {
    log: &'a Log<'a>,
    sources: &'a Sources,
    /// Where the run goes: `on dev (duckdb)`.
    place: String,
    state: Mutex<State>,
    over: AtomicBool,
    unicode: bool,
}

struct State {
    began: Instant,
    layout: Layout,
    running: Vec<Running>,
    finished: usize,
    failed: usize,
    frame: usize,
}

struct Running {
    id: UniqueId,
    /// The target, of a run on several.
    target: Option<String>,
    kind: String,
    name: String,
    since: Instant,
}

impl<'a> Progress<'a> {
    pub(super) fn new(log: &'a Log<'a>, place: String, sources: &'a Sources) -> Progress<'a> {
        let layout = Layout::new(&[], None);
        let state = State { began: Instant::now(), layout, running: Vec::new(), finished: 0, failed: 0, frame: 0 };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let unicode = locale.is_some_and(|locale| locale.to_lowercase().replace('-', "").contains("utf8"));
        Progress { log, sources, place, state: Mutex::new(state), over: AtomicBool::new(false), unicode }
    }

    /// Runs the work with the live lines on the screen.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        if !self.is_live() {
            return work();
        }
        std::thread::scope(|scope| {
            let ticker = scope.spawn(|| {
                while !self.over.load(Ordering::SeqCst) {
                    std::thread::park_timeout(FRAME);
                    self.tick();
                }
            });
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            self.over.store(true, Ordering::SeqCst);
            ticker.thread().unpark();
            let _ = ticker.join();
            self.log.terminal.set_live(Vec::new());
            match done {
                Ok(value) => value,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    fn is_live(&self) -> bool {
        self.log.terminal.is_live() && self.log.shows(LogLevel::Info) && self.log.format == LogFormat::Text
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let lines = {
            let mut state = self.lock();
            state.frame += 1;
            self.live_lines(&state)
        };
        self.log.terminal.set_live(lines);
    }

    fn live_lines(&self, state: &State) -> Vec<String> {
        if self.over.load(Ordering::SeqCst) || state.layout.total == 0 {
            return Vec::new();
        }
        let frames: &[&str] = if self.unicode { &DOTS } else { &BARS };
        let spinner = frames.get(state.frame % frames.len()).copied().unwrap_or("*");
        live_lines(state, spinner, self.log.terminal)
    }

    fn planned(&self, nodes: &[&Node], threads: usize, place: &str) {
        let layout = Layout::new(nodes, self.log.terminal.width());
        let mut state = self.lock();
        // Several runs share the screen.
        state.layout = state.layout.and(layout);
        drop(state);
        let text = format!("{} {place}, {}", planned(nodes), counted(threads, "thread"));
        self.log.line("RunPlanned", &paint(style::BOLD, &text), json!({"total": nodes.len(), "threads": threads}));
    }

    fn started(&self, node: &Node, on: Option<&OnSide<'_, '_>>) {
        let target = on.map(|on| on.target.clone());
        let sources = on.map_or(self.sources, |on| on.sources);
        let running = Running { id: node.id.clone(), target, kind: kind(node), name: display_name(node), since: Instant::now() };
        self.lock().running.push(running);
        if self.log.is_json() || self.log.file.is_some() {
            let text = format!("started {} {}", kind(node), display_name(node));
            self.log.detail_or_event("NodeStart", &text, || json!({"node_info": info(node, "started", sources, on)}));
        }
    }

    fn finished(&self, node: &Node, result: &NodeResult, on: Option<&OnSide<'_, '_>>) {
        let place = on.map(|on| on.place(node));
        let line = {
            let mut state = self.lock();
            let target = place.map(|place| place.target);
            state.running.retain(|running| running.id != node.id || running.target.as_deref() != target);
            state.finished += 1;
            state.failed += usize::from(result.status.is_failure());
            // A terminal may have been made wider or narrower.
            state.layout.width = self.log.terminal.width();
            finished(node, result, state.finished, &state.layout, place.as_ref())
        };
        if !self.log.is_json() {
            return self.log.line("NodeFinished", &line, Value::Null);
        }
        let level = match result.status {
            Status::Fail | Status::Error => LogLevel::Error,
            Status::Warn => LogLevel::Warn,
            Status::Success | Status::Pass | Status::Skipped => LogLevel::Info,
        };
        let text = format!("{} {}", status_text(result), display_name(node));
        self.log.event(level, "NodeFinished", &text, finished_data(node, result, on.map_or(self.sources, |on| on.sources), on));
    }
}

impl Progress<'_> {
    fn tell(&self, event: &Event<'_>, on: Option<&OnSide<'_, '_>>) {
        match event {
            Event::Planned { nodes, threads } => self.planned(nodes, *threads, on.map_or(&self.place, |on| &on.planned)),
            Event::Started { node, .. } => self.started(node, on),
            Event::Finished { node, result, .. } => self.finished(node, result, on),
            Event::Abandoned { count, why } => {
                self.lock().finished += count;
                let text = format!("SKIP {}: {why}", counted(*count, "node"));
                self.log.line("NodesSkipped", &paint(style::DIM, &text), json!({"count": count, "reason": why}));
            }
            Event::Said { message, .. } => self.log.said(message, false),
        }
    }
}

impl Reporter for Progress<'_> {
    fn report(&self, event: &Event<'_>) {
        self.tell(event, None);
    }
}

/// Hears of the run on one of several targets.
pub(super) struct OnSide<'p, 'a> {
    pub(super) progress: &'p Progress<'a>,
    pub(super) sources: &'p Sources,
    pub(super) target: String,
    /// `on dev (duckdb)`.
    pub(super) planned: String,
    /// The target from which a node comes, by id.
    pub(super) from: BTreeMap<UniqueId, String>,
}

impl OnSide<'_, '_> {
    fn place(&self, node: &Node) -> Place<'_> {
        Place { target: &self.target, from: self.from.get(&node.id).map(String::as_str) }
    }
}

impl Reporter for OnSide<'_, '_> {
    fn report(&self, event: &Event<'_>) {
        self.progress.tell(event, Some(self));
    }
}

/// dbt's description of a node in events.
fn info(node: &Node, status: &str, sources: &Sources, on: Option<&OnSide<'_, '_>>) -> Value {
    let relation = node.relation.as_ref().map(|relation| {
        json!({
            "database": &*relation.database, "schema": &*relation.schema, "alias": &*relation.identifier, "relation_name": relation.quoted(),
        })
    });
    let mut info = json!({
        "unique_id": &*node.id,
        "node_name": node.name,
        "resource_type": node.resource.as_str(),
        "materialized": node.materialized(),
        "node_path": sources.path(node.origin.file),
        "node_relation": relation,
        "node_status": status,
        "node_started_at": "",
        "node_finished_at": "",
        "meta": node.config.get("meta").cloned().unwrap_or_else(|| json!({})),
    });
    if let (Some(on), Some(entries)) = (on, info.as_object_mut()) {
        let place = on.place(node);
        entries.insert("target".to_owned(), json!(place.target));
        entries.insert("transferred_from".to_owned(), json!(place.from));
    }
    info
}

fn finished_data(node: &Node, result: &NodeResult, sources: &Sources, on: Option<&OnSide<'_, '_>>) -> Value {
    let mut node_info = info(node, result.status.as_str(), sources, on);
    if let Some(entries) = node_info.as_object_mut() {
        entries.insert("node_started_at".to_owned(), json!(result.started_at));
        entries.insert("node_finished_at".to_owned(), json!(result.completed_at));
    }
    json!({
        "node_info": node_info,
        "run_result": {
            "status": result.status.as_str(), "message": result.message, "execution_time": result.execution_time,
            "failures": result.failures, "rows_affected": result.rows_affected, "thread": format!("Thread-{}", result.thread),
        },
    })
}

/// `Running 3 loads, 12 models, 30 tests`.
fn planned(nodes: &[&Node]) -> String {
    let noun = |node: &Node| match node.detail {
        Detail::Source(_) => "load",
        Detail::Seed { .. } => "seed",
        Detail::Snapshot { .. } => "snapshot",
        Detail::SingularTest | Detail::GenericTest(_) => "test",
        Detail::UnitTest(_) => "unit test",
        Detail::Model(_) | Detail::Analysis | Detail::Exposure(_) | Detail::Operation => "model",
    };
    let parts = ["load", "seed", "snapshot", "model", "test", "unit test"]
        .map(|kind| (kind, nodes.iter().filter(|node| noun(node) == kind).count()));
    let parts: Vec<String> = parts.into_iter().filter(|(_, count)| *count > 0).map(|(kind, count)| counted(count, kind)).collect();
    format!("Running {}", parts.join(", "))
}

/// What runs now, the longest first, and how far the run is.
fn live_lines(state: &State, spinner: &str, terminal: &Terminal) -> Vec<String> {
    let columns = terminal.width().unwrap_or(80).saturating_sub(1);
    let rows = MOST_RUNNING.min(terminal.height().saturating_sub(3));
    let hidden = state.running.len().saturating_sub(rows);
    let mut lines: Vec<String> =
        state.running.iter().take(rows).map(|running| running_line(running, spinner, columns)).filter(|line| !line.is_empty()).collect();
    let mut status = format!("{}/{} done", state.finished, state.layout.total);
    if hidden > 0 {
        status.push_str(&format!(", {hidden} more running"));
    }
    if state.failed > 0 {
        status.push_str(&format!(", {} failed", state.failed));
    }
    status.push_str(&format!(", {}", seconds(state.began.elapsed().as_secs_f64())));
    lines.push(paint(style::DIM, &clip(&status, columns)));
    lines
}

fn running_line(running: &Running, spinner: &str, columns: usize) -> String {
    let time = pad_left(&seconds(running.since.elapsed().as_secs_f64()), 7);
    let before = format!("{spinner} {} ", pad_right(&running.kind, 11));
    let room = columns.saturating_sub(width(&before) + width(&time) + 1);
    if room < 8 {
        return format!("{spinner} {}", clip_middle(&running.name, columns.saturating_sub(width(spinner) + 1)));
    }
    let name = pad_right(&clip_middle(&running.name, room), room.min(48));
    format!("{before}{name} {}", paint(style::DIM, &time))
}
