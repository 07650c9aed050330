//! What was found out about the nodes of a project, kept for the next analysis.
//!
//! What is known of a node follows from the files (a saved parse says whether they are the same but for the text of single nodes), its own
//! text, the schemas of what it reads, and what its templates ask of the outside. So after an edit the node itself is looked at again,
//! and further nodes only as far as schemas have changed. Sources and seeds are always looked at again: they are few, and the data of seeds
//! lie outside of the parse. So is what belongs to the moment, and what failed. A report is looked at again with anything above it,
//! since the ways of its columns lead through all that.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{ColumnEdge, NodeAnalysis};
use super::facts::RelationSchema;
use crate::base::{Asked, Dag, Digest, Framed, Recorded, unframed};
use crate::diag::Diagnostic;
use crate::jinja::Templates;

/// Where a project stands beside a saved parse.
pub struct Standing {
    /// Tells the parse from others.
    pub parse: Digest,
    /// By number, the nodes that are not as they were then.
    pub edits: BTreeMap<usize, Edited>,
    /// What edited nodes asked of the outside when they were read.
    pub asked: Asked,
    /// What templates ask the outside through.
    pub files: Arc<Recorded>,
}

/// How a node differs from the saved parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edited {
    /// It has this text.
    Text(Digest),
    /// It may be another one with each invocation.
    Always,
}

const MAGIC: &[u8; 8] = b"accachk1";

/// So many nodes may be looked at again before the file is written anew: writing it costs more.
const FEW: usize = 50;

#[derive(Serialize, Deserialize)]
struct Header {
    parse: Digest,
    /// Names of the flags that templates asked for, and the digest of what they were.
    flags: (BTreeSet<String>, Digest),
    /// Numbers of the nodes through which personal data reach reports.
    guarded: BTreeSet<usize>,
    /// The digest of the functions that the project makes, where somebody asked for one.
    functions: Option<Digest>,
    edits: BTreeMap<usize, Edited>,
    asked: Asked,
    /// By number.
    nodes: Vec<Entry>,
    /// By number, where there are any.
    problems: BTreeMap<usize, Vec<Diagnostic>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Entry {
    /// Bytes in the last part of the file; 0 for what nobody can read.
    length: usize,
    known: bool,
    again: bool,
}

/// Results of an earlier analysis that still hold, but for what was edited since.
struct Kept<'b> {
    header: Header,
    /// By number.
    texts: Vec<&'b [u8]>,
}

impl<'b> Kept<'b> {
    /// `None` for what is damaged or is not about this project as it is now.
    fn read(bytes: &'b [u8], standing: &Standing, rules: &KeptRules<'_>) -> Option<Kept<'b>> {
        let nodes = rules.nodes;
        let [header, mut blob] = unframed(MAGIC, bytes)?;
        let header: Header = rmp_serde::from_slice(header).ok()?;
        let (flags, told) = &header.flags;
        let same = header.parse == standing.parse && rules.templates.digest_of_flags(flags) == *told;
        if !same || header.nodes.len() != nodes {
            return None;
        }
        if header.functions.is_some_and(|functions| (rules.functions)() != functions) {
            return None;
        }
        header.asked.again(standing.files.unrecorded(), &|_| false)?;
        let mut texts = Vec::with_capacity(nodes);
        for entry in &header.nodes {
            let (text, rest) = blob.split_at_checked(entry.length)?;
            texts.push(text);
            blob = rest;
        }
        Some(Kept { header, texts })
    }

    /// Whether the node itself calls for another look.
    fn is_edited(&self, number: usize, standing: &Standing) -> bool {
        let now = standing.edits.get(&number);
        let entry = self.header.nodes.get(number);
        now == Some(&Edited::Always) || now != self.header.edits.get(&number) || entry.is_none_or(|entry| entry.again || !entry.known)
    }

    /// What was found out about a node.
    fn node(&self, number: usize) -> Option<NodeAnalysis> {
        let (schema, edges): (RelationSchema, Vec<ColumnEdge>) = match self.texts.get(number)? {
            [] => Default::default(),
            text => rmp_serde::from_slice(text).ok()?,
        };
        let problems = self.header.problems.get(&number).cloned().unwrap_or_default();
        let again = self.header.nodes.get(number)?.again;
        Some(NodeAnalysis { edges, problems, again, ..NodeAnalysis::of(schema) })
    }
}

/// What the results of all nodes hang on besides their files.
#[derive(Clone, Copy)]
pub(super) struct KeptRules<'a> {
    pub(super) templates: &'a Templates,
    /// Numbers of the nodes through which personal data reach reports.
    pub(super) guarded: &'a BTreeSet<usize>,
    /// How many nodes there are.
    pub(super) nodes: usize,
    /// The digest of the functions that the project makes.
    pub(super) functions: &'a (dyn Fn() -> Digest + Sync),
    /// Whether other nodes can read that one.
    pub(super) is_readable: &'a (dyn Fn(usize) -> bool + Sync),
}

/// An analysis on its way, beside what is kept of an earlier one.
pub(super) struct Progress<'a> {
    standing: &'a Standing,
    rules: KeptRules<'a>,
    kept: Option<Kept<'a>>,
    /// Nodes whose schema is not what it was.
    changed: BTreeSet<usize>,
    /// Nodes of which something is not what it was.
    touched: BTreeSet<usize>,
    /// How many nodes were looked at that need not be each time.
    looked: usize,
}

