//! Figures → a table for people and JSON for programs.

use serde_json::{Value, json};

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    pub what: String,
    pub unit: &'static str,
    pub ours: f64,
    pub bare: Option<f64>,
    pub aim: Option<Aim>,
}

/// What a figure is to be.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// Ours, in the row's unit.
    AtMost(f64),
    /// Ours less the bare one, in the row's unit.
    Above(f64),
    /// Ours over the bare one.
    RatioAtMost(f64),
    RatioAtLeast(f64),
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.bare.map(|bare| self.ours / bare)
    }

    /// Whether the aim is met, if there is one.
    fn met(&self) -> Option<bool> {
        Some(match self.aim? {
            Aim::AtMost(most) => self.ours <= most,
            Aim::Above(most) => self.ours - self.bare? <= most,
            Aim::RatioAtMost(most) => self.ratio()? <= most,
            Aim::RatioAtLeast(least) => self.ratio()? >= least,
        })
    }

    fn aim(&self) -> Option<String> {
        Some(match self.aim? {
            Aim::AtMost(most) => format!("≤ {most} {}", self.unit),
            Aim::Above(most) => format!("≤ bare + {most} {}", self.unit),
            Aim::RatioAtMost(most) => format!("≤ {}×", plain(most)),
            Aim::RatioAtLeast(least) => format!("≥ {}×", plain(least)),
        })
    }
}

/// The rows, and a line that says how many aims are met and which are not.
pub fn text(rows: &[Row]) -> String {
    let word = |met| match met {
        None => "",
        Some(true) => "met",
        Some(false) => "MISSED",
    };
    let cells = |row: &Row| {
        [
            row.what.clone(),
            format!("{} {}", short(row.ours), row.unit),
            row.bare.map_or(String::new(), |bare| format!("{} {}", short(bare), row.unit)),
            row.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}×")),
            row.aim().unwrap_or_default(),
            word(row.met()).to_owned(),
        ]
    };
    let mut lines = vec![["", "ours", "bare", "ratio", "aim", ""].map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let widths: [usize; 6] =
        std::array::from_fn(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or_default());
    let mut text = String::new();
    for line in &lines {
        let pad = |at: usize| " ".repeat(widths[at] - line[at].chars().count());
        let cells: [String; 6] = std::array::from_fn(|at| match at {
            1..=3 => pad(at) + &line[at],
            _ => line[at].clone() + &pad(at),
        });
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    let missed = rows.iter().filter(|row| row.met() == Some(false));
    let missed: Vec<String> = missed.map(|row| format!("{} ({})", row.what, row.unit)).collect();
    let met = rows.iter().filter(|row| row.met() == Some(true)).count();
    text.push_str(&format!("\n{met} aims met, {} missed", missed.len()));
    if !missed.is_empty() {
        text.push_str(&format!(": {}", missed.join("; ")));
    }
    text + "\n"
}

pub fn json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "what": row.what, "unit": row.unit, "ours": row.ours, "bare": row.bare,
            "ratio": row.ratio(), "aim": row.aim(), "met": row.met(),
        })
    };
    rows.iter().map(row).collect()
}

/// To the hundredth, without zeros at the end.
fn plain(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// With three digits that count.
fn short(number: f64) -> String {
    match number.abs() {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        1.0.. => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, ours: f64, bare: Option<f64>, aim: Option<Aim>) -> Row {
        Row { what: what.into(), unit: "s", ours, bare, aim }
    }

    #[test]
    fn an_aim_is_met_or_missed_or_not_there() {
        for (ours, bare, aim, met) in [
            (1.0, None, None, None),
            (1.0, None, Some(Aim::AtMost(1.0)), Some(true)),
            (1.1, None, Some(Aim::AtMost(1.0)), Some(false)),
            (5.0, Some(2.0), Some(Aim::Above(3.0)), Some(true)),
            (5.0, Some(1.0), Some(Aim::Above(3.0)), Some(false)),
            (3.0, Some(2.0), Some(Aim::RatioAtMost(1.5)), Some(true)),
            (3.0, Some(2.0), Some(Aim::RatioAtMost(1.4)), Some(false)),
            (1.8, Some(2.0), Some(Aim::RatioAtLeast(0.9)), Some(true)),
            (1.7, Some(2.0), Some(Aim::RatioAtLeast(0.9)), Some(false)),
            (1.0, None, Some(Aim::RatioAtLeast(0.9)), None),
        ] {
            assert_eq!(row("x", ours, bare, aim).met(), met, "{ours} {bare:?} {aim:?}");
        }
    }

    #[test]
    fn columns_are_aligned_and_what_is_missed_is_named() {
        let rows = [
            row("start", 0.0125, None, Some(Aim::AtMost(0.1))),
            row("cold build", 207.4, Some(162.0), Some(Aim::RatioAtMost(1.25))),
        ];
        let expected = "
               ours   bare  ratio  aim
start       0.013 s                ≤ 0.1 s  met
cold build    207 s  162 s  1.28×  ≤ 1.25×  MISSED

1 aims met, 1 missed: cold build (s)
";
        assert_eq!(format!("\n{}", text(&rows)), expected);
    }
}
