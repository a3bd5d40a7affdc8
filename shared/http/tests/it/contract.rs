//! What is written about the door is what it does.

use crate::support::{app, app_with};
use koda_http::Code;
use koda_testkit::{FakeRun, FakeSandboxes, answer};
use strum::IntoEnumIterator;

fn file(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_openapi_snapshot_is_what_the_routes_say() {
    let path = file("openapi.json");
    let now = format!("{}\n", koda_http::document().to_pretty_json().unwrap());
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == now,
        "shared/http/openapi.json is stale: run `make api`"
    );
}

#[test]
fn every_code_of_an_error_is_documented_with_its_status() {
    let text = std::fs::read_to_string(file("../../docs/API.md")).unwrap();
    for code in Code::iter() {
        let name: &str = code.into();
        let row = format!("| `{name}` | {} |", code.status().as_u16());
        assert!(text.contains(&row), "docs/API.md has no row {row}");
    }
}

#[test]
fn every_route_is_documented() {
    let text = std::fs::read_to_string(file("../../docs/API.md")).unwrap();
    for (path, item) in &koda_http::document().paths.paths {
        let methods = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        for (method, operation) in methods {
            let said = text.contains(&format!("`{method} {path}`"))
                || text.contains(&format!("`{method} {path}?"));
            let poster = path.ends_with("/poster") && text.contains("`/poster` likewise");
            assert!(
                operation.is_none() || said || poster,
                "docs/API.md does not name {method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn t53_answers_carry_protection_and_no_header_but_the_known_ones() {
    let app = app();
    let known = [
        "content-type",
        "content-length",
        "cache-control",
        "etag",
        "location",
        "retry-after",
        "x-request-id",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-opener-policy",
        "x-frame-options",
        "vary",
        "content-disposition",
        "allow",
        "content-encoding",
        "accept-ranges",
    ];
    for path in [
        "/",
        "/api/health",
        "/api/v1/projects",
        "/api/v1/config",
        "/api/v1/nothing",
        "/p/prj_x",
        "/api/openapi.json",
    ] {
        let reply = app.get(path).await;
        for name in reply.headers.keys() {
            assert!(known.contains(&name.as_str()), "{path} answers with {name}");
        }
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'")
                && policy.contains("http://*.preview.localhost:3000"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn health_says_what_is_ready_and_who_answers() {
    let reply = app().get("/api/health").await.json();
    assert_eq!(reply["status"], "ok");
    assert_eq!(
        (
            &reply["store"]["ready"],
            &reply["objects"]["ready"],
            &reply["sandbox"]["ready"]
        ),
        (&true.into(), &true.into(), &true.into())
    );
    assert_eq!(reply["model"]["is_ai"], false);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_lives() {
    let app = app_with(
        Ok(answer(vec![])),
        FakeSandboxes::new(|_, _| FakeRun::default()),
    );
    // A route that panics, behind the same guards.
    let router = axum::Router::new().route(
        "/boom",
        axum::routing::get(async || -> &'static str { panic!("secret words") }),
    );
    let guarded = koda_http::guarded(router, app.state.clone());
    use tower::ServiceExt;
    let request = axum::http::Request::get("/boom")
        .header("host", "localhost")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = guarded.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 500);
    let bytes = axum::body::to_bytes(response.into_body(), 10_000)
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(
        text.contains("\"internal\"") && !text.contains("secret words"),
        "{text}"
    );
    assert_eq!(app.get("/api/health").await.status, 200);
}
