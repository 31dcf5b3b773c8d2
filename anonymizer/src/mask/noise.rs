//! `noise`: numbers that stay about right. Decimals are calculated exactly, whatever their length; `NaN` and infinity say nothing about anybody and stay.

use std::borrow::Cow;

use num_bigint::{BigInt, BigUint};

use super::decimal::{Decimal, power};
use super::draws::{Draws, Ticket};
use super::literal::integer_range;
use super::parameter::IGNORE_CASE;
use super::source::Source;
use super::{
    Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared, Rejection, Request,
};
use crate::catalog::Kind;
use crate::value::Value;

/// Steps of noise in each direction.
const STEPS: i64 = 1 << 30;

/// `noise`.
pub(super) static NOISE: Function = Function {
    name: "noise",
    class: Class::Noise,
    summary: "moves a number by a keyed amount, never by nothing; decimals keep their scale; relative noise keeps the sign and leaves 0",
    fits: "numbers",
    accepts: |kind| matches!(kind, Kind::Int(_) | Kind::Float | Kind::Decimal(_)),
    parameters: &[
        Parameter {
            name: "percent",
            kind: ParameterKind::Number,
            required: false,
            summary: "most of the number to add or take, above 0 up to 100; default: 10",
        },
        Parameter {
            name: "amount",
            kind: ParameterKind::Number,
            required: false,
            summary: "most to add or take, instead of `percent`",
        },
        IGNORE_CASE,
    ],
    keyed: true,
    localized: false,
    uniqueness: "never unique",
    normalisation: "12.50 and 12.5 are one value",
    longest: "as the column's type",
    space: "the numbers within `percent` or `amount` of the original",
    prepare: noise,
};

fn noise(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let (percent, amount) = (request.number("percent"), request.number("amount"));
    if let (Some(_), Some(_)) = (percent, amount) {
        return Err(request.reject(
            "amount",
            "`percent` and `amount` exclude each other",
            "leave one out",
        ));
    }
    let reach = match amount {
        Some(amount) => Reach::Amount(positive(request, "amount", amount, 1e15)?),
        None => Reach::Percent(positive(request, "percent", percent.unwrap_or(10.0), 100.0)?),
    };
    let source = Source::new(request, "noise");
    Ok(Prepared::new(Noise { source, reach, kind: request.kind.clone() }))
}

fn positive(request: &Request<'_>, name: &str, number: f64, most: f64) -> Result<f64, Rejection> {
    if number > 0.0 && number <= most {
        return Ok(number);
    }
    let cure = format!("write a number above 0, up to {most}");
    Err(request.reject(name, format!("`{name}` is out of range"), cure))
}

/// How far noise goes.
enum Reach {
    Percent(f64),
    Amount(f64),
}

struct Noise {
    source: Source,
    reach: Reach,
    kind: Kind,
}

impl Mask for Noise {
    fn apply<'b>(&self, cell: &Cell<'_>, buffer: &'b mut String) -> Result<Value<'b>, MaskError> {
        let steps = self.steps(cell);
        Ok(match cell.value {
            Value::Int(number) => {
                let (least, most) = integer_range(&self.kind);
                let held = |number: &BigInt| *number >= least.into() && *number <= most.into();
                let fake = self.moved(&BigInt::from(*number), 0, steps, held);
                Value::Int(fake.try_into().expect("the fake is within the type"))
            }
            Value::Float(number) if number.is_finite() => Value::Float(self.float(*number, steps)),
            Value::Float(number) => Value::Float(*number),
            Value::Decimal(text) => {
                match Decimal::read(text)? {
                    None => buffer.push_str(text),
                    Some(decimal) => self.decimal(decimal, steps).push(buffer),
                }
                Value::Decimal(Cow::Borrowed(buffer))
            }
            _ => return Err(MaskError("value is not a number")),
        })
    }

    fn ask(&self, cell: &Cell<'_>, draws: &mut Draws) -> Option<Ticket> {
        self.source.ask(cell, draws)
    }
}

impl Noise {
    /// The share of the reach to go, from -[`STEPS`] to [`STEPS`], never 0.
    fn steps(&self, cell: &Cell<'_>) -> i64 {
        let choice = self.source.draw(cell).below(0, 2 * STEPS as u64) as i64;
        if choice < STEPS { choice - STEPS } else { choice - STEPS + 1 }
    }

    fn float(&self, number: f64, steps: i64) -> f64 {
        let share = steps as f64 / STEPS as f64;
        let change = match self.reach {
            Reach::Percent(percent) => number * percent / 100.0 * share,
            Reach::Amount(amount) => amount * share,
        };
        if change == 0.0 && number == 0.0 {
            return number;
        }
        // What fits the narrower of the floating-point types goes on fitting it.
        let most = if number.abs() <= f64::from(f32::MAX) { f64::from(f32::MAX) } else { f64::MAX };
        let candidates = [number + change, number - change, number.next_up(), number.next_down()];
        candidates
            .into_iter()
            .find(|fake| fake.abs() <= most && *fake != number && *fake != 0.0)
            .expect("a number has a neighbour that is not 0")
    }

