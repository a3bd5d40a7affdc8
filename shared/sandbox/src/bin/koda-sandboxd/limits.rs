//! What commands may use together, and how much of that the kernel can be told.

use crate::wire::Orders;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::sync::{Arc, Mutex, PoisonError};

const OPEN_FILES: u64 = 8192;
/// Processes beyond the limit that the kernel lets be: the supervisor's own, and enough to see that it was passed.
const SPARE_PIDS: u64 = 16;

/// What commands may use together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Bytes.
    pub disk: u64,
}

/// The limits that hold, which can be set again.
#[derive(Clone)]
pub struct Held(Arc<Mutex<Limits>>);

impl Held {
    /// Those that were ordered; commands inherit the kernel's part of them.
    pub fn of(orders: &Orders) -> nix::Result<Self> {
        let limits = Limits {
            memory: orders.memory,
            pids: orders.pids,
            disk: orders.disk,
        };
        tell_kernel(&limits)?;
        Ok(Self(Arc::new(Mutex::new(limits))))
    }

    /// What holds now.
    pub fn get(&self) -> Limits {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds others, of the kernel's part for what is started from now on.
    pub fn set(&self, limits: Limits) -> nix::Result<()> {
        tell_kernel(&limits)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        Ok(())
    }
}

/// Sets what every command inherits.
fn tell_kernel(limits: &Limits) -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    // Root may raise what it has lowered.
    let root = nix::unistd::geteuid().is_root();
    let set = |resource, wanted: u64| {
        let (_, most) = getrlimit(resource)?;
        let wanted = if root { wanted } else { wanted.min(most) };
        setrlimit(resource, wanted, wanted)
    };
    set(Resource::RLIMIT_FSIZE, limits.disk)?;
    set(Resource::RLIMIT_NOFILE, OPEN_FILES)?;
    set(Resource::RLIMIT_NPROC, u64::from(limits.pids) + SPARE_PIDS)
}
