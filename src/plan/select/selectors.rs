//! Definitions of `selectors.yml` as expressions, and as the manifest lists them.

use serde_json::{Map, Value, json};

use super::IndirectSelection;
use super::expression::{Criterion, Expression, Reach, parse_criterion, several};
use super::methods::Method;
use crate::base::Span;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::project::{Entry, Selector, Yaml, YamlValue};

const CRITERION_KEYS: [&str; 9] =
    ["method", "value", "parents", "parents_depth", "children", "children_depth", "childrens_parents", "indirect_selection", "exclude"];
const MODES: [(&str, IndirectSelection); 4] = [
    ("eager", IndirectSelection::Eager),
    ("cautious", IndirectSelection::Cautious),
    ("buildable", IndirectSelection::Buildable),
    ("empty", IndirectSelection::Empty),
];

/// Reads all definitions and reports what is wrong with them.
pub fn check_selectors(selectors: &[Selector], diagnostics: &mut Diagnostics) {
    for at in 0..selectors.len() {
        let mut reading = Reading { selectors, at, problems: Vec::new() };
        reading.selector();
        diagnostics.extend(reading.problems);
    }
}

/// The expression of a selector.
///
/// # Errors
/// `invalid-selector` when there is none of that name, or its definition cannot be read.
pub(super) fn named(selectors: &[Selector], name: &str) -> Result<Expression, Vec<Diagnostic>> {
    let Some(at) = selectors.iter().position(|selector| selector.name == name) else {
        let problem = Diagnostic::new(&codes::INVALID_SELECTOR, format!("there is no selector '{name}'"));
        let problem = problem.did_you_mean(name, selectors.iter().map(|selector| selector.name.as_str()));
        return Err(vec![if selectors.is_empty() {
            problem.help("define it in 'selectors.yml' beside 'dbt_project.yml'")
        } else {
            let names = selectors.iter().map(|selector| selector.name.as_str()).collect::<Vec<_>>().join(", ");
            problem.help(format!("the selectors are: {names}"))
        }]);
    };
    let mut reading = Reading { selectors, at, problems: Vec::new() };
    let expression = reading.selector();
    match expression {
        Some(expression) if reading.problems.is_empty() => Ok(Expression::Named(Box::new(expression))),
        _ => Err(reading.problems),
    }
}

