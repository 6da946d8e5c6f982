//! `hansel completions` and `hansel man`.

use clap::CommandFactory as _;

use crate::args::{Cli, Exit};
use crate::failure::Failure;
use crate::output::print;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hansel", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Complete)
}

/// Prints the manual page.
pub(crate) fn man() -> Result<Exit, Failure> {
    let command = Cli::command();
    let mut page = Vec::new();
    render(&command, &mut page)?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Complete)
}

/// A command, and the commands inside it.
fn render(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(page)?;
    command
        .get_subcommands()
        .try_for_each(|inner| render(inner, page))
}
