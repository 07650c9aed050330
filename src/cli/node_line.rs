//! The line that says what came of a node.

use super::style::{self, paint};
use super::text::{clip, clip_middle, counted, pad_left, pad_right, seconds, thousands};
use crate::plan::{NodeResult, STOPPED, Status};
use crate::project::{Detail, Node};

const STATUS: usize = 8;
const KIND: usize = 11;
const TIME: usize = 7;
/// A name is never cut below this for the sake of the columns behind it.
const NAME: usize = 24;
/// Room that is kept for remarks where names of tests would take it.
const REMARK: usize = 24;
/// Without a limit, names longer than this push the columns behind them.
const WIDEST_NAME: usize = 80;

/// How the lines of a run are laid out, so that they stand in columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// How many nodes there are.
    pub(super) total: usize,
    /// The longest name.
    pub(super) name: usize,
    /// The longest name of what is built or loaded: those have a remark behind the time.
    relation: usize,
    /// The columns of the terminal.
    pub(super) width: Option<usize>,
}

impl Layout {
    pub(super) fn new(nodes: &[&Node], width: Option<usize>) -> Layout {
        let longest = |chosen: fn(&Node) -> bool| {
            let widths = nodes.iter().filter(|node| chosen(node)).map(|node| super::text::width(&display_name(node)));
            widths.max().unwrap_or(0)
        };
        let relation = longest(|node| !matches!(node.detail, Detail::SingularTest | Detail::GenericTest(_) | Detail::UnitTest(_)));
        Layout { total: nodes.len(), name: longest(|_| true), relation, width }
    }
}

impl Layout {
    /// For the nodes of both.
    pub(super) fn and(self, other: Layout) -> Layout {
        Layout { total: self.total + other.total, name: self.name.max(other.name), relation: self.relation.max(other.relation), ..other }
    }
}

/// What is built or run, in a word.
pub(super) fn kind(node: &Node) -> String {
    match node.detail {
        Detail::Source(_) => "load".to_owned(),
        Detail::Seed { .. } => "seed".to_owned(),
        Detail::Snapshot { .. } => "snapshot".to_owned(),
        Detail::SingularTest | Detail::GenericTest(_) => "test".to_owned(),
        Detail::UnitTest(_) => "unit test".to_owned(),
        Detail::Model(_) | Detail::Analysis | Detail::Exposure(_) | Detail::Operation => node.materialized().to_owned(),
    }
}

/// The relation, or the name of what has none.
pub(super) fn display_name(node: &Node) -> String {
    match &node.relation {
        Some(relation) if !matches!(node.detail, Detail::SingularTest | Detail::GenericTest(_) | Detail::UnitTest(_)) => relation.display(),
        _ => node.name.clone(),
    }
}

/// `OK`, `PASS`, `WARN 3`, `FAIL 3`, `ERROR`, `SKIP`.
pub(super) fn status_text(result: &NodeResult) -> String {
    let failures = || result.failures.map_or_else(String::new, |count| format!(" {}", thousands(count)));
    match result.status {
        Status::Success => "OK".to_owned(),
        Status::Pass => "PASS".to_owned(),
        Status::Warn => format!("WARN{}", failures()),
        Status::Fail => format!("FAIL{}", failures()),
        Status::Error => "ERROR".to_owned(),
        Status::Skipped if result.was_stopped() => "STOPPED".to_owned(),
        Status::Skipped => "SKIP".to_owned(),
    }
}

pub(super) fn status_style(status: Status) -> anstyle::Style {
    match status {
        Status::Success | Status::Pass => style::GOOD,
        Status::Warn => style::WARNING,
        Status::Fail | Status::Error => style::BAD,
        Status::Skipped => style::DIM,
    }
}

/// What is worth knowing behind the name: rows, files, why it was skipped.
fn remark(node: &Node, result: &NodeResult) -> String {
    match (result.status, &node.detail) {
        (Status::Skipped, _) if result.was_stopped() => result.message.strip_prefix(STOPPED).unwrap_or_default().to_owned(),
        (Status::Skipped, _) => result.message.strip_prefix("skipped: ").unwrap_or(&result.message).to_owned(),
        (Status::Success, Detail::Source(_)) => result.message.clone(),
        (Status::Success, _) if result.batches.is_some() => result.message.clone(),
        (Status::Error, _) if result.batches.is_some() => result.message.split(':').next().unwrap_or_default().to_owned(),
        (Status::Success, _) => {
            result.rows_affected.map_or_else(String::new, |rows| counted(usize::try_from(rows).unwrap_or(usize::MAX), "row"))
        }
        _ => String::new(),
    }
}

/// Where a node of a run on several targets was built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    pub(super) target: &'p str,
    /// The target that its table comes from.
    pub(super) from: Option<&'p str>,
}

impl Place<'_> {
    /// `skipped`: what is said tells why, and not what came of it there.
    fn remark(&self, said: &str, skipped: bool) -> String {
        let place = match (self.from, skipped) {
            (Some(from), false) => format!("from {from} to {}", self.target),
            (None, false) => format!("on {}", self.target),
            (Some(from), true) => format!("({from} to {})", self.target),
            (None, true) => format!("({})", self.target),
        };
        if said.is_empty() { place } else { format!("{said} {place}") }
    }
}

