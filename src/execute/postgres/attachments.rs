//! What hangs on a relation of PostgreSQL by identity: the views that read it, and what was said about it besides its rows.

use super::{PgSession, relation_kind};
use crate::base::{Relation, RelationKind};
use crate::dialect::{quote_text, relation_word};
use crate::execute::adapter::AdapterError;
use crate::plan::{Attachments, Dependent, Privilege, Reference, Setting, SettingKind};

/// What the statements that restore settings are for.
#[derive(Clone, Copy)]
struct Heir<'a> {
    /// The relation that has the settings now.
    of: &'a Relation,
    /// The name under which the new relation will stand.
    name: &'a Relation,
    kind: RelationKind,
    /// Where the new relation stands until then: what it has no column for is left out.
    staged: Option<&'a Relation>,
    /// The server's version.
    version: i64,
}

impl PgSession {
    pub(super) fn read_attachments(&mut self, live: &Relation, staged: &Relation, kind: RelationKind) -> Result<Attachments, AdapterError> {
        let own = select_settings(&Heir { of: live, name: live, kind, staged: Some(staged), version: self.version });
        let (facts, dependents) = (select_facts(live), select_dependents(live, "pg_get_viewdef(v.oid)"));
        let sql = with_empty_path(&format!("{facts};\n{own};\n{dependents};\n{}", select_references(live, self.version)));
        let mut found = Attachments::default();
        for row in self.text_rows(&sql)? {
            found.take(&row);
        }
        for view in &mut found.dependents {
            let heir = Heir { of: &view.relation, name: &view.relation, kind: view.kind, staged: None, version: self.version };
            let rows = self.text_rows(&with_empty_path(&select_settings(&heir)))?;
            view.settings = rows.into_iter().filter_map(|row| <[String; 4]>::try_from(row).ok()).map(|[.., statement]| statement).collect();
        }
        Ok(found)
    }

    /// A definition cannot be printed while somebody replaces what the view reads.
    pub(super) fn read_readers(&mut self, live: &Relation) -> Result<Attachments, AdapterError> {
        let mut found = Attachments::default();
        let (facts, dependents) = (select_facts(live), select_dependents(live, "''"));
        for row in self.text_rows(&format!("{facts};\n{dependents};\n{}", select_references(live, self.version)))? {
            found.take(&row);
        }
        Ok(found)
    }

    pub(super) fn read_privileges(&mut self, relation: &Relation) -> Result<Vec<Privilege>, AdapterError> {
        let sql = format!(
            "SELECT lower(g.privilege_type), CASE g.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(g.grantee)::text END \
             FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = {} AND g.grantee <> c.relowner ORDER BY 1, 2",
            oid_of(relation)
        );
        let pairs = self.text_rows(&sql)?.into_iter().filter_map(|row| <[String; 2]>::try_from(row).ok());
        Ok(pairs.map(|[right, grantee]| Privilege { right, grantee }).collect())
    }
}

impl Attachments {
    /// Adds what a row tells, which shows by the number of its columns.
    fn take(&mut self, row: &[String]) {
        match row {
            [part, value] if part == "owner" => self.owner = Some(value.clone()),
            [part, _] if part == "row security" => self.row_security = true,
            [part, value] if part == "index" => self.indexes.push(value.clone()),
            [part, right, grantee, statement] => self.settings.push(setting(part, right, grantee, statement)),
            [database, schema, name, take, give] => {
                let table = Relation::new(database, schema, name);
                self.references.push(Reference { table, take: take.clone(), give: give.clone(), anew: true });
            }
            _ => self.dependents.extend(dependent(row)),
        }
    }
}

fn setting(part: &str, right: &str, grantee: &str, statement: &str) -> Setting {
    let kind = match part {
        "privilege" => SettingKind::Privilege(Privilege { right: right.to_owned(), grantee: grantee.to_owned() }),
        "comment" => SettingKind::Comment,
        "column comment" => SettingKind::ColumnComment,
        _ => SettingKind::Other,
    };
    Setting { kind, statement: statement.to_owned() }
}

