//! The known name that a misspelled one was meant to be.

/// The nearest of some names, if one is near: a third of its letters may differ, up to three.
///
/// `similar` could do this too, at 10 KB of each binary.
pub fn nearest<'n>(given: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names
        .into_iter()
        .map(|name| (distance(given.as_bytes(), name.as_bytes()), name))
        .filter(|(distance, name)| *distance <= ((name.len() + 1) / 3).clamp(1, 3))
        .min()
        .map(|(_, name)| name)
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
            ("stat", Some("state")),
            ("kms_key", Some("kms_key_id")),
            ("kms-key-id", Some("kms_key_id")),
            ("pth", Some("path")),
            ("", None),
            ("server", None),
            ("kms", None),
        ] {
            assert_eq!(nearest(given, names), expected, "{given}");
        }
        assert_eq!(nearest(&"state".repeat(1000), names), None);
    }
}
