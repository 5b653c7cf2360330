//! A server on loopback that answers as a test wants: as S3 does, or as nothing of S3 does.

#![allow(dead_code, reason = "each test program uses its part of it")]

pub mod node;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use aspera_sse::utc::Utc;

/// The KMS key of the samples in the documentation.
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A running server. It ends when it goes out of scope.
pub struct Store {
    pub url: String,
    requests: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A request.
pub struct Asked {
    pub method: String,
    /// The path, not decoded.
    pub path: String,
    /// The query, not decoded.
    pub query: String,
    /// The lines of the header.
    pub header: Vec<String>,
}

/// What it sends.
pub enum Reply {
    /// These bytes, and the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes, then the same piece again and again.
    Endless(Vec<u8>, &'static [u8]),
    /// Nothing, for as long as the client waits.
    Silence,
}

impl Store {
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ends = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(AtomicUsize::new(0));
        let (has_ended, count, answer) =
            (Arc::clone(&ends), Arc::clone(&requests), Arc::new(answer));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if has_ended.load(Ordering::SeqCst) {
                    return;
                }
                let (count, answer) = (Arc::clone(&count), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    if let Some(asked) = read(&stream) {
                        count.fetch_add(1, Ordering::SeqCst);
                        send(&mut stream, answer(&asked));
                    }
                });
            }
        });
        Self {
            url,
            requests,
            ends,
            thread: Some(thread),
        }
    }

    /// Returns how many requests came.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // It waits for a connection.
        let address = self.url.strip_prefix("http://").unwrap();
        let woken = TcpStream::connect(address);
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            thread.join().unwrap();
        }
    }
}

/// An answer with a body, or for HEAD with its header alone.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut text = format!(
        "HTTP/1.1 {status} Any\r\nConnection: close\r\nDate: {}\r\nContent-Length: {}\r\n",
        now(),
        body.len()
    );
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    Reply::Bytes((text + "\r\n" + body).into_bytes())
}

/// An error of S3.
pub fn error(status: u16, code: &str) -> Reply {
    answer(
        status,
        &[],
        &format!("<Error><Code>{code}</Code><Message>DUMMY-SECRET</Message></Error>"),
    )
}

/// A page of a listing, with the times of its keys.
pub fn listing(keys: &[(&str, &str)], next: Option<&str>) -> Reply {
    let contents = keys.iter().map(|(key, time)| {
        format!("<Contents><Key>{key}</Key><LastModified>{time}</LastModified></Contents>")
    });
    let next = match next {
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
        Some(next) => format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>"
        ),
    };
    let body = format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>{next}{}</ListBucketResult>",
        contents.collect::<String>()
    );
    answer(200, &[], &body)
}

/// The description of an object.
pub fn object(time: &str, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("ETag", "\"e\""), ("Last-Modified", time)];
    all.extend(headers);
    answer(200, &all, "")
}

/// The bucket of the samples in the documentation.
pub fn acme() -> Store {
    Store::start(|asked| match (&*asked.method, &*asked.path) {
        ("GET", _) if asked.query.starts_with("encryption") => answer(
            200,
            &[],
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
        ),
        ("GET", _) if asked.query.starts_with("max-uploads") => {
            answer(200, &[], "<ListMultipartUploadsResult/>")
        }
        ("GET", "/info" | "/access_keys") => node::answer_of(
            asked,
            "4.4.6.1646",
            &[
                node::key(
                    "ak_acme",
                    node::in_s3("acme-media", Some("AWS_KMS"), Some(KEY)),
                ),
                node::key(
                    "ak_globex",
                    node::in_s3("globex-media", Some("AES256"), None),
                ),
                node::key("ak_initech", serde_json::Value::Null),
                node::key(
                    "ak_lab",
                    serde_json::json!({"type": "local", "path": "/data/lab"}),
                ),
            ],
        ),
        ("GET", _) if asked.query.contains("trial") => listing(&[], None),
        ("PUT", _) => answer(
            403,
            &[],
            "<Error><Code>AccessDenied</Code><Message>User: DUMMY-SECRET is not authorized to perform: kms:GenerateDataKey on it</Message></Error>",
        ),
        ("GET", _) => listing(
            &[
                ("2025/10/old.mxf", "2025-10-02T10:00:00.000Z"),
                ("2025/11/", "2025-11-20T10:00:00.000Z"),
                ("2025/11/a.mxf", "2025-11-20T10:00:00.000Z"),
                ("2025/11/b.mxf", "2025-11-21T11:30:00.000Z"),
                ("2025/11/c.mxf", "2025-11-19T09:00:00.000Z"),
            ],
            None,
        ),
        (_, path) if path.ends_with("a.mxf") => object(
            "Thu, 20 Nov 2025 10:00:00 GMT",
            &[
                ("x-amz-server-side-encryption", "aws:kms"),
                ("x-amz-server-side-encryption-aws-kms-key-id", KEY),
                ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
                ("x-amz-meta-aspera.transfer", "true"),
            ],
        ),
        (_, path) if path.ends_with("b.mxf") => object(
            "Fri, 21 Nov 2025 11:30:00 GMT",
            &[
                ("x-amz-server-side-encryption", "AES256"),
                ("x-amz-meta-aspera.transfer", "true"),
            ],
        ),
        _ => answer(403, &[], ""),
    })
}

fn now() -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let now = Utc::from(SystemTime::now());
    let month = MONTHS[usize::try_from(now.month).unwrap() - 1];
    // The client does not read the day of the week.
    format!(
        "Mon, {:02} {month} {} {:02}:{:02}:{:02} GMT",
        now.day, now.year, now.hour, now.minute, now.second
    )
}

fn read(stream: &TcpStream) -> Option<Asked> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Asked {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        header: lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .collect(),
    })
}

fn send(stream: &mut TcpStream, reply: Reply) {
    // The client may have gone.
    match reply {
        Reply::Bytes(bytes) => drop(stream.write_all(&bytes)),
        Reply::Endless(bytes, piece) => {
            let mut is_there = stream.write_all(&bytes).is_ok();
            while is_there {
                is_there = stream.write_all(piece).is_ok();
            }
        }
        Reply::Silence => {
            stream
                .set_read_timeout(Some(Duration::from_mins(1)))
                .unwrap();
            let _ = std::io::copy(stream, &mut std::io::sink());
        }
    }
}
