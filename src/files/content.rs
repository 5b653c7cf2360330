//! Comparing the content of a file, a piece at a time: files may be large, and once in memory is enough.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is read at once, in bytes.
const CHUNK: usize = 65_536;

/// Whether a file holds exactly some bytes.
pub(super) fn matches(file: &File, expected: &[u8]) -> io::Result<bool> {
    let mut read = vec![0; CHUNK.min(expected.len())];
    let mut offset = 0;
    for chunk in expected.chunks(CHUNK) {
        let read = &mut read[..chunk.len()];
        if !fill(read, file, offset)? || !equal(read, chunk) {
            return Ok(false);
        }
        offset += chunk.len() as u64;
    }
    let goes_on = fill(&mut [0], file, offset)?;
    Ok(!goes_on)
}

/// Fills a buffer from a place in a file; false where the file ends before.
fn fill(buffer: &mut [u8], file: &File, offset: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// Whether two texts are equal, eight bytes at a time: `memcmp` of musl takes them one by one.
pub(super) fn equal(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    one.len() == other.len()
        && words
            .iter()
            .zip(other_words)
            .all(|(one, other)| word(one) == word(other))
        && rest == other_rest
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_equal_texts_are_equal() {
        let text: Vec<u8> = (0..=255).cycle().take(1_003).collect();
        assert!(equal(&text, &text) && equal(b"", b""));
        for length in 0..40 {
            for place in 0..length {
                let mut other = text[..length].to_owned();
                other[place] ^= 0x80;
                assert!(!equal(&text[..length], &other), "{length} {place}");
            }
            assert!(!equal(&text[..length], &text[..=length]), "{length}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("write-only")).unwrap();
        assert!(matches(&file, b"").is_err());
        assert!(matches(&file, b"x").is_err());
    }

    #[test]
    fn a_file_is_what_it_holds_and_nothing_else() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let text: Vec<u8> = (0..=255).cycle().take(length).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&text).unwrap();
            assert!(matches(&file, &text).unwrap(), "{length}");
            assert!(
                !matches(&file, &[text.as_slice(), b"x"].concat()).unwrap(),
                "{length}"
            );
            if let Some((last, shorter)) = text.split_last() {
                assert!(!matches(&file, shorter).unwrap(), "{length}");
                let other = [shorter, &[last ^ 1]].concat();
                assert!(!matches(&file, &other).unwrap(), "{length}");
            }
        }
    }
}
