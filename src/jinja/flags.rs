//! `flags` and `invocation_args_dict`: what the command line, the environment and the project file say of this invocation, over dbt's
//! defaults.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde_json::{Map, json};

use super::scope::Scope;
use super::templates::{Shared, Templates};
use super::values::{from_json, locked};
use crate::base::{Digest, digest};

/// What flags are where nobody says anything, in dbt's lower-case names.
fn preset(name: &str) -> Option<serde_json::Value> {
    Some(match name {
        "indirect_selection" => json!("eager"),
        "log_format" => json!("default"),
        "log_format_file" | "log_level_file" => json!("debug"),
        "log_level" => json!("info"),
        "printer_width" => json!(80),
        "log_file_max_bytes" => json!(10 << 20),
        "warn_error_options" => json!({"error": [], "warn": [], "silence": []}),
        "select" | "exclude" | "resource_types" | "exclude_resource_types" => json!([]),
        "vars" => json!({}),
        name if TRUE.contains(&name) => json!(true),
        name if FALSE.contains(&name) => json!(false),
        name if UNSET.contains(&name) => serde_json::Value::Null,
        _ => return None,
    })
}

const TRUE: [&str; 14] = [
    "introspect",
    "partial_parse",
    "partial_parse_file_diff",
    "populate_cache",
    "print",
    "require_explicit_package_overrides_for_builtin_materializations",
    "require_generic_test_arguments_property",
    "require_resource_names_without_spaces",
    "source_freshness_run_project_hooks",
    "static_parser",
    "use_colors",
    "use_colors_file",
    "version_check",
    "write_json",
];

const FALSE: [&str; 33] = [
    "cache_selected_only",
    "debug",
    "defer",
    "empty",
    "export_saved_queries",
    "fail_fast",
    "favor_state",
    "full_refresh",
    "include_saved_query",
    "log_cache_events",
    "macro_debugging",
    "quiet",
    "require_all_warnings_handled_by_warn_error",
    "require_batched_execution_for_custom_microbatch_strategy",
    "require_nested_cumulative_type_params",
    "require_ref_searches_node_package_before_root",
    "require_unique_project_resource_names",
    "require_yaml_configuration_for_mf_time_spines",
    "send_anonymous_usage_stats",
    "show",
    "show_all_deprecations",
    "show_resource_report",
    "single_threaded",
    "skip_nodes_if_on_run_start_fails",
    "state_modified_compare_more_unrendered_values",
    "state_modified_compare_vars",
    "store_failures",
    "strict_mode",
    "upload_to_artifacts_ingest_api",
    "use_experimental_parser",
    "use_fast_test_edges",
    "validate_macro_args",
    "write_perf_info",
];

const UNSET: [&str; 15] = [
    "defer_state",
    "event_time_end",
    "event_time_start",
    "log_path",
    "partial_parse_file_path",
    "profile",
    "profiles_dir",
    "project_dir",
    "record_timing_info",
    "sample",
    "selector",
    "state",
    "target",
    "target_path",
    "warn_error",
];

/// All flags of the invocation by their lower-case names.
fn all(shared: &Shared) -> Map<String, serde_json::Value> {
    let known = TRUE.iter().chain(&FALSE).chain(&UNSET).chain(OTHERS);
    let mut all: Map<String, serde_json::Value> = known.filter_map(|name| Some(((*name).to_owned(), preset(name)?))).collect();
    let invocation = &shared.invocation;
    all.extend(invocation.flags.iter().map(|(name, value)| (name.clone(), value.clone())));
    let told = json!({
        "which": invocation.which,
        "full_refresh": invocation.full_refresh,
        "store_failures": invocation.store_failures,
        "empty": invocation.empty,
        "vars": shared.cli_vars,
    });
    if let serde_json::Value::Object(told) = told {
        all.extend(told);
    }
    all.entry("invocation_command").or_insert_with(|| json!(format!("acca {}", invocation.which)));
    all.entry("threads").or_insert(serde_json::Value::Null);
    all
}

/// Flags with a value of their own in [`preset`].
const OTHERS: &[&str] = &[
    "exclude",
    "exclude_resource_types",
    "indirect_selection",
    "log_file_max_bytes",
    "log_format",
    "log_format_file",
    "log_level",
    "log_level_file",
    "printer_width",
    "resource_types",
    "select",
    "warn_error_options",
];

/// `invocation_args_dict`: the flags that have a value.
pub(super) fn arguments(scope: &Scope) -> Value {
    let set = all(&scope.shared).into_iter().filter(|(_, value)| !value.is_null());
    from_json(&serde_json::Value::Object(set.collect()))
}

/// `flags.FULL_REFRESH` and its kin.
pub(super) struct Flags {
    all: Map<String, serde_json::Value>,
    asked: AskedFlags,
}

/// Lower-case names of flags for which templates have asked.
pub(super) type AskedFlags = Arc<Mutex<BTreeSet<String>>>;

impl Flags {
    pub(super) fn of(scope: &Scope) -> Value {
        let shared = &scope.shared;
        shared.flags.get_or_init(|| Value::from_object(Flags { all: all(shared), asked: shared.asked_flags.clone() })).clone()
    }
}

impl Templates {
    /// The flags for which templates have asked so far.
    pub fn asked_flags(&self) -> BTreeSet<String> {
        locked(&self.shared.asked_flags).clone()
    }

    /// Of what those flags are in this invocation.
    pub fn digest_of_flags(&self, names: &BTreeSet<String>) -> Digest {
        let all = all(&self.shared);
        let told: Vec<_> = names.iter().map(|name| (name, all.get(name))).collect();
        digest(json!(told).to_string().as_bytes())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<flags>")
    }
}

impl Object for Flags {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?.to_ascii_lowercase();
        let value = self.all.get(&name).map(from_json);
        locked(&self.asked).insert(name);
        value
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        locked(&self.asked).extend(self.all.keys().cloned());
        Enumerator::Values(self.all.keys().map(|name| Value::from(name.to_ascii_uppercase())).collect())
    }
}
