//! Windows: those of OVER, and those that a WINDOW clause names.

use sqlparser::ast::{Expr, Ident, NamedWindowDefinition, NamedWindowExpr, WindowSpec, WindowType};

use super::Inference;
use super::grouping::Grouping;
use super::scope::{Scope, fold};
use crate::analysis::facts::Facts;
use crate::diag::{Diagnostic, codes};

/// A window of a WINDOW clause, with what it takes over from those before it.
pub(super) struct NamedWindow {
    name: String,
    spec: WindowSpec,
    /// What it is parted and ordered by.
    keys: Vec<Facts>,
}

impl Inference<'_> {
    /// Reads a WINDOW clause; what it names is known until the windows that this gives back are put in their place again.
    pub(super) fn name_windows(&mut self, windows: &[NamedWindowDefinition], scope: &Scope<'_>, grouping: &Grouping) -> Vec<NamedWindow> {
        let before = std::mem::take(&mut self.windows);
        for NamedWindowDefinition(name, window) in windows {
            let (spec, keys) = match window {
                NamedWindowExpr::WindowSpec(spec) => {
                    let keys = self.window_keys(spec, scope, grouping);
                    (self.completed(spec), keys)
                }
                NamedWindowExpr::NamedWindow(other) => {
                    let Some(found) = self.named_window(other) else { continue };
                    (found.spec.clone(), found.keys.clone())
                }
            };
            self.windows.push(NamedWindow { name: fold(name), spec, keys });
        }
        before
    }

    /// What the window of a call is parted and ordered by.
    pub(super) fn over(&mut self, over: &WindowType, scope: &Scope<'_>) -> Vec<Facts> {
        match over {
            WindowType::WindowSpec(spec) => self.window_keys(spec, scope, &Grouping::default()),
            WindowType::NamedWindow(name) => self.inherited_keys(Some(name)),
        }
    }

    /// The whole window of a call; `None` when its name means nothing.
    pub(super) fn window_of(&self, over: &WindowType) -> Option<WindowSpec> {
        match over {
            WindowType::WindowSpec(spec) => Some(self.completed(spec)),
            WindowType::NamedWindow(name) => self.named_window(name).map(|window| window.spec.clone()),
        }
    }

    fn window_keys(&mut self, spec: &WindowSpec, scope: &Scope<'_>, grouping: &Grouping) -> Vec<Facts> {
        let mut facts = self.inherited_keys(spec.window_name.as_ref());
        let keys = spec.partition_by.iter().chain(spec.order_by.iter().map(|order| &order.expr));
        facts.extend(keys.map(|key: &Expr| {
            self.check_grouped(key, scope, grouping);
            self.expression(key, scope)
        }));
        facts
    }

    fn inherited_keys(&mut self, name: Option<&Ident>) -> Vec<Facts> {
        let Some(name) = name else { return Vec::new() };
        if let Some(window) = self.named_window(name) {
            return window.keys.clone();
        }
        let known: Vec<String> = self.windows.iter().map(|window| window.name.clone()).collect();
        let problem = Diagnostic::new(&codes::UNKNOWN_RELATION, format!("there is no window '{}' in this query", fold(name)));
        self.find(name.span, problem.did_you_mean(&fold(name), known.iter().map(String::as_str)));
        Vec::new()
    }

    fn named_window(&self, name: &Ident) -> Option<&NamedWindow> {
        self.windows.iter().find(|window| window.name == fold(name))
    }

    /// The window with the parts of that on which it is built.
    fn completed(&self, spec: &WindowSpec) -> WindowSpec {
        let Some(base) = spec.window_name.as_ref().and_then(|name| self.named_window(name)) else { return spec.clone() };
        let order_by = if spec.order_by.is_empty() { base.spec.order_by.clone() } else { spec.order_by.clone() };
        WindowSpec {
            window_name: None,
            partition_by: base.spec.partition_by.iter().chain(&spec.partition_by).cloned().collect(),
            order_by,
            window_frame: spec.window_frame.clone(),
        }
    }
}
