//! koda-server.
fn main() {}
