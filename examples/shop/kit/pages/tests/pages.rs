//! The pages as a browser, and what should not reach them, meet them: by bytes on a connection.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use kit_pages::{Pages, Service, Site};

/// Pages of one service that listens at a port; where the workspace is, the kit is.
fn show(service: u16) -> u16 {
    let pages = Pages::listen(0).unwrap();
    let port = pages.port().unwrap();
    let documents = &["kit/pages/openapi.json", "kit/pages/orders.graphql", "kit/pages/Cargo.toml"];
    let services = vec![Service { name: "orders", port: service, documents }];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    pages.show(Site { root, name: "shop", services }).unwrap();
    port
}

fn send(port: u16, request: &[u8]) -> TcpStream {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    connection.write_all(request).unwrap();
    connection
}

fn whole(mut connection: TcpStream) -> String {
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// What is answered to one line and some headers.
fn asked(port: u16, line: &str, headers: &str) -> String {
    whole(send(port, format!("{line} HTTP/1.1\r\n{headers}\r\n").as_bytes()))
}

fn get(port: u16, path: &str) -> String {
    asked(port, &format!("GET {path}"), &format!("host: 127.0.0.1:{port}\r\n"))
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("")
}

/// A service that takes one connection as `serve` does.
fn service(serve: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(listener.accept().unwrap().0));
    port
}

/// What has come up to the end of a head.
fn head(connection: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        assert_eq!(connection.read(&mut byte).unwrap(), 1);
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn other_machines_do_not_reach_them() {
    let port = show(1);
    assert_eq!(status(&get(port, "/")), "200");
    // The address by which others know this machine. Nothing is sent.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    if socket.connect("192.0.2.1:9").is_ok() {
        let outside = socket.local_addr().unwrap().ip();
        assert!(outside.is_loopback() || TcpStream::connect((outside, port)).is_err(), "{outside}:{port} answers");
    }
}

#[test]
fn they_are_there_under_their_own_name_only() {
    let port = show(1);
    for (hosts, expected) in [
        (format!("host: 127.0.0.1:{port}\r\n"), "200"),
        (format!("host: localhost:{port}\r\n"), "200"),
        (format!("host: rebound.example:{port}\r\n"), "421"),
        (format!("host: 127.0.0.1.rebound.example:{port}\r\n"), "421"),
        ("host: 127.0.0.1\r\n".to_owned(), "421"),
        (format!("host: 127.0.0.1:{}\r\n", port ^ 1), "421"),
        (format!("host: 127.0.0.1:{port}\r\nhost: rebound.example\r\n"), "421"),
        (String::new(), "421"),
    ] {
        for path in ["/", "/site.json", "/kit/pages/openapi", "/services/orders/api/v1/orders"] {
            let answer = asked(port, &format!("GET {path}"), &hosts);
            let expected = if expected == "200" && path.contains("/api/") { "502" } else { expected };
            assert_eq!(status(&answer), expected, "{hosts}{path}");
        }
    }
}

#[test]
fn pages_of_other_origins_call_nothing() {
    let port = show(1);
    let own = format!("origin: http://127.0.0.1:{port}\r\n");
    let of = |site: &str, mode: &str| format!("sec-fetch-site: {site}\r\nsec-fetch-mode: {mode}\r\n");
    // What is asked, then what a page answers and what a call of a service is answered; 502: it would have been called.
    for (headers, page, call) in [
        (own.clone(), "200", "502"),
        (of("same-origin", "cors"), "200", "502"),
        (of("none", "navigate"), "200", "502"),
        (of("cross-site", "navigate"), "200", "403"),
        (of("same-site", "navigate"), "200", "403"),
        (of("cross-site", "no-cors"), "403", "403"),
        (of("same-site", "cors"), "403", "403"),
        ("sec-fetch-site: cross-site\r\n".to_owned(), "403", "403"),
        ("origin: https://elsewhere.example\r\n".to_owned(), "403", "403"),
        ("origin: null\r\n".to_owned(), "403", "403"),
        (format!("origin: http://localhost:{port}\r\n"), "403", "403"),
        (format!("{own}origin: https://elsewhere.example\r\n"), "403", "403"),
    ] {
        let headers = format!("host: 127.0.0.1:{port}\r\n{headers}");
        assert_eq!(status(&asked(port, "GET /", &headers)), page, "{headers}");
        assert_eq!(status(&asked(port, "POST /services/orders/api/v1/orders", &headers)), call, "{headers}");
    }
}

