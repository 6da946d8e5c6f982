//! Where messages go, as the command line names it.

use std::collections::BTreeSet;
use std::env;

use anyhow::{Context as _, anyhow};
use hansel_wire::{Webhook, WebhookSecret};
use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::command::Command;
use crate::args::{AlertArgs, SourceArgs};
use crate::failure::Failure;
use crate::output::say;
use crate::sources;

/// The environment variable with the key that messages to a webhook are signed with.
const SECRET: &str = "HANSEL_WEBHOOK_SECRET";

/// A way by which messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Channel {
    Stdout,
    Webhook,
    Command,
    Screen,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) alert: Alert,
    /// The channels that have it already.
    pub(super) given: BTreeSet<Channel>,
}

/// The channels of a run.
#[derive(Default)]
pub(crate) struct Channels {
    pub(super) stdout: bool,
    pub(super) webhook: Option<Webhook>,
    pub(super) command: Option<Command>,
    pub(super) screen: Option<Screen>,
}

/// Shows a message to whoever sits before a screen.
type Screen = Box<dyn Fn(&Alert) + Send + Sync>;

impl Channels {
    /// Opens what the command line names; nothing is sent yet.
    pub(crate) fn open(args: &AlertArgs, source: &SourceArgs) -> Result<Self, Failure> {
        let webhook = args.webhook.as_deref();
        let webhook = webhook.map(|url| open_webhook(url, source)).transpose()?;
        let command = args.exec.as_deref().map(Command::parse).transpose()?;
        Ok(Self {
            stdout: args.alert.is_some(),
            webhook,
            command,
            screen: None,
        })
    }

    /// Has messages shown as well.
    pub(crate) fn shown_by(self, screen: impl Fn(&Alert) + Send + Sync + 'static) -> Self {
        Self {
            screen: Some(Box::new(screen)),
            ..self
        }
    }

    /// True where messages go nowhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// True where messages go to standard output, which nothing else may be written to then.
    pub(crate) fn takes_stdout(&self) -> bool {
        self.stdout
    }

    pub(super) fn all(&self) -> BTreeSet<Channel> {
        let stdout = self.stdout.then_some(Channel::Stdout);
        let webhook = self.webhook.as_ref().map(|_| Channel::Webhook);
        let command = self.command.as_ref().map(|_| Channel::Command);
        let screen = self.screen.as_ref().map(|_| Channel::Screen);
        [stdout, webhook, command, screen]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn open_webhook(text: &str, source: &SourceArgs) -> Result<Webhook, Failure> {
    let secret = env::var(SECRET).ok().filter(|secret| !secret.is_empty());
    let secret = secret.ok_or_else(|| {
        Failure::usage(
            anyhow!("the webhook's secret is not set"),
            "set HANSEL_WEBHOOK_SECRET to the key by which the receiver checks signatures",
        )
    })?;
    let wrong = || {
        Failure::usage(
            anyhow!("--webhook is not a URL of the form http:// or https://"),
            "as in https://one.example/hook, or ${NAME} to take it from the environment",
        )
    };
    let name = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let url = match name {
        Some(name) => {
            let cannot = || format!("the environment has no {}", name.escape_debug());
            env::var(name).with_context(cannot)?
        }
        None => text.to_owned(),
    };
    let url = url.parse().map_err(|_| wrong())?;
    let proxy = sources::proxy(source)?;
    let webhook = Webhook::new(url, WebhookSecret::new(secret), proxy.as_ref());
    let webhook = webhook.map_err(|_| wrong())?;
    if webhook.is_open_to_others() {
        say(&format!(
            "note: messages to {} are signed but not encrypted: use https://",
            webhook.place()
        ));
    }
    Ok(webhook)
}
