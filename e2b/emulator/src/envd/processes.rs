//! envd's `process.Process` service.

use super::{
    Envd,
    connect::{self, Call, Code, Pace, RpcError, messages},
    filesystem::{addressed, nothing},
    process::{Process, Setting, begin},
    proto::{
        End, Input, ListResponse, ProcessEvent, ProcessInfo, ProcessResponse, Selected, Selector,
        SendInputRequest, SendSignalRequest, Signal, StartRequest, StreamInputRequest,
        UpdateRequest,
    },
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use futures_util::{Stream, StreamExt};
use nix::sys::signal::Signal as Kernel;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How long it is known how a process ended, as in envd.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Processes of a sandbox.
#[derive(Default)]
pub struct Processes {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    live: BTreeMap<u32, Arc<Process>>,
    ended: HashMap<u32, Ended>,
}

struct Ended {
    tag: Option<String>,
    end: End,
    at: Instant,
}

impl Processes {
    fn table(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.ended.retain(|_, e| e.at.elapsed() < REMEMBERED);
        table
    }

    fn find(&self, selector: &Selector) -> Result<Arc<Process>, RpcError> {
        let table = self.table();
        match (selector.pid, &selector.tag) {
            (Some(pid), _) => table.live.get(&pid).cloned().ok_or_else(|| {
                RpcError::new(Code::NotFound, format!("process with pid {pid} not found"))
            }),
            (None, Some(tag)) => {
                let tagged = table.live.values().find(|p| p.tag.as_ref() == Some(tag));
                tagged.cloned().ok_or_else(|| {
                    RpcError::new(Code::NotFound, format!("process with tag {tag} not found"))
                })
            }
            (None, None) => Err(RpcError::new(
                Code::Unimplemented,
                "invalid input type <nil>",
            )),
        }
    }

    fn ended(&self, selector: &Selector) -> Option<(u32, End)> {
        let table = self.table();
        let found = table.ended.iter().find(|(pid, ended)| {
            selector.pid.map_or_else(
                || selector.tag.is_some() && ended.tag == selector.tag,
                |wanted| wanted == **pid,
            )
        });
        found.map(|(pid, ended)| (*pid, ended.end.clone()))
    }

    fn add(&self, process: &Arc<Process>) {
        let mut table = self.table();
        table.ended.remove(&process.pid);
        if process.tag.is_some() {
            table.ended.retain(|_, e| e.tag != process.tag);
        }
        table.live.insert(process.pid, process.clone());
    }

    fn end(&self, process: &Process, end: &End) {
        let mut table = self.table();
        table.live.remove(&process.pid);
        let ended = Ended {
            tag: process.tag.clone(),
            end: end.clone(),
            at: Instant::now(),
        };
        table.ended.insert(process.pid, ended);
    }
}

/// What a listener is sent: the start, what is said, and that nothing is said; until the end or the call's own deadline.
fn told(
    pid: u32,
    mut events: mpsc::Receiver<ProcessEvent>,
    call: &Call,
) -> Result<impl Stream<Item = Result<ProcessResponse, RpcError>> + Send + use<>, RpcError> {
    let pace = Pace::of(call)?;
    Ok(async_stream::try_stream! {
        yield ProcessResponse { event: ProcessEvent::Start { pid } };
        loop {
            match pace.next(events.recv()).await? {
                Some(Some(event)) => {
                    let last = matches!(event, ProcessEvent::End(_));
                    yield ProcessResponse { event };
                    if last {
                        break;
                    }
                }
                Some(None) => Err(RpcError::new(Code::Unknown, "end event channel closed before sending end event"))?,
                None => yield ProcessResponse { event: ProcessEvent::Keepalive {} },
            }
        }
    })
}

/// Starts a process for somebody; it is watched to its end whether or not anybody listens.
pub fn launch(
    envd: &Arc<Envd>,
    call: &Call,
    request: &StartRequest,
) -> Result<(Arc<Process>, mpsc::Receiver<ProcessEvent>), RpcError> {
    let (user, cwd) = addressed(
        envd,
        call,
        request.process.cwd.as_deref().unwrap_or_default(),
    )?;
    if !cwd.exists() {
        let message = format!("cwd '{}' does not exist", cwd.display());
        return Err(RpcError::new(Code::InvalidArgument, message));
    }
    let deadline = call.timeout()?;
    let setting = Setting {
        user: &user,
        switch_user: !envd.users().single,
        cwd: &cwd,
        variables: envd.variables(),
    };
    let (begun, events) = begin(request, &setting)?;
    let process = begun.process.clone();
    envd.processes.add(&process);
    let (envd, watched) = (envd.clone(), process.clone());
    tokio::spawn(begun.watch(deadline, move |end| envd.processes.end(&watched, end)));
    Ok((process, events))
}

pub async fn start(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::stream(request, async |call, query: StartRequest| {
        let (process, events) = launch(&envd, &call, &query)?;
        told(process.pid, events, &call)
    })
    .await
}

pub async fn connect_to(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::stream(request, async |call, query: Selected| {
        match envd.processes.find(&query.process) {
            Ok(process) => told(process.pid, process.listen(), &call),
            Err(error) => {
                let (pid, end) = envd.processes.ended(&query.process).ok_or(error)?;
                let (sender, events) = mpsc::channel(1);
                let _ = sender.try_send(ProcessEvent::End(end));
                told(pid, events, &call)
            }
        }
    })
    .await
}

pub async fn list(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |_, _: Value| {
        let table = envd.processes.table();
        let processes = table.live.values().map(|p| ProcessInfo {
            config: p.config.clone(),
            pid: p.pid,
            tag: p.tag.clone(),
        });
        Ok(ListResponse {
            processes: processes.collect(),
        })
    })
    .await
}

