//! What S3 answers instead of what was asked for, and what to do about it.

use crate::http::{Element, Failure, Response};

/// Why a request did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NoAnswer(Failure),
    /// `AccessDenied`, or 403 without a body.
    Denied,
    /// The access key does not exist.
    UnknownAccessKey,
    /// The secret does not fit the access key.
    WrongSecret,
    /// The token is expired or was tampered with.
    ExpiredToken,
    /// The clocks differ by more than 15 minutes.
    ClockSkew,
    /// The bucket does not exist.
    NoBucket,
    /// The object does not exist.
    NoObject,
    /// The newest version is a delete marker (405).
    DeleteMarker,
    /// 400 without a body: an object with a key of a customer (SSE-C) is refused so.
    BadRequest,
    /// A precondition that nobody set (412), or a range (416).
    Precondition,
    /// The bucket is somewhere else, and S3 does not say where, or redirects twice.
    Elsewhere,
    /// The store is busy (429 or 503).
    Busy,
    /// The store failed (another 5xx).
    ServerError,
    /// The store does not have this operation.
    NotImplemented,
    /// The bucket has no default encryption.
    NoDefault,
    /// The object is in an archive, or its state does not allow the request.
    State,
    /// The answer is not one of S3.
    NotS3,
    /// KMS denies an action to the identity.
    KmsDenied(KmsAction),
    /// The KMS key is disabled.
    KeyDisabled,
    /// The KMS key does not exist in the region of the bucket.
    KeyNotFound,
    /// The KMS key is in a state in which it cannot be used, such as that of a pending deletion.
    KeyState,
    /// The KMS key is not one for encryption.
    KeyUsage,
    Other(Option<String>),
}

/// An action that KMS denies to an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KmsAction {
    /// `kms:GenerateDataKey`, which every upload needs.
    GenerateDataKey,
    /// `kms:Decrypt`, which uploads in parts need.
    Decrypt,
}

impl Refusal {
    /// Reads an answer that is not the one that was asked for.
    pub fn of(answer: &Response) -> Self {
        let root = Element::parse(&answer.body).ok();
        let error = root.as_ref().filter(|root| root.name == "Error");
        let code = error.and_then(|error| error.text_at(&["Code"]));
        let code = code.filter(|code| is_code(code));
        // The message is searched for the names of two actions, and never shown.
        let message = error
            .and_then(|error| error.text_at(&["Message"]))
            .unwrap_or_default();
        if matches!(code, Some("AccessDenied" | "KMS.AccessDeniedException")) {
            let denied = [
                ("kms:GenerateDataKey", KmsAction::GenerateDataKey),
                ("kms:Decrypt", KmsAction::Decrypt),
            ];
            let denied = denied.into_iter().find(|(name, _)| message.contains(name));
            if let Some((_, action)) = denied {
                return Self::KmsDenied(action);
            }
        }
        if let Some(known) = code.and_then(Self::of_code) {
            return known;
        }
        let is_page = error.is_none() && !answer.body.is_empty();
        match answer.status {
            _ if is_page && !matches!(answer.status, 429 | 500..) => Self::NotS3,
            403 => Self::Denied,
            404 => Self::NoObject,
            405 => Self::DeleteMarker,
            400 if code.is_none() => Self::BadRequest,
            412 | 416 => Self::Precondition,
            300..=399 => Self::Elsewhere,
            429 | 503 => Self::Busy,
            501 => Self::NotImplemented,
            500.. => Self::ServerError,
            _ if code.is_none() => Self::NotS3,
            _ => Self::Other(code.map(str::to_owned)),
        }
    }

