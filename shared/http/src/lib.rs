//! koda-http.
