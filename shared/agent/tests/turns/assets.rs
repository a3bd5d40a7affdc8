//! Assets: what a model sees of them, and what a workspace has.

use crate::room::*;
use koda_agent::NewMessage;
use koda_domain::{
    AssetId, BlobId,
    asset::{Asset, AssetKind, AssetRole, AssetStatus},
    message::{Content, Speaker},
    objects::ObjectKey,
};
use serde_json::Value;

async fn given(bench: &Bench, name: &str, kind: AssetKind, role: Option<AssetRole>) -> AssetId {
    let bytes = format!("bytes of {name}").into_bytes();
    let blob = BlobId::of(&bytes);
    let key = ObjectKey::blob(&bench.tenant, &blob);
    let head = bench.studio.store().session_any(bench.session).await;
    let asset = Asset {
        id: AssetId::new(bench.studio.ids().ulid()),
        project_id: head.unwrap().project_id,
        filename: name.into(),
        media_type: if kind == AssetKind::Image {
            "image/png".into()
        } else {
            "video/mp4".into()
        },
        kind: Some(kind),
        size: bytes.len() as u64,
        blob: Some(blob),
        width: Some(640),
        height: Some(360),
        seconds: (kind == AssetKind::Video).then_some(2.5),
        role,
        path: format!("public/assets/{name}"),
        status: AssetStatus::Ready,
        created_at: bench.studio.clock().now(),
    };
    let put = bench.studio.objects().put(&key, "image/png", bytes.into());
    put.await.unwrap();
    let stored = bench.studio.store().put_asset(&bench.tenant, &asset).await;
    stored.unwrap();
    asset.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_seen_and_never_in_the_workspace_and_content_is_both() {
    let bench = bench(setup()).await;
    let _work = bench.work();
    let mood = given(
        &bench,
        "mood.png",
        AssetKind::Image,
        Some(AssetRole::Reference),
    )
    .await;
    let product = given(
        &bench,
        "lamp.png",
        AssetKind::Image,
        Some(AssetRole::Product),
    )
    .await;
    let film = given(&bench, "film.mp4", AssetKind::Video, None).await;
    let message = NewMessage {
        text: "make something like this".into(),
        attachments: vec![mood, product, film],
        ..NewMessage::default()
    };
    let posted = bench
        .studio
        .post_message(&bench.tenant, bench.session, message);
    posted.await.unwrap();
    bench
        .until("a plan", |s| s.turn.is_none() && s.proposal.is_some())
        .await;
    bench.approve().await;
    bench
        .until("a version", |s| s.turn.is_none() && s.versions.len() == 1)
        .await;

    let requests = bench.model.requests();
    let first = &requests[0];
    let told = first.pinned["assets"].as_array().unwrap();
    let facts = |name: &str| -> &Value { told.iter().find(|a| a["filename"] == name).unwrap() };
    assert_eq!(facts("mood.png")["role"], "reference");
    assert_eq!(facts("mood.png")["path"], Value::Null);
    assert_eq!(facts("lamp.png")["path"], "public/assets/lamp.png");
    assert_eq!(facts("film.mp4")["seconds"], 2.5);

    // In every call of the session, where it was said, so that a provider's cache holds it.
    for request in &requests {
        let said = &request.messages[0];
        assert_eq!(said.speaker, Speaker::User);
        let pictures = said
            .content
            .iter()
            .filter(|c| matches!(c, Content::Image { .. }));
        assert_eq!(pictures.count(), 2, "{said:?}");
    }

    assert_eq!(
        bench
            .sandboxes
            .file("public/assets/lamp.png")
            .unwrap()
            .as_ref(),
        b"bytes of lamp.png"
    );
    assert!(bench.sandboxes.file("public/assets/film.mp4").is_some());
    assert!(bench.sandboxes.file("public/assets/mood.png").is_none());
}
