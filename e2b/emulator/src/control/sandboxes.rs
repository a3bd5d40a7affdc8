//! Sandboxes: created, listed, kept, paused, ended.

use super::Body;
use crate::{
    World,
    error::{ApiError, ApiResult},
    sandbox::{Network, NewSandbox, Origin, Sandbox, State as Standing},
};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The most sandboxes of one page.
const PAGE: usize = 100;

/// What a timeout may be: not more than a sandbox may live at all.
fn life(world: &World, seconds: Option<i64>, default: i64) -> ApiResult<Duration> {
    let seconds = seconds.unwrap_or(default);
    let seconds =
        u64::try_from(seconds).map_err(|_| ApiError::bad("Timeout cannot be negative"))?;
    let life = Duration::from_secs(seconds);
    if life > world.options.max_life {
        return Err(ApiError::bad(format!(
            "Timeout cannot be greater than {} hours",
            world.options.max_life.as_secs().div_ceil(3600)
        )));
    }
    Ok(life)
}

async fn make(world: &Arc<World>, new: NewSandbox, secure: bool) -> ApiResult<Response> {
    let life = life(world, new.timeout, 15)?;
    if new.template_id.is_empty() {
        let message = "Error when parsing request: property \"templateID\" is missing";
        return Err(ApiError::bad(message));
    }
    let private = new
        .network
        .as_ref()
        .is_some_and(|n| n.allow_public_traffic == Some(false));
    if private && !secure {
        return Err(ApiError::bad(
            "You cannot create a sandbox without public access unless you enable secure envd access via 'secure' flag.",
        ));
    }
    let template = world.templates.resolve(&new.template_id)?;
    if world.sandboxes().len() >= world.options.max_sandboxes {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!(
                "you have reached the maximum number of concurrent E2B sandboxes ({})",
                world.options.max_sandboxes
            ),
        ));
    }
    let cell = world
        .take_cell(&template)
        .await
        .map_err(|e| ApiError::internal(&format!("Failed to place sandbox: {e:#}")))?;
    let origin = Origin {
        template_id: template.template_id.clone(),
        alias: template.alias.clone(),
        cpu_count: template.cpu_count,
        memory_mb: template.memory_mb,
        init: template.init(),
    };
    let sandbox = Sandbox::begin(new, origin, cell, secure, life)
        .await
        .map_err(|e| ApiError::internal(&e))?;
    if let Some(template) = world.templates.table().get_mut(&sandbox.template_id) {
        template.spawned = (template.spawned.0 + 1, Some(sandbox.times().0));
    }
    let handle = sandbox.handle();
    world.sandboxes().insert(sandbox.id.clone(), sandbox);
    Ok((StatusCode::CREATED, Json(handle)).into_response())
}

/// `POST /v2/sandboxes`: secure unless something else is said.
pub async fn create(
    State(world): State<Arc<World>>,
    Body(new): Body<NewSandbox>,
) -> ApiResult<Response> {
    let secure = new.secure.unwrap_or(true);
    make(&world, new, secure).await
}

/// `POST /sandboxes`: open unless something else is said.
pub async fn create_v1(
    State(world): State<Arc<World>>,
    Body(new): Body<NewSandbox>,
) -> ApiResult<Response> {
    let secure = new.secure.unwrap_or(false);
    make(&world, new, secure).await
}

fn find(world: &World, id: &str) -> ApiResult<Arc<Sandbox>> {
    // Older clients append the node.
    let short = id.split('-').next().unwrap_or(id);
    if short.is_empty()
        || !short
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    {
        return Err(ApiError::bad("Invalid sandbox ID"));
    }
    world
        .sandbox(short)
        .ok_or_else(|| ApiError::sandbox_not_found(short))
}

pub async fn get(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    Ok(Json(find(&world, &id)?.detail()))
}

pub async fn kill(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let sandbox = find(&world, &id)?;
    world.sandboxes().remove(&sandbox.id);
    if sandbox.end().await {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::sandbox_not_found(&sandbox.id))
    }
}

