//! Inputs at random: so many in a plain run, or as many as fit into `ACCA_FUZZ_SECONDS` (see `scripts/fuzz`).
//!
//! Every input is made of a seed and of its turn, and a failure names both: `RANDOM_SEED=7 RANDOM_TURN=41` tries that one again. A plain run
//! has the seed 1; one by the clock begins with another each time, and ends the process when an input hangs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;

/// Inputs between two looks at the clock.
const BATCH: usize = 400;
/// What takes so long will not end.
const HANGS: Duration = Duration::from_secs(300);

/// What came of one input.
pub struct Attempt {
    /// What is wrong with the answer, and the input.
    pub problem: Option<String>,
    /// Whether the input was understood.
    pub understood: bool,
}

/// What came of all.
#[derive(Debug, Default)]
pub struct Search {
    pub done: usize,
    pub understood: usize,
    pub failures: Vec<String>,
}

pub fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

/// How long an input may take: beside other work, at the lowest priority, everything takes many times as long.
pub fn patience(alone: Duration) -> Duration {
    if number("ACCA_FUZZ_SECONDS").is_some() { alone * 12 } else { alone }
}

/// Tries `turns` inputs, or as many as there is time for.
pub fn search(target: &str, turns: usize, attempt: &(dyn Fn(&mut StdRng, usize) -> Attempt + Sync)) -> Search {
    let limit = number("ACCA_FUZZ_SECONDS").map(|seconds| Duration::from_secs(seconds as u64));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs() as usize);
    let seed = number("RANDOM_SEED").unwrap_or(if limit.is_some() { now } else { 1 });
    let running: Mutex<BTreeMap<usize, Instant>> = Mutex::default();
    let one = |turn: usize| {
        running.lock().unwrap().insert(turn, Instant::now());
        let once = || attempt(&mut StdRng::seed_from_u64((seed as u64) << 32 | turn as u64), turn);
        // What was only slow, since the machine had other things to do, is not so twice.
        let first = once();
        let result = if first.problem.is_some() { once() } else { first };
        running.lock().unwrap().remove(&turn);
        let problem = result.problem.map(|problem| format!("{target}: RANDOM_SEED={seed} RANDOM_TURN={turn} {problem}"));
        Attempt { problem, ..result }
    };
    let mut found = Search::default();
    let mut batch = |turns: std::ops::Range<usize>| {
        let results: Vec<Attempt> = turns.into_par_iter().map(one).collect();
        found.done += results.len();
        found.understood += results.iter().filter(|result| result.understood).count();
        found.failures.extend(results.into_iter().filter_map(|result| result.problem));
        (found.done, found.failures.clone())
    };
    match (number("RANDOM_TURN"), limit) {
        (Some(turn), _) => _ = batch(turn..turn + 1),
        (None, None) => _ = batch(0..turns),
        (None, Some(limit)) => {
            let ended = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| watch(target, seed, &running, &ended));
                by_the_clock(target, seed, limit, &mut batch);
                ended.store(true, Ordering::Relaxed);
            });
        }
    }
    found
}

fn by_the_clock(target: &str, seed: usize, limit: Duration, batch: &mut dyn FnMut(std::ops::Range<usize>) -> (usize, Vec<String>)) {
    let (began, mut told, mut next, mut printed) = (Instant::now(), Instant::now(), 0, 0);
    eprintln!("{target}: seed {seed}, for {} s", limit.as_secs());
    while began.elapsed() < limit {
        let (done, failures) = batch(next..next + BATCH);
        next += BATCH;
        failures.iter().skip(printed).for_each(|failure| eprintln!("{failure}\n"));
        printed = failures.len();
        if told.elapsed() > Duration::from_secs(60) || began.elapsed() >= limit {
            told = Instant::now();
            eprintln!("{target}: seed {seed}: {done} inputs in {} s, {printed} failures", began.elapsed().as_secs());
        }
    }
}

/// Ends the process when an input takes for ever: nothing else can be done about it.
fn watch(target: &str, seed: usize, running: &Mutex<BTreeMap<usize, Instant>>, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_secs(1));
        let hanging = running.lock().unwrap().iter().find(|(_, began)| began.elapsed() > HANGS).map(|(turn, _)| *turn);
        if let Some(turn) = hanging {
            eprintln!("{target}: RANDOM_SEED={seed} RANDOM_TURN={turn} hangs");
            std::process::exit(101);
        }
    }
}
