//! Emulators of DynamoDB and S3 as processes of their own, which end with the test.
//!
//! `make test` builds them and says where they are by `AWS_EMULATORS_BIN` (the program of `infra/dev/aws`) and
//! `DYNAMODB_LOCAL_DIR` (the folder with AWS's own DynamoDB Local); by default they are below `target/aws`.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Access key and secret key that the emulators accept.
pub const KEYS: (&str, &str) = ("local", "local-secret");
/// The bucket that is there.
pub const BUCKET: &str = "koda";

/// Where emulators of this process listen.
#[derive(Debug)]
pub struct Emulators {
    /// DynamoDB, by dynoxide.
    pub dynamodb: String,
    /// S3, by s3s-fs.
    pub s3: String,
    // Its standard input ends with this process.
    _process: Child,
}

fn place(variable: &str, default: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../../target/aws")
                .join(default)
        },
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "{} is not there; `make emulators` builds what tests of the AWS adapters need",
        path.display()
    );
    path
}

/// The emulators, started when they are first asked for.
pub fn emulators() -> &'static Emulators {
    static RUNNING: OnceLock<Emulators> = OnceLock::new();
    RUNNING.get_or_init(|| {
        let mut process = Command::new(place("AWS_EMULATORS_BIN", "debug/aws-emulators"))
            .args(["--with-parent", "--bucket", BUCKET])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut next = |name: &str| {
            let line = said.next().expect("it says where it is").unwrap();
            line.strip_prefix(name).expect(name).trim().to_owned()
        };
        Emulators {
            dynamodb: next("dynamodb"),
            s3: next("s3"),
            _process: process,
        }
    })
}

/// Where AWS's own DynamoDB Local listens, started when it is first asked for.
pub fn dynamodb_local() -> &'static str {
    static RUNNING: OnceLock<(String, Child)> = OnceLock::new();
    let (url, _) = RUNNING.get_or_init(|| {
        let jars = place("DYNAMODB_LOCAL_DIR", "dynamodb-local");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .unwrap()
            .port();
        // It does not end by itself; the shell ends it when its own input does.
        let process = Command::new("sh")
            .args([
                "-c",
                "java \"$@\" >/dev/null 2>&1 & read -r _; kill $!",
                "sh",
            ])
            .arg("-cp")
            .arg(jars.join("*"))
            .arg(format!("-Djava.library.path={}", jars.display()))
            .arg("software.amazon.dynamodb.services.local.main.ServerRunner")
            .args(["-inMemory", "-disableTelemetry", "-port", &port.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "DynamoDB Local does not start"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        (format!("http://127.0.0.1:{port}"), process)
    });
    url
}
