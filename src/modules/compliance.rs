//! Whether what is in effect is what `expect` of `aspera_sse_info` asks for.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::docroot_report::{DocrootReport, Found};
use crate::ansible::Failure;
use crate::aspera::encryption::{Encryption, EncryptionSetting};
use crate::aspera::expectation::{Expectation, Verdict};
use crate::aspera::incomplete::{Gap, Incomplete};
use crate::aspera::kms_key::KmsKey;

const NO_HTTPS: &str = "s3service.https-only is not true, and AWS refuses SSE-KMS requests without TLS; whether trapd uses HTTPS by itself is not documented";

/// The option `expect`.
#[derive(Deserialize)]
pub(super) struct Expect {
    server_side_encryption: String,
    kms_key_ids: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
}

/// What is expected, and of whom: of everyone if no scope is named.
pub(super) struct Expected {
    expectation: Expectation,
    scopes: Vec<String>,
}

/// Whether all is as expected.
#[derive(Debug, Serialize)]
pub(super) struct Compliance {
    compliant: Option<bool>,
    violations: Vec<Violation>,
    unknown: Vec<Undecided>,
}

#[derive(Debug, Serialize)]
struct Violation {
    #[serde(rename = "where")]
    place: String,
    found: String,
    expected: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Undecided {
    #[serde(rename = "where")]
    place: String,
    why: String,
}

/// What was found of a server, beside its docroots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'s> {
    /// `aspera.conf`.
    pub(super) conf: &'s str,
    /// Whether it was read.
    pub(super) conf_was_read: bool,
    /// `s3.properties`.
    pub(super) properties: &'s str,
    /// Whether trapd may send requests without TLS.
    pub(super) may_lack_https: bool,
}

impl Expect {
    pub(super) fn typed(&self) -> Result<Expected> {
        let about = |error: String| Failure::new(format!("expect: {error}"));
        let encryption = Encryption::parse(&self.server_side_encryption)
            .map_err(|error| about(error.to_string()))?;
        let texts = self.kms_key_ids.as_deref().unwrap_or_default();
        let mut kms_keys = Vec::with_capacity(texts.len());
        for text in texts {
            let key = KmsKey::parse(text).map_err(|error| about(error.to_string()))?;
            EncryptionSetting::new(encryption, Some(key.clone()))
                .map_err(|error| about(error.to_string()))?;
            kms_keys.push(key);
        }
        let scopes = self.scopes.clone().unwrap_or_default();
        for scope in &scopes {
            let is_kind = matches!(scope.as_str(), "user" | "group" | "global");
            let is_name = |rest: Option<&str>| rest.is_some_and(|name| !name.is_empty());
            if !is_kind
                && !is_name(scope.strip_prefix("user "))
                && !is_name(scope.strip_prefix("group "))
            {
                return Err(about(
                    "an element of scopes is none of user, group, global, user NAME and group NAME. Correct it."
                        .to_owned(),
                )
                .into());
            }
        }
        Ok(Expected {
            expectation: Expectation {
                encryption,
                kms_keys,
            },
            scopes,
        })
    }
}

impl Expected {
    /// Whether a docroot is meant: by its kind, or as it is named in the result.
    fn is_about(&self, docroot: &DocrootReport) -> bool {
        let is_of = |scope: &String| scope == docroot.scope || *scope == docroot.owner();
        self.scopes.is_empty() || self.scopes.iter().any(is_of)
    }

    /// Where it is about nothing that could be judged.
    fn gaps(&self, found: &[Found], surroundings: Surroundings) -> Vec<Incomplete> {
        if !surroundings.conf_was_read {
            // That is the gap.
            return Vec::new();
        }
        let named = self.scopes.iter().filter(|scope| scope.contains(' '));
        let mut gaps: Vec<Incomplete> = named
            .filter_map(|scope| {
                let mut of_scope = found.iter().filter(|found| found.report.owner() == *scope);
                let first = of_scope.next();
                let is_s3 = |found: &Found| found.effective.is_some();
                let gap = match first {
                    None => Gap::NoSuchScope,
                    Some(first) if !is_s3(first) && !of_scope.any(is_s3) => Gap::NotS3,
                    Some(_) => return None,
                };
                Some(Incomplete::at(scope, gap))
            })
            .collect();
        let is_judged = |found: &Found| found.effective.is_some() && self.is_about(&found.report);
        if gaps.is_empty() && !found.iter().any(is_judged) {
            gaps.push(Incomplete::at(surroundings.conf, Gap::NothingToJudge));
        }
        gaps
    }
}

