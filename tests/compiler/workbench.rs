//! Compiles a case and answers its expectations:
//!
//! | `expect …` | answer |
//! | --- | --- |
//! | `diagnostics` | all diagnostics, as a terminal shows them |
//! | `graph` | every node, and what it reads |
//! | `config NODE [KEY…]` | its configuration, or these keys of it |
//! | `sql NODE [TARGET]` | its compiled SQL |
//! | `explain NODE [TARGET]` | the steps that would build it on an empty database, with their statements |
//! | `explain NODE TARGET built` | those that would build it again, without a connection |
//! | `explain NODE TARGET empty` | those that would build it first, without a connection |
//! | `schema NODE` | its columns with their types, as `acca schema` infers them |
//! | `lineage NODE` | each of its columns with the columns that it comes from |
//! | `selected ARGUMENT…` | what `--select ARGUMENT…` selects; `--exclude`, `--selector` and `--indirect-selection` may follow |
//! | `build [TARGET]` | what becomes of each node when the project is built |
//! | `rows NODE [TARGET]` | the rows of its relation then, in order |
//!
//! `selected` compares (`state:`, `result:`) with the project as it was: with the files under `before/` in place of those of the same
//! path, where the text `absent` says that there was none; with
//! the variables of `before/env`, and with `before/target/run_results.json` and `sources.json`.
//!
//! The targets are `duckdb` (where none is said), `postgres` and `redshift`. `build` and `rows` run on DuckDB and on PostgreSQL
//! when no target is said, and both must answer alike; what goes wrong during the run on DuckDB may be announced by markers too.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use acca::analysis::{Compilation, NodeAnalysis, SchemaColumn, check_is_query, is_portable};
use acca::artifacts::{Metadata, describe_state};
use acca::base::{Files, MemoryFiles, ResourceType, Sources};
use acca::diag::{Diagnostic, Diagnostics, render};
use acca::execute::{Assumption, adapter_chain, engine_of, node_fits};
use acca::jinja::{Invocation, NodeState};
use acca::plan::select::{Compared, IndirectSelection, Request, Scope, select};
use acca::plan::{State, StateFreshness, StateResults, key_advice};
use acca::project::{LoadOptions, Node};

use crate::engines::{self, Built};
use crate::harness::{Case, Found, Outcome};

/// Columns of the terminal for which diagnostics are drawn.
const WIDTH: usize = 120;

/// For cases that do not bring a project file of their own.
const PROJECT_FILE: &str = "name: shop\nversion: '1.0'\nprofile: shop\n";

/// What `acca check` finds. A case that announces one of them is checked so.
const OF_ANALYSIS: &[&str] = &[
    "ambiguous-column",
    "bad-suppression",
    "duplicate-alias",
    "duplicate-column",
    "foreign-sql",
    "integer-division",
    "invalid-unit",
    "join-fan-out",
    "key-advice",
    "lossy-cast",
    "misplaced-aggregate",
    "mixed-currency",
    "nondeterministic-filter",
    "null-comparison",
    "nullable-not-in",
    "order-with-ties",
    "personal-data-in-report",
    "type-mismatch",
    "unequal-columns",
    "ungrouped-column",
    "unit-assertion",
    "unit-mismatch",
    "unknown-column",
    "unknown-described-column",
    "unknown-function",
    "unknown-relation",
    "unknown-type",
    "unknown-zone",
    "unread-query",
    "unsupported-in-dialect",
    "unused-column",
    "unused-cte",
    "zone-mismatch",
];

/// A case on its way through the compiler.
struct Workbench {
    case: Case,
    /// Run on DuckDB and on PostgreSQL when an expectation asks for it, each once.
    duckdb: OnceCell<Result<Built, String>>,
    postgres: OnceCell<Result<Built, String>>,
}

