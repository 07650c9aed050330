//! The shapes of the service's answers.

use std::collections::BTreeMap;

use acca::execute::Datum;
use serde_json::{Map, Value, json};

use super::running::{Job, Part, Status};
use super::{PAGE, Refusal};
use crate::redshift::Outcome;
use crate::redshift::typing::{MAX_TEXT, Type};

/// Fields of the request that answers repeat.
fn repeated(job: &Job) -> Map<String, Value> {
    let names = ["ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn"];
    let mut fields: Map<String, Value> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), job.asked.get(*name)?.clone()))).collect();
    fields.insert("Id".to_owned(), json!(job.id));
    fields.insert("CreatedAt".to_owned(), json!(job.created));
    if let Some(session) = &job.session_id {
        fields.insert("SessionId".to_owned(), json!(session));
    }
    fields
}

pub fn submission(job: &Job) -> Value {
    Value::Object(repeated(job))
}

fn has_result(part: &Part) -> bool {
    part.outcome.as_ref().is_some_and(|outcome| outcome.has_rows)
}

fn rows(part: &Part) -> i64 {
    let count =
        part.outcome.as_ref().map_or(-1, |outcome| if outcome.has_rows { outcome.table.rows.len() as i64 } else { outcome.changed as i64 });
    if part.status == Status::Finished { count } else { -1 }
}

fn result_size(part: &Part) -> usize {
    part.outcome.as_ref().map_or(0, |outcome| outcome.table.rows.iter().flatten().map(|datum| datum.to_string().len()).sum())
}

fn part_description(job: &Job, at: usize, part: &Part) -> Value {
    let mut fields = json!({
        "Id": format!("{}:{}", job.id, at + 1),
        "QueryString": part.sql,
        "Status": part.status.as_str(),
        "Duration": part.nanoseconds as u64,
        "HasResultSet": has_result(part),
        "ResultRows": rows(part),
        "ResultSize": result_size(part),
        "RedshiftQueryId": part.query,
        "CreatedAt": job.created,
        "UpdatedAt": job.updated,
    });
    if let Some(error) = &part.error {
        fields["Error"] = json!(error);
    }
    fields
}

pub fn description(job: &Job, part: Option<usize>) -> Value {
    if let Some(at) = part {
        return part_description(job, at, &job.parts[at]);
    }
    let mut fields = repeated(job);
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("Status", json!(job.status.as_str()));
    put("Duration", json!(job.nanoseconds as u64));
    put("UpdatedAt", json!(job.updated));
    put("RedshiftPid", json!(1_073_979_671));
    put("ResultFormat", json!("JSON"));
    if let Some(error) = &job.error {
        put("Error", json!(error));
    }
    match job.parts.as_slice() {
        [part] if !job.batch => {
            put("QueryString", json!(part.sql));
            put("HasResultSet", json!(has_result(part)));
            put("ResultRows", json!(rows(part)));
            put("ResultSize", json!(result_size(part)));
            put("RedshiftQueryId", json!(part.query));
        }
        parts => {
            put("HasResultSet", json!(parts.iter().any(has_result)));
            let parts: Vec<Value> = parts.iter().enumerate().map(|(at, part)| part_description(job, at, part)).collect();
            put("SubStatements", json!(parts));
        }
    }
    Value::Object(fields)
}

/// A page of the rows of a statement, from where the token says.
pub fn page(job: &Job, part: Option<usize>, token: Option<&str>) -> Result<Value, Refusal> {
    let none =
        || Refusal::new("ResourceNotFoundException", "Query does not have result. Please check query status with DescribeStatement.");
    let part = match (part, job.batch) {
        (Some(at), true) => &job.parts[at],
        (None, false) => &job.parts[0],
        _ => return Err(none()),
    };
    let outcome = part.outcome.as_ref().filter(|outcome| outcome.has_rows && job.status == Status::Finished).ok_or_else(none)?;
    let from: usize = match token {
        None => 0,
        Some(token) => {
            token.strip_prefix("page-").and_then(|from| from.parse().ok()).ok_or_else(|| Refusal::invalid("NextToken is not valid"))?
        }
    };
    let rows = outcome.table.rows.iter().skip(from).take(PAGE);
    let records: Vec<Value> = rows.map(|row| row.iter().map(field).collect()).collect();
    let mut answer = json!({ "ColumnMetadata": columns(outcome), "Records": records, "TotalNumRows": outcome.table.rows.len() });
    if from + PAGE < outcome.table.rows.len() {
        answer["NextToken"] = json!(format!("page-{}", from + PAGE));
    }
    Ok(answer)
}

