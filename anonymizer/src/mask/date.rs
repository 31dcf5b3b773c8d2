//! `date_shift`: dates moved by a keyed number of days.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::civil::DAY;
use super::iso::{IsoText, push_date};
use super::parameter::IGNORE_CASE;
use super::source::Source;
use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// Days that a text can hold: the years 0 to 9999.
const TEXT_DAYS: RangeInclusive<i64> = -719_528..=2_932_896;
/// Days that PostgreSQL's `date` can hold, 4713 BC to 5874897.
pub(super) const DATE_DAYS: RangeInclusive<i64> = -2_440_588..=2_145_031_948;
/// Days that PostgreSQL's `timestamp` can hold, 4713 BC to 294276.
pub(super) const TIMESTAMP_DAYS: RangeInclusive<i64> = -2_440_588..=106_751_990;

/// `date_shift`.
pub(super) static DATE_SHIFT: Function = Function {
    name: "date_shift",
    class: Class::Noise,
    summary: "moves a date by 1 to `max_days` days, earlier or later; all dates of one seed by the same, so that the time between them stays; the time of day stays",
    fits: "dates, timestamps and text that holds ISO dates",
    accepts: |kind| matches!(kind, Kind::Date | Kind::Timestamp | Kind::Text { .. }),
    parameters: &[
        Parameter {
            name: "max_days",
            kind: ParameterKind::Integer,
            required: false,
            summary: "most days to move by, 1 to 36500; default: 30",
        },
        IGNORE_CASE,
    ],
    keyed: true,
    localized: false,
    uniqueness: "never unique",
    normalisation: "none, unless the seed column ignores case or `ignore_case`",
    longest: "as the original",
    space: "twice `max_days` dates around the original",
    prepare: date_shift,
};

fn date_shift(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let most = request.integer("max_days", 1..=36_500)?.unwrap_or(30) as u64;
    Ok(Prepared::new(DateShift { source: Source::new(request, "date_shift"), most }))
}

struct DateShift {
    source: Source,
    most: u64,
}

impl Mask for DateShift {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        Ok(match cell.value {
            Value::Date(days) => {
                Value::Date(saturate(self.shift(cell, i64::from(*days), &DATE_DAYS)))
            }
            Value::Timestamp(micros) => {
                let (days, time) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
                let day = self.shift(cell, days, &TIMESTAMP_DAYS);
                Value::Timestamp(day.saturating_mul(DAY).saturating_add(time))
            }
            Value::Text(text) => {
                let date = IsoText::parse(text).ok_or(MaskError("text is not an ISO date"))?;
                push_date(self.shift(cell, date.days(), &TEXT_DAYS), buffer);
                buffer.push_str(date.time);
                buffer.push_str(date.zone);
                Value::Text(Cow::Borrowed(buffer))
            }
            _ => return Err(MaskError("value is not a date")),
        })
    }
}

impl DateShift {
    /// The day moved by the cell's shift, or by its opposite where the type ends before.
    fn shift(&self, cell: &Cell<'_>, day: i64, held: &RangeInclusive<i64>) -> i64 {
        let choice = self.source.draw(cell).below(0, 2 * self.most) as i64;
        let most = self.most as i64;
        let shift = if choice < most { choice - most } else { choice - most + 1 };
        if held.contains(&(day + shift)) { day + shift } else { day - shift }
    }
}

/// A day as a database's codec holds it. What no database holds stays at the end of the range.
fn saturate(day: i64) -> i32 {
    day.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}
