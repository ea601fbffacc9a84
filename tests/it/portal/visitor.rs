//! A signed-in browser.

use pusher_lite::{
    auth::Signer,
    store::sessions::{self, NewSession},
};
use sha2::{Digest, Sha256};

use crate::support::server::{Answer, TestServer};

pub(crate) struct Visitor<'a> {
    server: &'a TestServer,
    cookie: String,
    csrf_token: String,
}

impl<'a> Visitor<'a> {
    /// Signs a user in, without asking for a password.
    pub(crate) async fn sign_in(server: &'a TestServer, user_id: i32) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        let hash: String = Sha256::digest(&id).iter().map(|byte| format!("{byte:02x}")).collect();
        let session = NewSession { id_hash: &hash, user_id, ip: "127.0.0.1", user_agent: None };
        server.app.db.record(async |tx| sessions::create(tx, &session).await).await.unwrap();
        let signer: &Signer = &server.app.accounts.signer;
        let cookie = format!("cookie: pusher_lite_session={}", signer.sign("session", &id));
        Self { server, cookie, csrf_token: signer.signature("form", &id) }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.server.get(path, &[&self.cookie]).await
    }

    /// Sends a form, with its token. `method` is what the form says it is.
    pub(crate) async fn send(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_accepting("text/html", method, path, fields).await
    }

    /// As [`Visitor::send`], for an answer of this type.
    pub(super) async fn send_accepting(
        &self,
        accept: &str,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let own = [("_csrf_token", self.csrf_token.as_str()), ("_method", method)];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(own).extend_pairs(fields).finish();
        let accept = format!("accept: {accept}");
        let headers = [self.cookie.as_str(), "content-type: application/x-www-form-urlencoded", &accept];
        self.server.request("POST", path, &headers, &body).await
    }

    /// Sends a form that was not given to this browser.
    pub(super) async fn send_forged(&self, path: &str) -> Answer {
        let headers = [self.cookie.as_str(), "content-type: application/x-www-form-urlencoded"];
        self.server.request("POST", path, &headers, "_csrf_token=x").await
    }

    /// The page that a form leads to, with its message.
    pub(crate) async fn follow(&self, answer: &Answer) -> Answer {
        assert_eq!(answer.status(), 303, "{answer:?}");
        let flash = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        let cookie = format!("{}; {flash}", self.cookie);
        self.server.get(answer.header("location").unwrap(), &[&cookie]).await
    }
}

/// The text of a page, without the entities that templates put in.
pub(super) fn unescaped(page: &Answer) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&amp;", "&")];
    entities.iter().fold(page.body().to_owned(), |text, (entity, character)| text.replace(entity, character))
}
