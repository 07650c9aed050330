//! Contracts: what a model promises of its columns, as its properties declare it.

use serde_json::Value;

use super::fields::Fields;
use super::loader::Loader;
use super::node::{Column, Detail, Node};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

/// What a constraint asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConstraintKind {
    Check,
    NotNull,
    Unique,
    PrimaryKey,
    ForeignKey,
    /// Its expression stands in the statement as it is written.
    Custom,
}

/// Names as the properties write them.
const KINDS: [(&str, ConstraintKind); 6] = [
    ("check", ConstraintKind::Check),
    ("not_null", ConstraintKind::NotNull),
    ("unique", ConstraintKind::Unique),
    ("primary_key", ConstraintKind::PrimaryKey),
    ("foreign_key", ConstraintKind::ForeignKey),
    ("custom", ConstraintKind::Custom),
];

impl ConstraintKind {
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// One entry of `constraints`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    pub kind: ConstraintKind,
    pub name: Option<String>,
    pub expression: Option<String>,
    /// Those that it speaks of; empty where it stands under a column.
    pub columns: Vec<String>,
    /// `ref('customers')`, or after rendering the name of the relation.
    pub to: Option<String>,
    pub to_columns: Vec<String>,
    /// Whether to say so when the engine knows it but does not watch over it.
    pub warn_unenforced: bool,
    /// Whether to say so when the engine does not have it.
    pub warn_unsupported: bool,
}

impl Constraint {
    /// An entry as the properties hold it; `None` for one of no known type, which has been reported when it was read.
    pub fn read(value: &Value) -> Option<Constraint> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let texts = |key: &str| match value.get(key) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(true);
        let kind = text("type")?;
        Some(Constraint {
            kind: KINDS.iter().find(|(name, _)| *name == kind)?.1,
            name: text("name"),
            expression: text("expression"),
            columns: texts("columns"),
            to: text("to"),
            to_columns: texts("to_columns"),
            warn_unenforced: flag("warn_unenforced"),
            warn_unsupported: flag("warn_unsupported"),
        })
    }
}

const KEYS: &[&str] = &["type", "name", "expression", "columns", "to", "to_columns", "warn_unenforced", "warn_unsupported"];

/// The entries of `constraints`, as written; what cannot be one is reported and left out.
pub(super) fn read_constraints(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) -> Vec<Value> {
    let mut constraints = Vec::new();
    for item in fields.list("constraints", loader.diagnostics) {
        let owner = format!("a constraint of {}", fields.owner);
        let Some(inner) = Fields::of(item, &owner, loader.diagnostics) else { continue };
        inner.check_keys(KEYS, loader.diagnostics);
        let Some((name, span)) = inner.required_text("type", loader.diagnostics) else { continue };
        let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == name) else {
            let names = || KINDS.iter().map(|(name, _)| *name);
            loader.diagnostics.push(
                Diagnostic::new(&codes::INVALID_CONFIG, format!("'{name}' is no type of constraint"))
                    .at(span)
                    .did_you_mean(&name, names())
                    .help(format!("the types are: {}", names().collect::<Vec<_>>().join(", "))),
            );
            continue;
        };
        if is_whole(loader, &inner, *kind, &name, span) {
            constraints.push(item.to_json());
        }
    }
    constraints
}

/// Whether a constraint has what its type needs.
fn is_whole(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, kind: ConstraintKind, name: &str, span: Span) -> bool {
    for flag in ["warn_unenforced", "warn_unsupported"] {
        fields.bool(flag, loader.diagnostics);
    }
    for list in ["columns", "to_columns"] {
        fields.strings(list, loader.diagnostics);
    }
    let expression = fields.text("expression", loader.diagnostics);
    let to = fields.text("to", loader.diagnostics);
    if let (Some(text), Some(entry)) = (&to, fields.entry("to"))
        && !is_reference(text)
    {
        let message = format!("'to' of {} is neither a ref() nor a source()", fields.owner);
        let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(entry.value.span);
        loader.diagnostics.push(problem.help("write it as \"ref('model')\" or \"source('source', 'table')\""));
        return false;
    }
    let lacks = match kind {
        ConstraintKind::Check | ConstraintKind::Custom if expression.is_none() => "an 'expression'",
        ConstraintKind::ForeignKey if expression.is_none() && to.is_none() => "'to' with 'to_columns', or an 'expression'",
        _ => return true,
    };
    let message = format!("the {name} constraint of {} needs {lacks}", fields.owner.trim_start_matches("a constraint of "));
    loader.diagnostics.push(Diagnostic::new(&codes::MISSING_PROPERTY, message).at(span));
    false
}

fn is_reference(text: &str) -> bool {
    let text = text.trim();
    text.ends_with(')') && (text.starts_with("ref(") || text.starts_with("source("))
}

impl Column {
    pub fn constraints(&self) -> Vec<Constraint> {
        self.constraints.iter().filter_map(Constraint::read).collect()
    }

    /// Whether the declaration means this column of a query: whatever the letter case, unless it is declared in quotes.
    pub fn names(&self, column: &str) -> bool {
        if self.quote == Some(true) { self.name == column } else { self.name.eq_ignore_ascii_case(column) }
    }
}

