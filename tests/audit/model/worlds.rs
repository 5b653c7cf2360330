//! Runs a description of a server in every world. At each choice that the vendor or an unreadable file leaves open, every option is taken once.

use std::collections::BTreeSet;

/// One world, which decides each choice when it is asked.
#[derive(Default)]
pub struct World {
    choices: Vec<Choice>,
    next: usize,
    reasons: BTreeSet<&'static str>,
    against: BTreeSet<&'static str>,
}

struct Choice {
    taken: usize,
    of: usize,
}

/// The results of all worlds.
pub struct Readings<T> {
    pub results: BTreeSet<T>,
    /// Other reasons to doubt one of the results.
    pub against: BTreeSet<&'static str>,
    /// The points that were open in any of the worlds.
    pub reasons: BTreeSet<&'static str>,
}

impl World {
    /// Returns the option that this world takes, out of a number of them. If there is only one, nothing is open.
    pub fn choose(&mut self, reason: &'static str, of: usize) -> usize {
        assert!(of > 0, "{reason} leaves nothing to choose from");
        if of == 1 {
            return 0;
        }
        self.reasons.insert(reason);
        if self.next == self.choices.len() {
            self.choices.push(Choice { taken: 0, of });
        }
        let choice = &self.choices[self.next];
        assert_eq!(
            choice.of, of,
            "the description of {reason} depends on more than the world"
        );
        self.next += 1;
        choice.taken
    }

    /// Returns whether something is the case in this world.
    pub fn may(&mut self, reason: &'static str) -> bool {
        self.choose(reason, 2) == 1
    }

    /// Adds a reason not to call the result right.
    pub fn stands_against(&mut self, reason: &'static str) {
        self.reasons.insert(reason);
        self.against.insert(reason);
    }

    /// Adds a reason without a choice.
    pub fn because(&mut self, reason: &'static str) {
        self.reasons.insert(reason);
    }

    fn next_world(&mut self) -> bool {
        self.next = 0;
        while let Some(last) = self.choices.last_mut() {
            last.taken += 1;
            if last.taken < last.of {
                return true;
            }
            self.choices.pop();
        }
        false
    }
}

/// Runs a description in every world.
pub fn in_every_world<T: Ord>(happens: impl Fn(&mut World) -> T) -> Readings<T> {
    let mut world = World::default();
    let mut results = BTreeSet::new();
    loop {
        results.insert(happens(&mut world));
        if !world.next_world() {
            return Readings {
                results,
                against: world.against,
                reasons: world.reasons,
            };
        }
    }
}
