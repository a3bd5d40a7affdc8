//! What the tests share: workspaces, a server for the fixture page, and running the program.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use koda_capture::page::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

pub mod clip;
pub mod film;
pub mod renderer;
pub mod sound;

/// The crate's folder.
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fixture composition in a workspace of its own, served on a port of its own.
pub struct Fixture {
    pub app: TempDir,
    port: u16,
    stop: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A file that was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its name.
    pub path: String,
    /// Whether a browser asked.
    pub by_browser: bool,
}

impl Fixture {
    /// The composition of this name, 1280×720 at 30 frames a second.
    pub fn new(composition: &str, frames: u32) -> Self {
        Self::sized(composition, frames, 1280, 720)
    }

    /// The composition of this name and size.
    pub fn sized(composition: &str, frames: u32, width: u32, height: u32) -> Self {
        let app = tempfile::tempdir().unwrap();
        let manifest = json!({
            "contract": 1, "engine": "remotion", "title": composition,
            "width": width, "height": height, "fps": 30, "durationInFrames": frames,
        });
        std::fs::write(app.path().join("koda.json"), manifest.to_string()).unwrap();
        std::fs::create_dir_all(app.path().join("src/koda")).unwrap();
        let fixtures = here().join("tests/fixtures");
        let copy = |from: String, to: &str| {
            std::fs::copy(fixtures.join(from), app.path().join(to))
                .map(drop)
                .unwrap()
        };
        copy("page/index.html".to_owned(), "index.html");
        copy("page/page.js".to_owned(), "src/koda/page.js");
        copy(
            format!("compositions/{composition}.js"),
            "src/composition.js",
        );

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (root, stopped, heard) = (app.path().to_owned(), Arc::clone(&stop), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (root, heard) = (root.clone(), Arc::clone(&heard));
                std::thread::spawn(move || serve(&root, stream, &heard));
            }
        });
        Self {
            app,
            port,
            stop,
            asked,
        }
    }

    /// The files that were asked for.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The same composition with as many frames, which it shows at another rate.
    pub fn rate(self, fps: u32) -> Self {
        let path = self.path("koda.json");
        let before = std::fs::read_to_string(&path).unwrap();
        let after = before.replace("\"fps\":30", &format!("\"fps\":{fps}"));
        std::fs::write(path, after).unwrap();
        self
    }

    /// Writes something else into the composition.
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.path("src/composition.js");
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{from}");
        std::fs::write(path, before.replace(from, to)).unwrap();
    }

    /// The program with these arguments, over this workspace.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.app.path(), arguments);
        command.env("KODA_PORT", self.port.to_string());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        finish(self.command(arguments))
    }

    /// The same from within the workspace's folder, by the name that it has there.
    pub fn run_within(&self, arguments: &[&str]) -> Run {
        let mut command = named(self.app.path(), Path::new("."), arguments);
        command.env("KODA_PORT", self.port.to_string());
        command.current_dir(self.app.path());
        finish(command)
    }

    /// How to open its page with the library.
    pub fn options(&self) -> Options {
        let base = format!("http://127.0.0.1:{}/", self.port);
        Options {
            base,
            width: 1280,
            height: 720,
            fps: 30.0,
            transparent: false,
            smooth: true,
            observe: false,
        }
    }

    /// A path in the workspace.
    pub fn path(&self, name: &str) -> PathBuf {
        self.app.path().join(name)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the server so that it sees that it shall stop.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(root: &Path, mut stream: TcpStream, asked: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    if reader.read_line(&mut request).is_err() {
        return;
    }
    let mut header = String::new();
    let mut from = None;
    let mut by_browser = false;
    while reader.read_line(&mut header).is_ok_and(|count| count > 2) {
        let lower = header.to_ascii_lowercase();
        if let Some(range) = lower.strip_prefix("range: bytes=") {
            from = range.split('-').next().and_then(|from| from.parse().ok());
        }
        by_browser |= lower.starts_with("user-agent: mozilla");
        header.clear();
    }
    let path = request
        .split(' ')
        .nth(1)
        .unwrap_or("/")
        .split('?')
        .next()
        .unwrap_or("/")
        .trim_start_matches('/')
        .to_owned();
    let path = if path.is_empty() {
        "index.html".to_owned()
    } else {
        path
    };
    asked.lock().unwrap().push(Asked {
        path: path.clone(),
        by_browser,
    });
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    let (status, body) = match (std::fs::read(root.join(&path)), from) {
        (Ok(body), None) => ("200 OK".to_owned(), body),
        // Videos can only be sought where parts of them are served.
        (Ok(body), Some(from)) => {
            let (last, all) = (body.len() - 1, body.len());
            let from: usize = from;
            let part = body[from.min(last)..].to_vec();
            let head = format!("206 Partial Content\r\ncontent-range: bytes {from}-{last}/{all}");
            (head, part)
        }
        (Err(_), _) => ("404 Not Found".to_owned(), b"not found".to_vec()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&body));
}

/// What a run said.
pub struct Run {
    pub ok: bool,
    pub lines: Vec<Value>,
    pub stderr: String,
}

impl Run {
    /// Its last line.
    pub fn last(&self) -> &Value {
        self.lines
            .last()
            .unwrap_or_else(|| panic!("nothing was said; stderr: {}", self.stderr))
    }

    /// Its last line, of a run that worked.
    pub fn result(&self) -> &Value {
        assert!(self.ok, "it failed: {} {}", self.last(), self.stderr);
        self.last()
    }

    /// The first of what a check found, which must be something.
    pub fn first_finding(&self) -> &Value {
        let report = self.result();
        assert_eq!(report["type"], "check");
        assert_eq!(report["ok"], false, "{report}");
        &report["diagnostics"][0]
    }

    /// Lines of a type.
    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.lines
            .iter()
            .filter(|line| line["type"] == kind)
            .collect()
    }
}

