//! What every provider does, done at E2B.

use super::{E2bProvider, KEPT_PAUSED, PREVIEW_PORT, calls, files, owner, owner::sandbox_of};
use crate::{talk, wire::Request};
use async_trait::async_trait;
use bytes::Bytes;
use e2b_client::{Sandbox as Handle, SandboxState};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream::BoxStream};
use koda_domain::{
    SandboxId, WorkPath,
    sandbox::{
        Exec, ExecEvent, FileWrite, Listed, ProcessName, ProcessStatus, ProviderInfo, Sandbox,
        SandboxError, SandboxProvider, SandboxSpec, Upstream,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// How often a sandbox is made that somebody else ends at once.
const ATTEMPTS: usize = 3;

#[async_trait]
impl SandboxProvider for E2bProvider {
    fn info(&self) -> ProviderInfo {
        ProviderInfo {
            name: "e2b".into(),
            isolation: "a virtual machine for each session (E2B), no network".into(),
        }
    }

    async fn ready(&self) -> Result<(), SandboxError> {
        for template in self.config.templates.values() {
            let there = self.client.template_exists(template).await;
            if !there.map_err(|e| calls::failed(&e))? {
                return Err(calls::no_template(template));
            }
        }
        Ok(())
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<Sandbox, SandboxError> {
        let session = self.session(spec.session);
        let _one_at_a_time = session.lock().await;
        if let Some(sandbox) = self.of_session(spec, None).await? {
            return Ok(sandbox);
        }
        let _place = self.place().await?;
        for _ in 0..ATTEMPTS {
            let made = self.make(spec).await?;
            // Another process may have made one at the same moment: whoever looks picks the same, and ends the other.
            if let Some(sandbox) = self.of_session(spec, Some(&made)).await?
                && self.limit(&sandbox.id, spec).await?
            {
                return Ok(sandbox);
            }
        }
        Err(SandboxError::Unavailable(
            "several processes make sandboxes for one session again and again".into(),
        ))
    }

    async fn get(&self, id: &SandboxId) -> Result<Sandbox, SandboxError> {
        if !owner::is_id(&id.0) {
            return Err(SandboxError::Gone);
        }
        let failed = |e: e2b_client::Error| calls::failed(&e);
        let mut info = self.client.get(&id.0).await.map_err(failed)?;
        if info.state == SandboxState::Paused && self.owner().owns(&info) {
            self.met().remove(id);
            self.attach(id).await?;
            info = self.client.get(&id.0).await.map_err(failed)?;
        }
        if !self.owner().owns(&info) {
            return Err(SandboxError::Gone);
        }
        sandbox_of(&info, self.config.max_life).ok_or(SandboxError::Gone)
    }

    async fn exec(
        &self,
        id: &SandboxId,
        exec: &Exec,
    ) -> Result<BoxStream<'static, Result<ExecEvent, SandboxError>>, SandboxError> {
        let request = Request::Exec { exec: exec.clone() };
        let request = &request;
        let listen = |handle: Handle| async move { calls::listen(&handle, request).await }.boxed();
        let mut replies = self.with(id, listen).await?;
        let first = replies.next().await.unwrap_or(Err(SandboxError::Gone))?;
        talk::started(first, exec.name.as_str())?;
        let events = replies.and_then(|reply| std::future::ready(talk::event(reply)));
        let mut over = false;
        let events = events.take_while(move |event| {
            let go_on = !over;
            over |= !matches!(event, Ok(ExecEvent::Stdout(_) | ExecEvent::Stderr(_)));
            std::future::ready(go_on)
        });
        Ok(events.boxed())
    }

    async fn spawn(&self, id: &SandboxId, exec: &Exec) -> Result<(), SandboxError> {
        let reply = self.ask(id, &Request::Spawn { exec: exec.clone() }).await?;
        talk::started(reply, exec.name.as_str())
    }

    async fn process(
        &self,
        id: &SandboxId,
        name: &ProcessName,
    ) -> Result<ProcessStatus, SandboxError> {
        self.ask(id, &talk::status_of(name)).await.map(talk::status)
    }

    async fn kill(
        &self,
        id: &SandboxId,
        name: &ProcessName,
        grace: Duration,
    ) -> Result<(), SandboxError> {
        self.ask(id, &talk::kill(name, grace)).await.map(drop)
    }

    async fn write(&self, id: &SandboxId, files: Vec<FileWrite>) -> Result<(), SandboxError> {
        let files = &files;
        let write = |handle: Handle| async move { files::write(&handle, files).await }.boxed();
        files::understood(self.with(id, write).await?)
    }

    async fn read(&self, id: &SandboxId, path: &WorkPath, max: u64) -> Result<Bytes, SandboxError> {
        let max = max.to_string();
        self.files(id, &["read", files::APP, path.as_str(), &max])
            .await
    }

    async fn read_stream(
        &self,
        id: &SandboxId,
        path: &WorkPath,
    ) -> Result<BoxStream<'static, Result<Bytes, SandboxError>>, SandboxError> {
        self.files(id, &["check", files::APP, path.as_str()])
            .await?;
        let absolute = format!("{}/{}", files::APP, path.as_str());
        let absolute = &absolute;
        let read = |handle: Handle| {
            async move {
                let files = handle.files().as_user(files::USER);
                let (_, stream) = files.read_stream(absolute).await?;
                Ok(stream.boxed())
            }
            .boxed()
        };
        let stream = self.with(id, read).await?;
        Ok(stream.map_err(|e| calls::failed(&e)).boxed())
    }

    async fn list(
        &self,
        id: &SandboxId,
        folder: Option<&WorkPath>,
    ) -> Result<Vec<Listed>, SandboxError> {
        let mut args = vec!["list", files::APP];
        args.extend(folder.map(WorkPath::as_str));
        let told = self.files(id, &args).await?;
        serde_json::from_slice(&told).map_err(|e| talk::nonsense(&e))
    }

    async fn remove(&self, id: &SandboxId, paths: Vec<WorkPath>) -> Result<(), SandboxError> {
        let names = serde_json::to_string(&paths).map_err(|e| talk::nonsense(&e))?;
        self.files(id, &["remove", files::APP, &names])
            .await
            .map(drop)
    }

    async fn preview(&self, id: &SandboxId) -> Result<Upstream, SandboxError> {
        // An address can be made up for any sandbox; whether it lives has to be asked.
        let reach = |handle: Handle| {
            async move {
                handle.ensure_alive().await?;
                Ok(handle.host(PREVIEW_PORT))
            }
            .boxed()
        };
        let host = self.with(id, reach).await?;
        if let Some(url) = &self.config.preview_url {
            return Ok(Upstream::Public {
                origin: url
                    .replacen("PORT", &PREVIEW_PORT.to_string(), 1)
                    .replacen("ID", &id.0, 1),
                headers: Vec::new(),
            });
        }
        Ok(Upstream::Public {
            origin: host.origin,
            headers: host.headers,
        })
    }

    async fn extend(&self, id: &SandboxId, life: Duration) -> Result<(), SandboxError> {
        let life = self.life(life);
        let client = &self.client;
        self.with(id, |handle: Handle| {
            async move { client.set_timeout(handle.id(), life).await }.boxed()
        })
        .await
    }

    async fn owned(&self) -> Result<Vec<Sandbox>, SandboxError> {
        let found = self
            .client
            .list(&self.owner().all())
            .await
            .map_err(|e| calls::failed(&e))?;
        let owned = found.into_iter().filter_map(|info| {
            let mut sandbox = sandbox_of(&info, self.config.max_life)?;
            if info.state == SandboxState::Paused {
                let kept = sandbox.expires_at.checked_add(KEPT_PAUSED);
                sandbox.expires_at = kept.unwrap_or(sandbox.expires_at);
            }
            Some(sandbox)
        });
        Ok(owned.collect())
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), SandboxError> {
        self.met().remove(id);
        if !owner::is_id(&id.0) {
            return Ok(());
        }
        match self.client.get(&id.0).await {
            Ok(info) if self.owner().owns(&info) => self
                .client
                .kill(&id.0)
                .await
                .map(drop)
                .map_err(|e| calls::failed(&e)),
            Ok(_) | Err(e2b_client::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(calls::failed(&error)),
        }
    }

    async fn sweep(&self) -> Result<u32, SandboxError> {
        // A machine takes everything with it; only doubles of a session can be left.
        let mut of_session: BTreeMap<_, Vec<Sandbox>> = BTreeMap::new();
        for sandbox in self.owned().await? {
            let whose = (sandbox.session, sandbox.place);
            of_session.entry(whose).or_default().push(sandbox);
        }
        let mut swept = 0;
        for (_, mut sandboxes) in of_session {
            sandboxes.sort_by(|a, b| (a.created_at, &a.id.0).cmp(&(b.created_at, &b.id.0)));
            for double in sandboxes.iter().skip(1) {
                self.destroy(&double.id).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}
