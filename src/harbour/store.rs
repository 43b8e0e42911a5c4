//! What the harbour must still know after it was killed: passages, regions, and a few facts of its own.
//!
//! An SQLite database, in a file or in memory. Rows are JSON (records of vessels MessagePack), so that a person
//! can read them with `sqlite3`. Each write is on disk when the call returns; the file is locked, so that no
//! second harbour can be started on it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long another harbour's lock is waited for: it may just be ending.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// Version of the tables; another one is refused.
const VERSION: u32 = 1;

/// Why something could not be kept, or found again: what was tried, what the database says, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// The tables, one kind of row each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Passages by vessel.
    Passages,
    /// Regions that have not ended, by number.
    Regions,
    /// Vessels that were moored, or go on alone, with their state and orders, by vessel.
    Moored,
    /// Vessels as their regions last showed them, by vessel.
    Checkpoints,
}

impl Table {
    const ALL: [Self; 4] = [Self::Passages, Self::Regions, Self::Moored, Self::Checkpoints];

    const fn name(self) -> &'static str {
        match self {
            Self::Passages => "passages",
            Self::Regions => "regions",
            Self::Moored => "moored",
            Self::Checkpoints => "checkpoints",
        }
    }
}

/// The database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    place: String,
}

impl Store {
    /// A store that is gone with the process.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory();
        Self::prepare(connection, "memory".to_owned())
    }

    /// Opens a store, or makes it.
    ///
    /// # Errors
    /// When the file cannot be used, another harbour has it, or another release made it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::prepare(Connection::open(path), path.display().to_string())
    }

    fn prepare(opened: rusqlite::Result<Connection>, place: String) -> Result<Self, StoreError> {
        let cannot = |error: rusqlite::Error| {
            StoreError(match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                    format!("{place} is in use by another harbour; stop that one, or name another folder")
                }
                _ => format!("cannot keep the harbour's state in {place}: {error}; name another folder"),
            })
        };
        let connection = opened.map_err(cannot)?;
        connection.busy_timeout(LOCK_PATIENCE).map_err(cannot)?;
        let set = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
        connection.execute_batch(set).map_err(cannot)?;
        let version: u32 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(cannot)?;
        if version != 0 && version != VERSION {
            return Err(StoreError(format!(
                "{place} has version {version}, this release keeps version {VERSION}; name another folder"
            )));
        }
        let mut make = String::from(
            "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);",
        );
        for table in Table::ALL {
            make += &format!(
                "CREATE TABLE IF NOT EXISTS {} (id INTEGER PRIMARY KEY, value TEXT NOT NULL);",
                table.name()
            );
        }
        make += &format!("PRAGMA user_version = {VERSION}; COMMIT;");
        connection.execute_batch(&make).map_err(cannot)?;
        Ok(Self { connection, place })
    }

    fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> StoreError {
        StoreError(format!("cannot {what} in {}: {error}; is its disk full?", self.place))
    }

    /// Keeps a fact.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn set_fact<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(value).map_err(|error| self.failed("write a fact", &error))?;
        let put = "INSERT INTO facts (name, value) VALUES (?1, ?2) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let done = self.connection.prepare_cached(put).and_then(|mut put| put.execute(params![name, text]));
        done.map(|_| ()).map_err(|error| self.failed("write a fact", &error))
    }

    /// A fact, if it was ever kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn fact<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let found: Option<String> = self
            .connection
            .query_row("SELECT value FROM facts WHERE name = ?1", params![name], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed("read a fact", &error))?;
        let read = |text: String| serde_json::from_str(&text).map_err(|error| self.failed(name, &error));
        found.map(read).transpose()
    }

    /// Keeps a row, instead of the one of that number.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn put<T: Serialize>(&mut self, table: Table, id: u32, value: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(value).map_err(|error| self.failed("write a row", &error))?;
        let put = format!(
            "INSERT INTO {} (id, value) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET value = excluded.value",
            table.name()
        );
        let done = self.connection.prepare_cached(&put).and_then(|mut put| put.execute(params![id, text]));
        done.map(|_| ()).map_err(|error| self.failed("write a row", &error))
    }

    /// Keeps many rows at once, without waiting for the disk: they outlive this process, and perhaps not the host.
    ///
    /// # Errors
    /// When they could not be written.
    pub fn put_many<T: Serialize>(&mut self, table: Table, rows: &[(u32, T)]) -> Result<(), StoreError> {
        let pragma = |store: &Self, level: &str| {
            let set = store.connection.execute_batch(&format!("PRAGMA synchronous = {level}"));
            set.map_err(|error| store.failed("write rows", &error))
        };
        pragma(self, "NORMAL")?;
        let done = self.together(|store| rows.iter().try_for_each(|(id, row)| store.put(table, *id, row)));
        done.and(pragma(self, "FULL"))
    }

    /// Writes several rows of several tables: all of them, or none.
    ///
    /// # Errors
    /// When they could not be written.
    pub fn together(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN").map_err(|error| self.failed("write rows", &error))?;
        let done = write(self);
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.connection.execute_batch(end);
        done.and(ended.map_err(|error| self.failed("write rows", &error)))
    }

    /// Forgets a row.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn remove(&mut self, table: Table, id: u32) -> Result<(), StoreError> {
        let remove = format!("DELETE FROM {} WHERE id = ?1", table.name());
        let done = self.connection.prepare_cached(&remove).and_then(|mut remove| remove.execute(params![id]));
        done.map(|_| ()).map_err(|error| self.failed("remove a row", &error))
    }

    /// One row of a table, if it is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn row<T: DeserializeOwned>(&self, table: Table, id: u32) -> Result<Option<T>, StoreError> {
        let what = format!("read row {id} of the {}", table.name());
        let query = format!("SELECT value FROM {} WHERE id = ?1", table.name());
        let found: Option<String> = self
            .connection
            .query_row(&query, params![id], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(&what, &error))?;
        let read = |text: String| serde_json::from_str(&text).map_err(|error| self.failed(&what, &error));
        found.map(read).transpose()
    }

    /// Every row of a table, in order of their numbers.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn rows<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<(u32, T)>, StoreError> {
        let what = format!("read the {}", table.name());
        let query = format!("SELECT id, value FROM {} ORDER BY id", table.name());
        let mut statement = self.connection.prepare(&query).map_err(|error| self.failed(&what, &error))?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))
            .map_err(|error| self.failed(&what, &error))?;
        rows.map(|row| {
            let (id, text) = row.map_err(|error| self.failed(&what, &error))?;
            let value = serde_json::from_str(&text).map_err(|error| self.failed(&what, &error))?;
            Ok((id, value))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_outlives_its_keeper() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("harbour.db");
        let mut store = Store::open(&path).unwrap();
        store.set_fact("seed", &7_u64).unwrap();
        store.put(Table::Passages, 3, &("b", f64::MIN_POSITIVE)).unwrap();
        let second = Store::open(&path).err().map(|error| error.0).unwrap_or_default();
        assert!(second.contains("another harbour"), "{second}");
        drop(store);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.fact("seed").unwrap(), Some(7_u64));
        assert_eq!(store.fact::<u64>("port").unwrap(), None);
        let rows: Vec<(u32, (String, f64))> = store.rows(Table::Passages).unwrap();
        assert_eq!(rows, [(3, ("b".to_owned(), f64::MIN_POSITIVE))]);
    }
}
