//! External schemas, the tables in them, and streams. A table of a data catalogue is a table of PostgreSQL that is filled anew from the
//! objects below its location when they have changed since it was read last; a stream is a view of records that tests send
//! ([`super::Imitation::send`]), which only materialized views may read (`materialized-view-streaming-ingestion`).

use std::collections::{BTreeMap, BTreeSet};

use acca::execute::{Adapter, AdapterError, Datum, DuckDb, MEMORY, Session};
use serde_json::json;
use sqlparser::tokenizer::Token;

use super::buckets::{Buckets, Place};
use super::bulk::{Copy, Format, Options};
use super::expressions::literal;
use super::query::{Column, quoted};
use super::reader::Reader;
use super::{Failure, bulk_rows};

pub enum External {
    Schema {
        name: String,
        kind: String,
        options: BTreeMap<String, String>,
        optional: bool,
    },
    Table(Table),
    /// Parts with their values by column, and their locations.
    Parts {
        table: [String; 2],
        optional: bool,
        parts: Vec<(Vec<(String, String)>, String)>,
    },
}

pub struct Table {
    pub name: [String; 2],
    pub columns: Vec<(String, String)>,
    pub partitions: Vec<(String, String)>,
    format: Format,
    header: usize,
    location: String,
    /// Class, its parameters and those of the table, as the catalogue has them.
    reader: (String, BTreeMap<String, String>, BTreeMap<String, String>),
}

/// `None` for any other statement.
///
/// # Errors
/// Where the statement is not written as Redshift wants it.
pub fn read(tokens: &[Token]) -> Result<Option<External>, Failure> {
    let mut reader = Reader::of(tokens);
    if reader.takes_all(&["CREATE", "EXTERNAL", "SCHEMA"]) {
        return reader.schema().map(Some);
    }
    if reader.takes_all(&["CREATE", "EXTERNAL", "TABLE"]) {
        return reader.table().map(Some);
    }
    if reader.takes_all(&["ALTER", "TABLE"]) {
        let table = reader.name()?;
        let ([schema, name], true) = (table.as_slice(), reader.takes_all(&["ADD"])) else { return Ok(None) };
        let table = [schema.clone(), name.clone()];
        let optional = reader.takes_all(&["IF", "NOT", "EXISTS"]);
        return if reader.word() == "PARTITION" { reader.parts(table, optional).map(Some) } else { Ok(None) };
    }
    Ok(None)
}

impl Reader {
    fn insist(&mut self, taken: bool) -> Result<(), Failure> {
        if taken { Ok(()) } else { Err(self.wrong()) }
    }

    /// Clauses in their order (`r_CREATE_EXTERNAL_SCHEMA`), each a word and a constant.
    fn schema(&mut self) -> Result<External, Failure> {
        let optional = self.takes_all(&["IF", "NOT", "EXISTS"]);
        let name = self.one_name()?;
        let from = self.takes_all(&["FROM"]);
        self.insist(from)?;
        let kinds: [&[&str]; 7] =
            [&["DATA", "CATALOG"], &["HIVE", "METASTORE"], &["POSTGRES"], &["MYSQL"], &["KINESIS"], &["MSK"], &["KAFKA"]];
        let kind = kinds.into_iter().find(|kind| self.takes_all(kind)).ok_or_else(|| self.wrong())?.join(" ");
        let mut options = BTreeMap::new();
        for word in [
            "DATABASE",
            "SCHEMA",
            "URI",
            "REGION",
            "IAM_ROLE",
            "CATALOG_ROLE",
            "AUTHENTICATION",
            "AUTHENTICATION_ARN",
            "SECRET_ARN",
            "CLUSTER_ARN",
        ] {
            if !self.takes_all(&[word]) {
                continue;
            }
            let value = match word {
                "IAM_ROLE" if self.takes_all(&["DEFAULT"]) => "default".to_owned(),
                "AUTHENTICATION" => self.one_name()?,
                _ => self.text()?,
            };
            options.insert(word.to_owned(), value);
            if word == "URI" && self.takes_all(&["PORT"]) {
                self.at += 1;
            }
        }
        if self.takes_all(&["CREATE", "EXTERNAL", "DATABASE", "IF", "NOT", "EXISTS"]) {
            options.insert("CREATED".to_owned(), "true".to_owned());
        }
        if self.at < self.tokens.len() {
            return Err(self.wrong());
        }
        let needed: &[&str] = match kind.as_str() {
            "DATA CATALOG" => &["DATABASE", "IAM_ROLE"],
            "HIVE METASTORE" => &["DATABASE", "URI", "IAM_ROLE"],
            "POSTGRES" | "MYSQL" => &["DATABASE", "URI", "IAM_ROLE", "SECRET_ARN"],
            "KINESIS" => &["IAM_ROLE"],
            _ => &["AUTHENTICATION"],
        };
        match needed.iter().find(|word| !options.contains_key(**word)) {
            Some(missing) => Err(Failure::refused(format!("{missing} is required for {kind}"), "42601")),
            None => Ok(External::Schema { name, kind, options, optional }),
        }
    }

