//! How a column's values are spread before and after masking: a sample kept while masking, bars with round borders made of
//! it at the end.
//!
//! The sample stays in memory and is bounded. What leaves tells nobody's value: borders are round numbers and calendar
//! periods, labels come from the schema or are ranks, the extremes are hidden in open bars, and a bar that holds fewer than
//! [`FEWEST`] of the sampled values is shown as empty.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use contract::report::Distribution;

use crate::catalog::Kind;
use crate::digits::grouped;
use crate::mask::civil::{self, DAY};
use crate::plan::ColumnPlan;
use crate::value::Value;

/// Rows sampled of a column. A share is then off by one part in a hundred, seldom by two.
const SAMPLE: usize = 2_048;
/// Bars of a chart at most.
const BARS: usize = 24;
/// Fewer values than these could point at somebody.
const FEWEST: usize = 5;
/// Fewer sampled values than these have no spread worth a chart.
const FEWEST_IN_ALL: usize = 20;

/// A uniform sample of a column's values, each with its fake.
#[derive(Debug)]
pub struct Spread {
    sort: Sort,
    sample: Vec<[u64; 2]>,
    /// Values seen, and the first that is looked at again once the sample is full.
    seen: u64,
    next: u64,
    /// Largest of the sampled values' keys, were they drawn.
    threshold: f64,
    draws: u64,
}

/// What sort of values, and how they are kept in 64 bits.
#[derive(Debug)]
enum Sort {
    /// The bits of an `f64`; `whole` for integers.
    Number { whole: bool },
    /// Months since year 0.
    Date,
    /// Index of a label.
    Label(Vec<String>),
    /// A hash of the text.
    Text,
}

impl Spread {
    /// For a column whose masked values are still worth looking at.
    pub fn of(column: &ColumnPlan) -> Option<Self> {
        if column.mask.is_none() || column.constant.is_some() {
            return None;
        }
        let sort = match &column.kind {
            Kind::Int(_) => Sort::Number { whole: true },
            Kind::Float | Kind::Decimal(_) => Sort::Number { whole: false },
            Kind::Date | Kind::Timestamp => Sort::Date,
            Kind::Bool => Sort::Label(vec!["false".into(), "true".into()]),
            Kind::Enum(labels) if labels.len() <= BARS => Sort::Label(labels.clone()),
            Kind::Text { .. } if column.identifies.is_none() => Sort::Text,
            _ => return None,
        };
        Some(Self::new(sort))
    }

    fn new(sort: Sort) -> Self {
        Self { sort, sample: Vec::new(), seen: 0, next: 0, threshold: 1.0, draws: 0 }
    }

    /// Takes a value and its fake, or not: reservoir sampling that says how many values to pass over instead of drawing for
    /// each (Li 1994, algorithm L). Chance depends on the rows' number alone.
    pub fn see(&mut self, before: &Value<'_>, after: &Value<'_>) {
        self.seen += 1;
        if self.seen < self.next {
            return;
        }
        let (Some(before), Some(after)) = (self.sort.bits(before), self.sort.bits(after)) else {
            return;
        };
        if self.sample.len() < SAMPLE {
            self.sample.push([before, after]);
        } else {
            let place = (self.draw() * SAMPLE as f64) as usize;
            self.sample[place.min(SAMPLE - 1)] = [before, after];
        }
        if self.sample.len() == SAMPLE {
            self.threshold *= self.draw().powf(1.0 / SAMPLE as f64);
            let passed_over = self.draw().ln() / (-self.threshold).ln_1p();
            // The cast stops at the largest number: no other value is looked at then.
            self.next = self.seen.saturating_add(1).saturating_add(passed_over as u64);
        }
    }

