//! `acca docs`: what is written of the database, and the page that shows it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::postgres::PgServer;
use crate::project::TestProject;

fn shop(project: &TestProject) {
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\nmodels:\n  +persist_docs: {relation: true, columns: true}\n")
        .write("seeds/raw_bets.csv", "bet_id,stake\n1,2.50\n2,10.00\n")
        .write("models/bets.sql", "{{ config(materialized='table') }}\nselect * from {{ ref('raw_bets') }}\n")
        .write("models/inside.sql", "{{ config(materialized='ephemeral') }}\nselect 1 as one\n")
        .write("models/turnover.sql", "select sum(stake) as stake from {{ ref('bets') }} cross join {{ ref('inside') }}\n")
        .write("models/not_built.sql", "{{ config(tags=['later']) }}\nselect 1 as one\n")
        .write(
            "models/models.yml",
            "models:\n  - name: bets\n    description: All </script> bets\n    columns:\n      - {name: stake, description: In pounds}\n\
             sources:\n  - name: shop\n    schema: \"{{ target.schema }}\"\n    tables: [{name: raw, identifier: raw_bets}]\n",
        );
}

fn duckdb() -> TestProject {
    let project = TestProject::new();
    shop(&project);
    project.write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n");
    project
}

fn json(project: &TestProject, path: &str) -> Value {
    serde_json::from_str(&project.read(path)).unwrap()
}

/// Id, kind, comment, rows and columns of each entry.
fn told(catalog: &Value) -> Vec<String> {
    let sections = ["nodes", "sources"].into_iter().flat_map(|section| catalog[section].as_object().unwrap());
    sections
        .map(|(id, entry)| {
            let columns = entry["columns"].as_object().unwrap().values();
            let columns: Vec<String> = columns
                .map(|column| format!("{} {} {} {}", column["index"], column["name"], column["type"], column["comment"]).replace('"', ""))
                .collect();
            let (metadata, rows) = (&entry["metadata"], &entry["stats"]["row_count"]["value"]);
            format!("{id}: {} {} rows={rows} ({})", metadata["type"], metadata["comment"], columns.join(", ")).replace('"', "")
        })
        .collect()
}

#[test]
fn the_catalogue_tells_what_stands_in_the_database() {
    let project = duckdb();
    project.acca(&["build", "--exclude", "not_built"]).expect_code(0);
    let run = project.acca(&["docs", "generate"]).expect_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("Documented 4 relations in target; look at it with: acca docs serve\n", ""));
    let expected = [
        "model.shop.bets: BASE TABLE All </script> bets rows=2 (1 bet_id INTEGER null, 2 stake DECIMAL(38,2) In pounds)",
        "model.shop.turnover: VIEW null rows=null (1 stake DECIMAL(38,2) null)",
        "seed.shop.raw_bets: BASE TABLE null rows=2 (1 bet_id INTEGER null, 2 stake DECIMAL(38,2) null)",
        "source.shop.shop.raw: BASE TABLE null rows=2 (1 bet_id INTEGER null, 2 stake DECIMAL(38,2) null)",
    ];
    assert_eq!(told(&json(&project, "target/catalog.json")), expected);
    // Every edge between columns, for the page and for other programs.
    let lineage = json(&project, "target/lineage.json");
    let edge = |edge: &Value| edge["to"]["node"] == "model.shop.turnover" && edge["to"]["column"] == "stake" && edge["kind"] == "value";
    assert!(lineage["edges"].as_array().is_some_and(|edges| edges.iter().any(edge)), "{lineage}");
    // A source of which the project says nothing has the columns that the catalogue tells.
    let schema = project.acca(&["schema", "source:shop.raw"]).expect_code(0).stdout;
    assert!(schema.contains("stake") && schema.contains("numeric(38,2)"), "{schema}");
    let manifest = json(&project, "target/manifest.json");
    assert!(manifest["nodes"]["model.shop.turnover"]["compiled_code"].as_str().is_some_and(|sql| sql.contains("sum(stake)")));

    project.acca(&["docs", "generate", "--select", "turnover", "--no-compile"]).expect_code(0);
    assert_eq!(told(&json(&project, "target/catalog.json")), expected[1..2]);
    assert!(json(&project, "target/manifest.json")["nodes"]["model.shop.turnover"]["compiled_code"].is_null());

    project.acca(&["docs", "generate", "--empty-catalog", "--static"]).expect_code(0);
    assert!(told(&json(&project, "target/catalog.json")).is_empty());
    let page = project.read("target/static_index.html");
    assert!(page.contains("All \\u003c/script> bets") && page.contains("\"sources\":{}"));
    assert!(project.read("target/index.html").contains("id=\"manifest\"></script>"));
}

