//! One file, wanted, recorded and found → what to do with it. The rules of ownership are these functions.

use super::{Action, Blocked, Conflict, Found, Reason, alike};
use crate::{
    format::{Cache, File},
    lock::{self, Entry},
    manifest::{self, Refusal},
    plan::Owner,
};

type Verdict = (Option<Action>, Option<Entry>);

/// What to do, if anything, and what the lock will say of the file.
pub(super) fn judge(wanted: Option<&File>, entry: Option<&Entry>, found: Option<&Found>, layout: &Cache) -> Verdict {
    match (wanted, entry) {
        (Some(file), entry) => match file.owner {
            Owner::Generated | Owner::Vendored => ours(file, entry, found, layout),
            Owner::Library => library(file, entry, found),
            Owner::Manifest => shared(file, entry, found),
            Owner::Yours | Owner::Applied | Owner::Seed => theirs(file, entry, found),
        },
        (None, Some(entry)) => gone(entry, found, layout),
        (None, None) => (None, None),
    }
}

/// Generated and vendored files follow the design; a hand edit stops that, a new layout does not.
fn ours(file: &File, entry: Option<&Entry>, found: Option<&Found>, layout: &Cache) -> Verdict {
    let text = match found {
        None => return (Some(Action::Create(file.text.clone())), written(file)),
        Some(Found::Blocked(blocked)) => return stopped(blocked, entry),
        Some(Found::Text(text)) => text,
    };
    if alike(text, &file.text, layout) {
        return (None, written(file));
    }
    let base = entry.and_then(|entry| entry.base.as_deref());
    match (entry, base) {
        (Some(entry), Some(base)) if alike(text, base, layout) => {
            // Laid out anew by the user's own rustfmt; there is nothing new to write.
            let action = (entry.hash != file.hash).then(|| Action::Update(file.text.clone()));
            (action, written(file))
        }
        (Some(_), base) => conflict(Reason::Edited, Some((base.unwrap_or(&file.text), text)), entry),
        (None, _) => conflict(Reason::Foreign, Some((&file.text, text)), entry),
    }
}

/// Libraries of others follow too. What was written is known by its hash, and nobody would read a difference.
fn library(file: &File, entry: Option<&Entry>, found: Option<&Found>) -> Verdict {
    match found {
        None => (Some(Action::Create(file.text.clone())), written(file)),
        Some(Found::Blocked(blocked)) => stopped(blocked, entry),
        Some(Found::Text(text)) if **text == *file.text => (None, written(file)),
        Some(Found::Text(text)) => match entry {
            Some(entry) if entry.hash == lock::hash(text) => (Some(Action::Update(file.text.clone())), written(file)),
            Some(_) => conflict(Reason::Edited, None, entry),
            None => conflict(Reason::Foreign, None, entry),
        },
    }
}

/// Manifests are merged key by key.
fn shared(file: &File, entry: Option<&Entry>, found: Option<&Found>) -> Verdict {
    let text = match found {
        None => return (Some(Action::Create(file.text.clone())), written(file)),
        Some(Found::Blocked(blocked)) => return stopped(blocked, entry),
        Some(Found::Text(text)) => text,
    };
    let base = entry.and_then(|entry| entry.base.as_deref()).unwrap_or_default();
    if **text == *file.text {
        (None, written(file))
    } else if text == base {
        (Some(Action::Update(file.text.clone())), written(file))
    } else {
        match manifest::merge(base, text, &file.text) {
            Ok(merged) if merged == *text => (None, written(file)),
            Ok(merged) => (Some(Action::Merge(merged.into())), written(file)),
            Err(Refusal::Clashes(clashes)) => conflict(Reason::Clashes(clashes), None, entry),
            Err(Refusal::NotToml(message)) => conflict(Reason::NotToml(message), None, entry),
        }
    }
}

