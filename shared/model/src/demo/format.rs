//! Length, rate, shape and resolution, read from words.

use super::text::{Text, patterns};
use koda_domain::{
    format::{Aspect, Fps, Resolution},
    settings::{MAX_SECONDS, MIN_SECONDS},
};

/// What the words say about the format.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FormatWish {
    pub seconds: Option<f64>,
    pub fps: Option<Fps>,
    pub aspect: Option<Aspect>,
    pub resolution: Option<Resolution>,
    /// Where a wish could not be met exactly, as sentences.
    pub notes: Vec<String>,
}

patterns! {
    SECONDS = r"(?:\b(?:for|of|in|lasting|lasts?|about|around|roughly|exactly|to|is|be)\s+)*(?:(?:a|an|the)\s+)?\b(\d+(?:[.,]\d+)?|half a|half|one and a half|quarter of a|a|an|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|forty-five|fifty|sixty|ninety)[\s-]*(s|secs?|seconds?|m|mins?|minutes?)\b(?:[\s-]+(?:long|duration|in length|total))?";
    STYLE_AFTER = r"^\s+(?:style|look|vibe|feel|theme|retro|design|poster|music|disco|tv|film|title)";
    FPS = r"(?:\b(?:at|in|with|to|be)\s+)?\b(\d{1,4})\s*-?\s*(?:fps|hz|frames?\s*(?:per|a|/)\s*sec(?:ond)?|frames?/s)\b|\b(?:fps|frame\s?rate)\s*(?:to|:|=|is|of|at)?\s*(\d{1,3})\b";
    PIXELS = r"(?:\b(?:at|in|as|to)\s+)?\b(\d{3,4})\s*(?:x|×|by)\s*(\d{3,4})\b(?:\s*(?:px|pixels?))?";
    RATIO = r"(?:\b(?:at|in|as|to|with|a|an)\s+)*\b(16|9|1|4|3|21|5)\s?(?::|/|x|by)\s?(9|16|1|3|4|5)\b(?:\s+(?:aspect(?:\s+ratio)?|ratio|format|video))*";
    SHAPE = r"(?:,\s*)?(?:\b(?:in|as|for|to|into|with|a|an|the|my|our)\s+)*\b(portrait|vertical(?:ly)?|upright|tik\s?tok|insta(?:gram)?\s+(?:story|stories|reels?|posts?|feed|square)|instagram|reels?|shorts|youtube\s+shorts?|stories|(?:story|phone|mobile)\s+(?:format|video|screen|size)|snapchat|square|landscape|widescreen|horizontal|youtube|desktop|old\s?tv|classic\s+tv|ultra-?\s?wide|cinema\s?scope|cinematic|panoramic|letterbox)\b(?:\s+(?:format|aspect(?:\s+ratio)?|ratio|orientation|mode|video|clip|version|screen))*";
    LINES_OF_PIXELS = r"(?:\b(?:at|in|to|export|render|as)\s+)*\b(720p?|1080p?|2160p?|full\s?hd|ultra\s?hd|uhd|hd)\b(?:\s+(?:resolution|quality|export))*";
    FOUR_K = r"(?:\b(?:at|in|to|export|render|as)\s+)*\b4\s?k\b(?:\s+(?:resolution|quality|export|video|uhd))*";
}

impl FormatWish {
    /// Reads and takes out what is plainly about the format.
    pub fn take(text: &mut Text) -> Self {
        let mut wish = Self::default();
        wish.take_fps(text);
        wish.take_seconds(text);
        wish.take_shape(text);
        wish
    }

    fn take_fps(&mut self, text: &mut Text) {
        while let Some(found) = FPS.captures(&text.plain) {
            let whole = found.get(0).map(|m| m.range()).unwrap_or_default();
            let asked: u32 = found
                .get(1)
                .or_else(|| found.get(2))
                .and_then(|m| m.as_str().parse().ok())
                .unwrap_or(30);
            let nearest = Fps::ALL
                .into_iter()
                .min_by_key(|fps| fps.abs_diff(asked))
                .unwrap_or(30);
            if nearest != asked {
                self.notes.push(format!(
                    "{asked} fps is not on offer; the nearest rate is {nearest}."
                ));
            }
            self.fps = Fps::try_from(nearest).ok();
            text.take(whole);
        }
    }

