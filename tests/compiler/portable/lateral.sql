-- What was valid at the moment of the row.
-- facts: 126
-- needs: lateral redshift
select t.id, x.k, x.moment from t left join lateral (select u.k, u.moment from u where u.moment <= t.ts order by u.moment desc, u.k limit 1) as x on true;

-- The same, of rows of the same group: null has rows of its own.
-- facts: 126
-- needs: lateral redshift
select t.id, x.w from t left join lateral (
    select w from u where grp is not distinct from t.grp and moment < coalesce(t.ts, timestamp '2030-01-01') order by moment desc nulls last, w limit 1) as x on true;

-- What is nearest, and how far away.
-- facts: 126
-- needs: lateral redshift
select t.id, x.k, x.far, x.name from t cross join lateral (
    select u.k, abs(u.k - t.j) as far, t.s || '/' || u.grp as name from u where grp = t.grp order by abs(u.k - j), u.k, u.w nulls last limit 2) as x;

-- Blanks at the end count, of keys too.
-- facts: 54 126
-- needs: lateral redshift
select t.id, x.k, x.text from t left join lateral (select u.k, t.s || '|' as text from u where u.grp = t.s order by u.k limit 1) as x on true where t.id <> 8;

-- Rows behind the first.
-- facts: 126
-- needs: lateral redshift
select t.id, x.k, x.w from t left join lateral (select u.k, u.w from u where u.grp = t.grp order by u.k, u.w nulls first limit 1 offset 1) as x on true;

-- A further condition on the rows that were found, not on which are looked for.
-- facts: 126
-- needs: lateral redshift
select t.id, x.k, x.w from t left join lateral (select u.k, u.w from u where u.grp = t.grp order by u.w desc nulls last, u.k limit 1) as x on x.w > t.j and x.k < 5;

-- Several relations within.
-- facts: 126
-- refused: duckdb reads from outside
-- needs: lateral redshift
select t.id, x.k, x.other from t left join lateral (
    select a.k, b.w as other from u as a left join u as b on b.k = a.k + 1 and b.w > t.j where a.grp = t.grp order by a.k, a.w nulls last, b.w nulls last limit 2) as x on true;

-- facts: 126
-- needs: lateral redshift
select t.id, x.k, x.w from t left join lateral (
    select a.k, b.w from u as a join u as b on b.k = a.k where a.grp = t.grp order by a.k, a.w nulls last, b.w nulls last limit 1) as x on true;

-- Sums of what came before, and of products with the row's own number.
-- facts: 126
-- needs: lateral redshift
select t.id, x.c, x.total, x.share from t cross join lateral (
    select count(*) as c, sum(u.w * t.j) as total, coalesce(max(u.w + t.i2), 0) as share from u where u.moment < t.ts) as x;

-- Of one of several relations outside.
-- facts: 126
-- needs: lateral redshift
select t.id, o.k, x.c from t join u as o on o.k = t.id, lateral (select count(*) as c from u where u.k <= o.k and u.w > 0) as x;

-- A query with a name outside.
-- facts: 126
-- needs: lateral redshift
with bets as (select id, grp as book, ts as placed from t where id < 9)
select bets.id, x.rate from bets left join lateral (select w as rate from u where u.grp = book and u.moment <= placed order by u.moment desc, u.w limit 1) as x on true;

-- A name within that hides one outside.
-- facts: 126
-- needs: lateral redshift
select t.id, x.net, (select max(x.w) from u as x where x.k = t.id) as most from t cross join lateral (select t.i2 - t.j as net, t.i2 as w) as x;

-- facts: 126
-- needs: lateral redshift
select t.id, x.k from t left join lateral (select u.k from u where exists (select 1 from u as o where o.k = u.k and o.w > 5) and u.grp = t.grp order by u.k limit 1) as x on true;

-- facts: 126
-- refused: redshift LATERAL with a window function
-- ties: no two rows of a grp have one k and w
select t.id, x.k from t left join lateral (select u.k, row_number() over (order by u.w, u.k) as place from u where u.grp = t.grp order by u.k limit 1) as x on true;

