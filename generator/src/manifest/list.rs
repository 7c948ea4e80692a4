//! A list of strings on three sides → the disk's list with our additions and without our removals.

use toml_edit::{Array, Value};

/// Merges as sets; the order on disk stays, new values come last. False if a list holds anything but strings.
pub(super) fn merge(base: Option<&Array>, disk: &mut Array, wanted: Option<&Array>) -> bool {
    let (Some(base), Some(before), Some(wanted)) = (strings(base), strings(Some(disk)), strings(wanted)) else {
        return false;
    };
    for gone in base.iter().filter(|value| !wanted.contains(value)) {
        let index = disk.iter().position(|value| value.as_str() == Some(gone));
        if let Some(index) = index {
            remove(disk, index);
        }
    }
    for new in wanted.iter().filter(|value| !base.contains(value) && !before.contains(value)) {
        push(disk, new);
    }
    true
}

fn strings(array: Option<&Array>) -> Option<Vec<String>> {
    array.into_iter().flatten().map(|value| value.as_str().map(str::to_owned)).collect()
}

fn push(disk: &mut Array, text: &str) {
    let last = disk.len().checked_sub(1).and_then(|last| disk.get_mut(last));
    let prefix = last.as_ref().and_then(|value| value.decor().prefix()?.as_str()).unwrap_or_default();
    let Some((_, indent)) = prefix.rsplit_once('\n') else {
        disk.push(text);
        return;
    };
    let start = format!("\n{indent}");
    let mut value = Value::from(text);
    // What stands between the last value and the bracket: a comment there is about the last value.
    let trailing = disk.trailing().as_str().unwrap_or_default().to_owned();
    let (comment, end) = trailing.rsplit_once('\n').unwrap_or_default();
    value.decor_mut().set_prefix(format!("{}{start}", comment.trim_end()));
    disk.set_trailing(if trailing.contains('#') { format!("\n{end}") } else { trailing });
    let comma = disk.trailing_comma();
    let last = disk.len().checked_sub(1).and_then(|last| disk.get_mut(last));
    if let Some(last) = last.filter(|_| !comma) {
        let suffix = last.decor().suffix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
        if suffix.trim().is_empty() {
            last.decor_mut().set_suffix("");
            value.decor_mut().set_suffix(suffix);
        }
    }
    disk.push_formatted(value);
}

/// Comments above the value go to the next one, or to the end of the list.
fn remove(disk: &mut Array, index: usize) {
    let prefix = disk.get(index).and_then(|value| value.decor().prefix()?.as_str()).unwrap_or_default().to_owned();
    disk.remove(index);
    let next = disk.get(index).and_then(|value| value.decor().prefix()?.as_str());
    let after = next.unwrap_or(disk.trailing().as_str().unwrap_or_default()).to_owned();
    let after = if prefix.contains('#') {
        let line_break = if after.contains('\n') { "" } else { "\n" };
        format!("{}{line_break}{after}", prefix.trim_end())
    } else if index == 0 && !after.contains('\n') {
        prefix
    } else {
        return;
    };
    match disk.get_mut(index) {
        Some(next) => next.decor_mut().set_prefix(after),
        None => disk.set_trailing(after),
    }
}
