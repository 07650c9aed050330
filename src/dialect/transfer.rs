//! Tables on their way from one warehouse to another, through files in a bucket.
//!
//! Files are CSV with a mark for NULL, as it is what both sides write and read exactly: PostgreSQL knows no Parquet, and an empty text
//! must not become NULL on the way.

pub use super::redshift::{CopyFromS3, Existing, FilesOnS3, S3Format, Unload, copy_and_replace, manifest};
use super::{ColumnType, Engine, literal};
use crate::base::{Relation, quote_ident};

/// What stands for NULL in the files.
const NULL: &str = super::redshift::NULL_MARK;

/// A place in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub region: String,
    /// In front of every key, without slashes at its ends; empty for none.
    pub prefix: String,
    /// The role by which a warehouse on AWS reaches it; `None`: the one that it has by default.
    pub iam_role: Option<String>,
}

impl Bucket {
    fn key(&self, folder: &str) -> String {
        if self.prefix.is_empty() { format!("{folder}/") } else { format!("{}/{folder}/", self.prefix) }
    }

    fn url(&self, folder: &str) -> String {
        format!("s3://{}/{}", self.name, self.key(folder))
    }
}

/// A table that one warehouse has and another gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub from: (Engine, Relation),
    pub to: (Engine, Relation),
    pub columns: Vec<(String, ColumnType)>,
    pub bucket: Bucket,
    /// Nobody else's: files that are there are not the transfer's.
    pub folder: String,
    /// Rows of the source that count, as its engine says it; `None`: all, which replace those that are there.
    pub only: Option<String>,
}

/// What is sent to which side, in order; the statements of a side in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferPlan {
    pub unload: Vec<String>,
    pub load: Vec<String>,
    /// Counts of what left and of what is there: where all rows go over, they must be equal before the load is committed.
    pub counts: (String, String),
}

