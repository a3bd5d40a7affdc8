//! What ends a page's work at once, whatever it waits for: its process is gone, it went elsewhere, or it asked the network.

use std::future::{Future, pending};
use std::sync::OnceLock;

use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use super::Page;
use crate::cdp::Event;
use crate::error::{Code, Failure, Result};

/// What the browser tells of a page, until something is the end of it.
pub(super) struct Watch {
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
    lost: OnceLock<Failure>,
}

impl Watch {
    pub(super) fn over(events: mpsc::UnboundedReceiver<Event>) -> Self {
        Self {
            events: Mutex::new(events),
            lost: OnceLock::new(),
        }
    }
}

impl Page {
    /// Whether nothing more can be had of it.
    pub fn is_lost(&self) -> bool {
        self.watch.lost.get().is_some()
    }

    /// Does something unless the page is lost meanwhile. What was told before an answer is heard before it.
    pub(super) async fn unless_lost<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            failure = self.lost() => Err(failure),
            done = work => done,
        }
    }

    /// Returns when the page is lost, and why it is.
    pub(super) async fn lost(&self) -> Failure {
        let mut events = self.watch.events.lock().await;
        if let Some(failure) = self.watch.lost.get() {
            return failure.clone();
        }
        while let Some(event) = events.recv().await {
            if let Some(failure) = self.loss(&event) {
                return self.watch.lost.get_or_init(|| failure).clone();
            }
        }
        // The browser is gone, which whatever was asked of it says itself.
        pending().await
    }

    fn loss(&self, event: &Event) -> Option<Failure> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let params = &event.params;
        match event.method.as_str() {
            "Inspector.targetCrashed" => Some(
                Failure::new(Code::BrowserFailed, "the page's process ended")
                    .hint("processes are ended where memory is short: show less at once, or render at a lower resolution"),
            ),
            "Page.frameRequestedNavigation"
                if params["frameId"] == self.target.as_str()
                    && params["disposition"] == "currentTab" =>
            {
                let url = text(&params["url"]);
                let own = self.url();
                (url.split('#').next() != Some(own.as_str())).then(|| {
                    let message = format!("the composition leaves its page for {}", short(&url));
                    Failure::new(Code::PageFailed, message)
                        .hint("a composition stays where it is: no links, forms or location changes")
                })
            }
            // The check observes pages, and says where in the code each request comes from.
            "Log.entryAdded" if !self.options.observe => {
                let entry = &params["entry"];
                let url = text(&entry["url"]);
                let failed = entry["source"] == "network" && entry["level"] == "error";
                (failed && abroad(&url, &self.options.base)).then(|| {
                    let message = format!(
                        "{} is asked of the network, which compositions do not have",
                        short(&url)
                    );
                    Failure::new(Code::PageFailed, message)
                        .hint("put it into public/, and use it from there")
                })
            }
            _ => None,
        }
    }
}

/// Whether an address is not the workspace's.
pub fn abroad(url: &str, base: &str) -> bool {
    let remote = ["http:", "https:", "ws:", "wss:"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    let host = base.trim_start_matches("http:");
    remote && !url.starts_with(base) && !url.starts_with(&format!("ws:{host}"))
}

fn short(url: &str) -> String {
    url.chars().take(200).collect()
}
