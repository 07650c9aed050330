//! Partitions of external tables: which folders there are, and what they are called.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::buckets::{Buckets, Object};
use super::hidden::is_hidden;
use super::node::Turn;
use super::prepare::NodeError;
use crate::base::bucket_and_key;
use crate::diag::{Diagnostic, codes};
use crate::dialect::external::ExternalPart;
use crate::project::{ExternalPartition, ExternalTable, Node, PartitionFolders};

/// Folder of rows whose partition column is NULL, in Hive's words.
const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Letters that Hive, and what writes as it does, replaces in the names of folders.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'\'')
    .add(b'*')
    .add(b'/')
    .add(b':')
    .add(b'=')
    .add(b'?')
    .add(b'\\')
    .add(b'{')
    .add(b'[')
    .add(b']')
    .add(b'^');

/// The parts of the table: those whose values are told, and otherwise the folders that are there.
pub(super) fn parts(turn: &Turn<'_>, table: &ExternalTable) -> Result<Vec<ExternalPart>, NodeError> {
    if table.partitions.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(told) = table.partitions.iter().map(|partition| partition.values.as_deref()).collect::<Option<Vec<_>>>() {
        let told: BTreeSet<Vec<String>> = combined(&told).into_iter().collect();
        return told.into_iter().map(|values| Ok(ExternalPart { location: folder_of(turn, table, &values)?, values })).collect();
    }
    if turn.job.options.offline {
        return Ok(Vec::new());
    }
    let Some((bucket, prefix)) = bucket_and_key(&table.location) else { return Ok(Vec::new()) };
    let objects = Buckets::of(&turn.job.compilation.project.target)?.list(bucket, prefix)?;
    let mut found: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for object in &objects {
        let Some(below) = object.url.strip_prefix(&table.location).filter(|below| !is_hidden(below)) else { continue };
        let (values, folder) = folders(table, below).map_err(|why| unclear(turn.node, table, &object.url, &why))?;
        if let Some(other) = found.get(&values).filter(|other| **other != folder) {
            return Err(twice(turn.node, table, &values, other, &folder).into());
        }
        found.insert(values, folder);
    }
    Ok(found.into_iter().map(|(values, folder)| ExternalPart { values, location: format!("{}{folder}", table.location) }).collect())
}

/// Every value of a column with every one of the others.
fn combined(told: &[&[String]]) -> Vec<Vec<String>> {
    told.iter().fold(vec![Vec::new()], |combined, values| {
        let with =
            |before: &Vec<String>| values.iter().map(|value| [before.as_slice(), std::slice::from_ref(value)].concat()).collect::<Vec<_>>();
        combined.iter().flat_map(with).collect()
    })
}

fn unclear(node: &Node, table: &ExternalTable, object: &str, why: &str) -> Diagnostic {
    let message = format!("source '{}': the partition of '{object}' is not to be told: {why}", node.name);
    Diagnostic::new(&codes::LOAD_FAILED, message)
        .at(table.location_span)
        .help("move the file, or list the values of the partitions in 'vals'")
}

/// The catalogue has one folder for the values of a partition: rows of the other would be missing without a word.
fn twice(node: &Node, table: &ExternalTable, values: &[String], one: &str, other: &str) -> Diagnostic {
    let message = format!(
        "source '{}': the folders '{one}' and '{other}' are both of the partition {}, and a partition has one",
        node.name,
        values.join(", ")
    );
    Diagnostic::new(&codes::LOAD_FAILED, message).at(table.location_span).help("move the files of one into the other")
}

/// Where a part lies whose values are told: as Hive writes them, or where nothing is there as they are, which others do.
fn folder_of(turn: &Turn<'_>, table: &ExternalTable, values: &[String]) -> Result<String, NodeError> {
    let written = folder(table, values, &escaped);
    let plain = folder(table, values, &str::to_owned);
    if written == plain || turn.job.options.offline {
        return Ok(written);
    }
    let buckets = Buckets::of(&turn.job.compilation.project.target)?;
    let is_there = |place: &str| match bucket_and_key(place) {
        Some((bucket, prefix)) => {
            let holds = |object: &Object| object.url.strip_prefix(place).is_some_and(|below| !is_hidden(below));
            buckets.list(bucket, prefix).map(|objects| objects.iter().any(holds))
        }
        None => Ok(false),
    };
    match (is_there(&written)?, is_there(&plain)?) {
        (true, true) => Err(twice(turn.node, table, values, &written, &plain).into()),
        (false, true) => Ok(plain),
        _ => Ok(written),
    }
}

fn folder(table: &ExternalTable, values: &[String], written: &dyn Fn(&str) -> String) -> String {
    let named = |(partition, value): (&ExternalPartition, &String)| match table.folders {
        PartitionFolders::NameAndValue => format!("{}={}/", partition.name, written(value)),
        PartitionFolders::YearMonthDay => format!("{}/", value.replace('-', "/")),
    };
    let folders: String = table.partitions.iter().zip(values).map(named).collect();
    format!("{}{folders}", table.location)
}

/// Values of a part and its folder, by a path below the location of the table.
fn folders(table: &ExternalTable, below: &str) -> Result<(Vec<String>, String), String> {
    let mut rest: Vec<&str> = below.split('/').collect();
    rest.pop();
    let (mut values, mut taken) = (Vec::new(), 0);
    for partition in &table.partitions {
        let value = match table.folders {
            PartitionFolders::NameAndValue => {
                let folder = rest.get(taken).copied().unwrap_or("");
                let (name, value) = folder.split_once('=').ok_or_else(|| format!("it is in no folder {}=…", partition.name))?;
                if !name.eq_ignore_ascii_case(&partition.name) {
                    return Err(format!("its folder '{folder}' is none of '{}'", partition.name));
                }
                taken += 1;
                unescaped(value)
            }
            PartitionFolders::YearMonthDay => {
                let parts = rest.get(taken..taken + 3).ok_or("it is in no folders of year, month and day")?;
                taken += 3;
                parts.join("-")
            }
        };
        if value == NULL_FOLDER {
            return Err(format!("its rows have no '{}', and a partition needs a value", partition.name));
        }
        values.push(value);
    }
    let folder: String = rest.iter().take(taken).map(|folder| format!("{folder}/")).collect();
    Ok((values, folder))
}

/// Hive writes some letters of values as `%3A`.
fn unescaped(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn escaped(value: &str) -> String {
    // Only what is ASCII; letters of other alphabets stay.
    value
        .chars()
        .map(|letter| if letter.is_ascii() { utf8_percent_encode(&letter.to_string(), ESCAPED).to_string() } else { letter.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_hive_does() {
        for (value, written) in [("12:00", "12%3A00"), ("a/b=c", "a%2Fb%3Dc"), ("50%", "50%25"), ("Zoë A", "Zoë A"), ("it's", "it%27s")] {
            assert_eq!((escaped(value).as_str(), unescaped(written).as_str()), (written, value));
        }
    }

    #[test]
    fn every_value_goes_with_every_other() {
        let (days, shops) = (["1".to_owned(), "2".to_owned()], ["a".to_owned(), "b".to_owned()]);
        let shown: Vec<String> = combined(&[&days, &shops]).iter().map(|values| values.concat()).collect();
        assert_eq!(shown, ["1a", "1b", "2a", "2b"]);
    }
}
