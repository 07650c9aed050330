//! A project is built on two warehouses at once: PostgreSQL, and what stands in for Redshift; rows go through what stands in for S3.

use std::process::Command;
use std::time::Duration;

use crate::postgres::{PgDatabase, PgServer};
use crate::project::TestProject;
use crate::redshift::service::{DataApi, Trouble};

/// The two warehouses and a project that is served by both.
pub struct Both {
    pub redshift: DataApi,
    pub postgres: PgDatabase<'static>,
    pub project: TestProject,
}

const SERVING: &str = "serving:\n  low_latency: pg\n  high_latency: rs\n  transfer: {bucket: 's3://lake/acca', region: eu-west-1, \
    iam_role: 'arn:aws:iam::1:role/move'}\n";

impl Both {
    pub fn new() -> Both {
        let (redshift, postgres) = (DataApi::start(), PgServer::shared().database());
        let s3 = redshift.imitation().buckets().endpoint();
        let port = s3.rsplit(':').next().unwrap();
        postgres.query(&include_str!("aws_s3.sql").replace("PORT", port));
        let mut project = TestProject::new();
        let rs = format!(
            "{{type: redshift, serverless_work_group: made-up, region: eu-west-1, endpoint: '{}', dbname: dev, schema: marts, threads: 2}}",
            redshift.endpoint()
        );
        let pg = postgres.profile_output("marts");
        project
            .write("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n")
            .write("profiles.yml", &format!("shop:\n  target: rs\n  outputs:\n    rs: {rs}\n    pg: {pg}\n"))
            .write("acca.yml", SERVING);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            project.set_env(name, "made-up");
        }
        project.set_env("AWS_ENDPOINT_URL_S3", &s3);
        Both { redshift, postgres, project }
    }

    pub fn on_redshift(&self, sql: &str) -> String {
        let rows = self.redshift.imitation().execute(sql).unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
        rows.lines().join("\n")
    }

    pub fn on_postgres(&self, sql: &str) -> String {
        self.postgres.query(sql)
    }

    /// What came of the nodes on a target: status, name and message.
    pub fn results(&self, target: &str) -> Vec<String> {
        let results: serde_json::Value = serde_json::from_str(&self.project.read(&format!("target/{target}/run_results.json"))).unwrap();
        assert_eq!(results["args"]["target"], target);
        let line = |result: &serde_json::Value| {
            let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("status"), text("unique_id").split('.').nth(2).unwrap(), text("message"))
        };
        results["results"].as_array().unwrap().iter().map(line).collect()
    }
}

/// Rows go in both directions, with what is easily lost on the way.
#[test]
fn tables_go_to_where_they_are_read() {
    let both = Both::new();
    both.project
        .write("seeds/bets.csv", "id,stake,placed_at,note\n1,1.50,2026-01-01 10:00:00.25,\"a \"\"b\"\", c\\d\"\n2,-2.25,2026-02-28 23:59:59,\n3,0.00,,caf\u{e9} \n")
        .write("seeds/seeds.yml", "seeds:\n  - name: bets\n    config: {column_types: {stake: 'numeric(12,2)', placed_at: timestamp, note: varchar(40)}}\n")
        .write(
            "models/facts.sql",
            "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\n\
             select id, stake, placed_at, case when id = 2 then '' else note end as note, id > 1 as late from {{ ref('bets') }}",
        )
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}, indexes=[{'columns': ['id']}]) }}\nselect id, cast(stake * 2 as numeric(12,2)) as doubled from {{ ref('facts') }}")
        .write("models/report.sql", "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect sum(doubled) as total from {{ ref('desk') }}")
        .write(
            "models/models.yml",
            "models:\n  - name: facts\n    columns: [{name: id, data_tests: [unique, not_null]}]\n  - name: desk\n    config: {meta: {serving: low_latency}}\n    columns:\n      - {name: doubled, data_tests: [not_null]}\n",
        );
    let run = both.project.acca(&["build", "--target", "all"]).expect_code(0);
    let all = "select id, stake, placed_at, note, late from marts.facts order by id";
    assert_eq!(
        both.on_redshift(all),
        "1|1.50|2026-01-01 10:00:00.25|a \"b\", c\\d|false\n2|-2.25|2026-02-28 23:59:59||true\n3|0.00|\u{2205}|caf\u{e9} |true"
    );
    assert_eq!(
        both.on_postgres(all),
        "1|1.50|2026-01-01 10:00:00.25|a \"b\", c\\d|f\n2|-2.25|2026-02-28 23:59:59||t\n3|0.00||caf\u{e9} |t"
    );
    assert_eq!(both.on_postgres("select note is null from marts.facts where id = 2"), "f");
    assert_eq!(both.on_redshift("select total from marts.report"), "-1.50");
    assert_eq!(both.results("pg"), ["success desk 3 rows", "success facts 3 rows from rs", "pass not_null_desk_doubled "]);
    let results = both.results("rs");
    assert_eq!(results[0], "success desk 3 rows from pg");
    let what: Vec<String> = results.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(what, ["success desk", "success facts", "success report", "success bets", "pass not_null_facts_id", "pass unique_facts_id"]);
    assert!(run.stdout.contains("transfer    marts.facts") && run.stdout.contains("3 rows from rs to pg"), "{}", run.stdout);
    // Another run publishes them anew, and leaves nothing behind.
    both.project.acca(&["build", "--target", "all"]).expect_code(0);
    for left in [
        both.on_postgres("select count(*) from pg_class where relname like '%__acca_%'"),
        both.on_redshift("select count(*) from pg_class where relname like '%__acca_%'"),
    ] {
        assert_eq!(left, "0");
    }
    let explained = both.project.acca(&["explain", "facts", "--target", "all"]).expect_code(0).stdout;
    assert!(explained.contains("publish marts.facts in place of the table") && explained.contains("unload ('select"), "{explained}");
}

