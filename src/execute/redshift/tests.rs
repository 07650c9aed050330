//! The adapter against a service that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::settings::{Authentication, RedshiftSettings, Warehouse};
use super::{Adapter, AdapterError, Redshift};
use crate::execute::adapter::{ColumnInfo, Datum};
use crate::execute::aws::Access;

/// A request: the action, and what it was about.
type Request = (String, Value);
/// Status and body of an answer.
type Answer = (u16, Value);

/// A Data API whose answers a test gives. Requests are kept in order.
struct Service {
    endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Service {
    /// `answer` is asked for everything.
    fn start(mut answer: impl FnMut(&str, &Value) -> Answer + Send + 'static) -> Service {
        let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", server.server_addr().to_ip().unwrap());
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let target = request.headers().iter().find(|header| header.field.equiv("X-Amz-Target")).unwrap().value.to_string();
                let action = target.strip_prefix("RedshiftData.").unwrap().to_owned();
                let body: Value = serde_json::from_reader(request.as_reader()).unwrap();
                let (status, reply) = answer(&action, &body);
                kept.lock().unwrap().push((action, body));
                let _ = request.respond(tiny_http::Response::from_string(reply.to_string()).with_status_code(status));
            }
        });
        Service { endpoint, requests }
    }

    /// Runs every statement at once; what `query` says is its result.
    fn running(mut query: impl FnMut(&str) -> Value + Send + 'static) -> Service {
        let mut last = String::new();
        Service::start(move |action, body| match action {
            "ExecuteStatement" => {
                last = body["Sql"].as_str().unwrap().to_owned();
                (200, json!({"Id": "1", "SessionId": "s1"}))
            }
            _ => (200, query(&last)),
        })
    }

    fn adapter(&self) -> Redshift {
        Redshift::new(RedshiftSettings {
            warehouse: Warehouse::Cluster("c".to_owned()),
            authentication: Authentication::User("u".to_owned()),
            database: "shop".to_owned(),
            access: Access { access_key: Some(("AK".to_owned(), "SK".to_owned())), ..Access::default() },
            endpoint: Some(self.endpoint.clone()),
            query_group: None,
        })
        .unwrap()
    }

    fn sent(&self, action: &str) -> Vec<Value> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(name, _)| name == action).map(|(_, body)| body.clone()).collect()
    }
}

fn finished() -> Value {
    json!({"Id": "1", "Status": "FINISHED", "HasResultSet": false, "ResultRows": 3})
}

#[test]
fn statements_of_a_session_follow_each_other() {
    let service = Service::running(|_| finished());
    let mut session = service.adapter().connect().unwrap();
    assert_eq!(session.execute("begin; delete from t where x = 'a;b'; commit").unwrap(), 3);
    drop(session);
    let sent = service.sent("ExecuteStatement");
    let sql: Vec<&str> = sent.iter().map(|body| body["Sql"].as_str().unwrap()).collect();
    assert_eq!(sql, ["set timezone to 'UTC'", "begin", "delete from t where x = 'a;b'", "commit"]);
    let [first, second, ..] = sent.as_slice() else { panic!() };
    assert_eq!((&first["ClusterIdentifier"], &first["DbUser"], &first["Database"]), (&json!("c"), &json!("u"), &json!("shop")));
    assert_eq!((&second["SessionId"], second.get("Database")), (&json!("s1"), None));
}

#[test]
fn a_transaction_that_is_left_open_is_rolled_back() {
    let service = Service::running(|_| finished());
    service.adapter().connect().unwrap().execute("-- all\nbegin").unwrap();
    assert_eq!(service.sent("ExecuteStatement").last().unwrap()["Sql"], "rollback");
}

#[test]
fn results_come_in_pages() {
    let mut pages: VecDeque<Value> = [json!({"Records": [[{"longValue": 1}, {"stringValue": "1.50"}]], "NextToken": "more", "TotalNumRows": 2,
        "ColumnMetadata": [{"name": "id", "label": "id", "typeName": "int4"}, {"name": "n", "label": "n", "typeName": "numeric", "precision": 9, "scale": 2}]}),
        json!({"Records": [[{"isNull": true}, {"stringValue": "2.00"}]]})]
    .into();
    let service = Service::start(move |action, _| match action {
        "ExecuteStatement" => (200, json!({"Id": "1", "SessionId": "s1"})),
        "DescribeStatement" => (200, json!({"Id": "1", "Status": "FINISHED", "HasResultSet": true})),
        _ => (200, pages.pop_front().unwrap()),
    });
    let table = service.adapter().connect().unwrap().query("select id, n from t", None).unwrap();
    let column = |name: &str, data_type: &str| ColumnInfo { name: name.to_owned(), data_type: data_type.to_owned() };
    assert_eq!(table.columns, [column("id", "integer"), column("n", "numeric(9,2)")]);
    let decimal = |digits: &str| Datum::Decimal(digits.to_owned());
    assert_eq!(table.rows, [[Datum::Int(1), decimal("1.50")], [Datum::Null, decimal("2.00")]]);
    assert_eq!(service.sent("GetStatementResult").last().unwrap()["NextToken"], "more");
}

#[test]
fn a_service_without_room_is_asked_again() {
    let mut refusals: VecDeque<&str> = ["ThrottlingException", "ActiveStatementsExceededException"].into();
    let service = Service::start(move |action, _| match (action, refusals.pop_front()) {
        (_, Some(refusal)) => (400, json!({"__type": refusal, "message": "too many"})),
        ("ExecuteStatement", None) => (200, json!({"Id": "1", "SessionId": "s1"})),
        (_, None) => (200, finished()),
    });
    assert_eq!(service.adapter().connect().unwrap().execute("delete from t").unwrap(), 3);
}

