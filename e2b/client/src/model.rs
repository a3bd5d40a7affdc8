//! What the control plane takes and says. Source: `spec/openapi.yml` of e2b-dev/E2B.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// A sandbox to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSandbox {
    /// Name, `name:tag`, or id of a template.
    pub template: String,
    /// How long it lives without being extended.
    pub timeout: Duration,
    /// What it can be found by.
    pub metadata: BTreeMap<String, String>,
    /// Variables of every process inside. Whatever runs inside can read them.
    pub env: BTreeMap<String, String>,
    /// Whether envd asks for a token.
    pub secure: bool,
    /// Whether what is inside may reach the internet.
    pub internet: bool,
    /// Whether it is paused instead of killed when its time is over.
    pub auto_pause: bool,
    /// Whether traffic resumes it when it is paused.
    pub auto_resume: bool,
    /// More about who reaches what.
    pub network: Option<Network>,
}

impl NewSandbox {
    /// A secure sandbox that lives for five minutes.
    #[must_use]
    pub fn new(template: impl Into<String>) -> Self {
        Self {
            template: template.into(),
            timeout: Duration::from_secs(300),
            metadata: BTreeMap::new(),
            env: BTreeMap::new(),
            secure: true,
            internet: true,
            auto_pause: false,
            auto_resume: false,
            network: None,
        }
    }
}

/// Who reaches what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// Whether ports can be reached without the sandbox's traffic token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_public_traffic: Option<bool>,
    /// Addresses that may be reached from inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_out: Option<Vec<String>>,
    /// Addresses that may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny_out: Option<Vec<String>>,
    /// The `Host` that servers inside see; `${PORT}` in it is the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_request_host: Option<String>,
}

/// Whether a sandbox runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SandboxState {
    /// It runs.
    Running,
    /// It is paused: files and processes are kept.
    Paused,
}

impl SandboxState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
        }
    }
}

/// What happens to a sandbox when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnTimeout {
    /// It ends.
    Kill,
    /// It is paused.
    Pause,
}

/// What happens to a sandbox by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lifecycle {
    /// Whether traffic resumes it.
    pub auto_resume: bool,
    /// What its timeout does.
    pub on_timeout: OnTimeout,
}

/// What is known of a sandbox.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxInfo {
    /// Its id.
    #[serde(rename = "sandboxID")]
    pub id: String,
    /// Its template's id.
    #[serde(rename = "templateID")]
    pub template_id: String,
    /// Its template's name.
    #[serde(default)]
    pub alias: Option<String>,
    /// Whether it runs.
    pub state: SandboxState,
    /// When it was started, or last resumed.
    pub started_at: Timestamp,
    /// When its time is over.
    pub end_at: Timestamp,
    /// What it can be found by.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// The version of envd inside.
    pub envd_version: String,
    /// Cores.
    #[serde(default)]
    pub cpu_count: u32,
    /// MiB of memory.
    #[serde(default, rename = "memoryMB")]
    pub memory_mb: u32,
    /// MiB of disk.
    #[serde(default, rename = "diskSizeMB")]
    pub disk_mb: u32,
    /// What happens by itself; not in lists.
    #[serde(default)]
    pub lifecycle: Option<Lifecycle>,
}

/// Which sandboxes to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListQuery {
    /// Those with all of this metadata.
    pub metadata: BTreeMap<String, String>,
    /// Those in one of these states; all where it is empty.
    pub states: Vec<SandboxState>,
    /// The most of one page; 100 where nothing is said.
    pub limit: Option<u32>,
}

/// What a sandbox used at a moment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// When.
    pub timestamp: Timestamp,
    /// Cores that it has.
    pub cpu_count: u32,
    /// Percent of them in use.
    pub cpu_used_pct: f64,
    /// Bytes of memory in use.
    pub mem_used: u64,
    /// Bytes of memory that it has.
    pub mem_total: u64,
    /// Bytes of disk in use.
    pub disk_used: u64,
    /// Bytes of disk that it has.
    pub disk_total: u64,
}

/// The body of a creation; what is off goes unsaid where that is E2B's default.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateBody<'a> {
    #[serde(rename = "templateID")]
    pub template_id: &'a str,
    pub timeout: u64,
    pub metadata: &'a BTreeMap<String, String>,
    pub env_vars: &'a BTreeMap<String, String>,
    pub secure: bool,
    #[serde(rename = "allow_internet_access")]
    pub allow_internet_access: bool,
    pub auto_pause: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_resume: Option<AutoResume>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<&'a Network>,
}

#[derive(Serialize)]
pub(crate) struct AutoResume {
    pub enabled: bool,
}

/// The answer to creating and connecting.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handle {
    #[serde(rename = "sandboxID")]
    pub sandbox_id: String,
    pub envd_version: String,
    #[serde(default)]
    pub envd_access_token: Option<String>,
    #[serde(default)]
    pub traffic_access_token: Option<String>,
    #[serde(default)]
    pub domain: Option<String>,
}
