//! A parse that is kept for the next run.
//!
//! Two things are written down, each a pure function of what it came from. *What the files say* (the nodes before their first
//! pass, macros, doc blocks, warnings) depends on every answer that the outside world gave while they were read; all of it is
//! asked again, by content and not by time, and one answer that differs makes the whole of it worthless. The exception are files
//! that are nothing but the body of one node: of their text only the length counts, until the *first pass* of that node, which
//! depends on the node as it was before, on its text, and on what was asked. So after an edit of such a file one node goes through
//! its first pass again, and so do nodes whose templates ask for something that belongs to the moment (`run_started_at`).
//! Links, access and the graph are worked out anew in each run.
//!
//! Secrets are neither written nor hashed: the profile is read outside of all this, only the open parts of the target count, and
//! variables of the environment that are called secrets are not noted. Of `--vars` there is a sum; what templates make of them is
//! written as the manifest has it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::analysis::Edited;
use crate::base::{Asked, Digest, FileId, Files, Framed, SourceFile, Sources, Span, digest, sum_of, unframed};
use crate::diag::Diagnostic;
use crate::jinja::{BUILTIN_MACROS, Invocation, Passed, Work};
use crate::project::{self, AccaFile, Detail, DocBlock, Group, LoadOptions, Macro, Manifest, Node, Opened, Project, Selector};

/// Where the bytes of a parse are kept between runs.
pub trait Store {
    /// What tells this build of acca from every other one.
    fn program(&self) -> &str;

    /// What was saved last for that target path.
    fn load(&self, target_path: &str) -> Option<Vec<u8>>;

    /// Replaces it by these parts, one behind the other. What cannot be saved is worked out anew next time.
    fn save(&self, target_path: &str, parts: &[&[u8]]);

    /// Whether anything is saved at all.
    fn saves(&self) -> bool;
}

/// Keeps nothing.
pub struct NoStore;

impl Store for NoStore {
    fn program(&self) -> &'static str {
        ""
    }

    fn load(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, _: &str, _: &[&[u8]]) {}

    fn saves(&self) -> bool {
        false
    }
}

/// A store whose content is not read, only replaced.
pub(super) struct Unread<'s>(pub(super) &'s dyn Store);

impl Store for Unread<'_> {
    fn program(&self) -> &str {
        self.0.program()
    }

    fn load(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, target_path: &str, parts: &[&[u8]]) {
        self.0.save(target_path, parts);
    }

    fn saves(&self) -> bool {
        self.0.saves()
    }
}

const MAGIC: &[u8; 8] = b"accapar1";

/// How many bodies may be edited before the file is written anew: writing it costs more than a few renders.
const FEW: usize = 50;

#[derive(Clone, Serialize, Deserialize)]
struct Header {
    key: Digest,
    asked: Asked,
    /// Paths of all sources in the order of reading.
    sources: Vec<String>,
    /// Those whose text is not what the file holds: seeds, which are read when they are loaded.
    unread: Vec<usize>,
    nodes: Vec<Entry>,
}

/// One node: what is written of it before and after its first pass follows each other in the last part of the file.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    /// The file that is its body and nothing else.
    body: Option<u32>,
    momentary: bool,
    before: usize,
    after: usize,
}

/// What a project consists of besides its nodes, and the warnings of reading it.
type Besides = (Vec<Macro>, Vec<DocBlock>, Vec<Group>, Vec<Selector>, AccaFile, Vec<Diagnostic>);

/// What everything depends on besides the answers to questions.
pub(super) fn key(program: &str, options: &LoadOptions, opened: &Opened, invocation: &Invocation) -> Digest {
    let target = &opened.target;
    let open: BTreeMap<&str, &serde_json::Value> = target.open_settings().collect();
    let names = [&target.profile, &target.name, &target.adapter, &target.database, &target.schema];
    let parts = serde_json::json!([program, options.vars, names, target.threads, open, invocation.adapter_chain, invocation.lowers_names]);
    digest(parts.to_string().as_bytes())
}

