//! The secret that signs links: made once, kept in the data folder, readable by its owner alone.

use crate::config::Secret;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

const BYTES: usize = 32;

/// A name that only whoever has the secret comes to, and that does not give it away.
pub(crate) fn name(secret: &[u8]) -> String {
    let hash = Sha256::new_with_prefix(b"deployment\n")
        .chain_update(secret)
        .finalize();
    hash[..10].iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn load_or_make(path: &Path) -> Result<Secret> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= BYTES => return Ok(Secret::new(text.trim().to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    }
    let mut bytes = [0_u8; BYTES];
    fs::File::open("/dev/urandom")
        .and_then(|mut f| f.read_exact(&mut bytes))
        .context("no randomness")?;
    let text: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Secret::new(text))
}