-- facts: 126
-- refused: redshift form of LATERAL
select t.id, o.k, x.w from t left join u as o on o.k = t.id left join lateral (select u.w from u where u.w > coalesce(o.k, 0) order by u.w, u.k limit 1) as x on true;

-- facts: 126
-- refused: redshift form of LATERAL
select t.id, o.k, x.w from t join u as o on o.k = t.id left join lateral (select u.w from u where u.w > o.k + t.j order by u.w, u.k limit 1) as x on true;

-- facts: 126
-- refused: redshift form of LATERAL
select t.id, x.k from t left join lateral (select u.k from u where exists (select 1 from u as o where o.k = u.k and o.w > t.j) and u.grp = t.grp order by u.k limit 1) as x on true;

-- The same in place of a value: the last known price, and whether it is another one than before.
-- facts: 126 127
-- needs: lateral redshift
select t.id, (select w from u where moment <= ts order by moment desc, w limit 1) as price,
    (select u.grp from u where u.grp = t.s order by u.k limit 1) || '!' as name,
    coalesce((select u.k * t.j from u where u.grp = t.grp and u.w is not null order by u.k desc, u.w limit 1), -1) as product from t where t.id <> 8;

-- facts: 126 127
-- needs: lateral redshift
select t.id, o.k from t, u as o where o.k = t.id and o.moment = (select x.moment from u as x where x.k = o.k order by x.moment desc nulls last limit 1);

-- facts: 126 127
-- refused: redshift LIMIT
select t.grp, sum((select u.w from u where u.k = t.id order by u.w desc nulls last limit 1)) as w from t group by t.grp;

-- facts: 126 127
-- needs: lateral redshift
select u.*, (select t.id from t where t.grp = u.grp order by t.j desc nulls last, t.id limit 1) as first from u where u.k < 11;

-- facts: 126 127
-- needs: lateral redshift
select *, (select t.id from t where t.grp = u.grp order by t.j desc nulls last, t.id limit 1) as first from u where u.k < 11;

-- facts: 126
-- needs: lateral redshift
select * from u left join lateral (select t.id, t.j from t where t.grp = u.grp order by t.j desc nulls last, t.id limit 1) as x on true;

-- facts: 126
-- refused: redshift all columns of a lateral entry
select u.k, x.* from u left join lateral (select t.id, t.j from t where t.grp = u.grp order by t.j desc nulls last, t.id limit 1) as x on true;

-- facts: 126
-- refused: redshift there twice
select * from u left join lateral (select t.id, t.grp from t where t.grp = u.grp order by t.j desc nulls last, t.id limit 1) as x on true;

-- The order by numbers and by names of the list, which hide columns.
-- facts: 126
-- needs: lateral redshift
select t.id, x.k, x.w from t left join lateral (select u.k, u.w from u where u.grp = t.grp order by 2 desc nulls last, 1 desc limit 1) as x on true;

-- facts: 126
-- needs: lateral redshift
select t.id, x.k, y.far from t left join lateral (select -u.k as k from u where u.grp = t.grp order by k limit 1) as x on true
    left join lateral (select u.k, abs(u.k - t.j) as far from u where u.grp = t.grp order by far desc, u.k limit 1) as y on true;

-- Within rows that are made distinct.
-- facts: 126
-- needs: lateral redshift
select distinct t.grp, x.k, count(*) over (partition by t.grp) as c from t left join lateral (
    select u.k, u.w from u where u.grp = t.grp order by u.k desc, u.w limit 1) as x on true;

-- Names without an entry, in queries within.
-- facts: 126
-- needs: lateral redshift
select t.id, x.c from t cross join lateral (select count(*) as c from u where u.k = t.id) as x where exists (select 1 from u as o where o.k > c) and t.id <> 3;

-- facts: 126
-- needs: lateral redshift
select t.id, x.net, (select max(o.w) from u as o where o.k = net) as most from t cross join lateral (select t.i2 - t.j as net) as x;

-- facts: 126
-- needs: lateral redshift
select t.id, x.c, x.least from t cross join lateral (select coalesce(count(*), 5) as c, coalesce(min(u.w), 5) as least from u where u.k = t.id) as x;

