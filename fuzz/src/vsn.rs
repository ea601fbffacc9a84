//! The connect parameter `vsn`: a semantic version, compared with another reader of semantic versions.

use pusher_lite_protocol::{Vsn, VsnError};
use semver::Version;

/// Runs the target `vsn`.
pub fn check(parameter: &[u8]) {
    let Ok(parameter) = std::str::from_utf8(parameter) else { return };
    let negotiated = Vsn::negotiate(Some(parameter));
    match Version::parse(parameter) {
        Ok(version) => assert_eq!(negotiated, expected(&version), "{version}"),
        Err(_) if has_large_number(parameter) => match negotiated {
            Ok(Vsn::V1) => assert!(parameter.starts_with("1.")),
            Ok(Vsn::V2) => assert!(parameter.starts_with("2.0.")),
            Err(VsnError) => {}
        },
        Err(error) => assert_eq!(negotiated, Err(VsnError), "{error}"),
    }
}

fn expected(version: &Version) -> Result<Vsn, VsnError> {
    match (version.major, version.minor, version.pre.is_empty()) {
        (1, _, true) => Ok(Vsn::V1),
        (2, 0, true) => Ok(Vsn::V2),
        _ => Err(VsnError),
    }
}

/// Returns true if a number may be too large for `semver`; the protocol need not read those.
fn has_large_number(parameter: &str) -> bool {
    parameter.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() >= u64::MAX.ilog10() as usize)
}
