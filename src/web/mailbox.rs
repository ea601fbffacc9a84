//! `/dev/mailbox`: the mails that would have been sent, on servers with demo data and without a mail server.

use minijinja::{Value, context};

use super::{Error, session::PageRequest};
use crate::{
    http::{
        Request, Response, StatusCode,
        header::{CONTENT_SECURITY_POLICY, HeaderValue, X_FRAME_OPTIONS},
    },
    store::mails::{self, Bodies, Mail, State},
    web::App,
};

/// Number of mails in the list.
const LISTED: i64 = 100;

/// A mail's HTML is only displayed, in a frame of ours: it runs nothing, fetches nothing, and its links open in the
/// whole page.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
);
const FRAMED_BY_US: HeaderValue = HeaderValue::from_static("SAMEORIGIN");

/// Shows the newest mails.
pub(super) async fn index(app: App, request: Request) -> Result<Response, Error> {
    require_mailbox(&app)?;
    let page = PageRequest::of(&app, &request).await?;
    let mails = mails::list(&mut app.db.conn().await?, State::Sent, 0, LISTED).await?;
    let mails: Vec<Value> = mails.iter().map(line).collect();
    page.render(StatusCode::OK, "mailbox/index", "mailbox", context! { title => "Mailbox · pusher-lite", mails })
}

/// Shows one mail, as text and as HTML.
pub(super) async fn show(app: App, request: Request) -> Result<Response, Error> {
    require_mailbox(&app)?;
    let page = PageRequest::of(&app, &request).await?;
    let (mail, bodies) = find(&app, &request).await?;
    let context = context! {
        title => format!("{} · Mailbox · pusher-lite", mail.subject),
        mail => line(&mail),
        lines => bodies.text_body.iter().flat_map(|text| text.lines()).map(text_line).collect::<Vec<_>>(),
    };
    page.render(StatusCode::OK, "mailbox/show", "mailbox", context)
}

/// Answers with the HTML of one mail, for a frame.
pub(super) async fn html(app: App, request: Request) -> Result<Response, Error> {
    require_mailbox(&app)?;
    let (_, bodies) = find(&app, &request).await?;
    // The frame has no room for the targets of links, and they may not open there.
    let html = bodies.html_body.unwrap_or_default().replacen("<head>", "<head><base target=\"_top\">", 1);
    let html = Response::html(StatusCode::OK, html);
    Ok(html.header(CONTENT_SECURITY_POLICY, SANDBOX).header(X_FRAME_OPTIONS, FRAMED_BY_US))
}

fn require_mailbox(app: &App) -> Result<(), Error> {
    if app.pages.site.mailbox { Ok(()) } else { Err(Error::NoRoute) }
}

/// Returns the mail that the path names, if its bodies are still there.
async fn find(app: &App, request: &Request) -> Result<(Mail, Bodies), Error> {
    const MISSING: Error = Error::NotFound("mail");
    let id = request.path_param("id").parse().map_err(|_| MISSING)?;
    let mut conn = app.db.conn().await?;
    let mail = mails::find(&mut conn, id).await?.ok_or(MISSING)?;
    let bodies = mails::find_bodies(&mut conn, id).await?.filter(|bodies| bodies.text_body.is_some());
    Ok((mail, bodies.ok_or(MISSING)?))
}

/// Returns a line of the text; links are alone on their lines.
fn text_line(text: &str) -> Value {
    context! { text, is_link => text.starts_with("http://") || text.starts_with("https://") }
}

fn line(mail: &Mail) -> Value {
    context! {
        id => mail.id,
        recipient => &mail.recipient,
        subject => &mail.subject,
        kind => &mail.kind,
        inserted_at => mail.inserted_at.to_string(),
    }
}