    /// The codes are those of "Error responses" in the Amazon S3 API Reference.
    fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "AccessDenied"
            | "KMS.AccessDeniedException"
            | "AllAccessDisabled"
            | "AccountProblem"
            | "UnauthorizedAccess" => Self::Denied,
            "InvalidAccessKeyId" | "NotSignedUp" => Self::UnknownAccessKey,
            "SignatureDoesNotMatch" => Self::WrongSecret,
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => Self::ExpiredToken,
            "RequestTimeTooSkewed" | "RequestExpired" => Self::ClockSkew,
            "NoSuchBucket" => Self::NoBucket,
            "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" => Self::NoObject,
            "MethodNotAllowed" => Self::DeleteMarker,
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "Redirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException" => Self::Elsewhere,
            "PreconditionFailed" | "InvalidRange" => Self::Precondition,
            "SlowDown" | "ServiceUnavailable" | "TooManyRequests" => Self::Busy,
            "InternalError" => Self::ServerError,
            "NotImplemented" => Self::NotImplemented,
            "ServerSideEncryptionConfigurationNotFoundError" => Self::NoDefault,
            "InvalidObjectState" => Self::State,
            "KMS.DisabledException" => Self::KeyDisabled,
            "KMS.NotFoundException" => Self::KeyNotFound,
            "KMS.InvalidStateException" | "KMS.KMSInvalidStateException" => Self::KeyState,
            "KMS.InvalidKeyUsageException" => Self::KeyUsage,
            _ => return None,
        })
    }

    /// Returns whether S3 itself has refused a request for good: another attempt would end so, too.
    pub fn is_certain(&self) -> bool {
        !matches!(
            self,
            Self::NoAnswer(_) | Self::Busy | Self::ServerError | Self::NotS3 | Self::Elsewhere
        )
    }

    /// Returns its name in results.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "no_answer",
            Self::Denied => "denied",
            Self::UnknownAccessKey => "unknown_access_key",
            Self::WrongSecret => "wrong_secret",
            Self::ExpiredToken => "expired_token",
            Self::ClockSkew => "clock_skew",
            Self::NoBucket => "no_bucket",
            Self::NoObject => "no_object",
            Self::DeleteMarker => "delete_marker",
            Self::BadRequest => "customer_key",
            Self::Precondition => "precondition",
            Self::Elsewhere => "elsewhere",
            Self::Busy => "busy",
            Self::ServerError => "server_error",
            Self::NotImplemented => "not_implemented",
            Self::NoDefault => "no_default",
            Self::State => "object_state",
            Self::NotS3 => "not_s3",
            Self::KmsDenied(KmsAction::GenerateDataKey) => "kms_generate_data_key",
            Self::KmsDenied(KmsAction::Decrypt) => "kms_decrypt",
            Self::KeyDisabled => "key_disabled",
            Self::KeyNotFound => "key_not_found",
            Self::KeyState => "key_state",
            Self::KeyUsage => "key_usage",
            Self::Other(_) => "other_error",
        }
    }

    /// Returns what is wrong, as a sentence without a full stop.
    pub fn why(&self) -> String {
        match self {
            Self::NoAnswer(failure) => return failure.to_string(),
            Self::Other(Some(code)) => return format!("S3 answers with the error {code}"),
            Self::Denied => "S3 denies the request to this identity (403)",
            Self::UnknownAccessKey => "S3 does not know the access key",
            Self::WrongSecret => {
                "S3 does not accept the signature: the secret does not fit the access key"
            }
            Self::ExpiredToken => "the session token has expired or does not belong to the access key",
            Self::ClockSkew => {
                "the clock of this host and that of S3 differ by more than 15 minutes"
            }
            Self::NoBucket => "the bucket does not exist",
            Self::NoObject => "the object does not exist, or no longer exists",
            Self::DeleteMarker => "the object was deleted: its newest version is a delete marker",
            Self::BadRequest => {
                "S3 does not describe the object without the customer's own key (SSE-C)"
            }
            Self::Precondition => {
                "S3 refuses the request because of a condition that was not set (412, 416)"
            }
            Self::Elsewhere => "the bucket is at another endpoint",
            Self::Busy => "S3 was too busy, even after retries",
            Self::ServerError => "S3 had an internal error, even after retries",
            Self::NotImplemented => "the store does not support this operation",
            Self::NoDefault => "the bucket has no default encryption",
            Self::State => "the state of the object does not allow the request",
            Self::NotS3 => "the answer is not from S3; a proxy or a login page may have answered",
            Self::KmsDenied(KmsAction::GenerateDataKey) => "KMS denies kms:GenerateDataKey on the key, which every upload needs",
            Self::KmsDenied(KmsAction::Decrypt) => "KMS denies kms:Decrypt on the key, which uploads in parts need: small files work, large ones do not",
            Self::KeyDisabled => "the KMS key is disabled",
            Self::KeyNotFound => "the KMS key does not exist in the region of the bucket",
            Self::KeyState => "the KMS key cannot be used in its present state, such as pending deletion",
            Self::KeyUsage => "the KMS key is not for encryption",
            Self::Other(None) => "S3 answers with an error",
        }
        .to_owned()
    }

    /// Returns what to do about it, in sentences.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NoAnswer(failure) => fix_of_failure(failure),
            Self::Denied => {
                "Allow s3:ListBucket on the bucket and s3:GetObject on its objects to this identity, or use another one by access_key_id or assume_role_arn."
            }
            Self::UnknownAccessKey | Self::WrongSecret => {
                "Correct the access key and its secret where they come from."
            }
            Self::ExpiredToken => "Get new credentials, with their own session token.",
            Self::ClockSkew => "Set the clock of this host, with NTP for example.",
            Self::NoBucket => "Correct the bucket in the docroot, or the endpoint.",
            Self::NoObject | Self::DeleteMarker => "Run again, or name another key.",
            Self::BadRequest => "Find out which program uploads with keys of its own.",
            Self::Elsewhere => "Set region to that of the bucket, or endpoint_url to its endpoint.",
            Self::Busy | Self::ServerError => "Run again later, or with a smaller head_limit.",
            Self::NotImplemented => "There is nothing to do: this store does not report it.",
            Self::NoDefault => "There is nothing to do, unless the bucket should have one.",
            Self::NotS3 => "Check endpoint_url and the proxy in the environment.",
            Self::KmsDenied(_) => {
                "Add the statement to the policy of the identity, and make sure that the policy of the key allows it."
            }
            Self::KeyDisabled => "Enable the key, or name another one.",
            Self::KeyNotFound => {
                "Correct the key: a key works in its own region and account only where its ARN names them."
            }
            Self::KeyState | Self::KeyUsage => "Name another key.",
            Self::State | Self::Precondition | Self::Other(_) => {
                "Look up the error in the Amazon S3 API Reference."
            }
        }
    }
}

