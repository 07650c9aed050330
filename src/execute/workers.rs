//! The threads of a run.

/// Runs the same work on so many threads, which are numbered from 1, and returns when all have ended.
pub(super) fn in_parallel(threads: usize, work: impl Fn(usize) + Sync) {
    let work = &work;
    std::thread::scope(|scope| {
        for thread in 1..=threads {
            // Templates call each other deeply: give them room.
            let worker = std::thread::Builder::new().name(format!("acca-worker-{thread}")).stack_size(32 << 20);
            if worker.spawn_scoped(scope, move || work(thread)).is_err() && thread == 1 {
                work(thread);
            }
        }
    });
}
