-- facts: 124 125
-- needs: distinct-on redshift
select distinct on (grp) grp, id, j from t order by grp, j desc, id;

-- facts: 124
-- needs: distinct-on redshift
-- ties: no two rows of a k have one moment
select distinct on (k) k as key, * from u order by k, moment desc, w;

-- facts: 124
-- refused: postgres duckdb redshift which row
select distinct on (grp) grp, id from t;

-- facts: 126
-- needs: lateral redshift
select t.id, x.k, x.w from t left join lateral (select u.k, u.w from u where u.grp = t.grp and u.k < 10 order by u.w desc, u.k limit 2) as x on true;

-- facts: 126
-- needs: lateral redshift
select t.id, x.m from t cross join lateral (select max(w) as m from u where u.grp = t.grp) as x;

-- facts: 126
select t.id, x.k, x.w from t cross join lateral (select k, w from u where u.grp = t.grp order by w desc, k limit 1) as x;

-- facts: 128
-- needs: values redshift
select v.a, v.b, t.id from (values (1, 'x'), (2, null)) as v (a, b) left join t on t.id = v.a;

-- facts: 128
-- needs: values duckdb redshift
select column1 + 1 as n, column2 as c from (values (1, 'x'), (2, null)) as v;

-- facts: 130
select id, i = any (array[3, 7]) as a, j <> all (array[1, 2]) as b, id = any (select k from u) as c from t;

-- facts: 131
-- needs: distinct-from redshift
select id, i is distinct from j as d, s is not distinct from v as n from t;

-- facts: 133
-- needs: set-operation-all redshift
select grp from t except all select grp from u;

-- facts: 134
with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select n from r;

-- facts: 135 136
with a as materialized (select id, j from t), b as (with c as (select * from a) select id from c where j > 1) select a.id from a join b on a.id = b.id;

-- facts: 127
select id, (select max(u.w) from u where u.grp = t.grp) as m, exists (select 1 from u where u.k = t.id) as e, id not in (select k from u where k is not null) as n from t;

-- facts: 143
select id from t where (id, j) = (1, 2) or (id, j) in ((6, 7), (8, 1));

-- facts: 140
select id from t order by id desc fetch first 2 rows only;

-- facts: 140
-- refused: postgres duckdb redshift TIES
select id from t order by grp fetch first 2 rows with ties;

-- facts: 144
select t.id, u.k from t full join u on t.id = u.k left join u as w on w.k = t.j and (w.w > 5 or w.w is null);

-- facts: 48
select id, not (i = j) as a, (i < j) = (j < 3) as b, i + j * 2 - 3 as c, i < 3 and j > 1 or b as d, - (i + j) as e from t where id not in (4, 7);

-- facts: 142
-- refused: duckdb redshift FOR UPDATE
select id from t for update;

-- facts: 129
select x.v from unnest(array[3, 1, 2]) as x (v);

-- facts: 53 170
select id as "Mixed Case", j as "select", i as Plain from t;

-- facts: 53 170
select q."Mixed Case" + 1 as n from (select id as "Mixed Case" from t) as q;

-- facts: 138
select x.id from (select id from t where j > 2) as x;

-- facts: 141
-- refused: postgres duckdb redshift FROM
select id from t tablesample bernoulli (10);

-- facts: 171
select id as "tag", j as "open", i as "delta", n as type, m as "user" from t;

-- A week of an analyst.
-- facts: 36 40 54 88 109 123
with orders as (
    select id, grp as customer, n as amount, ts as ordered_at, lower(trim(s)) as email, v from t where id <> 7
),
monthly as (
    select date_trunc('month', ordered_at)::date as month, customer, count(*) as orders, sum(amount) as total, avg(amount) as mean,
        count(*) filter (where amount > 1) as large, round(100.0 * sum(amount) / nullif(count(*), 0), 2) as share,
        min(ordered_at) as first_at, count(distinct email) as emails
    from orders where ordered_at is not null group by 1, 2 having count(*) >= 1
)
select month, customer, orders, total, mean, large, share, emails,
    sum(total) over (partition by customer order by month rows between unbounded preceding and current row) as running,
    lag(total) over (partition by customer order by month) as before, coalesce(nullif(customer, ''), 'n/a') as shown,
    rank() over (order by total desc nulls last, customer) as place, to_char(month, 'YYYY-MM') as label,
    extract(epoch from first_at - timestamp '2020-01-01') / 3600 as hours
