//! Words, colours, fonts and numbers, changed by hand: no model is asked.

use crate::{Studio, StudioError, commit::Writer};
use koda_domain::{
    Engine, EventBody, SessionId, SettingsPatch, TenantId, WorkPath,
    design::{DESIGN_PATH, Design, DesignPatch},
    event::{Actor, TurnInput},
    settings::{Colors, Fonts},
    store::SessionHead,
    version::{FileEntry, Files},
};

/// How often an edit is made again that another one overtook.
const TRIES: usize = 5;

impl Studio {
    /// The design of the working files, or why it cannot be changed by hand.
    ///
    /// # Errors
    /// [`StudioError::Conflict`] with the reason; unknown session; or the store's.
    pub async fn design(
        &self,
        tenant: &TenantId,
        session: SessionId,
    ) -> Result<Design, StudioError> {
        let head = self.store().session(tenant, session).await?;
        refuse_unbuilt(&head)?;
        Ok(self.design_file(&head, &head.state.files).await?.0)
    }

    /// Changes words, colours, fonts and numbers of what was built. The change becomes a version, and is looked at. Colours and fonts
    /// that a person chose so are settings from now on, which the agent keeps to.
    ///
    /// # Errors
    /// [`StudioError::Conflict`] where nothing was built, the agent is at work, or the design cannot be read; values that break
    /// rules; unknown session; or the store's.
    pub async fn edit_design(
        &self,
        tenant: &TenantId,
        session: SessionId,
        patch: &DesignPatch,
    ) -> Result<SessionHead, StudioError> {
        for _ in 0..TRIES {
            let head = self.store().session(tenant, session).await?;
            refuse_unbuilt(&head)?;
            refuse_while_the_agent_works(&head)?;
            let (design, source) = self.design_file(&head, &head.state.files).await?;
            let path = WorkPath::parse(DESIGN_PATH).map_err(|_| StudioError::NotFound)?;
            let read = head.state.files.0.get(&path).cloned();
            let next = design.patched(patch).map_err(StudioError::Invalid)?;
            self.only_known_fonts(&head, patch)?;
            if next == design {
                return Ok(head);
            }
            let text = next.write_into(&source);
            let size = text.len() as u64;
            let blob = self.put_blob(tenant, text.into()).await?;
            let written = FileEntry { blob, size };
            let choice = SettingsPatch {
                colors: Some(over(&head.state.settings.colors, &patch.colors)),
                fonts: Some(over_fonts(&head.state.settings.fonts, &patch.fonts)),
                ..SettingsPatch::default()
            };
            let mut made = false;
            let head = self
                .commit::<StudioError>(session, Writer::default(), |head| {
                    refuse_while_the_agent_works(head)?;
                    if head.state.files.0.get(&path) != read.as_ref() {
                        return Ok(vec![]);
                    }
                    made = true;
                    let settings = head.state.settings.patched(&choice);
                    let settings = settings.map_err(StudioError::Invalid)?;
                    let mut events = Vec::new();
                    if settings != head.state.settings {
                        let by = Actor::Person;
                        events.push(EventBody::SettingsChanged { settings, by });
                    }
                    let entry = written.clone();
                    events.push(EventBody::DesignEdited { entry });
                    Ok(events)
                })
                .await?;
            if made {
                self.ring(session).await;
                return Ok(head);
            }
        }
        Err(StudioError::Conflict(
            "Others change the design at the same time; try again.".into(),
        ))
    }

    fn only_known_fonts(&self, head: &SessionHead, patch: &DesignPatch) -> Result<(), StudioError> {
        let known = Self::fonts(head.state.engine());
        let named = [
            ("fonts.title", &patch.fonts.title),
            ("fonts.body", &patch.fonts.body),
        ];
        for (field, font) in named {
            if font.as_deref().is_some_and(|font| !known.contains(&font)) {
                let message = format!("Choose one of {}.", known.join(", "));
                return Err(StudioError::field(field, &message));
            }
        }
        Ok(())
    }

    /// What differs in the design of two sets of files, in a line.
    pub(crate) async fn design_changes(
        &self,
        head: &SessionHead,
        before: &Files,
        after: &Files,
    ) -> Option<String> {
        let (before, _) = self.design_file(head, before).await.ok()?;
        let (after, _) = self.design_file(head, after).await.ok()?;
        after.changes_since(&before)
    }

    /// The design of these files, which is the template's where they have none, and its source.
    async fn design_file(
        &self,
        head: &SessionHead,
        files: &Files,
    ) -> Result<(Design, String), StudioError> {
        let unreadable = |why: &str| {
            StudioError::Conflict(format!(
                "The words and colours of this animation cannot be changed by hand: {why}. Ask the agent to put them into \
                 {DESIGN_PATH}."
            ))
        };
        let path = WorkPath::parse(DESIGN_PATH).map_err(|_| StudioError::NotFound)?;
        let bytes = match files.0.get(&path) {
            Some(entry) => self.read_blob(&head.tenant, &entry.blob).await?.to_vec(),
            None => {
                let engine = head.state.engine().unwrap_or(Engine::Remotion);
                let mut own = crate::scaffold(engine).into_iter();
                let own = own.find(|(path, _)| path == DESIGN_PATH);
                own.map(|(_, bytes)| bytes.into_owned()).unwrap_or_default()
            }
        };
        let source = String::from_utf8(bytes).unwrap_or_default();
        let design = Design::read(&source).map_err(|error| unreadable(&error.to_string()))?;
        Ok((design, source))
    }
}

fn refuse_unbuilt(head: &SessionHead) -> Result<(), StudioError> {
    if head.state.versions.is_empty() {
        return Err(StudioError::Conflict(
            "There is nothing to change by hand yet; approve a plan first.".into(),
        ));
    }
    Ok(())
}

fn refuse_while_the_agent_works(head: &SessionHead) -> Result<(), StudioError> {
    let turn = head.state.turn.as_ref();
    if turn.is_some_and(|turn| turn.input != TurnInput::Settings {}) {
        return Err(StudioError::Conflict(
            "The agent is at work; stop it or wait, then change it by hand.".into(),
        ));
    }
    Ok(())
}

fn over(colors: &Colors, patch: &Colors) -> Colors {
    let pick = |new: &Option<String>, old: &Option<String>| new.clone().or(old.clone());
    Colors {
        background: pick(&patch.background, &colors.background),
        primary: pick(&patch.primary, &colors.primary),
        accent: pick(&patch.accent, &colors.accent),
        text: pick(&patch.text, &colors.text),
    }
}

fn over_fonts(fonts: &Fonts, patch: &Fonts) -> Fonts {
    Fonts {
        title: patch.title.clone().or(fonts.title.clone()),
        body: patch.body.clone().or(fonts.body.clone()),
    }
}
