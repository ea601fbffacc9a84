//! `/dev/mailbox`: the mails that would have been sent, where demo data is served and none leaves.

use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue, X_FRAME_OPTIONS};
use minijinja::{Value, context};

use super::{Error, visits::Visit};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store::mails::{self, Bodies, Mail, State},
};

/// How many mails are listed.
const LISTED: i64 = 100;

/// A mail's HTML may show itself, in a frame of ours, and nothing else: it runs nothing, fetches nothing, and its links
/// lead the whole page away.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
);
const FRAMED_BY_US: HeaderValue = HeaderValue::from_static("SAMEORIGIN");

/// The newest mails.
pub(super) async fn index(app: App, request: Request) -> Result<Response, Error> {
    require_mailbox(&app)?;
    let visit = Visit::of(&app, &request).await?;
    let mails = mails::list(&mut app.db.conn().await?, State::Sent, 0, LISTED).await?;
    let mails: Vec<Value> = mails.iter().map(line).collect();
    visit.page(StatusCode::OK, "mailbox/index", "mailbox", context! { title => "Mailbox · pusher-lite", mails })
}

/// One mail, as text and as HTML.
pub(super) async fn show(app: App, request: Request) -> Result<Response, Error> {
    require_mailbox(&app)?;
    let visit = Visit::of(&app, &request).await?;
    let (mail, bodies) = find(&app, &request).await?;
    let context = context! {
        title => format!("{} · Mailbox · pusher-lite", mail.subject),
        mail => line(&mail),
        lines => bodies.text_body.iter().flat_map(|text| text.lines()).map(text_line).collect::<Vec<_>>(),
    };
    visit.page(StatusCode::OK, "mailbox/show", "mailbox", context)
}

/// The HTML of one mail, for a frame.
pub(super) async fn html(app: App, request: Request) -> Result<Response, Error> {
    require_mailbox(&app)?;
    let (_, bodies) = find(&app, &request).await?;
    // In the frame there is no room for what links lead to, and they may not open there.
    let html = bodies.html_body.unwrap_or_default().replacen("<head>", "<head><base target=\"_top\">", 1);
    let html = Response::html(StatusCode::OK, html);
    Ok(html.header(CONTENT_SECURITY_POLICY, SANDBOX).header(X_FRAME_OPTIONS, FRAMED_BY_US))
}

fn require_mailbox(app: &App) -> Result<(), Error> {
    if app.pages.site.mailbox { Ok(()) } else { Err(Error::NoRoute) }
}

/// The mail that the path names, if what it says is still there.
async fn find(app: &App, request: &Request) -> Result<(Mail, Bodies), Error> {
    const MISSING: Error = Error::NotFound("mail");
    let id = request.path_param("id").parse().map_err(|_| MISSING)?;
    let mut conn = app.db.conn().await?;
    let mail = mails::find(&mut conn, id).await?.ok_or(MISSING)?;
    let bodies = mails::find_bodies(&mut conn, id).await?.filter(|bodies| bodies.text_body.is_some());
    Ok((mail, bodies.ok_or(MISSING)?))
}

/// A line of the text; links stand alone on theirs.
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
