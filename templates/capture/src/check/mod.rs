//! `check`: gates in order, cheapest first, each running only where those before found no error.

mod bundle;
mod design;
mod diagnostic;
mod frames;
mod layout;
mod lint;
mod load;
mod locate;
mod needs;
mod policy;
mod scene;
pub(crate) mod sources;
mod types;
mod unfit;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

pub use diagnostic::{Diagnostic, FrameFacts, GATES, Gate, Passed, Place, Report, Severity};
pub use needs::remotions_renderer;

use crate::browser::Browser;
use crate::error::Result;
use crate::manifest::{Engine, Manifest};
use crate::output::{line, round};
use crate::page::{Options, Page};
use crate::server::Server;
use crate::still::write_sheet;
use locate::Locator;

/// How long copies of videos that browsers cannot play may take.
const MEDIA_WITHIN: Duration = Duration::from_secs(60);
/// Short side of the pictures that are looked at, in pixels.
const SHORT_SIDE: u32 = 540;
/// Where the contact sheet goes, below the workspace.
const SHEET: &str = ".koda/check/sheet.png";

/// Checks a workspace and says what was found on stdout. `only` names the gates to run; none means all.
///
/// # Errors
/// Any code of the list, where the check itself could not be done.
pub async fn run(app: &Path, frames: u32, only: &[Gate]) -> Result<()> {
    with(app, |_| frames::Effort::full(frames), only).await
}

/// Checks a workspace of which only values changed since it passed: the design, or the pace. Nothing is compiled anew, and the film
/// is looked at here and there.
///
/// # Errors
/// As [`run`].
pub async fn values(app: &Path) -> Result<()> {
    let gates = [Gate::Lint, Gate::Load, Gate::Frames, Gate::Layout];
    with(app, frames::Effort::quick, &gates).await
}

async fn with(app: &Path, effort: impl Fn(Engine) -> frames::Effort, only: &[Gate]) -> Result<()> {
    let mut check = Check {
        began: Instant::now(),
        only: only.to_vec(),
        report: Report::new(),
    };
    let manifest = Manifest::read(app)?;
    check.gates(app, &manifest, effort(manifest.engine)).await?;
    let mut report = check.report;
    report.ok = report
        .diagnostics
        .iter()
        .all(|diagnostic| diagnostic.severity != Severity::Error);
    report
        .diagnostics
        .sort_by_key(|diagnostic| diagnostic.severity == Severity::Warning);
    report.seconds = round(check.began.elapsed().as_secs_f64(), 2);
    line("check", &report);
    Ok(())
}

struct Check {
    began: Instant,
    only: Vec<Gate>,
    report: Report,
}

impl Report {
    fn new() -> Self {
        Self {
            ok: true,
            seconds: 0.0,
            gates: Vec::new(),
            diagnostics: Vec::new(),
            frames: Vec::new(),
            sheet: None,
            texts: Vec::new(),
        }
    }
}

impl Check {
    fn wants(&self, gate: Gate) -> bool {
        self.only.is_empty() || self.only.contains(&gate)
    }

    /// Says that a gate begins.
    fn begin(gate: Gate) -> Instant {
        line("progress", &json!({ "stage": gate }));
        Instant::now()
    }

    /// Notes how a gate went. True where the next may run.
    fn end(&mut self, gate: Gate, began: Instant, found: Vec<Diagnostic>) -> bool {
        let ok = found
            .iter()
            .all(|diagnostic| diagnostic.severity != Severity::Error);
        self.report.diagnostics.extend(found);
        self.report.gates.push(Passed {
            gate,
            ok,
            seconds: round(began.elapsed().as_secs_f64(), 2),
        });
        ok
    }

    async fn gates(
        &mut self,
        app: &Path,
        manifest: &Manifest,
        effort: frames::Effort,
    ) -> Result<()> {
        if self.wants(Gate::Lint) {
            let began = Self::begin(Gate::Lint);
            if !self.end(Gate::Lint, began, lint::run(app)) {
                return Ok(());
            }
        }
        // The server and the browser come up while the types are checked.
        let later = [Gate::Bundle, Gate::Load, Gate::Frames, Gate::Layout]
            .into_iter()
            .any(|gate| self.wants(gate));
        let ready = async {
            if !later {
                return Ok(None);
            }
            let (server, browser) = tokio::try_join!(
                Server::find_or_start(app),
                Browser::for_engine(manifest.engine)
            )?;
            Ok::<_, crate::error::Failure>(Some((server, browser)))
        };
        let ready = if self.wants(Gate::Types) {
            let began = Self::begin(Gate::Types);
            let (found, ready) = tokio::join!(types::run(app), ready);
            if !self.end(Gate::Types, began, found) {
                return Ok(());
            }
            ready
        } else {
            ready.await
        };
        let Some((server, browser)) = ready? else {
            return Ok(());
        };
        if self.wants(Gate::Bundle) {
            let began = Self::begin(Gate::Bundle);
            let found = bundle::run(&server).await?;
            if !self.end(Gate::Bundle, began, found) {
                return Ok(());
            }
        }
        match self
            .in_browser(app, manifest, effort, &server, &browser)
            .await
        {
            Ok(()) => Ok(()),
            Err(failure) => Err(browser.explain(failure)),
        }
    }

    async fn in_browser(
        &mut self,
        app: &Path,
        manifest: &Manifest,
        effort: frames::Effort,
        server: &Server,
        browser: &Browser,
    ) -> Result<()> {
        if ![Gate::Load, Gate::Frames, Gate::Layout]
            .into_iter()
            .any(|gate| self.wants(gate))
        {
            return Ok(());
        }
        // What comes of one that takes longer is for the page to say.
        server.media_ready(app, MEDIA_WITHIN).await?;
        let mut locator = Locator::new(app, server);
        let base = server.base();
        let short = manifest.width.min(manifest.height).max(1);
        let scaled = |side: u32| (side * SHORT_SIDE / short).max(1);
        let options = Options {
            base: base.clone(),
            width: scaled(manifest.width),
            height: scaled(manifest.height),
            fps: manifest.fps,
            transparent: false,
            smooth: true,
            observe: true,
        };
        // Frames need a loaded page, so the page is loaded whichever of these gates is wanted.
        let began = Self::begin(Gate::Load);
        let mut page = Page::open(browser, options).await?;
        let (up, found) = load::run(&mut page, &base, &mut locator).await?;
        let passed = self.end(Gate::Load, began, found);
        if !up || !passed || !(self.wants(Gate::Frames) || self.wants(Gate::Layout)) {
            return Ok(());
        }
        let began = Self::begin(Gate::Frames);
        let mut shot = frames::run(&mut page, manifest, effort, &base, &mut locator).await?;
        if shot.simplified && remotions_renderer(app).is_none() {
            shot.found.push(unfit::hidden());
        }
        self.report.frames = shot.facts;
        self.report.texts = layout::readable(&shot.measures);
        if !shot.sheet.is_empty() {
            // What was found is worth more than its illustration.
            match write_sheet(&app.join(SHEET), &shot.sheet) {
                Ok(()) => self.report.sheet = Some(SHEET.to_owned()),
                Err(failure) => eprintln!("no contact sheet: {failure}"),
            }
        }
        if !self.end(Gate::Frames, began, shot.found) || !self.wants(Gate::Layout) {
            return Ok(());
        }
        let began = Self::begin(Gate::Layout);
        self.end(
            Gate::Layout,
            began,
            layout::run(&shot.measures, manifest, &locator),
        );
        Ok(())
    }
}
