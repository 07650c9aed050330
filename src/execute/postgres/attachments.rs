//! What hangs on a relation of PostgreSQL by identity: the views that read it, and what was said about it besides its rows.

use super::{PgSession, relation_kind};
use crate::base::{Relation, RelationKind};
use crate::dialect::{quote_text, relation_word};
use crate::execute::adapter::AdapterError;
use crate::plan::{Attachments, Dependent, Privilege, Reference};

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
}

impl PgSession {
    pub(super) fn read_attachments(&mut self, live: &Relation, staged: &Relation, kind: RelationKind) -> Result<Attachments, AdapterError> {
        let own = select_settings(&Heir { of: live, name: live, kind, staged: Some(staged) });
        let sql = with_empty_path(&format!("{own};\n{};\n{}", select_dependents(live), select_references(live)));
        let mut found = Attachments::default();
        for row in self.text_rows(&sql)? {
            match row.as_slice() {
                [part, statement] if part == "setting" => found.settings.push(statement.clone()),
                [database, schema, name, relkind, options, definition, depth] => {
                    found.dependents.push(Dependent {
                        relation: Relation::new(database, schema, name),
                        kind: relation_kind(relkind),
                        direct: depth == "1",
                        definition: definition.trim().trim_end_matches(';').to_owned(),
                        options: options.clone(),
                        settings: Vec::new(),
                    });
                }
                [database, schema, name, take, give] => {
                    let table = Relation::new(database, schema, name);
                    found.references.push(Reference { table, take: take.clone(), give: give.clone() });
                }
                _ => {}
            }
        }
        for view in &mut found.dependents {
            let heir = Heir { of: &view.relation, name: &view.relation, kind: view.kind, staged: None };
            let rows = self.text_rows(&with_empty_path(&select_settings(&heir)))?;
            view.settings = rows.into_iter().filter_map(|row| <[String; 2]>::try_from(row).ok()).map(|[_, statement]| statement).collect();
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

/// The views above a relation with the lengths of the shortest way to it, in order of the longest: each stands after all that
/// it reads.
fn select_dependents(relation: &Relation) -> String {
    format!(
        "WITH RECURSIVE readers (oid, depth) AS (\n    SELECT {}, 0\n    UNION\n    SELECT r.ev_class, readers.depth + 1\n    FROM readers\n    \
         JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = readers.oid AND d.classid = 'pg_rewrite'::regclass\n    \
         JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> readers.oid\n)\n\
         SELECT current_database(), n.nspname, v.relname, v.relkind, coalesce(array_to_string(v.reloptions, ', '), ''), pg_get_viewdef(v.oid), \
         min(readers.depth)\n\
         FROM readers JOIN pg_class v ON v.oid = readers.oid AND v.relkind IN ('v', 'm') JOIN pg_namespace n ON n.oid = v.relnamespace\n\
         WHERE readers.depth > 0\nGROUP BY v.oid, 2, 3, 4, 5, 6\nORDER BY max(readers.depth), 2, 3",
        oid_of(relation)
    )
}

/// Foreign keys of other tables. Rows that are there are not looked at again: those of the table may be of an older build.
fn select_references(relation: &Relation) -> String {
    format!(
        "SELECT current_database()::text, n.nspname::text, c.relname::text, format('alter table %s drop constraint %I', k.conrelid::regclass, k.conname), \
         format('alter table %s add constraint %I %s%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid), \
         CASE WHEN k.convalidated THEN ' NOT VALID' ELSE '' END) \
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = {oid} AND k.conrelid <> k.confrelid ORDER BY 2, 3, 4",
        oid = oid_of(relation)
    )
}

/// One row a statement. Privileges are added to those that the schema gives to new relations by default.
fn select_settings(heir: &Heir<'_>) -> String {
    let name = quote_text(&heir.name.quoted());
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
    let grantee = "CASE g.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(g.grantee)) END";
    let option = "CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END";
    let parts = [
        format!(
            "SELECT 1 AS part, 0 AS at, format('alter %s %s set (%s)', {word}, {name}, array_to_string(r.reloptions, ', ')) AS statement \
             FROM r WHERE r.reloptions IS NOT NULL AND {same_kind}"
        ),
        format!(
            "SELECT 2, 0, format('grant %s on %s to %s%s', lower(string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type)), {name}, {grantee}, {option}) \
             FROM r, aclexplode(r.relacl) g WHERE g.grantee <> r.relowner GROUP BY g.grantee, g.is_grantable"
        ),
        format!(
            "SELECT 3, a.attnum, format('grant %s (%I) on %s to %s%s', lower(g.privilege_type), a.attname, {name}, {grantee}, {option}) \
             FROM r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped, aclexplode(a.attacl) g WHERE {kept}"
        ),
        format!(
            "SELECT 4, 0, format('comment on %s %s is %L', {word}, {name}, obj_description(r.oid, 'pg_class')) \
             FROM r WHERE obj_description(r.oid, 'pg_class') IS NOT NULL"
        ),
        format!(
            "SELECT 5, a.attnum, format('comment on column %s.%I is %L', {name}, a.attname, col_description(r.oid, a.attnum)) \
             FROM r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE col_description(r.oid, a.attnum) IS NOT NULL AND {kept}"
        ),
        format!("SELECT 6, 0, format('alter table %s enable row level security', {name}) FROM r WHERE r.relrowsecurity AND {same_kind}"),
        format!(
            "SELECT 6, 1, format('alter table %s force row level security', {name}) FROM r WHERE r.relforcerowsecurity AND {same_kind}"
        ),
        format!(
            "SELECT 7, 0, format('create policy %I on %s as %s for %s to %s%s%s', p.polname, {name}, \
             CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, \
             CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END, \
             (SELECT string_agg(CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role)) END, ', ') FROM unnest(p.polroles) role), \
             ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') \
             FROM r JOIN pg_policy p ON p.polrelid = r.oid WHERE {same_kind}"
        ),
        "SELECT 8, 0, pg_get_indexdef(i.indexrelid) FROM r JOIN pg_index i ON i.indrelid = r.oid WHERE r.relkind = 'm'".to_owned(),
        // Last, as the statements before are those of the session's own role.
        format!(
            "SELECT 9, 0, format('alter %s %s owner to %I', {word}, {name}, pg_get_userbyid(r.relowner)) \
             FROM r WHERE pg_get_userbyid(r.relowner) <> current_user"
        ),
    ];
    format!(
        "WITH r AS (\n    SELECT c.*, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END AS word\n    \
         FROM pg_class c WHERE c.oid = {}\n), settings AS (\n    {}\n)\nSELECT 'setting', statement FROM settings ORDER BY part, at, statement",
        oid_of(heir.of),
        parts.join("\n    UNION ALL\n    ")
    )
}
