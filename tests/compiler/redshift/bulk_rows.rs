//! COPY and UNLOAD carried out: objects become rows and rows become objects.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use acca::execute::{Adapter, Datum, DuckDb, MEMORY, Session};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::buckets::{Buckets, Place};
use super::bulk::{Copy, Format, Options, Unload};
use super::expressions::literal;
use super::query::{Column, quoted};
use super::typing::Type;
use super::{Failure, Outcome};

type Row = Vec<Option<String>>;

fn load_error(message: impl Into<String>) -> Failure {
    Failure::refused(format!("Load into table failed. Check 'sys_load_error_detail' for details: {}", message.into()), "XX000")
}

/// Loads objects into a table whose columns those are; the number of rows.
///
/// # Errors
/// A file, a field or a manifest that Redshift would not take: nothing is loaded then.
pub fn copy(copy: &Copy, columns: &[Column], table: &str, buckets: &Buckets, session: &mut dyn Session) -> Result<u64, Failure> {
    let mut rows = Vec::new();
    for object in objects(copy, buckets)? {
        rows.extend(rows_of(copy, columns, &object, buckets)?);
    }
    if rows.is_empty() {
        return Ok(0);
    }
    // Texts first, which the database turns into the types of the columns.
    let names: Vec<String> = (1..=columns.len()).map(|number| format!("c{number}")).collect();
    let definitions: Vec<String> = names.iter().map(|name| format!("{name} text")).collect();
    session.execute(&format!("CREATE TEMP TABLE copied_rows ({})", definitions.join(", ")))?;
    let mut texts = Vec::new();
    for row in &rows {
        let fields: Vec<String> = row.iter().map(copy_field).collect();
        texts.push(fields.join("\t"));
    }
    let mut data = std::io::Cursor::new(format!("{}\n", texts.join("\n")).into_bytes());
    session.copy_in("COPY copied_rows FROM STDIN", &mut data)?;
    let values: Vec<String> = names.iter().zip(columns).map(|(name, column)| converted(name, column, &copy.options)).collect();
    let targets: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let insert = format!("INSERT INTO {table} ({}) SELECT {} FROM copied_rows", targets.join(", "), values.join(", "));
    let loaded = session.execute(&insert).map_err(|error| load_error(error.to_string()));
    if loaded.is_ok() {
        session.execute("DROP TABLE copied_rows")?;
    }
    loaded
}

/// What a load failed at.
#[derive(Clone, Debug, Default)]
pub struct Fault {
    pub file: String,
    pub line: usize,
    pub column: String,
    pub value: String,
    pub reason: String,
}

/// The first value that a load failed at, looked for one by one.
pub fn fault(copy: &Copy, columns: &[Column], buckets: &Buckets, session: &mut dyn Session) -> Option<Fault> {
    for object in objects(copy, buckets).ok()? {
        let file = object.url();
        let rows = match rows_of(copy, columns, &object, buckets) {
            Ok(rows) => rows,
            Err(failure) => return Some(Fault { file, reason: reason(&failure).to_owned(), ..Fault::default() }),
        };
        for (at, row) in rows.iter().enumerate() {
            for (value, column) in row.iter().zip(columns) {
                let Some(value) = value else { continue };
                let converted = converted(&format!("{}::text", literal(value)), column, &copy.options);
                if let Err(error) = session.value(&format!("SELECT {converted}")) {
                    let (line, column) = (copy.options.header + at + 1, column.name.clone());
                    return Some(Fault { file, line, column, value: value.clone(), reason: error.to_string() });
                }
            }
        }
    }
    None
}

/// The reason of a failed load, which Redshift keeps in a table of the system.
pub fn reason(failure: &Failure) -> &str {
    failure.message.split_once("for details: ").map_or(failure.message.as_str(), |(_, reason)| reason)
}

/// A field of PostgreSQL's own text format.
fn copy_field(field: &Option<String>) -> String {
    match field {
        None => "\\N".to_owned(),
        Some(text) => text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r"),
    }
}

