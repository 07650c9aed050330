//! The comment on every statement, by which whoever watches the server sees where it comes from.
//!
//! An adapter that wraps another puts it on; nothing else knows of it. Statements about transactions go without, and so do the
//! adapters' own questions to catalogues.

use std::io::Read;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Connected, Session, Table};
use crate::analysis::Compilation;
use crate::base::{Relation, RelationKind, Span};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{DBT_VERSION, NodeState};
use crate::plan::{Attachments, Privilege};
use crate::project::Node;
use crate::syntax::{past_comments, shape};

/// A comment ready to be put on statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comment {
    /// Without the signs around it; empty for none.
    text: String,
    /// Behind the statement: some servers cut comments off the front.
    append: bool,
}

/// `query-comment` of the project file.
#[derive(Default)]
pub(super) struct QueryComment {
    /// `None`: acca's own.
    template: Option<(String, Span)>,
    append: bool,
}

impl QueryComment {
    /// # Errors
    /// `invalid-config` for something that is neither a text nor a mapping.
    pub(super) fn of(compilation: &Compilation) -> Result<QueryComment, Diagnostic> {
        let written = compilation.project.packages.first().and_then(|package| package.query_comment.as_ref());
        let Some((value, span)) = written else { return Ok(QueryComment { template: None, append: false }) };
        let template = |value: Option<&Value>| match value {
            None => Ok(None),
            Some(Value::Null) => Ok(Some((String::new(), *span))),
            Some(Value::String(text)) => Ok(Some((text.clone(), *span))),
            Some(_) => {
                Err(Diagnostic::new(&codes::INVALID_CONFIG, "'query-comment' is neither a text nor a mapping of 'comment' and 'append'")
                    .at(*span)
                    .help("write query-comment: {comment: \"run by {{ target.name }}\", append: true}, or null for none"))
            }
        };
        match value {
            Value::Object(entries) => Ok(QueryComment {
                template: template(entries.get("comment"))?,
                append: entries.get("append").and_then(Value::as_bool).unwrap_or(false),
            }),
            value => Ok(QueryComment { template: template(Some(value))?, append: false }),
        }
    }

    /// The comment on the statements of a node, or on those that belong to none.
    ///
    /// # Errors
    /// What the template fails with, and `invalid-config` for a text that would end the comment.
    pub(super) fn render(&self, compilation: &Compilation, node: Option<&Node>) -> Result<Comment, Diagnostic> {
        let Some((template, span)) = &self.template else {
            return Ok(Comment { text: standard(compilation, node).replace("*/", "* /"), append: self.append });
        };
        if template.is_empty() {
            return Ok(Comment::default());
        }
        let text = match (node, compilation.project.packages.first()) {
            (Some(node), _) => {
                let text = format!("{{%- set node = model -%}}{{%- set connection_name = model.unique_id -%}}{template}");
                compilation.templates.render_text(&text, *span, node, NodeState::default(), &compilation.linked(None))?.sql
            }
            (None, Some(root)) => {
                let text = format!("{{%- set node = none -%}}{{%- set connection_name = 'master' -%}}{template}");
                let node = compilation.operation(root, "master", *span);
                compilation.templates.render_text(&text, *span, &node, NodeState::default(), &compilation.linked(None))?.sql
            }
            (None, None) => String::new(),
        };
        // Comments nest on PostgreSQL.
        if let Some(mark) = ["*/", "/*"].into_iter().find(|mark| text.contains(mark)) {
            let message = format!("'query-comment' holds '{mark}', which begins or ends a comment itself");
            return Err(Diagnostic::new(&codes::INVALID_CONFIG, message).at(*span));
        }
        Ok(Comment { text: text.trim().to_owned(), append: self.append })
    }
}

/// dbt's default, with the name of this program.
fn standard(compilation: &Compilation, node: Option<&Node>) -> String {
    let target = &compilation.project.target;
    let mut comment = json!({"app": "acca", "dbt_version": DBT_VERSION, "profile_name": target.profile, "target_name": target.name});
    if let Some(entries) = comment.as_object_mut() {
        match node {
            Some(node) => entries.insert("node_id".to_owned(), json!(&*node.id)),
            None => entries.insert("connection_name".to_owned(), json!("master")),
        };
    }
    comment.to_string()
}

impl Connected {
    /// The same engine, with the project's comment on all statements of sessions that are opened from now on.
    ///
    /// # Errors
    /// As [`QueryComment::render`].
    pub fn commented(self, compilation: &Compilation) -> Result<Connected, Diagnostic> {
        let comment = QueryComment::of(compilation)?.render(compilation, None)?;
        Ok(Connected { adapter: Arc::new(CommentingAdapter { inner: self.adapter, comment }), engine: self.engine })
    }
}

struct CommentingAdapter {
    inner: Arc<dyn Adapter>,
    comment: Comment,
}

impl Adapter for CommentingAdapter {
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError> {
        Ok(Box::new(CommentingSession { inner: self.inner.connect()?, comment: self.comment.clone() }))
    }

