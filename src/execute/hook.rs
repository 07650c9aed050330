//! Hooks of nodes: rendered when it is their turn, as they may ask for what the steps before them have made.

use std::sync::Arc;

use super::node::{Outcome, Turn, statement_refused, write_script};
use super::prepare::NodeError;
use super::warehouse::{SessionWarehouse, locked};
use crate::base::{Relation, RelationKind};
use crate::jinja::{NodeState, Rendered, StatementResult, Warehouse};
use crate::plan::{Hook, Hooks};
use crate::project::{HookTemplate, Node, hooks_of};

/// The hooks that the configuration names, not rendered yet.
pub(super) fn hooks(node: &Node) -> Hooks {
    let listed = |key: &'static str| -> Vec<Hook> {
        let span = node.config.span(key).or(node.body).unwrap_or(node.origin);
        let hook = |hook: HookTemplate| Hook { title: key, template: hook.sql, span, in_transaction: hook.transaction };
        hooks_of(&node.config, key).into_iter().map(hook).collect()
    };
    Hooks { before: listed("pre-hook"), after: listed("post-hook") }
}

/// Renders a hook and sends what it gives; a hook that only calls macros for what they do gives nothing.
pub(super) fn run_hook(turn: &Turn<'_>, hook: &Hook, state: NodeState, outcome: &mut Outcome) -> Result<(), NodeError> {
    let rendered = render(turn, hook, state, Arc::new(SessionWarehouse(turn.session.clone())))?;
    outcome.messages.extend(rendered.messages);
    let sql = statement_of(&rendered.sql);
    if sql.is_empty() {
        return Ok(());
    }
    outcome.script.push_str(&format!("-- {}\n{sql};\n\n", hook.title));
    write_script(turn, outcome);
    let done = locked(turn.session).execute(sql);
    done.map(|_| ()).map_err(|error| statement_refused(turn.node, error, hook.span))
}

fn render(turn: &Turn<'_>, hook: &Hook, state: NodeState, warehouse: Arc<dyn Warehouse>) -> Result<Rendered, NodeError> {
    let linked = turn.job.compilation.linked(Some(warehouse));
    Ok(turn.job.compilation.templates.render_text(&hook.template, hook.span, turn.node, state, &linked)?)
}

fn statement_of(rendered: &str) -> &str {
    rendered.trim().trim_end_matches(';').trim_end()
}

/// Title and statement of a hook for `explain`: as it will be sent, or its template when it asks the database, which can answer
/// only when it is the hook's turn.
pub(super) fn explain_hook(turn: &Turn<'_>, hook: &Hook, state: NodeState) -> (String, Vec<String>) {
    let rendered = render(turn, hook, state, Arc::new(Unasked));
    match rendered {
        Ok(rendered) => {
            let sql = statement_of(&rendered.sql);
            (hook.title.to_owned(), (!sql.is_empty()).then(|| sql.to_owned()).into_iter().collect())
        }
        Err(_) => (format!("{}, rendered when it is its turn", hook.title), vec![statement_of(&hook.template).to_owned()]),
    }
}

/// A database that answers nothing.
struct Unasked;

fn unasked<T>() -> Result<T, String> {
    Err("nothing is asked while a run is only explained".to_owned())
}

impl Warehouse for Unasked {
    fn statement(&self, _sql: &str, _fetch: bool) -> Result<StatementResult, String> {
        unasked()
    }

    fn relation_kind(&self, _relation: &Relation) -> Result<Option<RelationKind>, String> {
        unasked()
    }

    fn relations(&self, _schema: &str) -> Result<Vec<(Relation, RelationKind)>, String> {
        unasked()
    }

    fn columns(&self, _relation: &Relation) -> Result<Vec<(String, String)>, String> {
        unasked()
    }

    fn describe(&self, _query: &str) -> Result<Vec<(String, String)>, String> {
        unasked()
    }
}
