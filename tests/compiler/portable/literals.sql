-- facts: 33
select id, case i when '5' then 'five' when '7' then 'seven' end as a, case d when '2024-02-29' then 1 end as b, nullif('5', i) as c, nullif(n, '5.549') as e from t;

-- facts: 33
-- needs: typed-literal duckdb
select '1' as x union all select 2;

-- facts: 33
select x + 1 as y from (select '1' as x union all select 2) q;

-- facts: 33
select extract(year from x) as y from (select date '2024-01-02' as x union all select '2024-01-01') q;

-- facts: 33
select d as x from t union select '2024-01-01';

-- facts: 33
-- needs: typed-literal redshift
select d as x, v as y from t union select '2024-01-01', 'abc';

-- facts: 33
-- needs: typed-literal duckdb
select x + 1 as y from (values ('2'), (1)) as v (x);

-- facts: 33
-- needs: typed-literal duckdb
select id, d - '2024-01-01' as a, i + '5' as b, n * '1.5' as c, j % '3' as e, i2 - '1' as f, f * '2' as g from t where id <> 4;

-- facts: 33
select id, ts - '2024-01-01' > interval '1 day' as a from t;

-- facts: 33
-- needs: typed-literal duckdb
select id from t where n = '5.549';

-- facts: 33
select id, n in ('5.549', '2.5') as a, n <> '5.549' as b, n is distinct from '5.549' as c, coalesce(n, '1.505') as e, greatest(n, '5.549') as f, case when id = 1 then '1.505' else n end as g,
    n > '5.549' as h from t;

-- facts: 33
select id from t where (n, id) = ('5.549', 9);

-- facts: 33
select id from t where r = '0.1' or f in ('2.5', '1') or r in ('0.5', '2.25');

-- facts: 33
-- refused: duckdb redshift read as date
select id from t where d = '02/29/2024';

-- facts: 33
-- fails: postgres invalid input syntax
-- refused: duckdb redshift read as integer
select id from t where i = '0x5';

-- facts: 33
-- refused: duckdb redshift read as date
select id from t where d < 'today';

-- facts: 33
select id, b = 'on' as a, b = ' true ' as c, b is distinct from 'f' as e, abs('-5') as g, round('1.5', 0) as h from t;

-- facts: 33
select id from t where '2024-02-29' between e and d or ts > '2024-01-01' or tz = '2024-02-29 23:30:00+00';

-- facts: 33
select id, coalesce(d, '2024-01-01') as a, coalesce(i, '5') as b, coalesce(b, 'no') as c, least(ts, '2024-01-01 10:00') as e, coalesce(f, '0.5') as g from t;

-- facts: 33
select date_trunc('month', '2024-01-15'::date) as a, ('2024-01-15')::date as b, '5'::int as c, '5.5'::numeric(10,2) as e, 't'::boolean as g;

-- facts: 33
select id, i in ('7', '5') as a from t;

-- facts: 33
select id, s = 'abc' as a, s in ('abc', '5') as b, case s when 'abc' then 1 end as c, nullif(s, 'abc') as e, case when 'true' then 1 end as g from t;

-- facts: 33 117
-- refused: duckdb a default of a wider type
select id, lag(n, 1, '0.005') over (order by id) as a from t;

-- facts: 33
with x as (select id, null as a, case when id = 1 then null end as b from t) select id, coalesce(a, 'a') || 'b' as a, b = 'abc' as c from x;

-- facts: 33
select b from t union select null;

-- facts: 33
select d from t union all select null;

-- facts: 33
select null as n from t union all select n from t;

-- facts: 33
-- fails: out of range
select i2 * '10000' as c from t where id < 3;

-- facts: 33
select id, i2 + '5' as a, i2 * '2' as b from t;

-- facts: 33
select id, case 'abc' when s then 1 end as a, case s when '5' then 1 end as b from t;
