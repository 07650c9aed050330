//! The declared columns of a raw table, and how the columns of a file are matched to them.

use crate::diag::nearest;
use crate::dialect::ColumnType;

/// A declared column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadColumn {
    /// As it is declared.
    pub name: String,
    /// Whether the name keeps its letter case in the database; otherwise it is folded to lower case.
    pub quoted: bool,
    pub data_type: ColumnType,
    /// Its values are somebody's: no message shows them.
    pub personal: bool,
}

impl LoadColumn {
    /// The name as it stands in the catalogue.
    pub fn stored_name(&self) -> String {
        if self.quoted { self.name.clone() } else { self.name.to_lowercase() }
    }
}

/// What does not fit between a file and the declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) message: String,
    pub(super) help: Vec<String>,
}

/// For each declared column the place of the file's column of that name, letter case ignored.
///
/// # Errors
/// All columns that are missing, unknown or doubled.
pub(super) fn match_by_name(declared: &[LoadColumn], present: &[String]) -> Result<Vec<usize>, Misfit> {
    let folded: Vec<String> = present.iter().map(|name| name.trim().to_lowercase()).collect();
    let mut faults = Vec::new();
    let mut help = Vec::new();
    for (at, name) in folded.iter().enumerate() {
        if folded.iter().take(at).any(|earlier| earlier == name) {
            faults.push(format!("it has the column '{name}' twice"));
        } else if !declared.iter().any(|column| column.name.to_lowercase() == *name) {
            faults.push(format!("its column '{}' is not declared", present.get(at).map_or("", |name| name.trim())));
        }
    }
    let places = declared.iter().map(|column| {
        let wanted = column.name.to_lowercase();
        folded.iter().position(|name| *name == wanted).ok_or_else(|| {
            faults.push(format!("it lacks the declared column '{}'", column.name));
            let unknown = folded.iter().filter(|name| !declared.iter().any(|column| column.name.to_lowercase() == **name));
            if let Some(near) = nearest(&wanted, unknown.map(String::as_str)) {
                help.push(format!("did the declaration mean '{near}' with '{}'?", column.name));
            }
        })
    });
    let places: Vec<Result<usize, ()>> = places.collect();
    if faults.is_empty() {
        return Ok(places.into_iter().flatten().collect());
    }
    help.push("declare exactly the columns of the file under 'columns' of the source table".to_owned());
    Err(Misfit { message: format!("the file does not fit its declaration: {}", faults.join(", ")), help })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(names: &[&str]) -> Vec<LoadColumn> {
        names
            .iter()
            .map(|name| LoadColumn { name: (*name).to_owned(), quoted: false, data_type: ColumnType::Text, personal: false })
            .collect()
    }

    fn present(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_match_without_letter_case_in_any_order() {
        assert_eq!(match_by_name(&declared(&["bet_id", "stake"]), &present(&["STAKE", " Bet_Id"])), Ok(vec![1, 0]));
    }

    #[test]
    fn every_misfit_is_told_with_the_nearest_name() {
        let misfit =
            match_by_name(&declared(&["bet_id", "stake", "odds"]), &present(&["BET_ID", "stakes", "extra", "bet_id"])).unwrap_err();
        assert_eq!(
            misfit.message,
            "the file does not fit its declaration: its column 'stakes' is not declared, its column 'extra' is not declared, \
             it has the column 'bet_id' twice, it lacks the declared column 'stake', it lacks the declared column 'odds'"
        );
        assert_eq!(misfit.help.first().map(String::as_str), Some("did the declaration mean 'stakes' with 'stake'?"));
    }
}
