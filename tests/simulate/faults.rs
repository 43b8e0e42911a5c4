//! What goes wrong in one run, and when.

use fairway::units::RegionId;

use crate::dice::Dice;
use crate::net::{MS, Node, S};
use crate::world::{Doom, World};

/// One fault.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    KillOwner,
    KillAny,
    KillAndRestore { after: u64 },
    StopOwner { for_ns: u64 },
    DieAtWord(Doom),
    KillHarbour { for_ns: u64 },
    PartOwnerFromHarbour { for_ns: u64 },
    PartOwnerFromNeighbour { for_ns: u64 },
    SlowBoots { by: u64, for_ns: u64 },
    RefuseStarts { for_ns: u64 },
    NotYet { for_ns: u64 },
    Spike { by: u64, for_ns: u64 },
}

impl Fault {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(14) {
            0 | 1 => Self::KillOwner,
            2 => Self::KillAny,
            3 => Self::KillAndRestore { after: dice.between(1_100, 8_000) * MS },
            4 => Self::StopOwner { for_ns: dice.between(100, 6_000) * MS },
            5..=7 => Self::DieAtWord(Doom {
                word: dice.below(4),
                sender: dice.below(2) == 0,
                after: dice.below(2) == 0,
            }),
            8 => Self::KillHarbour { for_ns: dice.between(50, 6_000) * MS },
            9 => Self::PartOwnerFromHarbour { for_ns: dice.between(200, 6_000) * MS },
            10 => Self::PartOwnerFromNeighbour { for_ns: dice.between(200, 6_000) * MS },
            11 => Self::SlowBoots { by: dice.between(300, 6_000) * MS, for_ns: 8 * S },
            12 => Self::RefuseStarts { for_ns: dice.between(500, 6_000) * MS },
            _ => match dice.below(2) {
                0 => Self::NotYet { for_ns: dice.between(1_000, 8_000) * MS },
                _ => Self::Spike { by: dice.between(30, 400) * MS, for_ns: dice.between(500, 3_000) * MS },
            },
        }
    }

    /// Up to three of them, often close together.
    pub fn plan(dice: &mut Dice) -> Vec<(u64, Self)> {
        let count = dice.below(4);
        let mut at = dice.between(3_000, 12_000) * MS;
        let mut plan = Vec::new();
        for _ in 0..count {
            plan.push((at, Self::draw(dice)));
            at += if dice.below(2) == 0 { dice.below(300) * MS } else { dice.between(300, 7_000) * MS };
        }
        plan
    }

    /// Whether what it does can be told from a clean network's kill.
    pub const fn is_kill(self) -> bool {
        matches!(self, Self::KillOwner | Self::KillAny)
    }

    pub fn strike(self, world: &mut World<'_>, dice: &mut Dice) {
        let now = world.now();
        let owners = world.owners();
        let pick = |dice: &mut Dice, from: &[RegionId]| {
            (!from.is_empty()).then(|| from[dice.below(from.len() as u64) as usize])
        };
        let owner = pick(dice, &owners);
        let any = pick(dice, &world.running());
        world.faults.push(format!("{:.3} s: {self:?} (owner {owner:?}, any {any:?})", now as f64 / S as f64));
        match (self, owner, any) {
            (Self::KillOwner, Some(owner), _) => world.kill(owner),
            (Self::KillAny, _, Some(any)) => world.kill(any),
            (Self::KillAndRestore { after }, Some(owner), _) => world.kill_and_restore(owner, after),
            (Self::StopOwner { for_ns }, Some(owner), _) => world.stop_for(owner, for_ns),
            (Self::DieAtWord(doom), ..) => world.doomed = Some(doom),
            (Self::KillHarbour { for_ns }, ..) => world.kill_harbour(for_ns),
            (Self::PartOwnerFromHarbour { for_ns }, Some(owner), _) => {
                let parted = (Node::Harbour, Node::Region(owner), now + for_ns);
                world.shared.borrow_mut().net.partitions.push(parted);
            }
            (Self::PartOwnerFromNeighbour { for_ns }, Some(owner), Some(any)) if owner != any => {
                let parted = (Node::Region(owner), Node::Region(any), now + for_ns);
                world.shared.borrow_mut().net.partitions.push(parted);
            }
            (Self::SlowBoots { by, for_ns }, ..) => {
                world.shared.borrow_mut().slow_until = (now + for_ns, by);
            }
            (Self::RefuseStarts { for_ns }, ..) => world.shared.borrow_mut().refuses_until = now + for_ns,
            (Self::NotYet { for_ns }, _, Some(any)) => {
                world.shared.borrow_mut().net.mangled_until.insert(any, now + for_ns);
            }
            (Self::Spike { by, for_ns }, ..) => {
                world.shared.borrow_mut().net.spike = Some((now + for_ns, by));
            }
            _ => {
                world.faults.pop();
            }
        }
    }
}
