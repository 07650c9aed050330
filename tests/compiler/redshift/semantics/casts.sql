-- Casts. Lengths are bytes, fact 4; a letter of several bytes is kept whole or dropped.
CREATE FUNCTION redshift.cut(value text, bytes integer) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    raw bytea; size integer := bytes;
BEGIN
    IF octet_length(value) <= bytes THEN
        RETURN value;
    END IF;
    raw := convert_to(value, 'UTF8');
    WHILE size > 0 AND get_byte(raw, size) BETWEEN 128 AND 191 LOOP
        size := size - 1;
    END LOOP;
    RETURN convert_from(substring(raw FROM 1 FOR size), 'UTF8');
END $$;

CREATE FUNCTION redshift.to_text(anynonarray) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::text $$;
CREATE FUNCTION redshift.to_text(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 $$;
-- A value that does not fit is NULL, fact 148.
CREATE FUNCTION redshift.to_text(jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN jsonb_typeof($1) IN ('object', 'array', 'null') THEN NULL ELSE $1 #>> '{}' END $$;
-- Fact 19.
CREATE FUNCTION redshift.to_text(boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    RAISE EXCEPTION 'cannot cast type boolean to character varying' USING ERRCODE = '42846';
END $$;

CREATE FUNCTION redshift.to_boolean(integer) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 <> 0 $$;
CREATE FUNCTION redshift.to_boolean(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 <> 0 $$;
CREATE FUNCTION redshift.to_boolean(boolean) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 $$;
CREATE FUNCTION redshift.to_boolean(jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN jsonb_typeof($1) = 'boolean' THEN $1::boolean END $$;
-- Fact 20.
CREATE FUNCTION redshift.to_boolean(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    RAISE EXCEPTION 'cannot cast type character varying to boolean' USING ERRCODE = '42846';
END $$;

-- What comes from a column loses the digits that do not fit, without rounding, fact 10. The target's precision refuses what is too large.
CREATE FUNCTION redshift.to_decimal(value numeric, digits integer, places integer) RETURNS numeric LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    IF abs(trunc(value, places)) >= 10::numeric ^ (digits - places) THEN
        RAISE EXCEPTION 'Numeric data overflow (result precision)' USING ERRCODE = '22003';
    END IF;
    RETURN trunc(trunc(value, places), places);
END $$;
CREATE FUNCTION redshift.round_decimal(value numeric, digits integer, places integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT redshift.to_decimal(round(value, places), digits, places) $$;
CREATE FUNCTION redshift.to_decimal(integer, integer, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT redshift.to_decimal($1::numeric, $2, $3) $$;
CREATE FUNCTION redshift.to_decimal(bigint, integer, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT redshift.to_decimal($1::numeric, $2, $3) $$;
CREATE FUNCTION redshift.to_decimal(double precision, integer, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT redshift.round_decimal($1::numeric, $2, $3) $$;
CREATE FUNCTION redshift.to_decimal(text, integer, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT redshift.round_decimal($1::numeric, $2, $3) $$;
CREATE FUNCTION redshift.to_decimal(jsonb, integer, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT CASE WHEN jsonb_typeof($1) = 'number' THEN redshift.round_decimal($1::numeric, $2, $3) END $$;

-- The quotient of decimals has the places that the types of both sides say, fact 38; the caller reckons them.
CREATE FUNCTION redshift.divide(numeric, numeric, digits integer, places integer) RETURNS numeric LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    IF $2 = 0 THEN RAISE EXCEPTION 'Divide by zero' USING ERRCODE = '22012'; END IF;
    RETURN redshift.to_decimal(trunc(div($1 * 10::numeric ^ (places + 1), $2) / 10::numeric ^ (places + 1), places), digits, places);
END $$;

-- Of doubles to places too; ties go away from zero: what they do there is in no document, fact 45.
CREATE FUNCTION redshift.round(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.round($1) $$;
CREATE FUNCTION redshift.round(numeric, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.round($1, $2) $$;
CREATE FUNCTION redshift.round(double precision) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.round($1::numeric)::float8 $$;
CREATE FUNCTION redshift.round(double precision, integer) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT pg_catalog.round($1::numeric, $2)::float8 $$;
CREATE FUNCTION redshift.round(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 $$;
CREATE FUNCTION redshift.round(integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 $$;
CREATE FUNCTION redshift.round(bigint, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.round($1::numeric, $2) $$;
CREATE FUNCTION redshift.round(integer, integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.round($1::numeric, $2) $$;
