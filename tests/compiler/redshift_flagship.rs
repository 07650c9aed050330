//! The merged betting model, written once, gives the same rows on PostgreSQL, on DuckDB and on what stands in for Redshift.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use acca::analysis::is_portable;
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

/// What `docs/portable.md` says of the project at the root.
pub fn section() -> String {
    let bench = Bench::of_the_root("duckdb");
    let models = bench.nodes(|node| node.resource == ResourceType::Model);
    assert_eq!(models, bench.nodes(|node| node.resource == ResourceType::Model && is_portable(node)), "a model is not portable");
    let [tests, units] = [ResourceType::Test, ResourceType::UnitTest].map(|kind| bench.nodes(|node| node.resource == kind).len());
    let names = models.iter().map(|model| format!("`{model}`")).collect::<Vec<_>>().join(", ");
    format!(
        "## The project at the root\n\nAll of its {} models are portable. They are built on PostgreSQL, DuckDB and the imitation of Redshift, twice each, \
         with a day's extracts that come late: once from generated extracts, where {tests} data tests and {units} unit tests pass and the report is \
         that of the generator's books to the penny; once from hand-written rows full of traps (`tests/compiler/traps`). Of all {} relations, which are \
         the models, the seed, the snapshot and the loaded tables, every engine has the same rows in all columns (of moments of loading, nulls only): {names}.\n",
        models.len(),
        bench.relations().len()
    )
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

/// Lands the hand-written rows of `traps` under `extracts`, each file packed and encoded as its source is. What they hold: nulls,
/// empty texts, blanks at the ends of equal texts, letters of many bytes and texts of more than 256, quotes, backslashes, line ends;
/// ties and halves to round, negative numbers and the largest that fit; month ends, the 29th of February, hours that clocks skip or
/// repeat, years far away, fractions of seconds; codes that nobody knows.
fn land_traps(bench: &Bench) {
    let traps = root().join("tests/compiler/traps");
    for entry in walkdir::WalkDir::new(&traps).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
        let text = fs::read_to_string(entry.path()).unwrap();
        let path = entry.path().strip_prefix(&traps).unwrap().to_string_lossy().into_owned();
        let (table, ending) = path.rsplit_once('.').unwrap();
        let (path, bytes) = match path.split('/').next().unwrap() {
            "halcyon" => (format!("{table}/traps.{ending}"), encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()),
            "treasury" if ending == "csv" => ("fx/ecb_eur_daily.csv".to_owned(), text.into_bytes()),
            "treasury" => (path, text.into_bytes()),
            "trading" if table.ends_with("sports") || table.ends_with("competitions") => (path, text.into_bytes()),
            _ => (format!("{table}/traps.{ending}.gz"), packed(text.as_bytes())),
        };
        let place = bench.folder.path().join("extracts").join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn traps_give_the_same_rows_on_every_engine() {
    let rows = same_on_every_engine(|bench| {
        land_traps(bench);
        let seed = fs::read_to_string(root().join("seeds/bet_types.csv")).unwrap();
        bench.file(
            "seeds/bet_types.csv",
            &format!("{seed}trap,Trap,1,1,1,TP,Trap\n\u{fc},F\u{fc}nffach ,1,1,1,F\u{fc},F\u{fc}nffach\n\"none \",,,,,,\n"),
        );
        let vars = [("landing_root", "extracts"), ("reference_root", "extracts"), ("calendar_starts_on", "2024-02-01")];
        let vars: serde_json::Map<_, _> = vars.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let build = || {
            let ran = bench.run_how(&How { only: Some(|node| !node.resource.is_test()), vars: vars.clone(), ..How::default() });
            all_good(bench, &ran);
            assert!(!ran.statuses().iter().any(|line| line.contains("reject")), "{:#?}", ran.statuses());
        };
        build();
        // What changes is a blank at the end.
        let sports = bench.folder.path().join("extracts/trading/sports.csv");
        let text = fs::read_to_string(&sports).unwrap().replace("Football\n", "Football \n");
        fs::write(&sports, text).unwrap();
        build();
    });
    let empty: Vec<_> = rows.iter().filter(|(_, rows)| rows.is_empty()).collect();
    assert!(empty.is_empty(), "{empty:?}");
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
}
