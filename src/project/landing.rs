//! Where the files of a source table lie and how they are written (`meta.landing`).
//!
//! A source may say under its own `meta.landing` what all its tables share (`format`, `delimiter`, …); a table's keys win.
//! Only a table with a `path`, its own or its source's, is loaded; in the path, `{table}` stands for the table's name.

use serde::{Deserialize, Serialize};

use super::conversions::{Conversions, TimeFormat};
use super::fields::Fields;
use super::loader::Loader;
use super::node::Column;
use super::yaml::{Entry, Yaml, YamlValue, find};
use crate::base::{Span, bucket_and_key};
use crate::diag::{Diagnostic, codes};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFormat {
    Csv,
    /// One JSON object a line.
    Ndjson,
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    None,
    Gzip,
}

/// The column of every raw table that names the file a row came from.
pub const FILE_COLUMN: &str = "_acca_file";
/// The column of a raw table that says when the row was loaded.
pub const LOADED_AT_COLUMN: &str = "_acca_loaded_at";

/// A checked `meta.landing` mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// Glob over paths relative to the project's root, `/` between the parts (`data/bets/*.csv.gz`, `**` for any depth), or over
    /// objects on S3 (`s3://bucket/bets/*.csv`).
    pub path: String,
    /// Where the pattern is written.
    pub path_span: Span,
    /// Told by the suffix (before `.gz`) where it is not written: `csv`, `tsv`, `ndjson`, `jsonl`, `parquet`.
    pub format: FileFormat,
    /// `None`: told from each file's suffix (`.gz`).
    pub compression: Option<Compression>,
    /// Whether CSV files have a row of column names (after `header_lines`); columns are then matched by name,
    /// letter case ignored, otherwise by position.
    pub header: bool,
    /// CSV: the ASCII character between values, a comma where it is not written.
    pub delimiter: u8,
    /// CSV: the ASCII character around values, `"` where it is not written. `None`: no quoting.
    pub quote: Option<u8>,
    /// A WHATWG label, `utf-8` where it is not written: `utf-8`, `windows-1252`, `utf-16le`.
    pub encoding: String,
    /// CSV: the text that stands for NULL (unquoted or quoted alike), the empty one where it is not written.
    pub null_text: String,
    /// Fixed lines before the header row (or before the first record).
    pub header_lines: usize,
    /// Fixed lines at the end of the file.
    pub trailer_lines: usize,
    /// How many malformed rows a file may have; with more, nothing of that file is loaded.
    pub max_rejects: usize,
    /// What is done to values before they are checked; nothing to those of Parquet.
    pub conversions: Conversions,
}

/// The keys that are understood; `docs/landing.md` describes each for users.
const KEYS: &[&str] = &[
    "path",
    "format",
    "compression",
    "header",
    "delimiter",
    "quote",
    "encoding",
    "null_text",
    "header_lines",
    "trailer_lines",
    "max_rejects",
    "date_format",
    "timestamp_format",
    "blanks_as_null",
    "replace_invalid",
];

/// What COPY would do to values, and how a project says it here.
const COPY_WORDS: &[(&[&str], &str)] = &[
    (&["roundec", "truncatecolumns"], "values are never rounded or cut: declare the column with more digits or bytes"),
    (&["maxerror", "ignoreallerrors"], "'max_rejects' says how many malformed rows a file may have; they are kept beside the table"),
    (&["timeformat", "time_format"], "'timestamp_format' says how timestamps are written"),
    (&["dateformat"], "'date_format' says how dates are written"),
    (&["acceptinvchars"], "'replace_invalid' says what takes the place of broken bytes"),
    (&["null_as", "emptyasnull"], "'null_text' says which text is NULL: the empty one where nothing is said"),
    (&["blanksasnull"], "'blanks_as_null' says whether blanks are NULL"),
    (&["ignoreheader", "skip_header"], "'header_lines' says how many lines come before the header row"),
    (&["acceptanydate", "fillrecord"], "a value that its column does not hold is a reject, never NULL"),
];

