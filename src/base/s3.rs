//! Places in buckets of S3, as they are written.

/// Bucket and key of `s3://bucket/key`; the key may be empty. `None` for anything else.
pub fn bucket_and_key(url: &str) -> Option<(&str, &str)> {
    let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
    (!bucket.is_empty()).then_some((bucket, key))
}
