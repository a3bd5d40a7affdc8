//! A place of its own for each test, which checks that nothing is left when the test is over.

use koda_domain::{
    Engine, SandboxId, SessionId,
    sandbox::{Exec, ExecOutput, ProcessName, SandboxLimits, SandboxProvider, SandboxSpec, run},
};
use koda_sandbox::local::{LocalConfig, LocalProvider};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// What was seen of the sandboxes that were here.
type Seen = Arc<Mutex<BTreeSet<(String, PathBuf)>>>;

pub struct Room {
    folder: tempfile::TempDir,
    seen: Seen,
    over: Arc<AtomicBool>,
    looking: Option<JoinHandle<()>>,
}

impl Room {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("template");
        for (path, text) in [
            ("koda.json", "{}"),
            ("src/Composition.tsx", "export default () => null;"),
            ("public/.gitkeep", ""),
            ("tests/own.test.mjs", ""),
            ("node_modules/x/index.js", "module.exports = 1"),
        ] {
            put(&template.join(path), text.as_bytes());
        }
        let (seen, over) = (Seen::default(), Arc::new(AtomicBool::new(false)));
        let (root, record, stop) = (folder.path().join("sandboxes"), seen.clone(), over.clone());
        let looking = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                look(&root, &record);
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        Self {
            folder,
            seen,
            over,
            looking: Some(looking),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn provider(&self) -> Arc<LocalProvider> {
        provider(self.path())
    }

    /// How many of this room's sandboxes have a folder.
    pub fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path().join("sandboxes"));
        let names = entries.into_iter().flatten().flatten();
        names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with("sbx-"))
            .collect()
    }

    /// Every process that sees a folder of this room's sandboxes, or was told of one.
    pub fn processes(&self) -> Vec<String> {
        processes_in(self.path())
    }

    /// Everything of this room's sandboxes that is still there.
    pub fn left(&self) -> Vec<String> {
        look(&self.path().join("sandboxes"), &self.seen);
        let mut left = self.folders();
        for (id, run) in self.seen.lock().unwrap().iter() {
            let groups = ["", "memory", "pids", "cpu", "unified"].map(|resource| {
                Path::new("/sys/fs/cgroup")
                    .join(resource)
                    .join(format!("koda-{id}"))
            });
            let paths = groups.iter().chain([run]).filter(|path| path.exists());
            left.extend(paths.map(|path| path.display().to_string()));
        }
        left.extend(self.processes());
        left
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.looking.take().map(JoinHandle::join);
        let root = self.path().to_owned();
        if std::thread::panicking() {
            let cleaning = std::thread::spawn(move || clean(&root));
            let _ = cleaning.join();
            return;
        }
        // What ends bubblewrap's own process is the end of the sandbox, and that takes a moment.
        let began = Instant::now();
        while !self.left().is_empty() && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = self.left();
        if !left.is_empty() {
            let cleaning = std::thread::spawn(move || clean(&root));
            let _ = cleaning.join();
            panic!("the test left behind: {left:#?}");
        }
    }
}

fn clean(root: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let provider = provider(root);
        let names = fs::read_dir(root.join("sandboxes")).into_iter().flatten();
        for name in names
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
        {
            let _ = provider.destroy(&SandboxId(name)).await;
        }
    });
}

fn look(root: &Path, seen: &Seen) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let Ok(text) = fs::read(entry.path().join("meta.json")) else {
            continue;
        };
        let Ok(meta) = serde_json::from_slice::<serde_json::Value>(&text) else {
            continue;
        };
        let run = PathBuf::from(meta["run"].as_str().unwrap());
        let id = entry.file_name().into_string().unwrap();
        seen.lock().unwrap().insert((id, run));
    }
}

fn processes_in(folder: &Path) -> Vec<String> {
    let marker = folder.join("sandboxes").display().to_string();
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let number = name.bytes().all(|b| b.is_ascii_digit());
            let said = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
            number
                && name != own
                && ["mountinfo", "cmdline"]
                    .iter()
                    .any(|file| String::from_utf8_lossy(&said(file)).contains(&marker))
        })
        .map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            format!("{}: {line}", entry.path().display())
        })
        .collect()
}

pub fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub fn provider(root: &Path) -> Arc<LocalProvider> {
    Arc::new(LocalProvider::new(
        config(root),
        Arc::new(crate::helper::Now),
    ))
}

pub fn config(root: &Path) -> LocalConfig {
    let template = std::env::var_os("KODA_TEST_TEMPLATE");
    let template = template.map_or_else(|| root.join("template"), PathBuf::from);
    let sandboxd = std::env::var_os("KODA_TEST_SANDBOXD");
    let sandboxd =
        sandboxd.map_or_else(|| env!("CARGO_BIN_EXE_koda-sandboxd").into(), PathBuf::from);
    LocalConfig {
        root: root.join("sandboxes"),
        templates: BTreeMap::from([(Engine::Remotion, template)]),
        // The provider only makes it visible; what it does is tested with it.
        capture: sandboxd.clone(),
        sandboxd,
        max_sandboxes: 3,
    }
}

/// A room and its provider, or the reason why sandboxes cannot be made here: told by name, and a failure in CI.
pub async fn room(test: &str) -> Option<(Room, Arc<LocalProvider>)> {
    let room = Room::new();
    let provider = room.provider();
    match provider.ready().await {
        Ok(()) => Some((room, provider)),
        Err(why) => {
            koda_sandbox::conformance::skip(test, &why.to_string());
            None
        }
    }
}

pub fn spec() -> SandboxSpec {
    SandboxSpec {
        session: SessionId::new(ulid::Ulid::generate()),
        place: 0,
        template: Engine::Remotion,
        limits: SandboxLimits {
            memory: 512 << 20,
            ..SandboxLimits::default()
        },
        life: Duration::from_secs(
            std::env::var("KODA_TEST_LIFE").map_or(300, |seconds| seconds.parse().unwrap()),
        ),
    }
}

pub fn exec(name: &str, argv: &[&str]) -> Exec {
    Exec::new(ProcessName::new(name), argv, Duration::from_secs(60))
}

/// Waits for something that takes a moment.
pub async fn soon(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !check().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub async fn shell(provider: &LocalProvider, id: &SandboxId, script: &str) -> ExecOutput {
    let name = format!("sh-{}", ulid::Ulid::generate());
    let command = exec(&name, &["sh", "-c", script]);
    let ran = run(provider, id, &command).await;
    ran.unwrap_or_else(|error| panic!("{error}: {script}\n{}", state(id)))
}

/// What is to be known of a sandbox that does not do what it should.
fn state(id: &SandboxId) -> String {
    let marker = format!("{{\"id\":\"{}\"", id.0);
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let processes: Vec<_> = entries
        .filter(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&marker)
        })
        .map(|entry| entry.file_name())
        .collect();
    let folders = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let logs: Vec<_> = folders
        .map(|folder| folder.path().join("sandboxes").join(&id.0))
        .filter(|folder| folder.is_dir())
        .map(|folder| {
            let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
            (read("meta.json"), read("supervisor.log"))
        })
        .collect();
    format!("its processes: {processes:?}; what is written of it: {logs:?}")
}

pub fn text(output: &ExecOutput) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
