//! Traces and metrics to an OpenTelemetry collector, where one is named. They are made of what is logged: spans become traces, and
//! fields that begin with `monotonic_counter.` or `histogram.` become metrics.

use crate::config::Otlp;
use anyhow::{Context, Result};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use std::{collections::HashMap, sync::OnceLock, time::Duration};
use tracing::Subscriber;
use tracing_opentelemetry::{MetricsLayer, OpenTelemetryLayer};
use tracing_subscriber::{Layer, filter, registry::LookupSpan};

/// How long one delivery may take.
const WITHIN: Duration = Duration::from_secs(5);

struct Senders {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

/// What sends; it lives as long as the process.
static SENDERS: OnceLock<Senders> = OnceLock::new();

/// The layer that gathers for a collector.
pub(crate) fn start<S>(otlp: &Otlp) -> Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    // The collector may be reached by HTTPS; a process has one provider of cryptography, and may have it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let headers: HashMap<String, String> = otlp.headers.iter().cloned().collect();
    let at = |signal: &str| format!("{}/v1/{signal}", otlp.endpoint);
    let spans = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(at("traces"))
        .with_headers(headers.clone())
        .with_timeout(WITHIN)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used for traces")?;
    let metrics = MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(at("metrics"))
        .with_headers(headers)
        .with_timeout(WITHIN)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used for metrics")?;
    let resource = Resource::builder_empty()
        .with_service_name(otlp.service.clone())
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        .build();
    let senders = SENDERS.get_or_init(|| Senders {
        traces: SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_batch_exporter(spans)
            .build(),
        metrics: SdkMeterProvider::builder()
            .with_resource(resource)
            .with_periodic_exporter(metrics)
            .build(),
    });
    // Of Koda's own alone: what libraries trace is too much, and what sends would trace its own sending.
    let own = || filter::filter_fn(|data| data.target().starts_with("koda_"));
    let traces = OpenTelemetryLayer::new(senders.traces.tracer("koda")).with_filter(own());
    let measures = MetricsLayer::new(senders.metrics.clone()).with_filter(own());
    Ok(traces.and_then(measures).boxed())
}

/// Sends what is gathered: before a process ends, or is frozen.
pub(crate) async fn flush() {
    let Some(senders) = SENDERS.get() else { return };
    let sent = tokio::task::spawn_blocking(|| {
        let traces = senders.traces.force_flush();
        traces.and(senders.metrics.force_flush())
    });
    match sent.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "The collector was not reached"),
        Err(_) => tracing::debug!("Sending to the collector broke"),
    }
}
