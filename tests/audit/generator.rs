//! Random small configurations in which every point that the vendor leaves open occurs often.

use std::collections::BTreeMap;

use crate::configuration::{
    Block, COMMENT, Configuration, Docroot, Expectation, LocalGroup, S3Properties, S3Settings,
    Settled, State, Trapd, UnclearName,
};

use crate::model::may_be_shown;

const ENCRYPTION: &str = "server-side-encryption";
const KEY: &str = "server-side-encryption-aws-kms-key-id";
const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const MULTI_REGION_ID: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";
const MULTI_REGION_ARN: &str =
    "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";

/// Key names that AWS accepts.
const KEYS: [&str; 11] = [
    ARN,
    ID,
    "arn:aws:kms:us-east-1:111122223333:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab",
    MULTI_REGION_ID,
    MULTI_REGION_ARN,
    "1234ABCD-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:us-east-1:111122223333:key/1234ABCD-12AB-34CD-56EF-1234567890AB",
    "arn:aws:kms:us-east-1:111122223333:alias/uploads",
    "alias/uploads",
    "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
];

/// Texts in the place of a key that are not key names.
const NO_KEYS: [&str; 6] = [
    "alias/$(name)",
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab ",
    "\t1234abcd-12ab-34cd-56ef-1234567890ab",
    "two words",
    "",
    "arn:aws:s3:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
];

const HOSTS: [&str; 12] = [
    "s3.us-east-1.amazonaws.com",
    "s3-eu-west-1.amazonaws.com",
    "b.s3.eu-west-1.amazonaws.com:443",
    "s3.dualstack.eu-west-1.amazonaws.com",
    "b.vpce-1a2b3c4d.s3.us-east-1.vpce.amazonaws.com",
    "S3.US-East-1.AmazonAWS.com",
    "s3.cn-north-1.amazonaws.com.cn",
    "s3.us-gov-west-1.amazonaws.com",
    "minio.example.com:9000",
    "s3.amazonaws.com.example.com",
    "ec2-192-0-2-1.compute-1.amazonaws.com",
    "AK:SK@s3.amazonaws.com",
];

/// Texts in the place of the host that can be read in several ways, or that no host has.
const UNCLEAR_HOSTS: [&str; 14] = [
    "minio.example.com/b/jane@s3.amazonaws.com",
    "minio.example.com/b@s3.us-east-1.amazonaws.com",
    "s3.us-east-1.amazonaws.com/b/jane@s3.eu-west-1.amazonaws.com",
    "s3.us-east-1.amazonaws.com/b/jane@s3-us-east-1.amazonaws.com",
    "minio.example.com#@s3.amazonaws.com",
    "AK:S#K@s3.amazonaws.com",
    "AK:S/K@s3.amazonaws.com",
    "AK:S@K@s3.amazonaws.com",
    "s3.amazonaws.com:evil.example.com",
    "s3.amazonaws.com:0",
    "s3.amazonaws.com:",
    "minio.example.com%2F.s3.amazonaws.com",
    "s3..amazonaws.com",
    "s3-gateway-1.eu-west-1.elb.amazonaws.com",
];

/// A generator of random numbers: splitmix64.
pub struct Random {
    state: u64,
    /// The keys that occur often in this configuration. Without them, a key would hardly ever be the expected one.
    keys: &'static [&'static str],
}

/// Keys that are related to each other.
const FAMILIES: [&[&str]; 6] = [
    &[ARN],
    &[ARN, ARN, ID],
    &[ARN, ID, KEYS[2]],
    &[MULTI_REGION_ARN, MULTI_REGION_ID, MULTI_REGION_ID],
    &[ARN, KEYS[5], KEYS[6]],
    &KEYS,
];

impl Random {
    /// Creates the generator for a case. The same case always has the same configuration.
    pub fn new(case: u64) -> Self {
        let mut random = Self {
            state: case.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5851_f42d_4c95_7f2d,
            keys: &KEYS,
        };
        random.keys = FAMILIES[random.below(FAMILIES.len())];
        random
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit).expect("a small number");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("a small number")
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len())]
    }
}

