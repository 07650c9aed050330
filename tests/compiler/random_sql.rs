//! SQL at random: queries that a small grammar writes, and statements of the corpus with pieces exchanged. Whatever it is, it is read and
//! inferred without a panic and in time, and every place of a finding lies within the text.
//!
//! `RANDOM_SQL=1000000` looks longer, `RANDOM_SEED=7` elsewhere; see `fuzz`.

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use acca::analysis::{RelationSchema, SchemaColumn, SqlType, Table, Tables, infer};
use acca::syntax::parse_query;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::fuzz::{Attempt, number, patience, search};
use crate::tidy::root;

/// Queries of a plain run.
const QUERIES: usize = 1000;
const TOO_LONG: Duration = Duration::from_secs(5);

struct OneTable(Arc<RelationSchema>);

impl Tables for OneTable {
    fn find(&self, name: &[String]) -> Table {
        if name.last().is_some_and(|name| name == "t") { Table::Node(0, Arc::clone(&self.0)) } else { Table::Foreign }
    }

    fn keys(&self, _: usize) -> &[Vec<String>] {
        static KEYS: std::sync::LazyLock<Vec<Vec<String>>> = std::sync::LazyLock::new(|| vec![vec!["i".to_owned()]]);
        &KEYS
    }

    fn watches_clocks(&self) -> bool {
        true
    }
}

fn file(name: &str) -> String {
    fs::read_to_string(root().join("tests/compiler/types").join(name)).unwrap()
}

fn table() -> OneTable {
    let text = file("table.txt");
    let columns = text.lines().filter_map(|line| line.split_once(' ')).map(|(name, kind)| SchemaColumn {
        name: name.to_owned(),
        sql_type: SqlType::parse(kind),
        nullable: true,
        ..SchemaColumn::default()
    });
    OneTable(Arc::new(RelationSchema { columns: columns.collect(), ..RelationSchema::default() }))
}

/// Pieces of expressions, from the corpus of types.
fn expressions() -> Vec<String> {
    let families = ["aggregates", "arithmetic", "arrays", "casts", "comparison", "conditional", "dates", "json", "strings", "windows"];
    let texts = families.iter().map(|family| file(&format!("{family}.sql")));
    texts.flat_map(|text| text.lines().filter_map(|line| Some(line.rsplit_once("; ")?.0.to_owned())).collect::<Vec<_>>()).collect()
}

struct Writer<'c> {
    random: &'c mut StdRng,
    expressions: &'c [String],
    statements: &'c [String],
}

