//! `acca debug`: checks the project, the profile and the connection, and says what it found.

use super::Exit;
use super::arguments::DebugArguments;
use super::context::Context;
use super::style::{self, paint};
use super::text::pad_right;
use crate::diag::{Diagnostics, Severity};
use crate::execute::{connection_failed, open};
use crate::jinja::{BUILTIN_MACROS, YamlText};
use crate::project::{Project, Target, is_open, load};

pub(super) fn cmd_debug(context: &Context<'_>, arguments: &DebugArguments) -> Result<(), Exit> {
    if arguments.config_dir {
        let named = context.global.profiles_dir.clone();
        let folder = named.or_else(|| Some(std::env::home_dir()?.join(".dbt"))).unwrap_or_default();
        context.terminal.print(&folder.to_string_lossy());
        return Ok(());
    }
    let field = |name: &str, value: &str| context.terminal.print(&format!("{} {value}", paint(style::DIM, &pad_right(name, 10))));
    field("acca", env!("CARGO_PKG_VERSION"));
    field("project", &context.root.join("dbt_project.yml").to_string_lossy());
    let mut diagnostics = Diagnostics::default();
    let options = context.load_options()?;
    let loaded = load(&*context.files, &options, &YamlText::default(), &BUILTIN_MACROS, &mut diagnostics);
    diagnostics.sort();
    let (sources, project) = match loaded {
        Ok(project) => (project.sources.clone(), Some(project)),
        Err(sources) => (sources, None),
    };
    if let Some(project) = &project {
        field("name", &project.name);
        describe_target(&field, project);
    }
    let connected = project.as_ref().map(|project| connect(context, project));
    context.log.diagnostics(&diagnostics, &sources);
    match connected {
        Some(Ok(engine)) => field("connection", &format!("{} {engine}", paint(style::GOOD, "OK"))),
        Some(Err(problem)) => {
            field("connection", &paint(style::BAD, "FAILED"));
            context.log.diagnostic(&problem, &sources);
            return Err(Exit::Failed);
        }
        None => {
            field("connection", &paint(style::BAD, "not tried: there is no target to connect to"));
            return Err(Exit::Failed);
        }
    }
    if diagnostics.count(Severity::Error) > 0 && !arguments.connection {
        return Err(Exit::Failed);
    }
    context.terminal.print(&paint(style::GOOD, "All is well."));
    Ok(())
}

fn describe_target(field: &dyn Fn(&str, &str), project: &Project) {
    let target = &project.target;
    let place = match target.span {
        Some(span) => format!(" in {}", project.sources.path(span.file)),
        None => " (built in)".to_owned(),
    };
    field("profile", &format!("{}{place}", target.profile));
    field("target", &target.name);
    for (name, value) in open_settings(target) {
        field("", &format!("{name}: {value}"));
    }
}

/// The settings with their values where those may be shown.
fn open_settings(target: &Target) -> Vec<(&str, String)> {
    let shown = target.settings.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let text = match is_open(name, &text) {
            true => super::text::printable(&text),
            false if text.is_empty() => "(empty)".to_owned(),
            false => "(not shown)".to_owned(),
        };
        (name.as_str(), text)
    });
    shown.collect()
}

fn connect(context: &Context<'_>, project: &Project) -> Result<String, crate::diag::Diagnostic> {
    let connected = open(&project.target, &context.root)?;
    connected.adapter.describe().map_err(|error| connection_failed(&project.target, &error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let settings = json!({"host": "db", "password": "hunter2", "pass": "x", "token": "t", "secret_access_key": "k", "port": 5432, "unheard_of": "?"});
        let target = Target {
            profile: "p".to_owned(),
            name: "dev".to_owned(),
            adapter: "x".to_owned(),
            database: String::new(),
            schema: String::new(),
            threads: 1,
            settings: settings.as_object().unwrap().clone(),
            span: None,
        };
        let mut shown: Vec<String> = open_settings(&target).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        shown.sort();
        assert_eq!(
            shown.join(" "),
            "host=db pass=(not shown) password=(not shown) port=5432 secret_access_key=(not shown) token=(not shown) unheard_of=(not shown)"
        );
    }
}
