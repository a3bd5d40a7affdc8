//! Beginning a render: a workspace of its own in the sandbox, and the renderer in it.

use super::{DEADLINE, Ended, Watch};
use crate::environment::Contents;
use koda_domain::{
    EventBody, SandboxId,
    render::RenderStatus,
    sandbox::{Exec, ProcessName, run},
    store::SessionHead,
    version::{Manifest, Version},
};
use std::time::Duration;

impl Watch<'_> {
    pub(super) async fn start(
        &mut self,
        head: &SessionHead,
        version: &Version,
    ) -> Result<SandboxId, Ended> {
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
        if self.render.attempts > 1 {
            // What failed before may have been too much at once.
            option("--browsers", text(1));
        }
        if spec.transparent {
            argv.push("--transparent".to_owned());
        }
        let args: Vec<&str> = argv.iter().map(String::as_str).collect();
        let mut exec = Exec::new(name, &args, DEADLINE);
        exec.env
            .insert("KODA_PROGRESS".into(), format!("{folder}/log.ndjson"));
        exec.env
            .insert("KODA_VITE_CACHE".into(), format!("{folder}/vite"));
        exec
    }
}
