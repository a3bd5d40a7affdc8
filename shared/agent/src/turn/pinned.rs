//! What a model is told on every call, whatever the conversation has become: rules and facts.

use super::conversation::Talk;
use crate::Studio;
use koda_domain::{Engine, SessionState, event::TurnInput, store::SessionHead};
use serde_json::{Value, json};

const ORCHESTRATOR: &str = include_str!("../prompts/orchestrator.md");
const REMOTION: &str = include_str!("../prompts/remotion.md");
const THEATRE: &str = include_str!("../prompts/theatre.md");
/// Font families that the templates carry.
pub(crate) const FONTS: &str = include_str!("../prompts/fonts.txt");

/// Instructions that are the same for every session of an engine, so that a provider's prompt cache holds them.
pub(crate) fn system(engine: Option<Engine>) -> Vec<String> {
    let mut parts = vec![ORCHESTRATOR.to_owned()];
    match engine {
        Some(Engine::Remotion) => parts.push(REMOTION.to_owned()),
        Some(Engine::Theatre) => parts.push(THEATRE.to_owned()),
        None => {}
    }
    parts
}

/// Which part of the work a turn is in.
pub(crate) fn stage(state: &SessionState) -> &'static str {
    let input = state.turn.as_ref().map(|t| &t.input);
    let undecided = state.proposal.as_ref().is_some_and(|p| p.open);
    match (input, &state.approved) {
        (Some(TurnInput::Plan { .. }), Some(_)) => "build",
        (_, Some(_)) if !undecided => "edit",
        _ => "plan",
    }
}

/// Facts of this session, read from the store.
pub(super) async fn facts(studio: &Studio, head: &SessionHead, talk: &Talk) -> Value {
    let state = &head.state;
    let mut assets = Vec::new();
    for id in &state.assets {
        if let Ok(a) = studio.store().asset(&head.tenant, *id).await {
            assets.push(json!({
                "id": a.id, "filename": a.filename, "kind": a.kind, "path": a.path,
                "width": a.width, "height": a.height, "new": talk.attachments.contains(id),
            }));
        }
    }
    let files: Vec<_> = state
        .files
        .0
        .iter()
        .map(|(p, f)| json!({"path": p, "size": f.size}))
        .collect();
    let diagnostics = state
        .check
        .as_ref()
        .filter(|c| c.digest == state.digest())
        .map(|c| &c.diagnostics);
    json!({
        "phase": stage(state),
        "settings": state.settings,
        "engine": state.engine(),
        "plan": state.approved,
        "proposal": state.proposal.as_ref().filter(|p| p.open).map(|p| &p.plan),
        "manifest": state.manifest(),
        "assets": assets,
        "files": files,
        "diagnostics": diagnostics,
        "versions": state.versions.iter().map(|v| json!({"number": v.number, "summary": v.summary})).collect::<Vec<_>>(),
        "fonts": FONTS.lines().collect::<Vec<_>>(),
        "user_messages": talk.said,
        "request": talk.request,
    })
}
