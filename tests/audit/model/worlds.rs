//! Runs a description of what a server does in every world: wherever the vendor, or what could not be read, leaves a choice, each way is taken once.

use std::collections::BTreeSet;

/// One world, which makes up its mind wherever it is asked.
#[derive(Default)]
pub struct World {
    choices: Vec<Choice>,
    next: usize,
    reasons: BTreeSet<&'static str>,
    unproven: bool,
}

struct Choice {
    taken: usize,
    of: usize,
}

/// What came of all worlds.
pub struct Readings<T> {
    pub results: BTreeSet<T>,
    /// Whether something else stands against one of the results.
    pub unproven: bool,
    /// What was open in any of the worlds.
    pub reasons: BTreeSet<&'static str>,
}

impl World {
    /// Which of so many ways this world takes. Where there is one way only, nothing is open.
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

    /// Whether it is so in this world.
    pub fn may(&mut self, reason: &'static str) -> bool {
        self.choose(reason, 2) == 1
    }

    /// Says that something stands against calling the result right.
    pub fn stands_against(&mut self, reason: &'static str) {
        self.reasons.insert(reason);
        self.unproven = true;
    }

    /// Names a reason without a choice.
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

/// What happens in every world.
pub fn in_every_world<T: Ord>(happens: impl Fn(&mut World) -> T) -> Readings<T> {
    let mut world = World::default();
    let mut results = BTreeSet::new();
    loop {
        results.insert(happens(&mut world));
        if !world.next_world() {
            return Readings {
                results,
                unproven: world.unproven,
                reasons: world.reasons,
            };
        }
    }
}
