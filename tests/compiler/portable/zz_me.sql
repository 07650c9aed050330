-- facts: 23
-- refused: duckdb redshift values of jsonb
select id from t where doc::jsonb = '{}';

-- facts: 23
-- refused: duckdb redshift values of jsonb
select count(distinct doc::jsonb) as c from t;

-- facts: 23
-- refused: duckdb redshift values of jsonb
select id, nullif(doc::jsonb, '{}') as c from t;

-- facts: 23
-- refused: duckdb redshift values of jsonb
select id, case doc::jsonb when '{}' then 1 end as c from t;

-- facts: 148
-- refused: duckdb redshift not spelled alike
select id, (doc -> 'a')::text as c from t;

-- facts: 16
select id, tz::time as c from t;

-- facts: 117
-- refused: duckdb a default of a wider type
select id, lag(i, 1, 3000000000) over (order by id) as a from t;

-- facts: 130
select id, r in (1, 2) as a from t;