/// Lengths are bytes and too long a text is an error, fact 208; decimals lose the digits that do not fit, fact 11.
fn converted(name: &str, column: &Column, options: &Options) -> String {
    let of = column.of;
    match of {
        Type::Varchar(bytes) | Type::Char(bytes) => {
            let cut = format!("redshift.cut({name}, {bytes})");
            if options.cut_texts {
                cut
            } else {
                let fails = "redshift.fail('String length exceeds DDL length', '22001')::text";
                format!("CASE WHEN octet_length(rtrim({name})) > {bytes} THEN {fails} ELSE {cut} END")
            }
        }
        Type::Decimal(precision, scale) => {
            let function = if options.round { "round_decimal" } else { "to_decimal" };
            format!("redshift.{function}(trim({name})::numeric, {precision}, {scale})")
        }
        Type::Super => format!("{name}::jsonb"),
        other => format!("trim({name})::{}", other.postgres().unwrap_or_else(|| "text".to_owned())),
    }
}

/// Every object that begins so, fact 211, or those of a manifest.
fn objects(copy: &Copy, buckets: &Buckets) -> Result<Vec<Place>, Failure> {
    if !copy.options.manifest {
        let found = buckets.list(&copy.from);
        return if found.is_empty() {
            Err(load_error(format!("The specified S3 prefix '{}' does not exist", copy.from.key)))
        } else {
            Ok(found)
        };
    }
    let text = buckets.get(&copy.from).ok_or_else(|| load_error(format!("manifest {} is not there", copy.from.url())))?;
    let manifest: Value = serde_json::from_slice(&text).map_err(|error| load_error(format!("manifest: {error}")))?;
    let mut found = Vec::new();
    for entry in manifest["entries"].as_array().into_iter().flatten() {
        let url = entry["url"].as_str().unwrap_or("");
        let place = Place::read(url).ok_or_else(|| load_error(format!("manifest names '{url}'")))?;
        let content = buckets.get(&place);
        match (&content, entry["mandatory"].as_bool()) {
            (None, Some(true)) => return Err(load_error(format!("mandatory file {url} is not there"))),
            (None, _) => continue,
            (Some(content), _)
                if copy.options.format == Format::Parquet && entry["meta"]["content_length"].as_u64() != Some(content.len() as u64) =>
            {
                return Err(load_error(format!("manifest has no or another content_length for {url}")));
            }
            _ => {}
        }
        found.push(place);
    }
    Ok(found)
}

fn rows_of(copy: &Copy, columns: &[Column], object: &Place, buckets: &Buckets) -> Result<Vec<Row>, Failure> {
    let options = &copy.options;
    if options.format == Format::Parquet {
        return parquet_rows(&buckets.path(object).display().to_string(), columns.len());
    }
    let mut content = buckets.get(object).unwrap_or_default();
    if options.gzip {
        let packed = std::mem::take(&mut content);
        GzDecoder::new(packed.as_slice()).read_to_end(&mut content).map_err(|error| load_error(error.to_string()))?;
    }
    let text = String::from_utf8(content).map_err(|_| load_error("Invalid UTF-8: use ACCEPTINVCHARS"))?;
    let rows = match options.format {
        Format::Csv { delimiter, quote } => fields(&text, delimiter, Some(quote), options)?,
        Format::Text { delimiter } => fields(&text, delimiter, None, options)?,
        _ => return json_rows(&text, columns),
    };
    let mut found = Vec::new();
    for mut row in rows {
        if options.fill {
            row.resize(row.len().max(columns.len()), None);
        }
        if row.len() != columns.len() {
            return Err(load_error(format!("{} fields for {} columns in {}", row.len(), columns.len(), object.key)));
        }
        for (field, column) in row.iter_mut().zip(columns) {
            let is_null = match field.as_deref() {
                // What is empty is NULL but for texts, fact 207.
                Some("") => !column.of.is_text() || options.empty_as_null,
                Some(text) => options.blanks_as_null && text.trim().is_empty(),
                None => true,
            };
            if is_null {
                *field = None;
            }
        }
        found.push(row);
    }
    Ok(found)
}

fn fields(text: &str, delimiter: char, quote: Option<char>, options: &Options) -> Result<Vec<Row>, Failure> {
    let letter = |letter: char| u8::try_from(letter).map_err(|_| load_error("delimiters are ASCII"));
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(letter(delimiter)?);
    match quote {
        Some(quote) => builder.quote(letter(quote)?),
        None => builder.quoting(false),
    };
    let null = options.null.as_deref().unwrap_or("\\N");
    let mut rows = Vec::new();
    for record in builder.from_reader(text.as_bytes()).records().skip(options.header) {
        let record = record.map_err(|error| load_error(error.to_string()))?;
        rows.push(record.iter().map(|field| (field != null).then(|| field.to_owned())).collect());
    }
    Ok(rows)
}

