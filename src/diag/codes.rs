//! Every kind of diagnostic, by its kebab-case code. The page `docs/<code>.md` explains it and is run as a test.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Severity;

/// One kind of diagnostic.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Code {
    pub name: &'static str,
    /// One line for the list of codes.
    pub summary: &'static str,
    pub severity: Severity,
    /// The explanation that `acca explain-code` and the documentation show.
    pub page: &'static str,
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for &'static Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<&'static Code, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = ALL.iter().find(|code| code.name == name).copied();
        found.ok_or_else(|| serde::de::Error::custom(format!("there is no code '{name}'")))
    }
}

macro_rules! codes {
    ($($constant:ident $name:literal $severity:ident $summary:literal;)*) => {
        $(
            #[doc = $summary]
            pub static $constant: Code = Code {
                name: $name,
                summary: $summary,
                severity: Severity::$severity,
                page: include_str!(concat!("docs/", $name, ".md")),
            };
        )*

        /// All codes in alphabetical order.
        pub static ALL: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    AMBIGUOUS_COLUMN "ambiguous-column" Error "a name of a column is in several relations of FROM";
    AMBIGUOUS_REF "ambiguous-ref" Error "a ref() names a model that several packages define";
    BAD_SUPPRESSION "bad-suppression" Warning "a comment allows a finding without a reason, or one that is not there";
    BREAKING_CHANGE "breaking-change" Warning "a change since the compared state breaks a model's contract";
    CANNOT_SERVE "cannot-serve" Error "the documentation cannot be served at an address and port";
    CONNECTION_FAILED "connection-failed" Error "the database cannot be reached or refuses the profile";
    CONTRACT_BROKEN "contract-broken" Error "a model's query does not give the columns that its contract declares";
    CYCLE "cycle" Error "models read each other in a loop";
    DEFAULT_PROFILE "default-profile" Note "no profile is found, so DuckDB in a file is used";
    DEPRECATED_MODEL "deprecated-model" Warning "a model that is deprecated, or one that reads it";
    DISABLED_REF "disabled-ref" Error "a ref() or source() names something that is disabled";
    DUPLICATE_ALIAS "duplicate-alias" Error "two relations in FROM have one name";
    DUPLICATE_COLUMN "duplicate-column" Error "a model gives two columns of one name";
    DUPLICATE_FILE "duplicate-file" Warning "two landing files of a source have the same content";
    DUPLICATE_KEY "duplicate-key" Warning "a YAML mapping has the same key twice";
    DUPLICATE_NAME "duplicate-name" Error "two resources share one name";
    DUPLICATE_RELATION "duplicate-relation" Error "two models would be built as the same relation";
    FORBIDDEN_REF "forbidden-ref" Error "a ref() names a model that is closed to its reader";
    FOREIGN_SQL "foreign-sql" Warning "a query says what the engine of the target does not run, or reads otherwise";
    INTEGER_DIVISION "integer-division" Warning "a division of integers drops the fraction";
    INVALID_CONFIG "invalid-config" Error "a configuration value is of the wrong type or not one of the allowed ones";
    INVALID_EXTERNAL "invalid-external" Error "the description of an external schema or table cannot be used";
    INVALID_LANDING "invalid-landing" Error "the landing description of a source cannot be used";
    INVALID_PROFILE "invalid-profile" Error "the profile or its target cannot be used";
    INVALID_SEED "invalid-seed" Error "the file of a seed cannot be read";
    INVALID_SELECTOR "invalid-selector" Error "a selection cannot be read";
    INVALID_STATE "invalid-state" Error "the artefacts of an earlier invocation cannot be used";
    INVALID_UNIT "invalid-unit" Error "a unit is declared in a way that cannot be used";
    INVALID_UNIT_TEST "invalid-unit-test" Error "a unit test cannot be run as it is written";
    INVALID_UNLOAD "invalid-unload" Error "what a model says of its unload cannot be used";
    INVALID_YAML "invalid-yaml" Error "a YAML file cannot be read";
    JINJA_ERROR "jinja-error" Error "a Jinja template fails while it is rendered";
    JINJA_SYNTAX "jinja-syntax" Error "a Jinja template cannot be read";
    JOIN_FAN_OUT "join-fan-out" Warning "a join on columns that are no key counts rows more than once";
    KEY_ADVICE "key-advice" Warning "a table lacks the distribution or sort key that its readers ask for";
    LEFTOVER "leftover" Warning "a replaced relation could not be dropped because views still read it";
    LOAD_FAILED "load-failed" Error "a landing file cannot be loaded";
    LOSSY_CAST "lossy-cast" Warning "an exact number becomes one with fewer digits by itself";
    MISPLACED_AGGREGATE "misplaced-aggregate" Error "an aggregate stands where rows are not grouped yet";
    MISSING_FILE "missing-file" Error "a file that the project needs cannot be read";
    MISSING_PROPERTY "missing-property" Error "a YAML mapping lacks a key that it needs";
    MIXED_CURRENCY "mixed-currency" Error "an aggregate puts amounts of several currencies together";
    NODE_TIMEOUT "node-timeout" Error "a node takes longer than it may";
    NONDETERMINISTIC_FILTER "nondeterministic-filter" Warning "which rows an incremental run takes depends on when it runs";
    NOT_A_QUERY "not-a-query" Error "a model renders to something else than one query";
    NOTHING_SELECTED "nothing-selected" Warning "a selection matches nothing";
    NULL_COMPARISON "null-comparison" Warning "a comparison with NULL is never true";
    NULLABLE_NOT_IN "nullable-not-in" Warning "NOT IN reads a column that may be null";
    ORDER_WITH_TIES "order-with-ties" Warning "an order leaves it to each engine which of several rows comes first";
    ORPHAN_PROPERTIES "orphan-properties" Warning "properties describe something that does not exist";
    PACKAGE_FAILED "package-failed" Error "a package cannot be installed";
    PERSONAL_DATA_IN_REPORT "personal-data-in-report" Error "a report shows personal data";
    RAISED "raised" Error "a template raised an error of its own";
    RUN_CONFLICT "run-conflict" Error "another run is building the same relation in this database";
    SCHEMA_CHANGED "schema-changed" Error "the columns of an incremental model are not those of its table any more";
    STATEMENT_FAILED "statement-failed" Error "the database refuses a statement";
    STATEMENT_TOO_LARGE "statement-too-large" Error "the SQL of a node is longer than the target takes";
    TEST_FAILED "test-failed" Error "a data test finds rows that break its rule";
    TRANSFER_MISMATCH "transfer-mismatch" Error "other rows have arrived on a target than were sent to it";
    TYPE_MISMATCH "type-mismatch" Error "an operator, function or clause is given values of types that it does not take";
    UNDECLARED_REF "undeclared-ref" Error "a ref() appears only while templates are executed";
    UNEQUAL_COLUMNS "unequal-columns" Error "queries or lists that belong together give different numbers of columns";
    UNEXPECTED_PROPERTY "unexpected-property" Warning "a YAML mapping has a key that means nothing here";
    UNFILTERED_BATCHES "unfiltered-batches" Warning "a model is built in batches of time, and every batch reads everything";
    UNGROUPED_COLUMN "ungrouped-column" Error "a column is neither grouped by nor inside an aggregate";
    UNIT_ASSERTION "unit-assertion" Error "a column is declared to be of another unit than its query gives";
    UNIT_MISMATCH "unit-mismatch" Error "values of unlike units are added, compared or put together";
    UNIT_TEST_FAILED "unit-test-failed" Error "a model gives other rows than its unit test expects";
    UNKNOWN_COLUMN "unknown-column" Error "a query names a column that nothing in it has";
    UNKNOWN_CONFIG "unknown-config" Warning "a configuration key looks like one of dbt's and is not";
    UNKNOWN_DESCRIBED_COLUMN "unknown-described-column" Warning "a property file describes a column that the relation does not have";
    UNKNOWN_DOC "unknown-doc" Error "a description asks for a doc block that does not exist";
    UNKNOWN_FUNCTION "unknown-function" Warning "a query calls a function that the database does not bring with it";
    UNKNOWN_MACRO "unknown-macro" Error "a template calls a macro or function that does not exist";
    UNKNOWN_MATERIALIZATION "unknown-materialization" Error "a model's materialization does not exist";
    UNKNOWN_REF "unknown-ref" Error "a ref() names no model, seed or snapshot";
    UNKNOWN_RELATION "unknown-relation" Error "a query names a relation that is not in its FROM";
    UNKNOWN_SOURCE "unknown-source" Error "a source() names no declared source table";
    UNKNOWN_TEST "unknown-test" Error "a property file asks for a generic test that does not exist";
    UNKNOWN_TEST_COLUMN "unknown-test-column" Error "a test names a column that the relation does not have";
    UNKNOWN_TYPE "unknown-type" Error "a column of a source that a portable model reads is declared with a type that PostgreSQL does not have";
    UNKNOWN_ZONE "unknown-zone" Error "a query names a time zone that does not exist";
    UNREAD_QUERY "unread-query" Warning "a query cannot be read, so nothing in it is checked";
    UNSAFE_PUBLICATION "unsafe-publication" Error "publishing a relation would show rows that policies hide, or leave rows of others without what they refer to";
    UNSET_VARIABLE "unset-variable" Error "a variable or environment variable without a default is not set";
    UNSUPPORTED_CONFIG "unsupported-config" Warning "a configuration key of dbt that acca does not obey yet";
    UNSUPPORTED_IN_DIALECT "unsupported-in-dialect" Error "a portable query uses what an engine has no equivalent for";
    UNSUPPORTED_RESOURCE "unsupported-resource" Error "a resource is of a kind that acca does not run";
    UNUSED_COLUMN "unused-column" Warning "nothing reads a column of a common table expression";
    UNUSED_CTE "unused-cte" Warning "nothing reads a common table expression";
    UNUSED_OVERRIDE "unused-override" Warning "a macro stands in the place of one that acca does not call";
    WRONG_ARGUMENTS "wrong-arguments" Error "a macro or test is called with arguments that it does not take";
    ZONE_MISMATCH "zone-mismatch" Warning "a timestamp without time zone meets one that has it";
}

/// The code of that name.
pub fn find(name: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.name == name)
}
