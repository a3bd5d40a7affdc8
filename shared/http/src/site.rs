//! Where this server is found, and the addresses of previews.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use koda_domain::SessionId;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Bytes of a handle's proof: 160 bits, 32 letters.
const PROOF: usize = 20;

/// Where this server is found.
pub struct Site {
    origin: String,
    preview_base: String,
    scheme: &'static str,
    secret: Vec<u8>,
    storage: Option<String>,
    public_previews: Option<String>,
    gateway: bool,
}

impl Site {
    /// A site with its canvas at `origin` (`http://localhost:3000`) and its previews below `preview_base`
    /// (`preview.localhost:3000`).
    #[must_use]
    pub fn new(origin: &str, preview_base: &str, secret: &[u8]) -> Self {
        let scheme = if origin.starts_with("https://") {
            "https"
        } else {
            "http"
        };
        Self {
            origin: origin.trim_end_matches('/').to_ascii_lowercase(),
            preview_base: preview_base.to_ascii_lowercase(),
            scheme,
            secret: secret.to_vec(),
            storage: None,
            public_previews: None,
            gateway: false,
        }
    }

    /// The same, behind a gateway that takes requests for its own hosts alone and passes them on under any.
    #[must_use]
    pub fn behind_gateway(self) -> Self {
        Self {
            gateway: true,
            ..self
        }
    }

    /// The same, with previews that browsers reach without us, all at origins that this pattern of a content security policy
    /// describes (`https://*.e2b.app`).
    #[must_use]
    pub fn with_public_previews(self, public_previews: Option<String>) -> Self {
        Self {
            public_previews,
            ..self
        }
    }

    /// The same, with files at this origin where it is another one.
    #[must_use]
    pub fn with_storage(self, storage: Option<String>) -> Self {
        Self { storage, ..self }
    }

    /// Scheme and host of files, with a space before it; nothing where it is the canvas's own.
    #[must_use]
    pub(crate) fn storage(&self) -> String {
        let origin = self.storage.as_ref();
        origin.map_or(String::new(), |origin| format!(" {origin}"))
    }

    /// Scheme and host of the canvas.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Origins that may show a preview in a frame: the canvas, and loopback's other names for it.
    #[must_use]
    pub fn embedders(&self) -> String {
        match self.origin.rsplit_once(':') {
            Some((base, port))
                if base.ends_with("//localhost") || base.ends_with("//127.0.0.1") =>
            {
                format!("http://localhost:{port} http://127.0.0.1:{port}")
            }
            _ => self.origin.clone(),
        }
    }

    /// Whether browsers reach previews without us.
    #[must_use]
    pub fn has_public_previews(&self) -> bool {
        self.public_previews.is_some()
    }

    /// What the canvas may show in a frame.
    #[must_use]
    pub fn previews(&self) -> String {
        let public = self.public_previews.clone();
        public.unwrap_or_else(|| self.preview_origin("*"))
    }

    /// Scheme and host of a preview, or of all with `*`.
    #[must_use]
    pub fn preview_origin(&self, handle: &str) -> String {
        format!("{}://{handle}.{}", self.scheme, self.preview_base)
    }

    /// Names a session's preview. Whoever knows it may look: it cannot be guessed, and needs no table.
    #[must_use]
    pub fn handle(&self, session: SessionId) -> String {
        let name = session.ulid().to_string().to_ascii_lowercase();
        format!("{name}-{}", self.proof(&name))
    }

    fn proof(&self, name: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret)
            .expect("an HMAC takes a key of any length");
        mac.update(format!("preview\n{name}").as_bytes());
        BASE32_NOPAD
            .encode(&mac.finalize().into_bytes()[..PROOF])
            .to_ascii_lowercase()
    }

    /// The handle in a Host, where it is below the previews' base.
    #[must_use]
    pub fn handle_in(&self, host: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let base = without_port(&self.preview_base);
        let label = without_port(&host).strip_suffix(base)?.strip_suffix('.')?;
        (!label.is_empty() && !label.contains('.')).then(|| label.to_owned())
    }

    /// The session that a handle names, if the handle is ours.
    #[must_use]
    pub fn session_of(&self, handle: &str) -> Option<SessionId> {
        let (name, proof) = handle.split_once('-')?;
        let expected = self.proof(name);
        if !bool::from(expected.as_bytes().ct_eq(proof.as_bytes())) {
            return None;
        }
        format!("{}_{name}", SessionId::PREFIX).parse().ok()
    }

    /// Whether a Host is this server's own.
    #[must_use]
    pub fn is_ours(&self, host: &str) -> bool {
        if self.gateway {
            return true;
        }
        let host = host.to_ascii_lowercase();
        let name = without_port(&host);
        let own = self.origin.split_once("://").map_or("", |(_, host)| host);
        ["localhost", "127.0.0.1", "[::1]"].contains(&name) || name == without_port(own)
    }

    /// Whether a request with this Origin comes from the canvas.
    #[must_use]
    pub fn is_own_origin(&self, origin: &str, host: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        origin == self.origin
            || origin
                .split_once("://")
                .is_some_and(|(_, from)| from == host.to_ascii_lowercase() && self.is_ours(from))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site::new("http://localhost:3000", "preview.localhost:3000", &[7; 32])
    }

    #[test]
    fn a_handle_names_its_session_and_cannot_be_changed() {
        let session = SessionId::new(ulid::Ulid::from_parts(1, 2));
        let handle = site().handle(session);
        assert!(handle.len() <= 63, "not a DNS label: {handle}");
        assert_eq!(site().session_of(&handle), Some(session));
        let other = site().handle(SessionId::new(ulid::Ulid::from_parts(1, 3)));
        let mixed = format!("{}{}", &handle[..27], &other[27..]);
        for bad in [
            mixed.as_str(),
            "",
            "-",
            &handle[..40],
            &format!("{handle}a"),
        ] {
            assert_eq!(site().session_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn hosts_are_told_apart() {
        let site = site();
        assert_eq!(
            site.handle_in("abc.preview.localhost:3000").as_deref(),
            Some("abc")
        );
        for host in [
            "preview.localhost:3000",
            "a.b.preview.localhost",
            "localhost:3000",
            "evil.test",
        ] {
            assert_eq!(site.handle_in(host), None, "{host}");
        }
        assert!(
            site.is_ours("localhost:3000")
                && site.is_ours("127.0.0.1:9")
                && site.is_ours("[::1]:3000")
        );
        assert!(!site.is_ours("evil.test") && !site.is_ours("localhost.evil.test"));
    }
}
