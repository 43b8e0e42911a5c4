//! The region server as a process, and its harbour, played by the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use fairway::atlas::{Area, Cell, Course};
use fairway::clock;
use fairway::config::{from_hex, to_hex};
use fairway::net::{Authority, CircuitId, Endpoint, EndpointConfig, Event, Expect, Identity, Way};
use fairway::sim::{Vessel, Voyage, heading_of};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::{boats, rotation};
use fairway::wire::message::{Epoch, Neighbour, RegionCounts, VesselRecord, VesselReport};
use fairway::wire::{Message, Rights};
use glam::{DVec2, DVec3};

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Number of the region that is attacked: above those of its enemies, so that they dial it.
pub const REGION: RegionId = RegionId(50);
/// Its server name.
pub const NAME: &str = "r50.gullwing.fairway";

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing")
}

pub fn course() -> &'static Course {
    static COURSE: OnceLock<Course> = OnceLock::new();
    COURSE.get_or_init(|| Course::load(&folder()).unwrap())
}

/// The cell of the start line.
pub fn cell() -> Cell {
    Cell::of(course().start_line.port, course().cell_m)
}

/// A vessel as a harbour launches it, or a neighbour offers it.
pub fn record(id: u32, place: DVec2, tick: Tick, epoch: Epoch, crew_key: [u8; 32]) -> VesselRecord {
    let boat = boats::named("launch").unwrap().clone();
    let class = fairway::vessel::Class::new(&boat);
    let mut state = fairway::vessel::at_rest(&class, place, 0.6, 1.3);
    state.attitude = rotation::upright(1.3);
    state.position_m = DVec3::new(place.x, place.y, state.position_m.z);
    assert!((heading_of(&state) - 1.3).abs() < 1e-6);
    let vessel = Vessel {
        id: VesselId(id),
        boat,
        state,
        voyage: Voyage::default(),
        trail: Vec::new(),
        company: Vec::new(),
    };
    VesselRecord { vessel, tick, epoch, crew_key, sessions: 0, guard: None }
}

/// An open endpoint on loopback.
pub fn endpoint(identity: Identity, authority: Option<&Authority>) -> Endpoint {
    Endpoint::open(EndpointConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        identity,
        authority: authority.map(|authority| authority.certificate().to_vec()),
        serve: Vec::new(),
    })
    .unwrap()
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub resident_kib: u64,
    pub cpu: Duration,
    pub at: Instant,
}

/// A region server under a harbour.
pub struct Port {
    child: Child,
    pub addr: SocketAddr,
    pub authority: Authority,
    harbour: Arc<Endpoint>,
    circuit: CircuitId,
    desk: Arc<Desk>,
}

/// What the harbour's desk, a thread that renews the region's lease with every report, has heard.
#[derive(Default)]
struct Desk {
    heard: Mutex<Heard>,
    news: Condvar,
    stop: AtomicBool,
}

#[derive(Default)]
struct Heard {
    reports: u64,
    last: Option<Told>,
    closed: Option<String>,
}

/// What the last report said.
#[derive(Clone, Debug)]
pub struct Told {
    pub tick: Tick,
    pub vessels: Vec<VesselReport>,
    pub counts: RegionCounts,
}

impl Port {
    /// Starts the server, enrols it, and names no neighbours.
    pub fn open() -> Self {
        let authority = Authority::generate("gullwing").unwrap();
        let cell = cell();
        let mut child = Command::new(env!("CARGO_BIN_EXE_fairway-region"))
            .arg("--course")
            .arg(folder())
            .args(["--cell", &format!("{},{}", cell.x, cell.y), "--listen", "127.0.0.1:0"])
            .args(["--id", &REGION.0.to_string(), "--authority", &to_hex(authority.certificate())])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let addr = ready["addr"].as_str().unwrap().parse().unwrap();
        let key: [u8; 32] = from_hex(ready["key"].as_str().unwrap()).unwrap().try_into().unwrap();
        let harbour = Arc::new(endpoint(authority.harbour_identity().unwrap(), Some(&authority)));
        let circuit = harbour.dial(addr, NAME, Expect::Key(key));
        let opened = harbour.events().recv_timeout(PATIENCE);
        assert!(matches!(opened, Ok(Event::Opened { .. })), "{opened:?}");
        let desk = Arc::new(Desk::default());
        let (theirs, line) = (Arc::clone(&desk), Arc::clone(&harbour));
        std::thread::spawn(move || theirs.serve(&line));
        let port = Self { child, addr, authority, harbour, circuit, desk };
        let proved = port.harbour.peer_key(circuit).unwrap();
        let chain = port.authority.sign_region(&proved, &[NAME], 14).unwrap();
        port.tell(Message::Enrol { chain });
        port.wait_until_enrolled();
        port
    }