    fn take_seconds(&mut self, text: &mut Text) {
        let mut from = 0;
        while let Some(found) = SECONDS.captures_at(&text.plain, from) {
            let Some(whole) = found.get(0).map(|m| m.range()) else {
                return;
            };
            let number = found
                .get(1)
                .map_or("", |m| m.as_str())
                .to_lowercase()
                .replace(',', ".");
            let unit = found.get(2).map_or("", |m| m.as_str()).to_lowercase();
            // `m` alone is a million or a metre; `a second` is an ordinal or a short while.
            let vague =
                unit == "m" || (matches!(number.as_str(), "a" | "an") && unit.starts_with('s'));
            let vague = vague || is_decade(&text.plain, &whole, &number, &unit);
            let Some(count) = count(&number).filter(|_| !vague) else {
                from = whole.end;
                continue;
            };
            let seconds = if unit.starts_with('m') {
                count * 60.0
            } else {
                count
            };
            let kept = seconds.clamp(MIN_SECONDS, MAX_SECONDS);
            if (kept - seconds).abs() > f64::EPSILON {
                self.notes.push(format!(
                    "An animation lasts 1 to 120 seconds, so {seconds} became {kept}."
                ));
            }
            self.seconds = Some(kept);
            from = whole.start;
            text.take(whole);
        }
    }

    fn take_shape(&mut self, text: &mut Text) {
        if let Some(found) = PIXELS.captures(&text.plain) {
            let number = |n| {
                found
                    .get(n)
                    .and_then(|m| m.as_str().parse::<u32>().ok())
                    .unwrap_or(1080)
            };
            let (width, height) = (number(1), number(2));
            self.aspect = Some(nearest_aspect(width, height));
            self.resolution = Some(match width.min(height) {
                0..900 => Resolution::Hd,
                900..1500 => Resolution::FullHd,
                _ => Resolution::UltraHd,
            });
            text.take(found.get(0).map(|m| m.range()).unwrap_or_default());
        }
        if let Some(found) = RATIO.captures(&text.plain) {
            let number = |n| {
                found
                    .get(n)
                    .and_then(|m| m.as_str().parse::<u32>().ok())
                    .unwrap_or(1)
            };
            self.aspect = Some(nearest_aspect(number(1), number(2)));
            text.take(found.get(0).map(|m| m.range()).unwrap_or_default());
        }
        if let Some(found) = LINES_OF_PIXELS.captures(&text.plain) {
            let word = found.get(1).map_or("", |m| m.as_str()).to_lowercase();
            // A bare 720 may well be a number to be shown.
            if !word.chars().all(|c| c.is_ascii_digit()) {
                self.resolution = Some(match word.trim_end_matches('p') {
                    "720" | "hd" => Resolution::Hd,
                    "2160" | "uhd" | "ultrahd" | "ultra hd" => Resolution::UltraHd,
                    _ => Resolution::FullHd,
                });
                text.take(found.get(0).map(|m| m.range()).unwrap_or_default());
            }
        }
        while let Some(found) = SHAPE.captures(&text.plain) {
            let word = found.get(1).map_or("", |m| m.as_str()).to_lowercase();
            self.aspect = self.aspect.or(Some(shape(&word)));
            text.take(found.get(0).map(|m| m.range()).unwrap_or_default());
        }
    }

    /// Reads and takes out `4K`, which is also a way to write 4,000: call it once data are taken out.
    pub fn take_four_k(&mut self, text: &mut Text) {
        if let Some(found) = FOUR_K.find(&text.plain) {
            self.resolution = Some(Resolution::UltraHd);
            let range = found.range();
            text.take(range);
        }
    }
}

/// `80s` is a style; `for 80s` and `80 s` are lengths, and so is `60s`.
fn is_decade(plain: &str, whole: &std::ops::Range<usize>, number: &str, unit: &str) -> bool {
    let said = plain.get(whole.clone()).unwrap_or_default();
    let glued = unit == "s" && said.to_lowercase().ends_with(&format!("{number}s"));
    let placed = said.split_whitespace().any(|w| {
        matches!(
            w,
            "for" | "in" | "of" | "lasting" | "last" | "lasts" | "about" | "to" | "is" | "be"
        )
    });
    let styled = STYLE_AFTER.is_match(plain.get(whole.end..).unwrap_or_default());
    glued
        && !placed
        && (matches!(number, "70" | "80" | "90") || (matches!(number, "50" | "60") && styled))
}

