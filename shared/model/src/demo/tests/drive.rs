//! Whole conversations: planned, approved, built and changed.

use super::{model, studio::Studio};
use crate::demo::design::Design;
use koda_domain::{format::Engine, message::Content};

fn names(studio: &Studio) -> Vec<&str> {
    studio.calls.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn a_conversation_goes_from_a_sentence_to_a_changed_animation() {
    let mut studio = Studio::new();
    studio.say("Kinetic typography: 'Move fast', 6 seconds, in teal");
    assert_eq!(names(&studio), ["propose_plan"]);
    assert!(studio.told.contains("not an AI"), "{}", studio.told);
    studio.approve();
    assert!(
        names(&studio).starts_with(&["update_todos", "write_file"])
            && names(&studio).ends_with(&["check", "update_todos", "finish"]),
        "{:?}",
        names(&studio)
    );
    let recipe = studio.model.recipes.get("kinetic-typography").unwrap();
    assert!(
        recipe.files.keys().eq(studio.files.keys()),
        "exactly the recipe's files are written"
    );
    for (path, text) in recipe.files.iter().filter(|(p, _)| *p != "src/design.ts") {
        assert_eq!(&studio.files[path], text);
    }
    studio.say("make it red and slower, portrait");
    assert_eq!(
        names(&studio),
        [
            "read_file",
            "write_file",
            "update_settings",
            "check",
            "finish"
        ]
    );
    assert!(
        studio.summary.as_ref().unwrap().contains("9 seconds"),
        "{:?}",
        studio.summary
    );
    studio.say("change the title to Move slowly");
    assert_eq!(studio.design().title, "Move slowly");
    assert_eq!(
        studio.design().colors.primary,
        "#e5323b",
        "earlier changes stay"
    );
    studio.say("undo");
    assert_eq!(
        (names(&studio), studio.design().title.as_str()),
        (vec!["restore_version", "finish"], "Move fast")
    );
    studio.say("go back to version 1");
    assert_eq!(studio.design().colors.primary, "#0f9b96");
    let mut ids: Vec<_> = studio
        .messages
        .iter()
        .flat_map(|m| &m.content)
        .filter_map(|c| match c {
            Content::ToolCall(call) => Some(&call.id),
            _ => None,
        })
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "call ids are unique within the session");
}

#[test]
fn every_recipe_is_filled_in_as_strict_json() {
    let model = model();
    for name in model.recipes() {
        let mut studio = Studio::built(&format!(
            "use the {name} recipe, titled 'Quote \\ back \" slash' in dark green"
        ));
        let source = studio.files["src/design.ts"].clone();
        assert!(
            source.contains(&format!("// Recipe: {name}\n")),
            "{name}: {source}"
        );
        let design = studio.design();
        assert_eq!(Design::read(&design.write_into(&source)).unwrap(), design);
        studio.say("background white");
        assert_eq!(studio.design().colors.background, "#ffffff");
        let (before, after) = (
            source.lines().next(),
            studio.files["src/design.ts"]
                .lines()
                .next()
                .map(str::to_owned),
        );
        assert_eq!(
            before.map(str::to_owned),
            after,
            "what stands around the design stays"
        );
    }
}

#[test]
fn a_plan_is_revised_in_words_before_it_is_approved() {
    let mut studio = Studio::new();
    studio.say("Title 'Hello', 10 seconds, red");
    studio.say("make it shorter and use blue instead");
    let plan = studio.proposal.clone().unwrap();
    assert_eq!(plan.design.colors.primary.as_deref(), Some("#2f6bff"));
    assert!(
        (plan.duration_seconds() - 6.7).abs() < 0.01,
        "{}",
        plan.duration_seconds()
    );
    studio.say("the title is Good evening, portrait");
    studio.say("use the particles recipe");
    let plan = studio.proposal.clone().unwrap();
    assert_eq!(
        (plan.title.as_str(), plan.assumptions[0].as_str()),
        ("Good evening", "Recipe: particles.")
    );
    assert_eq!(plan.settings.aspect.unwrap().to_string(), "9:16");
    studio.say("colourless green ideas sleep furiously over there");
    assert_eq!(
        studio.calls.iter().filter(|c| c.name == "ask_user").count(),
        0
    );
    studio.say("looks good!");
    assert!(
        studio.told.contains("Approve") && studio.calls.is_empty(),
        "{}",
        studio.told
    );
    studio.approve();
    assert_eq!(studio.design().title, "Good evening");
}

#[test]
fn an_edited_plan_is_built_as_edited() {
    let mut studio = Studio::new();
    studio.say("bar chart of sales: Q1 10, Q2 25");
    let mut plan = studio.proposal.clone().unwrap();
    plan.title = "Our year".into();
    plan.design.colors.primary = Some("#123456".into());
    plan.design.fonts.title = Some("Sora".into());
    studio.approve_as(plan);
    let design = studio.design();
    assert_eq!(
        (
            design.title.as_str(),
            design.colors.primary.as_str(),
            design.fonts.title.as_str()
        ),
        ("Our year", "#123456", "Sora")
    );
    assert_eq!(design.data.len(), 2);
}

#[test]
fn the_engine_of_the_settings_holds() {
    let mut studio = Studio::new();
    studio.settings.engine = Some(Engine::Theatre);
    studio.say("bar chart of sales: Q1 10, Q2 25, Q3 40");
    assert_eq!(studio.proposal.as_ref().unwrap().engine, Engine::Theatre);
    let mut studio = Studio::new();
    studio.settings.engine = Some(Engine::Remotion);
    studio.say("3D title saying KODA");
    assert_eq!(studio.proposal.as_ref().unwrap().engine, Engine::Remotion);
}

