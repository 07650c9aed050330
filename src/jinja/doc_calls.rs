//! The doc blocks that a description takes in, by its `doc()` calls with constant names.

use std::sync::Arc;

use super::templates::Shared;
use crate::base::UniqueId;

/// Ids of the doc blocks, in the order of the calls. A name that is computed is not seen.
pub(super) fn doc_ids(shared: &Shared, package: &Arc<str>, text: &str) -> Vec<UniqueId> {
    let calls = text.match_indices("doc(").filter(|(at, _)| !text.get(..*at).is_some_and(|before| before.ends_with(is_name)));
    calls.filter_map(|(at, call)| arguments(text.get(at + call.len()..)?)).filter_map(|found| resolve(shared, package, &found)).collect()
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '.'
}

/// The texts in quotes up to the closing parenthesis.
fn arguments(rest: &str) -> Option<Vec<&str>> {
    let inside = rest.get(..rest.find(')')?)?;
    inside.split(',').map(|argument| argument.trim().strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])).collect()
}

fn resolve(shared: &Shared, package: &Arc<str>, arguments: &[&str]) -> Option<UniqueId> {
    let id = |package: &str, name: &str| -> Option<UniqueId> {
        shared.docs.contains_key(&(package.into(), name.to_owned())).then(|| format!("doc.{package}.{name}").into())
    };
    let anywhere = |name: &str| shared.docs.keys().find(|(_, held)| held == name).and_then(|(package, name)| id(package, name));
    match arguments {
        [name] => id(package, name).or_else(|| id(&shared.root, name)).or_else(|| anywhere(name)),
        [package, name] => id(package, name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_their_constant_names() {
        assert_eq!(arguments("'a') }}"), Some(vec!["a"]));
        assert_eq!(arguments(" \"p\", 'a' ) and more"), Some(vec!["p", "a"]));
        assert_eq!(arguments("name)"), None);
        assert_eq!(arguments("'a'"), None);
    }
}
