//! The workspace's files. envd would follow links that code inside has planted, and write files in place, so that its
//! uploads are put where they belong by the supervisor's program.

use super::calls::SANDBOXD;
use crate::talk::nonsense;
use bytes::Bytes;
use data_encoding::BASE64;
use e2b_client::{Command, Error, Output, Sandbox as Handle};
use koda_domain::sandbox::{FileWrite, SandboxError};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The workspace.
pub(super) const APP: &str = "/app";
/// Whose it is.
pub(super) const USER: &str = "user";
/// Bytes that go on a command line, in one request; more are uploaded first. Linux takes 128 KiB in one argument, and
/// base64 makes four of three.
const INLINE: usize = 60_000;

/// Runs `koda-sandboxd files`.
pub(super) async fn run(handle: &Handle, args: &[&str]) -> Result<Output, Error> {
    let mut command = Command::new(SANDBOXD)
        .args(["files"])
        .args(args.iter().copied());
    command.user = Some(USER.into());
    command.cwd = Some("/".into());
    handle.processes().run(command).await
}

/// Writes files: small ones in one request, others in one upload and one more request.
pub(super) async fn write(handle: &Handle, files: &[FileWrite]) -> Result<Output, Error> {
    let name = |file: &FileWrite| file.path.as_str().len() + 40;
    let size: usize = files.iter().map(|f| f.bytes.len() + name(f)).sum();
    if size <= INLINE {
        let given: Vec<_> = files
            .iter()
            .map(|f| json!({"path": f.path, "data": BASE64.encode(&f.bytes)}))
            .collect();
        return run(handle, &["write", APP, &json!(given).to_string()]).await;
    }
    // One upload takes a path once; of several contents the last one counts, as it would one after another.
    let last: BTreeMap<&str, &Bytes> = files.iter().map(|f| (f.path.as_str(), &f.bytes)).collect();
    let staging = format!("/tmp/.koda-{}", ulid::Ulid::generate());
    let uploads = last
        .into_iter()
        .map(|(path, bytes)| (format!("{staging}/{path}"), bytes.clone()))
        .collect();
    handle.files().as_user(USER).write_many(uploads).await?;
    run(handle, &["place", APP, &staging]).await
}

/// What `koda-sandboxd files` says on its standard error when something goes wrong.
#[derive(Deserialize)]
struct Wrong {
    error: String,
    text: String,
}

/// What it said, or what went wrong.
pub(super) fn told(output: Output) -> Result<Bytes, SandboxError> {
    match output.code {
        0 => Ok(output.stdout),
        4 => {
            let wrong: Wrong = serde_json::from_slice(&output.stderr).map_err(|e| nonsense(&e))?;
            Err(match wrong.error.as_str() {
                "not_found" => SandboxError::NotFound(wrong.text),
                "not_a_file" => SandboxError::NotAFile(wrong.text),
                "over_limit" => SandboxError::OverLimit(wrong.text),
                _ => SandboxError::Rejected(wrong.text),
            })
        }
        127 => Err(SandboxError::Gone),
        _ => Err(nonsense(&String::from_utf8_lossy(&output.stderr))),
    }
}

/// The same where nothing is said.
pub(super) fn understood(output: Output) -> Result<(), SandboxError> {
    told(output).map(drop)
}