/// The landing of a source table. `levels` are the mappings that may hold a `meta`, the nearest last.
pub(super) fn parse_landing(
    loader: &mut Loader<'_>,
    levels: &[&[Entry]],
    table: &Fields<'_, '_>,
    (name, name_span): (&str, Span),
    columns: &[&Column],
) -> Option<Landing> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut span = None;
    for meta in levels.iter().filter_map(|level| find(level, "meta")) {
        let Some(landing) = meta.value.get("landing") else { continue };
        if landing.is_null() {
            // `landing:` with nothing under it takes a table out of what its source says.
            entries.clear();
            continue;
        }
        span = Some(landing.span);
        let Some(inner) = landing.as_map() else {
            return problem(
                loader,
                format!("'landing' of {} is {}, and a mapping is needed", table.owner, landing.kind()),
                landing.span,
                "write at least 'path:' under it",
            );
        };
        for entry in inner {
            entries.retain(|other| other.key != entry.key);
            entries.push(entry.clone());
        }
    }
    let span = span?;
    let owner = format!("'landing' of {}", table.owner);
    let fields = Fields { entries: &entries, span, owner: &owner, code: &codes::INVALID_LANDING };
    for entry in entries.iter().filter(|entry| !KEYS.contains(&entry.key.as_str())) {
        let mut unknown = fields.unexpected(entry, KEYS);
        unknown.code = &codes::INVALID_LANDING;
        unknown.severity = codes::INVALID_LANDING.severity;
        let lower = entry.key.to_lowercase();
        let meant = COPY_WORDS.iter().find(|(words, _)| words.contains(&lower.as_str()));
        unknown.help = match meant {
            Some((_, help)) => vec![(*help).to_owned()],
            None => unknown.help,
        };
        unknown.help.push(format!("the keys are: {}", KEYS.join(", ")));
        loader.diagnostics.push(unknown);
    }
    // Without a path of its own or its source's, a table is not loaded by acca.
    fields.entry("path")?;
    let landing = read_landing(loader, &fields, name);
    check_columns(loader, table, name_span, columns, landing.as_ref());
    landing
}

fn problem<T>(loader: &mut Loader<'_>, message: String, span: Span, help: &str) -> Option<T> {
    loader.diagnostics.push(Diagnostic::new(&codes::INVALID_LANDING, message).at(span).help(help));
    None
}

fn read_landing(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, table: &str) -> Option<Landing> {
    let (path, path_span) = fields.required_text("path", loader.diagnostics)?;
    let path = path.strip_prefix("./").unwrap_or(&path).replace("{table}", table);
    if let Err(error) = globset::GlobBuilder::new(&path).literal_separator(true).build() {
        return problem(
            loader,
            format!("'{path}' is no pattern of paths: {}", error.kind()),
            path_span,
            "use '*', '**', '?', '[…]' and '{a,b}' only",
        );
    }
    check_bucket(loader, &path, path_span)?;
    let format = format(loader, fields, &path, path_span)?;
    let problems = loader.diagnostics.count(crate::diag::Severity::Error);
    let landing = Landing {
        path,
        path_span,
        format,
        compression: compression(loader, fields),
        header: fields.bool("header", loader.diagnostics).unwrap_or(true),
        delimiter: one_byte(loader, fields, "delimiter").unwrap_or(Some(b',')).unwrap_or(b','),
        quote: one_byte(loader, fields, "quote").unwrap_or(Some(b'"')),
        encoding: encoding(loader, fields),
        null_text: fields.text("null_text", loader.diagnostics).unwrap_or_default(),
        header_lines: fields.count("header_lines", loader.diagnostics).unwrap_or(0),
        trailer_lines: fields.count("trailer_lines", loader.diagnostics).unwrap_or(0),
        max_rejects: fields.count("max_rejects", loader.diagnostics).unwrap_or(0),
        conversions: Conversions::default(),
    };
    let landing = Landing { conversions: conversions(loader, fields, format), ..landing };
    (loader.diagnostics.count(crate::diag::Severity::Error) == problems).then_some(landing)
}

/// A pattern of objects on S3 names its bucket.
fn check_bucket(loader: &mut Loader<'_>, path: &str, span: Span) -> Option<()> {
    let Some((scheme, _)) = path.split_once("://") else { return Some(()) };
    let help = "write the bucket as it is, as in 's3://bucket/folder/*.csv'";
    if scheme != "s3" {
        return problem(loader, format!("'{path}' is neither a path nor a place on S3"), span, help);
    }
    let bucket = bucket_and_key(path).map_or("", |(bucket, _)| bucket);
    if bucket.is_empty() || bucket.contains(['*', '?', '[', '{', '\\']) {
        return problem(loader, format!("'{path}' names no bucket"), span, help);
    }
    Some(())
}

