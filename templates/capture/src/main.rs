//! koda-capture.
fn main() {}