impl Transfer {
    /// # Errors
    /// Why the rows would not arrive as they are.
    pub fn plan(&self) -> Result<TransferPlan, String> {
        if let Some((name, kind)) = self.columns.iter().find(|(_, kind)| matches!(kind, ColumnType::Json | ColumnType::Jsonb)) {
            return Err(format!("column '{name}' is of type {kind}, whose text differs between engines: cast it to text in the model"));
        }
        if self.columns.is_empty() {
            return Err("a transfer has to name its columns".to_owned());
        }
        let counts = (format!("select count(*) from ({}) as sent", self.query()), format!("select count(*) from {}", self.to.1.quoted()));
        Ok(TransferPlan { unload: vec![self.unload()?], load: self.load()?, counts })
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| quote_ident(name)).collect::<Vec<_>>().join(", ")
    }

    fn query(&self) -> String {
        let filter = self.only.as_ref().map_or_else(String::new, |only| format!(" where {only}"));
        format!("select {} from {}{filter}", self.names(), self.from.1.quoted())
    }

    fn unload(&self) -> Result<String, String> {
        match self.from.0 {
            Engine::Redshift => self.unload_redshift().print(),
            // `postgresql-s3-export` of the RDS User Guide.
            Engine::Postgres => Ok(format!(
                "select * from aws_s3.query_export_to_s3(\n    {},\n    {},\n    options := {}\n)",
                literal(&self.query(), Engine::Postgres),
                self.uri("rows.csv"),
                literal(&format!("format csv, null {}", literal(NULL, Engine::Postgres)), Engine::Postgres),
            )),
            Engine::DuckDb => Ok(format!(
                "copy ({}) to {} (format csv, header false, nullstr {}, force_quote *)",
                self.query(),
                literal(&format!("{}rows.csv", self.bucket.url(&self.folder)), Engine::DuckDb),
                literal(NULL, Engine::DuckDb)
            )),
        }
    }

    /// PostgreSQL imports one file: it gets one, as far as 6.2 GB go.
    fn unload_redshift(&self) -> Unload {
        let one = self.to.0 == Engine::Postgres;
        let folder = self.bucket.url(&self.folder);
        Unload {
            query: self.query(),
            place: if one { format!("{folder}rows.csv") } else { folder },
            format: csv(),
            iam_role: self.bucket.iam_role.clone(),
            existing: Existing::Refuse,
            partition_by: Vec::new(),
            manifest: !one,
            serial: one,
            gzip: false,
        }
    }

    /// All rows take the place of those that are there; some are added to them.
    fn load(&self) -> Result<Vec<String>, String> {
        let (engine, table) = &self.to;
        let mut statements = Vec::new();
        if self.only.is_none() {
            // Not TRUNCATE, which Redshift commits at once.
            statements.push(format!("delete from {}", table.quoted()));
        }
        statements.push(match engine {
            Engine::Redshift => CopyFromS3 {
                table: table.clone(),
                columns: self.columns.iter().map(|(name, _)| name.clone()).collect(),
                files: match self.from.0 {
                    Engine::Redshift => FilesOnS3::Manifest(format!("{}manifest", self.bucket.url(&self.folder))),
                    Engine::Postgres | Engine::DuckDb => FilesOnS3::Prefix(format!("{}rows.csv", self.bucket.url(&self.folder))),
                },
                format: csv(),
                iam_role: self.bucket.iam_role.clone(),
                region: Some(self.bucket.region.clone()),
                gzip: false,
                replace_invalid: None,
                time_format: None,
            }
            .print()?,
            // `USER_PostgreSQL.S3Import` of the RDS User Guide.
            Engine::Postgres => format!(
                "select aws_s3.table_import_from_s3(\n    {},\n    {},\n    {},\n    {}\n)",
                literal(&format!("{}.{}", quote_ident(&table.schema), quote_ident(&table.identifier)), Engine::Postgres),
                literal(&self.names(), Engine::Postgres),
                literal(&format!("(format csv, null {})", literal(NULL, Engine::Postgres)), Engine::Postgres),
                // Redshift numbers what it writes.
                self.uri(if self.from.0 == Engine::Redshift { "rows.csv000" } else { "rows.csv" }),
            ),
            Engine::DuckDb => self.read_into_duckdb(table),
        });
        Ok(statements)
    }

    fn read_into_duckdb(&self, table: &Relation) -> String {
        let types: Vec<String> = self
            .columns
            .iter()
            .map(|(name, kind)| format!("{}: {}", literal(name, Engine::DuckDb), literal(&kind.print(Engine::DuckDb), Engine::DuckDb)))
            .collect();
        format!(
            "insert into {} ({names})\nselect {names}\nfrom read_csv({}, auto_detect = false, header = false, nullstr = {}, columns = {{{}}})",
            table.quoted(),
            literal(&format!("{}*", self.bucket.url(&self.folder)), Engine::DuckDb),
            literal(NULL, Engine::DuckDb),
            types.join(", "),
            names = self.names(),
        )
    }

    fn uri(&self, file: &str) -> String {
        let parts = [&self.bucket.name, &format!("{}{file}", self.bucket.key(&self.folder)), &self.bucket.region];
        format!("aws_commons.create_s3_uri({})", parts.map(|part| literal(part, Engine::Postgres)).join(", "))
    }
}

