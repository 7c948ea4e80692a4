//! `/proc` of Linux → CPU seconds and memory of processes.

use std::fs;

use anyhow::{Context, Result};

/// Ticks of a second in `/proc`: `USER_HZ`, which is part of Linux's ABI.
const TICKS: f64 = 100.0;

/// CPU seconds of this process and of all children it has waited for.
pub fn spent() -> Result<f64> {
    read("self", "stat", |text| ticks(text, 11..15))
}

/// CPU seconds that a process has used so far.
pub fn used(process: u32) -> Result<f64> {
    read(&process.to_string(), "stat", |text| ticks(text, 11..13))
}

/// The most memory that a process has ever held, in MB: of one with this number, or of this one, `self`.
pub fn peak(process: &str) -> Result<f64> {
    read(process, "status", |text| megabytes(text, "VmHWM"))
}

/// The memory that a process holds, in MB.
pub fn held(process: u32) -> Result<f64> {
    read(&process.to_string(), "status", |text| megabytes(text, "VmRSS"))
}

fn read(process: &str, file: &str, number: impl Fn(&str) -> Option<f64>) -> Result<f64> {
    let path = format!("/proc/{process}/{file}");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    number(&text).with_context(|| format!("{path} has another form"))
}

/// The sum of some fields of `stat`, counted from the one after the name, which may hold anything.
fn ticks(stat: &str, fields: std::ops::Range<usize>) -> Option<f64> {
    let (_, after) = stat.rsplit_once(')')?;
    let values: Vec<&str> = after.split_whitespace().collect();
    let values = values.get(fields)?.iter().map(|value| value.parse::<f64>());
    Some(values.sum::<Result<f64, _>>().ok()? / TICKS)
}

fn megabytes(status: &str, name: &str) -> Option<f64> {
    let kilobytes = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(kilobytes.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_a_name_that_holds_anything() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 9 9 0 0 250 50 900 100 20 0 9 0 1 1 1";
        assert_eq!(ticks(stat, 11..13), Some(3.0));
        assert_eq!(ticks(stat, 11..15), Some(13.0));
        assert_eq!(ticks("7 (a) S 1", 11..13), None);
        assert_eq!(ticks("nothing", 11..13), None);
    }

    #[test]
    fn memory_is_read_by_its_name() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1536 kB\n";
        assert_eq!(megabytes(status, "VmHWM"), Some(2.0));
        assert_eq!(megabytes(status, "VmRSS"), Some(1.5));
        assert_eq!(megabytes(status, "VmPeak"), None);
    }
}
