//! Playing a composition at another pace than it was written in, by the page alone: slower and faster stretches, and a last
//! frame that is held. The composition never knows.

use crate::settings::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The slowest and the fastest pace of a stretch.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.25..=4.0;
/// The longest that the last frame is held, in seconds.
const LONGEST_HOLD: f64 = 30.0;
/// The most stretches.
const MOST_STRETCHES: usize = crate::plan::MAX_SCENES;

/// How fast an animation is played, stretch by stretch, and how long its last frame is held. By default as it was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// From the first frame to the last, such as one for each scene.
    pub stretches: Vec<Stretch>,
    /// How long the last frame is held, in seconds, 0 to 30.
    pub hold_seconds: f64,
}

/// A part of the animation that is played at a pace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Its length as written, in seconds. What counts is its share of all stretches: they cover the whole animation, however
    /// long that becomes.
    pub seconds: f64,
    /// 0.25 to 4; 1 is as written.
    pub speed: f64,
}

/// How the page finds the frame of the composition that belongs to a frame of the film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Playback {
    /// Frames per second that the composition is told: a multiple of the film's, so that slow stretches have a frame of their
    /// own for each of the film's.
    pub fps: u32,
    /// Length of the composition at that rate, in frames.
    pub duration_in_frames: u32,
    /// In order; the first begins at 0.
    pub pieces: Vec<Piece>,
}

/// From here on, until the next piece, frame `n` of the film shows frame `start + (n - from) * step` of the composition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Of the film.
    pub from: f64,
    /// Of the composition.
    pub start: f64,
    /// Frames of the composition for each of the film.
    pub step: f64,
}

impl Timing {
    /// Whether it is played as it was written.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        #[expect(clippy::float_cmp, reason = "1 is written as 1")]
        let even = self.stretches.iter().all(|it| it.speed == 1.0);
        even && self.hold_seconds <= 0.0
    }

    /// How long the film is where the composition lasts this long, in seconds.
    #[must_use]
    pub fn film_seconds(&self, seconds: f64) -> f64 {
        self.stretched(seconds) + self.hold_seconds
    }

    fn stretched(&self, seconds: f64) -> f64 {
        let whole: f64 = self.stretches.iter().map(|it| it.seconds).sum();
        if whole <= 0.0 {
            return seconds;
        }
        let played: f64 = self.stretches.iter().map(|it| it.seconds / it.speed).sum();
        seconds * played / whole
    }

    /// What the page is told; none where it is played as it was written.
    #[must_use]
    pub fn playback(&self, seconds: f64, fps: u32) -> Option<Playback> {
        if self.is_plain() {
            return None;
        }
        let slowest = self.stretches.iter().map(|it| it.speed).fold(1.0, f64::min);
        let finer = if slowest >= 1.0 {
            1
        } else if slowest >= 0.5 {
            2
        } else {
            4
        };
        let (film, inner) = (f64::from(fps), f64::from(fps * finer));
        let whole: f64 = self.stretches.iter().map(|it| it.seconds).sum();
        let (mut from, mut start) = (0.0, 0.0);
        let mut pieces = Vec::new();
        let as_written = [Stretch {
            seconds: 1.0,
            speed: 1.0,
        }];
        let (stretches, whole) = if whole > 0.0 {
            (self.stretches.as_slice(), whole)
        } else {
            (as_written.as_slice(), 1.0)
        };
        for stretch in stretches {
            let lasts = seconds * stretch.seconds / whole;
            pieces.push(Piece {
                from,
                start,
                step: stretch.speed * inner / film,
            });
            from += lasts / stretch.speed * film;
            start += lasts * inner;
        }
        if self.hold_seconds > 0.0 {
            pieces.push(Piece {
                from,
                start,
                step: 0.0,
            });
        }
        Some(Playback {
            fps: fps * finer,
            duration_in_frames: frames(seconds, fps * finer),
            pieces,
        })
    }

    /// Every field that breaks a rule, where the composition lasts this long.
    #[must_use]
    pub fn problems(&self, seconds: f64) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut bad = |field: &str, message: String| {
            errors.push(FieldError {
                field: format!("timing.{field}"),
                message,
            });
        };
        if self.stretches.len() > MOST_STRETCHES {
            bad("stretches", "There are at most 24 stretches.".into());
        }
        for (n, stretch) in self.stretches.iter().enumerate() {
            if !SPEEDS.contains(&stretch.speed) {
                bad(
                    &format!("stretches.{n}.speed"),
                    "A speed is 0.25 to 4.".into(),
                );
            }
            if !(0.001..=crate::settings::MAX_SECONDS).contains(&stretch.seconds) {
                bad(
                    &format!("stretches.{n}.seconds"),
                    "A stretch lasts up to 120 seconds.".into(),
                );
            }
        }
        if !(0.0..=LONGEST_HOLD).contains(&self.hold_seconds) {
            bad(
                "hold_seconds",
                "The last frame is held 0 to 30 seconds.".into(),
            );
        }
        if errors.is_empty() {
            let film = self.film_seconds(seconds);
            if film > crate::settings::MAX_SECONDS {
                errors.push(FieldError {
                    field: "timing".into(),
                    message: format!("The film would last {film:.1} seconds; 120 is the most."),
                });
            }
        }
        errors
    }
}

