//! `betgen`: writes the raw extracts of two betting companies that merge, deterministically, in their native quirks.
//!
//! Flow: arguments → real results, prices and rates → the world of events → day by day customers, bets, settlements
//! and books → the files of each system → control totals.

mod accounts;
mod arguments;
mod bet;
mod bet_type;
mod betting;
mod books;
mod calendar;
mod error;
mod exact;
mod faults;
mod fixtures;
mod fx;
mod people;
mod price;
mod random;
mod real;
mod returns;
mod settle;
mod simulate;
mod stakes;
mod world;
mod write;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Request};
use faults::Fault;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "betgen: error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> error::Result<()> {
    match arguments.into_request()? {
        Request::Generate(plan) => simulate::run(&plan),
        Request::ListFaults => {
            for fault in Fault::ALL {
                let _ = writeln!(std::io::stdout(), "{:<21} {}", fault.name(), fault.description());
            }
            Ok(())
        }
    }
}
