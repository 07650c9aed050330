//! Python's `Decimal`: exact numbers with the context that Python starts with (28 digits, half to even).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};
use num_bigint::{BigInt, Sign};

use super::arguments::bind;
use super::{no_method, number};
use crate::jinja::values::operation;

/// The digits that results of arithmetic are rounded to.
const PRECISION: usize = 28;
/// Larger exponents are refused: aligning two numbers writes that many zeros.
const MAX_EXPONENT: i64 = 5_000;

/// `digits × 10^exponent`.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::jinja) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

/// How a number between two representable ones is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jinja) enum Rounding {
    HalfEven,
    HalfUp,
    HalfDown,
    Up,
    Down,
    Ceiling,
    Floor,
}

impl Rounding {
    fn named(name: &str) -> Option<Rounding> {
        Some(match name {
            "ROUND_HALF_EVEN" => Rounding::HalfEven,
            "ROUND_HALF_UP" => Rounding::HalfUp,
            "ROUND_HALF_DOWN" => Rounding::HalfDown,
            "ROUND_UP" => Rounding::Up,
            "ROUND_DOWN" => Rounding::Down,
            "ROUND_CEILING" => Rounding::Ceiling,
            "ROUND_FLOOR" => Rounding::Floor,
            _ => return None,
        })
    }
}

fn ten_to(power: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(power).unwrap_or(0))
}

/// `value / 10^places`, rounded.
fn shifted_down(value: &BigInt, places: i64, rounding: Rounding) -> BigInt {
    let divisor = ten_to(places);
    divided(value, &divisor, rounding)
}

fn divided(value: &BigInt, divisor: &BigInt, rounding: Rounding) -> BigInt {
    let quotient = value / divisor;
    let rest = value % divisor;
    if rest.sign() == Sign::NoSign {
        return quotient;
    }
    let negative = (rest.sign() == Sign::Minus) != (divisor.sign() == Sign::Minus);
    let twice: BigInt = BigInt::from(rest.magnitude().clone()) * 2u8;
    let half = twice.cmp(&BigInt::from(divisor.magnitude().clone()));
    let away = match rounding {
        Rounding::Up => true,
        Rounding::Down => false,
        Rounding::Ceiling => !negative,
        Rounding::Floor => negative,
        Rounding::HalfUp => half != Ordering::Less,
        Rounding::HalfDown => half == Ordering::Greater,
        Rounding::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && (&quotient % 2u8).sign() != Sign::NoSign),
    };
    match (away, negative) {
        (true, true) => quotient - 1,
        (true, false) => quotient + 1,
        (false, _) => quotient,
    }
}

fn length(digits: &BigInt) -> usize {
    digits.magnitude().to_string().len()
}

