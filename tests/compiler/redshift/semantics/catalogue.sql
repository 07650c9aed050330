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

-- What loads failed at.
CREATE TABLE redshift.load_errors (query bigint, happened timestamp DEFAULT clock_timestamp(), file text, line bigint, column_name text, value text, reason text);
CREATE VIEW pg_catalog.sys_load_error_detail AS
    SELECT query AS query_id, happened AS start_time, file::char(256) AS file_name, line AS line_number, column_name::char(127) AS column_name,
        reason::char(512) AS error_message FROM redshift.load_errors;
CREATE VIEW pg_catalog.stl_load_errors AS
    SELECT query, happened AS starttime, file::char(256) AS filename, line AS line_number, column_name::char(127) AS colname,
        value::char(1024) AS raw_field_value, reason::char(100) AS err_reason FROM redshift.load_errors;

-- External schemas, their tables and the parts of those: entries of a data catalogue.
CREATE TABLE redshift.external_schemas (name text PRIMARY KEY, kind text NOT NULL, databasename text, options text);
CREATE TABLE redshift.external_tables (relation oid PRIMARY KEY, location text NOT NULL, definition jsonb NOT NULL);
CREATE TABLE redshift.external_parts (relation oid, part jsonb, location text NOT NULL, PRIMARY KEY (relation, part));
CREATE VIEW pg_catalog.svv_external_schemas AS
    SELECT 1::bigint AS esoid, 1 AS eskind, name AS schemaname, 100 AS esowner, databasename, options AS esoptions FROM redshift.external_schemas;
CREATE VIEW redshift.outside AS
    SELECT n.nspname::text AS schemaname, c.relname::text AS tablename, t.relation, t.location, t.definition
    FROM redshift.external_tables t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace;
CREATE VIEW pg_catalog.svv_external_tables AS
    SELECT schemaname, tablename, location, definition ->> 'serde' AS serialization_lib, definition ->> 'of_serde' AS serde_parameters,
        definition ->> 'of_table' AS parameters FROM redshift.outside;
CREATE VIEW pg_catalog.svv_external_columns AS
    SELECT schemaname, tablename, c.value ->> 'name' AS columnname, c.value ->> 'type' AS external_type, c.ordinality::integer AS columnnum,
        (c.value ->> 'part')::integer AS part_key
    FROM redshift.outside, jsonb_array_elements(definition -> 'columns') WITH ORDINALITY c;
CREATE VIEW pg_catalog.svv_external_partitions AS
    SELECT o.schemaname, o.tablename, p.part::text AS "values", p.location FROM redshift.outside o JOIN redshift.external_parts p USING (relation);

-- Records that were sent to streams; each stream is a view in every schema of its kind.
CREATE TABLE redshift.records (number bigserial PRIMARY KEY, stream text NOT NULL, kind text NOT NULL, arrived timestamp NOT NULL, body bytea NOT NULL);
CREATE FUNCTION redshift.show_streams(schema_name text, schema_kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE known text;
BEGIN
    FOR known IN SELECT DISTINCT stream FROM redshift.records WHERE kind = schema_kind LOOP
        IF schema_kind = 'KINESIS' THEN
            EXECUTE format('CREATE OR REPLACE VIEW %I.%I AS SELECT arrived AS approximate_arrival_timestamp, number::varchar(256) AS partition_key, '
                '''shardId-0''::varchar(20) AS shard_id, number::varchar(128) AS sequence_number, arrived AS refresh_time, body AS kinesis_data '
                'FROM redshift.records WHERE stream = %L AND kind = %L', schema_name, known, known, schema_kind);
        ELSE
            EXECUTE format('CREATE OR REPLACE VIEW %I.%I AS SELECT 0::bigint AS kafka_partition, number AS kafka_offset, ''C''::varchar(1) AS kafka_timestamp_type, '
                'arrived AS kafka_timestamp, NULL::bytea AS kafka_key, body AS kafka_value, NULL::jsonb AS kafka_headers, arrived AS refresh_time '
                'FROM redshift.records WHERE stream = %L AND kind = %L', schema_name, known, known, schema_kind);
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION redshift.json_parse(bytea) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.json_parse(convert_from($1, 'UTF8')) $$;
CREATE FUNCTION redshift.can_json_parse(bytea) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    RETURN redshift.can_json_parse(convert_from($1, 'UTF8')); EXCEPTION WHEN others THEN RETURN false; END $$;
RESET allow_system_table_mods;
