//! Macros of the project in the places of dbt's that acca does without: silence would look like obedience.

use super::templates::{BUILTIN_PACKAGE, Templates};
use crate::diag::{Diagnostic, codes};
use crate::project::{Macro, Project};

/// What dbt calls while it builds and acca does in its own way.
const DONE_OTHERWISE: [&str; 36] = [
    "alter_column_type",
    "alter_relation_add_remove_columns",
    "build_snapshot_staging_table",
    "build_snapshot_table",
    "check_for_schema_changes",
    "check_schema_exists",
    "collect_freshness",
    "copy_grants",
    "create_columns",
    "create_csv_table",
    "create_indexes",
    "create_or_replace_clone",
    "drop_relation",
    "drop_relation_if_exists",
    "get_catalog",
    "get_catalog_relations",
    "get_create_index_sql",
    "get_drop_sql",
    "get_incremental_default_sql",
    "get_rename_sql",
    "get_show_sql",
    "get_unit_test_sql",
    "incremental_validate_on_schema_change",
    "list_relations_without_caching",
    "load_csv_rows",
    "make_backup_relation",
    "make_intermediate_relation",
    "make_temp_relation",
    "process_schema_changes",
    "rename_relation",
    "reset_csv_table",
    "snapshot_hash_arguments",
    "snapshot_merge_sql",
    "snapshot_staging_table",
    "sync_column_schemas",
    "truncate_relation",
];

impl Templates {
    /// A warning for each macro that nothing calls: neither acca nor a macro of the project.
    pub fn unused_overrides(&self, project: &Project) -> Vec<Diagnostic> {
        let own: Vec<&Macro> = project.macros.iter().filter(|held| &*held.package != BUILTIN_PACKAGE).collect();
        let text = |held: &Macro| project.sources.text(held.body);
        let warn = |held: &&&Macro| {
            let name = held.name.split_once("__").map_or(held.name.as_str(), |(_, name)| name);
            let known = DONE_OTHERWISE.binary_search(&name).is_ok() && self.shared.is_overridden(name, &self.shared.root);
            let call = format!("{name}(");
            known && !own.iter().any(|other| other.id != held.id && text(other).contains(&call))
        };
        let diagnostic = |held: &&Macro| {
            let message = format!("the macro '{}' stands in the place of dbt's, and acca builds without it", held.name);
            let problem = Diagnostic::new(&codes::UNUSED_OVERRIDE, message).at(held.name_span);
            problem.help("it counts where templates call it; to have it called while a model is built, write a materialization that does")
        };
        own.iter().filter(warn).map(diagnostic).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(DONE_OTHERWISE.is_sorted());
    }
}