impl Compliance {
    /// Holds all docroots against an expectation. What should have been read for it and was not is added to `incomplete`.
    pub(super) fn judge(
        expected: &Expected,
        found: &[Found],
        surroundings: Surroundings,
        incomplete: &mut Vec<Incomplete>,
    ) -> Self {
        let mut compliance = Self {
            compliant: None,
            violations: Vec::new(),
            unknown: Vec::new(),
        };
        let mut asks_for_kms = false;
        for docroot in found
            .iter()
            .filter(|found| expected.is_about(&found.report))
        {
            let Some(effective) = &docroot.effective else {
                // Not S3: the encryption is none of its business.
                continue;
            };
            asks_for_kms |= effective.may_be(Encryption::AwsKms);
            let place = docroot.report.place();
            match expected.expectation.judge(effective) {
                Verdict::Met => {}
                Verdict::Violated { found, why } => compliance.violations.push(Violation {
                    place,
                    found,
                    expected: expected.expectation.words(),
                    why: why.to_owned(),
                }),
                Verdict::Unknown { why } => compliance.unknown.push(Undecided {
                    place,
                    why: why.to_owned(),
                }),
            }
        }
        if asks_for_kms && surroundings.may_lack_https {
            compliance.unknown.push(Undecided {
                place: surroundings.properties.to_owned(),
                why: NO_HTTPS.to_owned(),
            });
        }
        incomplete.extend(expected.gaps(found, surroundings));
        let nothing_is_open = compliance.unknown.is_empty() && incomplete.is_empty();
        compliance.compliant = match (compliance.violations.is_empty(), nothing_is_open) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        };
        compliance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspera::aspera_conf::AsperaConf;
    use crate::aspera::effective::{Server, Values};
    use crate::aspera::os_groups::OsGroups;
    use crate::modules::docroot_report;

    const CONF: &str = "/opt/aspera/etc/aspera.conf";
    const PROPERTIES: &str = "/opt/aspera/etc/trapd/s3.properties";
    const READ: Surroundings = Surroundings {
        conf: CONF,
        conf_was_read: true,
        properties: PROPERTIES,
        may_lack_https: false,
    };

    /// A configuration of users with their docroots.
    fn conf(users: &[(&str, &str)]) -> String {
        let users = users.iter().map(|(name, docroot)| {
            format!(
                "<user><name>{name}</name><file_system><access><paths><path><absolute>{docroot}</absolute></path></paths></access></file_system></user>"
            )
        });
        let users: String = users.collect();
        format!("<CONF><aaa><realms><realm><users>{users}</users></realm></realms></aaa></CONF>")
    }

    /// What is judged, the places that are unknown, and the gaps.
    fn judge(
        users: &[(&str, &str)],
        trapd: Option<&str>,
        (encryption, scopes): (Encryption, &[&str]),
        surroundings: Surroundings,
        mut incomplete: Vec<Incomplete>,
    ) -> (Option<bool>, Vec<String>, Vec<(String, Gap)>) {
        let conf = conf(users);
        let conf = AsperaConf::parse(conf.as_bytes()).unwrap();
        let server = Server {
            trapd_enabled: Some(true),
            trapd: Some(Values {
                encryption: trapd.map(str::to_owned),
                kms_key: None,
            }),
            pvcl_cloud: Some(false),
        };
        let found = docroot_report::all(&conf, &server, &OsGroups::default());
        let expected = Expected {
            expectation: Expectation {
                encryption,
                kms_keys: Vec::new(),
            },
            scopes: scopes.iter().map(ToString::to_string).collect(),
        };
        let judged = Compliance::judge(&expected, &found, surroundings, &mut incomplete);
        let unknown = judged.unknown.into_iter().map(|unknown| unknown.place);
        let incomplete = incomplete.into_iter().map(|gap| (gap.place, gap.gap));
        (judged.compliant, unknown.collect(), incomplete.collect())
    }

