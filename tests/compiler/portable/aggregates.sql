-- facts: 40 41
-- needs: average duckdb redshift
select grp, avg(i2) as a2, avg(j) as aj, avg(n) as an, avg(distinct j) as ad from t group by grp;

-- facts: 40
-- needs: average postgres duckdb redshift
select avg(i8) as a8 from t where id in (4, 5, 8);

-- facts: 109
-- needs: filter redshift
select grp, count(*) filter (where b) as c, sum(j) filter (where i > 0) as s, avg(j) filter (where i > 0) as a, max(n) filter (where b) as m
from t group by grp;

-- facts: 109
-- needs: filter redshift
select id, sum(j) filter (where b) over (partition by grp) as s from t;

-- facts: 123
-- needs: null-order duckdb
select id, row_number() over (order by j desc, id) as place from t;

-- facts: 123
-- needs: null-order duckdb
select id, j from t order by j desc, id;

-- facts: 123
-- needs: null-order duckdb
select id from t order by i desc, id limit 3;

-- facts: 122
select sum(i) as s, count(i) as c, max(s) as m from t where id > 100;

-- facts: 42
select sum(i2) as a, sum(j) as b, sum(i8) as c, sum(n) as d, sum(f) as e from t where id not in (4, 7);

-- facts: 42
-- needs: sum-type redshift
select sum(i8) as big from t where id in (4, 6);

-- facts: 44 112
select grp, stddev(f) as s, var_pop(f) as v, every(b) as e, bool_or(b) as o, bit_and(j) as x from t where j is not null group by grp;

-- facts: 44
-- refused: postgres duckdb redshift exact numbers
select stddev(n) from t;

-- facts: 110
select grp, percentile_cont(0.5) within group (order by j) as m from t group by grp;

-- facts: 110
select grp, percentile_disc(0.25) within group (order by j) as q from t group by grp;

-- facts: 61 62
-- needs: string-aggregate redshift
select grp, string_agg(v, ', ' order by id) as list, string_agg(v, '' order by id) as glued from t group by grp;

-- facts: 61
-- refused: postgres duckdb redshift order
select string_agg(v, ',') from t;

-- facts: 56
-- needs: collation postgres
select min(v) as first, max(v) as last, least('b', v) as l from t where v is not null group by v;

-- facts: 115
-- needs: window-frame redshift
select id, first_value(id) over (partition by grp order by j, id) as first from t;

-- facts: 115
select id, sum(j) over (partition by grp order by id rows unbounded preceding) as running, avg(j) over (partition by grp) as mean,
    sum(j) over (order by id rows between 1 preceding and 1 following) as around
from t;

-- facts: 117
-- needs: missing-neighbour redshift
select id, lag(j, 1, -1) over (order by id) as before, lead(j, 2, 0) over (partition by grp order by id) as behind, lag(j) over (order by id) as plain
from t;

-- facts: 118 121
select id, rank() over w as r, dense_rank() over w as d, row_number() over w2 as n, ntile(3) over w2 as q, percent_rank() over w2 as p
from t window w as (partition by grp order by j), w2 as (order by id);

-- facts: 120
select id, count(*) over (partition by b) as c, max(j) over (partition by grp, b) as m from t;

-- facts: 139
select b, j, count(*) as c from t where j > 1 group by rollup (b, j);

-- facts: 54
-- needs: trailing-blanks redshift
select s, count(*) as c, count(distinct s) as d from t where id in (1, 4, 6) group by s;

-- facts: 54
-- needs: trailing-blanks redshift
select distinct s from t where id in (1, 4, 6);

-- facts: 54
-- needs: trailing-blanks redshift
select id, s = 'abc' as e, s <> 'abc' as n, s in ('abc', 'x') as l, case s when 'abc' then 1 else 0 end as c, nullif(s, 'abc ') as z from t;

-- facts: 54
-- needs: trailing-blanks redshift
select t.id, u.k from t join u on t.grp = u.grp where t.s in (select v from t as o where o.id = 1);

-- facts: 61 63
select grp, string_agg(distinct v, '; ' order by v) as list from t group by grp;

-- facts: 116 118
select id, nth_value(id, 2) over (order by id rows between unbounded preceding and unbounded following) as second,
    sum(j) over (partition by grp order by id rows between 2 preceding and current row) as moving
from t;

-- facts: 119
select id, sum(j) over w as s, max(j) over w as m from t window w as (partition by grp);

-- facts: 116
-- refused: redshift frames
select id, sum(j) over (order by id range between 2 preceding and current row) as s, count(*) over (order by grp groups current row) as g from t;

-- facts: 44
-- refused: redshift corr
select grp, corr(f, j::double precision) as c from t where abs(f) < 100 group by grp;

-- facts: 109
-- needs: filter duckdb redshift
select grp, avg(n / j) filter (where j <> 0) as a, sum(i / j) filter (where j <> 0) as b, max(s::integer) filter (where s ~ '^[0-9]+$') as c,
    string_agg((i / j)::text, ',' order by id) filter (where j <> 0) as e, count(*) filter (where j <> 0) as g from t group by grp;

-- facts: 109
-- needs: filter duckdb redshift
select id, sum(i / j) filter (where j <> 0) over (partition by grp order by id) as b from t;

-- facts: 109
-- needs: filter duckdb redshift
-- What is out of range in rows that do not count.
select sum(i * i) filter (where id not in (4, 7)) as a, max(n::smallint) filter (where n between -100 and 100) as b, sum(i + 1) filter (where id <> 4) as c from t;

-- facts: 109
-- needs: filter duckdb
-- refused: redshift array_agg
select grp, array_agg(v::integer order by id) filter (where v ~ '^[0-9]+$') is null as a, array_agg(s order by id) filter (where b) is null as c from t group by grp;

-- facts: 109
-- needs: filter duckdb redshift
-- What is an error in the key of the order, and in the other argument.
select grp, string_agg(v, ',' order by i / j desc, id) filter (where j <> 0) as a from t where id <> 7 group by grp;

-- facts: 109
-- needs: filter duckdb redshift
select grp, percentile_cont(0.5) within group (order by ln(f)) filter (where f > 0) as b from t where id <> 7 group by grp;

-- facts: 109
-- needs: filter duckdb
-- refused: redshift corr
select round(corr(f, ln(f)) filter (where f > 0)::numeric(18,15), 10) as a, round(corr(ln(f), f) filter (where f > 0)::numeric(18,15), 10) as b from t where id <> 7;

-- facts: 109 63
-- needs: filter duckdb redshift
select string_agg(distinct (i / j)::text, ',' order by (i / j)::text desc) filter (where j <> 0) as a from t;

-- facts: 109 63
select string_agg(distinct (i / j)::text, ',') as a from t where j <> 0;

-- facts: 143
-- refused: redshift a row as a value
select count(distinct (grp, j)) as c from t;

-- facts: 143
-- What is written instead; a row of nulls counts in both.
select count(*) as c, (select count(*) from (select distinct grp, j from t union select null, null) as y) as d from (select distinct grp, j from t) as x;
