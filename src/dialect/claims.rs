//! What is taken for granted of an engine, with the statements that show it.

use super::Engine;

/// Something that is so, or else acca gives wrong answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub title: String,
    /// Statements with semicolons between them; the last one answers.
    pub sql: String,
    pub answer: ClaimAnswer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// Values of a row with `|` between them.
    Rows(Vec<String>),
    Refused,
}

/// Where claims may write files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimBucket {
    /// `s3://bucket/folder/`
    pub folder: String,
    pub iam_role: Option<String>,
}

/// The claims that acca could not check itself; `schema` is one that may be written to. Without a bucket, those about files are left out.
pub fn claims(engine: Engine, schema: &str, bucket: Option<&ClaimBucket>) -> Vec<Claim> {
    match engine {
        Engine::Redshift => read(include_str!("redshift/claims.txt"), schema, bucket),
        // Tests hold them against the engines themselves.
        Engine::DuckDb | Engine::Postgres => Vec::new(),
    }
}

fn read(text: &str, schema: &str, bucket: Option<&ClaimBucket>) -> Vec<Claim> {
    let schema = crate::base::quote_ident(schema);
    let blocks = text.split("\n\n").map(|block| block.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>());
    let claims = blocks.filter_map(|lines| one(&lines, &schema));
    let with_bucket = |claim: Claim| {
        if !claim.sql.contains("{bucket}") {
            return Some(claim);
        }
        let bucket = bucket?;
        let role = super::redshift::role(bucket.iam_role.as_deref());
        Some(Claim { sql: claim.sql.replace("{bucket}", &bucket.folder).replace("{role}", &role), ..claim })
    };
    claims.filter_map(with_bucket).collect()
}

fn one(lines: &[&str], schema: &str) -> Option<Claim> {
    let (title, rest) = lines.split_first()?;
    let answers = rest.iter().position(|line| line.starts_with(['>', '!']))?;
    let (sql, answer) = rest.split_at(answers);
    let rows = answer.iter().filter_map(|line| line.strip_prefix("> ")).map(str::to_owned).collect();
    let answer = if answer.first()?.starts_with('!') { ClaimAnswer::Refused } else { ClaimAnswer::Rows(rows) };
    Some(Claim { title: (*title).to_owned(), sql: sql.join("\n").replace("{schema}", schema), answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> ClaimBucket {
        ClaimBucket { folder: "s3://lake/check/".to_owned(), iam_role: None }
    }

    #[test]
    fn every_claim_is_listed_as_unverified() {
        let page = include_str!("../../docs/redshift.md");
        for claim in claims(Engine::Redshift, "s", Some(&bucket())) {
            assert!(page.contains(&format!("| {} |", claim.title)), "docs/redshift.md does not list: {}", claim.title);
        }
    }

    #[test]
    fn every_claim_is_read() {
        let text = include_str!("redshift/claims.txt");
        let titles = text.lines().filter(|line| line.contains(": ") && !line.starts_with(['#', '>']) && !line.contains(';')).count();
        let found = claims(Engine::Redshift, "s\"x", Some(&bucket()));
        assert_eq!(found.len(), titles);
        assert!(found.len() > 20 && found.iter().all(|claim| !claim.sql.contains("{schema}")));
        assert!(found.iter().any(|claim| claim.sql.contains("\"s\"\"x\".acca_self_check")));
        assert!(found.iter().any(|claim| claim.answer == ClaimAnswer::Refused));
        assert!(found.iter().any(|claim| claim.sql.contains("to 's3://lake/check/floats_' iam_role default")));
        assert!(claims(Engine::Redshift, "s", None).len() < found.len());
    }
}
