//! A PostgreSQL server for tests: a cluster of its own in a temporary folder, without durability, so it starts in a second.
//!
//! [`PgServer::shared`] is one server for the whole test run, even when the runner gives each test a process; every test
//! takes a database of its own from it. [`PgServer::start`] is a private server, for tests that stop or break it.
//!
//! Who stops it: each test process holds a shared lock on a file for as long as it lives, and a small shell script waits for
//! the lock to be free. The kernel drops the lock however a process ends, so nothing is left behind after a panic or a kill.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use acca::execute::{Adapter, PgSettings, Postgres};

/// The superuser of every test cluster. On the socket it needs no password, over TCP it needs this one.
pub const USER: &str = "acca";
pub const PASSWORD: &str = "pass of tests";

/// Seconds that the shared server waits for another test process.
const GRACE: u32 = 15;

pub struct PgServer {
    /// Folder of the Unix socket; stands as `host` in connection settings.
    pub socket: PathBuf,
    pub port: u16,
    programs: PathBuf,
    folder: PathBuf,
    /// Held, not used: the server is stopped when the last holder of the lock is gone.
    _lock: File,
}

/// A database of its own on a test server; dropped with this value.
pub struct PgDatabase<'a> {
    pub server: &'a PgServer,
    pub name: String,
}

impl PgServer {
    /// The server that all tests of a run share; started by whoever asks first.
    pub fn shared() -> &'static PgServer {
        static SHARED: OnceLock<PgServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
            fs::create_dir_all(&state).unwrap();
            let lock = File::create(state.join("users")).unwrap();
            lock.lock_shared().unwrap();
            let starting = File::create(state.join("starting")).unwrap();
            starting.lock().unwrap();
            let record = state.join("server");
            match running(&record) {
                Some((folder, port)) => PgServer { socket: folder.clone(), port, programs: programs(), folder, _lock: lock },
                None => {
                    let server = launch(lock);
                    fs::write(&record, format!("{}\n{}\n", server.folder.display(), server.port)).unwrap();
                    supervise(&server, &state.join("users"), GRACE);
                    server
                }
            }
        })
    }

    /// A server of the caller's own, stopped when the value is dropped or the process ends.
    pub fn start() -> PgServer {
        let lock = tempfile::Builder::new().prefix("acca-pg-lock").tempfile().unwrap().into_temp_path().keep().unwrap();
        let file = File::create(&lock).unwrap();
        file.lock_shared().unwrap();
        let server = launch(file);
        supervise(&server, &lock, 0);
        server
    }

    /// A new, empty database with a name that no other test uses.
    pub fn database(&self) -> PgDatabase<'_> {
        self.database_from("template0")
    }

    /// A new copy of another database, to which nobody is connected.
    pub fn database_from(&self, template: &str) -> PgDatabase<'_> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("create database {name} template {template}"));
        PgDatabase { server: self, name }
    }

    /// Ends the server as a power cut would: no connection is told.
    pub fn crash(&self) {
        self.control(&["stop", "--mode=immediate", "--silent"]);
    }

    /// Starts the server again after [`PgServer::crash`], on the same data.
    pub fn restart(&self) {
        self.control(&["start", "--wait", "--silent", "--log", "server.log"]);
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = as_server_user(&self.programs.join("pg_ctl"));
        command.args(arguments).arg("--pgdata").arg(self.folder.join("data"));
        run_quietly(command.current_dir(&self.folder), &self.folder);
    }

    /// The rows that `sql` gives in `database`: one a line, fields separated by `|`, as psql prints them.
    ///
    /// # Panics
    /// With the server's message, when a statement fails.
    pub fn query(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"])
            .args(["--username", USER, "--dbname", database, "--command", sql])
            .arg("--host")
            .arg(&self.socket)
            .args(["--port", &self.port.to_string()])
            .env_remove("PGOPTIONS")
            .output()
            .unwrap();
        assert!(output.status.success(), "{sql}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for PgServer {
    /// Only a private server gets here (the shared one lives as long as the process), and only its supervisor is needed:
    /// it sees the lock go. A `drop` keeps the end of the test from waiting for it.
    fn drop(&mut self) {
        self._lock.unlock().ok();
    }
}

impl PgDatabase<'_> {
    pub fn query(&self, sql: &str) -> String {
        self.server.query(&self.name, sql)
    }

    /// How acca's own adapter reaches it, through the socket.
    pub fn settings(&self) -> PgSettings {
        PgSettings {
            host: self.server.socket.display().to_string(),
            port: self.server.port,
            user: USER.to_owned(),
            dbname: self.name.clone(),
            sslmode: Some("disable".to_owned()),
            ..PgSettings::default()
        }
    }

    /// An output of a profile that reaches it, as YAML in flow style: over TCP, with the password.
    pub fn profile_output(&self, schema: &str) -> String {
        let (port, name) = (self.server.port, &self.name);
        format!(
            "{{type: postgres, host: 127.0.0.1, port: {port}, user: {USER}, password: '{PASSWORD}', dbname: {name}, schema: {schema}, threads: 4}}"
        )
    }
}

