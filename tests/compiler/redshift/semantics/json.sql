-- A missing key is an empty text, fact 146; at most five levels, fact 145.
CREATE FUNCTION redshift.json_extract_path_text(document text, VARIADIC path text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    found jsonb;
BEGIN
    IF cardinality(path) > 5 THEN RAISE EXCEPTION 'JSON_EXTRACT_PATH_TEXT takes at most five keys'; END IF;
    BEGIN
        found := document::jsonb #> path;
    EXCEPTION WHEN invalid_text_representation THEN
        RAISE EXCEPTION 'JSON parsing error' USING ERRCODE = 'XX000';
    END;
    RETURN coalesce(found #>> '{}', '');
END $$;
CREATE FUNCTION redshift.json_extract_array_element_text(document text, place integer, null_if_invalid boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    RETURN coalesce(document::jsonb ->> place, '');
EXCEPTION WHEN invalid_text_representation THEN
    IF null_if_invalid THEN RETURN NULL; END IF;
    RAISE EXCEPTION 'JSON parsing error' USING ERRCODE = 'XX000';
END $$;
CREATE FUNCTION redshift.json_array_length(document text, null_if_invalid boolean DEFAULT false) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    RETURN jsonb_array_length(document::jsonb);
EXCEPTION WHEN invalid_text_representation OR invalid_parameter_value THEN
    IF null_if_invalid THEN RETURN NULL; END IF;
    RAISE EXCEPTION 'JSON parsing error' USING ERRCODE = 'XX000';
END $$;
CREATE FUNCTION redshift.can_json_parse(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    RETURN $1::jsonb IS NOT NULL AND NOT redshift.has_key_twice($1::json);
EXCEPTION WHEN invalid_text_representation THEN
    RETURN false;
END $$;
CREATE FUNCTION redshift.is_valid_json(text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN redshift.can_json_parse($1) THEN jsonb_typeof($1::jsonb) = 'object' ELSE false END $$;
CREATE FUNCTION redshift.is_valid_json_array(text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN redshift.can_json_parse($1) THEN jsonb_typeof($1::jsonb) = 'array' ELSE false END $$;

-- No object has a key twice, unless `json_parse_dedup_attributes` is set.
CREATE FUNCTION redshift.has_key_twice(json) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    RETURN CASE json_typeof($1)
        WHEN 'object' THEN (SELECT count(*) > count(DISTINCT key) OR bool_or(redshift.has_key_twice(value)) FROM json_each($1))
        WHEN 'array' THEN (SELECT bool_or(redshift.has_key_twice(value)) FROM json_array_elements($1)) END IS TRUE;
END $$;
-- SUPER is jsonb here, fact 23. What is not there is NULL (lax), facts 26 and 146; places count from 0, fact 25.
CREATE FUNCTION redshift.json_parse(text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    IF redshift.has_key_twice($1::json) THEN RAISE EXCEPTION 'JSON parsing error: duplicate attribute' USING ERRCODE = 'XX000'; END IF;
    RETURN $1::jsonb;
END $$;
CREATE FUNCTION redshift.json_serialize(jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT replace(replace($1::text, '": ', '":'), ', "', ',"') $$;
CREATE FUNCTION redshift.json_typeof(jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT jsonb_typeof($1) $$;
CREATE FUNCTION redshift.get_array_length(jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN jsonb_typeof($1) = 'array' THEN jsonb_array_length($1) END $$;
CREATE FUNCTION redshift.is_array(jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT jsonb_typeof($1) = 'array' $$;
CREATE FUNCTION redshift.is_object(jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT jsonb_typeof($1) = 'object' $$;
CREATE FUNCTION redshift.is_varchar(jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT jsonb_typeof($1) = 'string' $$;
-- Numbers without places, in 64 bits.
CREATE FUNCTION redshift.is_bigint(jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN jsonb_typeof($1) = 'number' THEN scale($1::numeric) = 0 AND $1::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE false END $$;
-- Keys are those of objects, places those of arrays: anything else is NULL, fact 26.
CREATE FUNCTION redshift.attribute(jsonb, text) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN jsonb_typeof($1) = 'object' THEN $1 -> $2 END $$;
CREATE FUNCTION redshift.element(jsonb, integer) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN jsonb_typeof($1) = 'array' AND $2 >= 0 THEN $1 -> $2 END $$;
CREATE FUNCTION redshift.split_to_array(text, text DEFAULT ',') RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT to_jsonb(string_to_array($1, $2)) $$;
CREATE FUNCTION redshift.array(VARIADIC "any") RETURNS jsonb LANGUAGE internal STABLE AS 'jsonb_build_array';
CREATE FUNCTION redshift.object(VARIADIC "any") RETURNS jsonb LANGUAGE internal STABLE AS 'jsonb_build_object';
-- A number in a value for a whole-number, a date, …: NULL where it is something else, fact 148.
CREATE FUNCTION redshift.to_bigint(jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT CASE WHEN jsonb_typeof($1) = 'number' THEN trunc($1::numeric)::bigint END $$;
CREATE FUNCTION redshift.to_double(jsonb) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT CASE WHEN jsonb_typeof($1) = 'number' THEN $1::float8 END $$;