    /// Until a stranger is shown what the harbour signed.
    fn wait_until_enrolled(&self) {
        let stranger = endpoint(Identity::generate().unwrap(), None);
        let begun = Instant::now();
        loop {
            stranger.dial(self.addr, NAME, self.expect());
            match stranger.events().recv_timeout(PATIENCE).unwrap() {
                Event::Opened { .. } => return,
                other => assert!(begun.elapsed() < PATIENCE, "{other:?}"),
            }
        }
    }

    /// What the server is expected to show.
    pub fn expect(&self) -> Expect {
        Expect::Authority(self.authority.certificate().to_vec())
    }

    /// The ground that it sails.
    pub fn area() -> Area {
        cell().area(course().cell_m)
    }

    /// Sends what only the harbour may.
    pub fn tell(&self, message: Message) {
        self.harbour.send(self.circuit, None, message, Way::Stream);
    }

    /// Names the regions around; none of them listens.
    pub fn name_neighbours(&self, numbers: &[u32]) {
        let neighbour = |&number: &u32| {
            let shift = DVec2::new(course().cell_m * f64::from(number), 0.0);
            let Area { min, max } = Self::area();
            Neighbour {
                region: RegionId(number),
                area: Area { min: min + shift, max: max + shift },
                addr: SocketAddr::from(([127, 0, 0, 1], 9)),
                name: format!("r{number}.gullwing.fairway"),
            }
        };
        self.tell(Message::Neighbours(numbers.iter().map(neighbour).collect()));
    }

    /// Puts a vessel into the water for a crew; returns its berth.
    pub fn launch(&self, id: u32, crew_key: [u8; 32]) -> DVec2 {
        let place = course().start_line.port + DVec2::new(0.0, 30.0 * f64::from(id));
        self.launch_at(id, place, crew_key);
        place
    }

    /// Puts a vessel into the water at a place.
    pub fn launch_at(&self, id: u32, place: DVec2, crew_key: [u8; 32]) {
        let record = record(id, place, Tick(0), Epoch { term: 1, hop: 0 }, crew_key);
        self.tell(Message::Launch { record: Box::new(record), new: true });
    }

    /// A ticket that the harbour signed for a vessel and a key.
    pub fn ticket(&self, vessel: u32, key: [u8; 32]) -> Vec<u8> {
        self.authority.ticket(VesselId(vessel), Rights::Sail, clock::unix_s() + 600, key).unwrap()
    }

    /// The next report that satisfies, of those that are still to come.
    pub fn report_when(&self, wanted: impl Fn(&Told) -> bool) -> Told {
        let begun = Instant::now();
        let mut heard = self.desk.heard.lock().unwrap();
        let mut known = heard.reports;
        loop {
            assert_eq!(heard.closed, None, "the harbour was cut off");
            assert!(begun.elapsed() < PATIENCE, "waited in vain: {:?}", heard.last);
            if heard.reports > known
                && let Some(told) = heard.last.as_ref().filter(|told| wanted(told))
            {
                return told.clone();
            }
            known = heard.reports;
            heard = self.desk.news.wait_timeout(heard, PATIENCE).unwrap().0;
        }
    }

    /// A report of now: the second to come, for the first may have been on its way.
    pub fn report(&self) -> Told {
        self.report_when(|_| true);
        self.report_when(|_| true)
    }

    /// What the server's process has used so far.
    pub fn used(&self) -> Use {
        Use::of(self.child.id())
    }
}

impl Use {
    /// What a process has used so far.
    pub fn of(pid: u32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = std::fs::read_to_string(folder.join("status")).expect("the server lives");
        let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        let resident_kib = resident.split_whitespace().nth(1).unwrap().parse().unwrap();
        let ns: u64 = std::fs::read_dir(folder.join("task"))
            .unwrap()
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
            .filter_map(|line| line.split(' ').next()?.parse::<u64>().ok())
            .sum();
        Use { resident_kib, cpu: Duration::from_nanos(ns), at: Instant::now() }
    }
}

impl Desk {
    fn serve(&self, line: &Endpoint) {
        while !self.stop.load(Ordering::Relaxed) {
            match line.events().recv_timeout(Duration::from_millis(50)) {
                Ok(Event::Received {
                    circuit,
                    message: Message::Report { tick, vessels, counts, stamp_ns, .. },
                    ..
                }) => {
                    line.send(
                        circuit,
                        None,
                        Message::Lease { stamp_ns, unix_ns: fairway::clock::unix_ns() },
                        Way::Stream,
                    );
                    let mut heard = self.heard.lock().unwrap();
                    heard.reports += 1;
                    heard.last = Some(Told { tick, vessels, counts });
                }
                Ok(Event::Closed { reason, .. }) => self.heard.lock().unwrap().closed = Some(reason),
                _ => {}
            }
            self.news.notify_all();
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.desk.stop.store(true, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
