//! The trees of configuration in `dbt_project.yml` (`models:`, `seeds:`, …), looked up by a node's fully qualified name.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Config;
use super::config_check::{checked_value, known_config_keys};
use super::yaml::{Entry, YamlValue};
use crate::base::Span;
use crate::diag::{Diagnostic, Diagnostics, codes};

/// One level of a tree.
#[derive(Debug, Default)]
pub(super) struct ConfigTree {
    config: Config,
    children: BTreeMap<String, ConfigTree>,
    key_span: Option<Span>,
    used: AtomicBool,
}

impl ConfigTree {
    /// `+key` is configuration whatever its value; a plain key is configuration unless its value is a mapping, which is a level.
    pub(super) fn build(entries: &[Entry], key_span: Option<Span>, diagnostics: &mut Diagnostics) -> ConfigTree {
        let mut tree = ConfigTree { key_span, ..ConfigTree::default() };
        for entry in entries {
            let plain = entry.key.strip_prefix('+').map(str::trim);
            match (plain, &entry.value.value) {
                (None, YamlValue::Map(inner)) => {
                    tree.children.insert(entry.key.clone(), ConfigTree::build(inner, Some(entry.key_span), diagnostics));
                }
                (plain, _) => insert_config(&mut tree.config, plain.unwrap_or(&entry.key), entry, diagnostics),
            }
        }
        tree
    }

    /// Everything that the tree says about a node, farthest level first.
    pub(super) fn collect(&self, fqn: &[String]) -> Config {
        let mut config = self.config.clone();
        let mut level = self;
        for part in fqn {
            let Some(child) = level.children.get(part) else { break };
            child.used.store(true, Ordering::Relaxed);
            config.merge(&child.config);
            level = child;
        }
        config
    }

    /// Nothing in it applies to anything.
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty() && self.config.iter().next().is_none()
    }

    /// Warns of the levels that no node of the project lies under.
    pub(super) fn report_unused(&self, section: &str, diagnostics: &mut Diagnostics) {
        for (name, child) in &self.children {
            if child.used.load(Ordering::Relaxed) {
                child.report_unused(section, diagnostics);
                continue;
            }
            let Some(span) = child.key_span else { continue };
            let diagnostic =
                Diagnostic::new(&codes::UNEXPECTED_PROPERTY, format!("'{name}' under '{section}:' names no package, folder or resource"))
                    .at(span);
            let siblings = self.children.keys().filter(|other| *other != name).map(String::as_str);
            diagnostics.push(if known_config_keys().contains(&name.as_str()) {
                diagnostic.help(format!("write '+{name}:' to set the configuration of that name"))
            } else {
                diagnostic.did_you_mean(name, siblings).help("remove it, or spell it as the package or folder is spelled")
            });
        }
    }
}

/// Puts one configuration key with its checked value into `config`.
pub(super) fn insert_config(config: &mut Config, key: &str, entry: &Entry, diagnostics: &mut Diagnostics) {
    if entry.value.is_null() && key != "freshness" {
        return;
    }
    match checked_value(key, entry.value.to_json()) {
        Ok(value) => config.insert(key, value, Some(entry.value.span)),
        Err(needed) => diagnostics.push(
            Diagnostic::new(&codes::INVALID_CONFIG, format!("the configuration '{key}' is {}, and {needed} is needed", described(entry)))
                .at(entry.value.span),
        ),
    }
    diagnostics.extend(super::obeyed::unknown_config(key, entry.key_span));
}

fn described(entry: &Entry) -> String {
    match &entry.value.value {
        YamlValue::Text(text) => format!("'{text}'"),
        _ => entry.value.kind().to_owned(),
    }
}
