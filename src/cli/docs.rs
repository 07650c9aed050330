//! `acca docs generate` and `acca docs serve`: the documentation of the project and of what stands in the database.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

use super::Exit;
use super::arguments::{DocsArguments, DocsCommand, GenerateArguments, ServeArguments};
use super::compile::compile_nodes;
use super::context::{Context, nodes};
use super::lineage;
use super::run::recorded;
use super::style::{self, paint};
use super::text::counted;
use crate::analysis::Compilation;
use crate::artifacts::{SITE, catalog, is_catalogued, static_site, write_atomically};
use crate::base::{RelationFacts, ResourceType, Sources};
use crate::diag::{Code, Diagnostic, Diagnostics, codes, summary};
use crate::execute::{connection_failed, read_catalog};
use crate::jinja::{BUILTIN_MACROS, YamlText};
use crate::project::{Node, Project, load};

const DOCUMENTED: [ResourceType; 5] =
    [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Source, ResourceType::Test];

/// The files of the target folder that the page reads, with their types; nothing else is served.
const SERVED: [(&str, &str); 7] = [
    ("index.html", "text/html; charset=utf-8"),
    ("static_index.html", "text/html; charset=utf-8"),
    ("manifest.json", "application/json"),
    ("catalog.json", "application/json"),
    ("lineage.json", "application/json"),
    ("run_results.json", "application/json"),
    ("sources.json", "application/json"),
];

pub(super) fn cmd_docs(context: &Context<'_>, arguments: &DocsArguments) -> Result<(), Exit> {
    match &arguments.command {
        DocsCommand::Generate(arguments) => generate(context, arguments),
        DocsCommand::Serve(arguments) => serve(context, arguments),
    }
}

