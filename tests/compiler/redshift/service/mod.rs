//! The service through which Redshift is reached: its Data API, on a local port, with the imitation behind it.
//!
//! ```ignore
//! let service = DataApi::start();
//! // A client with `endpoint_url(service.endpoint())`, any region and any credentials.
//! service.trouble(Trouble::Conflict);             // what the next request or statement meets
//! service.imitation().execute("select 1")?;       // the same database, without the service
//! ```
//!
//! Requests and answers are those of the AWS JSON 1.1 protocol and of the service's model: operations `ExecuteStatement`,
//! `BatchExecuteStatement` (one transaction), `DescribeStatement`, `GetStatementResult` (pages), `CancelStatement` and `ListStatements`;
//! signatures are asked for and not reckoned. A statement is run by a thread of its own, and its state goes from SUBMITTED over
//! PICKED and STARTED to FINISHED, FAILED or ABORTED. Without a `SessionId` each has a connection of its own. What the product's
//! validator refuses fails before it runs; COPY and UNLOAD find the buckets of [`DataApi::imitation`].

mod answers;
mod running;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::running::{Job, Status};
use super::{Imitation, ImitationSession};

/// The service refuses longer statements, fact 200.
const STATEMENT_BYTES: usize = 100 * 1024;
/// Statements of one batch.
const BATCH: usize = 40;
/// Rows of one page of a result.
const PAGE: usize = 100;
/// An answer about a running statement waits so long for its end: short of it a client would sleep, and tests would mostly do that.
const ANSWER_WAITS: Duration = Duration::from_millis(200);
/// Requests that are answered at a time.
const SERVERS: usize = 16;

/// What the service does wrong on demand.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The next request is refused as one too many.
    Throttled,
    /// The next request meets a fault of the service.
    Internal,
    /// The next statement is refused since too many are active.
    TooManyActive,
    /// The next statement fails with a conflict of serializable transactions, error 1023.
    Conflict,
    /// The next statement fails with that text.
    Fails(String),
    /// The next statement that begins so, behind its comment, fails with that text.
    FailsAt(&'static str, String),
    /// The next statement takes that long before it begins.
    Slow(Duration),
    /// The next statement that begins so, behind its comment, takes that long before it begins.
    SlowAt(&'static str, Duration),
}

pub struct DataApi {
    state: Arc<State>,
    server: Arc<tiny_http::Server>,
    port: u16,
}

struct State {
    imitation: Imitation,
    submitted: AtomicUsize,
    queries: AtomicUsize,
    jobs: Mutex<BTreeMap<String, Job>>,
    /// Told whenever a statement ends.
    ended: Condvar,
    sessions: Mutex<BTreeMap<String, Arc<Mutex<ImitationSession>>>>,
    troubles: Mutex<VecDeque<Trouble>>,
    requests: Mutex<Vec<(String, Value)>>,
}

/// An error of the service: its name, what it says, and the status of HTTP.
struct Refusal {
    name: &'static str,
    message: String,
    http: u16,
}

impl Refusal {
    fn new(name: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { name, message: message.into(), http: if name == "InternalServerException" { 500 } else { 400 } }
    }

    fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new("ValidationException", message)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Whether a statement begins so behind its comment.
pub fn begins(sql: &str, beginning: &str) -> bool {
    let sql = sql.rsplit_once("*/").map_or(sql, |(_, rest)| rest).trim_start();
    sql.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning))
}

impl DataApi {
    pub fn start() -> DataApi {
        let server = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let port = server.server_addr().to_ip().unwrap().port();
        let state = Arc::new(State {
            imitation: Imitation::new(),
            submitted: AtomicUsize::new(0),
            queries: AtomicUsize::new(100),
            jobs: Mutex::default(),
            ended: Condvar::new(),
            sessions: Mutex::default(),
            troubles: Mutex::default(),
            requests: Mutex::default(),
        });
        for _ in 0..SERVERS {
            let (server, state) = (Arc::clone(&server), Arc::clone(&state));
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    serve(&state, request);
                }
            });
        }
        DataApi { state, server, port }
    }

    /// Where a client sends its requests.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The database behind the service.
    pub fn imitation(&self) -> &Imitation {
        &self.state.imitation
    }

    /// What the next request or statement of its kind meets, once; several wait in order.
    pub fn trouble(&self, trouble: Trouble) {
        locked(&self.state.troubles).push_back(trouble);
    }

    /// Operations that were asked for, with their bodies, in order.
    pub fn requests(&self) -> Vec<(String, Value)> {
        locked(&self.state.requests).clone()
    }
}

