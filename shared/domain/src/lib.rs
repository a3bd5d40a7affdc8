//! The words of Koda: ids, sessions as event logs, turns, plans, versions, renders, workspace paths,
//! limits, and the seams (traits) to everything outside the process.
//!
//! Nothing in here does I/O. Adapters (`koda-store`, `koda-objects`, `koda-sandbox`, `koda-model`)
//! implement the seams; `koda-agent` and `koda-http` use them.

pub mod asset;
pub mod clock;
pub mod design;
pub mod dispatch;
pub mod event;
pub mod format;
pub mod id;
pub mod limits;
pub mod message;
pub mod model;
pub mod objects;
pub mod path;
pub mod plan;
pub mod project;
pub mod rate;
pub mod render;
pub mod report;
pub mod sandbox;
pub mod settings;
pub mod state;
pub mod store;
pub mod timing;
pub mod version;

pub use clock::{Clock, Ids};
pub use event::{Event, EventBody};
pub use format::{Aspect, Engine, Fps, Resolution, Size};
pub use id::{
    AssetId, BlobId, MessageId, ProjectId, RenderId, SandboxId, SessionId, TenantId, TurnId,
    VersionId,
};
pub use path::WorkPath;
pub use settings::{Settings, SettingsPatch};
pub use state::SessionState;
