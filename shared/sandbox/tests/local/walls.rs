//! What code inside can see and do.

use crate::room::{exec, put, room, shell, soon, spec, text};
use koda_domain::sandbox::{
    EndedBy, ProcessName, ProcessStatus, SandboxError, SandboxProvider, Upstream, run,
};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_machine_is_not_there() {
    let Some((_room, provider)) = room("the_rest_of_the_machine_is_not_there").await else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    let script = "ls -d /* /etc/* /var/* /run 2>/dev/null; cat /etc/passwd; hostname; \
                  node -p 'require(\"x\")+require(\"os\").userInfo().username'; \
                  grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; \
                  tail -n +3 /proc/net/dev; cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    let text = text(&shell(&provider, &id, script).await);
    let own = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    for absent in [
        "shadow", "root:", "/root", "\n/home", "/srv", "/run\n", "eth0", "cargo",
    ] {
        assert!(!text.contains(absent), "{absent:?} is there:\n{text}");
    }
    assert!(own.trim().is_empty() || !text.lines().any(|line| line == own.trim()));
    for present in [
        "1koda",
        "sandbox",
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
    ] {
        assert!(text.contains(present), "{present:?} is missing:\n{text}");
    }
    assert!(text.contains("NoNewPrivs:\t1"), "{text}");
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn t04_only_app_and_temporary_folders_can_be_written() {
    let Some((_room, provider)) = room("t04_only_app_and_temporary_folders_can_be_written").await
    else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    let script = "for d in / /usr /usr/bin /etc /dev /opt /opt/koda /var /proc /proc/sys /app/node_modules /app/node_modules/x \
                  /app /app/src /tmp /dev/shm $HOME; do touch $d/w 2>/dev/null && echo \"$d\"; done";
    let output = shell(&provider, &id, script).await;
    let writable: Vec<_> = std::str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .collect();
    assert_eq!(
        writable,
        ["/app", "/app/src", "/tmp", "/dev/shm", "/tmp/home"]
    );
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_nothing_gives_more_rights() {
    let Some((_room, provider)) = room("t02_nothing_gives_more_rights").await else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    let script = "cp /bin/sh own; chmod u+s own; ./own -p -c 'id -u; grep CapEff /proc/self/status'; \
                  for s in /usr/bin/su /usr/bin/mount; do test -u $s && $s --help >/dev/null 2>&1; done; \
                  mount -t tmpfs x /tmp 2>/dev/null && echo mounted; \
                  unshare -U true 2>/dev/null && echo nested; mknod /app/null c 1 3 2>/dev/null && echo device; true";
    let text = text(&shell(&provider, &id, script).await);
    assert_eq!(text, "1000\nCapEff:\t0000000000000000\n");
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_supervisor_cannot_be_reached_or_ended() {
    let Some((_room, provider)) = room("the_supervisor_cannot_be_reached_or_ended").await else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    let script = "kill -9 1; kill -STOP 1; kill -TERM 1; cat /proc/1/environ /proc/1/mem /proc/1/maps; for f in 0 1 2 3 4 5; do readlink /proc/1/fd/$f; true > /proc/1/fd/$f; done; \
                  find / -xdev -type s; find /app /tmp -type s; cat /proc/net/unix | grep -c '/'; echo done";
    let text = text(&shell(&provider, &id, script).await);
    assert_eq!(text, "0\ndone\n");
    assert!(provider.get(&id).await.is_ok());
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cuts_all_its_ties_is_ended_too() {
    let Some((_room, provider)) = room("a_command_that_cuts_all_its_ties_is_ended_too").await
    else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    // Without its environment, in a session of its own, orphaned, and with whoever looks after it dead or stopped.
    let ways = [
        "sleep 30",
        "kill -9 $PPID; sleep 30",
        "kill -STOP $PPID; sleep 30",
        "exit 0",
    ];
    for (number, last) in ways.into_iter().enumerate() {
        let script = format!(
            "(env -i setsid sh -c '(env -i setsid sh -c \"while :; do date > /app/alive; sleep 0.02; done\" &)' &); \
             while [ ! -e alive ]; do sleep 0.01; done; {last}"
        );
        let name = ProcessName::new(format!("ties-{number}"));
        let command = exec(name.as_str(), &["sh", "-c", &script]);
        provider.spawn(&id, &command).await.unwrap();
        soon("it did not cut its ties", async || {
            let alive = "alive".parse().unwrap();
            let there = provider.read(&id, &alive, 100).await.is_ok();
            there || provider.process(&id, &name).await != Ok(ProcessStatus::Running)
        })
        .await;
        provider.kill(&id, &name, Duration::ZERO).await.unwrap();
        let status = provider.process(&id, &name).await.unwrap();
        assert!(
            matches!(status, ProcessStatus::Exited(_)),
            "{last}: {status:?}"
        );
        let left = text(
            &shell(
                &provider,
                &id,
                "rm -f alive; sleep 0.2; ls alive; grep -l date /proc/[0-9]*/cmdline",
            )
            .await,
        );
        assert!(!left.contains("alive"), "{last}: {left}");
    }
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_do_not_count_as_the_sandboxs_disk_but_nameless_files_do() {
    let test = "packages_do_not_count_as_the_sandboxs_disk_but_nameless_files_do";
    let Some((room, provider)) = room(test).await else {
        return;
    };
    put(
        &room.path().join("template/node_modules/big"),
        &vec![7; 48 << 20],
    );
    let mut small = spec();
    small.limits.disk = 24 << 20;
    let id = provider.create(&small).await.unwrap().id;
    let calm = shell(&provider, &id, "head -c 4000000 /dev/zero > f; sleep 1; ls").await;
    assert_eq!((calm.status.code, calm.status.ended_by), (0, None));
    // Each is smaller than the limit, which the kernel holds for every single file.
    let script = "const fs=require('fs');setInterval(()=>{const f=fs.openSync('/app/gone','w');fs.unlinkSync('/app/gone');\
                  fs.writeSync(f,Buffer.alloc(2<<20,1))},30)";
    let grown = run(&*provider, &id, &exec("nameless", &["node", "-e", script]))
        .await
        .unwrap();
    assert_eq!(grown.status.ended_by, Some(EndedBy::Disk), "{grown:?}");
    // It can be cleaned up and used again.
    let after = shell(&provider, &id, "rm f; sleep 0.5; echo fine").await;
    assert_eq!(text(&after), "fine\n");
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn t06_memory_taken_at_once_or_as_files_ends_inside_only() {
    let test = "t06_memory_taken_at_once_or_as_files_ends_inside_only";
    let Some((_room, provider)) = room(test).await else {
        return;
    };
    let mut small = spec();
    small.limits.memory = 192 << 20;
    let id = provider.create(&small).await.unwrap().id;
    let script =
        "const a=[];for(let i=0;i<40;i++)a.push(Buffer.alloc(64<<20,1));setInterval(()=>{},1000)";
    let at_once = run(&*provider, &id, &exec("hog", &["node", "-e", script]))
        .await
        .unwrap();
    assert_eq!(
        at_once.status.ended_by,
        Some(EndedBy::Memory),
        "{at_once:?}"
    );
    let files = shell(
        &provider,
        &id,
        "head -c 2000000000 /dev/zero > /dev/shm/f; wc -c < /dev/shm/f; rm /dev/shm/f",
    )
    .await;
    assert_eq!(text(&files).trim(), (256 << 20).to_string());
    assert_eq!(text(&shell(&provider, &id, "echo alive").await), "alive\n");
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_of_the_preview_waits_until_its_server_listens() {
    let test = "a_visitor_of_the_preview_waits_until_its_server_listens";
    let Some((_room, provider)) = room(test).await else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    let Upstream::Unix(socket) = provider.preview(&id).await.unwrap() else {
        panic!("not a socket")
    };
    assert!(
        socket.as_os_str().len() < 100,
        "{} is too long",
        socket.display()
    );
    let mut stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
    let script = "setTimeout(()=>require('http').createServer((q,s)=>s.end('hello '+q.url)).listen(process.env.KODA_PORT,'127.0.0.1'),300)";
    provider
        .spawn(&id, &exec("preview", &["node", "-e", script]))
        .await
        .unwrap();
    stream.write_all(b"GET /x HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello /x"), "{answer}");
    provider.destroy(&id).await.unwrap();
    assert!(tokio::net::UnixStream::connect(&socket).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_spawned_command_is_whole_when_it_is_over_and_capped() {
    let test = "the_log_of_a_spawned_command_is_whole_when_it_is_over_and_capped";
    let Some((_room, provider)) = room(test).await else {
        return;
    };
    let id = provider.create(&spec()).await.unwrap().id;
    // A pipe in the log's place must not hold anything up.
    shell(
        &provider,
        &id,
        "mkdir -p .koda/log; mkfifo .koda/log/talk.log",
    )
    .await;
    let mut talk = exec("talk", &["sh", "-c", "head -c 200000 /dev/zero; echo end"]);
    for (cap, expected) in [(1 << 20, 200_004), (1000, 1000)] {
        talk.output_cap = cap;
        provider.spawn(&id, &talk).await.unwrap();
        let mut status = None;
        soon("it does not end", async || {
            if let Ok(ProcessStatus::Exited(ended)) = provider.process(&id, &talk.name).await {
                status = Some(ended);
            }
            status.is_some()
        })
        .await;
        let log = ".koda/log/talk.log".parse().unwrap();
        let bytes = provider.read(&id, &log, 1 << 20).await.unwrap();
        assert_eq!(
            (bytes.len(), status.unwrap().truncated),
            (expected, cap == 1000)
        );
    }
    provider.destroy(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_number_of_sandboxes_is_refused_with_the_setting_to_change() {
    let test = "over_the_number_of_sandboxes_is_refused_with_the_setting_to_change";
    let Some((_room, provider)) = room(test).await else {
        return;
    };
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(provider.create(&spec()).await.unwrap().id);
    }
    let refused = provider.create(&spec()).await.unwrap_err();
    assert!(
        matches!(&refused, SandboxError::OverLimit(why) if why.contains("KODA_MAX_SANDBOXES")),
        "{refused}"
    );
    for id in made {
        provider.destroy(&id).await.unwrap();
    }
}
