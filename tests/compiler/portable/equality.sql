-- facts: 54
-- needs: trailing-blanks redshift
select id, s = 'abc' as is_abc, s <> 'abc' as no_abc, s in ('abc', 'x') as listed, s not in ('abc', 'x') as unlisted, v = s as equal from t;

-- facts: 54
-- needs: trailing-blanks redshift
select s, count(*) as c from t group by s;

-- facts: 54
-- needs: trailing-blanks redshift
select distinct s, v from t;

-- facts: 54
-- needs: trailing-blanks redshift
select count(distinct s) as texts, count(distinct v) as short from t;

-- facts: 54
-- needs: trailing-blanks redshift
select a.id, b.id as other from t as a join t as b on a.s = b.s;

-- facts: 54
-- needs: trailing-blanks redshift
select id, row_number() over (partition by s order by id) as place from t;

-- facts: 54
-- needs: trailing-blanks redshift
select id, case s when 'abc' then 1 when '' then 2 else 3 end as kind, nullif(s, 'abc') as other from t;

-- facts: 54
-- needs: trailing-blanks redshift
select id from t where s in (select v from t where id <> 4);

-- facts: 54
-- needs: trailing-blanks redshift
select id from t where s not in (select v from t where v is not null and id <> 4);

-- facts: 54
select id from t where exists (select 1 from t as o where o.v = t.s);

-- facts: 54
-- needs: trailing-blanks redshift
select s from t union select v from t;

-- facts: 54
-- needs: trailing-blanks redshift
select s from t except select v from t where id <> 4;

-- facts: 54
-- needs: trailing-blanks redshift
select s, j from t intersect select v, j from t where v <> 'abc ';

-- facts: 54
select i2, s from t union select k, grp from u order by 1, 2;

-- facts: 54
-- needs: trailing-blanks redshift
select id, a.s, b.v from t as a join (select id as other, s, v from t) as b using (s);

-- facts: 54 144
-- needs: trailing-blanks redshift
-- needs: using duckdb
select * from (select id, s from t) as a left join (select id as other, v as s from t where id <> 8) as b using (s);

-- facts: 54
-- needs: trailing-blanks redshift
select s, a.id, b.other from (select id, s from t) as a full join (select id as other, v as s from t) as b using (s) where s is not null;

-- facts: 54
select * from (select id as k, grp from t) as a natural join u;

-- facts: 54 144
select id, k, w from t join u using (grp) where id > 0 order by id, k, w;

-- facts: 144
-- needs: using duckdb
select 1 as one, *, a.i + w as sum from (select i, id as k from t) as a join (select w, k from u) as b using (k);

-- facts: 144
select k, a.i, u.w from (select id as k, i from t) as a right join u using (k);

-- facts: 133
-- needs: set-operation-all redshift
select grp from t except all select grp from u;

-- facts: 133
-- needs: set-operation-all redshift
select grp, j from t intersect all select grp, j from t where id <> 2;

-- facts: 133
select i2 from t union select j from t intersect select k from u;

select grp from t union all select grp from u;

select i2 from t except select k from u;

-- facts: 134
-- refused: redshift UNION in a recursive query
with recursive r (n) as (select 1 union select n + 1 from r where n < 5) select n from r;

-- facts: 4 134
-- needs: text-length redshift
with recursive r as (select 1 as n, 'a'::text as path union all select n + 1, path || '>' || n from r where n < 4) select n, path from r;

-- facts: 134
with recursive r (n, path) as (select 1, 'a' union all select n + 1, path || '>' || n from r where n < 4) select n, path from r;

-- facts: 54 130
-- needs: trailing-blanks redshift
select id from t where s = any (select grp from u);

-- facts: 54 139
-- needs: trailing-blanks redshift
select s, b, count(*) as c, grouping(s) as g from t where id in (1, 3, 4, 6) group by rollup (s, b);

-- facts: 54 139
-- needs: trailing-blanks redshift
select coalesce(s, 'all') as s, v, sum(j) as total from t where id in (1, 4, 6, 9) group by cube (s, v);

-- facts: 54 139
-- needs: trailing-blanks redshift
select b, s, v, count(*) as c from t where id in (1, 4, 6, 9) group by b, grouping sets ((s, v), (s), ());

-- facts: 54
-- needs: trailing-blanks redshift
select distinct s, count(*) over (partition by b) as c, row_number() over (partition by id order by j) as place from t where id in (1, 4, 6, 9);

-- facts: 54
-- needs: trailing-blanks redshift
select distinct s, sum(j) over (order by b) as running, max(v) as m from t where id in (1, 4, 6) group by s, j, b order by running, 1, max(v);

-- facts: 54
-- needs: trailing-blanks redshift
select distinct s, count(*) as c from t where id in (1, 4, 6, 9) group by s, id having count(*) > 0 order by count(*), s desc;

