//! Child processes that never outlive the tests that started them.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// A running program; killed and waited for when dropped, and by the kernel when the tests die first.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program whose output goes to the file `log`.
    pub(crate) fn start(program: &Path, arguments: &[String], log: PathBuf) -> io::Result<Self> {
        Self::start_adjusted(program, arguments, log, |_| {})
    }

    /// Starts a program as [`Process::start`] does, after `adjust` has set its directory or environment.
    pub(crate) fn start_adjusted(
        program: &Path,
        arguments: &[String],
        log: PathBuf,
        adjust: impl FnOnce(&mut Command),
    ) -> io::Result<Self> {
        let output = File::create(&log)?;
        let mut command = mortal(program);
        adjust(&mut command);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = start_on_lasting_thread(command)?;
        Ok(Self { child, log })
    }

    /// What the program said, if it has ended.
    pub(crate) fn obituary(&mut self) -> io::Result<Option<String>> {
        match self.child.try_wait()? {
            None => Ok(None),
            Some(status) => {
                let words = fs::read_to_string(&self.log)?;
                Ok(Some(format!("{status}: {}", words.trim())))
            }
        }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the child has ended already, which is what is wanted.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// A port that was free a moment ago. Another process may take it first, so callers retry.
pub(crate) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// A command that the kernel ends with its parent, where `setpriv` is installed.
///
/// `prctl(PR_SET_PDEATHSIG)` itself would need unsafe code; `setpriv` sets it and then becomes the program.
fn mortal(program: &Path) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.is_file() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command
}

type Job = (Command, Sender<io::Result<Child>>);

/// Starts a command from a thread that lives as long as the process.
///
/// The kernel sends the parent-death signal when the *thread* that started the child ends, and a test's own
/// thread may end while others still use the child.
fn start_on_lasting_thread(command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<Sender<Job>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, reply) in jobs {
                // A caller that went away drops the child's handle; the child then ends with the process.
                let _unheard = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, answer) = channel();
    let gone = |_| io::Error::other("the thread that starts programs is gone");
    starter.send((command, reply)).map_err(|_| gone(()))?;
    answer.recv().map_err(|_| gone(()))?
}
