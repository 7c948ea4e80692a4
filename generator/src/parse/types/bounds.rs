//! What stands in brackets behind a type: lengths, ranges, digits.

use std::str::FromStr;

use super::{Reported, Scan};
use crate::diagnostic::Diagnostic;

/// `]`, `n..m]`
pub(super) fn list_bounds(scan: &mut Scan<'_>, start: usize) -> Result<(u32, Option<u32>), Reported> {
    if scan.eat("]") {
        return Ok((0, None));
    }
    let (min, max) = bounds::<u32>(scan, "]", start, "write how many: `[1..100]`")?;
    if max == Some(0) {
        return scan.fail("E314", start..scan.at, "a list of nothing", "a list has room for one item at least");
    }
    Ok((min.unwrap_or(0), max))
}

/// `n..m`, `n..`, `..m` and `close`. One number alone could be both ends or the upper one, so it is refused.
pub(super) fn bounds<N: FromStr + PartialOrd + Copy>(
    scan: &mut Scan<'_>,
    close: &str,
    start: usize,
    help: &str,
) -> Result<(Option<N>, Option<N>), Reported> {
    let min = bound(scan)?;
    scan.space();
    let is_range = scan.eat("..");
    scan.space();
    let max = if is_range { bound(scan)? } else { None };
    scan.space();
    if !scan.eat(close) {
        return scan.expected(&format!("`{close}`"), help);
    }
    if min.is_some() && !is_range {
        let number = scan.slice(start + 1..scan.at - close.len()).trim();
        let (open, before) = (scan.slice(start..start + 1), scan.slice(0..start));
        let before = &before[before.trim_end_matches(char::is_alphanumeric).len()..];
        let message = format!("`{open}{number}{close}` could mean at most or exactly {number}");
        let help = format!("write `{before}{open}..{number}{close}` or `{before}{open}{number}..{number}{close}`");
        return scan.fail("E314", start..scan.at, &message, &help);
    }
    if min.is_none() && max.is_none() {
        return scan.fail("E314", start..scan.at, &format!("`{}` bounds nothing", scan.slice(start..scan.at)), help);
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        return scan.fail("E314", start..scan.at, &format!("`{}` runs backwards", scan.slice(start..scan.at)), help);
    }
    Ok((min, max))
}

fn bound<N: FromStr>(scan: &mut Scan<'_>) -> Result<Option<N>, Reported> {
    let start = scan.at;
    scan.eat("-");
    scan.take_while(|c| c.is_ascii_digit());
    // `1.5`, but not the `1.` of `1..2`.
    let point = scan.at;
    if scan.eat(".") && scan.take_while(|c| c.is_ascii_digit()).is_empty() {
        scan.at = point;
    }
    match scan.slice(start..scan.at) {
        "" => Ok(None),
        number => match number.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => {
                let message = format!("`{number}` does not fit here");
                scan.fail("E314", start..scan.at, &message, "bounds lie within what the type can hold")
            }
        },
    }
}

pub(super) fn integer_bounds<N: FromStr + PartialOrd + Copy>(
    scan: &mut Scan<'_>,
    open: usize,
    least: &mut N,
    most: &mut N,
) -> Result<(), Reported> {
    let (min, max) = bounds(scan, ")", open, "write both ends, or one: `u32(1..999)`, `u32(1..)`")?;
    *least = min.unwrap_or(*least);
    *most = max.unwrap_or(*most);
    Ok(())
}

/// `p,s)` of `decimal(p,s)`. `None`: too many, which is reported.
pub(super) fn digits(scan: &mut Scan<'_>, start: usize) -> Result<Option<(u32, u32)>, Reported> {
    const HELP: &str = "write how many digits in all, and how many of them after the point: `decimal(12,2)`";
    scan.space();
    let precision = scan.take_while(|c| c.is_ascii_digit());
    scan.space();
    if precision.is_empty() || !scan.eat(",") {
        return scan.expected(if precision.is_empty() { "a number" } else { "`,`" }, HELP);
    }
    scan.space();
    let scale = scan.take_while(|c| c.is_ascii_digit());
    scan.space();
    if scale.is_empty() || !scan.eat(")") {
        return scan.expected(if scale.is_empty() { "a number" } else { "`)`" }, HELP);
    }
    let written = scan.slice(start..scan.at);
    let (given, after) = (precision.parse().unwrap_or(u32::MAX), scale.parse().unwrap_or(u32::MAX));
    let (message, help) = if given > 18 {
        let message = format!("`{written}`: at most 18 digits are exact in every store");
        (message, format!("use `decimal(18,{})`, or a string", after.min(18)))
    } else if given == 0 {
        (format!("`{written}` has no digits"), HELP.to_owned())
    } else if after > given {
        (
            format!("`{written}` has more digits after the point than in all"),
            format!("use `decimal({},{after})`", after.min(18)),
        )
    } else {
        return Ok(Some((given, after)));
    };
    let span = scan.span(start..scan.at);
    scan.report(Diagnostic::new("E309", span, message).help(help));
    Ok(None)
}
