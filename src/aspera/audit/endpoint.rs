//! The host of an S3 docroot: whether it is an Amazon host, and which region and partition it names.
//!
//! The forms are those of "Amazon S3 endpoints" in the AWS General Reference: `s3.amazonaws.com`, `s3.REGION.amazonaws.com`, the older `s3-REGION`,
//! `s3.dualstack.REGION`, and each of them with a `BUCKET.` prefix. The endpoints of China end in `amazonaws.com.cn`.

use crate::aspera::docroot::host_name;

/// The host of an S3 docroot. By default, it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Endpoint {
    amazon: Option<Amazon>,
    /// Whether the text is a host with or without a port.
    is_clear: bool,
    /// Whether there is a port other than that of HTTPS.
    has_other_port: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Amazon {
    region: Option<String>,
    partition: &'static str,
    /// Whether the host is the service itself, with no bucket, access point or accelerator in its name.
    is_plain_service: bool,
}

impl Endpoint {
    /// Parses a host, with or without a port.
    pub fn parse(host_and_port: &str) -> Self {
        let Some(name) = host_name(host_and_port) else {
            return Self::default();
        };
        let host = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let (labels, is_china) = match host.strip_suffix(".amazonaws.com.cn") {
            Some(labels) => (Some(labels), true),
            None => (host.strip_suffix(".amazonaws.com"), false),
        };
        // A customer's machine or load balancer also has a name below amazonaws.com.
        let labels = labels.filter(|labels| is_of_s3(labels));
        let amazon = labels.map(|labels| {
            let region = region(labels);
            let is_government = region.is_some_and(|region| region.starts_with("us-gov-"));
            Amazon {
                region: region.map(str::to_owned),
                is_plain_service: is_plain_service(labels),
                partition: match (is_china, is_government) {
                    (true, _) => "aws-cn",
                    (_, true) => "aws-us-gov",
                    _ => "aws",
                },
            }
        });
        Self {
            amazon,
            is_clear: true,
            has_other_port: host_and_port
                .split_once(':')
                .is_some_and(|(_, port)| port.parse() != Ok(443)),
        }
    }

    /// Returns whether it names a port other than that of HTTPS.
    pub fn has_other_port(&self) -> bool {
        self.has_other_port
    }

    /// Returns whether the text is a host with or without a port, so that it is certain which host it names.
    pub fn is_clear(&self) -> bool {
        self.is_clear
    }

    /// Returns whether this is an Amazon host.
    pub fn is_amazon(&self) -> bool {
        self.amazon.is_some()
    }

    /// Returns whether this is an Amazon host that names the service alone: no bucket, access point or accelerator.
    pub fn is_plain_service(&self) -> bool {
        self.amazon
            .as_ref()
            .is_some_and(|amazon| amazon.is_plain_service)
    }

    /// Returns the region that an Amazon host names.
    pub fn region(&self) -> Option<&str> {
        self.amazon.as_ref()?.region.as_deref()
    }

    /// Returns whether S3 at this host refuses a key of a region and partition.
    pub fn refuses_key_of(&self, partition: &str, region: &str) -> bool {
        self.amazon.as_ref().is_some_and(|amazon| {
            let other_region = amazon.region.as_deref().is_some_and(|own| own != region);
            other_region || amazon.partition != partition
        })
    }
}

/// Returns whether the labels before `.amazonaws.com` are those of S3: after the last S3 label, there is only the region and the kind of network.
fn is_of_s3(labels: &str) -> bool {
    let mut from_last = labels.rsplit('.');
    let others =
        from_last.find(|label| !matches!(*label, "dualstack" | "vpce") && !is_region(label));
    others.is_some_and(is_label_of_s3)
}

/// Returns whether a label is one of the endpoints that take uploads of objects. Those of websites, Outposts and of the control API do not, or not with KMS.
fn is_label_of_s3(label: &str) -> bool {
    let names = [
        "s3",
        "s3-fips",
        "s3-accelerate",
        "s3-accesspoint",
        "s3-accesspoint-fips",
        "s3-external-1",
    ];
    names.contains(&label) || region_in_label(label).is_some()
}

fn is_plain_service(labels: &str) -> bool {
    let first = labels.split('.').next().unwrap_or_default();
    matches!(first, "s3" | "s3-fips" | "s3-external-1") || region_in_label(first).is_some()
}

