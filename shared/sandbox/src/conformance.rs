//! What every provider does. An adapter's tests call [`crate::sandbox_conformance`] with a way to make the provider;
//! each case is a test of its own.

use bytes::Bytes;
use futures_util::StreamExt;
use koda_domain::{
    Engine, SandboxId, SessionId, WorkPath,
    sandbox::{
        EndedBy, Exec, ExecEvent, FileWrite, ProcessName, ProcessStatus, SandboxError,
        SandboxLimits, SandboxProvider, SandboxSpec, run,
    },
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A provider under test, and another one as another process would have it.
pub struct Bench {
    /// The provider.
    pub provider: Arc<dyn SandboxProvider>,
    /// The same deployment, seen from elsewhere.
    pub elsewhere: Arc<dyn SandboxProvider>,
}

const MINUTE: Duration = Duration::from_secs(60);

fn spec() -> SandboxSpec {
    SandboxSpec {
        session: SessionId::new(ulid::Ulid::generate()),
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

/// Creating twice for one session gives one sandbox, from anywhere.
pub async fn creating_twice_gives_one_sandbox(bench: Bench) {
    let spec = spec();
    let (a, b) = tokio::join!(bench.provider.create(&spec), bench.elsewhere.create(&spec));
    let (a, b) = (a.expect("first"), b.expect("second"));
    assert_eq!(a.id, b.id);
    bench.provider.destroy(&a.id).await.expect("destroyed");
}

/// `/app` holds the template.
pub async fn a_new_sandbox_holds_the_template(bench: Bench) {
    let id = fresh(&bench).await;
    let listed = bench.provider.list(&id, None).await.expect("a list");
    let paths: Vec<_> = listed.iter().map(|l| l.path.as_str()).collect();
    assert!(
        paths.contains(&"koda.json") && paths.contains(&"src/Composition.tsx"),
        "{paths:?}"
    );
    assert!(
        !paths.iter().any(|p| p.starts_with("node_modules")),
        "{paths:?}"
    );
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(paths, sorted);
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Bytes arrive exactly, whatever they are and however the file is called.
pub async fn bytes_arrive_exactly(bench: Bench) {
    let id = fresh(&bench).await;
    let every: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..5 << 20)
        .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0])
        .collect();
    let files = [
        ("public/empty.bin", vec![]),
        ("public/sixteen.svg", b"<svg>16 bytes</>".to_vec()),
        ("public/my photo (1) [x].png", every),
        ("public/page.bin", vec![7; 8192]),
        ("public/deep/er/and/deeper/large.bin", large),
    ];
    let writes = files
        .iter()
        .map(|(name, bytes)| file(name, bytes.clone()))
        .collect();
    bench.provider.write(&id, writes).await.expect("written");
    for (name, bytes) in files {
        let read = bench
            .elsewhere
            .read(&id, &path(name), 8 << 20)
            .await
            .expect("read");
        assert!(read == bytes, "{name} differs");
        let mut stream = bench
            .provider
            .read_stream(&id, &path(name))
            .await
            .expect("a stream");
        let mut streamed = Vec::new();
        while let Some(piece) = stream.next().await {
            streamed.extend_from_slice(&piece.expect("a piece"));
        }
        assert!(streamed == bytes, "{name} differs as a stream");
    }
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// A file is replaced as a whole, and can be replaced.
pub async fn a_file_is_replaced_whole(bench: Bench) {
    let id = fresh(&bench).await;
    for text in ["a longer text than the next", "short"] {
        bench
            .provider
            .write(&id, vec![file("src/a.ts", text)])
            .await
            .expect("written");
    }
    assert_eq!(
        bench
            .provider
            .read(&id, &path("src/a.ts"), 100)
            .await
            .expect("read"),
        "short"
    );
    assert!(matches!(
        bench.provider.read(&id, &path("src/a.ts"), 4).await,
        Err(SandboxError::OverLimit(_))
    ));
    let names = shell(&bench, &id, "ls -A src").await;
    assert!(!names.contains("tmp"), "{names}");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// What is not there is not found; removing it succeeds.
pub async fn what_is_not_there_is_not_found(bench: Bench) {
    let id = fresh(&bench).await;
    let missing = path("src/missing.ts");
    assert!(matches!(
        bench.provider.read(&id, &missing, 10).await,
        Err(SandboxError::NotFound(_))
    ));
    bench
        .provider
        .remove(&id, vec![missing])
        .await
        .expect("removed");
    bench
        .provider
        .write(&id, vec![file("src/b/c.ts", "x")])
        .await
        .expect("written");
    bench
        .provider
        .remove(&id, vec![path("src/b")])
        .await
        .expect("removed");
    assert!(matches!(
        bench.provider.read(&id, &path("src/b/c.ts"), 10).await,
        Err(SandboxError::NotFound(_))
    ));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T24: pipes, sockets, folders and links are refused, and nobody waits for them.
pub async fn only_plain_files_are_read(bench: Bench) {
    let id = fresh(&bench).await;
    shell(
        &bench,
        &id,
        "cd public; mkfifo pipe; mkdir folder; ln -s /etc/passwd link; ln -s ../.. up",
    )
    .await;
    for name in ["public/pipe", "public/folder", "public/link"] {
        let read = tokio::time::timeout(
            Duration::from_secs(5),
            bench.provider.read(&id, &path(name), 1000),
        )
        .await;
        assert!(
            matches!(read, Ok(Err(SandboxError::NotAFile(_)))),
            "{name}: {read:?}"
        );
    }
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Links that lead out of `/app` lead nowhere.
pub async fn links_do_not_lead_out(bench: Bench) {
    let id = fresh(&bench).await;
    shell(
        &bench,
        &id,
        "ln -s /tmp public/out; echo secret > /tmp/s; ln -s ../../.. public/up",
    )
    .await;
    for name in ["public/out/s", "public/up/etc/passwd"] {
        assert!(
            bench.provider.read(&id, &path(name), 1000).await.is_err(),
            "{name} was read"
        );
        assert!(
            bench
                .provider
                .write(&id, vec![file(name, "x")])
                .await
                .is_err(),
            "{name} was written"
        );
    }
    let _ = bench.provider.remove(&id, vec![path("public/out/s")]).await;
    assert_eq!(shell(&bench, &id, "cat /tmp/s").await.trim(), "secret");
    let listed = bench.provider.list(&id, None).await.expect("a list");
    assert!(
        listed
            .iter()
            .all(|l| !l.path.starts_with("public/up/") && !l.path.starts_with("public/out/"))
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Output is told while the command runs.
pub async fn output_comes_while_the_command_runs(bench: Bench) {
    let id = fresh(&bench).await;
    let script =
        "echo first; while [ ! -e go ]; do sleep 0.05; done; echo second; echo oops >&2; exit 3";
    let mut events = bench
        .provider
        .exec(&id, &exec("stream", &["sh", "-c", script]))
        .await
        .expect("a stream");
    let first = events.next().await.expect("an event").expect("output");
    assert_eq!(first, ExecEvent::Stdout(Bytes::from_static(b"first\n")));
    bench
        .provider
        .write(&id, vec![file("go", "")])
        .await
        .expect("written");
    let (mut out, mut err, mut code) = (Vec::new(), Vec::new(), None);
    while let Some(event) = events.next().await {
        match event.expect("an event") {
            ExecEvent::Stdout(bytes) => out.extend_from_slice(&bytes),
            ExecEvent::Stderr(bytes) => err.extend_from_slice(&bytes),
            ExecEvent::Exited(status) => code = Some(status.code),
        }
    }
    assert_eq!(
        (out.as_slice(), err.as_slice(), code),
        (&b"second\n"[..], &b"oops\n"[..], Some(3))
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T35: arguments arrive verbatim; there is no shell.
pub async fn arguments_arrive_verbatim(bench: Bench) {
    let id = fresh(&bench).await;
    let argv = [
        "printf",
        "%s|",
        "$(touch /app/pwn)",
        "`id`",
        "a;b",
        "new\nline",
        "--help",
        "-y",
        "ü",
        "",
    ];
    let output = run(&*bench.provider, &id, &exec("argv", &argv))
        .await
        .expect("a run");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "$(touch /app/pwn)|`id`|a;b|new\nline|--help|-y|ü||"
    );
    assert!(matches!(
        bench.provider.read(&id, &path("pwn"), 10).await,
        Err(SandboxError::NotFound(_))
    ));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T10: nothing of the server's environment is inside, and nobody is root.
pub async fn the_environment_is_its_own(bench: Bench) {
    let id = fresh(&bench).await;
    let mut with = exec(
        "env",
        &[
            "sh",
            "-c",
            "env; id -u; cat /proc/1/environ /proc/[0-9]*/environ | tr '\\0' '\\n'",
        ],
    );
    with.env.insert("KODA_EXTRA".into(), "given".into());
    let output = run(&*bench.provider, &id, &with).await.expect("a run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("KODA_EXTRA=given") && text.contains("\n1000\n"),
        "{text}"
    );
    assert!(
        !text.contains("CARGO_"),
        "the server's environment is inside:\n{text}"
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// A program that is not there is refused with a reason; a signal is 128 and its number.
pub async fn failures_to_start_and_signals_are_told(bench: Bench) {
    let id = fresh(&bench).await;
    let missing = bench
        .provider
        .exec(&id, &exec("none", &["no-such-program"]))
        .await
        .err();
    assert!(
        matches!(missing, Some(SandboxError::Rejected(_))),
        "{missing:?}"
    );
    let output = run(
        &*bench.provider,
        &id,
        &exec("sig", &["sh", "-c", "kill -9 $$"]),
    )
    .await
    .expect("a run");
    assert_eq!((output.status.code, output.status.ended_by), (137, None));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// F25: a deadline ends the whole tree, double forks and new sessions included.
pub async fn a_deadline_ends_the_whole_tree(bench: Bench) {
    let id = fresh(&bench).await;
    let script = "(setsid sh -c 'while :; do date > /app/alive; sleep 0.1; done' &) ; sleep 60";
    let mut late = exec("late", &["sh", "-c", script]);
    late.deadline = Duration::from_secs(1);
    let output = run(&*bench.provider, &id, &late).await.expect("a run");
    assert_eq!(output.status.ended_by, Some(EndedBy::Deadline));
    let left = shell(&bench, &id, "rm -f alive; sleep 0.5; ls alive 2>&1").await;
    assert!(left.contains("No such file") || left.is_empty(), "{left}");
    assert!(matches!(
        bench.provider.read(&id, &path("alive"), 100).await,
        Err(SandboxError::NotFound(_))
    ));
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Killing returns when nothing is left, and asks before it forces.
pub async fn killing_leaves_nothing(bench: Bench) {
    let id = fresh(&bench).await;
    let script = "trap 'echo bye > /app/bye; exit 0' TERM; (trap '' TERM; sleep 60) & while :; do sleep 0.05; done";
    bench
        .provider
        .spawn(&id, &exec("victim", &["sh", "-c", script]))
        .await
        .expect("spawned");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let name = ProcessName::new("victim");
    bench
        .elsewhere
        .kill(&id, &name, Duration::from_secs(1))
        .await
        .expect("killed");
    let ProcessStatus::Exited(status) = bench.provider.process(&id, &name).await.expect("a status")
    else {
        panic!("it still runs")
    };
    assert_eq!(status.ended_by, Some(EndedBy::Kill));
    assert_eq!(
        bench
            .provider
            .read(&id, &path("bye"), 10)
            .await
            .expect("read"),
        "bye\n"
    );
    let left = shell(&bench, &id, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").await;
    assert!(!left.contains("sleep 60"), "{left}");
    bench
        .provider
        .kill(&id, &ProcessName::new("nobody"), Duration::ZERO)
        .await
        .expect("killing nothing");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Output is kept up to a cap; the command does not wait for what is dropped.
pub async fn output_is_capped(bench: Bench) {
    let id = fresh(&bench).await;
    let mut loud = exec(
        "loud",
        &["sh", "-c", "head -c 3000000 /dev/zero; echo done >&2"],
    );
    loud.output_cap = 1000;
    let output = run(&*bench.provider, &id, &loud).await.expect("a run");
    assert_eq!(
        (
            output.stdout.len(),
            output.status.code,
            output.status.truncated
        ),
        (1000, 0, true)
    );
    assert_eq!(output.stderr, b"done\n");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// A name is one process at a time; a spawned one runs on without its caller and says how it ended.
pub async fn a_spawned_process_is_found_by_name(bench: Bench) {
    let id = fresh(&bench).await;
    let name = ProcessName::new("worker");
    assert_eq!(
        bench.provider.process(&id, &name).await.expect("a status"),
        ProcessStatus::Unknown
    );
    let wait = exec(
        "worker",
        &[
            "sh",
            "-c",
            "while [ ! -e stop ]; do sleep 0.05; done; exit 5",
        ],
    );
    bench.provider.spawn(&id, &wait).await.expect("spawned");
    assert_eq!(
        bench.elsewhere.process(&id, &name).await.expect("a status"),
        ProcessStatus::Running
    );
    assert!(matches!(
        bench.elsewhere.spawn(&id, &wait).await,
        Err(SandboxError::Busy(_))
    ));
    assert!(matches!(
        bench.elsewhere.exec(&id, &wait).await.err(),
        Some(SandboxError::Busy(_))
    ));
    bench
        .provider
        .write(&id, vec![file("stop", "")])
        .await
        .expect("written");
    soon("the process did not end", async || {
        matches!(bench.elsewhere.process(&id, &name).await, Ok(ProcessStatus::Exited(s)) if s.code == 5)
    })
    .await;
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T06: a command that takes too much memory ends with that reason, and the sandbox lives on.
pub async fn memory_is_limited(bench: Bench) {
    let id = fresh(&bench).await;
    let script =
        "const a=[];setInterval(()=>{for(let i=0;i<4;i++)a.push(Buffer.alloc(16<<20,1))},20)";
    let output = run(&*bench.provider, &id, &exec("hog", &["node", "-e", script]))
        .await
        .expect("a run");
    assert_ne!(output.status.code, 0);
    assert!(
        matches!(output.status.ended_by, Some(EndedBy::Memory)),
        "{:?}",
        output.status
    );
    assert_eq!(shell(&bench, &id, "echo alive").await, "alive\n");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T07: a command that fills the disk ends with that reason.
pub async fn disk_is_limited(bench: Bench) {
    let id = fresh(&bench).await;
    let script = "i=0; while :; do head -c 4000000 /dev/zero > public/f$i || exit 9; i=$((i+1)); sleep 0.02; done";
    let output = run(&*bench.provider, &id, &exec("fill", &["sh", "-c", script]))
        .await
        .expect("a run");
    assert!(
        output.status.ended_by == Some(EndedBy::Disk) || output.status.code == 9,
        "{:?}",
        output.status
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T05: a fork bomb stays inside, and is ended.
pub async fn a_fork_bomb_is_contained(bench: Bench) {
    let id = fresh(&bench).await;
    let mut bomb = exec("bomb", &["sh", "-c", "b() { b | b & }; b; sleep 5"]);
    bomb.deadline = Duration::from_secs(3);
    let output = run(&*bench.provider, &id, &bomb).await.expect("a run");
    assert!(
        output.status.code != 0 || output.status.ended_by.is_some(),
        "{:?}",
        output.status
    );
    assert_eq!(shell(&bench, &id, "echo alive").await, "alive\n");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T12, T14: nothing outside can be reached; the same probe reaches it from outside.
pub async fn there_is_no_egress(bench: Bench) {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0")
        .await
        .expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let reached = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = reached.clone();
    let accepting = tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    let id = fresh(&bench).await;
    let probe = format!(
        "const net=require('net');const hosts=['127.0.0.1','::1','169.254.169.254','10.0.0.1','8.8.8.8'];let n=hosts.length;\
         for(const h of hosts){{const s=net.connect({{host:h,port:{port},timeout:1500}});const done=(w)=>{{console.log(h,w);\
         s.destroy();if(--n===0)process.exit()}};s.once('connect',()=>done('reached'));s.once('error',()=>done('refused'));\
         s.once('timeout',()=>done('refused'))}}"
    );
    let output = run(
        &*bench.provider,
        &id,
        &exec("probe", &["node", "-e", &probe]),
    )
    .await
    .expect("a run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !text.contains("reached") && text.contains("127.0.0.1 refused"),
        "{text}"
    );
    assert_eq!(reached.load(std::sync::atomic::Ordering::SeqCst), 0);
    tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the probe's target is there");
    soon("the control did not arrive", async || {
        reached.load(std::sync::atomic::Ordering::SeqCst) == 1
    })
    .await;
    accepting.abort();
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T04: no setting of the kernel can be opened for writing. Nothing is written, so that a failure harms nobody.
pub async fn the_kernel_cannot_be_set(bench: Bench) {
    let id = fresh(&bench).await;
    let probe = "const fs=require('fs');let seen=0,open=[];const walk=d=>{let es;try{es=fs.readdirSync(d,{withFileTypes:true})}catch{return}\
        for(const e of es){const p=d+'/'+e.name;if(e.isDirectory())walk(p);else if(e.isFile()){seen++;\
        try{fs.closeSync(fs.openSync(p,fs.constants.O_WRONLY|fs.constants.O_NONBLOCK));open.push(p)}catch{}}}};\
        walk('/proc/sys');try{fs.closeSync(fs.openSync('/proc/sysrq-trigger','r+'));open.push('sysrq')}catch{}\
        fs.closeSync(fs.openSync('/app/control','w'));console.log(JSON.stringify({seen,open:open.slice(0,5)}))";
    let output = run(
        &*bench.provider,
        &id,
        &exec("settings", &["node", "-e", probe]),
    )
    .await
    .expect("a run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("\"open\":[]") && !text.contains("\"seen\":0"),
        "{text}"
    );
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Owned sandboxes are listed from anywhere, live on when extended, and end when their time is over.
pub async fn life_is_extended_and_ends(bench: Bench) {
    let mut short = spec();
    short.life = Duration::from_secs(2);
    let id = bench.provider.create(&short).await.expect("a sandbox").id;
    let owned = bench.elsewhere.owned().await.expect("a list");
    assert!(
        owned
            .iter()
            .any(|s| s.id == id && s.session == short.session)
    );
    bench
        .elsewhere
        .extend(&id, Duration::from_secs(6))
        .await
        .expect("extended");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(
        bench.provider.get(&id).await.is_ok(),
        "it ended before its time"
    );
    soon("it outlived its time", async || {
        bench.provider.get(&id).await == Err(SandboxError::Gone)
    })
    .await;
    bench.provider.sweep().await.expect("swept");
    assert!(
        !bench
            .provider
            .owned()
            .await
            .expect("a list")
            .iter()
            .any(|s| s.id == id)
    );
}

/// A destroyed sandbox is gone for everybody; destroying it again succeeds.
pub async fn destroying_is_final(bench: Bench) {
    let id = fresh(&bench).await;
    bench
        .provider
        .spawn(&id, &exec("bg", &["sleep", "60"]))
        .await
        .expect("spawned");
    bench.elsewhere.destroy(&id).await.expect("destroyed");
    bench.provider.destroy(&id).await.expect("destroyed again");
    assert_eq!(bench.provider.get(&id).await, Err(SandboxError::Gone));
    assert!(matches!(
        bench.provider.exec(&id, &exec("x", &["true"])).await.err(),
        Some(SandboxError::Gone)
    ));
    assert_eq!(
        bench.provider.write(&id, vec![file("a", "b")]).await,
        Err(SandboxError::Gone)
    );
    assert_eq!(bench.provider.preview(&id).await, Err(SandboxError::Gone));
    let nobody = SandboxId("sbx-00000000000000000000000000".into());
    assert_eq!(bench.provider.get(&nobody).await, Err(SandboxError::Gone));
    bench
        .provider
        .destroy(&nobody)
        .await
        .expect("destroying nobody");
}

/// Makes each case a test: `sandbox_conformance!(make)`, where `make()` gives a [`Bench`].
#[macro_export]
macro_rules! sandbox_conformance {
    ($make:expr) => {
        $crate::sandbox_conformance!(@cases $make;
            creating_twice_gives_one_sandbox, a_new_sandbox_holds_the_template, bytes_arrive_exactly,
            a_file_is_replaced_whole, what_is_not_there_is_not_found, only_plain_files_are_read,
            links_do_not_lead_out, output_comes_while_the_command_runs, arguments_arrive_verbatim,
            the_environment_is_its_own, failures_to_start_and_signals_are_told, a_deadline_ends_the_whole_tree,
            killing_leaves_nothing, output_is_capped, a_spawned_process_is_found_by_name, memory_is_limited,
            disk_is_limited, a_fork_bomb_is_contained, there_is_no_egress, the_kernel_cannot_be_set, life_is_extended_and_ends,
            destroying_is_final,
        );
    };
    (@cases $make:expr; $($case:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::conformance::$case($make().await).await;
        }
    )*};
}
