//! E2B, served over processes of this machine: a test tool, and a way to try the E2B path offline.
//!
//! It is no sandbox for production: what runs inside shares this machine's kernel, and templates share its system.

mod build;
mod cell;
mod control;
mod edge;
pub mod envd;
mod error;
pub mod fault;
mod sandbox;
mod server;
mod templates;

pub use cell::enter::{Entry, enter};
pub use templates::Made;

use anyhow::Context;
use cell::{Cell, Plan};
use sandbox::Sandbox;
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use templates::{Resolved, Templates};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often it is looked for sandboxes whose time is over.
const TICK: Duration = Duration::from_millis(50);
/// How long a template's start command may take to be ready.
const READY: Duration = Duration::from_secs(120);

/// How an emulator is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes any.
    pub listen: SocketAddr,
    /// The only key that it knows.
    pub api_key: String,
    /// This crate's program, for what runs inside.
    pub program: PathBuf,
    /// Where templates stay from one run to the next; a folder that goes with the emulator where there is none.
    pub folder: Option<PathBuf>,
    /// The longest that a sandbox runs at a stretch: an hour in the hobby plan.
    pub max_life: Duration,
    /// The most sandboxes at once: 20 in the hobby plan.
    pub max_sandboxes: usize,
    /// Variables of template builds, such as those that let npm reach its registry here.
    pub build_env: BTreeMap<String, String>,
}

impl Options {
    /// The hobby plan's limits, on any port of the loopback.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: format!("e2b_{}", "0".repeat(40)),
            program,
            folder: None,
            max_life: Duration::from_secs(3600),
            max_sandboxes: 20,
            build_env: BTreeMap::new(),
        }
    }
}

/// Everything that there is.
pub(crate) struct World {
    options: Options,
    folder: PathBuf,
    /// For cells; it goes with the emulator.
    scratch: tempfile::TempDir,
    sandboxes: Mutex<HashMap<String, Arc<Sandbox>>>,
    templates: Templates,
    pending_tags: Mutex<HashMap<String, Vec<String>>>,
    /// Cells that wait with their start command running, as snapshots do, by build.
    spare: Mutex<HashMap<String, Cell>>,
    faults: fault::Faults,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn sandboxes(&self) -> MutexGuard<'_, HashMap<String, Arc<Sandbox>>> {
        held(&self.sandboxes)
    }

    fn sandbox(&self, id: &str) -> Option<Arc<Sandbox>> {
        self.sandboxes()
            .get(id)
            .cloned()
            .filter(|s| !s.is_over() || s.new.auto_pause)
    }

    fn all(&self) -> Vec<Arc<Sandbox>> {
        let sandboxes: Vec<_> = self.sandboxes().values().cloned().collect();
        sandboxes
            .into_iter()
            .filter(|s| !s.is_over() || s.new.auto_pause)
            .collect()
    }

    fn pending_tags(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        held(&self.pending_tags)
    }

    fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    fn templates_file(&self) -> PathBuf {
        self.folder.join("templates.json")
    }

    fn base(&self) -> PathBuf {
        self.folder.join("base")
    }

    fn cell_folder(&self) -> PathBuf {
        self.scratch
            .path()
            .join(ulid::Ulid::generate().to_string().to_lowercase())
    }

    async fn clear(&self) {
        let all: Vec<_> = self.sandboxes().drain().map(|(_, s)| s).collect();
        for sandbox in all {
            sandbox.end().await;
        }
    }

    /// A cell of a template whose start command is running and ready.
    async fn boot(&self, template: &Resolved) -> anyhow::Result<Cell> {
        let mut lower = template.made.layers.clone();
        lower.push(self.base());
        let cell = Cell::start(Plan {
            folder: self.cell_folder(),
            lower,
            upper: None,
            program: self.options.program.clone(),
            network: false,
        })
        .await?;
        cell.init(&template.init()).await?;
        if let Some(command) = &template.made.start_cmd {
            cell.launch(command).await?;
            if let Some(command) = &template.made.ready_cmd {
                let began = Instant::now();
                while !cell.succeeds(command).await? {
                    anyhow::ensure!(began.elapsed() < READY, "the ready command did not succeed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        Ok(cell)
    }

    /// A cell for a new sandbox: one that waits where the template starts something, and another takes its place.
    async fn take_cell(self: &Arc<Self>, template: &Resolved) -> anyhow::Result<Cell> {
        if template.made.start_cmd.is_none() {
            return self.boot(template).await;
        }
        let spare = held(&self.spare).remove(&template.build_id);
        let cell = match spare {
            Some(cell) => cell,
            None => self.boot(template).await?,
        };
        let (world, template) = (self.clone(), template.clone());
        tokio::spawn(async move {
            match world.boot(&template).await {
                Ok(cell) => drop(held(&world.spare).insert(template.build_id, cell)),
                Err(error) => tracing::warn!("A spare sandbox did not come up: {error:#}"),
            }
        });
        Ok(cell)
    }
}

/// An emulator that runs, until it is dropped.
pub struct Emulator {
    /// Where it listens.
    pub address: SocketAddr,
    world: Arc<World>,
    _stop: DropGuard,
}

impl Emulator {
    /// Starts one.
    ///
    /// # Errors
    /// Where it cannot listen, or its folders cannot be made.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let scratch = tempfile::Builder::new().prefix("e2b-").tempdir()?;
        let folder = options
            .folder
            .clone()
            .unwrap_or_else(|| scratch.path().join("state"));
        for name in ["layers", "templates"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        if !folder.join("base").exists() {
            cell::enter::lay_base(&folder.join("base"))?;
        }
        let listener = tokio::net::TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        let world = Arc::new(World {
            options,
            folder,
            scratch,
            sandboxes: Mutex::default(),
            templates: Templates::default(),
            pending_tags: Mutex::default(),
            spare: Mutex::default(),
            faults: fault::Faults::default(),
        });
        world.templates.load(&world.templates_file());
        if world.templates.find("base").is_none() {
            world.templates.add("base", Made::default());
        }
        let stop = CancellationToken::new();
        tokio::spawn(server::serve(world.clone(), listener, stop.clone()));
        tokio::spawn(expire(Arc::downgrade(&world), stop.clone()));
        Ok(Self {
            address,
            world,
            _stop: stop.drop_guard(),
        })
    }

    /// Its address as a URL: of the control plane, and of every sandbox by routing headers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it knows.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.world.options.api_key
    }

    /// Replaces the script of what goes wrong.
    pub fn set_faults(&self, faults: Vec<fault::Fault>) {
        self.world.faults.set(faults);
    }

    /// A template that is there without having been built.
    pub fn add_template(&self, name: &str, made: Made) {
        self.world.templates.add(name, made);
    }

    /// Ends every sandbox, and waits until they have ended.
    pub async fn clear(&self) {
        self.world.clear().await;
        held(&self.world.spare).clear();
    }
}

/// Ends, or pauses, what is over.
async fn expire(world: std::sync::Weak<World>, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(TICK))
        .await
        .is_some()
    {
        let Some(world) = world.upgrade() else { return };
        let over: Vec<_> = world
            .sandboxes()
            .values()
            .filter(|s| s.is_over())
            .cloned()
            .collect();
        for sandbox in over {
            if sandbox.new.auto_pause {
                let _ = sandbox.pause().await;
            } else {
                world.sandboxes().remove(&sandbox.id);
                sandbox.end().await;
            }
        }
    }
}
