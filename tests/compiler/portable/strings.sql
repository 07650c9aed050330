-- facts: 52
-- needs: backslash redshift
select id, s || '\x' as joined, 'it''s \\' as two, E'a\tb' as tab, $$x'y$$ as dollar from t where s = 'it''s a_b%c\d' or id = 1;

-- facts: 57 58
-- needs: concat redshift
select id, concat(s, '-', v, j) as c, concat_ws(', ', grp, v, j) as w from t;

-- facts: 59
select id, s || v as j from t;

-- facts: 65 66
-- needs: substring duckdb
select id, substring(s, 0, 3) as a, substr(s, -1) as b, substring(s from 2 for 3) as c, substring(s, j) as d, substr(s, j, 2) as e from t;

-- facts: 67
select id, left(s, 2) as l, right(s, 2) as r, left(s, -2) as ml, right(s, -2) as mr from t;

-- facts: 68
select id, split_part(s, ' ', 1) as a, split_part(s, 'b', 2) as b, split_part(s, 'zz', 3) as c from t;

-- facts: 69
-- needs: pad duckdb
select id, lpad(v, 6) as l, rpad(v, 2) as r, lpad(v, 5, 'xy') as x from t;

-- facts: 70
-- needs: initcap postgres duckdb
select id, initcap(s) as i, initcap('it''s ' || v) as a, initcap('two words, 3x oNE') as l from t;

-- facts: 70
select id, upper(v) as u, lower(v) as l, length(s) as n, char_length(v) as c, octet_length(s) as o, trim(s) as t, btrim(v, 'ab') as b, ltrim(v, 'a') as x,
    trim(trailing 'c' from v) as y, replace(s, 'b', 'xx') as r, reverse(v) as z, repeat(v, 2) as w, translate(v, 'ab', 'x') as q, strpos(s, 'b') as p,
    position('c' in s) as k, ascii(v) as a, chr(97) as h, md5(v) as m
from t;

-- The blank before the letters is one that does not break lines.
-- facts: 70
-- needs: trim duckdb
select id, trim(' ' || s || ' ') as t, btrim(' ' || v) as b, ltrim(' ' || v) as l, rtrim(v || ' ') as r, trim(leading ' ' from ' ' || s) as n from t;

-- facts: 71
-- needs: format duckdb redshift
select id, format('%s: %s%%', v, j) as f from t;

-- facts: 72
-- needs: hexadecimal duckdb redshift
select id, to_hex(i) as h from t where id <> 3;

-- facts: 75
-- needs: case-folding redshift
select id, s ilike '%ÜNÏ%' as u, v ilike 'abc' as v, 'É' || v ilike 'é%' as e from t;

-- facts: 76 55
-- needs: like-escape duckdb
select id, s like '%a\_b%' as e, s like 'abc%' as p, s not like '%\%%' as n, v like s as o from t;

-- facts: 78 79
select id, s ~ '^[a-c]+$' as m, s ~* 'ABC' as i, s !~ 'b' as n, v !~* 'B' as k, s ~ '\d' as d, s ~ 'a.b' as p from t;

-- facts: 78
-- refused: duckdb redshift reference
select s ~ '(a)\1' from t;

-- facts: 80 81
-- needs: regexp-replace redshift
select id, regexp_replace(s, '^(a)(b)', '\2\1') as f, regexp_replace(s, '[aeiou]', '#', 'g') as g from t;

-- facts: 80
-- needs: regexp-replace redshift
select id, regexp_replace(s, '[aeiou]', '#') as f, regexp_replace(s || 'a1b22', '([a-z])([0-9]+)', '<\2\1>') as g, regexp_replace(v, '[b-z]+$', '', 'i') as h, regexp_replace(s, '(漢|é).', '') as i from t;

-- facts: 80
-- refused: redshift may be empty
select id, regexp_replace(s, 'a*', '#') as f from t;

-- facts: 82
-- needs: substring-pattern duckdb redshift
select id, substring(s from '[b-d]+') as p, substring(s from 'a(b)') as g from t;

-- facts: 83
-- needs: regexp-count duckdb
select id, regexp_count(s, '[ab]') as c from t;

-- facts: 73
select starts_with(s, 'ab') as w, md5(s) as m from t;

-- facts: 56
-- needs: collation postgres
select id, v, v < 'abc' as l, v between 'A' and 'b' as b from t order by v desc, id;

-- facts: 56
-- needs: collation postgres
select distinct v from t order by v;

-- facts: 56
-- needs: collation postgres
select v as x from t where id < 6 union all select s from t where id = 5 order by 1;

-- facts: 56
-- needs: collation postgres
select upper(v) as word, count(*) as c from t group by 1 order by word desc;

-- facts: 74
-- refused: postgres duckdb redshift encode
select encode(s::bytea, 'hex') from t;

-- facts: 77
-- refused: postgres duckdb redshift SIMILAR
select s similar to '[[:alpha:]]%' from t;

-- facts: 79
select id, regexp_replace('Zoë' || s, '[^[:alpha:] ]', '', 'g') as a, 'zoë' ~ '^[[:alpha:]]+$' as b, s ~ '[[:upper:]][[:digit:][:space:]]' as c from t;

