//! The client of S3: requests are signed by `rusty_s3` and go over the connections of AWS's own crates.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_redshiftdata::config::http::{HttpRequest, HttpResponse};
use aws_sdk_redshiftdata::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use url::Url;

use super::Object;
use crate::base::bucket_and_key;
use crate::execute::adapter::AdapterError;
use crate::execute::aws::{self, Access};
use crate::project::Target;

/// How long a signed request may be under way before it begins.
const VALID: Duration = Duration::from_secs(600);
/// How long an answer, or the next piece of it, is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a line of the slowest kind takes in a second.
const SLOWEST: u64 = 64 * 1024;
/// Requests that nobody answers, or that the service has no room for, are sent so often.
const TRIES: u32 = 5;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// How often somebody is asked who may want to stop.
const NOW_AND_THEN: Duration = Duration::from_millis(100);
/// How long is spent on what is left over.
const SOON: Duration = Duration::from_secs(10);

/// Clients of this process by their settings, so that credentials are asked for once.
static CLIENTS: Mutex<Vec<(Settings, Arc<Buckets>)>> = Mutex::new(Vec::new());

#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    access: Access,
    /// The address of a service that stands in for Amazon's.
    endpoint: Option<String>,
}

/// Buckets as a target reaches them.
pub struct Buckets {
    runtime: Runtime,
    credentials: SharedCredentialsProvider,
    connector: Connector,
    endpoint: Option<Url>,
    /// Of the caller.
    region: String,
    /// Of buckets that are elsewhere.
    regions: Mutex<BTreeMap<String, String>>,
}

