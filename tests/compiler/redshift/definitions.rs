//! Changes of what is there, and settings: ALTER, GRANT, COMMENT, MERGE, SET.

use sqlparser::ast::{
    Action, AlterColumnOperation, AlterTable, AlterTableOperation, AssignmentTarget, CommentObject, Expr, GrantObjects, Grantee,
    GranteesType, Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertKind, MergeUpdateKind, ObjectName, Privileges,
    RenameTableNameKind, Set, TableFactor, Value,
};

use super::Failure;
use super::expressions::literal;
use super::query::{Scope, Translator, parts, quoted};
use super::statements::column_definition;
use super::typing::Type;

/// One action a statement, facts 177 to 180.
pub fn alter_table(alter: &AlterTable, translator: &mut Translator<'_>, in_transaction: bool) -> Result<String, Failure> {
    let [operation] = alter.operations.as_slice() else { return Err(Failure::refused("ALTER TABLE takes one action", "42601")) };
    let head = format!("ALTER TABLE {}", translator.place(&alter.name)?);
    Ok(match operation {
        AlterTableOperation::RenameTable { table_name: RenameTableNameKind::To(name) | RenameTableNameKind::As(name) } => {
            let name = parts(name)?;
            let [name] = name.as_slice() else { return Err(Failure::refused("RENAME TO takes a name without a schema", "42601")) };
            format!("{head} RENAME TO {}", quoted(name))
        }
        AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
            format!("{head} RENAME COLUMN {} TO {}", quoted(&old_column_name.value), quoted(&new_column_name.value))
        }
        AlterTableOperation::AddColumn { if_not_exists: false, column_def, column_position: None, .. } => {
            let definition = column_definition(column_def, translator)?;
            if definition.contains(" NOT NULL") && !definition.contains(" DEFAULT ") {
                return Err(Failure::refused(
                    "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression",
                    "0A000",
                ));
            }
            format!("{head} ADD COLUMN {definition}")
        }
        AlterTableOperation::DropColumn { column_names, if_exists: false, .. } => match column_names.as_slice() {
            [name] => format!("{head} DROP COLUMN {}", quoted(&name.value)),
            _ => return Err(Failure::refused("DROP COLUMN takes one column", "42601")),
        },
        AlterTableOperation::AlterColumn { column_name, op: AlterColumnOperation::SetDataType { data_type, using: None, .. } } => {
            let (Type::Varchar(_), Some(of)) = (Type::read(data_type)?, Type::read(data_type)?.postgres()) else {
                return Err(Failure::refused("target data type is not supported: only the size of a VARCHAR is altered", "0A000"));
            };
            if in_transaction {
                return Err(Failure::refused("ALTER TABLE ALTER COLUMN cannot run inside a transaction block", "25001"));
            }
            let name = quoted(&column_name.value);
            format!("{head} ALTER COLUMN {name} TYPE {of}")
        }
        AlterTableOperation::AlterSortKey { .. } => format!("SELECT 1 FROM {} LIMIT 0", translator.place(&alter.name)?),
        AlterTableOperation::OwnerTo { .. } => format!("SELECT 1 FROM {} LIMIT 0", translator.place(&alter.name)?),
        // Fact 179.
        other => return Err(Failure::refused(format!("syntax error in ALTER TABLE at {other}"), "42601")),
    })
}

