//! Scopes of tokens. This module alone decides what each of them permits.

/// The part of the API that a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenScope {
    /// Publishing events, and JWTs for pages.
    Publish,
    /// Reading organizations and applications, without secrets.
    Read,
    /// All but tokens: publishing, organizations, and applications with their secrets.
    Manage,
    /// All that the user of the token may do.
    All,
    /// A scope that only a later version knows. It permits nothing.
    Unknown,
}

/// Use of the API, or of sockets, that a token's scope permits or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Publishing events, and the other things that `POST …/event/:event` does.
    Publish,
    /// Opening sockets, and getting JWTs for pages that do.
    Connect,
    /// Reading organizations and applications, without secrets.
    Read,
    /// Changing organizations and applications, and reading their secrets.
    Manage,
    /// Creating and invalidating tokens.
    Tokens,
}

impl TokenScope {
    /// The scopes that a token can be given, the narrowest first.
    pub const ALL: [Self; 4] = [Self::Publish, Self::Read, Self::Manage, Self::All];

    /// Returns the scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Returns the name, as the database and the API have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Read => "read",
            Self::Manage => "manage",
            Self::All => "all",
            Self::Unknown => "unknown",
        }
    }

    /// Returns what a token with this scope is for, as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Publish => "Publishes events and gets JWTs for pages. What most backends need.",
            Self::Read => "Reads organizations and applications, without secrets. Opens no sockets.",
            Self::Manage => {
                "Publishes, and creates, changes and deletes organizations and applications. Sees their secrets."
            }
            Self::All => "Does all that you may do by the API, including creating and invalidating your tokens.",
            Self::Unknown => "Permits nothing: only a later version of the server knows this scope.",
        }
    }

    /// Returns true if a token with this scope may be used so.
    pub const fn permits(self, capability: Capability) -> bool {
        match self {
            Self::Publish => matches!(capability, Capability::Publish | Capability::Connect),
            Self::Read => matches!(capability, Capability::Read),
            Self::Manage => !matches!(capability, Capability::Tokens),
            Self::All => true,
            Self::Unknown => false,
        }
    }

    /// Returns true if this scope permits all that the other one does.
    pub fn includes(self, other: Self) -> bool {
        Capability::ALL.into_iter().all(|capability| self.permits(capability) || !other.permits(capability))
    }
}

impl From<String> for TokenScope {
    fn from(name: String) -> Self {
        Self::parse(&name).unwrap_or(Self::Unknown)
    }
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Publish, Self::Connect, Self::Read, Self::Manage, Self::Tokens];

    /// Returns the names of the scopes that permit it: `manage or all`.
    pub fn scopes(self) -> String {
        let scopes = TokenScope::ALL.into_iter().filter(|scope| scope.permits(self)).map(TokenScope::name);
        let scopes: Vec<_> = scopes.collect();
        match scopes.split_last() {
            Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
            _ => scopes.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_permits_what_the_table_in_the_documentation_says() {
        let permitted = |scope: TokenScope| Capability::ALL.map(|capability| scope.permits(capability));
        // Publish, connect, read, manage, tokens.
        assert_eq!(permitted(TokenScope::Publish), [true, true, false, false, false]);
        assert_eq!(permitted(TokenScope::Read), [false, false, true, false, false]);
        assert_eq!(permitted(TokenScope::Manage), [true, true, true, true, false]);
        assert_eq!(permitted(TokenScope::All), [true; 5]);
        assert_eq!(permitted(TokenScope::Unknown), [false; 5]);
    }

    #[test]
    fn a_name_that_is_not_known_permits_nothing() {
        for scope in TokenScope::ALL {
            assert_eq!(TokenScope::from(scope.name().to_owned()), scope);
        }
        for name in ["", "ALL", "all ", "unknown", "everything"] {
            assert_eq!(TokenScope::from(name.to_owned()), TokenScope::Unknown, "{name}");
        }
    }

    #[test]
    fn no_scope_includes_a_wider_one() {
        let included = |scope: TokenScope| TokenScope::ALL.map(|other| scope.includes(other));
        assert_eq!(included(TokenScope::Publish), [true, false, false, false]);
        assert_eq!(included(TokenScope::Read), [false, true, false, false]);
        assert_eq!(included(TokenScope::Manage), [true, true, true, false]);
        assert_eq!(included(TokenScope::All), [true; 4]);
        assert_eq!(included(TokenScope::Unknown), [false; 4]);
    }

    #[test]
    fn the_scopes_of_a_use_are_named() {
        assert_eq!(Capability::Tokens.scopes(), "all");
        assert_eq!(Capability::Manage.scopes(), "manage or all");
        assert_eq!(Capability::Read.scopes(), "read, manage or all");
    }
}
