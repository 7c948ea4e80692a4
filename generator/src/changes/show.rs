//! Changes → one line of text each, and a form that serialises.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::plan::Owner;

use super::{Action, Blocked, Change, Count, Reason};

impl Action {
    /// One lower-case word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Merge(_) => "merge",
            Self::Delete => "delete",
            Self::Keep(_) => "keep",
            Self::Propose(_) => "propose",
            Self::Conflict(_) => "conflict",
        }
    }
}

impl Change {
    /// Why, where that is not plain from the word.
    pub fn reason(&self) -> Option<String> {
        match (&self.action, self.owner) {
            (Action::Keep(reason), _) => Some((*reason).to_owned()),
            (Action::Propose(_), Owner::Applied) => {
                Some("databases may have it, so it stays; the design now asks for another migration".to_owned())
            }
            (Action::Propose(_), _) => Some("it is yours, so it stays; the design now asks for more".to_owned()),
            (Action::Conflict(conflict), _) => Some(conflict.reason.to_string()),
            _ => None,
        }
    }
}

/// `update    contracts/orders/src/lib.rs`
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9} {}", self.action.name(), self.path)?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Change", 6)?;
        object.serialize_field("action", self.action.name())?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("owner", &self.owner)?;
        match self.reason() {
            Some(reason) => object.serialize_field("reason", &reason)?,
            None => object.skip_field("reason")?,
        }
        match &self.action {
            Action::Conflict(conflict) => {
                object.serialize_field("help", conflict.reason.help())?;
                match &conflict.diff {
                    Some(diff) => object.serialize_field("diff", diff)?,
                    None => object.skip_field("diff")?,
                }
            }
            Action::Propose(diff) => {
                object.skip_field("help")?;
                object.serialize_field("diff", diff)?;
            }
            _ => {
                object.skip_field("help")?;
                object.skip_field("diff")?;
            }
        }
        object.end()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => f.write_str("generated, but edited by hand"),
            Self::EditedAndGone => f.write_str("no longer part of the design, but edited by hand"),
            Self::Foreign => f.write_str("there already is such a file, and Linkwright did not write it"),
            Self::Clashes(clashes) => {
                let clashes: Vec<String> = clashes.iter().map(ToString::to_string).collect();
                f.write_str(&clashes.join("; "))
            }
            Self::NotToml(message) => write!(f, "it is not TOML\n{message}"),
            Self::Blocked(blocked) => blocked.fmt(f),
        }
    }
}

impl Reason {
    /// The way out.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Edited => {
                "undo the edit (or delete the file: it is written anew), or name the path in `own` in the design to keep it yours for good"
            }
            Self::EditedAndGone => "delete the file, or name the path in `own` in the design to keep it",
            Self::Foreign => "move it away, or name the path in `own` in the design to keep it",
            Self::Clashes(_) => {
                "give the keys the design's value, run sync, then change them again; or name the path in `own` in the design"
            }
            Self::NotToml(_) => "mend the file",
            Self::Blocked(_) => "move it away, or name the path in `own` in the design to have it left alone",
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("a folder stands where the file should be"),
            Self::Symlink => f.write_str("it is a symbolic link, and Linkwright follows none"),
            Self::NotText => f.write_str("it is not UTF-8 text"),
            Self::Special => f.write_str("it is neither a file nor a folder"),
            Self::BelowFile(folder) => write!(f, "`{folder}` is a file and not a folder"),
            Self::BelowLink(folder) => write!(f, "`{folder}` is a symbolic link, and Linkwright follows none"),
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
        }
    }
}

/// `3 created, 1 merged`, or nothing.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conflicts = if self.conflicts == 1 { "conflict" } else { "conflicts" };
        let parts = [
            (self.created, "created"),
            (self.updated, "updated"),
            (self.merged, "merged"),
            (self.deleted, "deleted"),
            (self.conflicts, conflicts),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        f.write_str(&parts.collect::<Vec<_>>().join(", "))
    }
}
