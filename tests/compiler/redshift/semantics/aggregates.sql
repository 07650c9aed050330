-- Whole numbers stay whole, fact 40; decimals keep their scale, fact 41; bigint overflows, fact 42; reals are summed as doubles, fact 43.
CREATE FUNCTION redshift.avg_step(state numeric[], value numeric) RETURNS numeric[] LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT ARRAY[$1[1] + $2, $1[2] + 1] $$;
CREATE FUNCTION redshift.avg_whole(state numeric[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    $$ SELECT CASE WHEN $1[2] > 0 THEN div($1[1], $1[2])::bigint END $$;
CREATE FUNCTION redshift.avg_decimal(state numeric[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS
    $$ SELECT CASE WHEN $1[2] > 0 THEN round($1[1] / $1[2], scale($1[1])) END $$;
CREATE AGGREGATE redshift.avg(numeric) (SFUNC = redshift.avg_step, STYPE = numeric[], INITCOND = '{0,0}', FINALFUNC = redshift.avg_decimal);
CREATE AGGREGATE redshift.sum(numeric) (SFUNC = numeric_add, STYPE = numeric);
CREATE AGGREGATE redshift.sum(double precision) (SFUNC = float8pl, STYPE = double precision);
CREATE AGGREGATE redshift.sum(interval) (SFUNC = interval_pl, STYPE = interval);
DO $$
DECLARE
    number text;
BEGIN
    FOREACH number IN ARRAY ARRAY['smallint', 'integer', 'bigint'] LOOP
        EXECUTE format('CREATE FUNCTION redshift.avg_step(state numeric[], value %s) RETURNS numeric[] LANGUAGE sql IMMUTABLE STRICT AS '
            '''SELECT ARRAY[$1[1] + $2, $1[2] + 1]''', number);
        EXECUTE format('CREATE AGGREGATE redshift.avg(%s) (SFUNC = redshift.avg_step, STYPE = numeric[], INITCOND = ''{0,0}'', '
            'FINALFUNC = redshift.avg_whole)', number);
        EXECUTE format('CREATE FUNCTION redshift.sum_step(bigint, %s) RETURNS bigint LANGUAGE sql IMMUTABLE AS '
            '''SELECT coalesce($1 + $2, $1, $2)''', number);
        EXECUTE format('CREATE AGGREGATE redshift.sum(%s) (SFUNC = redshift.sum_step, STYPE = bigint)', number);
    END LOOP;
    FOREACH number IN ARRAY ARRAY['real', 'double precision'] LOOP
        EXECUTE format('CREATE AGGREGATE redshift.avg(%s) (SFUNC = %s, STYPE = double precision[], INITCOND = ''{0,0,0}'', FINALFUNC = float8_avg)',
            number, CASE number WHEN 'real' THEN 'float4_accum' ELSE 'float8_accum' END);
    END LOOP;
    CREATE FUNCTION redshift.sum_step(double precision, real) RETURNS double precision LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1 + $2, $1, $2)';
    CREATE AGGREGATE redshift.sum(real) (SFUNC = redshift.sum_step, STYPE = double precision);
    -- Doubles whatever the argument is, fact 44.
    FOREACH number IN ARRAY ARRAY['stddev_samp', 'stddev_pop', 'var_samp', 'var_pop'] LOOP
        EXECUTE format('CREATE AGGREGATE redshift.%1$s(double precision) (SFUNC = float8_accum, STYPE = double precision[], INITCOND = ''{0,0,0}'', '
            'FINALFUNC = float8_%1$s)', number);
    END LOOP;
END $$;

-- LISTAGG leaves out NULL and empty texts, fact 62, and is too long above 65535 bytes, fact 63. The caller gives the sorted values.
CREATE FUNCTION redshift.listagg(sorted text[], delimiter text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    joined text;
BEGIN
    SELECT string_agg(v, coalesce(delimiter, '') ORDER BY i) INTO joined FROM unnest(sorted) WITH ORDINALITY AS u(v, i) WHERE octet_length(v) > 0;
    IF octet_length(joined) > 65535 THEN
        RAISE EXCEPTION 'Result size exceeds LISTAGG limit' USING ERRCODE = '54000';
    END IF;
    RETURN joined;
END $$;
CREATE FUNCTION redshift.distinct_texts(sorted text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS
    $$ SELECT array_agg(v ORDER BY i) FROM (SELECT DISTINCT ON (v) v, i FROM unnest($1) WITH ORDINALITY AS u(v, i) ORDER BY v, i) d $$;

-- PERCENTILE_CONT keeps the kind of its argument, fact 110. The caller gives the sorted values without NULL.
CREATE FUNCTION redshift.percentile_cont(fraction numeric, sorted numeric[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN at = lower THEN sorted[lower + 1] ELSE sorted[lower + 1] + (at - lower) * (sorted[lower + 2] - sorted[lower + 1]) END
    FROM (SELECT fraction * (cardinality(sorted) - 1) AS at, trunc(fraction * (cardinality(sorted) - 1))::integer AS lower) p
    WHERE cardinality(sorted) > 0 $$;
CREATE FUNCTION redshift.percentile_cont(fraction numeric, sorted double precision[]) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN at = lower THEN sorted[lower + 1] ELSE sorted[lower + 1] + (at - lower)::float8 * (sorted[lower + 2] - sorted[lower + 1]) END
    FROM (SELECT fraction * (cardinality(sorted) - 1) AS at, trunc(fraction * (cardinality(sorted) - 1))::integer AS lower) p
    WHERE cardinality(sorted) > 0 $$;
CREATE FUNCTION redshift.percentile_cont(fraction numeric, sorted timestamp[]) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN at = lower THEN sorted[lower + 1] ELSE sorted[lower + 1] + (at - lower)::float8 * (sorted[lower + 2] - sorted[lower + 1]) END
    FROM (SELECT fraction * (cardinality(sorted) - 1) AS at, trunc(fraction * (cardinality(sorted) - 1))::integer AS lower) p
    WHERE cardinality(sorted) > 0 $$;
CREATE FUNCTION redshift.percentile_cont(numeric, integer[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT redshift.percentile_cont($1, $2::numeric[]) $$;
CREATE FUNCTION redshift.percentile_cont(numeric, bigint[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT redshift.percentile_cont($1, $2::numeric[]) $$;
CREATE FUNCTION redshift.percentile_cont(numeric, date[]) RETURNS date LANGUAGE sql IMMUTABLE AS
    $$ SELECT redshift.percentile_cont($1, $2::timestamp[])::date $$;
CREATE FUNCTION redshift.percentile_disc(fraction numeric, sorted anyarray) RETURNS anyelement LANGUAGE sql IMMUTABLE AS
    $$ SELECT sorted[greatest(1, ceil(fraction * cardinality(sorted))::integer)] $$;
