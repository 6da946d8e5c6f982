//! Answers from a recording instead of an endpoint.

use std::sync::Arc;

use async_trait::async_trait;
use hansel_ledger::{EndpointActivity, ErrorClass, SourceError};

use super::recorded::{Recording, outcome};
use crate::http::Tally;
use crate::wire::failure;
use crate::{Request, Wire};

/// One recorded endpoint as a wire. It opens no socket.
pub struct ReplayWire {
    recording: Arc<Recording>,
    endpoint: String,
    tally: Tally,
}

impl ReplayWire {
    /// Answers as `endpoint`, one of [`Recording::endpoints`], did.
    pub fn new(recording: Arc<Recording>, endpoint: &str) -> Self {
        Self {
            recording,
            endpoint: endpoint.to_owned(),
            tally: Tally::default(),
        }
    }

    async fn outcome(&self, request: &Request) -> Result<Vec<u8>, (ErrorClass, String)> {
        let entry = self.recording.entry(&self.endpoint, &request.to_string());
        let entry = entry.cloned().ok_or_else(|| {
            let detail = "the recording holds no answer to this request";
            (ErrorClass::NotRecorded, detail.to_owned())
        })?;
        let directory = self.recording.directory().to_owned();
        let reading = tokio::task::spawn_blocking(move || outcome(&directory, &entry));
        reading
            .await
            .unwrap_or_else(|error| Err((ErrorClass::Inconsistent, error.to_string())))
    }
}

#[async_trait]
impl Wire for ReplayWire {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        self.tally.request();
        let outcome = self.outcome(request).await;
        match &outcome {
            Ok(body) => {
                self.tally.bytes(body.len());
                self.tally.answered();
            }
            Err((class, _)) => self.tally.failed(*class),
        }
        outcome.map_err(|(class, detail)| failure(class, &self.endpoint, request, detail))
    }

    fn activity(&self) -> EndpointActivity {
        self.tally.activity(&self.endpoint)
    }
}
