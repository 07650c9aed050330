//! Units as people declare them: on columns under `meta`, and in `acca.yml`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZoneDatabase;
use serde_json::{Map, Value};

use super::super::personal::PERSONAL;
use super::{Currency, Kind, Measure, Odds, Scale, Unit, Zone};
use crate::base::{Span, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::project::{Column, Macro, MacroKind, Project};

/// What the project says of units, beside its columns.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// Units by names of the project's own.
    pub named: BTreeMap<String, Unit>,
    pub conversions: Vec<ConversionUnits>,
    /// Ids of macros.
    pub anonymising: BTreeSet<UniqueId>,
    /// Labels that reports may not receive, beside `personal`.
    pub forbidden: BTreeSet<String>,
    /// The labels of all columns, and how many have them.
    pub labels: BTreeMap<String, usize>,
}

/// A macro that converts: the units of its parameters, and of what it gives.
#[derive(Clone, Debug)]
pub struct ConversionUnits {
    /// Of the macro.
    pub id: UniqueId,
    pub name: String,
    pub takes: Vec<(String, Unit)>,
    pub gives: Unit,
    /// Where it is declared what it gives.
    pub place: Span,
}

impl Declarations {
    /// Whether reports may not receive what has this label.
    pub fn is_forbidden(&self, label: &str) -> bool {
        label == PERSONAL || self.forbidden.contains(label)
    }

    /// What `acca.yml` declares, and what is wrong with it.
    pub fn of(project: &Project) -> (Declarations, Vec<Diagnostic>) {
        let (mut declarations, mut problems) = (Declarations::default(), Vec::new());
        let file = &project.acca;
        for unit in &file.units {
            match unit_of_value(&unit.value, &declarations) {
                Ok(found) => {
                    declarations.named.insert(unit.name.clone(), found);
                }
                Err(why) => problems.push(invalid(&format!("the unit '{}'", unit.name), &why, unit.value_span)),
            }
        }
        for conversion in &file.conversions {
            let Some(found) = find_macro(project, &conversion.name, conversion.name_span, &mut problems) else { continue };
            let owner = format!("the conversion '{}'", conversion.name);
            let mut takes = Vec::new();
            for told in &conversion.takes {
                let names = || found.parameters.iter().map(|parameter| parameter.name.as_str());
                if !names().any(|name| name == told.name) {
                    let message = format!("the macro '{}' has no parameter '{}'", conversion.name, told.name);
                    problems.push(Diagnostic::new(&codes::WRONG_ARGUMENTS, message).at(told.name_span).did_you_mean(&told.name, names()));
                }
                match unit_of_value(&told.value, &declarations) {
                    Ok(unit) => takes.push((told.name.clone(), unit)),
                    Err(why) => problems.push(invalid(&owner, &why, told.value_span)),
                }
            }
            match unit_of_value(&conversion.gives, &declarations) {
                Ok(gives) => declarations.conversions.push(ConversionUnits {
                    id: found.id.clone(),
                    name: conversion.name.clone(),
                    takes,
                    gives,
                    place: conversion.gives_span,
                }),
                Err(why) => problems.push(invalid(&owner, &why, conversion.gives_span)),
            }
        }
        declarations.forbidden.extend(file.forbidden_labels.iter().map(|(label, _)| label.clone()));
        for (name, span) in &file.anonymising {
            if let Some(found) = find_macro(project, name, *span, &mut problems) {
                declarations.anonymising.insert(found.id.clone());
            }
        }
        (declarations, problems)
    }
}

/// The macro of a name: that of the project itself before those of packages, or that of the package which is named before a point.
fn find_macro<'p>(project: &'p Project, name: &str, span: Span, problems: &mut Vec<Diagnostic>) -> Option<&'p Macro> {
    let macros = || project.macros.iter().filter(|found| found.kind == MacroKind::Macro);
    let root = &project.name;
    let found = match name.rsplit_once('.') {
        Some((package, name)) => macros().find(|found| &*found.package == package && found.name == name),
        None => {
            let named = || macros().filter(|found| found.name == name);
            named().find(|found| *found.package == **root).or_else(|| named().next())
        }
    };
    if found.is_none() {
        let problem = Diagnostic::new(&codes::UNKNOWN_MACRO, format!("there is no macro '{name}'")).at(span);
        problems.push(problem.did_you_mean(name, macros().map(|found| found.name.as_str())));
    }
    found
}

fn invalid(owner: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&codes::INVALID_UNIT, format!("{owner}: {why}")).at(span)
}

const NAMES: &[&str] = &[
    "minor",
    "major",
    "decimal_odds",
    "fractional_odds",
    "american_odds",
    "probability",
    "percent",
    "fraction",
    "count",
    "instant",
    "clock",
    "exchange_rate",
];

