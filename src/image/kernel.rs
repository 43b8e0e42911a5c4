//! Kernels for guests: built for nothing else, or Debian's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ImageError, cannot};

/// Which kernel a guest boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Built from Debian's source with only what a region needs: minutes, once.
    Tuned,
    /// Debian's own, with the modules that it needs.
    Stock,
    /// A file.
    File(PathBuf),
}

impl std::str::FromStr for Kernel {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "tuned" => Self::Tuned,
            "stock" => Self::Stock,
            path => Self::File(path.into()),
        })
    }
}

/// The scripts that get them, which the program carries with it.
const SCRIPTS: [(&str, &str); 3] = [
    ("kernel.sh", include_str!("../../assets/guest/kernel.sh")),
    ("kernel.config", include_str!("../../assets/guest/kernel.config")),
    ("stock.sh", include_str!("../../assets/guest/stock.sh")),
];

impl Kernel {
    /// Gets the kernel, in a folder that is kept: its file and its modules, in the order in which they are loaded.
    ///
    /// # Errors
    /// When a script fails; what it says is on the console.
    pub fn get(&self, cache: &Path) -> Result<(PathBuf, Vec<PathBuf>), ImageError> {
        let script = match self {
            Self::File(path) => return Ok((path.clone(), Vec::new())),
            Self::Tuned => "kernel.sh",
            Self::Stock => "stock.sh",
        };
        let remedy = "name another folder with --cache";
        let out = cache.join(script.trim_end_matches(".sh"));
        std::fs::create_dir_all(&out).map_err(cannot("cannot make", &out, remedy))?;
        for (name, text) in SCRIPTS {
            let path = cache.join(name);
            std::fs::write(&path, text).map_err(cannot("cannot write", &path, remedy))?;
        }
        let mut command = Command::new("bash");
        // Standard output is for what the command prints itself.
        command.arg(cache.join(script)).arg(&out).stdout(std::io::stderr());
        let status = command.status().map_err(|error| {
            ImageError::Kernel(format!("cannot run bash {script}: {error}; install bash"))
        })?;
        if !status.success() {
            return Err(ImageError::Kernel(format!(
                "{script} ended with {status}; what it needs is said above"
            )));
        }
        let mut modules: Vec<PathBuf> = std::fs::read_dir(out.join("modules"))
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        modules.sort();
        Ok((out.join("vmlinux"), modules))
    }
}
