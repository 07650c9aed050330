//! Files in buckets of S3, or of a service that speaks its protocol.

#[cfg(not(feature = "redshift"))]
mod absent;
#[cfg(feature = "redshift")]
mod s3;

#[cfg(not(feature = "redshift"))]
pub use self::absent::Buckets;
#[cfg(feature = "redshift")]
pub use self::s3::Buckets;

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `s3://bucket/key`.
    pub url: String,
    pub bytes: u64,
    /// What S3 calls this content, in quotes; another content has another name.
    pub etag: String,
}

impl Object {
    /// What the manifest of loads keeps of the content: two objects with the same one are the same.
    pub fn version(&self) -> String {
        format!("etag:{}:{}", self.etag.trim_matches('"'), self.bytes)
    }
}
