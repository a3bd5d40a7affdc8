//! Building a template: each step in a cell whose writes become the template's layer.
//!
//! The system under a template is this machine's, whatever image it names: packages cannot be installed, and a step that
//! asks for some passes where the machine has them.

use crate::{
    World,
    cell::{Cell, Plan},
    templates::{Definition, Made, Status, Step},
};
use anyhow::{Context, bail};
use serde_json::json;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Stands in for apt-get: says which of the packages this machine does not have.
const APT: &str = include_str!("build/apt-get.sh");
/// Unpacks the files of a COPY step and puts them where they belong.
const COPY: &str = include_str!("build/copy.sh");

struct Builder<'a> {
    world: &'a World,
    template: &'a str,
    build: &'a str,
    cell: Cell,
    made: Made,
}

/// Runs a build to its end, and writes down how it went.
pub async fn run(world: Arc<World>, template: String, build: String, definition: Definition) {
    let mut at_step = None;
    let done = all(&world, &template, &build, definition, &mut at_step).await;
    let tags = world.pending_tags().remove(&build).unwrap_or_default();
    match done {
        Ok(made) => {
            let log = "Build finished";
            world.templates.log(&template, &build, None, "info", log);
            world.templates.update(&template, &build, |template, at| {
                template.builds[at].status = Status::Ready;
                template.builds[at].made = made;
                for tag in tags {
                    template.tags.insert(tag, build.clone());
                }
            });
            world.templates.save(&world.templates_file());
        }
        Err(error) => {
            let message = format!("{error:#}");
            let step = at_step.as_deref();
            world
                .templates
                .log(&template, &build, step, "error", &message);
            world.templates.update(&template, &build, |template, at| {
                template.builds[at].status = Status::Error;
                template.builds[at].reason = Some((message, at_step));
            });
        }
    }
}

async fn all(
    world: &Arc<World>,
    template: &str,
    build: &str,
    definition: Definition,
    at_step: &mut Option<String>,
) -> anyhow::Result<Made> {
    let mut made = match (&definition.from_template, &definition.from_image) {
        (Some(parent), _) => match world.templates.resolve(parent) {
            Ok(parent) => parent.made,
            Err(_) => bail!("template '{parent}' not found"),
        },
        (None, Some(_)) => Made::default(),
        (None, None) => bail!("one of fromImage and fromTemplate is needed"),
    };
    let layer = world.folder().join("templates").join(build);
    let tools = layer.with_extension("tools");
    lay_tools(&tools)?;
    let mut lower = vec![tools];
    lower.extend(made.layers.iter().cloned());
    lower.push(world.base());
    // Building has the network, as at E2B.
    let cell = Cell::start(Plan {
        folder: world.cell_folder(),
        lower,
        upper: Some(layer.clone()),
        program: world.options.program.clone(),
        network: true,
    })
    .await?;
    made.start_cmd = definition.start_cmd.or(made.start_cmd);
    made.ready_cmd = definition.ready_cmd.or(made.ready_cmd);
    let mut builder = Builder {
        world,
        template,
        build,
        cell,
        made,
    };
    // Steps are numbered from 1; what goes before them is "base", what comes after "finalize".
    for (number, step) in definition.steps.iter().enumerate() {
        let name = (number + 1).to_string();
        *at_step = Some(name.clone());
        let line = format!(
            "[builder {name}/{}] {} {}",
            definition.steps.len(),
            step.kind,
            step.args.join(" ")
        );
        world
            .templates
            .log(template, build, Some(&name), "info", &line);
        builder.step(step, &name).await?;
    }
    *at_step = Some("finalize".into());
    let mut made = builder.finish().await;
    made.layers.insert(0, layer);
    if made.start_cmd.is_some() {
        world.templates.log(
            template,
            build,
            Some("finalize"),
            "info",
            "Running start command",
        );
        let resolved = crate::templates::Resolved {
            template_id: template.to_owned(),
            build_id: build.to_owned(),
            alias: None,
            cpu_count: 0,
            memory_mb: 0,
            made: made.clone(),
        };
        world
            .boot(&resolved)
            .await
            .context("the start command did not get ready")?;
    }
    Ok(made)
}