from monthly order by month desc, customer nulls first, total;

-- facts: 124
-- needs: distinct-on redshift
select distinct on (grp) grp, id from t order by 1, 2 desc;

-- facts: 124
select distinct on (grp) grp, -id as id from t order by grp, id;

-- facts: 124
select distinct on (grp) grp, -id as neg from t order by grp, neg;

-- facts: 48
select date_trunc('month', ts)::date as month, count(*) as c, grp as g from t group by month, g order by month, g;

-- facts: 144
select t.grp, k from t join u using (grp) order by grp, k, id;

-- facts: 144
select grp, count(*) as c from t join u using (grp) group by grp order by grp;

-- facts: 54
select 'abc ' = 'abc' as a, id from t where id = 1;

-- Literals are text too.
-- facts: 54
-- needs: trailing-blanks redshift
select 'a ' as a union select 'a' union select 'a ' order by a;

-- facts: 117
-- refused: duckdb wider type
select id, lag(i, 1, n) over (order by id) as l from t;

-- facts: 117
-- refused: duckdb wider type
select id, lead(d, 1, ts) over (order by id) as l from t;

-- facts: 117
select id, lag(n, 1, 0) over (order by id) as l, lead(i2, 1, -1) over (order by id) as m, lag(s, 2, 'none') over (order by id) as s, lag(ts, 1, d) over (order by id) as t,
    nullif(i, r) as r, nullif(n, f) as f
from t where id in (1, 2, 5, 6);

-- facts: 140
-- refused: postgres duckdb redshift chooses
select id from t limit 3;

-- facts: 140
-- refused: postgres duckdb redshift chooses
select (select id from t where grp = 'a' offset 1) as k;

-- facts: 140
-- ties: a group has one id
select max(id) as m, (select 1 from u limit 1) as one from t group by t.id order by m limit 3;

-- facts: 118
-- refused: postgres duckdb redshift chooses
select id, row_number() over (partition by grp) as r from t;

-- facts: 118
-- refused: postgres duckdb redshift chooses
select id, sum(i8) over (rows between 1 preceding and current row) as r, first_value(id) over w as f from t window w as (partition by grp);

-- facts: 118 121
select id, rank() over () as r, count(*) over (partition by grp) as c, max(i) over () as m from t;

-- facts: 126
-- refused: postgres duckdb redshift chooses
select u.k, x.id from u left join lateral (select id from t where t.grp = u.grp limit 1) as x on true;

-- facts: 126
-- needs: lateral redshift
select t.id, x.c, x.total, least as low, x.names, coalesce(x.c, -1) as again
from t left join lateral (select count(*) as c, coalesce(sum(u.w), 0) as total, min(w) as least, string_agg(u.grp, ',' order by u.k) as names
    from u where u.grp = t.grp and u.w > 0) as x on true;

-- facts: 126
-- needs: lateral redshift
select id, net, x.share, doubled + 1 as more from t cross join lateral (select i2 - j as net, round(n / nullif(m, 0), 4) as share) as x
    cross join lateral (select x.net * 2) as y (doubled) where net > -100 order by y.doubled, id;

-- facts: 126 128
-- needs: lateral redshift
-- ties: no kind is twice in one row
select t.id, v.kind, v.amount, sum(v.amount) over (partition by t.grp, v.kind order by t.id rows unbounded preceding) as running
from t cross join lateral (values ('i', t.i), ('j', t.j), ('fixed ', 3)) as v (kind, amount) where t.id <> 7;

-- facts: 126
-- needs: lateral redshift
select v.kind, sum(v.amount) as total, count(*) as c from t, lateral (values ('n', t.n), ('m', t.m)) as v (kind, amount) where t.id <> 4 group by v.kind;

-- facts: 126
-- needs: lateral redshift
select * from (select id, j from t where id < 4) as a left join lateral (select count(*) as c, max(w) as m from u where u.k = a.id) as x on true;

-- facts: 126
-- needs: lateral redshift
select t.id, 10 - x.net as net from t cross join lateral (select i2 as net) as x where i2 is not null order by net, t.id;

-- facts: 126
-- needs: lateral redshift
select t.id, x.c from t cross join lateral (select count(*) as c from u where u.k < t.id) as x;

-- facts: 124 125
-- needs: distinct-on redshift
select distinct on (grp) grp, count(*) as c from t group by grp, b order by grp, count(*) desc, b;

-- facts: 170
-- refused: duckdb redshift differ in case only
select "Id", "id" from (select id as "Id", j as "id" from t) as q;

