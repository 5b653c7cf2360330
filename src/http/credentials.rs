//! The credentials of AWS.

use std::fmt;

/// An access key with its secret, and the token of a session if it belongs to one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Credentials {
    /// Combines the parts. Returns `None` if a part is empty or has characters that no credentials have and that a header could not hold.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Option<Self> {
        let (access_key_id, secret_access_key) = (access_key_id.into(), secret_access_key.into());
        let is_plain =
            |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        // The parts of the scope are separated by these.
        let is_id = is_plain(&access_key_id) && !access_key_id.contains(['/', ',', '=']);
        (is_id && is_plain(&secret_access_key) && session_token.as_ref().is_none_or(is_plain))
            .then_some(Self {
                access_key_id,
                secret_access_key,
                session_token,
            })
    }

    pub(super) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub(super) fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }
}

/// Writes nothing of them.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_no_header_holds_are_refused() {
        let token = |text: &str| Some(text.to_owned());
        assert!(Credentials::new("AKIA", "a/b+c=", None).is_some());
        assert!(Credentials::new("AKIA", "s", token("t")).is_some());
        for (id, secret, token) in [
            ("", "s", None),
            ("a", "", None),
            ("a", "s", token("")),
            ("a\r\nb", "s", None),
            ("a/b", "s", None),
            ("a", "s\u{e9}", None),
            ("a", "s", token("t\n")),
        ] {
            assert_eq!(Credentials::new(id, secret, token), None, "{id:?}");
        }
        let debug = format!("{:?}", Credentials::new("AKIA", "geheim", token("marke")));
        assert_eq!(debug, "Some(Credentials(****))");
    }
}
