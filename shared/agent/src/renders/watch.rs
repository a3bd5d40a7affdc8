//! Watching a render: how far it is, what of it is whole, and what it ended with.

use super::{Ended, LOOK, Watch, parts};
use crate::workspace::own_path;
use koda_domain::{
    EventBody, SandboxId,
    render::RenderProgress,
    sandbox::{EndedBy, ExitStatus, ProcessName, ProcessStatus, SandboxError},
};
use serde_json::Value;
use std::iter;

/// The longest last line.
const LAST_BYTES: u64 = 1 << 20;
/// How often in a row a helper may not answer before its share is taken for lost.
const MISSES: u32 = 20;

/// What a sandbox's renderer does, and what it said last.
pub(super) struct Heard {
    pub status: ProcessStatus,
    pub said: Value,
}

impl Heard {
    fn kind(&self) -> &str {
        self.said["type"].as_str().unwrap_or_default()
    }

    fn progress(&self) -> Option<RenderProgress> {
        let tells = self.kind() == "progress";
        tells
            .then(|| serde_json::from_value(self.said.clone()).ok())
            .flatten()
    }

    /// Whether it failed because a program that it had started ended.
    fn lost_a_program(&self) -> bool {
        let code = self.said["code"].as_str();
        matches!(code, Some("browser_failed" | "encoder_failed"))
    }

    /// Frames that it has done, of those that it is to do.
    fn done(&self) -> u32 {
        match self.kind() {
            "progress" => self.progress().map_or(0, |progress| progress.frame),
            _ => self.said["frames"]
                .as_u64()
                .and_then(|frames| u32::try_from(frames).ok())
                .unwrap_or_default(),
        }
    }
}

impl Watch<'_> {
    /// Asks a sandbox what a process of the render does.
    async fn hear(
        &self,
        sandbox: &SandboxId,
        process: &ProcessName,
    ) -> Result<Heard, SandboxError> {
        let sandboxes = self.studio.sandboxes();
        // The status first: what ends in between has said its last word then.
        let status = sandboxes.process(sandbox, process).await?;
        let path = own_path(&self.progress_file(process))?;
        let said = match sandboxes.read(sandbox, &path, LAST_BYTES).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes)
                .lines()
                .rev()
                .find_map(|line| serde_json::from_str(line.trim()).ok())
                .unwrap_or_default(),
            Err(SandboxError::NotFound(_)) => Value::Null,
            Err(error) => return Err(error),
        };
        Ok(Heard { status, said })
    }

    /// Asks the session's own sandbox: who joins, where that has begun, else who draws.
    async fn hear_own(&self, sandbox: &SandboxId) -> Result<Heard, SandboxError> {
        if parts::kept(&self.render) {
            let joins = self.hear(sandbox, &self.joiner()).await?;
            if joins.status != ProcessStatus::Unknown {
                return Ok(joins);
            }
        }
        self.hear(sandbox, &self.process()).await
    }

    /// Follows the render until it ends; returns its last line.
    pub(super) async fn watch(&mut self, sandbox: &SandboxId) -> Result<Value, Ended> {
        let mut told = None;
        loop {
            let own = self.hear_own(sandbox).await?;
            let team = self.hear_helpers().await;
            self.misses = if team.missed { self.misses + 1 } else { 0 };
            let whole = iter::once((sandbox.clone(), own.said.clone())).chain(team.whole.clone());
            // Nobody who cancels waits for a large part to come home.
            let brought = self.if_wanted(self.bring_parts(whole.collect())).await?;
            self.fruitful |= brought.iter().any(|(_, new)| *new);
            self.home.extend(brought.iter().map(|(part, _)| part));
            match &own.status {
                ProcessStatus::Running => {}
                ProcessStatus::Unknown => return Err(SandboxError::Gone.into()),
                ProcessStatus::Exited(_) if own.kind() == "drawn" => {
                    if team.working == 0 {
                        // Whatever others have not brought, it draws itself.
                        self.let_helpers_go().await;
                        self.join(sandbox, &own.said).await?;
                    }
                }
                ProcessStatus::Exited(status) => {
                    return match own.kind() {
                        "rendered" => Ok(own.said),
                        // Where the kernel holds the limit, it ends a browser or FFmpeg, and the renderer tells only of that.
                        "error" if !(own.lost_a_program() && by_memory(status)) => Ok(own.said),
                        _ => Err(self.unsaid(status)),
                    };
                }
            }
            let mine = own.progress();
            if let Some(mine) = mine.or_else(|| team.progress.clone()) {
                let progress = self.together(mine, own.done(), &team);
                if told.as_ref() != Some(&progress) {
                    told = Some(progress.clone());
                    self.tell(vec![EventBody::RenderProgressed {
                        render_id: self.render.id,
                        progress,
                    }])
                    .await?;
                }
            }
            self.studio.touch(sandbox).await;
            self.if_wanted(tokio::time::sleep(LOOK)).await?;
        }
    }

    /// What several sandboxes have done together.
    fn together(&self, mine: RenderProgress, done: u32, team: &Team) -> RenderProgress {
        if self.render.helpers.is_empty() {
            return mine;
        }
        let fps = mine.fps + team.fps;
        let total = self.render.frames;
        let frame = (done + team.frames).min(total);
        RenderProgress {
            frame,
            total,
            fps,
            seconds_left: (fps > 0.0)
                .then(|| (f64::from(total - frame) / fps * 10.0).round() / 10.0),
            ..mine
        }
    }

    /// Asks every helper.
    async fn hear_helpers(&self) -> Team {
        let mut team = Team::default();
        for helper in &self.render.helpers {
            let heard = match self.hear(helper, &self.process()).await {
                Ok(heard) => heard,
                // It has no share any more: the session's own sandbox draws that.
                Err(SandboxError::Gone) => continue,
                Err(_) => {
                    team.missed = true;
                    team.working += usize::from(self.misses < MISSES);
                    continue;
                }
            };
            self.studio.touch(helper).await;
            team.frames += heard.done();
            if let Some(progress) = heard.progress() {
                team.fps += progress.fps;
                team.progress.get_or_insert(progress);
            }
            // One that failed has no share any more either; what is the composition's fault is met there again.
            team.working += usize::from(heard.status == ProcessStatus::Running);
            team.whole.push((helper.clone(), heard.said));
        }
        team
    }
}

/// What all helpers do.
#[derive(Default)]
struct Team {
    /// Their last words, which say what of theirs is whole.
    whole: Vec<(SandboxId, Value)>,
    working: usize,
    frames: u32,
    fps: f64,
    progress: Option<RenderProgress>,
    /// Whether one did not answer.
    missed: bool,
}

fn by_memory(status: &ExitStatus) -> bool {
    status.ended_by == Some(EndedBy::Memory)
}