struct Reading<'a> {
    selectors: &'a [Selector],
    /// The selector that is read. It may name those above it, so none can come back to itself.
    at: usize,
    problems: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn selector(&mut self) -> Option<Expression> {
        let definition = &self.selectors.get(self.at)?.definition;
        if let YamlValue::Map(entries) = &definition.value
            && let (Some(operator), [_, _, ..]) = (entries.iter().find(|entry| is_operator(&entry.key)), entries.as_slice())
        {
            let other = entries.iter().find(|entry| entry.key != operator.key).map_or(definition.span, |entry| entry.key_span);
            self.refuse(other, format!("'{}' stands alone in a definition", operator.key), "put the other keys into its list");
            return None;
        }
        self.definition(definition)
    }

    fn refuse(&mut self, span: Span, message: String, help: &str) {
        self.problems.push(Diagnostic::new(&codes::INVALID_SELECTOR, message).at(span).help(help));
    }

    /// Keeps the value, or the mistake with its place.
    fn keep<T>(&mut self, span: Span, read: Result<T, Diagnostic>) -> Option<T> {
        read.map_err(|problem| self.problems.push(problem.at(span))).ok()
    }

    fn definition(&mut self, yaml: &Yaml) -> Option<Expression> {
        match &yaml.value {
            YamlValue::Text(text) => self.keep(yaml.span, parse_criterion(text, text)).map(Expression::Criterion),
            YamlValue::Map(entries) => match entries.iter().find(|entry| is_operator(&entry.key)) {
                Some(operator) => self.group(operator),
                None => self.mapping(yaml, entries),
            },
            _ => {
                self.refuse(
                    yaml.span,
                    format!("a definition is {}, and a text or a mapping is needed", yaml.kind()),
                    "write 'tag:nightly' or 'method:' and 'value:'",
                );
                None
            }
        }
    }

    fn list<'y>(&mut self, entry: &'y Entry) -> &'y [Yaml] {
        match entry.value.as_list() {
            Some(items) => items,
            None => {
                self.refuse(
                    entry.value.span,
                    format!("'{}' is {}, and a list is needed", entry.key, entry.value.kind()),
                    "put a '-' before each definition",
                );
                &[]
            }
        }
    }

    /// `union:` or `intersection:`, one of whose items may be an `exclude:`.
    fn group(&mut self, entry: &Entry) -> Option<Expression> {
        let (mut parts, mut excluded) = (Vec::new(), None);
        for item in self.list(entry) {
            match item.as_map() {
                Some([only]) if only.key == "exclude" => {
                    if excluded.is_some() {
                        self.refuse(only.key_span, format!("'{}' has two 'exclude:'", entry.key), "put both lists into one");
                    }
                    excluded = Some(self.exclusion(only));
                }
                _ => parts.extend(self.definition(item)),
            }
        }
        let combine = if entry.key == "union" { Expression::Union } else { Expression::Intersection };
        // A union of nothing on the command line is everything; here it is nothing.
        let included = if parts.is_empty() { Expression::Nothing } else { several(parts, combine) };
        Some(match excluded.flatten() {
            Some(excluded) => Expression::Difference(Box::new(included), Box::new(excluded)),
            None => included,
        })
    }

    fn exclusion(&mut self, entry: &Entry) -> Option<Expression> {
        let parts: Vec<Expression> = self.list(entry).iter().filter_map(|item| self.definition(item)).collect();
        (!parts.is_empty()).then(|| several(parts, Expression::Union))
    }

    fn mapping(&mut self, yaml: &Yaml, entries: &[Entry]) -> Option<Expression> {
        if let [only] = entries {
            let method = self.method(&only.key, only.key_span)?;
            let value = self.value(&only.value)?;
            self.keep(only.value.span, method.check_value(&value))?;
            return Some(Expression::Criterion(Criterion::plain(format!("{}:{value}", only.key), method, value)));
        }
        let (Some(method), Some(value)) = (yaml.get("method"), yaml.get("value")) else {
            let span = entries.first().map_or(yaml.span, |entry| entry.key_span);
            self.refuse(span, "a definition needs 'method' and 'value'".to_owned(), "write one pair 'method: value', or both keys");
            return None;
        };
        for entry in entries.iter().filter(|entry| !CRITERION_KEYS.contains(&entry.key.as_str())) {
            let problem = Diagnostic::new(&codes::UNEXPECTED_PROPERTY, format!("the key '{}' means nothing in a definition", entry.key));
            self.problems.push(problem.at(entry.key_span).did_you_mean(&entry.key, CRITERION_KEYS));
        }
        let text = value.scalar_text().unwrap_or_default();
        let included =
            if method.as_str() == Some("selector") { self.reference(&text, value.span)? } else { self.criterion(yaml, method, value)? };
        let exclude = entries.iter().find(|entry| entry.key == "exclude");
        Some(match exclude.and_then(|exclude| self.exclusion(exclude)) {
            Some(excluded) => Expression::Difference(Box::new(included), Box::new(excluded)),
            None => included,
        })
    }

    /// Another selector, which stands above this one.
    fn reference(&mut self, name: &str, span: Span) -> Option<Expression> {
        let selectors = self.selectors;
        let above = selectors.get(..self.at).unwrap_or_default();
        if let Some(at) = above.iter().position(|selector| selector.name == name) {
            // What is wrong with it is said at its own turn.
            return Reading { selectors, at, problems: Vec::new() }.selector();
        }
        let problem = if selectors.iter().any(|selector| selector.name == name) {
            Diagnostic::new(&codes::INVALID_SELECTOR, format!("the selector '{name}' is defined below its use"))
                .help(format!("move '{name}' above the selectors that name it"))
        } else {
            Diagnostic::new(&codes::INVALID_SELECTOR, format!("there is no selector '{name}'"))
                .did_you_mean(name, above.iter().map(|selector| selector.name.as_str()))
        };
        self.problems.push(problem.at(span));
        None
    }

    fn criterion(&mut self, yaml: &Yaml, method: &Yaml, value: &Yaml) -> Option<Expression> {
        let name = method.scalar_text().unwrap_or_default();
        let method = self.method(&name, method.span)?;
        let text = self.value(value)?;
        self.keep(value.span, method.check_value(&text))?;
        let (parents, children) = (self.reach(yaml, "parents"), self.reach(yaml, "children"));
        let childrens_parents = self.truth(yaml, "childrens_parents");
        if let (true, Some(entry)) = (childrens_parents && children.is_some(), yaml.get("children")) {
            self.refuse(
                entry.span,
                "'childrens_parents' and 'children' exclude each other".to_owned(),
                "leave 'children' out: it is selected already",
            );
        }
        let indirect = self.mode(yaml);
        Some(Expression::Criterion(Criterion {
            parents,
            children,
            childrens_parents,
            indirect,
            ..Criterion::plain(format!("{name}:{text}"), method, text)
        }))
    }

    fn method(&mut self, name: &str, span: Span) -> Option<Method> {
        let method = Method::parse(name).map_err(|problem| match name {
            "selector" => problem.help("write 'method: selector' and 'value:' with its name"),
            _ => problem,
        });
        self.keep(span, method)
    }

    fn value(&mut self, value: &Yaml) -> Option<String> {
        let text = value.scalar_text().filter(|text| !text.is_empty());
        if text.is_none() {
            self.refuse(
                value.span,
                format!("the value is {}, and a text is needed", value.kind()),
                "write one value; put several under 'union:'",
            );
        }
        text
    }

    fn truth(&mut self, yaml: &Yaml, key: &str) -> bool {
        let Some(value) = yaml.get(key) else { return false };
        match &value.value {
            YamlValue::Bool(truth) => *truth,
            YamlValue::Null => false,
            _ => {
                self.refuse(value.span, format!("'{key}' is {}, and a boolean is needed", value.kind()), "write true or false");
                false
            }
        }
    }

    fn reach(&mut self, yaml: &Yaml, key: &str) -> Option<Reach> {
        if !self.truth(yaml, key) {
            return None;
        }
        let Some(depth) = yaml.get(&format!("{key}_depth")).filter(|depth| !depth.is_null()) else { return Some(None) };
        let number = depth.scalar_text().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.refuse(
                depth.span,
                format!("'{key}_depth' is {}, and a whole number is needed", depth.kind()),
                "write how many edges away",
            );
        }
        // Nought is as good as nothing, as on the command line of dbt.
        Some(number.filter(|depth| *depth > 0))
    }

    fn mode(&mut self, yaml: &Yaml) -> Option<IndirectSelection> {
        let value = yaml.get("indirect_selection").filter(|value| !value.is_null())?;
        let text = value.scalar_text().unwrap_or_default();
        let found = MODES.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode);
        if found.is_none() {
            let problem =
                Diagnostic::new(&codes::INVALID_SELECTOR, format!("there is no mode of indirect selection '{text}'")).at(value.span);
            let names = MODES.map(|(name, _)| name);
            self.problems.push(problem.did_you_mean(&text, names).help(format!("one of: {}", names.join(", "))));
        }
        found
    }
}