    /// A number between 0 and 1, neither of them.
    fn draw(&mut self) -> f64 {
        self.draws += 1;
        ((scattered(self.draws) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// The bars; `None` where there are too few values, or too many different ones.
    pub fn distribution(&self) -> Option<Distribution> {
        if self.sample.len() < FEWEST_IN_ALL {
            return None;
        }
        let side = |at: usize| self.sample.iter().map(move |pair| pair[at]);
        let (sort, bars) = match &self.sort {
            Sort::Number { whole } => {
                let numbers = |at| side(at).map(f64::from_bits).collect();
                ("number", number_bars(numbers(0), numbers(1), *whole))
            }
            Sort::Date => {
                let months = |at| side(at).map(|bits| bits as i64 as f64).collect();
                ("date", month_bars(months(0), months(1)))
            }
            Sort::Label(labels) => {
                let count =
                    |at, index: usize| side(at).filter(|&bits| bits == index as u64).count();
                let bar = |(index, label): (usize, &String)| {
                    (label.clone(), [count(0, index), count(1, index)])
                };
                ("category", labels.iter().enumerate().map(bar).collect())
            }
            Sort::Text => ("category", rank_bars([side(0).collect(), side(1).collect()])?),
        };
        shares(sort, bars, self.sample.len())
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn scattered(position: u64) -> u64 {
    let mut bits = position.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Sort {
    fn bits(&self, value: &Value<'_>) -> Option<u64> {
        match (self, value) {
            (Sort::Number { .. }, value) => number(value).map(f64::to_bits),
            (Sort::Date, Value::Date(days)) => Some(month((*days).into()) as u64),
            (Sort::Date, Value::Timestamp(us)) => Some(month(us.div_euclid(DAY)) as u64),
            (Sort::Date, Value::Text(text)) => written_month(text).map(|month| month as u64),
            (Sort::Label(_), Value::Bool(flag)) => Some((*flag).into()),
            (Sort::Label(labels), Value::Text(text)) => {
                labels.iter().position(|label| label == text).map(|index| index as u64)
            }
            (Sort::Text, Value::Text(text)) => {
                let mut hasher = DefaultHasher::new();
                text.hash(&mut hasher);
                Some(hasher.finish())
            }
            _ => None,
        }
    }
}

fn number(value: &Value<'_>) -> Option<f64> {
    let number = match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Decimal(text) => text.parse().ok()?,
        _ => return None,
    };
    Some(number).filter(|number| number.is_finite())
}

/// Months since year 0.
fn month(days: i64) -> i64 {
    let (year, month, _) = civil::date(days);
    year * 12 + month - 1
}

/// The month of a date that SQLite keeps as text: `2024-05-17 12:00`.
fn written_month(text: &str) -> Option<i64> {
    let (year, rest) = text.split_once('-')?;
    let month: i64 = rest.get(..2)?.parse().ok()?;
    let year: i64 = year.parse().ok().filter(|year| (0..10_000).contains(year))?;
    (1..=12).contains(&month).then_some(year * 12 + month - 1)
}

type Bars = Vec<(String, [usize; 2])>;

/// Bars of one width between two round borders, and an open one at each end for the extremes.
struct Ruler {
    step: f64,
    /// The first border, in steps.
    first: f64,
    count: usize,
}

impl Ruler {
    /// From the first step under which what lies between the borders fits into the chart.
    fn over(steps: impl Iterator<Item = f64>, low: f64, high: f64) -> Option<Self> {
        for step in steps {
            let (first, last) = ((low / step).floor(), (high / step).floor());
            if last - first < (BARS - 2) as f64 {
                return Some(Self { step, first, count: (last - first) as usize + 1 });
            }
        }
        None
    }

    fn border(&self, index: usize) -> f64 {
        (self.first + index as f64) * self.step
    }

    /// Counts values into `below`, the bars, `above`.
    fn bars(&self, sides: [&[f64]; 2], label: impl Fn(f64) -> String, ends: [String; 2]) -> Bars {
        let labels = (0..self.count).map(|index| label(self.border(index)));
        let [below, above] = ends;
        let labels = std::iter::once(below).chain(labels).chain([above]);
        let mut bars: Bars = labels.map(|label| (label, [0, 0])).collect();
        for (side, values) in sides.iter().enumerate() {
            for value in *values {
                let place = (value / self.step).floor() - self.first + 1.0;
                bars[place.clamp(0.0, (self.count + 1) as f64) as usize].1[side] += 1;
            }
        }
        bars
    }
}

/// What lies between the first and the last hundredth of either side: extremes decide no border.
fn middle(before: &mut [f64], after: &mut [f64]) -> (f64, f64) {
    let ends = |values: &mut [f64]| {
        values.sort_by(f64::total_cmp);
        let cut = values.len().div_ceil(100);
        (values[cut], values[values.len() - 1 - cut])
    };
    let (before, after) = (ends(before), ends(after));
    (before.0.min(after.0), before.1.max(after.1))
}

fn number_bars(mut before: Vec<f64>, mut after: Vec<f64>, whole: bool) -> Bars {
    let (low, high) = middle(&mut before, &mut after);
    let Some(ruler) = Ruler::over(round_steps(low.abs().max(high.abs()), whole), low, high) else {
        return Vec::new();
    };
    let ends = [
        format!("below {}", plain(ruler.border(0), ruler.step)),
        format!("from {}", plain(ruler.border(ruler.count), ruler.step)),
    ];
    let label = |from: f64| {
        let last = if whole { from + ruler.step - 1.0 } else { from + ruler.step };
        let (from, last) = (plain(from, ruler.step), plain(last, ruler.step));
        if from == last { from } else { format!("{from} to {last}") }
    };
    ruler.bars([&before, &after], label, ends)
}

/// 1, 2, 5, 10 and so on, from a 250th of the largest number up: numbers that are all but equal share a bar.
fn round_steps(largest: f64, whole: bool) -> impl Iterator<Item = f64> {
    let finest = largest / 250.0;
    let power = if finest > 0.0 { finest.log10().floor() as i32 } else { 0 };
    let power = if whole { power.max(0) } else { power };
    let powers = power..=power + 4;
    let steps = powers.flat_map(|power| [1, 2, 5].map(|digit| (digit, power)));
    let steps = steps.map(|(digit, power)| f64::from(digit) * 10_f64.powi(power));
    steps.filter(move |step| *step >= finest)
}

/// A multiple of a step, in digits.
fn plain(number: f64, step: f64) -> String {
    if number.abs() >= 1e15 || step < 1e-9 {
        return format!("{number:.1e}");
    }
    let decimals = if step < 1.0 { (-step.log10().floor()) as usize } else { 0 };
    // Adding 0 makes a negative zero positive.
    grouped(&format!("{:.decimals$}", number + 0.0))
}

fn month_bars(mut before: Vec<f64>, mut after: Vec<f64>) -> Bars {
    let (low, high) = middle(&mut before, &mut after);
    let steps = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 12_000].map(f64::from);
    let Some(ruler) = Ruler::over(steps.into_iter(), low, high) else { return Vec::new() };
    let step = ruler.step as i64;
    let period = |from: f64| {
        let (year, month) = ((from as i64).div_euclid(12), (from as i64).rem_euclid(12));
        match step {
            1 => format!("{year:04}-{:02}", month + 1),
            3 => format!("{year:04} Q{}", month / 3 + 1),
            6 => format!("{year:04} H{}", month / 6 + 1),
            12 => format!("{year:04}"),
            months => format!("{year:04} to {:04}", year + months / 12 - 1),
        }
    };
    let first = |from: f64| period(from).split(" to ").next().unwrap_or_default().to_owned();
    let ends = [
        format!("before {}", first(ruler.border(0))),
        format!("from {}", first(ruler.border(ruler.count))),
    ];
    ruler.bars([&before, &after], period, ends)
}

/// The most frequent value of each side, then the second, and so on: whatever they are.
fn rank_bars(sides: [Vec<u64>; 2]) -> Option<Bars> {
    let mut ranked = Vec::new();
    for mut values in sides {
        values.sort_unstable();
        let mut counts: Vec<usize> = values.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
        if counts.len() > BARS {
            return None;
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        ranked.push(counts);
    }
    let count = |side: usize, rank: usize| ranked[side].get(rank).copied().unwrap_or(0);
    let ranks = 0..ranked[0].len().max(ranked[1].len());
    Some(
        ranks.map(|rank| (format!("no. {}", rank + 1), [count(0, rank), count(1, rank)])).collect(),
    )
}

/// Parts of a thousand. Bars of few are empty, and empty ones at the ends are left out.
fn shares(sort: &str, mut bars: Bars, total: usize) -> Option<Distribution> {
    for count in bars.iter_mut().flat_map(|(_, counts)| counts) {
        if *count < FEWEST {
            *count = 0;
        }
    }
    let is_filled = |(_, counts): &(String, [usize; 2])| counts.iter().any(|&count| count > 0);
    let (first, last) = (bars.iter().position(is_filled)?, bars.iter().rposition(is_filled)?);
    let shown = if matches!(sort, "category") { &bars[..=last] } else { &bars[first..=last] };
    let share = |count: usize| ((count * 1_000 + total / 2) / total) as u16;
    Some(Distribution {
        sort: sort.into(),
        labels: shown.iter().map(|(label, _)| label.clone()).collect(),
        before: shown.iter().map(|(_, counts)| share(counts[0])).collect(),
        after: shown.iter().map(|(_, counts)| share(counts[1])).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(sort: Sort) -> Spread {
        Spread::new(sort)
    }

    fn numbers(whole: bool, pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<Distribution> {
        let mut spread = spread(Sort::Number { whole });
        for (before, after) in pairs {
            spread.see(&Value::Float(before), &Value::Float(after));
        }
        spread.distribution()
    }

    #[test]
    fn borders_are_round_and_the_extremes_stay_hidden() {
        let salaries = (0..1_000).map(|i| 1_000.0 + f64::from(i) * 3.0);
        let made = numbers(false, salaries.chain([9_876_543.21]).map(|s| (s, s + 7.0))).unwrap();
        assert_eq!(made.sort, "number");
        assert_eq!(made.labels[0], "1,000 to 1,200");
        assert_eq!(made.labels.last().unwrap(), "3,800 to 4,000");
        assert!(made.labels.len() <= BARS);
        let sum: u16 = made.before.iter().sum();
        assert!((985..=1_005).contains(&sum), "{made:?}");
        assert!(!format!("{made:?}").contains("9,"), "{made:?}");
    }

    #[test]
    fn a_bar_of_few_is_empty() {
        let made = numbers(true, (0..104).map(|i| (f64::from(i64::from(i >= 100) as i32), 1.0)));
        let made = made.unwrap();
        assert_eq!((made.labels, made.before, made.after), {
            (vec!["0".to_owned(), "1".to_owned()], vec![962, 0], vec![0, 1000])
        });
        assert_eq!(numbers(true, (0..19).map(|_| (1.0, 1.0))), None);
        assert_eq!(numbers(true, (0..80).map(|i| (f64::from(i / 4), f64::from(i / 4)))), None);
    }

    #[test]
    fn equal_numbers_are_not_told() {
        let made = numbers(true, (0..100).map(|_| (3_217.0, -3_217.0))).unwrap();
        assert!(made.labels.len() <= BARS);
        assert!(made.labels.iter().all(|label| !label.contains("217")), "{made:?}");
        let made = numbers(false, (0..100).map(|_| (0.0271, 0.0271))).unwrap();
        assert_eq!(made.labels, ["0.0270 to 0.0272"]);
        let made = numbers(false, (0..100).map(|_| (0.0, 0.0))).unwrap();
        assert_eq!(made.labels, ["0 to 1"]);
    }

    #[test]
    fn huge_and_tiny_numbers_have_a_place() {
        for number in [f64::MAX, f64::MIN_POSITIVE, -1e300, 9.2e18] {
            let made = numbers(false, (0..50).map(|i| (number, f64::from(i)))).unwrap();
            assert!(made.labels.len() <= BARS, "{made:?}");
        }
        let made = numbers(false, (0..50).map(|_| (f64::NAN, f64::INFINITY)));
        assert_eq!(made, None);
    }

    #[test]
    fn years_as_numbers_fall_apart() {
        let made = numbers(true, (0..2_000).map(|i| (f64::from(1_950 + i % 60), 1_990.0))).unwrap();
        assert!(made.labels.len() >= 6, "{made:?}");
    }

    fn dates(pairs: impl IntoIterator<Item = (i32, i32)>) -> Distribution {
        let mut spread = spread(Sort::Date);
        for (before, after) in pairs {
            spread.see(&Value::Date(before), &Value::Timestamp(i64::from(after) * DAY + 5));
        }
        spread.distribution().unwrap()
    }

    #[test]
    fn dates_are_counted_by_calendar_periods() {
        // 2020-01-01 is day 18262.
        let made = dates((0..366).map(|day| (18_262 + day, 18_262 + day)));
        assert_eq!(made.labels.first().unwrap(), "2020-01");
        assert_eq!(made.labels.last().unwrap(), "2020-12");
        assert_eq!(made.before[1], 79);
        assert_eq!(made.before, made.after);
        let made = dates((0..2_000).map(|i| (i * 14 - 20_000, i * 14 - 20_000)));
        assert_eq!(made.labels[1], "1920 to 1924");
        let made = dates((0..1_000).map(|i| (if i == 7 { 2_932_896 } else { i }, i)));
        assert_eq!(made.labels[0], "1970 Q1");
        assert!(made.labels.len() <= BARS);
    }

    #[test]
    fn dates_in_text_have_months() {
        assert_eq!(written_month("2024-05-17T12:00:00Z"), Some(2_024 * 12 + 4));
        assert_eq!(written_month("0000-01-01"), Some(0));
        for text in ["", "2024", "2024-13-01", "2024-00-01", "2024-5", "17.05.2024", "20240517"] {
            assert_eq!(written_month(text), None, "{text}");
        }
    }

    #[test]
    fn labels_come_from_the_schema_and_texts_have_none() {
        let mut flags = spread(Sort::Label(vec!["false".into(), "true".into()]));
        let mut cities = spread(Sort::Text);
        let mut names = spread(Sort::Text);
        for i in 0..1_000_u32 {
            flags.see(&Value::Bool(i % 4 == 0), &Value::Bool(true));
            let city = if i % 3 == 0 { "Ankh" } else { "Quirm" };
            cities.see(&Value::Text(city.into()), &Value::Text("Sto Lat".into()));
            names.see(&Value::Text(i.to_string().into()), &Value::Text("x".into()));
        }
        let made = flags.distribution().unwrap();
        assert_eq!((made.before, made.after), (vec![750, 250], vec![0, 1_000]));
        let made = cities.distribution().unwrap();
        assert_eq!(made.labels, ["no. 1", "no. 2"]);
        assert_eq!((made.before, made.after), (vec![666, 334], vec![1_000, 0]));
        assert_eq!(names.distribution(), None);
    }

    #[test]
    fn a_sample_of_a_million_is_small_and_fair() {
        let mut numbers = spread(Sort::Number { whole: true });
        for i in 0..1_000_000_i64 {
            numbers.see(&Value::Int(i / 100_000), &Value::Int(i % 10));
        }
        assert_eq!(numbers.sample.len(), SAMPLE);
        let made = numbers.distribution().unwrap();
        assert_eq!(made.labels.len(), 10);
        for share in made.before.iter().chain(&made.after) {
            assert!((75..=125).contains(share), "{made:?}");
        }
    }
}
