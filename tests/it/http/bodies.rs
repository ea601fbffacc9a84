//! Bodies: their use, and their limits.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::server::Server;
use crate::support::client::status;

const LIMIT: usize = 8_000_000;

fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /params/1?q=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

async fn params(headers: &str, body: &str) -> String {
    let answer = Server::start().exchange(post(headers, body)).await;
    assert_eq!(status(&answer), 200, "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn bodies_become_parameters_by_their_content_type() {
    let multipart = "--X\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n";
    for (content_type, body, expected) in [
        ("application/json", r#"{"z":1e3,"a":-0,"a":1}"#, r#"{"q":"1","z":1e3,"a":-0,"a":1,"id":"1"}"#),
        ("application/json; charset=utf-8", r#"{"q":2}"#, r#"{"q":2,"id":"1"}"#),
        ("application/vnd.x+json", r#"{"id":"body"}"#, r#"{"q":"1","id":"1"}"#),
        ("application/json", "[1]", r#"{"q":"1","_json":[1],"id":"1"}"#),
        ("application/json", "", r#"{"q":"1","id":"1"}"#),
        (
            "application/x-www-form-urlencoded",
            "a[b]=1&a[c]=2&l[]=1",
            r#"{"q":"1","a":{"b":"1","c":"2"},"l":["1"],"id":"1"}"#,
        ),
        ("multipart/form-data; boundary=X", multipart, r#"{"q":"1","a":"1","id":"1"}"#),
        ("text/plain", "a=1", r#"{"q":"1","id":"1"}"#),
        ("garbage", "a=1", r#"{"q":"1","id":"1"}"#),
    ] {
        assert_eq!(
            params(&format!("content-type: {content_type}\r\n"), body).await,
            expected,
            "{content_type}: {body}"
        );
    }
    assert_eq!(params("", "a=1").await, r#"{"q":"1","id":"1"}"#);
}

#[tokio::test]
async fn malformed_bodies_are_bad_requests() {
    let server = Server::start();
    for (content_type, body) in [
        ("application/json", r#"{"token":"#),
        ("application/json", r#"{"a": "\ud800"}"#),
        ("application/x-www-form-urlencoded", "a=%zz"),
        ("multipart/form-data; boundary=X", "nonsense"),
        ("multipart/form-data", "--X--"),
    ] {
        let answer = server.exchange(post(&format!("content-type: {content_type}\r\n"), body)).await;
        assert_eq!(status(&answer), 400, "{content_type}: {body}");
    }
}

#[tokio::test]
async fn forms_choose_the_method() {
    let server = Server::start();
    for (path, content_type, body, expected) in [
        ("/put/1", "application/x-www-form-urlencoded", "_method=put", 200),
        ("/put/1", "application/json", r#"{"_method":"PUT"}"#, 200),
        ("/put/1?_method=put", "application/x-www-form-urlencoded", "", 404),
        ("/put/1", "application/x-www-form-urlencoded", "_method=get", 404),
        ("/params/1", "application/x-www-form-urlencoded", "_method=delete", 404),
    ] {
        let request = post(&format!("content-type: {content_type}\r\nx-http-method-override: PUT\r\n"), body);
        let answer = server.exchange(request.replace("/params/1?q=1", path)).await;
        assert_eq!(status(&answer), expected, "{path} {body}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_and_the_answer_arrives() {
    let server = Server::start();
    let body = |length: usize| format!("{{\"s\":\"{}\"}}", "x".repeat(length - 8));
    let json = "content-type: application/json\r\n";
    assert_eq!(status(&server.exchange(post(json, &body(LIMIT))).await), 200);
    assert_eq!(status(&server.exchange(post(json, &body(LIMIT + 1))).await), 413);
    assert_eq!(status(&server.exchange(post(json, &body(9_000_008))).await), 413);

    let large = body(9_000_008);
    let chunked = format!(
        "POST /params/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{json}transfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    assert_eq!(status(&server.exchange(chunked).await), 413);
}

/// The server would wait for ten seconds for the rest of a body that may be read.
#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_anything_of_the_body_comes() {
    let server = Server::start();
    let mut client = server.connect().await;
    let length = LIMIT + 1;
    client
        .send(format!(
            "POST /params/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        ))
        .await;
    let answer = tokio::time::timeout(Duration::from_secs(9), client.answer()).await;
    assert_eq!(status(&answer.expect("it does not wait for the body")), 413);
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on_or_not() {
    let server = Server::start();
    let head = |length: usize| {
        format!(
            "POST /params/1 HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut client = server.connect().await;
    client.send(head(LIMIT + 1)).await;
    assert_eq!(status(&client.answer().await), 413);

    let mut client = server.connect().await;
    client.send(head(2)).await;
    assert_eq!(status(&client.until("\r\n\r\n").await), 100);
    client.send("{}").await;
    assert_eq!(status(&client.answer().await), 200);
}

#[tokio::test]
async fn chunked_bodies_are_read_and_malformed_ones_refused() {
    let server = Server::start();
    let head = "POST /params/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = server.exchange(format!("{head}3\r\n{{\"a\r\n4\r\n\":1}}\r\n0\r\n\r\n")).await;
    assert!(answer.ends_with(r#"{"a":1,"id":"1"}"#), "{answer}");
    assert_eq!(status(&server.exchange(format!("{head}zz\r\n{{}}\r\n0\r\n\r\n")).await), 400);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_harms_nobody() {
    let server = Server::start();
    let mut client = server.connect().await;
    client
        .send("POST /params/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        .await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(status(&client.rest().await), 400);
    assert_eq!(params("", "").await, r#"{"q":"1","id":"1"}"#);
}

#[tokio::test]
async fn a_client_may_close_its_side_and_still_read() {
    let server = Server::start();
    let mut client = server.connect().await;
    client.send("GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    client.stream.shutdown().await.unwrap();
    server.gate.reached.notified().await;
    server.gate.open.notify_one();
    assert!(client.rest().await.ends_with("waited"));
}
