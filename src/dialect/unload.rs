//! The rows of a relation into files on S3.

use super::redshift::{S3Format, Unload};
use super::{Engine, literal};
use crate::base::{Relation, bucket_and_key};
use crate::plan::{ExistingFiles, UnloadFormat, Unloading};

/// The statement that unloads a relation; `None` on an engine that has no bucket to write to.
///
/// # Errors
/// Why the engine cannot write such files.
pub fn unload(relation: &Relation, wanted: &Unloading, iam_role: Option<&str>, engine: Engine) -> Option<Result<String, String>> {
    let query = format!("select * from {}", relation.quoted());
    match engine {
        Engine::DuckDb => None,
        Engine::Postgres => Some(by_extension(&query, wanted)),
        Engine::Redshift => Some(
            Unload {
                query,
                place: wanted.to.clone(),
                format: match wanted.format {
                    UnloadFormat::Parquet => S3Format::Parquet,
                    UnloadFormat::Json => S3Format::Json,
                    UnloadFormat::Csv => S3Format::Csv {
                        delimiter: wanted.delimiter,
                        quote: '"',
                        header_lines: usize::from(wanted.header),
                        null_text: wanted.null_text.clone(),
                    },
                },
                iam_role: iam_role.map(str::to_owned),
                existing: wanted.existing,
                partition_by: wanted.partition_by.clone(),
                manifest: wanted.manifest,
                serial: wanted.single_file,
                gzip: wanted.gzip,
            }
            .print(),
        ),
    }
}

/// `postgresql-s3-export` of the RDS User Guide: one file of CSV, which takes the place of one that is there.
fn by_extension(query: &str, wanted: &Unloading) -> Result<String, String> {
    let (bucket, key) = bucket_and_key(&wanted.to).unwrap_or_default();
    let refused = [
        (wanted.format != UnloadFormat::Csv, "writes no other format than 'csv'"),
        (!wanted.partition_by.is_empty(), "writes no folders by value: leave 'partition_by' out"),
        (wanted.existing != ExistingFiles::Overwrite, "overwrites a file that is there: say 'existing: overwrite'"),
        (wanted.gzip || wanted.manifest, "neither packs files nor writes manifests"),
        (key.ends_with('/'), "writes one file: name it in 'to:', as in 's3://bucket/folder/rows.csv'"),
        (wanted.region.is_none(), "has to be told the 'region' of the bucket"),
    ];
    if let Some((_, why)) = refused.iter().find(|(applies, _)| *applies) {
        return Err(format!("the extension aws_s3 of PostgreSQL {why}"));
    }
    let text = |text: &str| literal(text, Engine::Postgres);
    let null = wanted.null_text.as_deref().map_or_else(String::new, |null| format!(", null {}", text(null)));
    let options = format!("format csv, header {}, delimiter {}{null}", wanted.header, text(&wanted.delimiter.to_string()));
    Ok(format!(
        "select * from aws_s3.query_export_to_s3(\n    {},\n    aws_commons.create_s3_uri({}, {}, {}),\n    options := {}\n)",
        text(query),
        text(bucket),
        text(key),
        text(wanted.region.as_deref().unwrap_or("")),
        text(&options)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Unloading {
        Unloading {
            to: "s3://lake/out/rows.csv".to_owned(),
            format: UnloadFormat::Csv,
            partition_by: Vec::new(),
            existing: ExistingFiles::Overwrite,
            single_file: true,
            gzip: false,
            header: true,
            delimiter: ';',
            null_text: Some("N".to_owned()),
            manifest: false,
            region: Some("eu-west-1".to_owned()),
        }
    }

    #[test]
    fn postgresql_exports_one_file() {
        let relation = Relation::new("d", "marts", "bets");
        let sql = unload(&relation, &wanted(), None, Engine::Postgres).unwrap().unwrap();
        insta::assert_snapshot!(sql, @r#"
        select * from aws_s3.query_export_to_s3(
            'select * from "d"."marts"."bets"',
            aws_commons.create_s3_uri('lake', 'out/rows.csv', 'eu-west-1'),
            options := 'format csv, header true, delimiter '';'', null ''N'''
        )
        "#);
        let refused = Unloading { existing: ExistingFiles::Refuse, ..wanted() };
        assert!(unload(&relation, &refused, None, Engine::Postgres).unwrap().is_err());
        assert!(unload(&relation, &wanted(), None, Engine::DuckDb).is_none());
    }
}