impl Drop for PgDatabase<'_> {
    fn drop(&mut self) {
        // A server that the test has stopped takes its databases along.
        if UnixStream::connect(socket_file(&self.server.socket, self.server.port)).is_ok() && !std::thread::panicking() {
            self.server.query("postgres", &format!("drop database if exists {} with (force)", self.name));
        }
    }
}

/// The server that the record tells of, when it still answers.
fn running(record: &Path) -> Option<(PathBuf, u16)> {
    let text = fs::read_to_string(record).ok()?;
    let (folder, port) = text.trim().split_once('\n')?;
    let (folder, port) = (PathBuf::from(folder), port.parse().ok()?);
    UnixStream::connect(socket_file(&folder, port)).ok()?;
    Some((folder, port))
}

fn socket_file(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

/// Makes a cluster and starts its server.
fn launch(lock: File) -> PgServer {
    let programs = programs();
    // Not under the target folder: the path of a socket may have a hundred bytes at most, and another user must reach it.
    let folder = tempfile::Builder::new().prefix("acca-pg-").tempdir_in("/tmp").unwrap().keep();
    let password = folder.join("password");
    fs::write(&password, PASSWORD).unwrap();
    if let Some((user, group)) = server_user() {
        for path in [&folder, &password] {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }
    let mut initdb = as_server_user(&programs.join("initdb"));
    initdb
        .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--encoding=UTF8", "--no-instructions"])
        // Letters of all languages have both cases, as in DuckDB, and text is ordered by code point.
        .arg(if cfg!(target_os = "macos") { "--locale=en_US.UTF-8" } else { "--locale=C.UTF-8" })
        .arg(format!("--username={USER}"))
        .arg("--pwfile")
        .arg(&password)
        .arg("--pgdata")
        .arg(folder.join("data"));
    run_quietly(initdb.current_dir(&folder), &folder);
    let port = free_port();
    // Without fsync a crash of the machine loses data, a crash of the server does not: commits still reach the kernel.
    let settings = format!(
        "unix_socket_directories = '{}'\nport = {port}\nlisten_addresses = '127.0.0.1'\nmax_connections = 200\ntimezone = 'UTC'\n\
         fsync = off\nfull_page_writes = off\nautovacuum = off\nshared_buffers = 64MB\n",
        folder.display()
    );
    let written = fs::OpenOptions::new().append(true).open(folder.join("data/postgresql.conf"));
    std::io::Write::write_all(&mut written.unwrap(), settings.as_bytes()).unwrap();
    let server = PgServer { socket: folder.clone(), port, programs, folder, _lock: lock };
    server.restart();
    server
}

/// Leaves a script behind that stops the server and removes its folder once nobody holds the lock.
#[expect(clippy::zombie_processes, reason = "the script outlives this process by design")]
fn supervise(server: &PgServer, lock: &Path, grace: u32) {
    let script = r#"
        while :; do
            flock --exclusive "$1" true
            sleep "$2"
            flock --nonblock --conflict-exit-code 75 --exclusive "$1" sh -c '
                kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" 2>/dev/null
                while [ -S "$1/.s.PGSQL.$2" ]; do sleep 0.1; done
                rm -rf "$1"' sh "$3" "$4"
            [ $? -eq 75 ] || break
        done
        [ "$2" -gt 0 ] || rm -f "$1""#;
    Command::new("sh")
        .args(["-c", script, "acca-test-postgres"])
        .arg(lock)
        .arg(grace.to_string())
        .arg(&server.folder)
        .arg(server.port.to_string())
        // Ctrl-C and the runner's own clean-up reach the tests' process group, and must not reach this one.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start the script that stops PostgreSQL: {error}"));
}

/// Runs a program of PostgreSQL. Its output goes to a file: a server started by it keeps that open, and a pipe would never end.
fn run_quietly(command: &mut Command, folder: &Path) {
    let log = folder.join("output.log");
    let file = File::create(&log).unwrap();
    let status = command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if !status.success() {
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        panic!("{command:?}: {status}\n{}{}", read(log), read(folder.join("server.log")));
    }
}

/// PostgreSQL refuses to run as root: where the tests do, its programs run as another user.
fn as_server_user(program: &Path) -> Command {
    match server_user() {
        None => Command::new(program),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
            command.arg("--").arg(program).env_remove("HOME");
            command
        }
    }
}

/// User and group that the server runs as, where it may not be this process's own.
fn server_user() -> Option<(u32, u32)> {
    static USER: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *USER.get_or_init(|| {
        let id = |arguments: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if id(&["-u"]) != Some(0) {
            return None;
        }
        let of = |name| Some((id(&["-u", name])?, id(&["-g", name])?));
        Some(of("postgres").or_else(|| of("nobody")).unwrap_or((65534, 65534)))
    })
}

/// The folder of initdb, postgres and the others: named by ACCA_POSTGRES_BIN, told by pg_config, Debian's, or on the PATH.
fn programs() -> PathBuf {
    let told = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok();
    let told = told.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let mut candidates: Vec<PathBuf> = std::env::var_os("ACCA_POSTGRES_BIN").map(PathBuf::from).into_iter().chain(told).collect();
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok())
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    debian.sort();
    candidates.extend(debian.into_iter().rev().map(|(_, folder)| folder));
    candidates.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let complete = |folder: &PathBuf| ["initdb", "postgres", "pg_ctl", "psql"].iter().all(|program| folder.join(program).is_file());
    match candidates.into_iter().find(complete) {
        Some(folder) => folder,
        None => {
            panic!("the server programs of PostgreSQL are not installed: run ./setup postgres, or name their folder in ACCA_POSTGRES_BIN")
        }
    }
}

