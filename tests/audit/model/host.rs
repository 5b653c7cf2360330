//! The host of a docroot, in one reading.

use super::decisions;

/// The host in lower case, without its port and the dot at its end, or `None` if the text is not a host with or without a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host(Option<String>, bool);

impl Host {
    pub fn read(text: &str) -> Self {
        let (name, port) = text.split_once(':').unwrap_or((text, "443"));
        let is_port = !port.is_empty()
            && port.chars().all(|c| c.is_ascii_digit())
            && (1..=65535).contains(&port.parse::<u64>().unwrap_or_default());
        let labels = name.strip_suffix('.').unwrap_or(name);
        let is_name = name.is_empty()
            || labels.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            });
        let is_of_https = port.parse() == Ok(443);
        let host = (is_port && is_name).then(|| labels.to_ascii_lowercase());
        Self(host, is_of_https)
    }

    /// Returns whether Amazon's host is named with a port that is not the one of HTTPS.
    pub fn has_other_port(&self) -> bool {
        self.is_amazon() && !self.1
    }

    pub fn is_clear(&self) -> bool {
        self.0.is_some()
    }

    pub fn is_amazon(&self) -> bool {
        let Some(labels) = self.labels() else {
            return false;
        };
        let s3 = labels.iter().rposition(|label| is_label_of_s3(label));
        let is_s3 = s3.is_some_and(|s3| {
            let after = &labels[s3 + 1..];
            after
                .iter()
                .all(|label| is_region(label) || ["dualstack", "vpce"].contains(label))
        });
        is_s3 || !decisions::AMAZON_HOSTS_NAME_S3
    }

    /// Returns the labels before Amazon's domain.
    fn labels(&self) -> Option<Vec<&str>> {
        let name = self.0.as_deref()?;
        let name = name.strip_suffix(".cn").unwrap_or(name);
        Some(name.strip_suffix(".amazonaws.com")?.split('.').collect())
    }

    /// Returns the region that the host names, in its last S3 label or after it.
    fn region(&self) -> Option<&str> {
        let labels = self.labels()?;
        let s3 = labels.iter().rposition(|label| is_label_of_s3(label))?;
        let mut after = labels[s3 + 1..].iter().copied();
        old_region(labels[s3]).or_else(|| after.find(|label| is_region(label)))
    }

    /// Returns whether S3 at this host refuses a key: it is of another region or partition.
    pub fn refuses(&self, key: &str) -> bool {
        let fields: Vec<&str> = key.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, _, _] = fields[..] else {
            return false;
        };
        if !self.is_amazon() {
            return false;
        }
        let own_region = self.region();
        let own_partition = if self
            .0
            .as_ref()
            .is_some_and(|name| name.strip_suffix(".cn").is_some())
        {
            "aws-cn"
        } else if own_region.is_some_and(|region| region.starts_with("us-gov-")) {
            "aws-us-gov"
        } else {
            "aws"
        };
        let of_another_partition = partition != own_partition;
        match own_region {
            Some(own_region) => own_region != region || of_another_partition,
            None => decisions::PARTITION_COUNTS_WITHOUT_REGION && of_another_partition,
        }
    }
}

fn is_label_of_s3(label: &str) -> bool {
    let others = "fips accelerate accesspoint accesspoint-fips external-1";
    match label.strip_prefix("s3-") {
        None => label == "s3",
        Some(rest) => others.split(' ').any(|other| other == rest) || old_region(label).is_some(),
    }
}

/// Returns the region of a label such as s3-eu-west-1 or s3-fips-us-gov-west-1.
fn old_region(label: &str) -> Option<&str> {
    let rest = label.strip_prefix("s3-")?;
    let region = rest.strip_prefix("fips-").unwrap_or(rest);
    let services = ["website", "outposts", "control", "object", "accesspoint"];
    let first = region.split('-').next()?;
    (!services.contains(&first) && is_region(region)).then_some(region)
}

/// Such as eu-west-1 and us-gov-west-1.
fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    parts.len() >= 3
        && parts[..parts.len() - 1]
            .iter()
            .all(|part| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase()))
        && parts[parts.len() - 1]
            .bytes()
            .all(|byte| byte.is_ascii_digit())
}
