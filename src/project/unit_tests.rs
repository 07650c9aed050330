//! Unit tests: `unit_tests:` of properties files.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::fields::Fields;
use super::loader::Loader;
use super::node::{Detail, Node};
use super::properties::{Scope, node_config};
use super::resources::Catalog;
use super::unit_test::{Cell, UnitInput, UnitOverrides, UnitRow, UnitRows, UnitTest};
use super::yaml::{Yaml, YamlValue, to_json_map};
use crate::base::{FileId, ResourceType, Span, UniqueId};
use crate::diag::{Diagnostic, codes};

const KEYS: &[&str] = &["name", "description", "model", "given", "expect", "overrides", "config", "versions"];
const INPUT_KEYS: &[&str] = &["input", "rows", "format", "fixture"];
const EXPECT_KEYS: &[&str] = &["rows", "format", "fixture"];
const FORMATS: &[&str] = &["dict", "csv", "sql"];

/// Adds the unit tests of one file. All models are known by then, with their versions.
pub(super) fn apply_unit_tests(loader: &mut Loader<'_>, scope: &Scope<'_>, yaml: &Yaml, catalog: &mut Catalog) {
    let whole = Fields { entries: yaml.as_map().unwrap_or(&[]), span: yaml.span, owner: scope.path, code: &codes::INVALID_CONFIG };
    for item in whole.list("unit_tests", loader.diagnostics) {
        let Some(fields) = Fields::of(item, "an entry of 'unit_tests'", loader.diagnostics) else { continue };
        let Some((name, span)) = fields.required_text("name", loader.diagnostics) else { continue };
        let owner = format!("unit test '{name}'");
        let fields = Fields { owner: &owner, ..fields };
        fields.check_keys(KEYS, loader.diagnostics);
        apply_unit_test(loader, scope, &fields, &name, span, catalog);
    }
}

fn apply_unit_test(loader: &mut Loader<'_>, scope: &Scope<'_>, fields: &Fields<'_, '_>, name: &str, span: Span, catalog: &mut Catalog) {
    let Some((model, model_span)) = fields.required_text("model", loader.diagnostics) else { return };
    let mut given = Vec::new();
    for item in fields.list("given", loader.diagnostics) {
        given.extend(read_input(loader, scope, fields, item, catalog));
    }
    let Some(expect) = fields.entry("expect") else {
        let problem = Diagnostic::new(&codes::MISSING_PROPERTY, format!("{} has no 'expect'", fields.owner)).at(span);
        loader.diagnostics.push(problem.help("add 'expect:' with 'rows:', the rows that the model is to give"));
        return;
    };
    let owner = format!("'expect' of {}", fields.owner);
    let Some(inner) = Fields::of(&expect.value, &owner, loader.diagnostics) else { return };
    inner.check_keys(EXPECT_KEYS, loader.diagnostics);
    let Some(rows) = read_rows(loader, scope, &inner, false, catalog) else { return };
    let overrides = read_overrides(loader, fields);
    let config = node_config(loader, fields);
    let description = fields.text("description", loader.diagnostics).unwrap_or_default();
    for (tested, version) in tested_models(loader, scope, fields, (&model, model_span), catalog) {
        let detail = UnitTest {
            model: model.clone(),
            model_span,
            tested,
            version: version.clone(),
            given: given.clone(),
            expect: rows.clone(),
            expect_span: expect.key_span,
            overrides: overrides.clone(),
            versions: fields.get("versions").map(Yaml::to_json),
        };
        let tail = version.map_or_else(String::new, |version| format!("_v{version}"));
        let fqn = scope.fqn([model.as_str(), name]);
        let mut node = Node::new(ResourceType::UnitTest, &scope.package, name, fqn, span, Detail::UnitTest(Box::new(detail)));
        node.id = format!("unit_test.{}.{model}.{name}{tail}", scope.package).into();
        node.properties = Some(span);
        node.description = description.clone();
        node.config = config.clone();
        catalog.add(node);
    }
}

