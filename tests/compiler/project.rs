//! A project in a temporary folder, and the built binary run in it as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

use crate::postgres::PgDatabase;

/// A project of its own for one test. Empty at first; removed with this value.
pub struct TestProject {
    folder: TempDir,
    /// Arguments' neighbours: set for every run.
    env: Vec<(String, String)>,
}

/// What a run printed, with paths and times made the same everywhere (see [`normalise`]), and how it ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl TestProject {
    pub fn new() -> TestProject {
        let folder = tempfile::Builder::new().prefix("acca-project-").tempdir().unwrap();
        TestProject { folder, env: Vec::new() }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file, its folders too.
    pub fn write(&self, path: &str, text: &str) -> &TestProject {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// # Panics
    /// With the path, when the file is not there.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn set_env(&mut self, name: &str, value: &str) -> &mut TestProject {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a `profiles.yml` whose only output is the database, over TCP with its password.
    pub fn connect(&self, profile: &str, database: &PgDatabase<'_>, schema: &str) -> &TestProject {
        let output = database.profile_output(schema);
        self.write("profiles.yml", &format!("{profile}:\n  target: dev\n  outputs:\n    dev: {output}\n"))
    }

    /// Runs acca in the project's folder, to its end.
    pub fn acca(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| normalise(&String::from_utf8(bytes).unwrap(), self.root());
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Starts acca and lets it run.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_acca"));
        let foreign = |name: &str| ["ACCA_", "DBT_", "PG"].iter().any(|prefix| name.starts_with(prefix)) || name == "LD_LIBRARY_PATH";
        for (name, _) in std::env::vars().filter(|(name, _)| foreign(name)) {
            command.env_remove(name);
        }
        // No profile of the person who runs the tests.
        command.env("HOME", self.root()).env("NO_COLOR", "1").env("COLUMNS", "120");
        command.args(arguments).envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.root());
        command
    }
}

impl Run {
    /// # Panics
    /// With everything that was printed, when the exit code is another one.
    pub fn expect_code(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

/// Replaces what differs from run to run: the project's folder, identifiers, times of day and durations.
pub fn normalise(text: &str, root: &Path) -> String {
    static CHANGING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let rules = [
            (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
            (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", "<timestamp>"),
            (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "<time>"),
            (r"\b\d+(\.\d+)? ?(ms|µs|s)\b", "<duration>"),
        ];
        rules.into_iter().map(|(pattern, name)| (Regex::new(pattern).unwrap(), name)).collect()
    });
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut text = text.replace(&*real.to_string_lossy(), "<project>").replace(&*root.to_string_lossy(), "<project>");
    for (pattern, name) in CHANGING.iter() {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    text.replace("\r\n", "\n")
}

#[test]
fn output_is_the_same_everywhere() {
    let text = "/tmp/x/models/a.sql 12:30:01 built in 0.12s, 3 ms; 2025-10-26T01:30:00.5Z 2025-10-26 01:30:00 dated 2025-10-26, 15 rows";
    let expected = "<project>/models/a.sql <time> built in <duration>, <duration>; <timestamp> <timestamp> dated 2025-10-26, 15 rows";
    assert_eq!(normalise(text, Path::new("/tmp/x")), expected);
    assert_eq!(normalise("run 01234567-89ab-cdef-0123-456789abcdef", Path::new("/tmp/x")), "run <uuid>");
}

#[test]
fn the_binary_finds_its_libraries_without_environment_variables() {
    let run = TestProject::new().acca(&["--version"]).expect_code(0);
    assert_eq!(run.stderr, "");
}
