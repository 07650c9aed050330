-- facts: 143
-- needs: row-comparison duckdb redshift
select id, (grp, j) = ('a', 2) as equal, (grp, j) <> ('a', 2) as other, (grp, j) in (('a', 2), ('b', 1)) as listed, (i, j) not in ((7, 2), (3, null)) as unlisted from t;

-- facts: 143
-- needs: row-comparison postgres redshift
select id, (j, id) > (2, 5) as behind, (j, id) <= (2, 5) as before, (i, j, id) < (3, 7, 7) as low, (v, j) >= ('abc', 2) as high from t;

-- facts: 143
-- needs: row-comparison duckdb
select id, (i2, grp) in (select k, grp from u) as found, (i2, grp) not in (select k, grp from u where grp is not null) as missing from t;

-- facts: 143
-- needs: row-comparison redshift
select id from t where (s, id) in (select v, id from t where id = 4 union all select 'abc', 4 union all select 'abc ', 6);

-- facts: 127
-- needs: lateral redshift
select id, (select u.w from u where u.k = t.id order by u.w desc nulls last limit 1) as latest from t;

-- facts: 127
-- refused: redshift not the next one
select t.id from t where not exists (select 1 from u where u.w > 0 and not exists (select 1 from u as x where x.k = t.id and x.w = u.w));

-- facts: 127
-- refused: redshift in ON of an outer join
select t.id, u.w from t left join u on u.k = t.id and u.w = (select max(x.w) from u as x where x.k = u.k);

-- facts: 127
-- refused: redshift a window function in a subquery
select t.id from t where t.id in (select row_number() over (order by u.w nulls last, u.k) from u where u.k <> t.id);

-- facts: 127
-- refused: redshift grouping by a subquery
select (select count(*) from u where u.k = t.id) as n, count(*) as rows from t group by 1;

-- facts: 127
-- refused: redshift IN with a subquery of aggregates
select t.id from t where t.id in (select count(*) from u group by u.k);

-- facts: 127
select t.id from t where t.id in (select max(u.k) from u group by u.w) and exists (select 1 from (select x.k from u as x where x.k = t.id) as d) and exists (select 1 from u where u.k = t.id and exists (select 1 from u as x where x.w = u.w));

-- facts: 128
-- needs: values redshift
with v (n, word) as (values (1, 'x'), (2, null)) select t.id, v.word from t join v on v.n = t.j;

-- facts: 128
-- needs: values duckdb redshift
with v as (values (1, 2.5), (2, 3)) select column1 + 1 as n, column2 as m from v;

-- facts: 124
-- needs: distinct-on redshift
select distinct on (grp, b) id, grp, b from t order by grp, b, ts desc nulls last, id;

-- facts: 124
-- needs: distinct-on redshift
select grp, last_id from (select distinct on (grp) grp, id as last_id, ts from t where grp is not null order by grp, ts desc, id) as latest where last_id > 1;

-- facts: 124
-- needs: distinct-on redshift
select distinct on (lower(v)) lower(v) as word, id from t order by lower(v), id limit 3;

-- facts: 139
select b, j, count(*) as c, sum(i2) as s, grouping(b) as g from t group by grouping sets ((b, j), (b), ());

-- facts: 139
select b, sum(j) as s from t group by cube (b, j);

-- facts: 140
select id from t order by id limit 3 offset 2;

-- facts: 140
select id from t order by id desc offset 1 rows fetch first 4 rows only;

-- facts: 131
select a.id, b.k from t as a join u as b on a.grp is not distinct from b.grp;

-- facts: 130
select id from t where id = any (select k from u) or j <> all (select k from u);

-- facts: 77
-- needs: similar-to duckdb
select id, s similar to '%b%' as a, s similar to 'abc' as b, v not similar to '(a|A)%' as c, s similar to '_b_' as d, s similar to '%a!_b!%%' escape '!' as e from t;

-- facts: 73 74
-- needs: digest duckdb redshift
select id, encode(sha256(convert_to(s, 'UTF8')), 'hex') as h, md5(v || 'x') as m from t;

-- facts: 83
select id, (regexp_match(s, 'b(.)'))[1] as a, (regexp_match(v, '[0-9]+'))[1] as b from t;

-- facts: 131 143
-- refused: redshift IS DISTINCT FROM of rows
select id, (grp, j) is distinct from ('a', 2) as a from t;
