//! A cell: a set of namespaces with envd in it, standing in for a virtual machine.

pub mod enter;

use crate::envd::Init;
use anyhow::{Context, bail};
use bytes::Bytes;
use command_fds::{CommandFdExt, FdMapping};
use enter::Entry;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::HashSet,
    fs,
    io::Read,
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::{Child, Command},
};

/// How long a cell may take to answer.
const START: Duration = Duration::from_secs(15);

/// A cell that was started. Dropping it ends it and removes what it wrote.
pub struct Cell {
    folder: PathBuf,
    child: Child,
    init: Pid,
    began: Instant,
}

/// What a cell is made of.
pub struct Plan {
    /// Its own folder, which is made, and removed with it.
    pub folder: PathBuf,
    /// Layers, the uppermost first.
    pub lower: Vec<PathBuf>,
    /// Takes what is written, where that is to stay.
    pub upper: Option<PathBuf>,
    /// This program.
    pub program: PathBuf,
    /// See [`Entry::network`].
    pub network: bool,
}

impl Cell {
    /// Starts a cell, and waits until envd answers.
    ///
    /// # Errors
    /// With what bubblewrap or the kernel said.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let folder = plan.folder;
        for name in ["upper", "work", "root"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let upper = plan.upper.clone().unwrap_or_else(|| folder.join("upper"));
        fs::create_dir_all(&upper)?;
        let entry = Entry {
            lower: plan.lower,
            // Overlayfs wants both on one file system.
            work: plan
                .upper
                .as_ref()
                .map_or_else(|| folder.join("work"), |upper| upper.with_extension("work")),
            upper,
            root: folder.join("root"),
            program: plan.program.clone(),
            network: plan.network,
        };
        fs::create_dir_all(&entry.work)?;
        let socket = |name: &str| -> anyhow::Result<OwnedFd> {
            let path = folder.join(name);
            Ok(UnixListener::bind(&path)
                .with_context(|| format!("{} cannot be a socket", path.display()))?
                .into())
        };
        let (http, gate) = (socket("http")?, socket("gate")?);
        let (mut info, report) = std::io::pipe()?;
        let mut command = Command::new(&plan.program);
        command
            .arg("cell")
            .arg(serde_json::to_string(&entry)?)
            .stdin(Stdio::from(http))
            .stdout(Stdio::from(gate))
            .stderr(fs::File::create(folder.join("log"))?)
            .process_group(0)
            .kill_on_drop(true);
        command.fd_mappings(vec![FdMapping {
            parent_fd: report.into(),
            child_fd: enter::INFO,
        }])?;
        let child = command
            .spawn()
            .with_context(|| format!("{} could not be started", plan.program.display()))?;
        // This side's end of the report goes, so that it ends with the cell.
        drop(command);
        let mut cell = Self {
            folder,
            child,
            began: Instant::now(),
            init: Pid::from_raw(0),
        };
        let said = tokio::task::spawn_blocking(move || {
            let mut said = String::new();
            let mut piece = [0; 256];
            while !said.contains('}') {
                match info.read(&mut piece) {
                    Ok(count @ 1..) => said.push_str(&String::from_utf8_lossy(&piece[..count])),
                    _ => break,
                }
            }
            said
        });
        let said: serde_json::Value =
            serde_json::from_str(&said.await?).unwrap_or(serde_json::Value::Null);
        let pid = said["child-pid"]
            .as_i64()
            .and_then(|p| i32::try_from(p).ok());
        let Some(pid) = pid else {
            // What it wrote before it failed.
            let _ = tokio::time::timeout(Duration::from_secs(2), cell.child.wait()).await;
            bail!("a sandbox did not come up: {}", cell.log());
        };
        cell.init = Pid::from_raw(pid);
        cell.ready().await?;
        Ok(cell)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log"))
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            match self.call("GET", "/health", "").await {
                Ok(response) if response.status().is_success() => return Ok(()),
                _ if began.elapsed() > START => {
                    bail!("a sandbox did not answer: {}", self.log())
                }
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// Tells envd whose it is.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn init(&self, init: &Init) -> anyhow::Result<()> {
        let response = self
            .call("POST", "/init", &serde_json::to_string(init)?)
            .await?;
        if !response.status().is_success() {
            bail!("envd refused: {}", response.status());
        }
        Ok(())
    }

    /// A call of our own, past the edge.
    ///
    /// # Errors
    /// Where envd does not answer.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<Response<Incoming>> {
        self.call_with(
            method,
            path,
            &[("content-type", "application/json")],
            body.to_owned().into(),
        )
        .await
    }

