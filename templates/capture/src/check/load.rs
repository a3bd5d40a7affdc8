//! Gate `load`: the page comes up once, and nothing complains.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::diagnostic::{Diagnostic, Gate, Place, Severity};
use super::locate::Locator;
use crate::cdp::Event;
use crate::error::{Code, Failure, Result};
use crate::page::{NotShown, Page, PageError, abroad};

/// Loads the page and reports what went wrong meanwhile. True where its composition came up.
///
/// # Errors
/// `browser_failed` where Chromium itself failed.
pub async fn run(
    page: &mut Page,
    base: &str,
    locator: &mut Locator<'_>,
) -> Result<(bool, Vec<Diagnostic>)> {
    let loaded = page.load().await;
    let up = loaded.is_ok();
    let mut found = Vec::new();
    match loaded {
        Ok(()) => {}
        Err(NotShown::Composition(_, error)) => {
            found.push(thrown(Gate::Load, &error, locator).await)
        }
        Err(NotShown::Other(failure)) if failure.code == Code::BrowserFailed => {
            return Err(failure);
        }
        Err(NotShown::Other(failure)) => found.push(not_loaded(&failure)),
    }
    let missing = if up {
        page.missing_images().await?
    } else {
        Vec::new()
    };
    let events = page.events();
    found.extend(complaints(Gate::Load, &events, base, locator).await);
    for url in missing {
        let path = local(&url, base);
        let message = format!("the picture {path} cannot be shown");
        found.push(
            Diagnostic::error(Gate::Load, "missing_image", message)
                .at(written(locator, &path))
                .hint("use an asset that exists"),
        );
    }
    Ok((up, distinct(found)))
}

fn not_loaded(failure: &Failure) -> Diagnostic {
    Diagnostic::error(Gate::Load, "page", failure.message.clone())
        .at(Place::file("src/Composition.tsx"))
        .hint("something keeps the composition from being ready: an endless loop, a promise that never settles, a handle never continued")
}

/// An error that the composition threw.
pub async fn thrown(gate: Gate, error: &PageError, locator: &mut Locator<'_>) -> Diagnostic {
    let place = locator.stack(&error.stack).await;
    let first: String = error.message.chars().take(800).collect();
    Diagnostic::error(gate, "exception", first).at(place)
}

/// What the browser reported, as findings.
pub async fn complaints(
    gate: Gate,
    events: &[Event],
    base: &str,
    locator: &mut Locator<'_>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut requests: HashMap<&str, (&str, &Value)> = HashMap::new();
    for Event { method, params } in events {
        let request = params["requestId"].as_str().unwrap_or_default();
        match method.as_str() {
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                requests.insert(request, (url, &params["initiator"]));
                if abroad(url, base) {
                    let shown: String = url.chars().take(200).collect();
                    let place = initiated(&params["initiator"], url, base, locator).await;
                    let message =
                        format!("{shown} is asked of the network, which compositions do not have");
                    found.push(
                        Diagnostic::error(gate, "network_request", message)
                            .at(place)
                            .hint("use an asset of the workspace or an installed font; name the font of 3D text explicitly"),
                    );
                }
            }
            "Network.responseReceived" => {
                let status = params["response"]["status"].as_u64().unwrap_or(0);
                let url = params["response"]["url"].as_str().unwrap_or_default();
                if status >= 400 && !url.ends_with("/favicon.ico") && !abroad(url, base) {
                    let initiator = requests
                        .get(request)
                        .map_or(&Value::Null, |(_, initiator)| *initiator);
                    let place = initiated(initiator, url, base, locator).await;
                    let path = local(url, base);
                    found.push(
                        Diagnostic::error(gate, "http_error", format!("{path} answers {status}"))
                            .at(place),
                    );
                }
            }
            "Network.loadingFailed" if params["canceled"] != true => {
                let (url, initiator) = requests.get(request).copied().unwrap_or(("", &Value::Null));
                if !url.is_empty() && !abroad(url, base) {
                    let place = initiated(initiator, url, base, locator).await;
                    let why = params["errorText"].as_str().unwrap_or("it failed");
                    found.push(
                        Diagnostic::error(
                            gate,
                            "request_failed",
                            format!("{} cannot be loaded: {why}", local(url, base)),
                        )
                        .at(place),
                    );
                }
            }
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                let said = details["exception"]["description"]
                    .as_str()
                    .or(details["text"].as_str())
                    .unwrap_or("exception");
                let error = PageError {
                    message: first_line(said).to_owned(),
                    stack: said.to_owned(),
                };
                found.push(thrown(gate, &error, locator).await);
            }
            "Runtime.consoleAPICalled"
                if matches!(params["type"].as_str(), Some("error" | "assert")) =>
            {
                found.extend(printed(gate, params, base, locator).await);
            }
            _ => {}
        }
    }
    distinct(found)
}

