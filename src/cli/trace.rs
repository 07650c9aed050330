//! Where the time of a command goes, stage by stage: `ACCA_TRACE=1`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::text::{pad_left, pad_right};

/// When each stage ended.
#[derive(Debug)]
pub(super) struct Trace {
    began: Instant,
    ends: Mutex<Vec<(&'static str, Instant)>>,
}

impl Default for Trace {
    fn default() -> Trace {
        Trace { began: Instant::now(), ends: Mutex::default() }
    }
}

impl Trace {
    pub(super) fn reached(&self, stage: &'static str) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).push((stage, Instant::now()));
    }

    /// What each stage took, in the order in which they ended; one that ended several times counts with the sum.
    pub(super) fn stages(&self) -> Vec<(&'static str, Duration)> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stages: Vec<(&'static str, Duration)> = Vec::new();
        let mut last = self.began;
        for (stage, end) in ends.iter() {
            let took = end.saturating_duration_since(last);
            last = *end;
            match stages.iter_mut().find(|(name, _)| name == stage) {
                Some((_, sum)) => *sum += took,
                None => stages.push((stage, took)),
            }
        }
        stages
    }

    /// A line a stage, with milliseconds and its share of the whole.
    pub(super) fn table(&self) -> String {
        draw(&self.stages(), self.began.elapsed())
    }
}

fn draw(stages: &[(&'static str, Duration)], whole: Duration) -> String {
    let traced: Duration = stages.iter().map(|(_, took)| *took).sum();
    let rest = [("everything else", whole.saturating_sub(traced)), ("in all", whole)];
    let line = |(stage, took): &(&str, Duration)| {
        let share = 100.0 * took.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
        let milliseconds = format!("{:.1}", took.as_secs_f64() * 1e3);
        format!("{}{} ms{}", pad_right(stage, 24), pad_left(&milliseconds, 10), pad_left(&format!("{share:.0} %"), 7))
    };
    stages.iter().chain(&rest).map(line).collect::<Vec<_>>().join("\n")
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
        assert_eq!(draw(&stages, Duration::from_millis(10)), expected);
    }

    #[test]
    fn a_stage_that_ends_twice_counts_once_with_the_sum() {
        let trace = Trace::default();
        for stage in ["yaml", "link", "yaml"] {
            trace.reached(stage);
        }
        assert_eq!(trace.stages().iter().map(|(stage, _)| *stage).collect::<Vec<_>>(), ["yaml", "link"]);
    }
}
