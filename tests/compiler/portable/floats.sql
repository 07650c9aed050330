-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select f * '1e300'::float8 * 1e10 as x from t;

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select 1 / (f * '1e300'::float8 * 1e10) as x from t where id = 1;

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select (f * '1e308'::float8 - f * '1e308'::float8) * 0 as x from t where id = 1;

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select f / power(10, f * -150) as x from t where id = 1;

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select sum(x.a) as s from (select f * '3e307'::float8 as a from t where id in (1, 4, 8, 10)) as x;

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select id, sum(f * '6e307'::float8) over (order by id) as s from t where id in (1, 4, 8);

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select ('1e' || i8 * 100)::float8 as x from t where id in (1, 8);

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select r * '3e38'::real as x from t where id in (1, 10);

-- facts: 12 46
-- needs: float-overflow duckdb
-- fails: out of range
select exp(i) as x from t where id = 4;

-- facts: 12 46
-- needs: float-overflow duckdb
-- fails: out of range
select exp(i) as x from t where id = 7;

-- facts: 12 46
-- needs: float-overflow duckdb
-- fails: out of range
select power(f, 400) as x from t where id in (7, 8);

-- facts: 12 46
-- needs: float-overflow duckdb
-- fails: out of range
select power(f, -400) as x from t where id in (7, 8);

-- facts: 46
-- needs: float-overflow duckdb
-- fails: postgres redshift a negative number raised to a non-integer power
-- fails: duckdb out of range
select power(f, 0.5::float8) as x from t where id = 2;

-- facts: 12
select id, f * f as a, f + r as b, f * 2 / j as c, -(f - 1) * (f + 2) as d, f / 100 as e, i::float8 * i8 as g, exp(f / 10) * 3 as h, power(f, 2) as p, power(f, 0) as z,
    sqrt(abs(f)) * f as q, case when f > 1 then f * 2 else f * f end as c2, coalesce(f * f, 0) as k, power(j * 1.5::float8, j) as y, n * f as nf
from t where id not in (7, 9);

-- facts: 12
select grp, sum(f * 2) as a, avg(f * f) as b, sum(f) filter (where id > 3) as c, sum(distinct f) as d, count(f * f) as e, max(f / 3) as m from t where id <> 7 group by grp;

-- facts: 12
select f * f as x, count(*) as c from t where id <> 7 group by f * f having sum(f * f) > 0 or f * f is null order by f * f nulls first;

-- facts: 12
select distinct f * f as x, sum(f * f) over (partition by f * f) as w from t where id <> 7 order by f * f nulls first;

-- facts: 12
-- Longer than what is written twice.
select id, 1 / (1 + 1 / (1 + f * f / (2 + f * f / (3 + f * f / (4 + f * f / (5 + f * f)))))) as x from t where id <> 7;

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select (f * 0 + 0.5::double precision / 10 ^ 60::double precision)::real as a from t where id = 1;

-- facts: 12
-- needs: float-overflow duckdb
-- fails: out of range
select case when id = 1 then '1e-400' else '0.0' end::double precision as a from t where id < 3;

-- facts: 12
select id, case when id = 1 then '1e-40' else '0.0e5' end::double precision as a, f::real as b, (f / 3)::real as c from t where id <> 7;

-- What is long is written once.
-- facts: 12
select id, power(power(power(power(abs(f) / 100 + 1, 2.5::double precision), 1.5::double precision), 1.5::double precision), 1.5::double precision) as a,
    ((((((f + id)::numeric(18,4)::text)::double precision + 1)::numeric(18,4)::text)::double precision + 1)::numeric(18,4)::text)::double precision as b,
    ((((f / 3)::real::double precision / 3)::real::double precision / 3)::real::double precision / 3)::real::double precision as c from t where id <> 7;
