//! COPY and UNLOAD as they are written: read from their tokens, since the parser knows few of their options. An option that is not
//! named here is refused.

use sqlparser::tokenizer::Token;

use super::Failure;
use super::buckets::Place;
use super::reader::Reader;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Fields between delimiters, backslashes escape.
    Text {
        delimiter: char,
    },
    Csv {
        delimiter: char,
        quote: char,
    },
    Parquet,
    Json,
}

/// What both statements may say behind the place.
#[derive(Clone, Debug)]
pub struct Options {
    pub format: Format,
    pub manifest: bool,
    pub header: usize,
    pub null: Option<String>,
    pub gzip: bool,
    pub round: bool,
    pub cut_texts: bool,
    pub empty_as_null: bool,
    pub blanks_as_null: bool,
    pub fill: bool,
    pub overwrite: bool,
    pub clean: bool,
    pub parallel: bool,
    pub partition: Vec<String>,
    pub keeps_partition: bool,
}

impl Options {
    /// Those of a statement that says nothing but the format.
    pub fn of(format: Format) -> Options {
        Options {
            format,
            manifest: false,
            header: 0,
            null: None,
            gzip: false,
            round: false,
            cut_texts: false,
            empty_as_null: false,
            blanks_as_null: false,
            fill: false,
            overwrite: false,
            clean: false,
            parallel: true,
            partition: Vec::new(),
            keeps_partition: false,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Copy {
    pub table: Vec<String>,
    pub columns: Vec<String>,
    pub from: Place,
    pub options: Options,
}

#[derive(Clone, Debug)]
pub struct Unload {
    pub query: String,
    pub to: Place,
    pub options: Options,
}

pub enum Bulk {
    Copy(Copy),
    Unload(Unload),
}

/// `None` where the statement is neither.
///
/// # Errors
/// What Redshift refuses, and options that are not imitated.
pub fn read(tokens: &[Token]) -> Result<Option<Bulk>, Failure> {
    let mut reader = Reader::of(tokens);
    if reader.takes("COPY") {
        let table = reader.name()?;
        let mut columns = Vec::new();
        if reader.takes_sign(&Token::LParen) {
            columns.push(reader.one_name()?);
            while reader.takes_sign(&Token::Comma) {
                columns.push(reader.one_name()?);
            }
            reader.needs_sign(&Token::RParen)?;
        }
        reader.needs("FROM")?;
        let from = reader.place()?;
        let options = reader.options()?;
        return Ok(Some(Bulk::Copy(Copy { table, columns, from, options })));
    }
    if reader.takes("UNLOAD") {
        reader.needs_sign(&Token::LParen)?;
        let query = reader.text()?;
        reader.needs_sign(&Token::RParen)?;
        reader.needs("TO")?;
        let to = reader.place()?;
        let options = reader.options()?;
        return Ok(Some(Bulk::Unload(Unload { query, to, options })));
    }
    Ok(None)
}

impl Reader {
    fn needs(&mut self, word: &str) -> Result<(), Failure> {
        if self.takes(word) { Ok(()) } else { Err(self.wrong()) }
    }

    fn needs_sign(&mut self, sign: &Token) -> Result<(), Failure> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.wrong()) }
    }

