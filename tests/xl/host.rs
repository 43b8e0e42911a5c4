//! A Xen host, played: domains are entries of a tree, and `xl` a script that says what it was asked.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fairway::harbour::engine::EngineError;
use fairway::harbour::xl::{XlConfig, XlEngine};

type Tree = Arc<Mutex<BTreeMap<String, String>>>;

/// What `xl` is here: it keeps what a guest is made of, and asks for the rest over a pair of files.
const XL: &str = r#"#!/bin/bash
dir=$(dirname "$0")
echo "$@" >> "$dir/asked"
case "$1" in
create)
    if [ -s "$dir/refuse" ]; then cat "$dir/refuse" >&2; exit 1; fi
    name=$(sed -n 's/^name = "\(.*\)"/\1/p' "$3"); ramdisk=$(sed -n 's/^ramdisk = "\(.*\)"/\1/p' "$3")
    cp "$3" "$dir/kept/$name.cfg"; cp "$ramdisk" "$dir/kept/$name.initrd"
    order=$(mktemp "$dir/orders/new.XXXXXX"); echo "create $name" > "$order"; mv "$order" "$order.order" ;;
destroy)
    order=$(mktemp "$dir/orders/new.XXXXXX"); echo "destroy $2" > "$order"; mv "$order" "$order.order" ;;
vcpu-set|mem-max|mem-set) if [ -s "$dir/refuse" ]; then cat "$dir/refuse" >&2; exit 1; fi ;;
list) exit 0 ;;
esac
while [ -e "$order.order" ]; do sleep 0.01; done
"#;

pub struct Host {
    dir: tempfile::TempDir,
    tree: Tree,
    numbers: Arc<AtomicU32>,
}

