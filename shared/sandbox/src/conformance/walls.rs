//! Limits and walls.

use super::{Bench, exec, fresh, shell, soon};
use koda_domain::sandbox::{EndedBy, run};
use std::{sync::Arc, time::Duration};

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

/// T07: a command that fills the disk ends with that reason, and what it left can be cleaned up.
pub async fn disk_is_limited(bench: Bench) {
    let id = fresh(&bench).await;
    let script =
        "i=0; while :; do head -c 4000000 /dev/zero > public/f$i; i=$((i+1)); sleep 0.02; done";
    let output = run(&*bench.provider, &id, &exec("fill", &["sh", "-c", script]))
        .await
        .expect("a run");
    assert_eq!(output.status.ended_by, Some(EndedBy::Disk));
    let script = "rm public/f*; echo clean";
    assert_eq!(shell(&bench, &id, script).await, "clean\n");
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// T05: fork bombs stay inside: one that goes on is ended for it, and the sandbox lives on after each.
pub async fn a_fork_bomb_is_contained(bench: Bench) {
    let id = fresh(&bench).await;
    let script = "const {spawn}=require('child_process');const go=()=>{for(let i=0;i<20;i++)\
        try{spawn('sleep',['50'],{detached:true}).on('error',()=>{})}catch{};setTimeout(go,20)};go()";
    let output = run(
        &*bench.provider,
        &id,
        &exec("steady", &["node", "-e", script]),
    )
    .await
    .expect("a run");
    assert_eq!(output.status.ended_by, Some(EndedBy::Pids));
    let mut wild = exec("wild", &["sh", "-c", "b() { b | b & }; b; sleep 50"]);
    wild.deadline = Duration::from_secs(2);
    let output = run(&*bench.provider, &id, &wild).await.expect("a run");
    assert!(
        matches!(
            output.status.ended_by,
            Some(EndedBy::Pids | EndedBy::Deadline)
        ) || output.status.code != 0,
        "{:?}",
        output.status
    );
    let left = shell(&bench, &id, "cat /proc/[0-9]*/comm | sort -u").await;
    assert!(!left.contains("sleep"), "{left}");
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
    let own = own_address().map(|a| format!(",'{a}'")).unwrap_or_default();
    let probe = format!(
        "const net=require('net');const hosts=['127.0.0.1','::1','169.254.169.254','10.0.0.1','8.8.8.8'{own}];let n=hosts.length;\
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

/// The address that this machine would speak to others from, found without sending anything.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
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