impl Decimal {
    /// Reads what Python's constructor reads, except for infinities and not-a-number.
    pub(in crate::jinja) fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) || exponent.abs() > MAX_EXPONENT {
            return None;
        }
        let mut digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
        if mantissa.starts_with('-') {
            digits = -digits;
        }
        Some(Decimal { digits, exponent: exponent - i64::try_from(fraction.len()).ok()? })
    }

    pub(in crate::jinja) fn from_int(whole: i128) -> Decimal {
        Decimal { digits: BigInt::from(whole), exponent: 0 }
    }

    /// The exact value of a binary fraction.
    pub(in crate::jinja) fn from_float_exactly(value: f64) -> Option<Decimal> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{value:.1100}");
        let trimmed = text.trim_end_matches('0').trim_end_matches('.');
        Decimal::parse(trimmed)
    }

    pub(in crate::jinja) fn into_value(self) -> Value {
        Value::from_object(DecimalValue(self))
    }

    pub(in crate::jinja) fn of(value: &Value) -> Option<Decimal> {
        value.downcast_object_ref::<DecimalValue>().map(|held| held.0.clone())
    }

    pub(in crate::jinja) fn is_zero(&self) -> bool {
        self.digits.sign() == Sign::NoSign
    }

    pub(in crate::jinja) fn is_negative(&self) -> bool {
        self.digits.sign() == Sign::Minus
    }

    /// Digits after the decimal point.
    pub(in crate::jinja) fn scale(&self) -> usize {
        usize::try_from(-self.exponent).unwrap_or(0)
    }

    fn rounded_to(self, precision: usize) -> Decimal {
        let excess = length(&self.digits).saturating_sub(precision);
        if excess == 0 {
            return self;
        }
        let excess = i64::try_from(excess).unwrap_or(0);
        let digits = shifted_down(&self.digits, excess, Rounding::HalfEven);
        let rounded = Decimal { digits, exponent: self.exponent + excess };
        // 99…9 may have become 100…0.
        if length(&rounded.digits) > precision { rounded.rounded_to(precision) } else { rounded }
    }

    fn aligned(&self, other: &Decimal) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let at = |number: &Decimal| &number.digits * ten_to((number.exponent - exponent).min(2 * MAX_EXPONENT));
        (at(self), at(other), exponent)
    }

    pub(in crate::jinja) fn add(&self, other: &Decimal) -> Decimal {
        let (left, right, exponent) = self.aligned(other);
        Decimal { digits: left + right, exponent }.rounded_to(PRECISION)
    }

    pub(in crate::jinja) fn sub(&self, other: &Decimal) -> Decimal {
        let (left, right, exponent) = self.aligned(other);
        Decimal { digits: left - right, exponent }.rounded_to(PRECISION)
    }

    pub(in crate::jinja) fn mul(&self, other: &Decimal) -> Decimal {
        Decimal { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }.rounded_to(PRECISION)
    }

    pub(in crate::jinja) fn div(&self, other: &Decimal) -> Option<Decimal> {
        if other.is_zero() {
            return None;
        }
        let ideal = self.exponent - other.exponent;
        if self.is_zero() {
            return Some(Decimal { digits: BigInt::from(0), exponent: ideal });
        }
        let wanted = PRECISION + 2 + length(&other.digits);
        let shift = i64::try_from(wanted.saturating_sub(length(&self.digits))).unwrap_or(0);
        let scaled = &self.digits * ten_to(shift);
        let mut digits = &scaled / &other.digits;
        let exact = (&scaled % &other.digits).sign() == Sign::NoSign;
        let mut exponent = ideal - shift;
        if exact {
            while exponent < ideal && (&digits % 10u8).sign() == Sign::NoSign {
                digits /= 10;
                exponent += 1;
            }
        } else {
            // What was cut off must be seen by the rounding: a five behind which nothing came would else be a tie.
            let sign = if (self.is_negative()) != (other.is_negative()) { -1 } else { 1 };
            digits = digits * 10 + sign;
            exponent -= 1;
        }
        Some(Decimal { digits, exponent }.rounded_to(PRECISION))
    }

    /// Quotient without fraction, and the rest with the sign of the dividend.
    pub(in crate::jinja) fn div_rem(&self, other: &Decimal) -> Option<(Decimal, Decimal)> {
        if other.is_zero() {
            return None;
        }
        let (left, right, exponent) = self.aligned(other);
        let rest = Decimal { digits: &left % &right, exponent };
        Some((Decimal { digits: left / right, exponent: 0 }, rest.rounded_to(PRECISION)))
    }

    pub(in crate::jinja) fn pow(&self, power: i64) -> Option<Decimal> {
        let raised = |times: u32| -> Option<Decimal> {
            (u64::from(times) * length(&self.digits) as u64 <= 100_000)
                .then(|| Decimal { digits: self.digits.pow(times), exponent: self.exponent * i64::from(times) })
        };
        let magnitude = u32::try_from(power.unsigned_abs()).ok()?;
        let whole = raised(magnitude)?;
        if power >= 0 { Some(whole.rounded_to(PRECISION)) } else { Decimal::from_int(1).div(&whole) }
    }

    pub(in crate::jinja) fn neg(&self) -> Decimal {
        Decimal { digits: -self.digits.clone(), exponent: self.exponent }.rounded_to(PRECISION)
    }

    pub(in crate::jinja) fn abs(&self) -> Decimal {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    pub(in crate::jinja) fn compare(&self, other: &Decimal) -> Ordering {
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }

    /// The same number with so many digits after the point.
    pub(in crate::jinja) fn quantized(&self, exponent: i64, rounding: Rounding) -> Decimal {
        let digits = if exponent <= self.exponent {
            &self.digits * ten_to(self.exponent - exponent)
        } else {
            shifted_down(&self.digits, exponent - self.exponent, rounding)
        };
        Decimal { digits, exponent }
    }

    pub(in crate::jinja) fn to_int(&self, rounding: Rounding) -> Option<i128> {
        i128::try_from(self.quantized(0, rounding).digits).ok()
    }

    pub(in crate::jinja) fn to_f64(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// Digits without exponent: `1200`, `0.00012`.
    pub(in crate::jinja) fn plain(&self) -> String {
        let number = if self.exponent > 0 { self.quantized(0, Rounding::Down) } else { self.clone() };
        let scale = number.scale();
        let mut digits = number.digits.magnitude().to_string();
        if digits.len() <= scale {
            digits = format!("{}{digits}", "0".repeat(scale + 1 - digits.len()));
        }
        if scale > 0 {
            digits.insert(digits.len() - scale, '.');
        }
        if number.is_negative() { format!("-{digits}") } else { digits }
    }

    fn normalized(&self) -> Decimal {
        let mut number = self.clone().rounded_to(PRECISION);
        if number.is_zero() {
            return Decimal { digits: BigInt::from(0), exponent: 0 };
        }
        while (&number.digits % 10u8).sign() == Sign::NoSign {
            number.digits /= 10;
            number.exponent += 1;
        }
        number
    }

    fn adjusted(&self) -> i64 {
        self.exponent + i64::try_from(length(&self.digits)).unwrap_or(0) - 1
    }

    fn square_root(&self) -> Option<Decimal> {
        if self.is_negative() {
            return None;
        }
        let mut shift = i64::try_from(2 * (PRECISION + 2)).unwrap_or(60);
        if (self.exponent - shift) % 2 != 0 {
            shift += 1;
        }
        let root = (&self.digits * ten_to(shift)).sqrt();
        let found = Decimal { digits: root, exponent: (self.exponent - shift) / 2 };
        let exact = (&found.digits * &found.digits) == &self.digits * ten_to(shift);
        let mut found = found.rounded_to(PRECISION);
        let ideal = self.exponent.div_euclid(2);
        while exact && found.exponent < ideal && (&found.digits % 10u8).sign() == Sign::NoSign {
            found.digits /= 10;
            found.exponent += 1;
        }
        Some(found)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let adjusted = self.adjusted();
        if self.exponent <= 0 && adjusted >= -6 {
            return f.write_str(&self.plain());
        }
        let digits = self.digits.magnitude().to_string();
        let sign = if self.is_negative() { "-" } else { "" };
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{first}{point}{rest}E{adjusted:+}")
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal('{self}')")
    }
}

/// A decimal in templates.
pub(in crate::jinja) struct DecimalValue(Decimal);

impl fmt::Debug for DecimalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

fn given(value: Option<&Value>) -> Result<Decimal, Error> {
    match value.and_then(number::of) {
        Some(number::Number::Int(whole)) => Ok(Decimal::from_int(whole)),
        Some(number::Number::Decimal(decimal)) => Ok(decimal),
        _ => Err(operation("a Decimal or an integer is needed")),
    }
}

fn rounding(value: Option<&Value>) -> Result<Rounding, Error> {
    match value {
        None => Ok(Rounding::HalfEven),
        Some(value) if value.is_none() => Ok(Rounding::HalfEven),
        Some(value) => value.as_str().and_then(Rounding::named).ok_or_else(|| operation(format!("{value:?} is no way of rounding"))),
    }
}

impl Object for DecimalValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_zero()
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "real" => Some(self.0.clone().into_value()),
            "imag" => Some(Decimal::from_int(0).into_value()),
            _ => None,
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.compare(&other.downcast_ref::<DecimalValue>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let number = &self.0;
        let found = match method {
            "quantize" => {
                let [to, how, _] = bind(method, args, ["exp", "rounding", "context"], 1)?;
                number.quantized(given(to.as_ref())?.exponent, rounding(how.as_ref())?)
            }
            "to_integral_value" | "to_integral" | "to_integral_exact" => {
                let [how, _] = bind(method, args, ["rounding", "context"], 0)?;
                number.quantized(number.exponent.max(0), rounding(how.as_ref())?)
            }
            "normalize" => number.normalized(),
            "copy_abs" => number.abs(),
            "copy_negate" => number.neg(),
            "conjugate" | "canonical" => number.clone(),
            "sqrt" => number.square_root().ok_or_else(|| operation("the square root of a negative Decimal"))?,
            "compare" => {
                let [other] = bind(method, args, ["other"], 1)?;
                Decimal::from_int(number.compare(&given(other.as_ref())?) as i128)
            }
            "max" | "min" => {
                let [other] = bind(method, args, ["other"], 1)?;
                let other = given(other.as_ref())?;
                let keep = number.compare(&other) != if method == "max" { Ordering::Less } else { Ordering::Greater };
                if keep { number.clone() } else { other }
            }
            "adjusted" => return Ok(Value::from(number.adjusted())),
            "is_zero" => return Ok(Value::from(number.is_zero())),
            "is_signed" => return Ok(Value::from(number.is_negative())),
            "is_nan" | "is_infinite" | "is_snan" | "is_qnan" => return Ok(Value::from(false)),
            "is_finite" | "is_canonical" => return Ok(Value::from(true)),
            "to_eng_string" => return Ok(Value::from(number.to_string())),
            "as_tuple" => {
                let digits: Vec<Value> =
                    number.digits.magnitude().to_string().bytes().map(|digit| Value::from(i64::from(digit - b'0'))).collect();
                let sign = Value::from(i64::from(number.is_negative()));
                return Ok(super::tuple([sign, super::tuple(digits), Value::from(number.exponent)]));
            }
            "as_integer_ratio" => {
                let denominator = ten_to(-number.exponent.min(0));
                let numerator = &number.digits * ten_to(number.exponent.max(0));
                let divisor = greatest_common_divisor(&numerator, &denominator);
                let whole = |value: BigInt| i128::try_from(value).map(Value::from).map_err(|_| operation("the number is too large"));
                return Ok(super::tuple([whole(numerator / &divisor)?, whole(denominator / &divisor)?]));
            }
            _ => return Err(no_method(&Value::from_dyn_object(self.clone()), method, METHODS)),
        };
        Ok(found.into_value())
    }
}

