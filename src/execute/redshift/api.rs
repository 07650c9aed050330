//! The Data API: a statement is started, asked about until it has ended, and its rows are fetched by pages.

use std::time::{Duration, Instant};

use aws_config::Region;
use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::StatusString;
use rand::RngExt;

use super::failure::{self, connection};
use super::settings::{Authentication, RedshiftSettings, Warehouse};
use super::values::{column, datum};
use crate::execute::adapter::{AdapterError, Table};
use crate::execute::aws;

/// Seconds that the service keeps a session without a statement. What a killed run has locked is free then.
const KEEP_ALIVE: i32 = 120;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long room is waited for: among the requests that the service takes, the statements or the sessions of the warehouse.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Api {
    client: Client,
}

/// A statement on its way.
pub(super) struct Started {
    pub(super) id: String,
    /// The session that the service keeps it in.
    pub(super) session: Option<String>,
}

impl Api {
    pub(super) async fn new(settings: &RedshiftSettings) -> Result<Api, AdapterError> {
        let config = aws::config(&settings.access).await;
        let mut service = aws_sdk_redshiftdata::config::Builder::from(&config);
        if let Some(endpoint) = &settings.endpoint {
            service = service.endpoint_url(endpoint);
        }
        if config.region().is_none() {
            if settings.endpoint.is_none() {
                let hint = "add 'region:' to the target in profiles.yml, or set AWS_REGION";
                return Err(connection(format!("no region of AWS is known for {}", settings.place()), vec![hint.to_owned()]));
            }
            // Of a service that stands in for Amazon's; only signatures name it.
            service = service.region(Region::new("us-east-1"));
        }
        Ok(Api { client: Client::from_conf(service.build()) })
    }

    /// Starts a statement, in a session where there is one. Waits for a place among those that the warehouse runs at a time.
    pub(super) async fn start(&self, settings: &RedshiftSettings, session: Option<&str>, sql: &str) -> Result<Started, AdapterError> {
        let mut waited = Duration::ZERO;
        let mut pause = Duration::from_millis(200);
        loop {
            let request = self.client.execute_statement().sql(sql).session_keep_alive_seconds(KEEP_ALIVE);
            let request = match (session, &settings.warehouse) {
                // A session belongs to its database already.
                (Some(session), _) => request.session_id(session),
                (None, Warehouse::Workgroup(name)) => request.workgroup_name(name).database(&settings.database),
                (None, Warehouse::Cluster(name)) => request.cluster_identifier(name).database(&settings.database),
            };
            let request = match (session, &settings.authentication) {
                (None, Authentication::Secret(arn)) => request.secret_arn(arn),
                (None, Authentication::User(user)) => request.db_user(user),
                _ => request,
            };
            match request.send().await {
                Ok(output) => {
                    let id = output.id().map(str::to_owned);
                    let id = id.ok_or_else(|| connection("the Data API gave a statement no number".to_owned(), Vec::new()))?;
                    return Ok(Started { id, session: output.session_id().map(str::to_owned) });
                }
                Err(error) if is_full(&error) && waited < PATIENCE => {
                    let jittered = jittered(pause);
                    tokio::time::sleep(jittered).await;
                    waited += jittered;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(failure::request(settings, &error)),
            }
        }
    }

    /// Waits until a statement has ended: as long as it takes. It goes on in the warehouse while the network is away.
    pub(super) async fn finish(&self, settings: &RedshiftSettings, id: &str) -> Result<DescribeStatementOutput, AdapterError> {
        let mut pause = FIRST_PAUSE;
        let mut unheard: Option<Instant> = None;
        loop {
            match self.client.describe_statement().id(id).send().await {
                Ok(output) => {
                    unheard = None;
                    if matches!(output.status(), Some(StatusString::Finished | StatusString::Failed | StatusString::Aborted)) {
                        return Ok(output);
                    }
                }
                // The statement goes on meanwhile.
                Err(error) if is_full(&error) => pause = LONGEST_PAUSE,
                Err(error) if is_away(&error) && unheard.is_none_or(|since| since.elapsed() < PATIENCE) => {
                    unheard = unheard.or_else(|| Some(Instant::now()));
                }
                Err(error) => return Err(failure::request(settings, &error)),
            }
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// At most `limit` rows of a statement that has ended.
    pub(super) async fn rows(&self, settings: &RedshiftSettings, id: &str, limit: usize) -> Result<Table, AdapterError> {
        let mut table = Table::default();
        let mut next: Option<String> = None;
        loop {
            let page = self.client.get_statement_result().id(id).set_next_token(next);
            let page = page.send().await.map_err(|error| failure::request(settings, &error))?;
            if table.columns.is_empty() {
                table.columns = page.column_metadata().iter().map(column).collect();
            }
            for record in page.records() {
                if table.rows.len() == limit {
                    return Ok(table);
                }
                let values = record.iter().zip(&table.columns).map(|(field, column)| datum(field, &column.data_type));
                table.rows.push(values.collect());
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() || table.rows.len() == limit {
                return Ok(table);
            }
        }
    }

    /// Asks for the end of a statement; whether it came is told by [`Api::finish`].
    pub(super) async fn cancel(&self, id: &str) {
        // One that has just ended cannot be cancelled any more.
        let _ = self.client.cancel_statement().id(id).send().await;
    }
}

fn is_full<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.is_some_and(|code| ["ThrottlingException", "ActiveStatementsExceededException", "ActiveSessionsExceededException"].contains(&code))
}

/// Whether nobody answered, or the service had a fault of its own.
fn is_away<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(refused) => refused.raw().status().is_server_error(),
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// Half of the time at least, so that many do not ask at once.
pub(super) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.5..1.0))
}
