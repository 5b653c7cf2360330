//! The reasons why the encryption of an upload is not known: one for each point that the vendor leaves open or that could not be read.

/// A reason why an answer is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// The user belongs to access keys.
    AccessKeys,
    /// Group membership of the user is not known.
    GroupsUnknown,
    /// Several groups of the user have the same precedence.
    SamePrecedence,
    /// A precedence that cannot be compared.
    Precedence,
    /// A name with a comment in it or blanks around it, an empty name, or a second name of the same block.
    UnclearName,
    /// An empty docroot element.
    EmptyDocroot,
    /// A docroot of a form that the vendor does not describe.
    UnknownDocroot,
    /// A comment or processing instruction inside a docroot.
    CommentInDocroot,
    /// `S3://` instead of `s3://`.
    SchemeInCapitals,
    /// A docroot and restrictions in one block.
    RestrictionsAndDocroot,
    /// `s3.properties` could not be read as trapd reads it.
    Unreadable,
    /// trapd is not enabled.
    TrapdOff,
    /// Whether trapd is enabled is not known.
    TrapdUnknown,
    /// Encryption options in the unit or init script of trapd.
    ServiceOptions,
    /// `pvcl_cloud` may serve the docroot.
    PvclCloud,
    /// A service that runs with an older file.
    OlderFile,
    /// A key without an encryption in a docroot.
    KeyWithoutEncryption,
    /// `AWS_KMS` in a docroot and the key in `s3.properties`.
    KeyOfTrapd,
    /// An option that occurs more than once in a docroot.
    RepeatedOption,
    /// Different settings in a docroot and in `s3.properties`.
    DocrootAndFile,
    /// `NONE` in a docroot.
    NoneInDocroot,
    /// An option whose name differs from ours only in case or by stray characters.
    NearlyAnOption,
    /// A line of `s3.properties` whose name is nearly one of the settings.
    NearlyASetting,
    /// A `#` in a docroot.
    Fragment,
    /// A second `?` in a docroot, or one that may belong to the path.
    QuestionMark,
    /// A `?` in the credentials of a docroot.
    QuestionMarkInCredentials,
    /// A docroot whose host is not clear.
    UnclearHost,
    /// A value that the vendor does not document, or a key that is not a valid key name.
    UndocumentedValue,
    /// A key with another encryption than `AWS_KMS`.
    KeyWithoutKms,
    /// A store other than Amazon's.
    NotAmazon,
    /// A key of another region or partition than that of the endpoint.
    KeyOfAnotherRegion,
    /// HTTPS is not forced.
    HttpsNotForced,
    /// A key that is named by an alias. Only AWS knows which key that is.
    Alias,
    /// The id of a multi-Region key without its Region.
    MultiRegionKey,
    /// A key name that differs from the expected one in letter case only.
    LetterCase,
    /// The version of Aspera is not known.
    VersionUnknown,
    /// A key name with blanks or other characters around it.
    BlanksAroundKey,
    /// A docroot that applies to one client address.
    ClientAddress,
    /// Several docroots in one block.
    SeveralDocroots,
    /// Blanks around a docroot.
    BlanksAroundDocroot,
    /// An option or setting that names an endpoint or a signature of requests.
    OtherEndpoint,
    /// A version that is older than the documentation of the setting.
    OldVersion,
    /// `$(...)` in a key, which Aspera replaces in docroots.
    Substitution,
    /// An uploaded object shows an encryption that no reading gives.
    ObjectDiffers,
    /// A storage of an access key that does not have the documented form.
    UnclearStorage,
    /// An access key of a node that is another host.
    OtherHost,
    /// An access key without a storage, whose transfer user is not known.
    NoTransferUser,
    /// An access key without a storage, whose transfer user has no docroot.
    NoStorage,
}

/// The texts of a doubt.
struct Words {
    name: &'static str,
    why: &'static str,
    fix: &'static str,
}

impl Doubt {
    pub const ALL: [Self; 48] = [
        Self::AccessKeys,
        Self::GroupsUnknown,
        Self::SamePrecedence,
        Self::Precedence,
        Self::UnclearName,
        Self::EmptyDocroot,
        Self::UnknownDocroot,
        Self::CommentInDocroot,
        Self::SchemeInCapitals,
        Self::RestrictionsAndDocroot,
        Self::Unreadable,
        Self::TrapdOff,
        Self::TrapdUnknown,
        Self::ServiceOptions,
        Self::PvclCloud,
        Self::OlderFile,
        Self::KeyWithoutEncryption,
        Self::KeyOfTrapd,
        Self::RepeatedOption,
        Self::DocrootAndFile,
        Self::NoneInDocroot,
        Self::NearlyAnOption,
        Self::NearlyASetting,
        Self::Fragment,
        Self::QuestionMark,
        Self::QuestionMarkInCredentials,
        Self::UnclearHost,
        Self::UndocumentedValue,
        Self::KeyWithoutKms,
        Self::NotAmazon,
        Self::KeyOfAnotherRegion,
        Self::HttpsNotForced,
        Self::Alias,
        Self::MultiRegionKey,
        Self::LetterCase,
        Self::VersionUnknown,
        Self::BlanksAroundKey,
        Self::ClientAddress,
        Self::SeveralDocroots,
        Self::BlanksAroundDocroot,
        Self::OtherEndpoint,
        Self::OldVersion,
        Self::Substitution,
        Self::ObjectDiffers,
        Self::UnclearStorage,
        Self::OtherHost,
        Self::NoTransferUser,
        Self::NoStorage,
    ];