/// Returns a random configuration.
pub fn configuration(random: &mut Random) -> Configuration {
    let users = blocks(random, &["a", "b"], 60);
    let groups = blocks(random, &["g", "h"], 60);
    let defaults = blocks(random, &["", ""], 35);
    let passwd = (!random.one_in(20)).then(|| passwd(random));
    let group = (!random.one_in(20)).then(|| local_groups(random));
    let mut configuration = Configuration {
        aspera_conf_readable: !random.one_in(40),
        users,
        groups,
        defaults,
        s3_properties: s3_properties(random),
        passwd,
        more_passwd: more_lines(random, &MORE_PASSWD),
        group,
        more_group: more_lines(random, &MORE_GROUP),
        trapd: [
            Trapd::Enabled,
            Trapd::Enabled,
            Trapd::Enabled,
            Trapd::Disabled,
            Trapd::Unknown,
        ][random.below(5)],
        version: match random.below(8) {
            0 => None,
            4 => Some(random.of(&["3.5.4", "3.1.9"]).to_owned()),
            1 => Some("4.4.7.2228".to_owned()),
            2 => Some("4.4".to_owned()),
            3 => Some("10.1.0".to_owned()),
            _ => Some(random.of(&["3.9.6", "4.3.12"]).to_owned()),
        },
        service_options: random.one_in(30),
        older_aspera_conf: random.one_in(30),
        older_s3_properties: random.one_in(30),
        settled: Vec::new(),
        expect: (0..1 + random.below(2) + random.below(2))
            .map(|_| expectation(random))
            .collect(),
    };
    if random.percent(40) {
        configuration
            .settled
            .extend(settled(random, &configuration));
    }
    configuration
}

/// Returns what an object may have shown: in one of the worlds, S3 shows that.
fn settled(random: &mut Random, configuration: &Configuration) -> Option<Settled> {
    let blocks = [
        &configuration.users,
        &configuration.groups,
        &configuration.defaults,
    ];
    let docroots = blocks
        .into_iter()
        .flatten()
        .flat_map(|block| &block.docroots);
    let is_plain = |text: &&str| {
        text.starts_with("s3://") && !text.contains(['@', COMMENT]) && text.trim() == *text
    };
    let docroots: Vec<&str> = docroots
        .map(|docroot| &*docroot.text)
        .filter(is_plain)
        .collect();
    if docroots.is_empty() {
        return None;
    }
    let docroot = random.of(&docroots);
    let arns = KEYS.iter().filter(|key| key.contains(":key/"));
    let mut shown: Vec<Option<&str>> = arns.map(|key| Some(*key)).collect();
    shown.push(None);
    let first = random.below(shown.len());
    shown.rotate_left(first);
    let shown = shown.into_iter().map(|key| Settled {
        docroot: docroot.to_owned(),
        encryption: if key.is_some() { "AWS_KMS" } else { "AES256" }.to_owned(),
        key: key.map(str::to_owned),
    });
    shown
        .into_iter()
        .find(|shown| may_be_shown(configuration, shown))
}

/// Returns a block for each of the names with some probability, and now and then two.
fn blocks(random: &mut Random, names: &[&str], percent: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    for name in names {
        if random.percent(percent) {
            blocks.push(block(random, name));
            if random.one_in(15) {
                blocks.push(block(random, name));
            }
        }
    }
    blocks
}

fn block(random: &mut Random, name: &str) -> Block {
    let count = [0, 0, 1, 1, 1, 1, 1, 2][random.below(8)];
    let precedences = [
        "1",
        "1",
        "1.0",
        "0.5",
        "1e1",
        "10",
        "1000",
        "-1",
        "high",
        "1\u{e000}",
    ];
    let unclear_names = [
        UnclearName::Comment,
        UnclearName::Second,
        UnclearName::Blanks,
    ];
    let has_unclear_name = !name.is_empty() && random.one_in(60);
    Block {
        name: name.to_owned(),
        unclear_name: has_unclear_name.then(|| unclear_names[random.below(3)]),
        second_precedence: random.one_in(30),
        docroots: (0..count)
            .map(|_| Docroot {
                text: docroot(random),
                peer_ip: random
                    .one_in(8)
                    .then(|| random.of(&["192.0.2.1", "192.0.2.2"]).to_owned()),
            })
            .collect(),
        restrictions: random.one_in(8),
        precedence: random
            .percent(60)
            .then(|| random.of(&precedences).to_owned()),
        pvcl: random.one_in(30),
    }
}

