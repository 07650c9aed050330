//! Types of single expressions, family by family: `types/<family>.sql` holds `expression; type;`, the type being what PostgreSQL
//! says of that column of a view. `UPDATE_TYPES=1` asks a server and writes the types into the files.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use acca::analysis::{Inferred, RelationSchema, SchemaColumn, SqlType, Table, Tables, infer};
use acca::syntax::parse_query;

use crate::postgres::PgServer;
use crate::tidy::root;

/// Expressions of which nothing is known, at most: whole rows, system columns, extensions of the grammar.
const UNKNOWN: usize = 12;

struct Line {
    expression: String,
    expected: String,
}

struct Family {
    path: PathBuf,
    lines: Vec<Line>,
}

fn folder() -> PathBuf {
    root().join("tests/compiler/types")
}

/// Name and type of each column of the table `t`, over which all expressions are.
fn columns() -> Vec<(String, String)> {
    let text = fs::read_to_string(folder().join("table.txt")).unwrap();
    text.lines().map(|line| line.split_once(' ').unwrap()).map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

fn families() -> Vec<Family> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    let family = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.trim().is_empty()).map(|line| match line.strip_suffix(';') {
            Some(line) => {
                let (expression, expected) = line.rsplit_once("; ").unwrap();
                Line { expression: expression.to_owned(), expected: expected.to_owned() }
            }
            None => Line { expression: line.to_owned(), expected: String::new() },
        });
        Family { lines: lines.collect(), path }
    };
    paths.into_iter().map(family).collect()
}

struct OneTable(Arc<RelationSchema>);

impl Tables for OneTable {
    fn find(&self, name: &[String]) -> Table {
        if name.last().is_some_and(|name| name == "t") { Table::Node(0, Arc::clone(&self.0)) } else { Table::Foreign }
    }
}

fn table() -> OneTable {
    let columns = columns().into_iter().map(|(name, kind)| {
        let sql_type = SqlType::parse(&kind);
        assert!(sql_type.is_some(), "{kind}");
        SchemaColumn { name, sql_type, nullable: true, ..SchemaColumn::default() }
    });
    OneTable(Arc::new(RelationSchema { columns: columns.collect(), ..RelationSchema::default() }))
}

fn query_of(expression: &str) -> String {
    format!("select {expression} from t")
}

fn inferred(expression: &str, table: &OneTable) -> Result<Inferred, String> {
    let sql = query_of(expression);
    let query = parse_query(&sql).ok_or_else(|| "cannot be read".to_owned())?;
    Ok(infer(&sql, &query, table))
}

#[test]
fn types_of_expressions_are_those_of_the_database() {
    let table = table();
    let (mut wrong, mut unknown, mut right) = (Vec::new(), Vec::new(), 0);
    for family in families() {
        let name = family.path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in &family.lines {
            let shown = format!("{name}: {}", line.expression);
            match inferred(&line.expression, &table) {
                Err(problem) => unknown.push(format!("{shown}: {problem}")),
                Ok(found) => {
                    wrong.extend(found.findings.iter().map(|finding| format!("{shown}: {}", finding.diagnostic.message)));
                    match found.schema.columns.as_slice() {
                        [SchemaColumn { sql_type: Some(kind), .. }] if kind.to_string() == line.expected => right += 1,
                        [SchemaColumn { sql_type: Some(kind), .. }] => {
                            wrong.push(format!("{shown}: {kind}, and the database says {}", line.expected));
                        }
                        _ => unknown.push(format!("{shown}: {}", line.expected)),
                    }
                }
            }
        }
    }
    eprintln!("{right} right, {} unknown, {} wrong\n{}", unknown.len(), wrong.len(), unknown.join("\n"));
    assert!(right > 500, "the corpus has only {right} expressions");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(unknown.len() <= UNKNOWN, "{} are unknown:\n{}", unknown.len(), unknown.join("\n"));
}

#[test]
fn types_names_and_nulls_agree_with_a_server() {
    let (server, table) = (PgServer::shared(), table());
    let database = server.database();
    let declared: Vec<String> = columns().iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    let mut script = format!("create table t ({});\n", declared.join(", "));
    let mut families = families();
    for (at, line) in families.iter().flat_map(|family| &family.lines).enumerate() {
        writeln!(script, "create view v{at} as {};", query_of(&line.expression)).unwrap();
    }
    server.query(&database.name, &script);
    let asked = "select attname || ';' || format_type(atttypid, atttypmod) from pg_attribute join pg_class c on c.oid = attrelid \
                 where relname ~ '^v[0-9]+$' and attnum > 0 order by substr(relname, 2)::int";
    let said = server.query(&database.name, asked);
    let mut wrong = Vec::new();
    for (line, said) in families.iter_mut().flat_map(|family| &mut family.lines).zip(said.lines()) {
        let (name, kind) = said.rsplit_once(';').unwrap();
        if std::env::var_os("UPDATE_TYPES").is_some() {
            kind.clone_into(&mut line.expected);
        }
        if line.expected != kind {
            wrong.push(format!("{} is {kind}, not {}", line.expression, line.expected));
        }
        if let Ok(found) = inferred(&line.expression, &table)
            && found.schema.columns.first().is_none_or(|column| column.name != name)
        {
            wrong.push(format!("{} is called {name}, not {:?}", line.expression, found.schema.columns.first()));
        }
    }
    if std::env::var_os("UPDATE_TYPES").is_some() {
        for family in &families {
            let lines: String = family.lines.iter().map(|line| format!("{}; {};\n", line.expression, line.expected)).collect();
            fs::write(&family.path, lines).unwrap();
        }
    }
    // A row of nulls, and one of values, so that whatever can be null is.
    let values = fs::read_to_string(folder().join("values.txt")).unwrap();
    server.query(&database.name, &format!("insert into t default values;\ninsert into t values ({values});"));
    let claimed = |line: &&Line| {
        inferred(&line.expression, &table).is_ok_and(|found| found.schema.columns.first().is_some_and(|column| !column.nullable))
    };
    let claims: Vec<&Line> = families.iter().flat_map(|family| &family.lines).filter(claimed).collect();
    assert!(claims.len() > 50, "only {} are known to be not null", claims.len());
    let counts: Vec<String> = claims
        .iter()
        .enumerate()
        .map(|(at, line)| format!("select {at} from ({}) as x (x) where x is null", query_of(&line.expression)))
        .collect();
    let nulls = server.query(&database.name, &counts.join(" union all "));
    wrong.extend(nulls.lines().map(|at| format!("{} can be null", claims[at.parse::<usize>().unwrap()].expression)));
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
