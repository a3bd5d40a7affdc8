//! What a conversation adds up to: the first request that says something, and every change to it.

use super::{
    apply, brief, build,
    design::Design,
    draft::{Draft, Tools},
    facts::Heard,
    ops,
    text::{Text, capitalised, patterns},
};

patterns! {
    FRESH = r"^(?:\W*(?:please|ok|okay|actually|no|now|hey|hi)\W+)*(?:(?:can|could)\s+you\s+)?(?:(?:make|create|design|generate|animate|build|produce|start|do|give\s+me|i\s+(?:want|need)|let's\s+(?:make|do))\s+(?:me\s+|us\s+)?(?:(?:a|an|another|some)\s+)(?:completely\s+|totally\s+)?(?:new\s+|different\s+|fresh\s+|\p{L}+\s+){0,4}(?:animation|video|intro|outro|opener|clip|reveal|chart|graph|title|typography|shot|turntable|ad|promo|teaser|trailer|particles|confetti)\b|start\s+(?:over|again|from\s+scratch)|new\s+(?:animation|idea|request|video)\b)";
}

/// How a conversation came to a draft.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub draft: Option<Draft>,
    /// What the newest message changed; empty where it began afresh.
    pub changes: Vec<String>,
    /// What of the newest message could not be done.
    pub refusals: Vec<String>,
    /// Whether the newest message says anything that was understood.
    pub understood: bool,
}

impl Conversation {
    /// Goes through all that was said: the first request that says something, then every change to it.
    pub fn follow(heard: &[Heard], tools: Tools<'_>) -> Self {
        let mut all = Self {
            draft: None,
            changes: Vec::new(),
            refusals: Vec::new(),
            understood: false,
        };
        let mut newest: Option<(Draft, &str)> = None;
        for one in heard {
            match one {
                Heard::Said(words) => {
                    newest = all.draft.clone().map(|draft| (draft, words.as_str()));
                    all.hear(words, tools);
                }
                Heard::Wrote(source) => all.show(source, tools),
                Heard::Read(source) => {
                    // What was said before the reading is meant of what was read.
                    let Some((before, words)) = newest
                        .clone()
                        .filter(|(_, w)| !begins_afresh(&Text::read(w)))
                    else {
                        continue;
                    };
                    all.draft = Some(before);
                    all.show(source, tools);
                    all.hear(words, tools);
                }
            }
        }
        all
    }

    fn show(&mut self, source: &str, tools: Tools<'_>) {
        if let (Some(draft), Ok(design)) = (&mut self.draft, Design::read(source)) {
            draft.design = design;
            if let Some(recipe) = build::recipe_named_in(source, tools) {
                draft.recipe.clone_from(&recipe.name);
            }
        }
    }

    fn hear(&mut self, said: &str, tools: Tools<'_>) {
        self.changes.clear();
        self.refusals.clear();
        self.understood = false;
        let said = &brief::without_questions(said);
        let text = Text::read(said);
        if text.is_blank()
            || ops::is_question(&text)
            || ops::is_consent(&text)
            || ops::undo(&text).is_some()
        {
            return;
        }
        let Some(draft) = self.draft.as_mut().filter(|_| !begins_afresh(&text)) else {
            self.draft = Draft::begin(said, tools);
            self.understood = self.draft.is_some();
            return;
        };
        let wishes = ops::read(said, draft, tools);
        for op in &wishes {
            match apply::apply(op, draft, tools) {
                Ok(change) => self.changes.push(change),
                Err(why) => self.refusals.push(why),
            }
        }
        self.understood = !wishes.is_empty();
    }
}

/// Whether a message asks for a new animation rather than for a change.
pub(crate) fn begins_afresh(text: &Text) -> bool {
    FRESH.is_match(&text.plain)
}

/// Sentences about what changed, as one.
pub(crate) fn sentence(changes: &[String]) -> String {
    match changes {
        [] => String::new(),
        [one] => format!("{}.", capitalised(one)),
        [first @ .., last] => format!("{} and {last}.", capitalised(&first.join(", "))),
    }
}
