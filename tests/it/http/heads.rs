//! Valid and invalid request lines and headers.

use pusher_lite::http::Refusal;

use super::server::Server;
use crate::support::client::status;

#[tokio::test]
async fn methods_and_paths_that_nothing_answers_are_not_found() {
    let server = Server::start();
    for line in ["FOO /params/1", "TRACE /params/1", "OPTIONS *", "GET /nope", "GET /PARAMS/1", "DELETE /params/1"] {
        let answer = server.exchange(format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(status(&answer), 404, "{line}: {answer}");
    }
}

#[tokio::test]
async fn a_request_needs_one_host_from_http_1_1_on() {
    let server = Server::start();
    for (head, expected) in [
        ("GET /params/1 HTTP/1.1\r\nconnection: close\r\n\r\n", 400),
        ("GET /params/1 HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n", 400),
        ("GET /params/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 200),
        ("GET /params/1 HTTP/1.0\r\n\r\n", 200),
        ("GET http://a/params/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 200),
    ] {
        assert_eq!(status(&server.exchange(head).await), expected, "{head}");
    }
}

#[tokio::test]
async fn malformed_heads_are_bad_requests() {
    let server = Server::start();
    for head in [
        "GET /params/a%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /params/1?a=%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /params/%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /params/1\"{ HTTP/1.1\r\n: x\r\n\r\n",
        "GET  /params/1 HTTP/1.1\r\nhost x\r\n\r\n",
        "\x16\x03\x01 TLS to a plain port\r\n\r\n",
    ] {
        assert_eq!(status(&server.exchange(head).await), 400, "{head}");
    }
}

#[tokio::test]
async fn long_urls_are_taken_up_to_a_limit() {
    let server = Server::start();
    let request = |length: usize| {
        format!("GET /params/1?s={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "x".repeat(length))
    };
    assert_eq!(status(&server.exchange(request(16 * 1024)).await), 200);
    assert_eq!(status(&server.exchange(request(32 * 1024)).await), 200);
    assert!([414, 431].contains(&status(&server.exchange(request(66_000)).await)));
}

#[tokio::test]
async fn a_head_is_bounded() {
    let server = Server::start();
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "x".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: x\r\n".repeat(200));
    for head in [large, many] {
        let mut client = server.connect().await;
        client.send(&head).await;
        assert_eq!(status(&client.until("\r\n").await), 431);
        drop(client);
    }
    server.until_refused(&[Refusal::HeadTooLarge; 2]).await;
}

#[tokio::test]
async fn head_is_answered_like_get_without_the_body() {
    let server = Server::start();
    let get = server.exchange("GET /params/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let head = server.exchange("HEAD /params/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(get.ends_with("\r\n\r\n{\"id\":\"1\"}"), "{get}");
    assert!(head.contains("content-length: 10\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn connections_are_kept_and_requests_pipelined() {
    let server = Server::start();
    let mut client = server.connect().await;
    client.send("GET /params/1 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(client.answer().await.ends_with("{\"id\":\"1\"}"));
    client.send("GET /params/2 HTTP/1.1\r\nhost: x\r\n\r\nGET /params/3 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(client.answer().await.ends_with("{\"id\":\"2\"}"));
    assert!(client.answer().await.ends_with("{\"id\":\"3\"}"));
}

#[tokio::test]
async fn every_answer_says_how_to_cache_it() {
    let server = Server::start();
    let answer = server.exchange("GET /nope HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.contains("cache-control: max-age=0, private, must-revalidate\r\n"), "{answer}");
}
