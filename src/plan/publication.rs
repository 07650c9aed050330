//! Putting what was built beside into the place of what is there, and what goes along with it.

use std::collections::BTreeSet;

use super::materialize::{PlanInput, staged};
use super::physical::Physical;
use super::steps::{Privilege, Step, retired_name};
use crate::base::{Relation, RelationKind};

/// A view that is bound to a relation by identity; a replaced relation takes it along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    pub relation: Relation,
    pub kind: RelationKind,
    pub owner: String,
    /// Whether the session's role may change it.
    pub changeable: bool,
    /// Whether it reads the relation itself; otherwise it reads others that do.
    pub direct: bool,
    /// The relations that it reads.
    pub reads: Vec<Relation>,
    /// The columns of the relation itself that it reads.
    pub columns: Vec<String>,
    /// Its query, every name qualified.
    pub definition: String,
    /// What stands in brackets behind `with`, as in `security_barrier=true`; empty for none.
    pub options: String,
    /// Statements that give a view made anew what else this one has.
    pub settings: Vec<String>,
}

/// Something that a relation has besides its rows, and the statement that gives it to the one in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub kind: SettingKind,
    pub statement: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingKind {
    Privilege(Privilege),
    Comment,
    ColumnComment,
    Other,
}

/// What hangs on a relation by identity and would be lost with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    pub owner: Option<String>,
    /// Whether policies decide who sees which rows.
    pub row_security: bool,
    /// Names of its indexes.
    pub indexes: Vec<String>,
    pub settings: Vec<Setting>,
    /// Views that read it, directly or through others, each after those that it reads.
    pub dependents: Vec<Dependent>,
    pub references: Vec<Reference>,
}

/// A foreign key of another table that refers to a relation: it would keep the replaced one from being dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub table: Relation,
    /// Takes the key away.
    pub take: String,
    /// Makes it anew, for the relation that then stands in the place of the replaced one.
    pub give: String,
    /// Whether it is to be made anew.
    pub anew: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    pub live: Relation,
    pub kind: RelationKind,
    pub owner: String,
    /// Views that will be bound to the new relation.
    pub readers: Vec<Dependent>,
    /// Tables whose foreign keys refer to it.
    pub referring: BTreeSet<Relation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    pub staged: Relation,
    pub live: Relation,
    pub kind: RelationKind,
    /// What stands there now.
    pub replaced: Option<RelationKind>,
    /// The name that the replaced relation gets for a moment, or until its readers are rebuilt.
    pub retired: Relation,
    /// Views to bind to the new relation, each after those that it reads. Direct ones are bound in place; when that is refused
    /// all are made anew.
    pub rebind: Vec<Dependent>,
    /// Views of this run still read the replaced relation: it is dropped at the end of the run, not now.
    pub keep_retired: bool,
    /// Indexes of the replaced relation and the names that they get when it stays: whoever looks for the old ones must not find them.
    pub retired_indexes: Vec<(String, String)>,
    /// Statements that give the new relation what the replaced one had besides its rows.
    pub settings: Vec<String>,
    /// Keys of other tables that refer to the replaced relation. One that this run makes anew with its table is only taken away.
    pub references: Vec<Reference>,
    pub managed: Managed,
}

/// What the configuration says about a relation, so that it is not carried over from the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// The only privileges that are carried over, as the others are not wanted; `None`: all are.
    pub privileges: Option<Vec<Privilege>>,
    pub comment: bool,
    pub column_comments: bool,
}

/// A view that is made under its own name, as it cannot be renamed, in the place of what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplaceView {
    pub view: Relation,
    pub query: String,
    pub physical: Physical,
    pub replaced: Option<RelationKind>,
    /// Statements that give it what the replaced one had besides its rows.
    pub settings: Vec<String>,
    pub managed: Managed,
}

impl ReplaceView {
    /// The same, with what now hangs on what is replaced.
    #[must_use]
    pub fn carrying(self, attachments: &Attachments) -> ReplaceView {
        let settings = attachments.settings.iter().filter(|setting| self.managed.keeps(setting));
        ReplaceView { settings: settings.map(|setting| setting.statement.clone()).collect(), ..self }
    }
}

impl Managed {
    fn keeps(&self, setting: &Setting) -> bool {
        match &setting.kind {
            SettingKind::Privilege(held) => self.privileges.as_ref().is_none_or(|wanted| wanted.contains(held)),
            SettingKind::Comment => !self.comment,
            SettingKind::ColumnComment => !self.column_comments,
            SettingKind::Other => true,
        }
    }
}