    fn letter(&mut self) -> Result<char, Failure> {
        let text = self.text()?;
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Ok(letter),
            _ => Err(self.wrong()),
        }
    }

    fn place(&mut self) -> Result<Place, Failure> {
        let url = self.text()?;
        Place::read(&url).ok_or_else(|| Failure::refused(format!("'{url}' is no place on S3"), "42601"))
    }

    fn number(&mut self) -> Option<usize> {
        match self.tokens.get(self.at) {
            Some(Token::Number(digits, _)) => {
                self.at += 1;
                digits.parse().ok()
            }
            _ => None,
        }
    }

    fn options(&mut self) -> Result<Options, Failure> {
        let mut options = Options::of(Format::Text { delimiter: '|' });
        let mut authorized = false;
        while self.at < self.tokens.len() {
            if self.takes("IAM_ROLE") {
                authorized = true;
                if !self.takes("DEFAULT") {
                    self.text()?;
                }
            } else {
                self.option(&mut options)?;
            }
        }
        if !authorized {
            return Err(Failure::refused("COPY and UNLOAD need IAM_ROLE", "42601"));
        }
        if options.overwrite && options.clean {
            return Err(Failure::refused("ALLOWOVERWRITE and CLEANPATH exclude each other", "42601"));
        }
        Ok(options)
    }

    fn option(&mut self, options: &mut Options) -> Result<(), Failure> {
        let word = self.word();
        self.at += 1;
        match word.as_str() {
            "FORMAT" => {
                self.takes("AS");
            }
            "CSV" => options.format = Format::Csv { delimiter: ',', quote: '"' },
            "PARQUET" => options.format = Format::Parquet,
            "JSON" => {
                options.format = Format::Json;
                if matches!(self.tokens.get(self.at), Some(Token::SingleQuotedString(_))) && self.text()? != "auto" {
                    return Err(Failure::not_imitated("JSON paths"));
                }
            }
            "DELIMITER" => {
                self.takes("AS");
                let letter = self.letter()?;
                match &mut options.format {
                    Format::Text { delimiter } | Format::Csv { delimiter, .. } => *delimiter = letter,
                    Format::Parquet | Format::Json => return Err(self.wrong()),
                }
            }
            "QUOTE" => {
                self.takes("AS");
                let letter = self.letter()?;
                match &mut options.format {
                    Format::Csv { quote, .. } => *quote = letter,
                    _ => return Err(self.wrong()),
                }
            }
            "NULL" => {
                self.takes("AS");
                options.null = Some(self.text()?);
            }
            "IGNOREHEADER" => {
                self.takes("AS");
                options.header = self.number().ok_or_else(|| self.wrong())?;
            }
            "HEADER" => options.header = 1,
            "MANIFEST" => options.manifest = true,
            "GZIP" => options.gzip = true,
            "ROUNDEC" => options.round = true,
            "TRUNCATECOLUMNS" => options.cut_texts = true,
            "EMPTYASNULL" => options.empty_as_null = true,
            "BLANKSASNULL" => options.blanks_as_null = true,
            "FILLRECORD" => options.fill = true,
            "ALLOWOVERWRITE" => options.overwrite = true,
            "CLEANPATH" => options.clean = true,
            "PARALLEL" => {
                self.takes("ON");
                options.parallel = !(self.takes("OFF") || self.takes("FALSE"));
                self.takes("TRUE");
            }
            "PARTITION" => {
                self.needs("BY")?;
                self.needs_sign(&Token::LParen)?;
                options.partition.push(self.one_name()?);
                while self.takes_sign(&Token::Comma) {
                    options.partition.push(self.one_name()?);
                }
                self.needs_sign(&Token::RParen)?;
                options.keeps_partition = self.takes("INCLUDE");
            }
            // All ways of writing dates and times are read.
            "TIMEFORMAT" | "DATEFORMAT" => {
                self.takes("AS");
                let format = self.text()?;
                if format != "auto" {
                    return Err(Failure::not_imitated(format!("format {format} of times")));
                }
            }
            "REGION" => {
                self.takes("AS");
                self.text()?;
            }
            "ACCEPTINVCHARS" => {
                self.takes("AS");
                self.letter()?;
            }
            "COMPUPDATE" | "STATUPDATE" => {
                let _ = self.takes("ON") || self.takes("OFF") || self.takes("PRESET");
            }
            "MAXERROR" => match self.number() {
                Some(0) => {}
                _ => return Err(Failure::not_imitated("MAXERROR")),
            },
            _ => {
                self.at -= 1;
                return Err(self.wrong());
            }
        }
        Ok(())
    }
}
