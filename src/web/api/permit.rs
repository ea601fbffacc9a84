//! Scopes of tokens, at the routes of the API.

use super::Error;
use crate::store::token_scope::{Capability, TokenScope};

/// Proof that the token that a JWT came from is valid, and that its scope permits what the route needs. Only
/// [`Permit::check`] makes one, and no credential of a caller can be made without it.
#[derive(Debug)]
pub(super) struct Permit(TokenScope);

impl Permit {
    /// Checks the scope of a token, which is none if the token is not valid.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] without a valid token, [`Error::OutOfScope`].
    pub(super) fn check(scope: Option<TokenScope>, needs: Capability) -> Result<Self, Error> {
        let scope = scope.ok_or(Error::Unauthenticated)?;
        if scope.permits(needs) { Ok(Self(scope)) } else { Err(Error::OutOfScope { scope, needs }) }
    }

    /// Returns true if the token may also be used for this.
    pub(super) fn includes(&self, capability: Capability) -> bool {
        self.0.permits(capability)
    }
}
