//! Answers that tell of errors: a page for people, JSON for programs.

use std::time::Duration;

use minijinja::{Value as Shown, context};
use serde_json::{Value, json};

use super::{Error, seconds};
use crate::{
    auth::TooMany,
    http::{
        self, Request, Response, StatusCode, accept,
        header::{ALLOW, RETRY_AFTER},
    },
    realtime::Refusal,
    web::{App, Views, session::Reader},
};

/// Reader of an error: people get a page, programs JSON.
#[derive(Debug)]
pub(in crate::web) struct Audience {
    /// The person, if the reader is one.
    reader: Option<Reader>,
    /// True if `Accept` mentions JSON, which an answer of the original depends on.
    mentions_json: bool,
}

impl Audience {
    /// Determines the audience: under `/api` programs, unless they accept pages only; elsewhere people, unless they
    /// accept JSON.
    pub(in crate::web) fn of(request: &Request) -> Self {
        let is_people = if request.is_below("api") { accept::html_only(request) } else { !accept::names_json(request) };
        let reader = is_people.then(|| Reader::of(request));
        Self { reader, mentions_json: accept::mentions_json(request) }
    }
}

impl Error {
    /// Returns the navigation for the error's page, for readers who get a page. It queries the database for the user,
    /// unless the database may be the cause of the error.
    pub(in crate::web) async fn navigation(&self, audience: &Audience, app: &App) -> Shown {
        let is_known = !matches!(self, Self::Unavailable(_) | Self::Uncertain(_) | Self::Internal(_));
        match audience.reader.as_ref().filter(|_| is_known && self.has_page()) {
            // Boxed: the future of a database query is large, and would otherwise be part of every answer's future.
            Some(reader) => Box::pin(reader.navigation(app)).await,
            None => context! {},
        }
    }

    /// Returns the answer, in the form for `audience`.
    pub(in crate::web) fn into_response(
        self,
        audience: &Audience,
        views: &Views,
        navigation: Shown,
        request_id: &str,
    ) -> Response {
        self.log(request_id);
        let error = match self {
            Self::Elsewhere(response) => return *response,
            error => error,
        };
        let response = error.with_retry_after(error.message(audience, views, navigation, request_id));
        match &error {
            Self::WrongMethod { methods, .. } => response.with_text(ALLOW, &methods.to_string()),
            _ => response,
        }
    }

    fn message(&self, audience: &Audience, views: &Views, navigation: Shown, request_id: &str) -> Response {
        // The page shows the id only if the log has it.
        let request_id = Some(request_id).filter(|_| self.status() == StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            _ if self.has_page() && audience.reader.is_some() => self.page(views, navigation, request_id),
            Self::Refused(_) => Response::empty(StatusCode::FORBIDDEN),
            Self::Unauthenticated if audience.mentions_json => self.json(&json!(["Unauthenticated"])),
            Self::Unauthenticated => Response::text(self.status(), self.to_string()),
            Self::Forbidden => self.json(&json!({ "token": ["forbidden"] })),
            Self::Invalid(errors) => self.json(errors),
            _ => match request_id {
                Some(id) => self.json(&json!({ "detail": self.to_string(), "request_id": id })),
                None => self.json(&json!({ "detail": self.to_string() })),
            },
        }
    }

