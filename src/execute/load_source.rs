//! Runs a source of the graph: its raw table, then every landing file that is new or has changed.

use std::path::Path;
use std::sync::Arc;

use globset::GlobBuilder;

use super::buckets::{Buckets, Object};
use super::hidden::is_hidden;
use super::load::{self, CopyBucket, Gone, LandingFile, LoadColumn, LoadError, LoadOutcome, Loader, RawTable, Refresh};
use super::node::Outcome;
use super::prepare::{NodeError, RunJob};
use super::warehouse::{SharedSession, locked};
use super::{AdapterError, Interrupt};
use crate::analysis::is_personal;
use crate::base::bucket_and_key;
use crate::diag::{Diagnostic, codes};
use crate::dialect::{ColumnType, Engine};
use crate::plan::{NodePlan, Status};
use crate::project::{Detail, Landing, Node};

pub(super) fn run(
    job: &RunJob<'_>,
    node: &Node,
    session: &SharedSession,
    interrupt: &Interrupt,
    outcome: &mut Outcome,
) -> Result<(), NodeError> {
    let Detail::Source(source) = &node.detail else { return Ok(()) };
    let (Some(landing), Some(relation)) = (&source.landing, &node.relation) else { return Ok(()) };
    let columns = columns(job, node)?;
    let Files { files, buckets, hidden } = matching_files(job, node, landing)?;
    let (bucket, imports) = (copy_bucket(job)?, imports(job)?);
    let interrupted = || interrupt.is_raised() || interrupt.has_given_up();
    let table = RawTable { source: &node.id, relation, columns: &columns, landing, run_id: &job.options.run_id };
    let refresh = job.options.full_refresh.then_some(Refresh { files: &files, buckets: buckets.as_deref(), prune: job.options.prune });
    let opened = Loader::open(&mut **locked(session), job.engine, table, refresh, &interrupted);
    let mut loader = opened.map_err(|error| failed(node, landing, error))?.through(bucket.as_ref(), imports);
    let mut progress = Progress { hidden, ..Progress::default() };
    for file in &files {
        if interrupted() {
            return Err(AdapterError::Cancelled.into());
        }
        // One file's failure does not keep the others out: each stands for itself, and all mistakes show at once.
        match loader.load_file(&mut **locked(session), file, buckets.as_deref()) {
            Ok(loaded) => progress.add(&loaded),
            Err(LoadError::Engine(AdapterError::Cancelled)) => return Err(AdapterError::Cancelled.into()),
            Err(LoadError::Engine(error @ AdapterError::Connection { .. })) => return Err(error.into()),
            Err(error) => outcome.diagnostics.push(diagnostic(node, landing, &error)),
        }
    }
    if outcome.diagnostics.is_empty() {
        progress.gone = loader.settle_gone(&mut **locked(session)).map_err(|error| failed(node, landing, error))?;
    }
    if (progress.rows > 0 || progress.gone.removed > 0)
        && let Some(sql) = crate::dialect::analyze(relation, job.engine)
    {
        locked(session).execute(&sql)?;
    }
    if job.engine != Engine::Redshift || bucket.is_some() {
        progress.inserted = 0;
    }
    outcome.rows_affected = Some(progress.rows);
    outcome.message = progress.message();
    if let Some(why) = loader.detour() {
        outcome.message.push_str(&format!("; read by acca, as the warehouse says: {why}"));
    }
    outcome.status = Some(if outcome.diagnostics.is_empty() { Status::Success } else { Status::Error });
    if let Some(first) = outcome.diagnostics.first() {
        outcome.message = first.message.clone();
    }
    outcome.diagnostics.extend(loader.duplicates().into_iter().map(|(file, other)| duplicate(node, landing, file, other)));
    Ok(())
}

/// What [`run`] would do, for `explain`.
pub(super) fn plan(job: &RunJob<'_>, node: &Node, session: &SharedSession) -> Result<NodePlan, NodeError> {
    let Detail::Source(source) = &node.detail else { return Ok(NodePlan::default()) };
    let (Some(landing), Some(relation)) = (&source.landing, &node.relation) else { return Ok(NodePlan::default()) };
    let columns = columns(job, node)?;
    let Files { files, .. } = matching_files(job, node, landing)?;
    let (bucket, imports) = (copy_bucket(job)?, imports(job)?);
    let table = RawTable { source: &node.id, relation, columns: &columns, landing, run_id: &job.options.run_id };
    load::plan(&mut **locked(session), job.engine, table, &files, job.options.full_refresh, (bucket.as_ref(), imports))
        .map_err(|error| failed(node, landing, error))
}

