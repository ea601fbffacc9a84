//! The process and its runtime.

use std::fmt::Result;

use prometheus_client::{collector, encoding::DescriptorEncoder};
use tokio::runtime::Handle;

use super::family::Families;

/// Memory, descriptors and time, under the names that all programs use. Only Linux tells.
#[derive(Debug)]
pub(super) struct Collector;

impl collector::Collector for Collector {
    #[cfg(target_os = "linux")]
    fn encode(&self, encoder: DescriptorEncoder) -> Result {
        linux::encode(&mut Families(encoder)).unwrap_or(Ok(()))
    }

    #[cfg(not(target_os = "linux"))]
    fn encode(&self, _encoder: DescriptorEncoder) -> Result {
        Ok(())
    }
}

/// The tasks of the runtime, and which version runs.
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

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use procfs::{
        ProcResult, WithCurrentSystemInfo,
        process::{LimitValue, Process},
    };

    use super::{Families, Result};

    /// Nothing is written when `/proc` cannot be read.
    pub(super) fn encode(families: &mut Families<'_>) -> ProcResult<Result> {
        let process = Process::myself()?;
        let (stat, limits) = (process.stat()?, process.limits()?);
        let ticks = procfs::ticks_per_second() as f64;
        let cpu = (stat.utime + stat.stime) as f64 / ticks;
        let started = procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks;
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
            families.gauge("process_start_time_seconds", "When it was started, in seconds since 1970", started)
        })())
    }
}
