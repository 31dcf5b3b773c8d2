//! `round`: numbers to a multiple, dates and times to the beginning of a year, month, week, day or hour.

use std::borrow::Cow;

use num_bigint::{BigInt, Sign};

use super::civil::{self, DAY};
use super::date::{DATE_DAYS, TIMESTAMP_DAYS};
use super::decimal::{Decimal, power};
use super::iso::{IsoText, push_date};
use super::literal::integer_range;
use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// `round`.
pub(super) static ROUND: Function = Function {
    name: "round",
    class: Class::Generalization,
    summary: "rounds a number to the nearest multiple of a step, or a date or time down to the beginning of a unit",
    fits: "numbers, dates, timestamps, times and text that holds ISO dates",
    accepts: |kind| {
        matches!(
            kind,
            Kind::Int(_)
                | Kind::Float
                | Kind::Decimal(_)
                | Kind::Date
                | Kind::Timestamp
                | Kind::Time
                | Kind::Text { .. }
        )
    },
    parameters: &[Parameter {
        name: "to",
        kind: ParameterKind::Text,
        required: true,
        summary: "for numbers a step such as `10` or `0.5`; for dates and times `year`, `quarter`, `month`, `week`, `day`, `hour` or `minute`",
    }],
    keyed: false,
    localized: false,
    identifies: None,
    uniqueness: "never unique",
    normalisation: "none",
    longest: "as the original",
    space: "the multiples of the step or unit",
    prepare: round,
};

fn round(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let to = request.text("to").unwrap_or_default();
    match request.kind {
        Kind::Int(_) | Kind::Float | Kind::Decimal(_) => {
            let step = step(to, request.kind)
                .map_err(|cure| request.reject("to", "`to` is no step for this type", cure))?;
            Ok(Prepared::new(RoundNumber { step, kind: request.kind.clone() }))
        }
        kind => {
            let unit = UNITS.iter().find(|(name, _)| *name == to).map(|(_, unit)| *unit);
            let unit = unit.filter(|unit| *unit >= Unit::Hour || *kind != Kind::Time);
            match unit {
                Some(unit) => Ok(Prepared::new(RoundTime { unit })),
                None if *kind == Kind::Time => Err(request.reject(
                    "to",
                    "`to` is no unit of this type",
                    "write hour or minute",
                )),
                None => Err(request.reject(
                    "to",
                    "`to` is no unit of this type",
                    "write year, quarter, month, week, day, hour or minute",
                )),
            }
        }
    }
}

fn step(written: &str, kind: &Kind) -> Result<Decimal, String> {
    let step = Decimal::parse(written)
        .filter(|step| step.digits.sign() == Sign::Plus)
        .ok_or("write a number above 0, such as `10` or `0.5`")?;
    let scale = match kind {
        Kind::Int(_) => 0,
        Kind::Decimal(Some((_, scale))) => *scale as usize,
        _ => usize::MAX,
    };
    if step.scale > scale {
        return Err(format!("write a number with at most {scale} digits after the point"));
    }
    Ok(step)
}

struct RoundNumber {
    step: Decimal,
    kind: Kind,
}

impl Mask for RoundNumber {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        Ok(match cell.value {
            // A whole number in a column of fractions stays one.
            Value::Int(number) if self.step.scale == 0 => {
                let (least, most) = integer_range(&self.kind);
                let held = |number: &BigInt| *number >= least.into() && *number <= most.into();
                let rounded = nearest(&BigInt::from(*number), &self.step.digits, held);
                Value::Int(rounded.try_into().expect("the number is within the type"))
            }
            Value::Int(number) => Value::Float(self.float(*number as f64)),
            Value::Float(number) => Value::Float(self.float(*number)),
            Value::Decimal(text) => {
                match Decimal::read(text)? {
                    None => buffer.push_str(text),
                    Some(decimal) => self.decimal(decimal).push(buffer),
                }
                Value::Decimal(Cow::Borrowed(buffer))
            }
            _ => return Err(MaskError("value is not a number")),
        })
    }
}

impl RoundNumber {
    fn float(&self, number: f64) -> f64 {
        let mut step = String::new();
        self.step.push(&mut step);
        let step: f64 = step.parse().expect("a decimal is a number");
        let rounded = (number / step).round() * step;
        // A number too large to be divided is a multiple of the step as nearly as can be said.
        if rounded.is_finite() { rounded } else { number }
    }

    fn decimal(&self, decimal: Decimal) -> Decimal {
        let decimal = decimal.at_least(self.step.scale);
        let step = &self.step.digits * power(decimal.scale - self.step.scale);
        let most = match self.kind {
            Kind::Decimal(Some((precision, scale))) => precision.saturating_sub(scale) as usize,
            _ => usize::MAX,
        };
        let held = |digits: &BigInt| Decimal::whole_digits(digits, decimal.scale) <= most;
        Decimal { digits: nearest(&decimal.digits, &step, held), scale: decimal.scale }
    }
}

/// The nearest multiple, the farther from 0 of two; towards 0 where the type would not hold it.
fn nearest(number: &BigInt, step: &BigInt, held: impl Fn(&BigInt) -> bool) -> BigInt {
    let toward_zero = number / step * step;
    let rest = number - &toward_zero;
    if rest.magnitude() * 2_u8 < *step.magnitude() {
        return toward_zero;
    }
    let away = if number.sign() == Sign::Minus { &toward_zero - step } else { &toward_zero + step };
    if held(&away) { away } else { toward_zero }
}

/// What a time is rounded to, the coarsest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
}

const UNITS: [(&str, Unit); 7] = [
    ("year", Unit::Year),
    ("quarter", Unit::Quarter),
    ("month", Unit::Month),
    ("week", Unit::Week),
    ("day", Unit::Day),
    ("hour", Unit::Hour),
    ("minute", Unit::Minute),
];

