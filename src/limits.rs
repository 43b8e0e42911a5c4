//! Every bound in one place, each with the reason for its size.

/// Regions split the sea into cells of this size unless a course says otherwise, metres: one region of
/// the virtual worlds that Fairway joins.
pub const CELL_M: f64 = 256.0;
/// Prims in a region unless a course says otherwise: what a homestead-sized region carries with ease.
pub const PRIMS_PER_REGION: u32 = 750;
/// Distance by which a vessel must be past a border before it is handed over, metres; stops flutter of a
/// vessel that lies along a border.
pub const BORDER_HYSTERESIS_M: f64 = 1.0;
/// Vessels in one group: what one handoff carries within `MESSAGE_BYTES`.
pub const GROUP_VESSELS: usize = 64;
/// Vessels in one region, group or not: 100 boats need 750 prims and 5 ms of a tick.
pub const REGION_VESSELS: usize = 256;
/// Memory that a guest reckons with for a vessel, KiB: with its crew it takes 93 (`cargo bench --bench fleet`), and less
/// where it is followed for another region.
pub const VESSEL_KIB: u64 = 128;
/// Memory that a guest keeps free for what comes at once, KiB: offers, circuits that shake hands.
pub const GUEST_SPARE_KIB: u64 = 4 * 1_024;
/// Memory of a guest without vessels, MiB: 19 for the kernel and the region server, 2 for the map of memory that is added
/// later, and what it keeps free.
pub const GUEST_MIB: u32 = 26;
/// Vessels in one region after it took over those of one that died: no vessel is left behind for want of room;
/// the tick dilates until they are handed on.
pub const REGION_VESSELS_RESUMED: usize = 2 * REGION_VESSELS;
/// Inputs in one commit at most, so that it fits `MESSAGE_BYTES`: an order takes 70 bytes, and so does each
/// wake of a vessel's company.
pub const COMMIT_INPUTS: usize = 6_000;
/// Regions that have ended, as others remember them: an hour's worth; nothing of an older one is under way.
pub const ENDED_REGIONS: usize = 1_024;
/// Vessels whose floor a region remembers: those that were ever stuck on their way; the lowest is forgotten.
pub const FLOORS: usize = 1_024;
/// Records in one message of shadows: a record with its boat and marks takes 2 to 6 kB.
pub const SHADOW_RECORDS: usize = 64;
/// Bytes of one stream message before it is decoded: a full group with state, boat and inputs fits twice.
pub const MESSAGE_BYTES: usize = 512 * 1024;
/// Bytes of one datagram: QUIC promises paths of 1,200 bytes, less its own header.
pub const DATAGRAM_BYTES: usize = 1_150;
/// Depth of nesting in a MessagePack message: a row of a table of a sail of the boat of a vessel that is
/// offered lies 13 deep, the place of its mark 11.
pub const MESSAGE_DEPTH: usize = 16;
/// Bytes of one stream message from a client: a `Join` with a whole boat is the largest.
pub const CLIENT_MESSAGE_BYTES: usize = 32 * 1024;
/// Bytes of a signed ticket: a course's name of 64 bytes takes a third of it.
pub const TICKET_BYTES: usize = 512;
/// Messages waiting between the network and the simulation, each way: a second of a full region.
pub const QUEUE_MESSAGES: usize = 16_384;
/// Circuits that one endpoint serves at once.
pub const CIRCUITS: usize = 4_096;
/// Circuits that may be on the way to proving who they are at once; beyond a quarter of them an address must
/// first show that it can receive.
pub const HANDSHAKES: usize = 256;
/// Handshakes that one endpoint begins in a second of wall time, a millisecond of its thread each; who comes
/// too early is not answered, and asks again by itself. As many as [`HANDSHAKES`] may come at once.
/// What has shaken hands and is still silent is sent away after [`HANDSHAKE_S`]: 25 MB of circuits at most.
pub const HANDSHAKES_PER_S: u32 = 100;
/// Datagrams, and stream messages, that one client may send in a second of wall time: a crew steers at most
/// once for each state, of which there are 225.
pub const CLIENT_MESSAGES_PER_S: u32 = 1_000;
/// Bytes of stream messages that wait for one circuit; who reads more slowly than that is closed. Four of
/// the largest messages.
pub const CIRCUIT_BACKLOG_BYTES: usize = 4 * MESSAGE_BYTES;
/// The same of a link between processes of one operator: the states of a full region, in company, take a megabyte
/// every second, and a guard that is busy for some seconds must not be lost for that.
pub const LINK_BACKLOG_BYTES: usize = 16 * MESSAGE_BYTES;
/// Bytes that a peer may send on a circuit's stream ahead of what has been read; with [`CIRCUITS`] times
/// this lying unread, half a gigabyte.
pub const CIRCUIT_WINDOW_BYTES: u32 = 128 * 1024;
/// Bytes of datagrams that wait for one circuit, each way: most of a second at 45 a second, after which the
/// oldest are of no use.
pub const CIRCUIT_DATAGRAM_BYTES: usize = 32 * DATAGRAM_BYTES;
/// Bytes of datagrams that may wait for a client before its next one is dropped: two states. What waits longer than a
/// tick is late, and the one after it is worth more.
pub const CLIENT_DATAGRAM_BYTES: usize = 2 * DATAGRAM_BYTES;
/// Bytes that a circuit may always have under way, whatever its path loses: half a second of states at 45 a second.
/// No circuit sends more than is asked of it, so it need not find out how much its path bears.
pub const CIRCUIT_FLIGHT_BYTES: u64 = 24 * DATAGRAM_BYTES as u64;
/// Seconds of wall time in which a circuit must prove who it is, and in which a client must then say what it
/// wants; one that does not costs memory.
pub const HANDSHAKE_S: u64 = 5;
/// Seconds of wall time without a word after which a circuit is dead.
pub const CIRCUIT_IDLE_S: u64 = 10;
/// Samples of wakes in one message: one each of a full region, of 80 bytes.
pub const WAKES_PER_MESSAGE: usize = REGION_VESSELS;
/// Ticks of inputs that a shadow or an offer carries at most: four seconds of course time.
pub const INPUT_TICKS: usize = 180;
/// Prims that stand in a course; each is looked at when an island forms.
pub const COURSE_PRIMS: usize = 20_000;
/// Side of a course's extent, metres: its lattices of land and patches then take a megabyte.
pub const COURSE_SIDE_M: f64 = 100_000.0;
/// Marks of a course; a passage carries them in every record.
pub const COURSE_MARKS: usize = 64;
/// Events that a course scripts: a tour has some dozens; those of the hour are looked through every minute.
pub const COURSE_EVENTS: usize = 256;
/// Events of which a crew is told at once: a thunderstorm, its strokes of two seconds, and what else fits a person's mind;
/// each takes 100 bytes.
pub const EVENTS_TOLD: usize = 8;
/// Events that a client remembers to have been told: those of several days.
pub const EVENTS_REMEMBERED: usize = 256;
/// Notes that a region keeps until whoever runs it has written them down; later ones are dropped.
pub const NOTES: usize = 64;
/// Tide rips and overfalls that a course marks; every node of its lattice of currents looks at each once.
pub const COURSE_RIPS: usize = 64;
/// Tide and current stations of a course; every node of its lattice holds a weight for each.
pub const COURSE_STATIONS: usize = 32;
/// Points of a course's coast: ten times those of a full-resolution one; each takes about 150 bytes while a
/// course is read.
pub const COURSE_COAST_POINTS: usize = 500_000;
/// Bytes of any one file of a course: a coast cut from a full-resolution data set is about one.
pub const COURSE_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Vessels of one booking desk at once.
pub const PASSAGES: usize = 10_000;
