//! Python's ways of formatting: `'%5.2f' % x`, `'{:>5}'.format(x)`.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::decimal::{Decimal, Rounding};
use super::number::{self, Number};
use super::{printed, repr, type_name};
use crate::jinja::values::{operation, split_args};

/// Wider results are a mistake.
const WIDEST: usize = 1_000_000;

/// What follows the colon of `{:…}` or the sign of `%…`.
#[derive(Clone, Debug, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, Error> {
    let mut found = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        let number = found.unwrap_or(0) * 10 + digit as usize;
        if number > WIDEST {
            return Err(operation("a width or precision of the format is too large"));
        }
        found = Some(number);
    }
    Ok(found)
}

impl Spec {
    fn parse(text: &str) -> Result<Spec, Error> {
        let wrong = || operation(format!("'{text}' is no format that Python knows"));
        let mut spec = Spec::default();
        let all: Vec<char> = text.chars().take(2).collect();
        let mut chars = text.chars().peekable();
        let is_align = |c: Option<&char>| c.is_some_and(|c| matches!(c, '<' | '>' | '^' | '='));
        if is_align(all.get(1)) {
            spec.fill = chars.next();
            spec.align = chars.next();
        } else if is_align(all.first()) {
            spec.align = chars.next();
        }
        spec.sign = chars.next_if(|c| matches!(c, '+' | '-' | ' '));
        spec.alternate = chars.next_if_eq(&'#').is_some();
        spec.zero = chars.next_if_eq(&'0').is_some();
        spec.width = digits(&mut chars)?.unwrap_or(0);
        spec.grouping = chars.next_if(|c| matches!(c, ',' | '_'));
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(digits(&mut chars)?.ok_or_else(wrong)?);
        }
        spec.kind = chars.next();
        if chars.next().is_some() { Err(wrong()) } else { Ok(spec) }
    }

    /// Text and sign to the width.
    fn pad(&self, sign: &str, body: &str, default_align: char) -> String {
        let length = sign.chars().count() + body.chars().count();
        let missing = self.width.saturating_sub(length);
        let align = self.align.unwrap_or(if self.zero { '=' } else { default_align });
        let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' });
        let blanks = |count: usize| fill.to_string().repeat(count);
        match align {
            '<' => format!("{sign}{body}{}", blanks(missing)),
            '^' => format!("{}{sign}{body}{}", blanks(missing / 2), blanks(missing - missing / 2)),
            '=' => format!("{sign}{}{body}", blanks(missing)),
            _ => format!("{}{sign}{body}", blanks(missing)),
        }
    }
}

/// `format(value, spec)`
pub(super) fn formatted(value: &Value, spec: &str) -> Result<String, Error> {
    if let Some(text) = super::formatted_by_itself(value, spec) {
        return text;
    }
    if spec.is_empty() {
        return Ok(printed(value));
    }
    let parsed = Spec::parse(spec)?;
    match value.kind() {
        ValueKind::String => match parsed.kind {
            None | Some('s') => Ok(text_with(&parsed, value.as_str().unwrap_or_default())),
            Some(kind) => Err(operation(format!("the format '{kind}' does not take a string"))),
        },
        ValueKind::Bool if parsed.kind.is_none() && parsed.precision.is_none() => Ok(text_with(&parsed, &printed(value))),
        _ => match number::of(value) {
            Some(number) => with_number(&parsed, &number),
            None => Err(operation(format!("the format '{spec}' does not take {}", super::with_article(type_name(value))))),
        },
    }
}

fn text_with(spec: &Spec, text: &str) -> String {
    let cut: String = spec.precision.map_or_else(|| text.to_owned(), |most| text.chars().take(most).collect());
    spec.pad("", &cut, '<')
}

fn with_number(spec: &Spec, number: &Number) -> Result<String, Error> {
    match (number, spec.kind) {
        (Number::Int(whole), None | Some('d' | 'n')) => Ok(with_int(spec, *whole, 10, "", false)),
        (Number::Int(whole), Some('x')) => Ok(with_int(spec, *whole, 16, "0x", false)),
        (Number::Int(whole), Some('X')) => Ok(with_int(spec, *whole, 16, "0X", true)),
        (Number::Int(whole), Some('o')) => Ok(with_int(spec, *whole, 8, "0o", false)),
        (Number::Int(whole), Some('b')) => Ok(with_int(spec, *whole, 2, "0b", false)),
        (Number::Int(whole), Some('c')) => {
            let c = u32::try_from(*whole).ok().and_then(char::from_u32).ok_or_else(|| operation("the number is no character"))?;
            Ok(spec.pad("", &c.to_string(), '<'))
        }
        (_, None | Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%')) => Ok(with_fraction(spec, number)),
        (_, Some(kind)) => Err(operation(format!("the format '{kind}' does not take such a number"))),
    }
}

fn sign_of(spec: &Spec, negative: bool) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        (false, _) => "",
    }
}

