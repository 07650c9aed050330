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
