//! Floor 2: the files of a dbt-format project, read and checked, every value with its place.

mod blocks;
mod config;
mod landing;
mod manifest;
mod model;
mod node;

pub use blocks::{Block, BlockKind, scan_blocks};
pub use config::{Config, ConfigValue};
pub use landing::{Compression, FileFormat, Landing};
pub use manifest::{Manifest, Unresolved};
pub use model::{LoadOptions, Package, Project, RenderText, Target, YamlScope};
pub use node::{
    Column, Detail, DocBlock, Exposure, GenericTest, Macro, MacroKind, ModelDetail, Node, Parameter, RefCall, SourceCall, SourceTable,
};
