-- facts: 115
-- needs: running-aggregate redshift
select id, sum(j) over (order by grp) as running, count(*) over (order by grp) as rows_so_far, id + sum(i2) over (order by j) as shifted from t;

-- facts: 115
-- needs: running-aggregate redshift
select t.id, round(avg(t.n) over (partition by t.b order by t.grp desc), 4) as mean, min(t.v) over (order by t.j) as least,
    max(t.d) over (partition by t.grp order by t.j nulls first) as latest
from t where t.id <> 7;

-- facts: 115
-- needs: running-aggregate redshift
select *, sum(w) over (partition by grp order by k) as running from u;

-- facts: 115
-- needs: running-aggregate redshift
select id, sum(j) over w as running, row_number() over (order by id) as place, sum(j) filter (where b) over w as of_true
from t window w as (partition by grp order by j) order by running desc nulls last, t.id;

-- facts: 115
-- needs: running-aggregate redshift
select d, total, sum(total) over (order by month) as running
from (select date_trunc('year', ts) as month, d, sum(j) as total from t group by 1, 2) as x order by d;

-- facts: 115
select d, sum(j) as total, sum(sum(j)) over (order by d) as running, count(*) as c from t group by d order by d;

-- facts: 115
select grp, b, sum(sum(j)) over (partition by grp order by b) as running from t group by 1, 2;

-- facts: 115
-- needs: running-aggregate redshift
select grp, b, sum(sum(j)) over (order by grp) as running, 100 * sum(j) as percent from t group by grp, b having count(*) > 0;

-- facts: 115 124
-- needs: running-aggregate redshift
select distinct on (grp) grp, id, sum(j) over (order by grp) as running from t order by grp, id desc;

-- facts: 115
-- needs: running-aggregate redshift
select id, coalesce(sum(w) over (order by t.grp desc), 0) as s, u.k, case when count(*) over (order by u.k) > 2 then 'many' else 'few' end as c
from t join u on t.id = u.k;

-- facts: 115
-- needs: running-aggregate redshift
select distinct b, sum(j) over (order by b) as running from t;

-- facts: 115
-- needs: running-aggregate redshift
select id, bool_and(b) over (order by grp) as a, bool_or(b) over (order by grp) as o, sum(f) over (order by r) as binary from t where id not in (4, 7);

-- facts: 115 116
-- needs: running-aggregate redshift
select id, sum(j) over (order by grp range unbounded preceding) as one, sum(j) over (order by grp range between unbounded preceding and current row) as two,
    sum(j) over (order by grp range between unbounded preceding and unbounded following) as three
from t;

-- facts: 115
-- needs: window-frame redshift
select id, grp, last_value(grp) over (order by grp) as own, last_value(id) over (partition by grp order by id) as last from t;

-- facts: 116
select id, last_value(id) over (partition by grp order by id range between unbounded preceding and unbounded following) as last,
    rank() over (order by j range unbounded preceding) as place
from t;

-- facts: 115
-- needs: running-aggregate redshift
with daily as (select grp as shop, d as day, coalesce(n, 0) as stake from t where d is not null)
select shop, day, stake, sum(stake) over (partition by shop order by day) as running_stake,
    round(100.0 * stake / nullif(sum(stake) over (partition by shop), 0), 2) as share,
    stake - lag(stake) over (partition by shop order by day, stake) as change
from daily order by shop, day, stake;

-- facts: 115
-- needs: running-aggregate redshift
select s, count(*) over (order by s) as c from t union all select 'x', sum(k) over (order by grp desc) from u;

-- facts: 115
select id, sum(j) over (order by id rows between unbounded preceding and current row) - j as before, nth_value(id, 1) over (order by id rows between unbounded preceding and unbounded following) as first from t;

-- facts: 115
-- refused: redshift no frame
select id, nth_value(id, 2) over (partition by grp order by id) as second from t;

-- A sum of whole numbers is one.
-- facts: 36 115
-- needs: running-aggregate redshift
select id, count(*) over (order by grp) / 2 as half, sum(i2) over (order by grp) / 2 as half_of_sum from t;

-- A column comes before the name of an item.
-- facts: 115
-- needs: running-aggregate redshift
select coalesce(grp, 'a') as grp, sum(j) as total, sum(sum(j)) over (order by coalesce(grp, 'a')) as running from t group by grp;

