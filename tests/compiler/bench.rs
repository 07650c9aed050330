//! A small project that is run on an engine through the library, without the command line.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use acca::analysis::{Analysis, Compilation};
use acca::base::{Files, MemoryFiles, Relation, ResourceType, Window};
use acca::diag::{Diagnostics, render};
use acca::execute::{Adapter, Event, Interrupt, Reporter, RunJob, RunOptions, Served, adapter_chain, open, run};
use acca::jinja::Invocation;
use acca::plan::{RunResult, Status};
use acca::project::{LoadOptions, Node};

use crate::postgres::{PgDatabase, PgServer};
use crate::redshift::Imitation;
use crate::redshift::service::DataApi;
use crate::tidy::root;

/// A project in a temporary folder, with a target on one engine.
pub struct Bench {
    pub engine: &'static str,
    pub folder: tempfile::TempDir,
    files: MemoryFiles,
    /// Lives as long as the bench.
    _database: Option<PgDatabase<'static>>,
    /// What stands in for a warehouse.
    service: Option<DataApi>,
    adapter: Mutex<Option<Arc<dyn Adapter>>>,
    runs: Mutex<usize>,
}

/// What came of a run, with everything that was said drawn as text.
pub struct Ran {
    pub result: RunResult,
    pub drawn: String,
    pub said: Vec<String>,
}

/// How a run differs from a plain one.
#[derive(Clone, Default)]
pub struct How {
    /// Which nodes to run; `None`: all.
    pub only: Option<fn(&Node) -> bool>,
    pub full_refresh: bool,
    pub prune: bool,
    pub gate_on_tests: bool,
    pub interrupt: Option<Arc<Interrupt>>,
    /// When the run begins, for models that are built in batches of time; `None`: whenever it does.
    pub at: &'static str,
    pub event_time: Option<Window>,
    pub vars: serde_json::Map<String, serde_json::Value>,
}

struct Listener(Mutex<Vec<String>>);

impl Reporter for Listener {
    fn report(&self, event: &Event<'_>) {
        if let Event::Said { message, .. } = event {
            self.0.lock().unwrap().push(message.text.clone());
        }
    }
}

impl Bench {
    /// One bench for each engine.
    pub fn both() -> Vec<Bench> {
        vec![Bench::new("duckdb"), Bench::new("postgres")]
    }

    pub fn new(engine: &'static str) -> Bench {
        Bench::with(engine, (engine == "postgres").then(|| PgServer::shared().database()))
    }

    /// A bench on PostgreSQL, in a database of the caller's.
    pub fn in_database(database: PgDatabase<'static>) -> Bench {
        Bench::with("postgres", Some(database))
    }

