//! Hands messages to a command of the user, on its standard input.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use anyhow::anyhow;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;

use crate::failure::Failure;

/// How long the command may take for one message.
const PATIENCE: Duration = Duration::from_secs(60);

/// Variables that begin so may hold secrets of hansel, which are none of the command's business.
const OURS: &str = "HANSEL_";

/// A program with its arguments, which no shell sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    program: String,
    args: Vec<String>,
}

impl Command {
    /// Splits a command line as a shell would, without doing anything else that a shell does.
    pub(super) fn parse(line: &str) -> Result<Self, Failure> {
        let wrong = |cause| Failure::usage(cause, "as in --exec 'notify --title \"hansel\"'");
        let words = shlex::split(line);
        let words = words.ok_or_else(|| wrong(anyhow!("--exec has a quote that does not end")))?;
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        Ok(Self {
            program: program.ok_or_else(|| wrong(anyhow!("--exec names no program")))?,
            args: words.collect(),
        })
    }

    /// Runs the command with a message on its standard input; it has it once it ends with success.
    pub(super) async fn give(&self, line: &str) -> Result<(), String> {
        let program = self.program.escape_debug();
        let mut child = self
            .start()
            .map_err(|error| format!("cannot run {program}: {error}"))?;
        let ended = tokio::time::timeout(PATIENCE, fed(&mut child, line)).await;
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("{program} ended with {status}")),
            Ok(Err(error)) => Err(format!("{program} failed: {error}")),
            Err(_) => Err(format!("{program} did not end in {} s", PATIENCE.as_secs())),
        }
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = tokio::process::Command::new(&self.program);
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.as_encoded_bytes().starts_with(OURS.as_bytes())) {
            command.env_remove(name);
        }
        command
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }
}

async fn fed(child: &mut Child, line: &str) -> io::Result<std::process::ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(line.as_bytes()).await {
            // A command need not read what it is given.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written?,
        }
    }
    child.wait().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_into_words_and_nothing_of_it_is_expanded() {
        let command = Command::parse("notify --title 'two words' $HOME `id` ; rm *").unwrap();
        assert_eq!(command.program, "notify");
        let words = ["--title", "two words", "$HOME", "`id`", ";", "rm", "*"];
        assert_eq!(command.args, words);
        for wrong in ["", "  ", "''", "notify 'open"] {
            assert!(Command::parse(wrong).is_err(), "{wrong}");
        }
    }
}
