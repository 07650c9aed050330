//! Runs a case on real engines: DuckDB in a file of its own, PostgreSQL in a database of its own.

use std::fs;
use std::path::Path;

use acca::analysis::Compilation;
use acca::base::{Datum, MemoryFiles, Relation, ResourceType, Table};
use acca::diag::{Diagnostic, Diagnostics};
use acca::dialect::Engine;
use acca::execute::{
    Assumption, Connected, DuckDb, Event, Interrupt, MEMORY, NodeExplanation, Origins, Reporter, RunJob, RunOptions, Served, engine_of,
    explain_assuming,
};
use acca::plan::{RunResult, Status};

use crate::harness::Case;
use crate::postgres::{PgDatabase, PgServer};
use crate::workbench::{Said, node_named, parse, said};

/// A case that was built on one engine. Its project's folder and database live as long as this.
pub struct Built {
    /// One node a line: `success model.shop.orders (2 rows)`.
    pub statuses: String,
    /// What went wrong during the run.
    pub said: Vec<Said>,
    compilation: Compilation,
    connected: Connected,
    _folder: tempfile::TempDir,
    _database: Option<PgDatabase<'static>>,
}

/// A profile with an output for each engine. Only the one of PostgreSQL needs a server; without one it is never connected to.
pub fn profiles(database: Option<&PgDatabase<'_>>) -> String {
    let postgres = match database {
        Some(database) => database.profile_output("main"),
        None => "{type: postgres, host: localhost, port: 5432, user: nobody, password: none, dbname: shop, schema: main}".to_owned(),
    };
    format!(
        "shop:\n  target: duckdb\n  outputs:\n    duckdb: {{type: duckdb, path: 'shop.duckdb', schema: main}}\n    postgres: {postgres}\n    \
         redshift: {{type: redshift, host: localhost, port: 5439, user: nobody, password: none, dbname: shop, schema: main}}\n"
    )
}

/// Builds the whole project: loads, seeds, models, snapshots and tests.
pub fn build(case: &Case, target: &str) -> Result<Built, String> {
    let database = (target == "postgres").then(|| PgServer::shared().database());
    let mut case = case.clone();
    if database.is_some() {
        case.files.insert("profiles.yml".to_owned(), profiles(database.as_ref()));
    }
    let folder = tempfile::Builder::new().prefix("acca-case-").tempdir().unwrap();
    for (path, text) in &case.files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (parsed, diagnostics) = parse(&case, Some(target));
    let (Ok(compilation), false) = (parsed, diagnostics.has_errors()) else {
        return Err(format!("the project does not compile for {target}"));
    };
    let connected = acca::execute::open(&compilation.project.target, folder.path()).map_err(|problem| problem.message)?;
    let job = job(&compilation, &connected, everything(&compilation), folder.path());
    let result = acca::execute::run(&job, &Silent, &Interrupt::default());
    let mut problems = Diagnostics::default();
    problems.extend(result.diagnostics.iter().chain(result.nodes.iter().flat_map(|node| &node.diagnostics)).cloned());
    let said = said(&problems, &compilation.project.sources);
    let statuses = statuses(&result);
    Ok(Built { statuses, said, compilation, connected, _folder: folder, _database: database })
}

/// The steps that would build the node on an empty database. Nothing is connected to but a DuckDB in memory, which has nothing.
pub fn explain(compilation: &Compilation, id: &str) -> Result<String, Vec<Diagnostic>> {
    let engine = engine_of(&compilation.project.target).map_err(|problem| vec![problem])?;
    let empty = DuckDb::open(MEMORY, None, &Default::default()).unwrap();
    let connected = Connected { adapter: std::sync::Arc::new(empty), engine };
    let number = compilation.manifest.number(id).unwrap();
    let job = job(compilation, &connected, vec![number], Path::new(""));
    shown(acca::execute::explain(&job).map_err(|problem| vec![problem])?)
}

/// The steps that would build the node on a database of which that is assumed, worked out without one.
pub fn explain_offline(
    compilation: &Compilation,
    id: &str,
    files: &MemoryFiles,
    assumption: Assumption,
) -> Result<String, Vec<Diagnostic>> {
    let engine = engine_of(&compilation.project.target).map_err(|problem| vec![problem])?;
    let number = compilation.manifest.number(id).unwrap();
    let options = options(Path::new(""));
    let explained = explain_assuming(compilation, engine, &[number], &options, files, assumption, &Origins::new());
    shown(explained.map_err(|problem| vec![problem])?)
}

