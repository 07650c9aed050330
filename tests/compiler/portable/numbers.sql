-- facts: 45
-- needs: rounding duckdb
-- refused: redshift even neighbour
select id, round(f) as r, round(f - 0.5) as s from t where id <> 7;

-- facts: 45
select id, round(n) as r, round(n, 1) as s, round(m, -1) as u, trunc(m, 2) as v, ceil(n) as c, floor(n) as fl, sign(n) as g, abs(n) as a from t;

-- facts: 45
select id, ceil(j) as c, floor(f) as fl, trunc(f) as tr, abs(j) as a, round(j, 1) as r from t;

-- facts: 46 47 49
select id, sqrt(abs(f)) as q, exp(f / 10) as e, ln(abs(f) + 1) as l, log(abs(f) + 1) as g, power(f, 2) as p, j ^ 2 as h from t where id <> 7;

-- facts: 49
-- refused: postgres duckdb redshift other digits
select ln(n) from t;

-- facts: 37
select id, i % nullif(j, 0) as m, mod(i8, 3) as o, n % 2 as r from t;

-- facts: 84
select id, greatest(i, j) as g, least(n, m, 1) as l, coalesce(n, m, 0) as c from t;

-- facts: 35
select id, coalesce(m, n, 0) as c from t;

-- facts: 35
-- needs: wide-coalesce redshift
select coalesce(sum(m) * 100000, 0) as c from t;

-- facts: 39
-- needs: product duckdb
select id, m * 12345.678 as p, n * n as q, m + m as s from t;

-- facts: 39
-- needs: product redshift
select sum(m) * 1.23456789 as p from t where id in (1, 2, 6);

-- facts: 39 8
select id, n * m as p, n + m as s, n - j as d, -n as g, - (-n) as h, n * 2 + j / 2 as k from t where id not in (4, 7);

-- facts: 45
select id, round(f::numeric, 2) as r, round((f / 7)::numeric, 3) as s from t where id <> 7;

-- facts: 43
-- refused: postgres duckdb redshift real
select sum(r) from t;

-- facts: 50
-- refused: postgres duckdb redshift div
select div(n, 2) from t;

-- facts: 50
select id, trunc(n / 2) as d from t;

-- facts: 51
select count(*) as c from t where random() < 2;

-- facts: 39
-- needs: product redshift
select id, coalesce(n, 0) * 1.055 as a, n * 0.055 * 1.19 as b, n * n * n as c, round(m, 3) * 1.055 as d, (case when b then n else 1.11 end) * 1.055 as e, j / 3.0 * 3 as f from t where id not in (4, 7);

-- facts: 39
-- needs: product duckdb
select max(m) * 1000 as a from t;

-- facts: 35 39
-- needs: product duckdb
select least(sum(n), 0.005) as a, case when sum(n) > 100 then sum(n) else 0.00125 end as b, coalesce(sum(n) filter (where false), sum(m)) as c from t where id in (1, 6, 9);

-- facts: 35
-- needs: product duckdb
select sum(n) as x from t where id = 1 union all select 0.005;

-- facts: 35
-- needs: product duckdb
select sum(n) as x, 'a' as y from t where id = 1 union select m, s from t where id < 3 union (select 1, 'b' order by 1 limit 1);

-- facts: 35
-- needs: wide-coalesce redshift
select x, y from (values (9223372036854775807, 'a'), (0.5, 'b')) as v (x, y);

-- facts: 38
select id, m / 7 as a, 1 / m as b from t where id in (1, 4, 6);

-- facts: 53
select id, n * 1e-2 as a, n * 1e2 as b, 1.25e1 as c, 12.5e-3 as d from t where id <> 4;

-- facts: 33 43
select id, r = 0.1 as a, r * 2 as b, r + n as c, r - 1 as d, r / 3 as e, r * 1.5 as f from t where id = 1;

-- facts: 39
-- needs: integer-width duckdb
select x.a, x.a * 2 as d, x.a + 1 as s, nullif(x.a::integer, 2::double precision) / 4 as n from (values (32767::smallint), ((-32768)::smallint), (2::smallint), (null)) as x (a);

