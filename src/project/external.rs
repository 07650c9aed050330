//! External schemas of Amazon Redshift and the tables in them: `meta.external_schema` of a source, and `external` of its tables as the
//! package dbt_external_tables has it. A source without `external_schema` is as in dbt: its `external` is for packages to read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::loader::Loader;
use super::node::Column;
use super::yaml::{Entry, Yaml, YamlValue, find};
use crate::base::{Span, bucket_and_key};
use crate::diag::{Diagnostic, Severity, codes, nearest};

/// What an external schema stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExternalFrom {
    /// A database of the AWS Glue catalogue: files on S3.
    DataCatalog,
    HiveMetastore,
    /// Tables of another server, read by federated queries.
    PgServer,
    MySqlServer,
    /// Streams, read by materialized views.
    Kinesis,
    Msk,
    Kafka,
}

impl ExternalFrom {
    /// Whether what is in it is a stream of records.
    pub fn is_stream(self) -> bool {
        matches!(self, ExternalFrom::Kinesis | ExternalFrom::Msk | ExternalFrom::Kafka)
    }

    /// Whether tables over files can be made in it.
    pub fn has_files(self) -> bool {
        matches!(self, ExternalFrom::DataCatalog | ExternalFrom::HiveMetastore)
    }

    /// How it is written, also in SQL.
    pub fn name(self) -> &'static str {
        self.row().first().copied().unwrap_or("")
    }

    /// The keys that mean something in such a schema, those that have to be there first.
    fn keys(self) -> (Vec<&'static str>, Vec<&'static str>) {
        let words = |at: usize| self.row().get(at).map(|keys| keys.split_whitespace().collect()).unwrap_or_default();
        (words(1), words(2))
    }

    fn row(self) -> Vec<&'static str> {
        let at = ALL.iter().position(|from| *from == self).unwrap_or_default();
        SCHEMAS.lines().nth(at).unwrap_or("").split('|').map(str::trim).collect()
    }
}

/// Name, required and further keys of each kind.
const SCHEMAS: &str = include_str!("external_schemas.txt");

/// In the order of that table.
const ALL: [ExternalFrom; 7] = [
    ExternalFrom::DataCatalog,
    ExternalFrom::HiveMetastore,
    ExternalFrom::PgServer,
    ExternalFrom::MySqlServer,
    ExternalFrom::Kinesis,
    ExternalFrom::Msk,
    ExternalFrom::Kafka,
];

/// All keys of `external_schema`; `docs/external.md` describes each.
const SCHEMA_KEYS: &[&str] = &[
    "from",
    "database",
    "schema",
    "host",
    "port",
    "secret_arn",
    "iam_role",
    "catalog_role",
    "region",
    "create_database",
    "cluster_arn",
    "authentication",
    "authentication_arn",
];
/// Keys of `external`; `docs/external.md` describes each.
const TABLE_KEYS: &[&str] =
    &["location", "file_format", "row_format", "delimiter", "quote", "header_lines", "tbl_properties", "partitions"];

/// A checked `meta.external_schema`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalSchema {
    pub from: ExternalFrom,
    /// Where it is written.
    pub span: Span,
    /// In the catalogue or on the other server.
    pub database: Option<String>,
    pub schema: Option<String>,
    pub host: Option<String>,
    pub port: Option<usize>,
    pub secret_arn: Option<String>,
    /// `None`: the target's, else the warehouse's default.
    pub iam_role: Option<String>,
    pub catalog_role: Option<String>,
    pub region: Option<String>,
    /// Whether the database of the catalogue is made where it is missing.
    pub create_database: bool,
    pub cluster_arn: Option<String>,
    pub authentication: Option<String>,
    pub authentication_arn: Option<String>,
}

/// A checked `external` with a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalTable {
    pub span: Span,
    /// A folder on S3, or a manifest.
    pub location: String,
    pub location_span: Span,
    pub format: ExternalFormat,
    /// Names and values.
    pub properties: Vec<(String, String)>,
    pub partitions: Vec<ExternalPartition>,
    pub folders: PartitionFolders,
}

/// How the files are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExternalFormat {
    /// A word of Hive's: `parquet`, `orc`, `avro`, `textfile`.
    Stored {
        word: String,
        row_format: Option<String>,
    },
    Csv {
        delimiter: char,
        quote: char,
        header_lines: usize,
    },
    /// A document a line.
    Json,
}

