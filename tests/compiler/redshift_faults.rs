//! What is said when AWS does not do as it is asked: in each case what to do about it.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::project::TestProject;
use crate::redshift::buckets::Place;
use crate::redshift::service::{DataApi, Trouble, begins};
use crate::redshift_target::{rows, served};

const TABLE: &str = "{{ config(materialized='table') }}\nselect 1 as id";

fn with_s3(service: &DataApi, endpoint: &str) -> TestProject {
    let mut project = served(service);
    project.set_env("AWS_ENDPOINT_URL_S3", endpoint);
    project.write("profiles.yml", &project.read("profiles.yml").replace("type: redshift", "type: redshift, load_bucket: 's3://lake/acca'"));
    project
}

fn said(project: &TestProject, arguments: &[&str]) -> String {
    let run = project.acca(arguments).expect_code(1);
    format!("{}{}", run.stdout, run.stderr)
}

/// What the warehouse says of a statement.
#[test]
fn faults_of_the_warehouse_say_what_to_do() {
    let service = DataApi::start();
    let project = with_s3(&service, &service.imitation().buckets().endpoint());
    let unloaded = "{{ config(materialized='table', meta={'unload': {'to': 's3://lake/out/', 'format': 'csv'}}) }}\nselect 1 as id";
    let denied = "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 0,ExtRid 0,CanRetry 1";
    let elsewhere = "ERROR: S3ServiceException:The bucket you are attempting to access must be addressed using the specified endpoint.,Status 301,Error PermanentRedirect,Rid 0";
    let role = "ERROR: User arn:aws:redshift:eu-west-1:1:dbuser:c/u is not authorized to assume IAM Role arn:aws:iam::1:role/r";
    let conflict = "ERROR: 1023\n  Detail: Serializable isolation violation on table - 7";
    for (model, at, fault, told) in [
        (unloaded, "unload", denied, "for UNLOAD s3:PutObject"),
        (unloaded, "unload", elsewhere, "the bucket is in another region than the warehouse"),
        (unloaded, "unload", role, "has to trust redshift.amazonaws.com"),
        (TABLE, "create table", "ERROR: disk full", "ask for a larger warehouse"),
    ] {
        project.write("models/one.sql", model);
        service.trouble(Trouble::FailsAt(at, fault.to_owned()));
        let said = said(&project, &["run"]);
        assert!(said.contains("models/one.sql") && said.contains(told), "{told}\n{said}");
    }
    // One that is in another's way all the time.
    (0..3).for_each(|_| service.trouble(Trouble::FailsAt("create table \"dev\".\"marts\"", conflict.to_owned())));
    project.write("models/one.sql", TABLE);
    let said = said(&project, &["run"]);
    assert!(said.contains("Serializable isolation violation") && said.contains("'acca retry'"), "{said}");
}

/// A COPY that fails takes nothing along, and says why.
#[test]
fn a_load_that_the_warehouse_refuses_says_what_to_do() {
    let service = DataApi::start();
    let project = with_s3(&service, &service.imitation().buckets().endpoint());
    project.write(
        "models/sources.yml",
        "sources:\n  - name: raw\n    tables:\n      - name: bets\n        meta: {landing: {path: 'landing/*.csv'}}\n        columns: [{name: id, data_type: bigint}, {name: note, data_type: text}]\n",
    );
    project.write("landing/a.csv", "id,note\n1,a\n");
    service.trouble(Trouble::FailsAt("copy", "ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 0".to_owned()));
    let said = said(&project, &["load"]);
    assert!(said.contains("needs s3:GetObject"), "{said}");
    assert_eq!(service.imitation().buckets().list(&Place::read("s3://lake/acca/").unwrap()).len(), 0);
    project.acca(&["load"]).expect_code(0);
}

/// A service in the place of S3 that gives one answer to everything.
fn refusing(status: u16, code: &str) -> String {
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.server_addr().to_ip().unwrap());
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            let _ = request.respond(tiny_http::Response::from_string(body.clone()).with_status_code(status));
        }
    });
    endpoint
}

#[test]
fn faults_of_s3_say_what_to_do() {
    let service = DataApi::start();
    for (status, code, told) in [
        (403, "AccessDenied", "the identity needs s3:ListBucket"),
        (400, "ExpiredToken", "log in again"),
        (404, "NoSuchBucket", "check the name of the bucket"),
        (301, "PermanentRedirect", "another region"),
    ] {
        let project = with_s3(&service, &refusing(status, code));
        project.write(
            "models/sources.yml",
            "sources:\n  - name: raw\n    tables:\n      - name: bets\n        meta: {landing: {path: 's3://lake/in/*.csv'}}\n        columns: [{name: id, data_type: bigint}]\n",
        );
        let said = said(&project, &["load"]);
        assert!(said.contains(told) && said.contains(code), "{told}\n{said}");
    }
}

/// What UNLOAD has written goes when the run is stopped.
#[test]
fn a_model_that_is_stopped_leaves_no_files() {
    let service = DataApi::start();
    let project = with_s3(&service, &service.imitation().buckets().endpoint());
    project.write(
        "models/one.sql",
        "{{ config(materialized='table', meta={'unload': {'to': 's3://lake/out/', 'format': 'csv'}}) }}\nselect 1 as id",
    );
    service.trouble(Trouble::SlowAt("commit", Duration::from_secs(120)));
    let mut child = project.start(&["run"]);
    let began = Instant::now();
    let commits = || service.requests().iter().any(|(_, body)| body["Sql"].as_str().is_some_and(|sql| begins(sql, "commit")));
    let written = || service.imitation().buckets().list(&Place::read("s3://lake/out/").unwrap()).len();
    while written() == 0 || !commits() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(written(), 0);
}

/// Ctrl-C is not held up by a service that does not answer.
#[test]
fn a_load_ends_while_s3_does_not_answer() {
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.server_addr().to_ip().unwrap());
    let (asked, is_asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for request in server.incoming_requests() {
            let _ = asked.send(request.method().to_string());
            held.push(request);
        }
    });
    let service = DataApi::start();
    let project = with_s3(&service, &endpoint);
    project.write(
        "models/sources.yml",
        "sources:\n  - name: raw\n    tables:\n      - name: bets\n        meta: {landing: {path: 'landing/*.csv'}}\n        columns: [{name: id, data_type: bigint}, {name: note, data_type: text}]\n",
    );
    project.write("landing/a.csv", "id,note\n1,a\n");
    let mut child = project.start(&["load"]);
    let began = Instant::now();
    assert_eq!(is_asked.recv_timeout(Duration::from_secs(60)).unwrap(), "PUT");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert_eq!(rows(&service, "select count(*) from raw.bets"), "0");
}
