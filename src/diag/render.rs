//! Draws diagnostics for a terminal.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::masking::masked;
use super::{Diagnostic, Diagnostics, Label, Severity};
use crate::base::Sources;

/// The diagnostic as text, source lines included. `colour` adds terminal colours; `width` is the terminal's.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, colour: bool, width: usize) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width.max(40));
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.name));
    if let Some(primary) = &diagnostic.primary {
        group = group.element(snippet(primary, AnnotationKind::Primary, sources));
    }
    for label in &diagnostic.secondary {
        group = group.element(snippet(label, AnnotationKind::Context, sources));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group]).to_string()
}

fn snippet<'a>(label: &'a Label, kind: AnnotationKind, sources: &'a Sources) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let file = sources.file(label.span.file);
    let mut annotation = kind.span(file.characters(label.span.range()));
    if !label.text.is_empty() {
        annotation = annotation.label(label.text.as_str());
    }
    Snippet::source(masked(&file.path, &file.text)).path(&*file.path).annotation(annotation)
}

/// `2 errors, 1 warning`; empty when there is neither.
pub fn summary(diagnostics: &Diagnostics) -> String {
    let count = |severity: Severity| match diagnostics.count(severity) {
        0 => None,
        1 => Some(format!("1 {}", severity.as_str())),
        many => Some(format!("{many} {}s", severity.as_str())),
    };
    [count(Severity::Error), count(Severity::Warning)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::diag::codes;

    #[test]
    fn a_password_on_the_line_is_not_drawn() {
        let mut sources = Sources::default();
        let file = sources.add("profiles.yml", "dev: {type: postgres, password: \"secretpw\", port: 1}\n");
        let problem = Diagnostic::new(&codes::INVALID_PROFILE, "no connection").at(Span::new(file, 0, 3));
        let drawn = render(&problem, &sources, false, 100);
        assert!(drawn.contains("dev: {type: postgres, password: **********, port: 1}"), "{drawn}");
    }
}