/// A column whose values are told by folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalPartition {
    pub name: String,
    pub data_type: String,
    /// `None`: the folders that are there tell.
    pub values: Option<Vec<String>>,
    pub span: Span,
}

/// How folders are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionFolders {
    /// `day=2026-01-31/`
    #[default]
    NameAndValue,
    /// `2026/01/31/`
    YearMonthDay,
}

/// What a source table of an external schema is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    pub schema: ExternalSchema,
    /// `None`: it is there already, in the catalogue, on the other server or as a stream.
    pub table: Option<ExternalTable>,
}

/// The external schema of a source table, and the table in it. `levels` are the mappings that may hold a `meta`, the nearest last.
pub(super) fn parse_external(
    loader: &mut Loader<'_>,
    levels: &[&[Entry]],
    table: &Fields<'_, '_>,
    config: Option<&[Entry]>,
    columns: &[&Column],
) -> Option<External> {
    let written = levels.iter().rev().filter_map(|level| find(level, "meta")?.value.get("external_schema")).next();
    let schema = read_schema(loader, written.filter(|written| !written.is_null())?, table.owner)?;
    check_federated(loader, &schema, table.owner, columns);
    let entry = table.entry("external").or_else(|| find(config.unwrap_or(&[]), "external").filter(|entry| !entry.value.is_null()));
    let table = match entry {
        None => None,
        Some(entry) => Some(read_table(loader, &entry.value, table.owner, &schema, columns)?),
    };
    Some(External { schema, table })
}

/// Types of PostgreSQL that federated queries give as text (`federated-data-types`).
const ARRIVE_AS_TEXT: &[&str] = &[
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "interval",
    "money",
    "xml",
    "inet",
    "cidr",
    "macaddr",
    "hstore",
    "point",
    "box",
    "bit",
    "bit varying",
];

/// Columns of other servers are declared with the types in which they arrive, since everything that reads them counts on those.
fn check_federated(loader: &mut Loader<'_>, schema: &ExternalSchema, table: &str, columns: &[&Column]) {
    if !matches!(schema.from, ExternalFrom::PgServer | ExternalFrom::MySqlServer) {
        return;
    }
    for column in columns {
        let declared = column.data_type.as_deref().unwrap_or("").trim().to_lowercase();
        let plain = declared.split('(').next().unwrap_or("").trim();
        if ARRIVE_AS_TEXT.contains(&plain) || declared.ends_with("[]") {
            let message = format!("column '{}' of {table} is {declared} there, and arrives as text", column.name);
            let place = column.data_type_span.or(column.span).unwrap_or(schema.span);
            wrong::<()>(loader, message, place, "declare it as varchar(65535), and cast it in the models that read it");
        }
    }
}

/// `external` as it stands in dbt's manifest; null where nothing is written.
pub(super) fn described_external(entry: Option<&Entry>) -> Value {
    let Some(Value::Object(written)) = entry.map(|entry| entry.value.to_json()) else { return Value::Null };
    let known = ["location", "file_format", "row_format", "tbl_properties", "partitions"];
    let mut described: Map<String, Value> = known.into_iter().map(|key| (key.to_owned(), Value::Null)).collect();
    described.extend(written);
    if let Some(Value::Array(partitions)) = described.get_mut("partitions") {
        for partition in partitions.iter_mut().filter_map(Value::as_object_mut) {
            for (key, value) in [("description", json!("")), ("data_type", json!("")), ("meta", json!({}))] {
                partition.entry(key).or_insert(value);
            }
        }
    }
    Value::Object(described)
}

fn wrong<T>(loader: &mut Loader<'_>, message: String, span: Span, help: &str) -> Option<T> {
    loader.diagnostics.push(Diagnostic::new(&codes::INVALID_EXTERNAL, message).at(span).help(help));
    None
}

fn fields<'y, 'o>(loader: &mut Loader<'_>, yaml: &'y Yaml, owner: &'o str, keys: &[&str]) -> Option<Fields<'y, 'o>> {
    let Some(entries) = yaml.as_map() else {
        return wrong(loader, format!("{owner} is {}, and a mapping is needed", yaml.kind()), yaml.span, "write its keys under it");
    };
    let fields = Fields { entries, span: yaml.span, owner, code: &codes::INVALID_EXTERNAL };
    for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
        let message = format!("the key '{}' means nothing in {owner}", entry.key);
        let problem = Diagnostic::new(&codes::INVALID_EXTERNAL, message).at(entry.key_span);
        loader.diagnostics.push(match nearest(&entry.key, keys.iter().copied()) {
            Some(near) => problem.help(format!("did you mean '{near}'?")),
            None => problem.help(format!("the keys are: {}", keys.join(", "))),
        });
    }
    Some(fields)
}

