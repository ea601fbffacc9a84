//! A browser without scripts: it keeps cookies and sends the forms of the pages it was given.

use std::collections::BTreeMap;

use super::server::{Answer, TestServer};

/// One browser at one server. A clone is another browser with the same cookies: a second tab, or a thief.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    server: &'a TestServer,
    cookies: BTreeMap<String, String>,
    csrf_token: String,
}

impl<'a> Browser<'a> {
    /// A browser that was never here.
    pub(crate) fn new(server: &'a TestServer) -> Self {
        Self { server, cookies: BTreeMap::new(), csrf_token: String::new() }
    }

    /// Signed in with the password `password`.
    pub(crate) async fn signed_in(server: &'a TestServer, email: &str) -> Self {
        let mut browser = Self::new(server);
        let answer = browser.fill("/sessions/new", "/sessions", &[("email", email), ("password", "password")]).await;
        assert_eq!((answer.status(), answer.header("location")), (303, Some("/account")), "{email}");
        browser
    }

    /// The answer at this path, without following where it leads.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path, "").await
    }

    /// Sends the form of the page at `page`, filled in, to `action`. A name may be in a scope (`session[email]`), and
    /// `_method` be among them.
    pub(crate) async fn fill(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        assert_eq!(self.get(page).await.status(), 200, "{page}");
        self.submit(action, fields).await
    }

    /// Sends a form with the token of the page that was looked at last.
    pub(crate) async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_with_token(&self.csrf_token.clone(), action, fields).await
    }

    /// As [`Browser::submit`], with another token than the page's.
    pub(crate) async fn submit_with_token(&mut self, token: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = [("_csrf_token", token)];
        let fields = token.iter().chain(fields);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request("POST", action, &body).await
    }

    /// Signs out.
    pub(crate) async fn sign_out(&mut self) -> Answer {
        self.submit("/sessions", &[("_method", "delete")]).await
    }

    /// The page that an answer leads to.
    pub(crate) async fn follow(&mut self, answer: &Answer) -> Answer {
        let path = answer.header("location").expect("the answer leads elsewhere").to_owned();
        self.get(&path).await
    }

    /// Returns true if a user is signed in.
    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.get("/sessions/new").await.header("location").is_some()
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Loses a cookie, as session cookies go when a browser is closed.
    pub(crate) fn forget(&mut self, name: &str) {
        self.cookies.remove(name).expect("the browser has the cookie");
    }

    async fn request(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = format!("cookie: {}", cookies.join("; "));
        let headers = [cookies.as_str(), "content-type: application/x-www-form-urlencoded", "accept: text/html"];
        let headers = if self.cookies.is_empty() { &headers[1..] } else { &headers[..] };
        let answer = self.server.request(method, path, headers, body).await;
        for cookie in answer.headers("set-cookie") {
            self.keep(cookie);
        }
        if let Some(token) = answer.body().split("name=\"_csrf_token\" value=\"").nth(1) {
            self.csrf_token = token.split('"').next().unwrap().to_owned();
        }
        answer
    }

    fn keep(&mut self, cookie: &str) {
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Secure"),
            "{cookie}"
        );
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if cookie.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
