//! The work that no request waits for, as a function of Lambda's: turns and renders of the session that it is called for; and,
//! on a schedule, housekeeping and calls for sessions whose work nobody does.

use koda_boot::lambda::{self, Error};

// One session at a time, and what takes time happens elsewhere.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::work().await
}
