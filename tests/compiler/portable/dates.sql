-- facts: 91 92 93
-- needs: date-parts duckdb redshift
select id, extract(second from ts) as s, extract(milliseconds from ts) as m, extract(microseconds from ts) as u, extract(epoch from ts) as e, extract(epoch from d) as d, extract(epoch from tz) as z from t;

-- facts: 91 95
select id, extract(year from d) as y, extract(quarter from ts) as q, extract(month from tz) as m, extract(week from d) as w, extract(day from ts) as dd,
    extract(hour from ts) as h, extract(minute from ts) as mi, extract(dow from d) as dow, extract(isodow from d) as iso, extract(doy from d) as doy, extract(isoyear from d) as iy,
    date_part('year', ts) as p, date_part('second', ts) as ps
from t;

-- facts: 94
select id, extract(epoch from ts - timestamp '2024-01-01 00:00:00.25') as s from t;

-- facts: 88 90
-- needs: date-truncation duckdb redshift
select id, date_trunc('month', d) as m, date_trunc('week', d)::date as w, date_trunc('quarter', ts) as q, date_trunc('hour', tz) as h, date_trunc('day', tz, 'Europe/Berlin') as z from t;

-- facts: 89
-- refused: postgres duckdb redshift unit
select date_trunc('century', d) from t;

-- facts: 99 100 101
-- needs: date-addition redshift
select id, d + interval '1 year' as y, d + interval '1 month' as m, ts - interval '1 month 2 days 03:04:05.5' as t, tz + 36 * interval '1 hour' as z, d + j * interval '1 day' as n from t;

-- facts: 96
select id, d - e as days, d + 1 as next, d - j as before, d < e as earlier, d = date '2024-02-29' as leap from t;

-- facts: 97
-- refused: redshift interval
select id, ts - timestamp '2024-01-01' as since from t;

-- facts: 102
-- needs: date-format duckdb
select id, to_char(d, 'YYYY-MM-DD') as a, to_char(ts, 'DD.MM.YY HH24:MI:SS.MS') as b, to_char(ts, 'FMMonth YYYY, Dy HH12 AM "week" IW') as c from t;

-- facts: 103
-- needs: read-moment duckdb
select id, to_date(to_char(d, 'DD/MM/YYYY'), 'DD/MM/YYYY') as d, to_timestamp('2024-02-29 01:02:03', 'YYYY-MM-DD HH24:MI:SS') as t from t;

-- facts: 103
-- needs: read-moment redshift
-- fails: out of range
select to_date('2024-02-' || (28 + j), 'YYYY-MM-DD') as d from t where id = 1 and j = 2;

-- facts: 104
-- needs: read-moment redshift
select id, to_timestamp(f) as t from t where id <> 7;

-- facts: 105
select id, ts at time zone 'Europe/Berlin' as a, tz at time zone 'America/New_York' as b, (ts at time zone 'UTC') at time zone 'Asia/Kolkata' as c from t;

-- facts: 105
-- refused: postgres duckdb redshift zone
select ts at time zone 'UTC+2' from t;

-- facts: 106
-- needs: series redshift
select g, n from generate_series(1, 5) as g cross join generate_series(10, 0 + 20, 5) as x (n);

-- facts: 106
-- needs: series redshift
select x.day::date as day, t.id from generate_series(date '2024-02-27', date '2024-03-02', interval '1 day') as x (day) left join t on t.d = x.day::date;

-- facts: 106
select m from generate_series(timestamp '2024-01-01', timestamp '2024-12-31', interval '1 month') as m;

-- facts: 106
-- needs: series redshift
select t.id, g from t cross join generate_series(1, t.j) as g where t.j < 10;

-- facts: 106
-- refused: postgres duckdb redshift list
select generate_series(1, 3) as n;

-- facts: 107
-- needs: make-date redshift
select id, make_date(2000 + j, 2, 28) as d from t where j between 0 and 99;

-- facts: 85
-- needs: now redshift
select count(*) as c from t where tz < now() and ts < localtimestamp and d < current_date and tz < current_timestamp;

-- facts: 94 97
select id, extract(day from ts - timestamp '2024-01-01 12:00:00') as d, date_part('day', ts - timestamp '2024-03-01') as e from t;

-- facts: 100
select id, date_trunc('month', d) + interval '1 month' - interval '1 day' as last, (date_trunc('month', d) + interval '1 month - 1 day')::date as day from t;

-- facts: 86 87
-- refused: postgres duckdb redshift age
select age(ts) from t;