/// Privileges are kept in a table: nobody has to be there to hold them.
pub fn grant(
    privileges: &Privileges,
    objects: Option<&GrantObjects>,
    grantees: &[Grantee],
    revoke: bool,
    translator: &Translator<'_>,
) -> Result<String, Failure> {
    let (Some(GrantObjects::Tables(tables)), Privileges::Actions(actions)) = (objects, privileges) else {
        // Of schemas and the like: nothing asks for them.
        return match objects {
            Some(GrantObjects::Schemas(_) | GrantObjects::Databases(_)) => Ok("SELECT 1".to_owned()),
            _ => Err(Failure::not_imitated("privileges of this kind")),
        };
    };
    let mut texts = Vec::new();
    for table in tables {
        let relation = format!("{}::regclass", literal(&translator.place(table)?));
        for action in actions {
            let right = match action {
                Action::Select { columns: None } => "SELECT",
                Action::Insert { columns: None } => "INSERT",
                Action::Update { columns: None } => "UPDATE",
                Action::Delete => "DELETE",
                Action::References { columns: None } => "REFERENCES",
                Action::Drop => "DROP",
                Action::Truncate => "TRUNCATE",
                other => return Err(Failure::not_imitated(format!("privilege {other}"))),
            };
            for grantee in grantees {
                let (kind, name) = grantee_name(grantee)?;
                texts.push(if revoke {
                    format!(
                        "DELETE FROM redshift.privileges WHERE relation = {relation} AND privilege_type = '{right}' AND identity_type = '{kind}' \
                         AND identity_name = {}",
                        literal(&name)
                    )
                } else {
                    format!("INSERT INTO redshift.privileges VALUES ({relation}, '{right}', '{kind}', {}) ON CONFLICT DO NOTHING", literal(&name))
                });
            }
        }
    }
    Ok(texts.join("; "))
}

fn grantee_name(grantee: &Grantee) -> Result<(&'static str, String), Failure> {
    let kind = match grantee.grantee_type {
        GranteesType::Group => "group",
        GranteesType::Role => "role",
        GranteesType::Public => return Ok(("public", "public".to_owned())),
        GranteesType::None | GranteesType::User => "user",
        _ => return Err(Failure::refused(format!("syntax error at {grantee}"), "42601")),
    };
    match &grantee.name {
        Some(sqlparser::ast::GranteeName::ObjectName(name)) => match parts(name)?.as_slice() {
            [name] if name == "public" && kind == "user" => Ok(("public", name.clone())),
            [name] => Ok((kind, name.clone())),
            _ => Err(Failure::refused(format!("syntax error at {grantee}"), "42601")),
        },
        _ => Err(Failure::refused(format!("syntax error at {grantee}"), "42601")),
    }
}

pub fn comment(kind: &CommentObject, name: &ObjectName, text: Option<&str>, translator: &mut Translator<'_>) -> Result<String, Failure> {
    let text = text.map_or("NULL".to_owned(), literal);
    Ok(match kind {
        CommentObject::Table | CommentObject::View | CommentObject::Schema => {
            // A materialized view is one to PostgreSQL only.
            format!("COMMENT ON {} {} IS {text}", kind.to_string().to_uppercase(), translator.place(name)?)
        }
        CommentObject::Column => {
            let mut names = parts(name)?;
            let column = names.pop().unwrap_or_default();
            let table = translator.within(&names)?;
            if translator.is_late(&table) {
                // Fact 186.
                return Err(Failure::refused("comments are not supported on columns of a late-binding view", "0A000"));
            }
            let table: Vec<String> = table.iter().map(|part| quoted(part)).collect();
            format!("COMMENT ON COLUMN {}.{} IS {text}", table.join("."), quoted(&column))
        }
        other => return Err(Failure::not_imitated(format!("COMMENT ON {other}"))),
    })
}

