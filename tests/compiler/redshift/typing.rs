//! Types as Redshift knows them, and how it reckons the type of a result. PostgreSQL forgets precision and scale in expressions, and
//! in Redshift the value depends on them.

use sqlparser::ast::{CharacterLength, DataType, ExactNumberInfo, TimezoneInfo};

use super::Failure;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Nothing is known: rules that need the type refuse.
    #[default]
    Unknown,
    Null,
    /// A text literal of that many bytes, which takes the type that is wanted of it.
    Literal(u32),
    Bool,
    Int2,
    Int4,
    Int8,
    Decimal(u32, u32),
    Float4,
    Float8,
    Varchar(u32),
    Char(u32),
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Super,
    Varbyte,
}

/// The longest text, in bytes.
pub const MAX_TEXT: u32 = 65535;

impl Type {
    /// # Errors
    /// A type that Redshift has not, or one with a length that it cannot have.
    pub fn read(data_type: &DataType) -> Result<Type, Failure> {
        let refuse = || Failure::refused(format!("type \"{}\" does not exist", data_type.to_string().to_lowercase()), "42704");
        let sized = |length: &Option<CharacterLength>, default: u32, most: u32| match length {
            None => Ok(default),
            Some(CharacterLength::Max) => Ok(most),
            Some(CharacterLength::IntegerLength { length, unit: None }) if (1..=u64::from(most)).contains(length) => {
                Ok(u32::try_from(*length).unwrap_or(most))
            }
            Some(_) => Err(Failure::refused(format!("length for type {data_type} must be from 1 to {most}"), "22023")),
        };
        Ok(match data_type {
            DataType::SmallInt(None) | DataType::Int2(None) => Type::Int2,
            DataType::Int(None) | DataType::Integer(None) | DataType::Int4(None) => Type::Int4,
            DataType::BigInt(None) | DataType::Int8(None) => Type::Int8,
            DataType::Real | DataType::Float4 => Type::Float4,
            DataType::DoublePrecision | DataType::Float8 | DataType::Float(ExactNumberInfo::None) => Type::Float8,
            DataType::Bool | DataType::Boolean => Type::Bool,
            // Without precision there is no fraction, fact 8.
            DataType::Numeric(digits) | DataType::Decimal(digits) => match digits {
                ExactNumberInfo::None => Type::Decimal(18, 0),
                ExactNumberInfo::Precision(precision) => decimal(*precision, 0)?,
                ExactNumberInfo::PrecisionAndScale(precision, scale) => decimal(*precision, *scale)?,
            },
            // Without a length there are 256 bytes, facts 1 and 2.
            DataType::Text => Type::Varchar(256),
            DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::Nvarchar(length) => {
                Type::Varchar(sized(length, 256, MAX_TEXT)?)
            }
            DataType::Char(length) | DataType::Character(length) => Type::Char(sized(length, 1, 4096)?),
            DataType::Date => Type::Date,
            DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => Type::Timestamp,
            DataType::Timestamp(None, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => Type::TimestampTz,
            DataType::Time(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => Type::Time,
            DataType::Time(None, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => Type::TimeTz,
            DataType::Interval { precision: None, .. } => Type::Interval,
            DataType::Varbinary(_) => Type::Varbyte,
            DataType::Custom(name, arguments) => match (name.to_string().to_lowercase().as_str(), arguments.as_slice()) {
                ("super", []) => Type::Super,
                ("varbyte", _) => Type::Varbyte,
                ("bpchar", []) => Type::Char(256),
                _ => return Err(refuse()),
            },
            _ => return Err(refuse()),
        })
    }

    /// A type as PostgreSQL spells it in its catalogue.
    pub fn of_postgres(spelled: &str) -> Type {
        let (name, arguments) = match spelled.split_once('(') {
            Some((name, rest)) => (name, rest.split_once(')').map_or("", |(inside, _)| inside)),
            None => (spelled, ""),
        };
        let mut numbers = arguments.split(',').map(|number| number.trim().parse::<u32>().ok());
        let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
        match name {
            "boolean" => Type::Bool,
            "smallint" => Type::Int2,
            "integer" => Type::Int4,
            "bigint" => Type::Int8,
            "numeric" => first.map_or(Type::Unknown, |precision| Type::Decimal(precision, second.unwrap_or(0))),
            "real" => Type::Float4,
            "double precision" => Type::Float8,
            "text" => Type::Varchar(MAX_TEXT),
            "character varying" => Type::Varchar(first.unwrap_or(MAX_TEXT)),
            "character" => Type::Char(first.unwrap_or(1)),
            "bpchar" => Type::Char(4096),
            "date" => Type::Date,
            "time without time zone" => Type::Time,
            "time with time zone" => Type::TimeTz,
            "timestamp without time zone" => Type::Timestamp,
            "timestamp with time zone" => Type::TimestampTz,
            "jsonb" => Type::Super,
            "bytea" => Type::Varbyte,
            _ if name.starts_with("interval") => Type::Interval,
            _ => Type::Unknown,
        }
    }

    /// As PostgreSQL is to hold it.
    pub fn postgres(self) -> Option<String> {
        Some(match self {
            Type::Unknown | Type::Null => return None,
            Type::Literal(bytes) => format!("varchar({})", bytes.max(1)),
            Type::Bool => "boolean".to_owned(),
            Type::Int2 => "smallint".to_owned(),
            Type::Int4 => "integer".to_owned(),
            Type::Int8 => "bigint".to_owned(),
            Type::Decimal(precision, scale) => format!("numeric({precision},{scale})"),
            Type::Float4 => "real".to_owned(),
            Type::Float8 => "double precision".to_owned(),
            Type::Varchar(bytes) => format!("varchar({bytes})"),
            Type::Char(bytes) => format!("char({bytes})"),
            Type::Date => "date".to_owned(),
            Type::Time => "time".to_owned(),
            Type::TimeTz => "timetz".to_owned(),
            Type::Timestamp => "timestamp".to_owned(),
            Type::TimestampTz => "timestamptz".to_owned(),
            Type::Interval => "interval".to_owned(),
            Type::Super => "jsonb".to_owned(),
            Type::Varbyte => "bytea".to_owned(),
        })
    }

    pub fn is_integer(self) -> bool {
        matches!(self, Type::Int2 | Type::Int4 | Type::Int8)
    }

    pub fn is_float(self) -> bool {
        matches!(self, Type::Float4 | Type::Float8)
    }

    pub fn is_text(self) -> bool {
        matches!(self, Type::Varchar(_) | Type::Char(_) | Type::Literal(_))
    }

    /// Precision and scale of a number that is no float: whole numbers count as decimals beside one.
    pub fn digits(self) -> Option<(u32, u32)> {
        match self {
            Type::Int2 => Some((5, 0)),
            Type::Int4 => Some((10, 0)),
            Type::Int8 => Some((19, 0)),
            Type::Decimal(precision, scale) => Some((precision, scale)),
            _ => None,
        }
    }

    fn text_bytes(self) -> Option<u32> {
        match self {
            Type::Varchar(bytes) | Type::Char(bytes) | Type::Literal(bytes) => Some(bytes),
            Type::Null => Some(0),
            _ => None,
        }
    }

    /// The type of `a || b`.
    pub fn joined(self, other: Type) -> Type {
        match (self.text_bytes(), other.text_bytes()) {
            (Some(left), Some(right)) => Type::Varchar((left + right).clamp(1, MAX_TEXT)),
            _ => Type::Varchar(MAX_TEXT),
        }
    }

    /// The type of two branches: UNION, CASE, COALESCE.
    pub fn united(self, other: Type) -> Type {
        match (self, other) {
            (Type::Null, known) | (known, Type::Null) => known,
            (Type::Unknown, _) | (_, Type::Unknown) => Type::Unknown,
            (Type::Literal(a), Type::Literal(b)) => Type::Varchar(a.max(b).max(1)),
            (Type::Char(a), Type::Char(b)) => Type::Char(a.max(b)),
            (a, b) if a == b => a,
            (a, b) if a.is_text() && b.is_text() => Type::Varchar(a.text_bytes().unwrap_or(0).max(b.text_bytes().unwrap_or(0)).max(1)),
            // A literal takes the type of its neighbour.
            (Type::Literal(_), known) | (known, Type::Literal(_)) => known,
            (a, b) if a.is_integer() && b.is_integer() => wider_integer(a, b),
            (a, b) if a.is_float() && (b.is_float() || b.digits().is_some()) || b.is_float() && a.digits().is_some() => Type::Float8,
            (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => Type::Timestamp,
            (Type::Date | Type::Timestamp, Type::TimestampTz) | (Type::TimestampTz, Type::Date | Type::Timestamp) => Type::TimestampTz,
            (a, b) => match (a.digits(), b.digits()) {
                (Some((p1, s1)), Some((p2, s2))) => {
                    let scale = s1.max(s2);
                    Type::Decimal(((p1 - s1).max(p2 - s2) + scale).min(38), scale.min(37))
                }
                _ => Type::Unknown,
            },
        }
    }

    /// The type of two branches of a set operator, of COALESCE and of DECODE: decimals have 19 digits there, fact 35.
    pub fn merged(self, other: Type) -> Type {
        match (self, other, self.united(other)) {
            // One alone keeps what it has.
            (Type::Null, ..) | (_, Type::Null, _) => self.united(other),
            (_, _, Type::Decimal(precision, scale)) => Type::Decimal(precision.min(19), scale.min(19)),
            (.., of) => of,
        }
    }

    /// The type of `a <sign> b`, fact 38 and the page on computations with numbers; `None` where one is no number.
    pub fn reckoned(self, sign: char, other: Type) -> Option<Type> {
        let number = |a: Type| match a {
            Type::Literal(_) | Type::Null => None,
            known => Some(known),
        };
        let (left, right) = match (number(self), number(other)) {
            (Some(left), Some(right)) => (left, right),
            (Some(one), None) | (None, Some(one)) => (one, one),
            (None, None) => return None,
        };
        if left.is_integer() && right.is_integer() {
            return Some(wider_integer(left, right));
        }
        let numeric = |a: Type| a.is_float() || a.digits().is_some();
        if !numeric(left) || !numeric(right) {
            return None;
        }
        if left == Type::Float4 && right == Type::Float4 {
            return Some(Type::Float4);
        }
        let ((p1, s1), (p2, s2)) = match (left.digits(), right.digits()) {
            (Some(left), Some(right)) => (left, right),
            _ => return Some(Type::Float8),
        };
        let (precision, scale) = match sign {
            '*' => (p1 + p2 + 1, s1 + s2),
            '/' => {
                let scale = (s1 + p2 + 1).saturating_sub(s2).max(4);
                (p1 - s1 + s2 + scale, scale)
            }
            '%' => (p1.max(p2), s1.max(s2)),
            _ => {
                let scale = s1.max(s2);
                ((p1 - s1).max(p2 - s2) + 1 + scale, scale)
            }
        };
        // No document says what gives way above 38 digits: here it is the places behind the point, down to four.
        let excess = precision.saturating_sub(38);
        let scale = if excess == 0 { scale } else { scale.saturating_sub(excess).max(scale.min(4)) };
        Some(Type::Decimal(precision.min(38), scale.min(37)))
    }
}

fn wider_integer(a: Type, b: Type) -> Type {
    let rank = |a: Type| match a {
        Type::Int2 => 0,
        Type::Int4 => 1,
        _ => 2,
    };
    if rank(a) >= rank(b) { a } else { b }
}

fn decimal(precision: u64, scale: i64) -> Result<Type, Failure> {
    // The largest precision and scale, fact 9.
    match (u32::try_from(precision), u32::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale @ 0..=37)) if scale <= precision => Ok(Type::Decimal(precision, scale)),
        _ => {
            Err(Failure::refused(format!("DECIMAL precision {precision} and scale {scale} must be from 1 to 38 and from 0 to 37"), "22023"))
        }
    }
}
