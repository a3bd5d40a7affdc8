//! What models have used, told for each session and for a project.

use crate::support::app;
use koda_domain::dispatch::Errand;
use serde_json::json;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_project_says_what_all_its_animations_have_used() {
    let app = app();
    let (project, first) = app.session().await;
    let sessions = format!("/api/v1/projects/{project}/sessions");
    let made = app.post(&sessions, json!({"node_id": "n2"})).await.json();
    let second = made["id"].as_str().unwrap().parse().unwrap();
    let list = app.get(&sessions).await.json();
    assert_eq!(list["usage"]["cost_micros"], 0);
    for session in [first, second] {
        let path = format!("/api/v1/sessions/{session}/messages");
        app.post(&path, json!({"text": "hello"})).await;
        let errand = Errand {
            session,
            refresh: false,
        };
        let studio = app.state.studio.clone();
        studio.run_errand(errand, CancellationToken::new()).await;
    }
    let list = app.get(&sessions).await.json();
    let each = list["items"].as_array().unwrap();
    for one in each {
        assert!(
            one["state"]["usage"]["output_tokens"].as_u64() > Some(0),
            "{one}"
        );
    }
    for field in ["input_tokens", "output_tokens", "cost_micros"] {
        let sum: u64 = each
            .iter()
            .filter_map(|one| one["state"]["usage"][field].as_u64())
            .sum();
        assert_eq!(list["usage"][field], sum, "{field}");
    }
}
