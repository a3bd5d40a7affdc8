//! What configuration accepts, and how it refuses.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use koda_boot::config::{Config, ConfigError, document};

fn read(pairs: &[(&str, &str)], yaml: Option<&str>) -> Result<Config, Vec<ConfigError>> {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    Config::read(&pairs, yaml)
}

fn names(result: Result<Config, Vec<ConfigError>>) -> Vec<String> {
    result.unwrap_err().into_iter().map(|e| e.name).collect()
}

#[test]
fn nothing_needs_to_be_set() {
    let config = read(&[], None).unwrap();
    assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 3000));
    assert_eq!(config.limits.memory, 2 << 30);
}

#[test]
fn every_problem_is_told_at_once_by_name_and_never_by_value() {
    let result = read(
        &[
            ("PORT", "http-secret"),
            ("SANDBOX_MAX_MEMORY", "lots"),
            ("KODA_ALLOW_OPEN", "perhaps"),
        ],
        None,
    );
    let text: String = result
        .as_ref()
        .unwrap_err()
        .iter()
        .map(|e| format!("{e}\n"))
        .collect();
    let mut named = names(result);
    named.sort();
    assert_eq!(named, ["KODA_ALLOW_OPEN", "PORT", "SANDBOX_MAX_MEMORY"]);
    for value in ["http-secret", "lots", "perhaps"] {
        assert!(!text.contains(value), "{text}");
    }
}

#[test]
fn t55_a_misspelt_name_is_an_error_that_names_the_nearest() {
    let problems = read(&[("KODA_DATA_DRI", "/x")], None).unwrap_err();
    assert!(
        problems[0]
            .to_string()
            .contains("did you mean KODA_DATA_DIR?"),
        "{}",
        problems[0]
    );
    assert!(read(&[("KODAK", "x"), ("PATH", "/bin")], None).is_ok());
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let yaml =
        "version: 1\nserver:\n  port: 4000\n  host: ::1\nsandbox:\n  limits:\n    memory: ${MEM}\n";
    let config = read(&[("PORT", "5000"), ("MEM", "512m")], Some(yaml)).unwrap();
    assert_eq!(
        (config.port, config.host.as_str(), config.limits.memory),
        (5000, "::1", 512 << 20)
    );
}

#[test]
fn a_file_with_unknown_entries_or_missing_variables_is_refused() {
    assert_eq!(
        names(read(&[], Some("server:\n  prot: 1\n"))),
        ["koda.config.yaml"]
    );
    assert_eq!(
        names(read(&[], Some("server:\n  secret: ${NOT_SET}\n"))),
        ["koda.config.yaml"]
    );
    assert_eq!(names(read(&[], Some("server: [\n"))), ["koda.config.yaml"]);
}

#[test]
fn t55_a_secret_may_be_a_file_and_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "\u{feff}0123456789abcdef0123456789abcdef\n").unwrap();
    let path = path.to_str().unwrap();
    let config = read(&[("KODA_SECRET_FILE", path)], None).unwrap();
    assert_eq!(
        config.secret.as_ref().unwrap().expose(),
        "0123456789abcdef0123456789abcdef"
    );
    assert!(!format!("{config:?}").contains("0123456789"));
    assert_eq!(
        names(read(&[("KODA_SECRET_FILE", "/nowhere")], None)),
        ["KODA_SECRET_FILE"]
    );
    let both = read(
        &[
            ("KODA_SECRET", "0123456789abcdef0123456789abcdef"),
            ("KODA_SECRET_FILE", path),
        ],
        None,
    );
    assert_eq!(names(both), ["KODA_SECRET"]);
}

#[test]
fn listening_beyond_loopback_needs_a_word() {
    assert_eq!(
        names(read(&[("KODA_HOST", "0.0.0.0")], None)),
        ["KODA_HOST"]
    );
    assert!(
        read(
            &[("KODA_HOST", "0.0.0.0"), ("KODA_ALLOW_OPEN", "true")],
            None
        )
        .is_ok()
    );
}

#[test]
fn the_document_is_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFIGURATION.md");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, document()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        document(),
        "run `make api`"
    );
}

#[test]
fn sandboxes_are_at_e2b_where_there_is_a_key_and_nothing_else_is_said() {
    let read = |set: &[(&str, &str)]| {
        let set: Vec<_> = set
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Config::read(&set, None)
    };
    let key = ("E2B_API_KEY", "e2b_0123");
    let e2b = read(&[key, ("E2B_DOMAIN", "e2b.example.com"), ("E2B_DEBUG", "1")])
        .unwrap()
        .e2b
        .unwrap();
    assert_eq!(
        (e2b.api_key.expose(), e2b.domain.as_str()),
        (key.1, "e2b.example.com")
    );
    assert!(!format!("{e2b:?}").contains(key.1));
    assert!(read(&[]).unwrap().e2b.is_none());
    assert!(
        read(&[key, ("SANDBOX_PROVIDER", "local")])
            .unwrap()
            .e2b
            .is_none()
    );
    let problems = read(&[("SANDBOX_PROVIDER", "e2b")]).unwrap_err();
    assert!(problems[0].to_string().contains("E2B_API_KEY"));
}

