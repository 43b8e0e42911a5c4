//! Processes that a test started, directly or not, by a mark in their environment.

use rustix::process::Pid;

/// The variable that carries the mark.
pub const MARK: &str = "FAIRWAY_TEST_MARK";

/// A process that carries a mark.
#[derive(Debug)]
pub struct Marked {
    #[allow(dead_code, reason = "not every test ends them")]
    pub pid: Pid,
    /// Its command line.
    #[allow(dead_code, reason = "nor reads what they were told")]
    pub arguments: Vec<String>,
}

/// Every process with a mark that has not ended.
pub fn marked(mark: &str) -> Vec<Marked> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else { continue };
        // Both are empty where it has ended meanwhile.
        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        if !read("environ").split(|&byte| byte == 0).any(|part| part == wanted.as_bytes()) {
            continue;
        }
        let line = read("cmdline");
        let arguments = line.split(|&byte| byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
        found.push(Marked { pid, arguments: arguments.collect() });
    }
    found
}