fn count(number: &str) -> Option<f64> {
    Some(match number {
        "half a" | "half" => 0.5,
        "one and a half" => 1.5,
        "quarter of a" => 0.25,
        "a" | "an" | "one" => 1.0,
        "two" => 2.0,
        "three" => 3.0,
        "four" => 4.0,
        "five" => 5.0,
        "six" => 6.0,
        "seven" => 7.0,
        "eight" => 8.0,
        "nine" => 9.0,
        "ten" => 10.0,
        "twelve" => 12.0,
        "fifteen" => 15.0,
        "twenty" => 20.0,
        "thirty" => 30.0,
        "forty" => 40.0,
        "forty-five" => 45.0,
        "fifty" => 50.0,
        "sixty" => 60.0,
        "ninety" => 90.0,
        digits => return digits.parse().ok(),
    })
}

fn nearest_aspect(width: u32, height: u32) -> Aspect {
    let all = [
        Aspect::Landscape,
        Aspect::Portrait,
        Aspect::Square,
        Aspect::Classic,
        Aspect::Wide,
    ];
    let asked = (f64::from(width) / f64::from(height.max(1))).ln();
    let off = |aspect: &Aspect| {
        let size = aspect.layout();
        ((f64::from(size.width) / f64::from(size.height)).ln() - asked).abs()
    };
    all.into_iter()
        .min_by(|a, b| off(a).total_cmp(&off(b)))
        .unwrap_or_default()
}

fn shape(word: &str) -> Aspect {
    let any = |words: &[&str]| words.iter().any(|w| word.contains(w));
    if any(&["post", "square", "feed"]) || word == "instagram" {
        Aspect::Square
    } else if any(&[
        "short", "portrait", "vertical", "upright", "tok", "stor", "reel", "snap", "phone",
        "mobile",
    ]) {
        Aspect::Portrait
    } else if any(&["tv"]) {
        Aspect::Classic
    } else if any(&["ultra", "cinema", "panoramic", "letterbox"]) {
        Aspect::Wide
    } else {
        Aspect::Landscape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> (FormatWish, String) {
        let mut text = Text::read(words);
        let mut wish = FormatWish::take(&mut text);
        wish.take_four_k(&mut text);
        (wish, text.plain)
    }

    #[test]
    fn lengths_are_read_however_they_are_said() {
        for (words, seconds) in [
            ("a 10 second intro", 10.0),
            ("lasting 5s", 5.0),
            ("about half a minute", 30.0),
            ("2.5 seconds", 2.5),
            ("a ten-second loop", 10.0),
            ("one minute long", 60.0),
            ("make it 8 sec", 8.0),
            ("1.5 min", 90.0),
            ("10 minutes", 120.0),
            ("60s", 60.0),
            ("for 80s", 80.0),
        ] {
            assert_eq!(read(words).0.seconds, Some(seconds), "{words}");
        }
        for words in [
            "wait a second",
            "5m users",
            "Q1 10",
            "top 10",
            "an 80s title",
            "a 60s look",
        ] {
            assert_eq!(read(words).0.seconds, None, "{words}");
        }
    }

    #[test]
    fn shapes_are_read_from_places_ratios_and_pixels() {
        for (words, aspect) in [
            ("for TikTok", Aspect::Portrait),
            ("an Instagram story", Aspect::Portrait),
            ("an instagram post", Aspect::Square),
            ("9:16 please", Aspect::Portrait),
            ("in 4:3", Aspect::Classic),
            ("1080x1920", Aspect::Portrait),
            ("1080x1080", Aspect::Square),
            ("ultra-wide", Aspect::Wide),
            ("youtube shorts", Aspect::Portrait),
            ("widescreen", Aspect::Landscape),
        ] {
            assert_eq!(read(words).0.aspect, Some(aspect), "{words}");
        }
        assert_eq!(read("the story of our shop").0.aspect, None);
    }

    #[test]
    fn rates_and_resolutions_are_read_and_the_nearest_rate_is_said() {
        let (wish, left) = read("Launch film at 60fps in 4k");
        assert_eq!(
            (wish.fps.map(Fps::get), wish.resolution),
            (Some(60), Some(Resolution::UltraHd))
        );
        assert_eq!(left.trim(), "Launch film");
        let (wish, _) = read("120 fps, 720p");
        assert_eq!(
            (wish.fps.map(Fps::get), wish.resolution, wish.notes.len()),
            (Some(60), Some(Resolution::Hd), 1)
        );
    }
}
