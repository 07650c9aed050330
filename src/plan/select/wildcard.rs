//! Patterns of names and of paths, as the shell writes them.

/// Whether the whole text matches: `*` stands for any characters, `?` for one, `[abc]`, `[a-z]` and `[!a]` for one of a set.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut read) = (0, 0);
    // After the last `*`: where the pattern goes on, and how much of the text the star has taken.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(character) = text.get(read) {
        match step(pattern.get(at..).unwrap_or_default(), *character) {
            Step::Star => {
                retry = Some((at + 1, read));
                at += 1;
                continue;
            }
            Step::Took(length) => {
                at += length;
                read += 1;
                continue;
            }
            Step::No => {}
        }
        let Some((after, taken)) = retry else { return false };
        retry = Some((after, taken + 1));
        at = after;
        read = taken + 1;
    }
    pattern.get(at..).unwrap_or_default().iter().all(|rest| *rest == '*')
}

pub(super) fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', ']'])
}

/// Whether a path, or a folder above it, matches part by part; `**` stands for any number of folders.
pub(super) fn matches_path(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    pattern.is_empty() || matches_parts(&pattern, &path)
}

fn matches_parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        // What is left of the path lies inside of what was matched.
        ([], _) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|skipped| path.get(skipped..).is_some_and(|tail| matches_parts(rest, tail))),
        ([_, ..], []) => false,
        ([first, pattern @ ..], [name, path @ ..]) => matches(first, name) && matches_parts(pattern, path),
    }
}

enum Step {
    Star,
    /// The character matches that many characters of the pattern.
    Took(usize),
    No,
}

fn step(pattern: &[char], character: char) -> Step {
    match pattern {
        ['*', ..] => Step::Star,
        ['?', ..] => Step::Took(1),
        ['[', rest @ ..] => match set(rest) {
            Some((negated, members)) if contains(members, character) != negated => Step::Took(members.len() + usize::from(negated) + 2),
            Some(_) => Step::No,
            None if character == '[' => Step::Took(1),
            None => Step::No,
        },
        [plain, ..] if *plain == character => Step::Took(1),
        _ => Step::No,
    }
}

/// The members of a set from behind its `[`, and whether it is negated; `None` where nothing closes it.
fn set(rest: &[char]) -> Option<(bool, &[char])> {
    let (negated, members) = match rest {
        ['!', members @ ..] => (true, members),
        members => (false, members),
    };
    // A `]` in front is a member.
    let end = members.iter().skip(1).position(|character| *character == ']')? + 1;
    Some((negated, members.get(..end)?))
}

fn contains(members: &[char], character: char) -> bool {
    match members {
        [] => false,
        [low, '-', high, rest @ ..] => (*low..=*high).contains(&character) || contains(rest, character),
        [one, rest @ ..] => *one == character || contains(rest, character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_the_shell() {
        for (pattern, text, expected) in [
            ("stg_*", "stg_bets", true),
            ("stg_*", "int_bets", false),
            ("*_bets*", "stg_bets_v2", true),
            ("*bets", "bets_bet", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[ab]x", "bx", true),
            ("[!ab]x", "bx", false),
            ("[!ab]x", "cx", true),
            ("v[0-9]", "v7", true),
            ("v[0-9", "v[0-9", true),
            ("*", "", true),
            ("", "", true),
            ("a", "", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("é*", "été", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_folder_matches_what_is_inside() {
        for (pattern, path, expected) in [
            ("models/staging", "models/staging/a/b.sql", true),
            ("./models/staging/", "models/staging/b.sql", true),
            ("models/stag", "models/staging/b.sql", false),
            ("models/*/b.sql", "models/staging/b.sql", true),
            ("models/*/b.sql", "models/x/staging/b.sql", false),
            ("models/**/b.sql", "models/x/staging/b.sql", true),
            ("models/**/b.sql", "models/b.sql", true),
            ("staging/b.sql", "models/staging/b.sql", false),
        ] {
            assert_eq!(matches_path(pattern, path), expected, "{pattern} {path}");
        }
    }
}
