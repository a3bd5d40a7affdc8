//! Render jobs: detached in the sandbox, watched by whoever holds the lease, finished by whoever looks.

use crate::{Studio, StudioError, commit::Writer, environment::Contents, workspace::own_path};
use futures_util::StreamExt;
use koda_domain::{
    EventBody, SandboxId, SessionId,
    format::Size,
    objects::{ObjectError, ObjectKey},
    render::{Render, RenderFailure, RenderOutput, RenderProgress, RenderStatus},
    sandbox::{Exec, ProcessName, ProcessStatus, SandboxError, run},
    store::{Lease, SessionHead, StoreError},
    version::{Manifest, Version},
};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often a running render is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long a render may take.
const DEADLINE: Duration = Duration::from_secs(2 * 3600);
/// How long a cancelled render has to clean up after itself.
const GRACE: Duration = Duration::from_millis(800);
/// The longest progress log.
const LOG_BYTES: u64 = 4 << 20;
/// How often a render is begun where its sandbox was lost or its browser died.
const ATTEMPTS: u32 = 2;

/// Why the watch over a render ended without a result of its own.
enum Ended {
    /// Another worker watches, or the process shuts down: say nothing.
    Silently,
    /// Somebody cancelled it.
    Cancelled,
    /// It may work when begun again.
    Again(RenderFailure),
    /// It will not.
    Failed(RenderFailure),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fenced | StoreError::NotFound => Self::Silently,
            other => Self::Again(failure(
                "store_unavailable",
                &format!("Saving failed: {other}."),
            )),
        }
    }
}

impl From<SandboxError> for Ended {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Rejected(why) | SandboxError::OverLimit(why) => {
                Self::Failed(failure("sandbox_refused", &why))
            }
            other => Self::Again(failure(
                "sandbox_lost",
                &format!("The sandbox was lost: {other}."),
            )),
        }
    }
}

impl From<StudioError> for Ended {
    fn from(error: StudioError) -> Self {
        match error {
            StudioError::Sandbox(error) => error.into(),
            StudioError::Store(error) => error.into(),
            StudioError::NotFound => Self::Silently,
            other => Self::Again(failure(
                "storage_unavailable",
                &format!("Saving failed: {other}."),
            )),
        }
    }
}

fn failure(code: &str, message: &str) -> RenderFailure {
    RenderFailure {
        code: code.into(),
        message: message.into(),
        frame: None,
    }
}

/// A render at work.
struct Watch<'a> {
    studio: &'a Studio,
    session: SessionId,
    render: Render,
    lease: &'a Lease,
    cancel: CancellationToken,
}

impl Studio {
    /// Works off a session's renders, one after the other, if no other worker does; whether one does.
    pub(crate) async fn work_renders(
        &self,
        session: SessionId,
        shutdown: &CancellationToken,
    ) -> bool {
        let Some(Ok(_slot)) = shutdown
            .run_until_cancelled(self.render_slots.acquire())
            .await
        else {
            return false;
        };
        let owner = format!("{}/{}", self.parts.owner, self.ids().ulid());
        let key = format!("render/{session}");
        let taken = self
            .store()
            .acquire(&key, &owner, self.clock().now(), self.options().lease)
            .await;
        let Ok(Some(lease)) = taken else { return true };
        let cancel = shutdown.child_token();
        let work = async {
            while !cancel.is_cancelled() {
                let Ok(head) = self.store().session_any(session).await else {
                    break;
                };
                let Some(render) = head
                    .state
                    .renders
                    .iter()
                    .find(|r| !r.status.is_final())
                    .cloned()
                else {
                    break;
                };
                let watch = Watch {
                    studio: self,
                    session,
                    render,
                    lease: &lease,
                    cancel: cancel.clone(),
                };
                if !Box::pin(watch.run(head)).await {
                    break;
                }
            }
            cancel.cancel();
        };
        tokio::join!(work, self.keep_lease(lease.clone(), cancel.clone()));
        let _ = self.store().release(&lease).await;
        false
    }
}

