//! Delivers the messages that wait, in their order, each to every channel of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hansel_store::{Message, Store};
use hansel_wire::WebhookError;
use tokio::time::Instant;

use super::alert::Alert;
use super::channels::{Channel, Channels, Waiting};
use crate::drive::now;
use crate::failure::Failure;
use crate::output::{say, write_on};

/// Messages read from the store at a time.
const PAGE: usize = 64;
/// The pause after the first failure of a channel; it doubles with each, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The way of messages from the store to the channels.
pub(crate) struct Delivery<'a> {
    store: &'a Store,
    channels: Channels,
    /// The channels that took nothing of late, and the messages that they refused.
    down: BTreeMap<Line, Outage>,
}

/// A channel as a whole, or for the message of one id.
type Line = (Channel, Option<String>);

/// A line that takes nothing.
struct Outage {
    failures: u32,
    again: Instant,
}

/// Why a channel has not got a message.
enum Setback {
    /// Nothing can be given to it now.
    Down(String),
    /// It does not want this message.
    Refused(String),
}

/// What a pass left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Messages that still wait.
    pub(crate) waiting: u64,
    /// True once nobody reads standard output any more.
    pub(crate) unread: bool,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(store: &'a Store, channels: Channels) -> Self {
        Self {
            store,
            channels,
            down: BTreeMap::new(),
        }
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Tries until nothing waits or each channel that is down failed `tries` times in a row.
    pub(crate) async fn drain(&mut self, tries: u32) -> Result<Left, Failure> {
        loop {
            let left = self.pass().await?;
            let next = self
                .down
                .iter()
                .filter(|(_, outage)| outage.failures <= tries);
            let next = next.filter_map(|(line, _)| self.again(line)).min();
            match next {
                Some(next) if left.waiting > 0 && !left.unread => {
                    tokio::time::sleep_until(next).await
                }
                Some(_) | None => return Ok(left),
            }
        }
    }

    /// When a channel that is down is tried again; `None` where none is.
    pub(crate) fn next_try(&self) -> Option<Instant> {
        let lines = self.down.keys().map(|line| self.again(line));
        lines.flatten().min()
    }

    /// When a line that is down is tried again: no sooner than its channel as a whole.
    fn again(&self, line: &Line) -> Option<Instant> {
        let whole = (line.0, None);
        let outages = [self.down.get(line), self.down.get(&whole)];
        outages
            .into_iter()
            .flatten()
            .map(|outage| outage.again)
            .max()
    }

    /// True while a line is given time after a failure.
    fn rests(&self, line: &Line) -> bool {
        self.again(line).is_some_and(|again| again > Instant::now())
    }

    /// Gives each message that waits once to each channel that lacks it and is not known to be down.
    pub(crate) async fn pass(&mut self) -> Result<Left, Failure> {
        let all = self.channels.all();
        let mut left = Left::default();
        // Behind a message that a channel has not got, no later one of the same case may come first, unless it was refused:
        // then the others would never come.
        let mut held: BTreeSet<(Channel, String)> = BTreeSet::new();
        let mut from = 0;
        loop {
            let page = self.store.messages(from).take(PAGE);
            let page: Vec<Message<Waiting>> = page.collect::<Result<_, _>>()?;
            let Some(last) = page.last() else {
                if left.waiting == 0 {
                    self.down.clear();
                }
                return Ok(left);
            };
            from = last.number.saturating_add(1);
            for message in page {
                let delivered = self.give(message, &all, &mut held).await?;
                left.waiting += u64::from(!delivered);
                if self.down.contains_key(&(Channel::Stdout, None)) {
                    left.unread = true;
                    return Ok(left);
                }
            }
        }
    }

    /// Gives a message to the channels that lack it; true once all have it and it is gone from the store.
    async fn give(
        &mut self,
        mut message: Message<Waiting>,
        all: &BTreeSet<Channel>,
        held: &mut BTreeSet<(Channel, String)>,
    ) -> Result<bool, Failure> {
        let case = message.content.alert.case.clone();
        let before = message.content.given.len();
        for channel in all {
            let hold = (*channel, case.clone());
            if message.content.given.contains(channel) || held.contains(&hold) {
                continue;
            }
            let id = message.content.alert.id.clone();
            let (whole, own) = ((*channel, None), (*channel, Some(id)));
            if self.rests(&whole) {
                held.insert(hold);
                continue;
            }
            if self.rests(&own) {
                continue;
            }
            match self.offer(*channel, &message.content.alert).await? {
                Ok(()) => {
                    self.is_up(&own);
                    self.is_up(&whole);
                    message.content.given.insert(*channel);
                }
                Err(Setback::Refused(reason)) => {
                    self.is_up(&whole);
                    self.is_down(own, &reason);
                }
                Err(Setback::Down(reason)) => {
                    self.is_down(whole, &reason);
                    held.insert(hold);
                }
            }
        }
        if !all.is_empty() && all.is_subset(&message.content.given) {
            self.store.remove_message(message.number)?;
            return Ok(true);
        }
        if message.content.given.len() > before {
            self.store.put_message(&message)?;
        }
        Ok(false)
    }

    async fn offer(&self, channel: Channel, alert: &Alert) -> Result<Result<(), Setback>, Failure> {
        let line = alert.to_line()? + "\n";
        Ok(match channel {
            Channel::Stdout => {
                if write_on(line.as_bytes())? {
                    Ok(())
                } else {
                    Err(Setback::Down(
                        "nobody reads standard output any more".into(),
                    ))
                }
            }
            Channel::Webhook => match &self.channels.webhook {
                Some(webhook) => {
                    let sent = webhook.send(&alert.id, now().0, line.into_bytes()).await;
                    sent.map_err(|error| match error {
                        WebhookError::Later { .. } => Setback::Down(error.to_string()),
                        WebhookError::Refused { .. } => Setback::Refused(error.to_string()),
                    })
                }
                None => Ok(()),
            },
            Channel::Screen => {
                self.channels.screen.iter().for_each(|show| show(alert));
                Ok(())
            }
            Channel::Command => match &self.channels.command {
                Some(command) => command.give(&line).await.map_err(Setback::Down),
                None => Ok(()),
            },
        })
    }

    fn is_up(&mut self, line: &Line) {
        if self.down.remove(line).is_some() && line.1.is_none() {
            say(&format!("{} takes alerts again", name(line.0)));
        }
    }

    /// Notes a failure; said once for each outage.
    fn is_down(&mut self, line: Line, reason: &str) {
        let failures = self.down.get(&line).map_or(0, |outage| outage.failures);
        if failures == 0 {
            say(&format!("{reason}; alerts wait and are sent again"));
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(16));
        let outage = Outage {
            failures: failures.saturating_add(1),
            again: Instant::now() + pause.min(LONGEST_PAUSE),
        };
        self.down.insert(line, outage);
    }
}

fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Stdout => "standard output",
        Channel::Webhook => "the webhook",
        Channel::Command => "the command",
        Channel::Screen => "the screen",
    }
}
