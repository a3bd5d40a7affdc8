//! Files that say which function has which route, held against the routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use koda_http::{MOUNTS, routes_of};
use std::{collections::BTreeMap, fmt::Write as _};

/// What `cargo lambda watch` is told.
fn watch() -> String {
    let mut paths: BTreeMap<String, Vec<(String, &str)>> = BTreeMap::new();
    for mount in MOUNTS {
        for (method, path) in routes_of(mount) {
            paths.entry(path).or_default().push((method, mount.name));
        }
    }
    let mut text = String::from(
        "# Which function answers what under `cargo lambda watch`. Made from the routes by `make api`; a test compares.\n\n[watch.router]\n",
    );
    for (path, methods) in paths {
        let routes: Vec<_> = methods
            .iter()
            .map(|(method, function)| {
                format!("{{ function = \"{function}\", method = \"{method}\" }}")
            })
            .collect();
        let _ = writeln!(text, "\"{path}\" = [{}]", routes.join(", "));
    }
    text
}

#[test]
fn cargo_lambda_watch_knows_every_route() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/dev/watch.toml");
    let made = watch();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(file, &made).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap();
    assert_eq!(kept, made, "run `make api`");
}

#[test]
fn no_two_functions_have_one_route() {
    let mut seen = BTreeMap::new();
    for mount in MOUNTS {
        for route in routes_of(mount) {
            let other = seen.insert(route.clone(), mount.name);
            assert_eq!(other, None, "{route:?} is also of {}", mount.name);
        }
    }
    assert!(seen.len() > 25, "{} routes", seen.len());
}
