//! What comes late to the flagship's extracts: withdrawn bets, corrections, replaced files, rates. A plain build must leave the
//! facts and the report as a full refresh would, row by row, on both engines.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use acca::base::ResourceType;

use crate::bench::{Bench, How};
use crate::tidy::root;

const FACTS: [(&str, &str); 4] = [
    ("shop_core.fct_bet", "bet_key"),
    ("shop_core.fct_bet_leg", "bet_leg_key"),
    ("shop_core.fct_settlement", "settlement_key, loaded_at"),
    ("shop_marts.rpt_daily_ggr", "1, 2, 3, 4, 5"),
];

/// Extracts of the sample that may be changed.
struct Extracts {
    bench: Bench,
}

impl Extracts {
    fn new(engine: &'static str) -> Extracts {
        let bench = Bench::of_the_root(engine);
        for (from, to) in [("data/sample", "extracts"), ("data/real/fx", "reference/fx")] {
            let from = root().join(from);
            for entry in walkdir::WalkDir::new(&from) {
                let entry = entry.unwrap();
                let to = bench.folder.path().join(to).join(entry.path().strip_prefix(&from).unwrap());
                if entry.file_type().is_dir() {
                    std::fs::create_dir_all(to).unwrap();
                } else {
                    std::fs::copy(entry.path(), to).unwrap();
                }
            }
        }
        Extracts { bench }
    }

    /// Writes a file of the extracts, compressed where its name says so.
    fn write(&self, path: &str, text: &str) {
        let path = self.bench.folder.path().join(path);
        if path.extension().is_some_and(|suffix| suffix == "gz") {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            std::fs::write(path, encoder.finish().unwrap()).unwrap();
        } else {
            std::fs::write(path, text).unwrap();
        }
    }

    /// Puts a corrected version in place of every file of the folder that has a line with `mark`: `change` gives the new line, or none.
    fn correct(&self, folder: &str, mark: &str, change: impl Fn(&str) -> Option<String>) {
        let mut corrected = 0;
        for path in self.files(folder) {
            let text = read(&path);
            if text.lines().any(|line| line.contains(mark)) {
                let lines = text.lines().filter_map(|line| if line.contains(mark) { change(line) } else { Some(line.to_owned()) });
                let text: String = lines.map(|line| line + "\n").collect();
                self.write(path.to_str().unwrap(), &text);
                corrected += 1;
            }
        }
        assert!(corrected > 0, "no file of {folder} holds '{mark}'");
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.bench.folder.path().join(folder)).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<PathBuf> = entries.filter(|entry| entry.file_type().unwrap().is_file()).map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// The header of the folder's last file that has a line with `mark`, and its last such line.
    fn line(&self, folder: &str, mark: &str) -> (String, String) {
        let found = self.files(folder).iter().rev().find_map(|path| {
            let text = read(path);
            let line = text.lines().rev().find(|line| line.contains(mark))?.to_owned();
            Some((text.lines().next()?.to_owned(), line))
        });
        found.unwrap_or_else(|| panic!("no file of {folder} holds '{mark}'"))
    }

    fn build(&self, full_refresh: bool) {
        let vars = [("landing_root", "extracts"), ("reference_root", "reference")];
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        // The books of the generator know nothing of these changes, so their tests would fail: only relations are built. A full
        // refresh of the sources would give every row another time of loading.
        let only: fn(&acca::project::Node) -> bool = if full_refresh {
            |node| node.name.starts_with("fct_") || node.name.starts_with("rpt_")
        } else {
            |node| matches!(node.resource, ResourceType::Model | ResourceType::Source | ResourceType::Seed | ResourceType::Snapshot)
        };
        self.bench.run_how(&How { only: Some(only), full_refresh, vars, ..How::default() }).ok();
    }

    fn facts(&self) -> Vec<String> {
        FACTS.iter().map(|(table, order)| self.bench.query(&format!("select * from {table} order by {order}"))).collect()
    }

