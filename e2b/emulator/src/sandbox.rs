//! A sandbox as the control plane knows it, from creation over pauses to its end.

use crate::{
    cell::Cell,
    envd::{Init, VERSION},
    error::{ApiError, ApiResult},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// What a sandbox is asked for with; `POST /v2/sandboxes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewSandbox {
    #[serde(rename = "templateID")]
    pub template_id: String,
    pub timeout: Option<i64>,
    pub auto_pause: bool,
    pub auto_resume: Option<AutoResume>,
    pub secure: Option<bool>,
    #[serde(rename = "allow_internet_access")]
    pub allow_internet_access: Option<bool>,
    pub network: Option<Network>,
    pub metadata: BTreeMap<String, String>,
    pub env_vars: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AutoResume {
    pub enabled: Value,
}

/// What a sandbox may reach, and who may reach it.
#[derive(Debug, Clone, Default, Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_public_traffic: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_out: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_out: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_request_host: Option<String>,
}

/// Where a sandbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Running,
    Paused,
    Ended,
}

/// See the module.
pub struct Sandbox {
    pub id: String,
    pub template_id: String,
    pub alias: Option<String>,
    pub cpu_count: u32,
    pub memory_mb: u32,
    pub new: NewSandbox,
    pub envd_token: Option<String>,
    pub traffic_token: Option<String>,
    inner: Mutex<Inner>,
    /// One transition at a time.
    transition: tokio::sync::Mutex<()>,
}

struct Inner {
    state: State,
    cell: Option<Cell>,
    started_at: Timestamp,
    end_at: Timestamp,
    network: Network,
    /// Connections of the present run end with it.
    run: CancellationToken,
}

/// What a template brings to a sandbox.
pub struct Origin {
    pub template_id: String,
    pub alias: Option<String>,
    pub cpu_count: u32,
    pub memory_mb: u32,
    /// User, folder and variables of the template.
    pub init: Init,
}

fn secret() -> String {
    let part = || ulid::Ulid::generate().to_string().to_lowercase();
    format!("{}{}", part(), part())
}

impl Sandbox {
    /// A sandbox in a cell that runs.
    ///
    /// # Errors
    /// Where envd does not take its orders.
    pub async fn begin(
        new: NewSandbox,
        origin: Origin,
        cell: Cell,
        secure: bool,
        life: Duration,
    ) -> anyhow::Result<Arc<Self>> {
        let random = ulid::Ulid::generate().to_string().to_lowercase();
        let id = format!("i{}", &random[7..]);
        let network = new.network.clone().unwrap_or_default();
        let private = network.allow_public_traffic == Some(false);
        let now = Timestamp::now();
        let sandbox = Self {
            template_id: origin.template_id,
            alias: origin.alias,
            cpu_count: origin.cpu_count,
            memory_mb: origin.memory_mb,
            envd_token: secure.then(secret),
            traffic_token: private.then(secret),
            inner: Mutex::new(Inner {
                state: State::Running,
                cell: None,
                started_at: now,
                end_at: now.checked_add(life).unwrap_or(now),
                network,
                run: CancellationToken::new(),
            }),
            transition: tokio::sync::Mutex::default(),
            id,
            new,
        };
        let mut init = origin.init;
        init.env_vars.extend([
            ("E2B_SANDBOX".to_owned(), "true".to_owned()),
            ("E2B_SANDBOX_ID".to_owned(), sandbox.id.clone()),
            ("E2B_TEMPLATE_ID".to_owned(), sandbox.template_id.clone()),
        ]);
        init.env_vars.extend(sandbox.new.env_vars.clone());
        init.access_token = sandbox.envd_token.clone();
        cell.init(&init).await?;
        sandbox.inner().cell = Some(cell);
        Ok(Arc::new(sandbox))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> State {
        self.inner().state
    }

    /// When it began, and when it ends.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        let inner = self.inner();
        (inner.started_at, inner.end_at)
    }

    /// Whether its time is over.
    pub fn is_over(&self) -> bool {
        let inner = self.inner();
        inner.state == State::Running && inner.end_at <= Timestamp::now()
    }

    pub fn resumes_by_traffic(&self) -> bool {
        self.new
            .auto_resume
            .as_ref()
            .is_some_and(|a| a.enabled == Value::Bool(true) || a.enabled == "any")
    }

    pub fn network(&self) -> Network {
        self.inner().network.clone()
    }

    pub fn set_network(&self, network: Network) {
        self.inner().network = network;
    }

    /// Where a running sandbox is reached, and when that is over.
    pub fn reach(&self) -> Option<(PathBuf, CancellationToken)> {
        let inner = self.inner();
        if inner.state != State::Running {
            return None;
        }
        let folder = inner.cell.as_ref()?.folder().to_owned();
        Some((folder, inner.run.clone()))
    }

