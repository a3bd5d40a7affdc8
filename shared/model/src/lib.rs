//! koda-model.
