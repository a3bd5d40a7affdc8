//! A small client of the Chrome DevTools Protocol over the pipe that `--remote-debugging-pipe` opens: JSON messages, each ended
//! by a zero byte, requests on the child's descriptor 3, answers and events on its descriptor 4.
//! <https://chromedevtools.github.io/devtools-protocol/>

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use crate::error::{Code, Failure, Result};

/// An event of a session.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name, such as `Runtime.exceptionThrown`.
    pub method: String,
    /// What it says.
    pub params: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: Option<u64>,
    result: Option<Value>,
    error: Option<ProtocolError>,
    method: Option<String>,
    params: Option<Value>,
    session_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ProtocolError {
    message: String,
}

/// What a call comes to: its result, or the protocol's message.
type Answer = std::result::Result<Value, String>;

#[derive(Default)]
struct Shared {
    /// None once the browser is gone.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>,
    listeners: Mutex<HashMap<String, Vec<mpsc::UnboundedSender<Event>>>>,
}

/// A connection to one browser. Clones share it.
#[derive(Clone)]
pub struct Cdp {
    shared: Arc<Shared>,
    requests: mpsc::UnboundedSender<Vec<u8>>,
    next: Arc<AtomicU64>,
    reader: AbortHandle,
    reading: watch::Receiver<()>,
}

impl Cdp {
    /// Talks over our ends of the two pipes.
    ///
    /// # Errors
    /// `browser_failed` where they are no pipes.
    pub fn over(to_browser: OwnedFd, from_browser: OwnedFd) -> Result<Self> {
        let broken = |error: std::io::Error| {
            Failure::io(Code::BrowserFailed, "the pipe to Chromium", &error)
        };
        let mut writer = pipe::Sender::from_owned_fd(to_browser).map_err(broken)?;
        let reader = pipe::Receiver::from_owned_fd(from_browser).map_err(broken)?;
        let shared = Arc::new(Shared::default());
        if let Ok(mut waiting) = shared.waiting.lock() {
            *waiting = Some(HashMap::new());
        }
        let (requests, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
        tokio::spawn(async move {
            while let Some(bytes) = outgoing.recv().await {
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        let (end, reading) = watch::channel(());
        let read = read(reader, Arc::clone(&shared));
        let reader = tokio::spawn(async move {
            let _dropped_at_the_end = end;
            read.await;
        })
        .abort_handle();
        Ok(Self {
            shared,
            requests,
            next: Arc::new(AtomicU64::new(1)),
            reader,
            reading,
        })
    }

    /// Calls a method, of the browser or of a session, and waits for its result.
    ///
    /// # Errors
    /// `browser_failed` with the protocol's own message, or where the browser went away.
    pub async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        match self.send(session, method, params)?.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(message)) => Err(Failure::new(
                Code::BrowserFailed,
                format!("{method}: {message}"),
            )),
            Err(_) => Err(gone(method)),
        }
    }

    /// Calls a method whose result is of no interest.
    ///
    /// # Errors
    /// `browser_failed` where the browser went away.
    pub fn tell(&self, session: Option<&str>, method: &str, params: Value) -> Result<()> {
        self.send(session, method, params).map(drop)
    }

    fn send(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<oneshot::Receiver<Answer>> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let (answer, answered) = oneshot::channel();
        match self.shared.waiting.lock() {
            Ok(mut waiting) => waiting
                .as_mut()
                .ok_or_else(|| gone(method))?
                .insert(id, answer),
            Err(_) => return Err(gone(method)),
        };
        self.requests.send(bytes).map_err(|_| gone(method))?;
        Ok(answered)
    }

    /// Whether the browser has closed its end.
    pub fn is_gone(&self) -> bool {
        self.shared
            .waiting
            .lock()
            .map_or(true, |waiting| waiting.is_none())
    }

    /// Returns when the browser has closed its end.
    pub async fn gone(&self) {
        // Nothing is ever sent: the sender is dropped with the reading.
        let _ = self.reading.clone().changed().await;
    }

    /// Stops reading, so that somebody else can with another descriptor of the same pipe. To be called when no answer is due.
    pub async fn leave(self) {
        self.reader.abort();
        self.gone().await;
    }

    /// Events of a session from now on.
    pub fn listen(&self, session: &str) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded_channel();
        if let Ok(mut listeners) = self.shared.listeners.lock() {
            let others = listeners.entry(session.to_owned()).or_default();
            others.push(sender);
        }
        receiver
    }
}

fn gone(method: &str) -> Failure {
    Failure::new(
        Code::BrowserFailed,
        format!("Chromium went away during {method}"),
    )
}

async fn read(reader: pipe::Receiver, shared: Arc<Shared>) {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match reader.read_until(0, &mut bytes).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if bytes.last() == Some(&0) {
            bytes.pop();
        }
        let Ok(message) = serde_json::from_slice::<Message>(&bytes) else {
            continue;
        };
        deliver(&shared, message);
    }
    // Whoever waits learns that nothing will come, and so does whoever calls from now on.
    if let Ok(mut waiting) = shared.waiting.lock() {
        *waiting = None;
    }
    if let Ok(mut listeners) = shared.listeners.lock() {
        listeners.clear();
    }
}

fn deliver(shared: &Shared, message: Message) {
    if let Some(id) = message.id {
        let waiting = shared
            .waiting
            .lock()
            .ok()
            .and_then(|mut waiting| waiting.as_mut()?.remove(&id));
        if let Some(waiting) = waiting {
            let result = match message.error {
                Some(error) => Err(error.message),
                None => Ok(message.result.unwrap_or(Value::Null)),
            };
            // The caller may have given up.
            let _ = waiting.send(result);
        }
    } else if let (Some(session), Some(method)) = (message.session_id, message.method) {
        let event = Event {
            method,
            params: message.params.unwrap_or(Value::Null),
        };
        if let Ok(mut listeners) = shared.listeners.lock()
            && let Some(listeners) = listeners.get_mut(&session)
        {
            listeners.retain(|listener| listener.send(event.clone()).is_ok());
        }
    }
}