pub(super) fn generate(context: &Context<'_>, arguments: &GenerateArguments) -> Result<(), Exit> {
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let selected = context.select(compilation, &arguments.selection, &DOCUMENTED)?;
    let selected = nodes(compilation, &selected);
    let (mut compiled, mut result) = (BTreeMap::new(), None);
    let recorded = || recorded(context, "generate", arguments.recorded());
    if !arguments.no_compile {
        let to_compile: Vec<&Node> = selected.iter().copied().filter(|node| has_sql(node)).collect();
        let (written, problems, done) = compile_nodes(context, compilation, &to_compile, true);
        context.log.diagnostics(&problems, &compilation.project.sources);
        if problems.has_errors() {
            context.write_artifacts(compilation, &written, Some((&done, recorded())));
            context.terminal.print_error(&format!("{} {}", paint(style::BAD, "Failed:"), summary(&problems)));
            return Err(Exit::Failed);
        }
        (compiled, result) = (written, Some(done));
    }
    let facts = if arguments.empty_catalog { Vec::new() } else { read(context, compilation, &selected)? };
    context.write_artifacts(compilation, &compiled, result.as_ref().map(|result| (result, recorded())));
    let ids: BTreeSet<&str> = selected.iter().map(|node| &*node.id).collect();
    let document = catalog(&facts, &compilation.manifest, &|node| ids.contains(&*node.id), &context.metadata());
    let listed = ["nodes", "sources"].iter().map(|section| document.get(*section).and_then(Value::as_object).map_or(0, Map::len)).sum();
    let folder = context.target_path(compilation);
    let lineage = lineage::whole(context, compilation).to_string();
    let written = write_site(&folder, &document.to_string(), &lineage, arguments.r#static);
    let written = written.and_then(|()| copy_assets(context, &compilation.project, &folder));
    match written {
        Ok(()) => {
            let place = context.relative(&folder);
            let text = format!("Documented {} in {place}; look at it with: acca docs serve", counted(listed, "relation"));
            context.log.line("CatalogWritten", &text, json!({"path": folder.join("catalog.json"), "relations": listed}));
            Ok(())
        }
        Err((path, error)) => {
            let text = format!("{} {} cannot be written: {error}", paint(style::BAD, "error:"), context.relative(&path));
            context.terminal.print_error(&text);
            Err(Exit::Failed)
        }
    }
}

fn has_sql(node: &Node) -> bool {
    !matches!(node.resource, ResourceType::Source | ResourceType::Seed)
}

impl GenerateArguments {
    fn recorded(&self) -> Map<String, Value> {
        let mut recorded = self.selection.recorded();
        let entries = [("compile", !self.no_compile), ("empty_catalog", self.empty_catalog), ("static", self.r#static)];
        recorded.extend(entries.map(|(key, set)| (key.to_owned(), json!(set))));
        recorded
    }
}

/// What the database holds in the schemas of the nodes.
fn read(context: &Context<'_>, compilation: &Compilation, selected: &[&Node]) -> Result<Vec<RelationFacts>, Exit> {
    let relations = selected.iter().filter(|node| is_catalogued(node)).filter_map(|node| node.relation.as_ref());
    let schemas: BTreeSet<String> = relations.map(|relation| relation.schema.to_lowercase()).collect();
    let schemas: Vec<String> = schemas.into_iter().collect();
    let connected = context.open(compilation)?;
    let session = connected.adapter.connect();
    let read = session.and_then(|mut session| read_catalog(&mut *session, connected.engine, &schemas));
    read.map_err(|error| {
        context.log.diagnostic(&connection_failed(&compilation.project.target, &error), &compilation.project.sources);
        Exit::Failed
    })
}

/// Writes the catalogue and the page, and the page that holds everything where it is wanted.
fn write_site(folder: &Path, document: &str, lineage: &str, is_static: bool) -> Result<(), (PathBuf, io::Error)> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        write_atomically(&path, text.as_bytes()).map_err(|error| (path, error))
    };
    write("catalog.json", document)?;
    write("lineage.json", lineage)?;
    write("index.html", SITE)?;
    if is_static {
        let path = folder.join("manifest.json");
        let manifest = std::fs::read_to_string(&path).map_err(|error| (path, error))?;
        write("static_index.html", &static_site(&manifest, document))?;
    }
    Ok(())
}

/// Folders of `asset-paths`, relative to the project's. None leads out of it.
fn asset_folders(project: &Project) -> Vec<String> {
    let folders = project.packages.first().and_then(|root| root.paths.get("asset-paths"));
    let inside = |folder: &&String| Path::new(folder.as_str()).components().all(|part| matches!(part, Component::Normal(_)));
    folders.into_iter().flatten().filter(inside).cloned().collect()
}

/// Copies the files of `asset-paths` beside the page. Those that are gone from there are gone here too.
fn copy_assets(context: &Context<'_>, project: &Project, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    for assets in asset_folders(project) {
        let copied = folder.join(&assets);
        if let Err(error) = std::fs::remove_dir_all(&copied)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err((copied, error));
        }
        for file in context.files.list(&assets).map_err(|error| (context.root.join(&assets), error))? {
            let target = folder.join(&file);
            let made = target.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::copy(context.root.join(&file), &target)).map_err(|error| (target, error))?;
        }
    }
    Ok(())
}

/// The type of a file by its name.
fn kind_of(name: &str) -> &'static str {
    let ending = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "css" => "text/css; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

