//! Every difference that gives wrong results without an error has a test: those that queries meet in `tests/compiler/portable`, all others
//! in `silent.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::portable::facts_of_queries;
use crate::tidy::root;

/// Numbers of the differences that are silent, of the 220 that are known.
const SILENT: [u16; 101] = [
    1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 17, 19, 21, 25, 26, 27, 28, 29, 31, 33, 34, 35, 36, 37, 38, 40, 41, 43, 44, 45, 48, 52, 54, 55,
    56, 57, 58, 62, 63, 66, 71, 72, 73, 74, 75, 76, 77, 78, 80, 81, 82, 83, 85, 88, 89, 91, 92, 93, 94, 95, 98, 99, 100, 101, 102, 103,
    105, 106, 108, 113, 115, 123, 132, 137, 146, 147, 148, 156, 160, 162, 164, 167, 169, 170, 182, 184, 185, 188, 190, 193, 202, 206, 207,
    208, 209, 211, 212, 213, 215, 219,
];

/// A difference outside of queries: its number, what is done about it, and what shows it.
pub struct Silent {
    pub number: u16,
    pub done: String,
    pub shown_by: String,
}

/// The rows of `silent.txt`.
pub fn outside_of_queries() -> Vec<Silent> {
    let text = fs::read_to_string(root().join("tests/compiler/redshift/silent.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let row = |line: &str| {
        let [number, done, shown_by] = line.split(" | ").collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"));
        Silent { number: number.parse().unwrap(), done: done.to_owned(), shown_by: shown_by.to_owned() }
    };
    lines.map(row).collect()
}

/// All Rust sources below a folder, as one text.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_silent_difference_has_a_test() {
    let mut code = String::new();
    sources(&root().join("src"), &mut code);
    sources(&root().join("tests/compiler"), &mut code);
    let refused = fs::read_to_string(root().join("tests/compiler/redshift/statements/refused.txt")).unwrap();
    let mut wrong = Vec::new();
    for Silent { number, shown_by, .. } in outside_of_queries() {
        let is_there = match shown_by.as_str() {
            "refused.txt" => refused.contains(&format!("\nfact {number}: ")),
            case if case.starts_with("cases/") => root().join("tests/compiler").join(case).exists(),
            function => code.contains(&format!("#[test]\n    fn {function}()")) || code.contains(&format!("#[test]\nfn {function}()")),
        };
        if !is_there {
            wrong.push(format!("{number}: there is no {shown_by}"));
        }
    }
    let shown: BTreeSet<u16> = facts_of_queries().into_iter().chain(outside_of_queries().iter().map(|silent| silent.number)).collect();
    wrong.extend(SILENT.iter().filter(|number| !shown.contains(number)).map(|number| format!("nothing shows difference {number}")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