#[test]
fn the_catalogue_of_postgresql_has_owners_and_sizes() {
    let database = PgServer::shared().database();
    let project = TestProject::new();
    shop(&project);
    project.connect("shop", &database, "sales");
    project.acca(&["build"]).expect_code(0);
    project.acca(&["docs", "generate", "--select", "bets", "not_built"]).expect_code(0);
    let catalog = json(&project, "target/catalog.json");
    let expected = [
        "model.shop.bets: BASE TABLE All </script> bets rows=2 (1 bet_id integer null, 2 stake numeric(38,2) In pounds)",
        "model.shop.not_built: VIEW null rows=null (1 one integer null)",
    ];
    assert_eq!(told(&catalog), expected);
    let bets = &catalog["nodes"]["model.shop.bets"];
    assert_eq!(bets["metadata"]["owner"], database.query("select current_user").trim());
    assert!(bets["stats"]["bytes"]["value"].as_i64().is_some_and(|bytes| bytes > 0) && bets["stats"]["has_stats"]["value"] == true);
}

#[test]
fn a_model_that_does_not_compile_leaves_the_catalogue_as_it_is() {
    let project = duckdb();
    project.write("models/broken.sql", "select {{ exceptions.raise_compiler_error('no') if execute else 1 }}\n");
    project.acca(&["docs", "generate"]).expect_code(1);
    assert!(!project.path("target/catalog.json").exists());
    project.acca(&["docs", "generate", "--no-compile"]).expect_code(0);
    assert!(project.path("target/catalog.json").exists());
}

#[test]
fn the_page_is_served_and_nothing_else() {
    let project = duckdb();
    let early = project.acca(&["docs", "serve", "--no-browser"]).expect_code(2);
    assert!(early.stderr.contains("acca docs generate"), "{}", early.stderr);
    project.write("dbt_project.yml", &format!("{}asset-paths: [assets, ../elsewhere]\n", project.read("dbt_project.yml")));
    project.write("assets/not_a_test.sql", "{{ nothing(").write("assets/logos/us.svg", "<svg/>").write("target/assets/old.svg", "<svg/>");
    project.acca(&["docs", "generate", "--empty-catalog"]).expect_code(0);
    assert!(!project.path("target/assets/old.svg").exists());
    let mut server = project.start(&["docs", "serve", "--no-browser", "--port", "0"]);
    let mut first = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let port: u16 = first.trim().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let get = |method: &str, path: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("GET", "/").contains("<title>Documentation</title>"));
    let catalog = get("GET", "/catalog.json?fresh=1");
    assert!(catalog.starts_with("HTTP/1.1 200") && catalog.contains("application/json") && catalog.contains("catalog/v1"), "{catalog}");
    let logo = get("GET", "/assets/logos/us.svg");
    assert!(logo.contains("image/svg+xml") && logo.ends_with("<svg/>"), "{logo}");
    for path in [
        "/assets/../manifest.json",
        "/assets/logos",
        "/assets/logos/",
        "/../dbt_project.yml",
        "/compiled",
        "/catalog.json/",
        "//etc/passwd",
        "/shop.duckdb",
    ] {
        assert!(get("GET", path).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(get("POST", "/catalog.json").starts_with("HTTP/1.1 405"));
    let taken = project.acca(&["docs", "serve", "--no-browser", "--port", &port.to_string()]).expect_code(2);
    assert!(taken.stderr.contains(&format!("error[cannot-serve]: port {port} of '127.0.0.1' cannot be served")), "{}", taken.stderr);
    server.kill().unwrap();
    server.wait().unwrap();
}
