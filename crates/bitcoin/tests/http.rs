//! The HTTP wire against servers that lie, stall, cut and refuse, over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "where a server cannot be asked the test has failed"
)]

mod hostile;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hansel_ledger::{ErrorClass, SourceError};
use hansel_wire::{ClientError, Credentials, HttpOptions, HttpWire, Limits, Paces, Request, Wire};
use hostile::{Hostile, reply};
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};
use url::Url;

fn quick() -> Limits {
    Limits {
        retries: 2,
        back_off: Duration::from_millis(5),
        ..Limits::default()
    }
}

fn wire_at(base: &Url, limits: Limits) -> HttpWire {
    let options = HttpOptions {
        limits,
        ..HttpOptions::default()
    };
    HttpWire::new(base, options, &Paces::default()).unwrap()
}

async fn get(wire: &HttpWire) -> Result<Vec<u8>, SourceError> {
    wire.send(&Request::get("/tx/00")).await
}

async fn failure(server: &Hostile, limits: Limits) -> SourceError {
    get(&wire_at(&server.url(), limits)).await.unwrap_err()
}

#[tokio::test]
async fn a_body_comes_back_unchanged_and_is_counted() {
    let server = Hostile::saying(reply("200 OK", "", r#"{"a": 1 }"#)).await;
    let base = server.url().join("/api/").unwrap();
    let wire = wire_at(&base, quick());
    assert_eq!(get(&wire).await.unwrap(), br#"{"a": 1 }"#);
    assert!(server.requests()[0].starts_with("GET /api/tx/00 HTTP/1.1\r\n"));
    let activity = wire.activity();
    assert_eq!(activity.endpoint, format!("127.0.0.1:{}", server.port));
    assert_eq!(
        (
            activity.requests,
            activity.answered,
            activity.retries,
            activity.bytes
        ),
        (1, 1, 0, 9)
    );
}

#[tokio::test]
async fn a_cut_connection_is_tried_again_and_then_unreachable() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":";
    let server = Hostile::saying(cut).await;
    let wire = wire_at(&server.url(), quick());
    let error = get(&wire).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unreachable, "{error}");
    assert!(error.detail.contains("cut off"), "{error}");
    assert_eq!(server.requests().len(), 3);
    let activity = wire.activity();
    assert_eq!(
        (activity.requests, activity.answered, activity.retries),
        (3, 0, 2)
    );
    assert_eq!(activity.failures, [("unreachable".to_owned(), 1)]);
}

#[tokio::test]
async fn an_answer_in_pieces_that_never_ends_properly_is_not_taken_for_whole() {
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n";
    let error = failure(&Hostile::saying(cut).await, quick()).await;
    assert_eq!(error.class, ErrorClass::Unreachable, "{error}");
}

#[tokio::test]
async fn a_passing_failure_is_survived() {
    let server = Hostile::start(async |number, _| match number {
        0 => Vec::new(),
        1 => reply("503 Service Unavailable", "", "busy"),
        _ => reply("200 OK", "", "ok"),
    })
    .await;
    assert_eq!(get(&wire_at(&server.url(), quick())).await.unwrap(), b"ok");
}

#[tokio::test]
async fn too_long_a_body_is_refused_announced_or_not() {
    let limits = Limits {
        longest_body: 1_000,
        ..quick()
    };
    let announced = Hostile::saying(reply("200 OK", "", &" ".repeat(1_001))).await;
    let error = failure(&announced, limits).await;
    assert_eq!(error.class, ErrorClass::Malformed);
    assert_eq!(error.detail, "an answer longer than 1000 bytes");
    let chunk = format!("400\r\n{}\r\n", " ".repeat(1_024));
    let body = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        chunk.repeat(1_000)
    );
    let unannounced = Hostile::saying(body).await;
    assert_eq!(
        failure(&unannounced, limits).await.class,
        ErrorClass::Malformed
    );
    assert_eq!(unannounced.requests().len(), 1, "it is not asked for again");
}