-- facts: 102
-- needs: number-format duckdb
select id, to_char(n, 'FM999,999,990.00') as money, to_char(j, 'FM0000') as code, to_char(m, 'FM9990.0') as tenth, to_char(n * m, 'FM99,990') as whole
from t where id <> 4;

-- facts: 102
-- refused: duckdb redshift format of numbers
select to_char(n, '999.99') from t;

-- facts: 35
-- needs: wide-coalesce redshift
select id, n / 3 as part from t union all select k, avg(w) from u group by k;

-- facts: 35
-- needs: wide-coalesce redshift
select n / 7 as part from t union select m / 7 from t order by part nulls first;

-- facts: 35
-- needs: wide-coalesce redshift
select grp, n / 7 as part from t except all select grp, n / 7 from t where id = 1;

-- facts: 35
select sum(n)::numeric(18,2) as total, max(j) as most from t where id <> 7 union all select sum(w)::numeric(12,2), count(*) from u;

-- facts: 35
-- refused: redshift a recursive query over numbers of more than 19 digits
with recursive r (k, x) as (select 1, 1000000.5 / 3 union all select k + 1, x / 2 from r where k < 4) select k, x from r;

-- facts: 38
-- fails: redshift overflow
select id, n / i8 as part from t where id = 4;

-- facts: 38
select id, n / (i8 % 100000000000000) as part from t where id = 4;

-- facts: 91
-- needs: product duckdb
select id, case when id = 1 then extract(month from d) else n end as a, coalesce(n, extract(month from e)) as b,
    greatest(n, extract(month from d)) as c, case when id = 1 then extract(month from d) else 0.5 end as g from t;

-- facts: 91
-- needs: product duckdb
select extract(month from d) as x from t union select n from t;

-- facts: 91 128
select column1 as x from (values (extract(year from date '2024-02-29')), (2.5)) as v;

-- facts: 91 128
select x from (values (extract(year from date '2024-02-29')), (2.5)) as v (x);

-- facts: 91
select id, extract(year from d)::text as y, extract(day from ts) as a, extract(second from ts) as s, extract(hour from ts)::text as h, extract(epoch from ts) / 3 as e from t;

-- facts: 9
-- needs: product duckdb
select x in (select 0.125) as a, x in (select 0.13) as b, x not in (select 0.125 union all select 0.005) as c from (select sum(n) as x from t where id = 1) as q;

-- facts: 9
-- needs: product duckdb
select s from (select sum(n) as s from t group by id) as a where s in (select n + n / 30000 from t);

-- facts: 39
-- refused: duckdb redshift so many digits
select q * q * q as c from (select n / nullif(m, 0) as q from t where id < 3) as x;

-- facts: 46 48
-- refused: postgres duckdb redshift a sign before a power
select -2 ^ 2 as a;

-- facts: 46 48
select (-2) ^ 2 as a, -(2 ^ 2) as b, 2 ^ -1 as c;

-- facts: 37 39
-- needs: remainder duckdb
select sum(n) % 0.005 as a, sum(m) % 0.0000007 as b from t where id <> 4;

-- facts: 39
-- needs: remainder duckdb
select (n / 3) % 0.07 as a, (n * n * n) % 0.0000001 as b, - n / 7 % -1.5 as c from t;

-- facts: 37
-- needs: remainder redshift
select id, mod(n * m, 0.3) as a, mod(i8, 2.5) as b, mod(2.5, i) as c, i8 % n as d, -i2 % m as e from t where i <> 0 and i8 <> 0;

-- facts: 37
-- needs: remainder redshift
select i2 % i8 as d, i8 % 2 as e, (i8 % 7) * 1000000000 as f from t where i8 <> 0;

-- facts: 37
-- fails: zero
select n % m as r from t;

-- facts: 39
-- refused: postgres duckdb redshift digits
select percentile_disc(0.5) within group (order by x.a) % 3 as r from (select n ^ 2 as a from t) as x;

-- facts: 106
-- refused: duckdb redshift a series of numbers with a fraction
select x from generate_series(1, 2.5, 0.5) as g (x);

-- So many digits behind the point that the other side does not fit before it.
-- facts: 39
-- needs: product duckdb
with q as (select id, (n / 100000000)::numeric(38,37) as n37, i::numeric(5,0) as n5, i8 from t where id in (1, 2, 3, 5))
select id, n37 > n5 as a, n37 <= n5 as b, n5 < n37 as c, n37 = i8 as d, n37 <> 10 as e, -10 < n37 as f, n37 >= 1000000000.5 as g from q;