/// A row of [`select_dependents`].
fn dependent(row: &[String]) -> Option<Dependent> {
    let [database, schema, name, relkind, owner, changeable, options, definition, depth, reads, columns] = row else { return None };
    let reads = reads.split(BETWEEN_NAMES).filter_map(|read| read.split_once(WITHIN_NAME));
    Some(Dependent {
        relation: Relation::new(database, schema, name),
        kind: relation_kind(relkind),
        owner: owner.clone(),
        changeable: changeable == "t",
        direct: depth == "1",
        reads: reads.map(|(schema, name)| Relation::new(database, schema, name)).collect(),
        columns: columns.split(BETWEEN_NAMES).filter(|column| !column.is_empty()).map(str::to_owned).collect(),
        definition: definition.trim().trim_end_matches(';').to_owned(),
        options: options.clone(),
        settings: Vec::new(),
    })
}

/// Characters that no sane name holds, between names of a list and between the parts of a name.
const BETWEEN_NAMES: char = '\u{1e}';
const WITHIN_NAME: char = '\u{1f}';

/// PostgreSQL prints a name with its schema only where the search path does not lead to it. The path is set for this one
/// message or, in a transaction, put back at its end; a transaction that fails in between puts it back by itself.
fn with_empty_path(queries: &str) -> String {
    format!(
        "SELECT set_config('acca.search_path', current_setting('search_path'), true), set_config('search_path', '', true), 1;\n{queries};\n\
         SELECT set_config('search_path', current_setting('acca.search_path'), true), 1, 1"
    )
}

fn oid_of(relation: &Relation) -> String {
    format!(
        "(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {})",
        quote_text(&relation.schema),
        quote_text(&relation.identifier)
    )
}

/// What a publication has to know of the relation itself: two columns a row.
fn select_facts(relation: &Relation) -> String {
    let oid = oid_of(relation);
    format!(
        "SELECT 'owner', pg_get_userbyid(c.relowner)::text FROM pg_class c WHERE c.oid = {oid}\n\
         UNION ALL SELECT 'row security', '' FROM pg_class c WHERE c.oid = {oid} AND c.relrowsecurity\n\
         UNION ALL SELECT 'index', x.relname::text FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = {oid}\n\
         ORDER BY 1, 2"
    )
}

/// The views above a relation with the lengths of the shortest way to it, in order of the longest: each stands after all that
/// it reads.
fn select_dependents(relation: &Relation, definition: &str) -> String {
    format!(
        "WITH RECURSIVE readers (oid, depth) AS (\n    SELECT {oid}, 0\n    UNION\n    SELECT r.ev_class, readers.depth + 1\n    FROM readers\n    \
         JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = readers.oid AND d.classid = 'pg_rewrite'::regclass\n    \
         JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> readers.oid\n), reads AS (\n    \
         SELECT r.ev_class AS oid, string_agg(DISTINCT n.nspname || chr({within}) || c.relname, chr({between})) AS names, \
         string_agg(DISTINCT a.attname, chr({between})) AS columns\n    \
         FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass\n    \
         JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace\n    \
         LEFT JOIN pg_attribute a ON a.attrelid = {oid} AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum\n    \
         WHERE r.ev_class IN (SELECT oid FROM readers) AND d.refobjid <> r.ev_class GROUP BY 1\n)\n\
         SELECT current_database(), n.nspname, v.relname, v.relkind, pg_get_userbyid(v.relowner), pg_has_role(v.relowner, 'USAGE')::text::char, \
         coalesce(array_to_string(v.reloptions, ', '), ''), {definition}, min(readers.depth), min(reads.names), min(reads.columns)\n\
         FROM readers JOIN pg_class v ON v.oid = readers.oid AND v.relkind IN ('v', 'm') JOIN pg_namespace n ON n.oid = v.relnamespace\n\
         LEFT JOIN reads ON reads.oid = v.oid\n\
         WHERE readers.depth > 0\nGROUP BY v.oid, 2, 3, 4, 5, 6, 7, 8\nORDER BY max(readers.depth), 2, 3",
        oid = oid_of(relation),
        within = u32::from(WITHIN_NAME),
        between = u32::from(BETWEEN_NAMES),
    )
}

/// Foreign keys of other tables. Rows that are there are not looked at again: those of the table may be of an older build. Of a
/// partitioned table older servers want to see them all.
fn select_references(relation: &Relation, version: i64) -> String {
    let unseen = if version >= 180_000 { "k.convalidated" } else { "k.convalidated AND c.relkind <> 'p'" };
    format!(
        "SELECT current_database()::text, n.nspname::text, c.relname::text, format('alter table %s drop constraint %I', k.conrelid::regclass, k.conname), \
         format('alter table %s add constraint %I %s%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid), \
         CASE WHEN {unseen} THEN ' NOT VALID' ELSE '' END) \
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = {oid} AND k.conrelid <> k.confrelid ORDER BY 2, 3, 4",
        oid = oid_of(relation)
    )
}