impl Drop for DataApi {
    fn drop(&mut self) {
        for _ in 0..SERVERS {
            self.server.unblock();
        }
    }
}

impl State {
    /// Takes the first trouble in line when it is of the kind that is asked for.
    fn meets(&self, kind: impl Fn(&Trouble) -> bool) -> Option<Trouble> {
        let mut troubles = locked(&self.troubles);
        if troubles.front().is_some_and(kind) { troubles.pop_front() } else { None }
    }

    /// How long a statement is to take.
    fn slowness(&self, sql: &str) -> Option<Duration> {
        let slow = |trouble: &Trouble| match trouble {
            Trouble::Slow(_) => true,
            Trouble::SlowAt(beginning, _) => begins(sql, beginning),
            _ => false,
        };
        match self.meets(slow) {
            Some(Trouble::Slow(time) | Trouble::SlowAt(_, time)) => Some(time),
            _ => None,
        }
    }
}

fn serve(state: &Arc<State>, mut request: tiny_http::Request) {
    let header = |name: &'static str| {
        let found = request.headers().iter().find(|header| header.field.equiv(name));
        found.map(|header| header.value.as_str().to_owned()).unwrap_or_default()
    };
    let (target, signed) = (header("X-Amz-Target"), !header("Authorization").is_empty());
    let mut body = String::new();
    let read = request.as_reader().read_to_string(&mut body);
    let answer = match read.map(|_| serde_json::from_str::<Value>(&body)) {
        Ok(Ok(body)) if signed => answer(state, target.strip_prefix("RedshiftData.").unwrap_or(""), &body),
        Ok(Ok(_)) => {
            Err(Refusal { name: "MissingAuthenticationTokenException", message: "Missing Authentication Token".to_owned(), http: 403 })
        }
        _ => Err(Refusal::new("SerializationException", "the body is no JSON")),
    };
    let (http, body, kind) = match answer {
        Ok(body) => (200, body, None),
        Err(refusal) => {
            let body = json!({ "__type": refusal.name, "Message": refusal.message, "message": refusal.message });
            (refusal.http, body, Some(refusal.name))
        }
    };
    let header = |name: &str, value: &str| tiny_http::Header::from_bytes(name.as_bytes(), value.as_bytes()).unwrap();
    let mut response = tiny_http::Response::from_string(body.to_string()).with_status_code(http);
    response.add_header(header("Content-Type", "application/x-amz-json-1.1"));
    response.add_header(header("x-amzn-RequestId", "00000000-0000-4000-8000-000000000000"));
    if let Some(kind) = kind {
        response.add_header(header("x-amzn-ErrorType", kind));
    }
    // A client that went away needs no answer.
    let _ = request.respond(response);
}

fn answer(state: &Arc<State>, operation: &str, body: &Value) -> Result<Value, Refusal> {
    locked(&state.requests).push((operation.to_owned(), body.clone()));
    match state.meets(|trouble| matches!(trouble, Trouble::Throttled | Trouble::Internal)) {
        Some(Trouble::Throttled) => return Err(Refusal::new("ThrottlingException", "Rate exceeded")),
        Some(_) => return Err(Refusal::new("InternalServerException", "The operation failed")),
        None => {}
    }
    match operation {
        "ExecuteStatement" => {
            let sql = text(body, "Sql").ok_or_else(|| missing("sql"))?;
            submit(state, vec![sql], false, body)
        }
        "BatchExecuteStatement" => {
            let sqls: Option<Vec<String>> =
                body["Sqls"].as_array().map(|sqls| sqls.iter().filter_map(|sql| sql.as_str().map(str::to_owned)).collect());
            let sqls = sqls.filter(|sqls| (1..=BATCH).contains(&sqls.len()));
            submit(state, sqls.ok_or_else(|| missing("sqls"))?, true, body)
        }
        "DescribeStatement" => with_ended_job(state, body, |job, sub| Ok(answers::description(job, sub))),
        "GetStatementResult" => with_job(state, body, |job, sub| answers::page(job, sub, text(body, "NextToken").as_deref())),
        "CancelStatement" => {
            let id = text(body, "Id").ok_or_else(|| missing("id"))?;
            running::cancel(state, &id)
        }
        "ListStatements" => Ok(answers::list(&locked(&state.jobs), body)),
        _ => Err(Refusal::new("UnknownOperationException", operation)),
    }
}

