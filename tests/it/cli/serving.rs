//! A server, started, started again, and started twice.

use super::support::{Installation, exchange};

const DEMO: [(&str, &str); 1] = [("PUSHER_LITE_DEMO", "true")];

#[test]
fn demo_data_is_made_once_and_kept() {
    let installation = Installation::new();
    let mut first = installation.serve(&DEMO);
    let (token, app_key) = (first.word("Token"), first.word("app_key"));
    assert!(session(first.port(), &token).starts_with("HTTP/1.1 201"));
    assert!(first.stop(), "a stop by SIGTERM is a success");

    let mut second = installation.serve(&DEMO);
    assert_eq!((second.word("Token"), second.word("app_key")), (token, app_key));
}

#[test]
fn a_second_server_on_the_port_says_which_setting_to_change() {
    let installation = Installation::new();
    let mut running = installation.serve(&[]);
    let message = Installation::new().failure(&["--port", &running.port().to_string()], &[]);
    assert!(message.contains("is taken") && message.contains("PORT") && message.contains("--port"), "{message}");
}

#[test]
fn pages_show_the_address_that_a_trusted_proxy_was_asked_for() {
    let forwarded =
        "x-forwarded-proto: https\r\nx-forwarded-host: chat.example.com\r\nx-forwarded-for: 203.0.113.9\r\n";
    for (proxies, is_shown) in [("127.0.0.0/8", true), ("192.0.2.1", false), ("", false)] {
        let installation = Installation::new();
        let mut running = installation.serve(&[("PUSHER_LITE_TRUSTED_PROXIES", proxies)]);
        let page =
            exchange(running.port(), &format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{forwarded}\r\n"));
        assert_eq!(page.contains("https:&#x2f;&#x2f;chat.example.com"), is_shown, "{proxies:?}: {page}");
        assert!(running.stop());
        assert_eq!(installation.log().contains("client=203.0.113.9"), is_shown, "{proxies:?}");
    }
}

/// The answer to `POST /api/sessions`.
fn session(port: u16, token: &str) -> String {
    let path = format!("/api/sessions?token={token}");
    exchange(port, &format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"))
}
