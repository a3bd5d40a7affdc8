//! So many requests at once and no more: what comes on top waits here, where it costs nothing.

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::HttpRequest,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Requests to DynamoDB in flight at once in one process. At 5 ms each this is twelve thousand a second, more than two
/// cores can ask. A table that is slower is given no more than this to work at: requests beyond it would only make all of them
/// late, until each is given up and asked again while the first is still being worked at.
const IN_FLIGHT: usize = 64;

/// An HTTP client that sends no more than [`IN_FLIGHT`] requests at once. Waiting counts as time of the attempt.
#[derive(Debug)]
pub(super) struct Bounded<C> {
    inner: C,
    free: Arc<Semaphore>,
}

impl Bounded<SharedHttpClient> {
    pub(super) fn new(inner: SharedHttpClient) -> Self {
        Self {
            inner,
            free: Arc::new(Semaphore::new(IN_FLIGHT)),
        }
    }
}

impl HttpClient for Bounded<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        Bounded {
            inner: self.inner.http_connector(settings, components),
            free: self.free.clone(),
        }
        .into_shared()
    }
}

impl HttpConnector for Bounded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, free) = (self.inner.clone(), self.free.clone());
        HttpConnectorFuture::new(async move {
            // It is never closed.
            let _place = free.acquire_owned().await;
            inner.call(request).await
        })
    }
}
