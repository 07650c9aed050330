//! Objects that a warehouse reads as they lie in their bucket: Redshift by COPY, PostgreSQL by the extension aws_s3. Both take more for a value than acca does (they round, trim, and read many
//! forms of dates), so a file of text comes into columns of text, is held there against acca's own rules, and becomes values by casts
//! that have nothing left to interpret. The rules here are narrower than those of acca's own pass, never wider: what they do not know
//! is left to that pass.

use super::{CopyFromS3, FilesOnS3, S3Format};
use crate::base::{Relation, bucket_and_key, quote_ident};
use crate::dialect::load::{FILE_COLUMN, RawColumn};
use crate::dialect::{ColumnType, Engine, literal};

/// The statements by which one object gets into its raw table, to be sent in one transaction.
#[derive(Clone, Debug)]
pub struct DirectCopy<'a> {
    /// Redshift or PostgreSQL.
    pub engine: Engine,
    pub table: &'a Relation,
    /// As they are declared.
    pub columns: &'a [RawColumn],
    /// For each column of the file, in its order, the declared one.
    pub order: Vec<usize>,
    /// As it is recorded.
    pub file: &'a str,
    pub format: DirectFormat<'a>,
}

/// What the object is made of.
#[derive(Clone, Debug)]
pub enum DirectFormat<'a> {
    /// In UTF-8, with double quotes.
    Csv {
        delimiter: u8,
        /// The header row is among them.
        header_lines: usize,
        gzip: bool,
        /// Which values are NULL.
        null_text: &'a str,
        /// A text that no value is.
        nothing: String,
    },
    /// The types of the file's columns, for each declared one, in Redshift's words.
    Parquet { types: Vec<String> },
}

/// The type by which COPY takes a column of Parquet, from DuckDB's word for it; `None` for types that are left to acca's own pass.
pub fn type_for_parquet(found: &str) -> Option<String> {
    let same = match found {
        "SMALLINT" => "smallint",
        "INTEGER" => "integer",
        "BIGINT" => "bigint",
        "FLOAT" => "real",
        "DOUBLE" => "double precision",
        "BOOLEAN" => "boolean",
        "DATE" => "date",
        "TIMESTAMP" => "timestamp",
        "VARCHAR" => "varchar(65535)",
        decimal => return decimal.strip_prefix("DECIMAL").map(|size| format!("numeric{size}")),
    };
    Some(same.to_owned())
}

const DATE: &str = "[0-9]{4}-[01][0-9]-[0-3][0-9]";
const TIME: &str = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?";
const OFFSET: &str = "(Z|[+-](0[0-9]|1[0-3])(:[0-5][0-9])?)";

