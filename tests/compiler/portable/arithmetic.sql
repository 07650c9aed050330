-- facts: 36 37
-- needs: division duckdb
select id, i / 2 as half, i / -2 as minus, i8 / 3 as third, i2 / 2 as small, -7 / 2 as cut from t;

-- facts: 37
-- needs: division duckdb
-- fails: zero
select id, i / j as q from t;

-- facts: 37
-- needs: division duckdb
-- fails: zero
select id, f / i8 as q from t;

-- facts: 36 37
select id, i / nullif(j, 0) as q, f / nullif(f - 1, 0) as g from t;

-- facts: 38
-- needs: division duckdb redshift
select id, n / 3 as third, n / nullif(m, 0) as ratio, 1 / nullif(n, 0) as inverse, 2.5 / 7 as constant from t where id <> 4 and id <> 7;

-- facts: 38
-- fails: zero
select id, n / m as ratio from t;

-- facts: 38
-- The quotient of a quotient has fewer digits, but the same everywhere.
select id, 1 / (n / 3) as r from t where n > 0;

-- facts: 38
-- needs: division postgres duckdb
select id, i8 / 7.5 as large from t where id in (4, 5, 8);

-- facts: 37
-- fails: by zero
select 1 / 0.4::int as a from t;

-- facts: 37
-- fails: by zero
select n / 0.001::numeric(10,2) as a from t;

-- facts: 36 38
select id, n / 2::numeric(10,2) as a, i / 3::bigint as b from t;

-- facts: 37
-- needs: turns duckdb
select id, j <> 0 and i / j > 1 as a, j = 0 or i / j > 1 as b, s ~ '^[0-9]+$' and s::integer > 5 as c, not (j <> 0 and i / j > 1) as e from t;

-- facts: 37 109
-- needs: turns duckdb
select count(*) filter (where j <> 0 and i / j > 1) as a, bool_or(j <> 0 and i / j > 1) as b, sum(j) filter (where s ~ '^[0-9]+$' and s::integer > 5) as c from t;

-- facts: 37
select id, case when j <> 0 and i / j > 1 then 1 end as a from t where j <> 0 and i / j > 1;

-- facts: 37
select t.id from t join u on u.k = t.id and j <> 0 and i / j > 1;

-- facts: 37
select grp from t group by grp having sum(j) <> 0 and sum(i8) / sum(j) > 0;

-- facts: 37
-- needs: turns duckdb
-- Each side is written twice at most.
select id, s ~ '^[0-9]+$' and s::integer > 5 and s::integer > 6 and s::integer > 7 and s::integer > 8 and s::integer > 9 and s::integer < 11 and s::integer < 12
        and s::integer < 13 and s::integer < 14 and s::integer < 15 and (s::integer < 16 and s::integer < 17) and s::integer < 18 and s::integer < 19
        and s::integer < 20 and s::integer < 21 and s::integer < 22 and s::integer < 23 and s::integer < 24 as a,
    j = 0 or (i / j > 1 or i / j > 2) or i / j > 3 or b and i / j > 4 or i / j is null as c, b or j = 0 or i / j > 1 and n / j > 1 as e from t;

-- facts: 38
select x / 3 as a from (select n as x from t where id < 3 union all select '1.505') as q;

-- facts: 38
select x / 3 as a, q.x * 2 as b from (values ('1.505'), (2.5), (null)) as q (x);

-- facts: 38
select avg(x) as a from (select n as x from t where id in (1, 9) union all select '-1.5055') as q;

-- The smallest integer has no opposite.
-- facts: 37
-- needs: remainder duckdb
select id, (i8 - 1) % -1 as b, (i8 - 1) % (case when id = 7 then -1 else 3 end) as c, (i - 1) % (case when id = 7 then -1 else 3 end) as d from t;

-- A null is divided by anything.
-- facts: 37
select grp, sum(i2) filter (where id < 0) / count(i2) filter (where id < 0) as a, sum(case when id < 0 then n end) / count(case when id < 0 then 1 end) as b,
    (sum(j) filter (where id < 0) + 1) / nullif(count(*), 0) * 2 / count(*) filter (where id < 0) as c from t group by grp;

-- facts: 37
-- needs: division duckdb
select x / y as a, x % y as b, x::double precision / y as c, x::numeric(10,2) / y as d, (x + 1) / (y * 2) as e from (values (null::integer, 0), (7, 2), (null, null)) as v (x, y);

-- facts: 37
-- fails: division by zero
select x / y as a from (values (null::integer, 0), (7, 0)) as v (x, y);
