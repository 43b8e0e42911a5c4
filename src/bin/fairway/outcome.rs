//! How a command tells its outcome, and how it ends when it does not end well.

/// How an outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object, and nothing else.
    Json,
}

/// Why a command failed; each kind has its exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A passage did not arrive; everything has been said already.
    NotArrived,
    /// A replay differs, or its record has holes.
    Differs(String),
    /// The command line says nothing; the usage has been printed.
    Usage,
    /// The command line, a course, a boat or a port cannot be used.
    Input(String),
    /// Something broke while running.
    Broke(String),
    /// A person ended it.
    Interrupted,
}

impl Failure {
    /// The process's exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::NotArrived | Self::Differs(_) => 1,
            Self::Input(_) | Self::Usage => 2,
            Self::Broke(_) => 3,
            Self::Interrupted => 130,
        }
    }

    /// The one line that says what was attempted, on what, and what to do.
    pub(crate) fn line(&self) -> Option<String> {
        match self {
            Self::Differs(line) | Self::Input(line) | Self::Broke(line) => Some(line.replace('\n', " ")),
            Self::NotArrived | Self::Usage | Self::Interrupted => None,
        }
    }
}
