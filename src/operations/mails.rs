//! Mails that could not be sent: sent again.

use super::record;
use crate::store::{
    Error, Result, Transaction,
    audit::{Actor, Differences},
    mails,
};

/// Has a mail sent that waits or was given up. Returns false if it has been sent.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such mail.
pub async fn retry(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<bool> {
    let mail = mails::find(tx, id).await?.ok_or(Error::NotFound)?;
    if !mails::retry(tx, id).await? {
        return Ok(false);
    }
    record(tx, actor, "retry", ("mails", id), &Differences::of("recipient", &mail.recipient)).await?;
    Ok(true)
}