impl Host {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["kept", "orders", "image", "guests", "consoles"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("image/vmlinux"), "kernel").unwrap();
        fs::write(dir.path().join("image/initrd.gz"), "base").unwrap();
        let xl = dir.path().join("xl");
        fs::write(&xl, XL).unwrap();
        fs::set_permissions(&xl, fs::Permissions::from_mode(0o755)).unwrap();
        let host = Self { dir, tree: Tree::default(), numbers: Arc::new(AtomicU32::new(1)) };
        let listener = UnixListener::bind(host.socket()).unwrap();
        let tree = Arc::clone(&host.tree);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tree = Arc::clone(&tree);
                std::thread::spawn(move || answer(stream, &tree));
            }
        });
        let (orders, kept) = (host.path("orders"), host.path("kept"));
        let (tree, numbers) = (Arc::clone(&host.tree), Arc::clone(&host.numbers));
        std::thread::spawn(move || {
            // Until the folder is gone with the test.
            while orders.exists() {
                carry_out(&orders, &kept, &tree, &numbers);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.path("xenstored")
    }

    pub fn engine(&self, change: impl FnOnce(&mut XlConfig)) -> Result<XlEngine, EngineError> {
        let mut config = XlConfig {
            program: self.path("xl"),
            image: self.path("image"),
            network: "10.0.0.0/24".parse().unwrap(),
            bridge: "br7".to_owned(),
            vif_script: None,
            port: 4045,
            memory_mib: 48,
            memory_max_mib: 64,
            processors_max: 2,
            kernel_words: "console=hvc0".to_owned(),
            pool: 0,
            patience: Duration::from_secs(20),
            silence: Duration::from_secs(3),
            folder: self.path("guests"),
            consoles: vec![self.path("consoles")],
            xenstore: Some(self.socket()),
            outlive: false,
        };
        change(&mut config);
        XlEngine::new(config, b"authority", super::course())
    }

    /// The configuration of a guest, once it was created.
    pub fn settings_of(&self, name: &str) -> String {
        super::until("it is created", || self.domains().contains(&name.to_owned()));
        fs::read_to_string(self.path(&format!("kept/{name}.cfg"))).unwrap()
    }

    pub fn ramdisk_of(&self, name: &str) -> Vec<u8> {
        super::until("it is created", || self.domains().contains(&name.to_owned()));
        fs::read(self.path(&format!("kept/{name}.initrd"))).unwrap()
    }

    fn number_of(&self, name: &str) -> String {
        super::until("the domain is there", || self.domains().contains(&name.to_owned()));
        let tree = self.tree.lock().unwrap();
        let found = tree.iter().find(|(path, value)| path.ends_with("/name") && *value == name).unwrap();
        found.0.split('/').nth(3).unwrap().to_owned()
    }

    /// A guest says something of itself.
    pub fn say(&self, name: &str, key: &str, value: &str) {
        let path = format!("/local/domain/{}/data/fairway/{key}", self.number_of(name));
        self.tree.lock().unwrap().insert(path, value.to_owned());
    }

    /// What a guest was told.
    pub fn told(&self, name: &str, key: &str) -> Option<String> {
        let path = format!("/local/domain/{}/data/fairway/{key}", self.number_of(name));
        self.tree.lock().unwrap().get(&path).cloned()
    }

    /// A guest is ready.
    pub fn serve(&self, name: &str, addr: &str) {
        let key = "ab".repeat(32);
        let line = format!(
            r#"{{"ready":true,"addr":"{addr}","cells":[[2,-1]],"start_to_tick_us":5000,"key":"{key}","region":1}}"#
        );
        self.say(name, "ready", &line);
        self.say(name, "state", "ready");
    }

    /// A guest ends by itself.
    pub fn end(&self, name: &str) {
        let root = format!("/local/domain/{}/", self.number_of(name));
        self.tree.lock().unwrap().retain(|path, _| !path.starts_with(&root));
    }

    /// A domain of somebody else's.
    pub fn foreign(&self, name: &str) {
        add(&self.tree, &self.numbers, name, "11111111-2222-3333-4444-555555555555");
    }

    pub fn console(&self, name: &str, text: &str) {
        fs::write(self.path(&format!("consoles/guest-{name}.log")), text).unwrap();
    }

    pub fn refuse(&self, why: &str) {
        fs::write(self.path("refuse"), why).unwrap();
    }

    /// The names of the domains that are there.
    pub fn domains(&self) -> Vec<String> {
        let tree = self.tree.lock().unwrap();
        let mut names: Vec<String> =
            tree.iter().filter(|(path, _)| path.ends_with("/name")).map(|(_, name)| name.clone()).collect();
        names.sort();
        names
    }

    /// How often `xl` was asked for something.
    pub fn asked(&self, what: &str) -> usize {
        fs::read_to_string(self.path("asked")).unwrap().lines().filter(|line| line.starts_with(what)).count()
    }

    pub fn folder_is_empty(&self) -> bool {
        fs::read_dir(self.path("guests")).unwrap().next().is_none()
    }
}

fn add(tree: &Tree, numbers: &AtomicU32, name: &str, uuid: &str) {
    let number = numbers.fetch_add(1, Ordering::Relaxed);
    let mut tree = tree.lock().unwrap();
    tree.insert(format!("/local/domain/{number}/name"), name.to_owned());
    tree.insert(format!("/local/domain/{number}/vm"), format!("/vm/{uuid}"));
}

/// Does what `xl` was asked.
fn carry_out(orders: &std::path::Path, kept: &std::path::Path, tree: &Tree, numbers: &AtomicU32) {
    for entry in fs::read_dir(orders).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "order") {
            continue;
        }
        let order = fs::read_to_string(&path).unwrap();
        match order.trim().split_once(' ') {
            Some(("create", name)) => {
                let settings = fs::read_to_string(kept.join(format!("{name}.cfg"))).unwrap();
                let uuid = settings.lines().find_map(|line| line.strip_prefix("uuid = \"")).unwrap();
                add(tree, numbers, name, uuid.trim_end_matches('"'));
            }
            Some(("destroy", number)) => {
                let root = format!("/local/domain/{number}/");
                tree.lock().unwrap().retain(|path, _| !path.starts_with(&root));
            }
            _ => panic!("an order of no kind: {order}"),
        }
        fs::remove_file(path).unwrap();
    }
}

/// One connection to xenstore.
fn answer(mut stream: UnixStream, tree: &Tree) {
    let mut header = [0; 16];
    while stream.read_exact(&mut header).is_ok() {
        let word = |n: usize| u32::from_le_bytes(header[4 * n..4 * n + 4].try_into().unwrap());
        let mut payload = vec![0; word(3) as usize];
        stream.read_exact(&mut payload).unwrap();
        let text = String::from_utf8(payload).unwrap();
        let (path, value) = text.split_once('\0').unwrap();
        let mut tree = tree.lock().unwrap();
        let (kind, answer) = match word(0) {
            1 => {
                let below = format!("{path}/");
                let mut names: Vec<&str> =
                    tree.keys().filter_map(|key| key.strip_prefix(&below)?.split('/').next()).collect();
                names.dedup();
                if names.is_empty() { (16, "ENOENT\0".to_owned()) } else { (1, names.join("\0") + "\0") }
            }
            2 => tree.get(path).map_or_else(|| (16, "ENOENT\0".to_owned()), |value| (2, value.clone())),
            11 => {
                tree.insert(path.to_owned(), value.to_owned());
                (11, "OK\0".to_owned())
            }
            _ => (16, "ENOSYS\0".to_owned()),
        };
        drop(tree);
        let mut message = Vec::new();
        for word in [kind, word(1), 0, answer.len() as u32] {
            message.extend_from_slice(&word.to_le_bytes());
        }
        message.extend_from_slice(answer.as_bytes());
        if stream.write_all(&message).is_err() {
            return;
        }
    }
}