fn read_schema(loader: &mut Loader<'_>, written: &Yaml, table: &str) -> Option<ExternalSchema> {
    let problems = loader.diagnostics.count(Severity::Error);
    let owner = format!("'external_schema' of {table}");
    let fields = fields(loader, written, &owner, SCHEMA_KEYS)?;
    let (word, span) = fields.required_text("from", loader.diagnostics)?;
    let from = kind(loader, &word, span)?;
    let (required, allowed) = from.keys();
    for key in &required {
        fields.required_text(key, loader.diagnostics);
    }
    let known = |key: &str| key == "from" || required.contains(&key) || allowed.contains(&key) || !SCHEMA_KEYS.contains(&key);
    for entry in fields.entries.iter().filter(|entry| !known(&entry.key)) {
        let message = format!("'{}' means nothing where an external schema is from {}", entry.key, from.name());
        let keys: Vec<&str> = required.iter().chain(&allowed).copied().collect();
        wrong::<()>(loader, message, entry.key_span, &format!("its keys are: {}", keys.join(", ")));
    }
    let mut text = |key: &str| fields.text(key, loader.diagnostics);
    let schema = ExternalSchema {
        from,
        span: written.span,
        database: text("database"),
        schema: text("schema"),
        host: text("host"),
        secret_arn: text("secret_arn"),
        iam_role: text("iam_role"),
        catalog_role: text("catalog_role"),
        region: text("region"),
        cluster_arn: text("cluster_arn"),
        authentication: text("authentication"),
        authentication_arn: text("authentication_arn"),
        port: fields.count("port", loader.diagnostics),
        create_database: fields.bool("create_database", loader.diagnostics).unwrap_or(false),
    };
    check_authentication(loader, &fields, &schema);
    (loader.diagnostics.count(Severity::Error) == problems).then_some(schema)
}

fn kind(loader: &mut Loader<'_>, word: &str, span: Span) -> Option<ExternalFrom> {
    let plain = word.to_lowercase().replace(['_', '-'], " ");
    let plain = if plain == "glue" { "data catalog" } else { plain.as_str() };
    if let Some(from) = ALL.into_iter().find(|from| from.name() == plain) {
        return Some(from);
    }
    let names = ALL.map(ExternalFrom::name);
    let problem = Diagnostic::new(&codes::INVALID_EXTERNAL, format!("an external schema is not from '{word}'")).at(span);
    loader.diagnostics.push(problem.did_you_mean(plain, names.iter().copied()).help(format!("it is from one of: {}", names.join(", "))));
    None
}

/// `r_CREATE_EXTERNAL_SCHEMA`: nobody, a role, or certificates.
fn check_authentication(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, schema: &ExternalSchema) {
    let place = |key: &str| fields.get(key).map_or(fields.span, |value| value.span);
    if let Some(word) = &schema.authentication {
        let known = ["none", "iam", "mtls"];
        if !known.contains(&word.as_str()) {
            let problem = Diagnostic::new(&codes::INVALID_EXTERNAL, format!("'{word}' is no 'authentication' of a stream"));
            loader.diagnostics.push(problem.at(place("authentication")).did_you_mean(word, known).help("write none, iam or mtls"));
        }
        let certified = schema.authentication_arn.is_some() || schema.secret_arn.is_some();
        if (word == "mtls") != certified && known.contains(&word.as_str()) {
            let help = "give mtls one of 'authentication_arn' and 'secret_arn', and the others none";
            wrong::<()>(
                loader,
                format!("authentication '{word}' does not go together with its certificates"),
                place("authentication"),
                help,
            );
        }
    }
    if schema.from == ExternalFrom::Msk && schema.cluster_arn.is_none() && schema.host.is_none() {
        let help = "add 'cluster_arn:', or 'host:' with the addresses of its brokers";
        wrong::<()>(loader, format!("{} does not say which cluster it reads", fields.owner), fields.span, help);
    }
}

