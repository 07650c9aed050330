//! What went wrong, in terms of the profile and of the statement. Never quotes a secret.

use aws_sdk_redshiftdata::error::{ProvideErrorMetadata, SdkError};

use super::settings::RedshiftSettings;
use crate::execute::adapter::AdapterError;

/// SQLSTATE of a transaction that another one was in the way of.
const CONFLICT: &str = "40001";
const MISSING_RELATION: &str = "42P01";

/// A request that did not come to a statement.
pub(super) fn request<E>(settings: &RedshiftSettings, error: &SdkError<E>) -> AdapterError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let place = settings.place();
    if let Some(refused) = error.as_service_error() {
        let code = refused.code().unwrap_or("error");
        let message = refused.message().unwrap_or("it does not say why");
        return connection(format!("the Data API refuses a request for {place}: {message} ({code})"), hints(code, message));
    }
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    let hint = if text.contains("credentials") {
        "no credentials of AWS were found: environment, configuration files, or the role of this machine have to give them; \
         'iam_profile' in profiles.yml names a profile of AWS's configuration"
    } else {
        "check 'region' (or 'endpoint') in profiles.yml, and the network between"
    };
    connection(format!("the Data API cannot be asked about {place}: {}", first_line(&text)), vec![hint.to_owned()])
}

fn hints(code: &str, message: &str) -> Vec<String> {
    let hint = match code {
        "AccessDeniedException" => {
            "the identity needs redshift-data:ExecuteStatement, DescribeStatement, GetStatementResult and CancelStatement, and the right to get credentials of the warehouse"
        }
        "UnrecognizedClientException" | "InvalidSignatureException" | "ExpiredTokenException" | "InvalidClientTokenId" => {
            "the credentials of AWS are not valid (any more): log in again, or check the keys"
        }
        "ResourceNotFoundException" => "check 'serverless_work_group' or 'cluster_id' and 'region' in profiles.yml",
        "ActiveSessionsExceededException" => "fewer 'threads' in profiles.yml need fewer sessions",
        "ActiveStatementsExceededException" | "ThrottlingException" => {
            "the account sends more than the service takes: fewer 'threads' in profiles.yml send less, and other programs count too"
        }
        _ if message.to_ascii_lowercase().contains("paused") => "the cluster is paused: resume it, and run it again",
        _ if message.contains("ession") => {
            "the service has ended the session, and what its transaction did is taken back: run it again, as with 'acca retry'"
        }
        "ValidationException" if message.to_ascii_lowercase().contains("cluster") => "check 'cluster_id' and 'region' in profiles.yml",
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

pub(super) fn connection(message: String, hints: Vec<String>) -> AdapterError {
    AdapterError::Connection { message, hints }
}

/// A statement that the warehouse refused; `sql` is what was sent.
pub(super) fn statement(error: &str, sql: &str) -> AdapterError {
    let text = error.trim().trim_start_matches("ERROR:").trim();
    let lower = text.to_ascii_lowercase();
    let is_conflict = lower.contains("serializable isolation violation")
        || lower.contains("conflict with concurrent transaction")
        || lower.contains("could not open relation with oid")
        || lower.contains("deadlock detected");
    let code = if is_conflict {
        Some(CONFLICT)
    } else if lower.contains("relation ") && lower.contains("does not exist") {
        Some(MISSING_RELATION)
    } else {
        None
    };
    let (message, position) = without_position(text);
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty() && line.chars().any(char::is_alphanumeric));
    let mut message = lines.next().unwrap_or("the statement failed without a reason").to_owned();
    if message.bytes().all(|byte| byte.is_ascii_digit()) {
        // A bare number says nothing to people.
        message.extend(lines.next().map(|line| format!(": {line}")));
    }
    // Characters are counted from 1; bytes from 0 are wanted.
    let offset = position.and_then(|position| sql.char_indices().nth(position.checked_sub(1)?)).map(|(byte, _)| byte);
    let hints = lines.map(str::to_owned).chain(what_to_do(&lower).map(str::to_owned)).collect();
    AdapterError::Statement { message, code: code.map(str::to_owned), offset, hints }
}

/// What the warehouse says of S3, of roles and of others, by words of its messages: all those of a row have to be there.
const KNOWN: &[(&[&str], &str)] = &[
    (
        &["s3serviceexception", "status 403"],
        "the role of the warehouse ('iam_role' of the target, else the default one) needs s3:GetObject and s3:ListBucket there, for UNLOAD s3:PutObject too, and the key of an encrypted bucket",
    ),
    (
        &["s3serviceexception", "status 301"],
        "the bucket is in another region than the warehouse: name one that is in the same, or say its 'region'",
    ),
    (&["s3serviceexception", "status 404"], "check the names of bucket and folder"),
    (&["s3serviceexception", "status 503"], "S3 has no room for more at this moment: run it again, as with 'acca retry'"),
    (&["not authorized to assume"], "the role has to be attached to the cluster or namespace, and has to trust redshift.amazonaws.com"),
    (
        &["not authorized to get credentials of role"],
        "the role has to be attached to the cluster or namespace, and has to trust redshift.amazonaws.com",
    ),
    (&["default", "iam role"], "give the cluster or namespace a default role, or write 'iam_role:' into the target in profiles.yml"),
    (
        &["serializable isolation violation"],
        "another transaction changed what this one reads: run it again when that is over, as with 'acca retry', or with fewer 'threads'",
    ),
    (
        &["lake formation"],
        "the role of the external schema needs SELECT and DESCRIBE on the table in Lake Formation, or the database its old way of permissions",
    ),
    (
        &["incompatible parquet schema"],
        "a file has the column in another type than the table: declare the type that the files have, and make it anew with 'acca load --full-refresh'",
    ),
    (&["spectrum"], "a file of the external table cannot be read as it is declared: the detail names it, where Redshift does"),
    (&["disk full"], "queries need room for what they keep meanwhile: select or join less, or ask for a larger warehouse"),
];

fn what_to_do(lower: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(words, _)| words.iter().all(|word| lower.contains(word))).map(|(_, hint)| *hint)
}