#[test]
fn what_is_listed_is_shown_and_nothing_else() {
    let port = show(1);
    let site = get(port, "/site.json");
    assert!(site.contains(r#""path":"/services/orders/graphiql","document":null"#), "{site}");
    assert!(site.contains(r#""path":"/kit/pages/openapi","document":"/kit/pages/openapi.json""#), "{site}");
    assert!(get(port, "/kit/pages/Cargo.toml").contains("\r\n\r\n[package]\nname = \"kit-pages\""));
    for (path, expected) in [
        ("/kit/pages/openapi", "200"),
        ("/services/orders/graphiql?x=y", "200"),
        ("/kit/pages/Cargo", "200"),
        // It is listed, and is not there.
        ("/kit/pages/openapi.json", "404"),
        ("/kit/pages/src/lib.rs", "404"),
        ("/kit/Cargo.toml", "404"),
        ("/../Cargo.toml", "404"),
        ("/libraries/../Cargo.toml", "404"),
        ("/libraries/react/LICENSE", "404"),
        ("/services/others/api/", "404"),
        ("/services/orders/apis", "404"),
        ("//kit/pages/openapi", "404"),
    ] {
        assert_eq!(status(&get(port, path)), expected, "{path}");
    }
}

#[test]
fn pages_are_whole_and_run_nothing_but_themselves() {
    let port = show(1);
    for path in ["/", "/kit/pages/openapi", "/services/orders/graphiql", "/kit/pages/Cargo"] {
        let page = get(port, path);
        let (head, body) = page.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("script-src 'self'; ") && head.contains("connect-src 'self'; "), "{head}");
        assert!(head.contains("frame-ancestors 'none'") && head.contains("nosniff"), "{head}");
        assert!(!head.contains("unsafe-inline") || head.contains("style-src 'self' 'unsafe-inline'"), "{head}");
        let parts: Vec<&str> = body.split(['"']).filter(|part| part.starts_with('/')).collect();
        assert!(parts.len() >= 3, "{body}");
        for part in parts {
            let answer = get(port, part);
            assert_eq!(status(&answer), "200", "{part} of {path}");
            let script = answer.contains("content-type: text/javascript; charset=utf-8\r\n");
            assert_eq!(script, part.ends_with(".js"), "{part}");
        }
        assert!(!body.contains("<script>") && !body.contains("style=") && !body.contains("://"), "{body}");
    }
}

#[test]
fn a_call_reaches_the_service_as_if_it_came_from_nowhere() {
    let (tell, told) = mpsc::channel();
    let port = show(service(move |mut connection| {
        let head = head(&mut connection);
        let mut body = [0; 4];
        connection.read_exact(&mut body).unwrap();
        tell.send((head, body)).unwrap();
        let answer = "HTTP/1.1 201 Created\r\ncontent-type: text/html\r\nset-cookie: a=b\r\nlocation: /v1/orders/7\r\n\
             content-security-policy: script-src *\r\ncontent-length: 2\r\n\r\nok";
        connection.write_all(answer.as_bytes()).unwrap();
    }));
    let own = format!("host: localhost:{port}\r\norigin: http://localhost:{port}\r\n");
    let headers = format!(
        "{own}sec-fetch-site: same-origin\r\ncookie: other=1\r\nreferer: http://x\r\nexpect: 100-continue\r\n\
         connection: keep-alive\r\nAuthorization: Bearer x\r\ncontent-length: 4\r\n"
    );
    let request = format!("POST /services/orders/api/v1/orders?a=b%20c HTTP/1.1\r\n{headers}\r\nbo");
    let mut connection = send(port, request.as_bytes());
    connection.write_all(b"dy").unwrap();
    let answer = whole(connection);
    let (head, body) = told.recv().unwrap();
    assert_eq!(&body, b"body");
    let mut lines: Vec<&str> = head.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "POST /v1/orders?a=b%20c HTTP/1.1");
    assert!(lines.remove(0).starts_with("host: 127.0.0.1:"));
    assert_eq!(lines, ["connection: close", "authorization: Bearer x", "content-length: 4"]);
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    assert!(answer.contains("location: /v1/orders/7\r\n") && !answer.contains("set-cookie"), "{answer}");
    let policies: Vec<&str> = answer.lines().filter(|line| line.starts_with("content-security-policy")).collect();
    assert_eq!(policies, ["content-security-policy: sandbox; default-src 'none'"]);
}

#[test]
fn streams_and_sockets_go_through_and_end_with_who_asked() {
    let (ended, end) = mpsc::channel();
    let port = show(service(move |mut connection| {
        let head = head(&mut connection);
        assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"), "{head}");
        connection.write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n").unwrap();
        let mut piece = [0; 2];
        for word in [b"ab", b"cd"] {
            connection.read_exact(&mut piece).unwrap();
            assert_eq!(&piece, word);
            connection.write_all(&piece).unwrap();
        }
        ended.send(connection.read(&mut piece).unwrap()).unwrap();
    }));
    let request = format!(
        "GET /services/orders/api/graphql/ws HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: Upgrade\r\n\
         upgrade: websocket\r\n\r\n"
    );
    let mut connection = send(port, request.as_bytes());
    assert!(head(&mut connection).starts_with("HTTP/1.1 101 "));
    for word in [b"ab", b"cd"] {
        connection.write_all(word).unwrap();
        let mut piece = [0; 2];
        connection.read_exact(&mut piece).unwrap();
        assert_eq!(&piece, word);
    }
    drop(connection);
    assert_eq!(end.recv_timeout(Duration::from_secs(20)), Ok(0), "the service hears that nobody listens");
}

#[test]
fn what_is_no_request_is_told_so() {
    let port = show(1);
    let host = format!("host: 127.0.0.1:{port}\r\n");
    for (request, expected) in [
        (format!("GET / HTTP/1.1\r\n{host}\r\n"), "200"),
        (format!("HEAD / HTTP/1.1\r\n{host}\r\n"), "200"),
        (format!("POST / HTTP/1.1\r\n{host}\r\n"), "405"),
        (format!("GET / HTTP/1.0\r\n{host}\r\n"), "505"),
        (format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\n{host}\r\n"), "400"),
        ("\u{16}\u{3}\u{1}".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(66_000)), "431"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200)), "400"),
    ] {
        let mut connection = send(port, request.as_bytes());
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).unwrap();
        assert_eq!(&String::from_utf8_lossy(&answer)[9..], expected, "{request:.60}");
    }
    assert!(asked(port, "HEAD /", &host).ends_with("\r\n\r\n"));
}
