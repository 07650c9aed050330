//! The only place that writes to standard output and standard error. A closed pipe is no error: what nobody reads is dropped.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::style;
use super::text::width;

/// Both streams of the process, and the lines at the end of the screen that are drawn again and again.
pub(super) struct Terminal {
    stdout: Stream,
    stderr: Stream,
    /// Columns where no terminal tells.
    columns: Option<usize>,
    /// Whether what is printed goes to standard error.
    moved: bool,
    state: Mutex<State>,
}

struct Stream {
    is_terminal: bool,
    colour: bool,
}

#[derive(Default)]
struct State {
    stdout_closed: bool,
    stderr_closed: bool,
    /// Why standard output could not be written, where that is more than a reader who has left.
    failure: Option<String>,
    /// Lines that are on the screen below everything else, without colours for their widths.
    live: Vec<String>,
}

/// What is known of the person's wishes before arguments are read well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}

impl Terminal {
    pub(super) fn new(colour: Colour) -> Terminal {
        let stream = |is_terminal: bool| {
            let usable = is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
            Stream {
                is_terminal: usable,
                colour: match colour {
                    Colour::Auto => usable,
                    Colour::Always => true,
                    Colour::Never => false,
                },
            }
        };
        Terminal {
            stdout: stream(io::stdout().is_terminal()),
            stderr: stream(io::stderr().is_terminal()),
            columns: None,
            moved: false,
            state: Mutex::default(),
        }
    }

    /// With so many columns where no terminal tells how many there are.
    pub(super) fn with_width(self, columns: Option<usize>) -> Terminal {
        Terminal { columns: columns.filter(|columns| *columns > 0), ..self }
    }

    /// What is printed goes to standard error; only a document goes to standard output.
    pub(super) fn on_standard_error(self) -> Terminal {
        let stdout = Stream { is_terminal: false, colour: self.stderr.colour };
        Terminal { stdout, moved: true, ..self }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether lines can be drawn in place.
    pub(super) fn is_live(&self) -> bool {
        self.stdout.is_terminal
    }

    pub(super) fn colour(&self) -> bool {
        self.stdout.colour
    }

    pub(super) fn error_colour(&self) -> bool {
        self.stderr.colour
    }

    /// Columns of standard output: of the terminal, or as `COLUMNS` says; `None` where nothing limits them.
    pub(super) fn width(&self) -> Option<usize> {
        stream_width(self.stdout.is_terminal, terminal_size::terminal_size_of(io::stdout()), self.columns)
    }

    pub(super) fn error_width(&self) -> Option<usize> {
        stream_width(self.stderr.is_terminal, terminal_size::terminal_size_of(io::stderr()), self.columns)
    }

    /// Rows of the terminal.
    pub(super) fn height(&self) -> usize {
        terminal_size::terminal_size_of(io::stdout()).map_or(24, |(_, height)| usize::from(height.0))
    }

    /// Prints one or more lines to standard output.
    pub(super) fn print(&self, text: &str) {
        if self.moved {
            return self.print_error(text);
        }
        let mut state = self.lock();
        let live = self.clear(&mut state);
        let text = if self.stdout.colour { format!("{text}\n") } else { format!("{}\n", style::plain(text)) };
        write_stdout(&mut state, &text);
        self.draw(&mut state, live);
    }

    /// Prints one or more lines to standard error.
    pub(super) fn print_error(&self, text: &str) {
        let mut state = self.lock();
        let live = self.clear(&mut state);
        let text = if self.stderr.colour { format!("{text}\n") } else { format!("{}\n", style::plain(text)) };
        if !state.stderr_closed {
            state.stderr_closed = io::stderr().write_all(text.as_bytes()).is_err();
        }
        self.draw(&mut state, live);
    }

    /// Writes text as it is, without a line end: data for other programs.
    pub(super) fn write(&self, text: &str) {
        if self.moved {
            return self.print_error(text.strip_suffix('\n').unwrap_or(text));
        }
        self.document(text);
    }

    /// Writes text to standard output in any case.
    pub(super) fn document(&self, text: &str) {
        write_stdout(&mut self.lock(), text);
    }

    /// Why what was printed did not arrive (a full disk); a closed pipe is no failure.
    pub(super) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    /// Asks a question and reads one line. `None` when nobody can answer.
    pub(super) fn ask(&self, question: &str) -> Option<String> {
        if !io::stdin().is_terminal() || !self.stdout.is_terminal {
            return None;
        }
        self.write(question);
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
    }

    /// Replaces the lines at the end of the screen. They must be narrower than the terminal.
    pub(super) fn set_live(&self, lines: Vec<String>) {
        if !self.is_live() {
            return;
        }
        let mut state = self.lock();
        self.clear(&mut state);
        self.draw(&mut state, lines);
    }

    /// Takes the live lines off the screen and returns them.
    fn clear(&self, state: &mut State) -> Vec<String> {
        let live = std::mem::take(&mut state.live);
        if live.is_empty() {
            return live;
        }
        // A terminal that was made narrower has broken the lines.
        let columns = self.width().unwrap_or(80).max(1);
        let rows: usize = live.iter().map(|line| width(&style::plain(line)).div_ceil(columns).max(1)).sum();
        let up = rows.saturating_sub(1);
        let sequence = if up > 0 { format!("\r\x1b[{up}A\x1b[J") } else { "\r\x1b[J".to_owned() };
        write_stdout(state, &sequence);
        live
    }

    fn draw(&self, state: &mut State, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        let text = lines.join("\n");
        write_stdout(state, &if self.stdout.colour { text } else { style::plain(&text) });
        state.live = lines;
    }
}

fn write_stdout(state: &mut State, text: &str) {
    if state.stdout_closed {
        return;
    }
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        state.stdout_closed = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            state.failure = Some(error.to_string());
        }
    }
}

fn stream_width(is_terminal: bool, size: Option<(terminal_size::Width, terminal_size::Height)>, said: Option<usize>) -> Option<usize> {
    match size {
        Some((columns, _)) if is_terminal && columns.0 > 0 => Some(usize::from(columns.0)),
        _ if said.is_some() => said,
        _ => std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0),
    }
}