#[test]
fn browsers_look_at_e2b_itself_where_koda_has_one_name_alone() {
    let preview_url = |set: &[(&str, &str)]| {
        let key = ("E2B_API_KEY", "e2b_0123");
        let set: Vec<_> = set
            .iter()
            .chain([&key])
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Config::read(&set, None).map(|config| config.e2b.unwrap().preview_url)
    };
    let public = ("KODA_PUBLIC_URL", "https://koda.example.com");
    let direct = Some("https://PORT-ID.e2b.app".to_owned());
    assert_eq!(preview_url(&[public]).unwrap(), direct);
    assert_eq!(
        preview_url(&[public, ("E2B_DOMAIN", "e2b.example.com")]).unwrap(),
        Some("https://PORT-ID.e2b.example.com".to_owned())
    );
    // Self-hosted: E2B's own domain is somebody else's.
    let problems = preview_url(&[public, ("E2B_API_URL", "https://api.e2b.example.com")]);
    assert!(problems.unwrap_err()[0].to_string().contains("E2B_DOMAIN"));
    // With a wildcard name, or on this machine, previews are proxied.
    let wildcard = ("KODA_PREVIEW_HOST", "preview.example.com");
    assert_eq!(preview_url(&[public, wildcard]).unwrap(), None);
    assert_eq!(preview_url(&[]).unwrap(), None);
    for here in [
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:3000",
    ] {
        assert_eq!(preview_url(&[("KODA_PUBLIC_URL", here)]).unwrap(), None);
    }
    let elsewhere = ("E2B_PREVIEW_URL", "http://PORT-ID.sandboxes.test:8080");
    assert_eq!(
        preview_url(&[wildcard, elsewhere]).unwrap().as_deref(),
        Some(elsewhere.1)
    );
    let problems = preview_url(&[("E2B_PREVIEW_URL", "https://previews.test")]).unwrap_err();
    assert!(problems[0].to_string().starts_with("E2B_PREVIEW_URL"));
}

#[test]
fn a_table_that_is_shared_needs_a_secret_and_files_that_are() {
    assert_eq!(
        names(read(&[("DYNAMODB_TABLE", "koda")], None)),
        ["KODA_SECRET", "S3_BUCKET"]
    );
    let secret = ("KODA_SECRET", "0123456789012345678901234567890123456789");
    let shared = [("DYNAMODB_TABLE", "koda"), ("S3_BUCKET", "files"), secret];
    let config = read(&shared, None).unwrap();
    assert_eq!(config.dynamo.unwrap().table, "koda");
    assert_eq!(config.bucket.unwrap().name, "files");
}

#[test]
fn a_bucket_at_r2_is_found_by_its_account() {
    let r2 = [
        ("R2_ACCOUNT_ID", "acc"),
        ("R2_ACCESS_KEY_ID", "key"),
        ("R2_SECRET_ACCESS_KEY", "secret"),
        ("R2_BUCKET_NAME", "files"),
    ];
    let bucket = read(&r2, None).unwrap().bucket.unwrap();
    assert_eq!(
        bucket.endpoint.as_deref(),
        Some("https://acc.r2.cloudflarestorage.com")
    );
    assert_eq!(names(read(&r2[1..], None)), ["R2_ACCOUNT_ID"]);
    let without = [r2[0], r2[1], r2[3]];
    assert!(names(read(&without, None)).contains(&"R2_SECRET_ACCESS_KEY".to_owned()));
}

#[test]
fn buckets_of_two_services_want_a_choice_and_addresses_a_scheme() {
    let both = [
        ("S3_BUCKET", "one"),
        ("R2_BUCKET_NAME", "two"),
        ("R2_ACCOUNT_ID", "acc"),
        ("R2_ACCESS_KEY_ID", "key"),
        ("R2_SECRET_ACCESS_KEY", "secret"),
    ];
    assert_eq!(names(read(&both, None)), ["STORAGE_PROVIDER"]);
    let bare = [("S3_BUCKET", "one"), ("S3_ENDPOINT", "minio:9000")];
    assert_eq!(names(read(&bare, None)), ["S3_ENDPOINT"]);
}
