//! Days and calendar dates, over the whole range a database can hold (the `jiff` types end at the year 9999).
//!
//! The calendar is the proleptic Gregorian one, as in PostgreSQL and SQLite.

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Days from 0000-03-01, where years that begin in March have their leap day last, to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    // One leap day every 4 years, none every 100, one every 400.
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, months of 31, 30, 31, 30, 31 days repeat: 153 days for five.
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to a date.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    era * ERA + 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_jiff_on_every_day_of_four_centuries() {
        let epoch = jiff::civil::date(1970, 1, 1);
        for offset in -80_000..80_000_i32 {
            let expected = epoch.checked_add(jiff::Span::new().days(offset)).unwrap();
            let (year, month, day) = date(offset.into());
            let expected = (expected.year().into(), expected.month().into(), expected.day().into());
            assert_eq!((year, month, day), expected);
            assert_eq!(days(year, month, day), i64::from(offset));
        }
    }

    #[test]
    fn goes_there_and_back_at_the_ends_of_what_a_database_holds() {
        for offset in [i64::from(i32::MIN), -2_440_588, 0, 2_145_031_948, i64::from(i32::MAX)] {
            let (year, month, day) = date(offset);
            assert_eq!(days(year, month, day), offset);
        }
    }
}