    /// A name and everything up to the comma or the bracket behind its type.
    fn columns(&mut self) -> Result<Vec<(String, String)>, Failure> {
        let opened = self.takes_sign(&Token::LParen);
        self.insist(opened)?;
        let mut columns = Vec::new();
        loop {
            let (name, mut of, mut depth) = (self.one_name()?, Vec::new(), 0);
            while let Some(token) = self.tokens.get(self.at) {
                match token {
                    Token::LParen => depth += 1,
                    Token::RParen | Token::Comma if depth == 0 => break,
                    Token::RParen => depth -= 1,
                    _ => {}
                }
                of.push(token.to_string());
                self.at += 1;
            }
            columns.push((name, of.join(" ")));
            if !self.takes_sign(&Token::Comma) {
                break;
            }
        }
        let closed = self.takes_sign(&Token::RParen);
        self.insist(closed)?;
        Ok(columns)
    }

    /// `('name' = 'value', …)`.
    fn properties(&mut self) -> Result<BTreeMap<String, String>, Failure> {
        let opened = self.takes_sign(&Token::LParen);
        self.insist(opened)?;
        let mut found = BTreeMap::new();
        loop {
            let name = self.text()?;
            let equal = self.takes_sign(&Token::Eq);
            self.insist(equal)?;
            found.insert(name, self.text()?);
            if !self.takes_sign(&Token::Comma) {
                break;
            }
        }
        let closed = self.takes_sign(&Token::RParen);
        self.insist(closed)?;
        Ok(found)
    }

    fn table(&mut self) -> Result<External, Failure> {
        // A schema is named, and no database but that of the catalogue.
        let Ok::<[String; 2], _>(name) = self.name()?.try_into() else {
            return Err(Failure::refused("external tables must be created in an external schema", "0A000"));
        };
        let columns = self.columns()?;
        let partitions = if self.takes_all(&["PARTITIONED", "BY"]) { self.columns()? } else { Vec::new() };
        let mut serde = None;
        let mut delimiter = '\u{1}';
        if self.takes_all(&["ROW", "FORMAT", "SERDE"]) {
            let class = self.text()?;
            let properties = if self.takes_all(&["WITH", "SERDEPROPERTIES"]) { self.properties()? } else { BTreeMap::new() };
            serde = Some((class, properties));
        } else if self.takes_all(&["ROW", "FORMAT", "DELIMITED", "FIELDS", "TERMINATED", "BY"]) {
            delimiter = self.text()?.chars().next().unwrap_or(delimiter);
        }
        let stored = self.takes_all(&["STORED", "AS"]);
        self.insist(stored)?;
        let word = self.one_name()?;
        let located = self.takes_all(&["LOCATION"]);
        self.insist(located)?;
        let location = self.text()?;
        let properties = if self.takes_all(&["TABLE", "PROPERTIES"]) { self.properties()? } else { BTreeMap::new() };
        if self.at < self.tokens.len() {
            return Err(self.wrong());
        }
        let sign = |properties: &BTreeMap<String, String>, key: &str, usual: char| {
            properties.get(key).and_then(|text| text.chars().next()).unwrap_or(usual)
        };
        let format = match (word.as_str(), &serde) {
            ("parquet", None) => Format::Parquet,
            ("textfile", None) => Format::Text { delimiter },
            ("textfile", Some((class, properties))) if class.ends_with(".OpenCSVSerde") => {
                Format::Csv { delimiter: sign(properties, "separatorChar", ','), quote: sign(properties, "quoteChar", '"') }
            }
            ("textfile", Some((class, _))) if class.ends_with(".JsonSerDe") => Format::Json,
            _ => return Err(Failure::not_imitated(format!("external tables stored as {word}"))),
        };
        let header = properties.get("skip.header.line.count").and_then(|count| count.parse().ok()).unwrap_or(0);
        let reader = match (serde, &format) {
            (Some((class, of_serde)), _) => (class, of_serde, properties),
            (None, Format::Parquet) => {
                ("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe".to_owned(), BTreeMap::new(), properties)
            }
            (None, _) => {
                let of_serde = BTreeMap::from([("field.delim".to_owned(), delimiter.to_string())]);
                ("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe".to_owned(), of_serde, properties)
            }
        };
        Ok(External::Table(Table { name, columns, partitions, format, header, location, reader }))
    }

