//! A bad network on loopback: datagrams between clients and regions that come late, out of order, or not at all.
//!
//! ```text
//! clients' endpoint ──▶ front ─┐                      ┌─▶ back ──▶ region
//!                              ├─▶ postman: late ─────┤
//! clients' endpoint ◀── front ◀┘  or never            └── back ◀── region
//! ```
//!
//! One door, a pair of sockets, for each region; clients dial the front instead of the region. That is all that
//! they notice: circuits are found by their connection ids, and servers by their names, not their addresses.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fairway::clock;
use fairway::noise::{Stream, signed, uniform};

/// Mean delay of a datagram, one way, and half the breadth of its even spread.
pub(crate) const DELAY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(20));
/// Share of datagrams that are lost, one way.
pub(crate) const LOSS: f64 = 0.02;
/// Datagrams under way at once: a tenth of a second of thousands of clients; more are lost.
const UNDER_WAY: usize = 16_384;
/// How soon the threads of a door notice that it is over.
const LOOK_UP: Duration = Duration::from_millis(400);
/// Stack of a thread that holds one datagram.
const STACK_BYTES: usize = 256 * 1024;
/// Bytes of one datagram at most.
const DATAGRAM_BYTES: usize = 65_536;

/// One datagram under way.
struct Parcel {
    due: Instant,
    number: u64,
    from: Arc<UdpSocket>,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Parcel {}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

/// What all threads of a relay share.
struct Post {
    bag: Mutex<(BinaryHeap<Reverse<Parcel>>, u64)>,
    news: Condvar,
    stop: AtomicBool,
    seed: u64,
    carried: AtomicU64,
    lost: AtomicU64,
    /// How much later than it should the postman sent a datagram at worst, microseconds.
    late_us: AtomicU64,
}

impl Post {
    /// Takes a datagram: loses it, or sends it on later.
    #[expect(clippy::cast_possible_truncation, reason = "the counter's halves are all that is wanted")]
    fn take(&self, from: &Arc<UdpSocket>, to: SocketAddr, bytes: &[u8]) {
        let mut bag = self.bag.lock().unwrap_or_else(PoisonError::into_inner);
        let (parcels, number) = &mut *bag;
        *number += 1;
        let counter = |what: u32| [*number as u32, (*number >> 32) as u32, what];
        if uniform(self.seed, Stream::Trial, counter(0)) < LOSS || parcels.len() >= UNDER_WAY {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let late_s = DELAY.0.as_secs_f64()
            + DELAY.1.as_secs_f64() * signed(self.seed, Stream::Trial, counter(1)).clamp(-1.0, 1.0);
        let due = clock::now() + Duration::from_secs_f64(late_s);
        let first = parcels.peek().is_none_or(|Reverse(next)| due < next.due);
        let parcel = Parcel { due, number: *number, from: Arc::clone(from), to, bytes: bytes.to_vec() };
        parcels.push(Reverse(parcel));
        drop(bag);
        if first {
            self.news.notify_one();
        }
    }

    /// Sends what is due, until it is over.
    fn deliver(&self) {
        let mut bag = self.bag.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.stop.load(Ordering::Relaxed) {
            let now = clock::now();
            let wait = bag.0.peek().map_or(LOOK_UP, |Reverse(next)| next.due.saturating_duration_since(now));
            if wait.is_zero()
                && let Some(Reverse(parcel)) = bag.0.pop()
            {
                drop(bag);
                let late = u64::try_from((now - parcel.due).as_micros()).unwrap_or(u64::MAX);
                self.late_us.fetch_max(late, Ordering::Relaxed);
                self.carried.fetch_add(1, Ordering::Relaxed);
                // A network does not say what it could not deliver.
                let _ = parcel.from.send_to(&parcel.bytes, parcel.to);
                bag = self.bag.lock().unwrap_or_else(PoisonError::into_inner);
            } else {
                bag = self.news.wait_timeout(bag, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

/// What a relay has done, also after its end.
pub(crate) struct Postman(Arc<Post>);

impl Postman {
    /// Datagrams carried, datagrams lost, and by how many milliseconds one was sent too late at worst.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a bench")]
    pub(crate) fn told(&self) -> (u64, u64, f64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.0.carried), read(&self.0.lost), read(&self.0.late_us) as f64 * 1e-3)
    }
}

/// The bad network of one endpoint's clients.
pub(crate) struct Relay {
    post: Arc<Post>,
    doors: BTreeMap<SocketAddr, SocketAddr>,
    threads: Vec<JoinHandle<()>>,
}

impl Relay {
    /// A relay without doors; the seed fixes which datagrams are lost and how late the others come.
    pub(crate) fn new(seed: u64) -> Self {
        let post = Post {
            bag: Mutex::default(),
            news: Condvar::new(),
            stop: AtomicBool::new(false),
            seed,
            carried: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            late_us: AtomicU64::new(0),
        };
        let mut relay = Self { post: Arc::new(post), doors: BTreeMap::new(), threads: Vec::new() };
        let post = Arc::clone(&relay.post);
        relay.work("postman", move || post.deliver());
        relay
    }

    /// Who tells what it has done.
    pub(crate) fn postman(&self) -> Postman {
        Postman(Arc::clone(&self.post))
    }

    fn work(&mut self, name: &str, work: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(work);
        self.threads.push(thread.expect("a thread can be started"));
    }

    /// Where to dial instead of a region.
    pub(crate) fn door(&mut self, region: SocketAddr) -> SocketAddr {
        if let Some(&door) = self.doors.get(&region) {
            return door;
        }
        let socket = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
            socket.set_read_timeout(Some(LOOK_UP)).expect("a socket takes a timeout");
            Arc::new(socket)
        };
        let (front, back) = (socket(), socket());
        let door = front.local_addr().expect("a socket has an address");
        // The clients' one endpoint, once it has been heard.
        let clients = Arc::new(Mutex::new(None));
        let (post, known) = (Arc::clone(&self.post), Arc::clone(&clients));
        let (near, far) = (Arc::clone(&front), Arc::clone(&back));
        self.work("door out", move || {
            carry(&near, &post, |from| {
                *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
                Some((Arc::clone(&far), region))
            });
        });
        let post = Arc::clone(&self.post);
        self.work("door in", move || {
            carry(&back, &post, |from| {
                let to = *clients.lock().unwrap_or_else(PoisonError::into_inner);
                to.filter(|_| from == region).map(|to| (Arc::clone(&front), to))
            });
        });
        self.doors.insert(region, door);
        door
    }
}

/// Hands what comes at a socket to the post; `onward` says by which socket it goes on, and to whom.
fn carry(
    socket: &UdpSocket,
    post: &Post,
    mut onward: impl FnMut(SocketAddr) -> Option<(Arc<UdpSocket>, SocketAddr)>,
) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    while !post.stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        if let Some((by, to)) = onward(from) {
            post.take(&by, to, &buffer[..length]);
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.post.stop.store(true, Ordering::Relaxed);
        self.post.news.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
