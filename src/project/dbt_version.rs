//! `require-dbt-version`: the versions of dbt that a project says it is for.

use super::fields::Fields;
use super::loader::Loader;
use crate::diag::{Diagnostic, Severity, codes};

/// dbt's version whose language is spoken.
pub const DBT_VERSION: &str = "1.11.0";

type Version = [u64; 3];

/// Warns when the project is for other versions than the one whose language is spoken.
pub(super) fn check_required_version(loader: &mut Loader<'_>, fields: &Fields<'_, '_>) {
    let spanned = fields.spanned_strings("require-dbt-version", loader.diagnostics);
    let spoken = parse_version(DBT_VERSION).unwrap_or_default();
    for (text, span) in spanned {
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match holds(part, spoken) {
                Some(true) => {}
                Some(false) => {
                    let message = format!("{} is for dbt {part}, and what is spoken here is that of dbt {DBT_VERSION}", fields.owner);
                    let mut problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(span);
                    problem.severity = Severity::Warning;
                    loader.diagnostics.push(problem.help("widen 'require-dbt-version' when the project works"));
                }
                None => {
                    let message = format!("'{part}' in 'require-dbt-version' is no range of versions");
                    loader.diagnostics.push(Diagnostic::new(&codes::INVALID_CONFIG, message).at(span).help("write it like '>=1.8.0'"));
                }
            }
        }
    }
}

/// Whether `spoken` is in a range such as `>=1.8.0`; `None` when it cannot be read.
fn holds(range: &str, spoken: Version) -> Option<bool> {
    let signs = [">=", "<=", "==", "=", ">", "<"];
    let (sign, rest) = signs.into_iter().find_map(|sign| Some((sign, range.strip_prefix(sign)?))).unwrap_or(("=", range));
    let version = parse_version(rest.trim())?;
    Some(match sign {
        ">=" => spoken >= version,
        "<=" => spoken <= version,
        ">" => spoken > version,
        "<" => spoken < version,
        _ => spoken == version,
    })
}

/// `1.8`, `v1.8.0`, `1.8.0rc1`: what stands behind the third number is not compared.
fn parse_version(text: &str) -> Option<Version> {
    let mut version = Version::default();
    let parts: Vec<&str> = text.trim_start_matches('v').splitn(3, '.').collect();
    for (slot, part) in version.iter_mut().zip(&parts) {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        *slot = part.get(..digits)?.parse().ok()?;
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_versions() {
        let spoken = [1, 11, 0];
        for (range, expected) in [
            (">=1.8.0", Some(true)),
            ("<2.0.0", Some(true)),
            ("<1.11.0", Some(false)),
            ("1.11", Some(true)),
            ("==1.11.0rc1", Some(true)),
            (">v1.11.0", Some(false)),
            (">=1.x", None),
            ("soon", None),
        ] {
            assert_eq!(holds(range, spoken), expected, "{range}");
        }
    }
}
