//! Makes nodes, macros and doc blocks of the files of a package. Properties and configuration come later.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::blocks::{Block, BlockKind, scan_blocks};
use super::discover::{Discovered, Found};
use super::generic_tests::TestUse;
use super::loader::Loader;
use super::node::{Detail, DocBlock, Macro, MacroKind, ModelDetail, Node};
use super::{Group, Package, Selector};
use crate::base::{FileId, ResourceType, Span};
use crate::diag::{Diagnostic, codes};

/// Everything that is built up while packages are read.
#[derive(Default)]
pub(super) struct Catalog {
    pub nodes: Vec<Node>,
    pub macros: Vec<Macro>,
    pub docs: Vec<DocBlock>,
    /// Uses of generic tests that are no nodes yet.
    pub tests: Vec<TestUse>,
    pub groups: Vec<Group>,
    /// Files with rows of unit tests, by package and file name.
    pub fixtures: HashMap<(Arc<str>, String), FileId>,
    pub selectors: Vec<Selector>,
    pub acca: super::AccaFile,
    /// Indexes of the nodes with a body of their own, by resource type and name; one name may stand in several packages.
    names: HashMap<(ResourceType, String), Vec<usize>>,
}

impl Catalog {
    pub(super) fn add(&mut self, node: Node) -> usize {
        let at = self.nodes.len();
        self.names.entry((node.resource, node.name.clone())).or_default().push(at);
        self.nodes.push(node);
        at
    }

    /// Makes nodes of the tests, on all cores: of most projects they are most of the nodes.
    pub(super) fn make_tests(&mut self) {
        let made: Vec<Node> = std::mem::take(&mut self.tests).into_par_iter().map(TestUse::into_node).collect();
        self.nodes.extend(made);
    }

    /// The node that a properties file of `package` means: the package's own, or else any other's.
    pub(super) fn find(&self, resource: ResourceType, name: &str, package: &str) -> Option<usize> {
        let found = self.names.get(&(resource, name.to_owned()))?;
        let own = found.iter().find(|at| self.nodes.get(**at).is_some_and(|node| &*node.package == package));
        own.or_else(|| found.first()).copied()
    }

    /// Names of that type, for suggestions.
    pub(super) fn names(&self, resource: ResourceType) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(move |node| node.resource == resource).map(|node| node.name.as_str())
    }

    /// After a version of a model took its real name.
    pub(super) fn rename(&mut self, at: usize, name: &str) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        if node.name == name {
            return;
        }
        if let Some(list) = self.names.get_mut(&(node.resource, node.name.clone())) {
            list.retain(|other| *other != at);
        }
        self.names.entry((node.resource, name.to_owned())).or_default().push(at);
        name.clone_into(&mut node.name);
    }
}

/// dbt's fully qualified name: package, the folders of `relative`, `tail`.
pub(super) fn fqn<'a>(package: &'a str, relative: &'a str, tail: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let folders = relative.rsplit_once('/').map_or("", |(folders, _)| folders);
    let parts = std::iter::once(package).chain(folders.split('/').filter(|part| !part.is_empty())).chain(tail);
    parts.map(str::to_owned).collect()
}

fn stem(relative: &str) -> &str {
    let file = relative.rsplit('/').next().unwrap_or(relative);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// Reads the files of one package into the catalog.
pub(super) fn load_resources(loader: &mut Loader<'_>, package: &Package, found: &Discovered, catalog: &mut Catalog) {
    load_models(loader, package, &found.models, catalog);
    for (files, resource) in [(&found.analyses, ResourceType::Analysis), (&found.tests, ResourceType::Test)] {
        for (file, id) in read(loader, files) {
            let name = stem(&file.relative);
            let (path, detail) = match resource {
                ResourceType::Analysis => (format!("analysis/{}", file.relative), Detail::Analysis),
                _ => (file.relative.clone(), Detail::SingularTest),
            };
            add_whole(loader, package, catalog, resource, name, fqn(&package.name, &path, [name]), id, detail);
        }
    }
    for file in &found.seeds {
        // The data are read when the seed is loaded; only the place is needed here.
        let id = loader.sources.add(file.path.as_str(), "");
        let name = stem(&file.relative);
        let detail = Detail::Seed { path: file.path.clone() };
        let path = fqn(&package.name, &file.relative, [name]);
        catalog.add(Node::new(ResourceType::Seed, &package.name, name, path, loader.sources.whole(id), detail));
    }
    load_snapshots(loader, package, &found.snapshots, catalog);
    let macro_files: Vec<Found> = found.macros.iter().chain(&found.generic_tests).cloned().collect();
    for (_, id) in read(loader, &macro_files) {
        load_macros(loader, &package.name, id, catalog);
    }
    load_docs(loader, package, &found.docs, catalog);
    for (file, id) in read(loader, &found.fixtures) {
        let name = file.relative.rsplit('/').next().unwrap_or(&file.relative).to_owned();
        catalog.fixtures.insert((Arc::clone(&package.name), name), id);
    }
}

fn read<'f>(loader: &mut Loader<'_>, files: &'f [Found]) -> Vec<(&'f Found, FileId)> {
    let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    loader.read_all(&paths).into_iter().filter_map(|(at, id)| files.get(at).map(|file| (file, id))).collect()
}

#[expect(clippy::too_many_arguments, reason = "the parts of one node")]
fn add_whole(
    loader: &Loader<'_>,
    package: &Package,
    catalog: &mut Catalog,
    resource: ResourceType,
    name: &str,
    fqn: Vec<String>,
    file: FileId,
    detail: Detail,
) {
    let whole = loader.sources.whole(file);
    let mut node = Node::new(resource, &package.name, name, fqn, whole, detail);
    node.body = Some(whole);
    catalog.add(node);
}