fn lay_tools(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let bin = folder.join("opt/e2b-emulator/bin");
    std::fs::create_dir_all(&bin)?;
    for name in ["apt-get", "apt"] {
        std::fs::write(bin.join(name), APT)?;
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

impl Builder<'_> {
    fn user(&self) -> String {
        self.made.user.clone().unwrap_or_else(|| "user".into())
    }

    async fn step(&mut self, step: &Step, name: &str) -> anyhow::Result<()> {
        let argument = |n: usize| {
            step.args
                .get(n)
                .map(String::as_str)
                .filter(|a| !a.is_empty())
        };
        match step.kind.as_str() {
            "RUN" => {
                let command = argument(0).context("RUN needs a command")?.to_owned();
                let user = argument(1).map_or_else(|| self.user(), str::to_owned);
                self.shell(&command, &user, name).await
            }
            "COPY" => self.copy(step, name).await,
            "WORKDIR" => {
                let path = argument(0).context("WORKDIR needs a path")?.to_owned();
                let user = self.user();
                self.shell(&format!("mkdir -p {}", quoted(&path)), &user, name)
                    .await?;
                self.made.workdir = Some(path);
                Ok(())
            }
            "USER" => {
                self.made.user = Some(argument(0).context("USER needs a name")?.to_owned());
                Ok(())
            }
            "ENV" => {
                if !step.args.len().is_multiple_of(2) {
                    bail!("ENV needs names and values");
                }
                for pair in step.args.chunks_exact(2) {
                    self.made.variables.insert(pair[0].clone(), pair[1].clone());
                }
                Ok(())
            }
            other => bail!("unknown instruction {other}"),
        }
    }

    async fn shell(&self, command: &str, user: &str, step: &str) -> anyhow::Result<()> {
        let mut variables: BTreeMap<String, String> = self.world.options.build_env.clone();
        variables.extend(self.made.variables.clone());
        let path =
            "/opt/e2b-emulator/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        variables
            .entry("PATH".into())
            .or_insert_with(|| path.to_owned());
        let mut process = json!({"cmd": "/bin/bash", "args": ["-l", "-c", format!("export PATH={}; {command}", quoted(path))], "envs": variables});
        if let Some(workdir) = &self.made.workdir {
            process["cwd"] = workdir.clone().into();
        }
        let mut code = None;
        let hear = |message: &serde_json::Value| {
            use base64::{Engine, engine::general_purpose::STANDARD};
            let event = &message["event"];
            for (kind, level) in [("stdout", "info"), ("stderr", "warn")] {
                if let Some(bytes) = event["data"][kind].as_str()
                    && let Ok(bytes) = STANDARD.decode(bytes)
                {
                    let text = String::from_utf8_lossy(&bytes);
                    self.world
                        .templates
                        .log(self.template, self.build, Some(step), level, &text);
                }
            }
            if event["end"].is_object() {
                code = Some(event["end"]["exitCode"].as_i64().unwrap_or(0));
            }
            if let Some(error) = message["error"]["message"].as_str() {
                self.world
                    .templates
                    .log(self.template, self.build, Some(step), "error", error);
            }
        };
        self.cell.run(user, &process, hear).await?;
        match code {
            Some(0) => Ok(()),
            Some(code) => bail!(
                "failed to run command '{}': exit status {code}",
                first_line(command)
            ),
            None => bail!("failed to run command '{}'", first_line(command)),
        }
    }

    /// `COPY source destination user mode`: the uploaded archive holds the files under their names in the context.
    async fn copy(&self, step: &Step, name: &str) -> anyhow::Result<()> {
        let argument = |n: usize| {
            step.args
                .get(n)
                .map(String::as_str)
                .filter(|a| !a.is_empty())
        };
        let hash = step.files_hash.as_deref().context("COPY needs files")?;
        let source = argument(0).context("COPY needs a source")?;
        let to = argument(1).context("COPY needs a destination")?;
        let owner = argument(2).map_or_else(|| self.user(), str::to_owned);
        let archive = tokio::fs::read(self.world.folder().join("layers").join(hash)).await?;
        let packed = format!("/tmp/{hash}.tar");
        let path = format!("/files?path={packed}&username=root");
        let headers = [("content-type", "application/octet-stream")];
        let stored = self
            .cell
            .call_with("POST", &path, &headers, archive.into())
            .await?;
        if !stored.status().is_success() {
            bail!("the files could not be stored: {}", stored.status());
        }
        // What is before the first wildcard is the folder that is copied.
        let plain = source.split(['*', '?', '[', '{']).next().unwrap_or(source);
        let from = if plain == source {
            source
        } else {
            plain.rsplit_once('/').map_or("", |(folder, _)| folder)
        };
        let variables = [
            ("ARCHIVE", packed.as_str()),
            ("SOURCE", from),
            ("TARGET", to),
            ("OWNER", owner.as_str()),
            ("MODE", argument(3).unwrap_or_default()),
        ];
        let set: Vec<String> = variables
            .iter()
            .map(|(name, value)| format!("{name}={}", quoted(value)))
            .collect();
        self.shell(&format!("{}\n{COPY}", set.join("\n")), "root", name)
            .await
    }

    /// Ends the cell; its writes stay.
    async fn finish(self) -> Made {
        self.cell.end().await;
        self.made
    }
}

fn first_line(command: &str) -> &str {
    command.lines().next().unwrap_or_default()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