fn in_base(mut magnitude: u128, base: u128) -> String {
    let mut digits = Vec::new();
    while magnitude > 0 || digits.is_empty() {
        digits.push(char::from_digit((magnitude % base) as u32, 16).unwrap_or('0'));
        magnitude /= base;
    }
    digits.iter().rev().collect()
}

/// Commas between thousands, or underscores between groups of other bases.
fn grouped(digits: &str, separator: char, size: usize) -> String {
    let mut out = String::new();
    for (index, c) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(c);
    }
    out
}

fn with_int(spec: &Spec, whole: i128, base: u128, prefix: &str, upper: bool) -> String {
    let mut body = in_base(whole.unsigned_abs(), base);
    if upper {
        body = body.to_uppercase();
    }
    if let Some(separator) = spec.grouping {
        body = grouped(&body, separator, if base == 10 { 3 } else { 4 });
    }
    let sign = format!("{}{}", sign_of(spec, whole < 0), if spec.alternate { prefix } else { "" });
    let body = zero_filled(spec, &sign, body);
    spec.pad(&sign, &body, '>')
}

/// With zeros to the width, which are grouped too.
fn zero_filled(spec: &Spec, sign: &str, body: String) -> String {
    let Some(separator) = spec.grouping.filter(|_| spec.zero && spec.align.is_none()) else { return body };
    let (whole, fraction) = body.split_once('.').map_or((body.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut digits: String = whole.chars().filter(|c| *c != separator).collect();
    loop {
        let candidate = format!("{}{fraction}", grouped(&digits, separator, 3));
        if sign.len() + candidate.len() >= spec.width {
            return candidate;
        }
        digits.insert(0, '0');
    }
}

fn with_fraction(spec: &Spec, number: &Number) -> String {
    let negative = match number {
        Number::Int(whole) => *whole < 0,
        Number::Float(fraction) => fraction.is_sign_negative() && !fraction.is_nan(),
        Number::Decimal(decimal) => decimal.is_negative(),
    };
    let mut body = match (number, spec.kind) {
        (Number::Float(fraction), _) if !fraction.is_finite() => if fraction.is_nan() { "nan" } else { "inf" }.to_owned(),
        (Number::Decimal(decimal), None) if spec.precision.is_none() => decimal.abs().to_string(),
        (Number::Float(fraction), None) if spec.precision.is_none() => number::float_text(fraction.abs()),
        (_, Some('f' | 'F')) => fixed(number, spec.precision.unwrap_or(6)),
        (_, Some('%')) => format!("{}%", fixed(&hundredfold(number), spec.precision.unwrap_or(6))),
        (_, Some('e' | 'E')) => exponential(number.to_f64().abs(), spec.precision.unwrap_or(6)),
        (_, kind) => general(number.to_f64().abs(), spec.precision.unwrap_or(6), spec.alternate, kind.is_none()),
    };
    if matches!(spec.kind, Some('E' | 'G' | 'F')) {
        body = body.to_uppercase();
    }
    if let Some(separator) = spec.grouping {
        let end = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
        let (whole, rest) = body.split_at(end);
        body = format!("{}{rest}", grouped(whole, separator, 3));
    }
    let sign = sign_of(spec, negative);
    let body = zero_filled(spec, sign, body);
    spec.pad(sign, &body, '>')
}

fn hundredfold(number: &Number) -> Number {
    match number {
        Number::Int(whole) => Number::Int(whole.saturating_mul(100)),
        Number::Float(fraction) => Number::Float(fraction * 100.0),
        Number::Decimal(decimal) => Number::Decimal(decimal.mul(&Decimal::from_int(100))),
    }
}

/// Digits without exponent, without the sign.
fn fixed(number: &Number, precision: usize) -> String {
    let exponent = -i64::try_from(precision).unwrap_or(0);
    match number {
        Number::Decimal(decimal) => decimal.abs().quantized(exponent, Rounding::HalfEven).plain(),
        Number::Int(whole) => Decimal::from_int(*whole).abs().quantized(exponent, Rounding::HalfEven).plain(),
        Number::Float(fraction) => format!("{:.*}", precision.min(1_000), fraction.abs()),
    }
}

fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.*e}", precision.min(1_000));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// Fixed or exponential, whichever is shorter; `whole` keeps one digit behind the point, as `str` does.
fn general(value: f64, precision: usize, keep_zeros: bool, whole: bool) -> String {
    let precision = precision.max(1);
    let scientific = exponential(value, precision - 1);
    let exponent: i64 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let limit = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(whole);
    let trim = |text: &str| {
        if keep_zeros || !text.contains('.') { text.to_owned() } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
    };
    if value != 0.0 && (exponent < -4 || exponent >= limit) {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{exponent}", trim(mantissa));
    }
    let places = usize::try_from(i64::try_from(precision).unwrap_or(0) - 1 - exponent).unwrap_or(0);
    let text = trim(&format!("{value:.places$}"));
    if whole && !text.contains('.') { format!("{text}.0") } else { text }
}

/// `format % values`
pub(in crate::jinja) fn percent(format: &str, values: &Value) -> Result<String, Error> {
    let given: Vec<Value> = if values.is_tuple() { values.try_iter()?.collect() } else { vec![values.clone()] };
    let mut rest = given.into_iter();
    let mut named = false;
    let mut out = String::with_capacity(format.len());
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut key = None;
        if chars.next_if_eq(&'(').is_some() {
            let name: String = chars.by_ref().take_while(|c| *c != ')').collect();
            named = true;
            key = Some(name);
        }
        let mut next = || rest.next().ok_or_else(|| operation("the format has more places than values are given"));
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | ' ' | '0' | '#')) {
            match flag {
                '-' => spec.align = Some('<'),
                '0' => spec.zero = true,
                '#' => spec.alternate = true,
                sign => spec.sign = Some(if spec.sign == Some('+') { '+' } else { sign }),
            }
        }
        spec.width = star_or_digits(&mut chars, &mut next)?.unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(star_or_digits(&mut chars, &mut next)?.unwrap_or(0));
        }
        while chars.next_if(|c| matches!(c, 'l' | 'h' | 'L')).is_some() {}
        let kind = chars.next().ok_or_else(|| operation("the format ends within a place"))?;
        let value = match key {
            Some(key) if values.kind() == ValueKind::Map => values.get_item(&Value::from(key))?,
            Some(_) => return Err(operation("a format with names takes a dictionary")),
            None => next()?,
        };
        out.push_str(&one_percent(spec, kind, &value)?);
    }
    if !named && rest.next().is_some() && values.kind() != ValueKind::Map {
        return Err(operation("more values are given than the format has places"));
    }
    Ok(out)
}