/// What is asked of an object or a bucket.
enum Ask<'a> {
    List { prefix: &'a str, token: Option<&'a str> },
    Head,
    Get { etag: &'a str, range: Option<(u64, u64)> },
    Put { content: &'a [u8] },
    Delete,
}

impl Buckets {
    /// The client of a target: its keys `region`, `iam_profile`, `access_key_id`, `secret_access_key` and `s3_endpoint`, else the
    /// environment and the configuration of AWS.
    ///
    /// # Errors
    /// `Connection` where no region or no credentials are to be found.
    pub fn of(target: &Target) -> Result<Arc<Buckets>, AdapterError> {
        let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let endpoint =
            aws::text(&target.settings, "s3_endpoint").or_else(|| set("AWS_ENDPOINT_URL_S3")).or_else(|| set("AWS_ENDPOINT_URL"));
        let settings = Settings { access: Access::of(target), endpoint };
        let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = clients.iter().find(|(known, _)| *known == settings) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(Buckets::new(&settings)?);
        clients.push((settings, Arc::clone(&made)));
        Ok(made)
    }

    fn new(settings: &Settings) -> Result<Buckets, AdapterError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("acca-s3")
            .enable_all()
            .build()
            .map_err(|error| AdapterError::Io(format!("cannot start the thread that talks to S3: {error}")))?;
        let config = runtime.block_on(aws::config(&settings.access));
        let endpoint = settings.endpoint.as_deref().map(|text| {
            Url::parse(text)
                .map_err(|error| failed(format!("'{text}' is no address of S3: {error}"), "as in 's3_endpoint: http://localhost:9000'"))
        });
        let endpoint = endpoint.transpose()?;
        let region = match (config.region(), &endpoint) {
            (Some(region), _) => region.to_string(),
            // Of a service that stands in for Amazon's; only signatures name it.
            (None, Some(_)) => "us-east-1".to_owned(),
            (None, None) => {
                return Err(failed(
                    "no region of AWS is known for S3".to_owned(),
                    "set AWS_REGION, or 'region:' of the target in profiles.yml",
                ));
            }
        };
        let credentials = config.credentials_provider().ok_or_else(without_credentials)?;
        let connector = Connector::builder().proxy_config(ProxyConfig::from_env()).tls_provider(aws::tls_provider()).build();
        Ok(Buckets { runtime, credentials, connector, endpoint, region, regions: Mutex::default() })
    }

    /// The objects whose keys begin so, in the order of their keys.
    ///
    /// # Errors
    /// `Connection` with what S3 says.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Object>, AdapterError> {
        let url = format!("s3://{bucket}/{prefix}");
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let ask = Ask::List { prefix, token: token.as_deref() };
            let text = self.runtime.block_on(async { text_of(self.send(&url, &ask).await?).await })?;
            let page = ListObjectsV2::parse_response(&text).map_err(|error| unclear(&url, &error.to_string()))?;
            for found in page.contents {
                // What stands for a folder holds nothing.
                if !found.key.ends_with('/') {
                    let etag = found.etag.unwrap_or_default();
                    objects.push(Object { url: format!("s3://{bucket}/{}", found.key), bytes: found.size.unwrap_or(0), etag });
                }
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }

    /// The object of that place; `None` where there is none.
    ///
    /// # Errors
    /// As [`Buckets::list`].
    pub fn find(&self, url: &str) -> Result<Option<Object>, AdapterError> {
        let answer = self.runtime.block_on(self.send_any(url, &Ask::Head))?;
        if answer.status().as_u16() == 404 {
            return Ok(None);
        }
        let answer = self.runtime.block_on(accepted(url, &Ask::Head, answer))?;
        let header = |name: &str| answer.headers().get(name).unwrap_or("").to_owned();
        let bytes = header("content-length").parse().unwrap_or(0);
        Ok(Some(Object { url: url.to_owned(), bytes, etag: header("etag") }))
    }

    /// Writes the content of an object as it was listed.
    ///
    /// # Errors
    /// As [`Buckets::list`]; also where the object is another one by now.
    pub fn download(&self, object: &Object, to: &mut dyn Write, interrupted: &dyn Fn() -> bool) -> Result<(), AdapterError> {
        let breaks = |error: String| failed(format!("'{}' breaks off: {error}", object.url), "load again");
        self.runtime.block_on(unless(interrupted, async {
            let mut stream = ByteStream::new(self.send(&object.url, &Ask::Get { etag: &object.etag, range: None }).await?.into_body());
            let mut read = 0;
            loop {
                let piece = timeout(PATIENCE, stream.try_next()).await.map_err(|_| breaks("no more comes".to_owned()))?;
                let Some(piece) = piece.map_err(|error| breaks(error.to_string()))? else { break };
                read += piece.len();
                to.write_all(&piece).map_err(|error| AdapterError::Io(format!("a copy of '{}' cannot be written: {error}", object.url)))?;
            }
            if u64::try_from(read).ok() == Some(object.bytes) {
                Ok(())
            } else {
                Err(breaks(format!("{read} of {} bytes came", object.bytes)))
            }
        }))
    }

    /// So many bytes of an object from a place on, as far as it goes.
    ///
    /// # Errors
    /// As [`Buckets::download`].
    pub fn part(&self, object: &Object, from: u64, bytes: u64) -> Result<Vec<u8>, AdapterError> {
        let last = (from + bytes).min(object.bytes).saturating_sub(1);
        let ask = Ask::Get { etag: &object.etag, range: Some((from, last)) };
        self.runtime.block_on(async { bytes_of(self.send(&object.url, &ask).await?).await })
    }

    /// Makes an object, in place of what is there. When `interrupted` says so, nobody waits for the answer any more.
    ///
    /// # Errors
    /// As [`Buckets::list`]; also `Cancelled`.
    #[expect(clippy::needless_pass_by_value, reason = "the content belongs to the object")]
    pub fn put(&self, url: &str, content: Vec<u8>, interrupted: &dyn Fn() -> bool) -> Result<(), AdapterError> {
        self.runtime.block_on(unless(interrupted, self.send(url, &Ask::Put { content: &content }))).map(|_| ())
    }

    /// Takes an object away; where there is none nothing happens.
    ///
    /// # Errors
    /// As [`Buckets::list`].
    pub fn delete(&self, url: &str) -> Result<(), AdapterError> {
        self.runtime.block_on(self.send(url, &Ask::Delete)).map(|_| ())
    }

    /// Takes objects away as far as that goes in a few seconds: what is left over costs a little.
    pub fn delete_soon<'u>(&self, urls: impl Iterator<Item = &'u str>) {
        let began = Instant::now();
        let late = || began.elapsed() > SOON;
        for url in urls {
            if self.runtime.block_on(unless(&late, self.send(url, &Ask::Delete))).is_err() {
                return;
            }
        }
    }

    /// The region of the bucket, where it is known to be another one than that of the caller.
    pub fn other_region(&self, url: &str) -> Option<String> {
        let (bucket, _) = bucket_and_key(url)?;
        self.regions.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    /// The region of the bucket, as far as it is known: else that of the caller.
    pub fn region(&self, url: &str) -> String {
        self.other_region(url).unwrap_or_else(|| self.region.clone())
    }

    /// An answer that is no error.
    async fn send(&self, url: &str, ask: &Ask<'_>) -> Result<HttpResponse, AdapterError> {
        accepted(url, ask, self.send_any(url, ask).await?).await
    }

    /// Sends a request until it is answered otherwise than with a failure of the service.
    async fn send_any(&self, url: &str, ask: &Ask<'_>) -> Result<HttpResponse, AdapterError> {
        let Some((bucket, key)) = bucket_and_key(url) else {
            return Err(failed(format!("'{url}' is no place on S3"), "as in s3://bucket/folder/"));
        };
        let mut pause = FIRST_BACKOFF;
        let mut tries = 1;
        loop {
            let request = self.request(bucket, key, ask).await?;
            match timeout(patience(ask), self.connector.call(request)).await {
                Ok(Ok(answer)) => {
                    if self.learns_region(bucket, &answer) {
                        continue;
                    }
                    let status = answer.status().as_u16();
                    if tries == TRIES || !(status >= 500 || status == 429) {
                        return Ok(answer);
                    }
                }
                Ok(Err(error)) if tries == TRIES => {
                    let message = format!("S3 cannot be asked about '{url}': {}", causes(&error));
                    return Err(failed(
                        message,
                        "check 'region' or 's3_endpoint' in profiles.yml, AWS_ENDPOINT_URL_S3, and the network between",
                    ));
                }
                Err(_) if tries == TRIES => {
                    return Err(failed(format!("S3 does not answer about '{url}'"), "check the network, and try again"));
                }
                Ok(Err(_)) | Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause *= 3;
            tries += 1;
        }
    }

    /// Whether the answer says that the bucket is elsewhere than was thought.
    fn learns_region(&self, bucket: &str, answer: &HttpResponse) -> bool {
        let status = answer.status().as_u16();
        let Some(region) = answer.headers().get("x-amz-bucket-region").filter(|_| [301, 307, 400].contains(&status)) else { return false };
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let known = regions.insert(bucket.to_owned(), region.to_owned());
        known.as_deref().unwrap_or(&self.region) != region
    }

    async fn request(&self, bucket: &str, key: &str, ask: &Ask<'_>) -> Result<HttpRequest, AdapterError> {
        let given = self.credentials.provide_credentials().await.map_err(|error| {
            let problem = without_credentials();
            match problem {
                AdapterError::Connection { message, hints } => {
                    AdapterError::Connection { message: format!("{message}: {}", causes(&error)), hints }
                }
                other => other,
            }
        })?;
        let credentials = match given.session_token() {
            Some(token) => Credentials::new_with_token(given.access_key_id(), given.secret_access_key(), token),
            None => Credentials::new(given.access_key_id(), given.secret_access_key()),
        };
        let place = self.bucket(bucket)?;
        let (method, url, content) = signed(&place, &credentials, key, ask);
        let mut request = HttpRequest::new(SdkBody::from(content));
        let unclear =
            |why: String| failed(format!("a request for 's3://{bucket}/{key}' cannot be made: {why}"), "check the name of the bucket");
        request.set_method(method).map_err(|error| unclear(error.to_string()))?;
        request.set_uri(url.as_str()).map_err(|error| unclear(error.to_string()))?;
        match ask {
            Ask::Get { etag, range } => {
                if !etag.is_empty() {
                    request.headers_mut().insert("if-match", (*etag).to_owned());
                }
                if let Some((from, last)) = range {
                    request.headers_mut().insert("range", format!("bytes={from}-{last}"));
                }
            }
            Ask::Put { content } => {
                request.headers_mut().insert("content-length", content.len().to_string());
            }
            _ => {}
        }
        Ok(request)
    }

    /// Names with dots are no names of hosts that certificates cover, and services that stand in for Amazon's have one host.
    fn bucket(&self, name: &str) -> Result<Bucket, AdapterError> {
        let region = self.regions.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let region = region.unwrap_or_else(|| self.region.clone());
        let own = format!("https://s3.{region}.{}", if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" });
        let style = if self.endpoint.is_some() || name.contains('.') { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let address = self.endpoint.clone().map_or_else(|| Url::parse(&own), Ok);
        let wrong = |why: String| failed(format!("'{name}' is no bucket: {why}"), "check the name of the bucket and the region");
        let address = address.map_err(|error| wrong(error.to_string()))?;
        Bucket::new(address, style, name.to_owned(), region).map_err(|error| wrong(format!("{error:?}")))
    }
}

/// The work, unless somebody is asked now and then and says that it is not wanted any more.
async fn unless<T>(interrupted: &dyn Fn() -> bool, work: impl Future<Output = Result<T, AdapterError>>) -> Result<T, AdapterError> {
    let mut work = std::pin::pin!(work);
    loop {
        match timeout(NOW_AND_THEN, &mut work).await {
            Ok(done) => return done,
            Err(_) if interrupted() => return Err(AdapterError::Cancelled),
            Err(_) => {}
        }
    }
}

/// How long an answer is waited for: behind the content, which has to get there.
fn patience(ask: &Ask<'_>) -> Duration {
    match ask {
        Ask::Put { content } => PATIENCE + Duration::from_secs(content.len() as u64 / SLOWEST),
        Ask::List { .. } | Ask::Head | Ask::Get { .. } | Ask::Delete => PATIENCE,
    }
}

/// Method, signed address and body.
fn signed(bucket: &Bucket, credentials: &Credentials, key: &str, ask: &Ask<'_>) -> (&'static str, Url, Vec<u8>) {
    let who = Some(credentials);
    match ask {
        Ask::List { prefix, token } => {
            let mut list = bucket.list_objects_v2(who);
            list.with_prefix(*prefix);
            if let Some(token) = token {
                list.with_continuation_token(*token);
            }
            // As keys are, not as they stand in addresses.
            list.query_mut().remove("encoding-type");
            ("GET", list.sign(VALID), Vec::new())
        }
        Ask::Head => ("HEAD", bucket.head_object(who, key).sign(VALID), Vec::new()),
        Ask::Get { .. } => ("GET", bucket.get_object(who, key).sign(VALID), Vec::new()),
        Ask::Put { content } => ("PUT", bucket.put_object(who, key).sign(VALID), content.to_vec()),
        Ask::Delete => ("DELETE", bucket.delete_object(who, key).sign(VALID), Vec::new()),
    }
}

/// What S3 refuses, in its words and with what to do about it.
async fn accepted(url: &str, ask: &Ask<'_>, answer: HttpResponse) -> Result<HttpResponse, AdapterError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = text_of(answer).await.unwrap_or_default();
    let part = |name: &str| Some(text.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>"))?.0.to_owned());
    let code = part("Code").unwrap_or_else(|| status.as_u16().to_string());
    let (verb, right) = match ask {
        Ask::List { .. } => ("list", "s3:ListBucket"),
        Ask::Head | Ask::Get { .. } => ("read", "s3:GetObject"),
        Ask::Put { .. } => ("write", "s3:PutObject"),
        Ask::Delete => ("delete", "s3:DeleteObject"),
    };
    let hint = match (status.as_u16(), code.as_str()) {
        (412, _) => return Err(failed(format!("'{url}' was changed while it was loaded"), "load again")),
        (_, "NoSuchBucket") => "check the name of the bucket".to_owned(),
        (404, _) => "the object is gone: load again".to_owned(),
        (301 | 307, _) => "the bucket is in another region, which is not told: write it into 'region:' of the target".to_owned(),
        (_, "RequestTimeTooSkewed") => "the clock of this machine is wrong: set it".to_owned(),
        (_, "ExpiredToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
            "the credentials of AWS are not valid (any more): log in again, or check the keys".to_owned()
        }
        (403, _) => format!("the identity needs {right} on it"),
        _ => "try again later".to_owned(),
    };
    let message = part("Message").unwrap_or_else(|| "it does not say why".to_owned());
    Err(failed(format!("S3 refuses to {verb} '{url}': {message} ({code})"), &hint))
}

async fn text_of(answer: HttpResponse) -> Result<String, AdapterError> {
    Ok(String::from_utf8_lossy(&bytes_of(answer).await?).into_owned())
}

async fn bytes_of(answer: HttpResponse) -> Result<Vec<u8>, AdapterError> {
    let read = timeout(PATIENCE, ByteStream::new(answer.into_body()).collect()).await;
    let breaks = || failed("an answer of S3 breaks off".to_owned(), "try again");
    Ok(read.map_err(|_| breaks())?.map_err(|_| breaks())?.to_vec())
}

fn failed(message: String, hint: &str) -> AdapterError {
    AdapterError::Connection { message, hints: vec![hint.to_owned()] }
}

fn unclear(url: &str, why: &str) -> AdapterError {
    failed(format!("what S3 says about '{url}' is not understood: {why}"), "is it a service that speaks S3's protocol?")
}

fn without_credentials() -> AdapterError {
    failed(
        "no credentials of AWS were found for S3".to_owned(),
        "environment, configuration files, or the role of this machine have to give them; 'iam_profile' in profiles.yml names a profile of AWS's configuration",
    )
}

/// The error with what lies behind it. Addresses are not among it: they are signed.
fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.dedup();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_given_the_time_that_it_takes() {
        assert_eq!(patience(&Ask::Head), PATIENCE);
        let content = vec![0; 16 << 20];
        // A slow line carries half a megabit in a second.
        assert!(patience(&Ask::Put { content: &content }) > Duration::from_secs((16 << 23) / 500_000));
    }
}
