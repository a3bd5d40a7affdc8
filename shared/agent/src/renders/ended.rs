//! What ends an attempt at a render, and how that is told.

use super::{DEADLINE, Watch};
use crate::StudioError;
use koda_domain::{
    render::RenderFailure,
    sandbox::{EndedBy, ExitStatus, SandboxError},
    store::StoreError,
};

/// Why the watch over a render ended without a result of its own.
pub(super) enum Ended {
    /// Another worker watches, or the process shuts down: say nothing.
    Silently,
    /// Somebody cancelled it.
    Cancelled,
    /// It may work when begun again.
    Again(RenderFailure),
    /// It will not.
    Failed(RenderFailure),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fenced | StoreError::NotFound => Self::Silently,
            other => Self::Again(failure(
                "store_unavailable",
                format!("Saving failed: {other}."),
            )),
        }
    }
}

impl From<SandboxError> for Ended {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Rejected(why) | SandboxError::OverLimit(why) => {
                Self::Failed(failure("sandbox_refused", why))
            }
            other => Self::Again(failure(
                "sandbox_lost",
                format!("The sandbox was lost: {other}."),
            )),
        }
    }
}

impl From<StudioError> for Ended {
    fn from(error: StudioError) -> Self {
        match error {
            StudioError::Sandbox(error) => error.into(),
            StudioError::Store(error) => error.into(),
            StudioError::NotFound => Self::Silently,
            other => Self::Again(failure(
                "storage_unavailable",
                format!("Saving failed: {other}."),
            )),
        }
    }
}

fn failure(code: &str, message: String) -> RenderFailure {
    RenderFailure {
        code: code.into(),
        message,
        frame: None,
    }
}

fn out_of_space(disk: u64) -> RenderFailure {
    let message = format!(
        "The export needs more than the {} of disk that its sandbox has. Export a shorter range, at a lower resolution, or as MP4 or WebM; whoever runs Koda can raise SANDBOX_MAX_DISK.",
        size(disk)
    );
    failure("out_of_space", message)
}

/// The failure with a code of the closed list: what a sandbox says is not ours.
pub(super) fn closed(failure: RenderFailure) -> RenderFailure {
    let known = RenderFailure::CODES.contains(&failure.code.as_str());
    let code = if known {
        failure.code
    } else {
        "renderer_failed".to_owned()
    };
    RenderFailure { code, ..failure }
}

/// Whether an attempt that failed so may have been too much at once for its sandbox: then one browser may do it.
pub(super) fn may_be_crowded(failure: &RenderFailure) -> bool {
    [
        "browser_failed",
        "encoder_failed",
        "renderer_ended",
        "out_of_memory",
        "out_of_processes",
    ]
    .contains(&failure.code.as_str())
}

impl Watch<'_> {
    /// Why files could not be laid into a sandbox: there is one limit to that.
    pub(super) fn not_laid(&self, error: StudioError) -> Ended {
        match error {
            StudioError::Sandbox(SandboxError::OverLimit(_)) => {
                Ended::Failed(out_of_space(self.studio.options().limits.disk))
            }
            other => other.into(),
        }
    }

    /// Why a renderer that said nothing in the end has ended.
    pub(super) fn unsaid(&self, status: &ExitStatus) -> Ended {
        let limits = &self.studio.options().limits;
        let alone = if self.crowded {
            ", even with one browser"
        } else {
            ""
        };
        match status.ended_by {
            Some(EndedBy::Disk) => Ended::Failed(out_of_space(limits.disk)),
            Some(EndedBy::Deadline) => Ended::Failed(failure(
                "out_of_time",
                format!(
                    "The export took longer than {} hours, which is the most. Export a part of the animation, at a lower resolution, or as draft.",
                    DEADLINE.as_secs() / 3600
                ),
            )),
            Some(EndedBy::Memory) => self.unless_alone(failure(
                "out_of_memory",
                format!(
                    "The export needs more than the {} of memory that its sandbox has{alone}. Export at a lower resolution or as draft; whoever runs Koda can raise SANDBOX_MAX_MEMORY.",
                    size(limits.memory)
                ),
            )),
            Some(EndedBy::Pids) => self.unless_alone(failure(
                "out_of_processes",
                format!(
                    "The export started more than the {} processes and threads that its sandbox may have{alone}. Export again when nothing else is at work in this animation.",
                    limits.pids
                ),
            )),
            Some(EndedBy::Kill) | None => Ended::Again(failure(
                "renderer_ended",
                format!(
                    "The renderer ended with code {} and did not say why. Export again; if that does not help, at a lower resolution or as draft.",
                    status.code
                ),
            )),
        }
    }

    /// What was too much for several browsers may do with one; what was too much for one is so again, unless parts of the film
    /// have become whole and the next attempt begins behind them.
    fn unless_alone(&self, failure: RenderFailure) -> Ended {
        if self.crowded && !self.fruitful {
            Ended::Failed(failure)
        } else {
            Ended::Again(failure)
        }
    }
}

/// Bytes as a person reads them.
fn size(bytes: u64) -> String {
    let mb = bytes >> 20;
    if mb < 1024 {
        format!("{mb} MB")
    } else if mb.is_multiple_of(1024) {
        format!("{} GB", mb / 1024)
    } else {
        format!("{}.{} GB", mb / 1024, mb % 1024 * 10 / 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_say_them() {
        let sizes = [384 << 20, 2 << 30, (2 << 30) + (512 << 20)].map(size);
        assert_eq!(sizes, ["384 MB", "2 GB", "2.5 GB"]);
    }

    #[test]
    fn a_code_that_nobody_knows_is_told_as_one_of_the_list() {
        let told = |code: &str| closed(failure(code, "It failed.".into())).code;
        assert_eq!(told("page_failed"), "page_failed");
        assert_eq!(told("made_up"), "renderer_failed");
    }
}
