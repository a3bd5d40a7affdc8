//! What a command says: passed on and kept up to a cap. What is beyond is read and dropped, so that the command never
//! waits for it.

use crate::wire::Reply;
use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt},
};
use data_encoding::BASE64;
use nix::{
    fcntl::AtFlags,
    unistd::{Gid, Uid, fchown, fchownat},
};
use std::{
    fs::File,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{mpsc, watch},
};

/// How long output may still come when everything that could write it is gone.
const DRAIN: Duration = Duration::from_secs(1);

/// Where output goes.
#[derive(Clone)]
pub struct Sink {
    pub listener: Option<mpsc::Sender<Reply>>,
    pub log: Option<Arc<File>>,
    /// Bytes that are kept.
    pub cap: u64,
    /// Set where some was dropped.
    pub truncated: Arc<AtomicBool>,
    /// True once the command and all that it started are gone.
    pub over: watch::Receiver<bool>,
}

impl Sink {
    /// Passes on what comes until there is no more.
    pub async fn pass_on(mut self, from: Option<impl AsyncRead + Unpin>, is_error: bool) {
        let Some(mut from) = from else { return };
        let mut buffer = vec![0; 32 * 1024];
        let mut left = self.cap;
        while let Some(count) = self.next(&mut from, &mut buffer).await {
            let keep = usize::try_from(left).unwrap_or(usize::MAX).min(count);
            if keep < count {
                self.truncated.store(true, Ordering::Relaxed);
            }
            left -= keep as u64;
            if keep > 0 {
                self.keep(&buffer[..keep], is_error).await;
            }
        }
    }

    /// Bytes read; none at the end, or where an end does not come although nobody is left to write.
    async fn next(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        buffer: &mut [u8],
    ) -> Option<usize> {
        let over = self.over.clone();
        let too_late = async move {
            let mut over = over;
            let _ = over.wait_for(|over| *over).await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            biased;
            read = from.read(buffer) => read.ok().filter(|count| *count > 0),
            () = too_late => {
                // A process of another command was handed the other end.
                self.truncated.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    async fn keep(&self, bytes: &[u8], is_error: bool) {
        if let Some(log) = &self.log {
            let _ = (&**log).write_all(bytes);
        }
        if let Some(listener) = &self.listener {
            let data = BASE64.encode(bytes);
            let reply = if is_error {
                Reply::Stderr { data }
            } else {
                Reply::Stdout { data }
            };
            let _ = listener.send(reply).await;
        }
    }
}

/// The log of a command that nobody listens to, which belongs to whoever the command is. Whatever code inside has put in
/// its place is replaced, and links of its lead nowhere.
pub fn open_log(app: &str, name: &str, owner: Option<(u32, u32)>) -> Option<Arc<File>> {
    let app = Dir::open_ambient_dir(app, ambient_authority()).ok()?;
    app.create_dir_all(".koda/log").ok()?;
    let folder = app.open_dir(".koda/log").ok()?;
    let name = format!("{name}.log");
    let _ = folder.remove_file(&name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o644);
    let file = folder.open_with(name, &options).ok()?.into_std();
    if let Some((user, group)) = owner {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        let give = |dir: &Dir| fchownat(dir, ".", Some(user), Some(group), AtFlags::empty());
        give(&app.open_dir(".koda").ok()?).ok()?;
        give(&folder).ok()?;
        fchown(&file, Some(user), Some(group)).ok()?;
    }
    Some(Arc::new(file))
}
