//! Which operator or function a call means: the rules of `parse_oper.c` and `parse_func.c`.

use std::borrow::Cow;

use super::catalogue::{Category, Context, Function, FunctionKind, TypeId, catalogue};
use super::coercion::{can_coerce_all, has_pathway};
use super::polymorphic::resolve;

/// What a call was found to be.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// `None` where it is polymorphic and the arguments do not tell.
    pub result: Option<TypeId>,
    /// What it takes, as declared.
    pub arguments: Vec<TypeId>,
    pub function: Option<&'static Function>,
}

/// Why a call was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFound {
    /// Nothing has this name.
    Name,
    /// Nothing of this name takes these arguments.
    Arguments,
    /// More than one does, and none better than the others.
    Ambiguous,
}

/// A binary operator.
///
/// # Errors
/// When there is none, or none that is best.
pub(super) fn binary_operator(name: &str, left: TypeId, right: TypeId) -> Result<Call, NotFound> {
    let unknown = catalogue().known.unknown;
    let all = catalogue().operators(name);
    // An unknown literal beside a known type is first taken to be of that type.
    let exact = if left == unknown {
        [right, right]
    } else if right == unknown {
        [left, left]
    } else {
        [left, right]
    };
    let candidates: Vec<(Vec<TypeId>, TypeId)> =
        all.iter().filter_map(|operator| Some((vec![operator.left?, operator.right], operator.result))).collect();
    choose_operator(&candidates, &exact, &[left, right])
}

/// A prefix operator.
///
/// # Errors
/// As [`binary_operator`].
pub(super) fn prefix_operator(name: &str, right: TypeId) -> Result<Call, NotFound> {
    let all = catalogue().operators(name).iter().filter(|operator| operator.left.is_none());
    let candidates: Vec<(Vec<TypeId>, TypeId)> = all.map(|operator| (vec![operator.right], operator.result)).collect();
    choose_operator(&candidates, &[right], &[right])
}

fn choose_operator(candidates: &[(Vec<TypeId>, TypeId)], exact: &[TypeId], given: &[TypeId]) -> Result<Call, NotFound> {
    if candidates.is_empty() {
        return Err(NotFound::Name);
    }
    let call = |(arguments, result): &(Vec<TypeId>, TypeId)| Call {
        result: resolve(given, arguments, *result),
        arguments: arguments.clone(),
        function: None,
    };
    let unknown = catalogue().known.unknown;
    if exact.iter().all(|kind| *kind != unknown)
        && let Some(found) = candidates.iter().find(|(arguments, _)| arguments == exact)
    {
        return Ok(call(found));
    }
    let fitting: Vec<&(Vec<TypeId>, TypeId)> =
        candidates.iter().filter(|(arguments, _)| can_coerce_all(given, arguments, Context::Implicit)).collect();
    let lists: Vec<&[TypeId]> = fitting.iter().map(|(arguments, _)| arguments.as_slice()).collect();
    let chosen = choose(given, &lists)?;
    fitting.get(chosen).map(|found| call(found)).ok_or(NotFound::Arguments)
}

/// A function, a cast written as one included. `given` are the types of its arguments.
///
/// # Errors
/// As [`binary_operator`].
pub(super) fn function(name: &str, given: &[TypeId]) -> Result<Call, NotFound> {
    let all = catalogue().functions(name);
    let candidates: Vec<(Cow<'static, [TypeId]>, &'static Function)> =
        all.iter().filter_map(|function| Some((arguments_for(function, given.len())?, function))).collect();
    let call = |(arguments, function): &(Cow<'static, [TypeId]>, &'static Function)| Call {
        result: resolve(given, arguments, function.result),
        arguments: arguments.to_vec(),
        function: Some(function),
    };
    let of_same = |other: &&(Cow<'static, [TypeId]>, &'static Function)| *other.0 == *given;
    // A function without a variable list outranks one with it.
    let exact = candidates.iter().filter(of_same).min_by_key(|(_, function)| function.variadic);
    if let Some(found) = exact {
        return Ok(call(found));
    }
    if let ([from], Some(to)) = (given, function_cast(name))
        && (*from == catalogue().known.unknown || has_pathway(*from, to, Context::Explicit))
        && is_cast_call(*from, to)
    {
        return Ok(Call { result: Some(to), arguments: vec![to], function: None });
    }
    if all.is_empty() {
        return Err(NotFound::Name);
    }
    let fitting: Vec<_> = candidates.iter().filter(|(arguments, _)| can_coerce_all(given, arguments, Context::Implicit)).collect();
    let lists: Vec<&[TypeId]> = fitting.iter().map(|(arguments, _)| &**arguments).collect();
    let chosen = choose(given, &lists)?;
    fitting.get(chosen).map(|found| call(found)).ok_or(NotFound::Arguments)
}

