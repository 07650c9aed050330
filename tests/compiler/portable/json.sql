-- facts: 145 146
-- needs: json-path duckdb
select id, doc -> 'a' ->> 'b' as b, doc ->> 'text' as t, doc #>> '{a,b}' as p, doc -> 'list' ->> 0 as f, doc ->> 'zz' as none, (doc ->> 'flag')::boolean as flag, doc ->> 'empty' as empty from t where id not in (6, 7);

-- facts: 145
-- needs: json-path redshift
select id, doc -> 'a' ->> 'b' as b, doc ->> 'text' as t, doc ->> 'empty' as e from t where id not in (6, 7);

-- facts: 147
-- needs: json-path redshift
select id, doc ->> 'Mixed' as m, (doc ->> 'Mixed')::integer as n, doc ->> 'mixed' as other, doc ->> 'MIXED' as none, doc #>> '{Mixed}' as p from t;

-- facts: 145 146 147
-- needs: json-path redshift
select k, payload ->> 'betId' as id, payload ->> 'betid' as low, payload -> 'Shop' ->> 'Name' as shop, (payload ->> 'stakeAmount')::numeric(12,2) as stake,
    payload ->> 'isVoid' as void, payload -> 'Legs' -> 0 ->> 'oddsType' as odds, payload -> 'Legs' -> 5 ->> 'oddsType' as none,
    (payload ->> 'placedAt')::timestamp as placed, payload #>> '{Shop,Till,No}' as till
from (select k, case k when 1 then '{"betId": "B1", "betid": "x", "Shop": {"Name": "Käse \"9\" ", "Till": {"No": 7}}, "stakeAmount": 2.50, "isVoid": false,
        "Legs": [{"oddsType": "dec"}], "placedAt": "2024-02-29 10:00:00"}'
    when 2 then '{"betId": "", "Shop": {"Name": null}, "stakeAmount": "1.25", "isVoid": null, "Legs": []}'
    when 3 then '{"betId": "null", "Shop": {"Name": "\"betId\":\"z\""}, "stakeAmount": null, "Legs": [{"x": 1}]}'
    else '{"a": {"betId": 1}}' end::json as payload from u) as x;

-- facts: 147
-- fails: duckdb redshift ->> 'odds' gives what is spelled otherwise
select id, ('{"Odds": 2.50}'::json) ->> 'Odds' as odds from t where id = 1;

-- facts: 147
-- refused: redshift capitals
select doc -> 'Mixed' as m from t;

-- facts: 23
select x.doc ->> 'text' as t from (select doc from t where id = 1 union all select '{"text": "é"}'::json) as x;

-- facts: 149
-- refused: postgres duckdb redshift json_build_object
select json_build_object('a', id) from t;