fn shown(explained: Vec<NodeExplanation>) -> Result<String, Vec<Diagnostic>> {
    let mut text = String::new();
    for node in explained {
        if !node.diagnostics.is_empty() {
            return Err(node.diagnostics);
        }
        for (title, statements) in node.steps {
            text.push_str(&format!("-- {title}\n{}\n", statements.into_iter().map(|sql| sql + ";\n").collect::<String>()));
        }
    }
    Ok(text)
}

fn job<'a>(compilation: &'a Compilation, connected: &Connected, selected: Vec<usize>, root: &Path) -> RunJob<'a> {
    RunJob {
        compilation,
        adapter: connected.adapter.clone(),
        engine: connected.engine,
        selected,
        options: options(root),
        served: Served::default(),
    }
}

fn options(root: &Path) -> RunOptions {
    RunOptions {
        threads: 2,
        fail_fast: false,
        full_refresh: false,
        store_failures: false,
        prune: false,
        gate_on_tests: true,
        node_timeout: None,
        event_time: None,
        batches: std::sync::Arc::default(),
        timings: std::sync::Arc::default(),
        run_id: "00000000-0000-0000-0000-000000000000".to_owned(),
        root: root.to_owned(),
        target_path: root.join("target"),
        offline: false,
    }
}

/// What `acca build` works on.
fn everything(compilation: &Compilation) -> Vec<usize> {
    use ResourceType as Type;
    let nodes = compilation.manifest.nodes.iter().enumerate();
    let runs = |resource: Type| matches!(resource, Type::Model | Type::Seed | Type::Snapshot | Type::Source | Type::Test | Type::UnitTest);
    nodes.filter(|(_, node)| runs(node.resource) && node.is_runnable()).map(|(number, _)| number).collect()
}

/// In order of the nodes' ids: which finishes first is chance.
fn statuses(result: &RunResult) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    for node in &result.nodes {
        let detail = match (node.status, node.failures, node.rows_affected) {
            (Status::Fail | Status::Warn, Some(1), _) => " (1 failure)".to_owned(),
            (Status::Fail | Status::Warn, Some(failures), _) => format!(" ({failures} failures)"),
            (Status::Success, _, Some(1)) => " (1 row)".to_owned(),
            (Status::Success, _, Some(rows)) => format!(" ({rows} rows)"),
            _ => String::new(),
        };
        lines.push((&node.id, format!("{} {}{detail}", node.status.as_str(), node.id)));
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

impl Built {
    /// All rows of the node's relation, in order of all columns, as a table.
    pub fn rows(&self, name: &str) -> Result<String, String> {
        let node = node_named(&self.compilation, name)?;
        let relation = node.relation.as_ref().ok_or(format!("'{name}' has no relation"))?;
        let mut session = self.connected.adapter.connect().map_err(|error| error.to_string())?;
        let table = session.query(&select_all(relation, self.connected.engine), None).map_err(|error| error.to_string())?;
        Ok(print_table(&table))
    }
}

fn select_all(relation: &Relation, engine: Engine) -> String {
    match engine {
        Engine::DuckDb => format!("select * from {} order by all nulls last", relation.quoted()),
        // A row sorts by its columns, nulls last.
        Engine::Postgres | Engine::Redshift => format!("select held.* from {} as held order by held", relation.quoted()),
    }
}

fn print_table(table: &Table) -> String {
    let header = table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let rows = table.rows.iter().map(|row| row.iter().map(print_cell).collect::<Vec<_>>());
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let print = |line: &Vec<String>| {
        line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>().join(" | ").trim_end().to_owned()
    };
    lines.iter().map(print).collect::<Vec<_>>().join("\n")
}

fn print_cell(cell: &Datum) -> String {
    match cell {
        Datum::Null => "NULL".to_owned(),
        Datum::Bool(truth) => truth.to_string(),
        Datum::Int(number) => number.to_string(),
        Datum::Float(number) => number.to_string(),
        Datum::Decimal(digits) => digits.clone(),
        Datum::Text(text) => text.clone(),
    }
}

struct Silent;

impl Reporter for Silent {
    fn report(&self, _event: &Event<'_>) {}
}
