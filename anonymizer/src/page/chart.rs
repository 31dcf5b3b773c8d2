//! A distribution as bars in the units of an SVG drawing.

use contract::report::Distribution;
use serde::Serialize;

/// Width and height of the drawing.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 72.0;

/// A chart: wide bars are the values before, narrow ones in front of them the values after.
#[derive(Serialize)]
pub struct Chart {
    /// `schema.table.column`.
    pub name: String,
    /// The function that wrote the values.
    pub function: String,
    /// `number`, `date` or `category`.
    pub sort: String,
    /// What stands under the first bar, and under the last where there is more than one.
    pub first: String,
    /// See `first`.
    pub last: String,
    /// Share of the values that lie alike before and after, in percent.
    pub alike: u32,
    /// The highest bar, in percent.
    pub highest: String,
    /// Each bar.
    pub bars: Vec<Bar>,
}

/// One bar, before and after.
#[derive(Serialize)]
pub struct Bar {
    label: String,
    before: String,
    after: String,
    x: f64,
    width: f64,
    before_y: f64,
    before_height: f64,
    after_x: f64,
    after_width: f64,
    after_y: f64,
    after_height: f64,
}

/// Draws a distribution.
pub fn chart(name: String, function: &str, distribution: &Distribution) -> Chart {
    let Distribution { sort, labels, before, after } = distribution;
    let highest = before.iter().chain(after).copied().max().unwrap_or(0).max(1);
    let shares = || before.iter().zip(after);
    let alike: u32 = shares().map(|(before, after)| u32::from(*before.min(after))).sum();
    let slot = WIDTH / labels.len().max(1) as f64;
    let bar = |(at, (label, (&before, &after))): (usize, (&String, (&u16, &u16)))| {
        let height = |share: u16| HEIGHT * f64::from(share) / f64::from(highest);
        let x = at as f64 * slot;
        Bar {
            label: label.clone(),
            before: percent(before),
            after: percent(after),
            x: rounded(x + slot * 0.04),
            width: rounded(slot * 0.92),
            before_y: rounded(HEIGHT - height(before)),
            before_height: rounded(height(before)),
            after_x: rounded(x + slot * 0.27),
            after_width: rounded(slot * 0.46),
            after_y: rounded(HEIGHT - height(after)),
            after_height: rounded(height(after)),
        }
    };
    Chart {
        name,
        function: function.into(),
        sort: sort.clone(),
        first: labels.first().cloned().unwrap_or_default(),
        last: labels.get(1..).and_then(<[String]>::last).cloned().unwrap_or_default(),
        alike: (alike + 5) / 10,
        highest: percent(highest),
        bars: labels.iter().zip(shares()).enumerate().map(bar).collect(),
    }
}

fn percent(share: u16) -> String {
    format!("{}.{} %", share / 10, share % 10)
}

fn rounded(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_drawing() {
        let distribution = Distribution {
            sort: "number".into(),
            labels: ["a", "b", "c"].map(String::from).into(),
            before: vec![500, 250, 250],
            after: vec![250, 500, 250],
        };
        let chart = chart("t.c".into(), "noise", &distribution);
        assert_eq!((chart.first.as_str(), chart.last.as_str(), chart.alike), ("a", "c", 75));
        assert_eq!((chart.bars[0].before_y, chart.bars[0].before_height), (0.0, HEIGHT));
        assert_eq!((chart.bars[0].after_y, chart.bars[0].after_height), (36.0, 36.0));
        assert!(chart.bars[2].x + chart.bars[2].width <= WIDTH);
        assert_eq!(chart.highest, "50.0 %");
    }
}