/// Ends every sandbox: for tests.
pub async fn kill_all(State(world): State<Arc<World>>) -> StatusCode {
    world.clear().await;
    StatusCode::NO_CONTENT
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Timeout {
    timeout: Option<i64>,
}

fn running(sandbox: Arc<Sandbox>) -> ApiResult<Arc<Sandbox>> {
    if sandbox.state() == Standing::Running {
        Ok(sandbox)
    } else {
        Err(ApiError::sandbox_not_found(&sandbox.id))
    }
}

pub async fn timeout(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Body(body): Body<Timeout>,
) -> ApiResult<StatusCode> {
    let life = life(&world, body.timeout, 0)?;
    let sandbox = running(find(&world, &id)?)?;
    sandbox.set_timeout(life, world.options.max_life, false);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Refresh {
    duration: Option<i64>,
}

pub async fn refresh(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Body(body): Body<Refresh>,
) -> ApiResult<StatusCode> {
    let life = life(&world, body.duration, 15)?;
    let sandbox = running(find(&world, &id)?)?;
    sandbox.set_timeout(life, world.options.max_life, true);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/connect`: extends what runs, resumes what is paused. The timeout of one that runs is never shortened.
pub async fn connect(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Body(body): Body<Timeout>,
) -> ApiResult<Response> {
    let life = life(&world, body.timeout, 300)?;
    let sandbox = find(&world, &id)?;
    if sandbox.resume(life).await? {
        return Ok((StatusCode::CREATED, Json(sandbox.handle())).into_response());
    }
    sandbox.set_timeout(life, world.options.max_life, true);
    Ok((StatusCode::OK, Json(sandbox.handle())).into_response())
}

pub async fn resume(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Body(body): Body<Timeout>,
) -> ApiResult<Response> {
    let life = life(&world, body.timeout, 15)?;
    let sandbox = find(&world, &id)?;
    if !sandbox.resume(life).await? {
        return Err(ApiError::conflict(format!(
            "Sandbox {} is already running",
            sandbox.id
        )));
    }
    Ok((StatusCode::CREATED, Json(sandbox.handle())).into_response())
}

pub async fn pause(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    find(&world, &id)?.pause().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn network(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Body(network): Body<Network>,
) -> ApiResult<StatusCode> {
    let sandbox = running(find(&world, &id)?)?;
    let old = sandbox.network();
    sandbox.set_network(Network {
        allow_public_traffic: old.allow_public_traffic,
        mask_request_host: network.mask_request_host.or(old.mask_request_host),
        ..network
    });
    Ok(StatusCode::NO_CONTENT)
}

pub async fn metrics(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> ApiResult<Json<Vec<Value>>> {
    let sandbox = find(&world, &id)?;
    Ok(Json(sandbox.usage().into_iter().collect()))
}

fn unescaped(text: &str) -> ApiResult<String> {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ApiError::bad("Error parsing metadata"))
}

/// `a=b&c=d`: the whole is escaped, and each part once more.
fn pairs(text: &str) -> ApiResult<BTreeMap<String, String>> {
    unescaped(text)?
        .split('&')
        .map(|pair| match pair.split('=').collect::<Vec<_>>()[..] {
            [key, value] => Ok((unescaped(key)?, unescaped(value)?)),
            _ => Err(ApiError::bad("Error parsing metadata")),
        })
        .collect()
}

/// What a list is asked for with.
struct Wanted {
    metadata: BTreeMap<String, String>,
    states: Vec<String>,
    template: Option<String>,
    limit: usize,
    after: Option<String>,
    ascending: bool,
}

impl Wanted {
    fn parse(query: &str) -> ApiResult<Self> {
        let mut wanted = Self {
            metadata: BTreeMap::new(),
            states: vec![],
            template: None,
            limit: PAGE,
            after: None,
            ascending: false,
        };
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = unescaped(value)?;
            match key {
                "metadata" => wanted.metadata = pairs(&value)?,
                "state" => wanted.states.extend(value.split(',').map(str::to_owned)),
                "template" => wanted.template = Some(value),
                "order" => wanted.ascending = value == "asc",
                "limit" => {
                    let limit = value.parse().ok().filter(|l| (1..=PAGE).contains(l));
                    wanted.limit =
                        limit.ok_or_else(|| ApiError::bad("Invalid format for parameter limit"))?;
                }
                "nextToken" => {
                    let decoded = URL_SAFE_NO_PAD.decode(&value).ok();
                    let token = decoded.and_then(|d| String::from_utf8(d).ok());
                    wanted.after = Some(token.ok_or_else(|| ApiError::bad("Invalid next token"))?);
                }
                _ => {}
            }
        }
        if let Some(unknown) = wanted
            .states
            .iter()
            .find(|s| !["running", "paused"].contains(&s.as_str()))
        {
            return Err(ApiError::bad(format!("Invalid state: {unknown}")));
        }
        Ok(wanted)
    }

    fn takes(&self, sandbox: &Sandbox) -> bool {
        let state = match sandbox.state() {
            Standing::Running => "running",
            Standing::Paused => "paused",
            Standing::Ended => return false,
        };
        let metadata = &sandbox.new.metadata;
        (self.states.is_empty() || self.states.iter().any(|s| s == state))
            && self
                .metadata
                .iter()
                .all(|(k, v)| metadata.get(k) == Some(v))
            && self
                .template
                .as_ref()
                .is_none_or(|t| sandbox.template_id == *t || sandbox.alias.as_ref() == Some(t))
    }
}

/// `GET /v2/sandboxes`: newest first, page by page.
pub async fn list(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let wanted = Wanted::parse(query.as_deref().unwrap_or_default())?;
    let mut found: Vec<(String, Arc<Sandbox>)> = world
        .all()
        .into_iter()
        .filter(|s| wanted.takes(s))
        // Sorts like the time, and never twice the same.
        .map(|s| (format!("{:020}/{}", s.times().0.as_nanosecond(), s.id), s))
        .collect();
    found.sort_by(|a, b| {
        if wanted.ascending {
            a.0.cmp(&b.0)
        } else {
            b.0.cmp(&a.0)
        }
    });
    let later = |key: &String, after: &String| {
        if wanted.ascending {
            key > after
        } else {
            key < after
        }
    };
    found.retain(|(key, _)| wanted.after.as_ref().is_none_or(|after| later(key, after)));
    let mut headers = HeaderMap::new();
    if found.len() > wanted.limit {
        found.truncate(wanted.limit);
        let token = found.last().map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
        if let Some(token) = token.and_then(|t| HeaderValue::from_str(&t).ok()) {
            headers.insert("x-next-token", token);
        }
    }
    let listed: Vec<Value> = found.iter().map(|(_, s)| s.listed()).collect();
    Ok((headers, Json(json!(listed))).into_response())
}

/// `GET /sandboxes`: those that run, all at once.
pub async fn list_v1(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
) -> ApiResult<Json<Vec<Value>>> {
    let mut wanted = Wanted::parse(query.as_deref().unwrap_or_default())?;
    wanted.states = vec!["running".into()];
    let found = world.all().into_iter().filter(|s| wanted.takes(s));
    Ok(Json(found.map(|s| s.listed()).collect()))
}
