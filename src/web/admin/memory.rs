//! The memory that this process takes up.

/// Bytes of memory that belong to this process now; `None` where the system does not say so in `/proc`.
pub(super) fn resident_bytes() -> Option<u64> {
    kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?).map(|kibibytes| kibibytes * 1024)
}

fn kibibytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_set_is_read() {
        assert_eq!(kibibytes("Name:\tx\nVmHWM:\t  99 kB\nVmRSS:\t   1234 kB\nThreads:\t1\n"), Some(1234));
        assert_eq!(kibibytes("VmRSS:\tmany\n"), None);
        assert_eq!(kibibytes(""), None);
    }
}