fn csv() -> S3Format {
    S3Format::Csv { delimiter: ',', quote: '"', header_lines: 0, null_text: Some(NULL.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(from: Engine, to: Engine, only: Option<&str>) -> Transfer {
        Transfer {
            from: (from, Relation::new("shop", "marts", "bets")),
            to: (to, Relation::new("serving", "marts", "bets")),
            columns: vec![("id".to_owned(), ColumnType::Bigint), ("note".to_owned(), ColumnType::Text)],
            bucket: Bucket {
                name: "lake".to_owned(),
                region: "eu-west-1".to_owned(),
                prefix: "acca".to_owned(),
                iam_role: Some("arn:aws:iam::1:role/move".to_owned()),
            },
            folder: "run-1/bets".to_owned(),
            only: only.map(str::to_owned),
        }
    }

    fn printed(from: Engine, to: Engine, only: Option<&str>) -> String {
        let TransferPlan { unload, load, .. } = transfer(from, to, only).plan().unwrap();
        [unload, load].concat().join(";\n")
    }

    #[test]
    fn rows_go_from_postgresql_to_redshift() {
        insta::assert_snapshot!(printed(Engine::Postgres, Engine::Redshift, Some("day > '2026-01-01'")), @r#"
        select * from aws_s3.query_export_to_s3(
            'select "id", "note" from "shop"."marts"."bets" where day > ''2026-01-01''',
            aws_commons.create_s3_uri('lake', 'acca/run-1/bets/rows.csv', 'eu-west-1'),
            options := 'format csv, null ''@acca:null@'''
        );
        copy "serving"."marts"."bets" ("id", "note")
        from 's3://lake/acca/run-1/bets/rows.csv'
        iam_role 'arn:aws:iam::1:role/move'
        format as csv quote as '"' delimiter ','
        region 'eu-west-1'
        null as '@acca:null@'
        roundec
        dateformat 'auto'
        timeformat 'auto'
        "#);
    }

    #[test]
    fn rows_go_from_redshift_to_duckdb_and_between_two_redshifts() {
        insta::assert_snapshot!(printed(Engine::Redshift, Engine::DuckDb, None), @r#"
        unload ('select "id", "note" from "shop"."marts"."bets"')
        to 's3://lake/acca/run-1/bets/'
        iam_role 'arn:aws:iam::1:role/move'
        format as csv
        delimiter as ','
        null as '@acca:null@'
        manifest;
        delete from "serving"."marts"."bets";
        insert into "serving"."marts"."bets" ("id", "note")
        select "id", "note"
        from read_csv('s3://lake/acca/run-1/bets/*', auto_detect = false, header = false, nullstr = '@acca:null@', columns = {'id': 'BIGINT', 'note': 'VARCHAR'})
        "#);
        let both = printed(Engine::Redshift, Engine::Redshift, None);
        assert!(both.contains("from 's3://lake/acca/run-1/bets/manifest'") && both.contains("\nmanifest\n"), "{both}");
    }

    #[test]
    fn one_file_goes_from_redshift_to_postgresql_and_rows_are_counted() {
        let plan = transfer(Engine::Redshift, Engine::Postgres, None).plan().unwrap();
        assert!(plan.unload[0].ends_with("\nparallel off") && !plan.unload[0].contains("manifest"), "{}", plan.unload[0]);
        assert!(plan.load[1].contains("'acca/run-1/bets/rows.csv000'"), "{}", plan.load[1]);
        assert_eq!(plan.counts.1, "select count(*) from \"serving\".\"marts\".\"bets\"");
    }

    #[test]
    fn rows_go_from_duckdb_to_postgresql() {
        insta::assert_snapshot!(printed(Engine::DuckDb, Engine::Postgres, None), @r#"
        copy (select "id", "note" from "shop"."marts"."bets") to 's3://lake/acca/run-1/bets/rows.csv' (format csv, header false, nullstr '@acca:null@', force_quote *);
        delete from "serving"."marts"."bets";
        select aws_s3.table_import_from_s3(
            '"marts"."bets"',
            '"id", "note"',
            '(format csv, null ''@acca:null@'')',
            aws_commons.create_s3_uri('lake', 'acca/run-1/bets/rows.csv', 'eu-west-1')
        )
        "#);
    }

    #[test]
    fn what_would_not_arrive_is_refused() {
        let nothing = Transfer { columns: Vec::new(), ..transfer(Engine::Redshift, Engine::Postgres, None) };
        assert!(nothing.plan().is_err());
        let mut documents = transfer(Engine::Postgres, Engine::Redshift, None);
        documents.columns.push(("doc".to_owned(), ColumnType::Jsonb));
        assert!(documents.plan().unwrap_err().contains("'doc'"));
    }
}
