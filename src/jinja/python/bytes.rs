//! Python's bytes, as far as templates meet them: what `encode()` gives.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::no_method;
use crate::jinja::values::operation;

pub(in crate::jinja) struct Bytes(pub(in crate::jinja) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b'")?;
        for byte in &self.0 {
            match byte {
                b'\'' => f.write_str("\\'")?,
                b'\\' => f.write_str("\\\\")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\t' => f.write_str("\\t")?,
                0x20..0x7f => write!(f, "{}", char::from(*byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_str("'")
    }
}

impl Object for Bytes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, _args: &[Value]) -> Result<Value, Error> {
        match method {
            "decode" => {
                let text = std::str::from_utf8(&self.0).map_err(|_| operation("the bytes are not UTF-8"))?;
                Ok(Value::from(text))
            }
            "hex" => Ok(Value::from(self.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())),
            _ => Err(no_method(&Value::from_dyn_object(self.clone()), method, &["decode", "hex"])),
        }
    }
}
