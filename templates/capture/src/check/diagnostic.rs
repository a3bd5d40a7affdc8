//! What the check finds, and what it says at its end.

use clap::ValueEnum;
use serde::Serialize;

use crate::pixels::Facts;

/// A step of the check, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Rules over the syntax tree.
    Lint,
    /// The type checker.
    Types,
    /// The bundler's own transform of every module.
    Bundle,
    /// The page comes up without an error.
    Load,
    /// Every frame can be shown, and frames are what they should be.
    Frames,
    /// Text is where it can be read.
    Layout,
}

/// All gates, in order.
pub const GATES: [Gate; 6] = [
    Gate::Lint,
    Gate::Types,
    Gate::Bundle,
    Gate::Load,
    Gate::Frames,
    Gate::Layout,
];

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The composition must not be shown as done.
    Error,
    /// It could be better.
    Warning,
}

/// A place in the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Path below the workspace.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
}

impl Place {
    /// A line of a file.
    pub fn new(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self {
            file: Some(file.into()),
            line: Some(line),
            column: Some(column),
        }
    }

    /// A file as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self {
            file: Some(file.into()),
            line: None,
            column: None,
        }
    }
}

/// A finding.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnostic {
    /// Which gate found it.
    pub gate: Gate,
    /// Which rule, such as `wall_clock` or `TS2322`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is, as far as is known.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// The frame at which it shows.
    pub frame: Option<u32>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error of no known place.
    pub fn error(gate: Gate, code: impl Into<String>, message: impl Into<String>) -> Self {
        let severity = Severity::Error;
        Self {
            gate,
            code: code.into(),
            severity,
            place: Place::default(),
            message: message.into(),
            frame: None,
            hint: None,
        }
    }

    /// A warning of no known place.
    pub fn warning(gate: Gate, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(gate, code, message)
        }
    }

    /// The same, at a place.
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The same, at a frame.
    pub fn frame(mut self, frame: u32) -> Self {
        self.frame = Some(frame);
        self
    }

    /// The same, with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How a gate went.
#[derive(Debug, Clone, Serialize)]
pub struct Passed {
    /// Which.
    pub gate: Gate,
    /// True where it found no error.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
}

/// A shot frame.
#[derive(Debug, Clone, Serialize)]
pub struct FrameFacts {
    /// Its number.
    pub frame: u32,
    /// What it looks like in numbers.
    #[serde(flatten)]
    pub facts: Facts,
}

/// The result of a check.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// True where nothing is an error.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
    /// The gates that ran.
    pub gates: Vec<Passed>,
    /// What they found, errors first.
    pub diagnostics: Vec<Diagnostic>,
    /// The frames that were shot.
    pub frames: Vec<FrameFacts>,
    /// The contact sheet, below the workspace.
    pub sheet: Option<String>,
    /// Words that could be read in these frames, each piece of text once, in the order in which they appeared.
    pub texts: Vec<String>,
}
