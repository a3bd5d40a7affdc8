//! Which crate may know which: the arrows of docs/ARCHITECTURE.md, read from the manifests.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// Normal dependencies of each of our crates, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .unwrap();
    let normal = |p: &cargo_metadata::Package| {
        let deps = p
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal);
        deps.map(|d| d.name.clone()).collect()
    };
    metadata
        .packages
        .iter()
        .map(|p| (p.name.to_string(), normal(p)))
        .collect()
}

fn forbid(from: &[&str], to: &[&str]) {
    let all = dependencies();
    for crate_name in from {
        let deps = all
            .get(*crate_name)
            .unwrap_or_else(|| panic!("{crate_name} is not in the workspace"));
        let wrong: Vec<_> = to.iter().filter(|name| deps.contains(**name)).collect();
        assert!(
            wrong.is_empty(),
            "{crate_name} must not depend on {wrong:?}"
        );
    }
}

const ADAPTERS: [&str; 4] = ["koda-model", "koda-sandbox", "koda-store", "koda-objects"];
const OUTSIDE: [&str; 6] = [
    "reqwest",
    "bollard",
    "rusqlite",
    "aws-sdk-dynamodb",
    "aws-sdk-s3",
    "lambda_http",
];

#[test]
fn the_domain_does_no_io() {
    forbid(
        &["koda-domain"],
        &[
            "tokio",
            "axum",
            "hyper",
            "rusqlite",
            "reqwest",
            "koda-agent",
            "koda-http",
        ],
    );
}

#[test]
fn the_agent_and_http_see_seams_and_no_adapter() {
    forbid(&["koda-agent", "koda-http"], &ADAPTERS);
    forbid(&["koda-agent", "koda-http"], &OUTSIDE);
    forbid(&["koda-agent"], &["axum", "koda-http", "koda-boot"]);
}

#[test]
fn adapters_see_neither_each_other_nor_axum() {
    forbid(&ADAPTERS, &["axum", "koda-agent", "koda-http", "koda-boot"]);
    for adapter in ADAPTERS {
        let others: Vec<_> = ADAPTERS
            .into_iter()
            .filter(|other| *other != adapter)
            .collect();
        forbid(&[adapter], &others);
    }
}

#[test]
fn only_boot_knows_adapters_and_only_functions_know_boot() {
    for (name, deps) in dependencies() {
        let knows = ADAPTERS.iter().any(|adapter| deps.contains(*adapter));
        assert!(!knows || name == "koda-boot", "{name} knows an adapter");
        let function = name == "koda-server" || name.starts_with("koda-function-");
        assert!(!deps.contains("koda-boot") || function, "{name} knows boot");
        assert!(!deps.contains("koda-testkit"), "{name} ships the test kit");
    }
}
