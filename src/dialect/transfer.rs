//! Tables on their way from one warehouse to another, through files in a bucket.
//!
//! Files are CSV with a mark for NULL, as it is what both sides write and read exactly: PostgreSQL knows no Parquet, and an empty text
//! must not become NULL on the way.

pub use super::redshift::{CopyFromS3, FilesOnS3, S3Format, Unload, manifest};
use super::{ColumnType, Engine, literal};
use crate::base::{ColumnInfo, Relation, quote_ident};
use crate::plan::ExistingFiles;

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

/// A table of one warehouse whose rows another gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub from: (Engine, Relation),
    /// New and empty, with the same columns.
    pub to: (Engine, Relation),
    /// With the types of the table that gets them ([`arriving`]).
    pub columns: Vec<ColumnInfo>,
    pub bucket: Bucket,
    /// Nobody else's: files that are there are not the transfer's.
    pub folder: String,
    /// Rows of the source that count, as its engine says it; `None`: all.
    pub only: Option<String>,
}

/// What is sent to which side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferPlan {
    /// Where the files lie, for people.
    pub place: String,
    /// What the session that writes them is to be set to.
    pub settings: Option<String>,
    /// Counts the rows with a value that no document says how it goes over; there must be none.
    pub unsafe_rows: Option<String>,
    pub unload: String,
    pub load: String,
    /// Counts the rows that leave, and those that are there: they must be equal before anybody sees them.
    pub sent: String,
    pub arrived: String,
}

/// The columns of a table of one engine as another engine is to have them.
///
/// # Errors
/// Which column would not arrive as it is, and what to do about it.
pub fn arriving(columns: &[ColumnInfo], from: Engine, to: Engine) -> Result<Vec<ColumnInfo>, String> {
    if columns.is_empty() {
        return Err("the table has no columns that are known".to_owned());
    }
    let of_another = |column: &ColumnInfo| {
        let name = &column.name;
        let kind = match column.data_type.to_ascii_lowercase().as_str() {
            "hugeint" => Ok(ColumnType::Numeric { precision: 38, scale: 0 }),
            "double" => Ok(ColumnType::Double),
            declared => ColumnType::parse(declared),
        };
        let kind =
            kind.map_err(|why| format!("column '{name}' of type {} cannot go over, so cast it in the model: {why}", column.data_type))?;
        if matches!(kind, ColumnType::Json | ColumnType::Jsonb) {
            return Err(format!("column '{name}' is of type {kind}, whose text differs between engines: cast it to text in the model"));
        }
        Ok(ColumnInfo { name: name.clone(), data_type: kind.print(to) })
    };
    // PostgreSQL reads of all of its types what it writes.
    if (from, to) == (Engine::Postgres, Engine::Postgres) { Ok(columns.to_vec()) } else { columns.iter().map(of_another).collect() }
}

/// A value of a column as a condition of another engine has it. `None` for types of which engines do not agree how they are ordered.
pub fn instant_or_number(text: &str, data_type: &str) -> Option<String> {
    let kind = ColumnType::parse(data_type).ok()?;
    match kind {
        ColumnType::Smallint | ColumnType::Integer | ColumnType::Bigint | ColumnType::Numeric { .. } => Some(text.to_owned()),
        ColumnType::Date | ColumnType::Timestamp | ColumnType::Timestamptz => Some(format!("cast('{text}' as {kind})")),
        _ => None,
    }
}

impl Transfer {
    /// # Errors
    /// Why it cannot be written.
    pub fn plan(&self) -> Result<TransferPlan, String> {
        Ok(TransferPlan {
            place: self.bucket.url(&self.folder),
            settings: self.settings(),
            unsafe_rows: self.unsafe_rows(),
            unload: self.unload()?,
            load: self.load()?,
            sent: format!("select count(*) from ({}) as sent", self.query()),
            arrived: format!("select count(*) from {}", self.to.1.quoted()),
        })
    }

    /// What stands for NULL in the files: of this transfer alone, so that no row has it.
    fn null_mark(&self) -> String {
        format!("@acca:null:{:08x}@", crc32fast::hash(self.folder.as_bytes()))
    }

