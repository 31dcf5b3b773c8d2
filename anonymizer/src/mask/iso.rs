//! Dates and times as text, the way SQLite and many schemas store them: `2000-01-31`, `2000-01-31 12:00`,
//! `2000-01-31T12:00:00.123Z`. What does not read as one is refused; the empty text, which says nothing, is the masks' own
//! business.

use super::civil;

/// A text that is a date, perhaps with a time of day after it.
pub(super) struct IsoText<'a> {
    /// Year, month, day.
    pub(super) date: (i64, i64, i64),
    /// What follows the date: nothing, or a separator and a time of day.
    pub(super) time: &'a str,
    /// What follows the time of day: nothing, or a zone.
    pub(super) zone: &'a str,
}

impl<'a> IsoText<'a> {
    /// Reads a text, or tells that it is something else.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let date: jiff::civil::Date = matches(date, "####-##-##").then(|| date.parse().ok())??;
        let date = (date.year().into(), date.month().into(), date.day().into());
        let end = rest.get(1..).and_then(|time| time.find(['Z', 'z', '+', '-', ' ']));
        let (time, zone) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        (rest.is_empty() || is_time_of_day(time) && is_zone(zone)).then_some(Self {
            date,
            time,
            zone,
        })
    }

    /// Days since 1970-01-01.
    pub(super) fn days(&self) -> i64 {
        let (year, month, day) = self.date;
        civil::days(year, month, day)
    }
}

/// Appends a date of the years 0 to 9999.
pub(super) fn push_date(days: i64, into: &mut String) {
    use std::fmt::Write as _;
    let (year, month, day) = civil::date(days);
    write!(into, "{year:04}-{month:02}-{day:02}").expect("a String takes every write");
}

fn is_time_of_day(text: &str) -> bool {
    let Some(time) = text.strip_prefix(['T', ' ']) else { return false };
    match time.split_once('.') {
        None => matches(time, "##:##") || matches(time, "##:##:##"),
        Some((time, fraction)) => {
            let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
            matches(time, "##:##:##") && digits
        }
    }
}

fn is_zone(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let zone = text.trim_start_matches(' ');
    let offset = zone.strip_prefix(['+', '-']).unwrap_or_default();
    zone.eq_ignore_ascii_case("Z")
        || ["##", "####", "##:##"].iter().any(|pattern| matches(offset, pattern))
}

fn matches(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, expected)| match expected {
            b'#' => byte.is_ascii_digit(),
            itself => byte == itself,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_databases_write_and_nothing_else() {
        for text in [
            "2000-02-29",
            "2000-01-31 12:00",
            "2000-01-31 12:00:00",
            "2000-01-31T12:00:00.123Z",
            "2000-01-31 12:00:00.123456+02",
            "2000-01-31 12:00:00-0330",
            "2000-01-31 12:00:00 +02:00",
        ] {
            assert!(IsoText::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "2001-02-29",
            "31.01.2000",
            "2000-1-1",
            "2000-01-31x",
            "2000-01-31 ",
            "2000-01-31 12",
            "2000-01-31 12:00:00.",
            "2000-01-31 12:00:00 Paris",
            "2000-01-31 12:00 called Ann",
            "20000-01-31",
            "2000-01-3é",
        ] {
            assert!(IsoText::parse(text).is_none(), "{text}");
        }
    }
}
