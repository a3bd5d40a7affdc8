//! Beginning a render: a workspace of its own in the sandbox, and the renderer in it.

use super::{DEADLINE, Ended, Watch, parts};
use crate::{StudioError, environment::Contents};
use koda_domain::{
    EventBody, SandboxId,
    render::RenderStatus,
    sandbox::{Exec, ProcessName, run},
    version::{Manifest, Version},
};
use std::time::Duration;

impl Watch<'_> {
    /// Begins an attempt in the session's sandbox, which is made where there is none. Between steps, each of which is done to its
    /// end, it is seen whether the render is still wanted.
    pub(super) async fn start(&mut self, version: &Version) -> Result<SandboxId, Ended> {
        let before = [self.process(), self.joiner()];
        self.render.attempts += 1;
        let attempt = self.render.attempts;
        let now = self
            .tell(vec![EventBody::RenderStarted {
                render_id: self.render.id,
                attempt,
            }])
            .await?;
        self.render.status = RenderStatus::Running;
        self.render.helpers.clear();
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
        self.at = Some(sandbox.clone());
        self.still_wanted()?;
        for process in before {
            let sandboxes = self.studio.sandboxes();
            sandboxes.kill(&sandbox, &process, Duration::ZERO).await?;
        }
        let laid = async {
            self.lay_workspace(version, &sandbox).await?;
            if parts::kept(&self.render) {
                self.lay_parts(&sandbox, 0..self.render.parts(), &[])
                    .await?;
            }
            Ok(())
        };
        laid.await.map_err(|error| self.not_laid(error))?;
        self.still_wanted()?;
        let shares = self.shares();
        let share = (shares > 1).then_some((0, shares));
        self.studio
            .sandboxes()
            .spawn(&sandbox, &self.command(self.process(), share))
            .await?;
        if shares > 1 {
            self.share(version).await?;
        }
        Ok(sandbox)
    }

    /// A workspace of its own: edits go on in `/app` while this renders.
    pub(super) async fn lay_workspace(
        &self,
        version: &Version,
        sandbox: &SandboxId,
    ) -> Result<(), StudioError> {
        self.clear(sandbox).await;
        let manifest = Manifest::new(version.engine, &version.title, &version.settings);
        let app = format!("{}/app", self.folder());
        self.studio
            .lay_out(&self.tenant, sandbox, &app, &version.files, &manifest)
            .await?;
        let modules = format!("/app/{app}/node_modules");
        let link = ["ln", "-sfn", "/app/node_modules", &modules];
        let link = Exec::new(ProcessName::new("link"), &link, Duration::from_secs(10));
        Ok(run(self.studio.sandboxes(), sandbox, &link)
            .await
            .map(drop)?)
    }

    /// The renderer, for all of the film or for one share of so many.
    pub(super) fn command(&self, name: ProcessName, share: Option<(u32, u32)>) -> Exec {
        let folder = format!("/app/{}", self.folder());
        let spec = &self.render.spec;
        let text = |n: u32| n.to_string();
        let mut argv: Vec<String> = ["koda-capture", "render", "--app"]
            .map(str::to_owned)
            .to_vec();
        argv.push(format!("{folder}/app"));
        let mut option = |name: &str, value: String| argv.extend([name.to_owned(), value]);
        option("--out", format!("{folder}/{}", self.file_name()));
        // A grainy picture of 4K is 30 MB as PNG, which only alpha is worth.
        let poster = if self.render.spec.transparent {
            "poster.png"
        } else {
            "poster.jpg"
        };
        option("--poster", format!("{folder}/{poster}"));
        option("--width", text(self.render.size.width));
        option("--height", text(self.render.size.height));
        option("--fps", text(self.render.fps));
        option("--format", spec.format.to_string());
        option("--quality", spec.quality.to_string());
        if let Some(range) = spec.range {
            option("--from", text(range.start));
            option("--to", text(range.end));
        }
        if self.crowded {
            option("--browsers", text(1));
        }
        if parts::kept(&self.render) {
            option("--parts", format!("/app/{}", self.parts_folder()));
        }
        if let Some((index, of)) = share {
            option("--share", format!("{index}/{of}"));
        }
        if spec.transparent {
            argv.push("--transparent".to_owned());
        }
        let args: Vec<&str> = argv.iter().map(String::as_str).collect();
        let progress = format!("/app/{}", self.progress_file(&name));
        let mut exec = Exec::new(name, &args, DEADLINE);
        exec.env.insert("KODA_PROGRESS".into(), progress);
        exec.env
            .insert("KODA_VITE_CACHE".into(), format!("{folder}/vite"));
        exec
    }
}
