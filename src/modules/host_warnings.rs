//! Warnings about the host and the keys for the settings of a task.

use std::path::Path;

use crate::aspera::host::{
    Host, Installation, KmsUnsupported, Service, VersionQuery, ask_version, check_kms_support,
    is_enabled,
};
use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};

/// A question to the installation whether it supports SSE-KMS.
pub(super) struct KmsSupport<'r> {
    aspera_root: &'r Path,
    question: VersionQuery,
}

impl<'r> KmsSupport<'r> {
    /// Asks `ascp` for its version.
    pub(super) fn ask(aspera_root: &'r Path) -> Self {
        Self {
            aspera_root,
            question: ask_version(aspera_root),
        }
    }

    /// Returns a warning if the answer is not known, or an error if the version certainly does not support SSE-KMS.
    pub(super) fn warning(self) -> Result<Option<String>, KmsUnsupported> {
        check_kms_support(self.aspera_root, self.question)
    }
}

/// Returns whether one of the settings is SSE-KMS.
pub(super) fn uses_kms(settings: &[EncryptionSetting]) -> bool {
    settings
        .iter()
        .any(|setting| setting.encryption() == Encryption::AwsKms)
}

/// Returns the warnings about the keys of the settings, each once: docroots may share a key.
pub(super) fn key_warnings(settings: &[EncryptionSetting]) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    let keys = settings.iter().filter_map(EncryptionSetting::kms_key);
    for doubt in keys.flat_map(KmsKey::doubts) {
        if !warnings.contains(&doubt) {
            warnings.push(doubt);
        }
    }
    warnings
}

/// Returns a warning if trapd is not enabled.
pub(super) fn trapd_warning(host: &Host, aspera_root: &Path) -> Option<String> {
    let is_off = is_enabled(host, Service::Trapd, aspera_root) == Some(false);
    is_off.then(|| {
        let astrap = Installation::at(aspera_root).astrap_config();
        format!(
            "{} is not enabled on this host, and up to Aspera 4.3 it serves S3 storage. Enable it with {} enable.",
            Service::Trapd.name(),
            astrap.display()
        )
    })
}
