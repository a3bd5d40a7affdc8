//! An emulator with a template that has the supervisor in it, and providers of one deployment.

use e2b_client::Config;
use e2b_emulator::{Emulator, Made, Options};
use futures_util::{FutureExt, future::BoxFuture};
use koda_domain::{Engine, sandbox::Upstream};
use koda_sandbox::{
    conformance::{Bench, skip},
    e2b::{E2bConfig, E2bProvider, OnIdle},
};
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// One test at a time: to the kernel the users of all the emulator's sandboxes are one, whose processes it counts together,
/// so that one test's fork bomb would keep another's commands from starting. Machines at E2B share nothing.
static ALONE: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

/// An emulator of a test's own.
pub struct Room {
    pub emulator: Emulator,
    _folder: tempfile::TempDir,
    _alone: OwnedMutexGuard<()>,
}

/// The emulator's program, which Cargo builds beside this one for its own tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("e2b-emulator")
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A template's layer: the supervisor, and a workspace that belongs to the user.
fn layer(folder: &Path) {
    let sandboxd = folder.join("opt/koda/koda-sandboxd");
    put(
        &sandboxd,
        &fs::read(env!("CARGO_BIN_EXE_koda-sandboxd")).unwrap(),
    );
    fs::set_permissions(&sandboxd, fs::Permissions::from_mode(0o755)).unwrap();
    // The template's own start, without the preview that this workspace has none of.
    let orders = include_str!("../../../../e2b/templates/orders.json");
    let mut orders: serde_json::Value =
        serde_json::from_str(&orders.replace("@UID@", "1000").replace("@GID@", "1000")).unwrap();
    orders["start"] = serde_json::json!([]);
    put(
        &folder.join("opt/koda/orders.json"),
        orders.to_string().as_bytes(),
    );
    let start = folder.join("opt/koda/start.sh");
    put(&start, include_bytes!("../../../../e2b/templates/start.sh"));
    fs::set_permissions(&start, fs::Permissions::from_mode(0o755)).unwrap();
    for (path, text) in [
        ("app/koda.json", "{}"),
        ("app/src/Composition.tsx", "export default () => null;"),
        ("app/public/.gitkeep", ""),
        ("app/node_modules/x/index.js", "module.exports = 1"),
    ] {
        put(&folder.join(path), text.as_bytes());
    }
    for path in [
        "app",
        "app/koda.json",
        "app/src",
        "app/src/Composition.tsx",
        "app/public",
    ] {
        chown(folder.join(path), Some(1000), Some(1000)).unwrap();
    }
}

impl Room {
    pub async fn new(max_life: Duration) -> Result<Self, String> {
        if fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) != 0) {
            return Err("the emulator can only be several users where it is root".into());
        }
        let alone = ALONE.clone().lock_owned().await;
        let folder = tempfile::tempdir().unwrap();
        layer(folder.path());
        let mut options = Options::new(program());
        options.max_life = max_life;
        let emulator = Emulator::start(options)
            .await
            .map_err(|e| format!("{e:#}"))?;
        let made = Made {
            layers: vec![folder.path().to_owned()],
            user: Some("root".into()),
            start_cmd: Some("/opt/koda/start.sh".into()),
            ready_cmd: Some("[ -S /run/koda/control ]".into()),
            ..Made::default()
        };
        emulator.add_template("koda-remotion-v1", made);
        Ok(Self {
            emulator,
            _folder: folder,
            _alone: alone,
        })
    }

    /// The same, or a word about why this test cannot run here, which in CI is a failure.
    pub async fn or_skip(case: &str, max_life: Duration) -> Option<Self> {
        let room = Self::new(max_life).await;
        room.map_err(|why| skip(case, &why)).ok()
    }

    pub fn config(&self) -> E2bConfig {
        let mut client = Config::new(self.emulator.api_key());
        client.api_url = Some(self.emulator.url());
        client.sandbox_url = Some(self.emulator.url());
        E2bConfig {
            client,
            deployment: "tests".into(),
            templates: BTreeMap::from([(Engine::Remotion, "koda-remotion-v1".to_owned())]),
            on_idle: OnIdle::Kill,
            max_life: Duration::from_secs(3600),
            max_sandboxes: 10,
            preview_url: None,
        }
    }

    pub fn emulator_url(&self) -> String {
        self.emulator.url()
    }

    pub fn port(&self) -> String {
        let url = self.emulator.url();
        url.rsplit_once(':').unwrap().1.to_owned()
    }

    pub fn provider(&self) -> Arc<E2bProvider> {
        Arc::new(E2bProvider::new(self.config()).unwrap())
    }
}

/// Gets a path of a preview, as the proxy does.
pub fn visit(upstream: Upstream, path: String) -> BoxFuture<'static, io::Result<String>> {
    async move {
        let Upstream::Public { origin, headers } = upstream else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let mut request = reqwest::Client::new().get(format!("{origin}{path}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(io::Error::other)?;
        let status = response.status();
        let text = response.text().await.map_err(io::Error::other)?;
        Ok(format!("HTTP/1.1 {status}\r\n\r\n{text}"))
    }
    .boxed()
}

pub async fn bench() -> Result<Bench, String> {
    let room = Room::new(Duration::from_secs(3600)).await?;
    Ok(Bench {
        provider: room.provider(),
        elsewhere: room.provider(),
        visit,
        keep: Box::new(room),
    })
}
