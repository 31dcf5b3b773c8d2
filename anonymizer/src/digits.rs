//! Numbers for people to read.

/// Digits in groups of three; a sign and a fraction stay as they are.
pub(crate) fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let mut out = String::with_capacity(text.len() + whole.len() / 3);
    out.push_str(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(fraction);
    out
}

/// A count in groups of three.
pub(crate) fn thousands(number: u64) -> String {
    grouped(&number.to_string())
}

/// `1 table`, `2 tables`, `12,000 rows`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// `0.4 s`, `12 s`, `3 min 5 s`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds => {
            let whole = seconds.round() as u64;
            format!("{} min {} s", thousands(whole / 60), whole % 60)
        }
    }
}

/// `512 bytes`, `1.5 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    if unit == "bytes" { count(bytes, "byte") } else { format!("{size:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(12_345_678), "12,345,678");
        assert_eq!(grouped("-1234.5678"), "-1,234.5678");
        assert_eq!(count(1, "row"), "1 row");
    }

    #[test]
    fn spans_and_sizes_are_short() {
        assert_eq!(duration(0.04), "0.0 s");
        assert_eq!(duration(59.6), "60 s");
        assert_eq!(duration(3_605.0), "60 min 5 s");
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(1_536), "1.5 KiB");
        assert_eq!(size(5 << 40), "5.0 TiB");
    }
}