const METHODS: &[&str] = &[
    "quantize",
    "to_integral_value",
    "to_integral",
    "to_integral_exact",
    "normalize",
    "copy_abs",
    "copy_negate",
    "conjugate",
    "sqrt",
    "compare",
    "max",
    "min",
    "adjusted",
    "is_zero",
    "is_signed",
    "is_nan",
    "is_infinite",
    "is_finite",
    "to_eng_string",
    "as_tuple",
    "as_integer_ratio",
];

fn greatest_common_divisor(left: &BigInt, right: &BigInt) -> BigInt {
    let (mut left, mut right) = (BigInt::from(left.magnitude().clone()), BigInt::from(right.magnitude().clone()));
    while right.sign() != Sign::NoSign {
        (left, right) = (right.clone(), left % right);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn prints_as_python_does() {
        for text in ["0", "1.50", "-12.300", "0.000001", "1E+3", "1.2E-9", "123456789012345678901234567890.5"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("0.0000001").to_string(), "1E-7");
    }

    #[test]
    fn arithmetic_is_exact_to_28_digits() {
        assert_eq!(number("0.1").add(&number("0.2")).to_string(), "0.3");
        assert_eq!(number("1").div(&number("3")).unwrap().to_string(), "0.3333333333333333333333333333");
        assert_eq!(number("2").div(&number("3")).unwrap().to_string(), "0.6666666666666666666666666667");
        assert_eq!(number("10.00").div(&number("4")).unwrap().to_string(), "2.50");
        assert_eq!(number("1.10").mul(&number("1.10")).to_string(), "1.2100");
        assert_eq!(number("-7.5").div_rem(&number("2")).unwrap().1.to_string(), "-1.5");
        assert_eq!(number("2.5").quantized(0, Rounding::HalfEven).to_string(), "2");
        assert_eq!(number("2").square_root().unwrap().to_string(), "1.414213562373095048801688724");
    }
}
