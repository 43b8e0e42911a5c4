//! The engine that runs each region server as the whole of a Xen guest, through the `xl` program.
//!
//! A start is a thread: it writes the guest's ramdisk and configuration, runs `xl create`, and waits for what the guest
//! says in xenstore. One more thread looks at all guests and tells which are gone. A guest is known by its UUID, the
//! first half of which is the harbour's own: no other domain of the host is ever touched.

mod domain;
mod guests;
mod network;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::engine::{Engine, EngineError, EngineEvent, Patience, RegionSpec};
use crate::atlas::Cell;
use crate::config::to_hex;
use crate::image::{Image, RegionImage};
use crate::limits::{GUEST_MIB, VESSEL_KIB};
use crate::units::RegionId;

use domain::{Domain, Uuid};
use guests::{Guests, Start};
pub use network::Network;

/// Events that wait; there are two to a region.
const EVENTS: usize = 4_096;

/// How guests are run.
#[derive(Clone, Debug)]
pub struct XlConfig {
    /// The `xl` program.
    pub program: PathBuf,
    /// Kernel and ramdisk, as `fairway image build` leaves them.
    pub image: PathBuf,
    /// Where the addresses of guests come from.
    pub network: Network,
    /// The host's bridge that their interfaces are put on.
    pub bridge: String,
    /// The hotplug script of their interfaces; the host's own without one.
    pub vif_script: Option<String>,
    /// The one UDP port number of all regions.
    pub port: u16,
    /// Memory that a guest starts with, MiB.
    pub memory_mib: u32,
    /// Memory that a guest is given at most while more vessels are booked than it carries, MiB.
    pub memory_max_mib: u32,
    /// Processors of a guest at most; it starts with one.
    pub processors_max: u32,
    /// Words for the kernel besides ours.
    pub kernel_words: String,
    /// Guests that are kept booted and wait for a region.
    pub pool: usize,
    /// How long a guest may take until it serves.
    pub patience: Duration,
    /// How long one that serves may be silent until it counts as dead: longer than its host may pause it.
    pub silence: Duration,
    /// Folder for configurations and ramdisks; what is in it is gone when its guest is.
    pub folder: PathBuf,
    /// Where the host's console daemon keeps what guests say.
    pub consoles: Vec<PathBuf>,
    /// Xenstore's socket; the usual places without one.
    pub xenstore: Option<PathBuf>,
    /// Whether regions outlive this process, to be found again by the next one.
    pub outlive: bool,
}

/// Region servers as guests of this Xen host.
#[derive(Debug)]
pub struct XlEngine {
    guests: Arc<Guests>,
    network: network::Pool,
    domains: BTreeMap<RegionId, Arc<Domain>>,
    events: (Sender<EngineEvent>, Receiver<EngineEvent>),
    /// The first half of our guests' UUIDs.
    own: [u8; 8],
    reconciled: bool,
    spares: Vec<Arc<Domain>>,
    course: PathBuf,
    spares_made: u32,
}

impl XlEngine {
    /// An engine without guests; the authority's certificate tells this harbour's guests from all others.
    ///
    /// # Errors
    /// When the image cannot be read, or there is no xenstore: this host does not run Xen.
    pub fn new(config: XlConfig, authority: &[u8], course: PathBuf) -> Result<Self, EngineError> {
        let digest = ring::digest::digest(&ring::digest::SHA256, authority);
        let mut own = [0; 8];
        own.copy_from_slice(&digest.as_ref()[..8]);
        let image = Image::read(&config.image).map_err(|error| EngineError(error.to_string()))?;
        let network = network::Pool::new(config.network.clone());
        let events = bounded(EVENTS);
        let guests = Guests::open(config, image, events.0.clone())?;
        let (domains, spares) = (BTreeMap::new(), Vec::new());
        Ok(Self { guests, network, domains, events, own, reconciled: false, spares, course, spares_made: 0 })
    }

    fn arguments(&self, spec: &RegionSpec, addr: SocketAddr) -> Vec<String> {
        let Cell { x, y } = spec.cell;
        vec![
            format!("--course={}", RegionImage::place_of(&spec.course)),
            format!("--cell={x},{y}"),
            format!("--id={}", spec.id.0),
            format!("--listen={addr}"),
            format!("--seed={}", spec.seed),
            format!("--authority={}", to_hex(&spec.authority)),
            format!("--clock={},{},{}", spec.clock.tick.0, spec.clock.unix_ns, spec.clock.warp),
        ]
    }

    fn addr(&self, ip: std::net::Ipv4Addr) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(ip), self.guests.config.port)
    }

    /// Boots guests until as many wait as should.
    fn fill_pool(&mut self) {
        self.spares.retain(|spare| !spare.is_gone());
        while self.spares.len() < self.guests.config.pool {
            let (Some(ip), Ok(uuid)) = (self.network.take(), Uuid::new(self.own)) else { return };
            self.spares_made += 1;
            let name = format!("fairway-spare-{}", self.spares_made);
            let domain = Arc::new(Domain::new(name, uuid, ip, None));
            self.spares.push(Arc::clone(&domain));
            self.guests.start(Start { domain, course: self.course.clone(), arguments: None });
        }
    }

    /// Ends guests of a former life of this harbour that nobody asked for since.
    fn reconcile(&mut self) {
        self.reconciled = true;
        let known: Vec<Uuid> = self.domains.values().map(|domain| domain.uuid).collect();
        self.guests.end_strays(self.own, &known);
    }
}