fn docroot(random: &mut Random) -> String {
    let other = [
        "AS_NULL",
        " AS_NULL\n",
        "",
        " ",
        "/data",
        "$(home)/in",
        "file:////data",
        "azu://account:key@host/container",
        "google-gcs:///bucket",
        "s3a://s3.amazonaws.com/b/",
        "data",
    ];
    if random.one_in(4) {
        // The first few matter most.
        let among = if random.one_in(3) { 11 } else { 5 };
        return random.of(&other[..among]).to_owned();
    }
    let scheme = if random.one_in(25) { "S3" } else { "s3" };
    let host = if random.one_in(3) {
        random.of(&HOSTS)
    } else {
        "s3.amazonaws.com"
    };
    let host = match random.below(60) {
        0 => "AK:S?K@s3.amazonaws.com",
        1..5 => random.of(&UNCLEAR_HOSTS),
        _ => host,
    };
    let path = random.of(&["/b/", "/b/", "/b/in", "/b", "/b/show%231/"]);
    let path = match random.below(50) {
        0 | 1 => "/b/show#1/",
        2 | 3 => random.of(&[
            "/b/what?/in",
            "/b/?",
            "/b/?x",
            "/b?x=1",
            "/b#?1/",
            "/b?jane@minio.example.com/",
            "/b/what?/in&server-side-encryption=AES256",
            "/b/what?server-side-encryption=AWS_KMS",
        ]),
        _ => path,
    };
    let mut options = Vec::new();
    if random.percent(65) {
        options.push(encryption_option(random));
    }
    if random.percent(45) {
        options.push(key_option(random));
    }
    if random.one_in(12) {
        options.push(encryption_option(random));
    }
    if random.one_in(12) {
        options.push(key_option(random));
    }
    if random.one_in(6) {
        let place = random.below(options.len() + 1);
        let other = random.of(&["storage-class=STANDARD", "", "server-side=1", "tag=%2"]);
        options.insert(place, other.to_owned());
    }
    if random.one_in(30) {
        let place = random.below(options.len() + 1);
        options.insert(place, "x=1#2".to_owned());
    }
    if random.one_in(40) {
        let place = random.below(options.len() + 1);
        let hidden = [
            "x=1;server-side-encryption=AES256",
            "x=1,server-side-encryption=AWS_KMS",
            "x=1 server-side-encryption=AWS_KMS",
            "x=1%26server-side-encryption%3DAES256",
            "x=server-side-encryption",
            "server-side-encryption%3DAWS_KMS",
            "s3service.s3-endpoint=minio.example.com",
            "x=S3-endpoint-https-port",
            "request_signature_version",
        ];
        options.insert(place, random.of(&hidden).to_owned());
    }
    let query = if options.is_empty() && !random.one_in(10) {
        String::new()
    } else {
        format!("?{}", options.join("&"))
    };
    let blank = if random.one_in(20) { "\n  " } else { "" };
    let mut text = format!("{blank}{scheme}://{host}{path}{query}{blank}");
    if random.one_in(40) {
        // All of it is ASCII.
        let place = [0, 9, text.len() / 2, text.len()][random.below(4)];
        text.insert(place, COMMENT);
    }
    text
}

fn name_of(random: &mut Random, name: &str) -> String {
    if !random.one_in(14) {
        return name.to_owned();
    }
    match random.below(10) {
        0 => name.replacen("server", "Server", 1),
        5 => format!("{name}+"),
        6 => format!("{name}%00"),
        7 => format!("amp;amp;{name}"),
        8 => name.replace('-', "_"),
        9 => format!("x-amz-{name}"),
        1 => format!("amp;{name}"),
        2 => format!("\n  {name}"),
        3 => format!("{name}%20"),
        // The exact name, percent-encoded.
        _ => name.replacen('-', "%2D", 1),
    }
}

fn encryption_option(random: &mut Random) -> String {
    let name = name_of(random, ENCRYPTION);
    if random.one_in(40) {
        return name;
    }
    let value = match random.below(12) {
        0 | 1 => "AES256",
        2 => "NONE",
        3 => random.of(&["AWS_KMS%20", "aws:kms", "", "AWS%5FKMS", "none"]),
        _ => "AWS_KMS",
    };
    format!("{name}={value}")
}

fn key_option(random: &mut Random) -> String {
    let name = name_of(random, KEY);
    let key = key(random);
    let encoded = if key.contains([' ', '\t']) || random.one_in(3) {
        let encode = |text: String, (from, to)| text.replace(from, to);
        [(" ", "%20"), ("\t", "%09"), (":", "%3A"), ("/", "%2f")]
            .into_iter()
            .fold(key.to_owned(), encode)
    } else {
        key.to_owned()
    };
    format!("{name}={encoded}")
}

fn key(random: &mut Random) -> &'static str {
    match random.below(15) {
        0 => random.of(&NO_KEYS),
        1 => random.of(&KEYS),
        _ => random.of(random.keys),
    }
}

