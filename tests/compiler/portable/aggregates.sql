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