/// One WHEN MATCHED and one WHEN NOT MATCHED, and a table as source: facts 152 and 153.
pub fn merge(merge: &Merge, translator: &mut Translator<'_>) -> Result<String, Failure> {
    let Merge { into: true, table, source, on, clauses, output: None, .. } = merge else {
        return Err(Failure::refused("syntax error in MERGE", "42601"));
    };
    let (TableFactor::Table { .. }, TableFactor::Table { .. }) = (table, source) else {
        return Err(Failure::refused("MERGE takes tables only", "0A000"));
    };
    if let TableFactor::Table { alias: Some(_), .. } = table {
        return Err(Failure::refused("the target of MERGE takes no alias", "42601"));
    }
    let mut scope = Scope::default();
    let target = translator.table_factor(table, &mut scope)?;
    let from = translator.table_factor(source, &mut scope)?;
    let condition = translator.condition(on, &scope)?;
    let mut text = format!("MERGE INTO {target} USING {from} ON {condition}");
    match clauses.as_slice() {
        [first, second] if first.clause_kind == MergeClauseKind::Matched && second.clause_kind == MergeClauseKind::NotMatched => {}
        _ => return Err(Failure::refused("MERGE takes exactly one WHEN MATCHED and one WHEN NOT MATCHED", "42601")),
    }
    for MergeClause { clause_kind, predicate, action, .. } in clauses {
        if predicate.is_some() {
            return Err(Failure::refused("syntax error at or near \"AND\"", "42601"));
        }
        text += &format!(" WHEN {clause_kind} THEN ");
        text += &match action {
            MergeAction::Delete { .. } if *clause_kind == MergeClauseKind::Matched => "DELETE".to_owned(),
            MergeAction::Update(update) if update.update_predicate.is_none() => {
                let MergeUpdateKind::Set(assignments) = &update.kind else {
                    return Err(Failure::refused("syntax error in MERGE", "42601"));
                };
                let mut list = Vec::new();
                for assignment in assignments {
                    let AssignmentTarget::ColumnName(name) = &assignment.target else {
                        return Err(Failure::refused("syntax error in SET", "42601"));
                    };
                    let name = parts(name)?;
                    let [name] = name.as_slice() else { return Err(Failure::refused("a column of SET has a qualifier", "42703")) };
                    list.push(format!("{} = {}", quoted(name), translator.expression(&assignment.value, &scope)?.0));
                }
                format!("UPDATE SET {}", list.join(", "))
            }
            MergeAction::Insert(insert) if insert.insert_predicate.is_none() => {
                let MergeInsertKind::Values(values) = &insert.kind else { return Err(Failure::refused("syntax error in MERGE", "42601")) };
                let [row] = values.rows.as_slice() else { return Err(Failure::refused("syntax error in MERGE", "42601")) };
                let columns = insert.columns.iter().map(|column| Ok(quoted(parts(column)?.last().map_or("", String::as_str))));
                let columns = columns.collect::<Result<Vec<_>, Failure>>()?;
                let list = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
                let mut fields = Vec::new();
                for field in &row.content {
                    fields.push(translator.expression(field, &scope)?.0);
                }
                format!("INSERT{list} VALUES ({})", fields.join(", "))
            }
            _ => return Err(Failure::refused("syntax error in MERGE", "42601")),
        };
    }
    Ok(text)
}

/// Settings that mean the same here are set; those of Redshift alone are kept under their name.
pub fn set(set: &Set) -> Result<String, Failure> {
    match set {
        Set::SetTimeZone { local: false, value } => Ok(format!("SET timezone TO {}", setting(value)?)),
        Set::SingleAssignment { scope: None, hivevar: false, variable, values } => {
            let name = parts(variable)?.join(".");
            let values = values.iter().map(setting).collect::<Result<Vec<_>, _>>()?.join(", ");
            match name.as_str() {
                "timezone" | "search_path" | "statement_timeout" => Ok(format!("SET {name} TO {values}")),
                "extra_float_digits"
                | "query_group"
                | "wlm_query_slot_count"
                | "enable_result_cache_for_session"
                | "json_parse_dedup_attributes" => Ok(format!("SET redshift.{name} TO {values}")),
                other => Err(Failure::not_imitated(format!("setting {other}"))),
            }
        }
        other => Err(Failure::not_imitated(format!("{other}"))),
    }
}

fn setting(value: &Expr) -> Result<String, Failure> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Ok(literal(text)),
            Value::Number(digits, _) => Ok(digits.clone()),
            Value::Boolean(truth) => Ok(truth.to_string()),
            other => Err(Failure::not_imitated(format!("setting {other}"))),
        },
        Expr::Identifier(name) => Ok(quoted(&name.value)),
        other => Err(Failure::not_imitated(format!("setting {other}"))),
    }
}
