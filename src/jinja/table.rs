//! The result of a query as templates see it: rows, columns and cells by number or name.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::values::{Dict, List};
use super::warehouse::StatementResult;

/// Rows with named columns.
pub(super) struct ResultTable {
    names: Arc<Vec<String>>,
    rows: Vec<Arc<Vec<Value>>>,
}

#[derive(Debug)]
struct Row {
    names: Arc<Vec<String>>,
    cells: Arc<Vec<Value>>,
}

#[derive(Debug)]
struct Columns(Arc<ResultTable>);

#[derive(Debug)]
struct Column {
    name: String,
    cells: Vec<Value>,
}

impl ResultTable {
    pub(super) fn new(result: &StatementResult) -> ResultTable {
        let of_type = |at: usize| result.types.get(at).map_or("", String::as_str);
        let cells =
            |row: &Vec<serde_json::Value>| row.iter().enumerate().map(|(at, cell)| super::python::cell(cell, of_type(at))).collect();
        let rows = result.rows.iter().map(|row| Arc::new(cells(row))).collect();
        ResultTable { names: Arc::new(result.columns.clone()), rows }
    }

    fn row(&self, index: usize) -> Option<Value> {
        let cells = self.rows.get(index)?.clone();
        Some(Value::from_object(Row { names: self.names.clone(), cells }))
    }

    fn all_rows(&self) -> Vec<Value> {
        (0..self.rows.len()).filter_map(|index| self.row(index)).collect()
    }

    fn column(&self, index: usize) -> Option<Value> {
        let name = self.names.get(index)?.clone();
        let cells = self.rows.iter().filter_map(|row| row.get(index).cloned()).collect();
        Some(Value::from_object(Column { name, cells }))
    }
}

impl fmt::Debug for ResultTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<table of {} rows: {}>", self.rows.len(), self.names.join(", "))
    }
}

/// The position that a key means: a number, or a name without regard to letter case.
fn position(names: &[String], key: &Value) -> Option<usize> {
    match key.as_str() {
        Some(name) => names.iter().position(|held| held == name).or_else(|| names.iter().position(|held| held.eq_ignore_ascii_case(name))),
        None => key.as_usize(),
    }
}

impl Object for ResultTable {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("rows") => Some(List::value(self.all_rows())),
            Some("columns") => Some(Value::from_object(Columns(self.clone()))),
            Some("column_names") => Some(List::value(self.names.iter().map(|name| Value::from(name.as_str())))),
            Some(_) => None,
            None => self.row(key.as_usize()?),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.all_rows())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.rows.len())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, _args: &[Value]) -> Result<Value, Error> {
        match method {
            "print_table" | "print_csv" => Ok(Value::from(())),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

impl Object for Columns {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.column(position(&self.0.names, key)?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values((0..self.0.names.len()).filter_map(|index| self.0.column(index)).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.names.len())
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let names = || self.0.names.iter().map(|name| Value::from(name.as_str()));
        let columns = || (0..self.0.names.len()).filter_map(|index| self.0.column(index));
        match method {
            "keys" => Ok(List::value(names())),
            "values" => Ok(List::value(columns())),
            "items" => Ok(List::value(names().zip(columns()).map(|(name, column)| List::value([name, column])))),
            "dict" => Ok(Dict::value(names().zip(columns()))),
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self.get_value(&key).or(default).unwrap_or(Value::from(())))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

impl Object for Column {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("name") => Some(Value::from(self.name.as_str())),
            Some(_) => None,
            None => self.cells.get(key.as_usize()?).cloned(),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.cells.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.cells.len())
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, _args: &[Value]) -> Result<Value, Error> {
        match method {
            "values" => Ok(List::value(self.cells.iter().cloned())),
            "values_distinct" => {
                let mut seen: Vec<Value> = Vec::new();
                for cell in &self.cells {
                    if !seen.contains(cell) {
                        seen.push(cell.clone());
                    }
                }
                Ok(List::value(seen))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

impl Object for Row {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.cells.get(position(&self.names, key)?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.cells.to_vec())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.cells.len())
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let names = || self.names.iter().map(|name| Value::from(name.as_str()));
        match method {
            "values" => Ok(List::value(self.cells.iter().cloned())),
            "keys" => Ok(List::value(names())),
            "items" => Ok(List::value(names().zip(self.cells.iter().cloned()).map(|(name, cell)| List::value([name, cell])))),
            "dict" => Ok(Dict::value(names().zip(self.cells.iter().cloned()))),
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self.get_value(&key).or(default).unwrap_or(Value::from(())))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_by_number_and_name() {
        let result = StatementResult {
            columns: vec!["ID".into(), "name".into()],
            types: Vec::new(),
            rows: vec![vec![1.into(), "a".into()], vec![2.into(), "b".into()]],
            rows_affected: 0,
        };
        let table = Value::from_object(ResultTable::new(&result));
        let text = "{{ t.columns[1].values() }} {{ t.rows[0]['id'] }} {% for r in t %}{{ r.name }}{{ r[0] }} {% endfor %}\
                    {{ t.column_names }} {{ t | length }} {{ t.columns['name'][1] }} {{ t[0][1] }}\
                    {% for name, column in t.columns.items() %} {{ name }}={{ column.values() }}{% endfor %}";
        let rendered = minijinja::Environment::new().render_str(text, minijinja::context! { t => table }).unwrap();
        assert_eq!(rendered, "['a', 'b'] 1 a1 b2 ['ID', 'name'] 2 b a ID=[1, 2] name=['a', 'b']");
    }
}
