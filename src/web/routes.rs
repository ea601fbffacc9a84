//! All routes, except the files of `assets/dist`.

use super::{
    Error, admin,
    api::{applications, events, organizations, policies, sessions, user_tokens},
    demo, diagnose, health, invitations, longpoll, mailbox, metrics, pages, portal, sign_in, socket,
    table::Table,
};
use crate::{
    http::{Method, Router},
    store::token_scope::Capability::{Manage, Publish, Read, Tokens},
    web::App,
};

/// Routes that can be looked up.
pub(super) type Routes = Router<App, Error>;

/// Returns the routes that are looked up first, and read the body themselves if they want it. They also answer
/// preflights.
pub(super) fn transports() -> Routes {
    Router::default().any("/socket/longpoll", longpoll::respond).any("/socket/diagnose", diagnose::respond)
}

/// Returns the table of routes: under `/api`, the method that registers a route says whether it is open or for callers
/// with a JWT. Those also say what they need of the scope of the token that the JWT came from.
#[rustfmt::skip]
pub(super) fn table() -> Routes {
    Table::default()
        .route(Method::GET,  "/",              pages::home)
        .route(Method::GET,  "/demo",          pages::chat)
        .route(Method::POST, "/demo/session",  demo::create_session)
        .route(Method::POST, "/demo/messages", demo::create_message)

        .route(Method::GET,    "/sessions/new", sign_in::sessions::new)
        .route(Method::POST,   "/sessions",     sign_in::sessions::create)
        .route(Method::DELETE, "/sessions",     sign_in::sessions::delete)

        .route(Method::GET,    "/registrations/new",         sign_in::registrations::new)
        .route(Method::POST,   "/registrations",             sign_in::registrations::create)
        .route(Method::GET,    "/registrations/sent",        sign_in::registrations::sent)
        .route(Method::GET,    "/registrations/{id}",        sign_in::registrations::show)
        .route(Method::GET,    "/registrations/{id}/edit",   sign_in::registrations::edit)
        .route(Method::PUT,    "/registrations/{id}",        sign_in::registrations::update)
        .route(Method::PATCH,  "/registrations/{id}",        sign_in::registrations::update)
        .route(Method::GET,    "/registrations/{id}/delete", sign_in::registrations::leave)
        .route(Method::DELETE, "/registrations",             sign_in::registrations::delete)

        .route(Method::GET,   "/passwords/new",          sign_in::passwords::new)
        .route(Method::POST,  "/passwords",              sign_in::passwords::create)
        .route(Method::GET,   "/passwords/{token}/edit", sign_in::passwords::edit)
        .route(Method::PUT,   "/passwords/{token}",      sign_in::passwords::update)
        .route(Method::PATCH, "/passwords/{token}",      sign_in::passwords::update)

        .route(Method::GET,   "/confirmations/new",          sign_in::confirmations::new)
        .route(Method::POST,  "/confirmations",              sign_in::confirmations::create)
        .route(Method::GET,   "/confirmations/{token}/edit", sign_in::confirmations::edit)
        .route(Method::PUT,   "/confirmations/{token}",      sign_in::confirmations::update)
        .route(Method::PATCH, "/confirmations/{token}",      sign_in::confirmations::update)

        .route(Method::GET,   "/unlocks/new",          sign_in::unlocks::new)
        .route(Method::POST,  "/unlocks",              sign_in::unlocks::create)
        .route(Method::GET,   "/unlocks/{token}/edit", sign_in::unlocks::edit)
        .route(Method::PUT,   "/unlocks/{token}",      sign_in::unlocks::update)
        .route(Method::PATCH, "/unlocks/{token}",      sign_in::unlocks::update)

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

        .open(Method::POST, "/api/sessions", sessions::create)

        .rest(Method::GET,    "/api/organizations",      Read,    organizations::index)
        .rest(Method::POST,   "/api/organizations",      Manage,  organizations::create)
        .rest(Method::GET,    "/api/organizations/{id}", Read,    organizations::show)
        .rest(Method::PUT,    "/api/organizations/{id}", Manage,  organizations::update)
        .rest(Method::PATCH,  "/api/organizations/{id}", Manage,  organizations::update)
        .rest(Method::DELETE, "/api/organizations/{id}", Manage,  organizations::delete)

        .rest(Method::GET,    "/api/organizations/{organization_id}/applications",      Read,    applications::index)
        .rest(Method::POST,   "/api/organizations/{organization_id}/applications",      Manage,  applications::create)
        .rest(Method::GET,    "/api/organizations/{organization_id}/applications/{id}", Read,    applications::show)
        .rest(Method::PUT,    "/api/organizations/{organization_id}/applications/{id}", Manage,  applications::update)
        .rest(Method::PATCH,  "/api/organizations/{organization_id}/applications/{id}", Manage,  applications::update)
        .rest(Method::DELETE, "/api/organizations/{organization_id}/applications/{id}", Manage,  applications::delete)
        .rest(Method::POST,   "/api/organizations/{organization_id}/applications/{id}/secret", Manage,  applications::rotate_secret)
        .rest(Method::DELETE, "/api/organizations/{organization_id}/applications/{id}/secret", Manage,  applications::end_previous_secret)
        .rest(Method::GET,    "/api/organizations/{organization_id}/applications/{id}/policy", Read,    policies::show)
        .rest(Method::PUT,    "/api/organizations/{organization_id}/applications/{id}/policy", Manage,  policies::update)
        .rest(Method::PATCH,  "/api/organizations/{organization_id}/applications/{id}/policy", Manage,  policies::update)
        .rest(Method::POST, "/api/organizations/{organization_id}/applications/{application_id}/event/{event}", Publish, events::create)

        .rest(Method::POST,   "/api/users/{user_id}/tokens",         Tokens,  user_tokens::create)
        .rest(Method::DELETE, "/api/users/{user_id}/tokens/{token}", Tokens,  user_tokens::delete)

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

        .route(Method::GET,    "/account",             portal::home)
        .route(Method::GET,    "/account/tokens",      portal::tokens::index)
        .route(Method::POST,   "/account/tokens",      portal::tokens::create)
        .route(Method::DELETE, "/account/tokens",      portal::tokens::delete_all)
        .route(Method::DELETE, "/account/tokens/{id}", portal::tokens::delete)

        .route(Method::GET,    "/account/organizations",                          portal::organizations::index)
        .route(Method::POST,   "/account/organizations",                          portal::organizations::create)
        .route(Method::GET,    "/account/organizations/{slug}",                   portal::organizations::show)
        .route(Method::PUT,    "/account/organizations/{slug}",                   portal::organizations::update)
        .route(Method::DELETE, "/account/organizations/{slug}",                   portal::organizations::delete)
        .route(Method::PUT,    "/account/organizations/{slug}/members/{user_id}", portal::members::update)
        .route(Method::DELETE, "/account/organizations/{slug}/members/{user_id}", portal::members::delete)

        .route(Method::POST,   "/account/organizations/{slug}/applications",                   portal::applications::create)
        .route(Method::GET,    "/account/organizations/{slug}/applications/new",               portal::applications::new)
        .route(Method::GET,    "/account/organizations/{slug}/applications/{app_key}",         portal::applications::show)
        .route(Method::PUT,    "/account/organizations/{slug}/applications/{app_key}",         portal::applications::update)
        .route(Method::DELETE, "/account/organizations/{slug}/applications/{app_key}",         portal::applications::archive)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/secret",  portal::applications::rotate_secret)
        .route(Method::DELETE, "/account/organizations/{slug}/applications/{app_key}/secret",  portal::applications::end_previous_secret)
        .route(Method::GET,    "/account/organizations/{slug}/applications/{app_key}/policy",  portal::policies::show)
        .route(Method::PUT,    "/account/organizations/{slug}/applications/{app_key}/policy",  portal::policies::update)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/restore", portal::applications::restore)
        .route(Method::GET,    "/account/organizations/{slug}/applications/{app_key}/console", portal::console::show)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/console", portal::console::publish)
        .route(Method::POST,   "/account/organizations/{slug}/applications/{app_key}/console/session", portal::console::create_session)

        .any("/socket/websocket", socket::connect)

        .route(Method::GET, "/metrics", metrics::show)
        .route(Method::GET, "/health/live",  health::live)
        .route(Method::GET, "/health/ready", health::ready)

        .into_routes()
}