fn format(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, path: &str, path_span: Span) -> Option<FileFormat> {
    const FORMATS: &[(&str, FileFormat)] = &[("csv", FileFormat::Csv), ("ndjson", FileFormat::Ndjson), ("parquet", FileFormat::Parquet)];
    if let Some(written) = fields.text("format", loader.diagnostics) {
        if let Some((_, format)) = FORMATS.iter().find(|(name, _)| *name == written) {
            return Some(*format);
        }
        let span = fields.get("format").map_or(fields.span, |value| value.span);
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_LANDING, format!("'{written}' is no format of files"))
                .at(span)
                .did_you_mean(&written, FORMATS.iter().map(|(name, _)| *name))
                .help("the formats are: csv, ndjson, parquet"),
        );
        return None;
    }
    let plain = path.strip_suffix(".gz").unwrap_or(path);
    match plain.rsplit('.').next() {
        Some("csv" | "tsv") => Some(FileFormat::Csv),
        Some("ndjson" | "jsonl") => Some(FileFormat::Ndjson),
        Some("parquet") => Some(FileFormat::Parquet),
        _ => problem(
            loader,
            format!("the suffix of '{path}' does not tell the format of the files"),
            path_span,
            "add 'format:' with csv, ndjson or parquet",
        ),
    }
}

fn compression(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Option<Compression> {
    match fields.text("compression", loader.diagnostics)?.as_str() {
        "none" => Some(Compression::None),
        "gzip" => Some(Compression::Gzip),
        other => {
            let span = fields.get("compression").map_or(fields.span, |value| value.span);
            problem(
                loader,
                format!("'{other}' is no compression that acca reads"),
                span,
                "write 'gzip' or 'none', or leave it out: then the suffix '.gz' tells",
            )
        }
    }
}

/// `None` where nothing is written, `Some(None)` where nothing is meant (`''`, null, `none`).
fn one_byte(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, key: &str) -> Option<Option<u8>> {
    let entry = find(fields.entries, key)?;
    match &entry.value {
        Yaml { value: YamlValue::Null, .. } => Some(None),
        Yaml { value: YamlValue::Text(text), span } => match text.as_bytes() {
            [] if key == "quote" => Some(None),
            _ if text == "none" && key == "quote" => Some(None),
            _ if text == "\\t" => Some(Some(b'\t')),
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Some(Some(*byte)),
            _ => problem(
                loader,
                format!("'{key}' of {} is not one ASCII character", fields.owner),
                *span,
                "write one character in quotes, such as ';' or \"\\t\"",
            ),
        },
        Yaml { span, .. } => problem(
            loader,
            format!("'{key}' of {} is not one ASCII character", fields.owner),
            *span,
            "write one character in quotes, such as ';' or \"\\t\"",
        ),
    }
}

fn conversions(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, format: FileFormat) -> Conversions {
    const ALL: [&str; 4] = ["date_format", "timestamp_format", "blanks_as_null", "replace_invalid"];
    if format == FileFormat::Parquet {
        if let Some(entry) = ALL.iter().find_map(|key| fields.entry(key)) {
            let message = format!("'{}' of {} is about files of text, and Parquet has dates and text of its own", entry.key, fields.owner);
            problem::<()>(loader, message, entry.key_span, "take it away");
        }
        return Conversions::default();
    }
    Conversions {
        date_format: time_format(loader, fields, "date_format"),
        timestamp_format: time_format(loader, fields, "timestamp_format"),
        blanks_as_null: fields.bool("blanks_as_null", loader.diagnostics).unwrap_or(false),
        replace_invalid: replacement(loader, fields),
    }
}

fn time_format(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, key: &str) -> Option<TimeFormat> {
    let text = fields.text(key, loader.diagnostics).filter(|text| !text.eq_ignore_ascii_case("auto"))?;
    match TimeFormat::parse(&text, key == "date_format") {
        Ok(format) => Some(format),
        Err(why) => {
            let span = fields.get(key).map_or(fields.span, |value| value.span);
            let help = "write it as in 'DD/MM/YYYY HH24:MI:SS', 'YYYY-MM-DD HH12:MI AM', 'epochsecs' or 'epochmillisecs'";
            problem(loader, format!("'{text}' is no '{key}': {why}"), span, help)
        }
    }
}

fn replacement(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Option<char> {
    let text = fields.text("replace_invalid", loader.diagnostics)?;
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) if !sign.is_control() && sign != '"' => Some(sign),
        _ => {
            let span = fields.get("replace_invalid").map_or(fields.span, |value| value.span);
            problem(loader, format!("'replace_invalid' of {} is not one character", fields.owner), span, "write one, as in '?'")
        }
    }
}

