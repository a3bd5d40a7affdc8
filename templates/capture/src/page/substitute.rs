//! Files that come from another address than the page asks for, which it does not notice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Page;
use crate::error::Result;
use crate::picture::NotShown;

impl Page {
    /// Loads a page that has loaded nothing before: what that played would be remembered, in part, and not be asked for again. Until
    /// it is closed, what is played from one of these addresses comes from another.
    /// <https://chromedevtools.github.io/devtools-protocol/tot/Fetch/>
    ///
    /// # Errors
    /// As [`Page::load`].
    pub async fn load_with(&self, instead: &BTreeMap<String, String>) -> Result<(), NotShown> {
        let patterns: Vec<Value> = instead
            .keys()
            .map(|address| {
                // What scripts read is the file itself.
                json!({ "urlPattern": literally(address), "resourceType": "Media", "requestStage": "Request" })
            })
            .collect();
        let mut events = self.cdp.listen(&self.session);
        let (cdp, session) = (self.cdp.clone(), self.session.clone());
        let instead = instead.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if event.method != "Fetch.requestPaused" {
                    continue;
                }
                let mut go_on = json!({ "requestId": event.params["requestId"] });
                let asked = event.params["request"]["url"].as_str();
                if let Some(other) = asked.and_then(|asked| instead.get(asked)) {
                    go_on["url"] = other.as_str().into();
                }
                // A request that is no longer wanted needs no answer.
                let _ = cdp
                    .call(Some(&session), "Fetch.continueRequest", go_on)
                    .await;
            }
        });
        self.call("Fetch.enable", json!({ "patterns": patterns }))
            .await?;
        self.load().await
    }
}

/// An address as a pattern that fits it alone.
fn literally(address: &str) -> String {
    address
        .replace('\\', "\\\\")
        .replace('*', "\\*")
        .replace('?', "\\?")
}

#[cfg(test)]
mod tests {
    use super::literally;

    #[test]
    fn an_address_as_a_pattern_has_no_wildcards() {
        assert_eq!(literally("http://a/b*c.mp4?d=1"), r"http://a/b\*c.mp4\?d=1");
        assert_eq!(literally(r"http://a/b\c"), r"http://a/b\\c");
    }
}
