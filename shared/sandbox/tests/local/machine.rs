//! Machines where sandboxes cannot be made, and users who are not root.

use crate::{helper, room::Room};
use koda_domain::sandbox::SandboxProvider;
use std::{os::unix::fs::PermissionsExt, path::Path};

/// What a server whose PATH is `path` says to whether sandboxes can be made.
fn ready_with(room: &Room, path: &Path) -> String {
    let output = helper::command("ready", room.path())
        .env("PATH", path)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn bwrap_that_says(room: &Room, name: &str, script: &str) -> std::path::PathBuf {
    let folder = room.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("bwrap");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_cannot_make_sandboxes_says_what_to_do() {
    let room = Room::new();
    let missing = ready_with(&room, &room.path().join("nothing"));
    assert!(
        missing.contains("Rejected") && missing.contains("apt-get install bubblewrap"),
        "{missing}"
    );
    for (name, said, expected) in [
        (
            "debian",
            "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.",
            "kernel.unprivileged_userns_clone=1",
        ),
        (
            "ubuntu",
            "bwrap: setting up uid map: Permission denied",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            "container",
            "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
            "Docker or E2B",
        ),
        ("other", "bwrap: something else", "something else"),
    ] {
        let folder = bwrap_that_says(&room, name, &format!("echo \"{said}\" >&2; exit 1"));
        let answer = ready_with(&room, &folder);
        assert!(
            answer.contains("Rejected") && answer.contains(expected),
            "{name}: {answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bubblewrap_that_cannot_forbid_nested_namespaces_is_used_as_it_is() {
    let room = Room::new();
    let script = "for a in \"$@\"; do [ \"$a\" = --disable-userns ] && { echo \"bwrap: Unknown option --disable-userns\" >&2; exit 1; }; done; exit 0";
    let folder = bwrap_that_says(&room, "old", script);
    assert!(ready_with(&room, &folder).contains("ready: Ok(())"));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_are_not_built_are_named() {
    let room = Room::new();
    let mut config = crate::room::config(room.path());
    config.sandboxd = room.path().join("bin/koda-sandboxd");
    let provider =
        koda_sandbox::local::LocalProvider::new(config, std::sync::Arc::new(helper::Now));
    let refused = provider.ready().await.unwrap_err().to_string();
    assert!(
        refused.contains("koda-sandboxd") && refused.contains("make build"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_not_root_can_do_the_same() {
    let name = "a_user_who_is_not_root_can_do_the_same";
    let Some((room, _)) = crate::room::room(name).await else {
        return;
    };
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root {
        // Then every other test has shown it.
        return;
    }
    // Programs and folders that anybody may use.
    let test = room.path().join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &test).unwrap();
    let sandboxd = room.path().join("koda-sandboxd");
    std::fs::copy(env!("CARGO_BIN_EXE_koda-sandboxd"), &sandboxd).unwrap();
    std::fs::create_dir(room.path().join("sandboxes")).unwrap();
    std::os::unix::fs::chown(room.path().join("sandboxes"), Some(65534), Some(65534)).unwrap();
    std::fs::set_permissions(room.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&test)
        .args(helper::ARGUMENTS)
        .env("KODA_TEST_HELPER", "limits")
        .env("KODA_TEST_ROOT", room.path())
        .env("KODA_TEST_SANDBOXD", &sandboxd)
        .env_remove("XDG_RUNTIME_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    for expected in [
        "ready: Ok(())",
        "hello: 0 None",
        "memory: Some(Memory)",
        "pids: Some(Pids)",
        "disk: Some(Disk)",
        "deadline: Some(Deadline)",
        "left: []",
    ] {
        assert!(
            said.contains(expected),
            "{expected:?} is missing:\n{said}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
