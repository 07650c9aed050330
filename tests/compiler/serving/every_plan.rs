//! Projects made at random for two targets whose graphs differ: whatever waits for what, every run ends, and says of each node what
//! became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use acca::analysis::Compilation;
use acca::base::{ColumnInfo, Datum, Files, MemoryFiles, Relation, RelationKind, Table, UniqueId};
use acca::diag::Diagnostics;
use acca::dialect::Engine;
use acca::execute::{
    Adapter, AdapterError, Cancel, CatalogRelation, Event, Interrupt, Origin, Partner, Reporter, RunJob, RunOptions, Served, Session,
};
use acca::execute::{partners, run};
use acca::jinja::Invocation;
use acca::plan::{Attachments, Placed, Privilege, RunResult, place};
use acca::project::{LoadOptions, Manifest};

/// Numbers that a seed gives.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A warehouse that does whatever it is told, but for what the names in `fails` are in.
struct Obliging {
    fails: Vec<String>,
}

impl Adapter for Obliging {
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError> {
        Ok(Box::new(Obliging { fails: self.fails.clone() }))
    }

    fn describe(&self) -> Result<String, AdapterError> {
        Ok("obliging".to_owned())
    }
}

impl Session for Obliging {
    fn execute(&mut self, sql: &str) -> Result<u64, AdapterError> {
        match self.fails.iter().find(|name| sql.contains(name.as_str())) {
            None => Ok(0),
            Some(name) => Err(AdapterError::Statement { message: format!("no {name} today"), code: None, offset: None, hints: Vec::new() }),
        }
    }

    fn query(&mut self, _sql: &str, _limit: Option<usize>) -> Result<Table, AdapterError> {
        Ok(Table::default())
    }

    fn value(&mut self, sql: &str) -> Result<Option<Datum>, AdapterError> {
        self.execute(sql).map(|_| Some(Datum::Int(0)))
    }

    fn describe(&mut self, _query: &str) -> Result<Vec<ColumnInfo>, AdapterError> {
        Ok(vec![ColumnInfo { name: "id".to_owned(), data_type: "integer".to_owned() }])
    }

    fn copy_in(&mut self, _sql: &str, _data: &mut dyn Read) -> Result<u64, AdapterError> {
        Ok(0)
    }