-- facts: 108
-- refused: postgres duckdb redshift literal
select timestamp 'infinity' as x;

-- facts: 85 96
select id, d > current_date - interval '1000 years' as n, ts < now() - interval '1 day' as o from t;

-- facts: 102
-- needs: date-format duckdb
select id, to_char(d, 'YYYY-"Q"Q') as quarter, to_char(ts, 'Month|MONTH|month|MON|mon|FMMONTH|FMmonth') as months, to_char(ts, 'Day|DAY|day|DY|dy|FMDAY|FMday') as days,
    to_char(d, 'D ID W WW') as numbers, to_char(ts, 'yyyy-mm-dd hh24:mi:ss.us am') as small, to_char(d, 'Mon YYYY') as label
from t;

-- facts: 103
-- needs: read-moment duckdb
select id, to_date(to_char(d, 'yyyymmdd'), 'yyyymmdd') as d from t;

-- facts: 103
-- refused: duckdb redshift not read alike
select to_date('2024 Q1', 'YYYY "Q"Q') as d;

-- facts: 17 97
-- needs: duration redshift
select id, ts - d > interval '12 hours' as late, tz - ts >= interval '1 day 02:00:00' as apart, ts - d between interval '0 hours' and interval '6 hours' as early,
    case when ts - lag(ts) over (order by ts, id) > interval '1 month' then 1 else 0 end as new_session, ts - d < id * interval '1 hour' as scaled
from (select id, d, ts, ts + interval '1 day' as tz from t) as x;

-- facts: 94 97
select id, extract(epoch from ts - d) as seconds, extract(day from ts - d) as days, extract(hour from ts - e) as hours, extract(minute from ts - e) as minutes,
    extract(second from e - ts) as rest, round(extract(epoch from ts - d) / 60, 2) as in_minutes
from t;

-- facts: 87
-- needs: age postgres duckdb redshift
select id, extract(year from age(d, e)) as y, extract(month from age(d, e)) as m, extract(year from age(e, d)) * 12 + extract(month from age(e, d)) as months,
    extract(month from age(ts, e::timestamp)) as mt, date_part('year', age(ts, d::timestamp)) as yt
from t;

-- facts: 87
-- needs: age redshift
select id, extract(year from age(d)) >= 0 as past from t;

-- facts: 106
-- needs: series redshift
select x.day::date as day, count(t.id) as c
from generate_series((select min(d) from t where d >= date '2023-12-30'), (select max(d) from t where d < date '2024-02-01'), interval '1 day') as x (day)
left join t on t.d = x.day::date group by 1;

-- facts: 106
-- needs: series redshift
select m::date as month from generate_series(date_trunc('month', timestamp '2024-03-31 12:00:00') - interval '3 months', timestamp '2024-03-31', interval '1 month') as s (m);

-- facts: 106
-- needs: series redshift
select moment from generate_series(timestamp '2024-02-28 22:30:00', timestamp '2024-02-29 01:00:00', interval '30 minutes') as s (moment);

-- facts: 106
-- needs: series redshift
select n from generate_series(5, -5, -2) as s (n);

-- facts: 106
-- needs: series redshift
select d::date as d from generate_series(date '2024-03-02', date '2024-02-27', interval '-1 day') as s (d);

-- facts: 106
-- needs: series redshift
select k, count(t.id) as c from generate_series(1, (select max(j) from t)) as g (k) left join t on t.j = g.k group by k;

-- facts: 99 107
select id, ts + make_interval(hours => j) as h, ts - make_interval(mins => 90 * id) as m from t where j is not null;

-- facts: 106 126
-- needs: series redshift
select t.id, g.day::date as day, extract(day from g.day) as of_month from t cross join generate_series(t.d, t.d + 2, interval '1 day') as g (day) where t.d > date '2024-01-01';

-- facts: 106 126
-- needs: series redshift
select id, k, k * 10 as more from t left join lateral generate_series(1, t.j) as k on true order by k desc nulls last, id;

-- facts: 106 126
-- needs: series redshift
select u.grp, count(*) as c from u, generate_series(u.k, u.w, 2) as s (n) group by u.grp;

-- facts: 107
-- needs: date-bin duckdb redshift
select id, date_bin('15 minutes', ts, timestamp '2000-01-01') as quarter, date_bin(interval '1 day 06:00', ts, timestamp '2024-02-29 03:00:00') as bin from t;

-- facts: 105
select id, timezone('Europe/London', tz) as local, timezone('Europe/London', ts) as moment from t;

