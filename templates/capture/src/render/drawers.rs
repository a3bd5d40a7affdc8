//! Who draws the frames: browsers with the composition's page, or Remotion's own renderer where the composition needs that.

use std::collections::HashSet;

use futures_util::future::{join, join_all};
use tokio::sync::oneshot;

use super::crew::Member;
use super::look::{self, Looked};
use super::plan::Request;
use super::remotions;
use super::verify::Expected;
use crate::browser::Browser;
use crate::error::{Failure, Result};
use crate::machine;
use crate::manifest::{Engine, Manifest};
use crate::page::Options;
use crate::remotion::{self, Renderer};

/// What Node takes, told as so many pixels of a frame: 160 MB.
const PROGRAM: u64 = 4 << 20;

/// Who draws the frames.
pub enum Drawers {
    /// Browsers with the composition's page.
    Members(Vec<Member>),
    /// Remotion's own renderer, once or more.
    Remotion(Vec<Renderer>),
}

impl Drawers {
    /// How many browsers draw.
    pub fn count(&self) -> usize {
        match self {
            Self::Members(members) => members.len(),
            Self::Remotion(renderers) => renderers.len(),
        }
    }

    /// The browsers with the page.
    pub fn members(&self) -> &[Member] {
        match self {
            Self::Members(members) => members,
            Self::Remotion(_) => &[],
        }
    }

    /// The browsers with the page.
    pub fn members_mut(&mut self) -> &mut [Member] {
        match self {
            Self::Members(members) => members,
            Self::Remotion(_) => &mut [],
        }
    }
}

/// Brings up who draws the frames, so many of which are missing, and looks at the composition. Browsers tell of the first video
/// that they see.
///
/// # Errors
/// `browser_failed`, and any that showing a frame has.
pub async fn gather(
    request: &Request,
    manifest: &Manifest,
    options: Options,
    (frames, missing): (&[u32], usize),
    expected: &Expected,
    tell: oneshot::Sender<String>,
) -> Result<(Drawers, Looked)> {
    let pixels = u64::from(request.width) * u64::from(request.height);
    let many = machine::browsers(missing, pixels, request.browsers);
    let mut needed = remotion::needed(&request.app, manifest.engine);
    if needed.is_none() {
        let options = options.clone();
        let (members, looked) =
            browsers(many, manifest.engine, options, frames, expected, tell).await?;
        if !simplified(&members).await? || !remotion::is_there(&request.app, manifest.engine) {
            return Ok((Drawers::Members(members), looked));
        }
        needed =
            Some("an effect that a frame goes without is for Remotion's own renderer".to_owned());
    }
    let why = needed.unwrap_or_default();
    let graphics = Browser::fastest_graphics().await?;
    // A renderer has a program of its own beside its browser.
    let distinct = frames.iter().collect::<HashSet<_>>().len();
    let many = machine::browsers(missing, pixels + PROGRAM, request.browsers).min(distinct.max(1));
    let renderers = (0..many).map(|_| Renderer::start(&request.app, manifest, &options, graphics));
    let mut renderers = renderers.collect::<Result<Vec<_>>>()?;
    let looked = remotions::look(&mut renderers, frames, expected, why).await?;
    Ok((Drawers::Remotion(renderers), looked))
}

/// Whether a page has shown something without an effect that it cannot draw.
pub async fn simplified(members: &[Member]) -> Result<bool> {
    for member in members {
        if member.page().simplified().await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Brings up so many browsers, and looks at the composition in the first of them.
async fn browsers(
    many: usize,
    engine: Engine,
    options: Options,
    frames: &[u32],
    expected: &Expected,
    tell: oneshot::Sender<String>,
) -> Result<(Vec<Member>, Looked)> {
    // The others come up while the first is looked at. Those that do not are done without.
    let others = join_all((1..many).map(|_| Member::new(many, engine, options.clone())));
    let first = async {
        let member = Member::new(many, engine, options.clone()).await?;
        let looked = look::at(&member, frames, expected, tell).await?;
        Ok::<_, Failure>((member, looked))
    };
    let (first, others) = join(first, others).await;
    let (first, looked) = first?;
    let mut members = vec![first];
    members.extend(others.into_iter().flatten());
    Ok((members, looked))
}