/// One row a statement. Privileges are added to those that the schema gives to new relations by default.
fn select_settings(heir: &Heir<'_>) -> String {
    let name = &quote_text(&heir.name.quoted());
    let word = quote_text(relation_word(heir.kind));
    let kept = match heir.staged {
        None => "true".to_owned(),
        Some(staged) => {
            let oid = oid_of(staged);
            format!(
                "({oid} IS NULL OR EXISTS (SELECT FROM pg_attribute s WHERE s.attrelid = {oid} AND s.attname = a.attname AND NOT s.attisdropped))"
            )
        }
    };
    let same_kind = format!("r.word = {word}");
    let may_own = match heir.staged {
        // A view works with the rights of its owner, so another one will not do.
        None => "true",
        Some(_) => {
            if heir.version >= 160_000 {
                "has_schema_privilege(r.relowner, r.relnamespace, 'CREATE') AND pg_has_role(r.relowner, 'SET')"
            } else {
                "has_schema_privilege(r.relowner, r.relnamespace, 'CREATE') AND pg_has_role(r.relowner, 'MEMBER')"
            }
        }
    };
    let grantee = "CASE g.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(g.grantee)) END";
    let option = "CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END";
    // Rows of another kind than the one in its place has are left out with it.
    let parts = [
        format!(
            "SELECT 1 AS part, 0 AS at, 'options' AS what, '' AS \"right\", '' AS grantee, \
             format('alter %s %s set (%s)', {word}, {name}, array_to_string(r.reloptions, ', ')) AS statement \
             FROM r WHERE r.reloptions IS NOT NULL AND {same_kind}"
        ),
        format!(
            "SELECT 1, 1, 'options', '', '', format('alter table %s set (%s)', {name}, (SELECT string_agg('toast.' || o, ', ') FROM unnest(t.reloptions) o)) \
             FROM r JOIN pg_class t ON t.oid = r.reltoastrelid WHERE t.reloptions IS NOT NULL AND {same_kind}"
        ),
        format!(
            "SELECT 2, 0, 'privilege', lower(g.privilege_type), CASE g.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(g.grantee)::text END, \
             format('grant %s on %s to %s%s', lower(g.privilege_type), {name}, {grantee}, {option}) \
             FROM r, aclexplode(r.relacl) g WHERE g.grantee <> r.relowner"
        ),
        format!(
            "SELECT 3, a.attnum, 'column privilege', '', '', \
             format('grant %s (%I) on %s to %s%s', lower(g.privilege_type), a.attname, {name}, {grantee}, {option}) \
             FROM r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped, aclexplode(a.attacl) g WHERE {kept}"
        ),
        format!(
            "SELECT 4, 0, 'comment', '', '', format('comment on %s %s is %L', {word}, {name}, obj_description(r.oid, 'pg_class')) \
             FROM r WHERE obj_description(r.oid, 'pg_class') IS NOT NULL"
        ),
        format!(
            "SELECT 5, a.attnum, 'column comment', '', '', \
             format('comment on column %s.%I is %L', {name}, a.attname, col_description(r.oid, a.attnum)) \
             FROM r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE col_description(r.oid, a.attnum) IS NOT NULL AND {kept}"
        ),
        format!(
            "SELECT 6, 0, 'row security', '', '', format('alter table %s enable row level security', {name}) FROM r WHERE r.relrowsecurity AND {same_kind}"
        ),
        format!(
            "SELECT 6, 1, 'row security', '', '', format('alter table %s force row level security', {name}) FROM r WHERE r.relforcerowsecurity AND {same_kind}"
        ),
        format!(
            "SELECT 7, 0, 'policy', '', '', format('create policy %I on %s as %s for %s to %s%s%s', p.polname, {name}, \
             CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, \
             CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END, \
             (SELECT string_agg(CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role)) END, ', ') FROM unnest(p.polroles) role), \
             ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') \
             FROM r JOIN pg_policy p ON p.polrelid = r.oid WHERE {same_kind}"
        ),
        // Those of a view that is made anew; a relation of the run has its own, and the replaced one still holds the names.
        format!(
            "SELECT 8, 0, 'index', '', '', pg_get_indexdef(i.indexrelid) FROM r JOIN pg_index i ON i.indrelid = r.oid WHERE r.relkind = 'm' AND {}",
            heir.staged.is_none()
        ),
        // Last, as the statements before are those of the session's own role. A role that may not have it is left: then the new
        // relation belongs to who built it.
        format!(
            "SELECT 99, 0, 'owner', '', '', format('alter %s %s owner to %I', {word}, {name}, pg_get_userbyid(r.relowner)) \
             FROM r WHERE pg_get_userbyid(r.relowner) <> current_user AND {may_own}"
        ),
    ];
    let parts = [&parts[..], &select_rules(name, &same_kind, &kept, heir.version)].concat();
    format!(
        "WITH r AS (\n    SELECT c.*, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END AS word\n    \
         FROM pg_class c WHERE c.oid = {}\n), settings AS (\n    {}\n)\nSELECT what, \"right\", grantee, statement FROM settings ORDER BY part, at, statement",
        oid_of(heir.of),
        parts.join("\n    UNION ALL\n    ")
    )
}

