//! Portable queries on real engines: `portable/<family>.sql` holds queries over the trap data of `portable/tables.sql`, and every engine
//! must give the rows that PostgreSQL gives. Before a query stand comments:
//!
//! | comment | says |
//! | --- | --- |
//! | `-- facts: N…` | which differences between engines it is about |
//! | `-- needs: REWRITE ENGINE…` | without that rewrite these engines give other rows, or an error: a test sees to it that they do |
//! | `-- fails: [ENGINE…] TEXT` | these engines (without any, all) refuse it while it runs, with a message that contains the text |
//! | `-- refused: ENGINE… TEXT` | acca refuses it for these engines, with a message that contains the text |
//! | `-- ties: WHY NONE SHOW` | it is told that its order has ties, which these rows do not show |

mod advice;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use acca::analysis::{Inferred, Lowered, Lowering, RelationSchema, SchemaColumn, SqlType, Table, Tables, TypedQuery, infer};
use acca::base::Datum;
use acca::diag::Severity;
use acca::dialect::{Engine, Rewriter, portable, refusals};
use acca::execute::{Adapter, DuckDb, MEMORY, Postgres, Session};
use acca::syntax::{parse_query, try_parse_exact};

use crate::bench::Bench;
use crate::postgres::PgServer;
use crate::redshift::silent::{Silent, outside_of_queries};
use crate::redshift::{Imitation, emitted};
use crate::tidy::root;

const ENGINES: [(&str, Engine); 3] = [("postgres", Engine::Postgres), ("duckdb", Engine::DuckDb), ("redshift", Engine::Redshift)];

/// A query with what its comments say.
#[derive(Debug, Default)]
struct Query {
    /// Family and line.
    place: String,
    sql: String,
    facts: Vec<u16>,
    needs: Vec<(portable::Rewrite, Engine)>,
    fails: Vec<(Engine, String)>,
    refused: Vec<(Engine, String)>,
    has_ties: bool,
}

fn folder() -> PathBuf {
    root().join("tests/compiler/portable")
}

fn engine(name: &str) -> Engine {
    ENGINES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("there is no engine {name}")).1
}

fn queries() -> Vec<Query> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql") && !path.ends_with("tables.sql"));
    paths.sort();
    let only = std::env::var("PORTABLE").unwrap_or_default();
    paths.iter().flat_map(read).filter(|query| query.place.contains(&only)).collect()
}

/// The differences that some query is about.
pub fn facts_of_queries() -> BTreeSet<u16> {
    queries().into_iter().flat_map(|query| query.facts).collect()
}

fn read(path: &PathBuf) -> Vec<Query> {
    let family = path.file_stem().unwrap().to_string_lossy();
    let mut queries = Vec::new();
    let mut query = Query::default();
    for (number, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
        if let Some((key, words)) = line.strip_prefix("-- ").and_then(|comment| comment.split_once(": ")) {
            query.note(key, words);
        } else if !line.starts_with("--") && !line.is_empty() {
            if query.sql.is_empty() {
                query.place = format!("{family}:{}", number + 1);
            }
            query.sql.push_str(line.strip_suffix(';').unwrap_or(line));
            query.sql.push('\n');
            if line.ends_with(';') {
                queries.push(std::mem::take(&mut query));
            }
        }
    }
    assert!(query.sql.is_empty(), "{} does not end", query.place);
    queries
}

impl Query {
    fn note(&mut self, key: &str, text: &str) {
        let mut words = text.split_whitespace();
        match key {
            "facts" => self.facts.extend(words.map(|word| word.parse::<u16>().unwrap())),
            "needs" => {
                let name = words.next().unwrap();
                let rewrite = portable::Rewrite::named(name).unwrap_or_else(|| panic!("there is no rewrite {name}"));
                self.needs.extend(words.map(|name| (rewrite, engine(name))));
            }
            "fails" => {
                let named = named(text);
                let all = named.is_empty().then(|| ENGINES.map(|(_, engine)| (engine, text.to_owned())));
                self.fails.extend(named.into_iter().chain(all.into_iter().flatten()));
            }
            "refused" => self.refused.extend(named(text)),
            "ties" => self.has_ties = true,
            _ => {}
        }
    }

