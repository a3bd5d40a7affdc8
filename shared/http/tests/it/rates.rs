//! What costs something is limited, however many servers there are.

use crate::support::replica;
use axum::http::StatusCode;
use futures_util::future::join_all;
use koda_domain::rate::Rates;
use serde_json::json;

/// T52.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_on_two_servers_is_counted_together_and_told_when_to_come_back() {
    let data = tempfile::tempdir().unwrap();
    let rates = Rates {
        turns: 6,
        ..Rates::default()
    };
    let servers = [0, 1].map(|n| replica(&data.path().join("koda.db"), n, rates));
    let (_, session) = servers[0].session().await;
    let path = format!("/api/v1/sessions/{session}/messages");
    let burst = (0..10).map(|n| servers[n % 2].post(&path, json!({"text": "A red ball"})));
    let replies = join_all(burst).await;
    let taken = replies.iter().filter(|r| r.status.is_success()).count();
    assert_eq!(taken, 6);
    for reply in replies.iter().filter(|r| !r.status.is_success()) {
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = reply.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=120).contains(&wait), "{wait}");
        let error = &reply.json()["error"];
        assert_eq!(error["code"], "rate_limited");
        let message = error["message"].as_str().unwrap();
        assert_eq!(
            message,
            format!("At most 6 messages in a minute; try again in {wait} seconds.")
        );
    }
    // Nothing of what was refused is in the log, and reading goes on.
    let log = servers[1]
        .get(&format!("/api/v1/sessions/{session}/log"))
        .await;
    let log = log.json();
    let posted = log["items"].as_array().unwrap().iter();
    let posted = posted.filter(|e| e["type"] == "message_posted").count();
    assert_eq!(posted, 6);
}

#[tokio::test]
async fn a_message_that_breaks_a_rule_is_not_counted() {
    let data = tempfile::tempdir().unwrap();
    let rates = Rates {
        turns: 1,
        ..Rates::default()
    };
    let server = replica(&data.path().join("koda.db"), 0, rates);
    let (_, session) = server.session().await;
    let path = format!("/api/v1/sessions/{session}/messages");
    for _ in 0..3 {
        let refused = server.post(&path, json!({"text": " "})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!(
        server
            .post(&path, json!({"text": "A ball"}))
            .await
            .status
            .is_success()
    );
}
