//! The default of a field: `u32 = 5`, `string = ''`, `enum(a, b) = a`.

use super::{Reported, Scan};
use crate::{
    design::{TypeExpr, TypeKind},
    diagnostic::Diagnostic,
    model::{self, Scalar},
    parse::{literal, reader::quoted},
    source::Spanned,
};

/// The text behind `=`, quotes removed. Where the type is known here, the text is a value of it; else it is reported.
pub(super) fn given(scan: &mut Scan<'_>, expr: &TypeExpr) -> Result<Option<Spanned<String>>, Reported> {
    scan.space();
    let start = scan.at;
    let written = scan.remainder().trim_end();
    if written.is_empty() {
        scan.at = start;
        return scan.expected("a default", "write it behind the `=`, or remove the `=`; the empty string is `''`");
    }
    let quoted = written.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let value = quoted.unwrap_or(written);
    let span = scan.span(start..start + written.len());
    let problem = match &expr.kind {
        TypeKind::Scalar(scalar) => default_value(scalar, value).err(),
        TypeKind::Enum(values) if values.iter().any(|there| there.value == value) => None,
        TypeKind::Enum(_) => Some(format!("`{value}` is not a value of this enum")),
        TypeKind::Optional(_) => Some("a field with a default is never absent: remove the `?`".to_owned()),
        TypeKind::List { min: 0, .. } if value == "[]" => None,
        TypeKind::List { .. } => Some("the default of a list can only be `[]`, if it may be empty".to_owned()),
        TypeKind::Map { .. } => Some("a map has no default".to_owned()),
        TypeKind::Ref(_) => Some("a reference has no default".to_owned()),
        TypeKind::Name(_) | TypeKind::Broken => None,
    };
    if let Some(problem) = problem {
        let help = match &expr.kind {
            TypeKind::Scalar(scalar) => default_help(scalar),
            TypeKind::Enum(values) => one_of(values),
            TypeKind::Optional(_) => "remove the `?` or the `=`".to_owned(),
            TypeKind::List { min: 0, .. } => "write `= []`, or remove the `=`".to_owned(),
            _ => "remove the `=`".to_owned(),
        };
        scan.report(Diagnostic::new("E313", span, problem).help(help));
        return Ok(None);
    }
    Ok(Some(Spanned::new(value.to_owned(), span)))
}

/// What a default of a scalar can be, for who wrote another.
pub fn default_help(scalar: &Scalar) -> String {
    let whole = |min: i128, max: i128| format!("a whole number from {min} to {max}");
    let wanted = match scalar {
        Scalar::String { pattern: Some(pattern), .. } => {
            format!("a string that matches `/{pattern}/`{}", length(scalar))
        }
        Scalar::String { .. } => format!("a string{}", length(scalar)),
        Scalar::Bool => "`true` or `false`".to_owned(),
        Scalar::I32 { min, max } => whole((*min).into(), (*max).into()),
        Scalar::I64 { min, max } => whole((*min).into(), (*max).into()),
        Scalar::U32 { min, max } => whole((*min).into(), (*max).into()),
        Scalar::U64 { min, max } => whole((*min).into(), (*max).into()),
        Scalar::F64 { min: Some(min), max: Some(max) } => format!("a number from {min} to {max}"),
        Scalar::F64 { min: Some(min), max: None } => format!("a number of at least {min}"),
        Scalar::F64 { min: None, max: Some(max) } => format!("a number of at most {max}"),
        Scalar::F64 { min: None, max: None } => "a number".to_owned(),
        Scalar::Decimal { precision, scale } => {
            format!("at most {} digits before the point and {scale} after it", precision.saturating_sub(*scale))
        }
        Scalar::Uuid => "a uuid: `0190a0b0-0000-7000-8000-00000000000f`".to_owned(),
        Scalar::Timestamp => "a time in UTC: `2026-12-31T00:00:00Z`".to_owned(),
        Scalar::Date => "a date: `2026-12-31`".to_owned(),
        Scalar::Duration => "a duration: `5m`".to_owned(),
        Scalar::Bytes | Scalar::Json => return "remove the `=`".to_owned(),
    };
    format!("write {wanted}, or remove the `=`")
}

/// What a default of an enum can be.
pub fn one_of(values: &[Spanned<String>]) -> String {
    const SHOWN: usize = 10;
    let words: Vec<&str> = values.iter().take(SHOWN).map(|value| value.value.as_str()).collect();
    let more = if values.len() > SHOWN { " …" } else { "" };
    format!("write one of {}{more}, or remove the `=`", quoted(&words))
}