/// Returns the region in a label such as `s3-eu-west-1` or `s3-fips-us-gov-west-1`.
fn region_in_label(label: &str) -> Option<&str> {
    let rest = label.strip_prefix("s3-")?;
    let region = rest.strip_prefix("fips-").unwrap_or(rest);
    let is_other = [
        "website-",
        "outposts-",
        "control-",
        "object-lambda-",
        "accesspoint-",
    ]
    .iter()
    .any(|other| region.starts_with(other));
    (!is_other && is_region(region)).then_some(region)
}

/// Returns the region in the labels before `.amazonaws.com`: it is in the last S3 label, or it is the first label after that.
fn region(labels: &str) -> Option<&str> {
    let labels: Vec<&str> = labels.split('.').collect();
    let s3 = labels.iter().rposition(|label| is_label_of_s3(label))?;
    let mut after = labels[s3 + 1..].iter().copied();
    region_in_label(labels[s3]).or_else(|| after.find(|label| is_region(label)))
}

/// Returns whether a text has the form of a region code, such as `eu-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] => {
            words.len() >= 2
                && words.iter().all(is_word)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && words[0] != "external"
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_endpoints_are_read() {
        for (host, region, partition) in [
            ("s3.amazonaws.com", None, "aws"),
            ("S3.Amazonaws.COM:443", None, "aws"),
            ("s3.eu-west-1.amazonaws.com", Some("eu-west-1"), "aws"),
            ("s3-eu-west-1.amazonaws.com", Some("eu-west-1"), "aws"),
            ("b.s3.eu-west-1.amazonaws.com", Some("eu-west-1"), "aws"),
            ("b.s3-eu-west-1.amazonaws.com", Some("eu-west-1"), "aws"),
            (
                "s3.dualstack.eu-west-1.amazonaws.com",
                Some("eu-west-1"),
                "aws",
            ),
            ("s3-fips.us-east-2.amazonaws.com", Some("us-east-2"), "aws"),
            ("my.bucket.s3.amazonaws.com", None, "aws"),
            (
                "b.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com",
                Some("eu-west-1"),
                "aws",
            ),
            (
                "a-1.s3-accesspoint.eu-west-1.amazonaws.com",
                Some("eu-west-1"),
                "aws",
            ),
            ("s3.eu-west-1.s3.amazonaws.com", None, "aws"),
            ("s3-external-1.amazonaws.com", None, "aws"),
            ("b.s3-accelerate.amazonaws.com", None, "aws"),
            (
                "s3.us-gov-west-1.amazonaws.com",
                Some("us-gov-west-1"),
                "aws-us-gov",
            ),
            (
                "s3.cn-north-1.amazonaws.com.cn",
                Some("cn-north-1"),
                "aws-cn",
            ),
        ] {
            let amazon = Endpoint::parse(host).amazon.unwrap();
            assert_eq!(amazon.region.as_deref(), region, "{host}");
            assert_eq!(amazon.partition, partition, "{host}");
        }
        for host in [
            "",
            "gateway.storjshare.io",
            "ec2-192-0-2-1.compute-1.amazonaws.com",
            "amazonaws.com.example.org",
            "evilamazonaws.com",
            "s3-gateway-123.eu-west-1.elb.amazonaws.com",
            "s3.amazonaws.com:443x",
            "s3.amazonaws.com:0",
            "minio.example%2F.s3.amazonaws.com",
            "minio.example;.s3.amazonaws.com",
            "b.s3-website.us-east-1.amazonaws.com",
            "b.s3-website-us-east-1.amazonaws.com",
            "ap-1.o-1.s3-outposts.us-east-1.amazonaws.com",
            "111122223333.s3-control.us-east-1.amazonaws.com",
            "a.s3-object-lambda.us-east-1.amazonaws.com",
            "s3-whatever.amazonaws.com",
        ] {
            assert!(!Endpoint::parse(host).is_amazon(), "{host}");
        }
    }

    #[test]
    fn a_key_of_another_region_or_partition_is_refused() {
        let named = Endpoint::parse("s3.eu-west-1.amazonaws.com");
        assert!(!named.refuses_key_of("aws", "eu-west-1"));
        assert!(named.refuses_key_of("aws", "us-east-1"));
        let any = Endpoint::parse("s3.amazonaws.com");
        assert!(!any.refuses_key_of("aws", "us-east-1"));
        assert!(any.refuses_key_of("aws-cn", "cn-north-1"));
        assert!(!Endpoint::parse("minio.example.org").refuses_key_of("aws", "us-east-1"));
    }
}
