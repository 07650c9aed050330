use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::base::{Dag, Span};
use crate::project::{Config, Detail, GenericTest, ModelDetail, SourceTable};

/// A project in which `a → b → c`, `a → d → c`, source `raw.bets → a`, exposure `board` on `c`, and tests on `a` and on `b` with `d`.
struct Shop {
    manifest: Manifest,
    sources: Sources,
}

fn node(sources: &mut Sources, id: &str, path: &str, detail: Detail, reads: &[&str]) -> Node {
    let (resource, name) = (resource(&detail), id.rsplit('.').next().unwrap().to_owned());
    let file = sources.add(path, "select 1");
    let span = Span::new(file, 0, 8);
    let folders = path.split('/').skip(1).filter(|part| !part.contains('.')).map(str::to_owned);
    let fqn = std::iter::once("shop".to_owned()).chain(folders).chain([name.clone()]).collect();
    let mut config = Config::default();
    if path.contains("/staging/") {
        config.insert("tags", json!(["nightly"]), None);
        config.insert("meta", json!({"owner": {"team": "trading"}}), None);
    }
    let bare = Node::new(resource, &"shop".into(), &name, fqn, span, detail);
    Node { id: id.into(), body: Some(span), config, depends_on: reads.iter().map(|id| Arc::from(*id)).collect(), ..bare }
}

fn resource(detail: &Detail) -> ResourceType {
    match detail {
        Detail::Source(_) => ResourceType::Source,
        Detail::Exposure(_) => ResourceType::Exposure,
        Detail::GenericTest(_) | Detail::SingularTest => ResourceType::Test,
        Detail::Seed { .. } => ResourceType::Seed,
        _ => ResourceType::Model,
    }
}

fn generic(test: &str, attached: &str) -> Detail {
    Detail::GenericTest(Box::new(GenericTest {
        test: test.to_owned(),
        namespace: None,
        arguments: Default::default(),
        model_expression: String::new(),
        attached: attached.into(),
        column: None,
        column_span: None,
        span: Span::new(crate::base::FileId(0), 0, 0),
        tags: Vec::new(),
        config_call: String::new(),
    }))
}

fn source() -> Detail {
    Detail::Source(Box::new(SourceTable {
        source_name: "raw".to_owned(),
        source_description: String::new(),
        loader: String::new(),
        identifier: "bets".to_owned(),
        database: None,
        schema: "raw".to_owned(),
        loaded_at_field: None,
        loaded_at_query: None,
        freshness: None,
        quoting: Default::default(),
        meta: Default::default(),
        source_meta: Default::default(),
        tags: Vec::new(),
        landing: None,
        external: None,
        described_external: serde_json::Value::Null,
    }))
}

fn exposure() -> Detail {
    Detail::Exposure(Box::new(crate::project::Exposure {
        kind: "dashboard".to_owned(),
        label: None,
        maturity: None,
        url: None,
        owner_name: None,
        owner_email: None,
        depends_on: Vec::new(),
    }))
}

fn versioned(version: &str, latest: &str) -> Detail {
    Detail::Model(ModelDetail { version: Some(version.to_owned()), latest_version: Some(latest.to_owned()), ..ModelDetail::default() })
}

fn shop() -> Shop {
    let mut sources = Sources::default();
    let model = || Detail::Model(ModelDetail::default());
    let s = &mut sources;
    let mut nodes = vec![
        node(s, "model.shop.a", "models/staging/a.sql", model(), &["source.shop.raw.bets"]),
        node(s, "model.shop.b", "models/core/b.sql", model(), &["model.shop.a"]),
        node(s, "model.shop.c", "models/core/c.sql", model(), &["model.shop.b", "model.shop.d"]),
        node(s, "model.shop.d", "models/core/d.sql", model(), &["model.shop.a"]),
        node(s, "seed.shop.rates", "seeds/rates.csv", Detail::Seed { path: "seeds/rates.csv".to_owned() }, &[]),
        node(s, "source.shop.raw.bets", "models/staging/sources.yml", source(), &[]),
        node(s, "exposure.shop.board", "models/core/core.yml", exposure(), &["model.shop.c"]),
        node(s, "test.shop.unique_a", "models/staging/staging.yml", generic("unique", "model.shop.a"), &["model.shop.a"]),
        node(s, "test.shop.b_equals_d", "tests/b_equals_d.sql", Detail::SingularTest, &["model.shop.b", "model.shop.d"]),
    ];
    for (version, name) in [("1", "model.shop.fact.v1"), ("2", "model.shop.fact.v2")] {
        let mut fact = node(s, name, &format!("models/core/fact_v{version}.sql"), versioned(version, "2"), &[]);
        fact.name = "fact".to_owned();
        fact.fqn = ["shop", "core", "fact", &format!("v{version}")].map(str::to_owned).to_vec();
        nodes.push(fact);
    }
    let mut manifest = Manifest::new(nodes, Vec::new(), Arc::default(), Arc::default());
    let edges: Vec<(usize, usize)> = manifest
        .nodes
        .iter()
        .enumerate()
        .flat_map(|(to, node)| node.depends_on.iter().map(move |from| (from.clone(), to)))
        .map(|(from, to)| (manifest.number(&from).unwrap(), to))
        .collect();
    manifest.dag = Dag::new(manifest.nodes.len(), edges).unwrap();
    Shop { manifest, sources }
}

