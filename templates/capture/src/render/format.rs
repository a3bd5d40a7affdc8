//! Output formats, and how FFmpeg is told to write them.

use std::ffi::OsString;
use std::path::Path;

use clap::ValueEnum;

use super::handover::Handover;
use crate::page::Picture;

/// Frames of more pixels than this are large: a few of them fill the memory of a small sandbox.
pub const LARGE: u64 = 2560 * 1440;

/// What a render is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// H.264.
    Mp4,
    /// VP9, with alpha where asked for.
    Webm,
    /// A looping GIF.
    Gif,
    /// A zip of PNG files.
    Png,
    /// ProRes 4444, with alpha where asked for.
    Mov,
}

/// How much care is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Quality {
    /// Quick to make.
    Draft,
    /// Good to show.
    Standard,
    /// Good to keep.
    High,
}

impl Format {
    /// The format that a file name asks for by its ending.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "mp4" => Some(Self::Mp4),
            "webm" => Some(Self::Webm),
            "gif" => Some(Self::Gif),
            "zip" | "png" => Some(Self::Png),
            "mov" => Some(Self::Mov),
            _ => None,
        }
    }

    /// The ending of a part's file.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Webm => "webm",
            Self::Gif => "gif",
            Self::Png => "zip",
            Self::Mov => "mov",
        }
    }

    /// Arguments for the container, without its file.
    pub fn container(self, transparent: bool) -> &'static [&'static str] {
        match self {
            Self::Mp4 => &["-movflags", "+faststart", "-f", "mp4"],
            // Without random numbers in its head: twice the same film is twice the same file. Players look for alpha where the
            // head tells of it, and that does not come along with packets.
            Self::Webm if transparent => &[
                "-metadata:s:v:0",
                "alpha_mode=1",
                "-fflags",
                "+bitexact",
                "-f",
                "webm",
            ],
            Self::Webm => &["-fflags", "+bitexact", "-f", "webm"],
            Self::Gif => &["-loop", "0", "-f", "gif"],
            Self::Mov => &["-f", "mov"],
            Self::Png => &[],
        }
    }

    /// True where it can hold alpha.
    pub fn has_alpha(self) -> bool {
        self != Self::Mp4
    }

    /// Most frames a second that players show.
    pub fn most_fps(self) -> f64 {
        // GIF counts delays in hundredths of a second, and players slow down what has a delay below two of them.
        if self == Self::Gif { 50.0 } else { 240.0 }
    }

    /// What frames are handed over as where they come as pixels. Pictures of a sequence are those that stills are, to the bit.
    pub fn handover(self, transparent: bool) -> Option<Handover> {
        match self {
            Self::Mp4 => Some(Handover::I420),
            Self::Webm if !transparent => Some(Handover::I420),
            Self::Webm | Self::Gif | Self::Mov => Some(Handover::Rgba),
            Self::Png => None,
        }
    }

    /// What frames are handed over as where they come as pictures.
    pub fn picture(self, quality: Quality, transparent: bool) -> Picture {
        let lossy = matches!(self, Self::Mp4 | Self::Webm) && !transparent;
        match quality {
            Quality::Draft if lossy => Picture::Jpeg(92),
            Quality::Standard if lossy => Picture::Jpeg(95),
            _ => Picture::Png,
        }
    }

    /// Arguments of the encoder that reads pictures from its input and writes this format to a file.
    pub fn encoder(self, quality: Quality, job: &Job<'_>) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.add("-hide_banner -loglevel error -y -f");
        match job.handover {
            Handover::Picture(Picture::Png) => arguments.add("image2pipe -c:v png"),
            Handover::Picture(Picture::Jpeg(_)) => arguments.add("image2pipe -c:v mjpeg"),
            Handover::I420 => arguments.add("rawvideo -pix_fmt yuv420p"),
            Handover::Rgba => arguments.add("rawvideo -pix_fmt rgba"),
        };
        if matches!(job.handover, Handover::I420 | Handover::Rgba) {
            let size = format!("{}x{}", job.width, job.height);
            arguments.add("-video_size").add(&size);
        }
        arguments
            .add("-framerate")
            .add(&fps(job.fps))
            .add("-i pipe:0 -an -map_metadata -1");
        let graph = self.graph(job);
        arguments
            .add("-filter_complex")
            .whole(&graph)
            .add("-map [out]");
        match self {
            Self::Mp4 => {
                // Where B-frames go is not looked for in standard: that would take a third of the encoder's time, and saves a
                // twentieth of the bytes.
                let (preset, crf) = match quality {
                    Quality::Draft => ("ultrafast", "23"),
                    Quality::Standard => ("superfast -b_strategy 0", "20"),
                    Quality::High => ("medium", "16"),
                };
                arguments
                    .add("-c:v libx264 -preset")
                    .add(preset)
                    .add("-crf")
                    .add(crf)
                    // The picture depends on how many there are: a part comes out the same on any machine.
                    .add("-threads 4");
                if u64::from(job.width) * u64::from(job.height) > LARGE {
                    // x264 holds as many frames as it looks ahead; 40 of 4K are half a gigabyte.
                    arguments.add("-rc-lookahead 10");
                }
                arguments.add("-pix_fmt yuv420p").colours();
            }
            Self::Webm => {
                let (speed, crf) = match quality {
                    Quality::Draft => ("8", "36"),
                    Quality::Standard => ("5", "28"),
                    Quality::High => ("2", "20"),
                };
                let pixels = if job.transparent {
                    "yuva420p"
                } else {
                    "yuv420p"
                };
                arguments
                    // What it writes depends on whether there is more than one thread.
                    .add("-c:v libvpx-vp9 -b:v 0 -deadline good -row-mt 1 -threads 4 -cpu-used")
                    .add(speed)
                    .add("-crf")
                    .add(crf);
                arguments.add("-pix_fmt").add(pixels);
                if job.transparent {
                    // The muxer writes alpha beside the picture, frame for frame, and knows no hidden frames.
                    arguments.add("-auto-alt-ref 0");
                }
                arguments.colours();
            }
            Self::Mov => {
                let pixels = if job.transparent {
                    "yuva444p10le"
                } else {
                    "yuv444p10le"
                };
                arguments
                    .add("-c:v prores_ks -profile:v 4444 -vendor apl0 -pix_fmt")
                    .add(pixels)
                    .colours();
            }
            Self::Gif => {
                arguments.add("-c:v gif");
            }
            Self::Png => {}
        }
        arguments
            .list
            .extend(self.container(job.transparent).iter().map(OsString::from));
        arguments.list.push(job.out.into());
        arguments.list
    }

    fn graph(self, job: &Job<'_>) -> String {
        if self == Self::Gif {
            // One palette for all frames keeps colours still, but holds all frames in memory until the last is known.
            let held = u64::from(job.width) * u64::from(job.height) * 4 * u64::from(job.frames);
            let (palette, apply) = if held <= 400 << 20 {
                ("stats_mode=full", "")
            } else {
                ("stats_mode=single", ":new=1")
            };
            return format!(
                "[0:v]split[a][b];[a]palettegen={palette}[p];[b][p]paletteuse=dither=sierra2_4a{apply}[out]"
            );
        }
        // JPEG holds BT.601 at full range; what video players expect of HD is BT.709 at TV range.
        let from = match job.handover {
            Handover::Picture(Picture::Jpeg(_)) => "in_color_matrix=bt601:in_range=pc:",
            _ => "",
        };
        // Some encoders take the tags from their options, some from the frames.
        let tags = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";
        if job.handover == Handover::I420 {
            return format!("[0:v]{tags}[out]");
        }
        format!(
            "[0:v]scale={from}out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,{tags}[out]"
        )
    }

    /// Arguments that make FFmpeg's decoder of this format hand over alpha too.
    pub fn decoder(self, transparent: bool) -> &'static [&'static str] {
        if self == Self::Webm && transparent {
            &["-c:v", "libvpx-vp9"]
        } else {
            &[]
        }
    }

    /// How alike a decoded frame must be to a fresh picture of it: decibels, structural similarity, difference of tint.
    pub fn tolerance(self, quality: Quality) -> (f64, f64, f64) {
        match (self, quality) {
            (Self::Png, _) => (98.0, 0.9999, 0.01),
            (Self::Gif, _) => (20.0, 0.80, 12.0),
            (_, Quality::Draft) => (26.0, 0.90, 5.0),
            _ => (29.0, 0.94, 4.0),
        }
    }
}

