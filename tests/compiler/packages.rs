//! Packages that are installed, and macros that are called from the command line.

use std::process::Command;

use insta::assert_snapshot;

use crate::project::TestProject;

const PROFILES: &str = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n";

fn shop() -> TestProject {
    let project = TestProject::new();
    project.write("shop/dbt_project.yml", "name: shop\nprofile: shop\n").write("shop/profiles.yml", PROFILES);
    project
}

fn git(project: &TestProject, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
    let ran = Command::new("git").args(identity).args(arguments).current_dir(project.path("remote")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

#[test]
fn deps_links_folders_and_fetches_repositories() {
    let project = shop();
    project
        .write("remote/inner/dbt_project.yml", "name: greetings\n")
        .write("remote/inner/macros/hello.sql", "{% macro hello() %}'first'{% endmacro %}")
        .write("shared/dbt_project.yml", "name: shared\n")
        .write("shared/packages.yml", "packages: [{git: ../remote, subdirectory: inner, revision: v1}]\n")
        .write("shared/macros/m.sql", "{% macro named() %}{{ greetings.hello() }} as word{% endmacro %}")
        .write("shop/packages.yml", "packages:\n  - local: ../shared\n")
        .write("shop/models/words.sql", "select {{ shared.named() }}");
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "one"]);
    git(&project, &["tag", "v1"]);
    let commit = git(&project, &["rev-parse", "HEAD"]);
    project.write("remote/inner/macros/hello.sql", "{% macro hello() %}'second'{% endmacro %}");
    git(&project, &["commit", "--quiet", "-am", "two"]);

    let run = project.acca(&["deps", "--project-dir", "shop"]).expect_code(0);
    assert_snapshot!(run.stdout.replace(&commit[..12], "<commit>"), @r"
    installed shared from ../shared
    installed greetings from ../remote at <commit>
    Installed 2 packages
    ");
    assert_snapshot!(project.read("shop/package-lock.yml").replace(&commit, "<commit>"), @r#"
    packages:
      - git: "../remote"
        name: "greetings"
        revision: "<commit>"
        subdirectory: "inner"
      - local: "../shared"
        name: "shared"
    "#);
    // Once more: what is there is replaced.
    project.acca(&["deps", "--project-dir", "shop"]).expect_code(0);
    let compiled = project.acca(&["compile", "--project-dir", "shop", "--select", "words"]).expect_code(0);
    assert_eq!(compiled.stdout.lines().next(), Some("select 'first' as word"));
}

#[test]
fn packages_that_cannot_be_installed() {
    let project = shop();
    project.write(
        "shop/packages.yml",
        "packages:\n  - local: ../nowhere\n  - git: ../nothing\n  - package: acme/tools\n    version: 1.0.0\n  - tarball: https://example.com/a.tgz\n    name: a\n",
    );
    let run = project.acca(&["deps", "--project-dir", "shop"]).expect_code(1);
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("error") || line.contains("-->")).collect();
    // The words after the colon are git's own.
    let lines: Vec<&str> = lines.iter().map(|line| line.split(" fetched: ").next().unwrap()).collect();
    assert_snapshot!(lines.join("\n"), @r"
    error[package-failed]: the package folder '../nowhere' has no dbt_project.yml
     --> packages.yml:2:12
    error[package-failed]: '../nothing' cannot be
     --> packages.yml:3:10
    error[package-failed]: the package 'acme/tools' is one of a registry, and acca asks none
     --> packages.yml:4:14
    error[package-failed]: packages are installed from a folder or from git only
     --> packages.yml:6:5
    ");
    let none = shop();
    let run = none.acca(&["deps", "--project-dir", "shop"]).expect_code(0);
    assert_eq!(run.stdout, "There are no packages to install.\n");
}

#[test]
fn run_operation_calls_a_macro_with_arguments() {
    let project = shop();
    project.write(
        "shop/macros/m.sql",
        "{% macro fill(table, rows=[]) %}\n\
         {% do run_query('create table ' ~ table ~ ' (n integer)') %}\n\
         {% for row in rows %}{% do run_query('insert into ' ~ table ~ ' values (' ~ row ~ ')') %}{% endfor %}\n\
         {% do log('filled ' ~ table ~ ' with ' ~ run_query('select sum(n) from ' ~ table).rows[0][0], info=true) %}\n\
         {% endmacro %}\n\
         {% macro broken() %}{% do log('so far', info=true) %}{% do run_query('select nothing') %}{% endmacro %}",
    );
    let run = |arguments: &[&str]| {
        let all: Vec<&str> = ["run-operation", "--project-dir", "shop"].iter().chain(arguments).copied().collect();
        project.acca(&all)
    };
    let done = run(&["fill", "--args", "{table: numbers, rows: [1, 2]}"]).expect_code(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("filled numbers with 3\n", "done: ran 'fill'\n"));
    let broken = run(&["shop.broken"]).expect_code(1);
    assert!(broken.stdout.contains("so far") && broken.stderr.contains("error[statement-failed]"), "{broken:?}");
    let unknown = run(&["fil"]).expect_code(2);
    assert!(unknown.stderr.contains("no macro is called 'fil'") && unknown.stderr.contains("did you mean 'fill'?"), "{unknown:?}");
    let wrong = run(&["fill", "--args", "{tabel: x}"]).expect_code(1);
    assert!(wrong.stderr.contains("macro 'fill' has no argument 'tabel'"), "{wrong:?}");
    assert!(run(&["fill", "--args", "[1]"]).expect_code(2).stderr.contains("'--args' is a list, and a mapping is needed"));
}

/// Rows of a relation of the project's database.
fn rows(project: &TestProject, query: &str) -> String {
    project.acca(&["show", "--project-dir", "shop", "--output", "csv", "--limit", "-1", "--inline", query]).expect_code(0).stdout
}

#[test]
fn strategies_of_the_project_bring_rows_in() {
    let project = shop();
    project
        .write(
            "shop/macros/m.sql",
            "{% macro get_incremental_twice_sql(arg_dict) %}\n\
             {% set names = arg_dict.dest_columns | map(attribute='quoted') | join(', ') %}\n\
             {% for n in [1, 2] %}insert into {{ arg_dict.target_relation }} ({{ names }}) select {{ names }} from {{ arg_dict.temp_relation }};\n\
             {% endfor %}{% endmacro %}\n\
             {% macro default__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) %}\n\
             update {{ target }} set {{ dest_columns[1].name }} = '{{ unique_key }} {{ dest_columns[1].data_type | lower }}'{% endmacro %}",
        )
        .write("shop/models/own.sql", "{{ config(materialized='incremental', incremental_strategy='twice') }} select 1 as x")
        .write("shop/models/merged.sql", "{{ config(materialized='incremental', unique_key='x') }} select 1 as x, 'a' as y");
    project.acca(&["run", "--project-dir", "shop"]).expect_code(0);
    project.acca(&["run", "--project-dir", "shop"]).expect_code(0);
    assert_eq!(rows(&project, "select count(*) as n from {{ ref('own') }}"), "n\n3\n");
    assert_eq!(rows(&project, "select * from {{ ref('merged') }}"), "x,y\n1,x varchar\n");
    let explained = project.acca(&["explain", "--project-dir", "shop", "--select", "own"]).expect_code(0);
    assert!(explained.stdout.contains("as macro get_incremental_twice_sql says"), "{}", explained.stdout);
    project.write("shop/models/other.sql", "{{ config(materialized='incremental', incremental_strategy='thrice') }} select 1 as x");
    // Before the first run, which would not need it yet.
    let unknown = project.acca(&["run", "--project-dir", "shop", "--select", "other"]).expect_code(1);
    assert!(unknown.stderr.contains("a macro 'get_incremental_thrice_sql' of the project"), "{unknown:?}");
}

/// What a package says of itself decides over no folder but its own.
#[test]
fn deps_touches_nothing_outside_of_its_folder() {
    let project = shop();
    project.write("shop/models/words.sql", "select 1 as one").write("remote/dbt_project.yml", "name: ..\n");
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "one"]);
    let refused = |packages: &str| {
        project.write("shop/packages.yml", packages);
        let run = project.acca(&["deps", "--project-dir", "shop"]).expect_code(1);
        assert!(project.path("shop/models/words.sql").is_file() && project.path("shop/dbt_project.yml").is_file(), "{}", run.stderr);
        run.stderr
    };
    for name in ["..", "../models", "/tmp/x", "''"] {
        project.write("shared/dbt_project.yml", &format!("name: {name}\n"));
        assert!(refused("packages: [{local: ../shared}]\n").contains("error[invalid-config]"), "{name}");
    }
    assert!(refused("packages: [{git: ../remote, revision: main}]\n").contains("error[invalid-config]"));
    for folder in ["../../..", "/"] {
        let said = refused(&format!("packages: [{{git: ../remote, revision: main, subdirectory: {folder}}}]\n"));
        assert!(said.contains("leads out of its repository"), "{said}");
    }
}

