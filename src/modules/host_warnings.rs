//! Warnings about the host for the settings of a task.

use std::path::Path;

use anyhow::Result;

use crate::aspera::host::{Host, Service, check_kms_support, is_enabled};
use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};

/// Returns warnings if the host may not honour SSE-KMS and the task uses it, or an error if the host certainly does not support it.
pub(super) fn warnings(aspera_root: &Path, settings: &[EncryptionSetting]) -> Result<Vec<String>> {
    let asks_for_kms = |setting: &EncryptionSetting| setting.encryption() == Encryption::AwsKms;
    if !settings.iter().any(asks_for_kms) {
        return Ok(Vec::new());
    }
    let mut warnings: Vec<String> = Vec::new();
    let keys = settings.iter().filter_map(EncryptionSetting::kms_key);
    for doubt in keys.flat_map(KmsKey::doubts) {
        // Docroots may share a key.
        if !warnings.contains(&doubt) {
            warnings.push(doubt);
        }
    }
    warnings.extend(check_kms_support(aspera_root)?);
    if is_enabled(&Host::this(), Service::Trapd, aspera_root) == Some(false) {
        let astrap = aspera_root.join("bin/astrap-config.sh");
        warnings.push(format!(
            "{} is not enabled on this host, and up to Aspera 4.3 it serves S3 storage. Enable it with {} enable.",
            Service::Trapd.name(),
            astrap.display()
        ));
    }
    Ok(warnings)
}
