//! The byte order mark and the XML declaration (sections 2.8 and 4.3.3).

use super::error::Problem;
use super::syntax::is_space;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the document starts after its byte order mark and declaration.
pub(super) fn prolog_length(bytes: &[u8]) -> Result<usize, (usize, Problem)> {
    // UTF-16 and UTF-32 show in the first bytes, with or without a mark.
    if matches!(bytes, [0 | 0xfe | 0xff, ..] | [_, 0, ..]) {
        return Err((0, Problem::Encoding));
    }
    let start = if bytes.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let Some(inner) = bytes[start..].strip_prefix(b"<?xml") else {
        return Ok(start);
    };
    if !inner.first().is_some_and(|&byte| is_space(byte)) {
        // A processing instruction with a longer name.
        return Ok(start);
    }
    let end = inner.windows(2).position(|pair| pair == b"?>");
    let end = end.ok_or((start, Problem::Declaration))?;
    check_declaration(&inner[..end], &bytes[start..]).map_err(|problem| (start, problem))?;
    Ok(start + b"<?xml".len() + end + 2)
}

fn check_declaration(mut inner: &[u8], document: &[u8]) -> Result<(), Problem> {
    let version = pseudo_attribute(&mut inner, b"version")?.ok_or(Problem::Declaration)?;
    let is_version_1 = version
        .strip_prefix(b"1.")
        .is_some_and(|minor| !minor.is_empty() && minor.iter().all(u8::is_ascii_digit));
    if !is_version_1 {
        return Err(Problem::Declaration);
    }
    if let Some(encoding) = pseudo_attribute(&mut inner, b"encoding")? {
        let is_one_of = |names: [&str; 2]| {
            let mut names = names.iter();
            names.any(|name| encoding.eq_ignore_ascii_case(name.as_bytes()))
        };
        let is_utf8 = is_one_of(["UTF-8", "UTF8"]);
        let is_ascii = is_one_of(["US-ASCII", "ASCII"]) && document.is_ascii();
        if !is_utf8 && !is_ascii {
            return Err(Problem::Encoding);
        }
    }
    match pseudo_attribute(&mut inner, b"standalone")? {
        None | Some(b"yes" | b"no") => {}
        Some(_) => return Err(Problem::Declaration),
    }
    if inner.iter().all(|&byte| is_space(byte)) {
        Ok(())
    } else {
        Err(Problem::Declaration)
    }
}

/// Takes `name = "value"` off the front, with the white space that must stand before it.
fn pseudo_attribute<'a>(inner: &mut &'a [u8], name: &[u8]) -> Result<Option<&'a [u8]>, Problem> {
    let Some(rest) = skip_space(inner).strip_prefix(name) else {
        return Ok(None);
    };
    if !inner.first().is_some_and(|&byte| is_space(byte)) {
        return Err(Problem::Declaration);
    }
    let rest = skip_space(rest)
        .strip_prefix(b"=")
        .ok_or(Problem::Declaration)?;
    let (&quote, rest) = skip_space(rest).split_first().ok_or(Problem::Declaration)?;
    if !matches!(quote, b'"' | b'\'') {
        return Err(Problem::Declaration);
    }
    let end = rest
        .iter()
        .position(|&byte| byte == quote)
        .ok_or(Problem::Declaration)?;
    *inner = &rest[end + 1..];
    Ok(Some(&rest[..end]))
}

fn skip_space(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_space(byte));
    &text[start.unwrap_or(text.len())..]
}