    fn csv(&self) -> S3Format {
        S3Format::Csv { delimiter: ',', quote: '"', header_lines: 0, null_text: Some(self.null_mark()) }
    }

    fn names(&self) -> String {
        self.columns.iter().map(|column| quote_ident(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// Numbers with a floating point, by name; whether they are of single precision.
    fn floats(&self) -> impl Iterator<Item = (String, bool)> {
        let single = |column: &ColumnInfo| match column.data_type.to_ascii_lowercase().as_str() {
            "double" => Some(false),
            "float" if self.to.0 == Engine::DuckDb => Some(true),
            declared => match ColumnType::parse(declared) {
                Ok(ColumnType::Real) => Some(true),
                Ok(ColumnType::Double) => Some(false),
                _ => None,
            },
        };
        self.columns.iter().filter_map(move |column| Some((quote_ident(&column.name), single(column)?)))
    }

    fn is_of_redshift(&self) -> bool {
        [self.from.0, self.to.0].contains(&Engine::Redshift)
    }

    /// Redshift writes 15 digits of a number with a floating point where nothing is said; with two more it is the same number
    /// (`r_extra_float_digits`).
    fn settings(&self) -> Option<String> {
        (self.from.0 == Engine::Redshift && self.floats().next().is_some()).then(|| "set extra_float_digits to 2".to_owned())
    }

    /// What is no number or without end has no difference to itself.
    fn unsafe_rows(&self) -> Option<String> {
        let differs: Vec<String> = self.floats().map(|(name, _)| format!("{name} - {name} <> 0")).collect();
        let from = self.only.as_ref().map_or_else(String::new, |only| format!("({only}) and "));
        (self.is_of_redshift() && !differs.is_empty())
            .then(|| format!("select count(*) from {} where {from}({})", self.from.1.quoted(), differs.join(" or ")))
    }

    fn query(&self) -> String {
        let filter = self.only.as_ref().map_or_else(String::new, |only| format!(" where {only}"));
        // Two more digits than six are not enough for single precision: as double precision it has its 17.
        let singles: Vec<String> =
            self.floats().filter(|(_, single)| *single && self.from.0 == Engine::Redshift).map(|(name, _)| name).collect();
        let written = |column: &ColumnInfo| {
            let name = quote_ident(&column.name);
            if singles.contains(&name) { format!("cast({name} as double precision) as {name}") } else { name }
        };
        let columns = self.columns.iter().map(written).collect::<Vec<_>>().join(", ");
        format!("select {columns} from {}{filter}", self.from.1.quoted())
    }

    fn unload(&self) -> Result<String, String> {
        match self.from.0 {
            Engine::Redshift => self.unload_redshift().print(),
            // `postgresql-s3-export` of the RDS User Guide.
            Engine::Postgres => Ok(format!(
                "select * from aws_s3.query_export_to_s3(\n    {},\n    {},\n    options := {}\n)",
                literal(&self.query(), Engine::Postgres),
                self.uri("rows.csv"),
                literal(&format!("format csv, null {}", literal(&self.null_mark(), Engine::Postgres)), Engine::Postgres),
            )),
            Engine::DuckDb => Ok(format!(
                "copy ({}) to {} (format csv, header false, nullstr {}, force_quote *)",
                self.query(),
                literal(&format!("{}rows.csv", self.bucket.url(&self.folder)), Engine::DuckDb),
                literal(&self.null_mark(), Engine::DuckDb)
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
            format: self.csv(),
            iam_role: self.bucket.iam_role.clone(),
            existing: ExistingFiles::Refuse,
            partition_by: Vec::new(),
            manifest: self.to.0 == Engine::Redshift,
            serial: one,
            gzip: false,
        }
    }

    fn load(&self) -> Result<String, String> {
        let (engine, table) = &self.to;
        match engine {
            Engine::Redshift => CopyFromS3 {
                table: table.clone(),
                columns: self.columns.iter().map(|column| column.name.clone()).collect(),
                files: match self.from.0 {
                    Engine::Redshift => FilesOnS3::Manifest(format!("{}manifest", self.bucket.url(&self.folder))),
                    Engine::Postgres | Engine::DuckDb => FilesOnS3::Prefix(format!("{}rows.csv", self.bucket.url(&self.folder))),
                },
                format: self.csv(),
                iam_role: self.bucket.iam_role.clone(),
                region: Some(self.bucket.region.clone()),
                gzip: false,
            }
            .print(),
            // `USER_PostgreSQL.S3Import` of the RDS User Guide.
            Engine::Postgres => Ok(format!(
                "select aws_s3.table_import_from_s3(\n    {},\n    {},\n    {},\n    {}\n)",
                literal(&format!("{}.{}", quote_ident(&table.schema), quote_ident(&table.identifier)), Engine::Postgres),
                literal(&self.names(), Engine::Postgres),
                literal(&format!("(format csv, null {})", literal(&self.null_mark(), Engine::Postgres)), Engine::Postgres),
                // Redshift numbers what it writes.
                self.uri(if self.from.0 == Engine::Redshift { "rows.csv000" } else { "rows.csv" }),
            )),
            Engine::DuckDb => Ok(self.read_into_duckdb(table)),
        }
    }

    fn read_into_duckdb(&self, table: &Relation) -> String {
        let types: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{}: {}", literal(&column.name, Engine::DuckDb), literal(&column.data_type, Engine::DuckDb)))
            .collect();
        format!(
            "insert into {} ({names})\nselect {names}\nfrom read_csv({}, auto_detect = false, header = false, nullstr = {}, columns = {{{}}})",
            table.quoted(),
            literal(&format!("{}*", self.bucket.url(&self.folder)), Engine::DuckDb),
            literal(&self.null_mark(), Engine::DuckDb),
            types.join(", "),
            names = self.names(),
        )
    }

    fn uri(&self, file: &str) -> String {
        let parts = [&self.bucket.name, &format!("{}{file}", self.bucket.key(&self.folder)), &self.bucket.region];
        format!("aws_commons.create_s3_uri({})", parts.map(|part| literal(part, Engine::Postgres)).join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, data_type: &str) -> ColumnInfo {
        ColumnInfo { name: name.to_owned(), data_type: data_type.to_owned() }
    }

    fn transfer(from: Engine, to: Engine, only: Option<&str>) -> Transfer {
        Transfer {
            from: (from, Relation::new("shop", "marts", "bets")),
            to: (to, Relation::new("serving", "marts", "bets")),
            columns: arriving(&[column("id", "bigint"), column("note", "text")], from, to).unwrap(),
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
        [unload, load].join(";\n")
    }

    #[test]
    fn rows_go_from_postgresql_to_redshift() {
        insta::assert_snapshot!(printed(Engine::Postgres, Engine::Redshift, Some("day > '2026-01-01'")), @r#"
        select * from aws_s3.query_export_to_s3(
            'select "id", "note" from "shop"."marts"."bets" where day > ''2026-01-01''',
            aws_commons.create_s3_uri('lake', 'acca/run-1/bets/rows.csv', 'eu-west-1'),
            options := 'format csv, null ''@acca:null:11d29776@'''
        );
        copy "serving"."marts"."bets" ("id", "note")
        from 's3://lake/acca/run-1/bets/rows.csv'
        iam_role 'arn:aws:iam::1:role/move'
        format as csv quote as '"' delimiter ','
        region 'eu-west-1'
        null as '@acca:null:11d29776@'
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
        null as '@acca:null:11d29776@';
        insert into "serving"."marts"."bets" ("id", "note")
        select "id", "note"
        from read_csv('s3://lake/acca/run-1/bets/*', auto_detect = false, header = false, nullstr = '@acca:null:11d29776@', columns = {'id': 'BIGINT', 'note': 'VARCHAR'})
        "#);
        let both = printed(Engine::Redshift, Engine::Redshift, None);
        assert!(both.contains("from 's3://lake/acca/run-1/bets/manifest'") && both.contains("\nmanifest\n"), "{both}");
    }

    #[test]
    fn floats_keep_all_their_digits() {
        let floats = [column("half", "real"), column("whole", "double precision")];
        let through =
            |from, to| Transfer { columns: arriving(&floats, from, to).unwrap(), ..transfer(from, to, Some("id > 1")) }.plan().unwrap();
        let out = through(Engine::Redshift, Engine::Postgres);
        assert_eq!(out.settings.as_deref(), Some("set extra_float_digits to 2"));
        assert!(out.unload.contains(r#"select cast("half" as double precision) as "half", "whole" from"#), "{}", out.unload);
        let unsafe_rows =
            r#"select count(*) from "shop"."marts"."bets" where (id > 1) and ("half" - "half" <> 0 or "whole" - "whole" <> 0)"#;
        assert_eq!(out.unsafe_rows.as_deref(), Some(unsafe_rows));
        let back = through(Engine::Postgres, Engine::Redshift);
        assert_eq!((back.settings, back.unsafe_rows.as_deref()), (None, Some(unsafe_rows)));
        assert!(back.unload.contains(r#""half", "whole""#), "{}", back.unload);
        assert_eq!(through(Engine::DuckDb, Engine::Postgres).unsafe_rows, None);
        assert!(through(Engine::Redshift, Engine::DuckDb).unload.contains("cast(\"half\""));
    }

    #[test]
    fn one_file_goes_from_redshift_to_postgresql_and_rows_are_counted() {
        let plan = transfer(Engine::Redshift, Engine::Postgres, None).plan().unwrap();
        assert!(plan.unload.ends_with("\nparallel off") && !plan.unload.contains("manifest"), "{}", plan.unload);
        assert!(plan.load.contains("'acca/run-1/bets/rows.csv000'"), "{}", plan.load);
        assert_eq!(plan.arrived, "select count(*) from \"serving\".\"marts\".\"bets\"");
    }

    #[test]
    fn rows_go_from_duckdb_to_postgresql() {
        insta::assert_snapshot!(printed(Engine::DuckDb, Engine::Postgres, None), @r#"
        copy (select "id", "note" from "shop"."marts"."bets") to 's3://lake/acca/run-1/bets/rows.csv' (format csv, header false, nullstr '@acca:null:11d29776@', force_quote *);
        select aws_s3.table_import_from_s3(
            '"marts"."bets"',
            '"id", "note"',
            '(format csv, null ''@acca:null:11d29776@'')',
            aws_commons.create_s3_uri('lake', 'acca/run-1/bets/rows.csv', 'eu-west-1')
        )
        "#);
    }

    #[test]
    fn what_would_not_arrive_is_refused() {
        let refused = |kind: &str, from, to| arriving(&[column("doc", kind)], from, to).unwrap_err();
        assert!(arriving(&[], Engine::Redshift, Engine::Postgres).is_err());
        assert!(refused("jsonb", Engine::Postgres, Engine::Redshift).contains("'doc'"));
        assert!(refused("super", Engine::Redshift, Engine::Postgres).contains("'doc'"));
        let without = refused("numeric", Engine::Postgres, Engine::Redshift);
        assert!(without.contains("needs precision and scale") && without.contains("cast it in the model"), "{without}");
    }

    #[test]
    fn columns_have_the_types_of_where_they_arrive() {
        let types = |kinds: &[&str], from, to| {
            let columns: Vec<ColumnInfo> = kinds.iter().map(|kind| column("c", kind)).collect();
            arriving(&columns, from, to).unwrap().into_iter().map(|column| column.data_type).collect::<Vec<_>>()
        };
        let kinds = ["character varying(20)", "timestamp without time zone", "numeric(12,2)", "uuid"];
        assert_eq!(types(&kinds, Engine::Postgres, Engine::Redshift), ["varchar(80)", "timestamp", "numeric(12,2)", "varchar(36)"]);
        assert_eq!(
            types(&["HUGEINT", "DOUBLE", "VARCHAR"], Engine::DuckDb, Engine::Postgres),
            ["numeric(38,0)", "double precision", "text"]
        );
        assert_eq!(types(&["numeric", "jsonb"], Engine::Postgres, Engine::Postgres), ["numeric", "jsonb"]);
    }

    #[test]
    fn a_watermark_is_a_number_or_a_time() {
        assert_eq!(instant_or_number("7", "bigint").unwrap(), "7");
        assert_eq!(
            instant_or_number("2026-01-02 03:04:05.5", "timestamp without time zone").unwrap(),
            "cast('2026-01-02 03:04:05.5' as timestamp)"
        );
        assert_eq!(instant_or_number("a", "text"), None);
    }
}