/// Keys are the names of columns; what is missing is NULL.
fn json_rows(text: &str, columns: &[Column]) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document = document.map_err(|error| load_error(error.to_string()))?;
        let field = |column: &Column| match document.get(&column.name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if column.of != Type::Super => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        rows.push(columns.iter().map(field).collect());
    }
    Ok(rows)
}

/// Columns by their place and their number, fact 209.
fn parquet_rows(path: &str, columns: usize) -> Result<Vec<Row>, Failure> {
    let mut duckdb = DuckDb::open(MEMORY, Some(1), &BTreeMap::new())
        .and_then(|adapter| adapter.connect())
        .map_err(|error| load_error(error.to_string()))?;
    let table = duckdb.query(&format!("select columns(*)::varchar from read_parquet({})", literal(path)), None);
    let table = table.map_err(|error| load_error(error.to_string()))?;
    if table.columns.len() != columns {
        return Err(load_error(format!(
            "{} columns of the file, {columns} of the table: unmatched number of columns",
            table.columns.len()
        )));
    }
    Ok(table.rows.iter().map(|row| row.iter().map(text_of).collect()).collect())
}

fn text_of(datum: &Datum) -> Option<String> {
    match datum {
        Datum::Null => None,
        other => Some(other.to_string()),
    }
}

/// Writes the rows of a query into objects.
///
/// # Errors
/// A place that is not empty, and what is not imitated.
pub fn unload(unload: &Unload, outcome: &Outcome, exact: bool, buckets: &Buckets) -> Result<(), Failure> {
    let options = &unload.options;
    let there = buckets.list(&unload.to);
    if options.clean {
        there.iter().for_each(|place| buckets.delete(place));
    } else if !there.is_empty() && !options.overwrite {
        return Err(Failure::refused(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix",
            "XX000",
        ));
    }
    let names: Vec<&str> = outcome.table.columns.iter().map(|column| column.name.as_str()).collect();
    // Without `extra_float_digits` no more than are exact in every number.
    let cut = |(at, datum): (usize, &Datum)| match (datum, outcome.types.get(at)) {
        (Datum::Float(number), of) if !exact && number.is_finite() => {
            let digits = if of == Some(&Type::Float4) { 5 } else { 14 };
            format!("{number:.digits$e}").parse::<f64>().ok().map(|cut| cut.to_string())
        }
        _ => text_of(datum),
    };
    let rows: Vec<Row> = outcome.table.rows.iter().map(|row| row.iter().enumerate().map(cut).collect()).collect();
    let mut written = Vec::new();
    for (folder, kept, rows) in partitions(options, &names, rows)? {
        // Two slices write side by side unless one is asked for, fact 212.
        let halves = if options.parallel { rows.len().div_ceil(2).max(1) } else { rows.len().max(1) };
        let chunks: Vec<&[Row]> = if rows.is_empty() { vec![&[]] } else { rows.chunks(halves).collect() };
        for (slice, chunk) in chunks.into_iter().enumerate() {
            let ending = match (&options.format, options.gzip) {
                (Format::Parquet, _) => ".parquet",
                (_, true) => ".gz",
                _ => "",
            };
            let name = if options.parallel { format!("{slice:04}_part_00{ending}") } else { format!("{slice:03}{ending}") };
            let place = unload.to.with_key(format!("{}{folder}{name}", unload.to.key));
            let header: Vec<&str> = kept.iter().map(|at| names[*at]).collect();
            let types: Vec<Type> = kept.iter().map(|at| outcome.types.get(*at).copied().unwrap_or_default()).collect();
            write_object(&place, &header, &types, chunk, options, buckets)?;
            written.push(place);
        }
    }
    if options.manifest {
        let entry = |place: &Place| json!({ "url": place.url(), "meta": { "content_length": buckets.get(place).map_or(0, |content| content.len()) } });
        let entries: Vec<Value> = written.iter().map(entry).collect();
        buckets.put(&unload.to.with_key(format!("{}manifest", unload.to.key)), json!({ "entries": entries }).to_string().as_bytes());
    }
    Ok(())
}

/// A folder, the places of the columns that its files have, and its rows.
type Partition = (String, Vec<usize>, Vec<Row>);

