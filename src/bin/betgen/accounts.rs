//! The customers of both companies, how they change from day to day, and who holds accounts with both.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};

use crate::calendar::{DAY, HOUR, Moment, add_days};
use crate::people::{Person, invent_email, invent_postcode};
use crate::random::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Business {
    Meridian,
    Halcyon,
}

impl Business {
    pub(crate) const ALL: [Business; 2] = [Business::Meridian, Business::Halcyon];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Business::Meridian => "meridian",
            Business::Halcyon => "halcyon",
        }
    }

    /// When the day of the company's own clock begins: UTC for meridian, London for halcyon. Extracts are cut there.
    pub(crate) fn day_start(self, day: Date) -> Moment {
        match self {
            Business::Meridian => Moment::utc(day, 0),
            Business::Halcyon => Moment::london(day, 0),
        }
    }

    /// The day on the company's own clock.
    pub(crate) fn native_date(self, moment: Moment) -> Date {
        match self {
            Business::Meridian => moment.utc_date(),
            Business::Halcyon => moment.london_date(),
        }
    }

    pub(crate) fn other(self) -> Business {
        match self {
            Business::Meridian => Business::Halcyon,
            Business::Halcyon => Business::Meridian,
        }
    }

    /// Cuts what the company's clock does not record: meridian's has whole seconds.
    pub(crate) fn recorded(self, moment: Moment) -> Moment {
        match self {
            Business::Meridian => moment.whole_second(),
            Business::Halcyon => moment,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    Suspended,
    SelfExcluded,
    Closed,
    /// Only halcyon: deleted softly, a double registration without bets.
    Deleted,
}

pub(crate) struct Account {
    pub(crate) key: String,
    pub(crate) person: Person,
    pub(crate) registered: Moment,
    pub(crate) updated: Moment,
    pub(crate) standing: Standing,
    pub(crate) marketing: bool,
    /// From here on no bet is taken, whatever the reason and with whichever company it arose.
    pub(crate) barred_from: Option<Moment>,
    /// How much of the company's betting is this customer's, and how large the stakes are; both relative.
    pub(crate) activity: f64,
    pub(crate) stake_level: f64,
    /// Position of the same person's account with the other company.
    partner: Option<usize>,
    /// Part of a deliberate identity conflict: stays as it is.
    conflicting: bool,
}

impl Account {
    pub(crate) fn may_bet_at(&self, moment: Moment) -> bool {
        self.registered < moment && self.barred_from.is_none_or(|barred| moment < barred)
    }
}

const MERIDIAN_ACCOUNTS: f64 = 900.0;
const HALCYON_ACCOUNTS: f64 = 600.0;
const CONFLICTS: usize = 3;
const DELETED: usize = 4;
const FIRST_CUSTOMER_ID: usize = 100_001;

pub(crate) struct Population {
    meridian: Vec<Account>,
    halcyon: Vec<Account>,
    emails: BTreeSet<String>,
    identities: BTreeSet<(String, Date, String)>,
    matched: usize,
    conflicts: usize,
    scale: f64,
    seed: u64,
}

impl Population {
    /// The accounts opened before this day.
    pub(crate) fn found(first: Date, scale: f64, seed: u64) -> Population {
        let mut population = Population {
            meridian: Vec::new(),
            halcyon: Vec::new(),
            emails: BTreeSet::new(),
            identities: BTreeSet::new(),
            matched: 0,
            conflicts: 0,
            scale,
            seed,
        };
        let mut dice = Dice::new(seed, "found", 0);
        let until = Moment::utc(first, 0).seconds() - 2 * DAY;
        let since = Moment::utc(date(2019, 3, 1), 0).seconds().min(until - 400 * DAY);
        for business in Business::ALL {
            for _ in 0..population.size(business) {
                let registered = Moment::from_seconds(dice.between(since, until - DAY));
                population.register(business, registered, &mut dice);
            }
        }
        for _ in 0..CONFLICTS {
            let registered = Moment::from_seconds(dice.between(since, until - DAY));
            population.register_conflict(registered, &mut dice);
        }
        population.age(until, &mut dice);
        population
    }

    pub(crate) fn of(&self, business: Business) -> &[Account] {
        match business {
            Business::Meridian => &self.meridian,
            Business::Halcyon => &self.halcyon,
        }
    }

    fn of_mut(&mut self, business: Business) -> &mut Vec<Account> {
        match business {
            Business::Meridian => &mut self.meridian,
            Business::Halcyon => &mut self.halcyon,
        }
    }

    /// Persons with accounts at both companies.
    pub(crate) fn matched(&self) -> usize {
        self.matched
    }

    /// Accounts that agree with two different persons.
    pub(crate) fn conflicts(&self) -> usize {
        self.conflicts
    }

    /// Persons, counting each account in conflict as one of its own and leaving softly deleted accounts out.
    pub(crate) fn golden(&self) -> usize {
        let deleted = self.halcyon.iter().filter(|account| account.standing == Standing::Deleted).count();
        self.meridian.len() + self.halcyon.len() - deleted - self.matched
    }

    fn size(&self, business: Business) -> usize {
        let accounts = match business {
            Business::Meridian => MERIDIAN_ACCOUNTS,
            Business::Halcyon => HALCYON_ACCOUNTS,
        };
        (accounts * self.scale).max(60.0) as usize
    }

    fn register(&mut self, business: Business, registered: Moment, dice: &mut Dice) {
        let partner = match business {
            Business::Halcyon if dice.chance(0.1) => self.free_partner(dice),
            Business::Halcyon | Business::Meridian => None,
        };
        let person = match partner {
            Some(partner) => self.same_person(partner, dice),
            None => self.new_person(dice),
        };
        let position = self.of(business).len();
        if let Some(partner) = partner
            && let Some(other) = self.of_mut(business.other()).get_mut(partner)
        {
            other.partner = Some(position);
            self.matched += 1;
        }
        self.open(business, person, registered, partner, dice);
    }

    fn open(&mut self, business: Business, mut person: Person, registered: Moment, partner: Option<usize>, dice: &mut Dice) {
        self.emails.insert(person.normal_email());
        self.identities.insert(person.identity());
        let key = match business {
            Business::Meridian => (FIRST_CUSTOMER_ID + self.meridian.len()).to_string(),
            Business::Halcyon => dice.guid(),
        };
        if business == Business::Halcyon {
            write_untidily(&mut person, dice);
        }
        // Someone barred at one company is barred at the other from the start.
        let barred_from = partner.and_then(|partner| self.of(business.other()).get(partner)).and_then(|other| {
            let excluded = other.standing == Standing::SelfExcluded;
            excluded.then_some(other.barred_from).flatten()
        });
        let registered = business.recorded(registered.plus_ticks(dice.between(0, 9_999_999)));
        let whale = if dice.chance(0.012) { 10.0 } else { 1.0 };
        let account = Account {
            key,
            person,
            registered,
            updated: registered,
            standing: Standing::Active,
            marketing: dice.chance(0.4),
            barred_from,
            activity: dice.log_normal(1.0, 1.2),
            stake_level: dice.log_normal(1.0, 0.7) * whale,
            partner,
            conflicting: false,
        };
        self.of_mut(business).push(account);
    }

    fn new_person(&self, dice: &mut Dice) -> Person {
        loop {
            let person = Person::invent(dice);
            if self.is_new(&person) {
                return person;
            }
        }
    }

    fn is_new(&self, person: &Person) -> bool {
        !self.emails.contains(&person.normal_email()) && !self.identities.contains(&person.identity())
    }

    fn free_partner(&self, dice: &mut Dice) -> Option<usize> {
        let position = dice.between(0, self.meridian.len() as i64 - 1) as usize;
        let account = self.meridian.get(position)?;
        (account.partner.is_none() && !account.conflicting).then_some(position)
    }

    /// The person of a meridian account as known to halcyon: usually by the same e-mail address, often from another
    /// home; otherwise by name, date of birth and postcode under another address.
    fn same_person(&self, partner: usize, dice: &mut Dice) -> Person {
        let Some(known) = self.meridian.get(partner).map(|account| account.person.clone()) else { return self.new_person(dice) };
        let by_email = dice.chance(0.7);
        let moved = by_email && dice.chance(0.3);
        if by_email && !moved {
            return known;
        }
        loop {
            let mut person = known.clone();
            if moved {
                person.postcode = invent_postcode(person.country, dice);
            } else {
                person.email = invent_email(&person.forename, &person.surname, dice);
            }
            let free = if moved { !self.identities.contains(&person.identity()) } else { !self.emails.contains(&person.normal_email()) };
            if free {
                return person;
            }
        }
    }

    /// An account with the e-mail address of one meridian customer and the identity of another.
    fn register_conflict(&mut self, registered: Moment, dice: &mut Dice) {
        let free: Vec<usize> = (0..self.meridian.len())
            .filter(|&position| self.meridian.get(position).is_some_and(|account| account.partner.is_none() && !account.conflicting))
            .collect();
        let first = dice.pick(&free).copied();
        let second = dice
            .pick(&free)
            .copied()
            .filter(|&second| Some(second) != first)
            .or_else(|| free.iter().copied().find(|&other| Some(other) != first));
        let (Some(first), Some(second)) = (first, second) else { return };
        let person = |population: &Population, position: usize| population.meridian.get(position).map(|account| account.person.clone());
        let (Some(by_email), Some(by_name)) = (person(self, first), person(self, second)) else { return };
        self.open(Business::Halcyon, Person { email: by_email.email, ..by_name }, registered, None, dice);
        self.conflicts += 1;
        for position in [first, second] {
            if let Some(account) = self.meridian.get_mut(position) {
                account.conflicting = true;
            }
        }
        if let Some(account) = self.halcyon.last_mut() {
            account.conflicting = true;
        }
    }

    /// What happened to the founding accounts since they were opened.
    fn age(&mut self, until: i64, dice: &mut Dice) {
        for business in Business::ALL {
            for position in 0..self.of(business).len() {
                let standing = match dice.unit() {
                    chance if chance < 0.015 => Standing::SelfExcluded,
                    chance if chance < 0.025 => Standing::Suspended,
                    chance if chance < 0.045 => Standing::Closed,
                    _ => continue,
                };
                let since = self.of(business).get(position).map_or(until, |account| account.registered.seconds());
                self.bar(business, position, standing, Moment::from_seconds(dice.between(since + HOUR, until)));
            }
        }
        let unlinked: Vec<usize> = (0..self.halcyon.len())
            .filter(|&position| {
                self.halcyon.get(position).is_some_and(|account| account.partner.is_none() && account.standing == Standing::Active)
            })
            .collect();
        for position in unlinked.into_iter().step_by(11).take(DELETED) {
            self.bar(Business::Halcyon, position, Standing::Deleted, Moment::from_seconds(until));
        }
    }

    /// Ends a customer's betting; a self-exclusion ends it with both companies.
    fn bar(&mut self, business: Business, position: usize, standing: Standing, moment: Moment) {
        let moment = business.recorded(moment);
        let Some(account) = self.of_mut(business).get_mut(position) else { return };
        if account.conflicting || account.standing != Standing::Active {
            return;
        }
        account.standing = standing;
        account.updated = moment;
        account.barred_from = Some(account.barred_from.map_or(moment, |barred| barred.min(moment)));
        let partner = account.partner.filter(|_| standing == Standing::SelfExcluded);
        if let Some(partner) = partner
            && let Some(other) = self.of_mut(business.other()).get_mut(partner)
        {
            other.barred_from = Some(other.barred_from.map_or(moment, |barred| barred.min(moment)));
        }
    }

    /// One day's registrations and changes, all between 8 and 22 h. `idle_days` days passed unseen before it.
    pub(crate) fn live_through(&mut self, day: Date, idle_days: i64, force_exclusions: bool) {
        let mut dice = Dice::new(self.seed, "live", crate::calendar::days_since_epoch(day));
        for business in Business::ALL {
            let new = self.size(business) as f64 * 0.004 * (1.0 + idle_days.min(90) as f64);
            for _ in 0..(new + dice.unit()) as usize {
                let back = dice.between(0, idle_days);
                let registered = Moment::utc(add_days(day, -back), dice.between(8 * HOUR, 22 * HOUR));
                self.register(business, registered, &mut dice);
            }
            for position in 0..self.of(business).len() {
                self.change(business, position, day, &mut dice);
            }
            if force_exclusions {
                let linked =
                    |account: &Account| account.partner.is_some() && account.standing == Standing::Active && account.barred_from.is_none();
                if let Some(position) = self.of(business).iter().position(linked) {
                    let moment = Moment::utc(day, dice.between(9 * HOUR, 21 * HOUR));
                    self.bar(business, position, Standing::SelfExcluded, moment);
                }
            }
        }
    }

    /// Rarely, something about an account changes.
    fn change(&mut self, business: Business, position: usize, day: Date, dice: &mut Dice) {
        let chance = dice.unit();
        if chance > 0.006 {
            return;
        }
        let moment = Moment::utc(day, dice.between(8 * HOUR, 22 * HOUR)).plus_ticks(dice.between(0, 9_999_999));
        let moment = business.recorded(moment);
        let Some(account) = self.of(business).get(position) else { return };
        if account.standing != Standing::Active
            || account.registered.plus_seconds(DAY) > moment
            || account.updated.plus_seconds(DAY) > moment
        {
            return;
        }
        if chance < 0.0012 {
            self.bar(business, position, Standing::SelfExcluded, moment);
        } else if chance < 0.0016 {
            self.bar(business, position, Standing::Suspended, moment);
        } else if chance < 0.0020 {
            self.bar(business, position, Standing::Closed, moment);
        } else if chance < 0.0035 && account.partner.is_none() && !account.conflicting {
            self.move_house(business, position, moment, dice);
        } else if let Some(account) = self.of_mut(business).get_mut(position) {
            account.marketing = !account.marketing;
            account.updated = moment;
        }
    }

    fn move_house(&mut self, business: Business, position: usize, moment: Moment, dice: &mut Dice) {
        let Some(account) = self.of_mut(business).get_mut(position) else { return };
        let mut person = account.person.clone();
        person.postcode = invent_postcode(person.country, dice);
        if !self.identities.insert(person.identity()) {
            return;
        }
        if let Some(account) = self.of_mut(business).get_mut(position) {
            account.person = person;
            account.updated = moment;
        }
    }
}

/// Halcyon's entry forms did not tidy what was typed.
fn write_untidily(person: &mut Person, dice: &mut Dice) {
    person.email = match dice.between(0, 9) {
        0..=1 => person.email.to_uppercase(),
        2..=3 => {
            let mut letters = person.email.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
        }
        _ => person.email.clone(),
    };
    if dice.chance(0.15) {
        person.email.push_str(if dice.chance(0.5) { " " } else { "   " });
    }
    match dice.between(0, 9) {
        0..=1 => person.postcode = person.postcode.replace(' ', ""),
        2 => person.postcode = person.postcode.to_lowercase(),
        _ => {}
    }
    if person.surname.is_ascii() && dice.chance(0.05) {
        person.surname = person.surname.to_uppercase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A population after two weeks.
    fn population() -> Population {
        let mut population = Population::found(date(2026, 1, 16), 0.5, 9);
        for days in 0..14 {
            population.live_through(add_days(date(2026, 1, 16), days), 0, days == 2);
        }
        population
    }

    #[test]
    fn matching_by_the_written_rules_finds_the_persons_of_the_books() {
        let population = population();
        let emails: BTreeMap<String, usize> = population.meridian.iter().map(|account| account.person.normal_email()).zip(0..).collect();
        let identities: BTreeMap<_, usize> = population.meridian.iter().map(|account| account.person.identity()).zip(0..).collect();
        let (mut matched, mut conflicts, mut alone) = (0, 0, 0);
        for account in population.halcyon.iter().filter(|account| account.standing != Standing::Deleted) {
            match (emails.get(&account.person.normal_email()), identities.get(&account.person.identity())) {
                (Some(first), Some(second)) if first != second => conflicts += 1,
                (None, None) => alone += 1,
                _ => matched += 1,
            }
        }
        assert_eq!((matched, conflicts), (population.matched(), population.conflicts()));
        assert_eq!(population.golden(), population.meridian.len() + alone + conflicts);
        assert!(matched > 10 && conflicts == CONFLICTS);
    }

    #[test]
    fn a_self_exclusion_bars_the_person_at_both_companies() {
        let population = population();
        let mut linked = 0;
        for business in Business::ALL {
            for account in population.of(business).iter().filter(|account| account.standing == Standing::SelfExcluded) {
                let partner = account.partner.and_then(|partner| population.of(business.other()).get(partner));
                assert!(!account.may_bet_at(account.updated));
                assert!(partner.is_none_or(|partner| !partner.may_bet_at(account.updated)));
                linked += usize::from(partner.is_some());
            }
        }
        assert!(linked >= 2);
    }
}
