//! The few templates that YAML files hold: `var`, `env_var` and `target` are all that they can use.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, from_args};
use minijinja::{Environment, Error, State, Value};
use serde_json::Map;

use super::failure::{Failure, describe, raise_with};
use super::functions::refuse_secret;
use super::literals::{rewrite, rewrite_expression};
use super::templates::base_environment;
use super::values::{Dict, from_json, to_json};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};
use crate::project::{RenderText, YamlScope};

/// Renders texts of YAML files.
pub struct YamlText {
    env: Environment<'static>,
}

impl Default for YamlText {
    fn default() -> YamlText {
        let mut env = base_environment();
        super::filters::add_native_filters(&mut env);
        YamlText { env }
    }
}

impl RenderText for YamlText {
    fn render(&self, text: &str, span: Span, scope: &YamlScope<'_>) -> Result<serde_json::Value, Diagnostic> {
        let context = context(text, scope);
        let rendered = match single_expression(text) {
            Some(expression) => self
                .env
                .compile_expression_owned(rewrite_expression(expression))
                .and_then(|compiled| compiled.eval(context))
                .map(|value| to_json(&value)),
            None => self.env.render_str(&rewrite(text).text, context).map(serde_json::Value::String),
        };
        rendered.map_err(|error| {
            let Failure { code, message, help, .. } = describe(&error, "yaml");
            help.into_iter().fold(Diagnostic::new(code, message).at(span), Diagnostic::help)
        })
    }
}

/// The expression of a text that is nothing but `{{ … }}`.
pub(super) fn single_expression(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inside = inside.trim_start_matches('-').trim_end_matches('-');
    (!inside.contains("{{") && !inside.contains("}}")).then(|| inside.trim())
}

fn context(text: &str, scope: &YamlScope<'_>) -> Value {
    let target = scope.target.map_or(Value::UNDEFINED, |target| {
        let mut entries: Vec<(Value, Value)> = target.open_settings().map(|(key, value)| (Value::from(key), from_json(value))).collect();
        for (key, value) in [
            ("name", target.name.as_str()),
            ("profile_name", target.profile.as_str()),
            ("type", target.adapter.as_str()),
            ("database", target.database.as_str()),
            ("schema", target.schema.as_str()),
        ] {
            entries.push((Value::from(key), Value::from(value)));
        }
        entries.push((Value::from("threads"), Value::from(target.threads)));
        Dict::value(entries)
    });
    // The engine's values outlive this call, the environment does not: what the text may ask for is looked up first.
    let environment = names_in(text).filter_map(|name| scope.files.env(name).map(|value| (name.to_owned(), value.into()))).collect();
    let pairs = [
        ("target", target),
        (
            "var",
            Value::from_object(Lookup {
                kind: "variable",
                help: "set it under 'vars:' in dbt_project.yml or pass --vars",
                known: scope.vars.clone(),
                takes_secrets: true,
            }),
        ),
        (
            "env_var",
            Value::from_object(Lookup {
                kind: "environment variable",
                help: "export it or give a default",
                known: environment,
                // With a target the file is one whose values go into artefacts; profiles and lists of packages are read before.
                takes_secrets: scope.target.is_none(),
            }),
        ),
    ];
    Value::from_pairs(pairs)
}

/// All quoted words of a text.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\'', '"']).filter(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// `var(name, default)` and `env_var(name, default)`.
struct Lookup {
    kind: &'static str,
    help: &'static str,
    known: Map<String, serde_json::Value>,
    takes_secrets: bool,
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<look-up of a {}>", self.kind)
    }
}

impl Object for Lookup {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (name, default): (&str, Option<Value>) = from_args(args)?;
        if !self.takes_secrets {
            refuse_secret(name)?;
        }
        match (self.known.get(name), default) {
            (Some(value), _) => Ok(from_json(value)),
            (None, Some(default)) => Ok(default),
            (None, None) => {
                let message = format!("{} '{name}' is not set and has no default", self.kind);
                Err(raise_with(&codes::UNSET_VARIABLE, message, vec![self.help.to_owned()]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FileId, MemoryFiles};

    #[test]
    fn renders_text_and_native_values() {
        let mut files = MemoryFiles::default();
        files.env.insert("DB_HOST".to_owned(), "h".to_owned());
        files.env.insert("DBT_ENV_SECRET_KEY".to_owned(), "hush".to_owned());
        let vars = serde_json::json!({"n": 3}).as_object().cloned().unwrap();
        let scope = YamlScope { files: &files, vars: &vars, target: None };
        let span = Span::new(FileId(0), 0, 4);
        let render = |text: &str| YamlText::default().render(text, span, &scope);
        assert_eq!(render("x-{{ env_var('DB_HOST') }}").unwrap(), serde_json::json!("x-h"));
        assert_eq!(render("{{ var('n') + 1 }}").unwrap(), serde_json::json!(4));
        assert_eq!(render("{{ env_var('NO', 'd') }}").unwrap(), serde_json::json!("d"));
        assert_eq!(render("{{ env_var('DBT_ENV_SECRET_KEY') }}").unwrap(), serde_json::json!("hush"));
        let error = render("{{ env_var('NO') }}").unwrap_err();
        assert_eq!(
            (error.code.name, error.message.as_str()),
            ("unset-variable", "environment variable 'NO' is not set and has no default")
        );
    }
}