    fn refusal(&self, engine: Engine) -> Option<&str> {
        said(&self.refused, engine)
    }

    /// How it fails on an engine while it runs.
    fn failure(&self, engine: Engine) -> Option<&str> {
        said(&self.fails, engine)
    }

    /// The SQL for an engine, or what is refused.
    fn lowered(&self, tables: &TrapTables, rewriter: &Rewriter) -> Result<String, String> {
        let query = try_parse_exact(&self.sql).ok().flatten().ok_or_else(|| "it cannot be read".to_owned())?;
        let inferred = infer(&self.sql, &query, tables);
        let only_rewritten = infer(&self.sql, &query, &OnlyRewritten(tables));
        let mistakes = |inferred: &Inferred| {
            let doubts = inferred.doubts.iter().filter(|doubt| doubt.diagnostic.severity == Severity::Error);
            inferred.findings.iter().chain(doubts).map(|finding| finding.diagnostic.clone()).collect::<Vec<_>>()
        };
        assert_eq!(mistakes(&inferred), mistakes(&only_rewritten), "whoever only rewrites is told of other mistakes: {}", self.sql);
        assert_eq!(inferred.schema.columns, only_rewritten.schema.columns, "whoever only rewrites knows other columns: {}", self.sql);
        if let Some(finding) = inferred.findings.first() {
            return Err(finding.diagnostic.message.clone());
        }
        let typed = |types, places| TypedQuery { sql: &self.sql, query: &query, types, renamed: &[], places };
        let lower = |places| rewriter.lower(&typed(&inferred.types, places));
        let text = |lowered: Result<Option<Lowered>, _>| lowered.ok().map(|lowered| lowered.map(|lowered| lowered.sql));
        assert_eq!(text(lower(true)), text(lower(false)), "marks of places have changed what is written: {}", self.sql);
        let shortly = rewriter.lower(&typed(&only_rewritten.types, true));
        assert_eq!(text(lower(true)), text(shortly), "whoever only rewrites writes something else: {}", self.sql);
        match lower(true) {
            Ok(lowered) => Ok(lowered.map_or_else(|| self.sql.clone(), |lowered| lowered.sql)),
            Err(refusals) => Err(refusals.iter().map(|refusal| refusal.diagnostic.message.clone()).collect::<Vec<_>>().join("; ")),
        }
    }
}

/// The engines in front of a text, each with what is behind them.
fn named(text: &str) -> Vec<(Engine, String)> {
    let mut rest = text;
    let mut engines = Vec::new();
    while let Some((name, engine)) = ENGINES.iter().find(|(name, _)| rest.starts_with(name)) {
        rest = rest.strip_prefix(name).unwrap().trim_start();
        engines.push(*engine);
    }
    engines.into_iter().map(|engine| (engine, rest.to_owned())).collect()
}

fn said(of: &[(Engine, String)], engine: Engine) -> Option<&str> {
    of.iter().find(|(held, _)| *held == engine).map(|(_, message)| message.as_str())
}

/// The trap tables, for types, and the key of `t`.
struct TrapTables(BTreeMap<String, Arc<RelationSchema>>, [Vec<String>; 1]);

impl TrapTables {
    fn read(ddl: &str) -> TrapTables {
        let mut tables: BTreeMap<String, Arc<RelationSchema>> = BTreeMap::new();
        let mut rest = ddl;
        while let Some((_, after)) = rest.split_once("create table ") {
            let (name, after) = after.split_once(" (\n").unwrap();
            let (columns, after) = after.split_once("\n);").unwrap();
            let column = |line: &str| {
                let (name, kind) = line.trim().trim_end_matches(',').split_once(' ').unwrap();
                let sql_type = SqlType::parse(kind);
                assert!(sql_type.is_some(), "{kind}");
                SchemaColumn { name: name.to_owned(), sql_type, nullable: true, ..SchemaColumn::default() }
            };
            let schema = RelationSchema { columns: columns.lines().map(column).collect(), ..RelationSchema::default() };
            tables.insert(name.to_owned(), Arc::new(schema));
            rest = after;
        }
        TrapTables(tables, [vec!["id".to_owned()]])
    }
}