fn star_or_digits(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    next: &mut impl FnMut() -> Result<Value, Error>,
) -> Result<Option<usize>, Error> {
    if chars.next_if_eq(&'*').is_none() {
        return digits(chars);
    }
    let width = next()?.as_usize().filter(|width| *width <= WIDEST);
    width.map(Some).ok_or_else(|| operation("'*' in a format takes a small integer"))
}

fn one_percent(mut spec: Spec, kind: char, value: &Value) -> Result<String, Error> {
    if spec.align.is_some() {
        spec.zero = false;
    }
    let number =
        || number::of(value).ok_or_else(|| operation(format!("'%{kind}' takes a number, not {}", super::with_article(type_name(value)))));
    match kind {
        's' | 'r' | 'a' => {
            let text = if kind == 's' { printed(value) } else { repr(value) };
            let cut: String = spec.precision.map_or_else(|| text.clone(), |most| text.chars().take(most).collect());
            spec.zero = false;
            Ok(spec.pad("", &cut, '>'))
        }
        'c' => {
            let text = match value.as_i64() {
                Some(code) => u32::try_from(code).ok().and_then(char::from_u32).map(String::from),
                None => value.as_str().filter(|text| text.chars().count() == 1).map(str::to_owned),
            };
            spec.zero = false;
            text.map(|text| spec.pad("", &text, '>')).ok_or_else(|| operation("'%c' takes one character"))
        }
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let whole = match number()? {
                Number::Int(whole) => whole,
                Number::Float(fraction) if matches!(kind, 'd' | 'i' | 'u') => fraction.trunc() as i128,
                Number::Decimal(decimal) if matches!(kind, 'd' | 'i' | 'u') => {
                    decimal.to_int(Rounding::Down).ok_or_else(|| operation("the number is too large"))?
                }
                _ => return Err(operation(format!("'%{kind}' takes an integer"))),
            };
            let (base, prefix) = match kind {
                'x' => (16, "0x"),
                'X' => (16, "0X"),
                'o' => (8, "0o"),
                _ => (10, ""),
            };
            let least = spec.precision.take().unwrap_or(0);
            if least == 0 {
                return Ok(with_int(&spec, whole, base, prefix, kind == 'X'));
            }
            let digits = in_base(whole.unsigned_abs(), base);
            Ok(spec.pad(sign_of(&spec, whole < 0), &format!("{digits:0>least$}"), '>'))
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            // The sign makes binary fractions of its values.
            let value = Number::Float(number()?.to_f64());
            spec.kind = Some(kind);
            Ok(with_fraction(&spec, &value))
        }
        _ => Err(operation(format!("'%{kind}' is no place that Python's formats know"))),
    }
}

