//! What is written in place of functions of other engines gives what these give, by a server that runs it.

use acca::analysis::written_instead;

use crate::postgres::PgServer;

/// A function, the rows of what it reads, and what it gives for each.
const GIVEN: &[(&str, &str, &str, &str)] = &[
    ("add_months", "moment, n", "(timestamp '2024-01-31', 1)", "2024-02-29 00:00:00"),
    ("array_size", "document", "('[1, 2]'::json), ('[]')", "2,0"),
    ("conditional_true_event", "condition, key", "(true, 1), (false, 2), (true, 3)", "1,1,2"),
    ("dayname", "moment", "(timestamp '2024-01-31')", "Wednesday"),
    ("dayofweek", "moment", "(timestamp '2024-02-04'), ('2024-02-03')", "0,6"),
    ("div0", "x, y", "(10, 4), (1, 0), (null, 0), (1, null)", "2.5000000000000000,0,-,-"),
    ("last", "x, key", "(10, 2), (30, 3), (20, 1)", "30,30,30"),
    ("last_day", "moment", "(timestamp '2024-02-10 12:00')", "2024-02-29"),
    ("months_between", "one, other", "(date '2025-03-01', date '2024-12-31')", "3"),
    // The Friday after: of a Wednesday, a Thursday, and a Friday.
    ("next_day", "date, n", "(date '2024-01-31', 5), ('2024-02-01', 5), ('2024-02-02', 5)", "2024-02-02,2024-02-02,2024-02-09"),
    ("ratio_to_report", "x", "(1), (3)", "0.25000000000000000000,0.75000000000000000000"),
    ("safe_divide", "x, y", "(10, 4), (1, 0)", "2.5,-"),
    ("second", "moment", "(timestamp '2024-01-31 10:00:59.9')", "59"),
    ("sha2", "text", "('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("substring_index", "text", "('a,b,c')", "a"),
    ("try_to_number", "text", "('12.50'), ('-3'), ('9876543210'), ('1e3'), ('-'), ('')", "12.50,-3.00,9876543210.00,-,-,-"),
    ("unix_seconds", "moment", "(timestamp '1970-01-01 00:01:00.9')", "60"),
];

#[test]
fn what_is_written_instead_gives_the_same() {
    let database = PgServer::shared().database();
    for (function, columns, rows, expected) in GIVEN {
        let help = written_instead(function).unwrap();
        let said = [", by which ", ", which ", ", with ", ": "];
        let expression = said.iter().find_map(|said| help.split_once(said)).map_or(help, |(expression, _)| expression);
        let values = format!("(select row_number() over () as place, * from (values {rows}) as v ({columns})) as v");
        let given = format!("select place, ({expression})::text as given from {values}");
        let all = format!("select string_agg(coalesce(given, '-'), ',' order by place) from ({given}) as g");
        assert_eq!(database.query(&all), *expected, "{function}: {help}");
    }
}
