//! The version of an installation.

use std::fmt;

/// A version of the transfer server, such as 4.4.5.1646.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u32>);

impl Version {
    /// Returns the first release with SSE-KMS, according to the vendor's article.
    pub fn first_with_kms() -> Self {
        Self(vec![3, 6, 1])
    }

    /// Returns the first release whose documentation has `AES256` in docroots.
    pub fn first_with_aes256() -> Self {
        Self(vec![3, 2, 1])
    }

    /// Returns the first release whose documentation has encryption in `s3.properties`. Before, the vendor set such options in the init script.
    pub fn first_with_system_wide_encryption() -> Self {
        Self(vec![3, 6, 1])
    }

    /// Reads the line `ascp version A.B.C.D` from the output of `ascp -A`. A hash may follow the numbers.
    ///
    /// The line of the product is not read: outside the server, the versions of product and `ascp` differ.
    pub fn from_ascp_output(output: &str) -> Option<Self> {
        let line = output
            .lines()
            .find_map(|line| line.trim_ascii().strip_prefix("ascp version "))?;
        Self::parse(line)
    }

    /// Reads a version at the start of a text.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text
            .split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .next()?;
        let parts: Option<Vec<u32>> = numbers
            .split('.')
            .filter(|part| !part.is_empty())
            .take(4)
            .map(|part| part.parse().ok())
            .collect();
        parts.filter(|parts| parts.len() >= 3).map(Self)
    }

    /// Returns the first release whose Node API returns the storages of access keys without being asked for them.
    pub fn first_with_storages_in_lists() -> Self {
        Self(vec![3, 8, 0])
    }

    /// Returns the first release with `pvcl_cloud`, which connects Aspera to object storage beside trapd.
    pub fn first_with_pvcl() -> Self {
        Self(vec![4, 4])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ascp_line_is_found_in_all_known_outputs() {
        for (output, version) in [
            (
                "IBM Aspera High-Speed Transfer Server version 3.9.3.174419\nascp version 3.9.3.174419\nOperating System: Linux\n",
                "3.9.3.174419",
            ),
            ("ascp version 4.4.8.2592 6a5e6bf\n", "4.4.8.2592"),
            (
                "license warning\r\n ascp version 3.7.2.354.010c3b8\r\n",
                "3.7.2.354",
            ),
            ("ascp version 3.6.1\n", "3.6.1"),
        ] {
            let found = Version::from_ascp_output(output).unwrap();
            assert_eq!(found.to_string(), version, "{output}");
        }
        for output in [
            "",
            "ascp version\n",
            "ascp version x.y.z\n",
            "Aspera CLI version 3.7.2.354\n",
        ] {
            assert_eq!(Version::from_ascp_output(output), None, "{output}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        let version =
            |text: &str| Version::from_ascp_output(&format!("ascp version {text}")).unwrap();
        assert!(version("3.6.0.999") < Version::first_with_kms());
        assert!(version("3.5.10") < Version::first_with_kms());
        assert!(version("3.6.1.110647") > Version::first_with_kms());
        assert!(version("3.10.0") > Version::first_with_kms());
    }
}