/// A TCP port that nobody listens on at this moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn every_test_gets_a_database_of_its_own() {
    let server = PgServer::shared();
    let (first, second) = (server.database(), server.database());
    first.query("create table t (a int); insert into t values (1), (2)");
    assert_eq!(first.query("select count(*), current_setting('fsync'), upper('é') from t"), "2|off|É");
    assert_eq!(second.query("select to_regclass('t') is null"), "t");
    assert!(Postgres::new(second.settings()).unwrap().connect().is_ok());
    let name = first.name.clone();
    drop(first);
    assert_eq!(second.query(&format!("select count(*) from pg_database where datname = '{name}'")), "0");
}

#[test]
fn passwords_are_checked_over_tcp() {
    let server = PgServer::shared();
    let connect = |password: &str| {
        Command::new(server.programs.join("psql"))
            .args(["--no-psqlrc", "--no-password", "-At", "-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", USER])
            .args(["-d", "postgres", "-c", "select 1"])
            .env("PGPASSWORD", password)
            .output()
            .unwrap()
    };
    assert!(connect(PASSWORD).status.success());
    assert!(String::from_utf8_lossy(&connect("wrong").stderr).contains("password authentication failed"));
}

#[test]
fn a_private_server_can_crash_and_leaves_nothing_behind() {
    let server = PgServer::start();
    server.query("postgres", "create table kept (a int)");
    server.crash();
    assert!(UnixStream::connect(socket_file(&server.socket, server.port)).is_err());
    server.restart();
    assert_eq!(server.query("postgres", "select count(*) from kept"), "0");
    let folder = server.folder.clone();
    drop(server);
    for _ in 0..100 {
        if !folder.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{} is still there ten seconds after its server was dropped", folder.display());
}

#[test]
fn a_record_without_a_server_is_not_trusted() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for record in ["", "/nowhere", "/nowhere\nport", "/nowhere\n5432"] {
        fs::write(file.path(), record).unwrap();
        assert_eq!(running(file.path()), None, "{record}");
    }
}
