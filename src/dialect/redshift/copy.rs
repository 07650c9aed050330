//! Loads from S3 and unloads to it, as typed structs.

use serde_json::{Value, json};

use super::quote_text;
use crate::base::{Relation, quote_ident};
use crate::plan::ExistingFiles;

/// Where the files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesOnS3 {
    /// Every object whose key begins so.
    Prefix(String),
    /// Those that a manifest lists, and no others.
    Manifest(String),
}

/// What a file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum S3Format {
    /// Columns are matched by their place (`copy-usage_notes-copy-from-columnar`).
    Parquet,
    Csv {
        delimiter: char,
        quote: char,
        /// Lines before the first row.
        header_lines: usize,
        /// What stands for NULL.
        null_text: Option<String>,
    },
    /// One document a line.
    Json,
}

/// `COPY … FROM 's3://…'` (`r_COPY`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFromS3 {
    pub table: Relation,
    /// In the order of the files.
    pub columns: Vec<String>,
    pub files: FilesOnS3,
    pub format: S3Format,
    /// `None`: the role that the warehouse has by default.
    pub iam_role: Option<String>,
    /// Where the bucket is elsewhere than the warehouse; not with Parquet.
    pub region: Option<String>,
    pub gzip: bool,
}

impl CopyFromS3 {
    /// # Errors
    /// Why the statement would not do what it says.
    pub fn print(&self) -> Result<String, String> {
        self.print_into(&self.table.quoted())
    }

    /// Into a table of that name, as it is written in SQL, instead of its own.
    pub(super) fn print_into(&self, table: &str) -> Result<String, String> {
        if self.columns.is_empty() {
            return Err("a load has to name its columns: without them their order would be that of the table".to_owned());
        }
        let columns = self.columns.iter().map(|column| quote_ident(column)).collect::<Vec<_>>().join(", ");
        let (place, is_manifest) = match &self.files {
            FilesOnS3::Prefix(place) => (place, false),
            FilesOnS3::Manifest(place) => (place, true),
        };
        check_place(place)?;
        let mut lines = vec![
            format!("copy {table} ({columns})"),
            format!("from {}", quote_text(place)),
            role(self.iam_role.as_deref()),
            format!("format as {}", self.format_words()?),
        ];
        if let Some(region) = &self.region {
            lines.push(format!("region {}", quote_text(region)));
        }
        if is_manifest {
            lines.push("manifest".to_owned());
        }
        lines.extend(self.conversions()?);
        Ok(lines.join("\n"))
    }

    fn format_words(&self) -> Result<String, String> {
        Ok(match &self.format {
            S3Format::Parquet if self.region.is_some() => {
                return Err("Parquet files have to be in the region of the warehouse".to_owned());
            }
            S3Format::Parquet => "parquet".to_owned(),
            S3Format::Csv { delimiter, quote, .. } => {
                format!("csv quote as {} delimiter {}", quote_text(&quote.to_string()), quote_text(&delimiter.to_string()))
            }
            S3Format::Json => return Err("COPY passes over keys that it does not know: documents go through a file of text".to_owned()),
        })
    }

    /// Decimals are rounded as an insert rounds them: COPY alone cuts them (`copy-parameters-data-conversion`). Nothing is skipped
    /// and nothing cut short: errors are errors.
    fn conversions(&self) -> Result<Vec<String>, String> {
        if self.format == S3Format::Parquet {
            return if self.gzip { Err("Parquet files say themselves how they are compressed".to_owned()) } else { Ok(Vec::new()) };
        }
        let mut lines = Vec::new();
        if let S3Format::Csv { header_lines, null_text, .. } = &self.format {
            if *header_lines > 0 {
                lines.push(format!("ignoreheader {header_lines}"));
            }
            lines.extend(null_text.iter().map(|text| format!("null as {}", quote_text(text))));
        }
        if self.gzip {
            lines.push("gzip".to_owned());
        }
        lines.push("roundec".to_owned());
        lines.push("dateformat 'auto'".to_owned());
        lines.push("timeformat 'auto'".to_owned());
        Ok(lines)
    }
}

