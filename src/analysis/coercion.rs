//! When a value of one type stands for another: the rules of `parse_coerce.c`, on types alone.

use super::catalogue::{Category, Context, Kind, TypeId, catalogue};
use super::polymorphic::{is_consistent, is_polymorphic};
use super::sql_type::SqlType;

/// Whether a value of type `from` may be given where `to` is wanted.
pub(super) fn can_coerce(from: TypeId, to: TypeId, context: Context) -> bool {
    let known = &catalogue().known;
    from == to || to == known.any || from == known.unknown || is_polymorphic(to) || has_pathway(from, to, context)
}

/// As [`can_coerce`] for all arguments of a call at once, polymorphic ones among them.
pub(super) fn can_coerce_all(given: &[TypeId], wanted: &[TypeId], context: Context) -> bool {
    let each = given.iter().zip(wanted).all(|(from, to)| can_coerce(*from, *to, context));
    each && (!wanted.iter().any(|kind| is_polymorphic(*kind)) || is_consistent(given, wanted))
}

/// A cast, a relabelling or a way through text.
pub(super) fn has_pathway(from: TypeId, to: TypeId, context: Context) -> bool {
    let (catalogue, known) = (catalogue(), &catalogue().known);
    if from == to {
        return true;
    }
    if let Some(cast) = catalogue.cast(from, to) {
        return context >= cast.context;
    }
    let (source, target) = (catalogue.entry(from), catalogue.entry(to));
    if let (Some(source), Some(target)) = (array_element(from), array_element(to)) {
        return has_pathway(source, target, context);
    }
    if from == known.record || source.kind == Kind::Pseudo || target.kind == Kind::Pseudo {
        // Rows become text only when that is said, and nothing becomes a pseudo-type.
        return from == known.record && context == Context::Explicit && target.category == Category::STRING;
    }
    (context >= Context::Assignment && target.category == Category::STRING)
        || (context == Context::Explicit && source.category == Category::STRING)
}

/// The element of a true array; the vectors of system tables are none.
pub(super) fn array_element(id: TypeId) -> Option<TypeId> {
    let entry = catalogue().entry(id);
    entry.element.filter(|_| entry.name.starts_with('_'))
}

/// The one type that all branches of a CASE, a UNION, an array or the like get.
///
/// # Errors
/// The two types that do not go together.
pub(super) fn common_type(types: &[TypeId]) -> Result<TypeId, (TypeId, TypeId)> {
    let (catalogue, known) = (catalogue(), &catalogue().known);
    let Some(first) = types.first().copied() else { return Ok(known.text) };
    let mut chosen = first;
    for next in types.iter().copied().skip(1) {
        if next == known.unknown || next == chosen {
            continue;
        }
        let (held, new) = (catalogue.entry(chosen), catalogue.entry(next));
        if chosen == known.unknown {
            chosen = next;
        } else if held.category != new.category {
            return Err((chosen, next));
        } else if !held.preferred && can_coerce(chosen, next, Context::Implicit) && !can_coerce(next, chosen, Context::Implicit) {
            chosen = next;
        }
    }
    if chosen == known.unknown {
        return Ok(known.text);
    }
    match types.iter().find(|kind| !can_coerce(**kind, chosen, Context::Implicit)) {
        Some(stranger) => Err((chosen, *stranger)),
        None => Ok(chosen),
    }
}

/// [`common_type`] with the modifier, which stays where all agree.
///
/// # Errors
/// As [`common_type`].
pub(super) fn common(types: &[SqlType]) -> Result<SqlType, (TypeId, TypeId)> {
    let ids: Vec<TypeId> = types.iter().map(|kind| kind.id).collect();
    let id = common_type(&ids)?;
    let modifier = types.first().map_or(-1, |kind| kind.modifier);
    let same = types.iter().all(|kind| kind.id == id && kind.modifier == modifier);
    Ok(SqlType { id, modifier: if same { modifier } else { -1 } })
}
