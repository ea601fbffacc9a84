//! The snippets of an application's page work exactly as shown.

use std::{
    io::{ErrorKind, Write},
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use pusher_lite::auth::Permissions;
use serde_json::{Value, json};

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

/// The caption of the snippet that signs a JWT, the program that runs it, and the heading of the same code in the guide.
const SIGNING: [(&str, &str, &str); 5] = [
    ("sign.mjs", "node --input-type=module -", "Node.js"),
    ("sign.py", "python3 -", "Python"),
    ("sign.rb", "ruby -", "Ruby"),
    ("sign.php", "php", "PHP"),
    ("sign.sh", "sh -", "Shell"),
];

const GUIDE: &str = include_str!("../../../docs/signed-jwts.md");

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
            Some(_) => {
                let payload = json!({"name": "Ann", "message": "Hello"});
                assert_eq!(socket.message().await, json!([null, null, topic, "new_message", payload]), "{name}");
            }
            None => leave_out(&format!("the snippet for {name}"), &format!("There is no {program}")),
        }
    }
}

web_test!(every_signing_snippet_opens_a_socket);
async fn every_signing_snippet_opens_a_socket(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let authorization = format!("authorization: Bearer {}", server.jwt(ADMIN, Permissions::ADMIN));
    let rest = |method: &'static str, what: &str, body: &'static str| {
        let path = format!("/api/organizations/acme-inc/applications/{TEST_APP}/{what}");
        let headers = [authorization.clone(), "content-type: application/json".to_owned()];
        let server = &server;
        async move { server.request(method, &path, &headers.each_ref().map(String::as_str), body).await.json() }
    };
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let notice = "does not accept such JWTs yet";
    assert!(admin.get(&test_app()).await.body().contains(notice));
    let secret = rest("POST", "secret", "").await["data"]["app_secret"].as_str().unwrap().to_owned();
    assert!(admin.get(&test_app()).await.body().contains(notice), "the access rules do not");
    rest("PUT", "policy", r#"{"policy":{"accepts_signed":true,"named_topics":["*"]}}"#).await;
    let page = admin.get(&test_app()).await;
    assert!(!page.body().contains(notice));
    let page = unescaped(&page);
    for (name, program, _) in SIGNING {
        let Some(jwt) = signed(&page, name, program, &secret).await else { continue };
        assert_eq!(Socket::open(&server, &jwt, TEST_APP, "bob").await.err(), Some(403), "{name}");
        let mut socket = Socket::open(&server, &jwt, TEST_APP, "ann").await.unwrap();
        socket.join(&format!("lobby:{TEST_APP}:general")).await;
        socket.send(json!(["2", "2", format!("lobby:{TEST_APP}:other"), "phx_join", {}])).await;
        assert_eq!(socket.message().await[4]["response"]["reason"], "topic not in JWT", "{name}");
    }
}

web_test!(signing_snippets_name_every_application);
async fn signing_snippets_name_every_application(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let app_key = r#"a"'\'`#{1}$x %s\n</script>é"#;
    database
        .execute(&format!("UPDATE applications SET app_key = '{}' WHERE id = 1", app_key.replace('\'', "''")))
        .await;
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let page = unescaped(&admin.get(&format!("{}/applications/1", super::ACME)).await);
    for (name, program, _) in SIGNING {
        let Some(jwt) = signed(&page, name, program, "secret").await else { continue };
        let header = BASE64_URL_SAFE_NO_PAD.decode(jwt.split_once('.').unwrap().0).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&header).unwrap()["kid"], app_key, "{name}");
    }
}

web_test!(the_guide_signs_as_the_page_does);
async fn the_guide_signs_as_the_page_does(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let page = unescaped(&Visitor::sign_in(&server, ADMIN).await.get(&test_app()).await);
    for (name, _, heading) in SIGNING {
        let code = snippet(&page, name).replace(TEST_APP, "YOUR_APP_KEY");
        let (_, section) = GUIDE.split_once(&format!("\n### {heading}\n\n```")).unwrap();
        let (_, block) = section.split_once('\n').unwrap();
        assert_eq!(block.split_once("\n```\n").unwrap().0, code.trim_end(), "{heading} in docs/signed-jwts.md");
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

/// The JWT that a snippet prints; `None`, and a report, when there is no such program.
async fn signed(page: &str, name: &str, program: &'static str, secret: &str) -> Option<String> {
    let code = snippet(page, name).replace("YOUR_APP_SECRET", secret);
    let printed = tokio::task::spawn_blocking(move || run(program, &code)).await.unwrap();
    if printed.is_none() {
        leave_out(&format!("the snippet {name}"), &format!("There is no {program}"));
    }
    printed.map(|line| line.trim_end().to_owned())
}

/// The code under this caption.
fn snippet(page: &str, caption: &str) -> String {
    let start = format!("<figcaption>{caption}</figcaption>");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("there is no snippet {caption}"));
    let (_, rest) = rest.split_once("<code>").unwrap();
    rest.split_once("</code>").unwrap().0.to_owned()
}

/// Runs code that the program reads from its standard input, and returns what it prints; `None` when there is no such program.
fn run(program: &str, code: &str) -> Option<String> {
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
    Some(String::from_utf8(output.stdout).unwrap())
}
