//! The known names that a misspelled one may have been meant to be.

/// More letters than these differ in no name that is near.
const FAR: usize = 3;

/// More than these help nobody.
const SHOWN: usize = 3;

/// Those of some names that are nearest, three at most, the nearest first: a third of the letters may differ, up to three.
///
/// `similar` could do this too, at 10 KB of each binary.
pub fn near<'n>(given: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        // There may be very many names, and long ones: most differ in their length.
        .filter(|name| name.len().abs_diff(given.len()) <= FAR)
        .map(|name| (distance(given.as_bytes(), name.as_bytes()), name))
        .filter(|(distance, name)| *distance <= ((name.len() + 1) / 3).clamp(1, FAR))
        .collect();
    // Few are wanted: sorting all would bring 4 KB into each binary.
    let mut nearest = Vec::new();
    while nearest.len() < SHOWN
        && let Some(best) = (0..near.len()).min_by_key(|&index| near[index])
    {
        nearest.push(near.swap_remove(best).1);
    }
    nearest
}

/// How many bytes must be added, removed, replaced, or swapped with their neighbour.
fn distance(from: &[u8], to: &[u8]) -> usize {
    // Names are short; the time grows with the square of the length.
    if from.len() > 100 {
        return usize::MAX;
    }
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, byte) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(byte != other);
            let mut changes = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let is_swap =
                row > 0 && column > 0 && from[row - 1] == *other && to[column - 1] == *byte;
            if is_swap {
                changes = changes.min(before_last[column - 1] + 1);
            }
            current.push(changes);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_the_least_changes() {
        for (from, to, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abd", 1),
            ("abc", "ab", 1),
            ("ab", "abc", 1),
            ("abc", "bc", 1),
            ("ab", "ba", 1),
            ("abcd", "acbd", 1),
            ("abcd", "badc", 2),
            ("ba", "abc", 2),
            ("abc", "cab", 2),
            ("kitten", "sitting", 3),
            ("aaab", "baaa", 2),
            ("xaby", "xbay", 1),
            ("abab", "baba", 2),
        ] {
            let found = distance(from.as_bytes(), to.as_bytes());
            assert_eq!(found, expected, "{from} {to}");
        }
    }

    #[test]
    fn how_many_letters_may_differ_grows_with_the_name() {
        for (name, allowed) in [
            ("a", 1),
            ("abcd", 1),
            ("abcde", 2),
            ("abcdefg", 2),
            ("abcdefgh", 3),
            ("abcdefghijklmnop", 3),
        ] {
            for changed in 0..=4_usize.min(name.len()) {
                let given = "#".repeat(changed) + &name[changed..];
                let found = near(&given, [name]);
                assert_eq!(found.len(), usize::from(changed <= allowed), "{given}");
            }
        }
        assert_eq!(near("abc", ["abcdef", "abcdefg"]), [] as [&str; 0]);
    }

    #[test]
    fn three_names_at_most_are_given_the_nearest_first() {
        let names = ["user12", "user345", "user1", "user2", "user3", "user"];
        assert_eq!(near("user", names), ["user", "user1", "user2"]);
    }

    #[test]
    fn a_very_long_name_is_near_to_none() {
        for (length, found) in [(99, 1), (100, 1), (101, 0), (102, 0)] {
            let name = "x".repeat(length);
            assert_eq!(near(&name, [name.as_str()]).len(), found, "{length}");
        }
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["state", "kms_key_id", "path"];
        for (given, expected) in [
            ("stat", vec!["state"]),
            ("kms_key", vec!["kms_key_id"]),
            ("kms-key-id", vec!["kms_key_id"]),
            ("pth", vec!["path"]),
            ("ptah", vec!["path"]),
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
