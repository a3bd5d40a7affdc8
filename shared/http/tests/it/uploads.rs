//! Assets: what is uploaded is what it claims to be, or it is gone.

use crate::support::{App, HOST, Reply, app};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
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

/// Announces, uploads and commits.
async fn upload(app: &App, project: &str, name: &str, kind: &str, bytes: Vec<u8>) -> Reply {
    let announced = announce(app, project, name, kind, bytes.len()).await.json();
    let sent = put(app, &announced, kind, bytes).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT);
    commit(app, &announced).await
}

async fn content(app: &App, asset: &Value) -> Vec<u8> {
    let id = asset["id"].as_str().unwrap();
    let link = app.get(&format!("/api/v1/assets/{id}/content")).await;
    app.get(link.headers["location"].to_str().unwrap())
        .await
        .bytes
}

#[tokio::test]
async fn a_drawing_keeps_its_shapes_and_loses_what_could_do_something() {
    let app = app();
    let project = app.project().await;
    let svg = r##"<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 320.5 200" onload="alert(1)">
  <script>alert(2)</script>
  <foreignObject><iframe src="https://example.com"></iframe></foreignObject>
  <image href="https://example.com/spy.png" width="9" height="9"/>
  <a href="javascript:alert(3)"><circle id="dot" cx="50" cy="50" r="40" fill="#ff3300"/></a>
  <use xlink:href="https://example.com/all.svg#x"/>
</svg>"##;
    let asset = upload(
        &app,
        &project,
        "Mark.svg",
        "image/svg+xml",
        svg.as_bytes().to_vec(),
    )
    .await
    .json();
    assert_eq!(
        (&asset["kind"], &asset["width"], &asset["height"]),
        (&json!("image"), &json!(321), &json!(200))
    );
    let kept = String::from_utf8(content(&app, &asset).await).unwrap();
    assert!(
        kept.contains("circle") && kept.contains("#ff3300"),
        "{kept}"
    );
    for gone in [
        "script",
        "alert",
        "onload",
        "foreignObject",
        "iframe",
        "example.com",
    ] {
        assert!(!kept.contains(gone), "{gone} is still there: {kept}");
    }
    assert_eq!(asset["size"], kept.len());
    let bomb = "<!DOCTYPE svg [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
        <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">\
        <!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">\
        <!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">]>\
        <svg xmlns=\"http://www.w3.org/2000/svg\"><text>&g;</text></svg>";
    let wrong = [
        bomb,
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><rect>",
        "<html><body>no drawing</body></html>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90000\" height=\"90000\"/>",
        "plain words",
    ];
    for text in wrong {
        let bytes = text.as_bytes().to_vec();
        let reply = upload(&app, &project, "x.svg", "image/svg+xml", bytes).await;
        assert!(reply.status.is_client_error(), "{text}: {}", reply.status);
    }
}

#[tokio::test]
async fn a_video_is_probed_and_one_that_cannot_be_read_is_refused() {
    let app = app();
    let project = app.project().await;
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, codec) in [
        ("film.mp4", "video/mp4", "libx264"),
        ("film.webm", "video/webm", "libvpx-vp9"),
        ("film.mov", "video/quicktime", "libx264"),
    ] {
        let file = folder.path().join(name);
        let made = std::process::Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-f",
                "lavfi",
                "-i",
                "testsrc=s=160x90:d=1.5:r=10",
                "-c:v",
                codec,
            ])
            .args(["-pix_fmt", "yuv420p"])
            .arg(&file)
            .status();
        assert!(made.unwrap().success());
        let bytes = std::fs::read(&file).unwrap();
        let asset = upload(&app, &project, name, kind, bytes.clone())
            .await
            .json();
        assert_eq!(
            (
                &asset["kind"],
                &asset["width"],
                &asset["height"],
                &asset["seconds"]
            ),
            (&json!("video"), &json!(160), &json!(90), &json!(1.5)),
            "{name}"
        );
        assert_eq!(content(&app, &asset).await, bytes, "{name}");
        let cut = upload(&app, &project, name, kind, bytes[..40].to_vec()).await;
        assert!(cut.status.is_client_error(), "{name}: {}", cut.status);
    }
}

#[tokio::test]
async fn what_an_asset_is_for_is_said_and_taken_back() {
    let app = app();
    let project = app.project().await;
    let asset = upload(&app, &project, "a.png", "image/png", png(3, 2))
        .await
        .json();
    assert_eq!(asset["role"], Value::Null);
    let path = format!("/api/v1/assets/{}", asset["id"].as_str().unwrap());
    for role in [json!("reference"), json!(null), json!("logo")] {
        let patched = app
            .call(Method::PATCH, &path, Some(json!({"role": role})))
            .await;
        assert_eq!(
            (patched.status, &patched.json()["role"]),
            (StatusCode::OK, &role)
        );
        assert_eq!(app.get(&path).await.json()["role"], role);
    }
    let empty = app.call(Method::PATCH, &path, Some(json!({}))).await;
    assert!(empty.status.is_client_error());
    let wrong = app
        .call(Method::PATCH, &path, Some(json!({"role": "king"})))
        .await;
    assert!(wrong.status.is_client_error());
    assert_eq!(app.get(&path).await.json()["role"], "logo");
    let pending = announce(&app, &project, "b.png", "image/png", 40).await;
    let id = pending.json()["asset"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/assets/{id}");
    let early = app.call(Method::PATCH, &path, Some(json!({"role": "logo"})));
    assert_eq!(early.await.code(), "conflict");
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
