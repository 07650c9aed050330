//! External schemas and the tables in them (`r_CREATE_EXTERNAL_SCHEMA`, `r_CREATE_EXTERNAL_TABLE`, `r_ALTER_TABLE_external-table`).
//! Their names are never qualified with the database: it is the one of the catalogue that they mean by it.

use super::quote_text;
use crate::base::{Relation, quote_ident};
use crate::project::{Column, ExternalFormat, ExternalFrom, ExternalSchema, ExternalTable};

/// Partitions that one statement may add to a table of the AWS Glue catalogue.
const MOST_PARTITIONS: usize = 100;

/// A part of an external table: the value of each partition column, and the folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExternalPart {
    pub values: Vec<String>,
    pub location: String,
}

/// A column as it is made; the last ones are those of partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalColumn {
    pub name: String,
    pub data_type: String,
    pub is_partition: bool,
}

/// `iam_role`: the target's, for a schema that names none.
pub fn create_external_schema(name: &str, schema: &ExternalSchema, iam_role: Option<&str>) -> String {
    let ExternalSchema { from, .. } = schema;
    let text = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word} {}", quote_text(value)));
    let role = match schema.iam_role.as_deref().or(iam_role) {
        Some(role) if role != "default" => Some(format!("iam_role {}", quote_text(role))),
        _ => Some("iam_role default".to_owned()),
    };
    // Another server is logged in to with the secret; a stream that asks for nothing needs no role.
    let needs_role = match from {
        ExternalFrom::Kafka => schema.iam_role.is_some() || schema.authentication.as_deref() == Some("iam"),
        _ => true,
    };
    let port = schema.port.map_or_else(String::new, |port| format!(" port {port}"));
    let lines = [
        text("database", &schema.database),
        text("schema", &schema.schema),
        text("uri", &schema.host).map(|host| host + &port),
        text("region", &schema.region),
        role.filter(|_| needs_role),
        text("catalog_role", &schema.catalog_role),
        schema.authentication.as_ref().map(|word| format!("authentication {word}")),
        text("authentication_arn", &schema.authentication_arn),
        text("secret_arn", &schema.secret_arn),
        text("cluster_arn", &schema.cluster_arn),
        schema.create_database.then(|| "create external database if not exists".to_owned()),
    ];
    let head = [format!("create external schema if not exists {}", quote_ident(name)), format!("from {}", from.name())];
    head.into_iter().chain(lines.into_iter().flatten()).collect::<Vec<_>>().join("\n")
}

/// The columns of a table: those that are declared, and behind them those of its partitions.
pub fn external_columns(columns: &[Column], table: &ExternalTable) -> Vec<ExternalColumn> {
    let is_partition = |column: &&Column| table.partitions.iter().any(|partition| partition.name.eq_ignore_ascii_case(&column.name));
    let own = columns.iter().filter(|column| !is_partition(column)).map(|column| ExternalColumn {
        name: column.name.to_lowercase(),
        data_type: sized(column.data_type.as_deref().unwrap_or("varchar")),
        is_partition: false,
    });
    let partitions = table.partitions.iter().map(|partition| ExternalColumn {
        name: partition.name.to_lowercase(),
        data_type: sized(&partition.data_type),
        is_partition: true,
    });
    own.chain(partitions).collect()
}

/// Text without a length would have 256 bytes, and longer values are cut without a word (`r_CREATE_EXTERNAL_TABLE`).
fn sized(data_type: &str) -> String {
    match data_type.trim().to_lowercase().as_str() {
        "text" | "string" | "varchar" | "character varying" => "varchar(65535)".to_owned(),
        other => other.to_owned(),
    }
}