    /// Lives for this long from now, but not longer than it may from its start.
    pub fn set_timeout(&self, life: Duration, max: Duration, only_longer: bool) {
        let mut inner = self.inner();
        let now = Timestamp::now();
        let latest = inner.started_at.checked_add(max).unwrap_or(now);
        let end = now.checked_add(life).unwrap_or(now).min(latest);
        if !only_longer || end > inner.end_at {
            inner.end_at = end;
        }
    }

    /// Stops where it stands; connections drop.
    ///
    /// # Errors
    /// 409 where it does not run, 404 where it has ended.
    pub async fn pause(&self) -> ApiResult<()> {
        let _one = self.transition.lock().await;
        let mut inner = self.inner();
        match inner.state {
            State::Running => {}
            State::Paused => {
                let id = &self.id;
                return Err(ApiError::conflict(format!(
                    "Error pausing sandbox - sandbox '{id}' is already paused"
                )));
            }
            State::Ended => return Err(ApiError::sandbox_not_found(&self.id)),
        }
        inner.state = State::Paused;
        inner.run.cancel();
        if let Some(cell) = &inner.cell {
            cell.freeze();
        }
        Ok(())
    }

    /// Goes on from where it was paused. False where it was running.
    ///
    /// # Errors
    /// 404 where it has ended.
    pub async fn resume(&self, life: Duration) -> ApiResult<bool> {
        let _one = self.transition.lock().await;
        let mut inner = self.inner();
        match inner.state {
            State::Running => return Ok(false),
            State::Ended => return Err(ApiError::sandbox_not_found(&self.id)),
            State::Paused => {}
        }
        if let Some(cell) = &inner.cell {
            cell.thaw();
        }
        let now = Timestamp::now();
        inner.state = State::Running;
        inner.started_at = now;
        inner.end_at = now.checked_add(life).unwrap_or(now);
        inner.run = CancellationToken::new();
        Ok(true)
    }

    /// Ends it for good. False where it had ended.
    pub async fn end(&self) -> bool {
        let _one = self.transition.lock().await;
        let cell = {
            let mut inner = self.inner();
            if inner.state == State::Ended {
                return false;
            }
            inner.state = State::Ended;
            inner.run.cancel();
            inner.cell.take()
        };
        if let Some(cell) = cell {
            cell.end().await;
        }
        true
    }

    /// The answer to its creation and to connecting.
    pub fn handle(&self) -> Value {
        let mut handle = json!({
            "templateID": self.template_id,
            "sandboxID": self.id,
            "clientID": "emulator",
            "envdVersion": VERSION,
        });
        for (name, value) in [
            ("alias", &self.alias),
            ("envdAccessToken", &self.envd_token),
            ("trafficAccessToken", &self.traffic_token),
        ] {
            if let Some(value) = value {
                handle[name] = value.clone().into();
            }
        }
        handle
    }

    /// It in a list.
    pub fn listed(&self) -> Value {
        let inner = self.inner();
        let mut listed = json!({
            "templateID": self.template_id,
            "sandboxID": self.id,
            "clientID": "emulator",
            "startedAt": inner.started_at,
            "endAt": inner.end_at,
            "cpuCount": self.cpu_count,
            "memoryMB": self.memory_mb,
            "diskSizeMB": inner.cell.as_ref().map_or(0, Cell::disk_total) >> 20,
            "metadata": self.new.metadata,
            "state": match inner.state { State::Running => "running", _ => "paused" },
            "envdVersion": VERSION,
        });
        if let Some(alias) = &self.alias {
            listed["alias"] = alias.clone().into();
        }
        listed
    }

    /// It in detail.
    pub fn detail(&self) -> Value {
        let mut detail = self.listed();
        let on_timeout = if self.new.auto_pause { "pause" } else { "kill" };
        detail["lifecycle"] =
            json!({"autoResume": self.resumes_by_traffic(), "onTimeout": on_timeout});
        detail["network"] = json!(self.network());
        if let Some(token) = &self.envd_token {
            detail["envdAccessToken"] = token.clone().into();
        }
        if let Some(allowed) = self.new.allow_internet_access {
            detail["allowInternetAccess"] = allowed.into();
        }
        detail
    }

    /// Memory and processes inside, as this machine sees them.
    pub fn usage(&self) -> Option<Value> {
        let inner = self.inner();
        let used = inner.cell.as_ref()?.memory();
        let now = Timestamp::now();
        Some(json!({
            "timestamp": now,
            "timestampUnix": now.as_second(),
            "cpuCount": self.cpu_count,
            "cpuUsedPct": inner.cell.as_ref()?.cpu_percent(),
            "memUsed": used,
            "memTotal": u64::from(self.memory_mb) << 20,
            // Files in memory are the machine's; none are counted as the sandbox's own.
            "memCache": 0,
            "diskUsed": inner.cell.as_ref()?.disk(),
            "diskTotal": inner.cell.as_ref()?.disk_total(),
        }))
    }
}
