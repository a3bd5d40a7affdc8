//! The check, run in the sandbox by the server, and told in words to models.

use super::{Interrupted, Job};
use crate::{Studio, StudioError};
use futures_util::StreamExt;
use koda_domain::{
    EventBody, SandboxId,
    report::{CheckReport, Diagnostic, Severity},
    sandbox::{Exec, ExecEvent, ProcessName, SandboxError},
    store::SessionHead,
};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

/// How long a check may take.
const DEADLINE: Duration = Duration::from_secs(180);
/// How soon what a stopped command leaves behind is killed.
const GRACE: Duration = Duration::from_millis(300);
/// What a turn runs in the sandbox, by name.
const COMMANDS: [&str; 3] = ["check", "still", "command"];
/// The most characters of diagnostics that a model is told.
const TOLD: usize = 4_000;

impl Job<'_> {
    /// Checks the working files and records what was found.
    pub(crate) async fn check(&self, head: &SessionHead) -> Result<SessionHead, Interrupted> {
        self.checked(head, &["koda-capture", "check", "--app", "/app"])
            .await
    }

    /// The same where code that has passed is played with other values.
    pub(super) async fn check_values(
        &self,
        head: &SessionHead,
    ) -> Result<SessionHead, Interrupted> {
        self.checked(head, &["koda-capture", "check", "--app", "/app", "--quick"])
            .await
    }

    async fn checked(&self, head: &SessionHead, argv: &[&str]) -> Result<SessionHead, Interrupted> {
        let head = if head
            .state
            .check
            .as_ref()
            .is_some_and(|c| c.digest == head.state.digest())
        {
            return Ok(head.clone());
        } else {
            self.tell(vec![EventBody::CheckStarted {}]).await?
        };
        let digest = head.state.digest();
        let (report, sheet) = self
            .check_somewhere(&head, argv)
            .instrument(info_span!("check"))
            .await?;
        self.tell(vec![EventBody::CheckFinished {
            report,
            digest,
            sheet,
        }])
        .await
    }

    /// A sandbox that is lost on the way is replaced once.
    async fn check_somewhere(
        &self,
        head: &SessionHead,
        argv: &[&str],
    ) -> Result<(CheckReport, Option<koda_domain::BlobId>), Interrupted> {
        let mut lost = false;
        loop {
            let work = async {
                let sandbox = self.studio.prepare_working(head).await?;
                let name = ProcessName::new("check");
                let exec = Exec::new(name, argv, DEADLINE);
                let line = self.studio.capture(&sandbox, &exec, &self.cancel).await?;
                Ok::<_, StudioError>((sandbox, line))
            };
            match self
                .cancel
                .run_until_cancelled(work)
                .await
                .ok_or(Interrupted::Cancelled)?
            {
                Ok((sandbox, line)) => {
                    let report = serde_json::from_value::<CheckReport>(line.clone())
                        .map_err(|_| not_checked(&line))?;
                    let sheet = match &report.sheet {
                        Some(path) => self.studio.keep_picture(&head.tenant, &sandbox, path).await,
                        None => None,
                    };
                    return Ok((report, sheet));
                }
                Err(StudioError::Sandbox(SandboxError::Gone)) if !lost => lost = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends what a turn that is cut off left running in the sandbox.
    pub(super) async fn end_commands(&self) {
        let head = self.studio.store().session_any(self.session).await;
        let Some(id) = head.ok().and_then(|h| h.state.sandbox).and_then(|s| s.id) else {
            return;
        };
        let end = |name| {
            let (id, name) = (id.clone(), ProcessName::new(name));
            async move {
                self.studio
                    .sandboxes()
                    .kill(&id, &name, Duration::ZERO)
                    .await
            }
        };
        let ending = futures_util::future::join_all(COMMANDS.map(end));
        // Whoever waits for the stop does not wait for a sandbox that hangs.
        let _ = tokio::time::timeout(Duration::from_secs(1), ending).await;
    }
}

impl Studio {
    /// Runs `koda-capture` and returns its last line.
    pub(crate) async fn capture(
        &self,
        sandbox: &SandboxId,
        exec: &Exec,
        cancel: &CancellationToken,
    ) -> Result<Value, StudioError> {
        // What a dead worker began is in the way, and its result is nobody's.
        self.sandboxes().kill(sandbox, &exec.name, GRACE).await?;
        let mut events = self.sandboxes().exec(sandbox, exec).await?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            match cancel.run_until_cancelled(events.next()).await {
                None => {
                    self.sandboxes().kill(sandbox, &exec.name, GRACE).await?;
                    return Err(SandboxError::TimedOut("stopped".into()).into());
                }
                Some(None) => return Err(SandboxError::Gone.into()),
                Some(Some(Err(error))) => return Err(error.into()),
                Some(Some(Ok(ExecEvent::Stdout(bytes)))) => stdout.extend_from_slice(&bytes),
                Some(Some(Ok(ExecEvent::Stderr(bytes)))) => stderr.extend_from_slice(&bytes),
                Some(Some(Ok(ExecEvent::Exited(_)))) => break,
            }
        }
        let text = String::from_utf8_lossy(&stdout);
        let last = text
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str::<Value>(line).ok());
        last.ok_or_else(|| {
            let said = String::from_utf8_lossy(&stderr);
            let said: String = said
                .lines()
                .last()
                .unwrap_or("nothing")
                .chars()
                .take(300)
                .collect();
            SandboxError::Unavailable(format!("{} gave no result and said: {said}", exec.argv[0]))
                .into()
        })
    }
}

fn not_checked(line: &Value) -> Interrupted {
    let why = line["message"].as_str().unwrap_or("it gave no report");
    Interrupted::Failed {
        code: "check_not_run",
        message: format!(
            "The animation could not be checked: {why}. Send the message again to retry."
        ),
    }
}

/// Findings as a model is told them, errors first.
pub(crate) fn describe(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics
        .iter()
        .partition(|d| d.severity == Severity::Error);
    for d in errors.into_iter().chain(warnings) {
        let severity = if d.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        let place = match (&d.file, d.line, d.column) {
            (Some(file), Some(line), Some(column)) => format!(" {file}:{line}:{column}"),
            (Some(file), Some(line), None) => format!(" {file}:{line}"),
            (Some(file), ..) => format!(" {file}"),
            _ => String::new(),
        };
        let frame = d
            .frame
            .map(|f| format!(" at frame {f}"))
            .unwrap_or_default();
        let hint = d
            .hint
            .as_ref()
            .map(|h| format!("\n  hint: {h}"))
            .unwrap_or_default();
        let line = format!(
            "{severity} [{}/{}]{place}{frame}: {}{hint}\n",
            d.gate, d.code, d.message
        );
        if text.len() + line.len() > TOLD {
            text.push_str("… more findings were left out\n");
            break;
        }
        text.push_str(&line);
    }
    text
}