pub fn create_external_table(relation: &Relation, columns: &[ExternalColumn], table: &ExternalTable) -> String {
    let list = |partition: bool, separator: &str| {
        let each = columns.iter().filter(|column| column.is_partition == partition);
        each.map(|column| format!("{} {}", quote_ident(&column.name), column.data_type)).collect::<Vec<_>>().join(separator)
    };
    let mut lines = vec![format!("create external table {} (\n    {}\n)", name(relation), list(false, ",\n    "))];
    if !table.partitions.is_empty() {
        lines.push(format!("partitioned by ({})", list(true, ", ")));
    }
    lines.extend(stored(&table.format));
    lines.push(format!("location {}", quote_text(&table.location)));
    let property = |(key, value): &(String, String)| format!("{} = {}", quote_text(key), quote_text(value));
    if !table.properties.is_empty() {
        lines.push(format!("table properties ({})", table.properties.iter().map(property).collect::<Vec<_>>().join(", ")));
    }
    lines.join("\n")
}

fn stored(format: &ExternalFormat) -> Vec<String> {
    match format {
        ExternalFormat::Stored { word, row_format } => {
            let row_format = row_format.as_ref().map(|text| format!("row format {text}"));
            row_format.into_iter().chain([format!("stored as {word}")]).collect()
        }
        ExternalFormat::Csv { delimiter, quote, .. } => {
            let text = |sign: &char| quote_text(&sign.to_string());
            vec![
                "row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'".to_owned(),
                format!(
                    "with serdeproperties ('separatorChar' = {}, 'quoteChar' = {}, 'wholeFile' = 'true')",
                    text(delimiter),
                    text(quote)
                ),
                "stored as textfile".to_owned(),
            ]
        }
        ExternalFormat::Json => {
            vec!["row format serde 'org.openx.data.jsonserde.JsonSerDe'".to_owned(), "stored as textfile".to_owned()]
        }
    }
}

/// The statements that tell the catalogue of further parts.
pub fn add_partitions(relation: &Relation, columns: &[ExternalColumn], parts: &[ExternalPart]) -> Vec<String> {
    let names: Vec<String> = columns.iter().filter(|column| column.is_partition).map(|column| quote_ident(&column.name)).collect();
    let print = |part: &ExternalPart| {
        let values: Vec<String> = names.iter().zip(&part.values).map(|(name, value)| format!("{name} = {}", quote_text(value))).collect();
        format!("partition ({}) location {}", values.join(", "), quote_text(&part.location))
    };
    let statement = |parts: &[ExternalPart]| {
        let parts: Vec<String> = parts.iter().map(print).collect();
        format!("alter table {} add if not exists\n{}", name(relation), parts.join("\n"))
    };
    parts.chunks(MOST_PARTITIONS).map(statement).collect()
}

/// What is dropped is the entry of the catalogue; the files stay.
pub fn drop_external_table(relation: &Relation) -> String {
    format!("drop table {}", name(relation))
}

fn name(relation: &Relation) -> String {
    format!("{}.{}", quote_ident(&relation.schema), quote_ident(&relation.identifier))
}

/// Queries for what is there: a row where the schema is.
pub fn find_external_schema(name: &str) -> String {
    format!("select 1 from svv_external_schemas where schemaname = {}", quote_text(&name.to_lowercase()))
}

/// Location, class of the serde, its parameters and those of the table, as JSON, where there is one.
pub fn find_external_table(relation: &Relation) -> String {
    format!("select location, serialization_lib, serde_parameters, parameters from svv_external_tables where {}", named(relation))
}

/// Name, type in Hive's words, and place among the partition columns (0: none of them) of each column, in order.
pub fn find_external_columns(relation: &Relation) -> String {
    format!("select columnname, external_type, part_key from svv_external_columns where {} order by columnnum", named(relation))
}

/// A JSON array of the values of each part, and its location.
pub fn find_external_partitions(relation: &Relation) -> String {
    format!("select \"values\", location from svv_external_partitions where {}", named(relation))
}

fn named(relation: &Relation) -> String {
    let text = |name: &str| quote_text(&name.to_lowercase());
    format!("schemaname = {} and tablename = {}", text(&relation.schema), text(&relation.identifier))
}

