//! Object stores: a local folder, served through signed URLs of our own, which is the embedded default; and S3.

mod local;
pub mod s3;
mod sign;

pub use local::LocalObjects;
pub use s3::S3Objects;