/// `format.format(…)`
pub(in crate::jinja) fn braces(format: &str, args: &[Value]) -> Result<String, Error> {
    let (positional, named) = split_args(args);
    let mut given = Given { positional, named: &named, next: 0 };
    filled(format, &mut given, 0)
}

struct Given<'a> {
    positional: &'a [Value],
    named: &'a [(Value, Value)],
    next: usize,
}

fn filled(format: &str, given: &mut Given<'_>, depth: usize) -> Result<String, Error> {
    let mut out = String::with_capacity(format.len());
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => out.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => out.push('}'),
            '}' => return Err(operation("the format has a single '}'")),
            '{' => {
                let mut open = 1;
                let mut field = String::new();
                for c in chars.by_ref() {
                    open += i32::from(c == '{') - i32::from(c == '}');
                    if open == 0 {
                        break;
                    }
                    field.push(c);
                }
                if open != 0 {
                    return Err(operation("the format has a single '{'"));
                }
                out.push_str(&field_text(&field, given, depth)?);
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

fn field_text(field: &str, given: &mut Given<'_>, depth: usize) -> Result<String, Error> {
    let end = field.find([':', '!']).unwrap_or(field.len());
    // A key in brackets may hold the colon.
    let end = match field.find('[') {
        Some(open) if open < end => {
            let close = field.find(']').unwrap_or(end);
            field.get(close..).and_then(|rest| rest.find([':', '!'])).map_or(field.len(), |at| close + at)
        }
        _ => end,
    };
    let (name, rest) = field.split_at(end);
    let value = given.value(name)?;
    let (conversion, spec) = match rest.strip_prefix('!') {
        Some(rest) => {
            let kind = rest.chars().next();
            (kind, rest.get(1..).unwrap_or("").strip_prefix(':').unwrap_or(""))
        }
        None => (None, rest.strip_prefix(':').unwrap_or("")),
    };
    let value = match conversion {
        None => value,
        Some('r' | 'a') => Value::from(repr(&value)),
        Some('s') => Value::from(printed(&value)),
        Some(other) => return Err(operation(format!("'!{other}' is no conversion; there are !s, !r and !a"))),
    };
    if spec.contains('{') {
        if depth > 0 {
            return Err(operation("places of a format are nested too deeply"));
        }
        let spec = filled(spec, given, depth + 1)?;
        return formatted(&value, &spec);
    }
    formatted(&value, spec)
}

impl Given<'_> {
    fn value(&mut self, name: &str) -> Result<Value, Error> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let number = if first.is_empty() {
            self.next += 1;
            Some(self.next - 1)
        } else {
            first.parse::<usize>().ok()
        };
        let found = match number {
            Some(number) => self.positional.get(number),
            None => self.named.iter().find(|(key, _)| key.as_str() == Some(first)).map(|(_, value)| value),
        };
        let mut value = found.cloned().ok_or_else(|| match number {
            Some(number) => operation(format!("the format has a place for value {}, but {} are given", number + 1, self.positional.len())),
            None => operation(format!("the format has a place '{first}', for which no value is given")),
        })?;
        while !path.is_empty() {
            if let Some(rest) = path.strip_prefix('[') {
                let (key, rest) = rest.split_once(']').ok_or_else(|| operation("the format lacks a ']'"))?;
                let key = key.parse::<i64>().map_or_else(|_| Value::from(key), Value::from);
                value = value.get_item(&key)?;
                path = rest;
            } else {
                let rest = path.strip_prefix('.').unwrap_or(path);
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (key, rest) = rest.split_at(end);
                value = value.get_attr(key)?;
                path = rest;
            }
        }
        Ok(value)
    }
}
