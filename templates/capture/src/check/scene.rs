//! What a 3D scene costs to draw, where that is much: it is drawn without a graphics processor.

use serde::Deserialize;
use serde_json::Value;

use super::diagnostic::{Diagnostic, Gate};

/// A frame that takes longer than this to draw at the check's small size is heavy, in milliseconds.
const HEAVY: f64 = 120.0;
/// Shadows of more than this share of it are worth a look.
const MUCH: f64 = 0.2;
/// A map of more pixels a side than this costs more than it shows.
const LARGE_MAP: u32 = 1024;

#[derive(Debug, Deserialize)]
struct Cost {
    milliseconds: f64,
    shadows: Shadows,
    triangles: u64,
    calls: u64,
    unseen: u64,
}

#[derive(Debug, Deserialize)]
struct Shadows {
    milliseconds: f64,
    maps: Vec<u32>,
}

/// A warning with what the time goes into, where a frame takes long.
pub fn heavy(cost: &Value) -> Option<Diagnostic> {
    let cost = Cost::deserialize(cost).ok()?;
    // What is heavy depends on what draws it.
    let told = std::env::var("KODA_HEAVY_FRAME").ok();
    let heavy = told.and_then(|limit| limit.parse().ok()).unwrap_or(HEAVY);
    if cost.milliseconds < heavy {
        return None;
    }
    let share = cost.shadows.milliseconds / cost.milliseconds;
    let maps: Vec<String> = cost
        .shadows
        .maps
        .iter()
        .map(|side| format!("{side}²"))
        .collect();
    let mut message = format!(
        "a frame of this scene takes {:.0} ms to draw at a small size, without a graphics processor: {} triangles in {} draw calls",
        cost.milliseconds, cost.triangles, cost.calls
    );
    if !maps.is_empty() {
        message += &format!(
            "; {:.0} % of it are shadows, drawn into {} maps of {} pixels",
            share * 100.0,
            maps.len(),
            maps.join(", ")
        );
    }
    if cost.unseen > 0 {
        message += &match cost.unseen {
            1 => "; 1 mesh is drawn although it lies outside of the picture".to_owned(),
            many => format!("; {many} meshes are drawn although they lie outside of the picture"),
        };
    }
    let mut hints = Vec::new();
    if share > MUCH && cost.shadows.maps.len() > 1 {
        hints.push("let one light cast shadows, and no point light, which casts six");
    } else if share > MUCH {
        hints.push("let only what is seen to cast a shadow have castShadow");
    }
    if cost.shadows.maps.iter().any(|&side| side > LARGE_MAP) {
        hints.push("use shadow-mapSize={[1024, 1024]}");
    }
    if cost.unseen > 0 {
        hints.push("leave frustumCulled on");
    }
    hints.push(
        "fewer segments and fewer meshes draw faster, and instances (InstancedMesh) share one call",
    );
    Some(Diagnostic::warning(Gate::Frames, "heavy_scene", message).hint(hints.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_heavy_scene_is_told_with_what_its_time_goes_into() {
        let cost = |milliseconds: f64, shadows: f64, maps: &[u32], unseen: u64| {
            json!({ "milliseconds": milliseconds, "shadows": { "milliseconds": shadows, "maps": maps },
                    "triangles": 120_000, "calls": 340, "unseen": unseen })
        };
        assert!(heavy(&cost(40.0, 30.0, &[4096], 9)).is_none());
        let found = heavy(&cost(400.0, 300.0, &[4096, 512], 2)).unwrap();
        assert!(
            found
                .message
                .contains("75 % of it are shadows, drawn into 2 maps of 4096², 512² pixels"),
            "{}",
            found.message
        );
        assert!(found.message.contains("2 meshes are drawn although"));
        let hint = found.hint.unwrap();
        assert!(
            hint.contains("one light")
                && hint.contains("[1024, 1024]")
                && hint.contains("frustumCulled"),
            "{hint}"
        );
        let found = heavy(&cost(400.0, 0.0, &[], 0)).unwrap();
        assert!(
            !found.message.contains("shadows") && found.hint.unwrap().starts_with("fewer segments")
        );
    }
}
