//! Amazon Redshift through its Data API: statements go over HTTPS, one at a time in a session that the service keeps, so that a
//! transaction spans several of them (`data-api-calling-considerations-session-reuse` of the Management Guide).

mod api;
mod failure;
mod session;
mod settings;
mod split;
#[cfg(test)]
mod tests;
mod values;

use std::sync::Arc;

use tokio::runtime::Runtime;

use self::api::Api;
use self::session::RedshiftSession;
pub use self::settings::RedshiftSettings;
use super::adapter::{Adapter, AdapterError, Datum, Session};

/// A warehouse behind a Data API. Sessions share one client and one small runtime that waits for the network.
pub struct Redshift {
    settings: Arc<RedshiftSettings>,
    runtime: Arc<Runtime>,
    api: Arc<Api>,
}

impl Redshift {
    /// Looks for region and credentials as every program of AWS does, and talks to nobody but who gives those.
    ///
    /// # Errors
    /// `Io` when the operating system gives no threads; `Connection` when no region is known.
    pub fn new(settings: RedshiftSettings) -> Result<Redshift, AdapterError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("acca-redshift")
            .enable_all()
            .build()
            .map_err(|error| AdapterError::Io(format!("cannot start the thread that talks to Redshift: {error}")))?;
        let api = runtime.block_on(Api::new(&settings))?;
        Ok(Redshift { settings: Arc::new(settings), runtime: Arc::new(runtime), api: Arc::new(api) })
    }

    fn session(&self) -> RedshiftSession {
        RedshiftSession::new(Arc::clone(&self.settings), Arc::clone(&self.runtime), Arc::clone(&self.api))
    }
}

impl Adapter for Redshift {
    /// The service opens its session with the first statement.
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError> {
        Ok(Box::new(self.session()))
    }

    fn describe(&self) -> Result<String, AdapterError> {
        let version = self.session().value("select version()")?;
        let version = match &version {
            Some(Datum::Text(text)) => text.rsplit_once("Redshift ").map_or(text.as_str(), |(_, version)| version),
            _ => "",
        };
        Ok(format!("Redshift {version} at {}", self.settings.place()).replace("  ", " "))
    }
}
