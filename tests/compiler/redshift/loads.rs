//! COPY and UNLOAD against the buckets.

use super::Imitation;
use super::buckets::Place;

const ROLE: &str = "iam_role 'arn:aws:iam::1:role/r'";

fn place(url: &str) -> Place {
    Place::read(url).unwrap()
}

fn with_table() -> Imitation {
    let redshift = Imitation::new();
    redshift.execute("create table t (id int, name varchar(5), price decimal(6,2), at timestamp, ok boolean)").unwrap();
    redshift
}

fn rows(redshift: &Imitation) -> Vec<String> {
    redshift.execute("select * from t order by id").unwrap().lines()
}

fn refusal(redshift: &Imitation, sql: &str) -> String {
    redshift.execute(sql).unwrap_err().message
}

#[test]
fn csv_is_loaded_by_its_prefix_and_decimals_lose_digits() {
    let redshift = with_table();
    redshift.buckets().put(&place("s3://lake/in/1.csv"), b"id,name,price,at,ok\n1,\"a,b\",1.999,2024-02-29 23:59:43.101,t\n2,,,,\n");
    redshift.buckets().put(&place("s3://lake/in/1.csv.old"), "3,h\u{e9}\\N,-1.005,,false\n".as_bytes());
    let load = |options: &str| redshift.execute(&format!("copy t from 's3://lake/in/1.csv' {ROLE} format as csv {options}"));
    // Every key that begins so, fact 211; its header is in the way.
    assert!(load("").unwrap_err().message.contains("Load into table"));
    assert_eq!(rows(&redshift), Vec::<String>::new());
    redshift.buckets().put(&place("s3://lake/in/1.csv.old"), "id,name,price,at,ok\n3,h\u{e9},-1.005,,false\n".as_bytes());
    assert_eq!(load("ignoreheader 1").unwrap().changed, 3);
    // Cut, not rounded, fact 11; an empty text is none but for texts, fact 207.
    assert_eq!(
        rows(&redshift),
        ["1|a,b|1.99|2024-02-29 23:59:43.101|true", "2||\u{2205}|\u{2205}|\u{2205}", "3|h\u{e9}|-1.00|\u{2205}|false"]
    );
    redshift.execute("delete from t").unwrap();
    load("ignoreheader 1 roundec emptyasnull").unwrap();
    assert_eq!(rows(&redshift)[0], "1|a,b|2.00|2024-02-29 23:59:43.101|true");
    assert!(rows(&redshift)[1].starts_with("2|\u{2205}|"));
}

#[test]
fn lengths_are_bytes_and_loads_are_whole() {
    let redshift = with_table();
    redshift.buckets().put(&place("s3://lake/a"), "1|abc\n2|h\u{e9}ll\u{f6}\n".as_bytes());
    // Fact 208.
    assert!(refusal(&redshift, &format!("copy t (id, name) from 's3://lake/a' {ROLE}")).contains("String length exceeds DDL length"));
    assert_eq!(rows(&redshift).len(), 0);
    redshift.execute(&format!("copy t (id, name) from 's3://lake/a' {ROLE} truncatecolumns")).unwrap();
    assert_eq!(redshift.execute("select name from t order by id").unwrap().lines(), ["abc", "h\u{e9}ll"]);
}

#[test]
fn a_manifest_names_what_is_loaded() {
    let redshift = with_table();
    redshift.buckets().put(&place("s3://lake/x/1"), b"{\"id\": 1, \"name\": \"a\"}\n{\"name\": null, \"id\": 2}");
    redshift.buckets().put(&place("s3://lake/x/2"), b"{\"id\": 3}");
    let manifest = |url: &str, mandatory: bool| format!("{{\"entries\": [{{\"url\": \"{url}\", \"mandatory\": {mandatory}}}]}}");
    let copy = format!("copy t (id, name) from 's3://lake/x.manifest' {ROLE} format as json 'auto' manifest");
    redshift.buckets().put(&place("s3://lake/x.manifest"), manifest("s3://lake/x/1", true).as_bytes());
    assert_eq!(redshift.execute(&copy).unwrap().changed, 2);
    redshift.buckets().put(&place("s3://lake/x.manifest"), manifest("s3://lake/x/9", true).as_bytes());
    assert!(refusal(&redshift, &copy).contains("mandatory file s3://lake/x/9"));
    redshift.buckets().put(&place("s3://lake/x.manifest"), manifest("s3://lake/x/9", false).as_bytes());
    assert_eq!(redshift.execute(&copy).unwrap().changed, 0);
}

#[test]
fn parquet_is_matched_by_place() {
    let redshift = with_table();
    redshift.execute("insert into t values (1, 'a', 1.5, '2024-01-01 10:00:00', true), (2, null, null, null, false)").unwrap();
    let unload = format!("unload ('select name, id, price from t order by id') to 's3://lake/out/' {ROLE} format as parquet");
    redshift.execute(&unload).unwrap();
    assert!(refusal(&redshift, &unload).contains("is not empty"));
    redshift.execute("create table swapped (id varchar(5), other int, price decimal(5,1))").unwrap();
    redshift.execute(&format!("copy swapped from 's3://lake/out/' {ROLE} format as parquet")).unwrap();
    assert_eq!(
        redshift.execute("select id, other, price from swapped order by other").unwrap().lines(),
        ["a|1|1.5", "\u{2205}|2|\u{2205}"]
    );
    let fewer = refusal(&redshift, &format!("copy swapped (id, other) from 's3://lake/out/' {ROLE} format as parquet"));
    assert!(fewer.contains("unmatched number of columns"), "{fewer}");
    let options = refusal(&redshift, &format!("copy swapped from 's3://lake/out/' {ROLE} format as parquet maxerror 3"));
    assert!(options.contains("MAXERROR"), "{options}");
}

#[test]
fn unload_writes_parts_folders_and_a_manifest() {
    let redshift = with_table();
    redshift.execute("insert into t values (1, 'a', 1.5, null, true), (2, 'b \"x', 2, null, true), (3, null, 3, null, true)").unwrap();
    let keys = |prefix: &str| redshift.buckets().list(&place(prefix)).into_iter().map(|place| place.key).collect::<Vec<_>>();
    let text = |url: &str| String::from_utf8(redshift.buckets().get(&place(url)).unwrap()).unwrap();
    // The query is a literal: quotes and backslashes are doubled in it.
    let query = "select id, name from t where name is null or name <> ''\\\\\\\\'' order by id";
    redshift
        .execute(&format!("unload ('{query}') to 's3://lake/one_' {ROLE} format as csv header null as 'none' parallel off manifest"))
        .unwrap();
    assert_eq!(keys("s3://lake/one_"), ["one_000", "one_manifest"]);
    assert_eq!(text("s3://lake/one_000"), "id,name\n1,a\n2,\"b \"\"x\"\n3,none\n");
    assert!(text("s3://lake/one_manifest").contains("s3://lake/one_000"));
    redshift.execute(&format!("unload ('select id, price from t') to 's3://lake/by/' {ROLE} format as json partition by (id)")).unwrap();
    assert_eq!(keys("s3://lake/by/"), ["by/id=1/0000_part_00", "by/id=2/0000_part_00", "by/id=3/0000_part_00"]);
    assert_eq!(text("s3://lake/by/id=2/0000_part_00"), "{\"price\":2.00}\n");
    redshift.execute(&format!("unload ('select id from t where id = 9') to 's3://lake/by/' {ROLE} format as csv cleanpath")).unwrap();
    assert_eq!(keys("s3://lake/by/"), ["by/0000_part_00"]);
}
