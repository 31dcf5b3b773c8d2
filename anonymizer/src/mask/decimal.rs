//! Exact decimals of any length, as a whole number of units in the last place.

use num_bigint::{BigInt, BigUint, Sign};

use super::MaskError;

/// `digits` times 10 to the power of minus `scale`.
pub(super) struct Decimal {
    /// Units in the last place.
    pub(super) digits: BigInt,
    /// Digits after the point.
    pub(super) scale: usize,
}

impl Decimal {
    /// A database's decimal; `None` for `NaN` and infinity, which are no numbers to calculate with.
    pub(super) fn read(text: &str) -> Result<Option<Self>, MaskError> {
        if matches!(text, "NaN" | "Infinity" | "-Infinity") {
            return Ok(None);
        }
        Self::parse(text).map(Some).ok_or(MaskError("value is not a decimal number"))
    }

    /// A number in plain notation.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
        let plain = |byte: u8| byte.is_ascii_digit();
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        (unsigned.bytes().all(plain) && fraction.bytes().all(plain))
            .then_some(Self { digits, scale: fraction.len() })
    }

    /// The same number with at least that many digits after the point.
    pub(super) fn at_least(self, scale: usize) -> Self {
        let more = scale.saturating_sub(self.scale);
        Self { digits: self.digits * power(more), scale: self.scale + more }
    }

    /// Appends the number in plain notation.
    pub(super) fn push(&self, into: &mut String) {
        if self.digits.sign() == Sign::Minus {
            into.push('-');
        }
        let digits =
            format!("{:0>width$}", self.digits.magnitude().to_string(), width = self.scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        into.push_str(whole);
        if !fraction.is_empty() {
            into.push('.');
            into.push_str(fraction);
        }
    }

    /// Digits before the point, leading zeros not counted.
    pub(super) fn whole_digits(digits: &BigInt, scale: usize) -> usize {
        let whole = digits.magnitude() / power(scale).magnitude();
        if whole == BigUint::ZERO { 0 } else { whole.to_string().len() }
    }
}

/// A power of ten.
pub(super) fn power(exponent: usize) -> BigInt {
    BigInt::from(10_u8).pow(exponent as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_reads() {
        for text in ["0", "-12.50", "0.001", "-0.10", "98765432109876543210987654321098765432.1"] {
            let mut printed = String::new();
            Decimal::parse(text).unwrap().push(&mut printed);
            assert_eq!(printed, text);
        }
        for text in ["", "-", ".", "1e3", "1.-2", "+1", "--1", "1_000", "NaN", "é"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }
}
