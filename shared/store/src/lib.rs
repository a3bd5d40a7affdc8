//! koda-store.
