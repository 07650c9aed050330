//! Files that COPY reads for a raw table: into a table of the session first, since COPY does not say which file a row is from.

use super::{CopyFromS3, FilesOnS3, S3Format};
use crate::base::{ColumnInfo, Relation, quote_ident};
use crate::dialect::load::{FILE_COLUMN, RawColumn};
use crate::dialect::{ColumnType, Engine, literal};
use crate::plan::BucketFiles;

/// What stands for NULL in files of rows that acca writes. No value is this text.
pub const NULL_MARK: &str = "@acca:null@";

/// The statements by which one file gets into its raw table, to be sent in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct StagedCopy<'a> {
    pub table: &'a Relation,
    pub columns: &'a [RawColumn],
    /// As it is recorded.
    pub file: &'a str,
}

impl StagedCopy<'_> {
    fn stage(&self) -> String {
        quote_ident(&format!("{}__acca_load", self.table.identifier))
    }

    fn names(&self) -> String {
        self.columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ")
    }

    pub fn create(&self) -> String {
        let columns = self.columns.iter().map(|column| {
            // A document is read as such only behind the load (`r_SUPER_type`).
            let kind = if is_document(column) { ColumnType::Text } else { column.data_type };
            format!("    {} {}", quote_ident(&column.name), kind.print(Engine::Redshift))
        });
        format!("create temporary table {} (\n{}\n)", self.stage(), columns.collect::<Vec<_>>().join(",\n"))
    }

    /// Of rows as acca writes them, packed, in the objects of a manifest.
    ///
    /// # Errors
    /// As [`CopyFromS3::print`].
    pub fn copy(&self, manifest: &str, iam_role: Option<String>, region: Option<String>) -> Result<String, String> {
        let load = CopyFromS3 {
            table: self.table.clone(),
            columns: self.columns.iter().map(|column| column.name.clone()).collect(),
            files: FilesOnS3::Manifest(manifest.to_owned()),
            format: S3Format::Csv { delimiter: ',', quote: '"', header_lines: 0, null_text: Some(NULL_MARK.to_owned()) },
            iam_role,
            region,
            gzip: true,
        };
        load.print_into(&self.stage())
    }

    pub fn insert(&self) -> String {
        let value = |column: &RawColumn| {
            let name = quote_ident(&column.name);
            match column.data_type {
                _ if is_document(column) => format!("json_parse({name})"),
                // Text there, and equal ones are to be equal.
                ColumnType::Uuid => format!("lower({name})"),
                _ => name,
            }
        };
        let values = self.columns.iter().map(value).collect::<Vec<_>>().join(", ");
        format!(
            "insert into {} ({}, {})\nselect {values}, {}\nfrom {}",
            self.table.quoted(),
            self.names(),
            quote_ident(FILE_COLUMN),
            literal(self.file, Engine::Redshift),
            self.stage()
        )
    }

    pub fn drop(&self) -> String {
        format!("drop table {}", self.stage())
    }
}

/// Rows as acca writes them, into a table that has just been made.
pub(super) fn copy_rows(table: &Relation, columns: &[ColumnInfo], files: &BucketFiles) -> String {
    let load = CopyFromS3 {
        table: table.clone(),
        columns: columns.iter().map(|column| column.name.clone()).collect(),
        files: FilesOnS3::Manifest(files.manifest.clone()),
        format: S3Format::Csv { delimiter: ',', quote: '"', header_lines: 0, null_text: Some(NULL_MARK.to_owned()) },
        iam_role: files.iam_role.clone(),
        region: files.region.clone(),
        gzip: true,
    };
    // A seed has columns, and the place was looked at with the target.
    load.print().unwrap_or_default()
}

fn is_document(column: &RawColumn) -> bool {
    matches!(column.data_type, ColumnType::Json | ColumnType::Jsonb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_through_a_table_of_the_session() {
        let column = |name: &str, data_type| RawColumn { name: name.to_owned(), data_type };
        let columns = [column("id", ColumnType::Bigint), column("doc", ColumnType::Jsonb)];
        let staged = StagedCopy { table: &Relation::new("d", "raw", "t"), columns: &columns, file: "it's\\.csv" };
        let copy = staged.copy("s3://lake/m.json", None, Some("eu-west-1".to_owned())).unwrap();
        insta::assert_snapshot!([staged.create(), copy, staged.insert(), staged.drop()].join(";\n"), @r#"
        create temporary table "t__acca_load" (
            "id" bigint,
            "doc" varchar(65535)
        );
        copy "t__acca_load" ("id", "doc")
        from 's3://lake/m.json'
        iam_role default
        format as csv quote as '"' delimiter ','
        region 'eu-west-1'
        manifest
        null as '@acca:null@'
        gzip
        roundec
        dateformat 'auto'
        timeformat 'auto';
        insert into "d"."raw"."t" ("id", "doc", "_acca_file")
        select "id", json_parse("doc"), 'it''s\\.csv'
        from "t__acca_load";
        drop table "t__acca_load"
        "#);
    }
}