-- facts: 71
-- refused: duckdb redshift boolean
select format('%s', b) from t;

-- Letters whose other case is not one letter.
-- facts: 70
-- needs: letter-case postgres duckdb
select x.s, upper(x.s) as u, lower(x.s) as l, initcap(x.s) as i, upper('é' || x.s) as e
from (values ('Straße ŉ ﬁ ΐ'), ('İSTANBUL ΟΔΥΣΣΕΥΣ'), ('ᾳ ῲ ﬗ ẞ ǆ'), (''), (null)) as x (s);

-- facts: 75
-- needs: case-folding postgres redshift
select x.s, x.s ilike 'i%' as i, x.s ilike '%ας' as f, x.s ilike '%ασ' as m, x.s not ilike '%K%' as k
from (values ('İ'), ('ΑΣ'), ('K'), ('ſ')) as x (s);

-- facts: 75
-- refused: postgres duckdb redshift escape character
select s ilike 'axb' escape 'X' from t;

-- A mark belongs to the letter before it, an emoji has several characters.
-- facts: 70 67
-- needs: reverse duckdb
select x.s, reverse(x.s) as r, left(x.s, 1) as l, right(x.s, 2) as e, length(x.s) as n, substring(x.s, 2, 2) as p, lpad(x.s, 5, '👍') as d
from (values ('éx'), ('👍🏽b'), ('👨‍👩‍👧 z'), ('🇩🇪'), (''), (null)) as x (s);

-- facts: 68
-- needs: split-part duckdb redshift
select id, split_part(v || 'xy', s, 1) as a, split_part(v || 'xy', s, 2) as b from t;

-- facts: 68
-- refused: postgres duckdb redshift empty delimiter
select split_part(s, '', 1) from t;

-- facts: 69
-- refused: postgres duckdb redshift pad with nothing
select lpad(s, 5, '') from t;

-- facts: 66
select id, substring(s, j, nullif(i, 7)) as a, substring(s, 0, nullif(i, 7)) as b from t where coalesce(i, 0) between 0 and 9;

-- Classes hold what is of ASCII, whatever the locale says; a point takes a line break, the end is that of the text.
-- facts: 78
-- needs: pattern postgres duckdb
select x.s, x.s ~ '^\w+$' as w, x.s ~ '\s' as sp, x.s ~ '^[[:alpha:]]+$' as a, x.s ~ '[[:space:]]x' as b, x.s ~ '\d' as d, x.s ~ '[[:punct:]]' as p, x.s ~ '^\S+$' as n,
    x.s ~ '^a.b$' as any, x.s ~ 'b$' as last, x.s ~ '[\w-]x' as h
from (values ('é'), (E'a\u00a0x'), (E'\u0661'), (E'a\nb'), (E'a\nb\n'), (E'\u000bx'), ('a–b'), ('-x'), ('_9'), ('$'), (null)) as x (s);

-- Both cases of a letter, and no others.
-- facts: 79
-- needs: pattern duckdb redshift
select x.s, x.s ~* 'k' as k, x.s ~* '^É[a-d]$' as e, x.s !~* 's' as s, regexp_replace(x.s, 'K', '<>', 'gi') as r, regexp_replace(x.s, '[^k]', '#', 'i') as f
from (values (E'\u212a'), (E'\u017f'), ('éB'), ('Éd'), ('kK'), ('S'), ('')) as x (s);

-- Which match is taken: the longest is the first that is tried.
-- facts: 80 82 83
select id, substring(s from '[a-z]+[a-z0-9 ]*') as w, substring(s from '(?:ab|ac)c?') as a, regexp_count(s, '(?:[0-9]+|[a-z])') as c,
    regexp_replace(s, '(b)(c*)', '<\2\1>', 'g') as g, regexp_replace(s || ' ', '^\s+|\s+$', '', 'g') as e
from t where id <> 8;

-- facts: 82
-- refused: duckdb redshift which of several
select substring(s from 'a*(?:ab)?') from t;

-- facts: 80 83
-- refused: postgres duckdb redshift how often
select regexp_count(s, 'x*') as c, regexp_replace(s, 'x*', '-', 'g') as r from t;

-- facts: 81
-- refused: postgres duckdb redshift kind of replacement
select regexp_replace(s, '(a)', '\2') from t;

-- facts: 78
-- refused: duckdb redshift an anchor in the middle
select s ~ 'a^b' from t;

-- facts: 81
-- refused: redshift kind of replacement
select id, regexp_replace(s, '(b)', '\\\1', 'g') as r from t;

-- Literals are ordered as text is.
-- facts: 56
-- needs: collation postgres
select 'abc' < 'ABC' as l, 'é' between 'a' and 'f' as b, greatest('a', 'B') as g, least('a ', 'a') || '.' as s from t where id = 1;

-- facts: 58
-- refused: duckdb redshift booleans
select concat_ws('-', b, 'x') from t;

-- facts: 19 4
select id, cast(b as varchar(2)) as v, b::text as t from t;