impl DirectCopy<'_> {
    fn stage(&self) -> String {
        quote_ident(&format!("{}__acca_load", self.table.identifier))
    }

    pub fn create(&self) -> String {
        let kind = |at: usize| match &self.format {
            DirectFormat::Csv { .. } => ColumnType::Text.print(self.engine),
            DirectFormat::Parquet { types } => types.get(at).cloned().unwrap_or_default(),
        };
        let columns = self.columns.iter().enumerate().map(|(at, column)| format!("    {} {}", quote_ident(&column.name), kind(at)));
        format!("create temporary table {} (\n{}\n)", self.stage(), columns.collect::<Vec<_>>().join(",\n"))
    }

    /// Of the one object that the manifest names: a key without a manifest would stand for all that begin with it.
    ///
    /// # Errors
    /// As [`CopyFromS3::print`].
    pub fn copy(&self, manifest: &str, iam_role: Option<String>, region: Option<String>) -> Result<String, String> {
        let (format, gzip) = match &self.format {
            DirectFormat::Csv { delimiter, header_lines, gzip, nothing, .. } => (
                S3Format::Csv {
                    delimiter: char::from(*delimiter),
                    quote: '"',
                    header_lines: *header_lines,
                    // COPY takes '\N' for NULL unless it is told of something else.
                    null_text: Some(nothing.clone()),
                },
                *gzip,
            ),
            DirectFormat::Parquet { .. } => (S3Format::Parquet, false),
        };
        let named = self.order.iter().filter_map(|at| self.columns.get(*at)).map(|column| column.name.clone());
        let load = CopyFromS3 {
            table: self.table.clone(),
            columns: named.collect(),
            files: FilesOnS3::Manifest(manifest.to_owned()),
            format,
            iam_role,
            region,
            gzip,
        };
        load.print_into(&self.stage())
    }

    /// PostgreSQL: the statement by which the extension reads the object (`USER_PostgreSQL.S3Import` of the RDS User Guide). It can
    /// leave out one line.
    pub fn import(&self, region: &str) -> Option<String> {
        let DirectFormat::Csv { delimiter, header_lines: lines @ (0 | 1), gzip: false, nothing, .. } = &self.format else { return None };
        let (bucket, key) = bucket_and_key(self.file)?;
        let text = |text: &str| literal(text, Engine::Postgres);
        let named = self.order.iter().filter_map(|at| self.columns.get(*at)).map(|column| quote_ident(&column.name));
        let delimiter = text(&char::from(*delimiter).to_string());
        let options = format!("(format csv, header {}, delimiter {delimiter}, null {}, encoding 'UTF8')", *lines == 1, text(nothing));
        Some(format!(
            "select aws_s3.table_import_from_s3(\n    {},\n    {},\n    {},\n    aws_commons.create_s3_uri({}, {}, {})\n)",
            text(&self.stage()),
            text(&named.collect::<Vec<_>>().join(", ")),
            text(&options),
            text(bucket),
            text(key),
            text(region)
        ))
    }

    /// The query for how many rows came and how many of them are left to acca's own pass.
    pub fn check(&self) -> String {
        let last = self.order.last().copied();
        let doubts: Vec<String> = self.columns.iter().enumerate().filter_map(|(at, column)| self.doubt(column, last == Some(at))).collect();
        let doubtful = if doubts.is_empty() {
            "0".to_owned()
        } else {
            format!("coalesce(sum(case\n        when {}\n        then 1 else 0 end), 0)", doubts.join("\n        or "))
        };
        format!("select count(*), {doubtful}\nfrom {}", self.stage())
    }

    /// When a value is left to acca's own pass; NULL says nothing.
    fn doubt(&self, column: &RawColumn, is_last: bool) -> Option<String> {
        let name = quote_ident(&column.name);
        let length_of = if self.engine == Engine::Postgres { "char_length" } else { "len" };
        let DirectFormat::Csv { .. } = &self.format else {
            return match column.data_type {
                ColumnType::Varchar(length) => Some(format!("{length_of}({name}) > {length}")),
                _ => None,
            };
        };
        let not_like = |pattern: String| format!("{} !~ {}", self.value(column), literal(&format!("^{pattern}$"), self.engine));
        let digits = |count: usize| format!("-?[0-9]{{1,{count}}}");
        let doubt = match column.data_type {
            // Whatever has so many digits is within the range.
            ColumnType::Smallint => not_like(digits(4)),
            ColumnType::Integer => not_like(digits(9)),
            ColumnType::Bigint => not_like(digits(18)),
            ColumnType::Numeric { precision, scale } => {
                let whole = digits(usize::from(precision - scale).max(1));
                not_like(if scale == 0 { whole } else { format!("{whole}([.][0-9]{{1,{scale}}})?") })
            }
            ColumnType::Real | ColumnType::Double => not_like(format!("{}([.][0-9]{{1,9}})?", digits(9))),
            ColumnType::Boolean => not_like("(true|false|t|f|1|0)".to_owned()),
            ColumnType::Date => not_like(DATE.to_owned()),
            ColumnType::Time => not_like(TIME.to_owned()),
            ColumnType::Timestamp => not_like(format!("{DATE}[ T]{TIME}")),
            ColumnType::Timestamptz => not_like(format!("{DATE}[ T]{TIME}{OFFSET}")),
            ColumnType::Uuid => not_like("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}".to_owned()),
            ColumnType::Text | ColumnType::Varchar(_) => {
                // Quotes within a value may be read otherwise than acca reads them.
                let mut doubts = vec![format!("position('\"' in {name}) > 0")];
                if let ColumnType::Varchar(length) = column.data_type {
                    doubts.push(format!("{length_of}({name}) > {length}"));
                }
                if is_last {
                    doubts.push(format!("position(chr(13) in {name}) > 0"));
                }
                doubts.join(" or ")
            }
            ColumnType::Json | ColumnType::Jsonb => format!("{name} is not null"),
        };
        Some(doubt)
    }

    /// The text of a value, NULL where it stands for that. Texts are equal here also where one has more blanks at its end, so bytes are
    /// counted.
    fn value(&self, column: &RawColumn) -> String {
        let name = quote_ident(&column.name);
        match &self.format {
            DirectFormat::Parquet { .. } => name,
            DirectFormat::Csv { null_text: "", .. } => format!("case when octet_length({name}) > 0 then {name} end"),
            DirectFormat::Csv { null_text, .. } => {
                let text = literal(null_text, self.engine);
                format!("case when {name} <> {text} or octet_length({name}) <> {} then {name} end", null_text.len())
            }
        }
    }

    pub fn insert(&self) -> String {
        let names = self.columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ");
        let values = self.columns.iter().map(|column| format!("    {}", self.converted(column))).collect::<Vec<_>>().join(",\n");
        format!(
            "insert into {} ({names}, {})\nselect\n{values},\n    {}\nfrom {}",
            self.table.quoted(),
            quote_ident(FILE_COLUMN),
            literal(self.file, self.engine),
            self.stage()
        )
    }

    fn converted(&self, column: &RawColumn) -> String {
        let value = self.value(column);
        let cast = |value: &str| format!("cast({value} as {})", column.data_type.print(self.engine));
        if matches!(self.format, DirectFormat::Parquet { .. }) {
            return cast(&value);
        }
        match column.data_type {
            ColumnType::Text | ColumnType::Varchar(_) => value,
            ColumnType::Uuid if self.engine == Engine::Redshift => value,
            // Text is cast to no truth (`r_Boolean_type`).
            ColumnType::Boolean => format!("({value}) in ('true', 't', '1')"),
            ColumnType::Timestamp => cast(&format!("replace({value}, 'T', ' ')")),
            ColumnType::Timestamptz => cast(&format!("replace(replace({value}, 'T', ' '), 'Z', '+00')")),
            _ => cast(&value),
        }
    }

    pub fn drop(&self) -> String {
        format!("drop table {}", self.stage())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<RawColumn> {
        let column = |name: &str, kind: &str| RawColumn { name: name.to_owned(), data_type: ColumnType::parse(kind).unwrap() };
        vec![
            column("id", "bigint"),
            column("stake", "numeric(12,2)"),
            column("at", "timestamptz"),
            column("ok", "boolean"),
            column("note", "varchar(5)"),
        ]
    }

    #[test]
    fn text_is_checked_where_it_lies() {
        let format = DirectFormat::Csv { delimiter: b';', header_lines: 1, gzip: true, null_text: "", nothing: "@none@".to_owned() };
        let direct = DirectCopy {
            engine: Engine::Redshift,
            table: &Relation::new("d", "raw", "t"),
            columns: &columns(),
            order: vec![1, 0, 2, 3, 4],
            file: "s3://lake/a",
            format,
        };
        let copy = direct.copy("s3://lake/m.json", None, None).unwrap();
        insta::assert_snapshot!([direct.create(), copy, direct.check(), direct.insert()].join(";\n"), @r#"
        create temporary table "t__acca_load" (
            "id" varchar(65535),
            "stake" varchar(65535),
            "at" varchar(65535),
            "ok" varchar(65535),
            "note" varchar(65535)
        );
        copy "t__acca_load" ("stake", "id", "at", "ok", "note")
        from 's3://lake/m.json'
        iam_role default
        format as csv quote as '"' delimiter ';'
        manifest
        ignoreheader 1
        null as '@none@'
        gzip
        roundec
        dateformat 'auto'
        timeformat 'auto';
        select count(*), coalesce(sum(case
                when case when octet_length("id") > 0 then "id" end !~ '^-?[0-9]{1,18}$'
                or case when octet_length("stake") > 0 then "stake" end !~ '^-?[0-9]{1,10}([.][0-9]{1,2})?$'
                or case when octet_length("at") > 0 then "at" end !~ '^[0-9]{4}-[01][0-9]-[0-3][0-9][ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3])(:[0-5][0-9])?)$'
                or case when octet_length("ok") > 0 then "ok" end !~ '^(true|false|t|f|1|0)$'
                or position('"' in "note") > 0 or len("note") > 5 or position(chr(13) in "note") > 0
                then 1 else 0 end), 0)
        from "t__acca_load";
        insert into "d"."raw"."t" ("id", "stake", "at", "ok", "note", "_acca_file")
        select
            cast(case when octet_length("id") > 0 then "id" end as bigint),
            cast(case when octet_length("stake") > 0 then "stake" end as numeric(12,2)),
            cast(replace(replace(case when octet_length("at") > 0 then "at" end, 'T', ' '), 'Z', '+00') as timestamptz),
            (case when octet_length("ok") > 0 then "ok" end) in ('true', 't', '1'),
            case when octet_length("note") > 0 then "note" end,
            's3://lake/a'
        from "t__acca_load"
        "#);
        let format = DirectFormat::Csv { delimiter: b';', header_lines: 0, gzip: false, null_text: "NA", nothing: "@none@".to_owned() };
        assert_eq!(
            DirectCopy { format, ..direct }.value(&columns()[4]),
            "case when \"note\" <> 'NA' or octet_length(\"note\") <> 2 then \"note\" end"
        );
    }

    #[test]
    fn postgresql_reads_by_its_extension() {
        let csv =
            |header_lines| DirectFormat::Csv { delimiter: b';', header_lines, gzip: false, null_text: "", nothing: "@none@".to_owned() };
        let table = Relation::new("d", "raw", "t");
        let direct = DirectCopy {
            engine: Engine::Postgres,
            table: &table,
            columns: &columns(),
            order: vec![1, 0, 2, 3, 4],
            file: "s3://lake/it's/a.csv",
            format: csv(1),
        };
        insta::assert_snapshot!(direct.import("eu-west-1").unwrap(), @r#"
        select aws_s3.table_import_from_s3(
            '"t__acca_load"',
            '"stake", "id", "at", "ok", "note"',
            '(format csv, header true, delimiter '';'', null ''@none@'', encoding ''UTF8'')',
            aws_commons.create_s3_uri('lake', 'it''s/a.csv', 'eu-west-1')
        )
        "#);
        assert!(direct.check().contains("char_length(\"note\") > 5") && direct.create().contains("\"id\" text"));
        assert_eq!(DirectCopy { format: csv(2), ..direct }.import("eu-west-1"), None);
    }

    #[test]
    fn columns_of_parquet_have_types_already() {
        let types = ["BIGINT", "DECIMAL(10,2)", "TIMESTAMP", "BOOLEAN", "VARCHAR"].map(|found| type_for_parquet(found).unwrap()).to_vec();
        let format = DirectFormat::Parquet { types };
        let direct = DirectCopy {
            engine: Engine::Redshift,
            table: &Relation::new("d", "raw", "t"),
            columns: &columns(),
            order: vec![0, 1, 2, 3, 4],
            file: "s3://lake/a",
            format,
        };
        insta::assert_snapshot!([direct.create(), direct.check(), direct.insert()].join(";\n"), @r#"
        create temporary table "t__acca_load" (
            "id" bigint,
            "stake" numeric(10,2),
            "at" timestamp,
            "ok" boolean,
            "note" varchar(65535)
        );
        select count(*), coalesce(sum(case
                when len("note") > 5
                then 1 else 0 end), 0)
        from "t__acca_load";
        insert into "d"."raw"."t" ("id", "stake", "at", "ok", "note", "_acca_file")
        select
            cast("id" as bigint),
            cast("stake" as numeric(12,2)),
            cast("at" as timestamptz),
            cast("ok" as boolean),
            cast("note" as varchar(20)),
            's3://lake/a'
        from "t__acca_load"
        "#);
        assert_eq!(type_for_parquet("TIMESTAMP WITH TIME ZONE"), None);
    }
}