#[test]
fn settings_fill_what_the_request_leaves_open_and_the_request_wins() {
    let mut studio = Studio::new();
    studio.settings.colors.primary = Some("#ff0000".into());
    studio.settings.fonts.title = Some("Syne".into());
    studio.settings.duration_seconds = 12.0;
    studio.settings.duration_fixed = true;
    studio.settings.techniques = vec!["particles".into()];
    studio.say("Hello there");
    let plan = studio.proposal.clone().unwrap();
    assert_eq!(plan.assumptions[0], "Recipe: particles.");
    assert_eq!(plan.design.colors.primary.as_deref(), Some("#ff0000"));
    assert_eq!(plan.design.fonts.title.as_deref(), Some("Syne"));
    assert!((plan.duration_seconds() - 12.0).abs() < 1e-6 && plan.settings == Default::default());
    studio.say("make it green, 5 seconds");
    studio.approve();
    assert_eq!(studio.settings.colors.primary.as_deref(), Some("#22a055"));
    assert!((studio.settings.duration_seconds - 5.0).abs() < 1e-6);
}

#[test]
fn a_change_to_the_other_engine_is_a_new_plan_with_the_same_words() {
    let mut studio = Studio::built("Title 'Hello' with subtitle 'It begins' in teal");
    studio.say("subtitle: And so it goes on");
    studio.say("make it 3D");
    assert_eq!(names(&studio), ["read_file", "propose_plan"]);
    assert_eq!(studio.proposal.as_ref().unwrap().engine, Engine::Theatre);
    assert_eq!(
        studio.versions.len(),
        2,
        "nothing changes before the approval"
    );
    studio.approve();
    let design = studio.design();
    assert_eq!(
        (design.title.as_str(), design.subtitle.as_str()),
        ("Hello", "And so it goes on")
    );
    assert_eq!(design.colors.primary, "#0f9b96");
    assert!(studio.files["src/design.ts"].contains("Recipe: title-3d"));
}

#[test]
fn a_new_request_in_a_finished_session_is_a_new_plan() {
    let mut studio = Studio::built("Title 'Hello'");
    studio.say("Now make a bar chart of rain: Mon 4, Tue 9, Wed 2");
    assert_eq!(names(&studio), ["propose_plan"]);
    studio.approve();
    assert_eq!(studio.design().data.len(), 3);
    assert_eq!(studio.design().title, "Rain");
    assert!(!studio.files.contains_key("src/nothing.tsx"));
}

#[test]
fn another_recipe_of_the_engine_replaces_every_file_of_the_old_one() {
    let mut studio = Studio::built("kinetic typography 'Dream' 'Plan' 'Do' in teal");
    studio.say("turn it into a logo reveal");
    let recipe = studio.model.recipes.get("logo-reveal").unwrap();
    assert!(
        recipe.files.keys().eq(studio.files.keys()),
        "{:?}",
        studio.files.keys()
    );
    studio.say("background white");
    assert_eq!(studio.design().colors.background, "#ffffff");
    assert!(studio.files["src/design.ts"].contains("Recipe: logo-reveal"));
}

#[test]
fn what_nothing_matches_is_answered_and_changes_nothing() {
    let mut studio = Studio::built("Title 'Hello'");
    let files = studio.files.clone();
    for words in [
        "add a dancing elephant",
        "please add a purple elephant riding a bicycle",
        "why is it like that?",
        "thanks!",
        "what can you do?",
        "remove the subtitle",
        "use Comic Sans",
        "undo",
        "go back to version 9",
    ] {
        studio.say(words);
        assert_eq!(studio.files, files, "{words}");
        assert!(
            studio.told.to_lowercase().contains("nothing was changed")
                || studio.told.contains("Nothing was changed"),
            "{words}: {}",
            studio.told
        );
        assert_eq!(studio.versions.len(), 1, "{words}");
    }
}

#[test]
fn an_empty_request_is_asked_about_once_and_the_answer_is_planned() {
    let mut studio = Studio::new();
    studio.say("???");
    assert_eq!(names(&studio), ["ask_user"]);
    studio.say("What should it say? Good night\nWhat kind of animation? Particles");
    let plan = studio.proposal.clone().unwrap();
    assert_eq!(
        (plan.title.as_str(), plan.assumptions[0].as_str()),
        ("Good night", "Recipe: particles.")
    );
    let mut studio = Studio::new();
    studio.say("help");
    assert!(
        studio.calls.is_empty() && studio.told.contains("recipes"),
        "{}",
        studio.told
    );
}

#[test]
fn an_attached_picture_becomes_the_logo() {
    let mut studio = Studio::new();
    studio.attach("acme.png");
    studio.say("reveal this for Acme");
    assert_eq!(
        studio.proposal.as_ref().unwrap().assumptions[0],
        "Recipe: logo-reveal."
    );
    studio.approve();
    assert_eq!(
        studio.design().logo,
        None.or(Some("assets/acme.png".to_owned()))
    );
    studio.attach("new.png");
    studio.say("use this logo instead");
    assert_eq!(studio.design().logo.as_deref(), Some("assets/new.png"));
    studio.say("remove the logo");
    assert_eq!(studio.design().logo, None);
}

#[test]
fn of_several_pictures_the_one_that_is_said_to_be_the_logo_is_it() {
    let mut studio = Studio::new();
    studio.attach_as("acme.png", Some("logo"));
    studio.attach_as("dusk.png", Some("background"));
    studio.attach_as("cup.png", None);
    studio.say("reveal this for Acme");
    studio.approve();
    assert_eq!(studio.design().logo.as_deref(), Some("assets/acme.png"));
}
