//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::browser::standby;
use crate::check::{self, Gate};
use crate::error::{Code, Failure, Result};
use crate::manifest::Manifest;
use crate::render::{self, Format, Quality, Share};
use crate::{info, still};

#[derive(Parser)]
#[command(
    name = "koda-capture",
    version,
    about = "Checks, shoots and renders a Koda composition"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Find what is wrong with the composition
    Check {
        /// The workspace
        #[arg(long, default_value = "/app")]
        app: PathBuf,
        /// How many frames to shoot
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(3..=60))]
        frames: u32,
        /// Run these gates alone
        #[arg(long, value_delimiter = ',')]
        only: Vec<Gate>,
        /// Only what other words, colours, numbers or paces can break: the code has passed before
        #[arg(long, conflicts_with_all = ["frames", "only"])]
        quick: bool,
    },
    /// Shoot single frames
    Still {
        /// The workspace
        #[arg(long, default_value = "/app")]
        app: PathBuf,
        /// Which frames, separated by commas
        #[arg(long, value_delimiter = ',', required = true)]
        frames: Vec<u32>,
        /// Folder for the pictures
        #[arg(long)]
        out: PathBuf,
        /// Width of the pictures; by default the composition's
        #[arg(long)]
        width: Option<u32>,
        /// Height of the pictures; by default the composition's
        #[arg(long)]
        height: Option<u32>,
        /// Keep alpha
        #[arg(long)]
        transparent: bool,
        /// Also write a contact sheet
        #[arg(long)]
        sheet: Option<PathBuf>,
    },
    /// Render to a file
    Render {
        /// The workspace
        #[arg(long, default_value = "/app")]
        app: PathBuf,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
        /// Width in pixels
        #[arg(long)]
        width: u32,
        /// Height in pixels
        #[arg(long)]
        height: u32,
        /// Frames a second; by default the composition's
        #[arg(long)]
        fps: Option<f64>,
        /// First frame
        #[arg(long)]
        from: Option<u32>,
        /// The frame after the last
        #[arg(long)]
        to: Option<u32>,
        /// Output format; by default what the file's name says
        #[arg(long)]
        format: Option<Format>,
        /// How much care to take
        #[arg(long, default_value = "standard")]
        quality: Quality,
        /// Keep alpha
        #[arg(long)]
        transparent: bool,
        /// Also write a picture of a frame that shows much
        #[arg(long)]
        poster: Option<PathBuf>,
        /// How many browsers may draw at once; processors and memory may allow fewer
        #[arg(long, default_value_t = 4)]
        browsers: usize,
        /// Keep parts of the film in this folder as they become whole, and do not draw again those that are there
        #[arg(long)]
        parts: Option<PathBuf>,
        /// Draw only this share of the parts, as in 0/2, and write no file
        #[arg(long, requires = "parts")]
        share: Option<Share>,
    },
    /// Keep a browser running for the next command that needs one
    Standby {
        /// The workspace, which says what the browser has to draw
        #[arg(long, default_value = "/app")]
        app: PathBuf,
    },
    /// Say what is installed here
    ServeInfo,
}

/// Reads the command line. Nothing is left to do where it asked for help.
///
/// # Errors
/// `bad_argument`.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Command>> {
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => Ok(Some(arguments.command)),
        Err(error) if !error.use_stderr() => {
            // Help and version were asked for.
            let _ = error.print();
            Ok(None)
        }
        Err(error) => {
            let text = error.to_string();
            let message = text
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            Err(Failure::new(Code::BadArgument, message)
                .hint("koda-capture --help lists commands and arguments"))
        }
    }
}

/// Runs a command.
///
/// # Errors
/// Any code of the list.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Check {
            app, quick: true, ..
        } => Box::pin(check::values(&app)).await,
        Command::Check {
            app, frames, only, ..
        } => Box::pin(check::run(&app, frames, &only)).await,
        Command::Still {
            app,
            frames,
            out,
            width,
            height,
            transparent,
            sheet,
        } => {
            Box::pin(still::run(&still::Request {
                app,
                frames,
                out,
                width,
                height,
                transparent,
                sheet,
            }))
            .await
        }
        Command::Render {
            app,
            out,
            width,
            height,
            fps,
            from,
            to,
            format,
            quality,
            transparent,
            poster,
            browsers,
            parts,
            share,
        } => {
            let request = render::Request {
                app,
                out,
                width,
                height,
                fps,
                from,
                to,
                format,
                quality,
                transparent,
                poster,
                browsers,
                parts,
                share,
            };
            Box::pin(render::run(&request)).await
        }
        Command::Standby { app } => {
            let socket = standby::socket()
                .ok_or_else(|| Failure::new(Code::BadArgument, "KODA_STANDBY names no socket"))?;
            Box::pin(standby::run(Manifest::read(&app)?.engine, &socket)).await
        }
        Command::ServeInfo => Box::pin(info::run()).await,
    }
}
