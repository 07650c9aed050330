//! Subqueries that templates make of relations (`--empty`, batches, `--sample`) have an alias where the engine asks for one. Where a
//! query gives its own, that one counts.

use crate::syntax::past_comments;

/// What aliases begin with, as templates print them.
const PREFIXES: [&str; 2] = [" _dbt_limit_subq_", " _dbt_et_filter_subq_"];

/// Words that may follow a relation and are no alias of it.
const NO_ALIAS: [&str; 33] = [
    "and",
    "cross",
    "except",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "lateral",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "qualify",
    "returning",
    "right",
    "select",
    "set",
    "tablesample",
    "union",
    "using",
    "values",
    "when",
    "where",
    "window",
];

/// Blanks out each alias that another one follows: as many blanks, so that all places stay what they are.
pub(super) fn without_doubled_aliases(sql: &str) -> String {
    let mut result = String::with_capacity(sql.len());
    let mut rest = sql;
    let first = |text: &str| PREFIXES.iter().filter_map(|prefix| Some((text.find(prefix)?, prefix.len()))).min();
    while let Some((at, length)) = first(rest) {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        let name = from.get(length..).unwrap_or_default();
        let end = length + name.find(|c: char| !is_word(c)).unwrap_or(name.len());
        let (alias, after) = from.split_at(end);
        if is_aliased(after) {
            result.extend(alias.chars().map(|_| ' '));
        } else {
            result.push_str(alias);
        }
        rest = after;
    }
    result + rest
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn is_aliased(after: &str) -> bool {
    let next = past_comments(after);
    if next.len() == after.len() {
        return false;
    }
    let word: String = next.chars().take_while(|c| is_word(*c)).flat_map(char::to_lowercase).collect();
    next.starts_with('"') || (word.starts_with(|c: char| !c.is_ascii_digit()) && !NO_ALIAS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alias_of_the_query_counts() {
        let subquery = |after: &str| format!("from (select * from \"a\" where false limit 0) _dbt_limit_subq_a{after}");
        for after in ["", "\n", "\nwhere x", " LEFT JOIN b", ", b", ")", ";", " 1", " -- x\nwhere y", "/* x */, b"] {
            assert_eq!(without_doubled_aliases(&subquery(after)), subquery(after));
        }
        for after in [" as x", " x", "\n  X where", " \"X\" join", " -- where\n as x", "/* on */x", " /* a /* b */ */ x"] {
            let expected = subquery(after).replace("_dbt_limit_subq_a", &" ".repeat("_dbt_limit_subq_a".len()));
            assert_eq!(without_doubled_aliases(&subquery(after)), expected);
        }
        let both = subquery(" as x, ") + &subquery(" group by 1");
        assert_eq!(without_doubled_aliases(&both).matches("_dbt_limit_subq_a").count(), 1);
        let filtered = both.replace("limit", "et_filter") + " " + &both;
        assert_eq!(without_doubled_aliases(&filtered).matches("_subq_a").count(), 2);
    }
}
