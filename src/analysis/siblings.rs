//! Targets of one project that are compiled by one command.
//!
//! The text of a portable query differs between them at most in where its tables are. So the first target that reads it writes it for the
//! others too, with their names: it is parsed and understood once. Whatever else differs (a template that asks for the target, a column
//! that a target does not have) is found by comparing, and then each target reads for itself.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sqlparser::ast::{Ident, Query, visit_relations};

use super::columns::{Parent, Parents, is_called, is_incremental};
use super::facts::RelationSchema;
use super::infer::{Finding, Inferred, path};
use super::portable::{Lowering, Outcome, Piece, Renamed, TypedQuery};
use super::promises::Promises;
use crate::project::{Manifest, Node};

/// The targets, and what they tell each other.
pub(super) struct Siblings {
    targets: Vec<Sibling>,
    /// By the number of the node.
    told: Mutex<BTreeMap<usize, Vec<Told>>>,
    /// By the number of the node: what most targets know of its columns.
    schemas: Mutex<BTreeMap<usize, Arc<RelationSchema>>>,
}

/// One of several targets.
pub(super) struct Sibling {
    manifest: Arc<Manifest>,
    lowering: Arc<dyn Lowering>,
    /// It reads for itself what it was not told.
    begun: AtomicBool,
}

impl Sibling {
    pub(super) fn new(manifest: Arc<Manifest>, lowering: Arc<dyn Lowering>) -> Sibling {
        Sibling { manifest, lowering, begun: AtomicBool::new(false) }
    }
}

/// What one target tells another of a query: good for the same text over the same columns.
struct Told {
    of: usize,
    to: usize,
    /// With the names of the other target.
    sql: String,
    /// Where the names of the target that tells stand in its text, ascending, and how many bytes those of the other have.
    names: Vec<(Range<usize>, usize)>,
    columns: Arc<[(usize, Arc<RelationSchema>)]>,
    promises: Arc<Promises>,
    inferred: Arc<Inferred>,
    outcome: Outcome,
}

impl Siblings {
    pub(super) fn new(targets: Vec<Sibling>) -> Siblings {
        Siblings { targets, told: Mutex::default(), schemas: Mutex::default() }
    }

    /// The same columns, in one place for all targets on which they are the same: these are compared for each query that reads them.
    pub(super) fn shared(&self, number: usize, schema: Arc<RelationSchema>) -> Arc<RelationSchema> {
        let first = {
            let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(schemas.entry(number).or_insert_with(|| Arc::clone(&schema)))
        };
        if first == schema { first } else { schema }
    }

    /// From now on that target is told nothing.
    pub(super) fn begin(&self, target: usize) {
        self.targets.get(target).into_iter().for_each(|target| target.begun.store(true, Ordering::Relaxed));
    }

    /// Writes a query for the targets that have not begun to read. `outcome` is what came of it on this one: where it is refused, or where
    /// something is wrong with it, each says so itself.
    pub(super) fn tell(
        &self,
        (of, number): (usize, usize),
        (sql, query): (&str, &Query),
        (inferred, outcome): (&Inferred, &Outcome),
        parents: &Parents<'_>,
        places: bool,
    ) {
        let others = || self.targets.iter().enumerate().filter(|(at, other)| *at != of && !other.begun.load(Ordering::Relaxed));
        if outcome.is_err() || others().next().is_none() {
            return;
        }
        let columns: Arc<[_]> = parents.parents.iter().map(|parent| (parent.number, Arc::clone(&parent.schema))).collect();
        let read = Arc::new(for_rewriting(inferred));
        for (to, other) in others() {
            let Some(names) = self.names(of, to, parents) else { continue };
            let spelled: Vec<_> = names.iter().map(|name| (name.here.quoted(), name.there.quoted())).collect();
            let Some(named) = places_of(sql, &spelled) else { continue };
            // Otherwise some name stands in a text, or before a column.
            if !names.is_empty() && renamed(query, &names) != Some(named.len()) {
                continue;
            }
            let outcome = other.lowering.lower(&TypedQuery { sql, query, types: &inferred.types, renamed: &names, places });
            let told = Told {
                of,
                to,
                sql: with_names(sql, &named),
                names: named.into_iter().map(|(range, name)| (range, name.len())).collect(),
                columns: Arc::clone(&columns),
                promises: Arc::clone(parents.promises),
                inferred: Arc::clone(&read),
                outcome,
            };
            self.told.lock().unwrap_or_else(PoisonError::into_inner).entry(number).or_default().push(told);
        }
    }