impl Writer<'_> {
    fn chance(&mut self, of: usize) -> bool {
        self.random.random_range(0..of) == 0
    }

    fn one_of<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.random.random_range(0..list.len())]
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 || self.chance(3) {
            return match self.random.random_range(0..3) {
                0 => self
                    .one_of(&["i", "x.i", "a", "b.a", "n2", "ts", "tz", "null", "1", "1.5", "'x'", "now()", "t", "ctid", "\"A\""])
                    .to_owned(),
                _ => self.expressions[self.random.random_range(0..self.expressions.len())].clone(),
            };
        }
        let one = self.expression(depth - 1);
        match self.random.random_range(0..12) {
            0 => {
                format!("({one}) {} ({})", self.one_of(&["+", "/", "=", "<>", "and", "||", "->", "like", "-"]), self.expression(depth - 1))
            }
            1 => format!("case when {one} then {} else {} end", self.expression(depth - 1), self.expression(depth - 1)),
            2 => format!("coalesce({one}, {})", self.expression(depth - 1)),
            3 => format!("sum({one}) over (partition by {} order by i)", self.expression(depth - 1)),
            4 => format!("({})", self.query(depth - 1)),
            5 => format!("({one}) not in ({})", self.query(depth - 1)),
            6 => format!("exists ({})", self.query(depth - 1)),
            7 => format!("cast({one} as {})", self.one_of(&["int", "numeric(10,2)", "text", "timestamptz", "int[]", "nothing", "float4"])),
            8 => format!("array[{one}, {}]", self.expression(depth - 1)),
            9 => format!("({one}) is {}", self.one_of(&["null", "not null", "true", "distinct from 1"])),
            10 => format!("({one})[1]"),
            _ => format!("{}({one})", self.one_of(&["sum", "count", "max", "lower", "round", "date_trunc", "nowhere", "unnest", "not"])),
        }
    }

    fn from(&mut self, depth: usize) -> String {
        let mut from = match self.random.random_range(0..5) {
            0 if depth > 0 => format!("({}) as x", self.query(depth - 1)),
            1 => "t as x".to_owned(),
            2 => "c as x".to_owned(),
            3 => "generate_series(1, 3) as x (a)".to_owned(),
            _ => "t x, t as y".to_owned(),
        };
        while depth > 0 && self.chance(2) && from.len() < 2000 {
            let kind = self.one_of(&["join", "left join", "full join", "right join", "cross join", "natural join", "join lateral"]);
            let right = if self.chance(2) { "t".to_owned() } else { format!("({})", self.query(depth - 1)) };
            let on = match kind {
                "cross join" | "natural join" => String::new(),
                _ if self.chance(3) => " using (i, a)".to_owned(),
                _ => format!(" on x.i = b.i and {}", self.expression(depth - 1)),
            };
            write!(from, " {kind} {right} as b{on}").unwrap();
        }
        from
    }

    fn query(&mut self, depth: usize) -> String {
        let mut sql = String::new();
        if self.chance(3) && depth > 0 {
            let recursive = if self.chance(3) { "recursive " } else { "" };
            write!(sql, "with {recursive}c as ({}), d (a, b) as ({}) ", self.query(depth - 1), self.query(depth - 1)).unwrap();
        }
        sql += self.one_of(&["select ", "select distinct ", "select distinct on (i) "]);
        let columns: Vec<String> = (0..self.random.random_range(1..4))
            .map(|at| match self.random.random_range(0..4) {
                0 => self.one_of(&["*", "x.*", "i", "a"]).to_owned(),
                _ => format!("{} as {}", self.expression(depth), ["a", "b", "\"A\""][at % 3]),
            })
            .collect();
        write!(sql, "{} from {}", columns.join(", "), self.from(depth)).unwrap();
        if self.chance(2) {
            write!(sql, " where {}", self.expression(depth)).unwrap();
        }
        if self.chance(3) {
            let keys = match self.random.random_range(0..4) {
                0 => "1".to_owned(),
                1 => "rollup (i, (a, b))".to_owned(),
                2 => format!("grouping sets ((), ({}))", self.expression(depth.saturating_sub(1))),
                _ => format!("i, {}", self.expression(depth.saturating_sub(1))),
            };
            write!(sql, " group by {keys} having {}", self.expression(depth.saturating_sub(1))).unwrap();
        }
        if self.chance(4) && depth > 0 {
            let operator = self.one_of(&["union", "union all", "except", "intersect all"]);
            write!(sql, " {operator} {}", self.query(depth - 1)).unwrap();
        }
        if self.chance(4) {
            write!(sql, " order by {}, 1, a limit 3", self.expression(0)).unwrap();
        }
        sql
    }

    /// A statement of the corpus with a few words of others in it.
    fn exchanged(&mut self) -> String {
        let mut pick = || self.statements[self.random.random_range(0..self.statements.len())].clone();
        let (text, other) = (pick(), pick());
        let mut words: Vec<&str> = text.split(' ').collect();
        let others: Vec<&str> = other.split(' ').collect();
        for _ in 0..self.random.random_range(1..4) {
            let at = self.random.random_range(0..words.len());
            let word = others[self.random.random_range(0..others.len())];
            match self.random.random_range(0..3) {
                0 => words[at] = word,
                1 => words.insert(at, word),
                _ if words.len() > 1 => _ = words.remove(at),
                _ => {}
            }
        }
        words.join(" ")
    }
}

fn judge(sql: &str, table: &OneTable) -> Result<bool, String> {
    let began = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| parse_query(sql).map(|query| infer(sql, &query, table))));
    let inferred = answer.map_err(|_| "panicked".to_owned())?;
    if began.elapsed() > patience(TOO_LONG) {
        return Err(format!("took {:?}", began.elapsed()));
    }
    let Some(inferred) = inferred else { return Ok(false) };
    for finding in inferred.findings.iter().chain(&inferred.doubts).chain(&inferred.unit_findings) {
        if finding.range.as_ref().is_some_and(|range| sql.get(range.clone()).is_none()) {
            return Err(format!("{} is found at {:?}", finding.diagnostic.message, finding.range));
        }
    }
    if inferred.schema.columns.len() != inferred.origins.len() {
        return Err("not every column has its origins".to_owned());
    }
    Ok(true)
}

#[test]
fn any_sql_is_inferred_in_time() {
    let (table, expressions) = (table(), expressions());
    let statements: Vec<String> = file("statements.txt").lines().map(str::to_owned).collect();
    let attempt = |random: &mut StdRng, turn: usize| {
        let mut writer = Writer { random, expressions: &expressions, statements: &statements };
        let sql = if turn.is_multiple_of(4) { writer.exchanged() } else { writer.query(1 + turn % 3) };
        let result = judge(&sql, &table);
        Attempt { understood: result == Ok(true), problem: result.err().map(|problem| format!("{problem}\n{sql}")) }
    };
    let found = search("random_sql", number("RANDOM_SQL").unwrap_or(QUERIES), &attempt);
    let failures = &found.failures;
    assert!(failures.is_empty(), "{} of {} failed\n{}", failures.len(), found.done, failures[..failures.len().min(3)].join("\n\n"));
    assert!(found.understood * 2 > found.done || found.done == 1, "only {} of {} can be read at all", found.understood, found.done);
}
