-- facts: 145 146
-- needs: json-path duckdb
select id, doc -> 'a' ->> 'b' as b, doc ->> 'text' as t, doc #>> '{a,b}' as p, doc -> 'list' ->> 0 as f, doc ->> 'zz' as none, (doc ->> 'flag')::boolean as flag, doc ->> 'empty' as empty from t where id not in (6, 7);

-- facts: 145
-- needs: json-path redshift
select id, doc -> 'a' ->> 'b' as b, doc ->> 'text' as t, doc ->> 'empty' as e from t where id not in (6, 7);

-- facts: 147
-- refused: redshift capitals
select doc ->> 'Mixed' as m from t;

-- facts: 23
select x.doc ->> 'text' as t from (select doc from t where id = 1 union all select '{"text": "é"}'::json) as x;

-- facts: 149
-- refused: postgres duckdb redshift json_build_object
select json_build_object('a', id) from t;
