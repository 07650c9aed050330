//! Windows: those of OVER, and those that a WINDOW clause names.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, NamedWindowDefinition, NamedWindowExpr, Query, Spanned, Visit, Visitor, WindowSpec, WindowType};
use sqlparser::tokenizer::Span;

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

/// A window function that stands in the expression itself, not in a subquery of it.
pub(super) fn window_function(expression: &Expr) -> Option<(String, Span)> {
    struct Search(usize);
    impl Visitor for Search {
        type Break = (String, Span);
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<Self::Break> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Self::Break> {
            self.0 -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Self::Break> {
            match expression {
                Expr::Function(call) if self.0 == 0 && call.over.is_some() => {
                    ControlFlow::Break((call.name.to_string().to_lowercase(), call.name.span()))
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expression.visit(&mut Search(0)).break_value()
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
            if let Some((name, span)) = window_function(key) {
                let message = format!("the window function '{name}' cannot stand in the definition of a window");
                let problem = Diagnostic::new(&codes::MISPLACED_AGGREGATE, message);
                self.find(span, problem.help("put it into the list of a subquery, and name it outside"));
            }
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
