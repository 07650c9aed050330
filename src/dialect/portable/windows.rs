//! Windows. PostgreSQL counts rows of the same order together where no frame is written, or one of RANGE; Redshift has frames of ROWS only,
//! and wants one. A running aggregate is written in two levels there ([`super::levels`]): the inner one aggregates the rows that are
//! alike and numbers them, the outer one adds up what the first of each has.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html>
//! - <https://www.postgresql.org/docs/15/sql-expressions.html#SYNTAX-WINDOW-FUNCTIONS>

use sqlparser::ast::{
    Expr, Function, NamedWindowExpr, Select, Spanned, Value, ValueWithSpan, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};
use sqlparser::tokenizer::Span;

use super::calls::Call;
use super::functions;
use super::intervals;
use super::levels::is_constant;
use super::rewrite::Rewrite;
use super::using::folded;
use super::writer::{Sql, Windows, Writer};
use crate::dialect::Engine;

/// A window, in its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    partition: Vec<String>,
    /// What rows are ordered by, each with how.
    order: Vec<(String, String)>,
    /// As it is written.
    frame: Option<String>,
    reach: Reach,
    /// No two rows of a partition are alike in what it is ordered by.
    is_told_apart: bool,
}

/// How far a frame reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reach {
    /// As its words say: there is nothing to count together.
    #[default]
    Rows,
    /// From the first row to the last one that is alike.
    Peers,
    /// All rows of the partition.
    Partition,
}

const TO_HERE: &str = "rows between unbounded preceding and current row";
const EVERYTHING: &str = "rows between unbounded preceding and unbounded following";

impl Window {
    fn text(&self, frame: Option<&str>) -> String {
        let mut text = String::with_capacity(256);
        for (at, key) in self.partition.iter().enumerate() {
            text.extend([if at == 0 { "partition by " } else { ", " }, key]);
        }
        for (at, (key, direction)) in self.order.iter().enumerate() {
            let before = if text.is_empty() { "" } else { " " };
            text.extend(if at == 0 { [before, "order by ", key, direction] } else { [", ", key, direction, ""] });
        }
        if let Some(frame) = frame {
            text.extend([if text.is_empty() { "" } else { " " }, frame]);
        }
        text
    }

    pub(super) fn is_ordered(&self) -> bool {
        !self.order.is_empty()
    }

    /// Whether its frame counts rows, so that their order decides which are in it.
    pub(super) fn counts_rows(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.starts_with("rows "))
    }

    /// Parted into rows that are alike.
    fn peers(&self) -> Vec<String> {
        self.partition.iter().chain(self.order.iter().map(|(key, _)| key)).cloned().collect()
    }
}