/// Queries for what a COPY failed at, the first that is refused by nobody counts: file, line, column and reason, each as text
/// (`SYS_LOAD_ERROR_DETAIL`, `r_STL_LOAD_ERRORS`). Provisioned clusters alone have the second.
pub fn load_errors(query: i64) -> [String; 2] {
    let of_cluster = "select trim(filename), cast(line_number as varchar(20)), trim(colname), trim(err_reason)\n\
                      from stl_load_errors";
    let of_any = "select trim(file_name), cast(line_number as varchar(20)), trim(column_name), trim(error_message)\n\
                  from sys_load_error_detail";
    [
        format!("{of_cluster}\nwhere query = {query}\norder by starttime, line_number\nlimit 1"),
        format!("{of_any}\nwhere query_id = {query}\norder by start_time, line_number\nlimit 1"),
    ]
}

/// A manifest of files that must all be there (`loading-data-files-using-manifest`); the bytes of each are told to COPY of Parquet.
pub fn manifest(files: &[(String, u64)], format: &S3Format) -> String {
    let entry = |(url, bytes): &(String, u64)| -> Value {
        match format {
            S3Format::Parquet => json!({"url": url, "mandatory": true, "meta": {"content_length": bytes}}),
            S3Format::Csv { .. } | S3Format::Json => json!({"url": url, "mandatory": true}),
        }
    };
    let entries: Vec<Value> = files.iter().map(entry).collect();
    format!("{:#}\n", json!({ "entries": entries }))
}

/// `UNLOAD ('query') TO 's3://…'` (`r_UNLOAD`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unload {
    pub query: String,
    pub place: String,
    pub format: S3Format,
    pub iam_role: Option<String>,
    /// Nothing is ever deleted (`CLEANPATH`).
    pub existing: ExistingFiles,
    /// Folders by the values of these columns, which stay in the files.
    pub partition_by: Vec<String>,
    pub manifest: bool,
    /// One file after the other, in the order of the query.
    pub serial: bool,
    pub gzip: bool,
}

impl Unload {
    /// # Errors
    /// Why the statement would not do what it says.
    pub fn print(&self) -> Result<String, String> {
        check_place(&self.place)?;
        let parallel = self.serial.then(|| "parallel off".to_owned());
        if self.serial && !self.partition_by.is_empty() {
            return Err("files in folders by value are written side by side: take 'serial' or the partitions away".to_owned());
        }
        let format = match &self.format {
            S3Format::Parquet if self.gzip => return Err("Parquet files are compressed inside".to_owned()),
            S3Format::Parquet => "format as parquet".to_owned(),
            S3Format::Csv { quote: '"', .. } => "format as csv".to_owned(),
            S3Format::Csv { .. } => return Err("CSV files are unloaded with double quotes only".to_owned()),
            S3Format::Json => "format as json".to_owned(),
        };
        let mut lines = vec![
            format!("unload ({})", quote_text(&self.query)),
            format!("to {}", quote_text(&self.place)),
            role(self.iam_role.as_deref()),
            format,
        ];
        if !self.partition_by.is_empty() {
            let columns = self.partition_by.iter().map(|column| quote_ident(column)).collect::<Vec<_>>().join(", ");
            lines.push(format!("partition by ({columns}) include"));
        }
        if let S3Format::Csv { delimiter, header_lines, null_text, .. } = &self.format {
            lines.push(format!("delimiter as {}", quote_text(&delimiter.to_string())));
            lines.extend((*header_lines > 0).then(|| "header".to_owned()));
            lines.extend(null_text.iter().map(|text| format!("null as {}", quote_text(text))));
        }
        lines.extend(self.manifest.then(|| "manifest".to_owned()));
        lines.extend(self.gzip.then(|| "gzip".to_owned()));
        lines.extend(match self.existing {
            ExistingFiles::Refuse => None,
            ExistingFiles::Overwrite => Some("allowoverwrite".to_owned()),
        });
        lines.extend(parallel);
        Ok(lines.join("\n"))
    }
}

pub(in crate::dialect) fn role(arn: Option<&str>) -> String {
    arn.filter(|arn| *arn != "default").map_or_else(|| "iam_role default".to_owned(), |arn| format!("iam_role {}", quote_text(arn)))
}

