//! What a model is told on every call, whatever the conversation has become: rules and facts.

use super::conversation::Talk;
use koda_domain::{
    Engine, SessionState,
    asset::{Asset, AssetRole},
    event::TurnInput,
    store::SessionHead,
};
use serde_json::{Value, json};

const ORCHESTRATOR: &str = include_str!("../prompts/orchestrator.md");
const REMOTION: &str = include_str!("../prompts/remotion.md");
const THEATRE: &str = include_str!("../prompts/theatre.md");
/// What can be used and how, as the template says it; its examples are compiled and run with the template's tests.
const REMOTION_API: &str = include_str!("../../../../templates/remotion/API.md");
const THEATRE_API: &str = include_str!("../../../../templates/theatre/API.md");
const FONTS_2D: &str = include_str!("../prompts/fonts.txt");
const FONTS_3D: &str = include_str!("../prompts/fonts_3d.txt");

/// Font families that an engine's template carries; all of them where none is chosen yet.
pub(crate) fn fonts(engine: Option<Engine>) -> Vec<&'static str> {
    let list = if engine == Some(Engine::Theatre) {
        FONTS_3D
    } else {
        FONTS_2D
    };
    list.lines().collect()
}

/// Instructions that are the same for every session of an engine, so that a provider's prompt cache holds them.
pub(crate) fn system(engine: Option<Engine>) -> Vec<String> {
    let mut parts = vec![ORCHESTRATOR.to_owned()];
    match engine {
        Some(Engine::Remotion) => parts.extend([REMOTION, REMOTION_API].map(str::to_owned)),
        Some(Engine::Theatre) => parts.extend([THEATRE, THEATRE_API].map(str::to_owned)),
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

/// Facts of this session: its state, and the assets that were given.
pub(crate) fn facts(head: &SessionHead, given: &[Asset], talk: &Talk) -> Value {
    let state = &head.state;
    let assets: Vec<_> = given
        .iter()
        .map(|a| {
            // A reference is no file of the workspace.
            let path = (a.role != Some(AssetRole::Reference)).then_some(&a.path);
            json!({
                "id": a.id, "filename": a.filename, "kind": a.kind, "role": a.role, "path": path, "media_type": a.media_type,
                "bytes": a.size, "width": a.width, "height": a.height, "seconds": a.seconds,
                "new": talk.attachments.contains(&a.id),
            })
        })
        .collect();
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
        "fonts": fonts(state.engine()),
        "user_messages": talk.said(),
        "request": talk.request,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_models_are_told_of_an_engine_is_what_its_workspace_says() {
        for engine in [Engine::Remotion, Engine::Theatre] {
            let files = crate::scaffold(engine);
            let guide = files.iter().find(|(path, _)| path == "API.md").unwrap();
            let guide = String::from_utf8_lossy(&guide.1);
            assert!(system(Some(engine)).iter().any(|part| *part == guide));
        }
    }

    #[test]
    fn the_fonts_told_to_models_are_those_of_the_templates() {
        for engine in [Engine::Remotion, Engine::Theatre] {
            let files = crate::scaffold(engine);
            let families = files
                .iter()
                .find(|(path, _)| path == "src/koda/families.ts")
                .unwrap();
            let text = String::from_utf8_lossy(&families.1);
            let named: Vec<_> = text
                .split("name: \"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            assert_eq!(fonts(Some(engine)), named);
        }
    }
}