impl Writer<'_> {
    /// Windows that have a name stand at each call: Redshift has no names for them.
    pub(super) fn windows_of(&mut self, select: &Select) -> Windows {
        let mut windows = Windows::new();
        for window in &select.named_window {
            match &window.1 {
                NamedWindowExpr::WindowSpec(spec) if spec.window_name.is_none() => {
                    windows.insert(folded(&window.0), self.window(spec, select.span()));
                }
                _ => {
                    self.lacks(select.span(), "windows that extend another", "write the whole window at the call");
                }
            }
        }
        windows
    }

    /// ` over (…)`
    pub(super) fn over(&mut self, call: &Call<'_>) -> String {
        let Some(window) = self.window_of(call) else { return String::new() };
        if !self.is(Engine::Redshift) || window.reach == Reach::Rows {
            return format!(" over ({})", window.text(window.frame.as_deref()));
        }
        if !functions::is_framed(&call.name) {
            return format!(" over ({})", window.text(None));
        }
        match (window.reach, call.name.as_str()) {
            (Reach::Partition, name) if functions::is_aggregate(name) => {
                format!(" over ({})", Window { order: Vec::new(), ..window }.text(None))
            }
            (Reach::Partition, _) => format!(" over ({})", window.text(Some(EVERYTHING))),
            (_, "first_value") if self.rewrites(Rewrite::WindowFrame) => format!(" over ({})", window.text(Some(TO_HERE))),
            // Of those that are alike each engine chooses one.
            (_, "last_value") if self.rewrites(Rewrite::WindowFrame) => {
                format!(" over ({})", Window { partition: window.peers(), ..window }.text(Some(EVERYTHING)))
            }
            _ if window.is_told_apart => format!(" over ({})", window.text(Some(TO_HERE))),
            _ => {
                let help = "write the frame: rows between unbounded preceding and current row, with an order that has no ties";
                self.lacks(call.span, "a window that is ordered and has no frame", help);
                String::new()
            }
        }
    }

    fn window_of(&mut self, call: &Call<'_>) -> Option<Window> {
        let window = self.window_behind(call)?;
        self.refuse_foreign_window_call(call);
        self.refuse_unordered_window(call, &window);
        Some(window)
    }

    /// What PostgreSQL refuses of a window function, and other engines take.
    fn refuse_foreign_window_call(&mut self, call: &Call<'_>) {
        if call.distinct {
            let help = "aggregate in a subquery that groups by the keys of the window, and join it";
            self.refuse(call.span, "PostgreSQL has no DISTINCT in window functions", help);
        }
        if !call.order_by.is_empty() {
            self.refuse(
                call.span,
                "PostgreSQL has no ORDER BY among the arguments of window functions",
                "order the window: over (order by x)",
            );
        }
        let gives_its_argument = matches!(call.name.as_str(), "lag" | "lead" | "first_value" | "last_value" | "nth_value");
        let untyped = |value: &&&Expr| self.typed(value).sql_type.is_none_or(|kind| kind.name() == "unknown");
        if let Some(value) = call.arguments.first().filter(untyped).filter(|_| gives_its_argument) {
            let span = super::writer::span_of(value);
            self.refuse(span, format!("'{}' gets a value of no type", call.name), "cast it, as in 'a'::text");
        }
    }

    fn window_behind(&mut self, call: &Call<'_>) -> Option<Window> {
        match call.function.over.as_ref()? {
            WindowType::NamedWindow(name) => {
                let name = folded(name);
                if let Some(window) = self.window_named(&name) {
                    return Some(window);
                }
                self.refuse(call.span, format!("there is no window '{name}'"), "write the window at the call");
                None
            }
            WindowType::WindowSpec(spec) => {
                if spec.window_name.is_some() {
                    self.lacks(call.span, "windows that extend another", "write the whole window at the call");
                }
                Some(self.window(spec, call.span))
            }
        }
    }

    fn window(&mut self, spec: &WindowSpec, span: Span) -> Window {
        // A constant decides nothing, and Redshift takes none.
        let partition = spec.partition_by.iter().filter(|key| !is_constant(key)).map(|key| self.equal_text(key).text).collect();
        let keys: Vec<_> = spec.order_by.iter().filter(|key| !is_constant(&key.expr)).collect();
        let order: Vec<_> = keys.iter().map(|key| self.order_key_in_parts(key)).collect();
        let reach = reach_of(spec);
        let frame = match &spec.window_frame {
            Some(frame) if reach == Reach::Rows && frame.units != WindowFrameUnits::Rows && keys.len() < spec.order_by.len() => {
                let help = "leave the constant out of the order";
                Some(self.refuse(span, "this frame counts by an order with a constant in it", help).text)
            }
            Some(frame) if reach == Reach::Rows || !self.is(Engine::Redshift) => {
                let is_by_moments =
                    keys.iter().any(|key| matches!(self.type_name(&key.expr), "date" | "timestamp" | "timestamptz" | "time"));
                Some(self.frame(frame, is_by_moments, !spec.order_by.is_empty(), span))
            }
            _ => None,
        };
        // All rows in no order are what there is without a frame, and Redshift takes none without an order.
        let frame = frame.filter(|frame| !order.is_empty() || frame != EVERYTHING);
        Window { partition, order, frame, reach, is_told_apart: self.tells_apart(spec) }
    }

    fn frame(&mut self, frame: &WindowFrame, is_by_moments: bool, is_ordered: bool, span: Span) -> String {
        if frame.units != WindowFrameUnits::Rows && self.is(Engine::Redshift) {
            let help = match frame.units {
                WindowFrameUnits::Range => {
                    "write a subquery that depends on the row: (select sum(p.x) from t as p where p.key = t.key and p.day between t.day - 6 and t.day); \
                     a frame of rows counts rows, not days"
                }
                _ => "number the groups by dense_rank() in a subquery, and take those that are near by a join; a frame of rows counts rows",
            };
            return self.lacks(span, &format!("frames of {}", frame.units), help).text;
        }
        self.refuse_empty_frame(frame, span);
        if frame.units == WindowFrameUnits::Groups && !is_ordered {
            return self.refuse(span, "GROUPS counts groups of an order, and there is none", "write ORDER BY in the window").text;
        }
        let ends = [Some(&frame.start_bound), frame.end_bound.as_ref()];
        let takes_spans = frame.units == WindowFrameUnits::Range && is_by_moments;
        if !takes_spans && ends.into_iter().flatten().any(is_span_away) {
            // A literal in quotes is read as an interval.
            return self.refuse(span, "this frame counts by something in quotes", "write the number without quotes").text;
        }
        let units = frame.units.to_string().to_lowercase();
        let start = self.bound(&frame.start_bound);
        // Redshift knows the short form, and only this one is the same everywhere.
        let end = frame.end_bound.as_ref().map_or_else(|| "current row".to_owned(), |bound| self.bound(bound));
        format!("{units} between {start} and {end}")
    }

    /// DuckDB counts fewer rows than none in a frame whose start is behind its end.
    fn refuse_empty_frame(&mut self, frame: &WindowFrame, span: Span) {
        use WindowFrameBound::{Following, Preceding};
        let (first, last) = match (&frame.start_bound, &frame.end_bound) {
            (Preceding(Some(start)), Some(Preceding(Some(end)))) => (end, start),
            (Following(Some(start)), Some(Following(Some(end)))) => (start, end),
            _ => return,
        };
        match is_within(first, last) {
            Some(true) => {}
            Some(false) => {
                self.refuse(span, "this frame starts behind its end, so it is empty", "write the bound that is reached first before AND");
            }
            None => {
                self.refuse(span, "whether this frame starts behind its end is not known", "write both distances as literals");
            }
        }
    }

    fn bound(&mut self, bound: &WindowFrameBound) -> String {
        let (distance, word) = match bound {
            WindowFrameBound::CurrentRow => return "current row".to_owned(),
            WindowFrameBound::Preceding(distance) => (distance, "preceding"),
            WindowFrameBound::Following(distance) => (distance, "following"),
        };
        match distance {
            None => format!("unbounded {word}"),
            Some(distance) => format!("{} {word}", self.expression(distance).part()),
        }
    }

    fn tells_apart(&self, spec: &WindowSpec) -> bool {
        covers(spec, self.group_keys())
    }

    /// An aggregate over a window in which rows that are alike count together; `None` where it is written as it stands.
    pub(super) fn running(&mut self, call: &Call<'_>, name: &str, aggregate: &str) -> Option<Sql> {
        let adding = adding(name)?;
        if !self.is(Engine::Redshift) || call.function.over.is_none() || self.levels_mut().is_none() {
            return None;
        }
        let window = self.window_of(call).filter(|window| window.reach == Reach::Peers && !window.is_told_apart)?;
        if !self.rewrites(Rewrite::RunningAggregate) {
            let naive = format!("{aggregate} over ({})", window.text(Some(TO_HERE)));
            return Some(Sql::atom(self.inner(&naive)));
        }
        let peers = window.peers().join(", ");
        // Nothing tells rows apart: all are peers.
        if peers.is_empty() {
            return Some(Sql::atom(self.inner(&format!("{aggregate} over ()"))));
        }
        let of_peers = self.inner(&format!("{aggregate} over (partition by {peers})"));
        let number = self.inner(&format!("row_number() over (partition by {peers})"));
        let partition = window.partition.iter().map(|key| self.inner(key)).collect();
        let mut order: Vec<(String, String)> = window.order.iter().map(|(key, direction)| (self.inner(key), direction.clone())).collect();
        order.push((number.clone(), String::new()));
        let window = Window { partition, order, ..Window::default() };
        let total = format!("{adding}(case when {number} = 1 then {of_peers} end) over ({})", window.text(Some(TO_HERE)));
        // A sum of BIGINT over a window is NUMERIC there (`r_WF_SUM`), and divides otherwise.
        let of_whole = name == "sum" && call.only().is_some_and(|value| matches!(self.type_name(value), "int2" | "int4"));
        Some(Sql::atom(if of_whole || name == "count" { format!("cast({total} as bigint)") } else { total }))
    }

    /// The keys of GROUP BY, as they are written; `None` where rows are not told apart by them.
    pub(super) fn written_group_keys(&self, select: &Select) -> Option<Vec<String>> {
        let sqlparser::ast::GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return None };
        let plain = !keys.is_empty() && modifiers.is_empty();
        let is_set = |key: &Expr| matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
        if !plain || keys.iter().any(is_set) {
            return None;
        }
        Some(keys.iter().map(|key| self.grouped_by(select, key).to_string()).collect())
    }

    fn inner(&mut self, text: &str) -> String {
        self.levels_mut().map(|levels| levels.column(text, None)).unwrap_or_default()
    }
}

