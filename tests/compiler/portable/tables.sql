-- The data on which engines are compared: what makes them differ.
create table t (
    id integer,
    grp text,
    i2 smallint,
    i integer,
    i8 bigint,
    j integer,
    n numeric(10,2),
    m numeric(18,4),
    f double precision,
    r real,
    b boolean,
    s text,
    v varchar(20),
    d date,
    e date,
    ts timestamp,
    tz timestamptz,
    doc json
);
insert into t values
(1, 'a', 7, 7, 7, 2, 0.125, 2.5000, 2.5, 0.1, true, 'abc', 'abc', '2024-02-29', '2023-02-28', '2024-02-29 13:14:15.678901', '2024-02-29 23:30:00+00', '{"a": {"b": 1}, "list": [1, "two", null], "text": "x y", "Mixed": 5, "empty": ""}'),
(2, 'a', -7, -7, -7, 2, -1.005, 1.0050, -2.5, -0.1, false, '', '', '2024-01-31', '2024-03-31', '2024-01-31 00:00:00', '2024-03-31 01:30:00+00', '{"a": null, "text": null}'),
(3, 'b', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
(4, 'b', 3, 2147483647, 9223372036854775807, -3, 99999999.99, 12345678901234.5678, 1.5, 16777217, true, 'abc ', 'abc ', '2023-12-31', '2024-01-01', '2023-12-31 23:59:59.999999', '2023-10-29 00:30:00+00', '{"a": {"b": "deep"}, "list": []}'),
(5, 'b', 0, 0, 0, 1, 0.00, 0.0000, 0, 0, false, 'naïve Ünï€ 漢字', 'Zebra', '1999-12-31', '2000-01-01', '1970-01-01 00:00:00', '1970-01-01 00:00:00+00', '{}'),
(6, 'a', 3, 3, 30, 7, 2.50, 3.5000, 0.5, 0.5, true, 'abc', 'ABC', '2024-02-29', '2024-02-29', '2024-02-29 13:14:15.678901', '2024-02-29 23:30:00+00', '{"a": {"b": 2.50}, "flag": true}'),
(7, 'c', -2, -2147483647, -9223372036854775807, 10, -99999999.99, -0.0001, -1e10, -3.4e38, null, 'it''s a_b%c\d', 'a\b', '2000-02-29', '2001-02-28', '2000-02-29 12:00:00.5', '2000-02-29 12:00:00.5+00', '{"a": [1,2,3]}'),
(8, 'c', 1, 1, 1, 1, 1.00, 1.0000, 1, 1, true, 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnooooooooooppppppppppqqqqqqqqqqrrrrrrrrrrssssssssssttttttttttuuuuuuuuuuvvvvvvvvvvwwwwwwwwwwxxxxxxxxxxyyyyyyyyyyzzzzzzzzzz', 'b', '2024-12-30', '2024-12-29', '2024-12-30 06:07:08.009', '2024-06-30 22:00:00+00', '{"list": ["x"]}'),
(9, null, 5, 5, 5, 0, 5.55, 5.5550, 3.5, 2.25, false, 'ABC', 'abc', '2024-05-31', '2024-02-29', '2024-05-31 18:00:00', '2024-05-31 18:00:00+00', null),
(10, 'A', 5, 5, 5, 3, 5.45, 5.4450, 4.5, 2.25, false, '10', '9', '2021-01-03', '2021-01-04', '2021-01-03 00:00:00', '2021-01-03 00:00:00+00', '{"a": {"b": null}}');
create table u (
    k integer,
    grp text,
    w integer,
    moment timestamp
);
insert into u values
(1, 'a', 10, '2024-02-29 00:00:00'),
(2, 'a', 10, '2024-03-01 00:00:00'),
(3, 'b', null, '2024-01-31 10:00:00'),
(3, 'b', 5, '2024-01-31 10:00:00.000001'),
(9, null, 7, null),
(11, 'abc ', -1, '1999-12-31 23:59:59');
create table w (
    id integer,
    c char(5),
    o text
);
insert into w values
(1, 'ab', '2024-02-29'),
(2, 'ab   ', '2024-02-29 13:14:15.678901'),
(3, null, null),
(4, '', '01-02-03'),
(5, 'abcde', '10:00:00.1234567'),
(6, ' a b ', '13:14:15.678901');
