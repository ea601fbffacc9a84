//! Memory use of this process.

/// Returns the bytes of memory that belong to this process now; `None` if the system does not report them. Only Linux
/// does.
pub(super) fn resident_bytes() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        use procfs::{WithCurrentSystemInfo, process::Process};

        Process::myself().and_then(|process| process.stat()).ok().map(|stat| stat.rss_bytes().get())
    }
    #[cfg(not(target_os = "linux"))]
    None
}
