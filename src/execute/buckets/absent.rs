//! Stands in where acca was built without its client of S3: there is none to be had.

use std::io::Write;
use std::sync::Arc;

use super::Object;
use crate::execute::adapter::AdapterError;
use crate::project::Target;

/// Never made.
pub enum Buckets {}

impl Buckets {
    /// # Errors
    /// Always.
    pub fn of(_target: &Target) -> Result<Arc<Buckets>, AdapterError> {
        Err(AdapterError::Connection {
            message: "files lie on S3, and this acca was built without its client of S3".to_owned(),
            hints: vec!["build it with its default features; ./acca does so with ACCA_REDSHIFT=1".to_owned()],
        })
    }

    /// # Errors
    /// Never called.
    pub fn list(&self, _bucket: &str, _prefix: &str) -> Result<Vec<Object>, AdapterError> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn find(&self, _url: &str) -> Result<Option<Object>, AdapterError> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn download(&self, _object: &Object, _to: &mut dyn Write, _interrupted: &dyn Fn() -> bool) -> Result<(), AdapterError> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn part(&self, _object: &Object, _from: u64, _bytes: u64) -> Result<Vec<u8>, AdapterError> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn put(&self, _url: &str, _content: Vec<u8>, _interrupted: &dyn Fn() -> bool) -> Result<(), AdapterError> {
        match *self {}
    }

    /// # Errors
    /// Never called.
    pub fn delete(&self, _url: &str) -> Result<(), AdapterError> {
        match *self {}
    }

    /// Never called.
    pub fn delete_soon<'u>(&self, _urls: impl Iterator<Item = &'u str>) {
        match *self {}
    }

    /// Never called.
    pub fn region(&self, _url: &str) -> String {
        match *self {}
    }

    /// Never called.
    pub fn other_region(&self, _url: &str) -> Option<String> {
        match *self {}
    }
}