    fn relations(&mut self, _schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError> {
        Ok(Vec::new())
    }

    fn columns(&mut self, _relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError> {
        Session::describe(self, "")
    }

    fn attachments(&mut self, _live: &Relation, _staged: &Relation, _kind: RelationKind) -> Result<Attachments, AdapterError> {
        Ok(Attachments::default())
    }

    fn readers(&mut self, _live: &Relation) -> Result<Attachments, AdapterError> {
        Ok(Attachments::default())
    }

    fn privileges(&mut self, _relation: &Relation) -> Result<Vec<Privilege>, AdapterError> {
        Ok(Vec::new())
    }

    fn cancel_handle(&self) -> Arc<dyn Cancel> {
        Arc::new(Obliging { fails: Vec::new() })
    }
}

impl Cancel for Obliging {
    fn cancel(&self) {}
}

struct Silent;

impl Reporter for Silent {
    fn report(&self, _event: &Event<'_>) {}
}

const SIDES: [&str; 2] = ["a", "b"];

/// A project; some nodes are on one target only, and some read on one what they do not read on the other.
fn project(dice: &mut Dice) -> MemoryFiles {
    let output = "{type: postgres, host: nowhere, port: 1, user: u, password: p, dbname: d, schema: s, threads: 2}";
    let mut files = MemoryFiles::default()
        .with("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n")
        .with(
            "profiles.yml",
            &format!("shop:\n  target: a\n  outputs:\n    a: {output}\n    b: {}\n", output.replace("dbname: d", "dbname: e")),
        )
        .with("acca.yml", "serving: {low_latency: a, high_latency: b, transfer: {bucket: 's3://lake/x', region: r, keep_files: true}}\n");
    let count = 3 + dice.roll(9);
    let mut only: Vec<Option<usize>> = Vec::new();
    let mut properties = "models:\n".to_owned();
    for number in 0..count {
        let home = if dice.roll(5) == 0 { Some(dice.roll(2) as usize) } else { None };
        let class = match (dice.roll(4), home) {
            (0, None | Some(0)) => "'low_latency'",
            (1, None | Some(1)) => "'high_latency'",
            (2, _) => "['low_latency', 'high_latency']",
            _ => "none",
        };
        let kind = ["table", "table", "view", "ephemeral"][dice.roll(4) as usize];
        let enabled = home.map_or_else(|| "true".to_owned(), |side| format!("target.name == '{}'", SIDES[side]));
        let mut sql = format!("{{{{ config(materialized='{kind}', enabled={enabled}, meta={{'serving': {class}}}) }}}}\nselect 1 as id");
        for read in 0..number {
            if dice.roll(3) == 0 {
                sql.push_str(&read_of(dice, read, only[read as usize], home));
            }
        }
        files = files.with(&format!("models/m{number}.sql"), &sql);
        if dice.roll(3) == 0 && kind != "ephemeral" && home.is_none() {
            properties.push_str(&format!("  - name: m{number}\n    columns: [{{name: id, data_tests: [not_null]}}]\n"));
        }
        only.push(home);
    }
    for test in 0..dice.roll(4) {
        let reads: String = {
            let mut one = |_| {
                let read = dice.roll(count);
                read_of(dice, read, only[read as usize], None)
            };
            (0..2).map(&mut one).collect()
        };
        files = files.with(&format!("tests/t{test}.sql"), &format!("select 1 as id{reads}"));
    }
    files.with("models/m.yml", &properties)
}

/// A piece of SQL that reads a model, on the targets where both are.
fn read_of(dice: &mut Dice, read: u64, there: Option<usize>, here: Option<usize>) -> String {
    let sql = format!(" union all select id from {{{{ ref('m{read}') }}}}");
    let side = match (there, here, dice.roll(5)) {
        (Some(there), Some(here), _) if there != here => return String::new(),
        (Some(side), _, _) => side,
        (None, _, chance @ (0 | 1)) => chance as usize,
        _ => return sql,
    };
    format!("{{% if target.name == '{}' %}}{sql}{{% endif %}}", SIDES[side])
}

fn compiled(files: &MemoryFiles, target: &str, seed: u64) -> Compilation {
    let files: Arc<dyn Files> = Arc::new(files.clone());
    let mut diagnostics = Diagnostics::default();
    let invocation = Invocation { adapter_chain: acca::execute::adapter_chain("postgres"), ..Invocation::default() };
    let options = LoadOptions { target: Some(target.to_owned()), ..LoadOptions::default() };
    let compilation = acca::compile::parse(&files, &options, invocation, &acca::compile::NoStore, &mut diagnostics);
    let said: Vec<&String> = diagnostics.iter().map(|problem| &problem.message).collect();
    assert!(!diagnostics.has_errors(), "seed {seed}: {said:?}");
    compilation.unwrap_or_else(|_| panic!("seed {seed}"))
}

fn options(root: &std::path::Path, dice: &mut Dice) -> RunOptions {
    RunOptions {
        threads: 1 + dice.roll(3) as usize,
        fail_fast: dice.roll(5) == 0,
        full_refresh: false,
        store_failures: false,
        prune: false,
        gate_on_tests: dice.roll(3) > 0,
        node_timeout: None,
        event_time: None,
        batches: Arc::default(),
        timings: Arc::default(),
        run_id: "00000000-0000-0000-0000-000000000000".to_owned(),
        root: root.to_owned(),
        target_path: root.join("target"),
        offline: false,
    }
}

/// The nodes of a side that are selected: what is built there, and what comes there.
fn selected(manifest: &Manifest, placed: &Placed, chosen: &BTreeSet<UniqueId>) -> Vec<usize> {
    let is_selected = |id: &UniqueId| chosen.contains(id) && (placed.built.contains(id) || placed.arrivals.contains_key(id));
    let nodes = manifest.nodes.iter().enumerate().filter(|(_, node)| is_selected(&node.id));
    nodes.filter(|(_, node)| node.is_runnable() || placed.arrivals.contains_key(&node.id)).map(|(number, _)| number).collect()
}

/// Runs a project; how many nodes it has, and how many of them go from one target to the other.
fn run_both(seed: u64, root: &std::path::Path) -> Option<(usize, usize)> {
    let mut dice = Dice(seed);
    (0..8).for_each(|_| {
        dice.roll(2);
    });
    let files = project(&mut dice);
    let sides: Vec<Compilation> = SIDES.iter().map(|target| compiled(&files, target, seed)).collect();
    let serving = sides[0].project.acca.serving.clone().unwrap();
    // As the command line has them: that of the default class first.
    let order = [1, 0];
    let manifests: Vec<(&str, &Manifest)> = order.iter().map(|side| (SIDES[*side], &*sides[*side].manifest)).collect();
    let placed = place(&serving, &manifests).ok()?.placed;
    let all: BTreeSet<UniqueId> = manifests.iter().flat_map(|(_, manifest)| &manifest.nodes).map(|node| node.id.clone()).collect();
    let some = dice.roll(3) == 0;
    let chosen: BTreeSet<UniqueId> = all.into_iter().filter(|_| !some || dice.roll(3) > 0).collect();
    let numbers: Vec<Vec<usize>> =
        manifests.iter().zip(&placed).map(|((_, manifest), placed)| selected(manifest, placed, &chosen)).collect();
    let ids = |side: usize| -> Vec<UniqueId> { numbers[side].iter().map(|number| manifests[side].1.nodes[*number].id.clone()).collect() };
    let built: Vec<BTreeSet<UniqueId>> =
        (0..2).map(|side| ids(side).into_iter().filter(|id| placed[side].built.contains(id)).collect()).collect();
    let gets: Vec<BTreeMap<UniqueId, usize>> =
        (0..2).map(|side| ids(side).into_iter().filter_map(|id| Some((id.clone(), *placed[side].arrivals.get(&id)?))).collect()).collect();
    let fails: Vec<String> = (0..dice.roll(3)).map(|_| format!("m{}", dice.roll(12))).collect();
    let adapter: Arc<dyn Adapter> = Arc::new(Obliging { fails });
    let jobs: Vec<RunJob<'_>> = partners(&built, &gets)
        .into_iter()
        .enumerate()
        .map(|(side, partner)| {
            let compilation = &sides[order[side]];
            let origin = |(id, home): (&UniqueId, &usize)| {
                let target = sides[order[*home]].project.target.clone();
                let relation = sides[order[*home]].manifest.node(id)?.relation.clone()?;
                let place = serving.transfer.clone();
                Some((id.clone(), Origin { target, relation, place, adapter: Some(adapter.clone()), asked: true, expected: None }))
            };
            let served = Served { origins: placed[side].arrivals.iter().filter_map(origin).collect(), partner: Some(partner) };
            let (selected, options) = (numbers[side].clone(), options(root, &mut dice));
            RunJob { compilation, adapter: adapter.clone(), engine: Engine::Postgres, selected, options, served }
        })
        .collect();
    let interrupt = Interrupt::default();
    let results: Vec<RunResult> = std::thread::scope(|scope| {
        let running: Vec<_> = jobs.iter().map(|job| scope.spawn(|| ended(job, &interrupt))).collect();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    for (job, result) in jobs.iter().zip(&results) {
        let told: BTreeSet<&UniqueId> = result.nodes.iter().map(|node| &node.id).collect();
        assert_eq!(
            (told.len(), result.nodes.len()),
            (job.selected.len(), job.selected.len()),
            "seed {seed}: {:?}",
            result.diagnostics.iter().map(|problem| &problem.message).collect::<Vec<_>>()
        );
    }
    Some((numbers.iter().map(Vec::len).sum(), gets.iter().map(BTreeMap::len).sum()))
}

fn ended(job: &RunJob<'_>, interrupt: &Interrupt) -> RunResult {
    let result = run(job, &Silent, interrupt);
    let partner: Option<&Partner> = job.served.partner.as_ref();
    partner.into_iter().for_each(|partner| partner.exchange.close(partner.here));
    result
}

#[test]
fn every_plan_on_two_targets_ends() {
    const SEEDS: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let (mut nodes, mut gone) = (0, 0);
    for seed in 0..SEEDS {
        let (done, waits) = mpsc::channel();
        let root = root.clone();
        std::thread::spawn(move || done.send(run_both(seed, &root)).unwrap());
        match waits.recv_timeout(Duration::from_secs(60)) {
            Ok(counts) => {
                let (more, transfers) = counts.unwrap_or_default();
                (nodes, gone) = (nodes + more, gone + transfers);
            }
            Err(why) => panic!("the runs of seed {seed} do not end: {why}"),
        }
    }
    assert!(nodes > 400 && gone > 80, "{nodes} nodes, {gone} transfers");
}
