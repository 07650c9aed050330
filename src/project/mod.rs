//! Floor 2: the files of a dbt-format project, read and checked, every value with its place.

mod acca_checks;
mod acca_file;
mod blocks;
mod config;
mod config_check;
mod config_tree;
mod contract;
mod dbt_version;
mod discover;
mod exposures;
mod fields;
mod generic_tests;
mod groups;
mod hooks;
mod landing;
mod load;
mod loader;
mod manifest;
mod microbatch;
mod model;
mod node;
mod obeyed;
mod packages;
mod profiles;
mod project_file;
mod properties;
mod python;
mod resources;
mod secrets;
mod selectors;
mod serving;
mod sources;
#[cfg(test)]
mod testing;
mod unit_test;
mod unit_tests;
mod versions;
mod yaml;
mod yaml_scalar;

pub use acca_checks::{Weight, Weights};
pub use acca_file::{AccaFile, Conversion, Told};
pub use blocks::{Block, BlockKind, scan_blocks};
pub use config::{Config, ConfigValue};
pub use config_check::{IndexConfig, checked_indexes, checked_value, misspelled};
pub use contract::{Constraint, ConstraintKind, check_contract};
pub use dbt_version::DBT_VERSION;
pub use groups::Group;
pub use hooks::{HookTemplate, hooks_of};
pub use landing::{Compression, FILE_COLUMN, FileFormat, LOADED_AT_COLUMN, Landing};
pub use load::{AllTargets, Contents, Opened, all_targets, load, open};
pub use manifest::{Manifest, Unresolved};
pub use microbatch::{Batch, BatchSize, Microbatch, check_microbatch, event_time_column, is_microbatch, unfiltered_batches};
pub use model::{LoadOptions, Package, Project, RenderText, Target, YamlScope};
pub use node::{
    Column, Detail, DocBlock, Exposure, GenericTest, Macro, MacroKind, ModelDetail, Node, Parameter, RefCall, SourceCall, SourceTable,
};
pub use obeyed::{check_told, not_obeyed};
pub use packages::{Dependency, GitPackage, PackageFile, read_package};
pub use profiles::DEFAULT_DATABASE;
pub use project_file::visible_vars;
pub use secrets::is_open;
pub use selectors::Selector;
pub use serving::{Serving, ServingClass, TransferPlace, serving_classes};
pub use unit_test::{Cell, InputCall, UnitInput, UnitOverrides, UnitRow, UnitRows, UnitTest};
pub use yaml::{Entry, ParsedYaml, Yaml, YamlValue, parse_yaml};
