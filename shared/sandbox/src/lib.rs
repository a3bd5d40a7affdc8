//! koda-sandbox.