-- facts: 106
-- needs: series redshift
select n from generate_series(0, 2000000000, 500000000) as s (n) union all select n from generate_series(2000000000, -2000000000, -1000000000) as s (n);

-- facts: 18
-- refused: postgres duckdb redshift without a type
select id, ts + '1 month' as next from t;

-- facts: 17
select ts + interval '500 ms' as a, ts - interval '3 secs 20 msecs 7 usecs' as b, d + interval '2 mons 1 yr' as c from t;

-- facts: 18
-- refused: postgres duckdb redshift interval
select tz from t where tz > now() - interval '999999999999999999 years';

-- facts: 15
-- fails: duckdb not read alike
select o::date as d from w where id = 4;

-- facts: 15
-- fails: duckdb not read alike
select o::timestamp as d from w where id = 4;

-- facts: 15
select id, o::date as d, o::timestamp as ts from w where id < 3;

-- facts: 15
-- fails: duckdb redshift not read alike
select o::time as d from w where id = 5;

-- facts: 15
select o::time as d from w where id in (3, 6);

-- facts: 15
-- refused: duckdb redshift this literal
select '10:00:00.1234567'::time as t;

-- facts: 106
-- needs: series duckdb
select g.at as at from generate_series(timestamp '2024-01-01', timestamp '2024-02-01', '1 week') as g (at);

-- facts: 122
-- refused: redshift frames of RANGE
select id, sum(i) over (order by ts range between interval '1 day' preceding and current row) as a from t;

-- facts: 98
-- refused: postgres duckdb redshift is no timestamp
select id from t where ts > '2025-13-01';

-- facts: 106
select x, x::date as d from generate_series(date '2024-01-01', timestamp '2024-01-03 12:00:00', interval '1 day') as x;

-- facts: 106
select x from generate_series(timestamp '2024-01-01 06:00:00', date '2024-01-03', interval '1 day') as x;

-- facts: 107
-- needs: make-date duckdb
-- fails: postgres duckdb out of range
-- fails: redshift none
select make_date(j - 2, 3, 15) as a from t where id = 1;

-- facts: 107
select id, make_date(extract(year from d)::integer, 1, 1) as a, make_date(2000 + j, 3, 15) as b from t where id <> 4;

-- facts: 106
select d from generate_series(timestamp '2024-01-01', '2024-01-03', interval '1 day') as d;

-- Behind the last value lies what no moment and no integer can be.
-- facts: 106
-- needs: series redshift
select m from generate_series(date '2024-03-01', date '2024-01-01', interval '-1 month') as g (m);

-- facts: 106
-- needs: series redshift
select m from generate_series((select min(date_trunc('year', d)) from t), (select max(date_trunc('year', d)) from t), interval '5 years') as g (m);

-- facts: 106
-- needs: series redshift
select m from generate_series(timestamp '2024-03-15 12:00:00', timestamp '2024-03-14 12:00:01', interval '-7 hours') as g (m);

-- facts: 106
-- needs: series redshift
select n from generate_series(2147483640, 2147483647) as g (n)
union all select n from generate_series(9223372036854775800, 9223372036854775807) as g (n)
union all select n from generate_series(5, 4, 2) as g (n) union all select n from generate_series(4, 5, -2) as g (n)
union all select n from generate_series(5, -4, -2) as g (n);

-- The first row has an end before its start.
-- facts: 106
-- needs: series duckdb redshift
select t.id, g.m from t left join lateral generate_series(t.d, t.e, interval '1 day') as g (m) on true where t.id in (1, 3, 9, 10);

-- facts: 106
-- needs: series duckdb redshift
select t.id, g.m from t, generate_series(t.d, t.e, interval '12 hours') as g (m) where t.id in (1, 3, 9, 10) and g.m > t.ts;

-- Nulls are not unlike a day that begins no month.
-- facts: 88 90
-- needs: date-truncation duckdb
select id, date_trunc('month', ts) = date '2024-01-05' as a, timestamp '2024-01-05' <> (date_trunc('year', ts)) as b from t where not (date_trunc('month', ts) = timestamp '2024-01-05');

-- facts: 88 90
select id, current_date = ts::date as a from t where d <= (select current_date);

-- facts: 88 90
select count(current_date) as c, max(current_date - z.current_date) as x, max(j / 2) as y from (select id, current_date, j from t) as z;

-- facts: 88 90
select count(z.current_timestamp) as a, count("localtimestamp") as b, max(y) as c from (select current_timestamp, localtimestamp, j / 2 as y from t) as z;
