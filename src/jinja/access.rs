//! Who may read which models, and which of them are about to go.

use rayon::prelude::*;

use super::parse::at_call;
use super::templates::Templates;
use crate::base::ResourceType;
use crate::diag::{Diagnostic, codes};
use crate::project::{Detail, Manifest, Node, Project, RefCall};

impl Templates {
    /// Checks groups, access and deprecation of the linked nodes.
    pub(super) fn check_access(&self, manifest: &Manifest, project: &Project) -> Vec<Diagnostic> {
        let of_node = |node| [unknown_group(node, project), ephemeral_and_public(node), self.deprecated_itself(node)];
        let mut problems: Vec<Diagnostic> = manifest.nodes.par_iter().flat_map_iter(|node| of_node(node).into_iter().flatten()).collect();
        let readers = manifest.nodes.par_iter().filter(|node| node.resource != ResourceType::UnitTest);
        let forbidden = readers.flat_map_iter(|node| {
            node.refs.iter().filter_map(move |call| {
                let read = manifest.resolve_ref(call, &node.package, &self.shared.root).ok().and_then(|number| manifest.nodes.get(number));
                self.check_ref(node, call, read.filter(|read| read.id != node.id)?, manifest, project)
            })
        });
        problems.extend(forbidden.collect::<Vec<_>>());
        problems
    }

    fn deprecated_itself(&self, node: &Node) -> Option<Diagnostic> {
        let date = deprecated(node).filter(|date| self.is_past(date))?;
        let problem = Diagnostic::new(&codes::DEPRECATED_MODEL, format!("the model '{}' is deprecated since {date}", described(node)));
        Some(problem.at(node.properties.unwrap_or(node.origin)).help("remove it, or move its date"))
    }

    fn check_ref(&self, node: &Node, call: &RefCall, read: &Node, manifest: &Manifest, project: &Project) -> Option<Diagnostic> {
        let Detail::Model(_) = &read.detail else { return None };
        let place = |problem: Diagnostic| {
            let arguments: Vec<&str> = call.package.iter().chain([&call.name]).map(String::as_str).collect();
            at_call(&self.shared, problem, node, "ref", &arguments, &call.via, &project.sources)
        };
        let foreign = node.package != read.package;
        let restricts = foreign && project.packages.iter().any(|package| package.name == read.package && package.restrict_access);
        let access = read.config.str("access").unwrap_or("protected").to_lowercase();
        let group = group_of(node, manifest);
        let owner = read.config.str("group");
        if access == "private" && (group.is_none() || group != owner || restricts) {
            let message = match owner {
                Some(owner) => format!("'{}' reads '{}', which is private to the group '{owner}'", node.name, read.name),
                None => format!("'{}' reads '{}', which is private and in no group", node.name, read.name),
            };
            let problem = place(Diagnostic::new(&codes::FORBIDDEN_REF, message));
            return Some(match (owner, restricts) {
                (Some(owner), false) => {
                    problem.help(format!("put '{}' into the group '{owner}', or make '{}' protected", node.name, read.name))
                }
                _ => problem.help(format!("make '{}' protected or public", read.name)),
            });
        }
        if access == "protected" && restricts {
            let message =
                format!("'{}' reads '{}', which is protected: the package '{}' restricts access", node.name, read.name, read.package);
            let problem = place(Diagnostic::new(&codes::FORBIDDEN_REF, message));
            return Some(problem.help("read a public model of that package"));
        }
        let date = deprecated(read).filter(|_| node.resource == ResourceType::Model)?;
        let when = if self.is_past(date) { "is deprecated since" } else { "will be deprecated on" };
        let message = format!("'{}' reads '{}', which {when} {date}", node.name, described(read));
        Some(place(Diagnostic::new(&codes::DEPRECATED_MODEL, message)).help(newer(read)))
    }

    /// Dates are compared by their texts; the run's own is the clock.
    fn is_past(&self, date: &str) -> bool {
        let now = &self.shared.invocation.started_at;
        now.get(..10).is_some_and(|today| date.get(..10).is_some_and(|date| date < today))
    }
}

/// A generic test is in the group of what it tests.
fn group_of<'m>(node: &'m Node, manifest: &'m Manifest) -> Option<&'m str> {
    match &node.detail {
        Detail::GenericTest(test) => manifest.node(&test.attached).and_then(|tested| tested.config.str("group")),
        Detail::Exposure(_) | Detail::Source(_) => None,
        _ => node.config.str("group"),
    }
}

fn unknown_group(node: &Node, project: &Project) -> Option<Diagnostic> {
    let name = node.config.str("group")?;
    if project.groups.iter().any(|group| group.name == name) {
        return None;
    }
    let names: Vec<&str> = project.groups.iter().map(|group| group.name.as_str()).collect();
    let problem = Diagnostic::new(&codes::INVALID_CONFIG, format!("'{}' is in the group '{name}', which is not defined", node.name));
    let problem =
        problem.at(node.config.span("group").or(node.properties).unwrap_or(node.origin)).did_you_mean(name, names.iter().copied());
    Some(match names.as_slice() {
        [] => problem.help("define it under 'groups:' in a properties file, with its owner"),
        _ => problem.help(format!("the groups are: {}", names.join(", "))),
    })
}

fn ephemeral_and_public(node: &Node) -> Option<Diagnostic> {
    let is_public = node.config.str("access").is_some_and(|access| access.eq_ignore_ascii_case("public"));
    (is_public && node.is_ephemeral()).then(|| {
        let message = format!("'{}' is public and ephemeral: no other project could read it", node.name);
        let place = node.config.span("access").or(node.properties).unwrap_or(node.origin);
        Diagnostic::new(&codes::INVALID_CONFIG, message).at(place).help("materialize it")
    })
}

fn deprecated(node: &Node) -> Option<&str> {
    match &node.detail {
        Detail::Model(model) => model.deprecation_date.as_deref(),
        _ => None,
    }
}

fn described(node: &Node) -> String {
    match &node.detail {
        Detail::Model(model) => model.version.as_ref().map_or_else(|| node.name.clone(), |version| format!("{}.v{version}", node.name)),
        _ => node.name.clone(),
    }
}

/// What to read instead.
fn newer(read: &Node) -> String {
    match &read.detail {
        Detail::Model(model) if model.latest_version.is_some() && model.latest_version != model.version => {
            format!("read its latest version, {}", model.latest_version.as_deref().unwrap_or_default())
        }
        _ => "read what takes its place".to_owned(),
    }
}
