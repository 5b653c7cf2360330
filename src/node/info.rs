//! What a node says of itself (`/info`).

use serde::Deserialize;

use super::field::{Field, Object};

/// A node. Its docroot is not read: it may hold credentials.
#[derive(Deserialize)]
pub struct Info {
    /// The name of the application: `node`.
    #[serde(default)]
    application: Field,
    #[serde(default)]
    version: Field,
    #[serde(default)]
    transfer_user: Field,
}

impl Info {
    /// Reads an answer, if it is one of a node.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let Object(info): Object<Self> = serde_json::from_str(str::from_utf8(body).ok()?).ok()?;
        let is_node = info.application.text() == Some("node") || info.version.text().is_some();
        is_node.then_some(info)
    }

    /// Returns the version of the server software.
    pub fn version(&self) -> Option<&str> {
        self.version.text()
    }

    /// Returns the transfer user of the login.
    pub fn transfer_user(&self) -> Option<&str> {
        self.transfer_user.text()
    }
}