/// The user's files, and seeds, are written once. One that was deleted stays deleted. What the design adds to one later
/// is proposed, once, unless it is there already.
fn theirs(file: &File, entry: Option<&Entry>, found: Option<&Found>) -> Verdict {
    match (entry, found) {
        (None, None) => (Some(Action::Create(file.text.clone())), written(file)),
        (None, Some(Found::Blocked(blocked @ (Blocked::BelowFile(_) | Blocked::BelowLink(_))))) => {
            stopped(blocked, None)
        }
        (None, Some(Found::Text(text))) if **text == *file.text => (None, written(file)),
        // It was there before: what is merged into it later has no common ancestor.
        (None, Some(_)) => (None, Some(Entry { owner: file.owner, hash: file.hash.clone(), base: None, told: None })),
        (Some(_), Some(Found::Text(text))) if **text == *file.text => (None, written(file)),
        (Some(entry), Some(Found::Text(text))) if entry.hash != file.hash && file.owner == Owner::Yours => {
            propose(file, entry, text)
        }
        // What was applied is told only, and the next difference is counted from there.
        (Some(entry), Some(Found::Text(_))) if entry.hash != file.hash && file.owner == Owner::Applied => {
            let base = entry.base.as_deref().unwrap_or_default();
            (Some(Action::Propose(asked(base, file))), written(file))
        }
        (Some(entry), _) => {
            let told = entry.told.clone().filter(|_| entry.hash != file.hash);
            (None, Some(Entry { owner: file.owner, told, ..entry.clone() }))
        }
    }
}

fn propose(file: &File, entry: &Entry, text: &str) -> Verdict {
    let Some(base) = &entry.base else { return (None, Some(entry.clone())) };
    if diffy::merge(base, text, &file.text).is_ok_and(|merged| merged == text) {
        return (None, written(file));
    }
    if entry.told.as_ref() == Some(&file.hash) {
        return (None, Some(Entry { owner: file.owner, ..entry.clone() }));
    }
    // Until all of it is taken over, the base stays what the user's text came from.
    let told = Entry { owner: file.owner, told: Some(file.hash.clone()), ..entry.clone() };
    (Some(Action::Propose(asked(base, file))), Some(told))
}

fn asked(base: &str, file: &File) -> String {
    diff((base, "as it was written"), (&file.text, "as the design has it now"))
}

/// A file that was written once and is no longer part of the design.
fn gone(entry: &Entry, found: Option<&Found>, layout: &Cache) -> Verdict {
    let text = match (found, entry.owner) {
        (None, _) | (_, Owner::Seed) => return (None, None),
        (_, Owner::Yours | Owner::Applied) => {
            return (Some(Action::Keep("no longer part of the design; it is yours, so it stays")), None);
        }
        (Some(Found::Blocked(blocked)), _) => return stopped(blocked, Some(entry)),
        (Some(Found::Text(text)), _) => text,
    };
    let unedited = match entry.owner {
        Owner::Library => entry.hash == lock::hash(text),
        _ => entry.base.as_deref().is_some_and(|base| alike(text, base, layout)),
    };
    match entry.owner {
        _ if unedited => (Some(Action::Delete), None),
        Owner::Manifest => (Some(Action::Keep("no longer part of the design; you changed it, so it stays")), None),
        Owner::Library => conflict(Reason::EditedAndGone, None, Some(entry)),
        _ => {
            let base = entry.base.as_deref().unwrap_or_default();
            conflict(Reason::EditedAndGone, Some((base, text)), Some(entry))
        }
    }
}

fn written(file: &File) -> Option<Entry> {
    let base = file.owner.keeps_base().then(|| file.text.clone());
    Some(Entry { owner: file.owner, hash: file.hash.clone(), base, told: None })
}

fn stopped(blocked: &Blocked, entry: Option<&Entry>) -> Verdict {
    conflict(Reason::Blocked(blocked.clone()), None, entry)
}

fn conflict(reason: Reason, texts: Option<(&str, &str)>, entry: Option<&Entry>) -> Verdict {
    let diff = texts.map(|(ours, theirs)| diff((ours, "as generated"), (theirs, "on disk")));
    (Some(Action::Conflict(Conflict { reason, diff })), entry.cloned())
}

/// Unified, from one text to the other, each with what it is called.
fn diff((from, original): (&str, &'static str), (to, modified): (&str, &'static str)) -> String {
    let mut options = diffy::DiffOptions::new();
    options.set_original_filename(original).set_modified_filename(modified);
    options.create_patch(from, to).to_string()
}
