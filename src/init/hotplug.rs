//! Processors and memory that a host adds while the guest runs.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

/// Bytes of one event of the kernel at most.
const EVENT_BYTES: usize = 8_192;
/// Times that a processor is tried: it may be announced before the hypervisor lets it run.
const TRIES: u32 = 20;
/// Pause between two tries.
const TRY_PAUSE: Duration = Duration::from_millis(10);

/// A socket on which the kernel tells of devices that come and go.
pub(super) fn listen() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(KOBJECT_UEVENT))?;
    // The kernel's own group; it gives the socket a number.
    bind(&socket, &SocketAddrNetlink::new(0, 1))?;
    Ok(socket)
}

/// Brings on line whatever the events that wait tell of; returns what was done, in words.
pub(super) fn hear(socket: &OwnedFd, sysfs: &Path) -> Vec<String> {
    let mut done = Vec::new();
    let mut event = [0; EVENT_BYTES];
    while let Ok((length, _)) = recv(socket, &mut event[..], RecvFlags::DONTWAIT) {
        if let Some(device) = added(&event[..length.min(EVENT_BYTES)]) {
            done.push(bring_on_line(sysfs, &device));
        }
    }
    done
}

/// The device of an event that adds a processor or a block of memory, below sysfs.
pub(super) fn added(event: &[u8]) -> Option<PathBuf> {
    let head = event.split(|byte| *byte == 0).next()?;
    let path = std::str::from_utf8(head).ok()?.strip_prefix("add@/")?;
    let device =
        path.strip_prefix("devices/system/cpu/cpu").or(path.strip_prefix("devices/system/memory/memory"))?;
    let number = !device.is_empty() && device.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| PathBuf::from(path))
}

/// Writes 1 to a device's `online`, and says what came of it.
pub(super) fn bring_on_line(sysfs: &Path, device: &Path) -> String {
    let name = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let switch = sysfs.join(device).join("online");
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        // Some kernels bring what is added on line by themselves.
        if fs::read_to_string(&switch).is_ok_and(|state| state.trim() == "1") {
            return format!("{name} is on line");
        }
        outcome = fs::write(&switch, "1");
        if outcome.is_ok() {
            return format!("{name} is on line");
        }
        std::thread::sleep(TRY_PAUSE);
    }
    format!(
        "cannot bring {name} on line: {}",
        outcome.err().map_or_else(String::new, |error| error.to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_processors_and_memory_that_are_added_count() {
        let of = |text: &str| added(text.as_bytes());
        assert_eq!(of("add@/devices/system/cpu/cpu1\0ACTION=add"), Some("devices/system/cpu/cpu1".into()));
        assert_eq!(
            of("add@/devices/system/memory/memory12\0"),
            Some("devices/system/memory/memory12".into())
        );
        for other in [
            "remove@/devices/system/cpu/cpu1\0",
            "add@/devices/system/cpu/cpu1/cpuidle\0",
            "add@/devices/system/cpu/cpu\0",
            "add@/devices/system/cpu/cpu1/../../../etc\0",
            "add@/devices/vif-0\0",
            "",
        ] {
            assert_eq!(of(other), None, "{other:?}");
        }
        assert_eq!(added(b"add@/\xff\0"), None);
    }

    #[test]
    fn a_fake_sysfs_is_switched_on() {
        let sysfs = tempfile::tempdir().unwrap();
        let device = Path::new("devices/system/cpu/cpu1");
        fs::create_dir_all(sysfs.path().join(device)).unwrap();
        let switch = sysfs.path().join(device).join("online");
        fs::write(&switch, "0\n").unwrap();
        assert_eq!(bring_on_line(sysfs.path(), device), "cpu1 is on line");
        assert_eq!(fs::read_to_string(&switch).unwrap(), "1");
        let lacking = bring_on_line(sysfs.path(), Path::new("devices/system/cpu/cpu9"));
        assert!(lacking.contains("cannot bring cpu9 on line"), "{lacking}");
    }
}
