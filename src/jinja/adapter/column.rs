//! dbt's `Column`: a name and a type, with what macros ask of them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, from_args};
use minijinja::{Error, State, Value};

use super::arguments::{Arguments, no_method};
use crate::base::quote_ident;
use crate::diag::codes;
use crate::jinja::failure::raise;

const INTEGERS: [&str; 24] = [
    "bigint",
    "bigserial",
    "hugeint",
    "int",
    "int1",
    "int2",
    "int4",
    "int8",
    "integer",
    "long",
    "serial",
    "serial2",
    "serial4",
    "serial8",
    "short",
    "signed",
    "smallint",
    "smallserial",
    "tinyint",
    "ubigint",
    "uhugeint",
    "uinteger",
    "usmallint",
    "utinyint",
];
const FLOATS: [&str; 6] = ["double", "double precision", "float", "float4", "float8", "real"];
const NUMERICS: [&str; 2] = ["decimal", "numeric"];
const STRINGS: [&str; 6] = ["bpchar", "char", "character", "character varying", "text", "varchar"];

/// The size that dbt takes a text to have where none is said.
const SIZE_OF_TEXT: i64 = 256;

const METHODS: [&str; 13] = [
    "can_expand_to",
    "create",
    "is_float",
    "is_integer",
    "is_number",
    "is_numeric",
    "is_string",
    "literal",
    "numeric_type",
    "replace",
    "string_size",
    "string_type",
    "translate_type",
];

/// A column; sizes are those that its type names in parentheses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::jinja) struct ColumnValue {
    name: String,
    dtype: String,
    char_size: Option<i64>,
    precision: Option<i64>,
    scale: Option<i64>,
}

impl ColumnValue {
    /// A column as the engine describes it: sizes in parentheses are taken off the types that have them.
    pub(super) fn described(name: &str, data_type: &str) -> ColumnValue {
        let plain = || ColumnValue { name: name.to_owned(), dtype: data_type.to_owned(), char_size: None, precision: None, scale: None };
        let Some((base, inside)) = data_type.strip_suffix(')').and_then(|rest| rest.split_once('(')) else { return plain() };
        let base = base.trim_end();
        let numbers: Option<Vec<i64>> = inside.split(',').map(|number| number.trim().parse().ok()).collect();
        let is = |types: &[&str]| types.contains(&base.to_lowercase().as_str());
        match numbers.as_deref() {
            Some([size]) if is(&STRINGS) => ColumnValue { dtype: base.to_owned(), char_size: Some(*size), ..plain() },
            Some([precision, scale]) if is(&NUMERICS) => {
                ColumnValue { dtype: base.to_owned(), precision: Some(*precision), scale: Some(*scale), ..plain() }
            }
            _ => plain(),
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn is_one_of(&self, types: &[&str]) -> bool {
        types.contains(&self.dtype.to_lowercase().as_str())
    }

    fn is_string(&self) -> bool {
        self.is_one_of(&STRINGS)
    }

    pub(super) fn string_size(&self) -> Result<i64, Error> {
        if !self.is_string() {
            return Err(raise(&codes::WRONG_ARGUMENTS, format!("column '{}' is {}, which has no size of a text", self.name, self.dtype)));
        }
        Ok(self.char_size.unwrap_or(SIZE_OF_TEXT))
    }

    /// Whether the values of the other column need a longer text.
    pub(super) fn can_expand_to(&self, other: &ColumnValue) -> Result<bool, Error> {
        Ok(self.is_string() && other.is_string() && other.string_size()? > self.string_size()?)
    }

    fn data_type(&self) -> String {
        match (self.char_size, self.precision, self.scale) {
            (Some(size), _, _) if self.is_string() => format!("{}({size})", self.dtype),
            (_, Some(precision), Some(scale)) if self.is_one_of(&NUMERICS) => format!("{}({precision},{scale})", self.dtype),
            _ => self.dtype.clone(),
        }
    }
}

/// As Python shows an object of a data class.
impl fmt::Debug for ColumnValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<i64>| number.map_or_else(|| "None".to_owned(), |number| number.to_string());
        write!(
            f,
            "Column(column='{}', dtype='{}', char_size={}, numeric_precision={}, numeric_scale={})",
            self.name,
            self.dtype,
            number(self.char_size),
            number(self.precision),
            number(self.scale)
        )
    }
}

