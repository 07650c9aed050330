//! Files that programs write beside their data: what is under way, what marks an end, what stands for a folder.

/// Whether readers of Hive's kind, Redshift's for external tables among them, pass over a file (`r_CREATE_EXTERNAL_TABLE`). `below`: its
/// path in the folder that is read.
pub(super) fn is_hidden(below: &str) -> bool {
    let (folders, file) = below.rsplit_once('/').unwrap_or(("", below));
    // A folder of a partition may be called so.
    let hides = |folder: &str| folder.starts_with(['.', '_']) && !folder.contains('=');
    file.starts_with(['.', '_', '#']) || file.ends_with('~') || file.ends_with("_$folder$") || folders.split('/').any(hides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden() {
        for path in [
            "_SUCCESS",
            ".part-0.crc",
            "a/_temporary/0/part-0",
            "day=1/.hive-staging_1/x",
            "day=1_$folder$",
            "x.csv~",
            "#x#",
            "_delta_log/0.json",
        ] {
            assert!(is_hidden(path), "{path}");
        }
        for path in ["a.csv", "day=1/a_b.csv", "_day=2/a.csv", "a/b.c/d"] {
            assert!(!is_hidden(path), "{path}");
        }
    }
}
