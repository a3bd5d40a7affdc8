//! Canvas documents, as a function of Lambda's.

use koda_boot::lambda::{self, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda::serve(&koda_http::CANVAS).await
}
