//! Templates: requested, their layers uploaded, built, looked at, tagged, removed.

use super::Body;
use crate::{
    World, build,
    error::{ApiError, ApiResult},
    templates::{Build, DEFAULT_TAG, Definition, Made, Status, Template, is_name, split},
};
use axum::{
    Json,
    body::Body as Stream,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tokio::io::AsyncWriteExt;

/// Log entries of one answer.
const ENTRIES: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    name: Option<String>,
    alias: Option<String>,
    tags: Vec<String>,
    cpu_count: Option<u32>,
    #[serde(rename = "memoryMB")]
    memory_mb: Option<u32>,
}

fn build_id() -> String {
    // Clients take a build's id for a UUID.
    let text = format!("{:032x}", ulid::Ulid::generate().0);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// `POST /v3/templates`.
pub async fn request(
    State(world): State<Arc<World>>,
    Body(asked): Body<Request>,
) -> ApiResult<Response> {
    let reference = asked.name.or(asked.alias).unwrap_or_default();
    let (name, tag) = split(&reference);
    if !is_name(name) {
        return Err(ApiError::bad(format!(
            "Invalid template name: '{reference}'"
        )));
    }
    let (cpu_count, memory_mb) = (
        asked.cpu_count.unwrap_or(2),
        asked.memory_mb.unwrap_or(1024),
    );
    if cpu_count == 0 || cpu_count > 64 {
        return Err(ApiError::bad(format!(
            "CPU count must be between 1 and 64, not {cpu_count}"
        )));
    }
    if memory_mb < 128 || memory_mb % 2 != 0 {
        return Err(ApiError::bad("Memory must be at least 128 MiB, and even"));
    }
    let mut tags: Vec<String> = asked.tags;
    if tags.is_empty() || reference.contains(':') {
        tags.push(tag.to_owned());
    }
    let build = Build {
        id: build_id(),
        status: Status::Waiting,
        created_at: Timestamp::now(),
        logs: vec![],
        reason: None,
        made: Made::default(),
    };
    let known = world.templates.find(name);
    let mut table = world.templates.table();
    let id = known.unwrap_or_else(|| {
        let random = ulid::Ulid::generate().to_string().to_lowercase();
        random[6..].to_owned()
    });
    let template = table.entry(id.clone()).or_insert_with(|| Template {
        id: id.clone(),
        name: name.to_owned(),
        created_at: Timestamp::now(),
        cpu_count,
        memory_mb,
        builds: vec![],
        tags: BTreeMap::new(),
        spawned: (0, None),
    });
    (template.cpu_count, template.memory_mb) = (cpu_count, memory_mb);
    let build_id = build.id.clone();
    template.builds.push(build);
    world.pending_tags().insert(build_id.clone(), tags.clone());
    let answer = json!({
        "templateID": id, "buildID": build_id, "public": false,
        "names": [name], "aliases": [name], "tags": tags,
    });
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

fn not_found(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("template '{id}' not found"))
}

fn known(world: &World, id: &str) -> ApiResult<String> {
    world.templates.find(id).ok_or_else(|| not_found(id))
}

fn layer_file(world: &World, hash: &str) -> ApiResult<PathBuf> {
    if hash.len() < 8 || hash.len() > 128 || !hash.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ApiError::bad("Invalid files hash"));
    }
    Ok(world.folder().join("layers").join(hash))
}

/// `GET /templates/{id}/files/{hash}`: whether a layer is here, and where it can be put.
pub async fn layer(
    State(world): State<Arc<World>>,
    Path((id, hash)): Path<(String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let id = known(&world, &id)?;
    let present = layer_file(&world, &hash)?.exists();
    let host = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .unwrap_or("localhost");
    let url = format!("http://{host}/_layers/{id}/{hash}");
    Ok((
        StatusCode::CREATED,
        Json(json!({"present": present, "url": url})),
    )
        .into_response())
}

/// Takes a layer, as object storage would: whoever knows the address may.
pub async fn upload(
    State(world): State<Arc<World>>,
    Path((id, hash)): Path<(String, String)>,
    headers: HeaderMap,
    body: Stream,
) -> ApiResult<StatusCode> {
    known(&world, &id)?;
    if !headers.contains_key(header::CONTENT_LENGTH) {
        // As S3 has it for presigned addresses.
        let message = "A header you provided implies functionality that is not implemented";
        return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, message));
    }
    let path = layer_file(&world, &hash)?;
    let part = path.with_extension(format!("part-{}", ulid::Ulid::generate()));
    let write = async {
        let mut file = tokio::fs::File::create(&part).await?;
        let mut body = body.into_data_stream();
        while let Some(chunk) = body.next().await {
            file.write_all(&chunk.map_err(std::io::Error::other)?)
                .await?;
        }
        file.flush().await?;
        tokio::fs::rename(&part, &path).await
    };
    write.await.map_err(|e| ApiError::internal(&e))?;
    Ok(StatusCode::OK)
}