    const KMS: (Encryption, &[&str]) = (Encryption::AwsKms, &[]);
    const NONE: (Encryption, &[&str]) = (Encryption::None, &[]);

    #[test]
    fn what_was_not_read_leaves_it_open_and_hides_no_violation() {
        let gap = || vec![Incomplete::at(PROPERTIES, Gap::NoProperties)];
        let user = [("a", "s3://h/b")];
        let (compliant, ..) = judge(&user, Some("AWS_KMS"), KMS, READ, Vec::new());
        assert_eq!(compliant, Some(true));
        let (compliant, ..) = judge(&user, Some("AWS_KMS"), KMS, READ, gap());
        assert_eq!(compliant, None);
        let (compliant, ..) = judge(&user, None, KMS, READ, gap());
        assert_eq!(compliant, Some(false));
        // Taking a file away makes nothing right.
        let (compliant, ..) = judge(&user, None, NONE, READ, gap());
        assert_eq!(compliant, None);
    }

    #[test]
    fn an_expectation_must_be_about_something() {
        let users = [("a", "s3://h/b"), ("local", "/srv")];
        let gap = |place: &str, gap| vec![(place.to_owned(), gap)];
        for (scopes, gaps) in [
            (&["user"][..], Vec::new()),
            (&["user a"], Vec::new()),
            // A kind of which there is none says nothing of the others.
            (&["user", "group", "global"], Vec::new()),
            (&["user a", "user gone"], gap("user gone", Gap::NoSuchScope)),
            (&["user", "group a"], gap("group a", Gap::NoSuchScope)),
            (&["user gone"], gap("user gone", Gap::NoSuchScope)),
            (&["user", "user local"], gap("user local", Gap::NotS3)),
            (&["group"], gap(CONF, Gap::NothingToJudge)),
        ] {
            let is_complete = gaps.is_empty();
            let found = judge(
                &users,
                Some("AWS_KMS"),
                (Encryption::AwsKms, scopes),
                READ,
                Vec::new(),
            );
            assert_eq!(
                found,
                (is_complete.then_some(true), Vec::new(), gaps),
                "{scopes:?}"
            );
        }
        let local = [("local", "/srv")];
        let (compliant, _, gaps) = judge(&local, Some("AWS_KMS"), KMS, READ, Vec::new());
        assert_eq!((compliant, gaps), (None, gap(CONF, Gap::NothingToJudge)));
    }

    #[test]
    fn a_configuration_that_was_not_read_is_one_gap_and_not_two() {
        let unread = Surroundings {
            conf_was_read: false,
            ..READ
        };
        let gap = vec![Incomplete::at(CONF, Gap::NoConf)];
        let found = judge(&[], None, (Encryption::AwsKms, &["user a"]), unread, gap);
        assert_eq!(
            found,
            (None, Vec::new(), vec![(CONF.to_owned(), Gap::NoConf)])
        );
    }

    #[test]
    fn kms_without_https_is_open() {
        let lacking = Surroundings {
            may_lack_https: true,
            ..READ
        };
        let user = [("a", "s3://h/b")];
        let found = judge(&user, Some("AWS_KMS"), KMS, lacking, Vec::new());
        assert_eq!(found, (None, vec![PROPERTIES.to_owned()], Vec::new()));
        // Nothing else needs it.
        for (trapd, encryption) in [("AES256", Encryption::Aes256), ("NONE", Encryption::None)] {
            let (compliant, ..) = judge(&user, Some(trapd), (encryption, &[]), lacking, Vec::new());
            assert_eq!(compliant, Some(true), "{trapd}");
        }
    }

    #[test]
    fn none_in_a_docroot_is_never_sure() {
        let user = [("a", "s3://h/b?server-side-encryption=NONE")];
        for (trapd, expected, compliant) in [
            (None, NONE, None),
            (Some("NONE"), NONE, None),
            (Some("AWS_KMS"), NONE, None),
            (Some("AWS_KMS"), KMS, None),
            // Whatever it does, it does not encrypt with KMS.
            (None, KMS, Some(false)),
            (Some("AES256"), KMS, Some(false)),
        ] {
            let (found, ..) = judge(&user, trapd, expected, READ, Vec::new());
            assert_eq!(found, compliant, "{trapd:?} {:?}", expected.0);
        }
    }
}
