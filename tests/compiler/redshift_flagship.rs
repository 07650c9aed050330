//! A slice of the merged betting model on what stands in for Redshift: the trading desk's files, their staging and what is known of
//! events, markets and selections, written once and rewritten for the engine.

use acca::base::ResourceType;
use acca::project::Node;

use crate::bench::{Bench, How, Ran};

const DIMENSIONS: [&str; 3] = ["dim_event", "dim_market", "dim_selection"];

fn is_of_the_slice(id: &str) -> bool {
    id.contains(".trading.") || id.contains(".stg_trading__") || DIMENSIONS.iter().any(|name| id.ends_with(&format!(".{name}")))
}

/// Tests only where all that they read is built.
fn slice(node: &Node) -> bool {
    match node.resource {
        ResourceType::Test => !node.depends_on.is_empty() && node.depends_on.iter().all(|id| is_of_the_slice(id)),
        _ => is_of_the_slice(&node.id),
    }
}

fn build(engine: &'static str) -> (Bench, Ran) {
    let mut bench = Bench::of_the_root(engine);
    let project = std::fs::read_to_string(crate::tidy::root().join("dbt_project.yml")).unwrap();
    bench.file("dbt_project.yml", &project.replace("models:\n  acca:\n", "models:\n  acca:\n    +meta: {portable: true}\n"));
    let ran = bench.run_how(&How { only: Some(slice), gate_on_tests: true, ..How::default() });
    (bench, ran)
}

#[test]
#[ignore = "takes longer than the two minutes that a test may take, and has not been seen to pass yet"]
fn a_slice_of_the_flagship_is_the_same_on_redshift() {
    let (redshift, ran) = build("redshift");
    let bad: Vec<String> = ran.statuses().into_iter().filter(|line| !line.starts_with("success") && !line.starts_with("pass")).collect();
    assert!(bad.is_empty(), "{bad:#?}\n{}", ran.drawn);
    assert!(ran.statuses().iter().filter(|line| line.starts_with("pass")).count() > 10, "{:#?}", ran.statuses());
    let (duckdb, _) = build("duckdb");
    for name in DIMENSIONS {
        let sql = format!("select count(*) from shop_core.{name}");
        let rows = redshift.query(&sql);
        assert_eq!(rows, duckdb.query(&sql), "{name}");
        assert!(rows.parse::<u32>().unwrap() > 500, "{name}: {rows}");
    }
}