#[tokio::test]
async fn a_web_page_is_not_an_answer() {
    let page = reply(
        "200 OK",
        "Content-Type: text/html\r\n",
        "<p>Please wait</p>",
    );
    let error = failure(&Hostile::saying(page).await, quick()).await;
    assert_eq!(error.class, ErrorClass::Malformed);
    assert!(error.detail.contains("HTML"), "{error}");
}

#[tokio::test]
async fn redirects_are_followed_three_times_and_never_to_another_host() {
    let round = Hostile::saying(reply("302 Found", "Location: /tx/00\r\n", "")).await;
    let error = failure(&round, quick()).await;
    assert_eq!(error.class, ErrorClass::Malformed);
    assert_eq!(error.detail, "redirected more than 3 times");
    assert_eq!(round.requests().len(), 4);

    let other = Hostile::saying(reply("200 OK", "", "stolen")).await;
    let location = format!("Location: http://127.0.0.1:{}/x\r\n", other.port);
    let away = Hostile::saying(reply("301 Moved Permanently", &location, "")).await;
    let error = failure(&away, quick()).await;
    assert!(error.detail.contains("another origin"), "{error}");
    assert_eq!(other.requests().len(), 0);

    let once = Hostile::start(async |number, _| match number {
        0 => reply("307 Temporary Redirect", "Location: /elsewhere\r\n", ""),
        _ => reply("200 OK", "", "ok"),
    })
    .await;
    assert_eq!(get(&wire_at(&once.url(), quick())).await.unwrap(), b"ok");
}

#[tokio::test]
async fn what_does_not_exist_is_asked_for_once() {
    let server = Hostile::saying(reply("404 Not Found", "", "Transaction not found")).await;
    let error = failure(&server, quick()).await;
    assert_eq!(error.class, ErrorClass::NotFound);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_kept_by_all_requests_to_the_host() {
    let server = Hostile::start(async |number, _| match number {
        0 => reply("429 Too Many Requests", "Retry-After: 1\r\n", ""),
        _ => reply("200 OK", "", "ok"),
    })
    .await;
    let paces = Paces::default();
    let open = || HttpWire::new(&server.url(), HttpOptions::default(), &paces).unwrap();
    let (told, other) = (open(), open());
    let started = Instant::now();
    let late = async {
        sleep(Duration::from_millis(300)).await;
        other.send(&Request::get("/late")).await.unwrap();
        started.elapsed()
    };
    let (first, late) = tokio::join!(get(&told), late);
    assert_eq!(first.unwrap(), b"ok");
    assert!(late >= Duration::from_millis(1_000), "{late:?}");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_storm_of_refusals_ends_in_a_typed_failure_for_everybody_waiting() {
    let refusal = reply("429 Too Many Requests", "Retry-After: 86400\r\n", "");
    let server = Hostile::saying(refusal).await;
    let limits = Limits {
        concurrency: 2,
        longest_pause: Duration::from_millis(50),
        ..quick()
    };
    let wire = wire_at(&server.url(), limits);
    let started = Instant::now();
    let outcomes = join_all((0..100).map(|_| get(&wire))).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().class, ErrorClass::RateLimited);
    }
    // The server asks for a day, and each of the hundred could ask six times.
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    let sent = server.requests().len();
    assert!(sent <= 20, "{sent}");
    assert_eq!(wire.activity().requests, u64::try_from(sent).unwrap());
}

#[tokio::test]
async fn a_silent_server_is_given_up_in_time() {
    let server = Hostile::start(async |_, _| {
        sleep(Duration::from_secs(60)).await;
        Vec::new()
    })
    .await;
    let limits = Limits {
        idle_timeout: Duration::from_millis(100),
        ..quick()
    };
    let error = failure(&server, limits).await;
    assert_eq!(error.class, ErrorClass::Unreachable);
    assert_eq!(error.detail, "no answer in time");
}