const ALL: [ResourceType; 5] = [ResourceType::Model, ResourceType::Seed, ResourceType::Source, ResourceType::Exposure, ResourceType::Test];

impl Shop {
    fn scope(&self) -> Scope<'_> {
        Scope { manifest: &self.manifest, sources: &self.sources, root: "shop", selectors: &[], compared: None }
    }

    fn selection(&self, select: &[&str], exclude: &[&str], indirect: IndirectSelection) -> Selection {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let request = Request { select: &owned(select), exclude: &owned(exclude), selector: None, resources: &ALL, indirect };
        super::select(&self.scope(), &request).unwrap()
    }

    fn names(&self, selection: &Selection) -> String {
        selection.nodes.iter().map(|number| self.manifest.nodes[*number].fqn.last().unwrap().as_str()).collect::<Vec<_>>().join(" ")
    }

    fn select(&self, select: &[&str]) -> String {
        self.names(&self.selection(select, &[], IndirectSelection::Empty))
    }

    fn warning(&self, select: &str) -> String {
        let warnings = self.selection(&[select], &[], IndirectSelection::Eager).warnings;
        warnings.iter().map(|warning| format!("{} [{}]", warning.message, warning.help.join("; "))).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn the_graph_adds_what_lies_above_and_below() {
    let shop = shop();
    for (selector, expected) in [
        ("a", "a"),
        ("+c", "a b c d bets"),
        ("1+c", "b c d"),
        ("a+1", "a b d unique_a"),
        ("a+", "board a b c d b_equals_d unique_a"),
        ("@b", "board a b c d bets b_equals_d"),
        ("1+b+1", "a b c b_equals_d"),
        ("source:raw+1", "a bets"),
        ("+exposure:board", "board a b c d bets"),
    ] {
        assert_eq!(shop.select(&[selector]), expected, "{selector}");
    }
}

#[test]
fn methods_match_what_they_say() {
    let shop = shop();
    for (selector, expected) in [
        ("shop.core", "board b c d v1 v2"),
        ("core.*", "board b c d v1 v2"),
        ("core.f*", "v1 v2"),
        ("fact", "v1 v2"),
        ("fact.v1", "v1"),
        ("fact_v2", "v2"),
        ("version:latest", "v2"),
        ("version:old", "v1"),
        ("tag:night*", "a unique_a"),
        ("path:models/staging", "a bets unique_a"),
        ("models/core/*.sql", "b c d v1 v2"),
        ("b.sql", "b"),
        ("file:rates", "rates"),
        ("source:raw", "bets"),
        ("source:raw.bets", "bets"),
        ("source:shop.raw.bets", "bets"),
        ("resource_type:seed", "rates"),
        ("config.materialized:view", "a b c d v1 v2"),
        ("config.meta.owner.team:trading", "a bets unique_a"),
        ("package:this,tag:nightly,resource_type:model", "a"),
        ("test_name:unique", "unique_a"),
        ("test_type:singular", "b_equals_d"),
        ("exposure:*", "board"),
        ("exposure:shop.bo*", "board"),
        ("board", "board"),
        ("fac*", "v1 v2"),
        ("source:*.be*", "bets"),
        ("source:ra*s", ""),
        ("source:shop.raw", ""),
        ("test_type:unit", ""),
        ("unit_test:*", ""),
        ("config.severity:error", "b_equals_d unique_a"),
        ("config.contract.enforced:false,a", "a"),
        ("config.enabled:true,exposure:*", ""),
    ] {
        assert_eq!(shop.select(&[selector]), expected, "{selector}");
    }
    assert_eq!(shop.select(&["a rates", "b"]), "a b rates");
}

#[test]
fn tests_follow_what_they_test() {
    let shop = shop();
    let select = |select: &[&str], exclude: &[&str], indirect| shop.names(&shop.selection(select, exclude, indirect));
    assert_eq!(select(&["b"], &[], IndirectSelection::Eager), "b b_equals_d");
    assert_eq!(select(&["b"], &[], IndirectSelection::Cautious), "b");
    assert_eq!(select(&["b", "d"], &[], IndirectSelection::Cautious), "b d b_equals_d");
    assert_eq!(select(&["c"], &[], IndirectSelection::Buildable), "c");
    assert_eq!(select(&["b+"], &[], IndirectSelection::Buildable), "board b c b_equals_d");
    assert_eq!(select(&["b"], &[], IndirectSelection::Empty), "b");
}

#[test]
fn exclusion_takes_the_tests_along() {
    let shop = shop();
    let select = |select: &[&str], exclude: &[&str]| shop.names(&shop.selection(select, exclude, IndirectSelection::Eager));
    assert_eq!(select(&["+c"], &["d"]), "a b c bets unique_a");
    assert_eq!(select(&[], &["shop.core", "test_type:*"]), "a rates bets");
    assert_eq!(select(&["core"], &["+c"]), "board v1 v2");
}

#[test]
fn a_plain_name_that_matches_nothing_is_an_error_where_nothing_else_is_selected() {
    let shop = shop();
    let severities = |select: &[&str], exclude: &[&str]| {
        shop.selection(select, exclude, IndirectSelection::Eager).warnings.iter().map(|found| found.severity.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(severities(&["nope"], &[]), ["error"]);
    assert_eq!(severities(&["+nope+"], &[]), ["error"]);
    assert_eq!(severities(&["a", "nope"], &[]), ["warning"]);
    assert_eq!(severities(&["a"], &["a", "nope"]), ["warning"]);
    assert_eq!(severities(&["nope*"], &[]), ["warning"]);
    assert_eq!(severities(&["tag:nope"], &[]), ["warning"]);
    assert_eq!(severities(&["fqn:nope"], &[]), ["warning"]);
}

#[test]
fn an_empty_text_is_refused() {
    let shop = shop();
    let problem = |select: &[String], exclude: &[String]| {
        let request = Request { select, exclude, selector: None, resources: &ALL, indirect: IndirectSelection::Eager };
        let problem = super::select(&shop.scope(), &request).unwrap_err().remove(0);
        format!("[{}] {} [{}]", problem.code.name, problem.message, problem.help.join("; "))
    };
    let empty = [" ".to_owned()];
    assert_eq!(problem(&empty, &[]), "[invalid-selector] the text of --select is empty [leave --select out to select everything]");
    assert_eq!(problem(&[], &empty), "[invalid-selector] the text of --exclude is empty [leave --exclude out to exclude nothing]");
}

#[test]
fn says_what_matches_nothing() {
    let shop = shop();
    assert_eq!(shop.warning("+unique_b+"), "the selector '+unique_b+' matches nothing [did you mean '+unique_a+'?]");
    assert_eq!(shop.warning("tag:nightli"), "the selector 'tag:nightli' matches nothing [did you mean 'tag:nightly'?]");
    assert_eq!(shop.warning("bets+"), "the selector 'bets+' matches nothing [did you mean 'source:raw.bets+'?]");
    assert_eq!(shop.warning("bord"), "the selector 'bord' matches nothing [did you mean 'board'?]");
    assert_eq!(shop.warning("exposure:bord"), "the selector 'exposure:bord' matches nothing [did you mean 'exposure:board'?]");
    assert_eq!(shop.warning("metric:revenue"), "the selector 'metric:revenue' matches nothing []");
    assert_eq!(
        shop.warning("models/staging/aa.sql"),
        "the selector 'models/staging/aa.sql' matches nothing [did you mean 'models/staging/a.sql'?]"
    );
    assert_eq!(shop.warning("a,b"), "nothing is selected that this command works on []");
    assert_eq!(shop.warning("a"), "");
}
