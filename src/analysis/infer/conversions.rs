//! Calls of macros that `acca.yml` declares: conversions of units, and what makes personal data anonymous. They are marked in the
//! tree by names that `analysis/units/marks.rs` makes.

use sqlparser::ast::{Expr, Spanned};

use super::scope::Scope;
use super::units::measure;
use super::{Finding, Inference};
use crate::analysis::facts::Facts;
use crate::analysis::units::{Currency, MarkKind, Measure, Unit, read_mark};
use crate::diag::{Diagnostic, codes};

/// A conversion whose text is being walked.
pub(super) struct Running {
    number: usize,
    /// The currency of the arguments, which what it gives has too where its declaration leaves that open.
    currency: Option<Currency>,
    findings: Vec<Finding>,
}

/// What is added up over all currencies, or over several, is not of the one that a conversion wants.
fn takes(given: &Measure, wanted: &Unit) -> bool {
    given.unified(&Measure::from(wanted.clone())).is_ok() && !given.unit().is_some_and(|given| wanted.fixes_mixed(given))
}

impl Inference<'_> {
    /// What a marked macro gives.
    pub(super) fn marked(&mut self, name: &str, inner: &Expr, scope: &Scope<'_>) -> Facts {
        match read_mark(name) {
            Some(MarkKind::Conversion(number)) => self.converted(number, inner, scope),
            Some(MarkKind::Argument(number, parameter)) => self.converted_argument(number, parameter, inner, scope),
            Some(MarkKind::Anonymising) => {
                let mut facts = self.expression(inner, scope);
                facts.meaning.labels.clear();
                facts.meaning.same_as = 0;
                facts
            }
            None => self.expression(inner, scope),
        }
    }

    fn converted(&mut self, number: usize, inner: &Expr, scope: &Scope<'_>) -> Facts {
        let before = self.unit_findings.len();
        self.conversions.push(Running { number, currency: None, findings: Vec::new() });
        let mut facts = self.expression(inner, scope);
        let done = self.conversions.pop();
        // How a conversion is made is its own affair.
        self.unit_findings.truncate(before);
        facts.meaning.same_as = 0;
        let Some(conversion) = self.declarations.conversions.get(number) else { return facts };
        let mut measure = Measure::of(conversion.gives.clone(), Some(conversion.place));
        if let Some(done) = done {
            self.unit_findings.extend(done.findings);
            if let Some(currency) = done.currency {
                let filled = measure.with_currencies(&mut |open| (*open == Currency::Unknown).then(|| currency.clone()));
                measure = filled.unwrap_or(measure);
            }
        }
        facts.measured(measure)
    }

    fn converted_argument(&mut self, number: usize, parameter: &str, inner: &Expr, scope: &Scope<'_>) -> Facts {
        let before = self.unit_findings.len();
        let facts = self.expression(inner, scope);
        let mut findings = self.unit_findings.split_off(before);
        let given = measure(&facts);
        if let Some(conversion) = self.declarations.conversions.get(number)
            && let Some((_, wanted)) = conversion.takes.iter().find(|(name, _)| name == parameter)
            && !takes(&given, wanted)
            && let Some(unit) = given.unit()
        {
            let (unit, wanted, name) = (self.spelled_unit(unit), wanted.to_string(), &conversion.name);
            let message = format!("macro '{name}' takes '{parameter}' in the unit '{wanted}', and it is given '{unit}'");
            let mut problem = Diagnostic::new(&codes::UNIT_MISMATCH, message);
            if let Some(place) = given.declared() {
                problem = problem.also(place, format!("'{unit}' comes from here"));
            }
            let problem = problem.help("call the conversion that is meant for this unit");
            findings.push(Finding::new(problem, self.lines.range(inner.span())));
        }
        if let Some(running) = self.conversions.iter_mut().rev().find(|running| running.number == number) {
            running.findings.extend(findings);
            let currency = given.unit().and_then(|unit| unit.currencies().next().cloned());
            running.currency = running.currency.take().or(currency);
        }
        facts
    }
}