-- facts: 64
select date_trunc('year', d) as d, percentile_cont(0.5) within group (order by j) as middle, percentile_cont(0.9) within group (order by id) as high
from t group by d;

-- facts: 126
-- refused: redshift RIGHT or FULL JOIN
select u.k, x.v from t cross join lateral (select coalesce(t.j, 0) as v) as x right join u on u.k = t.id;

-- facts: 126
-- refused: redshift random
select x.r < 2 as small from t cross join lateral (select random() as r) as x;

-- facts: 117
-- refused: duckdb a default of a wider type
select id, lag(i, 1, 3000000000) over (order by id) as a from t;

-- Frames that start behind their end, and what PostgreSQL has no window functions of.
-- facts: 116
-- refused: postgres duckdb redshift starts behind its end
select count(*) over (order by id rows between 3 following and 1 following) as c from t;

-- facts: 116
-- refused: postgres duckdb redshift starts behind its end
select count(*) over (order by id rows between 1 preceding and 3 preceding) as c from t;

-- facts: 116
select id, count(*) over (order by id rows between 3 preceding and 1 preceding) as before, count(*) over (order by id rows between 1 following and 1 following) as next from t;

-- facts: 116
-- refused: postgres duckdb redshift no DISTINCT in window functions
select count(distinct grp) over () as c from t;

-- facts: 116
-- refused: postgres duckdb redshift no ORDER BY among the arguments
select string_agg(grp, ',' order by id) over () as list from t;

-- facts: 116
-- refused: postgres duckdb redshift a value of no type
select lag('a') over (order by id) as l from t;

-- facts: 116
-- refused: postgres duckdb redshift cannot stand in the definition of a window
select row_number() over (order by sum(j) over (partition by grp), id) as place from t;

-- A constant in an order decides nothing.
-- facts: 120
-- needs: running-aggregate redshift
select id, sum(j) over (order by id, 'x') as a, count(*) over (partition by grp order by j, 'y', null) as b from t;

-- facts: 120
select id, sum(j) over (order by 'x') as a, sum(j) over (partition by grp order by null) as b, count(*) over (order by 1) as c from t;

-- facts: 115
-- refused: postgres duckdb redshift in quotes
select id, sum(j) over (order by id rows between '1' preceding and current row) as a from t;

-- facts: 115
-- refused: postgres duckdb in quotes
-- refused: redshift frames of RANGE
select sum(i2) over (order by id range between '1' preceding and current row) as a from t;

-- facts: 120
-- refused: postgres duckdb redshift in which order
-- ties: refused
select id, row_number() over (order by 1) as a from t;

-- facts: 120
-- refused: postgres duckdb redshift in which order
-- ties: refused
select id, first_value(id) over (partition by grp order by 'x') as a from t;

-- facts: 120
-- refused: postgres duckdb redshift a constant in it
select id, sum(j) over (order by 1, id groups between 1 preceding and current row) as a from t;

-- facts: 120
-- needs: running-aggregate redshift
select id, sum(j) over (partition by 1 order by grp) as a, rank() over (order by 1) as b, sum(j) over (order by 1, id) as c, sum(j) over (partition by 1, grp) as d, cume_dist() over (order by 2) as e from t;

-- What is written for a frame of values on Redshift.
-- facts: 115
select id, (select sum(p.j) from t as p where p.grp is not distinct from t.grp and p.id between t.id - 2 and t.id) as near from t;

-- facts: 126
-- refused: redshift LATERAL with a window function (row_number) inside
select t.id, x.n from t cross join lateral (select row_number() over (order by u.k) as n from u where u.k > t.id) as x;

-- All rows are alike where a constant orders them.
-- facts: 159
select id, count(*) over (order by 1 range between unbounded preceding and current row) as c, sum(i) over (order by 1) as s from t;

-- Of all rows none is first.
-- facts: 116
select id, sum(j) over (order by 1 rows between unbounded preceding and unbounded following) as a,
    sum(id) over (partition by grp rows between unbounded preceding and unbounded following) as b,
    sum(id) over (order by grp, id rows between unbounded preceding and unbounded following) as c from t;

-- facts: 116
-- refused: postgres duckdb GROUPS counts groups
-- refused: redshift frames of GROUPS
select id, count(*) over (partition by grp groups between 1 preceding and current row) as c from t;