/// The unit that the properties of a column give it: `meta: {unit: minor, currency: GBP}`.
///
/// # Errors
/// What is wrong with the declaration.
pub fn declared_measure(column: &Column, declarations: &Declarations) -> Result<Measure, String> {
    if column.meta.is_empty() {
        return Ok(Measure::Unknown);
    }
    let fields = &column.meta;
    let Some(unit) = fields.get("unit").filter(|unit| !unit.is_null()) else { return Ok(Measure::Unknown) };
    let told = match unit {
        Value::Object(inner) => read_unit(&|key| inner.get(key), declarations)?,
        _ => read_unit(&|key| fields.get(key), declarations)?,
    };
    Ok(Measure::of(told, column.span))
}

/// Whether a unit is called so.
pub fn is_unit(name: &str, declarations: &Declarations) -> bool {
    NAMES.contains(&name) || declarations.named.contains_key(name)
}

/// A unit in `acca.yml`: a name, or a mapping with the name and what belongs to it.
///
/// # Errors
/// What is wrong with it.
fn unit_of_value(value: &Value, declarations: &Declarations) -> Result<Unit, String> {
    match value {
        Value::Object(fields) => read_unit(&|key| fields.get(key), declarations),
        Value::String(_) => {
            let fields = Map::from_iter([("unit".to_owned(), value.clone())]);
            read_unit(&|key| fields.get(key), declarations)
        }
        other => Err(format!("a unit is a name or a mapping, not {other}")),
    }
}

fn read_unit<'v>(field: &dyn Fn(&str) -> Option<&'v Value>, declarations: &Declarations) -> Result<Unit, String> {
    let name = match field("unit") {
        Some(Value::String(name)) => name.as_str(),
        Some(other) => return Err(format!("'unit' is {other}, and the name of a unit is needed")),
        None => return Err("there is no 'unit'".to_owned()),
    };
    let text = |key: &str| match field(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(format!("'{key}' is {other}, and a text is needed")),
    };
    let amount = |scale: Scale, currency: Option<&str>| {
        Unit::from(Kind::Amount { scale, currency: currency.map_or(Currency::Unknown, named_currency) })
    };
    Ok(match name {
        "minor" => amount(Scale::Minor, text("currency")?),
        "major" => amount(Scale::Major, text("currency")?),
        "decimal_odds" => Kind::Odds(Odds::Decimal).into(),
        "fractional_odds" => Kind::Odds(Odds::Fractional).into(),
        "american_odds" => Kind::Odds(Odds::American).into(),
        "probability" => Kind::Odds(Odds::Probability).into(),
        "percent" => Kind::Percent.into(),
        "fraction" => Kind::Fraction.into(),
        "count" => Kind::Count.into(),
        "instant" => Kind::Instant.into(),
        "clock" => {
            let zone = text("zone")?.ok_or("a 'clock' needs its 'zone', such as UTC or Europe/London")?;
            Kind::Clock(known_zone(zone)?).into()
        }
        "exchange_rate" => {
            let side = |key: &str| text(key)?.ok_or(format!("an 'exchange_rate' needs '{key}', a currency"));
            let (from, to) = (side("from")?, side("to")?);
            match Measure::from(amount(Scale::Major, Some(to))).divided_by(&amount(Scale::Major, Some(from)).into()) {
                Measure::Is(measured) => measured.unit.clone(),
                Measure::Unknown | Measure::Number => return Err("there is no such exchange rate".to_owned()),
            }
        }
        other => match declarations.named.get(other) {
            Some(unit) => unit.clone(),
            None => {
                let names = NAMES.iter().copied().chain(declarations.named.keys().map(String::as_str));
                let near = crate::diag::nearest(other, names).map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
                return Err(format!("there is no unit '{other}'{near}"));
            }
        },
    })
}

/// Three capitals are a currency, all else names a column.
fn named_currency(text: &str) -> Currency {
    if text == "any" {
        return Currency::Any;
    }
    match text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        true => Currency::Fixed(text.into()),
        false => Currency::Sibling(text.to_lowercase().into()),
    }
}

/// Whether there is a zone of that name: a place on the map must be in the database of zones; short names are those of whoever asks the
/// database.
///
/// # Errors
/// When there is none, with the nearest name that there is.
pub fn known_zone_name(text: &str) -> Result<(), Option<String>> {
    let zones = TimeZoneDatabase::bundled();
    if !text.contains('/') || zones.get(text.trim()).is_ok() {
        return Ok(());
    }
    let names: Vec<String> = zones.available().map(|name| name.as_str().to_owned()).collect();
    Err(crate::diag::nearest(text, names.iter().map(String::as_str)).map(str::to_owned))
}

fn known_zone(text: &str) -> Result<Zone, String> {
    known_zone_name(text).map_err(|near| {
        let near = near.map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
        format!("there is no zone '{text}'{near}")
    })?;
    Ok(named_zone(text))
}

/// Zones have a `/` in their names, or are short capitals; all else names a column.
fn named_zone(text: &str) -> Zone {
    let column = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') && text != "utc";
    if column { Zone::Sibling(text.into()) } else { Zone::parse(text) }
}