-- facts: 171
select id as "wallet", i as encode, j as "sysdate" from t order by wallet;

-- facts: 171
select wallet, "sysdate" from (select id as "wallet", j as "sysdate" from t) as q order by wallet;

-- VALUES as a query with an order, and limits that limit nothing.
-- facts: 123
values (1, 'b '), (3, null), (2, 'b'), (null, 'B') order by 2 desc, 1;

-- facts: 123
values (1, 'a'), (2, 'b'), (null, 'c') order by column1 desc, column2 limit 2;

-- facts: 123
select id from t order by id limit null offset 8;

-- facts: 134
-- refused: duckdb redshift more digits behind the point than its first rows
with recursive r (n, f) as (select 1, 1.5 union all select n + 1, f * 1.5 from r where n < 5) select n, f from r;

-- facts: 134
with recursive r (n, f) as (select 1, 1.5::numeric(12,6) union all select n + 1, (f * 1.5)::numeric(12,6) from r where n < 5) select n, f from r;

-- Columns that several joins have in common.
-- facts: 144
select grp, t.id, u.k, x.id as xid from t full join u using (grp) full join t as x using (grp);

-- facts: 144
select x.grp, t.id, u.k, x.id as xid from t full join u using (grp) left join t as x using (grp) where grp is not null;

-- facts: 170
select GRÖSSE from (select id as "grÖsse" from t) as q;

-- facts: 170
-- refused: duckdb redshift differ in case only
with "A" as (select 1 as x), a as (select 2 as x) select "A".x, a.x as y from "A", a;

-- facts: 124
-- refused: postgres duckdb redshift does not begin with the keys
select distinct on (grp) grp, id from t order by id;

-- facts: 124
select distinct on (t.grp, "id") grp, id from t order by id, 1, j;

-- facts: 91
-- needs: product duckdb
select extract(year from d) as x from t union all select m from t union select n from t order by x;

-- A column of a recursive query has the type of its first rows, with precision, scale and length.
-- facts: 134
-- refused: postgres duckdb redshift column 'f' of the recursive query is numeric(10,2) in its first rows
with recursive r (n, f) as (select 1, 1.5::numeric(10,2) union all select n + 1, f * 1 from r where n < 5) select n, f from r;

-- facts: 134
-- refused: postgres duckdb redshift column 's' of the recursive query is character varying(5) in its first rows
with recursive r (n, s) as (select 1, 'a'::varchar(5) union all select n + 1, s || 'b' from r where n < 5) select n from r;

-- facts: 134
-- refused: postgres duckdb redshift column 'd' of the recursive query is date in its first rows
with recursive r (n, d) as (select 1, date '2024-01-01' union all select n + 1, d + interval '1 day' from r where n < 5) select n, d from r;

-- facts: 134
with recursive r (n, x, m, v, d) as (
    select id, nullif(n, 0), coalesce(n, n), v, d from t where id = 1
    union all
    select n + 1, x, m, v, d + 1 from r where n < 5)
select n, x, m, v, d from r;

-- Two literals are text as soon as one stands below the other.
-- facts: 133
-- refused: postgres duckdb redshift text on one side
select null as x union all select null union all select 3;

-- facts: 133
select null as x union all (select null union all select 3);

-- A name of the list is known outside of it only.
-- facts: 137
select id from t where exists (select u.w as i from u where i > 3 and u.k = t.id);

-- facts: 137
select id, (select count(*) from (select u.grp, count(*) as j from u group by u.grp having j > 1) as x) as n from t;

-- facts: 137
select id, (select max(q) from (select u.w as j, j + 1 as q from u where u.k = t.id) as x) as n from t;

-- facts: 137
select id, (select max(q) from (select u.w as j, count(*) as q from u where u.k >= t.id group by j) as x) as n from t;

-- facts: 137
select k, count(*) as k from u group by k having k > 2;

-- facts: 137
-- refused: duckdb redshift of the row outside
select t.id from t full join u using (grp) where exists (select 1 as grp from (select k from u) as y where grp = 'a' and y.k = t.id);

-- facts: 170
-- refused: duckdb redshift two queries whose names differ in case only
with "A" as (select 1 as x) select q.x from (with a as (select 2 as x) select "A".x from "A") as q;

-- facts: 170
-- refused: duckdb redshift a relation and a query whose names differ in case only
with "T" as (select 1 as x) select count(*) as c from t;