/// What the compiler says to a case.
pub fn compile(case: &Case) -> Outcome {
    let bench = Rc::new(Workbench { case: with_default_files(case), duckdb: OnceCell::new(), postgres: OnceCell::new() });
    let (parsed, mut diagnostics) = parse(&bench.case, None);
    let analysed = case.expects("schema") || case.expects("lineage") || case.announces(OF_ANALYSIS);
    if let (Ok(compilation), false) = (&parsed, diagnostics.has_errors()) {
        // What is wrong with portable models is found by the analysis too, all of it.
        for node in compilation.manifest.nodes.iter().filter(|node| !(analysed && is_portable(node))) {
            diagnostics.extend(check_node(compilation, node).err());
        }
    }
    let builds = case.expects("build") || case.expects("rows");
    if let (Ok(compilation), true) = (&parsed, analysed && !diagnostics.has_errors()) {
        let analysis = compilation.analyse(&MemoryFiles { files: bench.case.files.clone(), env: bench.case.env.clone() }, None);
        diagnostics.extend(analysis.problems.iter().cloned());
        if case.announces(&["key-advice"]) {
            diagnostics.extend(key_advice(compilation, &analysis, false));
        }
        diagnostics.extend(analysis.nodes.into_values().flat_map(|node| node.problems));
    }
    let mut said = said(&diagnostics, sources_of(&parsed));
    if !diagnostics.has_errors()
        && builds
        && let Ok(built) = bench.built("duckdb")
    {
        said.extend(built.said.iter().cloned());
    }
    let answer = move |about: &[&str]| bench.answer(about);
    let drawn = said.iter().map(|said| said.drawn.as_str()).collect::<Vec<_>>().join("\n\n");
    Outcome { diagnostics: said.into_iter().map(|said| said.found).collect(), drawn, answer: Box::new(answer) }
}

/// A diagnostic for markers, and drawn.
#[derive(Clone)]
pub struct Said {
    pub found: Found,
    pub drawn: String,
}

/// In the order in which acca shows them.
pub fn said(diagnostics: &Diagnostics, sources: &Sources) -> Vec<Said> {
    let mut sorted = diagnostics.clone();
    sorted.sort();
    let said = sorted.iter().map(|diagnostic| {
        let place = diagnostic.primary.as_ref().map(|label| {
            let file = sources.file(label.span.file);
            (file.path.to_string(), file.position(label.span.start as usize).line)
        });
        let found = Found {
            place,
            severity: diagnostic.severity.as_str().to_owned(),
            code: diagnostic.code.name.to_owned(),
            message: diagnostic.message.clone(),
        };
        Said { found, drawn: render(diagnostic, sources, false, WIDTH) }
    });
    said.collect()
}

fn with_default_files(case: &Case) -> Case {
    let mut case = case.clone();
    let project = case.files.entry("dbt_project.yml".to_owned()).or_insert_with(|| PROJECT_FILE.to_owned());
    // A project file that names no profile is about having none.
    if project.contains("profile: shop") {
        case.files.entry("profiles.yml".to_owned()).or_insert_with(|| engines::profiles(None));
    }
    case
}

type Parsed = Result<Compilation, Sources>;

