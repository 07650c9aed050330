//! The merged betting model at the root of the repository, built from its committed sample on both engines.

use std::collections::BTreeSet;
use std::process::Command;

use acca::base::ResourceType;
use acca::plan::Status;

use crate::bench::{Bench, How, Ran};
use crate::tidy::root;

const REPORT: &str = "select * from shop_marts.rpt_daily_ggr order by 1, 2, 3, 4, 5, 6";

/// Days on which the report and the generator's own books differ, by any amount; a day that only one of them has counts.
/// Independent of the model's own tests: it reads the control file's raw table and the report, nothing between.
pub const DIFFERENCES: &str = "
    with report as (
        select business_day, business, sum(bet_count) as bets, sum(turnover_gbp) as turnover, sum(returns_gbp) as returned, sum(ggr_gbp) as ggr
        from shop_marts.rpt_daily_ggr
        group by business_day, business
    )
    select count(*), count(report.business_day), count(books.business_day),
        sum(case when report.bets = books.bet_count and report.turnover = books.turnover_gbp
                  and report.returned = books.returns_gbp and report.ggr = books.ggr_gbp then 0 else 1 end)
    from raw_treasury.control_totals as books
    full join report on report.business_day = books.business_day and report.business = books.business";

fn build(bench: &Bench) -> Ran {
    bench.run_how(&How { gate_on_tests: true, ..How::default() })
}