/// Whether a call is one that Redshift needs two levels for. `keys` are those of GROUP BY, as they are written.
pub(super) fn is_running(call: &Function, select: &Select, keys: Option<&[String]>) -> bool {
    let spec = match &call.over {
        Some(WindowType::WindowSpec(spec)) => Some(spec),
        Some(WindowType::NamedWindow(name)) => {
            let named = select.named_window.iter().find(|window| folded(&window.0) == folded(name));
            named.and_then(|window| match &window.1 {
                NamedWindowExpr::WindowSpec(spec) => Some(spec),
                NamedWindowExpr::NamedWindow(_) => None,
            })
        }
        None => None,
    };
    let adds_up = || adding(&call.name.to_string().to_lowercase()).is_some() || call.name.to_string().eq_ignore_ascii_case("avg");
    spec.is_some_and(|spec| reach_of(spec) == Reach::Peers && adds_up() && !covers(spec, keys))
}

/// Whether a bound is no further away than another one, where both are literals.
fn is_within(near: &Expr, far: &Expr) -> Option<bool> {
    let length = |bound: &Expr| intervals::scaled(bound).filter(|(_, times)| times.is_none()).map(|(span, _)| span.in_micros());
    match (number(near), number(far)) {
        (Some(near), Some(far)) => Some(near <= far),
        _ => Some(length(near)? <= length(far)?),
    }
}