async fn feed(process: &Process, input: &Input) -> Result<(), RpcError> {
    match input {
        Input {
            pty: Some(bytes), ..
        } => process.write_pty(&bytes.0).await,
        Input {
            stdin: Some(bytes), ..
        } => process.write_stdin(&bytes.0).await,
        _ => Err(RpcError::new(
            Code::Unimplemented,
            "invalid input type <nil>",
        )),
    }
}

pub async fn send_input(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |_, query: SendInputRequest| {
        let process = envd.processes.find(&query.process)?;
        feed(&process, &query.input).await?;
        Ok(nothing())
    })
    .await
}

pub async fn stream_input(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::client_stream(request, async |body| {
        let mut queries = pin!(messages::<StreamInputRequest>(body));
        let mut process = None;
        while let Some(query) = queries.next().await {
            let query = query?;
            if let Some(start) = query.start {
                process = Some(envd.processes.find(&start.process)?);
            } else if let Some(data) = query.data {
                let process = process.as_ref().ok_or_else(|| {
                    RpcError::new(Code::InvalidArgument, "input before the start")
                })?;
                feed(process, &data.input).await?;
            } else if query.keepalive.is_none() {
                return Err(RpcError::new(
                    Code::Unimplemented,
                    "invalid event type <nil>",
                ));
            }
        }
        Ok(json!({}))
    })
    .await
}

pub async fn close_stdin(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |_, query: Selected| {
        envd.processes.find(&query.process)?.close_stdin().await?;
        Ok(nothing())
    })
    .await
}

pub async fn send_signal(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |_, query: SendSignalRequest| {
        let process = envd.processes.find(&query.process)?;
        let signal = match &query.signal {
            Signal::Name(name) if name == "SIGNAL_SIGTERM" => Kernel::SIGTERM,
            Signal::Name(name) if name == "SIGNAL_SIGKILL" => Kernel::SIGKILL,
            Signal::Number(15) => Kernel::SIGTERM,
            Signal::Number(9) => Kernel::SIGKILL,
            other => {
                let message = format!("invalid signal: {other:?}");
                return Err(RpcError::new(Code::Unimplemented, message));
            }
        };
        process.signal(signal)?;
        Ok(nothing())
    })
    .await
}

pub async fn update(State(envd): State<Arc<Envd>>, request: Request) -> Response {
    connect::unary(request, async |_, query: UpdateRequest| {
        let process = envd.processes.find(&query.process)?;
        if let Some(pty) = query.pty {
            process.resize(pty.size.cols, pty.size.rows).await?;
        }
        Ok(nothing())
    })
    .await
}
