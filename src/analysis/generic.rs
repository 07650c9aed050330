//! What is wrong in the query of a generic test, said where the test is written: the query itself is a macro's.

use crate::base::Sources;
use crate::diag::{Diagnostic, codes};
use crate::project::{Detail, Manifest, Node};

/// The findings in the words of whoever wrote the test: which it is and on what, each kind once, and no macro that acca brings along.
pub(super) fn of_test(node: &Node, problems: Vec<Diagnostic>, manifest: &Manifest, sources: &Sources) -> Vec<Diagnostic> {
    let Detail::GenericTest(test) = &node.detail else { return problems };
    let attached = manifest
        .number(&test.attached)
        .and_then(|number| manifest.nodes.get(number))
        .map_or_else(|| node.name.clone(), |attached| attached.name.clone());
    let on = match &test.column {
        Some(column) => format!("column '{}' of '{attached}'", column.trim_matches('"')),
        None => format!("'{attached}'"),
    };
    let mut told: Vec<Diagnostic> = Vec::new();
    for mut problem in problems {
        // It is said of the source, by whoever reads it.
        if problem.code == &codes::UNKNOWN_TYPE {
            told.push(problem);
            continue;
        }
        let is_same = |other: &Diagnostic| other.code == problem.code && other.primary == problem.primary;
        // A list of values of another type is one mistake, however long it is.
        if told.iter().any(is_same) {
            continue;
        }
        problem.message = format!("the test '{}' on {on}: {}", test.test, problem.message);
        problem.secondary.retain(|label| !sources.path(label.span.file).starts_with("<acca>"));
        told.push(problem);
    }
    told
}