    /// Returns the name that programs use for this doubt.
    pub fn name(self) -> &'static str {
        self.words().name
    }

    /// Returns what is not known, as a sentence without a full stop.
    pub fn why(self) -> &'static str {
        self.words().why
    }

    /// Returns what to do about it, as a sentence.
    pub fn fix(self) -> &'static str {
        self.words().fix
    }

    /// Returns the texts. The sources are the vendor's pages on docroots in object storage, on configuration precedence and on `pvcl_cloud`, the
    /// schema that `asuserdata -+` prints, and the article on SSE-KMS. A point is called undocumented if none of them covers it.
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn words(self) -> Words {
        match self {
            Self::AccessKeys => Words {
                name: "access_keys",
                why: "restrictions without a docroot are for access keys, and the encryption of an access key is set in its storage, not in aspera.conf",
                fix: "Ask the Node API of this host with aspera_access_keys_info (in the role and the playbook audit, aspera_sse_node_api): it judges the access keys.",
            },
            Self::GroupsUnknown => Words {
                name: "groups_unknown",
                why: "the docroot may come from a group, and the local files do not say with certainty whether the user is a member",
                fix: "Give the user a docroot of its own, or check the membership in the directory (id USER).",
            },
            Self::SamePrecedence => Words {
                name: "same_precedence",
                why: "several groups of the user have a docroot and the same precedence, and the vendor does not document which one counts",
                fix: "Give the groups different precedences, or the user a docroot of its own.",
            },
            Self::Precedence => Words {
                name: "precedence",
                why: "the precedence of a group is negative, not a number, given twice or contains a comment, and the vendor does not document how Aspera treats that",
                fix: "Set one precedence for each group: 0 or a positive number, without a comment in it.",
            },
            Self::UnclearName => Words {
                name: "unclear_name",
                why: "a user or group in aspera.conf has an empty name or two names, or its name has blanks around it or a comment in it, so it is not known which user or group these docroots belong to",
                fix: "Leave one name in each user and group, without blanks or comments in the name element.",
            },
            Self::EmptyDocroot => Words {
                name: "empty_docroot",
                why: "the docroot is empty, and the vendor does not document whether that means the whole file system or the docroot of the next level",
                fix: "Write AS_NULL if this level has no docroot, or write the intended path.",
            },
            Self::UnknownDocroot => Words {
                name: "unknown_docroot",
                why: "the form of the docroot is not documented",
                fix: "Correct the docroot: a URI such as s3://HOST/BUCKET/PATH, a path, or AS_NULL.",
            },
            Self::CommentInDocroot => Words {
                name: "comment_in_docroot",
                why: "there is a comment or processing instruction inside the docroot, and programs differ in how they read the text around it",
                fix: "Move the comment out of the absolute element.",
            },
            Self::SchemeInCapitals => Words {
                name: "scheme_in_capitals",
                why: "the scheme of the docroot is in capitals, and Aspera does not recognise it as S3",
                fix: "Write s3:// in lower case.",
            },
            Self::RestrictionsAndDocroot => Words {
                name: "restrictions_and_docroot",
                why: "the vendor does not support restrictions and a docroot in the same block",
                fix: "Remove the restrictions or the docroot.",
            },
            Self::Unreadable => Words {
                name: "unreadable",
                why: "s3.properties could not be read as trapd reads it",
                fix: "Correct the problem in the warning about s3.properties, and run this again.",
            },
            Self::TrapdOff => Words {
                name: "trapd_off",
                why: "trapd is not enabled, and the vendor does not document what s3.properties does then",
                fix: "Enable trapd (bin/astrap-config.sh enable), or set the encryption in the docroot.",
            },
            Self::TrapdUnknown => Words {
                name: "trapd_unknown",
                why: "it is not known whether trapd is enabled",
                fix: "Run this where the init system of the host answers, or set the encryption in the docroot.",
            },
            Self::ServiceOptions => Words {
                name: "service_options",
                why: "trap.properties, or the unit, init script, command line or environment of asperatrapd sets encryption options as well, or could not be read completely and may set them, and the vendor does not document which ones count",
                fix: "Remove the encryption options from there, and set them in s3.properties. Run the audit as root if something cannot be read.",
            },
            Self::PvclCloud => Words {
                name: "pvcl_cloud",
                why: "pvcl_cloud may serve this storage, and the vendor does not document whether it uses these settings",
                fix: "Check the encryption of an uploaded object, or enable trapd if it is the service that serves S3 here.",
            },
            Self::OlderFile => Words {
                name: "older_file",
                why: "the service that reads this setting still runs with an older file, or reads another one",
                fix: "Restart the service.",
            },
            Self::KeyWithoutEncryption => Words {
                name: "key_without_encryption",
                why: "the docroot names a key and no encryption, and the vendor does not document how Aspera treats that",
                fix: "Set server-side-encryption in the docroot as well.",
            },
            Self::KeyOfTrapd => Words {
                name: "key_of_trapd",
                why: "the docroot sets AWS_KMS without a key, and the vendor does not document whether the key in s3.properties then counts",
                fix: "Name the key in the docroot.",
            },
            Self::RepeatedOption => Words {
                name: "repeated_option",
                why: "the docroot has an option more than once, and the vendor does not document which one Aspera uses",
                fix: "Keep each option in the docroot only once.",
            },
            Self::DocrootAndFile => Words {
                name: "docroot_and_file",
                why: "the docroot and s3.properties have different settings, and the vendor does not document which one wins",
                fix: "Set both to the same encryption and key, or check the encryption of an uploaded object.",
            },
            Self::NoneInDocroot => Words {
                name: "none_in_docroot",
                why: "the vendor does not document what NONE in a docroot does",
                fix: "Remove the option from the docroot, or set the intended encryption.",
            },
            Self::NearlyAnOption => Words {
                name: "nearly_an_option",
                why: "the docroot has an option with a name close to that of an encryption option, or percent-encoding in such a name or in the encryption",
                fix: "Correct the name of the option and write it and the encryption without percent-encoding, or remove the option.",
            },
            Self::NearlyASetting => Words {
                name: "nearly_a_setting",
                why: "s3.properties has a line with a name close to that of an encryption setting, and the vendor does not document whether trapd accepts it",
                fix: "Correct the name in s3.properties, or remove the line.",
            },
            Self::Fragment => Words {
                name: "fragment",
                why: "the docroot has a bare #, and Aspera may ignore everything after a # in a URI",
                fix: "Write %23 for the # in the docroot.",
            },
            Self::QuestionMark => Words {
                name: "question_mark",
                why: "the docroot has a bare ? that may belong to the path or start the options, so that its options are not known",
                fix: "Write %3F for each ? in the docroot except the one before the options.",
            },
            Self::QuestionMarkInCredentials => Words {
                name: "question_mark_in_credentials",
                why: "the credentials of the docroot seem to contain a bare ?, so the start of its options is ambiguous",
                fix: "Write %3F for the ? in the credentials.",
            },
            Self::UnclearHost => Words {
                name: "unclear_host",
                why: "the docroot can be read with different hosts, or its host is not a valid name with or without a port",
                fix: "Write %40 for each @ in the credentials and the path, %2F, %3F and %23 for each /, ? and # in the credentials, and HOST or HOST:PORT for the host.",
            },
            Self::UndocumentedValue => Words {
                name: "undocumented_value",
                why: "the vendor does not document the value, or the key is not a valid key name",
                fix: "Set the encryption to NONE, AES256 or AWS_KMS, and the key to a valid key name, without blanks around either.",
            },
            Self::KeyWithoutKms => Words {
                name: "key_without_kms",
                why: "a KMS key is set without AWS_KMS: S3 refuses a key with any other encryption, and whether Aspera sends it is not documented",
                fix: "Remove the key, or set AWS_KMS.",
            },
            Self::NotAmazon => Words {
                name: "not_amazon",
                why: "the storage is not Amazon's, and it may or may not honour the setting",
                fix: "Check the encryption of an uploaded object, or ask the operator of the store.",
            },
            Self::KeyOfAnotherRegion => Words {
                name: "key_of_another_region",
                why: "the key belongs to another region or partition than the endpoint, so S3 refuses the uploads",
                fix: "Name a key of the region of the bucket.",
            },
            Self::HttpsNotForced => Words {
                name: "https_not_forced",
                why: "s3service.https-only is not true in s3.properties, and S3 refuses uploads with AWS_KMS without HTTPS",
                fix: "Set s3service.https-only=true in s3.properties and restart asperatrapd.",
            },
            Self::Alias => Words {
                name: "alias",
                why: "a key is named by an alias, and only AWS knows which key that is",
                fix: "Name the key by its ARN.",
            },
            Self::MultiRegionKey => Words {
                name: "multi_region_key",
                why: "the id of a multi-Region key stands for a different key in each Region",
                fix: "Name the key by its ARN.",
            },
            Self::LetterCase => Words {
                name: "letter_case",
                why: "the name of the key differs from the expected one in letter case only, and AWS does not document whether that matters",
                fix: "Write the key id in lower case, as AWS shows it.",
            },
            Self::VersionUnknown => Words {
                name: "version_unknown",
                why: "the version of Aspera is not known, and older ones do not have the setting",
                fix: "Make bin/ascp -A work on the host: it reports the version.",
            },
            Self::BlanksAroundKey => Words {
                name: "blanks_around_key",
                why: "there are blanks or other characters around the name of the key, and the vendor does not document whether S3 receives them",
                fix: "Remove everything but the name of the key.",
            },
            Self::ClientAddress => Words {
                name: "client_address",
                why: "the docroot depends on the address of the client",
                fix: "Set the same encryption in the docroots of all client addresses.",
            },
            Self::BlanksAroundDocroot => Words {
                name: "blanks_around_docroot",
                why: "there are blanks or line breaks around the docroot, and the vendor does not document whether Aspera removes them",
                fix: "Remove the blanks and line breaks around the docroot in aspera.conf.",
            },
            Self::OtherEndpoint => Words {
                name: "other_endpoint",
                why: "an option of the docroot or a line of s3.properties sets the endpoint or the signature of requests (such as s3service.s3-endpoint), and the vendor does not document whether the host of the docroot then counts",
                fix: "Name the endpoint in the docroot only, and remove the option or line.",
            },
            Self::OldVersion => Words {
                name: "old_version",
                why: "this version of Aspera is older than those whose documentation has the setting: AES256 in docroots came with 3.2.1, and encryption in s3.properties with 3.6.1",
                fix: "Upgrade Aspera to 3.6.1 or later.",
            },
            Self::Substitution => Words {
                name: "substitution",
                why: "the key contains $(...), which Aspera replaces in docroots, so each user may get another key",
                fix: "Name the key itself in the docroot of each user.",
            },
            Self::ObjectDiffers => Words {
                name: "object_differs",
                why: "an object that Aspera uploaded with the current files has an encryption that these files cannot give",
                fix: "Find out what else sets the encryption: another file, another service, or a rule of the store.",
            },
            Self::UnclearStorage => Words {
                name: "unclear_storage",
                why: "the node returns a storage of the access key that does not have the documented form, or of a kind that is not documented",
                fix: "Look at the storage of the access key with the tool that made it, and correct it there.",
            },
            Self::OtherHost => Words {
                name: "other_host",
                why: "the node is not this host, so what its s3.properties sets and which services it runs is not known",
                fix: "Run aspera_access_keys_info on the node itself, with https://localhost:9092 as url.",
            },
            Self::NoTransferUser => Words {
                name: "no_transfer_user",
                why: "the access key has no storage of its own, and the node does not name the transfer user of the login, so the docroot that counts for it is not known",
                fix: "Log in as a user of the Node API that is associated with a transfer user (asnodeadmin -l lists them).",
            },
            Self::NoStorage => Words {
                name: "no_storage",
                why: "the access key has no storage of its own, and its transfer user has restrictions and no docroot",
                fix: "Give the access key a storage, or the user a docroot, or remove the access key.",
            },
            Self::SeveralDocroots => Words {
                name: "several_docroots",
                why: "there are several docroots side by side, and the vendor does not document which one counts",
                fix: "Keep only one docroot, or set the same encryption in all of them.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_documentation_names_each_doubt() {
        let pages = [
            include_str!("../../../docs/judgement.md"),
            include_str!("../../../docs/access-keys.md"),
            include_str!("../../../docs/audit.md"),
        ];
        for doubt in Doubt::ALL {
            let name = format!("`{}`", doubt.name());
            let is_named = pages.iter().any(|page| page.contains(&name));
            assert!(is_named, "{name} is on none of these pages");
        }
    }

    #[test]
    fn each_doubt_has_a_name_of_its_own_and_plain_sentences() {
        let names: BTreeSet<&str> = Doubt::ALL.iter().map(|doubt| doubt.name()).collect();
        assert_eq!(names.len(), Doubt::ALL.len());
        for doubt in Doubt::ALL {
            assert!(
                doubt
                    .name()
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
            );
            assert!(!doubt.why().ends_with('.'), "{}", doubt.why());
            assert!(doubt.fix().ends_with('.'), "{}", doubt.fix());
            assert!(
                doubt
                    .fix()
                    .starts_with(|first: char| first.is_ascii_uppercase())
            );
        }
    }
}
