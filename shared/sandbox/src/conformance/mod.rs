//! What every provider does. An adapter's tests call [`crate::sandbox_conformance`] with a way to make the provider;
//! each case is a test of its own. The sandboxes need `sh`, `node` and the usual small programs, and a template with
//! `koda.json`, `src/Composition.tsx` and `public/`.

mod commands;
mod files;
mod life;
mod walls;

pub use commands::*;
pub use files::*;
pub use life::*;
pub use walls::*;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use koda_domain::{
    Engine, SandboxId, SessionId, WorkPath,
    sandbox::{
        Exec, FileWrite, ProcessName, SandboxLimits, SandboxProvider, SandboxSpec, Upstream, run,
    },
};
use std::{
    any::Any,
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A provider under test, and another one as another process would have it.
pub struct Bench {
    /// The provider.
    pub provider: Arc<dyn SandboxProvider>,
    /// The same deployment, seen from elsewhere.
    pub elsewhere: Arc<dyn SandboxProvider>,
    /// Gets a path through an upstream: [`visit`], or the adapter's own where that is a public origin.
    pub visit: fn(Upstream, String) -> BoxFuture<'static, io::Result<String>>,
    /// Whatever is to be dropped when the case is over.
    pub keep: Box<dyn Any + Send>,
}

/// Says that a case cannot run on this machine, past whatever captures output. In CI that is a failure.
///
/// # Panics
/// Where `CI` is `true`.
pub fn skip(case: &str, why: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{case} cannot run here: {why}"
    );
    let _ = writeln!(io::stderr(), "skipped {case}: {why}");
}

/// Gets a path over a Unix socket or TCP: the answer with its head.
///
/// # Errors
/// Where nobody answers; public origins are not visited.
pub async fn visit(upstream: Upstream, path: String) -> io::Result<String> {
    trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
    impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
    let mut stream: Box<dyn Stream> = match upstream {
        Upstream::Unix(socket) => Box::new(tokio::net::UnixStream::connect(socket).await?),
        Upstream::Tcp { host, port } => {
            Box::new(tokio::net::TcpStream::connect((host, port)).await?)
        }
        Upstream::Public { .. } => return Err(io::ErrorKind::Unsupported.into()),
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    // Without the marks between chunks, which the small pages of these tests have one of at most.
    Ok(String::from_utf8_lossy(&answer)
        .trim_end_matches("\r\n0\r\n\r\n")
        .to_owned())
}

const MINUTE: Duration = Duration::from_secs(60);

fn spec() -> SandboxSpec {
    SandboxSpec {
        session: SessionId::new(ulid::Ulid::generate()),
        place: 0,
        template: Engine::Remotion,
        limits: SandboxLimits {
            memory: 512 << 20,
            cpus: 2.0,
            pids: 100,
            disk: 96 << 20,
        },
        life: Duration::from_secs(600),
    }
}

async fn fresh(bench: &Bench) -> SandboxId {
    bench.provider.create(&spec()).await.expect("a sandbox").id
}

fn path(text: &str) -> WorkPath {
    WorkPath::parse(text).expect("a path")
}

fn exec(name: &str, argv: &[&str]) -> Exec {
    Exec::new(ProcessName::new(name), argv, MINUTE)
}

fn file(name: &str, bytes: impl Into<Bytes>) -> FileWrite {
    FileWrite {
        path: path(name),
        bytes: bytes.into(),
    }
}

async fn shell(bench: &Bench, id: &SandboxId, script: &str) -> String {
    let name = format!("sh-{}", ulid::Ulid::generate());
    let output = run(&*bench.provider, id, &exec(&name, &["sh", "-c", script]))
        .await
        .expect("a run");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn soon(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !check().await {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Makes each case a test: `sandbox_conformance!(make)`, where `make()` gives a [`Bench`], or the reason why there can be
/// none on this machine.
#[macro_export]
macro_rules! sandbox_conformance {
    ($make:expr) => {
        $crate::sandbox_conformance!(@cases $make;
            a_new_sandbox_holds_the_template, bytes_arrive_exactly, a_file_is_replaced_whole,
            what_is_not_there_is_not_found, only_plain_files_are_read, links_do_not_lead_out,
            output_comes_while_the_command_runs, arguments_arrive_verbatim, the_environment_is_its_own,
            failures_to_start_and_signals_are_told, a_deadline_ends_the_whole_tree, killing_leaves_nothing,
            output_is_capped, a_spawned_process_is_found_by_name, a_command_that_says_nothing_is_started_at_once,
            memory_is_limited, disk_is_limited, a_fork_bomb_is_contained, there_is_no_egress,
            the_kernel_cannot_be_set, creating_twice_gives_one_sandbox, a_session_has_a_sandbox_for_each_place, life_is_extended_and_ends,
            destroying_is_final, the_preview_is_reached, sweeping_spares_what_lives,
        );
    };
    (@cases $make:expr; $($case:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            match $make().await {
                Ok(bench) => $crate::conformance::$case(bench).await,
                Err(why) => $crate::conformance::skip(stringify!($case), &why),
            }
        }
    )*};
}