    /// What another target has told of a query, in the places of this one.
    pub(super) fn hear(&self, (to, number): (usize, usize), sql: &str, parents: &Parents<'_>) -> Option<(Inferred, Outcome)> {
        let Told { names, inferred, outcome, .. } = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let of_node = told.get_mut(&number)?;
            // An incremental model has two texts.
            let at = of_node.iter().position(|told| told.to == to && self.fits(told, number, sql, parents))?;
            of_node.swap_remove(at)
        };
        let mut inferred = Arc::unwrap_or_clone(inferred);
        let moved = |range: &mut Range<usize>| *range = moved(range, &names);
        inferred.places.iter_mut().flatten().for_each(moved);
        let findings = [&mut inferred.findings, &mut inferred.unit_findings, &mut inferred.doubts];
        findings.into_iter().flatten().flat_map(ranges).for_each(moved);
        let outcome = match outcome {
            Ok(Some(mut lowered)) => {
                let moved = |piece: &mut Piece| {
                    let there = Piece::new(piece.written(), self::moved(&piece.read(), &names));
                    *piece = there.unwrap_or(*piece);
                };
                lowered.places.iter_mut().for_each(moved);
                Ok(Some(lowered))
            }
            Err(mut refused) => {
                refused.iter_mut().flat_map(ranges).for_each(moved);
                Err(refused)
            }
            Ok(None) => Ok(None),
        };
        Some((inferred, outcome))
    }

    /// Whether what was told holds for this text over these columns.
    fn fits(&self, told: &Told, number: usize, sql: &str, parents: &Parents<'_>) -> bool {
        let same_node = |number: usize| self.node(told.of, number).map(|node| &node.id) == self.node(told.to, number).map(|node| &node.id);
        let same_kind = self.node(told.of, number).map(is_incremental) == self.node(told.to, number).map(is_incremental);
        let same_columns = |(held, parent): (&(usize, Arc<RelationSchema>), &Parent<'_>)| {
            held.0 == parent.number
                && same_node(parent.number)
                && (Arc::ptr_eq(&held.1, &parent.schema) || held.1 == parent.schema)
                && told.promises.promise_the_same(parents.promises, parent.number)
        };
        told.sql == sql
            && same_node(number)
            && same_kind
            && told.columns.len() == parents.parents.len()
            && told.columns.iter().zip(parents.parents).all(same_columns)
    }

    fn node(&self, target: usize, number: usize) -> Option<&Node> {
        self.targets.get(target)?.manifest.nodes.get(number)
    }

    /// How what a node reads, and itself, is called on two targets; `None` where that cannot be told.
    fn names<'m>(&'m self, here: usize, there: usize, parents: &Parents<'_>) -> Option<Vec<Renamed<'m>>> {
        let mut names = Vec::new();
        for parent in parents.parents {
            let (here, there) = (self.node(here, parent.number)?, self.node(there, parent.number)?);
            if here.is_ephemeral() != there.is_ephemeral() {
                return None;
            }
            match (&here.relation, &there.relation) {
                (None, None) => {}
                (Some(here), Some(there)) if here == there => {}
                // Columns are named by it.
                (Some(here), Some(there)) if here.identifier == there.identifier => names.push(Renamed { here, there }),
                _ => return None,
            }
        }
        Some(names)
    }
}

fn ranges(finding: &mut Finding) -> impl Iterator<Item = &mut Range<usize>> {
    finding.range.iter_mut().chain(finding.also.iter_mut().map(|(range, _)| range))
}

