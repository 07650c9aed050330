//! Contracts and constraints as the manifest holds them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::project::{Column, Constraint, Node};

/// `contract` of a node. The checksum is dbt's: equal contracts have equal ones, whoever wrote the manifest.
pub(super) fn contract(node: &Node) -> Value {
    let checksum = node.contract_enforced().then(|| {
        let digest = Sha256::digest(state(node).as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    json!({"enforced": node.contract_enforced(), "alias_types": node.contract_alias_types(), "checksum": checksum})
}

/// A constraint with all its keys.
pub(super) fn constraint_entry(constraint: &Constraint, of_model: bool) -> Value {
    let mut entry = json!({
        "type": constraint.kind.as_str(),
        "name": constraint.name,
        "expression": constraint.expression,
        "warn_unenforced": constraint.warn_unenforced,
        "warn_unsupported": constraint.warn_unsupported,
        "to": constraint.to,
        "to_columns": constraint.to_columns,
    });
    if let (true, Some(entry)) = (of_model, entry.as_object_mut()) {
        entry.insert("columns".to_owned(), json!(constraint.columns));
    }
    entry
}

/// What dbt hashes: it prints its own objects, so this prints them as Python would.
fn state(node: &Node) -> String {
    let mut columns: Vec<&Column> = node.columns.iter().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let mut state = String::new();
    for column in columns {
        let data_type = column.data_type.as_deref().unwrap_or("None");
        state.push_str(&format!("|{}{data_type}{}", column.name, list(&column.constraints(), false)));
    }
    if node.has_constraints() {
        state.push_str(&format!("{}{}", node.materialized(), list(&node.constraints(), true)));
    }
    state
}

fn list(constraints: &[Constraint], of_model: bool) -> String {
    format!("[{}]", constraints.iter().map(|constraint| printed(constraint, of_model)).collect::<Vec<_>>().join(", "))
}

fn printed(constraint: &Constraint, of_model: bool) -> String {
    let text = |text: &Option<String>| text.as_deref().map_or_else(|| "None".to_owned(), quoted);
    let texts = |texts: &[String]| format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "));
    let truth = |truth: bool| if truth { "True" } else { "False" };
    let kind = constraint.kind.as_str();
    let class = if of_model { "ModelLevelConstraint" } else { "ColumnLevelConstraint" };
    let columns = if of_model { format!(", columns={}", texts(&constraint.columns)) } else { String::new() };
    format!(
        "{class}(type=<ConstraintType.{kind}: '{kind}'>, name={}, expression={}, warn_unenforced={}, warn_unsupported={}, to={}, \
         to_columns={}{columns})",
        text(&constraint.name),
        text(&constraint.expression),
        truth(constraint.warn_unenforced),
        truth(constraint.warn_unsupported),
        text(&constraint.to),
        texts(&constraint.to_columns),
    )
}

/// A text as Python shows it: in single quotes, or in double ones when it holds single quotes only.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c == quote => shown.extend(['\\', c]),
            c => shown.push(c),
        }
    }
    shown.push(quote);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_printed_as_python_prints_them() {
        let check = json!({"type": "check", "name": "q", "expression": "x > 'a' and \"b\"=1"});
        let key = json!({"type": "foreign_key", "columns": ["a", "b"], "to": "ref('x')", "to_columns": ["id"], "warn_unsupported": false});
        let read = |value: &Value| Constraint::read(value).unwrap();
        assert_eq!(
            list(&[read(&check)], false),
            "[ColumnLevelConstraint(type=<ConstraintType.check: 'check'>, name='q', expression='x > \\'a\\' and \"b\"=1', \
             warn_unenforced=True, warn_unsupported=True, to=None, to_columns=[])]"
        );
        assert_eq!(
            list(&[read(&key)], true),
            "[ModelLevelConstraint(type=<ConstraintType.foreign_key: 'foreign_key'>, name=None, expression=None, warn_unenforced=True, \
             warn_unsupported=False, to=\"ref('x')\", to_columns=['id'], columns=['a', 'b'])]"
        );
    }
}