/// Every column that a build made is there with the type that was inferred, and none that is called not null holds a null.
fn columns_are_as_inferred(bench: &Bench) {
    let (compilation, analysis) = bench.analyse();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (number, found) in &analysis.nodes {
        let node = &compilation.manifest.nodes[*number];
        wrong.extend(found.problems.iter().map(|problem| format!("{}: {}", node.name, problem.message)));
        let Some(relation) = node.relation.as_ref().filter(|_| node.is_runnable() && node.resource != ResourceType::Test) else { continue };
        let made = bench.query(&format!(
            "select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute \
             where attrelid = to_regclass('{}') and attnum > 0 and not attisdropped order by attnum",
            relation.quoted()
        ));
        let columns = &found.schema.columns;
        let inferred: Vec<String> = columns
            .iter()
            .map(|column| format!("{} {}", column.name, column.sql_type.map_or_else(String::new, |kind| kind.to_string())))
            .collect();
        compared += inferred.len();
        if inferred.join("\n") != made {
            wrong.push(format!("{}:\n{}\nand the database has\n{made}", node.name, inferred.join("\n")));
        }
        for column in columns.iter().filter(|column| !column.nullable) {
            let null = bench.query(&format!("select count(*) from {} where \"{}\" is null", relation.quoted(), column.name));
            if null != "0" {
                wrong.push(format!("{}.{} holds nulls", node.name, column.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 300, "only {compared} columns");
}

#[test]
fn both_engines_report_the_same_and_agree_with_the_books_to_the_penny() {
    let benches = Bench::of_the_root("duckdb");
    let other = Bench::of_the_root("postgres");
    let mut reports = Vec::new();
    for bench in [&benches, &other] {
        let ran = build(bench);
        let bad: Vec<String> = ran
            .statuses()
            .into_iter()
            .filter(|line| !line.starts_with("success") && !line.starts_with("pass") && !line.starts_with("warn"))
            .collect();
        assert!(bad.is_empty(), "{}: {bad:#?}\n{}", bench.engine, ran.drawn);
        assert_eq!(
            bench.query(DIFFERENCES),
            "55|55|55|0",
            "{}: days, days in the report, days in the books, days that differ",
            bench.engine
        );
        reports.push(bench.query(REPORT));
    }
    assert!(reports[0].lines().count() > 200, "{}", reports[0]);
    assert_eq!(reports[0], reports[1]);
    columns_are_as_inferred(&other);
    for bench in [&benches, &other] {
        let again = build(bench);
        let loads: Vec<String> = again.statuses().into_iter().filter(|line| line.contains(" source.")).collect();
        assert!(!loads.is_empty() && loads.iter().all(|line| line.ends_with("unchanged")), "{}: {loads:#?}", bench.engine);
        assert_eq!(bench.query(REPORT), reports[0], "{}: a second build changes nothing", bench.engine);
        assert_eq!(bench.leftovers(), "", "{}", bench.engine);
    }
}

/// A fault in the extracts is found by the tests that guard against it. The faults come one after the other as new versions
/// of files that are loaded already, so this also shows that a corrected file mends the report.
#[test]
fn injected_faults_are_found() {
    let bench = Bench::of_the_root("duckdb");
    let clean = noticed(&bench, None);
    for (fault, guards) in [
        ("penny", &["assert_report_equals_control_totals"][..]),
        ("missing_leg", &["assert_bets_have_the_legs_of_their_type"]),
        ("wrong_currency", &["assert_currencies_agree"]),
        ("unit_mixup", &["assert_report_equals_control_totals"]),
        ("duplicate_settlement", &["assert_report_equals_control_totals", "assert_returns_agree_with_odds"]),
        ("late_price", &["assert_no_bet_placed_after_its_event_started"]),
    ] {
        let with_fault = noticed(&bench, Some(fault));
        let found: BTreeSet<&String> = with_fault.difference(&clean).collect();
        for guard in guards {
            assert!(found.iter().any(|name| name.starts_with(guard)), "{fault} is not found by {guard}, but by {found:?}");
        }
    }
    assert_eq!(noticed(&bench, None), clean, "the corrected extracts are clean again");
}

/// A comparison with NULL is neither true nor false: a test that is written with `<>` lets it pass.
#[test]
fn values_that_are_missing_are_found() {
    let bench = Bench::of_the_root("duckdb");
    bench.run_how(&How { only: Some(|node| !node.resource.is_test()), ..How::default() }).ok();
    let one =
        |status: &str| format!("bet_key = (select min(bet_key) from shop_core.fct_bet where bet_status = '{status}' and bonus_stake = 0)");
    let [won, void] = ["won", "void"].map(one);
    for (change, guard) in [
        (format!("update shop_core.fct_bet set total_stake = null where {won}"), "assert_lines_times_unit_stake_is_total_stake"),
        (format!("update shop_core.fct_bet set total_stake = null where {void}"), "assert_bets_equal_source_control_totals"),
        (format!("update shop_core.fct_bet set currency_code = null where {won}"), "assert_currencies_agree"),
        (format!("update shop_core.fct_bet set cash_stake = null where {void}"), "assert_settlements_agree_with_bets"),
        (format!("update shop_core.fct_bet set return_amount = null where {won}"), "assert_returns_agree_with_odds"),
        (format!("update shop_core.fct_bet_leg set leg_number = null where {won}"), "assert_bets_have_the_legs_of_their_type"),
        ("update shop_marts.rpt_daily_ggr set ggr_gbp = null where business = 'halcyon'".to_owned(), "assert_report_equals_control_totals"),
        ("update raw_treasury.control_matches set value = null".to_owned(), "assert_counts_equal_control_matches"),
    ] {
        let table = change.split_whitespace().nth(1).unwrap();
        bench.execute(&format!("create table kept as from {table}"));
        bench.execute(&change);
        let ran = bench.run_how(&How { only: Some(|node| node.name.starts_with("assert_")), ..How::default() });
        assert_eq!(ran.status(guard), Status::Fail, "{change}: {:#?}", ran.statuses());
        bench.execute(&format!("delete from {table}; insert into {table} from kept; drop table kept"));
    }
}

/// Generates the extracts of some days into the project's folder `extracts`.
pub fn extract(bench: &Bench, days: &str, arguments: &[&str]) {
    let mut betgen = Command::new(env!("CARGO_BIN_EXE_betgen"));
    betgen.arg("--out").arg(bench.folder.path().join("extracts")).arg("--real").arg(root().join("data/real"));
    let made = betgen.args(["--seed", "42", "--days", days]).args(arguments).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Names of the tests that find something in the extracts with the fault, with the number of rows that they find.
fn noticed(bench: &Bench, fault: Option<&str>) -> BTreeSet<String> {
    let inject = fault.map(|fault| ["--inject", fault]);
    extract(bench, "2025-10-24..2025-10-27,2026-01-16..2026-02-05", inject.as_ref().map_or(&[], |inject| inject.as_slice()));
    let vars = serde_json::Map::from_iter([("landing_root".to_owned(), "extracts".into())]);
    bench.run_how(&How { only: Some(|node| node.resource == ResourceType::Source), vars: vars.clone(), ..How::default() }).ok();
    let ran = bench.run_how(&How { only: Some(|node| node.resource != ResourceType::Source), vars, ..How::default() });
    let noticed = ran.result.nodes.iter().filter(|node| matches!(node.status, Status::Fail | Status::Warn | Status::Error));
    noticed.map(|node| format!("{} {:?}", node.id.rsplit('.').next().unwrap_or(&node.id), node.failures)).collect()
}
