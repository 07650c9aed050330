-- facts: 61 62
select grp, string_agg(s, ', ' order by id) as strings, string_agg(nullif(s, ''), '|' order by id) as filled from t where id <> 8 group by grp;

-- facts: 64
-- needs: several-orders redshift
select grp, string_agg(s, ', ' order by id) as forth, string_agg(v, '' order by id desc) as back from t where id <> 8 group by grp;

-- facts: 61 63
-- needs: string-aggregate redshift
select grp, string_agg(distinct v, ',' order by v) as d from t group by grp;

-- facts: 63
-- needs: string-aggregate redshift
select string_agg(distinct nullif(s, 'b'), ',' order by nullif(s, 'b') desc) filter (where id <> 1) as d from t where id <> 8;

-- facts: 61 109
select grp, string_agg(v, '/' order by v, id) filter (where b) as only_true from t group by grp;

-- facts: 62
select string_agg(s, ',' order by id) as nothing from t where id > 100;

-- facts: 52 61
select grp, string_agg(v, '\' order by id) as slashes from t group by grp;

-- facts: 57
select id, concat(s, '-', v) as c, concat(grp, i) as d, concat(null, v) as e, concat(v) as f from t;

-- facts: 58
select id, concat_ws('-', grp, s, v) as c, concat_ws('', s, v) as d, concat_ws(', ', nullif(s, ''), i, null, v) as e from t;

-- facts: 59 60
select id, s || v as sv, v || i as vi, i || ' of ' || j as ij, n || '' as amount, d || 'T' as day from t;

-- facts: 61
-- refused: postgres duckdb redshift null
select string_agg(s, null order by id) from t;

-- facts: 61
-- refused: duckdb redshift no literal
select string_agg(s, grp order by id) from t;

-- facts: 61
-- refused: postgres duckdb chooses
-- refused: postgres duckdb redshift
select array_agg(i) from t;

-- facts: 64
-- needs: several-orders redshift
select string_agg(v, ',' order by id) as one, string_agg(v, ',' order by id desc) as other, count(*) as c,
    percentile_cont(0.5) within group (order by j) as middle, percentile_cont(0.5) within group (order by id) as id
from t where id <> 4;

-- facts: 64
-- needs: several-orders redshift
select grp, b, count(*) as c, string_agg(distinct v, ';' order by v) as names, 'n: ' || coalesce(string_agg(v, ',' order by j desc, id), '-') as list,
    sum(j) filter (where b) as s
from t group by 1, b having count(*) > 0 order by grp, 2, 3;

-- facts: 64
-- refused: redshift different orders
select grp from t group by grp having string_agg(v, ',' order by id) <> string_agg(v, ',' order by id desc);

-- What is listed once each is in its own order.
-- facts: 61 63
select grp, string_agg(distinct v, ',') as d from t group by grp;

-- facts: 61 63
select string_agg(distinct v, '; ') filter (where id <> 5) as d from t;

-- facts: 63
select grp, string_agg(distinct 'abc', ',') as a, string_agg(distinct 'abc', ',' order by 'abc') as b from t group by grp;

-- A constant in an order decides nothing.
-- facts: 61
select string_agg(v, ',' order by 'x', id) as a, string_agg(distinct 'z', ',' order by 'z') as b, string_agg(v, '' order by id, 1) filter (where id > 3) as c from t;

-- facts: 61
-- refused: postgres duckdb redshift in which order
-- ties: refused
select string_agg(v, ',' order by 'x') as a from t;