fn text(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().map(str::to_owned)
}

fn missing(name: &str) -> Refusal {
    Refusal::invalid(format!(
        "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null or of another length"
    ))
}

/// Takes statements in and starts their thread.
fn submit(state: &Arc<State>, sqls: Vec<String>, batch: bool, body: &Value) -> Result<Value, Refusal> {
    if sqls.iter().map(String::len).sum::<usize>() > STATEMENT_BYTES {
        return Err(Refusal::invalid("Statement text is too long: a request takes at most 100 KB"));
    }
    let reached = [text(body, "ClusterIdentifier"), text(body, "WorkgroupName"), text(body, "SessionId")];
    match reached.iter().flatten().count() {
        0 => return Err(Refusal::invalid("Either ClusterIdentifier or WorkgroupName must be specified")),
        1 => {}
        _ => return Err(Refusal::invalid("Only one of ClusterIdentifier, WorkgroupName and SessionId may be specified")),
    }
    if text(body, "SessionId").is_none() && text(body, "Database").is_none() {
        return Err(Refusal::invalid("Database must be specified"));
    }
    if state.meets(|trouble| matches!(trouble, Trouble::TooManyActive)).is_some() {
        return Err(Refusal::new("ActiveStatementsExceededException", "Active statements exceeded the allowed quota (500)."));
    }
    // Two requests at once are two statements.
    let id = format!("{:08x}-0000-4000-8000-000000000000", state.submitted.fetch_add(1, Ordering::Relaxed) + 1);
    let (session, session_id) = running::session_for(state, &id, body)?;
    let job = Job::new(&id, sqls, batch, body.clone(), session_id);
    let answer = answers::submission(&job);
    locked(&state.jobs).insert(id.clone(), job);
    let state = Arc::clone(state);
    std::thread::spawn(move || running::run(&state, &id, session));
    Ok(answer)
}

/// As [`with_job`], when the statement has ended, or has been waited for long enough.
fn with_ended_job(
    state: &State,
    body: &Value,
    use_it: impl FnOnce(&Job, Option<usize>) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let until = Instant::now() + ANSWER_WAITS;
    let id = text(body, "Id").unwrap_or_default();
    let whole = id.split(':').next().unwrap_or_default();
    let mut jobs = locked(&state.jobs);
    while jobs.get(whole).is_some_and(|job| !job.status.has_ended()) {
        let Some(left) = until.checked_duration_since(Instant::now()) else { break };
        jobs = state.ended.wait_timeout(jobs, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
    }
    drop(jobs);
    with_job(state, body, use_it)
}

/// Looks up a statement by its id, or that of a part of a batch: `<id>:2`.
fn with_job(state: &State, body: &Value, use_it: impl FnOnce(&Job, Option<usize>) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
    let id = text(body, "Id").ok_or_else(|| missing("id"))?;
    let (whole, part) = match id.split_once(':') {
        Some((whole, part)) => (whole, part.parse::<usize>().ok().and_then(|part| part.checked_sub(1))),
        None => (id.as_str(), None),
    };
    let jobs = locked(&state.jobs);
    let found = jobs.get(whole).filter(|job| part.is_none_or(|part| part < job.parts.len()));
    let job = found.ok_or_else(|| Refusal::new("ResourceNotFoundException", "Query does not exist."))?;
    use_it(job, part)
}

/// The names of all states, in the order in which they follow each other.
impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Status::Submitted => "SUBMITTED",
            Status::Picked => "PICKED",
            Status::Started => "STARTED",
            Status::Finished => "FINISHED",
            Status::Failed => "FAILED",
            Status::Aborted => "ABORTED",
        }
    }
}

#[cfg(test)]
mod tests;