-- facts: 80
-- needs: regexp-replace redshift
select id, regexp_replace(s, '^\s+|\s+$', '', 'g') as trimmed, regexp_replace('  x ', '^\s+|\s+$', '<>', 'g') as both, regexp_replace('   ', '^\s+|\s+$', '-', 'g') as blank
from t where id <> 7;

-- facts: 80 83
select regexp_replace('a1b22', '([0-9]+|b)', '[\1]', 'g') as r, regexp_count('12ab3 x', '[0-9]+|[a-z]+') as c, substring('id n/a' from '([0-9]+|n/a)') as p from t where id = 1;

-- facts: 76 75
-- needs: like-escape duckdb
-- needs: case-folding redshift
select id, s like any (array['a%', '%b\%c%', 'Z_bra']) as one, s ilike any (array['xx%', '%üNÏ%']) as two from t;

-- What is the greatest by its bytes has its letters still, in a table made of it too.
-- facts: 56 70
select lower(max(s)) as m, upper(min('é' || v)) as n, lower(string_agg(distinct 'É' || grp, ',' order by 'É' || grp)) as l,
    (select upper(x.m) from (select max('é' || s) as m from t) as x) as u
from t;

-- facts: 56 75
select id, upper(greatest('é' || s, v)) as g, least('É' || s, 'é') ilike 'é%' as i from t;

-- Numbers of characters and parts whose sign nobody knows.
-- facts: 67
select id, left(s, strpos(s, ' ') - 1) as word, left(v, length(v) - 1) as l, right(v, length(v) - 2) as r, left(s, j) as lj, right(v, 0 - j) as rj,
    right(v, nullif(j, 2)) as rn
from t where id <> 8;

-- facts: 68
select t.id, x.n, split_part(t.s || 'b,', 'b', x.n) as part, split_part(t.v || ',,a,', ',', -2) as last, split_part('aaa', 'aa', x.n) as twice
from t cross join (values (1), (2), (-1), (-2), (-7), (null)) as x (n) where t.id <> 8;

-- Whether a mark ends a word each locale says for itself.
-- facts: 70
-- needs: initcap postgres duckdb redshift
-- fails: behind a mark
select initcap(x.s) as a from (values ('école'), ('abc')) as x (s);

-- facts: 70
-- needs: initcap postgres duckdb redshift
-- fails: behind a mark
select initcap(x.s) as a from (values ('ⅷ a')) as x (s);

-- facts: 70
select x.s, initcap(x.s) as a from (values ('é bc-d́'), ('का क'), ('ⰰⰱ աբ'), ('京x 1²b 😀x'), (e'a\tb\nc')) as x (s);

-- facts: 69
select id, repeat(null::text, 3) like 'a%' as a, lower(repeat(null, 2)) as b, repeat('ab', 2) as c from t where id < 3;

-- facts: 68
-- fails: zero
select split_part(s, 'b', j) as a from t where id = 5 or j = 0;

-- facts: 68
select id, split_part(s, 'b', i2) as a from t where i2 <> 0 or i2 is null;

-- facts: 68
-- refused: redshift a delimiter that is no literal
select id, split_part(s, v, i2) as a from t where i2 <> 0 or i2 is null;

-- facts: 70
-- needs: trim duckdb
select id, trim(leading from s || chr(160)) as a, trim(both from chr(160) || s) as b, trim(trailing from v || chr(160)) as c, trim(from s) as d from t;

-- Lists of texts once each are ordered by themselves, delimiter and all.
-- facts: 61 62
-- needs: several-orders redshift
select grp, string_agg(distinct v, ',') as a, string_agg(distinct v, ';') as b, string_agg(distinct v, ',') filter (where b) as c,
    string_agg(distinct s, '-' order by s desc) as d, string_agg(s, ',' order by s, id) as e from t group by grp;

-- facts: 72
-- needs: hexadecimal postgres
select id, to_hex(i2) as a, to_hex(i8) as b from t;

-- facts: 82
-- refused: postgres duckdb redshift a pattern with an escape character
select substring('abcdef', '2', '3') as a from t;

-- Letters of a window function, which can go into no subquery.
-- facts: 70
-- needs: letter-case postgres duckdb
select id, upper(lag(v) over (order by id)) as b, upper(lag(x) over (order by id)) as d
from (select id, v, case id when 1 then 'ßaé ŉ ᾀ ǰ ᾈ ﬁ ῼ Ω' when 2 then 'ﬗ ñ ΰ' else s end as x from t) q;

-- facts: 70
-- refused: postgres duckdb redshift initcap of a window function
select id, initcap(lag(v) over (order by id)) as c from t;

-- Of a null nothing is asked.
-- facts: 75
select substring(x.s, x.i, x.n) as a, split_part(x.s, ',', x.m) as b from (values (null, 1, -1, 0, 'x'), ('abc,d', 1, 2, 2, ',')) as x (s, i, n, m, d);

-- facts: 75
-- refused: redshift counting parts from the end
select split_part(x.s, x.d, x.m) as c from (values (null, 1, -1, 0, 'x'), ('abc,d', 1, 2, 2, ',')) as x (s, i, n, m, d);