-- What the rows outside are not is not computed.
-- facts: 126
-- needs: lateral redshift
select t.id, x.q, (select 100 / t.j from u where u.k > 8 order by u.k limit 1) as hundred from t cross join lateral (
    select u.w / t.j as q from u order by u.w / t.j, u.k limit 1) as x where t.j <> 0 and t.id < 20;

-- A series beside.
-- facts: 106 126
-- needs: lateral redshift
select t.id, g, x.z from t cross join generate_series(1, t.j) as g cross join lateral (select t.j + g as z) as x where t.j < 5;

-- Beside aggregates of other queries and windows.
-- facts: 126 127
-- needs: lateral redshift
select t.id, (select max(w) from u where u.k = t.id) as most, count(*) over (partition by t.grp) as c,
    (select u.w from u where u.k = t.id and u.w in (select max(o.w) from u as o) order by u.w fetch first 1 row only) as first from t;

-- A list of relations with joins.
-- facts: 126
-- needs: lateral redshift
select t.id, x.k, o.w from t, lateral (select u.k from u where u.grp = t.grp order by u.k, u.w limit 1) as x left join u as o on o.k = x.k and o.w > 5;

-- facts: 126
-- refused: redshift form of LATERAL
select q.id, x.k from (select id, j * 2 as r from t) as q left join lateral (select u.k from u where u.k > q.r order by u.k limit 1) as x on true;

-- facts: 126
-- refused: redshift form of LATERAL
with q as (select id, floor(random() * 0) as r from t) select q.id, x.k from q left join lateral (select u.k from u where u.k > q.r order by u.k limit 1) as x on true;

-- facts: 126
-- ties: rows of one k are alike
-- refused: redshift random
select t.id, x.k from t left join lateral (select u.k from u where u.grp = t.grp order by u.k + random() * 0, u.w limit 1) as x on true;

-- facts: 126
-- refused: redshift all columns of a lateral entry
select t.id, "x".* from t left join lateral (select u.k from u where u.grp = t.grp order by u.k limit 1) as "x" on true;

-- facts: 126
-- refused: duckdb redshift FOR UPDATE
select t.id, x.k from t left join lateral (select u.k from u where u.grp = t.grp order by u.k limit 1 for update) as x on true;

-- facts: 127
-- refused: redshift in this place
select t.id from t where t.id in (select u.k from u where u.k = t.id order by u.w limit 1);

-- facts: 127
-- refused: redshift in this place
select t.id from t where exists (select 1 from u where u.k = t.id order by u.w limit 1);

-- facts: 126
-- ties: rows of one k are alike
-- refused: redshift whose columns are not named
select t.id, x.k from t left join lateral (select * from u where u.grp = t.grp order by u.k, u.w limit 1) as x on true;

-- facts: 126 127
-- needs: lateral redshift
select t.id, (select u.w from u where u.grp = t.grp order by u.k, u.w nulls last offset 1 limit 1) as second from t;

-- What stands for a column is never a place in the list.
-- facts: 126
-- needs: lateral redshift
select t.j, t.id from t cross join lateral (select 1 as v, 'a' as w) as x order by x.v, x.w, t.id limit 2;

-- facts: 126
-- needs: lateral redshift
select t.grp, x.v, count(*) as c from t cross join lateral (select 1 as v) as x group by grouping sets ((x.v), (t.grp, x.v));

-- facts: 126
-- refused: redshift whose own names hide
select t.id, x.net, (select count(*) from t where t.id = x.net) as c from t cross join lateral (select t.j + 1 as net) as x;

-- facts: 126
-- refused: redshift whose own names hide
select k, (select count(*) from t where grp = g) as c from u cross join lateral (select grp as g) as x where k < 11;

-- facts: 126
-- refused: redshift whose own names hide
select t.id, cc, (select count(*) from (select k from u) as x where x.k > cc) as d from t cross join lateral (select count(*) as cc from u where u.k = t.id) as x;

-- facts: 126
-- refused: redshift LATERAL with a window function
-- fails: duckdb window functions
select t.id, x.place from t cross join lateral (select row_number() over (order by t.id) as place) as x;

