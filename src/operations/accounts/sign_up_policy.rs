//! The rule for new accounts of visitors: anyone signs up, invited people only, or neither.
//!
//! Root users and the command line create accounts whatever the policy says.

use std::sync::OnceLock;

use crate::{
    operations::{Refusal, Rule},
    store::{DbConn, Result, installation, roots},
};

/// Ways to a new account for a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpMode {
    /// By sign-up, and by an invitation.
    Open,
    /// By an invitation.
    Invited,
    /// None. Users who have an account may still accept an invitation.
    Off,
}

impl SignUpMode {
    /// Returns the mode that a setting names.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "invited" => Some(Self::Invited),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// The policy for new accounts of visitors, from the settings and the installation.
#[derive(Clone, Debug)]
pub struct SignUpPolicy {
    set: Option<SignUpMode>,
    domains: Vec<String>,
    /// The mode without a setting, once nothing can change it any more.
    settled: OnceLock<SignUpMode>,
}

/// Evidence that the policy permits a new account. Only a check of [`SignUpPolicy`] makes it, and every operation that
/// creates an account for a visitor takes it.
#[derive(Debug)]
pub(in crate::operations) struct MayOpenAccount(());

impl SignUpPolicy {
    /// Creates the policy. Without a mode it is open in demo mode and in an older installation; a new installation is
    /// open until it has a root user, and then takes invited people. `domains` restrict sign-up to addresses of these
    /// mail domains; an empty list permits all. Invitations are not restricted: an admin who sends one has decided.
    pub fn new(set: Option<SignUpMode>, domains: Vec<String>, is_demo: bool) -> Self {
        let settled = OnceLock::new();
        if is_demo {
            settled.get_or_init(|| SignUpMode::Open);
        }
        Self { set, domains, settled }
    }

    /// Returns the mail domains that sign-up is restricted to; an empty list permits all.
    pub fn domains(&self) -> &[String] {
        &self.domains
    }

    /// Returns the mode, if it needs no look into the database.
    pub fn known_mode(&self) -> Option<SignUpMode> {
        self.set.or_else(|| self.settled.get().copied())
    }

    /// Returns the mode that applies now.
    ///
    /// # Errors
    ///
    /// Database errors.
    pub async fn mode(&self, conn: &mut DbConn) -> Result<SignUpMode> {
        if let Some(mode) = self.known_mode() {
            return Ok(mode);
        }
        if !installation::is_new(conn).await? {
            return Ok(*self.settled.get_or_init(|| SignUpMode::Open));
        }
        // The last root user stays, so the first one closes sign-up for good.
        match roots::any(conn).await? {
            true => Ok(*self.settled.get_or_init(|| SignUpMode::Invited)),
            false => Ok(SignUpMode::Open),
        }
    }

    /// Checks that a visitor may sign up with this address. The answer is the same whether or not it has an account.
    ///
    /// # Errors
    ///
    /// [`Rule::SignUpClosed`], [`Rule::OtherMailDomain`].
    pub async fn check_sign_up(&self, conn: &mut DbConn, email: &str) -> Result<(), Refusal> {
        self.permit_sign_up(conn, email).await.map(drop)
    }

    /// Permits a sign-up, as [`SignUpPolicy::check_sign_up`] decides.
    pub(super) async fn permit_sign_up(&self, conn: &mut DbConn, email: &str) -> Result<MayOpenAccount, Refusal> {
        if self.mode(conn).await? != SignUpMode::Open {
            return Err(Rule::SignUpClosed.into());
        }
        if is_of_a_domain(email, &self.domains) { Ok(MayOpenAccount(())) } else { Err(Rule::OtherMailDomain.into()) }
    }

    /// Permits a new account by an invitation.
    ///
    /// # Errors
    ///
    /// [`Rule::NoNewAccounts`].
    pub(in crate::operations) async fn permit_invited(&self, conn: &mut DbConn) -> Result<MayOpenAccount, Refusal> {
        match self.mode(conn).await? {
            SignUpMode::Open | SignUpMode::Invited => Ok(MayOpenAccount(())),
            SignUpMode::Off => Err(Rule::NoNewAccounts.into()),
        }
    }
}

/// Returns true if the address is in one of these domains, or if there are none. A subdomain is another domain.
fn is_of_a_domain(email: &str, domains: &[String]) -> bool {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    domains.is_empty() || domains.iter().any(|permitted| permitted.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_by_its_whole_domain() {
        let domains = ["example.com".to_owned(), "xn--bcher-kva.example".to_owned()];
        for (email, is_permitted) in [
            ("ann@example.com", true),
            ("ann@EXAMPLE.com", true),
            ("ann@xn--bcher-kva.example", true),
            ("ann@XN--BCHER-KVA.example", true),
            ("ann@sub.example.com", false),
            ("ann@notexample.com", false),
            ("ann@example.com.evil.example", false),
            ("ann@example.com@evil.example", false),
            ("\"ann@example.com\"@evil.example", false),
            ("ann@example.com.", false),
            ("example.com", false),
            ("ann@", false),
            ("", false),
        ] {
            assert_eq!(is_of_a_domain(email, &domains), is_permitted, "{email}");
            assert!(is_of_a_domain(email, &[]), "{email}");
        }
    }
}