/// Whether an error of COPY says no more than where its reason is to be found.
pub(super) fn is_of_load(message: &str) -> bool {
    message.contains("load_error")
}

/// File, line, column and reason of what a COPY failed at, in one sentence. The value stays in the warehouse: it may be somebody's
/// name, and messages go into logs and artefacts.
pub(super) fn of_load(row: &[String]) -> Option<String> {
    let [file, line, column, reason] = row else { return None };
    let line = if line.is_empty() || line == "0" { String::new() } else { format!(":{line}") };
    let column = if column.is_empty() { String::new() } else { format!(", column '{column}'") };
    Some(format!("COPY failed at {file}{line}{column}: {reason}"))
}

/// How to see the value, for who may.
pub(super) fn of_value(query: i64, asked: &str) -> String {
    let sql = if asked.contains("stl_load_errors") {
        format!("select raw_field_value, raw_line from stl_load_errors where query = {query}")
    } else {
        format!("select * from sys_load_error_detail where query_id = {query}")
    };
    format!("the value is not shown, as it may be personal; whoever may see it asks the warehouse: {sql}")
}

/// `… Position: 12`, wherever it stands.
fn without_position(text: &str) -> (String, Option<usize>) {
    let Some(at) = text.find("Position: ") else { return (text.to_owned(), None) };
    let (before, behind) = text.split_at(at);
    let number: String = behind.chars().skip("Position: ".len()).take_while(char::is_ascii_digit).collect();
    let rest = behind.get("Position: ".len() + number.len()..).unwrap_or("");
    let before = before.trim_end().trim_end_matches(';').trim_end();
    (format!("{before}{}", rest.trim_start_matches(';')), number.parse().ok())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_say_where_and_why() {
        let parts = |error: &str, sql: &str| match statement(error, sql) {
            AdapterError::Statement { message, code, offset, hints } => (message, code.unwrap_or_default(), offset, hints.concat()),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            parts("ERROR: column \"x\" does not exist in t\n  Position: 9\n  Hint: look", "select é, x"),
            ("column \"x\" does not exist in t".to_owned(), String::new(), Some(9), "Hint: look".to_owned())
        );
        for (error, told) in [
            ("S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1", "needs s3:GetObject"),
            (
                "S3ServiceException:The bucket must be addressed using the specified endpoint,Status 301,Error PermanentRedirect",
                "another region",
            ),
            ("S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket", "check the names"),
            ("Insufficient Lake Formation permission(s): Required Select on t", "SELECT and DESCRIBE"),
            ("User arn:aws:redshift:x is not authorized to assume IAM Role arn:aws:iam::1:role/r", "redshift.amazonaws.com"),
        ] {
            assert!(parts(&format!("ERROR: {error}"), "x").3.contains(told), "{error}");
        }
        let (message, code, ..) = parts("ERROR: 1023\n  Detail: Serializable isolation violation on table - 1", "x");
        assert_eq!((message.as_str(), code.as_str()), ("1023: Detail: Serializable isolation violation on table - 1", "40001"));
        assert!(statement("ERROR: 1023 Serializable isolation violation", "x").is_conflict());
        assert_eq!(parts("ERROR: relation \"s.t\" does not exist", "x").1, "42P01");
    }
}