/// The part of [`select_settings`] that is about what happens when a relation is written to, and what is watched of it.
fn select_rules(name: &str, same_kind: &str, kept: &str, version: i64) -> Vec<String> {
    // Columns and conditions of a publication, which older servers do not have.
    let published = if version >= 150_000 {
        "(SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')' FROM pg_attribute a \
         WHERE a.attrelid = r.oid AND a.attnum = ANY (m.prattrs)), ' where (' || pg_get_expr(m.prqual, m.prrelid) || ')'"
    } else {
        "'', ''"
    };
    vec![
        format!(
            "SELECT 9, a.attnum, 'default', '', '', format('alter view %s alter column %I set default %s', {name}, a.attname, pg_get_expr(d.adbin, d.adrelid)) \
             FROM r JOIN pg_attrdef d ON d.adrelid = r.oid JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.adnum \
             WHERE r.relkind = 'v' AND {same_kind} AND {kept}"
        ),
        format!(
            "SELECT 10, 0, 'trigger', '', '', pg_get_triggerdef(t.oid) FROM r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal AND {same_kind}"
        ),
        format!(
            "SELECT 10, 1, 'trigger', '', '', format('alter table %s %s trigger %I', {name}, \
             CASE t.tgenabled WHEN 'D' THEN 'disable' WHEN 'R' THEN 'enable replica' ELSE 'enable always' END, t.tgname) \
             FROM r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal AND t.tgenabled <> 'O' AND {same_kind}"
        ),
        format!(
            "SELECT 11, 0, 'rule', '', '', rtrim(pg_get_ruledef(w.oid), ';') FROM r JOIN pg_rewrite w ON w.ev_class = r.oid \
             WHERE w.rulename <> '_RETURN' AND {same_kind}"
        ),
        format!(
            "SELECT 12, 0, 'replica identity', '', '', format('alter table %s replica identity %s', {name}, CASE r.relreplident WHEN 'f' THEN 'full' ELSE 'nothing' END) \
             FROM r WHERE r.relkind = 'r' AND r.relreplident IN ('f', 'n') AND {same_kind}"
        ),
        format!(
            "SELECT 12, 1, 'publication', '', '', format('alter publication %I add table %s%s%s', p.pubname, {name}, {published}) \
             FROM r JOIN pg_publication_rel m ON m.prrelid = r.oid JOIN pg_publication p ON p.oid = m.prpubid WHERE {same_kind}"
        ),
        // The old one keeps its name until its table is dropped.
        format!(
            "SELECT 13, x.oid::bigint, 'statistics', '', '', format('alter statistics %I.%I rename to %I; %s; analyze %s', n.nspname, x.stxname, \
             'acca_old_' || x.oid, pg_get_statisticsobjdef(x.oid), {name}) \
             FROM r JOIN pg_statistic_ext x ON x.stxrelid = r.oid JOIN pg_namespace n ON n.oid = x.stxnamespace WHERE r.relkind = 'r' AND {same_kind} \
             AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum = ANY (x.stxkeys) AND NOT {kept})"
        ),
    ]
}