/// `POST /v2/templates/{id}/builds/{build}`.
pub async fn start(
    State(world): State<Arc<World>>,
    Path((id, build)): Path<(String, String)>,
    Body(definition): Body<Definition>,
) -> ApiResult<StatusCode> {
    let id = known(&world, &id)?;
    for step in &definition.steps {
        if let Some(hash) = &step.files_hash
            && !layer_file(&world, hash)?.exists()
        {
            return Err(ApiError::bad(format!(
                "The files of a {} step were not uploaded",
                step.kind
            )));
        }
    }
    let mut begun = Err(ApiError::bad(format!("Build '{build}' not found")));
    world.templates.update(&id, &build, |template, at| {
        let build = &mut template.builds[at];
        if build.status == Status::Waiting {
            build.status = Status::Building;
            begun = Ok(());
        } else {
            begun = Err(ApiError::bad("build is not in waiting state"));
        }
    });
    begun?;
    tokio::spawn(build::run(world, id, build, definition));
    Ok(StatusCode::ACCEPTED)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusQuery {
    #[serde(default)]
    logs_offset: usize,
    limit: Option<usize>,
}

/// `GET /templates/{id}/builds/{build}/status`.
pub async fn status(
    State(world): State<Arc<World>>,
    Path((id, build)): Path<(String, String)>,
    Query(query): Query<StatusQuery>,
) -> ApiResult<Json<Value>> {
    let id = known(&world, &id)?;
    let mut answer = None;
    world.templates.update(&id, &build, |template, at| {
        let build = &template.builds[at];
        let limit = query.limit.unwrap_or(ENTRIES).min(ENTRIES);
        let entries: Vec<_> = build
            .logs
            .iter()
            .skip(query.logs_offset)
            .take(limit)
            .collect();
        let lines: Vec<_> = entries
            .iter()
            .map(|e| format!("[{}] {}\n", e.timestamp, e.message))
            .collect();
        let mut body = json!({
            "templateID": template.id, "buildID": build.id, "status": build.status,
            "logs": lines, "logEntries": entries,
        });
        if let Some((message, step)) = &build.reason {
            let at_step: Vec<_> = build.logs.iter().filter(|e| e.step == *step).collect();
            body["reason"] = json!({"message": message, "logEntries": at_step});
            if let Some(step) = step {
                body["reason"]["step"] = step.clone().into();
            }
        }
        answer = Some(body);
    });
    answer
        .map(Json)
        .ok_or_else(|| ApiError::bad(format!("Build '{build}' not found")))
}

fn shown(template: &Template) -> Value {
    let build = template.builds.last();
    json!({
        "templateID": template.id,
        "buildID": build.map(|b| b.id.clone()).unwrap_or_default(),
        "cpuCount": template.cpu_count,
        "memoryMB": template.memory_mb,
        "public": false,
        "aliases": [template.name],
        "names": [template.name],
        "createdAt": template.created_at,
        "updatedAt": build.map_or(template.created_at, |b| b.created_at),
        "createdBy": null,
        "lastSpawnedAt": template.spawned.1,
        "spawnCount": template.spawned.0,
        "buildCount": template.builds.len(),
        "envdVersion": crate::envd::VERSION,
        "buildStatus": build.map_or(Status::Waiting, |b| b.status),
    })
}

pub async fn list(State(world): State<Arc<World>>) -> Json<Vec<Value>> {
    Json(world.templates.table().values().map(shown).collect())
}

pub async fn get(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> ApiResult<Json<Value>> {
    let id = known(&world, &id)?;
    let table = world.templates.table();
    let template = table.get(&id).ok_or_else(|| not_found(&id))?;
    let mut body = shown(template);
    let builds = template.builds.iter().map(|b| {
        json!({
            "buildID": b.id, "status": b.status, "createdAt": b.created_at, "updatedAt": b.created_at,
            "cpuCount": template.cpu_count, "memoryMB": template.memory_mb, "envdVersion": crate::envd::VERSION,
        })
    });
    body["builds"] = builds.collect();
    Ok(Json(body))
}

pub async fn remove(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let id = known(&world, &id)?;
    world.templates.table().remove(&id);
    world.templates.save(&world.templates_file());
    Ok(StatusCode::NO_CONTENT)
}

pub async fn alias(
    State(world): State<Arc<World>>,
    Path(alias): Path<String>,
) -> ApiResult<Json<Value>> {
    let id = known(&world, split(&alias).0)?;
    Ok(Json(json!({"templateID": id, "public": false})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tags {
    target: String,
    name: String,
    tags: Vec<String>,
}

/// `POST /templates/tags`.
pub async fn tag(State(world): State<Arc<World>>, Body(asked): Body<Tags>) -> ApiResult<Response> {
    if asked.tags.is_empty() {
        return Err(ApiError::bad("At least one tag is required"));
    }
    let (name, from) = split(&asked.target);
    let id = known(&world, name)?;
    let mut table = world.templates.table();
    let template = table.get_mut(&id).ok_or_else(|| not_found(&id))?;
    let build = template.tags.get(from).cloned().ok_or_else(|| {
        let message = format!("Template '{name}' with tag '{from}' not found");
        ApiError::new(StatusCode::NOT_FOUND, message)
    })?;
    for tag in &asked.tags {
        let tag = tag.rsplit(':').next().unwrap_or(tag);
        template.tags.insert(tag.to_owned(), build.clone());
    }
    let answer = json!({"tags": asked.tags, "buildID": build});
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `DELETE /templates/tags`.
pub async fn untag(
    State(world): State<Arc<World>>,
    Body(asked): Body<Tags>,
) -> ApiResult<StatusCode> {
    if asked.tags.iter().any(|t| t == DEFAULT_TAG) {
        return Err(ApiError::bad(format!(
            "Cannot delete the '{DEFAULT_TAG}' tag"
        )));
    }
    let id = known(&world, &asked.name)?;
    let mut table = world.templates.table();
    let template = table.get_mut(&id).ok_or_else(|| not_found(&id))?;
    template.tags.retain(|tag, _| !asked.tags.contains(tag));
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /templates/{id}/tags`.
pub async fn tags(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> ApiResult<Json<Vec<Value>>> {
    let id = known(&world, &id)?;
    let table = world.templates.table();
    let template = table.get(&id).ok_or_else(|| not_found(&id))?;
    let tags = template.tags.iter().map(
        |(tag, build)| json!({"tag": tag, "buildID": build, "createdAt": template.created_at}),
    );
    Ok(Json(tags.collect()))
}