-- facts: 39
-- needs: product duckdb
select id, (n / m) * (n / m) > 5000000 as a, (n / m) * (n / m) > j as b, i8 - 1 < (n / m) * (n / m) as c from t where m <> 0 and id not in (4, 7);

-- A null and a literal in quotes take part in what becomes one column.
-- facts: 35
-- needs: product duckdb
select sum(n) as x from t where id = 1 union all select null union all select 0.005;

-- facts: 35
-- needs: product duckdb
select null as x union all select sum(n) from t where id = 1 union all select 0.005;

-- facts: 35
-- needs: product duckdb
select sum(n) as x from t where id = 1 union select null union select 0.125 union select 0.13;

-- facts: 35
-- needs: product duckdb
select sum(n) as x from t where id = 1 union all select '0.005';

-- facts: 35
-- needs: product duckdb
select sum(n) as x from t where id = 1 except select '0.125';

-- facts: 35 128
-- needs: product duckdb
select sum(n) as x from t where id = 1 union all values (0.005), (null);

-- facts: 35
-- needs: wide-coalesce redshift
select null as x union all select m::numeric(38,10) from t where id < 5 union all select 0.5;

-- facts: 35
-- needs: wide-coalesce redshift
select 1 as x union all select m::numeric(38,10) from t where id < 5 union all select 0.5;

-- facts: 35
-- needs: wide-coalesce redshift
select m::numeric(38,10) as x from t where id < 5 union all select '0.5';

-- facts: 35
-- needs: wide-coalesce redshift
select 9223372036854775807 as x union all select 0.5;

-- facts: 35 128
-- needs: wide-coalesce redshift
select x from (values (null), (12345678901234.5678), ('0.0000005')) as v (x);

-- facts: 35
select null as x union all select sum(n) from t where id = 1;

-- facts: 39
-- needs: product duckdb
select id, q between -10000000000 and 10000000 as a, q not between j and 10000000 as b, q in (1, 10000000, j) as c, q not in (10000000) as d,
    q is distinct from 10000000 as e, nullif(q, 10000000) is null as g
from (select id, j, (n / m) * (n / m) as q from t where m <> 0 and id not in (4, 7)) as x;

-- facts: 134
-- refused: duckdb redshift more digits behind the point than its first rows
with recursive r (n, f) as (select 1, 1.5 union all select n + 1, f * 0.5 from r where n < 5) select n, f from r;

-- The first rows of a recursive query say how many digits there are.
-- facts: 134
-- needs: product duckdb
with recursive r (n, f) as (select 1, 1.5 union all select n + 1, f + 100 from r where n < 5) select n, f from r;

-- facts: 35
select n / 3 as x, 1 as y, null as z from t where id = 1 except all select null, null, 0.5;

-- A whole number of more than 64 bits has all digits there are on DuckDB.
-- facts: 35
select id, case when id = 1 then 0.001 when id = 2 then n / 3 else 12345678901234567890 end as x from t;

-- facts: 35 128
select x from (values (12345678901234567890), ('7'), ('1e-2'), ('0.125')) as v (x);

-- The type of a side is that of all its rows.
-- facts: 35
select x * 2 as y from (select '7' as x except select j from t except all select f from t) as q;

-- Numbers that come together lose no digits before they become floats.
-- facts: 35
-- needs: product duckdb
select extract(month from d) as x from t where id = 5 union select n + m from t where id = 9 union all select r from t where id = 1;

-- What is rounded has room beside others.
-- facts: 37
-- needs: division redshift
select round(12345678.5 / id, 2) as a from t union all select 0;

-- facts: 37
-- needs: division redshift
select greatest(round(n / 2, 2), n) as a, nullif(round(12345678.5 / id, 2), 0) as b, trunc(12345678.5 / id, 3) as c, ceil(12345678.5 / id) as d from t intersect select greatest(round(n / 2, 2), n), round(12345678.5 / id, 2), trunc(12345678.5 / id, 3), ceil(12345678.5 / id) from t;