    fn parts(&mut self, table: [String; 2], optional: bool) -> Result<External, Failure> {
        let mut parts = Vec::new();
        while self.takes_all(&["PARTITION"]) {
            let opened = self.takes_sign(&Token::LParen);
            self.insist(opened)?;
            let mut values = Vec::new();
            loop {
                let name = self.one_name()?;
                let equal = self.takes_sign(&Token::Eq);
                self.insist(equal)?;
                values.push((name, self.text()?));
                if !self.takes_sign(&Token::Comma) {
                    break;
                }
            }
            let closed = self.takes_sign(&Token::RParen) && self.takes_all(&["LOCATION"]);
            self.insist(closed)?;
            parts.push((values, self.text()?));
        }
        if self.at < self.tokens.len() || parts.is_empty() {
            return Err(self.wrong());
        }
        if parts.len() > 100 {
            return Err(Failure::refused("at most 100 partitions are added at once", "54000"));
        }
        Ok(External::Parts { table, optional, parts })
    }
}

impl External {
    /// What PostgreSQL is to run, tables aside.
    ///
    /// # Errors
    /// Where what it names is not there.
    pub fn sql(&self, session: &mut dyn Session) -> Result<Vec<String>, Failure> {
        match self {
            External::Schema { name, kind, options, optional } => {
                let there = session.value(&format!("SELECT 1 FROM pg_namespace WHERE nspname = {}", literal(name)))?.is_some();
                match (there, optional) {
                    (true, true) => return Ok(Vec::new()),
                    (true, false) => return Err(Failure::refused(format!("Schema \"{name}\" already exists"), "42P06")),
                    _ => {}
                }
                let database = options.get("DATABASE").map_or("", String::as_str);
                let options = json!(options).to_string();
                let values = [name, kind, database, &options].map(literal).join(", ");
                let mut sql =
                    vec![format!("CREATE SCHEMA {}", quoted(name)), format!("INSERT INTO redshift.external_schemas VALUES ({values})")];
                if matches!(kind.as_str(), "KINESIS" | "MSK" | "KAFKA") {
                    sql.push(format!("SELECT redshift.show_streams({}, {})", literal(name), literal(kind)));
                }
                Ok(sql)
            }
            External::Table(table) => {
                let columns = table.columns.iter().map(|column| (column, 0)).chain(table.partitions.iter().zip(1..));
                let columns: Vec<_> = columns.map(|((name, of), part)| json!({"name": name, "type": hive(of), "part": part})).collect();
                Ok(vec![format!(
                    "INSERT INTO redshift.external_tables VALUES ({}::regclass, {}, {})",
                    literal(&place(&table.name)),
                    literal(&table.location),
                    literal(
                        &json!({"columns": columns, "serde": table.reader.0, "of_serde": table.reader.1, "of_table": table.reader.2})
                            .to_string()
                    )
                )])
            }
            External::Parts { table, optional, parts } => {
                let place = literal(&place(table));
                let known = format!("SELECT 1 FROM redshift.external_tables WHERE relation = to_regclass({place})");
                if session.value(&known)?.is_none() {
                    return Err(Failure::refused(format!("{} is no external table", table.join(".")), "42809"));
                }
                let conflict = if *optional { " ON CONFLICT DO NOTHING" } else { "" };
                let add = |(values, location): &(Vec<(String, String)>, String)| {
                    let values: Vec<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
                    let values = literal(&json!(values).to_string());
                    format!("INSERT INTO redshift.external_parts VALUES ({place}::regclass, {values}, {}){conflict}", literal(location))
                };
                Ok(parts.iter().map(add).collect())
            }
        }
    }
}