fn length(scalar: &Scalar) -> String {
    match scalar {
        Scalar::String { min: 0, max: None, .. } => String::new(),
        Scalar::String { min, max: None, .. } => format!(" of at least {min} characters"),
        Scalar::String { min: 0, max: Some(max), .. } => format!(" of at most {max} characters"),
        Scalar::String { min, max: Some(max), .. } if min == max => format!(" of {min} characters"),
        Scalar::String { min, max: Some(max), .. } => format!(" of {min} to {max} characters"),
        _ => String::new(),
    }
}

/// A default of a scalar, from the text of a design: strings as they are, durations as `5m` or as in JSON, everything
/// else as in JSON.
///
/// # Errors
/// What is wrong with it: not of the type, or out of its bounds.
pub fn default_value(scalar: &Scalar, text: &str) -> Result<model::Default, String> {
    use model::Default;
    let not_a = |what: &str| format!("`{text}` is not {what}");
    match scalar {
        Scalar::String { min, max, pattern } => string(text, *min, *max, pattern.as_deref()),
        Scalar::Bool => text.parse().map(Default::Bool).map_err(|_| not_a("`true` or `false`")),
        Scalar::I32 { min, max } => integer(text, (*min).into(), (*max).into()),
        Scalar::I64 { min, max } => integer(text, (*min).into(), (*max).into()),
        Scalar::U32 { min, max } => integer(text, (*min).into(), (*max).into()),
        Scalar::U64 { min, max } => integer(text, (*min).into(), (*max).into()),
        Scalar::F64 { min, max } => {
            let number =
                text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| not_a("a number"))?;
            if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
                return Err(format!("`{text}` is out of bounds"));
            }
            Ok(Default::Float(number))
        }
        Scalar::Decimal { precision, scale } => decimal(text, *precision, *scale),
        Scalar::Uuid => uuid(text).map(Default::Text).ok_or_else(|| not_a("a uuid")),
        Scalar::Timestamp => timestamp(text)
            .map(Default::Text)
            .ok_or_else(|| format!("`{text}` is not a time in UTC: `2026-12-31T00:00:00Z`")),
        Scalar::Date => {
            literal::date(text).map(|date| Default::Text(format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)))
        }
        Scalar::Duration => duration(text).map(Default::Text).ok_or_else(|| not_a("a duration: `5m`")),
        Scalar::Bytes => Err("`bytes` has no default".to_owned()),
        Scalar::Json => Err("`json` has no default".to_owned()),
    }
}

fn string(text: &str, min: u32, max: Option<u32>, pattern: Option<&str>) -> Result<model::Default, String> {
    let length = text.chars().count();
    if length < min as usize || max.is_some_and(|max| length > max as usize) {
        return Err(format!("`{text}` has {length} characters, which is out of bounds"));
    }
    let fits = pattern.is_none_or(|pattern| {
        regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(text))
    });
    if fits { Ok(model::Default::Text(text.to_owned())) } else { Err(format!("`{text}` does not match the pattern")) }
}

fn integer(text: &str, min: i128, max: i128) -> Result<model::Default, String> {
    let number = text.parse().map_err(|_| format!("`{text}` is not a whole number"))?;
    if number < min || number > max {
        return Err(format!("`{text}` is out of bounds: {min} to {max}"));
    }
    Ok(model::Default::Integer(number))
}

fn decimal(text: &str, precision: u32, scale: u32) -> Result<model::Default, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !all_digits(whole) || !fraction.is_none_or(all_digits) || leading_zero {
        return Err(format!("`{text}` is not a decimal number"));
    }
    let (before, after) = (whole.trim_start_matches('0').len(), fraction.map_or(0, str::len));
    if before > precision.saturating_sub(scale) as usize || after > scale as usize {
        return Err(format!("`{text}` has more digits than `decimal({precision},{scale})`"));
    }
    Ok(model::Default::Text(text.to_owned()))
}

fn uuid(text: &str) -> Option<String> {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let good = groups == [8, 4, 4, 4, 12] && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    good.then(|| text.to_ascii_lowercase())
}

/// In UTC, with six digits after the point; finer is cut.
fn timestamp(text: &str) -> Option<String> {
    let toml_edit::Datetime { date: Some(date), time: Some(time), offset: Some(toml_edit::Offset::Z) } =
        text.parse().ok()?
    else {
        return None;
    };
    let second = time.second.filter(|second| *second < 60)?;
    let micros = time.nanosecond.unwrap_or(0) / 1000;
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{second:02}.{micros:06}Z",
        date.year, date.month, date.day, time.hour, time.minute
    ))
}

