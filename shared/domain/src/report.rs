//! What a check found, as `koda-capture check` prints it (see `templates/README.md`, section 3).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckReport {
    /// Whether no diagnostic is an error.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
    /// In the order in which they ran.
    pub gates: Vec<GateResult>,
    /// First error first.
    pub diagnostics: Vec<Diagnostic>,
    /// Facts of the frames that were shot.
    #[serde(default)]
    pub frames: Vec<FrameFact>,
    /// Path of the contact sheet below `/app`.
    #[serde(default)]
    pub sheet: Option<String>,
    /// Words that could be read in these frames, each piece of text once.
    #[serde(default)]
    pub texts: Vec<String>,
}

impl CheckReport {
    /// The first error, if there is one.
    #[must_use]
    pub fn first_error(&self) -> Option<&Diagnostic> {
        self.diagnostics
            .iter()
            .find(|d| d.severity == Severity::Error)
    }
}

/// One gate's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GateResult {
    /// `lint`, `types`, `bundle`, `load`, `frames` or `layout`.
    pub gate: String,
    /// Whether it found no error.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The animation must not be shown as done.
    Error,
    /// Worth saying.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Diagnostic {
    /// The gate that found it.
    pub gate: String,
    /// A closed word for the kind of finding, or the compiler's code.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// Below `/app`.
    #[serde(default)]
    pub file: Option<String>,
    /// From 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// From 1.
    #[serde(default)]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// The frame at which it shows.
    #[serde(default)]
    pub frame: Option<u32>,
    /// What to do.
    #[serde(default)]
    pub hint: Option<String>,
}

/// What one shot frame looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrameFact {
    /// Frame number.
    pub frame: u32,
    /// Of its pixels.
    pub sha256: String,
    /// Mean luma, 0 to 1.
    pub luma_mean: f64,
    /// Standard deviation of luma, 0 to 1.
    pub luma_stddev: f64,
    /// Distinct colours, counted in a coarse grid.
    pub colors: u32,
}
