-- One name for each part of a date, whatever it is called.
CREATE FUNCTION redshift.part(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    known text := CASE
        WHEN lower(name) IN ('millennium', 'millennia', 'mil', 'mils') THEN 'millennium'
        WHEN lower(name) IN ('century', 'centuries', 'c', 'cent', 'cents') THEN 'century'
        WHEN lower(name) IN ('decade', 'decades', 'dec', 'decs') THEN 'decade'
        WHEN lower(name) IN ('year', 'years', 'y', 'yr', 'yrs') THEN 'year'
        WHEN lower(name) IN ('quarter', 'quarters', 'qtr', 'qtrs') THEN 'quarter'
        WHEN lower(name) IN ('month', 'months', 'mon', 'mons') THEN 'month'
        WHEN lower(name) IN ('week', 'weeks', 'w') THEN 'week'
        WHEN lower(name) IN ('day', 'days', 'd') THEN 'day'
        WHEN lower(name) IN ('hour', 'hours', 'h', 'hr', 'hrs') THEN 'hour'
        WHEN lower(name) IN ('minute', 'minutes', 'm', 'min', 'mins') THEN 'minute'
        WHEN lower(name) IN ('second', 'seconds', 's', 'sec', 'secs') THEN 'second'
        WHEN lower(name) IN ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisec', 'millisecs', 'millisecon') THEN 'milliseconds'
        WHEN lower(name) IN ('microsecond', 'microseconds', 'us', 'usec', 'usecs', 'usecond', 'useconds', 'microsec', 'microsecs', 'microsecond') THEN 'microseconds'
        WHEN lower(name) IN ('epoch') THEN 'epoch'
        WHEN lower(name) IN ('dayofweek', 'dow', 'dw', 'weekday') THEN 'dow'
        WHEN lower(name) IN ('dayofyear', 'doy', 'dy', 'yearday') THEN 'doy'
    END;
BEGIN
    IF known IS NULL THEN RAISE EXCEPTION 'unknown part of a date: %', name USING ERRCODE = '22023'; END IF;
    RETURN known;
END $$;

-- Both are without zone; SYSDATE is the start of the transaction, GETDATE that of the statement, fact 85.
CREATE FUNCTION redshift.sysdate() RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT transaction_timestamp() AT TIME ZONE 'UTC' $$;
CREATE FUNCTION redshift.getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;

-- TIMESTAMP for a date too, fact 88.
CREATE FUNCTION redshift.date_trunc(text, timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.date_trunc(redshift.part($1), $2) $$;
CREATE FUNCTION redshift.date_trunc(text, date) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.date_trunc(redshift.part($1), $2::timestamp) $$;
CREATE FUNCTION redshift.date_trunc(text, timestamptz) RETURNS timestamptz LANGUAGE sql STABLE STRICT AS $$ SELECT pg_catalog.date_trunc(redshift.part($1), $2) $$;
CREATE FUNCTION redshift.date_trunc(text, text) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.date_trunc($1, $2::timestamp) $$;

-- EXTRACT gives whole units, seconds and fractions apart, facts 91 to 93; the epoch of a TIMESTAMPTZ is a double.
CREATE FUNCTION redshift.extract(name text, moment timestamp) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE redshift.part(name)
        WHEN 'second' THEN trunc(extract(second FROM moment))
        WHEN 'milliseconds' THEN trunc(extract(milliseconds FROM moment))::bigint % 1000
        WHEN 'microseconds' THEN extract(microseconds FROM moment)::bigint % 1000000
        ELSE trunc(pg_catalog.date_part(redshift.part(name), moment)) END::integer $$;
CREATE FUNCTION redshift.extract(text, date) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.extract($1, $2::timestamp) $$;
CREATE FUNCTION redshift.extract(text, timestamptz) RETURNS integer LANGUAGE sql STABLE STRICT AS $$ SELECT redshift.extract($1, $2 AT TIME ZONE 'UTC') $$;
CREATE FUNCTION redshift.extract(text, time) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.extract($1, date '2000-01-01' + $2) $$;
CREATE FUNCTION redshift.extract_epoch(timestamp) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT floor(pg_catalog.date_part('epoch', $1))::integer $$;
CREATE FUNCTION redshift.extract_epoch(timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.date_part('epoch', $1) $$;
CREATE FUNCTION redshift.extract_epoch(date) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.date_part('epoch', $1)::integer $$;

-- DATE_PART keeps the fraction of a second, fact 95.
CREATE FUNCTION redshift.date_part(text, timestamp) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.date_part(redshift.part($1), $2) $$;
CREATE FUNCTION redshift.date_part(text, date) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.date_part(redshift.part($1), $2::timestamp) $$;
CREATE FUNCTION redshift.date_part(text, timestamptz) RETURNS double precision LANGUAGE sql STABLE STRICT AS
    $$ SELECT pg_catalog.date_part(redshift.part($1), CASE WHEN redshift.part($1) = 'epoch' THEN $2 AT TIME ZONE 'UTC' ELSE $2 AT TIME ZONE 'UTC' END) $$;
CREATE FUNCTION redshift.date_part(text, time) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.date_part(redshift.part($1), $2) $$;

-- Years are not clamped: 29 February and a year is 1 March; months are, fact 99. The result is a TIMESTAMP, fact 101.
CREATE FUNCTION redshift.dateadd(name text, n bigint, moment timestamp) RETURNS timestamp LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    part text := redshift.part(name);
    years bigint := CASE part WHEN 'year' THEN n WHEN 'decade' THEN n * 10 WHEN 'century' THEN n * 100 WHEN 'millennium' THEN n * 1000 END;
    moved timestamp;
BEGIN
    IF years IS NOT NULL THEN
        moved := moment + make_interval(years => years::integer);
        RETURN moved + CASE WHEN extract(day FROM moved) < extract(day FROM moment) THEN interval '1 day' ELSE interval '0' END;
    END IF;
    RETURN moment + CASE part
        WHEN 'quarter' THEN make_interval(months => (n * 3)::integer)
        WHEN 'month' THEN make_interval(months => n::integer)
        WHEN 'week' THEN make_interval(days => (n * 7)::integer)
        WHEN 'day' THEN make_interval(days => n::integer)
        WHEN 'hour' THEN n * interval '1 hour' WHEN 'minute' THEN n * interval '1 minute' WHEN 'second' THEN n * interval '1 second'
        WHEN 'milliseconds' THEN n * interval '1 millisecond' WHEN 'microseconds' THEN n * interval '1 microsecond' END;
END $$;
CREATE FUNCTION redshift.dateadd(text, bigint, date) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.dateadd($1, $2, $3::timestamp) $$;
CREATE FUNCTION redshift.dateadd(text, bigint, text) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.dateadd($1, $2, $3::timestamp) $$;
CREATE FUNCTION redshift.dateadd(text, bigint, timestamptz) RETURNS timestamptz LANGUAGE sql STABLE STRICT AS
    $$ SELECT redshift.dateadd($1, $2, $3 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' $$;

-- Counts the boundaries between two moments, fact 98. Weeks are left out: nothing says on which day they begin there.
CREATE FUNCTION redshift.datediff(name text, since timestamp, until timestamp) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    part text := redshift.part(name);
    months bigint := (extract(year FROM until) - extract(year FROM since)) * 12 + extract(month FROM until) - extract(month FROM since);
BEGIN
    RETURN CASE part
        WHEN 'year' THEN extract(year FROM until) - extract(year FROM since)
        WHEN 'quarter' THEN (extract(year FROM until) - extract(year FROM since)) * 4 + extract(quarter FROM until) - extract(quarter FROM since)
        WHEN 'month' THEN months
        WHEN 'day' THEN until::date - since::date
        WHEN 'hour' THEN extract(epoch FROM date_trunc('hour', until) - date_trunc('hour', since)) / 3600
        WHEN 'minute' THEN extract(epoch FROM date_trunc('minute', until) - date_trunc('minute', since)) / 60
        WHEN 'second' THEN extract(epoch FROM date_trunc('second', until) - date_trunc('second', since))
        WHEN 'milliseconds' THEN extract(epoch FROM date_trunc('milliseconds', until) - date_trunc('milliseconds', since)) * 1000
        WHEN 'microseconds' THEN extract(epoch FROM until - since) * 1000000
        ELSE redshift.fail('DATEDIFF of ' || part || ' is not imitated', '0A000')::integer END;
END $$;
DO $$
DECLARE
    a text; b text;
BEGIN
    FOREACH a IN ARRAY ARRAY['timestamp', 'date', 'timestamptz'] LOOP
        FOREACH b IN ARRAY ARRAY['timestamp', 'date', 'timestamptz'] LOOP
            CONTINUE WHEN a = 'timestamp' AND b = 'timestamp';
            EXECUTE format('CREATE FUNCTION redshift.datediff(text, %s, %s) RETURNS bigint LANGUAGE sql STABLE STRICT AS '
                '''SELECT redshift.datediff($1, $2%s, $3%s)''', a, b,
                CASE a WHEN 'timestamptz' THEN ' AT TIME ZONE ''''UTC''''' ELSE '::timestamp' END,
                CASE b WHEN 'timestamptz' THEN ' AT TIME ZONE ''''UTC''''' ELSE '::timestamp' END);
        END LOOP;
    END LOOP;
END $$;

-- Sticks to the last day of the month, fact 100.
CREATE FUNCTION redshift.last_day(timestamp) RETURNS date LANGUAGE sql IMMUTABLE STRICT AS
    $$ SELECT (pg_catalog.date_trunc('month', $1) + interval '1 month' - interval '1 day')::date $$;
CREATE FUNCTION redshift.last_day(date) RETURNS date LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.last_day($1::timestamp) $$;
CREATE FUNCTION redshift.add_months(timestamp, bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN $1::date = redshift.last_day($1) THEN redshift.last_day($1 + make_interval(months => $2::integer)) + $1::time
        ELSE $1 + make_interval(months => $2::integer) END $$;
CREATE FUNCTION redshift.add_months(date, bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift.add_months($1::timestamp, $2) $$;
CREATE FUNCTION redshift.months_between(date, date) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (date_part('year', $1) - date_part('year', $2)) * 12 + date_part('month', $1) - date_part('month', $2)
        + CASE WHEN $1 = redshift.last_day($1) AND $2 = redshift.last_day($2) THEN 0 ELSE (date_part('day', $1) - date_part('day', $2)) / 31 END $$;

-- A day that is none is moved into the next month unless the third argument is true, fact 103.
CREATE FUNCTION redshift.to_date(value text, format text, is_strict boolean DEFAULT false) RETURNS date LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    at integer := strpos(upper(format), 'DD'); days text := substr(value, at, 2);
BEGIN
    RETURN pg_catalog.to_date(value, format);
EXCEPTION WHEN datetime_field_overflow THEN
    IF is_strict OR at = 0 OR days !~ '^[0-9]{2}$' THEN RAISE; END IF;
    RETURN pg_catalog.to_date(overlay(value PLACING '01' FROM at FOR 2), format) + days::integer - 1;
END $$;
CREATE FUNCTION redshift.to_timestamp(value text, format text, is_strict boolean DEFAULT false) RETURNS timestamptz LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    at integer := strpos(upper(format), 'DD'); days text := substr(value, at, 2);
BEGIN
    RETURN pg_catalog.to_timestamp(value, format);
EXCEPTION WHEN datetime_field_overflow THEN
    IF is_strict OR at = 0 OR days !~ '^[0-9]{2}$' THEN RAISE; END IF;
    RETURN pg_catalog.to_timestamp(overlay(value PLACING '01' FROM at FOR 2), format) + (days::integer - 1) * interval '1 day';
END $$;

-- From UTC unless the first of three says otherwise, fact 105.
CREATE FUNCTION redshift.convert_timezone(text, timestamp) RETURNS timestamp LANGUAGE sql STABLE STRICT AS $$ SELECT ($2 AT TIME ZONE 'UTC') AT TIME ZONE $1 $$;
CREATE FUNCTION redshift.convert_timezone(text, timestamptz) RETURNS timestamp LANGUAGE sql STABLE STRICT AS $$ SELECT $2 AT TIME ZONE $1 $$;
CREATE FUNCTION redshift.convert_timezone(text, text, timestamp) RETURNS timestamp LANGUAGE sql STABLE STRICT AS $$ SELECT ($3 AT TIME ZONE $1) AT TIME ZONE $2 $$;
