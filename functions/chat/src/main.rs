//! Conversations: sessions, messages, plans, as a function of Lambda's.

use koda_boot::lambda::{self, Error};

// One request at a time, on less than one core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::serve(&koda_http::CHAT).await
}