/// Whether PostgreSQL reads objects on S3 itself, by the extension of RDS and Aurora.
fn imports(job: &RunJob<'_>) -> Result<bool, Diagnostic> {
    let target = &job.compilation.project.target;
    match target.settings.get("s3_import").filter(|_| job.engine == Engine::Postgres).map(|value| value.as_str().unwrap_or("")) {
        None | Some("stream") => Ok(false),
        Some("aws_s3") => Ok(true),
        Some(other) => Err(Diagnostic::new(&codes::INVALID_PROFILE, format!("'{other}' is no 's3_import' of target '{}'", target.name))
            .at_opt(target.span)
            .help("write 'aws_s3' where the extension of that name is installed, or 'stream'")),
    }
}

/// By which rows go into Redshift.
fn copy_bucket(job: &RunJob<'_>) -> Result<Option<CopyBucket>, AdapterError> {
    match job.engine {
        Engine::Redshift => CopyBucket::of(&job.compilation.project.target),
        Engine::DuckDb | Engine::Postgres => Ok(None),
    }
}

/// Bytes that are slow to insert.
const MUCH: u64 = 1_000_000;

#[derive(Default)]
struct Progress {
    rows: u64,
    rejected: u64,
    /// Of files that came in as inserts.
    inserted: u64,
    loaded: usize,
    unchanged: usize,
    /// Files that the pattern matches and that are no data by their names.
    hidden: usize,
    gone: Gone,
}

impl Progress {
    fn add(&mut self, outcome: &LoadOutcome) {
        match outcome {
            LoadOutcome::Unchanged => self.unchanged += 1,
            LoadOutcome::Loaded(loaded) => {
                self.loaded += 1;
                self.rows += loaded.rows;
                self.rejected += loaded.rejected;
                self.inserted += loaded.bytes;
            }
        }
    }

    fn message(&self) -> String {
        let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
        let mut parts = Vec::new();
        if self.loaded > 0 {
            let rows = if self.rows == 1 { "row" } else { "rows" };
            parts.push(format!("{} {rows} of {}", self.rows, files(self.loaded)));
        }
        if self.unchanged > 0 {
            parts.push(format!("{} unchanged", files(self.unchanged)));
        }
        if self.gone.kept > 0 {
            parts.push(format!("{} kept that {} gone", files(self.gone.kept), if self.gone.kept == 1 { "is" } else { "are" }));
        }
        if self.gone.removed > 0 {
            parts.push(format!("{} removed", files(self.gone.removed)));
        }
        if self.rejected > 0 {
            parts.push(format!("{} rejected", self.rejected));
        }
        if self.inserted > MUCH {
            let megabytes = self.inserted / 1_000_000;
            parts.push(format!("{megabytes} MB by inserts, which are slow: 'load_bucket' of the target lets COPY do it"));
        }
        if self.hidden > 0 {
            parts.push(format!("{} hidden and passed over", files(self.hidden)));
        }
        if parts.is_empty() { "no files".to_owned() } else { parts.join(", ") }
    }
}

fn columns(job: &RunJob<'_>, node: &Node) -> Result<Vec<LoadColumn>, Diagnostic> {
    let column = |column: &crate::project::Column| {
        let place = column.data_type_span.or(column.span).unwrap_or(node.origin);
        let Some(declared) = &column.data_type else {
            let message = format!("column '{}' of source '{}' has no data_type, so its files cannot be loaded", column.name, node.name);
            return Err(Diagnostic::new(&codes::INVALID_LANDING, message).at(place).help("declare it, as in 'data_type: numeric(12,2)'"));
        };
        let data_type = ColumnType::parse(declared).map_err(|why| Diagnostic::new(&codes::INVALID_LANDING, why).at(place))?;
        let personal = is_personal(column, &job.compilation.project);
        Ok(LoadColumn { name: column.name.clone(), quoted: column.quote == Some(true), data_type, personal })
    };
    if node.columns.is_empty() {
        let message = format!("source '{}' declares no columns, so its files cannot be loaded", node.name);
        return Err(Diagnostic::new(&codes::INVALID_LANDING, message).at(node.properties.unwrap_or(node.origin)));
    }
    node.columns.iter().map(column).collect()
}

/// The files of a source, in ascending order of their names, and the buckets in which they are.
struct Files {
    files: Vec<LandingFile>,
    buckets: Option<Arc<Buckets>>,
    /// How many are passed over.
    hidden: usize,
}