/// A saved parse that still holds.
pub(super) struct Kept<'b> {
    pub(super) sources: Sources,
    pub(super) contents: project::Contents,
    pub(super) problems: Vec<Diagnostic>,
    /// The nodes, ascending by id.
    pub(super) work: Vec<Work<'b>>,
    pub(super) saved: Saved<'b>,
}

/// What is needed to save it again.
pub(super) struct Saved<'b> {
    /// Tells the parse from others.
    digest: Digest,
    header: Header,
    contents: &'b [u8],
    /// Each node before and after its first pass.
    nodes: Vec<(&'b [u8], &'b [u8])>,
    /// Digests of bodies that were edited, by path.
    edited: HashMap<String, Digest>,
}

impl<'b> Kept<'b> {
    /// `None` for what is damaged, was written by another build, or does not hold any more.
    pub(super) fn read(bytes: &'b [u8], key: &Digest, files: &dyn Files, opened: &Sources) -> Option<Kept<'b>> {
        let [written, contents, blob] = unframed(MAGIC, bytes)?;
        let header: Header = rmp_serde::from_slice(written).ok()?;
        let first = opened.iter().count();
        if header.key != *key || !opened.iter().map(|(_, file)| &*file.path).eq(header.sources.iter().take(first).map(String::as_str)) {
            return None;
        }
        let path_of = |file: u32| header.sources.get(file as usize).map(String::as_str);
        let bodies: HashSet<&str> = header.nodes.iter().filter_map(|node| path_of(node.body?)).collect();
        let read = header.asked.again(files, &|path| bodies.contains(path))?;
        let changed = read.iter().filter(|(_, reread)| !reread.same);
        let edited: HashMap<String, Digest> = changed.map(|(path, reread)| ((*path).to_owned(), digest(&reread.bytes))).collect();
        let mut sources = opened.clone();
        let texts: Option<HashMap<&str, Arc<str>>> =
            read.into_iter().map(|(path, reread)| Some((path, String::from_utf8(reread.bytes).ok()?.into()))).collect();
        let texts = texts?;
        let unread: HashSet<usize> = header.unread.iter().copied().collect();
        for (number, path) in header.sources.iter().enumerate().skip(first) {
            let text = texts.get(path.as_str()).filter(|_| !unread.contains(&number));
            sources.add(path.as_str(), text.cloned().unwrap_or_else(|| own_text(path).into()));
        }
        let nodes = split(&header.nodes, blob)?;
        let is_edited = |file: u32| path_of(file).is_some_and(|path| edited.contains_key(path));
        let work = header.nodes.iter().zip(&nodes).map(|(entry, (before, after))| {
            let body = entry.body.filter(|file| is_edited(*file));
            if body.is_none() && !entry.momentary {
                return Some(Work::Done(after));
            }
            let mut node: Node = rmp_serde::from_slice(before).ok()?;
            if let Some(file) = body {
                let whole = sources.whole(FileId(file));
                (node.origin, node.body) = (whole, Some(whole));
            }
            Some(Work::New(Box::new(node)))
        });
        let work: Option<Vec<Work<'_>>> = work.collect();
        let (macros, docs, groups, selectors, acca, problems): Besides = rmp_serde::from_slice(contents).ok()?;
        Some(Kept {
            sources,
            contents: project::Contents { macros, docs, groups, selectors, acca },
            problems,
            work: work?,
            saved: Saved { digest: digest(&[written, &sum_of(bytes)?].concat()), header, contents, nodes, edited },
        })
    }
}

impl Saved<'_> {
    /// Whether so many bodies were edited that it is worth to save the parse anew.
    pub(super) fn is_outdated(&self) -> bool {
        self.edited.len() > FEW
    }