impl Tables for TrapTables {
    fn find(&self, name: &[String]) -> Table {
        let position = self.0.keys().position(|held| name.last() == Some(held));
        position.and_then(|at| Some(Table::Node(at, Arc::clone(self.0.values().nth(at)?)))).unwrap_or(Table::Foreign)
    }

    fn keys(&self, node: usize) -> &[Vec<String>] {
        if self.0.keys().nth(node).is_some_and(|name| name == "t") { &self.1 } else { &[] }
    }

    fn is_never_null(&self, _: usize, column: &str) -> bool {
        column == "id"
    }

    fn is_portable(&self) -> bool {
        true
    }
}

/// The same for whoever only rewrites.
struct OnlyRewritten<'t>(&'t TrapTables);

impl Tables for OnlyRewritten<'_> {
    fn find(&self, name: &[String]) -> Table {
        self.0.find(name)
    }

    fn keys(&self, node: usize) -> &[Vec<String>] {
        self.0.keys(node)
    }

    fn is_never_null(&self, node: usize, column: &str) -> bool {
        self.0.is_never_null(node, column)
    }

    fn is_portable(&self) -> bool {
        true
    }

    fn is_looked_into(&self) -> bool {
        false
    }
}

/// The engines with the trap data in them.
struct Engines {
    tables: TrapTables,
    postgres: Box<dyn Session>,
    duckdb: Box<dyn Session>,
    redshift: Imitation,
    database: String,
}

impl Engines {
    fn new() -> Engines {
        let server = PgServer::shared();
        // Text is ordered as people do it, which no other engine does.
        // Two tests may run in one process.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let database = format!("portable_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        server.query("postgres", &format!("create database {database} template template0 locale_provider icu icu_locale 'en-US'"));
        let ddl = fs::read_to_string(folder().join("tables.sql")).unwrap();
        server.query(&database, &ddl);
        let settings = acca::execute::PgSettings { dbname: database.clone(), ..server.database().settings() };
        let postgres = Postgres::new(settings).unwrap().connect().unwrap();
        let mut duckdb = DuckDb::open(MEMORY, None, &BTreeMap::new()).unwrap().connect().unwrap();
        duckdb.execute(&ddl).unwrap();
        let redshift = Imitation::new();
        redshift.execute(&for_redshift(&ddl)).unwrap();
        Engines { tables: TrapTables::read(&ddl), postgres, duckdb, redshift, database }
    }

    /// The rows that an engine gives; of Redshift the imitation.
    fn rows(&mut self, engine: Engine, sql: &str) -> Result<Vec<Vec<Datum>>, String> {
        let session = match engine {
            Engine::Postgres => &mut self.postgres,
            Engine::DuckDb => &mut self.duckdb,
            Engine::Redshift => return self.redshift.execute(sql).map(|outcome| outcome.table.rows).map_err(|failure| failure.message),
        };
        session.query(sql, None).map(|table| table.rows).map_err(|error| error.to_string())
    }
}