fn serve(context: &Context<'_>, arguments: &ServeArguments) -> Result<(), Exit> {
    let (folder, assets) = served_folder(context)?;
    let fail = |code: &'static Code, text: String, help: &str| {
        context.log.diagnostic(&Diagnostic::new(code, text).help(help), &Sources::default());
        Exit::Usage
    };
    if !folder.join("manifest.json").is_file() {
        let text = format!("there is no manifest.json in '{}'", context.relative(&folder));
        return Err(fail(&codes::MISSING_FILE, text, "write the documentation first: acca docs generate"));
    }
    let path = folder.join("index.html");
    write_atomically(&path, SITE.as_bytes()).map_err(|error| {
        let text = format!("'{}' cannot be written: {error}", context.relative(&path));
        fail(&codes::CANNOT_SERVE, text, "check the folder's permissions")
    })?;
    let address = (arguments.host.as_str(), arguments.port);
    let server = Server::http(address).map_err(|error| {
        let text = format!("port {} of '{}' cannot be served: {error}", arguments.port, arguments.host);
        fail(&codes::CANNOT_SERVE, text, "let the system choose a port that is free: acca docs serve --port 0")
    })?;
    let url = url(&server, &arguments.host);
    context.log.line("ServingDocs", &format!("Serving the documentation at {url}\nCtrl-C ends it."), json!({"url": url}));
    if !arguments.no_browser && context.terminal.is_live() && !context.log.is_json() {
        open_browser(&url);
    }
    // Ends with the process: Ctrl-C.
    for request in server.incoming_requests() {
        answer(request, &folder, &assets);
    }
    Ok(())
}

/// The target folder and those of assets in it, also of a project whose models do not compile at the moment.
fn served_folder(context: &Context<'_>) -> Result<(PathBuf, Vec<String>), Exit> {
    let mut diagnostics = Diagnostics::default();
    let options = context.load_options()?;
    match load(&*context.files, &options, &YamlText::default(), &BUILTIN_MACROS, &mut diagnostics) {
        Ok(project) => Ok((context.root.join(&project.target_path), asset_folders(&project))),
        Err(sources) => {
            context.log.diagnostics(&diagnostics, &sources);
            Err(Exit::Failed)
        }
    }
}

fn url(server: &Server, host: &str) -> String {
    let port = server.server_addr().to_ip().map_or(0, |address| address.port());
    match host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => format!("http://localhost:{port}/"),
        Ok(IpAddr::V6(address)) => format!("http://[{address}]:{port}/"),
        _ => format!("http://{host}:{port}/"),
    }
}

/// Best effort: the address is on the screen as well.
fn open_browser(url: &str) {
    let (program, arguments): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/c", "start"]),
        _ => ("xdg-open", &[]),
    };
    let quiet = std::process::Stdio::null;
    let _ = std::process::Command::new(program).args(arguments).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
}

fn answer(request: Request, folder: &Path, assets: &[String]) {
    let wanted = request.url().split(['?', '#']).next().unwrap_or("").trim_start_matches('/');
    let wanted = if wanted.is_empty() { "index.html" } else { wanted };
    let plain = Path::new(wanted).components().all(|part| matches!(part, Component::Normal(_))) && !wanted.ends_with('/');
    let is_asset = plain && assets.iter().any(|assets| wanted.strip_prefix(assets.as_str()).is_some_and(|rest| rest.starts_with('/')));
    let listed = SERVED.iter().find(|(name, _)| *name == wanted).map(|(name, kind)| (*name, *kind));
    let known = listed.or_else(|| (is_asset && folder.join(wanted).is_file()).then(|| (wanted, kind_of(wanted))));
    let reads = matches!(request.method(), Method::Get | Method::Head);
    let found = known.filter(|_| reads).and_then(|(name, kind)| Some((std::fs::File::open(folder.join(name)).ok()?, kind)));
    // A browser that has gone away is no error.
    let _ = match found {
        Some((file, kind)) => request.respond(with_headers(Response::from_file(file), kind)),
        None if !reads => request.respond(Response::from_string("this server only reads\n").with_status_code(405)),
        None => request.respond(Response::from_string("there is no such page\n").with_status_code(404)),
    };
}

fn with_headers<R: io::Read>(response: Response<R>, kind: &str) -> Response<R> {
    let headers = [("Content-Type", kind), ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff")];
    headers.into_iter().fold(response, |response, (name, value)| match Header::from_bytes(name, value) {
        Ok(header) => response.with_header(header),
        Err(()) => response,
    })
}
