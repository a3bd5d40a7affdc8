//! Files that come from another address than the page asks for, which it does not notice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Page;
use crate::error::Result;

impl Page {
    /// From now on, and until the page is closed, whatever is asked for at one of these addresses comes from another.
    /// <https://chromedevtools.github.io/devtools-protocol/tot/Fetch/>
    ///
    /// # Errors
    /// `browser_failed`.
    pub async fn substitute(&self, addresses: &BTreeMap<String, String>) -> Result<()> {
        let patterns: Vec<Value> = addresses
            .keys()
            .map(|address| json!({ "urlPattern": literally(address), "requestStage": "Request" }))
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
        // What was asked for before may still be remembered.
        self.call("Network.enable", json!({})).await?;
        self.call("Network.setCacheDisabled", json!({ "cacheDisabled": true }))
            .await?;
        self.call("Fetch.enable", json!({ "patterns": patterns }))
            .await?;
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
