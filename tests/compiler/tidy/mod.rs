//! The rules of the house that the compiler does not check. Each rule prints every place that breaks it, and what to do.
//!
//! Exceptions are named in this file, with a limit or a reason. They may only become fewer: an exception that nothing needs
//! any more is itself a mistake.

mod floors;
mod rust;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use self::rust::{Masked, line_of, mask};

const FILE_LINES: usize = 1200;
const FUNCTION_LINES: usize = 120;

/// Files that are longer than [`FILE_LINES`], and how long they may be. Split them rather than raise a number.
const LONG_FILES: &[(&str, usize)] = &[];

/// Functions that are longer than [`FUNCTION_LINES`], as `file::function`, and how long they may be.
const LONG_FUNCTIONS: &[(&str, usize)] = &[];

/// Files outside `dialect/` and `execute/` that name a database, and why they must.
const NAMES_A_DATABASE: &[(&str, &str)] = &[
    ("src/project/profiles.rs", "a profile names its engine; which keys each engine takes is a table there"),
    ("src/syntax/dialect.rs", "the language of models is PostgreSQL's, and sqlparser calls its reader of it by that name"),
];

/// Files on the floors 0 to 6 that touch the world outside, and why they must.
const TOUCHES_THE_WORLD: &[(&str, &str)] = &[];

/// A Rust file of the repository.
struct RustFile {
    /// From the root, with `/` between the parts.
    path: String,
    text: String,
    masked: Masked,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under the folder, in order of their paths.
fn rust_files(folder: &str) -> Vec<RustFile> {
    let walk = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name();
    let entries = walk.into_iter().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"));
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            let text = fs::read_to_string(entry.path()).unwrap();
            let masked = mask(&text);
            RustFile { path, text, masked }
        })
        .collect()
}

/// Fails with all broken rules, one a line.
fn report(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{rule}\n{}\n", broken.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n"));
}

/// Judges sizes against a limit and its exceptions.
fn judge_sizes(sizes: &[(String, usize)], limit: usize, exceptions: &[(&str, usize)]) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, lines) in sizes {
        match exceptions.iter().find(|(exception, _)| exception == name) {
            Some((_, allowed)) if lines > allowed => broken.push(format!("{name} has {lines} lines and may keep {allowed}")),
            None if *lines > limit => broken.push(format!("{name} has {lines} lines; the limit is {limit}: split it")),
            _ => {}
        }
    }
    for (exception, allowed) in exceptions {
        match sizes.iter().find(|(name, _)| name == exception) {
            Some((_, lines)) if *lines > limit => {}
            _ => {
                broken.push(format!("{exception} needs its exception ({allowed} lines) no more: remove it from tests/compiler/tidy/mod.rs"))
            }
        }
    }
    broken
}

/// Judges files in which something was found against the named exceptions.
fn judge_exceptions(found: Vec<(String, String)>, exceptions: &[(&str, &str)]) -> Vec<String> {
    let excepted: BTreeSet<&str> = exceptions.iter().map(|(path, _)| *path).collect();
    let used: BTreeSet<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    let unused = excepted.iter().filter(|path| !used.contains(*path));
    let unused: Vec<String> =
        unused.map(|path| format!("{path} needs its exception no more: remove it from tests/compiler/tidy/mod.rs")).collect();
    found.into_iter().filter(|(path, _)| !excepted.contains(path.as_str())).map(|(_, line)| line).chain(unused).collect()
}

#[test]
fn floors_use_only_lower_floors() {
    let files = rust_files("src");
    assert!(files.len() > 10, "the scan found only {} files", files.len());
    let broken = files.iter().flat_map(|file| floors::judge(&file.path, &file.masked.code)).collect();
    report("A floor uses only lower floors, and siblings do not use each other (the table is in ARCHITECTURE.md):", broken);
}

#[test]
fn the_generator_is_an_independent_check() {
    let files = rust_files("src/bin/betgen");
    assert!(!files.is_empty());
    let uses = |file: &RustFile| file.masked.code.match_indices("acca::").map(|(at, _)| line_of(&file.masked.code, at)).next();
    let broken = files.iter().filter_map(|file| Some(format!("{}:{} uses the library", file.path, uses(file)?))).collect();
    report("betgen reckons its totals without the code that they are to check:", broken);
}

#[test]
fn files_and_functions_stay_small() {
    let files: Vec<RustFile> = ["src", "tests/compiler"].into_iter().flat_map(rust_files).collect();
    let lengths: Vec<_> = files.iter().map(|file| (file.path.clone(), file.text.lines().count())).collect();
    let mut broken = judge_sizes(&lengths, FILE_LINES, LONG_FILES);
    let functions = files.iter().flat_map(|file| {
        let found = rust::functions(&file.masked.code).into_iter();
        found.map(|(name, range)| (format!("{}::{name}", file.path), file.masked.code[range].lines().count()))
    });
    broken.extend(judge_sizes(&functions.collect::<Vec<_>>(), FUNCTION_LINES, LONG_FUNCTIONS));
    report("Small files and functions can be read and reviewed:", broken);
}

