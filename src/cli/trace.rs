//! Where the time of a command goes: stage by stage, and within stages file by file, node by node and statement by statement.
//! `--profile-compile` asks for it, or `ACCA_TRACE=1`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::text::{clip, pad_left, pad_right, printable, thousands};

/// How many of the slowest pieces of a kind are named.
const NAMED: usize = 3;
/// Names are cut to this: statements may be long.
const WIDEST_NAME: usize = 72;

/// The kind of work that the engine does for a run, beside which all other time is acca's own.
pub(super) const ENGINE: &str = "calls of the engine";

/// What is known of the time that a command takes.
#[derive(Debug)]
pub(super) struct Trace {
    began: Instant,
    /// When each stage ended.
    ends: Mutex<Vec<(&'static str, Instant)>>,
    works: Mutex<BTreeMap<&'static str, Work>>,
}

/// All pieces of one kind of work, on whatever thread.
#[derive(Clone, Debug, Default, PartialEq)]
struct Work {
    count: u64,
    sum: Duration,
    /// The slowest, in descending order.
    slowest: Vec<(Duration, String)>,
}

/// Counts as one piece of work until it is dropped.
pub(super) struct Piece {
    trace: Arc<Trace>,
    work: &'static str,
    name: String,
    began: Instant,
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.trace.add(self.work, &self.name, self.began.elapsed());
    }
}

impl Default for Trace {
    fn default() -> Trace {
        Trace { began: Instant::now(), ends: Mutex::default(), works: Mutex::default() }
    }
}

fn locked<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trace {
    pub(super) fn reached(&self, stage: &'static str) {
        locked(&self.ends).push((stage, Instant::now()));
    }

    pub(super) fn begin(self: &Arc<Trace>, work: &'static str, name: &str) -> Piece {
        Piece { trace: self.clone(), work, name: name.to_owned(), began: Instant::now() }
    }

    pub(super) fn add(&self, work: &'static str, name: &str, took: Duration) {
        let mut works = locked(&self.works);
        let work = works.entry(work).or_default();
        work.count += 1;
        work.sum += took;
        let place = work.slowest.partition_point(|(slower, _)| *slower >= took);
        if place < NAMED {
            work.slowest.insert(place, (took, name.to_owned()));
            work.slowest.truncate(NAMED);
        }
    }

    /// What each stage took, in the order in which they ended; one that ended several times counts with the sum.
    fn stages(&self) -> Vec<(&'static str, Duration)> {
        let mut stages: Vec<(&'static str, Duration)> = Vec::new();
        let mut last = self.began;
        for (stage, end) in locked(&self.ends).iter() {
            let took = end.saturating_duration_since(last);
            last = *end;
            match stages.iter_mut().find(|(name, _)| name == stage) {
                Some((_, sum)) => *sum += took,
                None => stages.push((stage, took)),
            }
        }
        stages
    }

    /// The stages, then what was done in them by many threads.
    pub(super) fn table(&self) -> String {
        let whole = self.began.elapsed();
        let mut text = draw_stages(&self.stages(), whole);
        let works = locked(&self.works);
        if !works.is_empty() {
            text.push_str("\n\n");
            text.push_str(&draw_works(&works, whole));
        }
        text
    }
}

/// A line a stage, with milliseconds and its share of the whole.
fn draw_stages(stages: &[(&'static str, Duration)], whole: Duration) -> String {
    let traced: Duration = stages.iter().map(|(_, took)| *took).sum();
    let rest = [("everything else", whole.saturating_sub(traced)), ("in all", whole)];
    let line = |(stage, took): &(&str, Duration)| {
        format!("{}{} ms{}", pad_right(stage, 24), pad_left(&milliseconds(*took), 10), pad_left(&share(*took, whole), 7))
    };
    stages.iter().chain(&rest).map(line).collect::<Vec<_>>().join("\n")
}

/// A line a kind of work, with the number of pieces, the sum over all threads, and the slowest pieces beneath.
fn draw_works(works: &BTreeMap<&'static str, Work>, whole: Duration) -> String {
    let mut lines = Vec::new();
    for (name, work) in works {
        lines.push(format!("{}{} ms  in {}", pad_right(name, 24), pad_left(&milliseconds(work.sum), 10), thousands(work.count)));
        let slow = |(took, name): &(Duration, String)| {
            let name = name.trim_start().lines().next().unwrap_or_default();
            format!("  {} ms  {}", pad_left(&milliseconds(*took), 10), clip(&printable(name), WIDEST_NAME))
        };
        lines.extend(work.slowest.iter().map(slow));
    }
    if let Some(engine) = works.get(ENGINE) {
        let own = whole.saturating_sub(engine.sum);
        lines.push(format!(
            "beside the engine, had one worker done all of it: {} ms of {} ms ({})",
            milliseconds(own),
            milliseconds(whole),
            share(own, whole)
        ));
    }
    lines.join("\n")
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn share(part: Duration, whole: Duration) -> String {
    format!("{:.0} %", 100.0 * part.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE))
}

/// Whether the environment asks for the table.
pub(super) fn wanted() -> bool {
    std::env::var("ACCA_TRACE").is_ok_and(|value| !matches!(value.to_lowercase().as_str(), "" | "0" | "false" | "no" | "off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_add_up_and_the_rest_is_told() {
        let stages = [("yaml", Duration::from_micros(1500)), ("templates", Duration::from_millis(6))];
        let expected = "yaml                           1.5 ms   15 %\n\
                        templates                      6.0 ms   60 %\n\
                        everything else                2.5 ms   25 %\n\
                        in all                        10.0 ms  100 %";
        assert_eq!(draw_stages(&stages, Duration::from_millis(10)), expected);
    }

    #[test]
    fn a_stage_that_ends_twice_counts_once_with_the_sum() {
        let trace = Trace::default();
        for stage in ["yaml", "link", "yaml"] {
            trace.reached(stage);
        }
        assert_eq!(trace.stages().iter().map(|(stage, _)| *stage).collect::<Vec<_>>(), ["yaml", "link"]);
    }

    #[test]
    fn pieces_are_counted_and_the_slowest_named() {
        let trace = Trace::default();
        for (name, took) in [("a", 1), ("b\n", 5), ("c", 3), ("d", 4)] {
            trace.add(ENGINE, name, Duration::from_millis(took));
        }
        let expected = "calls of the engine           13.0 ms  in 4\n\
                        \x20        5.0 ms  b\n\
                        \x20        4.0 ms  d\n\
                        \x20        3.0 ms  c\n\
                        beside the engine, had one worker done all of it: 7.0 ms of 20.0 ms (35 %)";
        assert_eq!(draw_works(&locked(&trace.works), Duration::from_millis(20)), expected);
    }
}
