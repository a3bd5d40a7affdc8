//! koda-testkit.
