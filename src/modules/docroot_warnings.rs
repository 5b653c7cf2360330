//! The warnings of `aspera_docroot_sse`.

use std::collections::BTreeMap;
use std::path::Path;

use super::incomplete::uncovered_words;
use super::result::unread;
use crate::aspera::audit::{Doubt, doubts_of_setting};
use crate::aspera::docroot::{Fate, Plan, Scope, Selection, some_of};
use crate::aspera::host::Installation;
use crate::aspera::setting::{Encryption, EncryptionSetting};
use crate::aspera::trapd;
use crate::files;
use crate::subject::with_subject;

/// Returns the warnings about the settings themselves.
pub(super) fn setting_warnings(aspera_root: &Path, settings: &[EncryptionSetting]) -> Vec<String> {
    let has = |encryption| {
        settings
            .iter()
            .any(|setting| setting.encryption() == encryption)
    };
    let mut warnings = Vec::new();
    if has(Encryption::None) {
        warnings.push(
            "The vendor does not document NONE in a docroot, nor whether it overrides s3.properties. Verify an upload.".to_owned(),
        );
    }
    let properties = Installation::at(aspera_root).s3_properties();
    if has(Encryption::AwsKms) {
        warnings.extend(match files::read_up_to(&properties, trapd::MAX_LENGTH) {
            Ok(bytes) => bytes
                .and_then(|bytes| trapd::kms_warning(&bytes))
                .map(|warning| format!("{}: {warning}", properties.display())),
            Err(error) => Some(unread(
                &error,
                "So it is not known whether trapd uses HTTPS, without which AWS refuses SSE-KMS requests.",
            )),
        });
    }
    warnings
}

/// Returns the warnings about a plan for a file.
pub(super) fn plan_warnings(file: &[u8], plan: &Plan) -> Vec<String> {
    let mut repeated = Vec::new();
    let mut keyless = Vec::new();
    let mut doubts: BTreeMap<Doubt, Vec<Scope>> = BTreeMap::new();
    for docroot in &plan.docroots {
        let scope = docroot.scope(file);
        if let Some(setting) = docroot.setting() {
            for doubt in with_subject(&scope, || doubts_of_setting(&docroot.uri(file), setting)) {
                doubts.entry(doubt).or_default().push(scope.clone());
            }
        }
        let Fate::Set {
            repeated: is_repeated,
            loses_key,
            ..
        } = docroot.fate
        else {
            continue;
        };
        if is_repeated {
            repeated.push(scope.clone());
        }
        if loses_key {
            keyless.push(scope);
        }
    }
    let mut warnings: Vec<String> = plan.not_found.iter().map(not_found).collect();
    if !repeated.is_empty() {
        warnings.push(format!(
            "The docroot of {} had an encryption option more than once, and the vendor does not document which one Aspera uses. At most one is left.",
            some_of(&repeated)
        ));
    }
    for (doubt, scopes) in &doubts {
        warnings.push(format!(
            "The docroot of {}: {}. {}",
            some_of(scopes),
            doubt.why(),
            doubt.fix()
        ));
    }
    for uncovered in &plan.uncovered {
        let (what, remedy) = uncovered_words(uncovered.what);
        warnings.push(format!("Line {}: {what} {remedy}", uncovered.line));
    }
    if !keyless.is_empty() {
        warnings.push(format!(
            "The KMS key in the docroot of {} is removed: its encryption uses none.",
            some_of(&keyless)
        ));
    }
    warnings
}

fn not_found(selection: &Selection) -> String {
    match selection {
        Selection::All => "There is no S3 docroot in this file.".to_owned(),
        Selection::Of(scope) => {
            format!("There is no {scope} in this file, so there is no option to remove.")
        }
    }
}
