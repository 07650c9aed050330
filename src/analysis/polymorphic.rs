//! `anyelement` and its kin: whether the arguments of a call agree, and what its result is then.

use super::catalogue::Context;
use super::catalogue::{Kind, TypeId, catalogue};
use super::coercion::{array_element, can_coerce, common_type};

/// How a polymorphic type stands to the type that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Element,
    Array,
    NonArray,
    Enum,
    Range,
    Multirange,
}

/// The shape, and whether it belongs to the family that finds a common type (`anycompatible…`).
fn shape(id: TypeId) -> Option<(Shape, bool)> {
    Some(match catalogue().entry(id).name {
        "anyelement" => (Shape::Element, false),
        "anyarray" => (Shape::Array, false),
        "anynonarray" => (Shape::NonArray, false),
        "anyenum" => (Shape::Enum, false),
        "anyrange" => (Shape::Range, false),
        "anymultirange" => (Shape::Multirange, false),
        "anycompatible" => (Shape::Element, true),
        "anycompatiblearray" => (Shape::Array, true),
        "anycompatiblenonarray" => (Shape::NonArray, true),
        "anycompatiblerange" => (Shape::Range, true),
        "anycompatiblemultirange" => (Shape::Multirange, true),
        _ => return None,
    })
}

pub(super) fn is_polymorphic(id: TypeId) -> bool {
    catalogue().entry(id).kind == Kind::Pseudo && shape(id).is_some()
}

/// What the arguments of one family say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bound {
    element: Option<TypeId>,
    range: Option<TypeId>,
}

pub(super) fn is_consistent(given: &[TypeId], wanted: &[TypeId]) -> bool {
    bind(given, wanted, false).is_some() && bind(given, wanted, true).is_some()
}

/// The result of a call whose declared result is `result`; `None` where the arguments do not tell.
pub(super) fn resolve(given: &[TypeId], wanted: &[TypeId], result: TypeId) -> Option<TypeId> {
    let Some((shape, compatible)) = shape(result) else { return Some(result) };
    let bound = bind(given, wanted, compatible)?;
    let catalogue = catalogue();
    match shape {
        Shape::Element | Shape::NonArray | Shape::Enum => bound.element,
        Shape::Array => catalogue.entry(bound.element?).array,
        Shape::Range => bound.range,
        Shape::Multirange => catalogue.multirange_of(bound.range?),
    }
}

fn bind(given: &[TypeId], wanted: &[TypeId], family: bool) -> Option<Bound> {
    let known = &catalogue().known;
    let mut elements: Vec<TypeId> = Vec::new();
    let mut range: Option<TypeId> = None;
    let (mut no_array, mut is_there, mut is_unknown_element) = (false, false, false);
    for (from, to) in given.iter().zip(wanted) {
        let Some((shape, _)) = shape(*to).filter(|(_, compatible)| *compatible == family) else { continue };
        is_there = true;
        if *from == known.unknown {
            is_unknown_element |= shape == Shape::Element || shape == Shape::NonArray;
            continue;
        }
        match shape {
            Shape::Element => elements.push(*from),
            Shape::NonArray => {
                no_array = true;
                elements.push(*from);
            }
            Shape::Array => elements.push(array_element(*from)?),
            Shape::Enum => return None,
            Shape::Range | Shape::Multirange => {
                let entry = catalogue().entry(*from);
                let one = match (shape, entry.kind) {
                    (Shape::Range, Kind::Range) => *from,
                    (Shape::Multirange, Kind::Multirange) => entry.subtype?,
                    _ => return None,
                };
                if range.is_some_and(|held| held != one) {
                    return None;
                }
                range = Some(one);
            }
        }
    }
    let subtype = range.and_then(|range| catalogue().entry(range).subtype);
    let element = match (elements.first().copied(), subtype, family) {
        (None, subtype, false) => subtype,
        (None, None, true) => (is_there && is_unknown_element).then_some(known.text),
        (Some(first), subtype, false) => {
            if elements.iter().any(|element| *element != first) || subtype.is_some_and(|subtype| subtype != first) {
                return None;
            }
            Some(first)
        }
        // Values come to the range, not the range to the values.
        (_, Some(subtype), true) => {
            if !elements.iter().all(|element| can_coerce(*element, subtype, Context::Implicit)) {
                return None;
            }
            Some(subtype)
        }
        (Some(_), None, true) => Some(common_type(&elements).ok()?),
    };
    if no_array && element.is_some_and(|element| array_element(element).is_some()) {
        return None;
    }
    Some(Bound { element, range })
}
