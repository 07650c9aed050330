//! How long a node may take.

use std::time::Duration;

use serde_json::Value;

use crate::diag::{Diagnostic, codes};
use crate::project::Node;

/// Reads `90`, `90s`, `5m`, `2h`, `1.5h`: seconds where no unit is said.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let unit = match unit.trim() {
        "" | "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        other => return Err(format!("'{other}' is no unit of time; there are s, m and h")),
    };
    let seconds = number.trim().parse::<f64>().ok().map(|number| number * unit).filter(|seconds| *seconds > 0.0 && seconds.is_finite());
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| format!("'{text}' is no time; write it like 90, 90s, 5m or 2h"))
}

/// `meta.timeout` of the node, or what holds for all.
///
/// # Errors
/// `invalid-config` for something that is no time.
pub fn timeout_of(node: &Node, general: Option<Duration>) -> Result<Option<Duration>, Diagnostic> {
    let written = match node.config.get("meta").and_then(|meta| meta.get("timeout")) {
        None | Some(Value::Null) => return Ok(general),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    parse_timeout(&written).map(Some).map_err(|why| {
        let problem = Diagnostic::new(&codes::INVALID_CONFIG, format!("'meta.timeout' of '{}': {why}", node.name));
        problem.at(node.config.span("meta").unwrap_or(node.origin))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text: &str| parse_timeout(text).map(|time| time.as_secs_f64());
        assert_eq!(["90", "90s", "5 m", "1.5h", "0.25"].map(|text| seconds(text).unwrap()), [90.0, 90.0, 300.0, 5400.0, 0.25]);
        for wrong in ["", "0", "-1", "5 days", "soon", "inf", "1e999"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
