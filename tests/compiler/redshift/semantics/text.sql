-- What Amazon Redshift does differently, as functions and operators of PostgreSQL. Installed once into a template database.
-- `fact N` is a row of the list of differences on which the compiler's rewrites stand; rules/*.txt tests each of them.

CREATE SCHEMA redshift;

CREATE FUNCTION redshift.fail(message text, code text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = code;
END $$;

-- Comparison of text, fact 54: trailing blanks are insignificant in =, <>, <, >, IN, DISTINCT, GROUP BY, joins and unions. PostgreSQL does so
-- for its type character, whose code reads a text just as well. Hashing and sorting must agree, so the classes of operators change too.
CREATE FUNCTION redshift.text_eq(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpchareq';
CREATE FUNCTION redshift.text_ne(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpcharne';
CREATE FUNCTION redshift.text_lt(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpcharlt';
CREATE FUNCTION redshift.text_le(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpcharle';
CREATE FUNCTION redshift.text_gt(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpchargt';
CREATE FUNCTION redshift.text_ge(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpcharge';
CREATE FUNCTION redshift.text_cmp(text, text) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpcharcmp';
CREATE FUNCTION redshift.text_sort(internal) RETURNS void LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bpchar_sortsupport';
CREATE FUNCTION redshift.text_hash(text) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashbpchar';
CREATE FUNCTION redshift.text_hash(text, bigint) RETURNS bigint LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashbpcharextended';

SET allow_system_table_mods = on;
UPDATE pg_operator SET oprcode = 'redshift.text_eq' WHERE oid = 'pg_catalog.=(text,text)'::regoperator;
UPDATE pg_operator SET oprcode = 'redshift.text_ne' WHERE oid = 'pg_catalog.<>(text,text)'::regoperator;
UPDATE pg_operator SET oprcode = 'redshift.text_lt' WHERE oid = 'pg_catalog.<(text,text)'::regoperator;
UPDATE pg_operator SET oprcode = 'redshift.text_le' WHERE oid = 'pg_catalog.<=(text,text)'::regoperator;
UPDATE pg_operator SET oprcode = 'redshift.text_gt' WHERE oid = 'pg_catalog.>(text,text)'::regoperator;
UPDATE pg_operator SET oprcode = 'redshift.text_ge' WHERE oid = 'pg_catalog.>=(text,text)'::regoperator;
UPDATE pg_amproc SET amproc = 'redshift.text_cmp' WHERE amproc = 'pg_catalog.bttextcmp'::regproc;
UPDATE pg_amproc SET amproc = 'redshift.text_sort' WHERE amproc = 'pg_catalog.bttextsortsupport'::regproc AND amproclefttype = 'text'::regtype;
DELETE FROM pg_amproc WHERE amproc = 'pg_catalog.btvarstrequalimage'::regproc AND amproclefttype = 'text'::regtype;
UPDATE pg_amproc SET amproc = 'redshift.text_hash(text)'::regprocedure WHERE amproc = 'pg_catalog.hashtext'::regproc AND amproclefttype = 'text'::regtype;
UPDATE pg_amproc SET amproc = 'redshift.text_hash(text,bigint)'::regprocedure WHERE amproc = 'pg_catalog.hashtextextended'::regproc AND amproclefttype = 'text'::regtype;

-- ILIKE folds ASCII letters only, fact 75.
CREATE FUNCTION redshift.ascii_lower(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT translate($1, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') $$;
CREATE FUNCTION redshift.text_ilike(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT redshift.ascii_lower($1) LIKE redshift.ascii_lower($2) $$;
CREATE FUNCTION redshift.text_not_ilike(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT redshift.ascii_lower($1) NOT LIKE redshift.ascii_lower($2) $$;
UPDATE pg_operator SET oprcode = 'redshift.text_ilike' WHERE oid = 'pg_catalog.~~*(text,text)'::regoperator;
UPDATE pg_operator SET oprcode = 'redshift.text_not_ilike' WHERE oid = 'pg_catalog.!~~*(text,text)'::regoperator;

-- A number beside text: all but decimals become text and are compared as text, fact 33.
DO $$
DECLARE
    number regtype; sign text; name text;
BEGIN
    FOREACH number IN ARRAY ARRAY['smallint', 'integer', 'bigint', 'real', 'double precision']::regtype[] LOOP
        FOR sign, name IN VALUES ('=', 'eq'), ('<>', 'ne'), ('<', 'lt'), ('<=', 'le'), ('>', 'gt'), ('>=', 'ge') LOOP
            EXECUTE format('CREATE FUNCTION redshift.%2$s(%1$s, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT $1::text %3$s $2''',
                number, name, sign);
            EXECUTE format('CREATE FUNCTION redshift.%2$s(text, %1$s) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT $1 %3$s $2::text''',
                number, name, sign);
            EXECUTE format('CREATE OPERATOR pg_catalog.%3$s (LEFTARG = %1$s, RIGHTARG = text, FUNCTION = redshift.%2$s)', number, name, sign);
            EXECUTE format('CREATE OPERATOR pg_catalog.%3$s (LEFTARG = text, RIGHTARG = %1$s, FUNCTION = redshift.%2$s)', number, name, sign);
        END LOOP;
    END LOOP;
END $$;

-- || takes text only, fact 60.
CREATE FUNCTION redshift.no_concat(anynonarray, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'operator does not exist: % || character varying', pg_typeof($1) USING ERRCODE = '42883';
END $$;
CREATE FUNCTION redshift.no_concat(text, anynonarray) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'operator does not exist: character varying || %', pg_typeof($2) USING ERRCODE = '42883';
END $$;
UPDATE pg_operator SET oprcode = 'redshift.no_concat(anynonarray,text)'::regprocedure WHERE oid = 'pg_catalog.||(anynonarray,text)'::regoperator;
UPDATE pg_operator SET oprcode = 'redshift.no_concat(text,anynonarray)'::regprocedure WHERE oid = 'pg_catalog.||(text,anynonarray)'::regoperator;
RESET allow_system_table_mods;

-- Two arguments, NULL if one is NULL, fact 57.
CREATE FUNCTION redshift.concat(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 || $2 $$;

-- Lengths count from the left and right only, fact 67; parts of a text from its start only, fact 68.
CREATE FUNCTION redshift.left(text, integer) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    IF $2 < 0 THEN RAISE EXCEPTION 'length of LEFT must not be negative'; END IF;
    RETURN pg_catalog.left($1, $2);
END $$;
CREATE FUNCTION redshift.right(text, integer) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    IF $2 < 0 THEN RAISE EXCEPTION 'length of RIGHT must not be negative'; END IF;
    RETURN pg_catalog.right($1, $2);
END $$;
CREATE FUNCTION redshift.split_part(text, text, integer) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    IF $3 < 1 THEN RAISE EXCEPTION 'field position must be greater than zero'; END IF;
    IF octet_length($2) = 0 THEN RAISE EXCEPTION 'not imitated: an empty delimiter is in no document'; END IF;
    RETURN pg_catalog.split_part($1, $2, $3);
END $$;

-- A bit count that is none gives an empty text, fact 73.
CREATE FUNCTION redshift.sha2(text, integer) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE $2 WHEN 0 THEN encode(sha256(convert_to($1, 'UTF8')), 'hex') WHEN 256 THEN encode(sha256(convert_to($1, 'UTF8')), 'hex')
        WHEN 224 THEN encode(sha224(convert_to($1, 'UTF8')), 'hex') WHEN 384 THEN encode(sha384(convert_to($1, 'UTF8')), 'hex')
        WHEN 512 THEN encode(sha512(convert_to($1, 'UTF8')), 'hex') ELSE '' END $$;
CREATE FUNCTION redshift.from_hex(text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT decode($1, 'hex') $$;
CREATE FUNCTION redshift.to_hex(bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT encode($1, 'hex') $$;
CREATE FUNCTION redshift.to_hex(bigint) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.to_hex($1) $$;
CREATE FUNCTION redshift.to_varbyte(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE lower($2) WHEN 'hex' THEN decode($1, 'hex') WHEN 'base64' THEN decode($1, 'base64') WHEN 'utf8' THEN convert_to($1, 'UTF8')
        WHEN 'utf-8' THEN convert_to($1, 'UTF8') END $$;
CREATE FUNCTION redshift.from_varbyte(bytea, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE lower($2) WHEN 'hex' THEN encode($1, 'hex') WHEN 'base64' THEN encode($1, 'base64') WHEN 'utf8' THEN convert_from($1, 'UTF8')
        WHEN 'utf-8' THEN convert_from($1, 'UTF8') END $$;

-- Regular expressions: no match is an empty text, fact 82; all matches are replaced, fact 80; $1 names a group with parameter p, fact 81.
-- Classes hold ASCII only, and only its letters have another case: as in PostgreSQL's locale C.
CREATE FUNCTION redshift.regexp_flags(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT regexp_replace($1, '[^ic]', '', 'g') $$;
-- With p a point takes no line break unless (?s) says so, and $ stands before the last line break too.
CREATE FUNCTION redshift.pattern(p text, flags text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    has_all boolean := p LIKE '(?s)%'; written text := ''; letter text; in_class boolean := false; escaped boolean := false;
BEGIN
    IF flags NOT LIKE '%p%' THEN
        IF p LIKE '%(?s)%' THEN RAISE EXCEPTION 'invalid regular expression: option without p'; END IF;
        RETURN p;
    END IF;
    FOREACH letter IN ARRAY string_to_array(CASE WHEN has_all THEN substr(p, 5) ELSE p END, NULL) LOOP
        IF escaped THEN
            written := written || CASE WHEN letter = 'z' AND NOT in_class THEN '\Z' ELSE '\' || letter END;
            escaped := false;
            CONTINUE;
        END IF;
        escaped := letter = '\';
        CONTINUE WHEN escaped;
        in_class := letter = '[' OR in_class AND letter <> ']';
        written := written || CASE WHEN in_class THEN letter WHEN letter = '.' AND NOT has_all THEN '[^\n]'
            WHEN letter = '$' THEN '(?=\n?\Z)' ELSE letter END;
    END LOOP;
    RETURN written;
END $$;
CREATE FUNCTION redshift.regexp_substr(s text, p text, at integer DEFAULT 1, nth integer DEFAULT 1, flags text DEFAULT '') RETURNS text
    LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT coalesce(pg_catalog.regexp_substr(s COLLATE "C", redshift.pattern(p, flags), at, nth, redshift.regexp_flags(flags), CASE WHEN flags LIKE '%e%' THEN 1 ELSE 0 END), '') $$;
CREATE FUNCTION redshift.regexp_instr(s text, p text, at integer DEFAULT 1, nth integer DEFAULT 1, behind integer DEFAULT 0, flags text DEFAULT '')
    RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT pg_catalog.regexp_instr(s COLLATE "C", redshift.pattern(p, flags), at, nth, behind, redshift.regexp_flags(flags), CASE WHEN flags LIKE '%e%' THEN 1 ELSE 0 END) $$;
CREATE FUNCTION redshift.regexp_count(s text, p text, at integer DEFAULT 1, flags text DEFAULT '') RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT pg_catalog.regexp_count(s COLLATE "C", redshift.pattern(p, flags), at, redshift.regexp_flags(flags)) $$;
CREATE FUNCTION redshift.regexp_replace(s text, p text, r text DEFAULT '', at integer DEFAULT 1, flags text DEFAULT '') RETURNS text
    LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT pg_catalog.regexp_replace(s COLLATE "C", redshift.pattern(p, flags),
        CASE WHEN flags LIKE '%p%' THEN pg_catalog.regexp_replace(r, '\$(\d)', '\\\1', 'g') ELSE r END, at, 0, redshift.regexp_flags(flags)) $$;
