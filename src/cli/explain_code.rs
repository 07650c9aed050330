//! `acca explain-code`: the page of a diagnostic.

use super::Exit;
use super::arguments::ExplainCodeArguments;
use super::style::{self, paint};
use super::terminal::Terminal;
use super::text::pad_right;
use crate::diag::{codes, nearest};

pub(super) fn cmd_explain_code(terminal: &Terminal, arguments: &ExplainCodeArguments) -> Result<(), Exit> {
    let Some(asked) = &arguments.code else {
        let widest = codes::ALL.iter().map(|code| code.name.len()).max().unwrap_or(0);
        for code in codes::ALL {
            terminal.print(&format!("{}  {}", paint(style::BOLD, &pad_right(code.name, widest)), code.summary));
        }
        return Ok(());
    };
    // In brackets, as it stands on the screen, or without.
    let found = codes::find(asked.trim_matches(['[', ']']));
    match found {
        Some(code) => {
            terminal.print(code.page.trim_end());
            Ok(())
        }
        None => {
            let near = nearest(asked, codes::ALL.iter().map(|code| code.name));
            let help = near.map_or_else(|| "'acca explain-code' lists all codes".to_owned(), |near| format!("did you mean '{near}'?"));
            terminal.print_error(&format!("{} there is no code '{asked}'; {help}", paint(style::BAD, "error:")));
            Err(Exit::Usage)
        }
    }
}