impl<'a> Progress<'a> {
    pub(super) fn begin(standing: &'a Standing, held: Option<&'a [u8]>, rules: KeptRules<'a>) -> Progress<'a> {
        let kept = held.and_then(|bytes| Kept::read(bytes, standing, &rules));
        standing.files.resume();
        Progress { standing, rules, kept, changed: BTreeSet::new(), touched: BTreeSet::new(), looked: 0 }
    }

    /// Whether a node whose parents are done is to be looked at.
    pub(super) fn is_due(&self, number: usize, dag: &Dag, reports: &BTreeSet<usize>) -> bool {
        let Some(kept) = &self.kept else { return true };
        kept.is_edited(number, self.standing)
            || !self.changed.is_empty() && dag.parents(number).iter().any(|parent| self.changed.contains(parent))
            || kept.header.guarded.contains(&number) != self.rules.guarded.contains(&number)
            || reports.contains(&number) && !self.touched.is_empty() && !dag.ancestors(number, None).is_disjoint(&self.touched)
    }

    /// Puts what those nodes read beside what is known already; for a report all that its columns come from.
    pub(super) fn recall(&self, due: &[usize], dag: &Dag, reports: &BTreeSet<usize>, known: &mut BTreeMap<usize, NodeAnalysis>) {
        for number in due {
            match reports.contains(number) {
                true => self.put(dag.ancestors(*number, None), known),
                false => self.put(dag.parents(*number), known),
            }
        }
    }

    /// Puts what is to be said of those nodes beside what is known already.
    pub(super) fn recall_told(self, of: &BTreeSet<usize>, known: &mut BTreeMap<usize, NodeAnalysis>) {
        for (number, problems) in self.kept.into_iter().flat_map(|kept| kept.header.problems).filter(|(number, _)| of.contains(number)) {
            known.entry(number).or_insert_with(|| NodeAnalysis { problems, ..NodeAnalysis::of(RelationSchema::unknown()) });
        }
    }

    fn put(&self, numbers: impl IntoIterator<Item = usize>, known: &mut BTreeMap<usize, NodeAnalysis>) {
        let Some(kept) = &self.kept else { return };
        for number in numbers {
            if !known.contains_key(&number) {
                known.extend(kept.node(number).map(|found| (number, found)));
            }
        }
    }

    pub(super) fn note(&mut self, done: &[(usize, NodeAnalysis)]) {
        for (number, found) in done {
            self.looked += usize::from(!found.again);
            let Some(kept) = &self.kept else { continue };
            let held = kept.node(*number);
            if held.as_ref().is_none_or(|held| held.schema != found.schema) {
                self.changed.insert(*number);
            }
            if held.is_none_or(|held| held.schema != found.schema || held.edges != found.edges) {
                self.touched.insert(*number);
            }
        }
    }

    /// What is to be kept from now on; `None` when what is kept does, or when not every node was asked for.
    pub(super) fn renewed(
        &self,
        known: &BTreeMap<usize, NodeAnalysis>,
        functions_asked: bool,
        is_whole: impl Fn() -> bool,
    ) -> Option<Vec<u8>> {
        let mut asked = self.standing.files.take();
        asked.add(self.standing.asked.clone());
        if self.kept.is_some() && self.looked <= FEW || !is_whole() {
            return None;
        }
        asked.add(self.kept.as_ref().map(|kept| kept.header.asked.clone()).unwrap_or_default());
        let mut flags = self.rules.templates.asked_flags();
        flags.extend(self.kept.iter().flat_map(|kept| &kept.header.flags.0).cloned());
        let told = self.rules.templates.digest_of_flags(&flags);
        let mut header = Header {
            parse: self.standing.parse,
            flags: (flags, told),
            guarded: self.rules.guarded.clone(),
            functions: functions_asked.then(|| (self.rules.functions)()),
            edits: self.standing.edits.clone(),
            asked,
            nodes: Vec::with_capacity(self.rules.nodes),
            problems: BTreeMap::new(),
        };
        let written: Vec<_> = (0..self.rules.nodes).into_par_iter().map(|number| self.written(known.get(&number), number)).collect();
        let mut blob = Vec::new();
        for (number, written) in written.into_iter().enumerate() {
            let Written { text, known: is_known, again } = written?;
            header.nodes.push(Entry { length: text.len(), known: is_known, again });
            blob.extend_from_slice(&text);
            let held = || self.kept.as_ref().and_then(|kept| kept.header.problems.get(&number));
            let problems = known.get(&number).map(|found| &found.problems).or_else(held).cloned().unwrap_or_default();
            if !problems.is_empty() {
                header.problems.insert(number, problems);
            }
        }
        let header = rmp_serde::to_vec(&header).ok()?;
        Some(Framed::new(MAGIC, &[&header], vec![&blob]).pieces().concat())
    }

    /// A node as it is written down. Of what nobody can read the problems do.
    fn written(&self, found: Option<&NodeAnalysis>, number: usize) -> Option<Written<'a>> {
        Some(match (found, &self.kept) {
            (Some(found), _) if !(self.rules.is_readable)(number) => Written { text: Cow::default(), known: true, again: found.again },
            (Some(found), _) => {
                let text = rmp_serde::to_vec(&(&*found.schema, &found.edges)).ok()?;
                Written { text: text.into(), known: true, again: found.again }
            }
            (None, Some(kept)) => {
                let Entry { known, again, .. } = *kept.header.nodes.get(number)?;
                Written { text: Cow::Borrowed(*kept.texts.get(number)?), known, again }
            }
            (None, None) => Written { text: Cow::default(), known: false, again: false },
        })
    }
}

/// What is kept of a node besides its problems.
struct Written<'a> {
    text: Cow<'a, [u8]>,
    known: bool,
    again: bool,
}
