//! The words that tell a guest what it is to be.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use super::InitError;
use super::address::Address;

/// What is before each of our words.
const PREFIX: &str = "fairway.";

/// The words as they were understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// `fairway.ip=10.0.0.1/24`
    pub(super) address: Option<Address>,
    /// `fairway.gateway=10.0.0.254`
    pub(super) gateway: Option<Ipv4Addr>,
}

impl Words {
    /// Those of the kernel's command line, then those of a file that need not be there.
    pub(super) fn read(command_line: &Path, file: &Path) -> Result<Self, InitError> {
        let mut words = Self::default();
        for place in [command_line, file] {
            // A file that is not there has nothing to say.
            let text = fs::read_to_string(place).unwrap_or_default();
            words.take_all(&text)?;
        }
        Ok(words)
    }

    /// Takes those of ours in a text.
    pub(super) fn take_all(&mut self, text: &str) -> Result<(), InitError> {
        for word in text.split_whitespace() {
            if let Some((key, value)) = word.strip_prefix(PREFIX).and_then(|word| word.split_once('=')) {
                self.take(key, value)?;
            }
        }
        Ok(())
    }

    /// Takes one word.
    pub(super) fn take(&mut self, key: &str, value: &str) -> Result<(), InitError> {
        let wrong = |example: &str| {
            InitError::Word(format!(
                "{PREFIX}{key}={value}: cannot be read; write it like {PREFIX}{key}={example}"
            ))
        };
        match key {
            "ip" => self.address = Some(value.trim().parse().map_err(|()| wrong("10.0.0.1/24"))?),
            "gateway" => self.gateway = Some(value.trim().parse().map_err(|_| wrong("10.0.0.254"))?),
            _ => {
                return Err(InitError::Word(format!(
                    "{PREFIX}{key}: no such word; there are ip and gateway"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command_line: &str, file: &str) -> Result<Words, String> {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("cmdline"), dir.path().join("words"));
        fs::write(&one, command_line).unwrap();
        fs::write(&two, file).unwrap();
        Words::read(&one, &two).map_err(|error| error.to_string())
    }

    #[test]
    fn words_of_the_ramdisk_count_more_than_the_kernels() {
        let words = read("console=hvc0 fairway.ip=10.0.0.1/24 quiet", "fairway.ip=10.9.0.2/16\n").unwrap();
        assert_eq!(words.address.unwrap().to_string(), "10.9.0.2/16");
        assert_eq!(read("console=hvc0", "").unwrap(), Words::default());
        for address in ["10.0.0.0/31", "10.0.0.1/32"] {
            assert_eq!(
                read(&format!("fairway.ip={address}"), "").unwrap().address.unwrap().to_string(),
                address
            );
        }
    }

    #[test]
    fn wrong_words_are_named_with_a_remedy() {
        for (word, part) in [
            ("fairway.ip=10.0.0.1", "10.0.0.1/24"),
            ("fairway.ip=10.0.0.1/33", "10.0.0.1/24"),
            ("fairway.ip=10.0.0.999/24", "10.0.0.1/24"),
            ("fairway.ip=10.0.0.0/24", "10.0.0.1/24"),
            ("fairway.ip=10.0.0.255/24", "10.0.0.1/24"),
            ("fairway.gateway=here", "10.0.0.254"),
            ("fairway.iq=1", "no such word"),
        ] {
            let message = read(word, "").unwrap_err();
            assert!(message.contains(part), "{word}: {message}");
        }
    }
}