#[test]
fn rows_that_get_lost_are_not_published() {
    let both = Both::new();
    both.project
        .write(
            "models/facts.sql",
            "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\nselect 1 as id union all select 2",
        )
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id from {{ ref('facts') }}");
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    both.project.write(
        "models/facts.sql",
        "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\nselect 3 as id union all select 4",
    );
    both.on_postgres("insert into aws_s3.losses values (1)");
    let run = both.project.acca(&["run", "--target", "all"]).expect_code(1);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("error[transfer-mismatch]: 2 rows of 'facts' were sent and 1 have arrived in marts.facts__acca_stage"), "{said}");
    assert!(said.contains("models/facts.sql:1:"), "{said}");
    assert_eq!(both.on_postgres("select id from marts.facts order by id"), "1\n2");
    assert_eq!(both.results("pg")[0], "skipped desk skipped: 'facts' failed");
}

#[test]
fn what_fails_on_one_target_is_not_sent_to_the_other() {
    let both = Both::new();
    both.project
        .write(
            "models/facts.sql",
            "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\nselect 1 as id union all select 1",
        )
        .write("models/other.sql", "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\nselect 1 as id")
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id from {{ ref('facts') }}")
        .write("models/models.yml", "models:\n  - name: facts\n    columns: [{name: id, data_tests: [unique]}]\n");
    // A test that fails holds the table up, as it does its readers.
    both.project.acca(&["build", "--target", "all"]).expect_code(1);
    assert_eq!(
        both.results("pg"),
        [
            "skipped desk skipped: 'unique_facts_id' found failing rows on rs",
            "skipped facts skipped: 'unique_facts_id' found failing rows on rs",
            "success other 1 row from rs"
        ]
    );
    // With `run` nothing waits for tests.
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    assert_eq!(both.on_postgres("select count(*) from marts.desk"), "2");
    both.project.write(
        "models/facts.sql",
        "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\nselect nope as id",
    );
    both.project.acca(&["run", "--target", "all"]).expect_code(1);
    assert_eq!(both.results("pg")[..2], ["skipped desk skipped: 'facts' failed on rs", "skipped facts skipped: 'facts' failed on rs"]);
    // A warehouse that is not there keeps nobody waiting.
    both.redshift.trouble(Trouble::Fails("out of order".to_owned()));
    both.project.acca(&["run", "--target", "all"]).expect_code(1);
    assert!(both.results("pg")[1].starts_with("skipped facts"), "{:?}", both.results("pg"));
}