fn number(bound: &Expr) -> Option<f64> {
    match bound {
        Expr::Nested(inner) => number(inner),
        Expr::Value(ValueWithSpan { value: Value::Number(text, _), .. }) => text.parse().ok(),
        _ => None,
    }
}

/// What puts the aggregates of parts together.
fn adding(name: &str) -> Option<&'static str> {
    Some(match name {
        "sum" | "count" => "sum",
        "min" => "min",
        "max" => "max",
        "bool_and" | "every" => "bool_and",
        "bool_or" => "bool_or",
        _ => return None,
    })
}

fn reach_of(spec: &WindowSpec) -> Reach {
    use WindowFrameBound::{CurrentRow, Following, Preceding};
    match &spec.window_frame {
        None if spec.order_by.iter().all(|key| is_constant(&key.expr)) => Reach::Rows,
        None => Reach::Peers,
        Some(frame) if frame.units == WindowFrameUnits::Range => match (&frame.start_bound, frame.end_bound.as_ref()) {
            (Preceding(None), None | Some(CurrentRow)) => Reach::Peers,
            (Preceding(None), Some(Following(None))) => Reach::Partition,
            _ => Reach::Rows,
        },
        Some(_) => Reach::Rows,
    }
}

/// Whether a bound is so long away, and not so many rows or so much.
fn is_span_away(bound: &WindowFrameBound) -> bool {
    use WindowFrameBound::{Following, Preceding};
    matches!(bound, Preceding(Some(distance)) | Following(Some(distance)) if matches!(**distance, Expr::Interval(_)))
}

/// Whether a window is parted and ordered by all keys of the groups, so that no two rows are alike.
fn covers(spec: &WindowSpec, keys: Option<&[String]>) -> bool {
    let Some(keys) = keys else { return false };
    let written: Vec<String> = spec.partition_by.iter().chain(spec.order_by.iter().map(|key| &key.expr)).map(ToString::to_string).collect();
    keys.iter().all(|key| written.contains(key))
}
