//! Templates: names and tags, builds, and the layers that a build leaves.

use crate::{
    envd::Init,
    error::{ApiError, ApiResult},
};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The tag of a name without one.
pub const DEFAULT_TAG: &str = "default";

/// Where a build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Waiting,
    Building,
    Ready,
    Error,
}

/// A line of a build's log.
#[derive(Debug, Clone, Serialize)]
pub struct LogEntry {
    pub timestamp: Timestamp,
    pub message: String,
    pub level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// One instruction of a definition.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Step {
    #[serde(rename = "type")]
    pub kind: String,
    pub args: Vec<String>,
    pub files_hash: Option<String>,
    pub force: bool,
}

/// A definition; `POST /v2/templates/{id}/builds/{build}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Definition {
    pub from_image: Option<String>,
    pub from_template: Option<String>,
    pub force: bool,
    pub steps: Vec<Step>,
    pub start_cmd: Option<String>,
    pub ready_cmd: Option<String>,
}

/// A build of a template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Build {
    pub id: String,
    pub status: Status,
    pub created_at: Timestamp,
    #[serde(skip)]
    pub logs: Vec<LogEntry>,
    /// Why it failed, and at which step.
    pub reason: Option<(String, Option<String>)>,
    pub made: Made,
}

/// What a build leaves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Made {
    /// Folders that go over the base, the uppermost first.
    pub layers: Vec<PathBuf>,
    /// Whose processes and files are that name nobody; `user` where nothing is said.
    pub user: Option<String>,
    /// Where processes begin that name no folder.
    pub workdir: Option<String>,
    /// Variables of every process.
    pub variables: BTreeMap<String, String>,
    /// What runs in a sandbox from the beginning.
    pub start_cmd: Option<String>,
    /// Succeeds as soon as that is ready.
    pub ready_cmd: Option<String>,
}

/// See the module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Template {
    pub id: String,
    pub name: String,
    pub created_at: Timestamp,
    pub cpu_count: u32,
    pub memory_mb: u32,
    pub builds: Vec<Build>,
    /// Builds by tag.
    pub tags: BTreeMap<String, String>,
    /// Sandboxes that were made of it, by this emulator.
    #[serde(skip)]
    pub spawned: (u64, Option<Timestamp>),
}

/// A template to make a sandbox of.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub template_id: String,
    pub build_id: String,
    pub alias: Option<String>,
    pub cpu_count: u32,
    pub memory_mb: u32,
    pub made: Made,
}

impl Resolved {
    /// What envd is told of it.
    pub fn init(&self) -> Init {
        Init {
            env_vars: self.made.variables.clone(),
            access_token: None,
            default_user: self.made.user.clone(),
            default_workdir: self.made.workdir.clone(),
        }
    }
}

/// Every template.
#[derive(Default)]
pub struct Templates {
    table: Mutex<BTreeMap<String, Template>>,
}

/// A name and a tag.
pub fn split(reference: &str) -> (&str, &str) {
    reference
        .split_once(':')
        .unwrap_or((reference, DEFAULT_TAG))
}

/// Whether something can be a template's name.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_./".contains(&b))
}

impl Templates {
    /// What an emulator before this one has built in a folder, where its layers are still there.
    pub fn load(&self, file: &Path) {
        let text = std::fs::read(file).unwrap_or_default();
        let Ok(known) = serde_json::from_slice::<Vec<Template>>(&text) else {
            return;
        };
        for mut template in known {
            let there =
                |b: &Build| b.status == Status::Ready && b.made.layers.iter().all(|l| l.is_dir());
            template.builds.retain(there);
            let builds: Vec<_> = template.builds.iter().map(|b| b.id.clone()).collect();
            template.tags.retain(|_, build| builds.contains(build));
            self.table().insert(template.id.clone(), template);
        }
    }

    /// Writes down what there is.
    pub fn save(&self, file: &Path) {
        let all: Vec<Template> = self.table().values().cloned().collect();
        let written = serde_json::to_vec_pretty(&all)
            .map_err(std::io::Error::other)
            .and_then(|text| std::fs::write(file, text));
        if let Err(error) = written {
            tracing::warn!("Templates could not be written down: {error}");
        }
    }

    /// All of them.
    pub fn table(&self) -> MutexGuard<'_, BTreeMap<String, Template>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A template's id, by id or name.
    pub fn find(&self, name: &str) -> Option<String> {
        let table = self.table();
        if table.contains_key(name) {
            return Some(name.to_owned());
        }
        table
            .values()
            .find(|t| t.name == name)
            .map(|t| t.id.clone())
    }

    fn not_found(reference: &str) -> ApiError {
        ApiError::new(
            StatusCode::NOT_FOUND,
            format!("template '{reference}' not found"),
        )
    }

    /// The build that a reference `name` or `name:tag` means.
    ///
    /// # Errors
    /// 404 where there is none that is ready.
    pub fn resolve(&self, reference: &str) -> ApiResult<Resolved> {
        let (name, tag) = split(reference);
        if !is_name(name) {
            return Err(ApiError::bad(format!(
                "Invalid template reference: {reference}"
            )));
        }
        let id = self.find(name).ok_or_else(|| Self::not_found(reference))?;
        let table = self.table();
        let template = table.get(&id).ok_or_else(|| Self::not_found(reference))?;
        let build = template
            .tags
            .get(tag)
            .and_then(|build| template.builds.iter().find(|b| b.id == *build))
            .filter(|b| b.status == Status::Ready)
            .ok_or_else(|| Self::not_found(reference))?;
        Ok(Resolved {
            template_id: template.id.clone(),
            build_id: build.id.clone(),
            alias: Some(template.name.clone()),
            cpu_count: template.cpu_count,
            memory_mb: template.memory_mb,
            made: build.made.clone(),
        })
    }

    /// Changes a build.
    pub fn update(&self, template: &str, build: &str, change: impl FnOnce(&mut Template, usize)) {
        let mut table = self.table();
        if let Some(template) = table.get_mut(template)
            && let Some(at) = template.builds.iter().position(|b| b.id == build)
        {
            change(template, at);
        }
    }

    /// Adds a line to a build's log.
    pub fn log(
        &self,
        template: &str,
        build: &str,
        step: Option<&str>,
        level: &'static str,
        message: &str,
    ) {
        self.update(template, build, |template, at| {
            for line in message.lines() {
                template.builds[at].logs.push(LogEntry {
                    timestamp: Timestamp::now(),
                    message: line.to_owned(),
                    level,
                    step: step.map(str::to_owned),
                });
            }
        });
    }
}

impl Templates {
    /// A template that is ready without having been built.
    pub fn add(&self, name: &str, made: Made) {
        let build = Build {
            id: format!("built-in-{name}"),
            status: Status::Ready,
            created_at: Timestamp::now(),
            logs: vec![],
            reason: None,
            made,
        };
        let template = Template {
            id: format!("t{:x}", ulid::Ulid::generate().0)[..20].to_owned(),
            name: name.to_owned(),
            created_at: build.created_at,
            cpu_count: 2,
            memory_mb: 1024,
            tags: BTreeMap::from([(DEFAULT_TAG.to_owned(), build.id.clone())]),
            builds: vec![build],
            spawned: (0, None),
        };
        self.table().insert(template.id.clone(), template);
    }
}
