//! Addresses of network interfaces, by the kernel's route netlink (rtnetlink(7)).

use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
};

use crate::clock;

/// How long an interface is waited for: a host connects it after the guest has begun.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// Bytes of an answer at most: an error and what it is about.
const ANSWER_BYTES: usize = 1_024;

const NLMSG_ERROR: u16 = 2;
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
/// NLM_F_REQUEST and NLM_F_ACK.
const REQUEST: u16 = 1 | 4;
/// NLM_F_CREATE and NLM_F_REPLACE.
const ANEW: u16 = 0x400 | 0x100;
const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;

/// An address and the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) ip: Ipv4Addr,
    prefix: u8,
}

impl FromStr for Address {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ip, prefix) = text.split_once('/').ok_or(())?;
        let prefix: u8 = prefix.parse().map_err(drop)?;
        if prefix > 32 {
            return Err(());
        }
        let ip: Ipv4Addr = ip.parse().map_err(drop)?;
        // The first and the last of a network are nobody's own, but where it has only two.
        let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or_default();
        if hosts > 1 && [0, hosts].contains(&(u32::from(ip) & hosts)) {
            return Err(());
        }
        Ok(Self { ip, prefix })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

/// Brings an interface up.
pub(super) fn lift(name: &str) -> io::Result<()> {
    let index = index_of(name)?;
    // ifinfomsg: family, pad, type, index, flags, which of them change.
    let mut body = vec![0; 4];
    for word in [index, IFF_UP, IFF_UP] {
        body.extend_from_slice(&word.to_ne_bytes());
    }
    ask(NEW_LINK, REQUEST, &body)
}

/// Waits for an interface, gives it an address, brings it up, and sends what is for elsewhere to a gateway.
pub(super) fn give(name: &str, address: Address, gateway: Option<Ipv4Addr>) -> io::Result<()> {
    let began = clock::now();
    while index_of(name).is_err() && clock::now().saturating_duration_since(began) < PATIENCE {
        std::thread::sleep(LOOK);
    }
    let index = index_of(name)?;
    // ifaddrmsg: family, prefix, flags, scope, index; then IFA_ADDRESS (1) and IFA_LOCAL (2).
    let mut body = vec![AF_INET, address.prefix, 0, 0];
    body.extend_from_slice(&index.to_ne_bytes());
    for kind in [1, 2] {
        attribute(&mut body, kind, &address.ip.octets());
    }
    ask(NEW_ADDRESS, REQUEST | ANEW, &body)?;
    lift(name)?;
    let Some(gateway) = gateway else { return Ok(()) };
    // rtmsg: family, two prefixes, tos, main table (254), protocol boot (3), universe (0), unicast (1), flags; then
    // RTA_GATEWAY (5) and RTA_OIF (4).
    let mut body = vec![AF_INET, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
    attribute(&mut body, 5, &gateway.octets());
    attribute(&mut body, 4, &index.to_ne_bytes());
    ask(NEW_ROUTE, REQUEST | ANEW, &body)
}

fn index_of(name: &str) -> io::Result<u32> {
    let text = fs::read_to_string(format!("/sys/class/net/{name}/ifindex"))?;
    text.trim()
        .parse()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("its index is {text:?}")))
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8; 4]) {
    body.extend_from_slice(&8_u16.to_ne_bytes());
    body.extend_from_slice(&kind.to_ne_bytes());
    body.extend_from_slice(value);
}

/// Asks the kernel for one thing and waits for its answer.
fn ask(kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    // Protocol 0 of netlink is the one for routes.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, 0))?;
    let length = u32::try_from(16 + body.len()).map_err(io::Error::other)?;
    let mut message = Vec::from(length.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&flags.to_ne_bytes());
    // Sequence number, and the kernel as whom it is for.
    message.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(body);
    send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0; ANSWER_BYTES];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "the kernel's answer is not of netlink");
    let answer =
        answer.get(..length.min(ANSWER_BYTES)).filter(|answer| answer.len() >= 20).ok_or_else(strange)?;
    if u16::from_ne_bytes([answer[4], answer[5]]) != NLMSG_ERROR {
        return Err(strange());
    }
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(-errno)),
    }
}