    fn describe(&self) -> Result<String, AdapterError> {
        self.inner.describe()
    }
}

struct CommentingSession {
    inner: Box<dyn Session>,
    comment: Comment,
}

impl Comment {
    /// The statement with the comment, and how many bytes stand before it now.
    fn put_on(&self, sql: &str) -> (String, usize) {
        if self.text.is_empty() || is_transaction_control(sql) {
            return (sql.to_owned(), 0);
        }
        if self.append {
            return (format!("{}\n/* {} */", sql.trim_end().trim_end_matches(';'), self.text), 0);
        }
        let prefix = format!("/* {} */\n", self.text);
        (format!("{prefix}{sql}"), prefix.len())
    }
}

/// Whether there is nothing but one statement that begins or ends a transaction, or nothing at all.
fn is_transaction_control(sql: &str) -> bool {
    let rest = past_comments(sql);
    let first = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    let controls = ["begin", "commit", "rollback", "savepoint"].iter().any(|word| first.eq_ignore_ascii_case(word));
    rest.is_empty() || controls && shape(rest).statements == 1
}

impl CommentingSession {
    fn send<T>(&mut self, sql: &str, send: impl FnOnce(&mut dyn Session, &str) -> Result<T, AdapterError>) -> Result<T, AdapterError> {
        let (commented, before) = self.comment.put_on(sql);
        send(&mut *self.inner, &commented).map_err(|error| match error {
            // The place is to be one in the statement as it was given.
            AdapterError::Statement { message, code, offset, hints } => {
                AdapterError::Statement { message, code, offset: offset.and_then(|offset| offset.checked_sub(before)), hints }
            }
            other => other,
        })
    }
}

impl Session for CommentingSession {
    fn comment(&mut self, comment: &Comment) {
        self.comment = comment.clone();
    }

    fn execute(&mut self, sql: &str) -> Result<u64, AdapterError> {
        self.send(sql, |session, sql| session.execute(sql))
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<Table, AdapterError> {
        self.send(sql, |session, sql| session.query(sql, limit))
    }

    fn describe(&mut self, query: &str) -> Result<Vec<ColumnInfo>, AdapterError> {
        self.send(query, |session, sql| session.describe(sql))
    }

    fn copy_in(&mut self, sql: &str, data: &mut dyn Read) -> Result<u64, AdapterError> {
        self.send(sql, |session, sql| session.copy_in(sql, data))
    }

    fn relations(&mut self, schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError> {
        self.inner.relations(schemas)
    }

    fn columns(&mut self, relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError> {
        self.inner.columns(relation)
    }

    fn attachments(&mut self, live: &Relation, staged: &Relation, kind: RelationKind) -> Result<Attachments, AdapterError> {
        self.inner.attachments(live, staged, kind)
    }

    fn readers(&mut self, live: &Relation) -> Result<Attachments, AdapterError> {
        self.inner.readers(live)
    }

    fn privileges(&mut self, relation: &Relation) -> Result<Vec<Privilege>, AdapterError> {
        self.inner.privileges(relation)
    }

    fn cancel_handle(&self) -> Arc<dyn Cancel> {
        self.inner.cancel_handle()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::execute::{DuckDb, MEMORY};

    fn session(append: bool) -> CommentingSession {
        let inner = DuckDb::open(MEMORY, None, &BTreeMap::new()).unwrap().connect().unwrap();
        CommentingSession { inner, comment: Comment { text: "me; 'here".to_owned(), append } }
    }

    #[test]
    fn it_stands_before_or_behind_and_not_on_transactions() {
        let comment = |append: bool| Comment { text: "x".to_owned(), append };
        assert_eq!(comment(false).put_on("select 1;"), ("/* x */\nselect 1;".to_owned(), 8));
        assert_eq!(comment(true).put_on("select 1 ;\n"), ("select 1 \n/* x */".to_owned(), 0));
        assert_eq!(comment(false).put_on("BEGIN").0, "BEGIN");
        assert_eq!(Comment::default().put_on("select 1").0, "select 1");
        for sql in ["-- why\nselect 1", "/* why */ delete from a", "(select 1)", "begin; delete from a; commit", "/* a */ 'x'"] {
            assert_eq!(comment(false).put_on(sql), (format!("/* x */\n{sql}"), 8));
        }
        for sql in ["-- why\ncommit;", " ", "-- nothing", ""] {
            assert_eq!(comment(false).put_on(sql), (sql.to_owned(), 0));
        }
    }

    #[test]
    fn an_engine_answers_and_fails_as_without() {
        for append in [false, true] {
            let mut session = session(append);
            assert_eq!(session.execute("create table t as select 1 as x").unwrap(), 1);
            assert_eq!(session.query("select x from t -- all", Some(5)).unwrap().rows.len(), 1);
            assert_eq!(session.describe("select x from t").unwrap().len(), 1);
            let error = session.query("select 1,\n  nope from t", Some(5)).unwrap_err();
            assert!(matches!(error, AdapterError::Statement { offset: Some(12), .. }), "{append} {error:?}");
        }
    }
}