    /// Saves the parse anew. `passed` are the nodes that went through
    /// their first pass, by position; `asked` is what they asked. Returns what tells the new parse from others.
    pub(super) fn renew(&self, asked: Asked, passed: &[Option<Passed>], store: &dyn Store, target_path: &str) -> Option<Digest> {
        let mut header = Header { nodes: Vec::with_capacity(passed.len()), ..self.header.clone() };
        header.asked.add(asked);
        header.asked.reads.extend(self.edited.iter().map(|(path, sum)| (path.clone(), Some(*sum))));
        let mut nodes = Vec::with_capacity(passed.len());
        for ((entry, held), passed) in self.header.nodes.iter().zip(&self.nodes).zip(passed) {
            let path = entry.body.and_then(|file| self.header.sources.get(file as usize));
            let was_new = entry.momentary || path.is_some_and(|path| self.edited.contains_key(path));
            let (before, after, momentary) = match passed {
                Some(passed) => (&*passed.before, &*passed.after, passed.momentary),
                None if was_new => return None,
                None => (held.0, held.1, false),
            };
            header.nodes.push(Entry { body: entry.body, momentary, before: before.len(), after: after.len() });
            nodes.push((before, after));
        }
        Written { header: &header, contents: self.contents, nodes: &nodes }.save(store, target_path)
    }

    /// What tells the parse from others, and how the project differs from it: the nodes that went through their first pass again, with
    /// the digest of their text, or none when they belong to the moment. `None` when another node may see a difference.
    pub(super) fn standing(&self, manifest: &Manifest, passed: &[Option<Passed>]) -> Option<(Digest, BTreeMap<usize, Edited>)> {
        let mut edits = BTreeMap::new();
        for ((entry, (_, after)), passed) in self.header.nodes.iter().zip(&self.nodes).zip(passed) {
            let path = entry.body.and_then(|file| self.header.sources.get(file as usize));
            let edited = path.and_then(|path| self.edited.get(path));
            if edited.is_none() && !entry.momentary {
                continue;
            }
            let (held, _): (Node, IgnoredAny) = rmp_serde::from_slice(after).ok()?;
            let number = manifest.number(&held.id);
            let now = match number {
                Some(number) => manifest.nodes.get(number),
                None => manifest.disabled.iter().find(|node| node.id == held.id),
            };
            if seen_by_others(&held)? != seen_by_others(now?)? {
                return None;
            }
            let momentary = entry.momentary || passed.as_ref().is_some_and(|passed| passed.momentary);
            let text = edited.copied().filter(|_| !momentary);
            // What is disabled has no number, and nothing is found out about it.
            edits.extend(number.map(|number| (number, text.map_or(Edited::Always, Edited::Text))));
        }
        Some((self.digest, edits))
    }
}

/// The nodes that belong to the moment, of those that went through their first pass; `None` where one of them is disabled, for the
/// moment.
pub(super) fn momentary(manifest: &Manifest, passed: &[Option<Passed>]) -> Option<BTreeMap<usize, Edited>> {
    let momentary = passed.iter().flatten().filter(|passed| passed.momentary);
    let numbers = momentary.map(|passed| {
        let (node, _): (Node, IgnoredAny) = rmp_serde::from_slice(&passed.after).ok()?;
        Some((manifest.number(&node.id)?, Edited::Always))
    });
    numbers.collect()
}

/// All of a node but its text and what that reads.
fn seen_by_others(node: &Node) -> Option<Vec<u8>> {
    let place = Span::new(node.origin.file, 0, 0);
    let node = Node {
        origin: place,
        body: node.body.map(|_| place),
        config: node.config.without_places(),
        refs: Vec::new(),
        source_calls: Vec::new(),
        macros: Vec::new(),
        depends_on: Vec::new(),
        ..node.clone()
    };
    rmp_serde::to_vec(&node).ok()
}