struct RoundTime {
    unit: Unit,
}

impl Mask for RoundTime {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        Ok(match cell.value {
            Value::Date(days) => {
                Value::Date(self.day((*days).into()).max(*DATE_DAYS.start()) as i32)
            }
            Value::Timestamp(micros) => {
                let day = self.day(micros.div_euclid(DAY)).max(*TIMESTAMP_DAYS.start());
                Value::Timestamp(day * DAY + self.time(micros.rem_euclid(DAY)))
            }
            Value::Time(micros) => Value::Time(self.time(*micros)),
            // Where text stands for dates, the empty one stands for none.
            Value::Text(text) if text.is_empty() => Value::Text(Cow::Borrowed("")),
            Value::Text(text) => {
                let date = IsoText::parse(text).ok_or(MaskError("text is not an ISO date"))?;
                push_date(self.day(date.days()), buffer);
                self.push_time(date.time, buffer);
                buffer.push_str(date.zone);
                Value::Text(Cow::Borrowed(buffer))
            }
            _ => return Err(MaskError("value is not a date or time")),
        })
    }
}

impl RoundTime {
    fn day(&self, day: i64) -> i64 {
        let (year, month, _) = civil::date(day);
        match self.unit {
            Unit::Year => civil::days(year, 1, 1),
            Unit::Quarter => civil::days(year, (month - 1) / 3 * 3 + 1, 1),
            Unit::Month => civil::days(year, month, 1),
            // 1970-01-01 was a Thursday; weeks begin on Monday.
            Unit::Week => (day + 3).div_euclid(7) * 7 - 3,
            Unit::Day | Unit::Hour | Unit::Minute => day,
        }
    }

    fn time(&self, micros: i64) -> i64 {
        match self.unit {
            Unit::Hour => micros - micros % 3_600_000_000,
            Unit::Minute => micros - micros % 60_000_000,
            _ => 0,
        }
    }

    /// The time of day in the form it has, its last digits 0.
    fn push_time(&self, time: &str, into: &mut String) {
        let kept = match self.unit {
            Unit::Hour => 2,
            Unit::Minute => 4,
            _ => 0,
        };
        let mut digits = 0;
        for character in time.chars() {
            digits += u32::from(character.is_ascii_digit());
            let zero = character.is_ascii_digit() && digits > kept;
            into.push(if zero { '0' } else { character });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::fixture::{Case, text};

    #[test]
    fn rounds_numbers_to_the_nearest_multiple_that_fits() {
        let int =
            |to, number| Case::new("round", Kind::Int(16)).with("to", to).mask(Value::Int(number));
        assert_eq!([int("10", 14), int("10", 15), int("10", -15)], ["10", "20", "-20"]);
        assert_eq!([int("10", 32_767), int("100000", 32_767)], ["32760", "0"]);
        let decimal = |to, shape, number: &'static str| {
            let case = Case::new("round", Kind::Decimal(shape)).with("to", to);
            case.mask(Value::Decimal(number.into()))
        };
        assert_eq!(decimal("0.5", Some((3, 1)), "9.7"), "9.5");
        assert_eq!(decimal("1", Some((2, 1)), "9.7"), "9.0");
        assert_eq!(decimal("0.05", None, "-9.7251"), "-9.7500");
        assert_eq!(decimal("0.25", None, "7"), "7.00");
        assert_eq!(decimal("10", None, "NaN"), "NaN");
        let float =
            |to, number| Case::new("round", Kind::Float).with("to", to).mask(Value::Float(number));
        assert_eq!([float("0.5", 1.3), float("10", f64::MAX)], ["1.5", &f64::MAX.to_string()]);
    }

    #[test]
    fn rounds_times_down() {
        let shown = |to, written: &'static str| {
            Case::new("round", text()).with("to", to).mask_text(written)
        };
        let moment = "2023-08-17 12:34:56.789+02:30";
        for (to, rounded) in [
            ("year", "2023-01-01 00:00:00.000+02:30"),
            ("quarter", "2023-07-01 00:00:00.000+02:30"),
            ("month", "2023-08-01 00:00:00.000+02:30"),
            ("week", "2023-08-14 00:00:00.000+02:30"),
            ("day", "2023-08-17 00:00:00.000+02:30"),
            ("hour", "2023-08-17 12:00:00.000+02:30"),
            ("minute", "2023-08-17 12:34:00.000+02:30"),
        ] {
            assert_eq!(shown(to, moment), rounded);
        }
        assert_eq!(shown("hour", "2023-08-17"), "2023-08-17");
        assert_eq!(shown("hour", ""), "");
        assert_eq!(shown("hour", "yesterday"), "error: text is not an ISO date");
        let time = Case::new("round", Kind::Time).with("to", "hour");
        assert_eq!(time.mask(Value::Time(45_296_789_000)), "12:00:00");
    }

    #[test]
    fn rejects_what_the_type_cannot_be_rounded_to() {
        let rejection = |kind, to| Case::new("round", kind).with("to", to).rejection();
        insta::assert_snapshot!(rejection(Kind::Int(32), "0.5"), @r"
        `to` is no step for this type
        (hint: write a number with at most 0 digits after the point)
        ");
        insta::assert_snapshot!(rejection(Kind::Float, "month"), @r"
        `to` is no step for this type
        (hint: write a number above 0, such as `10` or `0.5`)
        ");
        insta::assert_snapshot!(rejection(Kind::Date, "10"), @r"
        `to` is no unit of this type
        (hint: write year, quarter, month, week, day, hour or minute)
        ");
        insta::assert_snapshot!(rejection(Kind::Time, "day"), @r"
        `to` is no unit of this type
        (hint: write hour or minute)
        ");
    }
}