/// The model of that name, or its versions that `versions` lets through.
fn tested_models(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    fields: &Fields<'_, '_>,
    (model, span): (&str, Span),
    catalog: &Catalog,
) -> Vec<(UniqueId, Option<String>)> {
    let same = |node: &&super::Node| node.resource == ResourceType::Model && node.name == model && node.package == scope.package;
    let found: Vec<(UniqueId, Option<String>)> = catalog
        .nodes
        .iter()
        .filter(same)
        .map(|node| {
            let version = match &node.detail {
                Detail::Model(detail) => detail.version.clone(),
                _ => None,
            };
            (Arc::clone(&node.id), version)
        })
        .collect();
    if found.is_empty() {
        let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, format!("{} tests the unknown model '{model}'", fields.owner)).at(span);
        loader.diagnostics.push(problem.did_you_mean(model, catalog.names(ResourceType::Model)));
        return found;
    }
    let Some(entry) = fields.entry("versions") else { return found };
    let owner = format!("'versions' of {}", fields.owner);
    let Some(inner) = Fields::of(&entry.value, &owner, loader.diagnostics) else { return found };
    inner.check_keys(&["include", "exclude"], loader.diagnostics);
    let invalid = |message: String| Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(entry.key_span);
    let texts =
        |key: &str| inner.get(key).and_then(Yaml::as_list).map(|items| items.iter().filter_map(Yaml::scalar_text).collect::<Vec<_>>());
    let (include, exclude) = (texts("include"), texts("exclude"));
    if found.iter().all(|(_, version)| version.is_none()) {
        loader.diagnostics.push(invalid(format!("{} picks versions of '{model}', which has none", fields.owner)));
        return found;
    }
    let picked = |version: &str| {
        include.as_ref().is_none_or(|names| names.iter().any(|name| name == version))
            && exclude.as_ref().is_none_or(|names| names.iter().all(|name| name != version))
    };
    let names: Vec<String> = found.iter().filter_map(|(_, version)| version.clone()).collect();
    let chosen: Vec<_> = found.into_iter().filter(|(_, version)| version.as_deref().is_none_or(picked)).collect();
    if chosen.is_empty() {
        let problem = invalid(format!("{} picks none of the versions of '{model}'", fields.owner));
        loader.diagnostics.push(problem.help(format!("the versions are: {}", names.join(", "))));
    }
    chosen
}

fn read_input(loader: &mut Loader<'_>, scope: &Scope<'_>, test: &Fields<'_, '_>, item: &Yaml, catalog: &Catalog) -> Option<UnitInput> {
    let owner = format!("an input of {}", test.owner);
    let fields = Fields::of(item, &owner, loader.diagnostics)?;
    let (call, span) = fields.required_text("input", loader.diagnostics)?;
    let owner = format!("input '{call}' of {}", test.owner);
    let fields = Fields { owner: &owner, ..fields };
    fields.check_keys(INPUT_KEYS, loader.diagnostics);
    let trimmed = call.trim();
    let is_call = (trimmed.starts_with("ref(") || trimmed.starts_with("source(")) && trimmed.ends_with(')');
    if !is_call && trimmed != "this" {
        let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, format!("{owner} is neither a ref() nor a source() nor 'this'")).at(span);
        loader.diagnostics.push(problem.help("write it as \"ref('model')\" or \"source('source', 'table')\""));
        return None;
    }
    let rows = read_rows(loader, scope, &fields, trimmed.starts_with("ref("), catalog)?;
    Some(UnitInput { call: trimmed.to_owned(), span, rows, reads: None, node: None })
}

/// The rows of an input or of what is expected, inline or of a fixture file.
fn read_rows(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    fields: &Fields<'_, '_>,
    may_be_seed: bool,
    catalog: &Catalog,
) -> Option<UnitRows> {
    let format = fields.text("format", loader.diagnostics).unwrap_or_else(|| "dict".to_owned()).to_lowercase();
    let place = fields.get("format").or_else(|| fields.get("rows")).map_or(fields.span, |value| value.span);
    if !FORMATS.contains(&format.as_str()) {
        let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, format!("'{format}' is no format of rows")).at(place);
        let problem = problem.did_you_mean(&format, FORMATS.iter().copied());
        loader.diagnostics.push(problem.help("the formats are: dict, csv, sql"));
        return None;
    }
    if let Some(fixture) = fields.text("fixture", loader.diagnostics) {
        let span = fields.get("fixture").map_or(fields.span, |value| value.span);
        return read_fixture(loader, scope, &format, (fixture, span), catalog);
    }
    let mismatch = |what: &str| {
        let message = format!("the rows of {} are {what}, and their format is '{format}'", fields.owner);
        Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(place)
    };
    let written = fields.entry("rows").map(|entry| &entry.value);
    match (format.as_str(), written.map(|rows| (rows, &rows.value))) {
        ("dict", None) if may_be_seed && !fields.has("rows") => Some(UnitRows::OfSeed),
        ("dict", None) if fields.has("rows") => Some(UnitRows::Listed { rows: Vec::new(), csv: false, fixture: None }),
        ("dict", Some((_, YamlValue::List(items)))) => {
            let rows = items.iter().filter_map(|item| listed_row(loader, fields, item)).collect();
            Some(UnitRows::Listed { rows, csv: false, fixture: None })
        }
        ("csv", Some((yaml, YamlValue::Text(text)))) => {
            let rows = csv_rows(loader, fields.owner, text, &|_| yaml.span)?;
            Some(UnitRows::Listed { rows, csv: true, fixture: None })
        }
        ("sql", Some((yaml, YamlValue::Text(text)))) => Some(UnitRows::Sql { query: text.clone(), span: yaml.span, fixture: None }),
        (_, None) => {
            let problem = Diagnostic::new(&codes::MISSING_PROPERTY, format!("{} has no 'rows'", fields.owner)).at(place);
            loader.diagnostics.push(problem.help("add 'rows:', an empty list for none, or 'fixture:'"));
            None
        }
        (_, Some((yaml, _))) => {
            let needed = if format == "dict" { "write a list of mappings" } else { "write them as a text, or give a 'fixture'" };
            loader.diagnostics.push(mismatch(yaml.kind()).help(needed));
            None
        }
    }
}