/// How files are read, as far as the catalogue tells it of a table that stands: in Hive's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalReader {
    /// What the class of the serde ends in. `None`: several may do.
    pub serde: Option<String>,
    /// Name and value of a parameter of the serde, and what it is where it is not set.
    pub parameters: Vec<(&'static str, String, &'static str)>,
    /// Lines at the beginning of each file.
    pub header_lines: String,
}

/// The parameter of a table that says so.
pub const HEADER_LINES: &str = "skip.header.line.count";

/// How the files of a table are to be read.
pub fn external_reader(table: &ExternalTable) -> ExternalReader {
    let serde = |class: &str| Some(class.to_owned());
    let (serde, parameters) = match &table.format {
        ExternalFormat::Csv { delimiter, quote, .. } => {
            (serde("OpenCSVSerde"), vec![("separatorChar", delimiter.to_string(), ","), ("quoteChar", quote.to_string(), "\"")])
        }
        ExternalFormat::Json => (serde("JsonSerDe"), Vec::new()),
        ExternalFormat::Stored { word, row_format: None } => match word.as_str() {
            "parquet" => (serde("ParquetHiveSerDe"), Vec::new()),
            "orc" => (serde("OrcSerde"), Vec::new()),
            "avro" => (serde("AvroSerDe"), Vec::new()),
            _ => (None, Vec::new()),
        },
        ExternalFormat::Stored { row_format: Some(text), .. } => {
            let lower = text.to_lowercase();
            let constant = text.split('\'').nth(1).unwrap_or("");
            if lower.starts_with("serde ") {
                (constant.rsplit('.').next().map(str::to_owned), Vec::new())
            } else if lower.starts_with("delimited fields terminated by") && constant.chars().count() == 1 {
                (serde("LazySimpleSerDe"), vec![("field.delim", constant.to_owned(), "\u{1}")])
            } else {
                (None, Vec::new())
            }
        }
    };
    let lines = table.properties.iter().find(|(name, _)| name == HEADER_LINES);
    ExternalReader { serde, parameters, header_lines: lines.map_or("0", |(_, lines)| lines).to_owned() }
}

/// A type in one spelling of the several that Hive's catalogue and SQL have for it, also within nested ones.
pub fn plain_external_type(data_type: &str) -> String {
    let lower = data_type.trim().to_lowercase();
    let (mut plain, mut rest) = (String::new(), lower.as_str());
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.find(['<', '>', ',', ':', '(', ')']).unwrap_or(rest.len()));
        let mut behind = behind.chars();
        let sign = behind.next();
        rest = behind.as_str();
        // The name of a field, whatever it is called.
        if sign == Some(':') {
            plain += &format!("{}:", word.trim());
            continue;
        }
        let (word, usual) = plain_word(word.trim());
        plain += word;
        if sign == Some('(') {
            let (arguments, behind) = rest.split_once(')').unwrap_or((rest, ""));
            rest = behind;
            let arguments = arguments.replace(' ', "");
            match word {
                "binary" => {}
                "decimal" if !arguments.contains(',') => plain += &format!("({arguments},0)"),
                _ => plain += &format!("({arguments})"),
            }
        } else {
            plain += usual;
            plain.extend(sign);
        }
    }
    plain
}

