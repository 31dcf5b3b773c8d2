//! Two answers to each question, as columns.

use crate::shop::Shop;

/// One person, before and after, side by side.
pub fn table(shop: &Shop, person: i64, before: &[String], after: &[String]) -> String {
    let heading = format!("customer {person}");
    let heading = [heading, "before".to_owned(), "after".to_owned()];
    let rows = shop.questions.iter().zip(before.iter().zip(after)).map(
        |((column, _), (before, after))| [(*column).to_owned(), before.clone(), after.clone()],
    );
    let lines: Vec<[String; 3]> = std::iter::once(heading).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let (first, second) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    let mut text = String::from("\n");
    for (at, [column, before, after]) in lines.iter().enumerate() {
        text.push_str(&format!("  {column:first$}  {before:second$}  {after}\n"));
        if at == 0 {
            let third = width(2).unwrap_or(0);
            text.push_str(&format!("  {:─<first$}  {:─<second$}  {:─<third$}\n", "", "", ""));
        }
    }
    text.truncate(text.trim_end().len());
    text
}