fn partitions(options: &Options, names: &[&str], rows: Vec<Row>) -> Result<Vec<Partition>, Failure> {
    let all: Vec<usize> = (0..names.len()).collect();
    if options.partition.is_empty() {
        return Ok(vec![(String::new(), all, rows)]);
    }
    let find = |name: &String| names.iter().position(|known| known == name);
    let keys: Option<Vec<usize>> = options.partition.iter().map(find).collect();
    let keys = keys.ok_or_else(|| Failure::refused("PARTITION BY names a column that the query has not", "42703"))?;
    let kept: Vec<usize> = all.into_iter().filter(|at| options.keeps_partition || !keys.contains(at)).collect();
    let mut found: Vec<Partition> = Vec::new();
    for row in rows {
        let part = |at: &usize| format!("{}={}/", names[*at], row[*at].as_deref().unwrap_or("__HIVE_DEFAULT_PARTITION__"));
        let folder: String = keys.iter().map(part).collect();
        let own: Row = kept.iter().map(|at| row[*at].clone()).collect();
        match found.iter_mut().find(|(known, ..)| *known == folder) {
            Some((.., rows)) => rows.push(own),
            None => found.push((folder, kept.clone(), vec![own])),
        }
    }
    Ok(found)
}

fn write_object(place: &Place, names: &[&str], types: &[Type], rows: &[Row], options: &Options, buckets: &Buckets) -> Result<(), Failure> {
    let null = options.null.as_deref().unwrap_or("");
    let content = match &options.format {
        Format::Csv { delimiter, quote } => {
            let mut writer = csv::WriterBuilder::new().delimiter(*delimiter as u8).quote(*quote as u8).from_writer(Vec::new());
            let mut lines: Vec<Vec<&str>> = if options.header > 0 { vec![names.to_vec()] } else { Vec::new() };
            lines.extend(rows.iter().map(|row| row.iter().map(|field| field.as_deref().unwrap_or(null)).collect()));
            let written = lines.iter().try_for_each(|line| writer.write_record(line));
            written.map_err(|error| load_error(error.to_string()))?;
            writer.into_inner().map_err(|error| load_error(error.to_string()))?
        }
        Format::Json => {
            let line = |row: &Row| {
                let fields = names.iter().zip(types).zip(row);
                let fields: Vec<String> = fields.map(|((name, of), field)| format!("{}:{}", json!(name), json_text(*of, field))).collect();
                format!("{{{}}}\n", fields.join(","))
            };
            rows.iter().map(line).collect::<String>().into_bytes()
        }
        Format::Parquet => return write_parquet(place, names, types, rows, buckets),
        Format::Text { .. } => return Err(Failure::not_imitated("UNLOAD without a format")),
    };
    let content = if options.gzip {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&content).and_then(|()| packer.finish()).map_err(|error| load_error(error.to_string()))?
    } else {
        content
    };
    buckets.put(place, &content);
    Ok(())
}

/// Numbers keep their digits, and SUPER is JSON already.
fn json_text(of: Type, field: &Option<String>) -> String {
    match field {
        None => "null".to_owned(),
        Some(text) if of == Type::Bool || of.is_float() || of.digits().is_some() || of == Type::Super => text.clone(),
        Some(text) => json!(text).to_string(),
    }
}

/// Through a file that DuckDB reads with types and writes again.
fn write_parquet(place: &Place, names: &[&str], types: &[Type], rows: &[Row], buckets: &Buckets) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| load_error(error.to_string());
    let mut duckdb =
        DuckDb::open(MEMORY, Some(1), &BTreeMap::new()).and_then(|adapter| adapter.connect()).map_err(|error| failed(&error))?;
    let of = |of: &Type| match of {
        Type::Super | Type::Unknown | Type::Null | Type::Varchar(_) | Type::Char(_) | Type::Literal(_) => "varchar".to_owned(),
        other => other.postgres().unwrap_or_else(|| "varchar".to_owned()),
    };
    let columns: Vec<String> = names.iter().zip(types).map(|(name, kind)| format!("{} {}", quoted(name), of(kind))).collect();
    duckdb.execute(&format!("create table unloaded ({})", columns.join(", "))).map_err(|error| failed(&error))?;
    for row in rows {
        let values: Vec<String> = row.iter().map(|field| field.as_deref().map_or("null".to_owned(), literal)).collect();
        duckdb.execute(&format!("insert into unloaded values ({})", values.join(", "))).map_err(|error| failed(&error))?;
    }
    buckets.put(place, b"");
    let path = literal(&buckets.path(place).display().to_string());
    duckdb.execute(&format!("copy unloaded to {path} (format parquet)")).map_err(|error| failed(&error))?;
    Ok(())
}