#[test]
fn deps_leaves_a_package_that_lies_where_packages_are_installed() {
    let project = shop();
    project
        .write("shop/dbt_packages/kept/dbt_project.yml", "name: kept\n")
        .write("shop/dbt_packages/kept/macros/m.sql", "{% macro m() %}1{% endmacro %}");
    project.write("shop/packages.yml", "packages: [{local: dbt_packages/kept}]\n");
    let run = project.acca(&["deps", "--project-dir", "shop"]).expect_code(0);
    assert!(run.stdout.contains("installed kept from dbt_packages/kept, where it is"), "{}", run.stdout);
    assert!(project.read("shop/dbt_packages/kept/macros/m.sql").contains("macro m"));
}

#[test]
fn deps_tells_no_secret_of_an_address() {
    let mut project = shop();
    project.set_env("DBT_ENV_SECRET_GIT", "user:hush-hush");
    project.write(
        "shop/packages.yml",
        "packages:\n  - git: \"https://{{ env_var('DBT_ENV_SECRET_GIT') }}@localhost:1/x.git\"\n    revision: v1\n",
    );
    let run = project.acca(&["deps", "--project-dir", "shop"]).expect_code(1);
    let said = run.stderr + &run.stdout;
    assert!(said.contains("https://localhost:1/x.git") && !said.contains("hush-hush"), "{said}");
}