impl Object for ColumnValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let number = |number: Option<i64>| number.map_or(Value::from(()), Value::from);
        Some(match key.as_str()? {
            "name" | "column" => Value::from(self.name.as_str()),
            "quoted" => Value::from(quote_ident(&self.name)),
            "dtype" => Value::from(self.dtype.as_str()),
            "data_type" | "expanded_data_type" => Value::from(self.data_type()),
            "char_size" => number(self.char_size),
            "numeric_precision" => number(self.precision),
            "numeric_scale" => number(self.scale),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some((**self).cmp(other.downcast_ref::<ColumnValue>()?))
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        Ok(match method {
            "is_integer" => Value::from(self.is_one_of(&INTEGERS)),
            "is_float" => Value::from(self.is_one_of(&FLOATS)),
            "is_numeric" => Value::from(self.is_one_of(&NUMERICS)),
            "is_number" => Value::from([&INTEGERS[..], &FLOATS, &NUMERICS].iter().any(|types| self.is_one_of(types))),
            "is_string" => Value::from(self.is_string()),
            "string_size" => Value::from(self.string_size()?),
            "can_expand_to" => {
                let other = args.first().and_then(Value::downcast_object_ref::<ColumnValue>);
                let other = other.ok_or_else(|| raise(&codes::WRONG_ARGUMENTS, "can_expand_to() takes a column"))?;
                Value::from(self.can_expand_to(other)?)
            }
            "literal" => {
                let (value,): (Value,) = from_args(args)?;
                Value::from(format!("{value}::{}", self.data_type()))
            }
            _ => return class_method(method, args),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// What both `api.Column` and a column of it can do.
pub(super) fn class_method(method: &str, args: &[Value]) -> Result<Value, Error> {
    let arguments = Arguments::new(args);
    let number = |index: usize, name: &str| arguments.get(index, &[name]).and_then(|value| value.as_i64());
    Ok(match method {
        "create" => {
            let (name, label) = (arguments.text(0, &["name"]), arguments.text(1, &["label_or_dtype"]));
            let column = ColumnValue::described(&name.unwrap_or_default(), "");
            ColumnValue { dtype: translate_type(&label.unwrap_or_default()), ..column }.into_value()
        }
        "from_description" => {
            let (name, raw) = (arguments.text(0, &["name"]), arguments.text(1, &["raw_data_type"]));
            ColumnValue::described(&name.unwrap_or_default(), &raw.unwrap_or_default()).into_value()
        }
        "translate_type" => Value::from(translate_type(&arguments.text(0, &["dtype"]).unwrap_or_default())),
        "string_type" => Value::from(string_type(number(0, "size").unwrap_or(SIZE_OF_TEXT))),
        "numeric_type" => {
            let name = arguments.text(0, &["dtype"]).unwrap_or_default();
            Value::from(match (number(1, "precision"), number(2, "scale")) {
                (Some(precision), Some(scale)) => format!("{name}({precision},{scale})"),
                _ => name,
            })
        }
        _ => return Err(no_method("api.Column", method, &METHODS)),
    })
}

/// A column of given parts: `api.Column(…)`.
pub(super) fn new_column(args: &[Value]) -> Value {
    let arguments = Arguments::new(args);
    let number = |index: usize, name: &str| arguments.get(index, &[name]).and_then(|value| value.as_i64());
    let column = ColumnValue {
        name: arguments.text(0, &["column", "name"]).unwrap_or_default(),
        dtype: arguments.text(1, &["dtype", "data_type"]).unwrap_or_default(),
        char_size: number(2, "char_size"),
        precision: number(3, "numeric_precision"),
        scale: number(4, "numeric_scale"),
    };
    column.into_value()
}

pub(super) fn string_type(size: i64) -> String {
    format!("character varying({size})")
}

/// The type that stands for a general word, as dbt spells it; any other name is a type already.
fn translate_type(label: &str) -> String {
    if label.eq_ignore_ascii_case("string") { "TEXT".to_owned() } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_as_engines_describe_them() {
        let parts = |data_type: &str| {
            let column = ColumnValue::described("c", data_type);
            (column.dtype.clone(), column.char_size.or(column.precision), column.scale, column.data_type() == data_type)
        };
        for (data_type, dtype, first, second) in [
            ("character varying(20)", "character varying", Some(20), None),
            ("numeric(10,2)", "numeric", Some(10), Some(2)),
            ("DECIMAL(18,3)", "DECIMAL", Some(18), Some(3)),
            ("timestamp(3) without time zone", "timestamp(3) without time zone", None, None),
            ("STRUCT(a DECIMAL(9,2))", "STRUCT(a DECIMAL(9,2))", None, None),
            ("text", "text", None, None),
        ] {
            assert_eq!(parts(data_type), (dtype.to_owned(), first, second, true), "{data_type}");
        }
    }
}
