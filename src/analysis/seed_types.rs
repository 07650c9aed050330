//! Types of the columns of a CSV file, guessed from their values.

/// The narrowest type that holds all values; text where there are none.
///
/// Decimals become exact `numeric` with as many places as the file has: dbt takes binary floats, which cannot hold a penny.
pub fn guess_type<'a>(values: impl Iterator<Item = &'a str> + Clone) -> String {
    let all = |holds: fn(&str) -> bool| values.clone().next().is_some() && values.clone().all(holds);
    let is_boolean = |text: &str| matches!(text.to_ascii_lowercase().as_str(), "true" | "false");
    let is_integer = |text: &str| text.parse::<i32>().is_ok() && !has_leading_zero(text);
    let is_bigint = |text: &str| text.parse::<i64>().is_ok() && !has_leading_zero(text);
    let is_decimal = |text: &str| decimal_places(text).is_some() && !has_leading_zero(text);
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite) && !has_leading_zero(text);
    let is_date = |text: &str| text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10;
    let is_timestamp = |text: &str| text.len() >= 16 && text.parse::<jiff::civil::DateTime>().is_ok() && !text.ends_with(['Z', 'z']);
    let known = if all(is_boolean) {
        "boolean"
    } else if all(is_integer) {
        "integer"
    } else if all(is_bigint) {
        "bigint"
    } else if all(is_decimal) {
        let places = values.clone().filter_map(decimal_places).max().unwrap_or(0);
        return format!("numeric(38,{places})");
    } else if all(is_number) {
        "double precision"
    } else if all(is_date) {
        "date"
    } else if all(is_timestamp) {
        "timestamp"
    } else {
        "text"
    };
    known.to_owned()
}

/// Digits after the point of a plain decimal that fits into 38 digits.
fn decimal_places(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && numeric(whole) && numeric(fraction) && whole.len() + fraction.len() <= 38).then_some(fraction.len())
}

/// `007` is a code, not a number.
fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_types() {
        for (values, kind) in [
            (vec!["1", "-2"], "integer"),
            (vec!["1", "3000000000"], "bigint"),
            (vec!["1", "2.50"], "numeric(38,2)"),
            (vec!["1", "2e5"], "double precision"),
            (vec!["007"], "text"),
            (vec!["true", "False"], "boolean"),
            (vec!["2026-01-31"], "date"),
            (vec!["2026-01-31 10:00:00"], "timestamp"),
            (vec!["2026-01-31", "x"], "text"),
            (vec![], "text"),
        ] {
            assert_eq!(guess_type(values.iter().copied()), kind, "{values:?}");
        }
    }
}
