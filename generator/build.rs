//! Embeds `blueprints/` and `examples/` in the library, file by file, so that the installed program needs no repository.
//! Of an example that is committed as a whole workspace, what the program writes itself is left out.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut files = Vec::new();
    for folder in ["blueprints", "examples"] {
        collect(&root, Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for path in &files {
        let absolute = fs::canonicalize(root.join(path))?;
        code += &format!("({path:?}, include_bytes!({:?}).as_slice()),\n", absolute.display().to_string());
    }
    code += "]\n";
    fs::write(PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("blueprints.rs"), code)
}

/// What builds leave behind, and, in an example, what is generated.
const LEFT_OUT: &[&str] = &["target", ".data"];
const GENERATED: &[&str] = &[".cargo", ".linkwright", "Cargo.lock", "contracts", "kit", "tests", "xtask"];

/// Every file below `folder`, with `/`, that is worth having.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", root.join(folder).display());
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = folder.join(&name);
        let is_one_of = |names: &[&str]| names.iter().any(|other| name == *other);
        let in_example = folder.parent() == Some(Path::new("examples"));
        if is_one_of(LEFT_OUT) || (in_example && is_one_of(GENERATED)) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
        }
    }
    Ok(())
}
