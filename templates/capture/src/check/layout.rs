//! Gate `layout`: warnings about text that cannot be read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::diagnostic::{Diagnostic, Gate};
use super::locate::Locator;
use crate::manifest::Manifest;

/// Text below this contrast is hard to read at any size (WCAG AA for large text).
const LEAST_CONTRAST: f64 = 3.0;
/// What is fainter than this is on its way in or out.
const SEEN: f64 = 0.5;
/// Text smaller than this share of the layout's short side cannot be read in a video.
const LEAST_SIZE: f64 = 0.014;
/// Most findings.
const MOST: usize = 10;
/// Most pieces of text that are told, and how long each may be, in characters.
const MOST_TEXTS: usize = 100;
const LONGEST_TEXT: usize = 200;

#[derive(Debug, Deserialize)]
struct Measurement {
    texts: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    text: String,
    width: f64,
    #[serde(default)]
    clipped: bool,
    #[serde(default)]
    out_of_frame: bool,
    opacity: f64,
    font_size: f64,
    contrast: Option<f64>,
}

/// What is wrong with texts at the sampled frames. A text that moves is out of frame for a moment; only what is so at two
/// samples one after the other is told.
pub fn run(
    measures: &[(u32, Value)],
    manifest: &Manifest,
    locator: &Locator<'_>,
) -> Vec<Diagnostic> {
    // By what is wrong and the text: first frame, last sample at which it was so, and whether it was held.
    let mut held: BTreeMap<(&'static str, String), Held> = BTreeMap::new();
    for (sample, (frame, value)) in measures.iter().enumerate() {
        let Ok(measurement) = Measurement::deserialize(value) else {
            continue;
        };
        for text in measurement
            .texts
            .iter()
            .filter(|text| text.opacity >= SEEN && !text.text.trim().is_empty())
        {
            for (code, message) in problems(text, manifest) {
                let entry = held
                    .entry((code, text.text.trim().to_owned()))
                    .or_insert_with(|| Held::new(*frame, sample, message));
                entry.twice |= entry.last + 1 == sample;
                entry.last = sample;
            }
        }
    }
    let alone = measures.len() < 2;
    held.into_iter()
        .filter(|(_, held)| held.twice || alone)
        .take(MOST)
        .map(|((code, text), held)| {
            Diagnostic::warning(Gate::Layout, code, held.message)
                .frame(held.frame)
                .at(locator.text(&text))
        })
        .collect()
}

/// Texts that could be read at any of the samples.
pub fn readable(measures: &[(u32, Value)]) -> Vec<String> {
    let mut read: Vec<String> = Vec::new();
    for (_, value) in measures {
        let Ok(measurement) = Measurement::deserialize(value) else {
            continue;
        };
        for text in measurement.texts {
            let words: String = text.text.trim().chars().take(LONGEST_TEXT).collect();
            if text.opacity >= SEEN && !words.is_empty() && !read.contains(&words) {
                read.push(words);
            }
        }
        if read.len() >= MOST_TEXTS {
            break;
        }
    }
    read
}

struct Held {
    frame: u32,
    last: usize,
    twice: bool,
    message: String,
}

impl Held {
    fn new(frame: u32, sample: usize, message: String) -> Self {
        Self {
            frame,
            last: sample,
            twice: false,
            message,
        }
    }
}

fn problems(text: &Text, manifest: &Manifest) -> Vec<(&'static str, String)> {
    let shown: String = text.text.trim().chars().take(60).collect();
    let mut problems = Vec::new();
    if text.width > f64::from(manifest.width) + 1.0 {
        let message = format!(
            "“{shown}” is {:.0} px wide, wider than the frame's {} px",
            text.width, manifest.width
        );
        problems.push(("text_overflow", message));
    } else if text.out_of_frame {
        problems.push((
            "out_of_frame",
            format!("“{shown}” is partly outside the frame"),
        ));
    }
    if text.clipped {
        problems.push((
            "text_clipped",
            format!("“{shown}” is cut off by the box that holds it"),
        ));
    }
    if let Some(contrast) = text.contrast.filter(|contrast| *contrast < LEAST_CONTRAST) {
        problems.push(("low_contrast", format!("“{shown}” has a contrast of {contrast:.1} to its ground; {LEAST_CONTRAST:.0} is the least")));
    }
    let short = f64::from(manifest.width.min(manifest.height));
    if text.font_size > 0.0 && text.font_size < short * LEAST_SIZE {
        let message = format!(
            "“{shown}” is {:.0} px high, too small to read; {:.0} px is the least",
            text.font_size,
            short * LEAST_SIZE
        );
        problems.push(("text_too_small", message));
    }
    problems
}