/// What is to be known of a query that is rewritten already: nobody asks for its lineage, and its types are those of another tree.
fn for_rewriting(inferred: &Inferred) -> Inferred {
    let Inferred { schema, places, strangers, findings, unit_findings, doubts, .. } = inferred;
    let mut kept = Inferred {
        schema: schema.clone(),
        places: places.clone(),
        strangers: strangers.clone(),
        findings: findings.clone(),
        unit_findings: unit_findings.clone(),
        doubts: doubts.clone(),
        ..Inferred::default()
    };
    kept.keep_mistakes();
    kept
}

/// Where names stand in a text, ascending, and the others that belong there; `None` where one of these stands there already.
fn places_of<'n>(sql: &str, names: &'n [(String, String)]) -> Option<Vec<(Range<usize>, &'n str)>> {
    let mut places = Vec::new();
    for (here, there) in names {
        if memchr::memmem::find(sql.as_bytes(), there.as_bytes()).is_some() {
            return None;
        }
        places.extend(memchr::memmem::find_iter(sql.as_bytes(), here).map(|at| (at..at + here.len(), there.as_str())));
    }
    places.sort_by_key(|(range, _)| range.start);
    places.dedup();
    Some(places)
}

/// A text with other names in their places.
fn with_names(sql: &str, places: &[(Range<usize>, &str)]) -> String {
    let mut text = String::with_capacity(sql.len() + places.iter().map(|(_, name)| name.len()).sum::<usize>());
    let mut at = 0;
    for (range, name) in places {
        text.extend([sql.get(at..range.start).unwrap_or_default(), name]);
        at = range.end;
    }
    text.push_str(sql.get(at..).unwrap_or_default());
    text
}

/// How often a tree has names that are others elsewhere; `None` where it names a table in another way, as people do, and that is not the
/// same one elsewhere.
fn renamed(query: &Query, names: &[Renamed<'_>]) -> Option<usize> {
    let mut count = 0;
    let seen = visit_relations(query, |relation| {
        if names.iter().any(|name| name.is(relation)) {
            count += 1;
            return ControlFlow::Continue(());
        }
        let parts: Vec<Ident> = relation.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        let parts = path(&parts);
        match names.iter().all(|name| is_called(name.here, &parts) == is_called(name.there, &parts)) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    seen.is_continue().then_some(count)
}

/// A range of a text in which names have other lengths. What ends within a name takes all of it.
fn moved(range: &Range<usize>, names: &[(Range<usize>, usize)]) -> Range<usize> {
    let place = |at: usize, is_end: bool| {
        let mut moved = at;
        for (name, length) in names.iter().take_while(|(name, _)| name.start < at) {
            if name.end <= at {
                moved = moved + length - name.len();
            } else {
                let within = at - name.start;
                moved = moved - within + if is_end { *length } else { 0 };
            }
        }
        moved
    };
    place(range.start, false)..place(range.end, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_text_of_the_other_target() {
        let named = |here: &str, there: &str| (here.to_owned(), there.to_owned());
        let names = [named("\"a\".\"x\"", "\"bb\".\"x\""), named("\"a\".\"yy\"", "\"b\".\"yy\"")];
        let sql = "select * from \"a\".\"yy\" join \"a\".\"x\" on \"a\".\"x\".i";
        let there = places_of(sql, &names).map(|places| with_names(sql, &places));
        assert_eq!(there.as_deref(), Some("select * from \"b\".\"yy\" join \"bb\".\"x\" on \"bb\".\"x\".i"));
        assert_eq!(places_of("select * from \"a\".\"x\" join \"bb\".\"x\"", &names), None);
    }

    #[test]
    fn ranges_move_with_the_names_before_them() {
        // `from "a" join "bb" x` becomes `from "aaaa" join "b" x`.
        let names = [(5..8, 6), (14..18, 3)];
        assert_eq!(moved(&(0..4), &names), 0..4);
        assert_eq!(moved(&(5..8), &names), 5..11);
        assert_eq!(moved(&(6..7), &names), 5..11);
        assert_eq!(moved(&(9..13), &names), 12..16);
        assert_eq!(moved(&(19..20), &names), 21..22);
    }
}
