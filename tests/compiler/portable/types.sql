-- facts: 1 2
select id, (s || s)::text as twice, s::varchar as same, cast(null as text) as nothing from t;

-- facts: 1
-- needs: string-aggregate redshift
select grp, length(string_agg(s || s, '/' order by id)) from t group by grp;

-- facts: 5 6
-- refused: postgres duckdb redshift char(n)
select id, s::char(5) as padded from t;

-- facts: 9
-- refused: duckdb redshift digits
select id, n::numeric(60,2) as wide from t;

-- facts: 12
select id, 'NaN'::float8 as not_a_number, 'Infinity'::float8 > f as more from t;

-- facts: 12
-- refused: duckdb redshift digits
select id, 'NaN'::numeric as not_a_number from t;

-- facts: 13
select id, tz, tz::date as day from t;

-- facts: 15
-- refused: duckdb redshift timestamp(3)
select id, ts::timestamp(3) as milliseconds, ts::timestamp(0) as seconds from t;

-- facts: 16
-- refused: duckdb redshift time with time zone
select id, tz::timetz as moment from t;

-- facts: 17
-- needs: duration redshift
select id, ts - ts = interval '0 days' as nothing, interval '1 month 3 days' > interval '5 weeks' as more from t;

-- facts: 17
select id, ts + interval '1 month' + interval '3 days 02:00' as later from t;

-- facts: 18
select id, ts + interval '90' as later from t;

-- facts: 21
select id, case when b then 1 else 0 end as one, b = (i > 3) as same from t;

-- facts: 25 26
-- refused: postgres duckdb redshift list of what is the same
select id, (array[i, j])[1] as first, (array[i, j])[3] as beyond from t;

-- facts: 25
-- refused: postgres duckdb redshift cardinality
select id, cardinality(array_agg(i)) from t group by id;

-- facts: 27
-- needs: uuid redshift
select id, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid = replace('a0eebc99-9c0b-4ef8-XX6d-6bb9bd380a11', 'XX', 'bb')::uuid as same, ('A' || '0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')::uuid::text as told from t;

-- facts: 27
-- needs: uuid redshift
select id, u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' as a, u in ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11') as b from (select id, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as u from t) as x;

-- facts: 27
-- fails: a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1
select id, ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1' || v)::uuid as none from t;

-- facts: 28
-- refused: duckdb redshift bytea
select id, '\x6162'::bytea as bytes from t;

-- facts: 63
select grp, string_agg(distinct s, ',' order by s) from t group by grp;

-- facts: 64
-- needs: several-orders redshift
select grp, string_agg(s, ',' order by id) as one, string_agg(v, ',' order by v desc, id) as other from t group by grp;

-- facts: 64
select grp, string_agg(s, ',' order by id) as one, string_agg(v, ';' order by id) as other from t group by grp;

-- facts: 111
-- refused: redshift reads no table
select string_agg(a, ',' order by a) from (values ('x'), ('y')) as v (a);

-- facts: 113
select count(distinct s) from t;

-- facts: 114
select grp, percentile_cont(0.5) within group (order by f) from t where abs(f) < 100 group by grp;

-- facts: 132
select id from t where coalesce(j, 2) = 2 and coalesce(s, '') <> 'x';

-- facts: 137
select id, i as j, j + 1 as more from t;

-- facts: 113
-- refused: postgres duckdb redshift approx_count_distinct
select approx_count_distinct(s) from t;

-- facts: 15
-- refused: duckdb redshift this literal
select '2024-02-29 23:59:59.9999996'::timestamp as a;

-- facts: 121
-- needs: integer-width duckdb
select id, coalesce(i2, 0) * 10000 as a, case when b then i2 else 0 end * 10000 as c, greatest(i2, 1) * 10000 as e, (i2 % 5) * 20000 as f, (i2 / 2) * 20000 as g, lag(i2, 1, 0) over (order by id) * 10000 as h from t;

-- facts: 106
-- needs: integer-width duckdb
select date '2024-01-01' + n as day from generate_series(0, 6) as n;

-- facts: 121
-- needs: integer-width duckdb
select id, d + length(s) as a, d - length(s) as b, d + strpos(s, 'c') as c, d + greatest(length(s), 1) as e, d + octet_length(v) as f, d + regexp_count(s, 'a') as g, d + position('c' in s) as h from t;

-- facts: 121
-- needs: integer-width duckdb
select id, chr(64 + length(v)) as a, lpad(v, length(s)) as b, rpad(v, length(v) + 2, '*') as c from t where length(v) > 0 and length(v) between 1 and 20;

-- facts: 106
-- fails: out of range
select n * 2147483647 as a from generate_series(1, 2) as n;

-- facts: 106
select t.id, g.n, d + g.n as e from t cross join generate_series(1, 3) as g (n) where t.id < 3;

-- facts: 106
select t.id, g.n from t cross join lateral generate_series(1, t.j) as g (n) where t.id < 3;

-- facts: 121
select length(s) as n, count(*) as c from t group by length(s) having length(s) > 2;

-- facts: 121
select length(s) as n, count(*) as c from t group by 1 order by length(s);

-- facts: 121
select id, ceil(sign(n)) as a, sign(f) as b, sign(i) as c from t;

-- facts: 121
select id from t order by length(s), id;