    /// Returns true if people get a page about it: not for errors that only programs cause.
    fn has_page(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::Unauthenticated | Self::Forbidden | Self::Elsewhere(_))
    }

    /// Adds the time after which a retry may succeed, if there is one.
    pub(in crate::web) fn with_retry_after(&self, response: Response) -> Response {
        let wait = match self {
            Self::TooManyAttempts { retry_after }
            | Self::TooManyChanges { retry_after }
            | Self::TooManyWrongTokens(TooMany { retry_after }) => *retry_after,
            Self::Limited(Refusal::PublishRateLimited) => Duration::from_secs(1),
            Self::Limited(_) | Self::Unavailable(_) | Self::Stopping | Self::Request(http::Error::BodiesFull) => {
                Duration::from_secs(5)
            }
            _ => return response,
        };
        response.with_text(RETRY_AFTER, &seconds(wait).to_string())
    }

    /// Returns the answer in plain text, for endpoints that only monitoring reads.
    pub(in crate::web) fn into_text(self, request_id: &str) -> Response {
        self.log(request_id);
        self.with_retry_after(Response::text(self.status(), format!("{self}\n")))
    }

    fn json(&self, errors: &Value) -> Response {
        Response::json(self.status(), &json!({ "errors": errors }))
    }

    fn page(&self, views: &Views, navigation: Shown, request_id: Option<&str>) -> Response {
        let status = self.status();
        let reason = status.canonical_reason().unwrap_or("Error");
        let title = format!("{reason} · pusher-lite");
        let context =
            context! { title, status => status.as_u16(), reason, message => self.in_words(), request_id, ..navigation };
        views.page(status, "error", context).unwrap_or_else(|error| {
            tracing::error!(%error, "The page for errors cannot be rendered.");
            Response::text(status, self.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::http::header::HeaderValue;

    use super::*;
    use crate::{
        store,
        web::{self, Forbidden},
    };

    fn answer(error: Error, path: &str, accept: &str) -> (u16, String) {
        let audience = Audience::of(&Request::test("GET", path, &[("accept", accept)]));
        let views = Views::new(&Arc::new(web::assets()));
        let response = error.into_response(&audience, &views, context! {}, "id");
        let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), content_type.unwrap_or_default())
    }

    const JSON: &str = "application/json; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";
    const TEXT: &str = "text/plain; charset=utf-8";

    #[test]
    fn programs_get_json_and_people_a_page() {
        for (path, accept, content_type) in [
            ("/api/nope", "*/*", JSON),
            ("//api", "garbage", JSON),
            ("/%61pi/nope", "garbage", JSON),
            ("/api/nope", "text/html", HTML),
            ("/api/nope", "text/html, application/json", JSON),
            ("/nope", "*/*", HTML),
            ("/apidocs", "*/*", HTML),
            ("/nope", "application/json", JSON),
        ] {
            assert_eq!(answer(Error::NoRoute, path, accept), (404, content_type.to_owned()), "{path} {accept}");
        }
    }

    #[test]
    fn whoever_tries_too_often_is_told_when_to_try_again() {
        for (millis, header, words) in
            [(20, "1", "a second"), (30_000, "30", "30 seconds"), (299_500, "300", "5 minutes")]
        {
            let error = Error::from(TooMany { retry_after: Duration::from_millis(millis) });
            let views = Views::new(&Arc::new(web::assets()));
            assert_eq!(error.to_string(), format!("too many attempts; try again in {words}"));
            let audience = Audience::of(&Request::test("GET", "/sessions/new", &[]));
            let response = error.into_response(&audience, &views, context! {}, "id");
            assert_eq!(
                (response.status().as_u16(), &response.headers()["retry-after"]),
                (429, &HeaderValue::from_static(header))
            );
        }
    }

    #[test]
    fn a_change_that_conflicts_with_another_can_be_made_again() {
        let views = Views::new(&Arc::new(web::assets()));
        let audience = Audience::of(&Request::test("POST", "/api/sessions", &[]));
        let response = Error::from(store::Error::Conflict).into_response(&audience, &views, context! {}, "id");
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &HeaderValue::from_static("5"))
        );
    }

    #[test]
    fn failures_here_show_the_request_id_to_people_and_programs() {
        let views = Views::new(&Arc::new(web::assets()));
        for accept in ["text/html", "application/json"] {
            for (error, shows) in [(Error::internal("broken"), true), (Error::NoRoute, false)] {
                let audience = Audience::of(&Request::test("GET", "/admin", &[("accept", accept)]));
                let response = error.into_response(&audience, &views, context! {}, "the-id-of-it");
                let body = format!("{:?}", response.into_hyper().into_body().whole());
                assert_eq!(body.contains("the-id-of-it"), shows, "{accept}: {body}");
                assert!(!body.contains("broken"));
            }
        }
    }

    #[test]
    fn refusals_are_worded_as_the_original_does() {
        assert_eq!(answer(Error::Unauthenticated, "/api", "*/*"), (401, TEXT.to_owned()));
        assert_eq!(answer(Error::Unauthenticated, "/api", "application/json"), (401, JSON.to_owned()));
        assert_eq!(answer(Error::Unauthenticated, "/api", "text/x, application/vnd.api+json"), (401, JSON.to_owned()));
        assert_eq!(answer(Error::Unauthenticated, "/api", "Application/JSON"), (401, TEXT.to_owned()));
        assert_eq!(answer(Error::Forbidden, "/api", "*/*"), (401, JSON.to_owned()));
        assert_eq!(answer(Error::Refused(Forbidden::Origin), "/socket/websocket", "*/*"), (403, String::new()));
        assert_eq!(answer(Error::invalid("name", "is invalid"), "/api", "*/*"), (422, JSON.to_owned()));
    }

    #[test]
    fn people_are_told_in_sentences() {
        assert_eq!(Error::NoRoute.in_words(), "There is no page at this address.");
        assert_eq!(Error::NotFound("user").in_words(), "There is no such user.");
        assert_eq!(Error::invalid("name", "is too long").in_words(), "Name is too long.");
        assert_eq!(answer(Error::invalid("name", "is invalid"), "/sessions", "*/*"), (422, HTML.to_owned()));
    }
}