/// `5m` or `PT5M` to `P1DT2H3M0.5S`, parts that are zero left out.
fn duration(text: &str) -> Option<String> {
    let micros = match literal::duration(text) {
        Ok(duration) => u64::try_from(duration.as_micros()).ok()?,
        Err(_) => iso_micros(text)?,
    };
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (days, hours, minutes, seconds) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let mut written = String::from("P");
    let part = |number: u64, unit: &str| if number == 0 { String::new() } else { format!("{number}{unit}") };
    written += &part(days, "D");
    let mut time = part(hours, "H") + &part(minutes, "M");
    if fraction > 0 {
        time += format!("{seconds}.{fraction:06}").trim_end_matches('0');
        time += "S";
    } else {
        time += &part(seconds, "S");
    }
    if time.is_empty() && days == 0 {
        time += "0S";
    }
    if !time.is_empty() {
        written += "T";
        written += &time;
    }
    Some(written)
}

/// `P1DT2H3M0.5S`: days, hours, minutes and seconds, in this order, at least one of them.
fn iso_micros(text: &str) -> Option<u64> {
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (text.strip_prefix('P')?, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    let mut rest = date;
    let mut add = |rest: &mut &str, unit: char, micros: u64| -> Option<()> {
        let Some((number, after)) = rest.split_once(unit) else { return Some(()) };
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if unit == 'S' && !fraction.is_empty() && fraction.len() <= 6 => (whole, fraction),
            Some(_) => return None,
            None => (number, ""),
        };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return None;
        }
        let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
        total = total.checked_add(whole.parse::<u64>().ok()?.checked_mul(micros)?)?.checked_add(fraction)?;
        *rest = after;
        Some(())
    };
    add(&mut rest, 'D', 86_400_000_000)?;
    if !rest.is_empty() {
        return None;
    }
    rest = time;
    for (unit, micros) in [('H', 3_600_000_000), ('M', 60_000_000), ('S', 1_000_000)] {
        add(&mut rest, unit, micros)?;
    }
    rest.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_each_scalar() {
        let text = |text: &str| Ok(model::Default::Text(text.to_owned()));
        let string = Scalar::String { min: 1, max: Some(3), pattern: Some("[a-c]+".to_owned()) };
        let small = Scalar::I32 { min: -5, max: 5 };
        let money = Scalar::Decimal { precision: 5, scale: 2 };
        let cases = [
            (&string, "abc", text("abc")),
            (&small, "-5", Ok(model::Default::Integer(-5))),
            (&Scalar::Bool, "true", Ok(model::Default::Bool(true))),
            (&Scalar::F64 { min: None, max: Some(1.0) }, "0.5", Ok(model::Default::Float(0.5))),
            (&money, "-123.45", text("-123.45")),
            (&money, "123", text("123")),
            (&Scalar::Uuid, "0190A0B0-0000-7000-8000-00000000000f", text("0190a0b0-0000-7000-8000-00000000000f")),
            (&Scalar::Timestamp, "2026-01-01T00:00:00Z", text("2026-01-01T00:00:00.000000Z")),
            (&Scalar::Date, "2026-01-01", text("2026-01-01")),
            (&Scalar::Duration, "90m", text("PT1H30M")),
            (&Scalar::Duration, "300ms", text("PT0.3S")),
            (&Scalar::Duration, "7d", text("P7D")),
            (&Scalar::Duration, "P1DT2H0.5S", text("P1DT2H0.5S")),
            (&Scalar::Duration, "PT0S", text("PT0S")),
        ];
        for (scalar, written, expected) in cases {
            assert_eq!(default_value(scalar, written), expected, "{scalar:?} {written}");
        }
        let bad = [
            (&string, ""),
            (&string, "abca"),
            (&string, "abd"),
            (&small, "6"),
            (&small, "1.0"),
            (&Scalar::Bool, "yes"),
            (&Scalar::F64 { min: None, max: None }, "inf"),
            (&money, "1234"),
            (&money, "1.234"),
            (&money, "1.230"),
            (&money, "01"),
            (&money, "1."),
            (&Scalar::Uuid, "0190a0b0"),
            (&Scalar::Timestamp, "2026-01-01T00:00:00+01:00"),
            (&Scalar::Timestamp, "2026-01-01"),
            (&Scalar::Duration, "P"),
            (&Scalar::Duration, "PT"),
            (&Scalar::Duration, "P1M"),
            (&Scalar::Duration, "PT1S2M"),
            (&Scalar::Duration, "-PT1S"),
            (&Scalar::Bytes, "AA=="),
            (&Scalar::Json, "{}"),
        ];
        for (scalar, written) in bad {
            assert!(default_value(scalar, written).is_err(), "{scalar:?} {written}");
        }
    }
}