-- A literal beside text, on either side.
-- facts: 54
-- needs: trailing-blanks redshift
select id, 'a' in (select u.grp from u) as x, 'a' not in (select u.grp from u where u.grp is not null) as z, 'a ' = any (select u.grp from u) as y,
    'abc ' in (s, 'x') as l, 'a' in ('a ', 'b') as two, nullif('abc ', s) as n, nullif('abc ', 'abc') as m, '2024-02-29' in (select d from t) as day from t where id <> 8;

-- facts: 54 56
-- needs: collation postgres
select id, 'b' between v and 'zz' as a, 'Z' not between v and 'zz' as b, 'abc ' between s and v as c from t where id <> 8;

-- facts: 54 110
-- needs: collation postgres
select percentile_disc(0.5) within group (order by s) || '|' as p, percentile_disc(0.9) within group (order by v desc) as q from t where id in (1, 4, 5, 6);

-- facts: 6 54
select id, c::text as c, length(c::text) as n, c::varchar(2) as short, c::text = 'ab' as same, c::text like 'ab' as alike from w;

-- facts: 6 54
with source as (select * from w), renamed as (select id, c::text as c from source) select c, count(*) as n from renamed group by c;

-- facts: 6
-- refused: postgres duckdb redshift padded with blanks
select c from w;

-- facts: 6
-- refused: postgres duckdb redshift padded with blanks
select * from w;

-- facts: 6
-- refused: postgres duckdb redshift padded with blanks
select id from w where c = 'ab';

-- facts: 6
-- refused: postgres duckdb redshift padded with blanks
select count(*) as n from (select distinct * from w) q;

-- facts: 6
-- refused: postgres duckdb redshift padded with blanks
select count(*) as n from (select * from w except select * from w) q;

-- facts: 12 131
select id, nullif(r, 0.1) as a, nullif(r, 0.5) as b, nullif(0.1, r) as c, nullif(f, r) as e, nullif(r, f) as g,
    case r when 0.1 then 'a' when 0.5 then 'c' when n then 'n' end as h,
    r is distinct from 0.1 as i, r is not distinct from 0.5 as j, r between 0.1 and 0.5 as k from t;

-- facts: 130
-- refused: postgres duckdb redshift real
select id from t where r in (0.1, 0.5);

-- facts: 130
-- refused: postgres duckdb redshift real
select id from t where r = any (array[0.1, 0.5]);

-- facts: 130
-- refused: postgres duckdb redshift real
select id from t where r in (select 0.1);

-- facts: 130
-- refused: postgres duckdb redshift real
select id from t where n not in (select r from t);

-- facts: 143
-- refused: duckdb redshift real
select id from t where (r, id) in (select 0.1, 1);

-- facts: 143
select id from t where (r, id) in ((0.1, 1), (0.5, 6));

-- facts: 144
-- refused: postgres duckdb redshift real
select t.id from t join (select 0.1 as r) x using (r);

-- facts: 144
select a.id, b.id as other from t as a join t as b using (r);

-- facts: 130
select id from t where r in (select r from t where id > 3);

-- facts: 54
select distinct 'b' as a, grp from t;

-- facts: 54
select distinct 1.5 as a, null as b, true as c, -1 as e, grp from t;

-- facts: 54
select distinct s, 5 as x from t;

-- facts: 54
select distinct 'a' as x from t;

-- facts: 54
select 'a' as x, grp, count(*) as c from t group by x, grp;

-- facts: 54
select 'a' as x, grp, count(*) as c from t group by 1, 2;

-- facts: 54 115
select 'a' as x, grp, sum(count(*)) over (order by grp) as c from t group by 1, 2;

-- facts: 54 64
select 'a' as x, grp, string_agg(s, ',' order by id) as c, string_agg(s, ',' order by id desc) as e from t group by 1, 2;

-- facts: 54
select id from t where s in (select v from t as o where o.id < t.id);

-- facts: 54
select id from t where s not in (select o.v from t as o where o.v is not null union select 'abc');

-- facts: 130
select id, r in (1, 2) as a from t;

-- facts: 14
-- What is looked for is found by a running aggregate, which takes a SELECT in two levels.
select id from t where s in (select min(s) over (order by d) from t) or v in (select max(v) over (partition by grp order by d) as m from t)
    or s not in (select case when sum(j) over (order by id) > 3 then v else 'abc' end from t where v is not null);

-- facts: 6
-- refused: postgres duckdb redshift char
select a.id from w as a join w as o using (c);

-- Set operations whose sides are set operations in parentheses.
-- facts: 54
(select s from t where id <> 8 union select v from t) except select grp from u;

-- facts: 54
select s from t where id <> 8 except (select v from t union all select grp from u);

-- facts: 54
select grp from t intersect all (select grp from u union all select v from t);
