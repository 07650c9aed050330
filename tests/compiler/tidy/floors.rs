//! Which module stands on which floor, and the edges that break the order.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::rust::{block, is_word, line_of};

/// Every module at the root of the library and its floor, as the table in ARCHITECTURE.md has them: `| 2 | \`project\` | …`.
static FLOORS: LazyLock<BTreeMap<String, u8>> = LazyLock::new(|| {
    let row = regex::Regex::new(r"(?m)^\| (\d) \| `([a-z_]+)` \| ").unwrap();
    let rows = row.captures_iter(include_str!("../../../ARCHITECTURE.md"));
    rows.map(|row| (row[2].to_owned(), row[1].parse().unwrap())).collect()
});

fn floor(module: &str) -> Option<u8> {
    FLOORS.get(module).copied()
}

/// The floor that a file of the library stands on; `None` for the crate root and the binaries, which may use everything.
pub fn floor_of(path: &str) -> Option<u8> {
    floor(&module_path(path)?[0])
}

/// The module that a file of the library is: `src/a/b.rs` and `src/a/b/mod.rs` are `["a", "b"]`.
fn module_path(path: &str) -> Option<Vec<String>> {
    let inside = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    if inside == "lib" || inside == "main" || inside.starts_with("bin/") {
        return None;
    }
    let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    Some(parts)
}

/// The edges of one file that go up or aside, one line each. `code` is without comments and texts.
pub fn judge(path: &str, code: &str) -> Vec<String> {
    let Some(module) = module_path(path) else { return Vec::new() };
    let own = &module[0];
    let Some(own_floor) = floor(own) else {
        return vec![format!("{path}: module '{own}' has no floor yet: give it one in ARCHITECTURE.md")];
    };
    let mut broken = Vec::new();
    for (at, target) in targets(code, &module) {
        let line = line_of(code, at);
        match floor(&target) {
            _ if target == *own => {}
            Some(floor) if floor < own_floor => {}
            Some(floor) if floor == own_floor => broken.push(format!("{path}:{line}: {own} uses its sibling {target} (floor {floor})")),
            Some(floor) => broken.push(format!("{path}:{line}: {own} (floor {own_floor}) uses {target} (floor {floor})")),
            None => broken.push(format!("{path}:{line}: {own} uses crate::{target}, which has no floor")),
        }
    }
    broken
}

/// Every module at the crate's root that the code names by `crate::`, `acca::` or enough `super::`, and where.
fn targets(code: &str, module: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for root in ["crate::", "acca::"] {
        for (at, _) in code.match_indices(root) {
            if at == 0 || !is_word(code.as_bytes()[at - 1]) {
                found.extend(first_names(code, at + root.len()));
            }
        }
    }
    let mut after = 0;
    for (at, _) in code.match_indices("super::") {
        if at < after || (at > 0 && is_word(code.as_bytes()[at - 1])) {
            continue;
        }
        let chain = &code[at..];
        let steps = chain.as_bytes().chunks(7).take_while(|chunk| *chunk == b"super::").count();
        after = at + steps * 7;
        // Modules written inside a file (mostly `mod tests`) add a step that ends in the file itself.
        if steps >= module.len() + inline_depth(code, at) {
            found.extend(first_names(code, after));
        }
    }
    found
}

/// How many inline modules enclose the place.
fn inline_depth(code: &str, at: usize) -> usize {
    let keyword = regex::Regex::new(r"\bmod\s+[a-z_0-9]+\s*\{").unwrap();
    let enclosing = keyword.find_iter(code).filter_map(|found| block(code, found.end() - 1));
    enclosing.filter(|body| body.contains(&at)).count()
}

/// The names that a path goes to: one, or several where it opens a group `{a::…, b}`. Items that are no modules
/// (macros, functions of the crate root) are names too.
fn first_names(code: &str, at: usize) -> Vec<(usize, String)> {
    let word = |from: usize| -> String { code[from..].bytes().take_while(|byte| is_word(*byte)).map(char::from).collect() };
    if !code[at..].starts_with('{') {
        return vec![(at, word(at))];
    }
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, true);
    for (offset, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 1 => start = true,
            _ if start && is_word(byte) => {
                names.push((offset, word(offset)));
                start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_upwards_and_aside_are_named() {
        assert_eq!(judge("src/jinja/mod.rs", "use crate::base::Span;\nuse crate::{diag, project::Node};"), Vec::<String>::new());
        assert_eq!(judge("src/base/dag.rs", "\nuse crate::diag::Code;"), ["src/base/dag.rs:2: base (floor 0) uses diag (floor 1)"]);
        assert_eq!(
            judge("src/syntax/mod.rs", "use crate::{base::{Span, FileId}, project::Node};"),
            ["src/syntax/mod.rs:1: syntax uses its sibling project (floor 2)"]
        );
        assert_eq!(
            judge("src/brand_new.rs", ""),
            ["src/brand_new.rs: module 'brand_new' has no floor yet: give it one in ARCHITECTURE.md"]
        );
        assert_eq!(
            judge("src/base/mod.rs", "crate::jinja_like!()"),
            ["src/base/mod.rs:1: base uses crate::jinja_like, which has no floor"]
        );
    }

    #[test]
    fn the_table_is_read() {
        assert_eq!(FLOORS.get("base"), Some(&0));
        assert_eq!(FLOORS.get("cli"), Some(&9));
        assert!(FLOORS.len() >= 13, "{:?}", *FLOORS);
    }

    #[test]
    fn super_counts_steps() {
        assert_eq!(judge("src/base/dag.rs", "use super::Span; use super::super::base::X;"), Vec::<String>::new());
        assert_eq!(judge("src/base/dag.rs", "use super::super::cli::X;"), ["src/base/dag.rs:1: base (floor 0) uses cli (floor 9)"]);
        assert_eq!(judge("src/base/mod.rs", "use super::cli::X;"), ["src/base/mod.rs:1: base (floor 0) uses cli (floor 9)"]);
        let inline = "mod tests { use super::super::X; use super::super::super::cli::Y; }";
        assert_eq!(judge("src/base/dag.rs", inline), ["src/base/dag.rs:1: base (floor 0) uses cli (floor 9)"]);
    }

    #[test]
    fn the_crate_root_and_the_binaries_may_use_everything() {
        assert_eq!(judge("src/lib.rs", "use crate::nothing::X;"), Vec::<String>::new());
        assert_eq!(judge("src/bin/betgen/main.rs", "use crate::nothing::X;"), Vec::<String>::new());
    }
}