fn read_table(loader: &mut Loader<'_>, written: &Yaml, table: &str, schema: &ExternalSchema, columns: &[&Column]) -> Option<ExternalTable> {
    let problems = loader.diagnostics.count(Severity::Error);
    if !schema.from.has_files() {
        let message = format!("{table} is external, and no table can be made in a schema from {}", schema.from.name());
        return wrong(loader, message, written.span, "take 'external' away: what is in such a schema is there already");
    }
    let owner = format!("'external' of {table}");
    let keys: Vec<&str> = TABLE_KEYS.iter().chain(&["table_properties"]).copied().collect();
    let fields = fields(loader, written, &owner, &keys)?;
    let (location, location_span) = fields.required_text("location", loader.diagnostics)?;
    if bucket_and_key(&location).is_none() {
        let help = "write bucket and folder, as in 's3://bucket/folder/'";
        return wrong(loader, format!("'{location}' is no place on S3"), location_span, help);
    }
    let format = format(loader, &fields)?;
    let mut properties = properties(loader, &fields);
    if let ExternalFormat::Csv { header_lines, .. } = &format
        && *header_lines > 0
    {
        properties.push(("skip.header.line.count".to_owned(), header_lines.to_string()));
    }
    let (partitions, folders) = partitions(loader, &fields);
    check_columns(loader, table, written.span, columns, &partitions);
    if !partitions.is_empty() && !location.ends_with('/') {
        let help = "end it with '/'";
        wrong::<()>(loader, format!("{table} has partitions, and '{location}' is no folder"), location_span, help);
    }
    let table = ExternalTable { span: written.span, location, location_span, format, properties, partitions, folders };
    (loader.diagnostics.count(Severity::Error) == problems).then_some(table)
}

/// Names of formats; `csv` and `json` stand for the text files that they are in Hive's words.
const FORMATS: &[&str] = &["parquet", "orc", "avro", "textfile", "rcfile", "sequencefile", "csv", "json"];