fn load_models(loader: &mut Loader<'_>, package: &Package, files: &[Found], catalog: &mut Catalog) {
    let (python, sql): (Vec<Found>, Vec<Found>) = files.iter().cloned().partition(|file| file.path.ends_with(".py"));
    for file in &python {
        let Some(id) = loader.read(&file.path) else { continue };
        let first_line = loader.sources.file(id).text.lines().next().unwrap_or("").len();
        loader.diagnostics.push(
            Diagnostic::new(
                &codes::UNSUPPORTED_RESOURCE,
                format!("the model '{}' is written in Python, which acca does not run", stem(&file.relative)),
            )
            .at(Span::new(id, 0, first_line))
            .help("write it in SQL, or name the file in '.dbtignore'"),
        );
    }
    for (file, id) in read(loader, &sql) {
        let name = stem(&file.relative);
        let detail = Detail::Model(ModelDetail::default());
        add_whole(loader, package, catalog, ResourceType::Model, name, fqn(&package.name, &file.relative, [name]), id, detail);
    }
}

fn load_snapshots(loader: &mut Loader<'_>, package: &Package, files: &[Found], catalog: &mut Catalog) {
    for (file, id) in read(loader, files) {
        for block in blocks(loader, id) {
            if block.kind != BlockKind::Snapshot {
                continue;
            }
            // Alone among resources, snapshots have the file in their qualified name.
            let path = fqn(&package.name, &file.relative, [stem(&file.relative), &block.name]);
            let mut node = Node::new(
                ResourceType::Snapshot,
                &package.name,
                &block.name,
                path,
                loader.sources.whole(id),
                Detail::Snapshot { relation: None },
            );
            node.body = Some(block.body);
            catalog.add(node);
        }
    }
}

fn blocks(loader: &mut Loader<'_>, file: FileId) -> Vec<Block> {
    let (blocks, problems) = scan_blocks(loader.sources.whole(file), &loader.sources.file(file).text);
    loader.diagnostics.extend(problems);
    blocks
}

/// The macros, tests and materializations of one file.
pub(super) fn load_macros(loader: &mut Loader<'_>, package: &Arc<str>, file: FileId, catalog: &mut Catalog) {
    for block in blocks(loader, file) {
        let (name, kind) = match block.kind {
            BlockKind::Macro => (block.name, MacroKind::Macro),
            BlockKind::Test => (format!("test_{}", block.name), MacroKind::Test),
            BlockKind::Materialization => {
                let adapter = block.adapter.as_deref().unwrap_or("default");
                (format!("materialization_{}_{adapter}", block.name), MacroKind::Materialization)
            }
            BlockKind::Snapshot | BlockKind::Docs => continue,
        };
        catalog.macros.push(Macro {
            id: format!("macro.{package}.{name}").into(),
            package: Arc::clone(package),
            name,
            kind,
            name_span: block.name_span,
            parameters: block.parameters,
            body: block.body,
            properties: None,
            description: String::new(),
            meta: std::collections::BTreeMap::new(),
            arguments: Vec::new(),
        });
    }
}

fn load_docs(loader: &mut Loader<'_>, package: &Package, files: &[Found], catalog: &mut Catalog) {
    for (_, id) in read(loader, files) {
        let text = Arc::clone(&loader.sources.file(id).text);
        if !text.contains("{%") {
            continue;
        }
        for block in blocks(loader, id) {
            if block.kind != BlockKind::Docs {
                continue;
            }
            catalog.docs.push(DocBlock {
                package: Arc::clone(&package.name),
                name: block.name,
                name_span: block.name_span,
                text: block.body,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::project::testing::{load_files, problems};

    #[test]
    fn macros_tests_materializations_and_docs() {
        let loaded = load_files(&[
            (
                "macros/a.sql",
                "{% macro a() %}{% endmacro %}{% test t(model) %}{% endtest %}{% materialization m, adapter='duckdb' %}{% endmaterialization %}",
            ),
            ("macros/b.sql", "{% materialization m, default %}{% endmaterialization %}"),
            ("tests/generic/g.sql", "{% data_test g(model) %}{% enddata_test %}"),
            ("tests/fixtures/f.sql", "select 1"),
            ("tests/sub/s.sql", "select 1"),
            ("models/d.md", "# Text\n{% docs one %}\n*it's* {{ x }}\n{% enddocs %}"),
            ("models/_draft/~tmp.sql", "select 1"),
            (".dbtignore", "models/old\n"),
            ("models/old/m.sql", "select 1"),
        ]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let macros: Vec<&str> = loaded.project().macros.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(macros, ["a", "test_t", "materialization_m_duckdb", "materialization_m_default", "test_g", "test_not_null"]);
        assert_eq!(loaded.ids(), ["test.shop.s"]);
        assert_eq!(loaded.node("test.shop.s").fqn, ["shop", "sub", "s"]);
        let [doc] = loaded.project().docs.as_slice() else { panic!() };
        assert_eq!((doc.name.as_str(), loaded.project().sources.text(doc.text).trim()), ("one", "*it's* {{ x }}"));
    }

    #[test]
    fn python_models_are_refused_and_open_blocks_reported() {
        assert_eq!(
            problems(&[("models/p.py", "def model(dbt, session):\n    pass\n"), ("macros/m.sql", "{% macro a() %}")]),
            [
                "error[unsupported-resource] models/p.py:1:1 'def model(dbt, session):': the model 'p' is written in Python, which acca does not run",
                "  help: write it in SQL, or name the file in '.dbtignore'",
                "error[jinja-syntax] macros/m.sql:1:1 '{% macro a() %}': the block 'macro' is never closed",
                "  help: end it with '{% endmacro %}'",
            ]
        );
    }
}