    fn with(engine: &'static str, database: Option<PgDatabase<'static>>) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let service = (engine == "redshift").then(DataApi::start);
        let output = match (&database, &service) {
            (Some(database), _) => database.profile_output("shop"),
            (None, Some(service)) => format!(
                "{{type: redshift, cluster_id: made-up, endpoint: '{}', dbname: {}, schema: shop, access_key_id: made-up, secret_access_key: made-up}}",
                service.endpoint(),
                service.imitation().name()
            ),
            // In memory: a file would wait for the disk at each commit, three hundred times in the flagship's loads.
            (None, None) => "{type: duckdb, path: ':memory:', schema: shop}".to_owned(),
        };
        let files = MemoryFiles::default()
            .with("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n")
            .with("profiles.yml", &format!("shop: &any\n  target: t\n  outputs:\n    t: {output}\nacca: *any\n"));
        Bench { engine, folder, files, _database: database, service, adapter: Mutex::default(), runs: Mutex::new(0) }
    }

    /// The project at the root of the repository, with its data.
    pub fn of_the_root(engine: &'static str) -> Bench {
        let mut bench = Bench::new(engine);
        for place in ["dbt_project.yml", "acca.yml", "models", "macros", "seeds", "snapshots", "tests/data"] {
            for entry in walkdir::WalkDir::new(root().join(place)) {
                let entry = entry.unwrap();
                if entry.file_type().is_file() {
                    let path = entry.path().strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                    bench.file(&path, &std::fs::read_to_string(entry.path()).unwrap());
                }
            }
        }
        std::os::unix::fs::symlink(root().join("data"), bench.folder.path().join("data")).unwrap();
        bench
    }

    /// Writes a file of the project, for the compiler and on disk.
    pub fn file(&mut self, path: &str, text: &str) -> &mut Bench {
        self.files.files.insert(path.to_owned(), text.to_owned());
        let place = self.folder.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
        self
    }

    /// The profiles as they are now.
    pub fn profile(&self) -> String {
        self.files.files["profiles.yml"].clone()
    }

    /// What the project makes: the resource, the name and the relation of each node that has one.
    pub fn relations(&self) -> Vec<(ResourceType, String, Relation)> {
        let compilation = self.compile(&How::default());
        let nodes = compilation.manifest.nodes.iter().filter(|node| node.is_runnable() && !node.resource.is_test());
        nodes.filter_map(|node| Some((node.resource, node.name.clone(), node.relation.clone()?))).collect()
    }

    /// Names of some nodes, in order.
    pub fn nodes(&self, chosen: impl Fn(&Node) -> bool) -> Vec<String> {
        let compilation = self.compile(&How::default());
        let mut names: Vec<String> = compilation.manifest.nodes.iter().filter(|node| chosen(node)).map(|node| node.name.clone()).collect();
        names.sort();
        names
    }

    /// The next run connects as the profile says then.
    pub fn reopen(&self) {
        *self.adapter.lock().unwrap() = None;
    }

    /// Runs everything; the project must compile.
    pub fn run(&self) -> Ran {
        self.run_how(&How::default())
    }

    /// What is known of the columns of all nodes.
    pub fn analyse(&self) -> (Compilation, Analysis) {
        let compilation = self.compile(&How::default());
        let analysis = compilation.analyse(&self.files, None);
        (compilation, analysis)
    }

    fn compile(&self, how: &How) -> Compilation {
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let mut diagnostics = Diagnostics::default();
        let invocation = Invocation {
            adapter_chain: adapter_chain(self.engine),
            full_refresh: how.full_refresh,
            started_at: how.at.to_owned(),
            ..Invocation::default()
        };
        let options = LoadOptions { vars: how.vars.clone(), ..LoadOptions::default() };
        match acca::compile::parse(&files, &options, invocation, &acca::compile::NoStore, &mut diagnostics) {
            Ok(compilation) if !diagnostics.has_errors() => compilation,
            Ok(compilation) => panic!("{}", drawn(diagnostics.iter(), &compilation.project.sources)),
            Err(sources) => panic!("{}", drawn(diagnostics.iter(), &sources)),
        }
    }

    pub fn run_how(&self, how: &How) -> Ran {
        let compilation = self.compile(how);
        let root: PathBuf = self.folder.path().to_owned();
        // DuckDB's file stays open between runs, as a test looks into it.
        let mut held = self.adapter.lock().unwrap();
        let connected = match held.take() {
            Some(adapter) => acca::execute::Connected { adapter, engine: acca::execute::engine_of(&compilation.project.target).unwrap() },
            None => open(&compilation.project.target, &root).unwrap(),
        };
        *held = Some(connected.adapter.clone());
        drop(held);
        let numbers = 0..compilation.manifest.nodes.len();
        let wanted = |number: &usize| how.only.is_none_or(|chosen| chosen(&compilation.manifest.nodes[*number]));
        let mut runs = self.runs.lock().unwrap();
        *runs += 1;
        let job = RunJob {
            compilation: &compilation,
            adapter: connected.adapter,
            engine: connected.engine,
            selected: numbers.filter(wanted).collect(),
            served: Served::default(),
            options: RunOptions {
                threads: 4,
                fail_fast: false,
                full_refresh: how.full_refresh,
                store_failures: false,
                prune: how.prune,
                gate_on_tests: how.gate_on_tests,
                node_timeout: None,
                event_time: how.event_time,
                batches: std::sync::Arc::default(),
                timings: std::sync::Arc::default(),
                run_id: format!("run{:05}", *runs),
                target_path: root.join("target"),
                offline: false,
                root,
            },
        };
        let listener = Listener(Mutex::default());
        let interrupt = how.interrupt.clone().unwrap_or_default();
        let result = run(&job, &listener, &interrupt);
        let problems = result.nodes.iter().flat_map(|node| &node.diagnostics).chain(&result.diagnostics);
        let drawn = drawn(problems, &compilation.project.sources);
        Ran { result, drawn, said: listener.0.into_inner().unwrap() }
    }

    /// The rows of a query: fields separated by `|`, rows by line ends.
    pub fn query(&self, sql: &str) -> String {
        let adapter = self.adapter.lock().unwrap().clone().expect("nothing has been run yet");
        let table = adapter.connect().unwrap().query(sql, None).unwrap();
        let row = |row: &Vec<acca::base::Datum>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
        table.rows.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    /// What stands in for the warehouse, without the service in front of it.
    pub fn imitation(&self) -> Option<&Imitation> {
        self.service.as_ref().map(DataApi::imitation)
    }

    /// A session of somebody else.
    pub fn connect(&self) -> Box<dyn acca::execute::Session> {
        self.adapter.lock().unwrap().clone().expect("nothing has been run yet").connect().unwrap()
    }

    pub fn execute(&self, sql: &str) {
        let adapter = self.adapter.lock().unwrap().clone().expect("nothing has been run yet");
        adapter.connect().unwrap().execute(sql).unwrap();
    }

    /// Names of what acca left behind under names of its own.
    pub fn leftovers(&self) -> String {
        self.query("select table_name from information_schema.tables where table_schema <> '_acca' and table_name like '%\\_\\_acca\\_%' escape '\\' order by 1")
    }
}

impl Ran {
    /// The run must have gone well.
    pub fn ok(self) -> Ran {
        assert!(!self.result.failed() && self.drawn.is_empty(), "{}\n{:#?}", self.drawn, self.statuses());
        self
    }

    pub fn status(&self, name: &str) -> Status {
        let suffix = format!(".{name}");
        let found = self.result.nodes.iter().find(|node| node.id.ends_with(&suffix) || node.id.contains(&format!("{suffix}.")));
        found.unwrap_or_else(|| panic!("'{name}' did not run: {:#?}", self.statuses())).status
    }

    pub fn statuses(&self) -> Vec<String> {
        self.result.nodes.iter().map(|node| format!("{} {} {}", node.status.as_str(), node.id, node.message)).collect()
    }
}

fn drawn<'a>(problems: impl IntoIterator<Item = &'a acca::diag::Diagnostic>, sources: &acca::base::Sources) -> String {
    let shown = problems.into_iter().filter(|problem| problem.severity != acca::diag::Severity::Note);
    shown.map(|problem| render(problem, sources, false, 120)).collect::<Vec<_>>().join("\n\n")
}
