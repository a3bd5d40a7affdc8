//! Assets: what is uploaded is what it claims to be, or it is gone.

use crate::support::{App, HOST, Reply, app};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};

/// A PNG of this size: signature and header, which its size is read from, and its end.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(b"\0\0\0\0IEND\xaeB`\x82");
    bytes
}

async fn announce(
    app: &App,
    project: &str,
    filename: &str,
    media_type: &str,
    size: usize,
) -> Reply {
    let body = json!({"filename": filename, "media_type": media_type, "size": size});
    app.post(&format!("/api/v1/projects/{project}/assets"), body)
        .await
}

async fn put(app: &App, announced: &Value, media_type: &str, body: Vec<u8>) -> Reply {
    let url = announced["upload"]["url"].as_str().unwrap();
    let request = Request::put(url)
        .header("host", HOST)
        .header("content-type", media_type);
    app.send(request.body(Body::from(body)).unwrap()).await
}

async fn commit(app: &App, announced: &Value) -> Reply {
    let id = announced["asset"]["id"].as_str().unwrap();
    app.post(&format!("/api/v1/assets/{id}/commit"), json!({}))
        .await
}

#[tokio::test]
async fn a_picture_is_announced_uploaded_checked_and_served() {
    let app = app();
    let project = app.project().await;
    let bytes = png(3, 2);
    let announced = announce(
        &app,
        &project,
        "My Löwe (1)\"\r\nX: y.png",
        "image/png",
        bytes.len(),
    )
    .await;
    assert_eq!(announced.status, StatusCode::CREATED);
    let announced = announced.json();
    let path = announced["asset"]["path"].as_str().unwrap();
    assert!(
        path.starts_with("public/assets/my-l-we-1-x-y-") && path.ends_with(".png"),
        "{path}"
    );
    assert_eq!(commit(&app, &announced).await.code(), "conflict");
    assert_eq!(
        put(&app, &announced, "image/png", bytes.clone())
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    let asset = commit(&app, &announced).await.json();
    assert_eq!(
        (
            &asset["status"],
            &asset["kind"],
            &asset["width"],
            &asset["height"]
        ),
        (&json!("ready"), &json!("image"), &json!(3), &json!(2))
    );
    let id = asset["id"].as_str().unwrap();
    let link = app.get(&format!("/api/v1/assets/{id}/content")).await;
    assert_eq!(link.status, StatusCode::TEMPORARY_REDIRECT);
    let served = app.get(link.headers["location"].to_str().unwrap()).await;
    assert_eq!(
        (
            served.bytes,
            served.headers["content-type"].to_str().unwrap()
        ),
        (bytes, "image/png")
    );
    assert!(
        served.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
}

#[tokio::test]
async fn t32_what_is_not_what_it_claims_is_refused_and_gone() {
    let app = app();
    let project = app.project().await;
    let html = b"<html><script>alert(1)</script></html>".to_vec();
    let cases = [
        ("page.png", "image/png", html.clone(), 415),
        (
            "jpeg.png",
            "image/png",
            vec![0xff, 0xd8, 0xff, 0xe0, 0, 0x10, b'J', b'F', b'I', b'F', 0],
            415,
        ),
        ("cut.png", "image/png", png(3, 2)[..33].to_vec(), 422),
        ("bomb.png", "image/png", png(60_000, 60_000), 422),
        (
            "broken.png",
            "image/png",
            b"\x89PNG\r\n\x1a\n".to_vec(),
            422,
        ),
    ];
    for (name, kind, bytes, status) in cases {
        let announced = announce(&app, &project, name, kind, bytes.len())
            .await
            .json();
        assert_eq!(
            put(&app, &announced, kind, bytes).await.status,
            StatusCode::NO_CONTENT
        );
        let reply = commit(&app, &announced).await;
        assert_eq!(reply.status.as_u16(), status, "{name}: {}", reply.json());
        assert_eq!(
            commit(&app, &announced).await.code(),
            "not_found",
            "{name} is still there"
        );
    }
    for (name, kind) in [
        ("x.svg", "image/svg+xml"),
        ("x.html", "text/html"),
        ("x.exe", "application/octet-stream"),
    ] {
        assert_eq!(
            announce(&app, &project, name, kind, 10).await.code(),
            "unsupported_media_type"
        );
    }
    assert_eq!(
        announce(&app, &project, "x.png", "image/png", 200 << 20)
            .await
            .code(),
        "invalid"
    );
    assert_eq!(
        app.get(&format!("/api/v1/projects/{project}/assets"))
            .await
            .json()["items"],
        json!([])
    );
}

#[tokio::test]
async fn an_upload_of_other_length_or_type_is_refused() {
    let app = app();
    let project = app.project().await;
    let bytes = png(3, 2);
    let announced = announce(&app, &project, "a.png", "image/png", bytes.len())
        .await
        .json();
    let longer = [bytes.clone(), vec![0]].concat();
    assert_eq!(
        put(&app, &announced, "image/png", longer).await.code(),
        "invalid"
    );
    assert_eq!(
        put(&app, &announced, "text/html", bytes.clone())
            .await
            .code(),
        "invalid"
    );
    let mut forged = announced.clone();
    forged["upload"]["url"] = json!(
        announced["upload"]["url"]
            .as_str()
            .unwrap()
            .replace("size=", "size=1")
    );
    assert_eq!(put(&app, &forged, "image/png", bytes).await.code(), "gone");
    assert_eq!(commit(&app, &announced).await.code(), "conflict");
}

#[tokio::test]
async fn ranges_of_an_object_are_served() {
    let app = app();
    let project = app.project().await;
    let bytes = png(3, 2);
    let announced = announce(&app, &project, "a.png", "image/png", bytes.len())
        .await
        .json();
    put(&app, &announced, "image/png", bytes.clone()).await;
    let asset = commit(&app, &announced).await.json();
    let link = app
        .get(&format!(
            "/api/v1/assets/{}/content",
            asset["id"].as_str().unwrap()
        ))
        .await;
    let url = link.headers["location"].to_str().unwrap().to_owned();
    let get = async |range: &str| {
        let request = Request::get(&url)
            .header("host", HOST)
            .header("range", range);
        app.send(request.body(Body::empty()).unwrap()).await
    };
    let total = bytes.len();
    for (range, want, said) in [
        ("bytes=0-3", &bytes[..4], format!("bytes 0-3/{total}")),
        (
            "bytes=8-",
            &bytes[8..],
            format!("bytes 8-{}/{total}", total - 1),
        ),
        (
            "bytes=-5",
            &bytes[total - 5..],
            format!("bytes {}-{}/{total}", total - 5, total - 1),
        ),
    ] {
        let reply = get(range).await;
        assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(
            (
                reply.bytes.as_slice(),
                reply.headers["content-range"].to_str().unwrap()
            ),
            (want, said.as_str())
        );
    }
    assert_eq!(
        get("bytes=999-").await.status,
        StatusCode::RANGE_NOT_SATISFIABLE
    );
    assert_eq!(get("lines=1-2").await.status, StatusCode::OK);
}
