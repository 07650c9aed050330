//! Seeds: small CSV files that become tables, their column types guessed as dbt guesses them or told.

use super::attributes::finished;
use super::materialize::{PlanInput, staged};
use super::publication::publish;
use super::steps::{NodePlan, Step};
use crate::analysis::guess_type;
use crate::base::{ColumnInfo, RelationKind};
use crate::diag::{Diagnostic, codes};

/// The plan of a seed from the bytes of its file.
///
/// # Errors
/// `invalid-seed` with the line of the file.
pub fn plan_seed(input: &PlanInput<'_>, file: &[u8]) -> Result<NodePlan, Diagnostic> {
    let (names, rows) = read(input, file)?;
    let told = input.node.config.get("column_types");
    let columns: Vec<ColumnInfo> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let config = told.and_then(|types| types.get(name)).and_then(|kind| kind.as_str()).map(str::to_owned);
            let declared = input.node.columns.iter().find(|column| column.name == *name).and_then(|column| column.data_type.clone());
            let guess = || guess_type(rows.iter().filter_map(|row| row.get(index).and_then(Option::as_deref)));
            ColumnInfo { name: name.clone(), data_type: config.or(declared).unwrap_or_else(guess) }
        })
        .collect();
    let stage = staged(input.relation);
    let mut steps =
        vec![Step::CreateTable { table: stage.clone(), columns: columns.clone() }, Step::InsertRows { table: stage, columns, rows }];
    steps.extend(publish(input, RelationKind::Table));
    finished(input, steps)
}

type Rows = Vec<Vec<Option<String>>>;

fn read(input: &PlanInput<'_>, file: &[u8]) -> Result<(Vec<String>, Rows), Diagnostic> {
    let name = &input.node.name;
    let invalid =
        |what: String| Diagnostic::new(&codes::INVALID_SEED, format!("seed '{name}' cannot be read: {what}")).at(input.node.origin);
    let delimiter = input.node.config.str("delimiter").and_then(|text| text.bytes().next()).unwrap_or(b',');
    let bytes = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let names: Vec<String> =
        reader.headers().map_err(|error| invalid(error.to_string()))?.iter().map(|name| name.trim().to_owned()).collect();
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(invalid("its first line must name every column".to_owned()));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| invalid(error.to_string()))?;
        rows.push(record.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_owned())).collect());
    }
    Ok((names, rows))
}