#[test]
fn a_statement_goes_on_while_the_service_is_away() {
    let mut faults = 0;
    let service = Service::start(move |action, _| match action {
        "ExecuteStatement" => (200, json!({"Id": "1", "SessionId": "s1"})),
        // More than the client asks again by itself.
        _ if faults < 6 => {
            faults += 1;
            (500, json!({"__type": "InternalServerException", "message": "not now"}))
        }
        _ => (200, finished()),
    });
    assert_eq!(service.adapter().connect().unwrap().execute("delete from t").unwrap(), 3);
}

#[test]
fn what_is_lost_within_a_transaction_says_so() {
    let service = Service::start(move |action, body| match action {
        "ExecuteStatement" if body["Sql"] == "select 2" => {
            (400, json!({"__type": "ValidationException", "Message": "Session is not available."}))
        }
        "ExecuteStatement" => (200, json!({"Id": "1", "SessionId": "s1"})),
        _ => (200, finished()),
    });
    let mut session = service.adapter().connect().unwrap();
    session.execute("begin").unwrap();
    let error = session.execute("select 2").unwrap_err();
    assert!(format!("{error:?}").contains("'acca retry'"), "{error:?}");
}

#[test]
fn a_session_that_the_service_has_ended_is_opened_anew() {
    let mut is_gone = false;
    let service = Service::start(move |action, body| match action {
        "ExecuteStatement" if body["Sql"] == "select 2" && !is_gone => {
            is_gone = true;
            (400, json!({"__type": "ValidationException", "Message": "Session is not available."}))
        }
        "ExecuteStatement" => (200, json!({"Id": "1", "SessionId": "s1"})),
        _ => (200, finished()),
    });
    let mut session = service.adapter().connect().unwrap();
    session.execute("select 1").unwrap();
    session.execute("select 2").unwrap();
    let sent = service.sent("ExecuteStatement");
    let sql: Vec<&str> = sent.iter().map(|body| body["Sql"].as_str().unwrap()).collect();
    assert_eq!(sql, ["set timezone to 'UTC'", "select 1", "select 2", "set timezone to 'UTC'", "select 2"]);
}

#[test]
fn errors_are_those_of_statements() {
    let service = Service::running(|sql| match sql {
        "insert" => json!({"Id": "1", "Status": "FAILED", "Error": "ERROR: 1023\n  Detail: Serializable isolation violation on table - 7"}),
        "select nope" => json!({"Id": "1", "Status": "FAILED", "Error": "ERROR: column \"nope\" does not exist; Position: 8;"}),
        _ => finished(),
    });
    let mut session = service.adapter().connect().unwrap();
    assert!(session.execute("insert").unwrap_err().is_conflict());
    let error = session.execute("select nope").unwrap_err();
    let AdapterError::Statement { message, offset, .. } = &error else { panic!("{error:?}") };
    assert_eq!((message.as_str(), *offset), ("column \"nope\" does not exist", Some(7)));
    let long = format!("select '{}'", "x".repeat(100_000));
    assert!(session.execute(&long).unwrap_err().to_string().contains("100009 bytes"));
}

#[test]
fn a_running_statement_is_cancelled() {
    let mut cancelled = false;
    let service = Service::start(move |action, _| match action {
        "ExecuteStatement" => (200, json!({"Id": "1", "SessionId": "s1"})),
        "CancelStatement" => {
            cancelled = true;
            (200, json!({"Status": true}))
        }
        _ if cancelled => (200, json!({"Id": "1", "Status": "ABORTED"})),
        _ => (200, json!({"Id": "1", "Status": "STARTED"})),
    });
    let mut session = service.adapter().connect().unwrap();
    let (cancel, began) = (session.cancel_handle(), Instant::now());
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    assert!(matches!(session.execute("select 1"), Err(AdapterError::Cancelled)));
    canceller.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
}

/// Also while it is asked why a COPY failed.
#[test]
fn a_question_about_a_failed_copy_is_cancelled() {
    let mut last = String::new();
    let mut cancelled = Vec::new();
    let service = Service::start(move |action, body| match action {
        "ExecuteStatement" => {
            last = body["Sql"].as_str().unwrap().to_owned();
            (200, json!({"Id": last, "SessionId": "s1"}))
        }
        "CancelStatement" => {
            cancelled.push(body["Id"].clone());
            (200, json!({"Status": true}))
        }
        _ if cancelled.contains(&body["Id"]) => (200, json!({"Id": "1", "Status": "ABORTED"})),
        _ if last.starts_with("copy") => {
            (200, json!({"Id": "1", "Status": "FAILED", "Error": "ERROR: Load failed. Check 'stl_load_errors' system table for details."}))
        }
        _ if last.contains("load_error") => (200, json!({"Id": "1", "Status": "STARTED"})),
        _ => (200, finished()),
    });
    let mut session = service.adapter().connect().unwrap();
    let (cancel, began) = (session.cancel_handle(), Instant::now());
    let canceller = std::thread::spawn(move || {
        // Before something of it runs there is nothing to be cancelled.
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
    });
    let error = session.execute("copy t from 's3://x/'").unwrap_err();
    canceller.join().unwrap();
    assert!(matches!(error, AdapterError::Cancelled), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_refusal_is_a_connection_error_with_a_hint() {
    let refuse = |kind: &'static str| Service::start(move |_, _| (400, json!({"__type": kind, "message": "not you"})));
    for kind in ["AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException"] {
        let error = refuse(kind).adapter().connect().unwrap().execute("select 1").unwrap_err();
        assert!(
            matches!(&error, AdapterError::Connection { message, hints } if message.contains("not you") && !hints.is_empty()),
            "{error:?}"
        );
    }
}
