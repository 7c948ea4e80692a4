//! Text → a path that stays within a workspace, on every system.

const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Checks that a path names a file below the workspace's root: parts divided by `/`, none of them empty, `.`, `..` or
/// something that a system reads in its own way.
///
/// # Errors
///
/// A sentence that says what is wrong.
pub fn check(path: &str) -> Result<(), String> {
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ':' | '<' | '>' | '|' | '?' | '*');
    if path.len() > 400 {
        return Err(format!("a path of {} bytes is too long", path.len()));
    }
    if path.contains(odd) {
        return Err(format!("`{}` holds a character that paths cannot hold everywhere", path.escape_debug()));
    }
    for part in path.split('/') {
        let wrong = match part {
            "" => "has an empty part",
            "." | ".." => "leaves its folder",
            _ if part.eq_ignore_ascii_case(".git") => "is version control's",
            _ if part.ends_with(['.', ' ']) => "has a part that ends as Windows forbids",
            _ if DEVICES.contains(&part.split('.').next().unwrap_or(part).to_ascii_lowercase().as_str()) => {
                "is a device on Windows"
            }
            _ => continue,
        };
        return Err(format!("`{path}` {wrong}"));
    }
    Ok(())
}

/// Whether a path is one of those, or in a folder that is.
pub fn within(path: &str, folders: &[String]) -> bool {
    folders.iter().any(|folder| {
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_within() {
        for good in ["Cargo.toml", ".linkwright/lock", "a/b/c.rs", "a b/.gitignore", "it's/x"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "/",
            "/etc",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            "./a",
            "a\\b",
            "C:/x",
            "a\0",
            "a\n",
            ".git/config",
            "x/.Git/y",
            "con./x",
            "a?",
            "src/nul.rs",
            "COM1",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&"a/".repeat(300)).is_err());
    }

    #[test]
    fn folders_hold_whole_parts() {
        let own = ["services/orders".to_owned(), "./docs/".to_owned(), "README.md".to_owned()];
        for (path, expected) in [
            ("services/orders/src/main.rs", true),
            ("services/orders", true),
            ("services/orders2/src/main.rs", false),
            ("docs/a.md", true),
            ("README.md", true),
            ("README.md2", false),
        ] {
            assert_eq!(within(path, &own), expected, "{path}");
        }
    }
}
