//! koda-objects.