pub fn check_schema(session: &mut dyn Session, schema: &str) -> Result<(), Failure> {
    let kind = session.value(&format!("SELECT kind FROM redshift.external_schemas WHERE name = {}", literal(schema)))?;
    match kind {
        Some(Datum::Text(kind)) if matches!(kind.as_str(), "DATA CATALOG" | "HIVE METASTORE") => Ok(()),
        _ => Err(Failure::refused(format!("schema \"{schema}\" is no external schema of files"), "0A000")),
    }
}

/// The catalogue's word for a type.
fn hive(of: &str) -> String {
    let plain = of.to_lowercase().replace(" (", "(").replace("( ", "(").replace(" )", ")").replace(" , ", ",");
    match plain.as_str() {
        "integer" => "int".to_owned(),
        "double precision" => "double".to_owned(),
        "real" => "float".to_owned(),
        "char" => "char(1)".to_owned(),
        other => match other.strip_prefix("numeric(").and_then(|digits| digits.strip_suffix(')')) {
            Some(digits) if digits.contains(',') => format!("decimal({digits})"),
            Some(digits) => format!("decimal({digits},0)"),
            None => other.to_owned(),
        },
    }
}

fn place(name: &[String; 2]) -> String {
    name.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(".")
}

impl Table {
    /// The statement of a table that holds what was read.
    pub fn definition(&self) -> String {
        let columns = self.columns.iter().chain(&self.partitions);
        let columns: Vec<String> = columns.map(|(name, of)| format!("{} {of}", quoted(name))).collect();
        format!("create table {} ({})", place(&self.name), columns.join(", "))
    }

    /// Fills the table anew from its objects. `parts`: values of the partition columns and their folders.
    ///
    /// # Errors
    /// An object that cannot be read.
    pub fn fill(&self, parts: &[(Vec<String>, String)], buckets: &Buckets, session: &mut dyn Session) -> Result<(), Failure> {
        let columns = super::find(session, &self.name);
        let Some(super::Found::Columns(all)) = columns else { return Ok(()) };
        let (own, of_parts) = all.split_at(self.columns.len());
        let target = place(&self.name);
        session.execute(&format!("DELETE FROM {target}"))?;
        let whole = [(Vec::new(), self.location.clone())];
        for (values, location) in if self.partitions.is_empty() { &whole } else { parts } {
            for object in objects(location, buckets) {
                self.load(&object, own, &target, buckets, session)?;
            }
            let set: Vec<String> =
                of_parts.iter().zip(values).map(|(column, value)| format!("{} = {}", quoted(&column.name), literal(value))).collect();
            if let Some(first) = of_parts.first() {
                session.execute(&format!("UPDATE {target} SET {} WHERE {} IS NULL", set.join(", "), quoted(&first.name)))?;
            }
        }
        Ok(())
    }

