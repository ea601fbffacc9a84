//! The snippets of an application's page work exactly as shown.

use std::{
    io::{ErrorKind, Write},
    process::{Command, Stdio},
};

use pusher_lite::auth::Permissions;
use serde_json::json;

use super::{
    test_app,
    visitor::{Visitor, unescaped},
};
use crate::{
    api::{ADMIN, MEMBER, TEST_APP},
    support::{database::TestDatabase, left_out::leave_out, server::TestServer, socket::Socket},
};

/// The snippet's name, and the program that runs it.
const LANGUAGES: [(&str, &str); 5] = [
    ("curl", "sh -"),
    ("Node.js", "node --input-type=module -"),
    ("Python", "python3 -"),
    ("Ruby", "ruby -"),
    ("PHP", "php"),
];

web_test!(every_backend_snippet_publishes);
async fn every_backend_snippet_publishes(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let token = database.text("token", "user_tokens WHERE id = 1").await;
    let page = unescaped(&Visitor::sign_in(&server, ADMIN).await.get(&test_app()).await);
    let mut socket = Socket::open(&server, &server.jwt(MEMBER, Permissions::USER), TEST_APP, "me").await.unwrap();
    let topic = format!("lobby:{TEST_APP}:general");
    socket.join(&topic).await;
    for (name, program) in LANGUAGES {
        let code = snippet(&page, name).replace("YOUR_TOKEN", &token);
        let here = format!("http://{}", server.address);
        assert!(code.contains("https://push.example.com:8443"), "{code}");
        let code = code.replace("https://push.example.com:8443", &here);
        match tokio::task::spawn_blocking(move || run(program, &code)).await.unwrap() {
            Some(()) => {
                let payload = json!({"name": "Ann", "message": "Hello"});
                assert_eq!(socket.message().await, json!([null, null, topic, "new_message", payload]), "{name}");
            }
            None => leave_out(&format!("the snippet for {name}"), &format!("There is no {program}")),
        }
    }
}

web_test!(browser_snippets_name_the_application);
async fn browser_snippets_name_the_application(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let page = unescaped(&admin.get(&test_app()).await);
    for (name, line) in [
        ("Script tag", "<script src=\"https://push.example.com:8443/js/pusher.js\"></script>".to_owned()),
        ("Script tag", format!("new PusherLite(\"{TEST_APP}\", {{")),
        ("ES module", "import PusherLite from \"https://push.example.com:8443/js/pusher.mjs\";".to_owned()),
        ("npm", "new Socket(\"wss://push.example.com:8443/socket\", {".to_owned()),
        ("npm", format!("socket.channel(\"lobby:{TEST_APP}:general\");")),
    ] {
        assert!(snippet(&page, name).contains(&line), "{name}: {line}");
    }
    database.execute("UPDATE applications SET app_key = 'a\"</script>' WHERE id = 1").await;
    let page = unescaped(&admin.get(&format!("{}/applications/1", super::ACME)).await);
    assert!(snippet(&page, "Script tag").contains("new PusherLite(\"a\\\"\\u003c/script>\", {"), "{page}");
}

/// The code under this caption.
fn snippet(page: &str, caption: &str) -> String {
    let start = format!("<figcaption>{caption}</figcaption>");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("there is no snippet {caption}"));
    let (_, rest) = rest.split_once("<code>").unwrap();
    rest.split_once("</code>").unwrap().0.to_owned()
}

/// Runs code that the program reads from its standard input; `None` when there is no such program.
fn run(program: &str, code: &str) -> Option<()> {
    let mut words = program.split(' ');
    let mut command = Command::new(words.next().unwrap());
    let child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("{program} cannot be run: {error}"),
    };
    child.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}