-- DuckDB asks that a condition compares both sides.
-- facts: 126
-- needs: lateral duckdb
select t.id, x.k, x.w from t left join lateral (select u.k, u.w from u where u.grp = t.grp order by u.w desc nulls last, u.k limit 1) as x on t.id > 4;

-- facts: 126
-- needs: lateral duckdb
-- refused: redshift this form of LATERAL
select t.id, x.w from t left join lateral (select max(u.w) as w from u where u.grp = t.grp) as x on x.w > 5 and t.b or t.id = 2;

-- What is looked up where a CASE asks for it.
-- facts: 127 37
-- needs: turns duckdb
-- needs: lateral redshift
select id, case when t.j <> 0 then (select u.w / t.j from u where u.k = t.id order by u.w limit 1) end as a,
    case when t.j = 0 then -1 when t.id > 3 then 1 + coalesce((select u.w / t.j from u where u.k = t.id order by u.w desc limit 1), 0) else 0 end as b from t;

-- facts: 127 37
-- needs: turns duckdb
select id, case when t.j = 0 then -1 else (select sum(u.w) / t.j from u where u.k = t.id) end as a from t;

-- facts: 126 37
-- needs: lateral redshift
select t.id, x.q from t left join lateral (select u.w / t.j as q from u where u.k = t.id order by u.w limit 1) as x on true where j <> 0;

-- What is guarded keeps its name.
-- facts: 127 37
-- needs: turns duckdb
-- refused: redshift subquery with LIMIT
select id, case when t.j <> 0 then (select max(u.w / t.j) as m from u where u.k >= t.id group by u.grp order by m desc nulls last limit 1) end as a from t;

-- What is drawn is drawn once.
-- facts: 127 37
select count(*) as n from (select case when random() < 0.5 then (select count(*) + 10 / t.i2 from u where u.k >= t.id) else -1 end as x from t cross join generate_series(1, 50) as g (n) where t.i2 <> 0) as q where x is null;

-- facts: 127 37
-- needs: turns duckdb
select id, case when t.id > 0 then case when t.j <> 0 then (select max(u.w / t.j) from u where u.k = t.id) end end as a from t;

-- facts: 127 37
-- needs: turns duckdb
select id, case when t.j <> 0 then exists (select 1 from u where u.k = t.id and u.w / t.j > 0) end as a, case when t.j <> 0 then t.id in (select u.w / t.j from u) end as b from t;

-- facts: 127 37
-- needs: turns duckdb
select id, case when t.j <> 0 then (select max(u.w / t.j) from u where u.k = t.id union all select max(u.w / t.j) from u where u.k < 0 having count(*) > 0) end as a from t;

-- facts: 127 37
-- needs: turns duckdb
select id, case t.j when 0 then -1 else (select max(u.w / t.j) from u where u.k = t.id) end as a from t;

-- facts: 127 37
-- needs: turns duckdb
select id, case when j <> 0 then (select max(u.w / j) as j from u where u.k = id) end as a from t;

-- facts: 127 37
-- needs: turns duckdb
select id, case when t.j <> 0 then (select count(*) from u where u.k = t.id having 10 / t.j > -100) end as a from t;

-- What cannot be asked within does not keep the rest of a condition from it.
-- facts: 127 37
-- needs: turns duckdb
select id, case when t.j <> 0 and t.id in (select k from u) then (select max(u.w / t.j) from u where u.k = t.id) end as a,
    case when t.j = 0 or t.id in (select k from u) then -1 else (select max(u.w / t.j) from u where u.k >= t.id) end as b from t;

-- A column that is named in two ways.
-- facts: 127 37
-- needs: turns duckdb
select id, case when j <> 0 then (select max(u.w) from u where u.k = 10 / t.j) end as a, case when t.j <> 0 then (select max(u.w) from u where u.k = 10 / j) end as b,
    case when j <> 0 then exists (select 1 from u where u.w = 10 / t.j) end as c from t;

-- facts: 127 37
-- needs: turns duckdb
-- needs: lateral redshift
select id, case when j <> 0 then (select u.w / j from u where u.k = t.id order by u.w limit 1) end as a from t;

-- facts: 127 37
select t.id, case when j <> 0 then (select max(u.w) from u where u.k = 10 / t.j) end as a from t join u as o using (grp);
