//! Edits as models really make them, and the code generator.

use crate::room::*;
use koda_domain::{
    EventBody, WorkPath,
    event::TurnOutcome,
    message::{Content, ToolOutput},
    model::{ModelError, ModelRequest, Role},
};
use koda_testkit::{ScriptedModel, answer, call};
use serde_json::json;
use std::sync::atomic::{AtomicU32, Ordering};

const FILE: &str = "import { design } from \"./design\";\n\nexport const Title = () => {\n  const size = 90;\n  return <h1 style={{ fontSize: size }}>{design.title}</h1>;\n};\n\nexport default Title;\n";

/// What the last tool said.
fn told(request: &ModelRequest) -> String {
    let mut pieces = request.messages.last().unwrap().content.iter().rev();
    let output = pieces.find_map(|piece| match piece {
        Content::ToolResult { output, .. } => Some(output),
        _ => None,
    });
    match output.and_then(|o| o.first()) {
        Some(ToolOutput::Text { text }) => text.clone(),
        _ => String::new(),
    }
}

async fn content(bench: &Bench, path: &str) -> String {
    let path = WorkPath::parse(path).unwrap();
    let blob = bench.state().await.files.0[&path].blob.clone();
    let bytes = bench.studio.read_blob(&bench.tenant, &blob).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_an_edit_that_misses_is_shown_the_closest_region_and_no_code_is_lost_on_the_way() {
    let mut setup = setup();
    setup.model = ScriptedModel::new(|request| {
        let path = "src/Composition.tsx";
        if request.pinned["phase"] != "edit" {
            let mut done = obedient(request)?;
            for piece in &mut done.content {
                if let Content::ToolCall(call) = piece
                    && call.name == "write_file"
                {
                    call.input["content"] = FILE.into();
                }
            }
            return Ok(done);
        }
        let edit = |old: &str, new: &str| {
            call(
                &unique("edit"),
                "edit_file",
                json!({"path": path, "old": old, "new": new}),
            )
        };
        let write = |content: &str| {
            call(
                &unique("write"),
                "write_file",
                json!({"path": path, "content": content}),
            )
        };
        let said = told(request);
        Ok(answer(vec![if results(request) == 0 {
            edit(
                "  const size = 80;\n  return",
                "  const size = 120;\n  return",
            )
        } else if said.contains("Closest to it are the lines 4 to 5") {
            write("export const Title = () => null;\n// ... rest of the file unchanged\n")
        } else if said.contains("stands for code that is left out") {
            write("export const Title = () => null;\n")
        } else if said.contains("would no longer export default") {
            edit("const size = 90;  ", "const size = 120;")
        } else {
            assert!(said.starts_with("Edited"), "{said}");
            call(&unique("finish"), "finish", json!({"summary": "Larger"}))
        }]))
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    bench.built().await;
    bench.say("larger").await;
    let state = bench.idle().await;
    assert!(matches!(state.outcome, Some(TurnOutcome::Ready { .. })));
    assert_eq!(
        content(&bench, "src/Composition.tsx").await,
        FILE.replace("90", "120")
    );
    assert_eq!(state.versions.len(), 2);
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_generator_is_asked_again_where_it_breaks_off_and_what_it_used_is_counted() {
    let mut setup = setup();
    let asked = AtomicU32::new(0);
    setup.model = ScriptedModel::new(move |request| {
        if request.role == Role::CodeGenerator {
            return match asked.fetch_add(1, Ordering::SeqCst) {
                0 => Err(ModelError::Unavailable("reset".into())),
                _ => Ok(answer(vec![call(
                    &unique("write"),
                    "write_file",
                    json!({"path": "src/Composition.tsx", "content": FILE}),
                )])),
            };
        }
        match (request.pinned["phase"].as_str(), results(request)) {
            (Some("build"), 0) => Ok(answer(vec![call(
                &unique("generate"),
                "generate_code",
                json!({"instructions": "Make the title."}),
            )])),
            _ => obedient(request),
        }
    });
    let bench = bench(setup).await;
    let _work = bench.work();
    let state = bench.built().await;
    assert_eq!(content(&bench, "src/Composition.tsx").await, FILE);
    // A plan, a call of the tool, its own call, and the end: ten tokens each.
    assert_eq!(state.usage.input_tokens, 40);
    let build = state.turns.last().unwrap();
    assert_eq!(build.usage.input_tokens, 30);
    let log = bench.log().await;
    let used = count(&log, |e| matches!(e, EventBody::GeneratorFinished { .. }));
    assert_eq!(used, 1);
    bench.assert_whole().await;
}
