//! Contracts, unit tests and other features of dbt's that need more than one run.

use crate::bench::{Bench, How};

const CUSTOMERS: &str = "{{ config(materialized='table') }} select 1 as id, 'Ann' as name union all select 2, 'Bob'";
const CONTRACTS: &str = "
models:
  - name: customers
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: integer, constraints: [{type: primary_key}]}
      - {name: name, data_type: text}
  - name: orders
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: integer, constraints: [{type: unique, name: orders_id}, {type: not_null}]}
      - name: customer_id
        data_type: integer
        constraints: [{type: foreign_key, to: ref('customers'), to_columns: [id], warn_unsupported: false}]
";

#[test]
fn tables_with_keys_are_replaced_again_and_again() {
    for mut bench in Bench::both() {
        bench.file("models/customers.sql", CUSTOMERS).file("models/m.yml", CONTRACTS);
        bench.file(
            "models/orders.sql",
            "{{ config(materialized='table') }} select 7 as id, c.id as customer_id from {{ ref('customers') }} as c where c.id = 1",
        );
        for _ in 0..2 {
            let ran = bench.run();
            assert!(!ran.result.failed() && ran.drawn.is_empty(), "{}: {}", bench.engine, ran.drawn);
        }
        // The table that refers to it stays as it is, and keeps its key.
        let ran = bench.run_how(&How { only: Some(|node| node.name == "customers"), ..How::default() });
        assert!(!ran.result.failed(), "{}: {}", bench.engine, ran.drawn);
        if bench.engine == "postgres" {
            let keys = bench.query("select conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f'");
            assert_eq!(keys, "shop.orders|shop.customers");
            bench
                .file("models/orders.sql", "{{ config(materialized='table') }} select 7 as id, 3 as customer_id -- {{ ref('customers') }}");
            let ran = bench.run();
            assert!(ran.drawn.contains("violates foreign key constraint"), "{}", ran.drawn);
            assert_eq!(bench.query("select id::text, customer_id::text from shop.orders"), "7|1");
        }
    }
}

#[test]
fn incremental_models_grow_within_their_contract() {
    for mut bench in Bench::both() {
        let yaml = |columns: &str| {
            format!(
                "models:\n  - name: orders\n    config: {{materialized: incremental, on_schema_change: append_new_columns, contract: {{enforced: true}}}}\n    \
                 columns:\n      - {{name: id, data_type: integer, constraints: [{{type: not_null}}]}}\n{columns}"
            )
        };
        bench.file("models/orders.sql", "select 1 as id").file("models/m.yml", &yaml(""));
        assert!(!bench.run().result.failed());
        bench.file("models/orders.sql", "select 5.25 as amount, 2 as id");
        let ran = bench.run();
        assert!(ran.drawn.contains("[contract-broken]") && ran.drawn.contains("missing in the contract"), "{}", ran.drawn);
        bench.file("models/m.yml", &yaml("      - {name: amount, data_type: \"numeric(12,2)\"}\n"));
        let ran = bench.run();
        assert!(!ran.result.failed(), "{}: {}", bench.engine, ran.drawn);
        let rows = bench.query("select cast(id as varchar), cast(amount as varchar) from shop.orders order by id");
        assert_eq!(rows, "1|NULL\n2|5.25", "{}", bench.engine);
        // The constraints of the first build hold for rows that are added.
        bench.file("models/orders.sql", "select 5.25 as amount, cast(null as integer) as id");
        assert!(bench.run().result.failed());
    }
}

#[test]
fn full_refresh_of_the_configuration_outvotes_the_command_line() {
    for mut bench in Bench::both() {
        for (told, asked, rows) in [("none", false, "1\n2"), ("none", true, "2"), ("false", true, "1\n2"), ("true", false, "2")] {
            for (row, full_refresh) in [(1, true), (2, asked)] {
                // The table is made anew first, whatever the model says later.
                let told = if row == 1 { "none" } else { told };
                let sql = format!("{{{{ config(materialized='incremental', full_refresh={told}) }}}} select {row} as id");
                bench.file("models/orders.sql", &sql);
                bench.run_how(&How { full_refresh, ..How::default() }).ok();
            }
            assert_eq!(bench.query("select id from shop.orders order by id"), rows, "{}: {told} {asked}", bench.engine);
        }
    }
}