#[test]
fn newer_rows_of_an_incremental_model_go_over() {
    let both = Both::new();
    let model = |rows: &str| {
        format!(
            "{{{{ config(materialized='incremental', unique_key='id', meta={{'serving': ['low_latency', 'high_latency'], 'watermark': 'at'}}) }}}}\n\
             select id, cast(at as timestamp) as at, cast(note as varchar(10)) as note from ({rows}) as rows"
        )
    };
    let row = |id: u32, at: &str, note: &str| format!("select {id} as id, '{at}' as at, '{note}' as note");
    let first = [row(1, "2026-01-01 00:00:00", "a"), row(2, "2026-01-02 00:00:00.5", "b")].join(" union all ");
    both.project.write("models/events.sql", &model(&first));
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    // What is known of the highest watermark may not have been all of it: 2 comes again, and 3 with its time.
    let second = [row(2, "2026-01-02 00:00:00.5", "late"), row(3, "2026-01-02 00:00:00.5", "c"), row(4, "2026-01-05 00:00:00", "d")]
        .join(" union all ");
    both.project.write("models/events.sql", &model(&second));
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    assert_eq!(both.results("pg"), ["success events 3 rows from rs"]);
    let all = "select id, note from marts.events order by id";
    assert_eq!(both.on_postgres(all), "1|a\n2|late\n3|c\n4|d");
    assert_eq!(both.on_postgres(all), both.on_redshift(all));
    // A row that is changed comes with a newer watermark and takes the place of the older one.
    both.project.write("models/events.sql", &model(&row(1, "2026-01-05 12:00:00", "changed")));
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    assert_eq!(both.on_postgres(all), "1|changed\n2|late\n3|c\n4|d");
    assert_eq!(both.on_postgres(all), both.on_redshift(all));
    // A column that has got room for more takes all rows along.
    both.project.write(
        "models/events.sql",
        &model(&row(5, "2026-01-06 00:00:00", "e"))
            .replace("varchar(10)", "varchar(20)")
            .replace("unique_key", "on_schema_change='sync_all_columns', unique_key"),
    );
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    assert_eq!(both.results("pg"), ["success events 5 rows from rs"]);
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    assert_eq!(both.results("pg"), ["success events 1 row from rs"]);
    let explained = both.project.acca(&["explain", "events", "--target", "all", "--offline=built"]).expect_code(0).stdout;
    assert!(explained.contains(r#"where "at" >= :highest_watermark_there or "at" is null"#), "{explained}");
    // A row below the watermark that is changed is not seen; one that is gone is.
    both.on_redshift("delete from marts.events where id = 1");
    let run = both.project.acca(&["run", "--target", "all"]).expect_code(1);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("'events' has 4 rows where it is built and 5 in marts.events") && said.contains("--full-refresh"), "{said}");
    both.project.acca(&["run", "--target", "all", "--full-refresh"]).expect_code(0);
    assert_eq!(both.on_postgres(all), both.on_redshift(all));
}

#[test]
fn what_would_not_arrive_as_it_is_does_not_go() {
    let both = Both::new();
    both.project
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect 1.5 * 2 as doubled")
        .write(
            "models/report.sql",
            "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect doubled from {{ ref('desk') }}",
        );
    let run = both.project.acca(&["run", "--target", "all"]).expect_code(1);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("'desk' cannot go from target 'pg' to 'rs': column 'doubled' of type numeric cannot go over"), "{said}");
    assert!(said.contains("models/desk.sql:1:1"), "{said}");
    assert_eq!(both.results("rs")[1], "skipped report skipped: 'desk' failed");
}

#[test]
fn an_interrupt_stops_both() {
    let both = Both::new();
    both.project
        .write("models/slow.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect pg_sleep(60)::text as x")
        .write(
            "models/report.sql",
            "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect x from {{ ref('slow') }}",
        );
    let child = both.project.start(&["run", "--target", "all"]);
    let runs = "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid() and datname = current_database()";
    let began = std::time::Instant::now();
    while both.on_postgres(runs) != "1" {
        assert!(began.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::sleep(Duration::from_millis(100));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(began.elapsed() < Duration::from_secs(50), "it was not cancelled");
    assert_eq!(both.results("pg"), ["skipped slow stopped; nothing of it was kept"]);
    assert!(both.results("rs").iter().all(|line| line.starts_with("skipped ")), "{:?}", both.results("rs"));
}