-- facts: 145 148
-- needs: json-path duckdb
select id, (doc -> 'a' ->> 'b')::numeric(10,2) as number, (doc #>> '{a,b}')::double precision as binary from t where id in (1, 2, 5, 6, 10);

-- facts: 145 148
-- fails: invalid input syntax
select id, (doc -> 'a' ->> 'b')::integer as number from t where id = 4;

-- facts: 145
-- fails: duckdb redshift ->> 'b' gives what is spelled otherwise
select id, doc -> 'a' ->> 'b' as number from t where id = 6;

-- facts: 145
-- fails: duckdb redshift spelled otherwise
select id, doc ->> 'a' as object from t where id = 1;

-- facts: 146
-- refused: redshift a null of JSON
select id, doc -> 'text' is null as a, coalesce(doc -> 'a', doc) is null as b from t;

-- facts: 23
select id, doc::jsonb ->> 'text' as a from t;

-- facts: 145
-- needs: json-path postgres
select x.doc ->> 'n' as n, x.doc ->> 'z' as z, x.doc -> 'l' ->> 0 as l, x.doc -> 'z' ->> 0 as none, x.doc ->> 'Z' as big
from (values ('{"n": 12345678901234567, "z": 0, "l": [-3]}'::json), ('{"n": "-0", "z": -1, "l": {"0": 1}}'), ('{"n": -0, "z": "1e3", "l": [-0], "Z": -0}')) as x (doc);

-- A whole number has one spelling; DuckDB keeps those with an exponent as binary floats.
-- facts: 145
-- needs: json-path duckdb
-- fails: duckdb spelled otherwise
select x.doc ->> 'n' as n, x.doc #>> '{n}' as p from (values ('{"n": 1e3}'::json)) as x (doc);

-- facts: 145
-- needs: json-path duckdb
-- fails: duckdb redshift spelled otherwise
select x.doc ->> 'n' as n from (values ('{"n": 1.0}'::jsonb)) as x (doc);

-- facts: 145
-- fails: duckdb redshift spelled otherwise
select x.doc ->> 'n' as n from (values ('{"n": 123456789012345678901234567890}'::json)) as x (doc);

-- facts: 145 148
-- needs: json-path duckdb
select (x.doc ->> 'n')::numeric(10,2) as n, (x.doc ->> 'n')::double precision as f
from (values ('{"n": 1e3}'::json), ('{"n": 1E+2}'), ('{"n": -0.0}'), ('{"n": -1.50}'), ('{"n": "2.50"}')) as x (doc) where (x.doc ->> 'n')::double precision <> 0 or x.doc ->> 'm' is null;

-- facts: 145 148
-- needs: json-path duckdb
-- fails: duckdb spelled otherwise
-- fails: postgres redshift out of range
select (x.doc ->> 'n')::double precision as n from (values ('{"n": 1e400}'::json)) as x (doc);

-- Redshift reads no document with a key twice, PostgreSQL takes the last value, DuckDB would take the first.
-- facts: 145
-- needs: json-path duckdb
-- fails: duckdb redshift json
select x.doc ->> 'a' as a from (values ('{"a": 1, "b": 0, "\u0061": 2}'::json)) as x (doc);

-- facts: 145
-- refused: redshift from the end
select x.doc -> 'l' ->> -1 as l from (values ('{"l": [1, -0]}'::json), ('{"l": [0]}'), ('{"l": ["0", "-0"]}')) as x (doc);

-- facts: 145
-- refused: duckdb redshift literal
select doc #>> '{list,0}' from t;

-- facts: 145
-- refused: duckdb star
select doc ->> 'a*' from t;

-- A single value is no list.
-- facts: 145
-- needs: json-path postgres
select x.doc -> 'a' ->> 0 as a, x.doc -> 'l' ->> 0 as l, x.doc -> 'l' -> 0 ->> 'k' as k, x.doc ->> 'z' as z
from (values ('{"a": 5, "l": [{"k": "v"}], "z": -0}'::jsonb), ('{"a": "x", "l": ["y", 1], "z": 0}')) as x (doc) where x.doc ->> 'a' = 'x';

-- facts: 145
-- needs: json-path postgres duckdb redshift
select id, json_array_length(doc -> 'list') as legs, coalesce(json_array_length(doc -> 'text'), -1) as none from t where id in (1, 2, 4, 5, 8, 9) and doc ->> 'text' is null or id = 2;

-- facts: 145
-- fails: cannot get array length
select id, json_array_length(doc -> 'a') as legs from t where id = 4;

-- facts: 145
-- needs: json-path duckdb
-- fails: duckdb redshift json
select x.doc -> 'a' ->> 'b' as b from (values ('{"a": {"b": 1}, "a": {"b": 2}}'::json)) as x (doc);

-- facts: 145
-- needs: json-path duckdb
-- fails: duckdb redshift json
select (x.doc -> 'a' -> 0 ->> 'b')::integer as b, (x.doc -> 'a' -> 0 ->> 'b')::numeric(5,1) as n from (values ('{"a": [{"b": 1, "c": 0, "b": 2}]}'::jsonb)) as x (doc);

-- facts: 145
-- needs: json-path duckdb
-- fails: duckdb redshift json
select x.n from (select (x.doc -> 'a' ->> 'b')::boolean as n from (values ('{"a": {"b": true, "b": false}}'::json)) as x (doc)) as x;

-- facts: 145
-- fails: duckdb redshift json
select json_array_length(x.doc -> 'l') as n from (values ('{"l": [1], "l": []}'::json)) as x (doc);

-- The same key in other objects.
-- facts: 145
select x.doc -> 'c' ->> 'b' as b, (x.doc -> 'a' ->> 'b')::integer as n
from (values ('{"a": {"b": 1}, "c": {"b": "\u0061 \"b\": ", "a": {"b": 3}}, "b": {"b": {"b": 0}}}'::json)) as x (doc);

-- facts: 23
-- refused: postgres duckdb redshift does not compare values of json
select distinct doc from t;

-- facts: 23
-- refused: postgres duckdb redshift does not compare values of json
select count(distinct doc) as c from t;

-- facts: 23
-- refused: postgres duckdb redshift does not compare values of json
select id from t order by doc;

-- facts: 23
-- refused: postgres duckdb redshift does not compare values of json
select max(id) as x from t group by doc;

-- facts: 23
-- refused: postgres duckdb redshift does not compare values of json
select count(*) as x from (select doc from t union select doc from t) as q;

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