/// The steps that put the staged relation in place. What hangs on the one that is replaced is added when it is that step's
/// turn ([`Publish::carrying`]): it may change until then.
pub(super) fn publish(input: &PlanInput<'_>, kind: RelationKind) -> Vec<Step> {
    let publish = Publish {
        staged: staged(input.relation),
        live: input.relation.clone(),
        kind,
        replaced: input.existing.kind,
        retired: input.relation.with_identifier(&retired_name(&input.relation.identifier, input.run_tag)),
        rebind: Vec::new(),
        keep_retired: false,
        retired_indexes: Vec::new(),
        settings: Vec::new(),
        references: Vec::new(),
        managed: super::attributes::managed(input.node),
    };
    let reserve = input.existing.kind.zip(input.existing.owner.clone()).map(|(kind, owner)| {
        Step::Reserve(Reserve { live: input.relation.clone(), kind, owner, readers: Vec::new(), referring: BTreeSet::new() })
    });
    reserve.into_iter().chain([Step::Publish(publish)]).collect()
}

/// Of the views above a relation those that are bound to the new one at once. Direct readers that this run rebuilds stay on the
/// replaced relation until their turn, and are among them (not direct then) only when they read one that may be made anew.
pub fn rebound(attachments: &Attachments, rebuilt_later: &BTreeSet<Relation>) -> Vec<Dependent> {
    let waits = |view: &Dependent| view.direct && rebuilt_later.contains(&view.relation);
    if !attachments.dependents.iter().any(|view| view.direct && !waits(view)) {
        return Vec::new();
    }
    let mut taken: BTreeSet<&Relation> = BTreeSet::new();
    let mut views = Vec::new();
    for view in &attachments.dependents {
        if !waits(view) {
            views.push(view.clone());
        } else if view.reads.iter().any(|read| taken.contains(read)) {
            views.push(Dependent { direct: false, ..view.clone() });
        } else {
            continue;
        }
        taken.insert(&view.relation);
    }
    views
}

impl Publish {
    /// The same publication, with what now hangs on the relation that is replaced.
    #[must_use]
    pub fn carrying(self, attachments: &Attachments, rebuilt_later: &BTreeSet<Relation>) -> Publish {
        let keep_retired = attachments.dependents.iter().any(|view| view.direct && rebuilt_later.contains(&view.relation));
        let settings = attachments.settings.iter().filter(|setting| self.managed.keeps(setting));
        let settings = settings.map(|setting| setting.statement.clone()).collect();
        // A table that this run makes anew brings its key along.
        let anew = |key: &Reference| !rebuilt_later.contains(&key.table);
        let references = attachments.references.iter().map(|key| Reference { anew: anew(key), ..key.clone() }).collect();
        // The retired name ends in what only this run has.
        let tag = self.retired.identifier.rsplit('_').next().unwrap_or_default();
        let retired_indexes = match keep_retired {
            true => attachments.indexes.iter().map(|index| (index.clone(), retired_name(index, tag))).collect(),
            false => Vec::new(),
        };
        Publish { rebind: rebound(attachments, rebuilt_later), keep_retired, retired_indexes, settings, references, ..self }
    }

    /// Whether the publication would show rows that policies hide.
    pub fn exposes(&self, attachments: &Attachments) -> bool {
        attachments.row_security && self.replaced != Some(self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, direct: bool, reads: &[&str]) -> Dependent {
        Dependent {
            relation: Relation::new("d", "s", name),
            kind: RelationKind::View,
            owner: "o".to_owned(),
            changeable: true,
            direct,
            reads: reads.iter().map(|name| Relation::new("d", "s", name)).collect(),
            columns: Vec::new(),
            definition: String::new(),
            options: String::new(),
            settings: Vec::new(),
        }
    }

    #[test]
    fn views_of_the_run_wait_unless_they_read_one_that_goes_along() {
        let dependents =
            vec![view("theirs", true, &[]), view("above", true, &["theirs"]), view("ours", true, &[]), view("top", false, &["ours"])];
        let attachments = Attachments { dependents, ..Attachments::default() };
        let later = ["above", "ours", "top"].into_iter().map(|name| Relation::new("d", "s", name)).collect();
        let found = rebound(&attachments, &later);
        let found: Vec<(&str, bool)> = found.iter().map(|view| (&*view.relation.identifier, view.direct)).collect();
        assert_eq!(found, [("theirs", true), ("above", false), ("top", false)]);
    }
}