fn format(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Option<ExternalFormat> {
    let row_format = fields.text("row_format", loader.diagnostics).map(|text| text.trim().to_owned());
    let (written, span) = match fields.entry("file_format") {
        Some(_) => fields.required_text("file_format", loader.diagnostics)?,
        None if row_format.is_some() => ("textfile".to_owned(), fields.span),
        None => fields.required_text("file_format", loader.diagnostics)?,
    };
    let word = written.trim().to_lowercase();
    let classes = word.starts_with("inputformat ");
    if !classes && !FORMATS.contains(&word.as_str()) {
        let problem = Diagnostic::new(&codes::INVALID_EXTERNAL, format!("'{written}' is no format of external tables")).at(span);
        loader
            .diagnostics
            .push(problem.did_you_mean(&word, FORMATS.iter().copied()).help(format!("the formats are: {}", FORMATS.join(", "))));
        return None;
    }
    let is_csv = word == "csv";
    for key in ["delimiter", "quote", "header_lines"].into_iter().filter(|_| !is_csv) {
        if let Some(entry) = fields.entry(key) {
            let help = "say it in 'row_format' and 'tbl_properties', in Hive's words";
            wrong::<()>(loader, format!("'{key}' is about the format csv, and {} has another", fields.owner), entry.key_span, help);
        }
    }
    if (is_csv || word == "json") && row_format.is_some() {
        let help = "write 'file_format: textfile' beside a 'row_format' of your own";
        return wrong(loader, format!("the format {word} says itself how rows are written"), span, help);
    }
    Some(match word.as_str() {
        "csv" => ExternalFormat::Csv {
            delimiter: sign(loader, fields, "delimiter", ','),
            quote: sign(loader, fields, "quote", '"'),
            header_lines: fields.count("header_lines", loader.diagnostics).unwrap_or(0),
        },
        "json" => ExternalFormat::Json,
        _ => ExternalFormat::Stored { word: if classes { written.trim().to_owned() } else { word }, row_format },
    })
}

fn sign(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, key: &str, usual: char) -> char {
    let Some(text) = fields.text(key, loader.diagnostics) else { return usual };
    let text = if text == "\\t" { "\t".to_owned() } else { text };
    match text.as_bytes() {
        [byte] if byte.is_ascii() => char::from(*byte),
        _ => {
            let span = fields.get(key).map_or(fields.span, |value| value.span);
            wrong(loader, format!("'{key}' of {} is not one ASCII character", fields.owner), span, "write one, as in ';'").unwrap_or(usual)
        }
    }
}

/// A mapping, or the text that dbt_external_tables takes: `('a'='b', 'c'='d')`.
fn properties(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Vec<(String, String)> {
    let Some(entry) = fields.entry("tbl_properties").or_else(|| fields.entry("table_properties")) else { return Vec::new() };
    match &entry.value.value {
        YamlValue::Map(entries) => {
            entries.iter().filter_map(|property| Some((property.key.clone(), property.value.scalar_text()?))).collect()
        }
        YamlValue::Text(text) => {
            let constants: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
            let around: String = text.split('\'').step_by(2).flat_map(str::chars).filter(|sign| !sign.is_whitespace()).collect();
            let shape = format!("({})", vec!["="; constants.len() / 2].join(","));
            if constants.len() % 2 == 1 || constants.is_empty() || around != shape {
                let help = "write a mapping: {numRows: 1000}";
                wrong::<()>(loader, format!("'{}' of {} is no list of properties", entry.key, fields.owner), entry.value.span, help);
            }
            constants.chunks(2).filter_map(|pair| Some(((*pair.first()?).to_owned(), (*pair.get(1)?).to_owned()))).collect()
        }
        _ => {
            let help = "write a mapping: {numRows: 1000}";
            wrong(loader, format!("'{}' of {} is no list of properties", entry.key, fields.owner), entry.value.span, help)
                .unwrap_or_default()
        }
    }
}

fn partitions(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> (Vec<ExternalPartition>, PartitionFolders) {
    let mut read = Vec::new();
    let mut folders = PartitionFolders::default();
    for item in fields.list("partitions", loader.diagnostics) {
        let owner = format!("a partition of {}", fields.owner);
        let keys = ["name", "data_type", "vals", "path_macro", "description", "meta"];
        let Some(partition) = self::fields(loader, item, &owner, &keys) else { continue };
        let name = partition.required_text("name", loader.diagnostics);
        let data_type = partition.required_text("data_type", loader.diagnostics);
        let values = values(loader, &partition);
        if let Some(found) = folder_names(loader, &partition) {
            folders = found;
        }
        if let (Some((name, _)), Some((data_type, _))) = (name, data_type) {
            read.push(ExternalPartition { name, data_type, values, span: item.span });
        }
    }
    let told = read.iter().filter(|partition| partition.values.is_some()).count();
    if told > 0 && told < read.len() {
        let help = "write 'vals' of all partitions, or of none: then the folders that are there tell";
        wrong::<()>(loader, format!("{} tells the values of some partitions only", fields.owner), fields.span, help);
    }
    (read, folders)
}

fn values(loader: &mut Loader<'_>, partition: &Fields<'_, '_>) -> Option<Vec<String>> {
    let entry = partition.entry("vals")?;
    if entry.value.as_list().is_none() {
        let help = "write a list of values, or leave 'vals' out: then the folders that are there tell";
        return wrong(loader, format!("'vals' of {} is no list", partition.owner), entry.value.span, help);
    }
    Some(partition.strings("vals", loader.diagnostics))
}

fn folder_names(loader: &mut Loader<'_>, partition: &Fields<'_, '_>) -> Option<PartitionFolders> {
    let name = partition.text("path_macro", loader.diagnostics)?;
    match name.rsplit('.').next().unwrap_or(&name) {
        "key_value" => Some(PartitionFolders::NameAndValue),
        "year_month_day" => Some(PartitionFolders::YearMonthDay),
        _ => {
            let span = partition.get("path_macro").map_or(partition.span, |value| value.span);
            let help = "write dbt_external_tables.key_value (day=2026-01-31/) or dbt_external_tables.year_month_day (2026/01/31/)";
            wrong(loader, format!("folders are not called as '{name}' says"), span, help)
        }
    }
}

/// The table is made of the declared columns, so each needs its type; a partition's column is not among them.
fn check_columns(loader: &mut Loader<'_>, table: &str, span: Span, columns: &[&Column], partitions: &[ExternalPartition]) {
    let is_partition = |column: &Column| partitions.iter().any(|partition| partition.name.eq_ignore_ascii_case(&column.name));
    let own: Vec<&&Column> = columns.iter().filter(|column| !is_partition(column)).collect();
    if own.is_empty() {
        let help = "add 'columns:' with 'name:' and 'data_type:' for each";
        wrong::<()>(loader, format!("{table} is an external table and declares no columns"), span, help);
    }
    for column in own {
        let place = column.data_type_span.or(column.span).unwrap_or(span);
        check_type(loader, &format!("column '{}' of {table}", column.name), column.data_type.as_deref(), place);
    }
    for partition in partitions {
        check_type(loader, &format!("partition column '{}' of {table}", partition.name), Some(&partition.data_type), partition.span);
    }
}

/// Types that files may have (`r_CREATE_EXTERNAL_TABLE`), and those inside of nested ones.
const TYPES: &[&str] = &[
    "smallint",
    "int2",
    "integer",
    "int",
    "int4",
    "bigint",
    "int8",
    "decimal",
    "numeric",
    "real",
    "float4",
    "double precision",
    "float8",
    "boolean",
    "bool",
    "char",
    "character",
    "varchar",
    "character varying",
    "text",
    "string",
    "date",
    "timestamp",
    "varbyte",
    "super",
];

fn check_type(loader: &mut Loader<'_>, owner: &str, written: Option<&str>, place: Span) {
    let Some(written) = written else {
        let help = "add 'data_type:', such as varchar(20), bigint, numeric(12,2), date or timestamp";
        return wrong(loader, format!("{owner} is external and has no 'data_type'"), place, help).unwrap_or_default();
    };
    let lower = written.trim().to_lowercase();
    let plain = lower.split('(').next().unwrap_or("").trim();
    if ["struct<", "array<", "map<"].iter().any(|nested| lower.starts_with(nested)) {
        return;
    }
    if matches!(lower.as_str(), "numeric" | "decimal") {
        let help = "write its digits, as in numeric(12,2)";
        return wrong(loader, format!("{owner} is {lower} without digits, which would lose its fraction"), place, help).unwrap_or_default();
    }
    if !TYPES.contains(&plain) {
        let problem =
            Diagnostic::new(&codes::INVALID_EXTERNAL, format!("{owner} is of type '{written}', which external tables do not have"));
        let problem = problem.at(place).did_you_mean(plain, TYPES.iter().copied());
        loader.diagnostics.push(problem.help("files have numbers, text, dates, timestamps without zone, struct<…>, array<…> and map<…>"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::problems;

    #[test]
    fn every_key_is_described() {
        let page = include_str!("../../docs/external.md");
        for key in SCHEMA_KEYS.iter().chain(TABLE_KEYS) {
            assert!(page.contains(&format!("`{key}`")), "docs/external.md does not describe {key}");
        }
    }

    #[test]
    fn mistakes_are_told_at_their_place() {
        let told = |schema: &str, external: &str| {
            let yaml = format!(
                "sources:\n  - name: lake\n    meta: {{external_schema: {schema}}}\n    tables:\n      - name: t\n{external}        columns: [{{name: id, data_type: bigint}}]\n"
            );
            problems(&[("models/s.yml", &yaml)]).join("\n")
        };
        let glue = "{from: glue, database: d}";
        assert_eq!(told(glue, ""), "");
        for (schema, external, expected) in [
            ("{from: gleu, database: d}", "", "an external schema is not from 'gleu'"),
            ("{from: glue}", "", "has no 'database'"),
            ("{from: kinesis, database: d}", "", "'database' means nothing where an external schema is from kinesis"),
            ("{from: glue, databse: d, database: d}", "", "did you mean 'database'?"),
            ("{from: msk, authentication: mtls, cluster_arn: a}", "", "authentication 'mtls' does not go together with its certificates"),
            ("{from: msk, authentication: none}", "", "does not say which cluster it reads"),
            (
                "{from: kinesis}",
                "        external: {location: s3://b/t/, file_format: csv}\n",
                "no table can be made in a schema from kinesis",
            ),
            (glue, "        external: {location: /tmp/t, file_format: csv}\n", "'/tmp/t' is no place on S3"),
            (
                glue,
                "        external: {location: s3://b/t/, file_format: parquet, header_lines: 1}\n",
                "'header_lines' is about the format csv",
            ),
            (glue, "        external: {location: s3://b/t/, file_format: orc, tbl_properties: a=b}\n", "is no list of properties"),
            (
                glue,
                "        external: {location: s3://b/t/, file_format: orc, partitions: [{name: d, data_type: date, vals: {macro: m}}]}\n",
                "'vals' of a partition of 'external' of source table 'lake.t' is no list",
            ),
            (
                glue,
                "        external: {location: s3://b/t/, file_format: orc, partitions: [{name: d, data_type: timestamptz}]}\n",
                "is of type 'timestamptz', which external tables do not have",
            ),
        ] {
            let said = told(schema, external);
            assert!(said.contains("models/s.yml:") && said.contains(expected), "{expected}\n{said}");
        }
    }
}