async fn printed(
    gate: Gate,
    params: &Value,
    base: &str,
    locator: &mut Locator<'_>,
) -> Option<Diagnostic> {
    let arguments: Vec<&str> = params["args"]
        .as_array()?
        .iter()
        .filter_map(|argument| {
            argument["description"]
                .as_str()
                .or(argument["value"].as_str())
        })
        .collect();
    let text = arguments.join(" ");
    if text.trim().is_empty() || text.contains("[vite]") {
        return None;
    }
    // An error that is printed has a stack of its own.
    let mut place = locator.stack(&text).await;
    if place.file.is_none() {
        place = called_from(&params["stackTrace"], base, locator).await;
    }
    // React's development build warns through console.error; a missing key makes no frame wrong.
    let advice = text.contains("react.dev/link") || text.starts_with("Warning:");
    let mut message: String = first_line(&text)
        .replace("%s", "")
        .chars()
        .take(600)
        .collect();
    message = message.trim().to_owned();
    let mut diagnostic = Diagnostic::error(gate, "console_error", message).at(place);
    if advice {
        diagnostic.severity = Severity::Warning;
    }
    Some(diagnostic)
}

async fn called_from(trace: &Value, base: &str, locator: &mut Locator<'_>) -> Place {
    for frame in trace["callFrames"].as_array().into_iter().flatten() {
        let number = |name: &str| {
            frame[name]
                .as_u64()
                .and_then(|number| u32::try_from(number + 1).ok())
                .unwrap_or(1)
        };
        let url = frame["url"].as_str().unwrap_or_default();
        if url.starts_with(base) {
            let place = locator
                .position(url, number("lineNumber"), number("columnNumber"))
                .await;
            if place.file.is_some() {
                return place;
            }
        }
    }
    Place::default()
}

async fn initiated(initiator: &Value, url: &str, base: &str, locator: &mut Locator<'_>) -> Place {
    let place = called_from(&initiator["stack"], base, locator).await;
    if place.file.is_some() {
        place
    } else {
        written(locator, &local(url, base))
    }
}

/// Where an address is written in the composition, as it is or by its file's name.
fn written(locator: &Locator<'_>, path: &str) -> Place {
    let bare = path
        .split('?')
        .next()
        .unwrap_or(path)
        .trim_start_matches('/');
    let place = locator.text(bare);
    if place.file.is_some() {
        place
    } else {
        locator.text(bare.rsplit('/').next().unwrap_or(bare))
    }
}

fn local(url: &str, base: &str) -> String {
    url.strip_prefix(base)
        .map_or_else(|| url.to_owned(), |path| format!("/{path}"))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

/// Leaves out what says the same again: an exception is thrown, rejected and printed.
fn distinct(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let mut kept: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        let said = diagnostic
            .message
            .trim_start_matches("Uncaught ")
            .trim_start_matches("Error: ")
            .to_owned();
        let same = |other: &Diagnostic| {
            other.message.contains(&said) || said.contains(other.message.as_str())
        };
        if seen.insert(said.clone()) && !kept.iter().any(same) {
            kept.push(diagnostic);
        }
    }
    kept
}
