-- facts: 4
-- needs: text-length duckdb redshift
select id, s::varchar(3) as short, cast(v as varchar(2)) as shorter from t;

-- facts: 4
select id, cast('漢字仮名' as varchar(2)) as two from t;

-- facts: 8
select id, n::numeric as n, j::numeric as j, '1.234567'::numeric as c, (n * m)::numeric(20,1) as d from t where id not in (4, 7);

-- facts: 8
-- refused: duckdb redshift digits
select f::numeric from t;

-- facts: 8
-- needs: decimal-cast duckdb
select id, (f / 1000 + 0.145)::numeric(18,2) as d from t where id in (5, 1);

-- facts: 10
-- needs: rounding-cast redshift
select id, n::numeric(10,1) as one, m::integer as whole, (n * 10)::bigint as ten from t where id not in (4, 7);

-- facts: 19
-- needs: boolean-cast redshift
select id, b::text as told from t;

-- facts: 20
-- needs: boolean-cast duckdb
select s::boolean as truth from t where s in ('on') or id = -1 union all select 'on'::text::boolean;

-- facts: 20
-- needs: boolean-cast redshift
select (case when j > 2 then 'yes' when j > 0 then 'off' end)::boolean as truth from t;

-- facts: 20
-- fails: invalid input syntax
select s::boolean as truth from t;

-- facts: 34
-- needs: whole-number-cast duckdb
-- fails: invalid input syntax
select (v || '.5')::integer as whole from t where id = 10;

-- facts: 34
select v::integer as whole, s::bigint as big, '12'::integer as literal from t where id = 10;

-- facts: 60
select id, i::text as i, n::text as n, d::text as d, 'x' || j || '/' || n as joined from t;

-- facts: 22
-- needs: truth-test redshift
select id, b is true as t, b is not true as nt, b is false as f, b is not false as nf, b is unknown as u from t;

-- facts: 14 96
select id, ts::date as d, d::timestamp as t, '2024-02-29'::date as l, date '2024-01-31' as m, timestamp '2024-01-31 12:00:00.5' as s from t;

-- facts: 32
-- refused: duckdb redshift type
select '10.0.0.1'::inet as a;

-- facts: 33
select id, v::integer > j as g, j::text = '10' as e from t where id = 10;

-- facts: 60
-- needs: exact-text duckdb redshift
select id, 'a' || 1.50 as literal, concat(n, '/', m) as both, 'x' || n * m as product, n + 1.5 || ' EUR' as sum, round(n, 4) || '' as padded, 'r' || round(m, 1) as rounded
from t;

-- facts: 60
select grp, 'total ' || sum(n) || ', ' || coalesce(max(m), 0.0000) as label, (-min(n))::text as least from t group by grp;

-- facts: 60
-- needs: exact-text duckdb
select id, 'a' || coalesce(n, 0) as a, concat(case when b then n when id = 3 then null else 1.5 end, '') as c, round(n)::text as whole,
    extract(year from d)::text as year from t;

-- facts: 60
-- refused: postgres duckdb redshift spelled alike
select 'a' || n / 3 as a from t;

-- facts: 1
select id, i2::text as i2, i::text as i, i8::text as i8, n::text as n, m::text as m, b::text as b, d::text as d, s::text as s, v::text as v, 'ä漢'::text as l, ''::text as nothing,
    (i8::text || i8::text) as twice, cast(i8 as varchar(20)) as fits, cast(i8 as varchar(3)) as cut, (m * -1)::text || '|' as least, s || v || i8 as joined
from t;

-- facts: 134
with recursive chain (id, round, path, step) as (
    select id, 1, v::text, s || '' from t where id < 5
    union all
    select id, round + 1, path || '>' || round || step, step || path from chain where round < 5
)
select id, round, path, step from chain;

-- facts: 34
-- fails: postgres redshift invalid input syntax
-- fails: duckdb could not convert
select id, (s || '1_000')::numeric(10,2) as a from t where s = '';

-- facts: 34
select id, (s || '1000.50')::numeric(10,2) as a, (s || ' -1e3 ')::double precision as b, (s || '.5')::numeric(10,2) as c, (s || '1.')::numeric(10,2) as e from t where s = '';

-- facts: 15
-- fails: postgres redshift out of range
-- fails: duckdb not read alike
select id, (s || '0000-01-01')::timestamp as a from t where s = '';

-- facts: 15
-- fails: postgres redshift invalid input syntax
-- fails: duckdb not read alike
select id, (s || '2024-01-05 10')::date as a from t where s = '';

-- facts: 15
select id, (s || '0001-01-01')::date as a, (s || '2024-02-29T13:14:15.5Z')::timestamptz as b, (s || '2024-2-9 1:02')::timestamp as c, (s || '2024-02-29 13:14:15.5+02:30')::timestamptz as e from t where s = '';

-- facts: 16
select id, tz::time as c from t;

-- facts: 20
-- needs: boolean-cast duckdb
select 'on'::boolean as a, 'off'::boolean as b, ' true '::boolean as c, 'tru'::boolean as d, cast('N' as boolean) as e;

-- facts: 15
-- fails: postgres redshift out of range
-- fails: duckdb not read alike
select (s || '2024-02-09 25:00:00')::date as a from t where s = '';

-- facts: 15
-- fails: postgres redshift out of range
-- fails: duckdb not read alike
select (s || '2024-02-09 10:00:00+25')::timestamp as a from t where s = '';

-- facts: 15
select (s || '2024-02-09 9:00:00+05:30')::timestamptz as a, (s || '2024-02-09 23:59:59-15')::timestamptz as b, (s || '2024-2-9 00:30')::date as c from t where s = '';