/// Hive's word for a type, and what a type without arguments has. Text without a length is as long as [`external_columns`] makes it.
fn plain_word(word: &str) -> (&str, &'static str) {
    match word {
        "integer" | "int4" => ("int", ""),
        "int8" => ("bigint", ""),
        "int2" => ("smallint", ""),
        "numeric" | "decimal" => ("decimal", "(10,0)"),
        "float8" | "double precision" => ("double", ""),
        // Four bytes in Hive's words; declarations have other words for it.
        "float4" | "float" => ("real", ""),
        "bool" => ("boolean", ""),
        "varchar" | "character varying" | "text" | "string" => ("varchar", "(65535)"),
        "char" | "character" => ("char", "(1)"),
        "varbyte" => ("binary", ""),
        "timestamp without time zone" => ("timestamp", ""),
        other => (other, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FileId, Span};

    fn schema(from: ExternalFrom) -> ExternalSchema {
        ExternalSchema {
            from,
            span: Span::new(FileId(0), 0, 0),
            database: None,
            schema: None,
            host: None,
            port: None,
            secret_arn: None,
            iam_role: None,
            catalog_role: None,
            region: None,
            create_database: false,
            cluster_arn: None,
            authentication: None,
            authentication_arn: None,
        }
    }

    #[test]
    fn schemas_of_every_kind() {
        let some = |text: &str| Some(text.to_owned());
        let catalog = ExternalSchema { database: some("lake_db"), create_database: true, ..schema(ExternalFrom::DataCatalog) };
        insta::assert_snapshot!(create_external_schema("lake", &catalog, Some("arn:aws:iam::1:role/s")), @r#"
        create external schema if not exists "lake"
        from data catalog
        database 'lake_db'
        iam_role 'arn:aws:iam::1:role/s'
        create external database if not exists
        "#);
        let federated = ExternalSchema {
            database: some("shop"),
            schema: some("public"),
            host: some("pg.example"),
            port: Some(5432),
            secret_arn: some("arn:s"),
            ..schema(ExternalFrom::PgServer)
        };
        insta::assert_snapshot!(create_external_schema("pg", &federated, None), @r#"
        create external schema if not exists "pg"
        from postgres
        database 'shop'
        schema 'public'
        uri 'pg.example' port 5432
        iam_role default
        secret_arn 'arn:s'
        "#);
        let stream = ExternalSchema { cluster_arn: some("arn:k"), authentication: some("iam"), ..schema(ExternalFrom::Msk) };
        insta::assert_snapshot!(create_external_schema("clicks", &stream, None), @r#"
        create external schema if not exists "clicks"
        from msk
        iam_role default
        authentication iam
        cluster_arn 'arn:k'
        "#);
    }

    #[test]
    fn parts_are_added_in_hundreds() {
        let columns = [ExternalColumn { name: "day".to_owned(), data_type: "date".to_owned(), is_partition: true }];
        let part = |at: usize| ExternalPart { values: vec![format!("it's {at}")], location: format!("s3://lake/{at}/") };
        let statements = add_partitions(&Relation::new("dev", "lake", "events"), &columns, &(0..101).map(part).collect::<Vec<_>>());
        assert_eq!(statements.len(), 2);
        assert_eq!(
            statements[1],
            "alter table \"lake\".\"events\" add if not exists\npartition (\"day\" = 'it''s 100') location 's3://lake/100/'"
        );
    }

    #[test]
    fn types_have_one_spelling() {
        for (written, catalogued) in [
            ("NUMERIC(12, 2)", "decimal(12,2)"),
            ("numeric(12)", "decimal(12,0)"),
            ("decimal(10,0)", "decimal"),
            ("double precision", "double"),
            ("real", "float"),
            ("integer", "int"),
            ("varchar(20)", "varchar(20)"),
            ("varchar(65535)", "string"),
            ("char", "char(1)"),
            ("varbyte(20)", "binary"),
            ("array<integer>", "array<int>"),
            ("struct<integer: int4, note:varchar, at:array<numeric(9)>>", "struct<integer:int,note:string,at:array<decimal(9,0)>>"),
            ("map<text, bool>", "map<string,boolean>"),
        ] {
            assert_eq!(plain_external_type(written), plain_external_type(catalogued), "{written}");
        }
        for (one, other) in
            [("char(1)", "char(2)"), ("real", "double"), ("array<int>", "array<bigint>"), ("struct<a:int>", "struct<b:int>")]
        {
            assert_ne!(plain_external_type(one), plain_external_type(other));
        }
    }
}