fn s3_properties(random: &mut Random) -> S3Properties {
    match random.below(12) {
        0 => return S3Properties::Missing,
        1 => return S3Properties::Unreadable,
        _ => {}
    }
    let encryption = match random.below(10) {
        0..5 => None,
        5..8 => Some("AWS_KMS"),
        8 => Some(random.of(&["AES256", "NONE"])),
        _ => Some(random.of(&["AWS_KMS ", "aws_kms", "", "AES256\t"])),
    };
    S3Properties::Set(S3Settings {
        encryption: encryption.map(str::to_owned),
        key: random.percent(35).then(|| key(random).to_owned()),
        https_only: match random.below(8) {
            0 => None,
            1 => Some(
                random
                    .of(&["false", "true ", " true", "TRUE", "True\t"])
                    .to_owned(),
            ),
            _ => Some("true".to_owned()),
        },
        nearly: if random.one_in(12) {
            let mut lines = vec![nearly_a_setting(random)];
            if random.one_in(3) {
                lines.push(nearly_a_setting(random));
            }
            lines
        } else {
            Vec::new()
        },
    })
}

fn nearly_a_setting(random: &mut Random) -> (String, String) {
    let encryption = [
        "Server-Side-Encryption",
        "server-side-encryption ",
        "\u{feff}server-side-encryption",
        "s3service.server-side-encryption",
    ];
    let (name, value) = match random.below(5) {
        2 => (
            random.of(&[
                "s3service.s3-endpoint",
                "S3Service.S3-Endpoint-HTTPS-Port",
                "storage-service.request-signature-version",
            ]),
            "443",
        ),
        0 => ("server_side_encryption_aws_kms_key_id", key(random)),
        1 => (
            "S3Service.HTTPS-only",
            random.of(&["true", "false", "true "]),
        ),
        _ => (
            random.of(&encryption),
            random.of(&["AWS_KMS", "AWS_KMS", "AES256"]),
        ),
    };
    (name.to_owned(), value.to_owned())
}

/// The first three change nothing.
const MORE_PASSWD: [&str; 11] = [
    "# b:x:2007:3000::/:/bin/sh",
    "  ",
    "other:x:2008:3000:,+ :/:/bin/sh",
    "+::::::",
    "  b:x:2007:3000::/:/bin/sh",
    "b:x:2007:3000",
    "b:x:2007:03000::/:/bin/sh",
    "c d:x:2009:3000::/:/bin/sh",
    "b:x:2007:3000::/:/bin/sh:",
    "b:x:2007:3000:\0:/:/bin/sh",
    "c:x:2000:3000::/:/bin/sh",
];

/// The first three change nothing.
const MORE_GROUP: [&str; 15] = [
    "#g:x:3002:a",
    "",
    "more:x:3003:a,b",
    "more:x:3000:a",
    "g:x:3004:b",
    "+:::",
    " h:x:3001:b",
    "h:x:03001:a",
    "more:x:3005: a",
    "more:x:3005:a\r",
    "more:x:3005:a,,b",
    "more:x:3005",
    "#more:x:3000:a,b",
    "  # more:x: 03001:b",
    "more:x:3005:\0",
];

fn more_lines(random: &mut Random, choices: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    while random.one_in(12) {
        lines.push(random.of(choices).to_owned());
    }
    lines
}

fn passwd(random: &mut Random) -> BTreeMap<String, u32> {
    let mut lines = BTreeMap::new();
    for name in ["a", "b"] {
        if !random.one_in(8) {
            let gid = [100, 100, 3000, 3001][random.below(4)];
            lines.insert(name.to_owned(), gid);
        }
    }
    lines
}

fn local_groups(random: &mut Random) -> BTreeMap<String, LocalGroup> {
    let mut lines = BTreeMap::new();
    for (name, gid) in [("g", 3000), ("h", 3001), ("other", 100)] {
        if !random.one_in(8) {
            let members = ["a", "b"].into_iter().filter(|_| random.percent(40));
            let members = members.map(str::to_owned).collect();
            lines.insert(name.to_owned(), LocalGroup { gid, members });
        }
    }
    lines
}

fn expectation(random: &mut Random) -> Expectation {
    let encryption = random.of(&["AWS_KMS", "AWS_KMS", "AWS_KMS", "AES256", "NONE"]);
    let mut keys = Vec::new();
    if encryption == "AWS_KMS" && random.percent(50) {
        keys.push(random.of(random.keys).to_owned());
        if random.one_in(4) {
            keys.push(random.of(&KEYS).to_owned());
        }
    }
    let scopes = [
        "system",
        "system",
        "user",
        "group",
        "global",
        "user a",
        "user b",
        "group g",
        "user nobody",
    ];
    let count = [0, 0, 0, 1, 1, 2][random.below(6)];
    let mut scopes: Vec<String> = (0..count).map(|_| random.of(&scopes).to_owned()).collect();
    let mut state = State::Present;
    if random.one_in(15) {
        state = State::Absent;
        keys.clear();
        scopes = vec!["system".to_owned()];
    }
    Expectation {
        encryption: encryption.to_owned(),
        keys,
        scopes,
        state,
    }
}
