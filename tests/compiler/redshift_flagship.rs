//! The merged betting model, written once, gives the same rows on PostgreSQL, on DuckDB and on what stands in for Redshift.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use acca::base::{Datum, ResourceType};

use crate::bench::{Bench, How, Ran};
use crate::flagship::{DIFFERENCES, extract};
use crate::portable::printed;
use crate::tidy::root;

const ENGINES: [&str; 3] = ["postgres", "duckdb", "redshift"];

/// An end of summer time, and an end of a month. The extracts of the last day come later than the others.
const DAYS: &str = "2025-10-26..2025-10-26,2026-01-29..2026-02-01";
const LAST_DAY: [&str; 2] = ["2026-02-01", "20260201"];

/// Exchange rates and days before are left out.
const FROM: &str = "2025-10-01";

/// What is of the moment at which a row was loaded, or a version of it was seen. Of these only nulls are compared.
const OF_THE_MOMENT: [&str; 6] = ["_acca_loaded_at", "loaded_at", "dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"];

/// Rows as text, sorted, of everything that a project makes.
type Rows = BTreeMap<(ResourceType, String), Vec<String>>;

fn rows(bench: &Bench) -> Rows {
    let mut session = bench.connect();
    // The service gives pages of a hundred rows, which takes its time.
    let mut direct = bench.imitation().map(|imitation| imitation.session_in(imitation.name()));
    let mut all = Rows::new();
    for (resource, name, relation) in bench.relations() {
        let sql = format!("select * from {}", relation.quoted());
        let table = match &mut direct {
            Some(direct) => direct.execute(&sql).map(|outcome| outcome.table).map_err(|failure| failure.message),
            None => session.query(&sql, None).map_err(|error| error.to_string()),
        };
        let mut table = table.unwrap_or_else(|error| panic!("{name} on {}: {error}", bench.engine));
        let momentary: Vec<bool> = table.columns.iter().map(|column| OF_THE_MOMENT.contains(&column.name.as_str())).collect();
        for cell in table.rows.iter_mut().flat_map(|row| row.iter_mut().zip(&momentary)) {
            if let (held, true) = cell {
                *held = Datum::Bool(*held == Datum::Null);
            }
        }
        all.insert((resource, name), printed(&table.rows, false));
    }
    all
}

/// What two engines have otherwise.
fn differences(one: &Rows, other: &Rows, engine: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, expected) in one {
        let found = &other[key];
        if found != expected {
            let at = expected.iter().zip(found).position(|(one, other)| one != other).unwrap_or_else(|| expected.len().min(found.len()));
            let shown = |rows: &[String]| rows.get(at).cloned().unwrap_or_else(|| "nothing".to_owned());
            let (counts, shown) = ((expected.len(), found.len()), (shown(expected), shown(found)));
            wrong.push(format!(
                "{}: {counts:?} rows on {} and {engine}, of which one is\n    {}\n  and\n    {}",
                key.1, ENGINES[0], shown.0, shown.1
            ));
        }
    }
    wrong
}

/// Builds with each engine at once and compares what they made; the rows, which are the same everywhere.
fn same_on_every_engine(build: impl Fn(&mut Bench) + Sync) -> Rows {
    let made: Vec<Rows> = std::thread::scope(|scope| {
        let one = |engine| {
            let mut bench = Bench::of_the_root(engine);
            build(&mut bench);
            rows(&bench)
        };
        let threads = ENGINES.map(|engine| scope.spawn(move || one(engine)));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let wrong: Vec<String> = ENGINES.iter().zip(&made).flat_map(|(engine, rows)| differences(&made[0], rows, engine)).collect();
    assert!(wrong.is_empty(), "{} differ\n\n{}", wrong.len(), wrong.join("\n\n"));
    made.into_iter().next().unwrap()
}

fn all_good(bench: &Bench, ran: &Ran) {
    let bad: Vec<String> = ran.statuses().into_iter().filter(|line| !line.starts_with("success") && !line.starts_with("pass")).collect();
    assert!(bad.is_empty(), "{}: {bad:#?}\n{}", bench.engine, ran.drawn);
}

/// The models of the project that are portable: all of them.
pub fn portable_models(bench: &Bench) -> Vec<String> {
    let models = bench.nodes(|node| node.resource == ResourceType::Model && acca::analysis::is_portable(node));
    assert_eq!(models, bench.nodes(|node| node.resource == ResourceType::Model));
    models
}

/// Takes the extracts of the last day away; where each was and where it is.
fn hold_back(bench: &Bench) -> Vec<(PathBuf, PathBuf)> {
    let held = bench.folder.path().join("held");
    fs::create_dir(&held).unwrap();
    let files = walkdir::WalkDir::new(bench.folder.path().join("extracts")).into_iter().map(Result::unwrap);
    let late = |path: &str| LAST_DAY.iter().any(|day| path.contains(day)) && !path.contains("treasury");
    let late = files.map(walkdir::DirEntry::into_path).filter(|path| path.is_file() && late(&path.to_string_lossy()));
    let moved: Vec<(PathBuf, PathBuf)> =
        late.map(|path| (held.join(path.file_name().unwrap()), path)).map(|(to, from)| (from, to)).collect();
    moved.iter().for_each(|(from, to)| fs::rename(from, to).unwrap());
    moved
}

#[test]
fn every_model_has_the_same_rows_on_every_engine() {
    let rows = same_on_every_engine(|bench| {
        extract(bench, DAYS, &["--scale", "0.3"]);
        let rates = fs::read_to_string(root().join("data/real/fx/ecb_eur_daily.csv")).unwrap();
        let (head, rates) = rates.split_once('\n').unwrap();
        let rates: Vec<&str> = rates.lines().filter(|line| *line >= FROM).collect();
        bench.file("reference/fx/ecb_eur_daily.csv", &format!("{head}\n{}\n", rates.join("\n")));
        let vars = [
            ("landing_root", "extracts"),
            ("reference_root", "reference"),
            ("calendar_starts_on", FROM),
            ("calendar_ends_on", "2026-12-31"),
        ];
        let vars: serde_json::Map<_, _> = vars.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let held = hold_back(bench);
        assert!(held.len() > 10, "{held:?}");
        all_good(bench, &bench.run_how(&How { only: Some(|node| !node.resource.is_test()), vars: vars.clone(), ..How::default() }));
        held.iter().for_each(|(from, to)| fs::rename(to, from).unwrap());
        all_good(bench, &bench.run_how(&How { gate_on_tests: true, vars, ..How::default() }));
        assert_eq!(bench.query(DIFFERENCES), "12|12|12|0", "{}: days, in the report, in the books, that differ", bench.engine);
    });
    let empty: Vec<_> = rows.iter().filter(|(_, rows)| rows.is_empty()).collect();
    assert!(empty.is_empty(), "{empty:?}");
    for model in portable_models(&Bench::of_the_root("duckdb")) {
        assert!(rows.contains_key(&(ResourceType::Model, model.clone())), "{model} is not compared");
    }
}
