//! What all clients of AWS have in common: who asks, from where, and over which connections.

use std::fmt;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_redshiftdata::config::Credentials;
use aws_smithy_http_client::tls;
use serde_json::{Map, Value};

use crate::project::Target;

/// Requests that nobody answers, or that the service fails itself, are sent so often, within a second or two.
const REQUESTS: u32 = 4;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// No request waits for a statement to end, or for more than a page of rows.
const ANSWER: Duration = Duration::from_secs(60);

/// Who asks, from the keys of a target. What is missing comes from where every program of AWS takes it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    pub region: Option<String>,
    /// The profile of AWS's configuration.
    pub profile: Option<String>,
    /// Access key and its secret.
    pub access_key: Option<(String, String)>,
}

/// Without the secret of the access key.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({:?}, {:?})", self.region, self.profile)
    }
}

impl Access {
    pub(super) fn of(target: &Target) -> Access {
        let settings = &target.settings;
        Access {
            region: text(settings, "region"),
            profile: text(settings, "iam_profile"),
            access_key: text(settings, "access_key_id").zip(text(settings, "secret_access_key")),
        }
    }
}

/// The value of a key that is not empty.
pub(super) fn text(settings: &Map<String, Value>, name: &str) -> Option<String> {
    let value = settings.get(name).filter(|value| !value.is_null())?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)).filter(|text| !text.is_empty())
}

/// With the cryptography that is in the program already.
pub(super) fn tls_provider() -> tls::Provider {
    tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)
}

/// Looks for region and credentials as every program of AWS does, and talks to nobody but who gives those.
pub(super) async fn config(access: &Access) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls_provider());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.build_https())
        .retry_config(RetryConfig::standard().with_max_attempts(REQUESTS).with_initial_backoff(FIRST_BACKOFF))
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ANSWER).build());
    if let Some(region) = &access.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &access.profile {
        loader = loader.profile_name(profile);
    }
    if let Some((id, secret)) = &access.access_key {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "profiles.yml"));
    }
    loader.load().await
}
