//! Embeds `blueprints/` and `examples/` in the library, file by file, so that the installed program needs no repository.

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

/// Every file below `folder`, with `/`; what builds leave behind is left out.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", root.join(folder).display());
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = folder.join(&name);
        if entry.file_type()?.is_dir() {
            if name != "target" && name != ".data" {
                collect(root, &path, files)?;
            }
        } else {
            files.push(path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
        }
    }
    Ok(())
}
