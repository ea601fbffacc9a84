//! Every path that is answered, but for the files of `assets/dist`.

use super::{
    Error, account, accounts, admin,
    api::{applications, events, organizations, sessions, user_tokens},
    demo, health, invitations, longpoll, mailbox, metrics, pages, socket,
};
use crate::{
    app::App,
    http::{Method, Router},
};

/// The table of routes.
pub(super) type Routes = Router<App, Error>;

/// Those that are looked at first, and read the body themselves if they want it: preflights are theirs to answer, too.
pub(super) fn transports() -> Routes {
    Router::default().any("/socket/longpoll", longpoll::respond)
}

#[rustfmt::skip]
pub(super) fn table() -> Routes {
    Router::default()
        .route(Method::GET,  "/",              pages::home)
        .route(Method::GET,  "/demo",          pages::chat)
        .route(Method::POST, "/demo/session",  demo::create_session)
        .route(Method::POST, "/demo/messages", demo::create_message)

        .route(Method::GET,    "/sessions/new", accounts::sessions::new)
        .route(Method::POST,   "/sessions",     accounts::sessions::create)
        .route(Method::DELETE, "/sessions",     accounts::sessions::delete)

        .route(Method::GET,    "/registrations/new",         accounts::registrations::new)
        .route(Method::POST,   "/registrations",             accounts::registrations::create)
        .route(Method::GET,    "/registrations/sent",        accounts::registrations::sent)
        .route(Method::GET,    "/registrations/{id}",        accounts::registrations::show)
        .route(Method::GET,    "/registrations/{id}/edit",   accounts::registrations::edit)
        .route(Method::PUT,    "/registrations/{id}",        accounts::registrations::update)
        .route(Method::PATCH,  "/registrations/{id}",        accounts::registrations::update)
        .route(Method::GET,    "/registrations/{id}/delete", accounts::registrations::leave)
        .route(Method::DELETE, "/registrations",             accounts::registrations::delete)

        .route(Method::GET,   "/passwords/new",          accounts::passwords::new)
        .route(Method::POST,  "/passwords",              accounts::passwords::create)
        .route(Method::GET,   "/passwords/{token}/edit", accounts::passwords::edit)
        .route(Method::PUT,   "/passwords/{token}",      accounts::passwords::update)
        .route(Method::PATCH, "/passwords/{token}",      accounts::passwords::update)

        .route(Method::GET,  "/confirmations/new",          accounts::confirmations::new)
        .route(Method::POST, "/confirmations",              accounts::confirmations::create)
        .route(Method::GET,  "/confirmations/{token}/edit", accounts::confirmations::edit)

        .route(Method::GET,  "/unlocks/new",          accounts::unlocks::new)
        .route(Method::POST, "/unlocks",              accounts::unlocks::create)
        .route(Method::GET,  "/unlocks/{token}/edit", accounts::unlocks::edit)

        .route(Method::GET, "/admin",      admin::dashboard::show)
        .route(Method::GET, "/admin/live", admin::dashboard::live)
        .route(Method::GET,    "/admin/{table}",             admin::listing::index)
        .route(Method::POST,   "/admin/{table}",             admin::editing::create)
        .route(Method::GET,    "/admin/{table}/new",         admin::editing::new)
        .route(Method::GET,    "/admin/{table}/export",      admin::listing::export)
        .route(Method::POST,   "/admin/{table}/batch",       admin::actions::batch)
        .route(Method::GET,    "/admin/{table}/{id}",        admin::record::show)
        .route(Method::PUT,    "/admin/{table}/{id}",        admin::editing::update)
        .route(Method::PATCH,  "/admin/{table}/{id}",        admin::editing::update)
        .route(Method::DELETE, "/admin/{table}/{id}",        admin::actions::delete)
        .route(Method::GET,    "/admin/{table}/{id}/edit",   admin::editing::edit)
        .route(Method::GET,    "/admin/{table}/{id}/{what}", admin::actions::ask)
        .route(Method::POST,   "/admin/{table}/{id}/{what}", admin::actions::act)
        .route(Method::PUT,    "/admin/{table}/{id}/{what}", admin::editing::toggle)

        .route(Method::POST, "/api/sessions", sessions::create)

        .route(Method::GET,    "/api/organizations",      organizations::index)
        .route(Method::POST,   "/api/organizations",      organizations::create)
        .route(Method::GET,    "/api/organizations/{id}", organizations::show)
        .route(Method::PUT,    "/api/organizations/{id}", organizations::update)
        .route(Method::PATCH,  "/api/organizations/{id}", organizations::update)
        .route(Method::DELETE, "/api/organizations/{id}", organizations::delete)

        .route(Method::GET,    "/api/organizations/{organization_id}/applications",      applications::index)
        .route(Method::POST,   "/api/organizations/{organization_id}/applications",      applications::create)
        .route(Method::GET,    "/api/organizations/{organization_id}/applications/{id}", applications::show)
        .route(Method::PUT,    "/api/organizations/{organization_id}/applications/{id}", applications::update)
        .route(Method::PATCH,  "/api/organizations/{organization_id}/applications/{id}", applications::update)
        .route(Method::DELETE, "/api/organizations/{organization_id}/applications/{id}", applications::delete)
        .route(Method::POST, "/api/organizations/{organization_id}/applications/{application_id}/event/{event}", events::create)

        .route(Method::POST,   "/api/users/{user_id}/tokens",         user_tokens::create)
        .route(Method::DELETE, "/api/users/{user_id}/tokens/{token}", user_tokens::delete)

        .route(Method::GET,    "/invitations/new",         invitations::new)
        .route(Method::POST,   "/invitations",             invitations::create)
        .route(Method::GET,    "/invitations/{id}/edit",   invitations::edit)
        .route(Method::POST,   "/invitations/create",      invitations::accept)
        .route(Method::GET,    "/invitations/{id}/resend", invitations::ask_to_resend)
        .route(Method::POST,   "/invitations/{id}/resend", invitations::resend)
        .route(Method::DELETE, "/invitations/{id}",        invitations::withdraw)

        .route(Method::GET, "/dev/mailbox",           mailbox::index)
        .route(Method::GET, "/dev/mailbox/{id}",      mailbox::show)
        .route(Method::GET, "/dev/mailbox/{id}/html", mailbox::html)

        .route(Method::GET,    "/account",             account::home)
        .route(Method::GET,    "/account/tokens",      account::tokens::index)
        .route(Method::POST,   "/account/tokens",      account::tokens::create)
        .route(Method::DELETE, "/account/tokens/{id}", account::tokens::delete)

        .route(Method::GET,    "/account/organizations",                          account::organizations::index)
        .route(Method::POST,   "/account/organizations",                          account::organizations::create)
        .route(Method::GET,    "/account/organizations/{slug}",                   account::organizations::show)
        .route(Method::PUT,    "/account/organizations/{slug}",                   account::organizations::update)
        .route(Method::DELETE, "/account/organizations/{slug}",                   account::organizations::delete)
        .route(Method::PUT,    "/account/organizations/{slug}/members/{user_id}", account::members::update)
        .route(Method::DELETE, "/account/organizations/{slug}/members/{user_id}", account::members::delete)

        .route(Method::POST,   "/account/organizations/{slug}/applications",                   account::applications::create)
        .route(Method::GET,    "/account/organizations/{slug}/applications/new",               account::applications::new)
        .route(Method::GET,    "/account/organizations/{slug}/applications/{app_key}",         account::applications::show)
        .route(Method::PUT,    "/account/organizations/{slug}/applications/{app_key}",         account::applications::update)
        .route(Method::DELETE, "/account/organizations/{slug}/applications/{app_key}",         account::applications::archive)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/secret",  account::applications::rotate_secret)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/restore", account::applications::restore)
        .route(Method::GET,    "/account/organizations/{slug}/applications/{app_key}/console", account::console::show)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/console", account::console::publish)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/console/session", account::console::create_session)

        .any("/socket/websocket", socket::connect)

        .route(Method::GET, "/metrics", metrics::show)
        .route(Method::GET, "/health/live",  health::live)
        .route(Method::GET, "/health/ready", health::ready)
}