fn function_cast(name: &str) -> Option<TypeId> {
    catalogue().type_named(name).filter(|id| catalogue().entry(*id).kind != super::catalogue::Kind::Pseudo)
}

/// `type(x)` is a cast where the bytes stay or the way leads through text; other casts are functions of that name.
fn is_cast_call(from: TypeId, to: TypeId) -> bool {
    catalogue().cast(from, to).is_none_or(|cast| cast.binary || catalogue().functions(catalogue().entry(to).name).is_empty())
}

/// What a function takes when it is called with `count` arguments; `None` where it cannot be.
fn arguments_for(function: &'static Function, count: usize) -> Option<Cow<'static, [TypeId]>> {
    let declared = &function.arguments;
    if function.variadic {
        let (last, fixed) = declared.split_last()?;
        let each = if *last == catalogue().known.any { *last } else { variadic_element(*last)? };
        if count < declared.len() {
            // A list may be empty for the hypothetical ones only, and they are not called so.
            return None;
        }
        let mut arguments = fixed.to_vec();
        arguments.resize(count, each);
        return Some(Cow::Owned(arguments));
    }
    if count > declared.len() || count + function.defaults < declared.len() {
        return None;
    }
    declared.get(..count).map(Cow::Borrowed)
}

fn variadic_element(array: TypeId) -> Option<TypeId> {
    let catalogue = catalogue();
    match catalogue.entry(array).name {
        "anyarray" => catalogue.type_named("anyelement"),
        "anycompatiblearray" => catalogue.type_named("anycompatible"),
        _ => catalogue.entry(array).element,
    }
}

/// The best of several argument lists that all fit: its index.
fn choose(given: &[TypeId], lists: &[&[TypeId]]) -> Result<usize, NotFound> {
    let unknown = catalogue().known.unknown;
    let mut left: Vec<usize> = (0..lists.len()).collect();
    let at = |list: usize, position: usize| lists.get(list).and_then(|list| list.get(position)).copied();
    match left.as_slice() {
        [] => return Err(NotFound::Arguments),
        [only] => return Ok(*only),
        _ => {}
    }
    let exact = |position: usize, kind: TypeId| given.get(position) == Some(&kind);
    left = most(left, |list| count(given, unknown, |position| at(list, position).is_some_and(|kind| exact(position, kind))));
    if let [only] = left.as_slice() {
        return Ok(*only);
    }
    let preferred = |position: usize, kind: TypeId| {
        let entry = catalogue().entry(kind);
        exact(position, kind)
            || (entry.preferred && given.get(position).is_some_and(|from| catalogue().entry(*from).category == entry.category))
    };
    left = most(left, |list| count(given, unknown, |position| at(list, position).is_some_and(|kind| preferred(position, kind))));
    if let [only] = left.as_slice() {
        return Ok(*only);
    }
    if given.contains(&unknown) {
        left = by_unknowns(given, left, &at);
        if let [only] = left.as_slice() {
            return Ok(*only);
        }
        if let Some(only) = by_known_type(given, &left, lists) {
            return Ok(only);
        }
    }
    Err(NotFound::Ambiguous)
}

/// Positions with a known type for which the test holds.
fn count(given: &[TypeId], unknown: TypeId, holds: impl Fn(usize) -> bool) -> usize {
    given.iter().enumerate().filter(|(position, kind)| **kind != unknown && holds(*position)).count()
}

fn most(lists: Vec<usize>, score: impl Fn(usize) -> usize) -> Vec<usize> {
    let best = lists.iter().map(|list| score(*list)).max().unwrap_or(0);
    lists.into_iter().filter(|list| score(*list) == best).collect()
}

/// Unknown literals take the category that all candidates accept there; text, if any accepts it.
fn by_unknowns(given: &[TypeId], left: Vec<usize>, at: &dyn Fn(usize, usize) -> Option<TypeId>) -> Vec<usize> {
    let unknown = catalogue().known.unknown;
    let mut slots: Vec<(usize, Category, bool)> = Vec::new();
    for position in given.iter().enumerate().filter(|(_, kind)| **kind == unknown).map(|(position, _)| position) {
        let mut slot: Option<(Category, bool)> = None;
        let mut conflict = false;
        for kind in left.iter().filter_map(|list| at(*list, position)) {
            let entry = catalogue().entry(kind);
            match &mut slot {
                None => slot = Some((entry.category, entry.preferred)),
                Some((category, preferred)) if *category == entry.category => *preferred |= entry.preferred,
                Some(slot) if entry.category == Category::STRING => *slot = (entry.category, entry.preferred),
                Some(_) => conflict = true,
            }
        }
        match slot {
            Some((category, preferred)) if !conflict || category == Category::STRING => slots.push((position, category, preferred)),
            _ => return left,
        }
    }
    let fits = |list: &usize| {
        slots.iter().all(|(position, category, preferred)| {
            at(*list, *position).is_some_and(|kind| {
                let entry = catalogue().entry(kind);
                entry.category == *category && (!preferred || entry.preferred)
            })
        })
    };
    let kept: Vec<usize> = left.iter().copied().filter(|list| fits(list)).collect();
    if kept.is_empty() { left } else { kept }
}

/// When all known arguments have one type, unknown ones are tried as that type too.
fn by_known_type(given: &[TypeId], left: &[usize], lists: &[&[TypeId]]) -> Option<usize> {
    let unknown = catalogue().known.unknown;
    let mut known = given.iter().copied().filter(|kind| *kind != unknown);
    let first = known.next()?;
    if known.any(|kind| kind != first) {
        return None;
    }
    let all = vec![first; given.len()];
    let mut fitting =
        left.iter().copied().filter(|list| lists.get(*list).is_some_and(|list| can_coerce_all(&all, list, Context::Implicit)));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The one type that every function of this name gives with so many arguments, whatever they are.
pub(super) fn result_in_any_case(name: &str, count: usize) -> Option<TypeId> {
    let mut results = catalogue().functions(name).iter().filter(|function| arguments_for(function, count).is_some()).map(|f| f.result);
    let first = results.next()?;
    (results.all(|result| result == first) && !super::polymorphic::is_polymorphic(first)).then_some(first)
}

/// Likewise of an operator with two sides, of which `known` may be known.
pub(super) fn operator_result_in_any_case(name: &str) -> Option<TypeId> {
    let mut results = catalogue().operators(name).iter().filter(|operator| operator.left.is_some()).map(|operator| operator.result);
    let first = results.next()?;
    (results.all(|result| result == first) && !super::polymorphic::is_polymorphic(first)).then_some(first)
}

/// Whether any function of the name is an aggregate.
pub(super) fn is_aggregate(name: &str) -> bool {
    let aggregate =
        |function: &Function| matches!(function.kind, FunctionKind::Aggregate | FunctionKind::OrderedSet(_) | FunctionKind::Hypothetical);
    let all = catalogue().functions(name);
    !all.is_empty() && all.iter().all(aggregate)
}
