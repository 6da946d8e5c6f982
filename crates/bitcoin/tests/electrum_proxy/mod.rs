//! Proxies in front of an Electrum server: one that tampers with answers, one that speaks SOCKS5.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of an answer.
pub(crate) enum Act {
    Pass,
    Say(String),
    Nothing,
    Cut,
}

type Tamper = dyn Fn(&Value, &Value) -> Act + Send + Sync;

/// A proxy that tampers with answers, given the request and the answer.
pub(crate) struct Proxy {
    pub(crate) port: u16,
}

impl Proxy {
    /// Starts a proxy to `server` that passes answers on in groups, each in reverse order after a
    /// notification; the handshake goes through alone.
    pub(crate) async fn start(
        server: u16,
        group: usize,
        tamper: impl Fn(&Value, &Value) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tamper: Arc<Tamper> = Arc::new(tamper);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await;
                tokio::spawn(pass(client, server.unwrap(), group, Arc::clone(&tamper)));
            }
        });
        Self { port }
    }
}

async fn pass(client: TcpStream, server: TcpStream, group: usize, tamper: Arc<Tamper>) {
    let (from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let requests: Arc<Mutex<HashMap<u64, Value>>> = Arc::default();
    let asked = Arc::clone(&requests);
    let forward = tokio::spawn(async move {
        let mut lines = BufReader::new(from_client).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let request: Value = serde_json::from_str(&line).unwrap();
            let id = request["id"].as_u64().unwrap();
            asked.lock().unwrap().insert(id, request);
            to_server
                .write_all(format!("{line}\n").as_bytes())
                .await
                .unwrap();
        }
    });
    let mut lines = BufReader::new(from_server).lines();
    let mut held = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer: Value = serde_json::from_str(&line).unwrap();
        let id = answer["id"].as_u64().unwrap();
        let request = requests.lock().unwrap().remove(&id).unwrap();
        match tamper(&request, &answer) {
            Act::Pass => held.push(line),
            Act::Say(words) => held.push(words),
            Act::Nothing => {}
            Act::Cut => break,
        }
        if held.len() < group && request["method"] != "server.version" {
            continue;
        }
        held.push(
            r#"{"jsonrpc":"2.0","method":"blockchain.headers.subscribe","params":[{}]}"#.into(),
        );
        while let Some(line) = held.pop() {
            let sent = to_client.write_all(format!("{line}\n").as_bytes()).await;
            if sent.is_err() {
                break;
            }
        }
    }
    forward.abort();
}

/// A SOCKS5 proxy that wants a user and a password (RFC 1928, RFC 1929).
pub(crate) struct Socks {
    pub(crate) port: u16,
    /// Connections let through.
    pub(crate) connections: Arc<AtomicU64>,
}

impl Socks {
    pub(crate) async fn start(user: &'static str, password: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections: Arc<AtomicU64> = Arc::default();
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    // A client that is refused hangs up.
                    let _ended = relay(client, user, password, &counted).await;
                });
            }
        });
        Self { port, connections }
    }
}

async fn relay(
    mut client: TcpStream,
    user: &str,
    password: &str,
    connections: &AtomicU64,
) -> std::io::Result<()> {
    let _version = client.read_u8().await?;
    counted_bytes(&mut client).await?;
    client.write_all(&[5, 2]).await?;
    let _version = client.read_u8().await?;
    let given = (
        counted_bytes(&mut client).await?,
        counted_bytes(&mut client).await?,
    );
    if given != (user.into(), password.into()) {
        return client.write_all(&[1, 1]).await;
    }
    client.write_all(&[1, 0]).await?;
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head[3] {
        1 => {
            let mut address = [0; 4];
            client.read_exact(&mut address).await?;
            Ipv4Addr::from(address).to_string()
        }
        _ => String::from_utf8(counted_bytes(&mut client).await?).unwrap(),
    };
    let port = client.read_u16().await?;
    let mut server = TcpStream::connect((host, port)).await?;
    connections.fetch_add(1, Ordering::Relaxed);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn counted_bytes(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let length = client.read_u8().await?;
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
