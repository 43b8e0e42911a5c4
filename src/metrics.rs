//! Figures of a process, as the kernel counts them.

use std::fs;
use std::io;
use std::time::Duration;

/// Resident memory of a process, bytes.
///
/// # Errors
/// When there is no such process, or its status cannot be read.
pub fn resident_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/status has no VmRSS line"))
    })
}

/// Time that the threads of a process have spent on a processor.
///
/// # Errors
/// When there is no such process, or its tasks cannot be read.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let mut total_ns = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let running = text.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok());
        total_ns += running.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("schedstat of process {pid} has no numbers"))
        })?;
    }
    Ok(Duration::from_nanos(total_ns))
}

/// Processors that this process may run on now; those that are added to a guest while it runs count, once they are on
/// line. Opens no file.
#[must_use]
pub fn processors() -> usize {
    rustix::thread::sched_getaffinity(None).map_or(1, |set| usize::try_from(set.count()).unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_time() {
        let pid = std::process::id();
        let bytes = resident_bytes(pid).unwrap();
        assert!((100_000..100_000_000_000).contains(&bytes), "{bytes}");
        let before = cpu_time(pid).unwrap();
        let mut sum = 0_u64;
        while cpu_time(pid).unwrap() <= before + Duration::from_millis(1) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(resident_bytes(u32::MAX).is_err());
    }
}
