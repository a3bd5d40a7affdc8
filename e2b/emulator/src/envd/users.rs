//! Users of a sandbox, and paths as they mean them.

use super::connect::{Code, RpcError};
use std::{
    io,
    os::unix::fs::chown,
    path::{Component, Path, PathBuf},
};

/// Who does something.
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: PathBuf,
}

/// What a sandbox's users are looked up by.
#[derive(Debug, Clone)]
pub struct Users {
    /// Who calls that name nobody are.
    pub default: String,
    /// Where there is only one identity to the kernel, every name has that.
    pub single: bool,
}

impl Users {
    /// A user by name.
    pub fn find(&self, name: &str) -> Option<User> {
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        let line = passwd.lines().find(|l| l.split(':').next() == Some(name))?;
        let fields: Vec<&str> = line.split(':').collect();
        let (uid, gid) = if self.single {
            let own = nix::unistd::getuid().as_raw();
            (own, nix::unistd::getgid().as_raw())
        } else {
            (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)
        };
        Some(User {
            name: name.to_owned(),
            uid,
            gid,
            home: PathBuf::from(fields.get(5)?),
        })
    }

    /// Who calls an RPC.
    pub fn caller(&self, named: Option<String>) -> Result<User, RpcError> {
        let name = named.unwrap_or_else(|| self.default.clone());
        self.find(&name).ok_or_else(|| {
            RpcError::new(Code::Unauthenticated, format!("invalid username: '{name}'"))
        })
    }

    /// A user's or group's name, or its number.
    pub fn name_of(file: &str, id: u32) -> String {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let found = text.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
        });
        found.unwrap_or_else(|| id.to_string())
    }
}

/// An absolute path: `~` is the home, and what is relative begins there, or in the sandbox's own folder where nothing is
/// said at all.
pub fn resolve(path: &str, user: &User, workdir: Option<&str>) -> Result<PathBuf, String> {
    let path = if path.is_empty() {
        workdir.unwrap_or_default()
    } else {
        path
    };
    if path.contains('\0') {
        return Err("invalid path: it contains a NUL byte".into());
    }
    if let Some(rest) = path.strip_prefix('~') {
        if !rest.is_empty() && !rest.starts_with('/') {
            return Err(format!(
                "failed to expand path '{path}' for user '{}': cannot expand user-specific home dir",
                user.name
            ));
        }
        return Ok(clean(&user.home.join(rest.trim_start_matches('/'))));
    }
    if path.starts_with('/') {
        return Ok(PathBuf::from(path));
    }
    Ok(clean(&user.home.join(path)))
}

/// Without `.` and `..`, by text alone.
pub fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => cleaned.push(name),
            Component::ParentDir => {
                cleaned.pop();
            }
            _ => {}
        }
    }
    cleaned
}

/// Makes folders that are missing, and gives those to the user.
pub fn ensure_folders(path: &Path, user: &User) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut at = Some(path);
    while let Some(folder) = at {
        match std::fs::metadata(folder) {
            Ok(meta) if meta.is_dir() => break,
            Ok(_) => {
                return Err(io::Error::other(format!(
                    "path is a file: {}",
                    folder.display()
                )));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => missing.push(folder),
            Err(e) => return Err(e),
        }
        at = folder.parent();
    }
    for folder in missing.into_iter().rev() {
        match std::fs::create_dir(folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => chown(folder, Some(user.uid), Some(user.gid))?,
        }
    }
    Ok(())
}
