//! Partitions of tables that stand, as they are and as they are to be.

use super::node::Turn;
use super::prepare::{NodeError, Prepared};
use super::warehouse::locked;
use crate::base::{Relation, quote_ident};
use crate::diag::{Diagnostic, codes};
use crate::dialect::{Statement, free_the_rest};
use crate::plan::{Physical, Step};

/// Stops where the partitions of a table are not those that its configuration asks for.
pub(super) fn check(turn: &Turn<'_>, table: &Relation, statement: &Statement) -> Result<(), NodeError> {
    let Some(differs) = locked(turn.session).value(&statement.sql)? else { return Ok(()) };
    let node = turn.node;
    let message = format!("'partition_by' of '{}' is not how {} is stored: {differs}", node.name, table.display());
    let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.stored_at("partition_by"));
    Err(match node.materialized() {
        "snapshot" => problem.help("a snapshot keeps its history: move its rows to a table with these partitions, or say what it has"),
        _ => problem.help("build it once with --full-refresh, which makes the table anew, or say what it has"),
    }
    .into())
}

/// Servers before 17 number no rows of partitioned tables.
pub(super) fn check_numbers(turn: &Turn<'_>, physical: &Physical) -> Result<(), NodeError> {
    let (Some(_), Some(identity)) = (&physical.partition_by, physical.identities.first()) else { return Ok(()) };
    let version = locked(turn.session).value("select current_setting('server_version')")?.map(|version| version.to_string());
    let major = version.as_ref().and_then(|version| version.split(['.', ' ']).next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major >= 17) {
        return Ok(());
    }
    let (node, version) = (turn.node, version.unwrap_or_default());
    let message = format!(
        "column '{}' of '{}' is an identity of a partitioned table, which PostgreSQL has from 17 on, and this server is {version}",
        identity.column, node.name
    );
    let column = node.columns.iter().find(|column| column.name == identity.column).and_then(|column| column.span);
    let problem = Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message).at(column.unwrap_or(node.origin));
    Err(problem.help("number the rows in the query with row_number(), or leave 'partition_by' out").into())
}

/// Takes away what a plan that failed has left before its transaction: the session goes on to other nodes.
pub(super) fn clean_up(turn: &Turn<'_>, prepared: &Prepared, error: NodeError) -> NodeError {
    for name in prepared.plan.left_behind() {
        // A session that cannot do it is lost, and its temporary tables with it.
        let _ = locked(turn.session).execute(&format!("drop table if exists pg_temp.{}", quote_ident(name)));
    }
    let attached = prepared.plan.before.iter().filter_map(|step| match step {
        Step::MakePartitions(step) if step.by.default => Some(&step.table),
        _ => None,
    });
    attached.fold(error, |error, table| match locked(turn.session).execute(&free_the_rest(table)) {
        Ok(_) => error,
        Err(why) => error.with_help(format!(
            "the constraint 'acca_rest' may stay on the partition for other rows of {}, and refuse rows: the next run drops it ({why})",
            table.display()
        )),
    })
}
