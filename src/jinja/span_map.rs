//! Which part of the rendered SQL came from where.

use std::ops::Range;
use std::sync::Arc;

use crate::base::{Span, UniqueId};

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub output: Range<usize>,
    pub source: Span,
    pub origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Text of the template: output and source agree byte for byte.
    Text,
    /// An expression: the whole output comes from the whole source.
    Expression,
    /// A call of one macro; the map inside is relative to the segment's output.
    Macro(Arc<SpanMap>),
}

/// Segments in ascending order, without overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanMap {
    pub segments: Vec<Segment>,
    /// The macro that wrote the text.
    pub of_macro: Option<UniqueId>,
}

/// Where a range of the output was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// In the file of the model.
    pub call: Span,
    /// In the macro, when a macro wrote it; the innermost.
    pub within: Option<Span>,
}

impl SpanMap {
    /// The place of a byte range of the output. `None` when the output has no segment there.
    pub fn locate(&self, output: Range<usize>) -> Option<Place> {
        let index = self.segments.partition_point(|segment| segment.output.end <= output.start);
        let segment = self.segments.get(index)?;
        if segment.output.start > output.start && output.end <= segment.output.start {
            return None;
        }
        let offset = output.start.saturating_sub(segment.output.start);
        let len = output.end.min(segment.output.end).saturating_sub(output.start);
        Some(match &segment.origin {
            Origin::Text => Place { call: self.text_place(segment, offset, len, output.end), within: None },
            Origin::Expression => Place { call: segment.source, within: None },
            Origin::Macro(inner) => {
                let inside = inner.locate(offset..offset + len);
                Place { call: segment.source, within: inside.map(|place| place.within.unwrap_or(place.call)) }
            }
        })
    }

    /// Pieces that are what other macros gave become theirs: `{{ outer(inner('x')) }}` where the outer one writes its argument. Plain
    /// names are not looked for, as anybody may write them.
    pub(super) fn with_arguments(mut self, text: &str, given: &[(String, Arc<SpanMap>)]) -> SpanMap {
        let mut written: Vec<&(String, Arc<SpanMap>)> = given.iter().filter(|(text, _)| text.contains('(')).collect();
        written.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        if !written.is_empty() {
            for segment in self.segments.iter_mut().filter(|segment| segment.origin == Origin::Expression) {
                let piece = text.get(segment.output.clone()).unwrap_or_default();
                if let Some((_, map)) = written.iter().find(|(text, _)| text == piece) {
                    segment.origin = Origin::Macro(Arc::clone(map));
                }
            }
        }
        self
    }

    /// A range that starts in text and ends in later text of the same file covers everything between.
    fn text_place(&self, segment: &Segment, offset: usize, len: usize, end: usize) -> Span {
        let start = segment.source.sub(offset, len);
        if end <= segment.output.end {
            return start;
        }
        let last = self.segments.iter().rev().find(|later| later.output.start < end);
        match last {
            Some(later) if later.source.file == start.file && later.source.start >= start.start => {
                let later_len = end.min(later.output.end) - later.output.start;
                let later_end =
                    if later.origin == Origin::Text { later.source.start as usize + later_len } else { later.source.end as usize };
                Span::new(start.file, start.start as usize, later_end)
            }
            _ => start,
        }
    }

    /// The map after `len` bytes were put into the output at `at`.
    pub fn shifted(mut self, at: usize, len: usize) -> SpanMap {
        let mut split = Vec::new();
        for segment in &mut self.segments {
            if segment.output.start >= at {
                segment.output = segment.output.start + len..segment.output.end + len;
            } else if segment.output.end > at {
                if segment.origin == Origin::Text {
                    let head = at - segment.output.start;
                    let tail = Segment {
                        output: at + len..segment.output.end + len,
                        source: segment.source.sub(head, segment.output.end - at),
                        origin: Origin::Text,
                    };
                    segment.source = segment.source.sub(0, head);
                    segment.output.end = at;
                    split.push(tail);
                } else {
                    segment.output.end += len;
                }
            }
        }
        self.segments.extend(split);
        self.segments.sort_by_key(|segment| segment.output.start);
        self
    }
}