    /// The same with headers of its own.
    ///
    /// # Errors
    /// Where envd does not answer.
    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Response<Incoming>> {
        let stream = UnixStream::connect(self.folder.join("http")).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "envd");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(sender.send_request(request.body(Full::new(body))?).await?)
    }

    /// A connection to envd, or to another port inside; nothing where nobody listens there.
    ///
    /// # Errors
    /// Where the cell is dead.
    pub async fn dial(folder: &Path, port: u16) -> std::io::Result<Option<UnixStream>> {
        if port == crate::envd::PORT {
            return UnixStream::connect(folder.join("http")).await.map(Some);
        }
        let mut stream = UnixStream::connect(folder.join("gate")).await?;
        stream.write_all(&port.to_be_bytes()).await?;
        let open = stream.read_u8().await?;
        Ok((open == 1).then_some(stream))
    }

    /// For [`Self::dial`].
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every process inside, as this machine numbers them.
    fn pids(&self) -> HashSet<Pid> {
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let own = namespace(&self.init.to_string());
        let Some(own) = own else {
            return HashSet::new();
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let pid = name.parse().ok()?;
                (namespace(&name)? == own).then(|| Pid::from_raw(pid))
            })
            .collect()
    }

    /// Stops everything inside where it stands.
    pub fn freeze(&self) {
        let mut stopped = HashSet::new();
        loop {
            let found: Vec<_> = self.pids().difference(&stopped).copied().collect();
            if found.is_empty() {
                return;
            }
            for pid in found {
                let _ = kill(pid, Signal::SIGSTOP);
                stopped.insert(pid);
            }
        }
    }

    /// Lets everything inside go on.
    pub fn thaw(&self) {
        for pid in self.pids() {
            let _ = kill(pid, Signal::SIGCONT);
        }
    }

    /// Ends everything inside, and waits until it has.
    pub async fn end(mut self) {
        let _ = kill(self.init, Signal::SIGKILL);
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }

    /// Starts a process through envd, as a user where one is named, and returns what it answers.
    async fn start_process(
        &self,
        user: Option<&str>,
        process: &serde_json::Value,
    ) -> anyhow::Result<Incoming> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let message = serde_json::to_vec(&serde_json::json!({"process": process, "stdin": false}))?;
        let mut body = vec![0];
        body.extend_from_slice(&u32::try_from(message.len())?.to_be_bytes());
        body.extend_from_slice(&message);
        let login = user.map(|user| format!("Basic {}", STANDARD.encode(format!("{user}:"))));
        let mut headers = vec![("content-type", "application/connect+json")];
        headers.extend(login.as_deref().map(|login| ("authorization", login)));
        let response = self
            .call_with("POST", "/process.Process/Start", &headers, body.into())
            .await?;
        Ok(response.into_body())
    }

    /// Runs a process to its end, and passes on each message of its stream as it comes.
    ///
    /// # Errors
    /// Where envd does not answer.
    pub async fn run(
        &self,
        user: &str,
        process: &serde_json::Value,
        mut hear: impl FnMut(&serde_json::Value),
    ) -> anyhow::Result<()> {
        let mut body = self.start_process(Some(user), process).await?;
        let mut held: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                held.extend_from_slice(&data);
            }
            while held.len() >= 5 {
                let length = u32::from_be_bytes([held[1], held[2], held[3], held[4]]) as usize;
                if held.len() < 5 + length {
                    break;
                }
                let whole: Vec<u8> = held.drain(..5 + length).collect();
                hear(&serde_json::from_slice(&whole[5..])?);
            }
        }
        Ok(())
    }

    /// Starts a template's command, which runs on.
    ///
    /// # Errors
    /// Where envd does not answer.
    pub async fn launch(&self, command: &str) -> anyhow::Result<()> {
        let mut body = self.start_process(None, &shell(command)).await?;
        // Once the first event is here it runs, listened to or not.
        let first = body.frame().await;
        first.context("the start command was not started")??;
        Ok(())
    }

    /// Whether a command ends well.
    ///
    /// # Errors
    /// Where envd does not answer.
    pub async fn succeeds(&self, command: &str) -> anyhow::Result<bool> {
        let mut well = false;
        self.run("root", &shell(command), |message| {
            let end = &message["event"]["end"];
            well |= end.is_object() && end["exitCode"].is_null();
        })
        .await?;
        Ok(well)
    }
}

/// A line for a login shell.
fn shell(line: &str) -> serde_json::Value {
    serde_json::json!({"cmd": "/bin/bash", "args": ["-l", "-c", line]})
}

impl Drop for Cell {
    fn drop(&mut self) {
        if self.init.as_raw() > 0 {
            let _ = kill(self.init, Signal::SIGKILL);
        }
        // What was written goes when nothing inside can write any more, at the latest with the emulator's folder.
        let folder = std::mem::take(&mut self.folder);
        let remove = move || {
            for _ in 0..50 {
                if fs::remove_dir_all(&folder).is_ok() || !folder.exists() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        std::thread::spawn(remove);
    }
}

impl Cell {
    /// Bytes of memory that what is inside uses.
    pub fn memory(&self) -> u64 {
        let resident = |pid: &Pid| -> Option<u64> {
            let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
            statm.split_whitespace().nth(1)?.parse().ok()
        };
        self.pids().iter().filter_map(resident).sum::<u64>() * 4096
    }

    /// Percent of one core that what is inside has used since it began.
    pub fn cpu_percent(&self) -> f64 {
        let ticks = |pid: &Pid| -> Option<f64> {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let time = |n: usize| fields.get(n)?.parse::<f64>().ok();
            Some(time(11)? + time(12)?)
        };
        let seconds = self.pids().iter().filter_map(ticks).sum::<f64>() / 100.0;
        let passed = self.began.elapsed().as_secs_f64();
        (seconds / passed.max(0.01) * 100.0).min(100.0)
    }

    /// Bytes of the disk that what is written inside goes to.
    pub fn disk_total(&self) -> u64 {
        let disk = nix::sys::statvfs::statvfs(&self.folder);
        disk.map_or(0, |d| d.blocks() * d.fragment_size())
    }

    /// Bytes that were written inside.
    pub fn disk(&self) -> u64 {
        let files = walkdir::WalkDir::new(self.folder.join("upper")).into_iter();
        files
            .flatten()
            .filter_map(|entry| Some(entry.metadata().ok()?.len()))
            .sum()
    }
}