/// Frames in so many seconds; at least one.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "up to 120 s at up to 240 fps"
)]
pub fn frames(seconds: f64, fps: u32) -> u32 {
    ((seconds * f64::from(fps)).round() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(speeds: &[(f64, f64)], hold: f64) -> Timing {
        Timing {
            stretches: speeds
                .iter()
                .map(|&(seconds, speed)| Stretch { seconds, speed })
                .collect(),
            hold_seconds: hold,
        }
    }

    /// As `templates/*/src/koda/playback.ts` does it.
    fn shown(playback: &Playback, frame: u32) -> f64 {
        let n = f64::from(frame);
        let piece = playback.pieces.iter().rfind(|p| p.from <= n).unwrap();
        let at = (piece.start + (n - piece.from) * piece.step).round();
        at.min(f64::from(playback.duration_in_frames - 1))
    }

    #[test]
    fn what_is_played_as_written_has_no_playback() {
        assert_eq!(timing(&[(2.0, 1.0)], 0.0).playback(6.0, 30), None);
        assert!((timing(&[], 0.0).film_seconds(6.0) - 6.0).abs() < 1e-9);
    }

    #[test]
    fn a_slow_scene_has_a_frame_of_its_own_for_each_of_the_films() {
        let timing = timing(&[(2.0, 1.0), (1.0, 0.5), (3.0, 2.0)], 1.0);
        assert!((timing.film_seconds(6.0) - (2.0 + 2.0 + 1.5 + 1.0)).abs() < 1e-9);
        let playback = timing.playback(6.0, 30).unwrap();
        assert_eq!((playback.fps, playback.duration_in_frames), (60, 360));
        // The first scene as written, at twice the rate.
        assert!((shown(&playback, 30) - 60.0).abs() < 1e-9);
        // The second from second 2 to 4 of the film: frame by frame of 60 to the second.
        assert!((shown(&playback, 60) - 120.0).abs() < 1e-9);
        assert!((shown(&playback, 61) - 121.0).abs() < 1e-9);
        // The third twice as fast, then the last frame for a second.
        assert!((shown(&playback, 121) - 184.0).abs() < 1e-9);
        assert!((shown(&playback, 170) - 359.0).abs() < 1e-9);
        assert!((shown(&playback, 194) - 359.0).abs() < 1e-9);
    }

    #[test]
    fn stretches_keep_their_shares_when_the_whole_becomes_longer() {
        let timing = timing(&[(1.0, 0.5), (1.0, 1.0)], 0.0);
        assert!((timing.film_seconds(10.0) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn impossible_speeds_and_films_that_never_end_are_refused() {
        let fields = |timing: Timing, seconds| -> Vec<String> {
            let problems = timing.problems(seconds);
            problems.into_iter().map(|e| e.field).collect()
        };
        assert_eq!(
            fields(timing(&[(1.0, 0.0), (f64::NAN, 1.0)], 99.0), 6.0),
            [
                "timing.stretches.0.speed",
                "timing.stretches.1.seconds",
                "timing.hold_seconds"
            ]
        );
        assert_eq!(fields(timing(&[(1.0, 0.25)], 0.0), 60.0), ["timing"]);
        assert!(fields(timing(&[(1.0, 0.25)], 10.0), 20.0).is_empty());
    }
}
