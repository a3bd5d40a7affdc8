//! The daemon inside a sandbox, as E2B's envd: files, processes, watching.
//!
//! It runs inside the cell and inherits two listening sockets: HTTP comes in on its standard input, and on its standard
//! output come connections to any port inside, each beginning with the port and a line's end.

mod connect;
mod entry;
mod files;
mod filesystem;
mod gate;
mod process;
mod processes;
mod proto;
mod users;
mod watch;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    io,
    os::fd::AsFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::net::UnixListener;

/// The version that clients are told; they ask it what they may use.
pub const VERSION: &str = "0.6.4";
/// The port that clients name when they mean envd.
pub const PORT: u16 = 49983;

/// What a sandbox is told when it is given to somebody.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Init {
    /// Variables of every process.
    pub env_vars: BTreeMap<String, String>,
    /// What callers have to know.
    pub access_token: Option<String>,
    /// Who callers are that name nobody.
    pub default_user: Option<String>,
    /// Where processes begin that name no folder.
    pub default_workdir: Option<String>,
}

/// See the module.
pub struct Envd {
    single: bool,
    init: Mutex<Init>,
    processes: processes::Processes,
    watchers: Mutex<HashMap<String, watch::Watching>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Envd {
    fn users(&self) -> users::Users {
        users::Users {
            default: held(&self.init)
                .default_user
                .clone()
                .unwrap_or_else(|| "user".into()),
            single: self.single,
        }
    }

    fn workdir(&self) -> Option<String> {
        held(&self.init).default_workdir.clone()
    }

    fn token(&self) -> Option<String> {
        held(&self.init).access_token.clone()
    }

    fn variables(&self) -> BTreeMap<String, String> {
        held(&self.init).env_vars.clone()
    }

    fn watchers(&self) -> MutexGuard<'_, HashMap<String, watch::Watching>> {
        held(&self.watchers)
    }
}

/// Serves until it is killed. `single`: there is only one identity to the kernel inside.
///
/// # Errors
/// Where its standard input and output are no listening sockets.
pub async fn serve(single: bool) -> io::Result<()> {
    let envd = Arc::new(Envd {
        single,
        init: Mutex::default(),
        processes: processes::Processes::default(),
        watchers: Mutex::default(),
    });
    let http = inherited(io::stdin().as_fd())?;
    let gate = inherited(io::stdout().as_fd())?;
    tokio::spawn(gate::serve(gate));
    axum::serve(http, router(envd)).await
}

fn inherited(fd: std::os::fd::BorrowedFd<'_>) -> io::Result<UnixListener> {
    let listener = std::os::unix::net::UnixListener::from(fd.try_clone_to_owned()?);
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

fn router(envd: Arc<Envd>) -> Router {
    let rpc = Router::new()
        .route("/filesystem.Filesystem/Stat", post(filesystem::stat))
        .route("/filesystem.Filesystem/MakeDir", post(filesystem::make_dir))
        .route("/filesystem.Filesystem/Move", post(filesystem::rename))
        .route("/filesystem.Filesystem/ListDir", post(filesystem::list_dir))
        .route("/filesystem.Filesystem/Remove", post(filesystem::remove))
        .route("/filesystem.Filesystem/WatchDir", post(watch::watch_dir))
        .route(
            "/filesystem.Filesystem/CreateWatcher",
            post(watch::create_watcher),
        )
        .route(
            "/filesystem.Filesystem/GetWatcherEvents",
            post(watch::get_watcher_events),
        )
        .route(
            "/filesystem.Filesystem/RemoveWatcher",
            post(watch::remove_watcher),
        )
        .route("/process.Process/Start", post(processes::start))
        .route("/process.Process/Connect", post(processes::connect_to))
        .route("/process.Process/List", post(processes::list))
        .route("/process.Process/SendInput", post(processes::send_input))
        .route(
            "/process.Process/StreamInput",
            post(processes::stream_input),
        )
        .route("/process.Process/CloseStdin", post(processes::close_stdin))
        .route("/process.Process/SendSignal", post(processes::send_signal))
        .route("/process.Process/Update", post(processes::update));
    Router::new()
        .route("/health", get(async || StatusCode::NO_CONTENT))
        .route("/init", post(init))
        .route("/envs", get(envs))
        .route("/metrics", get(metrics))
        .route("/files", get(files::download).post(files::upload))
        .route("/files/compose", post(files::compose))
        .merge(rpc)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(envd.clone(), guard))
        .with_state(envd)
}

/// Everything but health, and files which have signatures of their own, asks for the token.
async fn guard(State(envd): State<Arc<Envd>>, request: Request, next: Next) -> Response {
    let open = matches!(request.uri().path(), "/health" | "/init" | "/files");
    if let Some(token) = envd.token()
        && !open
        && request
            .headers()
            .get("x-access-token")
            .map(HeaderValue::as_bytes)
            != Some(token.as_bytes())
    {
        let message = "unauthorized access, please provide a valid access token or method signing if supported";
        let body = Json(json!({"code": 401, "message": message}));
        return (StatusCode::UNAUTHORIZED, body).into_response();
    }
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn init(State(envd): State<Arc<Envd>>, Json(told): Json<Init>) -> StatusCode {
    let mut init = held(&envd.init);
    init.env_vars.extend(told.env_vars);
    init.access_token = told.access_token.or_else(|| init.access_token.take());
    init.default_user = told.default_user.or_else(|| init.default_user.take());
    init.default_workdir = told.default_workdir.or_else(|| init.default_workdir.take());
    StatusCode::NO_CONTENT
}

async fn envs(State(envd): State<Arc<Envd>>) -> Json<BTreeMap<String, String>> {
    Json(envd.variables())
}

/// Percent of all cores that were busy since this was last asked.
fn cpu_used() -> f64 {
    static LAST: Mutex<(u64, u64)> = Mutex::new((0, 0));
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|t| t.parse().ok())
        .collect();
    let total: u64 = ticks.iter().sum();
    // Idle, and waiting for disks.
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    let mut last = held(&LAST);
    let (passed, rested) = (total - last.0.min(total), idle - last.1.min(idle));
    *last = (total, idle);
    // Counts of ticks are far below where this loses any.
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let part = (passed - rested.min(passed)) as f64 / passed.max(1) as f64;
    part * 100.0
}

/// What the sandbox uses: of the machine's memory and cores, which it has no part of its own of.
async fn metrics() -> Json<serde_json::Value> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let bytes = |name: &str| {
        let line = meminfo.lines().find(|l| l.starts_with(name));
        let kilobytes: u64 = line
            .and_then(|l| l.split_whitespace().nth(1)?.parse().ok())
            .unwrap_or_default();
        kilobytes << 10
    };
    let (total, free) = (bytes("MemTotal:"), bytes("MemAvailable:"));
    let disk = nix::sys::statvfs::statvfs("/").ok();
    let size = |blocks: u64| disk.as_ref().map_or(0, |d| blocks * d.fragment_size());
    Json(json!({
        "ts": jiff::Timestamp::now().as_second(),
        "cpu_count": std::thread::available_parallelism().map_or(1, usize::from),
        "cpu_used_pct": cpu_used(),
        "mem_total": total,
        "mem_used": total.saturating_sub(free),
        "mem_cache": bytes("Cached:"),
        "disk_total": disk.as_ref().map_or(0, |d| size(d.blocks())),
        "disk_used": disk.as_ref().map_or(0, |d| size(d.blocks() - d.blocks_free())),
    }))
}