/// Parses the project for a target of its profile, or for the profile's own choice.
pub fn parse(case: &Case, target: Option<&str>) -> (Parsed, Diagnostics) {
    let files: Arc<dyn Files> = Arc::new(MemoryFiles { files: case.files.clone(), env: case.env.clone() });
    let invocation = Invocation {
        id: "00000000-0000-0000-0000-000000000000".to_owned(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        which: "build".to_owned(),
        adapter_chain: adapter_chain(target.unwrap_or("duckdb")),
        ..Invocation::default()
    };
    let options = LoadOptions { target: target.map(str::to_owned), ..LoadOptions::default() };
    let mut diagnostics = Diagnostics::default();
    let parsed = acca::compile::parse(&files, &options, invocation, &acca::compile::NoStore, &mut diagnostics);
    (parsed, diagnostics)
}

fn sources_of(parsed: &Parsed) -> &Sources {
    match parsed {
        Ok(compilation) => &compilation.project.sources,
        Err(sources) => sources,
    }
}

/// What `acca compile` finds wrong with a node.
fn check_node(compilation: &Compilation, node: &Node) -> Result<(), Diagnostic> {
    use ResourceType as Type;
    if !matches!(node.resource, Type::Model | Type::Snapshot | Type::Test | Type::Analysis) {
        return Ok(());
    }
    let compiled = compilation.compile_node(node, NodeState::default(), None)?;
    let engine = engine_of(&compilation.project.target)?;
    node_fits(compilation, node, &compiled, engine)?;
    if node.resource == Type::Model { check_is_query(node, &compiled) } else { Ok(()) }
}

impl Workbench {
    fn answer(&self, about: &[&str]) -> Result<String, String> {
        match about {
            ["graph"] => Ok(graph(&self.compilation(None)?)),
            ["config", name, keys @ ..] => Ok(config(node_named(&self.compilation(None)?, name)?, keys)),
            ["sql", name] => self.sql(name, None),
            ["sql", name, target] => self.sql(name, Some(target)),
            ["schema", name] => self.schema(name),
            ["lineage", name] => self.lineage(name),
            ["explain", name] => self.explain(name, "duckdb"),
            ["explain", name, target] => self.explain(name, target),
            ["explain", name, target, "built"] => self.explain_offline(name, target, Assumption::Built),
            ["explain", name, target, "empty"] => self.explain_offline(name, target, Assumption::Empty),
            ["selected", arguments @ ..] => self.selected(arguments),
            ["build", target] => Ok(self.built(target)?.statuses.clone()),
            ["build"] => self.on_both(|built| Ok(built.statuses.clone())),
            ["rows", name, target] => self.built(target)?.rows(name),
            ["rows", name] => self.on_both(|built| built.rows(name)),
            _ => Err("nothing of that kind can be expected; see tests/compiler/workbench.rs".to_owned()),
        }
    }

    fn compilation(&self, target: Option<&str>) -> Result<Compilation, String> {
        let (parsed, diagnostics) = parse(&self.case, target);
        let problems = || said(&diagnostics, sources_of(&parsed)).into_iter().map(|said| said.drawn).collect::<Vec<_>>().join("\n");
        if diagnostics.has_errors() {
            return Err(format!("the project does not compile\n{}", problems()));
        }
        parsed.map_err(|_| "the project does not compile".to_owned())
    }

    fn sql(&self, name: &str, target: Option<&str>) -> Result<String, String> {
        let compilation = self.compilation(target)?;
        let compiled = compilation.compile_node(node_named(&compilation, name)?, NodeState::default(), None);
        compiled.map(|compiled| compiled.sql).map_err(|problem| render(&problem, &compilation.project.sources, false, WIDTH))
    }

    fn analysed(&self, name: &str) -> Result<(Compilation, NodeAnalysis), String> {
        let compilation = self.compilation(None)?;
        let number = compilation.manifest.number(&node_named(&compilation, name)?.id).unwrap();
        let files = MemoryFiles { files: self.case.files.clone(), env: self.case.env.clone() };
        let analysis = compilation.analyse(&files, Some(&[number].into()));
        let found = analysis.nodes.get(&number).cloned().ok_or("nothing is known of it")?;
        Ok((compilation, found))
    }

    fn schema(&self, name: &str) -> Result<String, String> {
        let (_, found) = self.analysed(name)?;
        let line = |column: &SchemaColumn| {
            let kind = column.sql_type.map_or("?".to_owned(), |kind| kind.to_string());
            let unit = column.measure.spelled().map_or_else(String::new, |unit| format!(" ({unit})"));
            let labels = if column.labels.is_empty() { String::new() } else { format!(" [{}]", column.labels.join(", ")) };
            // What the type says already is not said again.
            let of_type = column.sql_type.and_then(|kind| kind.length()).and_then(|length| u32::try_from(length * 4).ok());
            let bytes =
                column.bytes.filter(|bytes| Some(*bytes) != of_type).map_or_else(String::new, |bytes| format!(" (at most {bytes} bytes)"));
            format!("{}: {kind}{}{bytes}{unit}{labels}", column.name, if column.nullable { "" } else { " not null" })
        };
        let more = found.schema.open.then(|| "…".to_owned());
        Ok(found.schema.columns.iter().map(line).chain(more).collect::<Vec<_>>().join("\n"))
    }

    fn lineage(&self, name: &str) -> Result<String, String> {
        let (compilation, found) = self.analysed(name)?;
        let lines = found.edges.iter().map(|edge| {
            let from = &compilation.manifest.nodes[edge.from].name;
            format!("{} <- {from}.{} ({})", edge.column, edge.from_column, edge.kind.as_str())
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        Ok(lines.join("\n"))
    }

    fn explain(&self, name: &str, target: &str) -> Result<String, String> {
        let compilation = self.compilation(Some(target))?;
        let id = node_named(&compilation, name)?.id.clone();
        engines::explain(&compilation, &id)
            .map_err(|problems| problems.iter().map(|problem| render(problem, &compilation.project.sources, false, WIDTH)).collect())
    }

    fn explain_offline(&self, name: &str, target: &str, assumption: Assumption) -> Result<String, String> {
        let compilation = self.compilation(Some(target))?;
        let id = node_named(&compilation, name)?.id.clone();
        engines::explain_offline(&compilation, &id, &MemoryFiles { files: self.case.files.clone(), env: self.case.env.clone() }, assumption)
            .map_err(|problems| problems.iter().map(|problem| render(problem, &compilation.project.sources, false, WIDTH)).collect())
    }

    /// The project as it was before, where the case says so.
    fn state(&self, now: &Compilation) -> Result<Option<State>, String> {
        let mut before = self.case.clone();
        let (mut results, mut freshness) = (None, None);
        for (path, text) in &self.case.files {
            match path.strip_prefix("before/") {
                Some("target/run_results.json") => results = Some(text.as_bytes()),
                Some("target/sources.json") => freshness = Some(text.as_bytes()),
                Some("env") => before.env.extend(env(text)),
                Some(path) if text.trim() == "absent" => drop(before.files.remove(path)),
                Some(path) => drop(before.files.insert(path.to_owned(), text.clone())),
                None => {}
            }
        }
        if !self.case.files.keys().any(|path| path.starts_with("before/")) {
            return Ok(None);
        }
        let words = |problem: Diagnostic| problem.message;
        let metadata = Metadata { invocation_id: String::new(), started_at: String::new(), generated_at: String::new(), created_at: 0.0 };
        let files = |case: &Case| MemoryFiles { files: case.files.clone(), env: case.env.clone() };
        let earlier = parse(&before, None).0.map_err(|_| "the project before does not compile".to_owned())?;
        let mut state = State {
            previous: Some(describe_state(&earlier, &files(&before), &metadata).map_err(words)?),
            current: Some(describe_state(now, &files(&self.case), &metadata).map_err(words)?),
            ..State::default()
        };
        if let Some(results) = results {
            state.results = Some(StateResults::read(results, "run_results.json").map_err(words)?.by_node());
        }
        if let (Some(then), Some(now)) = (freshness, self.case.files.get("target/sources.json")) {
            let read = |text: &[u8]| StateFreshness::read(text, "sources.json").map_err(words);
            state.fresher = Some(read(now.as_bytes())?.fresher_than(&read(then)?));
        }
        Ok(Some(state))
    }

    fn selected(&self, arguments: &[&str]) -> Result<String, String> {
        use ResourceType as Type;
        let compilation = self.compilation(None)?;
        let (sources, root) = (&compilation.project.sources, &*compilation.project.name);
        let state = self.state(&compilation)?;
        let compared = state.as_ref().map(Compared::new);
        let scope = Scope {
            manifest: &compilation.manifest,
            sources,
            root,
            selectors: &compilation.project.selectors,
            compared: compared.as_ref(),
        };
        let asked = Asked::read(arguments)?;
        let resources = [Type::Model, Type::Seed, Type::Snapshot, Type::Source, Type::Test, Type::UnitTest, Type::Analysis, Type::Exposure];
        let request = Request {
            select: &asked.select,
            exclude: &asked.exclude,
            selector: asked.selector.as_deref(),
            resources: &resources,
            indirect: asked.indirect,
        };
        let draw = |problems: &[Diagnostic]| problems.iter().map(|problem| render(problem, sources, false, WIDTH)).collect::<Vec<_>>();
        let lines = match select(&scope, &request) {
            Ok(selection) => {
                let ids = selection.nodes.iter().map(|number| compilation.manifest.nodes[*number].id.to_string());
                ids.chain(draw(&selection.warnings)).collect::<Vec<_>>()
            }
            Err(problems) => draw(&problems),
        };
        Ok(lines.join("\n"))
    }

    fn built(&self, target: &str) -> Result<&Built, String> {
        let cell = match target {
            "duckdb" => &self.duckdb,
            "postgres" => &self.postgres,
            _ => return Err(format!("nothing can be built on '{target}' here")),
        };
        cell.get_or_init(|| engines::build(&self.case, target)).as_ref().map_err(Clone::clone)
    }

    /// What DuckDB answers, when PostgreSQL answers the same.
    fn on_both(&self, question: impl Fn(&Built) -> Result<String, String>) -> Result<String, String> {
        let (duckdb, postgres) = (question(self.built("duckdb")?)?, question(self.built("postgres")?)?);
        if duckdb == postgres { Ok(duckdb) } else { Err(format!("the engines differ\nDuckDB:\n{duckdb}\nPostgreSQL:\n{postgres}")) }
    }
}

/// `NAME=value` lines.
fn env(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The flags of a selection, in the words of a case.
#[derive(Default)]
struct Asked {
    select: Vec<String>,
    exclude: Vec<String>,
    selector: Option<String>,
    indirect: IndirectSelection,
}

impl Asked {
    fn read(words: &[&str]) -> Result<Asked, String> {
        let (mut asked, mut flag) = (Asked::default(), "--select");
        for word in words {
            match (flag, *word) {
                (_, "--select" | "--exclude" | "--selector" | "--indirect-selection") => flag = word,
                ("--select", word) => asked.select.push(word.to_owned()),
                ("--exclude", word) => asked.exclude.push(word.to_owned()),
                ("--selector", word) => asked.selector = Some(word.to_owned()),
                (_, "eager") => asked.indirect = IndirectSelection::Eager,
                (_, "cautious") => asked.indirect = IndirectSelection::Cautious,
                (_, "buildable") => asked.indirect = IndirectSelection::Buildable,
                (_, "empty") => asked.indirect = IndirectSelection::Empty,
                (flag, word) => return Err(format!("{flag} does not take '{word}'")),
            }
        }
        Ok(asked)
    }
}

/// The node of that unique id or, when only one has it, of that name.
pub fn node_named<'a>(compilation: &'a Compilation, name: &str) -> Result<&'a Node, String> {
    let nodes = compilation.manifest.nodes.iter();
    let found: Vec<&Node> = nodes.filter(|node| &*node.id == name || node.name == name).collect();
    let ids = |nodes: &mut dyn Iterator<Item = &Node>| nodes.map(|node| &*node.id).collect::<Vec<_>>().join(", ");
    match found.as_slice() {
        [node] => Ok(node),
        [] => Err(format!("there is no '{name}'; there are: {}", ids(&mut compilation.manifest.nodes.iter()))),
        many => Err(format!("several are called '{name}': {}", ids(&mut many.iter().copied()))),
    }
}

/// One node a line, with what it reads: `model.shop.b <- model.shop.a`.
fn graph(compilation: &Compilation) -> String {
    let line = |node: &Node| match node.depends_on.join(", ") {
        reads if reads.is_empty() => node.id.to_string(),
        reads => format!("{} <- {reads}", node.id),
    };
    compilation.manifest.nodes.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `key: value` with the value as JSON; all keys, or those asked for.
fn config(node: &Node, keys: &[&str]) -> String {
    let wanted = node.config.iter().filter(|(key, _)| keys.is_empty() || keys.contains(key));
    let mut lines: Vec<String> = wanted.map(|(key, value)| format!("{key}: {}", value.value)).collect();
    lines.sort();
    lines.join("\n")
}