fn read_fixture(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    format: &str,
    (name, span): (String, Span),
    catalog: &Catalog,
) -> Option<UnitRows> {
    let kind = if format == "dict" { "csv" } else { format };
    let suffix = format!(".{kind}");
    let plain = name.strip_suffix(&suffix).unwrap_or(&name);
    let found = catalog.fixtures.get(&(Arc::clone(&scope.package), format!("{plain}{suffix}"))).copied();
    let Some(file) = found.filter(|_| format != "dict") else {
        let message = match format {
            "dict" => format!("rows of the format 'dict' cannot stand in a fixture file, such as '{name}'"),
            _ => format!("there is no fixture file '{plain}{suffix}'"),
        };
        let names = catalog.fixtures.keys().filter(|(package, _)| *package == scope.package).map(|(_, name)| name.as_str());
        let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(span).did_you_mean(&format!("{plain}{suffix}"), names);
        loader.diagnostics.push(match format {
            "dict" => problem.help("set 'format: csv' or 'format: sql'"),
            _ => problem.help("fixtures lie in the folder 'fixtures' of the folder of tests"),
        });
        return None;
    };
    let text = Arc::clone(&loader.sources.file(file).text);
    if format == "sql" {
        return Some(UnitRows::Sql { query: text.to_string(), span: loader.sources.whole(file), fixture: Some(name) });
    }
    let place = |line: usize| line_span(file, &text, line);
    let rows = csv_rows(loader, &format!("fixture '{name}'"), &text, &place)?;
    Some(UnitRows::Listed { rows, csv: true, fixture: Some(name) })
}

/// The line of that number, from 1.
fn line_span(file: FileId, text: &str, line: usize) -> Span {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    Span::new(file, start, start + length)
}

fn listed_row(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, item: &Yaml) -> Option<UnitRow> {
    let Some(entries) = item.as_map() else {
        let message = format!("a row of {} is {}, and a mapping from columns to values is needed", fields.owner, item.kind());
        loader.diagnostics.push(Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(item.span));
        return None;
    };
    let cells = entries.iter().map(|entry| (entry.key.clone(), cell(loader, &entry.value))).collect();
    Some(UnitRow { cells, span: item.span })
}

fn cell(loader: &Loader<'_>, value: &Yaml) -> Cell {
    match &value.value {
        YamlValue::Null => Cell::Null,
        YamlValue::Bool(truth) => Cell::Bool(*truth),
        YamlValue::Int(number) => Cell::Number(number.to_string()),
        YamlValue::Float(number) => {
            let written = loader.sources.text(value.span).trim();
            let is_plain = !written.is_empty() && written.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
            Cell::Number(if is_plain { written.to_owned() } else { number.to_string() })
        }
        YamlValue::Text(text) => Cell::Text(text.clone()),
        YamlValue::List(_) | YamlValue::Map(_) => Cell::Text(value.to_json().to_string()),
    }
}

/// Rows of a CSV text whose first line names the columns; an empty field is NULL. `place` is where a line stands.
fn csv_rows(loader: &mut Loader<'_>, owner: &str, text: &str, place: &dyn Fn(usize) -> Span) -> Option<Vec<UnitRow>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.trim_start().as_bytes());
    let invalid = |line: usize, error: String| {
        Diagnostic::new(&codes::INVALID_UNIT_TEST, format!("the rows of {owner} are no CSV: {error}")).at(place(line))
    };
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(str::to_owned).collect(),
        Err(error) => {
            loader.diagnostics.push(invalid(1, error.to_string()));
            return None;
        }
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        let line = |record: &csv::StringRecord| record.position().map_or(1, |position| position.line() as usize);
        match record {
            Ok(record) => {
                let fill = |text: &str| if text.is_empty() { Cell::Null } else { Cell::Text(text.to_owned()) };
                let cells = names.iter().cloned().zip(record.iter().map(fill)).collect();
                rows.push(UnitRow { cells, span: place(line(&record)) });
            }
            Err(error) => {
                let line = error.position().map_or(1, |position| position.line() as usize);
                loader.diagnostics.push(invalid(line, error.to_string()));
                return None;
            }
        }
    }
    Some(rows)
}

fn read_overrides(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> UnitOverrides {
    let owner = format!("'overrides' of {}", fields.owner);
    let inner = Fields { entries: fields.map("overrides", loader.diagnostics), owner: &owner, ..*fields };
    inner.check_keys(&["macros", "vars", "env_vars"], loader.diagnostics);
    let mut read = |key: &str| -> BTreeMap<String, Value> {
        let values: Map<String, Value> = to_json_map(inner.map(key, loader.diagnostics));
        values.into_iter().collect()
    };
    UnitOverrides { macros: read("macros"), vars: read("vars"), env_vars: read("env_vars") }
}
