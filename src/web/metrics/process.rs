//! The process and its runtime.

use std::fmt::Result;

use prometheus_client::{collector, encoding::DescriptorEncoder};
use tokio::runtime::Handle;

use super::family::Families;
use crate::tasks::Tasks;

/// Memory, descriptors and time, under the names that all programs use. Only Linux provides them.
#[derive(Debug)]
pub(super) struct Collector;

impl collector::Collector for Collector {
    #[cfg(target_os = "linux")]
    fn encode(&self, encoder: DescriptorEncoder) -> Result {
        linux::encode(&mut Families(encoder), procfs::boot_time_secs().ok()).unwrap_or(Ok(()))
    }

    #[cfg(not(target_os = "linux"))]
    fn encode(&self, _encoder: DescriptorEncoder) -> Result {
        Ok(())
    }
}

/// The tasks of the runtime, and the running version.
#[derive(Debug)]
pub(super) struct Runtime(pub(super) Handle);

impl collector::Collector for Runtime {
    fn encode(&self, encoder: DescriptorEncoder) -> Result {
        let (mut families, metrics) = (Families(encoder), self.0.metrics());
        families.gauge("tasks", "Tasks of the runtime", metrics.num_alive_tasks() as u64)?;
        families.gauge("workers", "Threads that run them", metrics.num_workers() as u64)?;
        families.gauges("build", "The version that runs", [([("version", env!("CARGO_PKG_VERSION"))], 1)])
    }
}

#[derive(Debug)]
pub(super) struct Panics(pub(super) Tasks);

impl collector::Collector for Panics {
    fn encode(&self, encoder: DescriptorEncoder) -> Result {
        let help = "Faults of this server that ended a task, a topic, a socket or a request; please report them";
        Families(encoder).counter("panics", help, self.0.panics())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use procfs::{
        ProcResult, WithCurrentSystemInfo,
        process::{LimitValue, Process},
    };

    use super::{Families, Result};

    /// Writes nothing if the process's own folder in `/proc` cannot be read. The boot time is outside of that folder,
    /// and is missing if only processes can be seen in `/proc` (`ProcSubset=pid` of systemd): then the start time is
    /// left out.
    pub(super) fn encode(families: &mut Families<'_>, boot_time: Option<u64>) -> ProcResult<Result> {
        let process = Process::myself()?;
        let (stat, limits) = (process.stat()?, process.limits()?);
        let ticks = procfs::ticks_per_second() as f64;
        let cpu = (stat.utime + stat.stime) as f64 / ticks;
        let started = boot_time.map(|booted| booted as f64 + stat.starttime as f64 / ticks);
        let descriptors = process.fd_count()? as u64;
        let most = match limits.max_open_files.soft_limit {
            LimitValue::Value(most) => most,
            LimitValue::Unlimited => u64::MAX,
        };
        let resident = stat.rss_bytes().get();
        Ok((|| {
            families.gauge("process_resident_memory_bytes", "Memory in use", resident)?;
            families.gauge("process_virtual_memory_bytes", "Address space in use", stat.vsize)?;
            families.gauge("process_open_fds", "Descriptors in use", descriptors)?;
            families.gauge("process_max_fds", "Descriptors that may be in use", most)?;
            families.gauge("process_threads", "Threads", stat.num_threads as u64)?;
            families.seconds("process_cpu_seconds", "Processor time used", Duration::from_secs_f64(cpu))?;
            match started {
                Some(at) => {
                    families.gauge("process_start_time_seconds", "When it was started, in seconds since 1970", at)
                }
                None => Ok(()),
            }
        })())
    }

    #[cfg(test)]
    mod tests {
        use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, registry::Registry};

        use super::{Families, Result};

        #[derive(Debug)]
        struct BootedAt(Option<u64>);

        impl Collector for BootedAt {
            fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result {
                super::encode(&mut Families(encoder), self.0).expect("a process can read of itself")
            }
        }

        #[test]
        fn where_the_boot_time_cannot_be_read_only_the_start_is_missing() {
            let names = |boot_time| {
                let mut registry = Registry::default();
                registry.register_collector(Box::new(BootedAt(boot_time)));
                let mut text = String::new();
                prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
                let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
                lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let (all, mut expected) = (names(Some(1)), names(None));
            assert!(expected.contains(&"process_open_fds".to_owned()), "{expected:?}");
            expected.push("process_start_time_seconds".to_owned());
            assert_eq!(all, expected);
        }
    }
}
