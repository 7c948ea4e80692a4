//! What a text says that stands for something else: a duration, a rate, a schedule. Each is `Err` with what is wrong.

use std::{ops::RangeInclusive, time::Duration};

use crate::design::{Date, DurationRange, Rate, Schedule};

/// A hundred years: no timer counts further.
const LONGEST: u64 = 100 * 366 * 24 * 60 * 60 * 1000;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// `300ms`, `5s`, `1m`, `2h`, `7d`; above zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wrong = || format!("`{text}` is not a duration");
    let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, milliseconds)| *milliseconds).ok_or_else(wrong)?;
    if number.is_empty() {
        return Err(wrong());
    }
    let milliseconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match milliseconds.filter(|milliseconds| *milliseconds <= LONGEST) {
        None => Err(format!("`{text}` is longer than a hundred years")),
        Some(0) => Err(format!("`{text}` is no time at all")),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
    }
}

/// `50ms..1s`
pub(super) fn range(text: &str) -> Result<DurationRange, String> {
    let (min, max) = text.split_once("..").ok_or_else(|| format!("`{text}` is not a range"))?;
    let part = |part: &str| duration(part).map_err(|why| format!("in `{text}`, {why}"));
    let (min, max) = (part(min)?, part(max)?);
    if min > max {
        return Err(format!("`{text}` runs backwards"));
    }
    Ok(DurationRange { min, max })
}

/// `60/1m`
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let wrong = || format!("`{text}` is not a rate");
    let (count, per) = text.split_once('/').ok_or_else(wrong)?;
    if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let per = duration(per).map_err(|why| format!("in `{text}`, {why}"))?;
    match count.parse() {
        Ok(0) => Err(format!("`{text}` allows nothing")),
        Ok(calls) => Ok(Rate { calls, window: per }),
        Err(_) => Err(format!("`{count}` is more than {}", u32::MAX)),
    }
}

/// `99.9%`
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a share between 0% and 100%");
    let number = text.strip_suffix('%').ok_or_else(wrong)?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) || !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(wrong());
    }
    number.parse().ok().filter(|number| *number > 0.0 && *number < 100.0).ok_or_else(wrong)
}

/// `2026-01-01`
pub(super) fn date(text: &str) -> Result<Date, String> {
    let wrong = || format!("`{text}` is not a date");
    let parsed: toml_edit::Datetime = text.parse().map_err(|_| wrong())?;
    match parsed {
        toml_edit::Datetime { date: Some(date), time: None, offset: None } => {
            Ok(Date { year: date.year, month: date.month, day: date.day })
        }
        _ => Err(wrong()),
    }
}

/// `every 5m`, or five cron fields.
pub(super) fn schedule(text: &str) -> Result<Schedule, String> {
    if let Some(interval) = text.strip_prefix("every ") {
        let interval = duration(interval.trim()).map_err(|why| format!("in `{text}`, {why}"))?;
        return Ok(Schedule::Every(interval));
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return Err(format!("`{text}` is not a schedule"));
    };
    let checks: [(&str, &str, RangeInclusive<u32>, &[&str]); 5] = [
        ("minutes", minute, 0..=59, &[]),
        ("hours", hour, 0..=23, &[]),
        ("days", day, 1..=31, &[]),
        ("months", month, 1..=12, &MONTHS),
        ("weekdays", weekday, 0..=7, &WEEKDAYS),
    ];
    for (what, field, range, names) in checks {
        if !field.split(',').all(|part| cron_part(part, &range, names)) {
            return Err(format!("in `{text}`, `{field}` does not fit the {what}"));
        }
    }
    Ok(Schedule::Cron(fields.join(" ")))
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// `*`, `5`, `1-5`, `mon-fri`, each with an optional `/step`.
fn cron_part(part: &str, range: &RangeInclusive<u32>, names: &[&str]) -> bool {
    let (values, step) = part.split_once('/').map_or((part, None), |(values, step)| (values, Some(step)));
    let number = |text: &str| {
        let name = names.iter().position(|name| text.eq_ignore_ascii_case(name)).and_then(|at| u32::try_from(at).ok());
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match name {
            Some(at) => Some(at + range.start()),
            None if digits => text.parse().ok().filter(|number| range.contains(number)),
            None => None,
        }
    };
    let values_are_good = match values.split_once('-') {
        _ if values == "*" => true,
        Some((first, last)) => matches!((number(first), number(last)), (Some(first), Some(last)) if first <= last),
        None => number(values).is_some() && step.is_none(),
    };
    let all_digits = |step: &str| !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit());
    let step_is_good =
        |step: &str| all_digits(step) && step.parse().is_ok_and(|step: u32| step > 0 && step <= *range.end());
    values_are_good && step.is_none_or(step_is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [("300ms", 300), ("5s", 5_000), ("1m", 60_000), ("2h", 7_200_000), ("7d", 604_800_000)];
        for (text, milliseconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-5s", "1.5s", "5S", "1m30s", "0s", "36601d", "99999999999999999999d", "٥s"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_and_rates() {
        let (min, max) = (Duration::from_millis(50), Duration::from_secs(1));
        assert_eq!(range("50ms..1s"), Ok(DurationRange { min, max }));
        assert_eq!(range("1s..1s"), Ok(DurationRange { min: max, max }));
        for text in ["", "..", "50ms", "1s..50ms", "50ms..", "..1s", "50ms...1s", "1s..2s..3s"] {
            assert!(range(text).is_err(), "{text}");
        }
        assert_eq!(rate("60/1m"), Ok(Rate { calls: 60, window: Duration::from_secs(60) }));
        for text in ["", "60", "60/", "/1m", "0/1m", "60/1", "-1/1m", "+1/1m", "60 / 1m", "4294967296/1m"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_and_dates() {
        assert_eq!(percent("99.9%"), Ok(99.9));
        for text in ["99.9", "0%", "100%", "%", "-1%", "nan%", "1e1%", "99.9.9%"] {
            assert!(percent(text).is_err(), "{text}");
        }
        assert_eq!(date("2028-02-29"), Ok(Date { year: 2028, month: 2, day: 29 }));
        for text in ["", "2026-02-29", "2026-13-01", "2026-1-1", "2026-01-01T00:00:00Z", "12:00:00"] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn schedules() {
        assert_eq!(schedule("every 5m"), Ok(Schedule::Every(Duration::from_secs(300))));
        let good = ["0 3 * * *", "*/5 0-6 1,15 jan-mar MON-fri", "0 0 * * 7", " 0  3 * * 1 ", "5-59/10 * * * *"];
        for text in good {
            assert!(schedule(text).is_ok(), "{text}");
        }
        assert_eq!(schedule(" 0  3 * * 1 "), Ok(Schedule::Cron("0 3 * * 1".into())));
        let bad = [
            "",
            "every",
            "every 5",
            "5m",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "5/10 * * * *",
            ", * * * *",
            "1, * * * *",
            "a * * * *",
            "@daily",
        ];
        for text in bad {
            assert!(schedule(text).is_err(), "{text}");
        }
    }
}
