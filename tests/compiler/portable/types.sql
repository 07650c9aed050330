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
