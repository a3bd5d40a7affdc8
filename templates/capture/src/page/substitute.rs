//! Files that come from another address than the page asks for, which it does not notice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Page;
use crate::error::Result;
use crate::picture::NotShown;

impl Page {
    /// Loads the page anew. From then on, and until it is closed, what is played from one of these addresses comes from another.
    /// <https://chromedevtools.github.io/devtools-protocol/tot/Fetch/>
    ///
    /// # Errors
    /// As [`Page::load`].
    pub async fn substitute(&self, addresses: &BTreeMap<String, String>) -> Result<(), NotShown> {
        let patterns: Vec<Value> = addresses
            .keys()
            .map(|address| {
                // What scripts read is the file itself.
                json!({ "urlPattern": literally(address), "resourceType": "Media", "requestStage": "Request" })
            })
            .collect();
        let mut events = self.cdp.listen(&self.session);
        let (cdp, session) = (self.cdp.clone(), self.session.clone());
        let addresses = addresses.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if event.method != "Fetch.requestPaused" {
                    continue;
                }
                let mut go_on = json!({ "requestId": event.params["requestId"] });
                let asked = event.params["request"]["url"].as_str();
                if let Some(other) = asked.and_then(|asked| addresses.get(asked)) {
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
        // What was asked for before is still remembered, and would not be asked for again. Only as long as it takes to load:
        // the domain keeps what comes in memory.
        self.call("Network.enable", json!({})).await?;
        self.call("Network.setCacheDisabled", json!({ "cacheDisabled": true }))
            .await?;
        self.load().await?;
        self.call("Network.disable", json!({})).await?;
        Ok(())
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