#[test]
fn lower_floors_do_not_touch_the_world() {
    let touching = regex::Regex::new(
        r"\b(std::(fs|env|net|process|thread::sleep)\b|(Instant|SystemTime|Zoned|Timestamp)::now\b|use std::\{[^}]*\b(fs|env|net|process)\b|tokio::|sqlx::|(e?println|e?print|dbg)!)",
    )
    .unwrap();
    let lower = rust_files("src").into_iter().filter(|file| floors::floor_of(&file.path).is_some_and(|floor| floor <= 6));
    let found = lower.flat_map(|file| {
        let code = file.masked.without_tests().code;
        let places = touching.find_iter(&code).map(|found| (line_of(&code, found.start()), found.as_str().to_owned()));
        places.map(|(line, what)| (file.path.clone(), format!("{}:{line} uses {what}", file.path))).collect::<Vec<_>>()
    });
    let broken = judge_exceptions(found.collect(), TOUCHES_THE_WORLD);
    report(
        "The floors 0 to 6 never touch disk, clock, environment, network or terminal; take a `base::Files`, or a value as an argument:",
        broken,
    );
}

#[test]
fn only_dialect_and_execute_name_a_database() {
    let names = regex::Regex::new(r"(?i)(postgres|redshift|duckdb)").unwrap();
    let free = |path: &str| ["src/dialect/", "src/execute/", "src/bin/"].iter().any(|folder| path.starts_with(folder));
    let found = rust_files("src").into_iter().filter(|file| !free(&file.path)).flat_map(|file| {
        let code = file.masked.without_tests().code_and_texts;
        let place = names.find_iter(&code).find(|found| !in_help_text(&code, found.start()));
        place.map(|found| {
            let line = line_of(&code, found.start());
            (file.path.clone(), format!("{}:{line} names {}", file.path, found.as_str()))
        })
    });
    let broken = judge_exceptions(found.collect(), NAMES_A_DATABASE);
    report(
        "Only src/dialect and src/execute know databases by name; elsewhere ask the dialect, or keep a delta keyed by it as data:",
        broken,
    );
}

/// A sentence for people may name a database; a word alone in quotes decides something.
fn in_help_text(code: &str, at: usize) -> bool {
    let line_start = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = code[at..].find('\n').map_or(code.len(), |length| at + length);
    let (before, after) = (&code[line_start..at], &code[at..line_end]);
    let inside = before.matches('"').count() % 2 == 1;
    let text = before.rsplit('"').next().unwrap_or("").len() + after.split('"').next().unwrap_or("").len();
    let words = before.rsplit('"').next().unwrap_or("").contains(' ') || after.split('"').next().unwrap_or("").contains(' ');
    inside && words && text > 12
}

#[test]
fn modules_are_named_after_what_they_hold() {
    let vague = ["util", "utils", "common", "helper", "helpers", "misc", "types"];
    let named = |path: &str| path.trim_end_matches(".rs").split('/').any(|part| vague.contains(&part));
    let files = ["src", "tests/compiler"].into_iter().flat_map(rust_files);
    let broken = files.filter(|file| named(&file.path)).map(|file| format!("{}: name it after what it holds", file.path)).collect();
    report("No module is called util, common, helpers or the like:", broken);
}

#[test]
fn every_diagnostic_has_its_page() {
    let mut broken = Vec::new();
    let names: Vec<&str> = acca::diag::codes::ALL.iter().map(|code| code.name).collect();
    if !names.is_sorted() {
        broken.push("src/diag/codes.rs does not list the codes in alphabetical order".to_owned());
    }
    let kebab = regex::Regex::new("^[a-z]+(-[a-z]+)*$").unwrap();
    for code in acca::diag::codes::ALL {
        if !kebab.is_match(code.name) {
            broken.push(format!("{} is not in kebab case", code.name));
        }
        if !code.page.starts_with(&format!("# {}\n", code.name)) {
            broken.push(format!("src/diag/docs/{}.md does not begin with its code as the title", code.name));
        }
    }
    for entry in fs::read_dir(root().join("src/diag/docs")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if acca::diag::codes::find(file.trim_end_matches(".md")).is_none() {
            broken.push(format!("src/diag/docs/{file} explains a code that does not exist"));
        }
    }
    report("One code, one page, one spelling:", broken);
}

#[test]
fn exceptions_may_only_become_fewer() {
    let sizes = [("a".to_owned(), 5), ("b".to_owned(), 20), ("c".to_owned(), 20)];
    assert_eq!(judge_sizes(&sizes, 10, &[("b", 20), ("c", 25)]), Vec::<String>::new());
    assert_eq!(judge_sizes(&sizes, 10, &[("b", 19), ("c", 25)]), ["b has 20 lines and may keep 19"]);
    assert_eq!(judge_sizes(&sizes, 10, &[("c", 25)]), ["b has 20 lines; the limit is 10: split it"]);
    assert_eq!(judge_sizes(&sizes, 30, &[("a", 9)]).len(), 1, "an exception that is not needed is reported");
    let found = vec![("x".to_owned(), "x:1".to_owned())];
    assert_eq!(judge_exceptions(found.clone(), &[]), ["x:1"]);
    assert_eq!(judge_exceptions(found.clone(), &[("x", "reason")]), Vec::<String>::new());
    assert_eq!(judge_exceptions(found, &[("x", "reason"), ("y", "reason")]).len(), 1, "an exception that is not needed is reported");
}

#[test]
fn a_database_in_a_sentence_is_no_branch() {
    let at = |code: &str| in_help_text(code, code.find("duckdb").unwrap());
    assert!(at(r#"x.help("use duckdb, which needs no server")"#));
    assert!(!at(r#"if engine == "duckdb" {"#));
    assert!(!at("Engine::duckdb => x,"));
}
