//! Where the model departs from the contract, and why. With all of them `false`, it follows the contract to the letter.

/// The contract ignores `not S3` where other outcomes are judged, so that `not S3` beside a violation is a violation. That breaks the law of hidden
/// knowledge: a user whose one group has a local docroot is `not S3` (compliant); once the membership is not known, the default in S3 without
/// encryption would make the server not compliant, although it may be the same server. And a user with an empty docroot, above a default that
/// violates, would be a violation, although the empty docroot may well mean the file system. Here: unknown.
pub const NOT_S3_IS_NO_VIOLATION: bool = true;

/// The contract has the file win only where it sets the encryption, and then both options at once. Which of docroot and file wins is not documented,
/// and so it is not documented either whether they win as a whole or option by option. A docroot with `AWS_KMS` and the right key would be met,
/// although the file names another key and may win.
pub const FILE_AND_DOCROOT_MAY_MIX: bool = true;

/// The contract makes the own rows of a block unbounded that has a docroot beside restrictions. What the server does with such a block is as open
/// for the users who inherit it.
pub const RESTRICTIONS_ARE_INHERITED: bool = true;

/// The contract compares partitions only where the host names a region. `s3.amazonaws.com` names none, and yet no key of `aws-cn` can serve it.
pub const PARTITION_COUNTS_WITHOUT_REGION: bool = true;

/// The contract takes every host below `amazonaws.com` for Amazon's S3. Machines and load balancers of customers have such names too
/// (`ec2-192-0-2-1.compute-1.amazonaws.com`), and so may a `MinIO`. Here, a label `s3` or `s3-...` is asked for.
pub const AMAZON_HOSTS_NAME_S3: bool = true;

/// The contract judges the scope `system` by `s3.properties` alone. Where the unit or init script sets the same options, trapd may have others.
pub const SERVICE_OPTIONS_LEAVE_SYSTEM_OPEN: bool = true;
