//! `acca completions` and `acca man`: what a shell and `man` show, made from the command line itself.

use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::Exit;
use super::arguments::{Arguments, CompletionsArguments, ManArguments};
use super::style::{self, paint};
use super::terminal::Terminal;

pub(super) fn cmd_completions(terminal: &Terminal, arguments: &CompletionsArguments) -> Result<(), Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "acca", &mut script);
    terminal.write(&String::from_utf8_lossy(&script));
    Ok(())
}

pub(super) fn cmd_man(terminal: &Terminal, arguments: &ManArguments) -> Result<(), Exit> {
    let fail = |text: String| {
        terminal.print_error(&format!("{} {text}", paint(style::BAD, "error:")));
        Exit::Usage
    };
    let mut command = Arguments::command();
    command.build();
    if let Some(folder) = &arguments.output {
        return write_all(&command, folder)
            .map_err(|error| fail(format!("the pages cannot be written to '{}': {error}", folder.display())));
    }
    let mut shown = &command;
    for word in &arguments.command {
        let names = || shown.get_subcommands().map(Command::get_name).collect::<Vec<_>>().join(", ");
        shown = shown.find_subcommand(word).ok_or_else(|| fail(format!("there is no command '{word}'; there are: {}", names())))?;
    }
    let page = page(shown).map_err(|error| fail(error.to_string()))?;
    terminal.write(&page);
    Ok(())
}

/// The name of a command's page: `acca-docs-generate`.
fn page_name(command: &Command) -> String {
    command.get_bin_name().unwrap_or("acca").replace(' ', "-")
}

fn page(command: &Command) -> io::Result<String> {
    let mut text = Vec::new();
    let name = page_name(command);
    Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("acca ", env!("CARGO_PKG_VERSION")))
        .manual("acca")
        .render(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write_all(command: &Command, folder: &std::path::Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(format!("{}.1", page_name(command))), page(command)?)?;
    command.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| write_all(below, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verbs(command: &Command) -> Vec<Command> {
        let below = command.get_subcommands().flat_map(|below| match below.has_subcommands() {
            true => verbs(below),
            false => vec![below.clone()],
        });
        below.collect()
    }

    #[test]
    fn every_command_shows_an_example_that_the_command_line_takes() {
        let mut command = Arguments::command();
        command.build();
        let verbs = verbs(&command);
        assert!(verbs.len() > 15);
        for verb in verbs {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = help.strip_prefix("Example: ").unwrap_or_else(|| panic!("'{}' shows no example", verb.get_name()));
            let first = example.split(" && ").find(|part| part.starts_with("acca ")).unwrap_or_else(|| panic!("{example}"));
            let first = first.split([' ']).take_while(|word| *word != ">" && *word != "|").collect::<Vec<_>>().join(" ");
            let parsed = Arguments::command().try_get_matches_from(words(&first));
            assert!(parsed.is_ok(), "{first}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }

    /// As a shell splits them: quotes hold a word together.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
        for character in line.chars() {
            match (quote, character) {
                (Some(open), close) if open == close => quote = None,
                (Some(_), other) => word.push(other),
                (None, '"' | '\'') => quote = Some(character),
                (None, ' ') => words.push(std::mem::take(&mut word)),
                (None, other) => word.push(other),
            }
        }
        words.push(word);
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn pages_tell_the_flags_and_the_example() {
        let mut command = Arguments::command();
        command.build();
        let page = page(command.find_subcommand("build").unwrap()).unwrap();
        for expected in ["ACCA-BUILD 1", "fail\\-fast", "Example: acca build"] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
        let folder = tempfile::tempdir().unwrap();
        write_all(&command, folder.path()).unwrap();
        for name in ["acca.1", "acca-build.1", "acca-docs-generate.1"] {
            assert!(folder.path().join(name).is_file(), "{name}");
        }
    }

    #[test]
    fn completions_know_the_commands() {
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "acca", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("snapshot") && script.contains("full-refresh"), "{shell}");
        }
    }
}