fn program(app: &Path, arguments: &[&str]) -> Command {
    named(app, app, arguments)
}

/// The program over a workspace which its arguments name so.
fn named(app: &Path, name: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_koda-capture"));
    command
        .args(arguments)
        .arg("--app")
        .arg(name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Profiles go where the test can see whether they are removed.
    std::fs::create_dir_all(app.join("tmp")).unwrap();
    command.env("TMPDIR", app.join("tmp"));
    command
}

/// Runs a command to its end and reads what it said.
pub fn finish(mut command: Command) -> Run {
    collect(command.spawn().unwrap())
}

/// Has FFmpeg make a file, by arguments without blanks in them.
pub fn ffmpeg(arguments: &str, out: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments.split(' '))
        .arg(out)
        .status()
        .unwrap();
    assert!(made.success(), "ffmpeg {arguments}");
}

/// Waits for a started program and reads what it said.
pub fn collect(mut child: Child) -> Run {
    let mut stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    let ok = child.wait().unwrap().success();
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    Run {
        ok,
        lines,
        stderr: reader.join().unwrap(),
    }
}

/// A workspace made from a template, with its packages linked. None where the template's packages are not installed, which is
/// an error in CI.
pub struct Workspace {
    pub app: TempDir,
}

impl Workspace {
    pub fn new(template: &str) -> Option<Self> {
        let from = here().join("..").join(template).canonicalize().unwrap();
        if !from.join("node_modules/vite").is_dir() {
            assert!(
                std::env::var_os("CI").is_none(),
                "templates/{template} has no node_modules: run npm ci there"
            );
            eprintln!("skipped: templates/{template} has no node_modules; run npm ci there");
            return None;
        }
        let app = tempfile::tempdir().unwrap();
        copy_tree(&from, app.path());
        std::os::unix::fs::symlink(from.join("node_modules"), app.path().join("node_modules"))
            .unwrap();
        Some(Self { app })
    }

    /// Writes a file of the workspace.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.app.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs the program to its end. No server runs at the port, so it starts one.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_at(free_port(), arguments)
    }

    /// Starts the program. No server runs at the port, so it starts one.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = program(self.app.path(), arguments);
        self.place(&mut command, free_port());
        command.spawn().unwrap()
    }

    /// The same with a variable in its environment.
    pub fn run_with(&self, (name, value): (&str, &str), arguments: &[&str]) -> Run {
        let mut command = program(self.app.path(), arguments);
        self.place(&mut command, free_port());
        command.env(name, value);
        finish(command)
    }

    /// The same with the workspace's server at this port, or nothing.
    pub fn run_at(&self, port: u16, arguments: &[&str]) -> Run {
        let mut command = program(self.app.path(), arguments);
        self.place(&mut command, port);
        finish(command)
    }

    /// The workspace's own server, which has just been started.
    pub fn serve(&self, port: u16) -> Child {
        let mut command = Command::new("node");
        command.arg("dev.mjs").current_dir(self.app.path());
        self.place(&mut command, port);
        command.stdout(Stdio::null()).spawn().unwrap()
    }

    fn place(&self, command: &mut Command, port: u16) {
        command
            .env("KODA_PORT", port.to_string())
            // Where sandboxes have it.
            .env("KODA_VITE_CACHE", self.app.path().join(".koda/vite"));
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn copy_tree(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let name = entry.file_name();
        if name == "node_modules" || name == ".koda" {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Command lines of processes that hold a text.
pub fn processes(holding: &str) -> Vec<String> {
    running(holding).into_iter().map(|(_, line)| line).collect()
}

/// Processes whose command line holds a text.
pub fn pids(holding: &str) -> Vec<rustix::process::Pid> {
    running(holding)
        .into_iter()
        .filter_map(|(pid, _)| rustix::process::Pid::from_raw(pid))
        .collect()
}

fn running(holding: &str) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(pid) = entry.file_name().to_string_lossy().parse()
            && let Ok(line) = std::fs::read(entry.path().join("cmdline"))
        {
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(holding) {
                found.push((pid, line));
            }
        }
    }
    found
}

/// Names of what is in a folder.
pub fn listing(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
