//! `date_shift`: dates moved by a keyed number of days.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::civil::DAY;
use super::draws::{Draws, Ticket};
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
    normalisation: "all times of one day are one value, as date, timestamp or text; a seed's case matters unless its column ignores it or `ignore_case`",
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
            // Where text stands for dates, the empty one stands for none.
            Value::Text(text) if text.is_empty() => Value::Text(Cow::Borrowed("")),
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

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        let day = match cell.value {
            Value::Date(days) => i64::from(*days),
            Value::Timestamp(micros) => micros.div_euclid(DAY),
            _ => return None,
        };
        let own = Value::Date(saturate(day));
        self.source.ask(&Cell { value: &own, ..*cell }, draws)
    }
}

impl DateShift {
    /// The day moved by the cell's shift, or by its opposite where the type ends before. Without a seed the day decides, in
    /// whatever form it is held: a date of PostgreSQL is a text in SQLite.
    fn shift(&self, cell: &Cell<'_>, day: i64, held: &RangeInclusive<i64>) -> i64 {
        let own = Value::Date(saturate(day));
        let origin = Cell { value: &own, seed: cell.seed, draw: cell.draw };
        let choice = self.source.draw(&origin).below(0, 2 * self.most) as i64;
        let most = self.most as i64;
        let shift = if choice < most { choice - most } else { choice - most + 1 };
        if held.contains(&(day + shift)) { day + shift } else { day - shift }
    }
}

/// A day as a database's codec holds it. What no database holds stays at the end of the range.
fn saturate(day: i64) -> i32 {
    day.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::fixture::{Case, text};

    fn masked(value: Value<'_>, seed: Option<i64>) -> Value<'static> {
        let kind = if let Value::Date(_) = value { Kind::Date } else { Kind::Timestamp };
        let seed = seed.map(Value::Int);
        let cell = Cell { value: &value, seed: seed.as_ref(), draw: None };
        let prepared = Case::new("date_shift", kind).with("max_days", 3).prepared();
        prepared.mask.apply(&cell, &mut String::new()).unwrap().into_owned()
    }

    #[test]
    fn moves_by_every_number_of_days_but_none() {
        let mut shifts: Vec<i32> = (0..500)
            .map(|day| match masked(Value::Date(day), None) {
                Value::Date(fake) => fake - day,
                _ => panic!("a date became something else"),
            })
            .collect();
        shifts.sort_unstable();
        shifts.dedup();
        assert_eq!(shifts, [-3, -2, -1, 1, 2, 3]);
    }

    #[test]
    fn moves_all_dates_of_a_seed_by_the_same() {
        let shift = |day: i32, seed| match masked(Value::Date(day), Some(seed)) {
            Value::Date(fake) => i64::from(fake - day),
            _ => panic!("a date became something else"),
        };
        for seed in 0..20 {
            let days = shift(0, seed);
            assert_eq!(days, shift(7000, seed));
            let noon = DAY / 2 + 7;
            assert!(
                masked(Value::Timestamp(noon), Some(seed)) == Value::Timestamp(noon + days * DAY)
            );
        }
    }

    #[test]
    fn moves_one_day_by_the_same_in_every_form() {
        for day in 0..20 {
            let Value::Date(fake) = masked(Value::Date(day), None) else {
                panic!("a date became something else");
            };
            let at_noon = |day: i32| Value::Timestamp(i64::from(day) * DAY + DAY / 2);
            assert!(masked(at_noon(day), None) == at_noon(fake));
            let written = |day: i32| {
                let mut written = String::new();
                push_date(day.into(), &mut written);
                written
            };
            let case = Case::new("date_shift", text()).with("max_days", 3);
            assert_eq!(case.mask_text(&written(day)), written(fake));
        }
    }

    #[test]
    fn turns_back_at_the_ends() {
        for end in [*DATE_DAYS.start(), *DATE_DAYS.end()] {
            for seed in 0..20 {
                let Value::Date(fake) = masked(Value::Date(end as i32), Some(seed)) else {
                    panic!("a date became something else");
                };
                assert!(DATE_DAYS.contains(&fake.into()) && i64::from(fake) != end);
            }
        }
    }

    #[test]
    fn keeps_the_form_of_text_and_refuses_what_is_no_date() {
        let case = Case::new("date_shift", text());
        let fake = case.mask_text("2000-02-29T12:34:56.789+02:00");
        assert!(fake.ends_with("T12:34:56.789+02:00") && !fake.starts_with("2000-02-29"));
        assert_eq!(case.mask_text(""), "");
        assert_eq!(case.mask_text("29.02.2000"), "error: text is not an ISO date");
        let years = Case::new("date_shift", text()).with("max_days", 36_500);
        for text in ["0000-01-01", "9999-12-31"] {
            assert_eq!(years.mask_text(text).len(), 10);
        }
    }
}
