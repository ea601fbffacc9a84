//! A signed-in browser, without the sign-in page.

use pusher_lite::{
    store::{
        Transaction,
        sessions::{self, NewSession},
    },
    web::App,
};
use sha2::{Digest, Sha256};

use crate::support::server::{Answer, TestServer};

/// A browser with a session of this user.
pub(super) struct Browser<'a> {
    server: &'a TestServer,
    cookie: String,
    csrf_token: String,
}

impl<'a> Browser<'a> {
    /// Signs the user in.
    pub(super) async fn of(server: &'a TestServer, user_id: i32) -> Self {
        let id = format!("the session of user {user_id}").replace(' ', "-");
        begin(&server.app, &id, user_id).await;
        let signer = &server.app.accounts.signer;
        let cookie = format!("cookie: pusher_lite_session={}", signer.sign("session", &id));
        Self { server, cookie, csrf_token: signer.signature("form", &id) }
    }

    /// The answer at this path, without following where it leads.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.server.get(path, &[&self.cookie]).await
    }

    /// The page at this path, with slashes as they are, which templates write as entities.
    pub(super) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}: {answer:?}");
        answer.body().replace("&#x2f;", "/")
    }

    /// Sends a form. `_method` may be among the fields.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(path, "", fields).await
    }

    /// Sends a form of the page at `referer`.
    pub(super) async fn post_from(&self, path: &str, referer: &str, fields: &[(&str, &str)]) -> Answer {
        let body = self.form(fields);
        let referer = format!("referer: https://push.example.com:8443{referer}");
        let form = "content-type: application/x-www-form-urlencoded";
        self.server.request("POST", path, &[&self.cookie, form, &referer], &body).await
    }

    fn form(&self, fields: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("_csrf_token", &self.csrf_token).extend_pairs(fields).finish()
    }

    /// Sends a form, which must lead to `location`; the message that the next page shows.
    pub(super) async fn send(&self, path: &str, fields: &[(&str, &str)], location: &str) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!((answer.status(), answer.header("location")), (303, Some(location)), "{path}: {answer:?}");
        self.flash(&answer).await
    }

    /// The message that the page shows to which an answer leads.
    pub(super) async fn flash(&self, answer: &Answer) -> String {
        let flash = answer.header("set-cookie").expect("the answer leaves a message").split(';').next().unwrap();
        let page = self.server.get("/admin", &[&format!("{}; {flash}", self.cookie)]).await;
        let shown = page.body().split("class=\"flash").nth(1).unwrap_or_else(|| panic!("no message: {page:?}"));
        let text = shown.split("<span>").nth(1).and_then(|rest| rest.split("</span>").next());
        text.expect("the message is in a span").to_owned()
    }
}

async fn begin(app: &App, id: &str, user_id: i32) {
    let id_hash: String = Sha256::digest(id).iter().map(|byte| format!("{byte:02x}")).collect();
    let new = NewSession { id_hash: &id_hash, user_id, ip: "127.0.0.1", user_agent: None };
    app.db.record(async |tx: &mut Transaction<'_>| sessions::create(tx, &new).await).await.unwrap();
}
