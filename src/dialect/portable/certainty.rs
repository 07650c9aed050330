//! Which of several matches a regular expression takes. PostgreSQL takes the longest that begins first, DuckDB and Redshift with `p` the one
//! that is tried first. They are the same where the next character always says how to go on, or where what follows has one length.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

pub(super) fn is_certain(pattern: &Hir) -> bool {
    is_flat(pattern) || certain(pattern, true, &ClassUnicode::empty())
}

/// Characters one behind the other, each as often as may be: what one of them takes, none that follows needed to get further.
fn is_flat(pattern: &Hir) -> bool {
    match pattern.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
        HirKind::Capture(capture) => is_flat(&capture.sub),
        HirKind::Concat(parts) => parts.iter().all(is_flat),
        HirKind::Repetition(repetition) => {
            let is_one = matches!(repetition.sub.kind(), HirKind::Literal(_) | HirKind::Class(_)) && width(&repetition.sub) == Some(1);
            repetition.greedy && is_one
        }
        HirKind::Alternation(_) => false,
    }
}

/// Whether nothing is to be as short as possible.
pub(super) fn is_greedy(pattern: &Hir) -> bool {
    match pattern.kind() {
        HirKind::Repetition(repetition) => repetition.greedy && is_greedy(&repetition.sub),
        HirKind::Capture(capture) => is_greedy(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(is_greedy),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
    }
}

/// `fixed`: what follows has one length. `next`: the characters with which it may begin.
fn certain(pattern: &Hir, fixed: bool, next: &ClassUnicode) -> bool {
    match pattern.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
        HirKind::Capture(capture) => certain(&capture.sub, fixed, next),
        HirKind::Concat(parts) => {
            let (mut fixed, mut next) = (fixed, next.clone());
            for part in parts.iter().rev() {
                if !certain(part, fixed, &next) {
                    return false;
                }
                let (first, may_be_empty) = beginnings(part);
                next = if may_be_empty { united(&first, &next) } else { first };
                fixed &= width(part).is_some();
            }
            true
        }
        HirKind::Repetition(repetition) => {
            let (first, may_be_empty) = beginnings(&repetition.sub);
            let varies = repetition.max != Some(repetition.min);
            if varies && (!repetition.greedy || may_be_empty) {
                return false;
            }
            let decided = are_apart(&first, next) || fixed && width(&repetition.sub).is_some();
            let inner = if repetition.max == Some(1) { next.clone() } else { united(&first, next) };
            (!varies || decided) && certain(&repetition.sub, fixed && repetition.max == Some(1), &inner)
        }
        HirKind::Alternation(branches) => {
            let firsts: Vec<_> = branches.iter().map(beginnings).collect();
            let all_apart = firsts
                .iter()
                .enumerate()
                .all(|(at, (one, may_be_empty))| !may_be_empty && firsts.iter().skip(at + 1).all(|(other, _)| are_apart(one, other)));
            let widths: Vec<_> = branches.iter().map(width).collect();
            let same_width = widths.first().is_some_and(Option::is_some) && widths.windows(2).all(|pair| pair.first() == pair.last());
            let has_groups = branches.iter().any(|branch| branch.properties().explicit_captures_len() > 0);
            (all_apart || same_width && !has_groups || is_trim(branches)) && branches.iter().all(|branch| certain(branch, fixed, next))
        }
    }
}