    fn one(&self, sql: &str) -> String {
        self.bench.query(sql)
    }
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if path.extension().is_some_and(|suffix| suffix == "gz") {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text
}

/// The line with another text in one of its fields.
fn with_field(line: &str, separator: char, field: usize, text: &str) -> String {
    let mut fields: Vec<&str> = line.split(separator).collect();
    fields[field] = text;
    fields.join(&separator.to_string())
}

/// A change of the extracts, and a query with what it gives before and after.
struct Change {
    /// Changes of one round come before the same build.
    round: usize,
    name: &'static str,
    make: Box<dyn Fn(&Extracts)>,
    query: String,
    before: &'static str,
    after: &'static str,
}

fn own_key(bet_key: &str) -> String {
    bet_key.split_once(':').unwrap().1.to_owned()
}

/// The key of a won single of October, long before the last days of the sample: `number` tells them apart, one past the end is the last.
fn won_single(extracts: &Extracts, business: &str, currency: &str, number: usize) -> String {
    let keys = extracts.one(&format!(
        "select bet_key from shop_core.fct_bet where business = '{business}' and currency_code = '{currency}' and bet_status = 'won' \
         and bet_type_code = 'single' and channel = 'web' and bonus_stake = 0 and business_day < date '2025-11-01' order by bet_key"
    ));
    keys.lines().nth(number).or_else(|| keys.lines().last()).unwrap_or_else(|| panic!("too few bets: {keys}")).to_owned()
}

/// How often the bet is in the three facts: with all its rows, and with none.
fn rows_of(bet: &str) -> String {
    let counts = FACTS[..3].iter().map(|(table, _)| format!("(select count(*) from {table} where bet_key = '{bet}')"));
    format!("select {}", counts.collect::<Vec<_>>().join(", "))
}

/// Whether `test` holds for the bet.
fn is(bet: &str, test: &str) -> String {
    format!("select case when {test} then 'yes' else 'no' end from shop_core.fct_bet where bet_key = '{bet}'")
}

fn withdrawn_bets(extracts: &Extracts) -> Vec<Change> {
    let (gone, removed) = (won_single(extracts, "meridian", "GBP", 0), won_single(extracts, "halcyon", "GBP", 0));
    vec![
        Change {
            round: 1,
            name: "a tombstone in a later file",
            query: rows_of(&gone),
            before: "1|1|1",
            after: "0|0|0",
            make: {
                let id = own_key(&gone);
                Box::new(move |extracts| {
                    let text = format!("BET_ID,DELETED_AT\n{id},2026-02-06 01:00:00\n");
                    extracts.write("extracts/meridian/bets_tombstone/bets_tombstone_2026-02-06.csv.gz", &text);
                })
            },
        },
        Change {
            round: 2,
            name: "a tombstone that is taken back by a corrected file, which says nothing any more",
            query: rows_of(&gone),
            before: "0|0|0",
            after: "1|1|1",
            make: Box::new(|extracts| {
                extracts.write("extracts/meridian/bets_tombstone/bets_tombstone_2026-02-06.csv.gz", "BET_ID,DELETED_AT\n");
            }),
        },
        Change {
            round: 2,
            name: "a bet that its source deletes softly",
            query: rows_of(&removed),
            before: "1|1|1",
            after: "0|0|0",
            make: {
                let id = own_key(&removed).to_uppercase();
                Box::new(move |extracts| {
                    let (header, line) = extracts.line("extracts/halcyon/bet", &id);
                    let line = with_field(&with_field(&line, '|', 14, "1"), '|', 15, "2026-02-06 09:00:00.0000000");
                    extracts.write("extracts/halcyon/bet/Bet_20260206.txt", &format!("{header}\n{line}\n"));
                })
            },
        },
    ]
}

fn settlements_that_come_and_go(extracts: &Extracts) -> Vec<Change> {
    let unsettled = won_single(extracts, "meridian", "GBP", 2);
    // Settled on another day than the others: its settlement is in a file that nothing else here replaces.
    let twice = won_single(extracts, "meridian", "GBP", usize::MAX);
    vec![
        Change {
            round: 1,
            name: "a settlement that a later file exports once more",
            query: rows_of(&twice),
            before: "1|1|1",
            after: "1|1|2",
            make: {
                let id = own_key(&twice);
                Box::new(move |extracts| {
                    let (header, line) = extracts.line("extracts/meridian/settlements", &format!(",{id},"));
                    extracts.write("extracts/meridian/settlements/settlements_2026-02-06.csv.gz", &format!("{header}\n{line}\n"));
                })
            },
        },
        Change {
            round: 2,
            name: "the same file without it",
            query: rows_of(&twice),
            before: "1|1|2",
            after: "1|1|1",
            make: Box::new(|extracts| {
                let (header, _) = extracts.line("extracts/meridian/settlements", ",");
                extracts.write("extracts/meridian/settlements/settlements_2026-02-06.csv.gz", &format!("{header}\n"));
            }),
        },
        Change {
            round: 2,
            name: "a file that is replaced by one that has no settlement of the bet any more",
            query: format!("{} || '|' || ({})", rows_of(&unsettled).replace(", ", " || '|' || "), is(&unsettled, "returns is null")),
            before: "1|1|1|no",
            after: "1|1|0|yes",
            make: {
                let id = own_key(&unsettled);
                Box::new(move |extracts| extracts.correct("extracts/meridian/settlements", &format!(",{id},"), |_| None))
            },
        },
    ]
}

fn corrections(extracts: &Extracts) -> Vec<Change> {
    let (corrected, foreign) = (won_single(extracts, "meridian", "GBP", 1), won_single(extracts, "meridian", "EUR", 0));
    let leg = won_single(extracts, "halcyon", "GBP", 1);
    let day = extracts.one(&format!("select cast(business_day as varchar(10)) from shop_core.fct_bet where bet_key = '{foreign}'"));
    let published = extracts.one(&format!(
        "select cast(published_on as varchar(10)) from shop_core.fx_rate_daily where currency_code = 'EUR' and business_day = date '{day}'"
    ));
    let rate = extracts.one(&format!("select gbp_per_unit from shop_core.fct_bet where bet_key = '{foreign}'"));
    vec![
        Change {
            round: 1,
            name: "a late correction of a bet in a later file",
            query: is(&corrected, "unit_stake = 123.45 and turnover_gbp = 123.45"),
            before: "no",
            after: "yes",
            make: {
                let id = own_key(&corrected);
                Box::new(move |extracts| {
                    let (header, line) = extracts.line("extracts/meridian/bets", &format!("{id},"));
                    let line = with_field(&with_field(&line, ',', 6, "12345"), ',', 7, "12345");
                    let line = with_field(&line, ',', 12, "2026-02-06 09:00:00");
                    extracts.write("extracts/meridian/bets/bets_2026-02-06.csv.gz", &format!("{header}\n{line}\n"));
                })
            },
        },
        Change {
            round: 1,
            name: "a leg whose result is corrected",
            query: format!("select leg_result from shop_core.fct_bet_leg where bet_key = '{leg}'"),
            before: "won",
            after: "void",
            make: {
                let id = own_key(&leg).to_uppercase();
                Box::new(move |extracts| {
                    extracts.correct("extracts/halcyon/bet_selection", &id, |line| Some(with_field(line, '|', 4, "Void")));
                })
            },
        },
        Change {
            round: 3,
            name: "a rate that is published otherwise for a day long past",
            query: is(&foreign, &format!("gbp_per_unit = {rate}")),
            before: "yes",
            after: "no",
            make: Box::new(move |extracts| {
                extracts.correct("reference/fx", &published, |line| Some(with_field(line, ',', 3, "0.7001")));
            }),
        },
        Change {
            round: 3,
            name: "a sport that gets another name",
            query: is(&corrected, "sport = 'Soccer'"),
            before: "no",
            after: "yes",
            make: Box::new(|extracts| {
                extracts.correct("extracts/trading", "1,Football", |_| Some("1,Soccer".to_owned()));
            }),
        },
    ]
}

fn plain_builds_are_as_right_as_full_refreshes(engine: &'static str) {
    let extracts = Extracts::new(engine);
    extracts.build(false);
    let changes = [withdrawn_bets, settlements_that_come_and_go, corrections]
        .map(|changes| changes(&extracts))
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    for round in 1..=3 {
        let changes: Vec<&Change> = changes.iter().filter(|change| change.round == round).collect();
        for Change { name, make, query, before, .. } in &changes {
            assert_eq!(extracts.one(query), *before, "{engine}, before {name}");
            make(&extracts);
        }
        extracts.build(false);
        for Change { name, query, after, .. } in &changes {
            assert_eq!(extracts.one(query), *after, "{engine}, after {name}");
        }
        let incremental = extracts.facts();
        extracts.build(true);
        for (((table, _), incremental), refreshed) in FACTS.iter().zip(&incremental).zip(&extracts.facts()) {
            assert!(refreshed.lines().count() > 100, "{engine}: {table} has too few rows to prove anything");
            let different = || incremental.lines().zip(refreshed.lines()).find(|(left, right)| left != right);
            assert!(incremental == refreshed, "{engine}, round {round}: {table} is not as a full refresh makes it: {:?}", different());
        }
    }
}

#[test]
fn late_changes_reach_the_facts_on_duckdb() {
    plain_builds_are_as_right_as_full_refreshes("duckdb");
}

#[test]
fn late_changes_reach_the_facts_on_postgres() {
    plain_builds_are_as_right_as_full_refreshes("postgres");
}