-- facts: 170
-- refused: duckdb redshift two entries of FROM whose names differ in case only
select "T".id, t.id as other from t as "T" join t as t on t.id = "T".id + 1;

-- facts: 170
-- refused: duckdb redshift two entries of FROM whose names differ in case only
select (select max("T".i) from t where t.id = 1) as x from t as "T";

-- facts: 170
select q.x, "U".k from (with a as (select 2 as x) select a.x from a) as q, u as "U";

-- facts: 170
-- refused: duckdb redshift column 'id' of the row outside where a query within has 'ID'
select t.id from t where exists (select 1 from (select k as "ID" from u) as x where x."ID" = id);

-- facts: 170
-- refused: duckdb redshift column 'id' of the row outside where a query within has 'Id'
select t.id, (select max(a.grp) from (select id as "Id", grp from t) as a where id = 2) as m from t;

-- facts: 170
select t.id, (select max(a.grp) from (select id as "Id", grp from t) as a where t.id = 2) as m from t;

-- Letters beyond ASCII are told apart, but nobody knows that of Redshift.
-- facts: 170
-- refused: redshift differ in case only
select "Ä", "ä" from (select 1 as "Ä", 2 as "ä") as x;

-- facts: 124
select distinct on (upper(t.grp)) id, t.grp from t order by upper(grp) nulls last, id;

-- facts: 124
select distinct on (grp::text) id, grp from t order by cast("grp" as text) nulls last, id;

-- facts: 124
select distinct on ((grp)) id, grp from t order by grp nulls last, id;

-- facts: 124
select distinct on (a.id) a.id, b.i from t as a join t as b on b.id < a.id order by id, b.id;

-- facts: 124
-- refused: postgres duckdb redshift does not begin with the keys
select distinct on (a.id) a.id from t as a join t as b on b.id = a.id order by b.id, a.id;

-- facts: 124
-- ties: it is refused
-- refused: postgres duckdb redshift does not begin with the keys
select distinct on (b.id) a.id from t as a join t as b on b.id > a.id order by id, b.id;

-- A key that others take for a column whose name differs in case.
-- facts: 170
-- refused: duckdb redshift which may be a column of FROM without regard to case
select upper(v) as "V", max(id) as m from t group by "V";

-- facts: 170
select upper(v) as "V", max(id) as m from t group by 1;

-- facts: 170
select grp as "Grp", max(id) as m from (select id, grp from t) as x group by 1;

-- facts: 170
-- refused: duckdb redshift beside a column 'ID' of the list
select id * -1 as "ID" from t order by id limit 3;

-- facts: 170
select id * -1 as "ID" from t order by t.id limit 3;

-- facts: 170
select id * -1 as "ID" from t order by "ID" limit 3;

-- The columns in common stand in the order of the left.
-- facts: 144
select * from (select id, j from t) as a natural join (select j, id, grp from t) as b union all select 1, 2, 'x';

-- facts: 144
select * from (select id, s from t) as a natural left join (select v as s, id from t) as b;

-- The columns in common have the type of both.
-- facts: 144
-- needs: using duckdb
select k + 2147483647 as x from (select j as k from t) as a join (select k::bigint as k from u) as b using (k);

-- facts: 144
-- needs: using duckdb
-- refused: redshift not spelled alike
select d::text as x, a.id from (select id, d from t) as a join (select d::timestamp as d from t) as b using (d);

-- facts: 144
select max(d) as m, count(*) as c from (select d from t) as a left join (select d::timestamp as d from t) as b using (d);

-- facts: 144
select *, k as again from (select j as k, id from t) as a right join (select k::bigint as k, w from u) as b using (k);

-- facts: 124
select grp, min(s) from t group by grp order by "min", grp;

-- facts: 170
select "positional" + 1 as x, "summarize" from (select id as "positional", j as "summarize" from t) as z;

-- facts: 144
select id, k, w from (select id from t where id < 4) as a join (select k::bigint as id, w from u) as b using (id) full join (select (id + 1)::bigint as id, j as k from t) as c using (id);

-- facts: 144
select id, k, w, id + 2147483647 as x from (select id from t where id < 4) as a join (select k::bigint as id, w from u) as b using (id) right join (select (id + 1)::bigint as id, j as k from t) as c using (id);

-- facts: 144
select *, id as again from (select (id + 1)::bigint as id, j from t) as c left join ((select id from t where id < 4) as a join (select k::bigint as id, w from u) as b using (id)) using (id);
