//! `{% call macro() %} … {% endcall %}` for macros that are templates of their own.
//!
//! The engine evaluates the block only in the state in which it was written, and that state is busy with the call. So the
//! macro's body runs on a second thread and asks the first one, which holds the state, whenever it says `caller()`.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, State, Value};

use super::scope::Scope;
use super::templates::CompiledMacro;
use super::values::{kwargs, operation, split_args};

enum Request {
    Evaluate { args: Vec<Value>, answer: Sender<Result<Value, Error>> },
    Done,
}

/// What a macro sees as `caller`.
struct RemoteCaller(Sender<Request>);

impl fmt::Debug for RemoteCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<caller>")
    }
}

impl Object for RemoteCaller {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (answer, answered) = channel();
        let gone = |_| operation("caller() is called after its block has ended");
        self.0.send(Request::Evaluate { args: args.to_vec(), answer }).map_err(gone)?;
        answered.recv().map_err(|_| operation("caller() is called after its block has ended"))?
    }
}

/// Calls a macro from a template, with or without a block.
pub(super) fn call(scope: &Arc<Scope>, state: &mut State<'_, '_>, definition: &Arc<CompiledMacro>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let Some(block) = named.iter().find(|(key, _)| key.as_str() == Some("caller")).map(|(_, block)| block.clone()) else {
        return scope.call_macro(state.env(), definition, args);
    };
    let (requests, incoming) = channel();
    let remote = Value::from_object(RemoteCaller(requests.clone()));
    let renamed = named.into_iter().map(|(key, value)| {
        let value = if key.as_str() == Some("caller") { remote.clone() } else { value };
        (key.to_string(), value)
    });
    let args: Vec<Value> = positional.iter().cloned().chain([kwargs(renamed)]).collect();
    let env = state.env();
    std::thread::scope(|threads| {
        let body = std::thread::Builder::new().name("acca-call-block".to_owned()).spawn_scoped(threads, move || {
            let done = scope.call_macro(env, definition, &args);
            // Who asked is gone only when this whole render has failed already.
            let _ = requests.send(Request::Done);
            done
        });
        let body = body.map_err(|error| operation(format!("no thread for a call block: {error}")))?;
        while let Ok(Request::Evaluate { args, answer }) = incoming.recv() {
            let _ = answer.send(block.call(state, &args));
        }
        body.join().unwrap_or_else(|_| Err(operation("a call block failed")))
    })
}