/// The line of a finished node. In a narrow terminal, first the kind and then the counter give way to the name.
pub(super) fn finished(node: &Node, result: &NodeResult, position: usize, layout: &Layout, place: Option<&Place<'_>>) -> String {
    let digits = layout.total.to_string().len();
    let counter = format!("{}/{}", pad_left(&position.to_string(), digits), layout.total);
    let status = pad_right(&status_text(result), STATUS);
    let time = if result.status == Status::Skipped { String::new() } else { seconds(result.execution_time) };
    let time = pad_left(&time, TIME);
    let remark = remark(node, result);
    let remark = place.map_or(remark.clone(), |place| place.remark(&remark, result.status == Status::Skipped));
    let name = display_name(node);
    let status = paint(status_style(result.status), &status);
    let kind = if place.is_some_and(|place| place.from.is_some()) { "transfer".to_owned() } else { kind(node) };
    let kind = paint(style::DIM, &pad_right(&kind, KIND));
    let counter = paint(style::DIM, &counter);
    let Some(limit) = layout.width else {
        let name = pad_right(&name, layout.name.min(WIDEST_NAME));
        return format!("{counter} {status} {kind} {name} {time}  {remark}").trim_end().to_owned();
    };
    // The last column stays free: some terminals break the line there.
    let limit = limit.saturating_sub(1);
    let with_kind = limit.saturating_sub(2 * digits + 1 + STATUS + KIND + TIME + 4);
    let without_kind = limit.saturating_sub(2 * digits + 1 + STATUS + TIME + 3);
    let bare = limit.saturating_sub(STATUS + 1);
    let (before, room, timed) = match () {
        () if with_kind >= NAME => (format!("{counter} {status} {kind}"), with_kind, true),
        () if without_kind >= NAME => (format!("{counter} {status}"), without_kind, true),
        () if bare >= 8 => (status, bare, false),
        () => return clip_middle(&name, limit),
    };
    // Long names of tests give way to the remarks, names of relations do not.
    let columns = layout.name.min(room.saturating_sub(REMARK).max(layout.relation)).min(room);
    let name = pad_right(&clip_middle(&name, columns), columns);
    if !timed {
        return format!("{before} {name}").trim_end().to_owned();
    }
    let left = room - columns;
    let remark = if left > 6 { format!("  {}", clip(&remark, left - 2)) } else { String::new() };
    format!("{before} {name} {time}{remark}").trim_end().to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::{FileId, Relation, ResourceType, Span};
    use crate::project::ModelDetail;

    pub(in crate::cli) fn model(name: &str) -> Node {
        let span = Span::new(FileId(0), 0, 0);
        let (fqn, detail) = (vec!["shop".to_owned(), name.to_owned()], Detail::Model(ModelDetail::default()));
        let bare = Node::new(ResourceType::Model, &"shop".into(), name, fqn, span, detail);
        Node { body: Some(span), relation: Some(Relation::new("db", "core", name)), ..bare }
    }

    pub(in crate::cli) fn result(node: &Node, status: Status, message: &str) -> NodeResult {
        NodeResult {
            id: node.id.clone(),
            status,
            message: message.to_owned(),
            failures: None,
            rows_affected: None,
            started_at: String::new(),
            completed_at: String::new(),
            execution_time: 0.034,
            thread: 1,
            compiled_sql: None,
            compiled_path: None,
            diagnostics: Vec::new(),
            sample: None,
            batches: None,
        }
    }

    #[test]
    fn lines_stand_in_columns_and_give_way_in_narrow_terminals() {
        let (bets, report, test) = (model("fct_bet"), model("rpt_daily_gross_gaming_revenue"), {
            let mut test = model("unique_rpt_daily_gross_gaming_revenue_business_day_and_business");
            test.detail = Detail::SingularTest;
            test
        });
        let nodes = [&bets, &report, &test];
        let results = [
            NodeResult { rows_affected: Some(12_345), ..result(&bets, Status::Success, "12345 rows") },
            result(&report, Status::Skipped, "skipped: 'fct_bet' failed"),
            NodeResult { failures: Some(3), execution_time: 75.0, ..result(&test, Status::Fail, "Got 3 results") },
        ];
        let mut drawn = String::new();
        for width in [None, Some(120), Some(72), Some(50), Some(24), Some(9)] {
            let layout = Layout { total: 12, ..Layout::new(&nodes, width) };
            drawn.push_str(&format!("-- {width:?}\n"));
            for (at, (node, result)) in nodes.iter().zip(&results).enumerate() {
                let line = style::plain(&finished(node, result, at + 8, &layout, None));
                assert!(width.is_none_or(|width| super::super::text::width(&line) < width), "{width:?} {line}");
                drawn.push_str(&line);
                drawn.push('\n');
            }
        }
        insta::assert_snapshot!(drawn, @r"
        -- None
         8/12 OK       view        core.fct_bet                                                      0.03s  12,345 rows
         9/12 SKIP     view        core.rpt_daily_gross_gaming_revenue                                      'fct_bet' failed
        10/12 FAIL 3   test        unique_rpt_daily_gross_gaming_revenue_business_day_and_business   75.0s
        -- Some(120)
         8/12 OK       view        core.fct_bet                                                   0.03s  12,345 rows
         9/12 SKIP     view        core.rpt_daily_gross_gaming_revenue                                   'fct_bet' failed
        10/12 FAIL 3   test        unique_rpt_daily_gross_gaming_…nue_business_day_and_business   75.0s
        -- Some(72)
         8/12 OK       view        core.fct_bet                          0.03s
         9/12 SKIP     view        core.rpt_daily_gross_gaming_revenue
        10/12 FAIL 3   test        unique_rpt_daily_…_day_and_business   75.0s
        -- Some(50)
         8/12 OK       core.fct_bet                 0.03s
         9/12 SKIP     core.rpt_dail…ming_revenue
        10/12 FAIL 3   unique_rpt_da…and_business   75.0s
        -- Some(24)
        OK       core.fct_bet
        SKIP     core.rp…evenue
        FAIL 3   unique_…siness
        -- Some(9)
        core…bet
        core…nue
        uniq…ess
        ");
    }
}
