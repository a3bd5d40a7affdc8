//! Who gets in: tokens, ports, hosts.

use crate::room::{Room, room, soon};
use e2b_client::{Command, Error, Network, NewSandbox, Operation, Process, Sandbox, Tokens};
use std::time::Duration;

const SERVER: &str =
    "require('http').createServer((q,s)=>s.end(q.headers.host+' '+q.url)).listen(3000,'127.0.0.1')";

async fn serve(room: &Room, sandbox: &Sandbox) -> Process {
    let server = Command::new("node").args(["-e", SERVER]);
    let process = sandbox.processes().start(server).await.unwrap();
    let token = sandbox.tokens().traffic.clone().unwrap_or_default();
    soon("the server does not listen", async || {
        let headers = [("e2b-traffic-access-token", token.as_str())];
        room.visit(sandbox.id(), 3000, "/", &headers).await.0 == 200
    })
    .await;
    process
}

#[tokio::test]
async fn a_secure_sandbox_wants_its_token() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    for token in [None, Some("wrong".to_owned())] {
        let tokens = Tokens {
            envd: token,
            traffic: None,
        };
        let stranger = room.client.attach(sandbox.id(), tokens);
        let refused = stranger.files().list(".", 1).await;
        assert!(
            matches!(refused, Err(Error::Authentication(_))),
            "{refused:?}"
        );
        let refused = stranger.files().read(".profile").await;
        assert!(
            matches!(refused, Err(Error::Authentication(_))),
            "{refused:?}"
        );
        let refused = stranger.processes().run(Command::new("true")).await;
        assert!(
            matches!(refused, Err(Error::Authentication(_))),
            "{refused:?}"
        );
    }
    let known = room.client.attach(sandbox.id(), sandbox.tokens().clone());
    known.files().list(".", 1).await.unwrap();
    let mut open = NewSandbox::new("base");
    open.secure = false;
    let open = room.client.create(&open).await.unwrap();
    assert_eq!(open.tokens(), &Tokens::default());
    open.files().list(".", 1).await.unwrap();
}

#[tokio::test]
async fn ports_are_reached_and_closed_ones_say_so() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    serve(&room, &sandbox).await;
    let (status, body) = room.visit(sandbox.id(), 3000, "/a?b=c", &[]).await;
    assert_eq!(status, 200);
    assert_eq!(body, format!("3000-{}.e2b.localhost /a?b=c", sandbox.id()));
    let (status, body) = room.visit(sandbox.id(), 3001, "/", &[]).await;
    assert_eq!(status, 502);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["port"], &body["sandboxId"]),
        (&3001.into(), &sandbox.id().into())
    );
    let browser = [("user-agent", "Mozilla/5.0"), ("accept", "text/html")];
    let (status, body) = room.visit(sandbox.id(), 3001, "/", &browser).await;
    assert!(status == 502 && body.contains("<h1>"), "{status} {body}");
    let (status, body) = room.visit("inobody", 3000, "/", &[]).await;
    assert!(
        status == 502 && body.contains("not found"),
        "{status} {body}"
    );
    let (status, _) = room.visit(sandbox.id(), 49983, "/init", &[]).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn private_traffic_wants_its_token_and_the_host_can_be_masked() {
    let room = room().await;
    let mut new = NewSandbox::new("base");
    new.network = Some(Network {
        allow_public_traffic: Some(false),
        mask_request_host: Some("localhost:${PORT}".into()),
        ..Network::default()
    });
    let sandbox = room.client.create(&new).await.unwrap();
    serve(&room, &sandbox).await;
    let token = sandbox.tokens().traffic.clone().unwrap();
    for (headers, expected) in [
        (vec![], 403),
        (vec![("e2b-traffic-access-token", "wrong")], 403),
        (vec![("e2b-traffic-access-token", token.as_str())], 200),
    ] {
        let (status, body) = room.visit(sandbox.id(), 3000, "/x", &headers).await;
        assert_eq!(status, expected, "{headers:?}");
        assert_eq!(status == 200, body == "localhost:3000 /x", "{body}");
    }
    // The same by what a host says of itself.
    let host = sandbox.host(3000);
    let mut request = reqwest::Client::new().get(format!("{}/y", host.origin));
    for (name, value) in &host.headers {
        request = request.header(name, value);
    }
    assert_eq!(
        request.send().await.unwrap().text().await.unwrap(),
        "localhost:3000 /y"
    );
}

#[tokio::test]
async fn there_is_no_way_out() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    let port = room.emulator.address.port();
    let probe = format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo out; (exec 3<>/dev/tcp/8.8.8.8/53) 2>/dev/null && echo out; echo done"
    );
    let output = sandbox
        .processes()
        .run(Command::shell(probe))
        .await
        .unwrap();
    assert_eq!(output.stdout, "done\n");
}

#[tokio::test]
async fn signed_addresses_let_one_file_in_or_out_for_a_while() {
    let room = room().await;
    let sandbox = room.sandbox().await;
    sandbox
        .files()
        .write("my file.txt", "content")
        .await
        .unwrap();
    let minute = Some(Duration::from_secs(60));
    let http = reqwest::Client::new();
    let route = |request: reqwest::RequestBuilder| {
        request
            .header("E2b-Sandbox-Id", sandbox.id())
            .header("E2b-Sandbox-Port", "49983")
    };
    let get = async |url: String| {
        let response = route(http.get(url)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let read = sandbox
        .signed_url("my file.txt", Operation::Read, None, minute)
        .unwrap();
    assert_eq!(get(read.clone()).await, (200, "content".into()));
    let forever = sandbox
        .signed_url("my file.txt", Operation::Read, Some("user"), None)
        .unwrap();
    assert_eq!(get(forever).await.0, 200);
    for wrong in [
        read.replace("my+file.txt", "other.txt"),
        read.replace("signature=v1_", "signature=v1_x"),
        sandbox
            .signed_url("my file.txt", Operation::Write, None, minute)
            .unwrap(),
        format!("{}/files?path=my+file.txt", room.emulator.url()),
    ] {
        assert_eq!(get(wrong.clone()).await.0, 401, "{wrong}");
    }
    let expired = sandbox
        .signed_url("my file.txt", Operation::Read, None, Some(Duration::ZERO))
        .unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(get(expired).await.0, 401);
    let write = sandbox
        .signed_url("up.txt", Operation::Write, None, minute)
        .unwrap();
    let put = route(http.post(write))
        .header("content-type", "application/octet-stream")
        .body("uploaded");
    assert_eq!(put.send().await.unwrap().status(), 200);
    assert_eq!(sandbox.files().read("up.txt").await.unwrap(), "uploaded");
}
