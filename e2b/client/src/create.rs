//! Creating a sandbox, once.

use crate::{
    Client, Error, ListQuery, NewSandbox, Sandbox,
    client::{read, seconds},
    http::Again,
    model::{AutoResume, CreateBody},
};
use reqwest::Method;
use std::time::{Duration, Instant};
use tracing::warn;

/// Where sandboxes are made.
pub(crate) const CREATE: &str = "/v2/sandboxes";
/// The wait between two looks for a sandbox whose creation was not answered: lists lag behind.
const LOOK: Duration = Duration::from_millis(400);

pub(crate) async fn create(client: &Client, new: &NewSandbox) -> Result<Sandbox, Error> {
    let config = client.config();
    let create_id = ulid::Ulid::generate().to_string().to_lowercase();
    let mut metadata = new.metadata.clone();
    metadata.insert(config.create_id_key.clone(), create_id.clone());
    let body = serde_json::to_value(CreateBody {
        template_id: &new.template,
        timeout: seconds(new.timeout),
        metadata: &metadata,
        env_vars: &new.env,
        secure: new.secure,
        allow_internet_access: new.internet,
        auto_pause: new.auto_pause,
        auto_resume: new.auto_resume.then_some(AutoResume { enabled: true }),
        network: new.network.as_ref(),
    })
    .map_err(|e| Error::InvalidArgument(e.to_string()))?;
    // Only what was never sent is sent again.
    let answered = client
        .call(Method::POST, CREATE, Some(&body), Again::Unsent)
        .await;
    let error = match answered {
        Ok(response) => match read(response).await {
            Ok(handle) => return Ok(client.sandbox(handle)),
            Err(error) => error,
        },
        Err(error) => error,
    };
    if !is_ambiguous(&error) {
        return Err(error);
    }
    warn!(create_id, "A sandbox's creation was not answered: {error}");
    match find(client, &create_id, new.timeout).await {
        Some(sandbox) => Ok(sandbox),
        None => Err(Error::CreateUnknown {
            create_id,
            message: error.to_string(),
        }),
    }
}

/// Whether a sandbox may have been made all the same.
fn is_ambiguous(error: &Error) -> bool {
    match error {
        Error::ConnectionLost(_) | Error::TimedOut(_) | Error::Protocol(_) => true,
        Error::Api { status, .. } => *status >= 500,
        _ => false,
    }
}

/// The sandbox of a creation. Of several, which only a proxy that repeats requests could make, the oldest stays.
async fn find(client: &Client, create_id: &str, timeout: Duration) -> Option<Sandbox> {
    let config = client.config();
    let began = Instant::now();
    let mut query = ListQuery::default();
    query
        .metadata
        .insert(config.create_id_key.clone(), create_id.to_owned());
    loop {
        if let Ok(mut found) = client.list(&query).await
            && !found.is_empty()
        {
            found.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
            for double in found.split_off(1) {
                if let Err(error) = client.kill(&double.id).await {
                    warn!(sandbox.id = %double.id, "A double could not be ended: {error}");
                }
            }
            if let Ok(sandbox) = client.connect(&found[0].id, timeout).await {
                return Some(sandbox);
            }
        }
        if began.elapsed() >= config.create_lookup {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
}
