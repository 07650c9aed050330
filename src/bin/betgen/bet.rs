//! A bet and the whole of its life, known from the moment it is placed.

use crate::accounts::Business;
use crate::bet_type::BetType;
use crate::calendar::Moment;
use crate::fx::Currency;
use crate::price::Price;
use crate::returns::Outcome;
use crate::settle::Settlement;

pub(crate) struct Bet {
    pub(crate) key: String,
    pub(crate) business: Business,
    /// Position of the customer among the company's accounts.
    pub(crate) account: usize,
    pub(crate) currency: Currency,
    pub(crate) placed: Moment,
    pub(crate) bet_type: BetType,
    pub(crate) each_way: bool,
    /// Lines staked on; twice those of the type when each-way.
    pub(crate) lines: i64,
    /// Minor units, as are all amounts.
    pub(crate) unit_stake: i64,
    /// The part of the total stake that is bonus money: none or all of it.
    pub(crate) bonus: i64,
    pub(crate) mobile: bool,
    pub(crate) in_play: bool,
    pub(crate) legs: Vec<Leg>,
    pub(crate) settlement: Option<Settlement>,
    /// Removed by operations: hard at meridian, softly at halcyon.
    pub(crate) deleted: Option<Moment>,
}

pub(crate) struct Leg {
    pub(crate) selection_id: i64,
    pub(crate) price: Price,
    pub(crate) outcome: Outcome,
    pub(crate) starts: Moment,
    pub(crate) ends: Moment,
    /// When the company recorded the outcome; never, for a bet cashed out before.
    pub(crate) resulted: Option<Moment>,
}

impl Bet {
    pub(crate) fn total_stake(&self) -> i64 {
        self.unit_stake * self.lines
    }

    pub(crate) fn cash_stake(&self) -> i64 {
        self.total_stake() - self.bonus
    }

    /// The settlement, if it happened before this moment.
    pub(crate) fn settled_by(&self, moment: Moment) -> Option<&Settlement> {
        self.settlement.as_ref().filter(|settlement| settlement.at < moment)
    }

    /// Whether anything about the bet happens at this moment or later.
    pub(crate) fn changes_after(&self, moment: Moment) -> bool {
        let deleted = self.deleted.is_some_and(|deleted| deleted >= moment);
        let settled = self.settlement.as_ref().is_some_and(|settlement| settlement.at >= moment);
        let resulted = self.legs.iter().any(|leg| leg.resulted.is_some_and(|resulted| resulted >= moment));
        deleted || settled || resulted
    }
}

impl Leg {
    pub(crate) fn result_by(&self, moment: Moment) -> Option<Outcome> {
        self.resulted.filter(|&resulted| resulted < moment).map(|_| self.outcome)
    }
}