fn is_operator(key: &str) -> bool {
    matches!(key, "union" | "intersection")
}

/// The selectors by name as the manifest holds them: texts and short forms written out, references replaced.
pub fn normalised_selectors(selectors: &[Selector]) -> Map<String, Value> {
    let mut done: Map<String, Value> = Map::new();
    for selector in selectors {
        let mut entry = Map::new();
        entry.insert("name".to_owned(), json!(selector.name));
        if let Some(description) = &selector.description {
            entry.insert("description".to_owned(), json!(description));
        }
        if selector.default {
            entry.insert("default".to_owned(), json!(true));
        }
        entry.insert("definition".to_owned(), normalised(&selector.definition.to_json(), &done));
        done.insert(selector.name.clone(), Value::Object(entry));
    }
    done
}

fn normalised(definition: &Value, above: &Map<String, Value>) -> Value {
    let each = |items: &Value| match items {
        Value::Array(items) => items.iter().map(|item| normalised(item, above)).collect(),
        other => other.clone(),
    };
    match definition {
        Value::String(text) => written_out(text),
        Value::Object(entries) => {
            if let Some((operator, items)) = entries.iter().find(|(key, _)| is_operator(key) || (*key == "exclude" && entries.len() == 1)) {
                return json!({operator: each(items)});
            }
            if entries.get("method").and_then(Value::as_str) == Some("selector") {
                let named = entries.get("value").and_then(Value::as_str).and_then(|name| above.get(name));
                return named.and_then(|selector| selector.get("definition")).cloned().unwrap_or(Value::Null);
            }
            match entries.iter().next() {
                Some((method, value)) if entries.len() == 1 => json!({"method": method, "value": each(value)}),
                _ => definition.clone(),
            }
        }
        other => other.clone(),
    }
}

/// A text of the command line, key by key.
fn written_out(text: &str) -> Value {
    let Ok(criterion) = parse_criterion(text, text) else { return Value::from(text) };
    let mut entry = Map::new();
    let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    if criterion.childrens_parents {
        put("childrens_parents", json!(true));
    }
    if let Some(depth) = criterion.parents {
        put("parents", json!(true));
        depth.map(|depth| put("parents_depth", json!(depth.to_string())));
    }
    put("method", json!(criterion.method.name()));
    put("value", json!(criterion.value));
    if let Some(depth) = criterion.children {
        put("children", json!(true));
        depth.map(|depth| put("children_depth", json!(depth.to_string())));
    }
    Value::Object(entry)
}
