//! `hansel watch`: cases that are followed, live on a terminal.

mod board;
mod screen;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, anyhow};

use super::Rescan;
use super::follow::Follow;
use crate::alerts::{Channels, Delivery, Watching};
use crate::args::{AlertArgs, Common, Exit, RescanArgs, WatchArgs};
use crate::config::Config;
use crate::drive::Interrupt;
use crate::failure::Failure;
use crate::{output, sources};
use board::Board;

/// Runs the command.
pub(crate) async fn run(common: &Common, args: WatchArgs) -> Result<Exit, Failure> {
    if !(io::stdout().is_terminal() && io::stdin().is_terminal()) {
        return Err(Failure::usage(
            anyhow!("hansel watch draws on a terminal, and there is none"),
            "use `hansel rescan --all --follow`, with --alert json where a program reads along",
        ));
    }
    // Lines on standard error would destroy the picture, and they are shown in it.
    let common = Common {
        quiet: true,
        ..common.clone()
    };
    let args = followed(args);
    let store = sources::store(&common)?;
    let config = Config::new(&common);
    let watching = Watching {
        store: &store,
        config: &config,
        dormant: args.alerts.dormant,
    };
    let board = Arc::new(Board::default());
    let shown = Arc::clone(&board);
    let channels = Channels::open(&args.alerts, &args.source)?;
    let delivery = Delivery::new(&store, channels.shown_by(move |alert| shown.alert(alert)));
    let rescan = Rescan::new(&common, &args, &store, &config, Some(&watching))?;
    let follow = Follow::new(&rescan, delivery, &*board)?;
    let screen = Screen::start(&board, &rescan.interrupt)?;
    let ran = follow.run().await;
    screen.end(&board)?;
    ran
}

/// Cases that are followed without a word on standard output.
fn followed(args: WatchArgs) -> RescanArgs {
    let WatchArgs {
        cases,
        blocks,
        every,
        webhook,
        exec,
        dormant,
        source,
    } = args;
    RescanArgs {
        all: cases.is_empty(),
        cases,
        blocks,
        follow: true,
        every,
        alerts: AlertArgs {
            alert: None,
            webhook,
            exec,
            dormant,
        },
        source,
    }
}

/// The picture, drawn by a thread of its own so that a long trace does not stop it.
struct Screen(JoinHandle<io::Result<()>>);

impl Screen {
    /// Takes the terminal over, and everything that is said.
    fn start(board: &Arc<Board>, interrupt: &Interrupt) -> Result<Self, Failure> {
        let mut terminal = ratatui::try_init().context("cannot draw on this terminal")?;
        let told = Arc::clone(board);
        output::hear(Some(Arc::new(move |text: &str| told.say(text))));
        let (board, interrupt) = (Arc::clone(board), interrupt.clone());
        Ok(Self(thread::spawn(move || {
            let drawn = screen::run(&mut terminal, &board, &interrupt);
            interrupt.stop();
            drawn
        })))
    }

    /// Gives the terminal back.
    fn end(self, board: &Board) -> Result<(), Failure> {
        board.close();
        let drawn = self.0.join();
        output::hear(None);
        ratatui::restore();
        match drawn {
            Ok(drawn) => Ok(drawn.context("cannot draw on this terminal")?),
            Err(_) => Err(anyhow!("the picture could not be drawn").into()),
        }
    }
}
