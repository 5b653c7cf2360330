//! Names that nobody else has.

use ring::rand::{SecureRandom, SystemRandom};

/// Returns 16 random hexadecimal digits, or `None` if the system has no random numbers.
pub fn random_name() -> Option<String> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(format!("{:016x}", u64::from_le_bytes(bytes)))
}