/// What an encoder must know besides format and quality.
pub struct Job<'a> {
    /// What it is fed with.
    pub handover: Handover,
    /// Frames a second.
    pub fps: f64,
    /// How many frames come.
    pub frames: u32,
    /// Width of a frame.
    pub width: u32,
    /// Height of a frame.
    pub height: u32,
    /// Whether alpha is kept.
    pub transparent: bool,
    /// The file to write.
    pub out: &'a Path,
}

/// Frames a second as FFmpeg reads them.
pub fn fps(fps: f64) -> String {
    let ntsc = (fps * 1.001).round();
    // 23.976, 29.97 and 59.94 stand for fractions of 1001.
    if (fps.fract() > 0.0) && (fps * 1001.0 / 1000.0 - ntsc).abs() < 0.001 {
        format!("{}/1001", ntsc * 1000.0)
    } else {
        fps.to_string()
    }
}

#[derive(Default)]
struct Arguments {
    list: Vec<OsString>,
}

impl Arguments {
    fn add(&mut self, words: &str) -> &mut Self {
        self.list.extend(words.split(' ').map(OsString::from));
        self
    }

    fn whole(&mut self, word: &str) -> &mut Self {
        self.list.push(word.into());
        self
    }

    fn colours(&mut self) -> &mut Self {
        self.add("-color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcast_rates_are_told_as_exact_fractions() {
        assert_eq!(fps(30.0), "30");
        assert_eq!(fps(29.97), "30000/1001");
        assert_eq!(fps(23.976), "24000/1001");
        assert_eq!(fps(12.5), "12.5");
    }
}
