//! Which warehouse builds which node, where several are served, and which tables go from one to another.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Compilation;
use crate::base::{Dag, ResourceType, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::project::{Detail, Manifest, Node, Serving, ServingClass, serving_classes};

/// What one target has of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// What is built, loaded or tested there.
    pub built: BTreeSet<UniqueId>,
    /// Tables that come from another target, and the number of that.
    pub arrivals: BTreeMap<UniqueId, usize>,
}

/// A project on several targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Of all targets, each after what it reads on any of them.
    pub order: Vec<UniqueId>,
    /// One for each target, in the order in which they were given.
    pub placed: Vec<Placed>,
}

/// Every mistake in what the nodes say of their classes, where the project has any.
pub fn check_serving(compilation: &Compilation) -> Vec<Diagnostic> {
    if compilation.project.acca.serving.is_none() {
        return Vec::new();
    }
    compilation.manifest.nodes.iter().filter_map(|node| serving_classes(node).err()).collect()
}

/// Places the nodes on the targets of `serving`, whose names and manifests are `sides`: that of the default class first.
///
/// A node is built once, on the target of its class, or of the default one where it has both; from there its table goes to the target
/// of its other class, and to wherever else it is read. What has no class is placed by its readers: views, sources and seeds are made
/// wherever they are read, a table once. Tests run where what they test was built.
///
/// # Errors
/// `cycle`, where what is read on one target and what is read on another make a loop together; `invalid-config` for what is switched
/// off on the only target that is to serve it.
pub fn place(serving: &Serving, sides: &[(&str, &Manifest)]) -> Result<Placement, Vec<Diagnostic>> {
    let placing = Placing { serving, sides };
    let ids: Vec<&UniqueId> =
        sides.iter().flat_map(|(_, manifest)| &manifest.nodes).map(|node| &node.id).collect::<BTreeSet<_>>().into_iter().collect();
    let numbers: BTreeMap<&UniqueId, usize> = ids.iter().enumerate().map(|(number, id)| (*id, number)).collect();
    let edges = sides.iter().flat_map(|(_, manifest)| {
        let number = |at: usize| manifest.nodes.get(at).and_then(|node| numbers.get(&node.id).copied());
        (0..manifest.nodes.len())
            .flat_map(move |read| manifest.dag.children(read).into_iter().map(move |reader| (read, reader)))
            .filter_map(move |(read, reader)| Some((number(read)?, number(reader)?)))
    });
    let dag = Dag::new(ids.len(), edges).map_err(|cycles| vec![loop_of_targets(cycles.first().map_or(&[][..], |cycle| &cycle.0), &ids)])?;
    let unserved: Vec<Diagnostic> = ids.iter().filter_map(|id| placing.unserved(id)).collect();
    if !unserved.is_empty() {
        return Err(unserved);
    }
    let mut placed = Places(vec![Placed::default(); sides.len()]);
    let order: Vec<UniqueId> = dag.topological().into_iter().filter_map(|number| ids.get(number)).map(|id| (*id).clone()).collect();
    for id in order.iter().rev() {
        placing.place_built(id, &mut placed);
    }
    for id in &ids {
        placing.place_reader(id, &mut placed);
    }
    Ok(Placement { order, placed: placed.0 })
}

fn loop_of_targets(cycle: &[usize], ids: &[&UniqueId]) -> Diagnostic {
    let names: Vec<&str> = cycle.iter().filter_map(|number| ids.get(*number)).map(|id| &***id).collect();
    let message = format!("what nodes read on one target and on another makes a loop: {}", names.join(" → "));
    Diagnostic::new(&codes::CYCLE, message).help("let the templates of these nodes read the same on every target")
}

struct Placing<'a> {
    serving: &'a Serving,
    sides: &'a [(&'a str, &'a Manifest)],
}

struct Places(Vec<Placed>);

impl Places {
    fn is_built(&self, side: usize, id: &str) -> bool {
        self.0.get(side).is_some_and(|placed| placed.built.contains(id))
    }

    fn build(&mut self, side: usize, id: &UniqueId) {
        if let Some(placed) = self.0.get_mut(side) {
            placed.built.insert(id.clone());
        }
    }

    /// Lets a table go to a side where it is not built.
    fn send(&mut self, id: &UniqueId, home: usize, side: usize) {
        if let Some(placed) = self.0.get_mut(side).filter(|placed| !placed.built.contains(id)) {
            placed.arrivals.insert(id.clone(), home);
        }
    }
}

