//! Dimensions and their values → rows in which any two values of two dimensions meet.
//!
//! Most mistakes take two things that meet, hardly one takes three: a row for every pair finds them with a few dozen
//! rows, where a row for every combination would be thousands.

use std::collections::BTreeSet;

/// A dimension's name and its values.
pub type Dimension = (&'static str, &'static [&'static str]);

/// One value of each dimension, in their order.
pub type Row = Vec<&'static str>;

/// A value: the number of its dimension, and its own there.
type Value = (usize, usize);

/// Rows that hold every pair that `allowed` lets be. It is asked about incomplete rows too, in which values that are not
/// chosen yet are empty. Greedy and deterministic: it begins with the pairs of the two largest dimensions, which
/// no list of rows can have fewer of.
pub fn rows(dimensions: &[Dimension], allowed: impl Fn(&[&'static str]) -> bool) -> Vec<Row> {
    let mut missing = pairs(dimensions, &allowed);
    let mut rows = Vec::new();
    while let Some((first, second)) = next(dimensions, &missing) {
        let row = fill(dimensions, &allowed, &missing, [first, second], rows.len());
        let values: Vec<Value> = row.iter().enumerate().map(|(dimension, value)| (dimension, *value)).collect();
        for (at, a) in values.iter().enumerate() {
            values[at + 1..].iter().for_each(|b| _ = missing.remove(&(*a, *b)));
        }
        // A pair that no whole row can hold must not be asked for again.
        missing.remove(&(first, second));
        rows.push(values.iter().map(|(dimension, value)| dimensions[*dimension].1[*value]).collect());
    }
    rows
}

/// All pairs of values of two dimensions that may be together; the smaller dimension's number comes first.
pub fn pairs(dimensions: &[Dimension], allowed: &impl Fn(&[&'static str]) -> bool) -> BTreeSet<(Value, Value)> {
    let values = |dimension: usize| (0..dimensions[dimension].1.len()).map(move |value| (dimension, value));
    let all = (0..dimensions.len()).flat_map(|first| {
        (first + 1..dimensions.len())
            .flat_map(move |second| values(first).flat_map(move |a| values(second).map(move |b| (a, b))))
    });
    all.filter(|(a, b)| allowed(&named(dimensions, &[*a, *b]))).collect()
}

fn named(dimensions: &[Dimension], chosen: &[Value]) -> Row {
    let mut row = vec![""; dimensions.len()];
    for (dimension, value) in chosen {
        row[*dimension] = dimensions[*dimension].1[*value];
    }
    row
}

/// The pair to begin the next row with: one of the largest dimensions.
fn next(dimensions: &[Dimension], missing: &BTreeSet<(Value, Value)>) -> Option<(Value, Value)> {
    let size = |((a, _), (b, _)): &(Value, Value)| dimensions[*a].1.len() * dimensions[*b].1.len();
    let largest = missing.iter().map(size).max()?;
    missing.iter().find(|pair| size(pair) == largest).copied()
}

/// A whole row around a pair: each time the value that brings the most missing pairs; of several, another each turn.
fn fill(
    dimensions: &[Dimension],
    allowed: &impl Fn(&[&'static str]) -> bool,
    missing: &BTreeSet<(Value, Value)>,
    pair: [Value; 2],
    turn: usize,
) -> Vec<usize> {
    let mut chosen = pair.to_vec();
    while chosen.len() < dimensions.len() {
        let open = (0..dimensions.len()).filter(|dimension| chosen.iter().all(|(taken, _)| taken != dimension));
        let candidates = open.flat_map(|dimension| {
            let size = dimensions[dimension].1.len();
            (0..size).map(move |value| (dimension, (value + turn) % size))
        });
        let brings = |candidate: &Value| {
            chosen.iter().filter(|other| missing.contains(&(*candidate.min(other), *candidate.max(other)))).count()
        };
        let mut best: Option<(usize, Value)> = None;
        for candidate in candidates {
            let with: Vec<Value> = chosen.iter().copied().chain([candidate]).collect();
            let better = best.is_none_or(|(most, _)| brings(&candidate) > most);
            if better && allowed(&named(dimensions, &with)) {
                best = Some((brings(&candidate), candidate));
            }
        }
        let Some((_, value)) = best else { break };
        chosen.push(value);
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMENSIONS: &[Dimension] =
        &[("a", &["a1", "a2", "a3"]), ("b", &["b1", "b2", "b3", "b4"]), ("c", &["c1", "c2"]), ("d", &["d1", "d2"])];

    fn covered(rows: &[Row]) -> BTreeSet<(&str, &str)> {
        rows.iter()
            .flat_map(|row| row.iter().enumerate().flat_map(|(at, a)| row[at + 1..].iter().map(|b| (*a, *b))))
            .collect()
    }

    #[test]
    fn every_pair_is_in_a_row() {
        let rows = rows(DIMENSIONS, |_| true);
        assert_eq!(rows.len(), 12, "as many as the two largest have pairs");
        for (at, (_, first)) in DIMENSIONS.iter().enumerate() {
            for (_, second) in &DIMENSIONS[at + 1..] {
                for (a, b) in first.iter().flat_map(|a| second.iter().map(move |b| (*a, *b))) {
                    assert!(covered(&rows).contains(&(a, b)), "{a} {b}");
                }
            }
        }
        assert_eq!(rows, super::rows(DIMENSIONS, |_| true), "always the same");
    }

    #[test]
    fn what_is_not_allowed_is_in_none_and_the_rest_is() {
        let allowed = |row: &[&str]| !(row.contains(&"a1") && row.contains(&"b1"));
        let rows = rows(DIMENSIONS, allowed);
        assert!(rows.iter().all(|row| row.len() == DIMENSIONS.len() && allowed(row)));
        let everything = pairs(DIMENSIONS, &|_: &[&str]| true).len();
        assert_eq!(covered(&rows).len(), everything - 1);
    }
}