    /// Columns of Parquet are found by their names; longer texts are cut without a word (`r_CREATE_EXTERNAL_TABLE`).
    fn load(&self, object: &Place, own: &[Column], target: &str, buckets: &Buckets, session: &mut dyn Session) -> Result<(), Failure> {
        let (from, format, scratch) = match self.format {
            Format::Parquet => {
                let names: Vec<String> = own.iter().map(|column| quoted(&column.name)).collect();
                let mut duckdb = DuckDb::open(MEMORY, Some(1), &BTreeMap::new())?.connect()?;
                let csv = Place { bucket: "imitation-scratch".to_owned(), key: format!("{}.csv", object.key) };
                buckets.put(&csv, b"");
                let (path, to) = (buckets.path(object).display().to_string(), buckets.path(&csv).display().to_string());
                duckdb.execute(&format!(
                    "copy (select {} from read_parquet({})) to {} (format csv, header false, nullstr '@null@')",
                    names.join(", "),
                    literal(&path),
                    literal(&to)
                ))?;
                (csv, Format::Csv { delimiter: ',', quote: '"' }, true)
            }
            ref other => (object.clone(), other.clone(), false),
        };
        let null = scratch.then(|| "@null@".to_owned());
        let options = Options { header: self.header, null, cut_texts: true, round: true, ..Options::of(format) };
        let copy = Copy { table: self.name.to_vec(), columns: Vec::new(), from, options };
        bulk_rows::copy(&copy, own, target, buckets, session)?;
        Ok(())
    }

    /// What tells whether the table has to be read anew.
    pub fn state(&self, parts: &[(Vec<String>, String)], buckets: &Buckets) -> String {
        let whole = [(Vec::new(), self.location.clone())];
        let mut state = String::new();
        for (values, location) in if self.partitions.is_empty() { &whole } else { parts } {
            for object in objects(location, buckets) {
                let sum = crc32fast::hash(&buckets.get(&object).unwrap_or_default());
                state += &format!("{values:?} {} {sum}\n", object.key);
            }
        }
        state
    }
}

/// The objects of a folder; those that are hidden are not read (`r_CREATE_EXTERNAL_TABLE`).
fn objects(location: &str, buckets: &Buckets) -> Vec<Place> {
    let Some(place) = Place::read(location) else { return Vec::new() };
    let hidden = |place: &Place| place.key.rsplit('/').next().is_some_and(|name| name.starts_with(['_', '.', '#']) || name.ends_with('~'));
    buckets.list(&place).into_iter().filter(|place| !hidden(place)).collect()
}

/// The names that a statement reads, of which some may be outside.
pub type Names = BTreeSet<Vec<String>>;

/// What is known of the world outside.
#[derive(Default)]
pub struct Outside {
    /// By schema and name, with the state in which they were read last.
    tables: BTreeMap<Vec<String>, (Table, String)>,
    /// Schemas of streams.
    streams: BTreeSet<String>,
}

impl Outside {
    pub fn add(&mut self, external: External) {
        match external {
            External::Schema { name, kind, .. } if matches!(kind.as_str(), "KINESIS" | "MSK" | "KAFKA") => {
                self.streams.insert(name);
            }
            External::Table(table) => {
                self.tables.insert(table.name.to_vec(), (table, String::new()));
            }
            External::Schema { .. } | External::Parts { .. } => {}
        }
    }

    /// How many streams are among these names.
    pub fn streams(&self, names: &Names) -> usize {
        names.iter().filter(|name| name.len() > 1 && name.first().is_some_and(|schema| self.streams.contains(schema))).count()
    }

    /// External tables are brought up to date with their objects, in a connection of its own.
    ///
    /// # Errors
    /// An object that cannot be read.
    pub fn refresh(&mut self, buckets: &Buckets, connect: &dyn Fn() -> Result<Box<dyn Session>, AdapterError>) -> Result<(), Failure> {
        for (table, state) in self.tables.values_mut() {
            let mut session = connect()?;
            let relation = literal(&place(&table.name));
            let sql =
                format!("SELECT part::text, location FROM redshift.external_parts WHERE relation = to_regclass({relation}) ORDER BY 1");
            let part = |row: &Vec<Datum>| Some((serde_json::from_str(&row.first()?.to_string()).ok()?, row.get(1)?.to_string()));
            let parts: Vec<(Vec<String>, String)> = session.query(&sql, None)?.rows.iter().filter_map(part).collect();
            let now = table.state(&parts, buckets);
            if now != *state {
                session.execute("BEGIN")?;
                table.fill(&parts, buckets, &mut *session)?;
                session.execute("COMMIT")?;
                *state = now;
            }
        }
        Ok(())
    }
}