impl Placing<'_> {
    fn node(&self, side: usize, id: &str) -> Option<&Node> {
        self.sides.get(side)?.1.node(id)
    }

    /// The first target that has the node, which may be switched off on others.
    fn first(&self, id: &str) -> Option<(usize, &Node)> {
        (0..self.sides.len()).find_map(|side| Some((side, self.node(side, id)?)))
    }

    fn side_of(&self, class: ServingClass) -> Option<usize> {
        let target = self.serving.target_of(class);
        self.sides.iter().position(|(name, _)| *name == target)
    }

    /// A node that no target of its classes has, though another has it.
    fn unserved(&self, id: &str) -> Option<Diagnostic> {
        let (_, node) = self.first(id)?;
        let classes = serving_classes(node).unwrap_or_default();
        let mut sides = classes.iter().filter_map(|class| self.side_of(*class)).peekable();
        let target = self.sides.get(*sides.peek()?)?.0;
        if node.is_ephemeral() || sides.any(|side| self.node(side, id).is_some()) {
            return None;
        }
        let message = format!("'{}' is to be served by target '{target}', and there it is switched off", node.name);
        let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.config.span("meta").unwrap_or(node.origin));
        Some(problem.help("take the class off under 'meta.serving', or let it be 'enabled' on that target"))
    }

    /// What is built. What reads it has its place already.
    fn place_built(&self, id: &UniqueId, places: &mut Places) {
        let Some((first, node)) = self.first(id).filter(|(_, node)| is_built(node.resource)) else { return };
        let wanted: BTreeSet<usize> = (0..self.sides.len()).filter(|side| self.is_read(*side, id, places)).collect();
        // What is put into its readers has no place of its own.
        let classes = if node.is_ephemeral() { Vec::new() } else { serving_classes(node).unwrap_or_default() };
        let sides = classes.iter().filter_map(|class| self.side_of(*class));
        let served: BTreeSet<usize> = sides.filter(|side| self.node(*side, id).is_some()).collect();
        if served.is_empty() && is_made_anywhere(node) {
            let built = if wanted.is_empty() { BTreeSet::from([first]) } else { wanted };
            built.into_iter().for_each(|side| places.build(side, id));
            return;
        }
        let named = if served.is_empty() { &wanted } else { &served };
        let home = named.first().copied().filter(|_| named.len() == 1).unwrap_or(first);
        places.build(home, id);
        served.union(&wanted).for_each(|side| places.send(id, home, *side));
    }

    /// Whether something that is built on that target reads the node.
    fn is_read(&self, side: usize, id: &str, places: &Places) -> bool {
        let Some((_, manifest)) = self.sides.get(side) else { return false };
        let Some(number) = manifest.number(id) else { return false };
        let readers = manifest.dag.children(number);
        readers.into_iter().filter_map(|reader| manifest.nodes.get(reader)).any(|reader| places.is_built(side, &reader.id))
    }

    /// A test with the tables that it needs besides, or an analysis.
    fn place_reader(&self, id: &UniqueId, places: &mut Places) {
        let Some((first, node)) = self.first(id) else { return };
        let all = 0..self.sides.len();
        let homes: Vec<usize> = match &node.detail {
            Detail::GenericTest(test) => all.filter(|side| places.is_built(*side, &test.attached)).collect(),
            Detail::UnitTest(test) => all.filter(|side| places.is_built(*side, &test.tested)).collect(),
            Detail::SingularTest | Detail::Analysis => {
                let reads = |side: &usize| node.depends_on.iter().any(|read| places.is_built(*side, read));
                vec![all.clone().find(reads).unwrap_or(first)]
            }
            _ => return,
        };
        for side in homes {
            let Some(node) = self.node(side, id) else { continue };
            places.build(side, id);
            for read in node.depends_on.iter().filter(|_| node.resource.is_test()) {
                let home = (0..self.sides.len()).find(|home| places.is_built(*home, read));
                home.into_iter().for_each(|home| places.send(read, home, side));
            }
        }
    }
}

fn is_built(resource: ResourceType) -> bool {
    matches!(resource, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Source)
}

/// What costs nothing to have twice, or is put into its readers, or is there without being built.
fn is_made_anywhere(node: &Node) -> bool {
    match node.detail {
        Detail::Model(_) => node.is_ephemeral() || node.materialized() == "view",
        _ => !matches!(node.detail, Detail::Snapshot { .. }),
    }
}