impl Engine for XlEngine {
    fn patience(&self) -> Patience {
        let XlConfig { patience, silence, .. } = self.guests.config;
        // The guest's own failure, with its reason, comes first; its end takes an `xl` as its start does.
        let usual = Patience::default();
        Patience { boot: usual.boot + patience, drain: usual.drain + patience / 2, silence }
    }

    fn start(&mut self, spec: &RegionSpec) -> Result<(), EngineError> {
        if spec.record.is_some() {
            return Err(EngineError(
                "a guest has no disk to record on: leave --record out, or run regions as processes"
                    .to_owned(),
            ));
        }
        // One that has booted and waits; those that are still booting take as long as a new one.
        let waits = self.spares.iter().position(|spare| spare.waits());
        if let Some(index) = waits {
            let domain = self.spares.swap_remove(index);
            domain.becomes(spec.id);
            let arguments = self.arguments(spec, self.addr(domain.ip));
            self.domains.insert(spec.id, Arc::clone(&domain));
            self.guests.assign(domain, &arguments);
            return Ok(());
        }
        let ip = self.network.take().ok_or_else(|| {
            EngineError(
                "the network has no address left for another guest: name a larger one with --network"
                    .to_owned(),
            )
        })?;
        let uuid =
            Uuid::new(self.own).map_err(|()| EngineError("the host gives no random numbers".to_owned()))?;
        let domain = Arc::new(Domain::new(format!("fairway-{}", spec.name), uuid, ip, Some(spec.id)));
        self.domains.insert(spec.id, Arc::clone(&domain));
        let arguments = Some(self.arguments(spec, self.addr(ip)));
        self.guests.start(Start { domain, course: spec.course.clone(), arguments });
        Ok(())
    }

    fn kill(&mut self, region: RegionId) {
        if let Some(domain) = self.domains.get(&region) {
            self.guests.destroy(Arc::clone(domain));
        }
    }

    fn processors_max(&self) -> u32 {
        self.guests.config.processors_max
    }

    fn set_processors(&mut self, region: RegionId, processors: u32) {
        if let Some(domain) = self.domains.get(&region) {
            self.guests.set_processors(Arc::clone(domain), processors);
        }
    }

    fn vessels_max(&self) -> usize {
        let XlConfig { memory_mib, memory_max_mib, .. } = self.guests.config;
        let free_mib = memory_mib.max(memory_max_mib).saturating_sub(GUEST_MIB);
        usize::try_from(u64::from(free_mib) * 1_024 / VESSEL_KIB).unwrap_or(usize::MAX)
    }

    fn make_room(&mut self, region: RegionId, vessels: usize) {
        if let Some(domain) = self.domains.get(&region) {
            let needed = (vessels as u64).saturating_mul(VESSEL_KIB).div_ceil(1_024);
            let mib = GUEST_MIB.saturating_add(u32::try_from(needed).unwrap_or(u32::MAX));
            self.guests.set_memory(Arc::clone(domain), mib.max(self.guests.config.memory_mib));
        }
    }

    fn handle(&self, region: RegionId) -> Option<String> {
        let domain = self.domains.get(&region)?;
        Some(format!("{} {}", domain.uuid, domain.name))
    }

    fn adopt(&mut self, spec: &RegionSpec, addr: Option<SocketAddr>, handle: &str) -> bool {
        let Some((uuid, name)) = handle.split_once(' ') else { return false };
        let Some(uuid) = Uuid::read(uuid).filter(|uuid| uuid.is_of(self.own)) else { return false };
        let Some(SocketAddr::V4(addr)) = addr else {
            // Never heard of: it has nothing, and is ended with the strays.
            return false;
        };
        let domain = Arc::new(Domain::new(name.to_owned(), uuid, *addr.ip(), Some(spec.id)));
        if !self.guests.runs(&domain) {
            return false;
        }
        self.network.keep(*addr.ip());
        self.domains.insert(spec.id, Arc::clone(&domain));
        self.guests.mind(domain);
        true
    }

    fn poll(&mut self) -> Option<EngineEvent> {
        if !self.reconciled {
            self.reconcile();
        }
        self.fill_pool();
        let event = self.events.1.try_recv().ok()?;
        if let EngineEvent::Ended { region, .. } = &event
            && let Some(domain) = self.domains.remove(region)
        {
            self.network.give_back(domain.ip);
        }
        Some(event)
    }

    fn running(&self) -> Vec<RegionId> {
        self.domains.keys().copied().collect()
    }
}

impl Drop for XlEngine {
    fn drop(&mut self) {
        // Spares are nobody's; regions are ended by the harbour, or found again by the next one.
        let mut ends: Vec<Arc<Domain>> = std::mem::take(&mut self.spares);
        if !self.guests.config.outlive {
            ends.extend(std::mem::take(&mut self.domains).into_values());
        }
        let guests = &self.guests;
        std::thread::scope(|scope| {
            for domain in &ends {
                domain.is_to_end();
                scope.spawn(|| guests.destroy_now(domain));
            }
        });
    }
}
