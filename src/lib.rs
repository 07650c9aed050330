#![doc = include_str!("../ARCHITECTURE.md")]

pub mod analysis;
pub mod artifacts;
pub mod assertions;
pub mod base;
pub mod cli;
pub mod compile;
pub mod diag;
pub mod dialect;
pub mod execute;
pub mod jinja;
pub mod plan;
pub mod project;
pub mod syntax;
