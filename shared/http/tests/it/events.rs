//! Event streams: from any place on, without a gap, without a repetition.

use crate::support::{App, HOST, app};
use axum::{body::Body, http::Request};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

struct Message {
    id: Option<String>,
    event: String,
    data: Value,
}

/// Reads a stream until a message says that it is enough.
async fn listen(
    app: &App,
    path: &str,
    last: Option<&str>,
    mut enough: impl FnMut(&Message) -> bool,
) -> Vec<Message> {
    let mut request = Request::get(path).header("host", HOST);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = app
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let (mut text, mut messages) = (String::new(), Vec::new());
    let reading = async {
        while let Some(chunk) = body.next().await {
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
            while let Some((block, rest)) = text.split_once("\n\n") {
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|l| l.strip_prefix(name).map(|v| v.trim().to_owned()))
                };
                if let Some(data) = field("data:") {
                    let message = Message {
                        id: field("id:"),
                        event: field("event:").unwrap_or_default(),
                        data: serde_json::from_str(&data).unwrap(),
                    };
                    let last = enough(&message);
                    messages.push(message);
                    if last {
                        return;
                    }
                }
                text = rest.to_owned();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .expect("the stream fell silent");
    messages
}

async fn post(app: &App, session: &str, text: &str) {
    let reply = app
        .post(
            &format!("/api/v1/sessions/{session}/messages"),
            json!({"text": text}),
        )
        .await;
    assert!(
        reply.status.is_success() || reply.status == 429,
        "{}",
        reply.status
    );
}

async fn patch(app: &App, session: &str, seconds: u32) {
    let body = json!({"duration_seconds": seconds});
    app.call(
        axum::http::Method::PATCH,
        &format!("/api/v1/sessions/{session}/settings"),
        Some(body),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_and_resumed_while_events_come_has_no_gap_and_no_repetition() {
    let app = app();
    let (_, session) = app.session().await;
    let session = session.to_string();
    let writers = async {
        for n in 0..200 {
            patch(&app, &session, 2 + n % 100).await;
        }
    };
    let readers = async {
        let path = format!("/api/v1/sessions/{session}/events");
        let (mut seen, mut last) = (Vec::new(), None::<String>);
        while seen.last() != Some(&201) {
            let mut left = 23;
            let part = listen(&app, &path, last.as_deref(), |m| {
                left -= 1;
                left == 0 || m.data["seq"] == 201
            })
            .await;
            last = part.last().and_then(|m| m.id.clone());
            seen.extend(part.iter().map(|m| m.data["seq"].as_u64().unwrap()));
        }
        seen
    };
    let ((), seen) = tokio::join!(writers, readers);
    assert_eq!(seen, (1..=201).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_serves_a_whole_project_and_announces_its_sessions() {
    let app = app();
    let (project, one) = app.session().await;
    let made = app
        .post(
            &format!("/api/v1/projects/{project}/sessions"),
            json!({"node_id": "n2"}),
        )
        .await;
    let (one, two) = (
        one.to_string(),
        made.json()["id"].as_str().unwrap().to_owned(),
    );
    post(&app, &one, "first").await;
    let path = format!("/api/v1/projects/{project}/events");
    let mut posted = 0;
    let part = listen(&app, &path, None, |m| {
        posted += usize::from(m.event == "session_created" || m.event == "message_posted");
        posted == 3
    })
    .await;
    let announced: Vec<_> = part
        .iter()
        .filter(|m| m.event == "session")
        .map(|m| m.data["id"].as_str().unwrap())
        .collect();
    assert_eq!(announced, [one.as_str(), two.as_str()]);
    let last = part.iter().filter_map(|m| m.id.clone()).next_back();
    post(&app, &two, "second").await;
    let rest = listen(&app, &path, last.as_deref(), |m| {
        m.event == "message_posted"
    })
    .await;
    let told: Vec<_> = rest.iter().filter(|m| m.event != "session").collect();
    assert_eq!(told.len(), 1, "something was told twice");
    assert_eq!(told[0].data["session_id"], two.as_str());
}

#[tokio::test]
async fn a_place_that_is_not_one_is_refused() {
    let app = app();
    let (project, session) = app.session().await;
    for path in [
        format!("/api/v1/sessions/{session}/events?after=x"),
        format!("/api/v1/projects/{project}/events?after=!!"),
    ] {
        let reply = app.get(&path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (400, "bad_request")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_ends_its_stream_with_an_error() {
    let app = app();
    let (_, session) = app.session().await;
    let deleting = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        app.call(
            axum::http::Method::DELETE,
            &format!("/api/v1/sessions/{session}"),
            None,
        )
        .await
    };
    let path = format!("/api/v1/sessions/{session}/events");
    let listening = listen(&app, &path, None, |m| m.event == "error");
    let (messages, _) = tokio::join!(listening, deleting);
    assert_eq!(messages.last().unwrap().data["error"]["code"], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_streams_are_paid_for_they_stay_while_something_is_to_happen_and_no_longer() {
    let mut app = app();
    app.pay_for_streams();
    let (project, session) = app.session().await;
    for path in [
        format!("/api/v1/sessions/{session}/events"),
        format!("/api/v1/projects/{project}/events"),
    ] {
        let told = listen(&app, &path, None, |_| false).await;
        let last = told.last().unwrap();
        assert_eq!((last.event.as_str(), &last.id), ("idle", &None));
        assert!(told.iter().any(|m| m.event == "session_created"));
    }
    // A message that waits for its turn: no worker runs here, so that it waits on.
    post(&app, &session.to_string(), "to be done").await;
    let path = format!("/api/v1/projects/{project}/events");
    let listening = listen(&app, &path, None, |m| m.event == "idle");
    let stayed = tokio::time::timeout(Duration::from_secs(6), listening).await;
    assert!(stayed.is_err(), "the stream was closed while work waited");
}
