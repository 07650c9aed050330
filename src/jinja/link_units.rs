//! Links unit tests: which nodes their inputs are, and whether they can be run.

use super::calls::find_call;
use super::templates::Templates;
use crate::base::{Sources, UniqueId};
use crate::diag::{Diagnostic, Severity, codes};
use crate::project::{Detail, InputCall, Manifest, Node, UnitInput, UnitTest, Unresolved};

impl Templates {
    /// Finds the nodes of all inputs.
    pub(super) fn link_unit_tests(&self, manifest: &mut Manifest, sources: &Sources) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let mut linked = Vec::new();
        for (number, node) in manifest.nodes.iter().enumerate() {
            let Detail::UnitTest(test) = &node.detail else { continue };
            let mut test = test.clone();
            for input in &mut test.given {
                match self.input_node(node, &test.tested, input, manifest) {
                    Ok(found) => input.node = found,
                    Err(problem) => problems.push(*problem),
                }
            }
            if let Some(model) = manifest.node(&test.tested) {
                problems.extend(check(node, &test, model, sources));
            }
            linked.push((number, test));
        }
        for (number, test) in linked {
            if let Some(node) = manifest.nodes.get_mut(number) {
                node.detail = Detail::UnitTest(test);
            }
        }
        problems
    }

    fn input_node(
        &self,
        node: &Node,
        tested: &UniqueId,
        input: &UnitInput,
        manifest: &Manifest,
    ) -> Result<Option<UniqueId>, Box<Diagnostic>> {
        let root = &self.shared.root;
        let found = match &input.reads {
            // What was wrong with the call has been said.
            None => return Ok(None),
            Some(InputCall::This) => return Ok(Some(tested.clone())),
            Some(InputCall::Ref(call)) => manifest.resolve_ref(call, &node.package, root),
            Some(InputCall::Source(call)) => manifest.resolve_source(call, &node.package, root),
        };
        let message = match found {
            Ok(number) => return Ok(manifest.nodes.get(number).map(|read| read.id.clone())),
            Err(Unresolved::Unknown) => format!("the input {} of unit test '{}' names nothing", input.call, node.name),
            Err(Unresolved::Disabled(id)) => {
                format!("the input {} of unit test '{}' names '{id}', which is disabled", input.call, node.name)
            }
            Err(Unresolved::Ambiguous(ids)) => {
                format!("the input {} of unit test '{}' may be any of {}", input.call, node.name, ids.join(", "))
            }
        };
        let problem = Diagnostic::new(&codes::INVALID_UNIT_TEST, message).at(input.span);
        Err(Box::new(match &input.reads {
            Some(InputCall::Ref(call)) => problem.did_you_mean(&call.name, manifest.refable_names()),
            _ => problem,
        }))
    }
}

fn check(node: &Node, test: &UnitTest, model: &Node, sources: &Sources) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let invalid = |message: String| Diagnostic::new(&codes::INVALID_UNIT_TEST, message);
    for input in test.given.iter().filter(|input| input.reads != Some(InputCall::This)) {
        if let Some(read) = input.node.as_ref().filter(|read| !model.depends_on.contains(read) && **read != test.tested) {
            let mut problem = invalid(format!("unit test '{}' has rows for '{read}', which '{}' does not read", node.name, model.name));
            problem.severity = Severity::Warning;
            problems.push(problem.at(input.span).help("remove this input"));
        }
    }
    let asks = model.body.is_some_and(|body| find_call(sources.text(body), "is_incremental", &[]).is_some());
    if asks && test.incremental().is_none() {
        let message = format!("'{}' asks is_incremental(), and unit test '{}' does not say whether it is", model.name, node.name);
        problems.push(invalid(message).at(test.model_span).help("add 'overrides: {macros: {is_incremental: true}}', or false"));
    }
    if asks && test.incremental() == Some(true) && !test.given.iter().any(|input| input.reads == Some(InputCall::This)) {
        let message = format!("unit test '{}' runs '{}' incrementally and has no input for the rows that are there", node.name, model.name);
        problems.push(invalid(message).at(test.model_span).help("add '- input: this' with its rows under 'given:'"));
    }
    problems
}
