//! Points in time as everything that acca writes spells them.

/// RFC 3339, UTC, with microseconds: such texts sort by time.
pub fn timestamp(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
