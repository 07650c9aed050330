//! How to reach a warehouse, from dbt's keys of a profile.

use std::fmt;

use crate::diag::{Diagnostic, codes};
use crate::execute::aws::{Access, text};
use crate::project::Target;

/// What the statements go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warehouse {
    /// The name of a serverless workgroup.
    Workgroup(String),
    /// The identifier of a cluster.
    Cluster(String),
}

/// As whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The user whose name and password a secret of AWS Secrets Manager holds.
    Secret(String),
    /// A user of the database, with temporary credentials; clusters only.
    User(String),
    /// The user that belongs to the caller's IAM identity.
    Identity,
}

#[derive(Clone, PartialEq, Eq)]
pub struct RedshiftSettings {
    pub warehouse: Warehouse,
    pub authentication: Authentication,
    pub database: String,
    pub access: Access,
    /// The address of the Data API where it is not Amazon's own.
    pub endpoint: Option<String>,
    pub query_group: Option<String>,
}

/// Without the secret of the access key.
impl fmt::Debug for RedshiftSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedshiftSettings({})", self.place())
    }
}

impl RedshiftSettings {
    /// # Errors
    /// `invalid-profile` for a target that names neither a workgroup nor a cluster.
    pub fn of(target: &Target) -> Result<RedshiftSettings, Diagnostic> {
        let settings = &target.settings;
        let host = Host::read(text(settings, "host").as_deref().unwrap_or(""));
        let workgroup = text(settings, "serverless_work_group").or(host.workgroup);
        let cluster = text(settings, "cluster_id").or(host.cluster);
        let warehouse = match (workgroup, cluster) {
            (Some(workgroup), _) => Warehouse::Workgroup(workgroup),
            (None, Some(cluster)) => Warehouse::Cluster(cluster),
            (None, None) => {
                let message = format!("target '{}' names no warehouse that the Data API of Redshift knows", target.name);
                return Err(Diagnostic::new(&codes::INVALID_PROFILE, message)
                    .at_opt(target.span)
                    .help("add 'serverless_work_group: NAME' or 'cluster_id: NAME', or the 'host' that AWS gives it"));
            }
        };
        let authentication = match (text(settings, "secret_arn"), text(settings, "user"), &warehouse) {
            (Some(secret), _, _) => Authentication::Secret(secret),
            (None, Some(user), Warehouse::Cluster(_)) => Authentication::User(user),
            (None, _, _) => Authentication::Identity,
        };
        Ok(RedshiftSettings {
            warehouse,
            authentication,
            database: target.database.clone(),
            access: Access { region: text(settings, "region").or(host.region), ..Access::of(target) },
            endpoint: text(settings, "endpoint"),
            query_group: text(settings, "query_group"),
        })
    }

    /// For messages: `workgroup 'analytics', database 'shop'`.
    pub(super) fn place(&self) -> String {
        let warehouse = match &self.warehouse {
            Warehouse::Workgroup(name) => format!("workgroup '{name}'"),
            Warehouse::Cluster(name) => format!("cluster '{name}'"),
        };
        format!("{warehouse}, database '{}'", self.database)
    }
}

/// What the host names of AWS tell: `GROUP.ACCOUNT.REGION.redshift-serverless.amazonaws.com` and `CLUSTER.ID.REGION.redshift.amazonaws.com`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Host {
    workgroup: Option<String>,
    cluster: Option<String>,
    region: Option<String>,
}

impl Host {
    fn read(host: &str) -> Host {
        let parts: Vec<&str> = host.split('.').collect();
        match parts.as_slice() {
            [group, _, region, "redshift-serverless", "amazonaws", "com", ..] => {
                Host { workgroup: Some((*group).to_owned()), region: Some((*region).to_owned()), cluster: None }
            }
            [group, region, "redshift-serverless", "amazonaws", "com", ..] => {
                Host { workgroup: Some((*group).to_owned()), region: Some((*region).to_owned()), cluster: None }
            }
            [cluster, _, region, "redshift", "amazonaws", "com", ..] => {
                Host { cluster: Some((*cluster).to_owned()), region: Some((*region).to_owned()), workgroup: None }
            }
            _ => Host::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(keys: &Value) -> Result<RedshiftSettings, Diagnostic> {
        RedshiftSettings::of(&Target {
            profile: "p".to_owned(),
            name: "rs".to_owned(),
            adapter: "redshift".to_owned(),
            database: "shop".to_owned(),
            schema: "s".to_owned(),
            threads: 1,
            settings: keys.as_object().unwrap().clone(),
            span: None,
        })
    }

    #[test]
    fn a_warehouse_is_named_by_key_or_host() {
        for (keys, place, region, authentication) in [
            (json!({"serverless_work_group": "g"}), "workgroup 'g'", None, Authentication::Identity),
            (json!({"cluster_id": "c", "user": "u", "region": "r"}), "cluster 'c'", Some("r"), Authentication::User("u".to_owned())),
            (
                json!({"host": "g.123.eu-west-1.redshift-serverless.amazonaws.com", "user": "u"}),
                "workgroup 'g'",
                Some("eu-west-1"),
                Authentication::Identity,
            ),
            (
                json!({"host": "c.abc.eu-west-1.redshift.amazonaws.com", "secret_arn": "arn"}),
                "cluster 'c'",
                Some("eu-west-1"),
                Authentication::Secret("arn".to_owned()),
            ),
        ] {
            let found = settings(&keys).unwrap();
            assert_eq!(found.place(), format!("{place}, database 'shop'"));
            assert_eq!((found.access.region.as_deref(), found.authentication), (region, authentication), "{keys}");
        }
        assert!(settings(&json!({"host": "localhost", "user": "u"})).is_err());
    }

    #[test]
    fn the_secret_of_an_access_key_is_not_shown() {
        let found = settings(&json!({"cluster_id": "c", "access_key_id": "AK", "secret_access_key": "sesame"})).unwrap();
        assert_eq!(found.access.access_key, Some(("AK".to_owned(), "sesame".to_owned())));
        assert!(!format!("{found:?}").contains("sesame"));
    }
}
