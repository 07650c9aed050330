//! Invented people. E-mail addresses use the domains reserved for examples.

use jiff::civil::{Date, date};

use crate::calendar::add_days;
use crate::fx::Currency;
use crate::random::Dice;

#[rustfmt::skip]
const FORENAMES: [&str; 64] = [
    "Oliver", "George", "Arthur", "Noah", "Harry", "Jack", "Charlie", "Thomas", "James", "William", "Daniel", "Joseph",
    "Samuel", "David", "Michael", "Paul", "Mark", "Stephen", "Andrew", "Kevin", "Gary", "Darren", "Craig", "Lee",
    "Amelia", "Olivia", "Isla", "Ava", "Mia", "Grace", "Emily", "Sophie", "Charlotte", "Lucy", "Ella", "Alice",
    "Sarah", "Claire", "Emma", "Laura", "Rachel", "Karen", "Julie", "Helen", "Susan", "Margaret", "Mohammed", "Aisha",
    "Priya", "Arjun", "Wei", "Kwame", "Agnieszka", "Piotr", "Siobhan", "Declan", "Niamh", "Conor", "Zoë", "Chloé",
    "José", "Jürgen", "Françoise", "Siân",
];
#[rustfmt::skip]
const SURNAMES: [&str; 80] = [
    "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Patel", "Robinson", "Wright",
    "Thompson", "Evans", "Walker", "White", "Roberts", "Green", "Hall", "Wood", "Jackson", "Clarke", "Khan", "Hughes",
    "Edwards", "Hill", "Moore", "Clark", "Harrison", "Scott", "Young", "Morris", "Ward", "Baker", "Lewis", "Turner",
    "Cooper", "Carter", "Phillips", "Mitchell", "Parker", "Bennett", "Cook", "Shaw", "Bailey", "Marshall", "Begum",
    "Campbell", "Stewart", "Macdonald", "Murray", "Fraser", "Hamilton", "Graham", "Kennedy", "Murphy", "Kelly",
    "O'Brien", "Byrne", "Ryan", "O'Connor", "Walsh", "Doyle", "McCarthy", "Gallagher", "Nowak", "Kowalski", "Okafor",
    "Mensah", "Singh", "Kaur", "Chen", "Nguyen", "Silva", "Müller", "Sørensen", "García", "Lefèvre", "Brontë",
    "Söderberg", "Núñez",
];
#[rustfmt::skip]
const AREAS: [&str; 40] = [
    "B", "BD", "BN", "BS", "CF", "CH", "CV", "DE", "DN", "E", "EH", "EX", "G", "GL", "HU", "IP", "L", "LE", "LS", "LU",
    "M", "ME", "N", "NE", "NG", "NR", "OX", "PE", "PL", "PO", "PR", "RG", "S", "SA", "SE", "SO", "SR", "ST", "SW", "YO",
];
const EIRCODE_AREAS: [&str; 12] = ["A65", "A94", "C15", "D02", "D04", "D08", "D15", "H91", "K67", "P31", "T12", "V94"];
const DOMAINS: [&str; 6] = ["example.com", "example.com", "example.org", "example.net", "mail.example", "post.example"];
const INWARD_LETTERS: [char; 20] = ['A', 'B', 'D', 'E', 'F', 'G', 'H', 'J', 'L', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'W', 'X', 'Y', 'Z'];

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) forename: String,
    pub(crate) surname: String,
    pub(crate) email: String,
    pub(crate) birth: Date,
    pub(crate) postcode: String,
    pub(crate) country: &'static str,
    pub(crate) currency: Currency,
}

impl Person {
    pub(crate) fn invent(dice: &mut Dice) -> Person {
        let forename = (*dice.pick(&FORENAMES).unwrap_or(&"Alex")).to_owned();
        let surname = (*dice.pick(&SURNAMES).unwrap_or(&"Smith")).to_owned();
        let euro = dice.chance(0.06);
        let country = if euro { "IE" } else { "GB" };
        Person {
            email: invent_email(&forename, &surname, dice),
            birth: add_days(date(1948, 1, 1), dice.between(0, 57 * 365)),
            postcode: invent_postcode(country, dice),
            country,
            currency: if euro { Currency::Eur } else { Currency::Gbp },
            forename,
            surname,
        }
    }

    /// What the second matching rule compares: surname, date of birth and postcode without case and blanks.
    pub(crate) fn identity(&self) -> (String, Date, String) {
        let postcode = self.postcode.split_whitespace().collect::<String>().to_uppercase();
        (self.surname.trim().to_lowercase(), self.birth, postcode)
    }

    pub(crate) fn normal_email(&self) -> String {
        self.email.trim().to_lowercase()
    }
}

pub(crate) fn invent_email(forename: &str, surname: &str, dice: &mut Dice) -> String {
    let (forename, surname) = (letters(forename), letters(surname));
    let domain = dice.pick(&DOMAINS).unwrap_or(&"example.com");
    let number = dice.between(1, 9_999);
    match dice.between(0, 3) {
        0 => format!("{forename}.{surname}{number}@{domain}"),
        1 => format!("{surname}{}{number}@{domain}", forename.chars().take(1).collect::<String>()),
        2 => format!("{forename}_{number}@{domain}"),
        _ => format!("{forename}{surname}{}@{domain}", number % 100),
    }
}

pub(crate) fn invent_postcode(country: &str, dice: &mut Dice) -> String {
    let letter = |dice: &mut Dice| *dice.pick(&INWARD_LETTERS).unwrap_or(&'A');
    if country == "IE" {
        let area = dice.pick(&EIRCODE_AREAS).unwrap_or(&"D02");
        return format!("{area} {}{}{}{}", letter(dice), dice.between(0, 9), letter(dice), dice.between(0, 9));
    }
    let area = dice.pick(&AREAS).unwrap_or(&"LS");
    format!("{area}{} {}{}{}", dice.between(1, 29), dice.between(1, 9), letter(dice), letter(dice))
}

/// Lower-case ASCII letters of a name.
fn letters(name: &str) -> String {
    let plain = |letter: char| match letter {
        'ë' | 'é' | 'è' => Some('e'),
        'ü' | 'ú' => Some('u'),
        'ö' | 'ø' => Some('o'),
        'â' => Some('a'),
        'í' => Some('i'),
        'ñ' => Some('n'),
        'ç' => Some('c'),
        letter => letter.is_ascii_alphabetic().then_some(letter),
    };
    name.to_lowercase().chars().filter_map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_survives_windows_1252_and_has_letters() {
        for name in FORENAMES.iter().chain(&SURNAMES) {
            let (_, _, lost) = encoding_rs::WINDOWS_1252.encode(name);
            assert!(!lost && !letters(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn identity_ignores_case_and_blanks() {
        let mut person = Person::invent(&mut Dice::new(1, "people", 0));
        let identity = person.identity();
        person.surname = format!("{} ", person.surname.to_uppercase());
        person.postcode = person.postcode.to_lowercase().replace(' ', "");
        assert_eq!(person.identity(), identity);
    }
}
