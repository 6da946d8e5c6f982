//! A tokio runtime on a thread of its own, which ends when its server is dropped.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Runs a server on a free port of loopback until dropped.
#[derive(Debug)]
pub(crate) struct ServerThread {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ServerThread {
    /// Starts `serve` on a listener; it is dropped, with all its connections, when the server is.
    pub(crate) fn start<F, S>(serve: S) -> io::Result<Self>
    where
        S: FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || run(runtime, listener, serve, stopped));
        Ok(Self {
            port,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

fn run<F: Future<Output = ()>>(
    runtime: Runtime,
    listener: TcpListener,
    serve: impl FnOnce(tokio::net::TcpListener) -> F,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)
            .expect("the runtime is entered and the listener does not block");
        tokio::select! {
            () = serve(listener) => {}
            // An error means that the server was dropped without a word, which stops it too.
            _told = stopped => {}
        }
    });
    // Answers that are being delayed are not waited for.
    runtime.shutdown_background();
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _unheard = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ended = thread.join();
        }
    }
}
