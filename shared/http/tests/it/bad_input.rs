//! Bad input gets a typed answer with a sentence, and changes nothing.

use crate::support::{App, HOST, Reply, app};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use serde_json::{Value, json};

fn refused(reply: &Reply, status: u16, code: &str) {
    let error = &reply.json()["error"];
    assert_eq!(
        (reply.status.as_u16(), error["code"].as_str()),
        (status, Some(code)),
        "{error}"
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.len() > 10 && message.ends_with('.'),
        "not a sentence: {message}"
    );
    assert!(error["request_id"].as_str().unwrap().starts_with("req_"));
}

async fn everything(app: &App, project: &str, session: &str) -> Vec<Value> {
    vec![
        app.get(&format!("/api/v1/projects/{project}")).await.json(),
        app.get(&format!("/api/v1/sessions/{session}")).await.json(),
        app.get(&format!("/api/v1/sessions/{session}/log"))
            .await
            .json(),
        app.get(&format!("/api/v1/projects/{project}/assets"))
            .await
            .json(),
    ]
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_told_apart_and_foreign_kinds_are_malformed() {
    let app = app();
    let unknown = "00000000000000000000000000";
    for path in [
        format!("/api/v1/projects/prj_{unknown}"),
        format!("/api/v1/sessions/ses_{unknown}"),
        format!("/api/v1/sessions/ses_{unknown}/events"),
        format!("/api/v1/sessions/ses_{unknown}/versions"),
        format!("/api/v1/assets/ast_{unknown}"),
        "/api/v1/nothing".into(),
    ] {
        refused(&app.get(&path).await, 404, "not_found");
    }
    for path in [
        format!("/api/v1/projects/ses_{unknown}"),
        format!("/api/v1/sessions/prj_{unknown}"),
        "/api/v1/sessions/..%2f..%2fetc".into(),
        "/api/v1/sessions/ses_%00".into(),
        "/api/v1/assets/ast_short".into(),
    ] {
        refused(&app.get(&path).await, 400, "bad_request");
    }
}

#[tokio::test]
async fn t21_paths_that_try_to_leave_the_workspace_are_refused() {
    let app = app();
    let (_, session) = app.session().await;
    for path in [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/x",
        "src/..%2f..%2fx",
        "%2fetc%2fpasswd",
        "src%5c..%5cx",
        "src/a%00b",
        "src/%e2%80%aex",
        "src//x",
        &"a".repeat(4097),
    ] {
        refused(
            &app.get(&format!("/api/v1/sessions/{session}/files/{path}"))
                .await,
            400,
            "invalid_path",
        );
    }
    refused(
        &app.get(&format!("/api/v1/sessions/{session}/files/src/none.ts"))
            .await,
        404,
        "not_found",
    );
}

#[tokio::test]
async fn wrong_bodies_are_refused_by_field_and_change_nothing() {
    let app = app();
    let (project, session) = app.session().await;
    let session = session.to_string();
    let before = everything(&app, &project, &session).await;
    let settings = format!("/api/v1/sessions/{session}/settings");
    let cases = [
        (Method::PATCH, settings.clone(), json!({"fps": 0}), "fps"),
        (
            Method::PATCH,
            settings.clone(),
            json!({"duration_seconds": 1e9}),
            "duration_seconds",
        ),
        (
            Method::PATCH,
            settings.clone(),
            json!({"aspect": "5:0"}),
            "aspect",
        ),
        (
            Method::PATCH,
            settings.clone(),
            json!({"colors": {"primary": "red"}}),
            "colors.primary",
        ),
        (Method::PATCH, settings, json!({"nonsense": 1}), "nonsense"),
        (
            Method::POST,
            format!("/api/v1/sessions/{session}/messages"),
            json!({"text": "   "}),
            "text",
        ),
        (
            Method::POST,
            format!("/api/v1/sessions/{session}/messages"),
            json!({"text": "x".repeat(40_000)}),
            "text",
        ),
        (
            Method::POST,
            format!("/api/v1/sessions/{session}/messages"),
            json!({"text": "x", "role": "system"}),
            "role",
        ),
        (
            Method::POST,
            format!("/api/v1/projects/{project}/sessions"),
            json!({"node_id": "../x"}),
            "node_id",
        ),
        (
            Method::POST,
            format!("/api/v1/projects/{project}/assets"),
            json!({"filename": "a.png", "media_type": "image/png", "size": 0}),
            "size",
        ),
        (
            Method::POST,
            "/api/v1/projects".into(),
            json!({"name": ""}),
            "name",
        ),
    ];
    for (method, path, body, field) in cases {
        let reply = app.call(method, &path, Some(body.clone())).await;
        refused(&reply, 422, "invalid");
        assert_eq!(
            reply.json()["error"]["details"][0]["field"],
            field,
            "{body}"
        );
    }
    assert_eq!(everything(&app, &project, &session).await, before);
}

#[tokio::test]
async fn a_text_edge_into_a_media_port_is_refused_with_what_to_do() {
    let app = app();
    let project = app.project().await;
    let node = |id: &str, kind: &str| json!({"id": id, "type": kind, "x": 0, "y": 0, "data": {}});
    let edge = |port: &str| json!({"id": "e", "source": "t", "source_port": "text", "target": "a", "target_port": port});
    let write = |edges: Value| {
        json!({"name": "n", "document": {"schema": 1, "nodes": [node("t", "text"), node("a", "animation")], "edges": edges,
            "viewport": {"x": 0, "y": 0, "zoom": 1}}})
    };
    let put = async |body: Value| {
        let request = Request::put(format!("/api/v1/projects/{project}"))
            .header("host", HOST)
            .header("content-type", "application/json")
            .header("if-match", "\"1\"");
        app.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    };
    let reply = put(write(json!([edge("media")]))).await;
    refused(&reply, 422, "invalid");
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("text input")
    );
    refused(&put(write(json!([edge("nothing")]))).await, 422, "invalid");
    // What no canvas makes is refused as well, each with what is wrong.
    let changed = |change: fn(&mut Value)| {
        let mut body = write(json!([edge("prompt")]));
        change(&mut body["document"]);
        body
    };
    for (body, word) in [
        (changed(|d| d["schema"] = json!(2)), "shape 2"),
        (changed(|d| d["nodes"][0]["x"] = json!(1e12)), "origin"),
        (changed(|d| d["nodes"][0]["width"] = json!(-5)), "wide"),
        (changed(|d| d["viewport"]["zoom"] = json!(0)), "zoom"),
        (changed(|d| d["edges"][0]["source"] = json!("gone")), "gone"),
        (
            changed(|d| {
                let mut twin = d["edges"][0].clone();
                twin["id"] = json!("e2");
                d["edges"].as_array_mut().unwrap().push(twin);
            }),
            "repeats",
        ),
    ] {
        let reply = put(body).await;
        refused(&reply, 422, "invalid");
        let message = reply.json()["error"]["message"].to_string();
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(
        app.get(&format!("/api/v1/projects/{project}")).await.json()["revision"],
        1
    );
    assert_eq!(
        put(write(json!([edge("prompt")]))).await.status,
        StatusCode::OK
    );
    refused(&put(write(json!([]))).await, 409, "conflict");
}

#[tokio::test]
async fn broken_json_wrong_types_and_large_bodies_are_told_apart() {
    let app = app();
    let (_, session) = app.session().await;
    let path = format!("/api/v1/sessions/{session}/messages");
    let post = async |kind: &str, body: String| {
        let request = Request::post(&path)
            .header("host", HOST)
            .header("content-type", kind);
        app.send(request.body(Body::from(body)).unwrap()).await
    };
    refused(
        &post("application/json", "{\"text\":".into()).await,
        400,
        "bad_request",
    );
    refused(
        &post("application/json", "{\"text\":\"a\"} x".into()).await,
        400,
        "bad_request",
    );
    refused(
        &post("application/json", "nonsense".into()).await,
        400,
        "bad_request",
    );
    refused(
        &post("application/json", "[]".into()).await,
        400,
        "bad_request",
    );
    refused(
        &post("application/json", r#"{"text":"a\u0000b"}"#.into()).await,
        422,
        "invalid",
    );
    refused(
        &post("text/plain", "{\"text\":\"a\"}".into()).await,
        415,
        "unsupported_media_type",
    );
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(5 << 20));
    refused(&post("application/json", large).await, 413, "too_large");
    assert_eq!(
        app.get(&format!("/api/v1/sessions/{session}")).await.json()["seq"],
        1
    );
}

#[tokio::test]
async fn t49_requests_of_other_sites_and_hosts_are_refused() {
    let app = app();
    let send = async |name: &str, value: &str, host: &str| {
        let request = Request::post("/api/v1/projects")
            .header("host", host)
            .header("content-type", "application/json")
            .header(name, value);
        app.send(request.body(Body::from(r#"{"name":"x"}"#)).unwrap())
            .await
    };
    for origin in [
        "http://evil.test",
        "null",
        "http://localhost.evil.test",
        "http://abc.preview.localhost:3000",
    ] {
        refused(&send("origin", origin, HOST).await, 403, "forbidden");
    }
    refused(
        &send("sec-fetch-site", "cross-site", HOST).await,
        403,
        "forbidden",
    );
    refused(&send("x-any", "1", "evil.test").await, 421, "misdirected");
    assert_eq!(app.get("/api/v1/projects").await.json()["items"], json!([]));
    assert_eq!(
        send("origin", "http://localhost:3000", HOST).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn decisions_and_exports_that_do_not_fit_the_state_are_conflicts() {
    let app = app();
    let (_, session) = app.session().await;
    let at = format!("/api/v1/sessions/{session}");
    refused(
        &app.post(
            &format!("{at}/plan"),
            json!({"decision": "approve", "hash": "0"}),
        )
        .await,
        409,
        "conflict",
    );
    refused(
        &app.post(&format!("{at}/renders"), json!({})).await,
        409,
        "conflict",
    );
    refused(
        &app.post(&format!("{at}/preview"), json!({})).await,
        409,
        "conflict",
    );
    let reply = app
        .post(&format!("{at}/renders"), json!({"format": "avi"}))
        .await;
    refused(&reply, 422, "invalid");
    let unknown = "ver_00000000000000000000000000";
    refused(
        &app.post(&format!("{at}/versions/{unknown}/restore"), json!({}))
            .await,
        404,
        "not_found",
    );
    refused(
        &app.get(&format!("{at}/versions/{unknown}/zip")).await,
        404,
        "not_found",
    );
    assert_eq!(
        app.post(&format!("{at}/stop"), json!({})).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(app.get(&at).await.json()["seq"], 1);
}

#[tokio::test]
async fn t79_a_retried_post_is_one_post() {
    let app = app();
    let send = async |key: &str, body: &str| {
        let request = Request::post("/api/v1/projects")
            .header("host", HOST)
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        app.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    };
    let first = send("k1", r#"{"name":"x"}"#).await;
    let again = send("k1", r#"{"name":"x"}"#).await;
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    refused(&send("k1", r#"{"name":"y"}"#).await, 409, "conflict");
    refused(
        &send("bad key", r#"{"name":"x"}"#).await,
        400,
        "bad_request",
    );
    refused(&send("k2", r#"{"name":""}"#).await, 422, "invalid");
    assert_eq!(
        send("k2", r#"{"name":"mended"}"#).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        app.get("/api/v1/projects").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_message_posted_twice_with_one_key_is_one_message() {
    let app = app();
    let (_, session) = app.session().await;
    for _ in 0..3 {
        let request = Request::post(format!("/api/v1/sessions/{session}/messages"))
            .header("host", HOST)
            .header("content-type", "application/json")
            .header("idempotency-key", "m1");
        let reply = app
            .send(request.body(Body::from(r#"{"text":"hello"}"#)).unwrap())
            .await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
    }
    let log = app
        .get(&format!("/api/v1/sessions/{session}/log"))
        .await
        .json();
    assert_eq!(log["items"].as_array().unwrap().len(), 2);
}