/// Decimals, dates and the like are texts.
fn field(datum: &Datum) -> Value {
    match datum {
        Datum::Null => json!({ "isNull": true }),
        Datum::Bool(truth) => json!({ "booleanValue": truth }),
        Datum::Int(number) => json!({ "longValue": number }),
        Datum::Float(number) => json!({ "doubleValue": number }),
        Datum::Decimal(text) | Datum::Text(text) => json!({ "stringValue": text }),
    }
}

fn columns(outcome: &Outcome) -> Vec<Value> {
    let columns = outcome.table.columns.iter().enumerate();
    columns
        .map(|(at, column)| {
            let known = outcome.types.get(at).copied().filter(|of| *of != Type::Unknown);
            let (name, precision, scale) = type_name(known.unwrap_or_else(|| Type::of_postgres(&column.data_type)));
            let is_text = matches!(name, "varchar" | "bpchar");
            json!({
                "isCaseSensitive": is_text, "isCurrency": false, "isSigned": matches!(name, "int2" | "int4" | "int8" | "numeric" | "float4" | "float8"),
                "label": column.name, "name": column.name, "nullable": 1, "precision": precision, "scale": scale, "length": 0,
                "schemaName": "", "tableName": "", "typeName": name,
            })
        })
        .collect()
}

/// The service's name of a type, its precision and scale.
fn type_name(of: Type) -> (&'static str, u32, u32) {
    match of {
        Type::Bool => ("bool", 1, 0),
        Type::Int2 => ("int2", 5, 0),
        Type::Int4 => ("int4", 10, 0),
        Type::Int8 => ("int8", 19, 0),
        Type::Decimal(precision, scale) => ("numeric", precision, scale),
        Type::Float4 => ("float4", 8, 8),
        Type::Float8 => ("float8", 17, 17),
        Type::Varchar(bytes) | Type::Literal(bytes) => ("varchar", bytes, 0),
        Type::Char(bytes) => ("bpchar", bytes, 0),
        Type::Date => ("date", 13, 0),
        Type::Time => ("time", 15, 6),
        Type::TimeTz => ("timetz", 21, 6),
        Type::Timestamp => ("timestamp", 29, 6),
        Type::TimestampTz => ("timestamptz", 35, 6),
        Type::Interval => ("intervald2s", 0, 0),
        Type::Super => ("super", 0, 0),
        Type::Varbyte => ("varbyte", 64000, 0),
        Type::Unknown | Type::Null => ("varchar", MAX_TEXT, 0),
    }
}

pub fn list(jobs: &BTreeMap<String, Job>, body: &Value) -> Value {
    let wanted = body["Status"].as_str().unwrap_or("ALL");
    let name = body["StatementName"].as_str();
    let found = jobs.values().rev().filter(|job| {
        let named = name.is_none_or(|name| job.asked["StatementName"].as_str().is_some_and(|own| own.starts_with(name)));
        named && (wanted == "ALL" || job.status.as_str() == wanted)
    });
    let statements: Vec<Value> = found
        .map(|job| {
            let queries: Vec<&str> = job.parts.iter().map(|part| part.sql.as_str()).collect();
            let mut fields = json!({
                "Id": job.id, "Status": job.status.as_str(), "CreatedAt": job.created, "UpdatedAt": job.updated,
                "IsBatchStatement": job.batch, "ResultFormat": "JSON",
            });
            match (job.batch, queries.as_slice()) {
                (false, [query]) => fields["QueryString"] = json!(query),
                _ => fields["QueryStrings"] = json!(queries),
            }
            if let Some(name) = job.asked.get("StatementName") {
                fields["StatementName"] = name.clone();
            }
            fields
        })
        .collect();
    json!({ "Statements": statements })
}
