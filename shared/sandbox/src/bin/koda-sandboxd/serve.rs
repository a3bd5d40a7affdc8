//! Listening: to the provider on one socket, to visitors of the preview on another. Both are inherited and lie outside
//! the sandbox's view, so that nothing inside can reach the first, or put something else in the place of the second.

use crate::{
    commands::Commands,
    limits::{Held, Limits},
    watch,
    wire::{Orders, Reply, Request},
};
use nix::sys::prctl;
use std::{
    ffi::OsString,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{fs::PermissionsExt, net::UnixListener as StdListener},
    },
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpStream, UnixListener, UnixStream, unix::OwnedWriteHalf},
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, mpsc},
};

/// The longest request.
const REQUEST_BYTES: u64 = 1 << 20;
/// Connections to the preview at once.
const VISITORS: usize = 256;
/// How long a visitor waits for the preview's server: it may only just have been started.
const PREVIEW_UP: Duration = Duration::from_secs(15);

type Problem = Box<dyn std::error::Error>;

/// Runs until the sandbox's time is over.
pub fn supervise(orders: Option<OsString>) -> ExitCode {
    let served = orders
        .and_then(|text| text.into_string().ok())
        .ok_or_else(|| "no orders were given".into())
        .and_then(|text| serde_json::from_str(&text).map_err(Problem::from))
        .and_then(prepare_and_serve);
    match served {
        // The namespace ends with this process, and everything in it.
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("koda-sandboxd: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn prepare_and_serve(orders: Orders) -> Result<(), Problem> {
    let (control, preview) = match &orders.socket {
        // Visitors come another way then.
        Some(path) => {
            // It is not the first process here, which orphans would come to.
            prctl::set_child_subreaper(true)?;
            (bound(path)?, None)
        }
        None => {
            close_inherited();
            let preview = listener(std::io::stdout().as_fd())?;
            (listener(std::io::stdin().as_fd())?, Some(preview))
        }
    };
    let limits = Held::of(&orders)?;
    let program = std::env::current_exe()?;
    let commands = Arc::new(Commands::new(orders.clone(), program, limits.clone()));
    // Commands have the same user: without this they could look into and change this process.
    prctl::set_dumpable(false)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let control = UnixListener::from_std(control)?;
            let preview = preview.map(UnixListener::from_std).transpose()?;
            let (port, life) = (orders.port, Duration::from_millis(orders.life_ms));
            let runtime = tokio::runtime::Handle::current();
            let (watched, watching) = (commands.clone(), limits.clone());
            let app = orders.app.clone();
            // Started now: when a command has taken every process that there is, no thread can be started.
            std::thread::Builder::new()
                .spawn(move || watch::hold_limits(&watched, &app, &watching, &runtime))?;
            tokio::spawn(bury_strays(commands.clone()));
            if let Some(preview) = preview {
                tokio::spawn(receive_visitors(preview, port));
            }
            for exec in orders.start {
                let name = exec.name.as_str().to_owned();
                if let Err(reply) = commands.start(exec, None) {
                    return Err(format!("{name} cannot be started: {reply:?}").into());
                }
            }
            let post = Post {
                commands,
                life: Arc::new(watch::Life::new(life)),
                limits,
            };
            answer(control, post).await;
            Ok(())
        })
}

/// Closes what whoever started the server had left open for its children.
fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let open: Vec<i32> = names
        .filter_map(|name| name.to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // The folder's own descriptor is closed already.
        let _ = nix::unistd::close(fd);
    }
}

/// A socket of its own, for whoever has the same user.
fn bound(path: &str) -> std::io::Result<StdListener> {
    let _ = std::fs::remove_file(path);
    if let Some(folder) = std::path::Path::new(path).parent() {
        std::fs::create_dir_all(folder)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    let listener = StdListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn listener(inherited: BorrowedFd<'_>) -> std::io::Result<StdListener> {
    let listener = StdListener::from(inherited.try_clone_to_owned()?);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Orphans come to this process; it buries the dead, and ends the others.
async fn bury_strays(commands: Arc<Commands>) {
    let Ok(mut died) = signal(SignalKind::child()) else {
        return;
    };
    while died.recv().await.is_some() {
        commands.end_strays().await;
    }
}

/// What requests are about.
#[derive(Clone)]
struct Post {
    commands: Arc<Commands>,
    life: Arc<watch::Life>,
    limits: Held,
}

async fn answer(control: UnixListener, post: Post) {
    loop {
        tokio::select! {
            () = post.life.over() => return,
            accepted = control.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(serve(stream, post.clone()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

async fn serve(stream: UnixStream, post: Post) {
    let Post {
        commands,
        life,
        limits,
    } = post;
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let read = BufReader::new(reader.take(REQUEST_BYTES))
        .read_line(&mut line)
        .await;
    if read.is_err() {
        return;
    }
    let reply = match serde_json::from_str::<Request>(&line) {
        Err(_) if line.len() as u64 >= REQUEST_BYTES => Reply::Failed {
            message: "the command line is too long".into(),
        },
        Err(error) => Reply::Failed {
            message: error.to_string(),
        },
        Ok(Request::Ping) => Reply::Done,
        Ok(Request::Exec { exec }) => {
            let (said, mut saying) = mpsc::channel(64);
            let started = commands.start(exec, Some(said));
            let first = started.err().unwrap_or(Reply::Done);
            let mut listening = say(&mut writer, &first).await.is_ok();
            while let Some(reply) = saying.recv().await {
                // The command runs on whether or not anybody listens.
                listening = listening && say(&mut writer, &reply).await.is_ok();
            }
            return;
        }
        Ok(Request::Spawn { exec }) => commands.start(exec, None).err().unwrap_or(Reply::Done),
        Ok(Request::Status { name }) => commands.status(&name),
        Ok(Request::Kill { name, grace_ms }) => {
            commands.kill(&name, Duration::from_millis(grace_ms)).await;
            Reply::Done
        }
        Ok(Request::Extend { life_ms }) => {
            life.extend(Duration::from_millis(life_ms));
            Reply::Done
        }
        Ok(Request::Limit { memory, pids, disk }) => {
            match limits.set(Limits { memory, pids, disk }) {
                Ok(()) => Reply::Done,
                Err(error) => Reply::Failed {
                    message: error.to_string(),
                },
            }
        }
        Ok(Request::Shutdown) => {
            let _ = say(&mut writer, &Reply::Done).await;
            life.extend(Duration::ZERO);
            return;
        }
    };
    let _ = say(&mut writer, &reply).await;
}

async fn say(writer: &mut OwnedWriteHalf, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

/// Connects whoever comes with the preview's server inside.
async fn receive_visitors(preview: UnixListener, port: u16) {
    let seats = Arc::new(Semaphore::new(VISITORS));
    while let Ok(seat) = seats.clone().acquire_owned().await {
        let Ok((mut visitor, _)) = preview.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        tokio::spawn(async move {
            if let Some(mut server) = preview_server(port).await {
                let _ = copy_bidirectional(&mut visitor, &mut server).await;
            }
            drop(seat);
        });
    }
}

async fn preview_server(port: u16) -> Option<TcpStream> {
    let began = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => {
                // Hot reload sends small messages that must not wait for more.
                let _ = stream.set_nodelay(true);
                return Some(stream);
            }
            Err(_) if began.elapsed() > PREVIEW_UP => return None,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