/// Whether something is to stand before the beginning or behind the end: DuckDB overlooks such an anchor.
pub(super) fn has_anchor_inside(pattern: &Hir) -> bool {
    match pattern.kind() {
        HirKind::Concat(parts) => {
            let inside = |part: &Hir, look: Look| part.properties().look_set().contains(look);
            let takes = |part: &Hir| part.properties().maximum_len() != Some(0);
            let at = |index: usize| (parts.iter().take(index).any(takes), parts.iter().skip(index + 1).any(takes));
            parts.iter().enumerate().any(|(index, part)| {
                let (before, behind) = at(index);
                before && inside(part, Look::Start) || behind && inside(part, Look::End) || has_anchor_inside(part)
            })
        }
        HirKind::Alternation(branches) => branches.iter().any(has_anchor_inside),
        HirKind::Capture(capture) => has_anchor_inside(&capture.sub),
        HirKind::Repetition(repetition) => has_anchor_inside(&repetition.sub),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// `^ +| +$`: where both match, they match the same.
fn is_trim(branches: &[Hir]) -> bool {
    let [one, other] = branches else { return false };
    let (HirKind::Concat(one), HirKind::Concat(other)) = (one.kind(), other.kind()) else { return false };
    let anchored = |part: &Hir, look: Look| matches!(part.kind(), HirKind::Look(held) if *held == look);
    match (one.as_slice(), other.as_slice()) {
        ([start, first], [second, end]) => anchored(start, Look::Start) && anchored(end, Look::End) && first == second && is_flat(first),
        _ => false,
    }
}

/// The characters with which a match may begin, and whether it may have none.
fn beginnings(pattern: &Hir) -> (ClassUnicode, bool) {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => (ClassUnicode::empty(), true),
        HirKind::Literal(literal) => {
            let first = std::str::from_utf8(&literal.0).ok().and_then(|text| text.chars().next());
            (first.map_or_else(everything, |c| ClassUnicode::new([ClassUnicodeRange::new(c, c)])), false)
        }
        HirKind::Class(Class::Unicode(class)) => (class.clone(), false),
        HirKind::Class(Class::Bytes(_)) => (everything(), false),
        HirKind::Capture(capture) => beginnings(&capture.sub),
        HirKind::Repetition(repetition) => {
            let (first, may_be_empty) = beginnings(&repetition.sub);
            (first, may_be_empty || repetition.min == 0)
        }
        HirKind::Concat(parts) => {
            let mut all = ClassUnicode::empty();
            for part in parts {
                let (first, may_be_empty) = beginnings(part);
                all.union(&first);
                if !may_be_empty {
                    return (all, false);
                }
            }
            (all, true)
        }
        HirKind::Alternation(branches) => branches
            .iter()
            .map(beginnings)
            .fold((ClassUnicode::empty(), false), |(all, may), (first, empty)| (united(&all, &first), may || empty)),
    }
}

/// How many characters a match has, where that is always the same.
fn width(pattern: &Hir) -> Option<usize> {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(|text| text.chars().count()),
        HirKind::Class(_) => Some(1),
        HirKind::Capture(capture) => width(&capture.sub),
        HirKind::Repetition(repetition) if repetition.max == Some(repetition.min) => {
            Some(width(&repetition.sub)? * usize::try_from(repetition.min).ok()?)
        }
        HirKind::Repetition(_) => None,
        HirKind::Concat(parts) => parts.iter().map(width).sum(),
        HirKind::Alternation(branches) => {
            let widths: Vec<usize> = branches.iter().map(width).collect::<Option<_>>()?;
            widths.first().copied().filter(|first| widths.iter().all(|width| width == first))
        }
    }
}

fn everything() -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)])
}

fn united(one: &ClassUnicode, other: &ClassUnicode) -> ClassUnicode {
    let mut all = one.clone();
    all.union(other);
    all
}

fn are_apart(one: &ClassUnicode, other: &ClassUnicode) -> bool {
    let mut both = one.clone();
    both.intersect(other);
    both.ranges().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_certain_or_not() {
        let is_certain = |text: &str| is_certain(&regex_syntax::parse(text).unwrap());
        for pattern in [
            "[b-d]+",
            "^(a)(b)",
            "([a-z])([0-9]+)",
            "(mr|dr) ",
            "(ab|ac)",
            "[0-9]+([.][0-9]+)?",
            ".*x",
            "^[^,]*",
            "a{2,3}b",
            "(?:a|b)+c*",
            "[a-z]+[a-z0-9]*",
            "^ +| +$",
        ] {
            assert!(is_certain(pattern), "{pattern}");
        }
        for pattern in ["(a|ab)", "a+?", "a*(ab)?", "(a|ab)(c|bcd)", "(a*)*", "(?:ab)*(?:abc)?", "(|a)"] {
            assert!(!is_certain(pattern), "{pattern}");
        }
    }

    /// Patterns at random: where it is said to be certain, what is tried first is the longest.
    #[test]
    fn what_is_called_certain_is_the_longest() {
        let mut state = 20_240_229_u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let atoms = ["a", "b", "[ab]", "[bc]", "ab", "(?:ab)", "(?:a|b)", "(?:a|bc)", "(?:ab|c)", "(?:b|bc)", ".", "(?:a?b)", "(?:ac*)"];
        let times = ["", "", "*", "+", "?", "{2}", "{1,2}"];
        let texts: Vec<String> =
            (0..6_u32).flat_map(|length| (0..3_usize.pow(length)).map(move |number| spelled(number, length))).collect();
        let mut certain = 0;
        for _ in 0..4_000 {
            let pattern: String =
                (0..=random(3)).map(|_| format!("{}{}", atoms[random(atoms.len())], times[random(times.len())])).collect();
            if !is_certain(&regex_syntax::parse(&pattern).unwrap()) {
                continue;
            }
            certain += 1;
            let (first, whole) = (regex::Regex::new(&pattern).unwrap(), regex::Regex::new(&format!("^(?:{pattern})$")).unwrap());
            for text in &texts {
                let Some(found) = first.find(text) else { continue };
                let longest = (found.start()..=text.len()).rev().find(|end| whole.is_match(&text[found.start()..*end]));
                assert_eq!(Some(found.end()), longest, "{pattern} in {text}");
            }
        }
        assert!(certain > 800, "{certain}");
    }

    fn spelled(mut number: usize, length: u32) -> String {
        let mut text = String::new();
        for _ in 0..length {
            text.push(['a', 'b', 'c'][number % 3]);
            number /= 3;
        }
        text
    }
}