#[tokio::test]
async fn a_server_that_drips_does_not_hold_a_request_for_ever() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                let _head = stream.read(&mut buffer).await;
                let start = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
                let mut sent = tokio::io::AsyncWriteExt::write_all(&mut stream, start).await;
                while sent.is_ok() {
                    sleep(Duration::from_millis(20)).await;
                    sent = tokio::io::AsyncWriteExt::write_all(&mut stream, b" ").await;
                }
            });
        }
    });
    let limits = Limits {
        timeout: Duration::from_millis(300),
        retries: 0,
        ..quick()
    };
    let started = Instant::now();
    let error = get(&wire_at(&base.parse().unwrap(), limits))
        .await
        .unwrap_err();
    assert_eq!(error.class, ErrorClass::Unreachable);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn no_server_at_all_is_unreachable_and_those_who_wait_are_told_soon() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base: Url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let limits = Limits {
        back_off: Duration::from_millis(200),
        ..quick()
    };
    let wire = wire_at(&base, limits);
    let started = Instant::now();
    let outcomes = join_all((0..200).map(|_| get(&wire))).await;
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!(error.class, ErrorClass::Unreachable);
        assert!(!error.detail.contains("127.0.0.1"), "{error}");
    }
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn as_many_requests_as_allowed_are_under_way_and_never_more() {
    let server = Hostile::start(async |_, _| {
        sleep(Duration::from_millis(50)).await;
        reply("200 OK", "", "ok")
    })
    .await;
    let limits = Limits {
        concurrency: 5,
        ..quick()
    };
    let wire = wire_at(&server.url(), limits);
    let outcomes = join_all((0..50).map(|_| get(&wire))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(server.peak(), 5);
}

#[tokio::test]
async fn requests_above_what_the_server_bears_all_succeed_in_the_end() {
    let busy = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let server = Hostile::start(move |_, _| {
        let busy = busy.clone();
        async move {
            use std::sync::atomic::Ordering::SeqCst;
            let reply = if busy.fetch_add(1, SeqCst) >= 3 {
                reply("429 Too Many Requests", "", "")
            } else {
                sleep(Duration::from_millis(10)).await;
                reply("200 OK", "", "ok")
            };
            busy.fetch_sub(1, SeqCst);
            reply
        }
    })
    .await;
    let limits = Limits {
        concurrency: 16,
        retries: 5,
        ..quick()
    };
    let wire = wire_at(&server.url(), limits);
    let outcomes = join_all((0..300).map(|_| get(&wire))).await;
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(failed, 0, "of 300");
}

#[tokio::test]
async fn the_rate_of_a_host_holds_for_all_its_endpoints() {
    let server = Hostile::saying(reply("200 OK", "", "ok")).await;
    let paces = Paces::default();
    let open = || {
        let limits = Limits {
            requests_per_second: NonZeroU32::new(20),
            ..quick()
        };
        let options = HttpOptions {
            limits,
            ..HttpOptions::default()
        };
        HttpWire::new(&server.url(), options, &paces).unwrap()
    };
    let wires = [open(), open()];
    let started = Instant::now();
    join_all((0..40).map(|n| get(&wires[n % 2]))).await;
    assert!(
        started.elapsed() >= Duration::from_millis(950),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_call_is_posted_with_credentials_that_are_never_shown() {
    let answer = r#"{"result":null,"error":{"code":-5,"message":"No such"},"id":"hansel"}"#;
    let server = Hostile::saying(reply("500 Internal Server Error", "", answer)).await;
    let options = HttpOptions {
        credentials: Some(Credentials::new("alice", "hunter2")),
        ..HttpOptions::default()
    };
    let shown = format!("{options:?}");
    let wire = HttpWire::new(&server.url(), options, &Paces::default()).unwrap();
    let call = Request::call("getblock", &serde_json::json!(["00", 3]));
    assert_eq!(wire.send(&call).await.unwrap(), answer.as_bytes());
    let sent = server.requests().remove(0).to_ascii_lowercase();
    assert!(sent.starts_with("post / http/1.1"), "{sent}");
    assert!(
        sent.contains("authorization: basic ywxpy2u6ahvudgvymg=="),
        "{sent}"
    );

    let refusing = Hostile::saying(reply("401 Unauthorized", "", "")).await;
    let options = HttpOptions {
        credentials: Some(Credentials::new("alice", "hunter2")),
        ..HttpOptions::default()
    };
    let keyed = refusing.url().join("/hunter2key").unwrap();
    let refused = HttpWire::new(&keyed, options, &Paces::default()).unwrap();
    let error = refused.send(&call).await.unwrap_err();
    let texts = format!(
        "{shown} {wire:?} {refused:?} {error} {error:?} {:?}",
        refused.activity()
    );
    assert!(
        !texts.contains("hunter2") && !texts.contains("alice"),
        "{texts}"
    );
}

#[tokio::test]
async fn a_proxy_is_asked_instead_of_the_endpoint() {
    let proxy = Hostile::saying(reply("200 OK", "", "by proxy")).await;
    let options = HttpOptions {
        proxy: Some(proxy.url()),
        ..HttpOptions::default()
    };
    let base = "http://endpoint.invalid/api".parse().unwrap();
    let wire = HttpWire::new(&base, options, &Paces::default()).unwrap();
    assert_eq!(get(&wire).await.unwrap(), b"by proxy");
    assert!(proxy.requests()[0].starts_with("GET http://endpoint.invalid/api/tx/00 "));
}

#[tokio::test]
async fn a_name_is_resolved_by_the_socks_proxy() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("socks5://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 512];
        let _greeting = stream.read(&mut buffer).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &[5, 0])
            .await
            .unwrap();
        let length = stream.read(&mut buffer).await.unwrap();
        buffer[..length].to_vec()
    });
    let options = HttpOptions {
        limits: Limits {
            retries: 0,
            ..quick()
        },
        proxy: Some(proxy.parse().unwrap()),
        ..HttpOptions::default()
    };
    let base = "http://endpoint.invalid/api".parse().unwrap();
    let wire = HttpWire::new(&base, options, &Paces::default()).unwrap();
    let error = get(&wire).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unreachable, "{error}");
    let command = timeout(Duration::from_secs(5), asked)
        .await
        .unwrap()
        .unwrap();
    // Connect, to a name.
    assert_eq!(command[..4], [5, 1, 0, 3]);
    assert!(
        command
            .windows(16)
            .any(|bytes| bytes == b"endpoint.invalid")
    );
}

#[tokio::test]
async fn a_request_cannot_climb_above_the_base() {
    let server = Hostile::saying(reply("200 OK", "", "secret")).await;
    let wire = wire_at(&server.url().join("/api").unwrap(), quick());
    for path in ["/../admin", "x", "//../../etc"] {
        let error = wire.send(&Request::get(path)).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Unsupported, "{path}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_unreachable_over_https() {
    let server = Hostile::saying(reply("200 OK", "", "plain")).await;
    let base: Url = format!("https://127.0.0.1:{}", server.port)
        .parse()
        .unwrap();
    let options = HttpOptions {
        limits: Limits {
            connect_timeout: Duration::from_millis(500),
            ..quick()
        },
        ..HttpOptions::default()
    };
    match HttpWire::new(&base, options, &Paces::default()) {
        Ok(wire) => {
            let error = get(&wire).await.unwrap_err();
            assert_eq!(error.class, ErrorClass::Unreachable, "{error}");
        }
        // A system without root certificates has no HTTPS, and is told so.
        Err(error) => assert!(matches!(error, ClientError::Build(_)), "{error}"),
    }
}