/// Saves a parse that was done from the start, where it can be kept. `problems` are those of reading. Returns what tells it from
/// others.
pub(super) fn save(
    (key, asked): (Digest, Asked),
    project: &Project,
    manifest: &Manifest,
    passed: &[Option<Passed>],
    problems: &[Diagnostic],
    store: &dyn Store,
) -> Option<Digest> {
    let free = free_bodies(manifest, &project.sources, problems);
    let mut header = Header {
        key,
        asked,
        sources: project.sources.iter().map(|(_, file)| file.path.to_string()).collect(),
        unread: Vec::new(),
        nodes: Vec::with_capacity(passed.len()),
    };
    let empty = Some(Some(digest(b"")));
    let is_unread = |file: &SourceFile| file.text.is_empty() && header.asked.reads.get(&*file.path).copied() != empty;
    header.unread = project.sources.iter().enumerate().filter(|(_, (_, file))| is_unread(file)).map(|(number, _)| number).collect();
    let mut nodes = Vec::with_capacity(passed.len());
    for passed in passed {
        let passed = passed.as_ref()?;
        let body = passed.body.filter(|file| free.contains(file)).map(|file| file.0);
        if passed.momentary && passed.before.is_empty() {
            return None;
        }
        header.nodes.push(Entry { body, momentary: passed.momentary, before: passed.before.len(), after: passed.after.len() });
        nodes.push((&*passed.before, &*passed.after));
    }
    let contents = (&project.macros, &project.docs, &project.groups, &project.selectors, &project.acca, problems);
    let contents = rmp_serde::to_vec(&contents).ok()?;
    Written { header: &header, contents: &contents, nodes: &nodes }.save(store, &project.target_path)
}

/// Files that are the body of one node and in which nothing else lies.
fn free_bodies(manifest: &Manifest, sources: &Sources, problems: &[Diagnostic]) -> HashSet<FileId> {
    let mut holders: HashMap<FileId, usize> = HashMap::new();
    let mut bodies = HashSet::new();
    for node in manifest.nodes.iter().chain(&manifest.disabled) {
        *holders.entry(node.origin.file).or_default() += 1;
        let alone = matches!(node.detail, Detail::Model(_) | Detail::Analysis | Detail::SingularTest);
        let whole = |span: Span| span == sources.whole(span.file);
        if let Some(body) = node.body.filter(|body| alone && whole(*body) && *body == node.origin) {
            bodies.insert(body.file);
        }
    }
    let labels = problems.iter().flat_map(|problem| problem.primary.iter().chain(&problem.secondary));
    let told: HashSet<FileId> = labels.map(|label| label.span.file).collect();
    // A file may lie in the folders of two kinds of resources: it is read for each of them then.
    let mut readings: HashMap<&str, usize> = HashMap::new();
    for (_, file) in sources.iter() {
        *readings.entry(&file.path).or_default() += 1;
    }
    bodies.retain(|file| holders.get(file) == Some(&1) && !told.contains(file) && readings.get(sources.path(*file)) == Some(&1));
    bodies
}

/// The text of a source that is no file of the project's: acca's own macros, and seeds, whose data are not read while parsing.
fn own_text(path: &str) -> &'static str {
    let own = path.strip_prefix("<acca>/");
    own.and_then(|own| BUILTIN_MACROS.iter().find(|(name, _)| *name == own)).map_or("", |(_, text)| text)
}

/// The texts of all nodes in the last part of the file.
fn split<'b>(entries: &[Entry], mut blob: &'b [u8]) -> Option<Vec<(&'b [u8], &'b [u8])>> {
    let mut nodes = Vec::with_capacity(entries.len());
    for entry in entries {
        let (before, rest) = blob.split_at_checked(entry.before)?;
        let (after, rest) = rest.split_at_checked(entry.after)?;
        nodes.push((before, after));
        blob = rest;
    }
    blob.is_empty().then_some(nodes)
}

/// A parse, ready to be saved. Its parts lie where they are: together they are as large as the rest of the project in memory.
struct Written<'p> {
    header: &'p Header,
    contents: &'p [u8],
    nodes: &'p [(&'p [u8], &'p [u8])],
}

impl Written<'_> {
    /// Header, contents, nodes. Returns what tells this parse from others.
    fn save(&self, store: &dyn Store, target_path: &str) -> Option<Digest> {
        let header = rmp_serde::to_vec(self.header).ok()?;
        let nodes = self.nodes.iter().flat_map(|(before, after)| [*before, *after]).collect();
        let framed = Framed::new(MAGIC, &[&header, self.contents], nodes);
        store.save(target_path, &framed.pieces());
        Some(digest(&[&header[..], &framed.sum()].concat()))
    }
}