fn fix_of_failure(failure: &Failure) -> &'static str {
    match failure {
        Failure::NoAddress => {
            "Correct the host of the docroot or endpoint_url, or the name service of this host."
        }
        Failure::Refused | Failure::Unreachable => {
            "Check the port, the firewall, and whether this host needs a proxy."
        }
        Failure::TimeOut(_) => "Check the firewall and the proxy, or raise timeout.",
        Failure::Deadline => "Raise timeout, or lower list_limit or head_limit.",
        Failure::Closed => "Run again; if it stays, check the proxy and the endpoint.",
        Failure::Certificate { .. } => {
            "If that authority is yours, set ca_file to its certificate; else find out who stands between this host and S3."
        }
        Failure::Tls => {
            "If the store speaks plain HTTP there, set endpoint_url to its http:// URL."
        }
        Failure::NoAuthorities => "Install the package ca-certificates, or set ca_file.",
        Failure::Authorities(_) => "Correct ca_file.",
        Failure::Proxy(_) => {
            "Correct https_proxy, http_proxy or no_proxy in the environment of the task."
        }
        Failure::TooLarge | Failure::NotHttp | Failure::Compressed | Failure::Other => {
            "Check endpoint_url and what stands between this host and S3."
        }
    }
}

/// Codes are words of letters, some with a dot. Anything else is not repeated.
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}
