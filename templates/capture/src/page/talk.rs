//! Talking with the page: scripts and calls that are over in time, while the compositor is kept going.

use super::{Page, RELOADS, UNAIDED, reloaded};
use crate::error::{Code, Failure, Result};
use crate::picture::Capture;
use serde_json::{Value, json};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// A page may load itself anew, as Vite has it do when it finds a dependency; but not for ever.
pub fn loads_anew(code: Code) -> Failure {
    let message = "the page loads itself anew again and again";
    Failure::new(code, message).hint("a composition stays where it is: no location.reload()")
}

impl Page {
    /// Evaluates an expression of the page and waits for its promise, again where the page reloaded itself meanwhile.
    pub(super) async fn script(
        &self,
        deadline: Instant,
        waiting: &str,
        expression: &str,
    ) -> Result<Value> {
        let mut reloads = 0;
        loop {
            let params =
                json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
            let evaluated = self.pumped(self.call("Runtime.evaluate", params));
            match self.within(deadline, waiting, evaluated).await {
                Ok(mut result) => {
                    if result["exceptionDetails"].is_object() {
                        let details = &result["exceptionDetails"];
                        let said = details["exception"]["description"]
                            .as_str()
                            .or(details["text"].as_str())
                            .unwrap_or("exception");
                        // A page that was replaced a moment ago has no driver yet in its first, blank document.
                        return Err(Failure::new(
                            Code::PageFailed,
                            said.lines().next().unwrap_or(said),
                        ));
                    }
                    return Ok(result["result"]["value"].take());
                }
                Err(failure) if reloads < RELOADS && reloaded(&failure.message) => {
                    reloads += 1;
                    sleep(Duration::from_millis(50)).await;
                    if !expression.starts_with("__kodaDriver.ready") {
                        Box::pin(self.ready(deadline))
                            .await
                            .map_err(Failure::from)?;
                    }
                }
                Err(failure) if reloaded(&failure.message) => {
                    return Err(loads_anew(Code::PageFailed));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Waits for something that may need the compositor: picture decoding, resize observers and font loading move only when a
    /// frame is begun, and under begin-frame control nobody else begins one.
    pub(super) async fn pumped<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        if self.capture == Capture::Screenshot {
            return work.await;
        }
        tokio::select! {
            done = &mut work => return done,
            () = sleep(UNAIDED) => {}
        }
        loop {
            // A frame that was begun must end before the next one begins, even when the work is done meanwhile.
            let (done, begun) = {
                let frame = self.begin_frame(None);
                tokio::pin!(frame);
                tokio::select! {
                    done = &mut work => { let begun = frame.await; (Some(done), begun) }
                    begun = &mut frame => (None, begun),
                }
            };
            if let Some(done) = done {
                return done;
            }
            if begun.is_err() {
                // Between two documents there is nothing to draw; the work itself will say what is wrong.
                sleep(Duration::from_millis(20)).await;
            }
            tokio::select! {
                done = &mut work => return done,
                () = sleep(UNAIDED) => {}
            }
        }
    }

    pub(super) async fn within<T>(
        &self,
        deadline: Instant,
        waiting: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match timeout_at(deadline, self.unless_lost(work)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(Code::PageFailed, waiting)),
        }
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.cdp.call(Some(&self.session), method, params).await
    }
}