/// Files that the pattern matches.
fn matching_files(job: &RunJob<'_>, node: &Node, landing: &Landing) -> Result<Files, NodeError> {
    let root = &job.options.root;
    let invalid =
        |why: String| Diagnostic::new(&codes::INVALID_LANDING, format!("the landing path of '{}' {why}", node.name)).at(landing.path_span);
    let glob =
        GlobBuilder::new(&landing.path).literal_separator(true).build().map_err(|error| invalid(format!("is no pattern: {error}")))?;
    let matcher = glob.compile_matcher();
    if let Some((bucket, prefix)) = bucket_and_key(fixed_part(&landing.path)) {
        if job.options.offline {
            // The pattern stands for all of them.
            let object = Object { url: landing.path.clone(), bytes: 0, etag: String::new() };
            return Ok(Files { files: vec![LandingFile::OnS3(object)], buckets: None, hidden: 0 });
        }
        let buckets = Buckets::of(&job.compilation.project.target)?;
        let mut objects = buckets.list(bucket, prefix)?;
        objects.retain(|object| matcher.is_match(&object.url));
        let matched = objects.len();
        objects.retain(|object| !passed_over(&landing.path, &object.url));
        let hidden = matched - objects.len();
        objects.sort_by(|one, other| one.url.cmp(&other.url));
        if objects.is_empty() {
            let problem = invalid(format!("matches no object: '{}'", landing.path));
            return Err(Diagnostic { code: &codes::MISSING_FILE, ..problem }.help("check bucket, folder and pattern").into());
        }
        return Ok(Files { files: objects.into_iter().map(LandingFile::OnS3).collect(), buckets: Some(buckets), hidden });
    }
    let folder = fixed_folder(&landing.path);
    let base = root.join(folder);
    let (mut files, mut hidden) = (Vec::new(), 0);
    for entry in walkdir::WalkDir::new(&base).follow_links(true) {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        let recorded = if Path::new(folder).is_absolute() { path } else { path.strip_prefix(root).unwrap_or(path) };
        if entry.file_type().is_file() && matcher.is_match(recorded) {
            let recorded_as = recorded.to_string_lossy().replace('\\', "/");
            if passed_over(&landing.path, &recorded_as) {
                hidden += 1;
                continue;
            }
            files.push(LandingFile::Local { path: path.to_owned(), recorded_as });
        }
    }
    files.sort_by(|one, other| one.recorded_as().cmp(other.recorded_as()));
    if files.is_empty() {
        let problem = invalid(format!("matches no file: '{}'", landing.path));
        return Err(Diagnostic { code: &codes::MISSING_FILE, ..problem }
            .help("check the path; it is relative to the project's folder")
            .into());
    }
    Ok(Files { files, buckets: None, hidden })
}

/// Whether a file is hidden that a pattern matches by its signs only: what the pattern spells out is wanted.
fn passed_over(pattern: &str, file: &str) -> bool {
    let spelled = fixed_part(pattern);
    let Some(below) = file.strip_prefix(spelled).filter(|below| !below.is_empty()) else { return false };
    // The beginning of a name is spelled out.
    let below = if spelled.ends_with('/') || spelled.is_empty() { below.to_owned() } else { format!("x{below}") };
    let wants = pattern.get(spelled.len()..).unwrap_or("").split('/').any(|name| name.starts_with(['.', '_', '#']));
    !wants && is_hidden(&below)
}

/// The part of a pattern before its first sign, up to the last `/`.
fn fixed_folder(pattern: &str) -> &str {
    let fixed = fixed_part(pattern);
    fixed.rfind('/').map_or("", |at| fixed.get(..at).unwrap_or(""))
}

fn fixed_part(pattern: &str) -> &str {
    pattern.find(['*', '?', '[', '{', '\\']).map_or(pattern, |at| pattern.get(..at).unwrap_or(""))
}

fn failed(node: &Node, landing: &Landing, error: LoadError) -> NodeError {
    match error {
        LoadError::Engine(error) => NodeError::Adapter(error),
        other => diagnostic(node, landing, &other).into(),
    }
}

fn duplicate(node: &Node, landing: &Landing, file: &str, other: &str) -> Diagnostic {
    let message = format!("source '{}': '{file}' has the same bytes as '{other}', so its rows are loaded twice", node.name);
    Diagnostic::new(&codes::DUPLICATE_FILE, message)
        .at(landing.path_span)
        .help("when it is a copy, delete one of them and load with --full-refresh --prune")
}

fn diagnostic(node: &Node, landing: &Landing, error: &LoadError) -> Diagnostic {
    let problem = Diagnostic::new(&codes::LOAD_FAILED, format!("source '{}': {error}", node.name)).at(landing.path_span);
    error.details().into_iter().fold(problem, Diagnostic::note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_are_loaded_where_the_pattern_names_them() {
        for (pattern, file, expected) in [
            ("s3://b/in/*", "s3://b/in/_SUCCESS", true),
            ("s3://b/in/**/*.csv", "s3://b/in/_temporary/0/a.csv", true),
            ("landing/*.csv", "landing/.#a.csv", true),
            ("landing/*.csv", "landing/a.csv", false),
            ("landing/_*.csv", "landing/_a.csv", false),
            ("landing/*/_a*.csv", "landing/1/_a1.csv", false),
            ("_in/*.csv", "_in/a.csv", false),
            ("landing/_a.csv", "landing/_a.csv", false),
        ] {
            assert_eq!(passed_over(pattern, file), expected, "{pattern} {file}");
        }
    }
}
