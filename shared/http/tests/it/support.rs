//! A whole app in memory, and requests to it.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use koda_agent::{Studio, StudioOptions, StudioParts};
use koda_domain::{SessionId, model::ModelAnswer, rate::Rates};
use koda_http::{AppState, Site};
use koda_objects::LocalObjects;
use koda_store::SqliteStore;
use koda_testkit::{FakeRun, FakeSandboxes, ScriptedModel, SeqIds, TestClock, answer, say};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub const HOST: &str = "localhost:3000";

pub struct App {
    pub router: Router,
    pub state: AppState,
    _data: tempfile::TempDir,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("not JSON: {:?}", String::from_utf8_lossy(&self.bytes)))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

pub fn app() -> App {
    app_with(
        Ok(answer(vec![say("Hello.")])),
        FakeSandboxes::new(|_, _| FakeRun::default()),
    )
}

pub fn app_with(
    says: Result<ModelAnswer, koda_domain::model::ModelError>,
    sandboxes: FakeSandboxes,
) -> App {
    app_of(ScriptedModel::new(move |_| says.clone()), sandboxes)
}

pub fn app_of(model: ScriptedModel, sandboxes: FakeSandboxes) -> App {
    let store = Arc::new(SqliteStore::open_in_memory().unwrap());
    build(model, sandboxes, store, SeqIds::default(), Rates::default())
}

/// One of several servers on the same database.
pub fn replica(database: &Path, number: u64, rates: Rates) -> App {
    build(
        ScriptedModel::new(|_| Ok(answer(vec![say("Hello.")]))),
        FakeSandboxes::new(|_, _| FakeRun::default()),
        Arc::new(SqliteStore::open(database).unwrap()),
        SeqIds::from(number << 32),
        rates,
    )
}

fn build(
    model: ScriptedModel,
    sandboxes: FakeSandboxes,
    store: Arc<SqliteStore>,
    ids: SeqIds,
    rates: Rates,
) -> App {
    let data = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let objects =
        Arc::new(LocalObjects::new(data.path().join("objects"), &[1; 32], clock.clone()).unwrap());
    let studio = Studio::new(StudioParts {
        store,
        objects: objects.clone(),
        sandboxes: Arc::new(sandboxes),
        model: Arc::new(model),
        clock,
        ids: Arc::new(ids),
        dispatcher: None,
        owner: "test".into(),
        options: StudioOptions {
            rates,
            ..StudioOptions::default()
        },
    });
    let state = AppState {
        studio,
        gateway: Some(objects),
        site: Arc::new(Site::new(
            "http://localhost:3000",
            "preview.localhost:3000",
            &[2; 32],
        )),
        holds_idle_streams: true,
        shutdown: CancellationToken::new(),
    };
    let router = koda_http::all(state.clone(), &data.path().join("no-web"));
    App {
        router,
        state,
        _data: data,
    }
}

impl App {
    /// Event streams are closed from now on while nothing happens.
    pub fn pay_for_streams(&mut self) {
        self.state.holds_idle_streams = false;
        self.router = koda_http::all(self.state.clone(), &self._data.path().join("no-web"));
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Reply {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn project(&self) -> String {
        let made = self.post("/api/v1/projects", json!({"name": "Test"})).await;
        assert_eq!(made.status, StatusCode::CREATED);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn session(&self) -> (String, SessionId) {
        let project = self.project().await;
        let made = self
            .post(
                &format!("/api/v1/projects/{project}/sessions"),
                json!({"node_id": "n1"}),
            )
            .await;
        assert_eq!(made.status, StatusCode::CREATED);
        (
            project,
            made.json()["id"].as_str().unwrap().parse().unwrap(),
        )
    }
}
