//! Programs of others that read what this one wrote.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Leaves without taking the interpreter down: some modules' threads are still running then, and now and then it aborts.
const LEAVE: &str = "\nimport os, sys\nsys.stdout.flush()\nos._exit(0)";

/// Runs a Python script that needs a module, with `input` on its standard input; `None`, with a message, where the
/// module is not installed (`scripts/install-readers.sh` installs all of them).
pub(crate) fn python(module: &str, script: &str, input: &[u8]) -> Option<String> {
    let interpreter = [installed("readers-python"), Some("python3".into())];
    let knows = |python: &PathBuf| {
        let asked = Command::new(python)
            .args(["-c", &format!("import {module}{LEAVE}")])
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    let Some(python) = interpreter.into_iter().flatten().find(knows) else {
        eprintln!("skipped: Python with {module} is not installed");
        return None;
    };
    let script = format!("{script}{LEAVE}");
    Some(run(Command::new(python).args(["-c", &script]), input))
}

/// Runs a script of Node.js that needs a package; `None`, with a message, where it is not installed.
pub(crate) fn node(package: &str, script: &str, input: &[u8]) -> Option<String> {
    let Some(modules) = installed("readers-node") else {
        eprintln!("skipped: {package} for Node.js is not installed");
        return None;
    };
    let mut node = Command::new("node");
    Some(run(
        node.args(["-e", script]).env("NODE_PATH", modules),
        input,
    ))
}

fn installed(name: &str) -> Option<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let path = cache.or_else(home)?.join("hansel/bin").join(name);
    path.exists().then_some(path)
}

fn run(command: &mut Command, input: &[u8]) -> String {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A reader may answer before it has read all.
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    drop(writing.join().unwrap());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}