fn check_place(place: &str) -> Result<(), String> {
    let bucket = place.strip_prefix("s3://").and_then(|rest| rest.split('/').next()).unwrap_or("");
    if bucket.is_empty() { Err(format!("'{place}' is no place on S3, as in s3://bucket/folder/")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv() -> S3Format {
        S3Format::Csv { delimiter: '|', quote: '"', header_lines: 1, null_text: Some("\\N".to_owned()) }
    }

    fn load(format: S3Format) -> CopyFromS3 {
        CopyFromS3 {
            table: Relation::new("shop", "raw", "bets"),
            columns: vec!["id".to_owned(), "stake".to_owned()],
            files: FilesOnS3::Manifest("s3://lake/bets/1.manifest".to_owned()),
            format,
            iam_role: Some("arn:aws:iam::1:role/load".to_owned()),
            region: None,
            gzip: false,
        }
    }

    #[test]
    fn loads_say_all_that_matters() {
        let text = CopyFromS3 { gzip: true, region: Some("eu-west-1".to_owned()), ..load(csv()) };
        insta::assert_snapshot!(text.print().unwrap(), @r#"
        copy "shop"."raw"."bets" ("id", "stake")
        from 's3://lake/bets/1.manifest'
        iam_role 'arn:aws:iam::1:role/load'
        format as csv quote as '"' delimiter '|'
        region 'eu-west-1'
        manifest
        ignoreheader 1
        null as '\\N'
        gzip
        roundec
        dateformat 'auto'
        timeformat 'auto'
        "#);
        let columnar =
            CopyFromS3 { iam_role: None, files: FilesOnS3::Prefix("s3://lake/bets/2026/".to_owned()), ..load(S3Format::Parquet) };
        insta::assert_snapshot!(columnar.print().unwrap(), @r#"
        copy "shop"."raw"."bets" ("id", "stake")
        from 's3://lake/bets/2026/'
        iam_role default
        format as parquet
        "#);
    }

    #[test]
    fn what_would_do_something_else_is_refused() {
        for wrong in [
            CopyFromS3 { columns: Vec::new(), ..load(csv()) },
            CopyFromS3 { region: Some("x".to_owned()), ..load(S3Format::Parquet) },
            CopyFromS3 { gzip: true, ..load(S3Format::Parquet) },
            load(S3Format::Json),
            CopyFromS3 { files: FilesOnS3::Prefix("lake/bets".to_owned()), ..load(csv()) },
        ] {
            assert!(wrong.print().is_err(), "{wrong:?}");
        }
        let unload = unload(S3Format::Parquet);
        assert!(Unload { serial: true, ..unload.clone() }.print().is_err());
        assert!(Unload { gzip: true, ..unload }.print().is_err());
    }

    #[test]
    fn a_manifest_names_files_that_must_be_there() {
        let files = [("s3://lake/a.parquet".to_owned(), 12)];
        let columnar: Value = serde_json::from_str(&manifest(&files, &S3Format::Parquet)).unwrap();
        assert_eq!(columnar, json!({"entries": [{"url": "s3://lake/a.parquet", "mandatory": true, "meta": {"content_length": 12}}]}));
        let text: Value = serde_json::from_str(&manifest(&files, &csv())).unwrap();
        assert_eq!(text, json!({"entries": [{"url": "s3://lake/a.parquet", "mandatory": true}]}));
    }

    fn unload(format: S3Format) -> Unload {
        Unload {
            query: "select id, 'it''s \\d' as note from marts.bets".to_owned(),
            place: "s3://lake/out/".to_owned(),
            format,
            iam_role: None,
            existing: ExistingFiles::Refuse,
            partition_by: vec!["id".to_owned()],
            manifest: true,
            serial: false,
            gzip: false,
        }
    }

    #[test]
    fn the_query_of_an_unload_is_a_constant() {
        insta::assert_snapshot!(unload(S3Format::Parquet).print().unwrap(), @r#"
        unload ('select id, ''it''''s \\d'' as note from marts.bets')
        to 's3://lake/out/'
        iam_role default
        format as parquet
        partition by ("id") include
        manifest
        "#);
        let text = Unload {
            existing: ExistingFiles::Overwrite,
            partition_by: Vec::new(),
            serial: true,
            gzip: true,
            manifest: false,
            ..unload(csv())
        };
        insta::assert_snapshot!(text.print().unwrap(), @r#"
        unload ('select id, ''it''''s \\d'' as note from marts.bets')
        to 's3://lake/out/'
        iam_role default
        format as csv
        delimiter as '|'
        header
        null as '\\N'
        gzip
        allowoverwrite
        parallel off
        "#);
    }
}