impl Node {
    /// Whether the query must give exactly the declared columns.
    pub fn contract_enforced(&self) -> bool {
        let enforced = self.config.get("contract").and_then(|contract| contract.get("enforced")).and_then(Value::as_bool);
        matches!(self.detail, Detail::Model(_)) && enforced == Some(true)
    }

    /// Whether types that engines name differently may be declared by one name.
    pub fn contract_alias_types(&self) -> bool {
        self.config.get("contract").and_then(|contract| contract.get("alias_types")).and_then(Value::as_bool).unwrap_or(true)
    }

    /// Constraints of the relation as a whole.
    pub fn constraints(&self) -> Vec<Constraint> {
        match &self.detail {
            Detail::Model(model) => model.constraints.iter().filter_map(Constraint::read).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the relation is of a kind that can have constraints.
    pub fn has_constraints(&self) -> bool {
        matches!(self.materialized(), "table" | "incremental")
    }

    /// What foreign keys refer to, as it is written, with its place.
    pub fn constraint_targets(&self) -> Vec<(String, Span)> {
        let whole = self.properties.unwrap_or(self.origin);
        let own = self.constraints().into_iter().map(|constraint| (constraint, whole));
        let columns = self.columns.iter().flat_map(|column| {
            let place = column.span.unwrap_or(whole);
            column.constraints().into_iter().map(move |constraint| (constraint, place))
        });
        own.chain(columns).filter_map(|(constraint, place)| Some((constraint.to?, place))).collect()
    }
}

/// What is wrong with a contract before any query is known.
pub fn check_contract(node: &Node) -> Vec<Diagnostic> {
    let place = node.config.span("contract").or(node.properties).unwrap_or(node.origin);
    if !node.contract_enforced() {
        return Vec::new();
    }
    let invalid = |message: String| Diagnostic::new(&codes::INVALID_CONFIG, message).at(place);
    let mut problems = Vec::new();
    if !matches!(node.materialized(), "table" | "view" | "incremental") {
        let message = format!("'{}' has a contract and is materialized as '{}'", node.name, node.materialized());
        problems.push(invalid(message).help("contracts are for tables, views and incremental models"));
    }
    let policy = node.config.str("on_schema_change").unwrap_or("ignore");
    if node.materialized() == "incremental" && !matches!(policy, "append_new_columns" | "fail") {
        let message = format!("'{}' has a contract, and 'on_schema_change' is '{policy}'", node.name);
        problems.push(invalid(message).help("set 'on_schema_change' to 'append_new_columns' or 'fail': a contract may not lose a column"));
    }
    if node.columns.is_empty() {
        problems.push(
            invalid(format!("the contract of '{}' declares no columns", node.name))
                .help("list all columns of the query under 'columns:', each with its 'data_type'"),
        );
    }
    for column in node.columns.iter().filter(|column| column.data_type.is_none()) {
        let message = format!("column '{}' of '{}' has no 'data_type', and its contract needs one", column.name, node.name);
        let problem = Diagnostic::new(&codes::MISSING_PROPERTY, message).at(column.span.unwrap_or(place));
        problems.push(problem.help("add 'data_type:'"));
    }
    problems.extend(check_constraints(node));
    problems
}

fn check_constraints(node: &Node) -> Vec<Diagnostic> {
    let place = node.properties.unwrap_or(node.origin);
    let own = node.constraints();
    let mut problems = Vec::new();
    for constraint in &own {
        for name in &constraint.columns {
            if !node.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name.trim_matches('"'))) {
                let message = format!("a {} constraint of '{}' names the undeclared column '{name}'", constraint.kind.as_str(), node.name);
                let names = node.columns.iter().map(|column| column.name.as_str());
                problems.push(Diagnostic::new(&codes::INVALID_CONFIG, message).at(place).did_you_mean(name, names));
            }
        }
    }
    let is_key = |constraint: &Constraint| constraint.kind == ConstraintKind::PrimaryKey;
    let keys: Vec<&Column> = node.columns.iter().filter(|column| column.constraints().iter().any(is_key)).collect();
    let twice = |problem: Diagnostic| problem.help("write one constraint of the model: {type: primary_key, columns: [first, second]}");
    if let [first, second, ..] = keys.as_slice() {
        let message = format!("'{}' and '{}' of '{}' are both declared its primary key", first.name, second.name, node.name);
        problems.push(twice(Diagnostic::new(&codes::INVALID_CONFIG, message).at(second.span.unwrap_or(place))));
    } else if let (Some(column), true) = (keys.first(), own.iter().any(is_key)) {
        let message = format!("'{}' has a primary key under 'constraints:' and another under column '{}'", node.name, column.name);
        problems.push(twice(Diagnostic::new(&codes::INVALID_CONFIG, message).at(column.span.unwrap_or(place))));
    }
    let mut ignored = node.columns.iter().flat_map(Column::constraints).chain(own).filter(|constraint| constraint.warn_unsupported);
    if let (false, Some(constraint)) = (node.has_constraints(), ignored.next()) {
        let kind = constraint.kind.as_str();
        let message = format!("'{}' is a {}, so its {kind} constraint is not made", node.name, node.materialized());
        let problem = Diagnostic::new(&codes::UNSUPPORTED_CONFIG, message).at(place);
        problems.push(problem.help("make it a table, or say 'warn_unsupported: false' in the constraint"));
    }
    problems
}