/// The same tables: text with a length, documents as SUPER, backslashes doubled.
fn for_redshift(ddl: &str) -> String {
    let lines = ddl.lines().filter(|line| !line.starts_with("--")).map(|line| {
        let line = line.replace('\\', "\\\\");
        match line.rsplit_once(", '{") {
            Some((before, document)) => match document.rsplit_once('\'') {
                Some((document, after)) => format!("{before}, json_parse('{{{document}'){after}"),
                None => line,
            },
            None if line.trim_end_matches(',').ends_with(" text") => line.replace(" text", " varchar(65535)"),
            None => line.replace(" json", " super"),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl Drop for Engines {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            PgServer::shared().query("postgres", &format!("drop database {} with (force)", self.database));
        }
    }
}

/// Rows as text. Numbers are the same however many zeros end them; those in binary to the fifteenth digit.
pub fn printed(rows: &[Vec<Datum>], ordered: bool) -> Vec<String> {
    let cell = |cell: &Datum| match cell {
        Datum::Decimal(text) if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        Datum::Float(number) => format!("~{number:.14e}"),
        Datum::Text(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let mut lines: Vec<String> = rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | ")).collect();
    if !ordered {
        lines.sort();
    }
    lines
}

fn is_ordered(sql: &str) -> bool {
    parse_query(sql).is_some_and(|query| query.order_by.is_some())
}

/// What is wrong with what an engine says to a query.
fn judge(query: &Query, engine: Engine, expected: &[String], said: Result<Vec<Vec<Datum>>, String>) -> Result<(), String> {
    match (said, query.failure(engine)) {
        (Ok(rows), None) => {
            let rows = printed(&rows, is_ordered(&query.sql));
            if rows == expected { Ok(()) } else { Err(differences(expected, &rows)) }
        }
        (Ok(_), Some(_)) => Err("it runs, and was to fail".to_owned()),
        (Err(error), Some(message)) if error.to_lowercase().contains(message) => Ok(()),
        (Err(error), _) => Err(error),
    }
}

fn differences(expected: &[String], rows: &[String]) -> String {
    let different = expected.iter().zip(rows).find(|(one, other)| one != other);
    different.map_or_else(
        || format!("{} rows in place of {}", rows.len(), expected.len()),
        |(one, other)| format!("a row is\n    {other}\n  and not\n    {one}"),
    )
}

#[test]
fn portable_queries_give_the_same_rows_everywhere() {
    let mut bench = Engines::new();
    let mut wrong = Vec::new();
    for query in queries() {
        let mut expected: Option<Vec<String>> = None;
        for (name, engine) in ENGINES {
            let lowered = query.lowered(&bench.tables, &Rewriter::new(engine));
            let sql = match (lowered, query.refusal(engine)) {
                (Ok(sql), None) => sql,
                (Err(message), Some(told)) if message.contains(told) => continue,
                (Err(message), _) => {
                    wrong.push(format!("{} is refused for {name}: {message}", query.place));
                    continue;
                }
                (Ok(sql), Some(_)) => {
                    wrong.push(format!("{} is not refused for {name}:\n{sql}", query.place));
                    continue;
                }
            };
            if engine == Engine::Redshift {
                let foreign = Rewriter::new(engine).foreign(&sql);
                wrong.extend(foreign.iter().map(|finding| format!("{} is foreign: {}\n{sql}", query.place, finding.diagnostic.message)));
            }
            let said = bench.rows(engine, &sql);
            if let (Engine::Postgres, Ok(rows)) = (engine, &said) {
                expected = Some(printed(rows, is_ordered(&query.sql)));
            }
            if let Err(problem) = judge(&query, engine, expected.as_deref().unwrap_or_default(), said) {
                wrong.push(format!("{} on {name}: {problem}\n{sql}", query.place));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_rewrite_of_a_portable_query_is_needed() {
    let mut bench = Engines::new();
    let mut wrong = Vec::new();
    let mut needed: BTreeSet<(portable::Rewrite, Engine)> = BTreeSet::new();
    for query in queries() {
        let truth = query.lowered(&bench.tables, &Rewriter::new(Engine::Postgres)).ok();
        let Some(sql) = truth else { continue };
        let expected = match bench.rows(Engine::Postgres, &sql) {
            Ok(rows) => rows,
            Err(_) if query.failure(Engine::Postgres).is_some() => Vec::new(),
            Err(_) => continue,
        };
        let expected = printed(&expected, is_ordered(&query.sql));
        for (rewrite, engine) in &query.needs {
            needed.insert((*rewrite, *engine));
            // Refused is as good as failed: nobody gets other rows.
            let Ok(sql) = query.lowered(&bench.tables, &Rewriter::without(*engine, *rewrite)) else { continue };
            let said = bench.rows(*engine, &sql);
            if judge(&query, *engine, &expected, said).is_ok() {
                wrong.push(format!("{}: {rewrite:?} is not needed on {engine:?}\n{sql}", query.place));
            }
        }
    }
    if std::env::var_os("PORTABLE").is_none() {
        for way in portable::ways() {
            let unseen = way.engines.iter().filter(|engine| !needed.contains(&(way.rewrite, **engine)));
            wrong.extend(unseen.map(|engine| format!("no query needs {} on {engine:?}", way.name)));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// `docs/portable.md` from the table of rewrites and the queries that are run here.
fn page() -> String {
    let queries = queries();
    let advice = advice::Advice::of(&queries);
    let mut page = fs::read_to_string(folder().join("page.md")).unwrap();
    let mut counts = BTreeMap::from(ENGINES.map(|(name, _)| (name, 0)));
    let mut lines = String::new();
    for (number, subject) in portable::differences() {
        let of_fact: Vec<&Query> = queries.iter().filter(|query| query.facts.contains(number)).collect();
        let runs: Vec<&&Query> = of_fact.iter().filter(|query| query.refused.len() < ENGINES.len()).collect();
        let mut done: Vec<String> = Vec::new();
        for way in portable::ways().iter().filter(|way| way.facts.contains(number)) {
            done.push(format!("`{}` ({})", way.name, names_of(way.engines)));
        }
        let refused: BTreeSet<&str> = of_fact
            .iter()
            .flat_map(|query| ENGINES.iter().filter(|(_, engine)| query.refusal(*engine).is_some()))
            .map(|(name, _)| *name)
            .collect();
        for (name, engine) in ENGINES {
            *counts.get_mut(name).unwrap() += usize::from(runs.iter().any(|query| query.refusal(engine).is_none()));
        }
        if done.is_empty() && !runs.is_empty() {
            done.push("the same SQL".to_owned());
        }
        if of_fact.is_empty() {
            done.push("refused: not on the list".to_owned());
        } else if !refused.is_empty() {
            let some = if runs.is_empty() { "" } else { "some forms " };
            let forms = advice.forms(&of_fact);
            done.push(format!("{some}refused on {}: {forms}", refused.into_iter().collect::<Vec<_>>().join(", ")));
        }
        let tests: BTreeSet<&str> = of_fact.iter().map(|query| query.place.split_once(':').unwrap().0).collect();
        let tests = tests.into_iter().map(|family| format!("`{family}`")).collect::<Vec<_>>().join(", ");
        lines.push_str(&format!("| {number} | {subject} | {} | {tests} |\n", done.join("; ")));
    }
    let named = |all: bool| {
        let names = portable::functions().filter(|(_, on)| on.iter().all(|has| *has) == all);
        names.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    page.push_str(&format!("## Functions\n\nOn all engines: {}.\n\nNot on Redshift: {}.\n", named(true), named(false)));
    page.push_str(&advice.section());
    let total = portable::differences().len();
    let counted = counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
    page.push_str(&format!(
        "\n## Differences\n\nOf {total} differences that a query can meet, so many have SQL that gives the same rows: {counted}. \
         {} queries in `tests/compiler/portable` are run on PostgreSQL, DuckDB and an imitation of Redshift, which proves less than a cluster: \
         what it does is what Redshift's documentation says. A test switches each rewrite off, and sees to it that its queries then fail. \
         A test writes this page, from those queries and from the table of rewrites.\n\n\
         | number | difference | what is done | queries |\n| --- | --- | --- | --- |\n{lines}\n",
        queries.len()
    ));
    page.push_str("## Differences outside of queries\n\nThose that would give wrong results without an error.\n\n");
    page.push_str("| number | what is done | shown by |\n| --- | --- | --- |\n");
    for Silent { number, done, shown_by } in outside_of_queries() {
        page.push_str(&format!("| {number} | {done} | `{shown_by}` |\n"));
    }
    page.push_str("\n## Rewrites\n\n| name | on | what is written |\n| --- | --- | --- |\n");
    for way in portable::ways() {
        page.push_str(&format!("| `{}` | {} | {} |\n", way.name, names_of(way.engines), way.about));
    }
    page.push('\n');
    page.push_str(&crate::redshift_flagship::section());
    page
}

fn names_of(engines: &[Engine]) -> String {
    let names = ENGINES.iter().filter(|(_, engine)| engines.contains(engine)).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(", ")
}

/// Which of several rows comes first is never left to an engine without a word.
#[test]
fn orders_with_ties_are_told() {
    let tables = TrapTables::read(&fs::read_to_string(folder().join("tables.sql")).unwrap());
    let is_told = |query: &Query| {
        let tree = parse_query(&query.sql)?;
        let doubts = infer(&query.sql, &tree, &tables).doubts;
        Some(doubts.iter().any(|doubt| doubt.diagnostic.code.name == "order-with-ties"))
    };
    let wrong: Vec<String> = queries()
        .iter()
        .filter_map(|query| Some((query, is_told(query)?)).filter(|(query, told)| *told != query.has_ties))
        .map(|(query, told)| format!("{}: {}\n{}", query.place, if told { "told" } else { "not told" }, query.sql))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_portable_sql_is_true() {
    let path = root().join("docs/portable.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(held == page, "docs/portable.md is not what the table says: UPDATE_DOCS=1 cargo nextest run portable writes it");
}

#[test]
fn what_is_written_for_redshift_passes_its_validator() {
    let ddl = fs::read_to_string(folder().join("tables.sql")).unwrap();
    let (tables, rewriter) = (TrapTables::read(&ddl), Rewriter::new(Engine::Redshift));
    let written = queries().into_iter().filter_map(|query| Some((query.lowered(&tables, &rewriter).ok()?, query.place)));
    let wrong = written
        .inspect(|(sql, _)| emitted::keep(sql))
        .flat_map(|(sql, place)| refusals(&sql).into_iter().map(move |refusal| format!("{place}: {refusal:?}\n{sql}")));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Texts that become longer on their way, besides those of the families.
const SIZED: &[(&str, Option<u32>)] = &[
    ("select upper('stra\u{df}e \u{149}\u{390}') as c", Some(36)),
    ("select lower('\u{130}\u{23a}') as c", Some(12)),
    ("select initcap(s) || '\u{20ac}' as c from t", None),
    ("select 'x' || i8::text || '-' || i2::text as c from t", Some(28)),
    ("select concat(b, ' ', d, ' ', n, f) as c from t", Some(60)),
    ("select concat_ws(', ', 'a', 'bc', '\u{20ac}') as c", Some(10)),
    ("select replace(s, 'a', '\u{20ac}\u{20ac}') as c from t", None),
    ("select replace('banana', 'an', '') as c", Some(6)),
    ("select translate(s, 'abc', '\u{6f22}\u{6f22}\u{6f22}') as c from t", None),
    ("select left(s, 3) as c from t", Some(12)),
    ("select left('abc', -1) as c", Some(3)),
    ("select substring(s from 2 for 3) as c from t", Some(12)),
    ("select substring(s from 2) as c from t", None),
    ("select lpad(s, 9, '\u{20ac}') as c from t", Some(36)),
    ("select repeat('\u{20ac}', 4) as c", Some(12)),
    ("select case when b then v when i > 1 then 'two' end as c from t", Some(80)),
    ("select coalesce(left(v, 2), grp) as c from t", None),
    ("select tz::text || ts::text || d::text as c from t", Some(90)),
    ("select cast(n as varchar(4)) as c from t where n < 10", Some(13)),
    ("select md5(s) as c from t", Some(32)),
    ("select max(v) as c from t union all select 'abcdefghijklmnopqrstuvwxyz' as c", Some(80)),
    ("with recursive r (n, c) as (select 1, 'a'::text union all select n + 1, c || 'bb' from r where n < 20) select c from r", None),
    (
        "with recursive r (n, c) as (select 1, 'a'::text union all select n + 1, left(c || 'bb', 5) from r where n < 20) select c from r",
        Some(20),
    ),
    ("select * from (values ('a'), ('\u{20ac}\u{20ac}')) as v (c)", Some(6)),
];

/// Columns of text of which nothing is said are as long as their longest value, in which letters of four bytes may be.
#[test]
fn what_is_written_grows_with_what_is_read() {
    let tables = TrapTables::read(&fs::read_to_string(folder().join("tables.sql")).unwrap());
    let case = |condition: &str| {
        let branch = |number: i32| format!(" when t.j {condition} {number} then (select max(u.w / t.j) from u where u.k = t.id)");
        format!("select case{} end as a from t", (0..200).map(branch).collect::<String>())
    };
    let reals = (0..12).fold("f".to_owned(), |inner, _| format!("({inner} / 3)::real::double precision"));
    let powers = (0..12).fold("f".to_owned(), |inner, _| format!("power({inner}, 1.5::double precision)"));
    let texts = (0..12).fold("f".to_owned(), |inner, _| format!("(({inner} + 1)::numeric(18,4)::text)::double precision"));
    let nested = [reals, powers, texts].map(|value| format!("select {value} as a from t"));
    for sql in [case("="), case("<")].into_iter().chain(nested) {
        let query = Query { sql, ..Query::default() };
        let written = query.lowered(&tables, &Rewriter::new(Engine::DuckDb)).unwrap();
        assert!(written.len() < 20 * query.sql.len(), "{} bytes of {}: {}", written.len(), query.sql.len(), query.sql);
    }
}

#[test]
fn a_series_as_long_as_numbers_go_is_written() {
    let tables = TrapTables::read(&fs::read_to_string(folder().join("tables.sql")).unwrap());
    let sql = "select n from generate_series(1, -9223372036854775807, -1) as g (n)".to_owned();
    let written = Query { sql, ..Query::default() }.lowered(&tables, &Rewriter::new(Engine::Redshift)).unwrap();
    assert!(written.contains("9223372036854775807"), "{written}");
}

#[test]
fn no_text_is_longer_than_its_size_says() {
    let mut bench = Engines::new();
    let mut tables = TrapTables(std::mem::take(&mut bench.tables.0), [Vec::new()]);
    for (name, schema) in &mut tables.0 {
        for column in Arc::make_mut(schema).columns.iter_mut().filter(|column| column.sql_type == SqlType::parse("text")) {
            let rows = bench.rows(Engine::Postgres, &format!("select max(octet_length({})) from {name}", column.name)).unwrap();
            column.bytes = rows.first().and_then(|row| row.first()).and_then(|longest| longest.to_string().parse().ok());
        }
    }
    let (mut told, mut wrong) = (0, Vec::new());
    let own = SIZED.iter().map(|(sql, size)| ((*sql).to_owned(), Some(*size)));
    let families = queries().into_iter().filter(|query| query.fails.is_empty()).map(|query| (query.sql, None));
    for (sql, expected) in own.chain(families) {
        let Some(query) = parse_query(&sql) else { continue };
        for column in &infer(&sql, &query, &tables).schema.columns {
            // What depends on the lengths of the trap data is not written down.
            if let Some(Some(size)) = expected {
                assert_eq!(column.bytes, Some(size), "{sql}");
            }
            let longest = format!("select max(octet_length(\"{}\"::text)) from ({sql}) as q", column.name);
            let (Some(most), Ok(rows)) = (column.bytes, bench.rows(Engine::Postgres, &longest)) else { continue };
            told += 1;
            if let Some(Datum::Int(found)) = rows.first().and_then(|row| row.first())
                && *found > i64::from(most)
            {
                wrong.push(format!("{found} bytes, and {most} were said: {sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told > 60, "only {told} columns have a size");
}

#[test]
fn a_locale_without_letters_is_an_error_of_portable_models() {
    let mut bench = Bench::in_database(PgServer::shared().database_from("template0 lc_ctype 'C'"));
    bench.file("models/plain.sql", "select upper('\u{e9}') as letter");
    bench.run().ok();
    bench.file("models/models.yml", "models: [{name: plain, config: {meta: {portable: true}}}]");
    let ran = bench.run();
    assert!(ran.drawn.contains("knows no letters beyond ASCII") && ran.drawn.contains("models/plain.sql"), "{}", ran.drawn);
}
