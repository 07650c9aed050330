SET allow_system_table_mods = on;
-- What the imitation keeps beside PostgreSQL's catalogue, and the system views over it.
CREATE FUNCTION redshift.current_database() RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT coalesce(nullif(current_setting('redshift.database', true), ''), 'dev') $$;

-- Views that bind late are read anew each time, fact 184: their SQL is kept here, and a view of that name holds the place.
CREATE TABLE redshift.late_views (relation oid PRIMARY KEY, body text NOT NULL);

-- Users, groups and roles need not exist here.
CREATE TABLE redshift.privileges (relation oid, privilege_type text, identity_type text, identity_name text,
    PRIMARY KEY (relation, privilege_type, identity_type, identity_name));
CREATE VIEW pg_catalog.svv_relation_privileges AS
    SELECT n.nspname::text AS namespace_name, c.relname::text AS relation_name, privilege_type, identity_type, identity_name
    FROM redshift.privileges p JOIN pg_class c ON c.oid = p.relation JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW pg_catalog.svv_tables AS
    SELECT redshift.current_database() AS table_catalog, n.nspname::text AS table_schema, c.relname::text AS table_name,
        CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'VIEW' ELSE 'BASE TABLE' END AS table_type, obj_description(c.oid) AS remarks
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('redshift', 'pg_catalog', 'information_schema', 'pg_toast');
CREATE VIEW pg_catalog.svv_redshift_columns AS
    SELECT redshift.current_database() AS database_name, n.nspname::text AS schema_name, c.relname::text AS table_name, a.attname::text AS column_name,
        a.attnum::integer AS ordinal_position, format_type(a.atttypid, a.atttypmod) AS data_type, NOT a.attnotnull AS is_nullable, col_description(c.oid, a.attnum) AS remarks
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('redshift', 'pg_catalog', 'information_schema', 'pg_toast')
        AND c.oid NOT IN (SELECT relation FROM redshift.late_views);
CREATE VIEW pg_catalog.svv_columns AS
    SELECT database_name AS table_catalog, schema_name AS table_schema, table_name, column_name, ordinal_position,
        CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS is_nullable, data_type, remarks FROM pg_catalog.svv_redshift_columns;
CREATE VIEW pg_catalog.svv_table_info AS
    SELECT table_catalog AS database, table_schema AS schema, table_name AS "table", 'EVEN'::text AS diststyle, NULL::text AS sortkey1,
        0::bigint AS size, 0::numeric(19,0) AS tbl_rows
    FROM pg_catalog.svv_tables WHERE table_type = 'BASE TABLE';
RESET allow_system_table_mods;
