//! The preview proxy, against a real server on a Unix socket.

use crate::support::{App, HOST, app_with};
use axum::{
    Router,
    body::Body,
    extract::{Request as Incoming, WebSocketUpgrade, ws::Message},
    http::{Request, StatusCode},
    routing::any,
};
use koda_domain::{
    Engine, EventBody,
    event::{Actor, SandboxStatus},
    plan::{Plan, PlanDesign, Scene},
    sandbox::{SandboxLimits, SandboxProvider, SandboxSpec},
    store::Append,
};
use koda_testkit::{FakeRun, FakeSandboxes, answer};
use std::{path::Path, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a dev server inside a sandbox might answer: an echo of what it sees, with headers that it must not set.
async fn echo(request: Incoming) -> axum::response::Response {
    let seen: String = request
        .headers()
        .iter()
        .map(|(n, v)| format!("{n}: {}\n", v.to_str().unwrap_or("?")))
        .collect();
    axum::response::Response::builder()
        .header("set-cookie", "a=b; Domain=localhost")
        .header("strict-transport-security", "max-age=1")
        .header("access-control-allow-origin", "*")
        .header("content-security-policy", "default-src *")
        .header("service-worker-allowed", "/")
        .body(Body::from(format!(
            "{} {}\n{seen}",
            request.method(),
            request.uri()
        )))
        .unwrap()
}

async fn socket(upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.on_upgrade(|mut socket| async move {
        while let Some(Ok(Message::Text(text))) = socket.recv().await {
            socket
                .send(Message::Text(format!("echo {text}").into()))
                .await
                .unwrap();
        }
    })
}

fn plan() -> Plan {
    Plan {
        title: "T".into(),
        summary: String::new(),
        engine: Engine::Remotion,
        scenes: vec![Scene {
            title: "s".into(),
            description: String::new(),
            duration_seconds: 2.0,
        }],
        design: PlanDesign::default(),
        assumptions: vec![],
        settings: koda_domain::SettingsPatch::default(),
    }
}

/// An app with a session whose sandbox serves at `path`; gives the session's handle.
async fn with_preview(path: &Path) -> (App, String) {
    let sandboxes = FakeSandboxes::new(|_, _| FakeRun::default()).serving_at(path);
    let app = app_with(Ok(answer(vec![])), sandboxes.clone());
    let (_, session) = app.session().await;
    let spec = SandboxSpec {
        session,
        place: 0,
        template: Engine::Remotion,
        limits: SandboxLimits::default(),
        life: Duration::from_secs(60),
    };
    let sandbox = sandboxes.create(&spec).await.unwrap();
    let store = app.state.studio.store();
    let mut head = store.session_any(session).await.unwrap();
    let (expected_seq, at) = (head.seq, app.state.studio.clock().now());
    let events = vec![
        EventBody::PlanApproved {
            hash: plan().hash(),
            plan: plan(),
            by: Actor::Person,
        },
        EventBody::SandboxChanged {
            status: SandboxStatus::Ready,
            sandbox_id: Some(sandbox.id),
            provider: "fake".into(),
            seconds: None,
        },
    ];
    for event in &events {
        head.seq += 1;
        head.state.apply(head.seq, at, None, event);
    }
    store
        .append(&Append {
            session,
            expected_seq,
            lease: None,
            at,
            turn: None,
            events,
            state: head.state,
        })
        .await
        .unwrap();
    let listener = tokio::net::UnixListener::bind(path).unwrap();
    let inside = Router::new().route("/socket", any(socket)).fallback(echo);
    tokio::spawn(async move { axum::serve(listener, inside).await });
    let handle = app.state.site.handle(session);
    (app, handle)
}

fn get(handle: &str, path: &str) -> axum::http::request::Builder {
    Request::get(path).header("host", format!("{handle}.preview.localhost:3000"))
}

#[tokio::test(flavor = "multi_thread")]
async fn t64_nothing_of_the_visitor_reaches_the_sandbox_and_nothing_of_the_sandbox_the_browser() {
    let dir = tempfile::tempdir().unwrap();
    let (app, handle) = with_preview(&dir.path().join("s")).await;
    let request = get(&handle, "/src/main.ts?v=1")
        .header("cookie", "session=secret")
        .header("authorization", "Bearer secret")
        .header("x-forwarded-for", "1.2.3.4")
        .header("referer", "http://localhost:3000/p/secret");
    let reply = app.send(request.body(Body::empty()).unwrap()).await;
    let text = String::from_utf8(reply.bytes.clone()).unwrap();
    assert!(text.starts_with("GET /src/main.ts?v=1\n"), "{text}");
    for leaked in ["secret", "1.2.3.4", &handle] {
        assert!(
            !text.contains(leaked),
            "{leaked} reached the sandbox:\n{text}"
        );
    }
    for name in [
        "set-cookie",
        "strict-transport-security",
        "access-control-allow-origin",
        "service-worker-allowed",
    ] {
        assert!(
            !reply.headers.contains_key(name),
            "{name} reached the browser"
        );
    }
    let policy = reply.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("frame-ancestors http://localhost:3000") && !policy.contains('*'),
        "{policy}"
    );
    let post = Request::post("/").header("host", format!("{handle}.preview.localhost:3000"));
    assert_eq!(
        app.send(post.body(Body::empty()).unwrap()).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        app.send(
            get(&handle, "/__open-in-editor?file=x")
                .body(Body::empty())
                .unwrap()
        )
        .await
        .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t62_a_wrong_handle_is_refused_with_the_same_words_always() {
    let dir = tempfile::tempdir().unwrap();
    let (app, handle) = with_preview(&dir.path().join("s")).await;
    let last = if handle.ends_with('a') { "b" } else { "a" };
    let forged = format!("{}{last}", &handle[..handle.len() - 1]);
    let mut bodies = Vec::new();
    for wrong in [
        forged.as_str(),
        "x",
        "00000000000000000000000000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let reply = app.send(get(wrong, "/").body(Body::empty()).unwrap()).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::FORBIDDEN, "forbidden")
        );
        bodies.push(reply.json()["error"]["message"].clone());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    // Not a door to the API either, and the API is not one to previews.
    let api = app
        .send(
            get(&handle, "/api/v1/projects")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert!(String::from_utf8_lossy(&api.bytes).starts_with("GET /api/v1/projects"));
    assert_eq!(
        app.send(
            Request::get("/src/main.ts")
                .header("host", HOST)
                .body(Body::empty())
                .unwrap()
        )
        .await
        .status,
        503
    );
}

async fn handshake(port: u16, handle: &str, origin: &str) -> (tokio::net::TcpStream, String) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: {handle}.preview.localhost:3000\r\nOrigin: {origin}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn t63_hot_reloads_socket_is_the_previews_own() {
    let dir = tempfile::tempdir().unwrap();
    let (app, handle) = with_preview(&dir.path().join("s")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = app.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    for foreign in ["http://evil.test", "http://localhost:3000"] {
        assert!(
            handshake(port, &handle, foreign)
                .await
                .1
                .starts_with("HTTP/1.1 403"),
            "{foreign} was let in"
        );
    }
    let own = format!("http://{handle}.preview.localhost:3000");
    let (mut stream, head) = handshake(port, &handle, &own).await;
    assert!(
        head.starts_with("HTTP/1.1 101")
            && head
                .to_ascii_lowercase()
                .contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    // A masked text frame "hi" (RFC 6455, 5.7), and its echo.
    stream
        .write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .await
        .unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame, b"\x81\x07echo hi");
}
