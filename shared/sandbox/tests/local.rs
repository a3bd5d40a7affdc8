//! The local provider, held to what every provider does, and to what is its own.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use koda_domain::{
    Clock, Engine, SessionId,
    sandbox::{
        Exec, ProcessName, SandboxError, SandboxLimits, SandboxProvider, SandboxSpec, Upstream, run,
    },
};
use koda_sandbox::{
    conformance::Bench,
    local::{LocalConfig, LocalProvider},
};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

struct Now;

impl Clock for Now {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// A template without packages, and a root that is removed with its sandboxes when the test process ends.
fn config(root: &Path) -> LocalConfig {
    let template = root.join("template");
    for (path, text) in [
        ("koda.json", "{}"),
        ("src/Composition.tsx", "export default () => null;"),
        ("public/.gitkeep", ""),
        ("node_modules/x/index.js", "module.exports = 1"),
    ] {
        let path = template.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    LocalConfig {
        root: root.join("sandboxes"),
        templates: BTreeMap::from([(Engine::Remotion, template)]),
        sandboxd: env!("CARGO_BIN_EXE_koda-sandboxd").into(),
        capture: env!("CARGO_BIN_EXE_koda-sandboxd").into(),
        max_sandboxes: 3,
    }
}

fn provider(root: &Path) -> Arc<LocalProvider> {
    Arc::new(LocalProvider::new(config(root), Arc::new(Now)))
}

async fn bench() -> Bench {
    // Kept for the life of the process: the sandboxes in it are destroyed by each case.
    let root = tempfile::tempdir().unwrap().keep();
    Bench {
        provider: provider(&root),
        elsewhere: provider(&root),
    }
}

koda_sandbox::sandbox_conformance!(bench);

fn spec() -> SandboxSpec {
    SandboxSpec {
        session: SessionId::new(ulid::Ulid::generate()),
        template: Engine::Remotion,
        limits: SandboxLimits::default(),
        life: Duration::from_secs(300),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_can_make_sandboxes() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(provider(root.path()).ready().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_reached_through_its_socket() {
    let root = tempfile::tempdir().unwrap();
    let provider = provider(root.path());
    let id = provider.create(&spec()).await.unwrap().id;
    let script = "require('http').createServer((q,s)=>s.end('hello '+q.url)).listen(process.env.KODA_SOCKET)";
    let serve = Exec::new(
        ProcessName::new("preview"),
        &["node", "-e", script],
        Duration::from_secs(60),
    );
    provider.spawn(&id, &serve).await.unwrap();
    let Upstream::Unix(socket) = provider.preview(&id).await.unwrap() else {
        panic!("not a socket")
    };
    assert!(
        socket.as_os_str().len() < 100,
        "{} is too long for a socket",
        socket.display()
    );
    let mut answer = String::new();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let Ok(mut stream) = tokio::net::UnixStream::connect(&socket).await else {
            continue;
        };
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        stream.write_all(b"GET /x HTTP/1.0\r\n\r\n").await.unwrap();
        stream.read_to_string(&mut answer).await.unwrap();
        break;
    }
    assert!(answer.ends_with("hello /x"), "{answer}");
    provider.destroy(&id).await.unwrap();
    assert!(!socket.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_machine_is_not_there() {
    let root = tempfile::tempdir().unwrap();
    let provider = provider(root.path());
    let id = provider.create(&spec()).await.unwrap().id;
    let script = "ls / ; ls /etc; ls /root /home /var 2>&1; touch /usr/x /etc/x /app/node_modules/x 2>&1; \
                  node -p 'require(\"x\")'; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs'; cat /proc/net/dev";
    let command = Exec::new(
        ProcessName::new("look"),
        &["sh", "-c", script],
        Duration::from_secs(20),
    );
    let output = run(&*provider, &id, &command).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for absent in ["shadow", "passwd", "root\n", "home\n", "eth0"] {
        assert!(!text.contains(absent), "{absent:?} is there:\n{text}");
    }
    assert_eq!(
        text.matches("Read-only file system").count() + text.matches("Permission denied").count(),
        2,
        "{text}"
    );
    assert!(
        text.contains("\n1\n"),
        "packages of the template are missing:\n{text}"
    );
    assert!(
        text.contains("CapEff:\t0000000000000000") && text.contains("NoNewPrivs:\t1"),
        "{text}"
    );
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn destroying_leaves_no_folder_process_or_control_group() {
    let root = tempfile::tempdir().unwrap();
    let provider = provider(root.path());
    let id = provider.create(&spec()).await.unwrap().id;
    let marker = format!("60.{}", std::process::id());
    let sleep = Exec::new(
        ProcessName::new("bg"),
        &["setsid", "sleep", &marker],
        Duration::from_secs(60),
    );
    provider.spawn(&id, &sleep).await.unwrap();
    provider.destroy(&id).await.unwrap();
    assert!(koda_is_gone(root.path(), &id.0));
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&line).contains(&marker),
            "{:?} still runs",
            entry.path()
        );
    }
}

fn koda_is_gone(root: &Path, id: &str) -> bool {
    let groups = ["memory", "pids", "cpu", "."]
        .map(|c| Path::new("/sys/fs/cgroup").join(c).join("koda").join(id));
    !root.join("sandboxes").join(id).exists() && groups.iter().all(|g| !g.exists())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_leaves_is_swept() {
    let root = tempfile::tempdir().unwrap();
    let provider = provider(root.path());
    let id = provider.create(&spec()).await.unwrap().id;
    let meta: serde_json::Value = serde_json::from_slice(
        &std::fs::read(root.path().join("sandboxes").join(&id.0).join("meta.json")).unwrap(),
    )
    .unwrap();
    let init = meta["init"]["pid"].as_i64().unwrap().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-9", &init])
            .status()
            .unwrap()
            .success()
    );
    for _ in 0..100 {
        if provider.get(&id).await == Err(SandboxError::Gone) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(provider.sweep().await, Ok(1));
    assert!(koda_is_gone(root.path(), &id.0));
    assert_eq!(provider.sweep().await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_number_of_sandboxes_is_refused_with_the_setting_to_change() {
    let root = tempfile::tempdir().unwrap();
    let provider = provider(root.path());
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(provider.create(&spec()).await.unwrap().id);
    }
    let refused = provider.create(&spec()).await.unwrap_err();
    assert!(
        matches!(&refused, SandboxError::OverLimit(why) if why.contains("KODA_MAX_SANDBOXES")),
        "{refused}"
    );
    for id in made {
        provider.destroy(&id).await.unwrap();
    }
}
