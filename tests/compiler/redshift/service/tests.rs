//! The service, asked over HTTP as a client does.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::{DataApi, Trouble};

/// Sends one request; the status of HTTP and the body.
fn ask(service: &DataApi, operation: &str, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(service.endpoint().strip_prefix("http://").unwrap()).unwrap();
    let body = body.to_string();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: RedshiftData.{operation}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=none\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn request(sql: &str) -> Value {
    json!({ "Sql": sql, "WorkgroupName": "w", "Database": "dev" })
}

/// Waits until the statement has ended; its description.
fn ended(service: &DataApi, id: &str) -> Value {
    for _ in 0..1000 {
        let (_, description) = ask(service, "DescribeStatement", &json!({ "Id": id }));
        if matches!(description["Status"].as_str(), Some("FINISHED" | "FAILED" | "ABORTED")) {
            return description;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{id} does not end");
}

fn run(service: &DataApi, operation: &str, body: &Value) -> Value {
    let (status, submitted) = ask(service, operation, body);
    assert_eq!(status, 200, "{submitted}");
    ended(service, submitted["Id"].as_str().unwrap())
}

#[test]
fn a_statement_and_its_rows() {
    let service = DataApi::start();
    let described =
        run(&service, "ExecuteStatement", &request("select 1 as a, 'x' as b, null as c, 1.50 as d, true as e, 2.5::float8 as f"));
    assert_eq!((described["Status"].as_str(), described["HasResultSet"].as_bool()), (Some("FINISHED"), Some(true)), "{described}");
    let (_, result) = ask(&service, "GetStatementResult", &json!({ "Id": described["Id"] }));
    let expected = json!([[
        { "longValue": 1 }, { "stringValue": "x" }, { "isNull": true }, { "stringValue": "1.50" }, { "booleanValue": true }, { "doubleValue": 2.5 }
    ]]);
    assert_eq!(result["Records"], expected);
    let types: Vec<_> = result["ColumnMetadata"].as_array().unwrap().iter().map(|column| column["typeName"].as_str().unwrap()).collect();
    assert_eq!(types, ["int4", "varchar", "varchar", "numeric", "bool", "float8"]);
    assert_eq!((result["TotalNumRows"].as_i64(), result.get("NextToken")), (Some(1), None));
}

#[test]
fn long_results_come_in_pages() {
    let service = DataApi::start();
    let numbers = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 250) select i from n order by i";
    let described = run(&service, "ExecuteStatement", &request(numbers));
    let (mut token, mut found) = (Value::Null, Vec::new());
    loop {
        let (_, page) = ask(&service, "GetStatementResult", &json!({ "Id": described["Id"], "NextToken": token }));
        found.extend(page["Records"].as_array().unwrap().iter().map(|row| row[0]["longValue"].as_i64().unwrap()));
        match page.get("NextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(found, (1..=250).collect::<Vec<_>>());
}

#[test]
fn a_batch_is_one_transaction() {
    let service = DataApi::start();
    service.imitation().execute("create table t (a int)").unwrap();
    let batch = |sqls: &[&str]| json!({ "Sqls": sqls, "ClusterIdentifier": "c", "DbUser": "u", "Database": "dev" });
    let described =
        run(&service, "BatchExecuteStatement", &batch(&["insert into t values (1)", "insert into nowhere values (1)", "select 1"]));
    assert_eq!(described["Status"], "FAILED");
    assert!(described["Error"].as_str().unwrap().starts_with("Query #2 failed with ERROR: "), "{described}");
    let states: Vec<_> =
        described["SubStatements"].as_array().unwrap().iter().map(|part| part["Status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["FINISHED", "FAILED", "ABORTED"]);
    assert_eq!(service.imitation().execute("select count(*) from t").unwrap().lines(), ["0"]);
    let described = run(&service, "BatchExecuteStatement", &batch(&["insert into t values (1), (2)", "select a from t order by a"]));
    assert_eq!((described["Status"].as_str(), described["SubStatements"][0]["ResultRows"].as_i64()), (Some("FINISHED"), Some(2)));
    let (_, rows) = ask(&service, "GetStatementResult", &json!({ "Id": described["SubStatements"][1]["Id"] }));
    assert_eq!(rows["Records"], json!([[{ "longValue": 1 }], [{ "longValue": 2 }]]));
}

#[test]
fn sessions_keep_their_temporary_tables() {
    let service = DataApi::start();
    let mut first = request("create temporary table kept as select 1 as a");
    first["SessionKeepAliveSeconds"] = json!(60);
    let described = run(&service, "ExecuteStatement", &first);
    let session = described["SessionId"].as_str().unwrap().to_owned();
    let described = run(&service, "ExecuteStatement", &json!({ "Sql": "select a from kept", "SessionId": session }));
    assert_eq!(described["Status"], "FINISHED", "{described}");
    let described = run(&service, "ExecuteStatement", &request("select a from kept"));
    assert_eq!(described["Error"], "ERROR: relation \"kept\" does not exist");
}

#[test]
fn what_is_refused_at_once() {
    let service = DataApi::start();
    let long = format!("select '{}'", "x".repeat(100 * 1024));
    for (body, message) in [
        (json!({ "Sql": "select 1", "Database": "dev" }), "Either ClusterIdentifier"),
        (json!({ "Sql": "select 1", "WorkgroupName": "w" }), "Database must be"),
        (json!({ "WorkgroupName": "w", "Database": "dev" }), "'sql'"),
        (request(&long), "100 KB"),
    ] {
        let (status, answer) = ask(&service, "ExecuteStatement", &body);
        assert_eq!((status, answer["__type"].as_str()), (400, Some("ValidationException")));
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
    assert_eq!(ask(&service, "DescribeStatement", &json!({ "Id": "none" })).1["__type"], "ResourceNotFoundException");
}

#[test]
fn troubles_come_when_they_are_wanted() {
    let service = DataApi::start();
    service.trouble(Trouble::Throttled);
    assert_eq!(ask(&service, "ExecuteStatement", &request("select 1")).1["__type"], "ThrottlingException");
    service.trouble(Trouble::TooManyActive);
    assert_eq!(ask(&service, "ExecuteStatement", &request("select 1")).1["__type"], "ActiveStatementsExceededException");
    service.trouble(Trouble::Internal);
    assert_eq!(ask(&service, "ExecuteStatement", &request("select 1")).0, 500);
    service.trouble(Trouble::Conflict);
    let described = run(&service, "ExecuteStatement", &request("select 1"));
    assert!(described["Error"].as_str().unwrap().starts_with("ERROR: 1023"), "{described}");
    assert_eq!(run(&service, "ExecuteStatement", &request("select 1"))["Status"], "FINISHED");
}

#[test]
fn a_running_statement_is_cancelled() {
    let service = DataApi::start();
    service.trouble(Trouble::Slow(Duration::from_secs(30)));
    let (_, submitted) = ask(&service, "ExecuteStatement", &request("select 1"));
    assert_eq!(ask(&service, "CancelStatement", &json!({ "Id": submitted["Id"] })), (200, json!({ "Status": true })));
    assert_eq!(ended(&service, submitted["Id"].as_str().unwrap())["Status"], "ABORTED");
    assert_eq!(ask(&service, "CancelStatement", &json!({ "Id": submitted["Id"] })).0, 400);
    let (_, listed) = ask(&service, "ListStatements", &json!({ "Status": "ABORTED" }));
    assert_eq!(listed["Statements"].as_array().unwrap().len(), 1);
}

#[test]
fn what_the_validator_refuses_fails_with_a_place() {
    let service = DataApi::start();
    let described = run(&service, "ExecuteStatement", &request("select distinct on (a) a from t"));
    assert_eq!(described["Status"], "FAILED");
    assert_eq!(described["Error"], "ERROR: DISTINCT ON is not supported (fact 124)\n  Position: 8;");
    // TRUNCATE would commit the batch that it stands in.
    let described = run(&service, "BatchExecuteStatement", &json!({ "Sqls": ["truncate t"], "WorkgroupName": "w", "Database": "dev" }));
    assert!(described["Error"].as_str().unwrap().contains("TRUNCATE commits"), "{described}");
}

#[test]
fn transactions_in_each_others_way_end_with_error_1023() {
    let service = DataApi::start();
    service.imitation().execute("create table t (a int); insert into t values (1)").unwrap();
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let mut first = request("begin");
        first["SessionKeepAliveSeconds"] = json!(60);
        let session = run(&service, "ExecuteStatement", &first)["SessionId"].as_str().unwrap().to_owned();
        run(&service, "ExecuteStatement", &json!({ "Sql": "select a from t", "SessionId": session }));
        sessions.push(session);
    }
    let said = |session: &str, sql: &str| run(&service, "ExecuteStatement", &json!({ "Sql": sql, "SessionId": session }));
    assert_eq!(said(&sessions[0], "update t set a = 2")["Status"], "FINISHED");
    assert_eq!(said(&sessions[0], "commit")["Status"], "FINISHED");
    let described = said(&sessions[1], "update t set a = 3");
    assert!(described["Error"].as_str().unwrap().starts_with("ERROR: 1023"), "{described}");
}