    fn decimal(&self, original: Decimal, steps: i64) -> Decimal {
        let most = match self.kind {
            Kind::Decimal(Some((precision, scale))) => precision.saturating_sub(scale) as usize,
            // What a `numeric` without precision holds before the point.
            _ => 131_072,
        };
        let held = |digits: &BigInt| Decimal::whole_digits(digits, original.scale) <= most;
        let digits = self.moved(&original.digits, original.scale, steps, held);
        Decimal { digits, scale: original.scale }
    }

    /// The number (at that scale) moved by the share of the reach; the other way where the type would not hold it, or where
    /// relative noise would reach 0.
    fn moved(
        &self,
        number: &BigInt,
        scale: usize,
        steps: i64,
        held: impl Fn(&BigInt) -> bool,
    ) -> BigInt {
        let zero = BigInt::ZERO;
        let relative = matches!(self.reach, Reach::Percent(_));
        if relative && *number == zero {
            return zero;
        }
        // The reach in millionths, which are plenty for what people write.
        let (reach, unit) = match self.reach {
            Reach::Percent(percent) => (number.magnitude().clone(), percent / 100.0),
            Reach::Amount(amount) => (power(scale).into_parts().1, amount),
        };
        let millionths = BigUint::from((unit * 1e6).round().max(1.0) as u128);
        let reach = (reach * millionths / 1_000_000_u32).max(BigUint::from(1_u8));
        // From 1 to the reach, in the direction of the steps.
        let change = (reach * steps.unsigned_abs() + (STEPS as u64 - 1)) / STEPS as u64;
        let mut change = BigInt::from(change) * steps.signum();
        let good = |fake: &BigInt| held(fake) && !(relative && *fake == zero);
        loop {
            if let Some(fake) = [number + &change, number - &change].into_iter().find(good) {
                return fake;
            }
            // Where one step is too far in both directions, the type holds no other number.
            if change.magnitude() == &BigUint::from(1_u8) {
                return number.clone();
            }
            change /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::fixture::Case;

    #[test]
    fn moves_every_number_but_zero_and_keeps_its_sign() {
        let case = Case::new("noise", Kind::Int(16));
        for number in -300..=300_i64 {
            let fake: i64 = case.mask(Value::Int(number)).parse().unwrap();
            assert_eq!(fake.signum(), number.signum(), "{number}");
            assert_eq!(fake == number, number == 0, "{number}");
            assert!((fake - number).abs() <= 1.max(number.abs() / 10), "{number} became {fake}");
        }
        for end in [i16::MIN, i16::MAX] {
            assert_ne!(case.mask(Value::Int(end.into())), end.to_string());
        }
    }

    #[test]
    fn keeps_the_scale_and_the_precision_of_decimals() {
        let case = Case::new("noise", Kind::Decimal(Some((4, 2))));
        for cents in 1..=9999 {
            let original = format!("{}.{:02}", cents / 100, cents % 100);
            let fake = case.mask(Value::Decimal(original.as_str().into()));
            let (whole, fraction) = fake.split_once('.').unwrap();
            assert!(whole.len() <= 2 && fraction.len() == 2, "{original} became {fake}");
            assert_ne!(fake, original);
        }
        for text in ["NaN", "Infinity", "-Infinity", "0.00"] {
            assert_eq!(case.mask(Value::Decimal(text.into())), text);
        }
        let huge = "9".repeat(60);
        assert_ne!(
            Case::new("noise", Kind::Decimal(None)).mask(Value::Decimal(huge.as_str().into())),
            huge
        );
    }

    #[test]
    fn moves_by_an_amount_at_most() {
        let case = Case::new("noise", Kind::Float).with("amount", 0.5);
        for number in 0..200 {
            let fake: f64 = case.mask(Value::Float(number.into())).parse().unwrap();
            let moved = (fake - f64::from(number)).abs();
            assert!(moved > 0.0 && moved <= 0.5);
        }
        let case = Case::new("noise", Kind::Int(32)).with("amount", 2);
        let fakes: std::collections::BTreeSet<_> = (0..200)
            .map(|number| case.mask(Value::Int(number)).parse::<i64>().unwrap() - number)
            .collect();
        assert_eq!(fakes.into_iter().collect::<Vec<_>>(), [-2, -1, 1, 2]);
    }

    #[test]
    fn rejects_noise_without_sense() {
        let case = || Case::new("noise", Kind::Float);
        insta::assert_snapshot!(case().with("percent", 0.0).rejection(), @r"
        `percent` is out of range
        (hint: write a number above 0, up to 100)
        ");
        insta::assert_snapshot!(case().with("percent", 5).with("amount", 5).rejection(), @r"
        `percent` and `amount` exclude each other
        (hint: leave one out)
        ");
    }
}
