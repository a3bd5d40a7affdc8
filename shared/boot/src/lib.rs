//! koda-boot.
