//! Buckets of S3 for tests: a folder of the system, which the imitation reads and writes, and a server of S3's own protocol over it
//! (GetObject, PutObject, HeadObject, DeleteObject, ListObjectsV2, paths with the bucket first). Signatures are not looked at.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tiny_http::{Header, Method, Request, Response, Server};

/// A place: the bucket and the key, or what keys begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub bucket: String,
    pub key: String,
}

impl Place {
    /// From `s3://bucket/key`.
    pub fn read(url: &str) -> Option<Place> {
        let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
        (!bucket.is_empty()).then(|| Place { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    pub fn with_key(&self, key: String) -> Place {
        Place { bucket: self.bucket.clone(), key }
    }
}

pub struct Buckets {
    folder: tempfile::TempDir,
    server: OnceLock<(Arc<Server>, u16)>,
}

impl Buckets {
    pub fn new() -> Buckets {
        Buckets { folder: tempfile::tempdir().unwrap(), server: OnceLock::new() }
    }

    /// Where an object lies on disk.
    pub fn path(&self, place: &Place) -> PathBuf {
        path(self.folder.path(), place)
    }

    pub fn put(&self, place: &Place, content: &[u8]) {
        let path = self.path(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn get(&self, place: &Place) -> Option<Vec<u8>> {
        fs::read(self.path(place)).ok()
    }

    pub fn delete(&self, place: &Place) {
        let _ = fs::remove_file(self.path(place));
    }

    /// The objects whose keys begin so, in order of their keys.
    pub fn list(&self, prefix: &Place) -> Vec<Place> {
        keys(self.folder.path(), prefix).into_iter().map(|key| prefix.with_key(key)).collect()
    }

    /// Where a client of S3 reaches these buckets, by paths.
    pub fn endpoint(&self) -> String {
        let (_, port) = self.server.get_or_init(|| {
            let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
            let port = server.server_addr().to_ip().unwrap().port();
            let (serving, folder) = (Arc::clone(&server), self.folder.path().to_owned());
            std::thread::spawn(move || {
                while let Ok(request) = serving.recv() {
                    serve(&folder, request);
                }
            });
            (server, port)
        });
        format!("http://127.0.0.1:{port}")
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        if let Some((server, _)) = self.server.get() {
            server.unblock();
        }
    }
}

fn path(folder: &Path, place: &Place) -> PathBuf {
    let parts = place.key.split('/').filter(|part| !part.is_empty() && *part != "..");
    folder.join(&place.bucket).join(parts.collect::<PathBuf>())
}

fn keys(folder: &Path, prefix: &Place) -> Vec<String> {
    let root = folder.join(&prefix.bucket);
    let walk = walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let names = walk.filter_map(|entry| Some(entry.path().strip_prefix(&root).ok()?.to_str()?.to_owned()));
    let mut found: Vec<String> = names.filter(|key| key.starts_with(&prefix.key)).collect();
    found.sort();
    found
}

fn serve(folder: &Path, mut request: Request) {
    let url = request.url().to_owned();
    let (target, query) = url.split_once('?').unwrap_or((&url, ""));
    let target = decoded(target);
    let (bucket, key) = target.trim_start_matches('/').split_once('/').unwrap_or((target.trim_start_matches('/'), ""));
    let place = Place { bucket: bucket.to_owned(), key: key.to_owned() };
    let option = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(decoded);
    let xml = Header::from_bytes("Content-Type", "application/xml").unwrap();
    let missing = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";
    let response = match request.method() {
        Method::Get if key.is_empty() => {
            let prefix = place.with_key(option("prefix").unwrap_or_default());
            let contents = keys(folder, &prefix).into_iter().map(|key| {
                let content = fs::read(path(folder, &prefix.with_key(key.clone()))).unwrap_or_default();
                let (size, etag) = (content.len(), etag(&content).replace('"', "&quot;"));
                let key = key.replace('&', "&amp;").replace('<', "&lt;");
                format!("<Contents><Key>{key}</Key><Size>{size}</Size><ETag>{etag}</ETag></Contents>")
            });
            let contents: Vec<String> = contents.collect();
            let list = format!(
                "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{bucket}</Name><IsTruncated>false</IsTruncated><KeyCount>{}</KeyCount>{}</ListBucketResult>",
                contents.len(),
                contents.concat()
            );
            Response::from_data(list.into_bytes()).with_header(xml)
        }
        Method::Get | Method::Head => match fs::read(path(folder, &place)) {
            Ok(content) => {
                let found = Header::from_bytes("ETag", etag(&content)).unwrap();
                let wanted = request.headers().iter().find(|header| header.field.equiv("If-Match"));
                if wanted.is_some_and(|wanted| wanted.value.as_str() != found.value.as_str()) {
                    let changed = "<Error><Code>PreconditionFailed</Code><Message>It was changed.</Message></Error>";
                    Response::from_data(changed).with_header(xml).with_status_code(412)
                } else {
                    let range = request.headers().iter().find(|header| header.field.equiv("Range"));
                    let range = range.and_then(|range| range.value.as_str().strip_prefix("bytes=")?.split_once('-'));
                    match range.map(|(from, last)| (from.parse::<usize>().unwrap(), last.parse::<usize>().unwrap())) {
                        Some((from, last)) => Response::from_data(&content[from..=last]).with_header(found).with_status_code(206),
                        None => Response::from_data(content).with_header(found),
                    }
                }
            }
            Err(_) => Response::from_data(missing).with_header(xml).with_status_code(404),
        },
        Method::Put => {
            let mut content = Vec::new();
            let file = path(folder, &place);
            let written = request.as_reader().read_to_end(&mut content).and_then(|_| {
                fs::create_dir_all(file.parent().unwrap_or(folder))?;
                fs::write(&file, &content)
            });
            Response::from_data("").with_status_code(if written.is_ok() { 200 } else { 500 })
        }
        Method::Delete => {
            let _ = fs::remove_file(path(folder, &place));
            Response::from_data("").with_status_code(204)
        }
        _ => Response::from_data("").with_status_code(405),
    };
    // A client that went away needs no answer.
    let _ = request.respond(response);
}

/// What the content is called.
fn etag(content: &[u8]) -> String {
    format!("\"{:08x}\"", crc32fast::hash(content))
}

/// `%20` and its like.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits = [rest.clone().next(), rest.clone().nth(1)];
        match (byte, digits) {
            (b'%', [Some(high), Some(low)]) => {
                let number = u8::from_str_radix(&format!("{}{}", char::from(high), char::from(low)), 16);
                match number {
                    Ok(number) => {
                        bytes.push(number);
                        rest.nth(1);
                    }
                    Err(_) => bytes.push(byte),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn objects_are_reached_over_http() {
    use std::io::Write;
    let buckets = Buckets::new();
    let address = buckets.endpoint().strip_prefix("http://").unwrap().to_owned();
    let ask = |head: &str, body: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "{head} HTTP/1.1\r\nHost: s3\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("PUT /lake/a%20b/1.csv", "id\n1\n").starts_with("HTTP/1.1 200"));
    assert_eq!(buckets.get(&Place::read("s3://lake/a b/1.csv").unwrap()).unwrap(), b"id\n1\n");
    assert!(ask("GET /lake?list-type=2&prefix=a%20", "").contains("<Key>a b/1.csv</Key><Size>5</Size>"));
    assert!(ask("GET /lake/a%20b/1.csv", "").ends_with("id\n1\n"));
    ask("DELETE /lake/a%20b/1.csv", "");
    assert!(ask("GET /lake/a%20b/1.csv", "").contains("NoSuchKey"));
}
