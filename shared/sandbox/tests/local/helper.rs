//! This test program once more, as a server: to be killed, to have another PATH, to be another user.

use crate::room::{self, exec, shell, spec};
use koda_domain::{
    Clock,
    sandbox::{SandboxError, SandboxProvider, run},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

pub struct Now;

impl Clock for Now {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

pub const ARGUMENTS: [&str; 4] = ["--exact", "helper::helper", "--ignored", "--nocapture"];

/// A server below `root` that does one thing.
pub fn command(what: &str, root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(ARGUMENTS)
        .env("KODA_TEST_HELPER", what)
        .env("KODA_TEST_ROOT", root);
    command
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by other tests"]
async fn helper() {
    let Ok(what) = std::env::var("KODA_TEST_HELPER") else {
        return;
    };
    let root = PathBuf::from(std::env::var_os("KODA_TEST_ROOT").unwrap());
    match what.as_str() {
        "ready" => say(&format!("ready: {:?}", room::provider(&root).ready().await)),
        "create" => create(&root).await,
        "limits" => limits(&root).await,
        "measure" => measure(&root).await,
        other => panic!("no helper does {other}"),
    }
}

fn say(line: &str) {
    use std::io::Write;
    let line = format!("{line}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

async fn create(root: &Path) {
    let provider = room::provider(root);
    let id = loop {
        match provider.create(&spec()).await {
            Ok(made) => break made.id,
            // One whose server died while it began may have come up only now; it ends by itself.
            Err(SandboxError::OverLimit(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    provider
        .spawn(&id, &exec("survivor", &["sleep", "60"]))
        .await
        .unwrap();
    say(&format!("made {}", id.0));
    tokio::time::sleep(Duration::from_secs(60)).await;
}

async fn limits(root: &Path) {
    let provider = room::provider(root);
    say(&format!("ready: {:?}", provider.ready().await));
    let mut small = spec();
    small.limits.memory = 256 << 20;
    small.limits.pids = 60;
    small.limits.disk = 48 << 20;
    let id = provider.create(&small).await.unwrap().id;
    let hello = shell(&provider, &id, "mkdir shut; chmod 0 shut; echo hello").await;
    say(&format!(
        "hello: {} {:?}",
        hello.status.code, hello.status.ended_by
    ));
    let hog = "const a=[];setInterval(()=>a.push(Buffer.alloc(32<<20,1)),20)";
    let bomb = "const {spawn}=require('child_process');const go=()=>{for(let i=0;i<20;i++)\
        try{spawn('sleep',['50'],{detached:true}).on('error',()=>{})}catch{};setTimeout(go,20)};go()";
    let fill =
        "i=0; while :; do head -c 4000000 /dev/zero > public/f$i; i=$((i+1)); sleep 0.02; done";
    for (name, argv) in [
        ("memory", ["node", "-e", hog]),
        ("pids", ["node", "-e", bomb]),
        ("disk", ["sh", "-c", fill]),
        ("deadline", ["sh", "-c", "setsid sleep 50 & sleep 50"]),
    ] {
        let mut command = exec(name, &argv);
        if name == "deadline" {
            command.deadline = Duration::from_millis(300);
        }
        let output = run(&*provider, &id, &command).await.unwrap();
        say(&format!("{name}: {:?}", output.status.ended_by));
    }
    provider.destroy(&id).await.unwrap();
    let left: Vec<_> = std::fs::read_dir(root.join("sandboxes"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name != ".lock")
        .collect();
    say(&format!("left: {left:?}"));
}

/// Prints how long things take: `KODA_TEST_HELPER=measure KODA_TEST_ROOT=… KODA_TEST_TEMPLATE=…`.
async fn measure(root: &Path) {
    let provider = room::provider(root);
    provider.ready().await.unwrap();
    for _ in 0..8 {
        let began = Instant::now();
        let id = provider.create(&spec()).await.unwrap().id;
        let created = began.elapsed();
        let began = Instant::now();
        for n in 0..20 {
            run(&*provider, &id, &exec(&format!("true{n}"), &["true"]))
                .await
                .unwrap();
        }
        let ran = began.elapsed() / 20;
        let began = Instant::now();
        provider.destroy(&id).await.unwrap();
        say(&format!(
            "create {created:?}, exec {ran:?}, destroy {:?}",
            began.elapsed()
        ));
    }
    if std::env::var_os("KODA_TEST_TEMPLATE").is_none() {
        return;
    }
    let id = provider.create(&spec()).await.unwrap().id;
    let began = Instant::now();
    provider
        .spawn(&id, &exec("preview", &["node", "dev.mjs"]))
        .await
        .unwrap();
    let upstream = provider.preview(&id).await.unwrap();
    for path in ["/", "/src/koda/main.ts"] {
        let answer = koda_sandbox::conformance::visit(upstream.clone(), path.to_owned())
            .await
            .unwrap();
        let first = answer.lines().next().unwrap_or_default().to_owned();
        say(&format!(
            "{path}: {first}, {} bytes after {:?}",
            answer.len(),
            began.elapsed()
        ));
    }
    provider.destroy(&id).await.unwrap();
}
