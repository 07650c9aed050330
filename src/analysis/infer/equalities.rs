//! Columns that are equal where both are there: what the condition of an outer join says of columns that name currencies.
//!
//! After `from bets left join refunds on bets.currency = refunds.currency` every refund is in the currency of its bet, so both may be
//! added. But a bet without a refund has no currency there: grouped by `refunds.currency` bets of several currencies come together.
//! So the columns stay two, and it is noted which of them stands for the other. After a full join neither is always there, so both
//! stand for a third: that which `coalesce(bets.currency, refunds.currency)` gives, and which USING makes.

use std::ops::Range;

use super::Inference;
use super::scope::Column;
use crate::analysis::facts::Facts;
use crate::analysis::units::{Currency, Measure, Unit};

/// For which rows a condition holds.
#[derive(Clone, Debug)]
pub(super) enum Holds {
    /// For all that are left.
    Always,
    /// For those that one branch or one aggregate sees.
    Here,
    /// For those in which these entries of FROM are not missing: a condition of an outer join.
    Present(Range<usize>),
    /// For those in which no side is missing: a condition of a full join, whose right side begins there.
    Both(usize),
}

#[derive(Debug, Default)]
pub(super) struct Equalities {
    /// A column of a side that may be missing, and the one that it is equal to where it is there.
    stands_for: Vec<(u32, u32)>,
    /// Of a full join: two columns, and whichever of them is there.
    either: Vec<(u32, u32, u32)>,
}

impl Equalities {
    pub(super) fn add(&mut self, column: u32, other: u32) {
        if column != other && !self.all_of(other).contains(&column) {
            self.stands_for.push((column, other));
        }
    }

    /// `whole` is whichever of the two is there.
    pub(super) fn add_either(&mut self, one: u32, other: u32, whole: u32) {
        self.add(one, whole);
        self.add(other, whole);
        self.either.push((one, other, whole));
    }

    /// A column, and those that it stands for, the nearest first.
    pub(super) fn all_of(&self, id: u32) -> Vec<u32> {
        let mut all = vec![id];
        let mut at = 0;
        while let Some(here) = all.get(at).copied() {
            let next = self.stands_for.iter().filter(|(held, _)| *held == here).map(|(_, next)| *next);
            let next: Vec<u32> = next.filter(|next| !all.contains(next)).collect();
            all.extend(next);
            at += 1;
        }
        all
    }

    /// Columns that are equal to this one where they are there.
    pub(super) fn standing_for(&self, id: u32) -> Vec<u32> {
        let columns = self.stands_for.iter().map(|(column, _)| *column);
        columns.filter(|column| *column != id && self.all_of(*column).contains(&id)).collect()
    }

    /// The column that the first of these which is there always gives; 0 for none. The order does not count, as they are equal.
    pub(super) fn first_of(&self, columns: &[u32]) -> u32 {
        let Some((first, others)) = columns.split_first() else { return 0 };
        let common = self.all_of(*first).into_iter().filter(|id| others.iter().all(|other| self.all_of(*other).contains(id)));
        common.into_iter().find(|id| *id != 0 && self.is_covered(*id, columns)).unwrap_or(0)
    }

    /// Whether one of these is there wherever the column is.
    fn is_covered(&self, id: u32, columns: &[u32]) -> bool {
        let whole = |(one, other, whole): &(u32, u32, u32)| {
            *whole == id && *one != id && *other != id && self.is_covered(*one, columns) && self.is_covered(*other, columns)
        };
        columns.contains(&id) || self.either.iter().any(whole)
    }
}

impl Inference<'_> {
    /// Two units that meet in one expression, with one column for what is equal wherever both are there.
    pub(super) fn together(&self, one: &Facts, other: &Facts) -> (Measure, Measure) {
        let (one, other) = (super::units::measure(one), super::units::measure(other));
        self.alike(&one, &other)
    }

    pub(super) fn alike(&self, one: &Measure, other: &Measure) -> (Measure, Measure) {
        let (ours, theirs) = (columns_of(one), columns_of(other));
        let known = &self.equalities;
        if known.stands_for.is_empty() || ours == theirs || ours.is_empty() || theirs.is_empty() {
            return (one.clone(), other.clone());
        }
        let of_all = |columns: &[u32]| columns.iter().map(|id| known.all_of(*id)).collect::<Vec<_>>();
        let change = |measure: &Measure, others: &[Vec<u32>]| {
            let changed = measure.with_currencies(&mut |currency| {
                let Currency::Column(id) = currency else { return None };
                known.all_of(*id).into_iter().find(|held| others.iter().any(|all| all.contains(held))).map(Currency::Column)
            });
            changed.unwrap_or_else(|| measure.clone())
        };
        (change(one, &of_all(&theirs)), change(other, &of_all(&ours)))
    }

    /// Where a query does not give the column that names a currency, another that is equal to it names it for the readers.
    pub(super) fn name_by_equals(&self, columns: &mut [Column]) {
        let given: Vec<u32> = columns.iter().map(|column| column.facts.meaning.same_as).collect();
        for column in columns {
            let meaning = &mut column.facts.meaning;
            let renamed = meaning.measure.with_currencies(&mut |currency| match currency {
                Currency::Column(id) if !given.contains(id) => {
                    self.equalities.all_of(*id).into_iter().find(|other| given.contains(other)).map(Currency::Column)
                }
                _ => None,
            });
            if let Some(renamed) = renamed {
                meaning.measure = renamed;
            }
        }
    }

    /// Two columns of the sides of a full join that are equal where both are there: what is known as whichever is there.
    pub(super) fn whole_of(&mut self, one: u32, other: u32) -> u32 {
        let whole = self.next_id();
        let names = [one, other].map(|id| self.currency_names.get(&id).cloned());
        if let [Some(one), Some(other)] = names {
            self.currency_names.insert(whole, format!("coalesce({one}, {other})"));
        }
        self.equalities.add_either(one, other, whole);
        whole
    }
}

fn columns_of(measure: &Measure) -> Vec<u32> {
    let named = measure.unit().into_iter().flat_map(Unit::named_by);
    named.filter_map(|currency| if let Currency::Column(id) = currency { Some(id) } else { None }).collect()
}
