//! The known names that a misspelled one may have been meant to be.

/// Those of some names that are near, the nearest first: a third of the letters may differ, up to three.
///
/// `similar` could do this too, at 10 KB of each binary.
pub fn near<'n>(given: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .map(|name| (distance(given.as_bytes(), name.as_bytes()), name))
        .filter(|(distance, name)| *distance <= ((name.len() + 1) / 3).clamp(1, 3))
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).collect()
}

/// How many bytes must be added, removed or replaced (Levenshtein's distance).
fn distance(from: &[u8], to: &[u8]) -> usize {
    // Names of options are short: what is far longer than any is far from all.
    if from.len() > 100 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (removed, byte) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = removed + 1;
        for (index, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(byte != other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["state", "kms_key_id", "path"];
        for (given, expected) in [
            ("stat", vec!["state"]),
            ("kms_key", vec!["kms_key_id"]),
            ("kms-key-id", vec!["kms_key_id"]),
            ("pth", vec!["path"]),
            ("", vec![]),
            ("server", vec![]),
            ("kms", vec![]),
        ] {
            assert_eq!(near(given, names), expected, "{given}");
        }
        assert_eq!(near("user2", ["user1", "user", "other"]), ["user", "user1"]);
        assert!(near(&"state".repeat(1000), names).is_empty());
    }
}
