//! `acca init`: a small project that works as it is.

use std::fs;
use std::path::Path;

use super::Exit;
use super::arguments::InitArguments;
use super::style::{self, paint};
use super::terminal::Terminal;

/// Path in the new folder and text; `{name}` stands for the project's name.
const FILES: [(&str, &str); 9] = [
    ("dbt_project.yml", include_str!("new_project/dbt_project.yml")),
    ("profiles.yml", include_str!("new_project/profiles.yml")),
    (".gitignore", include_str!("new_project/gitignore")),
    ("README.md", include_str!("new_project/README.md")),
    ("seeds/raw_orders.csv", include_str!("new_project/raw_orders.csv")),
    ("models/staging/stg_orders.sql", include_str!("new_project/stg_orders.sql")),
    ("models/daily_revenue.sql", include_str!("new_project/daily_revenue.sql")),
    ("models/properties.yml", include_str!("new_project/properties.yml")),
    ("tests/revenue_is_complete.sql", include_str!("new_project/revenue_is_complete.sql")),
];

pub(super) fn cmd_init(terminal: &Terminal, arguments: &InitArguments, quiet: bool) -> Result<(), Exit> {
    let fail = |why: &str| {
        terminal.print_error(&format!("{} {why}", paint(style::BAD, "error:")));
        Exit::Usage
    };
    let asked = || terminal.ask("Name of the project (letters, digits, underscores): ");
    let name = arguments.name.clone().or_else(asked).ok_or_else(|| fail("say how the project is called: acca init <NAME>"))?;
    if !is_name(&name) {
        return Err(fail(&format!("'{name}' cannot be a project's name: it takes letters, digits and underscores, and no digit first")));
    }
    let folder = Path::new(&name);
    if folder.exists() {
        return Err(fail(&format!("'{name}' is there already; choose another name, or delete it")));
    }
    write(folder, &name).map_err(|error| {
        fail(&format!("the project cannot be written: {error}"));
        Exit::Failed
    })?;
    if quiet {
        return Ok(());
    }
    terminal.print(&format!("{} {name}: a seed, two models and tests on DuckDB, in a file of its own.", paint(style::GOOD, "Created")));
    terminal.print(&format!("Next: cd {name} && acca build"));
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.chars().enumerate().all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit())) && !name.is_empty()
}

fn write(folder: &Path, name: &str) -> std::io::Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text.replace("{name}", name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        for (name, expected) in [("shop", true), ("_a1", true), ("1a", false), ("a-b", false), ("", false), ("a/b", false), ("..", false)] {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }
}
