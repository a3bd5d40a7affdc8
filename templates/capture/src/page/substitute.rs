//! Files that come from another address than the page asks for, which it does not notice.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    pub async fn substitute(&self, instead: &BTreeMap<String, String>) -> Result<(), NotShown> {
        let patterns: Vec<Value> = instead
            .keys()
            .map(|address| {
                // What scripts read is the file itself.
                json!({ "urlPattern": literally(address), "resourceType": "Media", "requestStage": "Request" })
            })
            .collect();
        let mut events = self.cdp.listen(&self.session);
        let (cdp, session) = (self.cdp.clone(), self.session.clone());
        let asked_for = Arc::new(Mutex::new(HashSet::new()));
        let (addresses, asking) = (instead.clone(), asked_for.clone());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if event.method != "Fetch.requestPaused" {
                    continue;
                }
                let mut go_on = json!({ "requestId": event.params["requestId"] });
                let asked = event.params["request"]["url"].as_str();
                if let Some((asked, other)) = asked.and_then(|it| addresses.get_key_value(it)) {
                    go_on["url"] = other.as_str().into();
                    lock(&asking).insert(asked.clone());
                }
                // A request that is no longer wanted needs no answer.
                let _ = cdp
                    .call(Some(&session), "Fetch.continueRequest", go_on)
                    .await;
            }
        });
        self.call("Fetch.enable", json!({ "patterns": patterns }))
            .await?;
        self.load().await?;
        // What was asked for before may be remembered and not asked for again, and whether it is can be told where it is shown at
        // once. Without its memory a page takes twice as long to load, and the domain keeps in memory what comes.
        let mut shown = self.videos().await?;
        shown.retain(|video| instead.contains_key(video));
        let anew = shown.iter().all(|video| lock(&asked_for).contains(video));
        if shown.is_empty() || !anew {
            self.call("Network.enable", json!({})).await?;
            let forgetful = json!({ "cacheDisabled": true });
            self.call("Network.setCacheDisabled", forgetful).await?;
            self.load().await?;
            self.call("Network.disable", json!({})).await?;
        }
        Ok(())
    }
}

fn lock(asked: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
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