impl Watch<'_> {
    /// Does one render to its end. False where this worker must let go.
    async fn run(mut self, head: SessionHead) -> bool {
        let id = self.render.id;
        loop {
            let cancel = self.cancel.clone();
            let ended = match cancel.run_until_cancelled(self.attempt(&head)).await {
                None => Ended::Silently,
                Some(Ok(output)) => {
                    info!(render.id = %id, "Render {id} is ready");
                    return self
                        .tell(vec![EventBody::RenderReady {
                            render_id: id,
                            output,
                        }])
                        .await
                        .is_ok();
                }
                Some(Err(ended)) => ended,
            };
            let event = match ended {
                Ended::Silently => return false,
                Ended::Cancelled => EventBody::RenderCancelled { render_id: id },
                Ended::Again(failure) if self.render.attempts < ATTEMPTS => {
                    warn!(render.id = %id, code = failure.code, "Render {id} begins again: {}", failure.message);
                    self.render.status = RenderStatus::Queued;
                    continue;
                }
                Ended::Again(failure) | Ended::Failed(failure) => {
                    warn!(render.id = %id, code = failure.code, "Render {id} failed: {}", failure.message);
                    EventBody::RenderFailed {
                        render_id: id,
                        failure,
                    }
                }
            };
            return self.tell(vec![event]).await.is_ok();
        }
    }

    async fn tell(&self, events: Vec<EventBody>) -> Result<SessionHead, StoreError> {
        let writer = Writer {
            lease: Some(self.lease),
            turn: None,
        };
        self.studio
            .commit(self.session, writer, |_| {
                Ok::<_, StoreError>(events.clone())
            })
            .await
    }

    fn process(&self) -> ProcessName {
        ProcessName::new(self.render.id.to_string())
    }

    fn folder(&self) -> String {
        format!(".koda/renders/{}", self.render.id)
    }

    /// Begins the render, or finds it at work, and brings home what it makes.
    async fn attempt(&mut self, head: &SessionHead) -> Result<RenderOutput, Ended> {
        let version = self.studio.version_of(head, self.render.version_id).await?;
        let sandbox = match self.running_in(head).await? {
            Some(sandbox) => sandbox,
            None => self.start(head, &version).await?,
        };
        let last = self.watch(&sandbox).await;
        let result = match last {
            Ok(last) => self.bring_home(head, &version, &sandbox, &last).await,
            Err(ended) => Err(ended),
        };
        if !matches!(result, Err(Ended::Silently)) {
            self.clear(&sandbox).await;
        }
        result
    }

    /// The sandbox where this render runs or has ended already: a worker that died may have begun it.
    async fn running_in(&self, head: &SessionHead) -> Result<Option<SandboxId>, Ended> {
        if self.render.status != RenderStatus::Running {
            return Ok(None);
        }
        let head = self.studio.store().session_any(head.id).await?;
        let Some(id) = head.state.sandbox.and_then(|s| s.id) else {
            return Ok(None);
        };
        match self.studio.sandboxes().process(&id, &self.process()).await {
            Ok(ProcessStatus::Unknown) | Err(SandboxError::Gone) => Ok(None),
            Ok(_) => Ok(Some(id)),
            Err(error) => Err(error.into()),
        }
    }

    async fn start(&mut self, head: &SessionHead, version: &Version) -> Result<SandboxId, Ended> {
        self.render.attempts += 1;
        let attempt = self.render.attempts;
        let now = self
            .tell(vec![EventBody::RenderStarted {
                render_id: self.render.id,
                attempt,
            }])
            .await?;
        self.render.status = RenderStatus::Running;
        let sandbox = if now.state.engine() == Some(version.engine) {
            self.studio.prepare_working(&now).await?
        } else {
            let manifest = Manifest::new(version.engine, &version.title, &version.settings);
            let contents = Contents {
                files: &version.files,
                manifest: Some(&manifest),
            };
            self.studio.prepare(&now, version.engine, contents).await?
        };
        // A workspace of its own: edits go on in `/app` while this renders.
        let manifest = Manifest::new(version.engine, &version.title, &version.settings);
        let app = format!("{}/app", self.folder());
        self.studio
            .lay_out(&head.tenant, &sandbox, &app, &version.files, &manifest)
            .await?;
        let name = self.process();
        self.studio
            .sandboxes()
            .kill(&sandbox, &name, Duration::ZERO)
            .await?;
        let modules = format!("/app/{app}/node_modules");
        let link = ["ln", "-sfn", "/app/node_modules", &modules];
        let link = Exec::new(ProcessName::new("link"), &link, Duration::from_secs(10));
        run(self.studio.sandboxes(), &sandbox, &link).await?;
        self.studio
            .sandboxes()
            .spawn(&sandbox, &self.command(name))
            .await?;
        Ok(sandbox)
    }

    fn command(&self, name: ProcessName) -> Exec {
        let folder = format!("/app/{}", self.folder());
        let spec = &self.render.spec;
        let text = |n: u32| n.to_string();
        // The shell only opens the progress log and becomes the renderer; what it runs is this constant.
        let redirect = r#"exec "$@" > "$KODA_PROGRESS""#;
        let mut argv: Vec<String> = [
            "sh",
            "-c",
            redirect,
            "sh",
            "koda-capture",
            "render",
            "--app",
        ]
        .map(str::to_owned)
        .to_vec();
        argv.push(format!("{folder}/app"));
        let mut option = |name: &str, value: String| argv.extend([name.to_owned(), value]);
        option("--out", format!("{folder}/{}", self.file_name()));
        option("--poster", format!("{folder}/poster.png"));
        option("--width", text(self.render.size.width));
        option("--height", text(self.render.size.height));
        option("--fps", text(self.render.fps));
        option("--format", spec.format.to_string());
        option("--quality", spec.quality.to_string());
        if let Some(range) = spec.range {
            option("--from", text(range.start));
            option("--to", text(range.end));
        }
        if spec.transparent {
            argv.push("--transparent".to_owned());
        }
        let args: Vec<&str> = argv.iter().map(String::as_str).collect();
        let mut exec = Exec::new(name, &args, DEADLINE);
        exec.env
            .insert("KODA_PROGRESS".into(), format!("{folder}/log.ndjson"));
        // Another dev server than the preview's, with a cache of its own.
        exec.env.insert("KODA_PORT".into(), "5180".into());
        exec.env.insert("KODA_SOCKET".into(), String::new());
        exec.env
            .insert("KODA_VITE_CACHE".into(), format!("{folder}/vite"));
        exec
    }

    fn file_name(&self) -> String {
        format!("out.{}", self.render.spec.format.extension())
    }

    /// Follows the render until it ends; returns its last line.
    async fn watch(&self, sandbox: &SandboxId) -> Result<Value, Ended> {
        let name = self.process();
        let log = own_path(&format!("{}/log.ndjson", self.folder()))?;
        let mut told = None;
        loop {
            let status = self.studio.sandboxes().process(sandbox, &name).await?;
            let lines = match self.studio.sandboxes().read(sandbox, &log, LOG_BYTES).await {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(SandboxError::NotFound(_)) => String::new(),
                Err(error) => return Err(error.into()),
            };
            let last = lines
                .lines()
                .rev()
                .find_map(|line| serde_json::from_str::<Value>(line).ok());
            match status {
                ProcessStatus::Running => {}
                ProcessStatus::Unknown => return Err(SandboxError::Gone.into()),
                ProcessStatus::Exited(status) => {
                    return last.filter(|l| l["type"] != "progress").ok_or_else(|| {
                        let how = status
                            .ended_by
                            .map_or(String::new(), |by| format!(", ended by {by:?}"));
                        let message = format!("The renderer ended with code {}{how}.", status.code);
                        Ended::Again(failure("renderer_ended", &message))
                    });
                }
            }
            let progress =
                last.and_then(|line| serde_json::from_value::<RenderProgress>(line).ok());
            if let Some(progress) = progress.filter(|p| told.as_ref() != Some(p)) {
                told = Some(progress.clone());
                self.tell(vec![EventBody::RenderProgressed {
                    render_id: self.render.id,
                    progress,
                }])
                .await?;
            }
            let head = self.studio.store().session_any(self.session).await?;
            match head.state.render(self.render.id) {
                None => return Err(Ended::Silently),
                Some(render) if render.cancel_requested => {
                    self.studio.sandboxes().kill(sandbox, &name, GRACE).await?;
                    return Err(Ended::Cancelled);
                }
                Some(_) => {}
            }
            self.studio.touch(sandbox).await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Takes the file out of the sandbox into the object store.
    async fn bring_home(
        &self,
        head: &SessionHead,
        version: &Version,
        sandbox: &SandboxId,
        last: &Value,
    ) -> Result<RenderOutput, Ended> {
        if last["type"] != "rendered" {
            let code = last["code"].as_str().unwrap_or("renderer_failed");
            let failure = RenderFailure {
                code: code.to_owned(),
                message: last["message"]
                    .as_str()
                    .unwrap_or("The renderer failed.")
                    .to_owned(),
                frame: last["frame"].as_u64().and_then(|f| u32::try_from(f).ok()),
            };
            return Err(match code {
                "cancelled" => Ended::Cancelled,
                "browser_failed" | "encoder_failed" => Ended::Again(failure),
                _ => Ended::Failed(failure),
            });
        }
        let spec = &self.render.spec;
        let key = ObjectKey::render(&head.tenant, self.render.id, spec.format.extension());
        let media_type = spec.format.media_type();
        let path = own_path(&format!("{}/{}", self.folder(), self.file_name()))?;
        let stream = self.studio.sandboxes().read_stream(sandbox, &path).await?;
        let stream = stream.map(|piece| piece.map_err(|e| ObjectError::Unavailable(e.to_string())));
        let meta = self
            .studio
            .objects()
            .put_stream(&key, media_type, stream.boxed())
            .await
            .map_err(|e| Ended::from(StudioError::from(e)))?;
        let number = |name: &str| {
            last[name]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or_default()
        };
        Ok(RenderOutput {
            object: key.to_string(),
            filename: file_name(&version.title, version.number, spec.format.extension()),
            media_type: media_type.to_owned(),
            bytes: meta.size,
            sha256: last["sha256"].as_str().unwrap_or_default().to_owned(),
            size: Size {
                width: number("width"),
                height: number("height"),
            },
            fps: last["fps"].as_f64().unwrap_or_default(),
            frames: number("frames"),
            duration_seconds: last["duration_seconds"].as_f64().unwrap_or_default(),
            capture: last["capture"].as_str().unwrap_or_default().to_owned(),
            seconds: last["seconds"].as_f64().unwrap_or_default(),
            poster: self.keep_poster(head, sandbox).await,
        })
    }

    async fn keep_poster(&self, head: &SessionHead, sandbox: &SandboxId) -> Option<String> {
        let path = own_path(&format!("{}/poster.png", self.folder())).ok()?;
        let bytes = self
            .studio
            .sandboxes()
            .read(sandbox, &path, crate::workspace::PICTURE_BYTES)
            .await
            .ok()?;
        let key = ObjectKey::render(&head.tenant, self.render.id, "poster.png");
        self.studio
            .objects()
            .put(&key, "image/png", bytes)
            .await
            .ok()?;
        Some(key.to_string())
    }

    async fn clear(&self, sandbox: &SandboxId) {
        if let Ok(path) = own_path(&self.folder()) {
            let _ = self.studio.sandboxes().remove(sandbox, vec![path]).await;
        }
    }
}

/// A name to save a file under: plain, short, and different for each version.
fn file_name(title: &str, number: u32, extension: &str) -> String {
    let plain: String = title
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<_> = plain.split('-').filter(|w| !w.is_empty()).collect();
    let name: String = words.join("-").chars().take(60).collect();
    let name = if name.is_empty() {
        "animation".to_owned()
    } else {
        name
    };
    format!("{name}-v{number}.{extension}")
}
