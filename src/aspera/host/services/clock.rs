//! The clocks of a host, read at one moment.

use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

use super::host::Host;

/// Ticks per second in `/proc`. The kernel shows 100 to programs on all architectures that this program is built for (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// The clocks of a host at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The time of day.
    pub now: SystemTime,
    /// The time since boot, including sleep. The kernel reports the starts of processes in this clock.
    pub uptime: Option<Duration>,
    /// The time since boot, without sleep. This is the other clock of systemd.
    pub monotonic: Option<Duration>,
}

impl Clock {
    pub fn read(host: &Host) -> Self {
        Self {
            now: SystemTime::now(),
            uptime: uptime(host),
            monotonic: clock_gettime(ClockId::CLOCK_MONOTONIC)
                .ok()
                .map(Duration::from),
        }
    }

    /// Returns when a process started, from ticks since boot. Returns `None` if the clocks contradict each other, as in containers with their own uptime.
    pub fn start(&self, ticks: u64) -> Option<SystemTime> {
        let since_boot = Duration::from_millis(ticks.checked_mul(1_000 / TICKS_PER_SECOND)?);
        // Both numbers are cut off to hundredths of a second, so a process may seem to start slightly in the future.
        let tolerated = Duration::from_millis(20);
        let uptime = self.uptime?;
        if since_boot.saturating_sub(tolerated) > uptime {
            return None;
        }
        self.now.checked_sub(uptime.saturating_sub(since_boot))
    }

    /// Returns whether the time of day was set since a moment that is known in both clocks of systemd.
    pub fn was_set_since(&self, time_of_day: SystemTime, monotonic: Duration) -> bool {
        // The time of day is in whole seconds; slewing by NTP is slower than this.
        const TOLERATED: Duration = Duration::from_secs(3);
        let since = self.monotonic.and_then(|now| now.checked_sub(monotonic));
        let Some(expected) = since.and_then(|since| time_of_day.checked_add(since)) else {
            return false;
        };
        let difference = match self.now.duration_since(expected) {
            Ok(ahead) => ahead.saturating_sub(self.asleep()),
            Err(behind) => behind.duration(),
        };
        difference > TOLERATED
    }

    /// Returns how long the host slept since boot. The monotonic clock is behind by that much, which is no change of the time of day.
    fn asleep(&self) -> Duration {
        match (self.uptime, self.monotonic) {
            (Some(uptime), Some(monotonic)) => uptime.saturating_sub(monotonic),
            _ => Duration::ZERO,
        }
    }
}

fn uptime(host: &Host) -> Option<Duration> {
    let text = String::from_utf8(host.read("proc/uptime", 256)?).ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u8 = hundredths.parse().ok()?;
    let hundredths = Duration::from_millis(u64::from(hundredths) * 10);
    Duration::from_secs(seconds.parse().ok()?).checked_add(hundredths)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn clock(now: u64, uptime: u64, monotonic: u64) -> Clock {
        Clock {
            now: UNIX_EPOCH + Duration::from_secs(now),
            uptime: Some(Duration::from_secs(uptime)),
            monotonic: Some(Duration::from_secs(monotonic)),
        }
    }

    #[test]
    fn starts_are_converted_to_the_time_of_day() {
        let clock = clock(10_000, 100, 100);
        assert_eq!(
            clock.start(4_050),
            Some(clock.now - Duration::from_millis(59_500))
        );
        assert_eq!(clock.start(10_001), Some(clock.now));
        // A container that shows its own uptime, but processes that count from the boot of the machine.
        assert_eq!(clock.start(20_000), None);
        let unknown = Clock {
            uptime: None,
            ..clock
        };
        assert_eq!(unknown.start(1), None);
    }

    #[test]
    fn a_step_of_the_time_of_day_shows_in_either_direction() {
        let started = UNIX_EPOCH + Duration::from_secs(9_940);
        let at = Duration::from_secs(40);
        assert!(!clock(10_000, 100, 100).was_set_since(started, at));
        assert!(!clock(10_003, 100, 100).was_set_since(started, at));
        assert!(clock(10_004, 100, 100).was_set_since(started, at));
        assert!(!clock(9_997, 100, 100).was_set_since(started, at));
        assert!(clock(9_996, 100, 100).was_set_since(started, at));
        assert!(clock(13_600, 100, 100).was_set_since(started, at));
        assert!(clock(6_400, 100, 100).was_set_since(started, at));
        // Ten minutes of sleep are no step.
        assert!(!clock(10_600, 700, 100).was_set_since(started, at));
        assert!(clock(10_604, 700, 100).was_set_since(started, at));
    }

    #[test]
    fn this_machine_has_its_clocks() {
        let clock = Clock::read(&Host::this());
        assert!(clock.uptime > Some(Duration::ZERO) && clock.monotonic > Some(Duration::ZERO));
    }
}
