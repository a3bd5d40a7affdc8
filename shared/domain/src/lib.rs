//! koda-domain.
