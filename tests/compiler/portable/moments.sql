-- facts: 87 98
-- needs: age postgres duckdb redshift
select id, extract(year from age(d, e)) as years, date_part('year', age(e, d)) as back, extract(year from age(date '2024-02-28', date '2023-02-28')) as whole from t;

-- facts: 107
select id, d + make_interval(days => i2) as a, ts - make_interval(months => j) as b, (d + make_interval(years => 1))::date as y from t where id <> 0;

-- facts: 101
select id, ts + (i2 || ' days')::interval as a, d - (j || ' months')::interval as b from t;

-- facts: 94 97
select id, extract(day from ts - date_trunc('month', ts)) as days, extract(epoch from ts - date_trunc('day', ts)) / 60 as minutes, extract(day from (date_trunc('month', ts) - ts)) as back from t;

-- facts: 102
select id, to_char(d, 'FMDD.FMMM.YYYY') as a, to_char(ts, 'FMHH24:MI') as b, to_char(d, '"week" IW "of" IYYY, DDD') as w from t;

-- facts: 104
select id, to_timestamp(i2 * 86400) as a, to_timestamp(1.5) as b from t;

-- facts: 96
select id, d + 1 as a, d - 30 as b, d + i2 as moved, 7 + d as sum, d between e and e + 365 as within, ts >= d as same from t;

-- facts: 101
select id, (date_trunc('month', d) + interval '1 month' - interval '1 day')::date as month_end, (d + interval '1 month')::date as next_month from t;

-- facts: 101
select id, ts + i2 * interval '1 day' as a, ts - j * interval '1 month' as b, d + j * interval '1 hour' as c, tz + interval '90 minutes' as z from t;

-- facts: 88 105
select id, date_trunc('day', tz at time zone 'Europe/London') as local, (tz at time zone 'America/New_York')::date as day, date_trunc('day', tz at time zone 'Europe/London') at time zone 'Europe/London' as instant, date_trunc('month', tz, 'Asia/Tokyo') as three from t;

-- facts: 88
select date_trunc('month', ts)::date as month, count(*) as c, sum(n) as total from t group by 1 order by 1;

-- facts: 106
select g.n, count(t.id) as c from generate_series(-3, 7, 2) as g(n) left join t on t.i2 = g.n group by g.n;

-- facts: 95
select id, date_part('second', ts) as s, date_part('epoch', ts) as e, date_part('dow', d) as w, date_part('hour', tz) as h from t;

-- facts: 84
select id, greatest(i, j, null) as g, least(n, m) as l, greatest(d, e) as gd, greatest(null, i) as gn, least(s, v, 'm') as t from t where id <> 7;

-- facts: 99
-- refused: redshift times a fraction
select id, ts + 1.5 * interval '1 day' as a from t;

-- A moment without a zone, in another zone than that of the session.
-- facts: 88 105
-- needs: date-truncation duckdb redshift
select id, date_trunc('day', ts, 'America/New_York') as t, date_trunc('month', d, 'America/New_York') as d, date_trunc('hour', tz, 'Asia/Kolkata') as z from t;

-- facts: 102
-- refused: duckdb redshift format
select to_char(ts, 'SSSS') from t;

-- facts: 103
-- refused: duckdb redshift read alike
select to_date(to_char(d, 'YY-MM-DD'), 'YY-MM-DD') from t;

-- facts: 15
-- needs: moment-text duckdb redshift
-- fails: duckdb redshift not read alike
select cast(x.s as timestamp) as t from (values ('2024-02-29 13:14:15.1234567')) as x (s);

-- facts: 34
-- needs: moment-text duckdb
-- fails: redshift duckdb postgres
select cast(x.s as date) as d from (values ('2024-02-29x')) as x (s);

-- facts: 15 34
select cast(x.s as timestamp) as t, cast(x.s as date) as d, cast(x.s as timestamptz) as z
from (values ('2024-02-29'), (' 2024-02-29 13:14:15.123456 '), ('2024-02-29T13:14:15Z'), ('2024-02-29 24:00:00'), (null)) as x (s);

-- facts: 107
-- needs: make-date redshift
-- fails: redshift none
select make_date(x.y, 2, 29) as d from (values (20240)) as x (y);

-- facts: 104
-- needs: read-moment redshift
select to_timestamp(x.f) as t, to_timestamp(x.f::numeric(20,7)) as n
from (values (1709212455.678901::double precision), (0.0000005), (0.0000015), (-0.0000005), (-1.5), (null)) as x (f);

-- facts: 107
select make_date(x.y, 13, 0) as d from (values (null::integer)) as x (y);