fn encoding(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> String {
    let Some(label) = fields.text("encoding", loader.diagnostics) else { return "utf-8".to_owned() };
    match encoding_rs::Encoding::for_label(label.as_bytes()) {
        Some(encoding) => encoding.name().to_lowercase(),
        None => {
            let span = fields.get("encoding").map_or(fields.span, |value| value.span);
            let known = ["utf-8", "utf-16le", "utf-16be", "windows-1252", "iso-8859-15", "windows-1251", "shift_jis", "gbk"];
            loader.diagnostics.push(
                Diagnostic::new(&codes::INVALID_LANDING, format!("'{label}' is no encoding"))
                    .at(span)
                    .did_you_mean(&label, known)
                    .help("write a label such as 'utf-8' or 'windows-1252'"),
            );
            "utf-8".to_owned()
        }
    }
}

/// acca makes the raw table from the declared columns, so each needs its type.
fn check_columns(loader: &mut Loader<'_>, table: &Fields<'_, '_>, name_span: Span, columns: &[&Column], landing: Option<&Landing>) {
    if columns.is_empty() {
        let message = format!("{} is loaded from files and declares no columns", table.owner);
        problem::<()>(loader, message, name_span, "add 'columns:' with 'name:' and 'data_type:' for each");
    }
    for column in columns.iter().filter(|column| column.data_type.is_none()) {
        let span = column.span.or(landing.map(|landing| landing.path_span)).unwrap_or(name_span);
        let message = format!("column '{}' of {} is loaded from files and has no 'data_type'", column.name, table.owner);
        problem::<()>(loader, message, span, "add 'data_type:', such as text, bigint, numeric(12,2), date or timestamp");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::node::Detail;
    use crate::project::testing::{Loaded, load_files, problems};

    fn landing(loaded: &Loaded, id: &str) -> Option<Landing> {
        match &loaded.node(id).detail {
            Detail::Source(table) => table.landing.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_key_is_described() {
        let page = include_str!("../../docs/landing.md");
        let (_, keys) = page.split_once("## Keys").unwrap();
        let (keys, _) = keys.split_once("\n## ").unwrap();
        let described: Vec<&str> = keys.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(key, _)| key).collect();
        assert_eq!(described, KEYS);
    }

    const COLUMNS: &str = "columns: [{name: id, data_type: bigint}]";

    #[test]
    fn a_landing_with_what_its_source_says() {
        let yaml = format!(
            "sources:\n  - name: raw\n    meta: {{landing: {{path: \"{{{{ var('dir') }}}}/{{table}}/*.txt\", format: csv, delimiter: '|', encoding: latin1, null_text: 'NULL'}}}}\n    tables:\n      - name: bet\n        {COLUMNS}\n        meta: {{landing: {{header_lines: 1, trailer_lines: 2, max_rejects: 3, quote: none, compression: gzip, header: no}}}}\n      - name: out\n        meta: {{landing: }}\n      - name: events\n        {COLUMNS}\n        config: {{meta: {{landing: {{path: ./e/**/*.ndjson.gz, format: null, delimiter: \"\\t\"}}}}}}\n"
        );
        let loaded = load_files(&[("dbt_project.yml", "name: shop\nvars: {dir: data}\n"), ("models/s.yml", &yaml)]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let bet = landing(&loaded, "source.shop.raw.bet").unwrap();
        let path_span = bet.path_span;
        assert_eq!(loaded.project().sources.text(path_span), "\"{{ var('dir') }}/{table}/*.txt\"");
        let expected = Landing {
            path: "data/bet/*.txt".to_owned(),
            path_span,
            format: FileFormat::Csv,
            compression: Some(Compression::Gzip),
            header: false,
            delimiter: b'|',
            quote: None,
            encoding: "windows-1252".to_owned(),
            null_text: "NULL".to_owned(),
            header_lines: 1,
            trailer_lines: 2,
            max_rejects: 3,
            conversions: Conversions::default(),
        };
        assert_eq!(bet, expected);
        assert_eq!(landing(&loaded, "source.shop.raw.out"), None);
        let events = landing(&loaded, "source.shop.raw.events").unwrap();
        assert_eq!((events.path.as_str(), events.format, events.compression), ("e/**/*.ndjson.gz", FileFormat::Ndjson, None));
        assert_eq!((events.delimiter, events.quote, events.header), (b'\t', Some(b'"'), true));
    }

    #[test]
    fn mistakes() {
        let cases: [(&str, &[&str]); 12] = [
            (
                "{path: 's3://*/a.csv'}",
                &[
                    "error[invalid-landing] models/s.yml:6:32 ''s3://*/a.csv'': 's3://*/a.csv' names no bucket",
                    "  help: write the bucket as it is, as in 's3://bucket/folder/*.csv'",
                ],
            ),
            (
                "{path: 'gs://b/a.csv'}",
                &[
                    "error[invalid-landing] models/s.yml:6:32 ''gs://b/a.csv'': 'gs://b/a.csv' is neither a path nor a place on S3",
                    "  help: write the bucket as it is, as in 's3://bucket/folder/*.csv'",
                ],
            ),
            (
                "{path: a.csv, delimeter: ';'}",
                &[
                    "error[invalid-landing] models/s.yml:6:39 'delimeter': the key 'delimeter' means nothing in 'landing' of source table 'raw.a'",
                    "  help: did you mean 'delimiter'?",
                    "  help: the keys are: path, format, compression, header, delimiter, quote, encoding, null_text, header_lines, trailer_lines, max_rejects, date_format, timestamp_format, blanks_as_null, replace_invalid",
                ],
            ),
            (
                "{path: 'a[.csv'}",
                &[
                    "error[invalid-landing] models/s.yml:6:32 ''a[.csv'': 'a[.csv' is no pattern of paths: unclosed character class; missing ']'",
                    "  help: use '*', '**', '?', '[…]' and '{a,b}' only",
                ],
            ),
            (
                "{path: a.txt}",
                &[
                    "error[invalid-landing] models/s.yml:6:32 'a.txt': the suffix of 'a.txt' does not tell the format of the files",
                    "  help: add 'format:' with csv, ndjson or parquet",
                ],
            ),
            (
                "{path: a.csv, format: cvs}",
                &[
                    "error[invalid-landing] models/s.yml:6:47 'cvs': 'cvs' is no format of files",
                    "  help: did you mean 'csv'?",
                    "  help: the formats are: csv, ndjson, parquet",
                ],
            ),
            (
                "{path: a.csv, delimiter: '||'}",
                &[
                    "error[invalid-landing] models/s.yml:6:50 ''||'': 'delimiter' of 'landing' of source table 'raw.a' is not one ASCII character",
                    "  help: write one character in quotes, such as ';' or \"\\t\"",
                ],
            ),
            (
                "{path: a.csv, encoding: utf-88}",
                &[
                    "error[invalid-landing] models/s.yml:6:49 'utf-88': 'utf-88' is no encoding",
                    "  help: did you mean 'utf-8'?",
                    "  help: write a label such as 'utf-8' or 'windows-1252'",
                ],
            ),
            (
                "{path: a.csv, compression: zip}",
                &[
                    "error[invalid-landing] models/s.yml:6:52 'zip': 'zip' is no compression that acca reads",
                    "  help: write 'gzip' or 'none', or leave it out: then the suffix '.gz' tells",
                ],
            ),
            (
                "{path: a.csv, header_lines: -1}",
                &[
                    "error[invalid-landing] models/s.yml:6:53 '-1': 'header_lines' of 'landing' of source table 'raw.a' is a number, and a whole number from 0 on is needed",
                ],
            ),
            (
                "{path: a.csv, header: 1}",
                &[
                    "error[invalid-landing] models/s.yml:6:47 '1': 'header' of 'landing' of source table 'raw.a' is a number, and a boolean is needed",
                ],
            ),
            (
                "a.csv",
                &[
                    "error[invalid-landing] models/s.yml:6:25 'a.csv': 'landing' of source table 'raw.a' is a text, and a mapping is needed",
                    "  help: write at least 'path:' under it",
                ],
            ),
        ];
        for (landing, expected) in cases {
            let yaml =
                format!("sources:\n  - name: raw\n    tables:\n      - name: a\n        {COLUMNS}\n        meta: {{landing: {landing}}}\n");
            assert_eq!(problems(&[("models/s.yml", &yaml)]), expected, "{landing}");
        }
    }

    #[test]
    fn every_column_of_a_landing_needs_a_type() {
        let yaml = "sources:\n  - name: raw\n    meta: {landing: {path: '{table}.csv'}}\n    tables:\n      - name: a\n      - {name: b, columns: [{name: id}]}\n";
        assert_eq!(
            problems(&[("models/s.yml", yaml)]),
            [
                "error[invalid-landing] models/s.yml:5:15 'a': source table 'raw.a' is loaded from files and declares no columns",
                "  help: add 'columns:' with 'name:' and 'data_type:' for each",
                "error[invalid-landing] models/s.yml:6:36 'id': column 'id' of source table 'raw.b' is loaded from files and has no 'data_type'",
                "  help: add 'data_type:', such as text, bigint, numeric(12,2), date or timestamp",
            ]
        );
    }
}
