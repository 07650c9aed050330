//! Columns that are equal where both are there: what the condition of an outer join says of columns that name currencies.
//!
//! After `from bets left join refunds on bets.currency = refunds.currency` every refund is in the currency of its bet, so both may be
//! added. But a bet without a refund has no currency there: grouped by `refunds.currency` bets of several currencies come together.
//! So the columns stay two, and it is noted which of them stands for the other.

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
    /// For those in which no side is missing: a condition of a full join.
    Both,
}

#[derive(Debug, Default)]
pub(super) struct Equalities {
    /// A column of a side that may be missing, and the one that it is equal to where it is there.
    stands_for: Vec<(u32, u32)>,
    /// Of a full join: neither is always there.
    either: Vec<(u32, u32)>,
}

impl Equalities {
    pub(super) fn add(&mut self, column: u32, other: u32) {
        if column != other && !self.all_of(other).contains(&column) {
            self.stands_for.push((column, other));
        }
    }

    pub(super) fn add_either(&mut self, one: u32, other: u32) {
        self.either.push((one, other));
    }

    /// A column, and those that it stands for.
    pub(super) fn all_of(&self, id: u32) -> Vec<u32> {
        let mut all = vec![id];
        while let Some((_, next)) = self.stands_for.iter().find(|(held, next)| all.last() == Some(held) && !all.contains(next)) {
            all.push(*next);
        }
        all
    }

    /// Columns that are equal to this one where they are there.
    pub(super) fn standing_for(&self, id: u32) -> Vec<u32> {
        let columns = self.stands_for.iter().map(|(column, _)| *column);
        columns.filter(|column| *column != id && self.all_of(*column).contains(&id)).collect()
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
        if known.stands_for.is_empty() && known.either.is_empty() || ours == theirs || ours.is_empty() || theirs.is_empty() {
            return (one.clone(), other.clone());
        }
        let last = |id: u32| known.all_of(id).last().copied().unwrap_or(id);
        let all: Vec<u32> = ours.iter().chain(&theirs).copied().map(last).collect();
        let perhaps = |id: u32| {
            let pair = |(one, other): &(u32, u32)| [last(*one), last(*other)];
            known.either.iter().map(pair).any(|pair| pair.contains(&id) && pair.iter().all(|held| all.contains(held)))
        };
        let change = |measure: &Measure| {
            let changed = measure.with_currencies(&mut |currency| match currency {
                // Which of the two it is differs from row to row.
                Currency::Column(id) if perhaps(last(*id)) => Some(Currency::Unknown),
                Currency::Column(id) if last(*id) != *id => Some(Currency::Column(last(*id))),
                _ => None,
            });
            changed.unwrap_or_else(|| measure.clone())
        };
        (change(one), change(other))
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
}

fn columns_of(measure: &Measure) -> Vec<u32> {
    let currencies = measure.unit().into_iter().flat_map(Unit::currencies);
    currencies.filter_map(|currency| if let Currency::Column(id) = currency { Some(*id) } else { None }).collect()
}
