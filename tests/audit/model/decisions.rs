//! The decisions in which the model departs from the contract, and the reasons. If all of them are `false`, it follows the contract to the letter.

/// The contract ignores `not S3` if other outcomes are judged, so `not S3` beside a violation is a violation. That breaks the law of hidden
/// knowledge: a user whose one group has a local docroot is `not S3` (compliant). If the membership is not known, the default in S3 without
/// encryption would make the server not compliant, although it may be the same server. And a user with an empty docroot, and a default that
/// violates, would be a violation, although the empty docroot may well mean the file system. In the model, both are unknown.
pub const NOT_S3_IS_NO_VIOLATION: bool = true;

/// In the contract, the file wins only if it sets the encryption, and then with both options at once. The vendor does not document whether docroot or
/// file wins, nor whether one wins as a whole or option by option. A docroot with `AWS_KMS` and the right key would be met, although the file
/// names another key and may win.
pub const FILE_AND_DOCROOT_MAY_MIX: bool = true;

/// In the contract, restrictions and a docroot in one block make the rows of that block unbounded. The vendor does not document what the server does
/// with such a block, and that is just as open for the users who inherit it.
pub const RESTRICTIONS_ARE_INHERITED: bool = true;

/// The contract compares partitions only if the host names a region. `s3.amazonaws.com` names no region, and yet no key of `aws-cn` can serve it.
pub const PARTITION_COUNTS_WITHOUT_REGION: bool = true;

/// The contract treats every host below `amazonaws.com` as Amazon's S3. Machines and load balancers of customers have such names too
/// (`ec2-192-0-2-1.compute-1.amazonaws.com`), and so may a `MinIO`. The model requires a label `s3` or `s3-...`.
pub const AMAZON_HOSTS_NAME_S3: bool = true;

/// The contract judges the scope `system` by `s3.properties` alone. If the unit or init script sets the same options, trapd may have others.
pub const SERVICE_OPTIONS_LEAVE_SYSTEM_OPEN: bool = true;
