//! Files that say which function has which route, held against the routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

use koda_http::{Code, MOUNTS, Mount, routes_of};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

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

/// The longest that API Gateway waits for an answer that it passes on as a whole.
const BUFFERED: Duration = Duration::from_secs(29);

/// How API Gateway reaches a function: by name, so that the API needs no function to be there first. The address of the API is in
/// that of the distribution, which is in the configuration of every function.
fn integration(mount: &Mount) -> Value {
    let (date, how, timeout) = if mount.stream {
        (
            "2021-11-15",
            "response-streaming-invocations",
            mount.timeout,
        )
    } else {
        ("2015-03-31", "invocations", mount.timeout.min(BUFFERED))
    };
    let function = format!(
        "arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:${{AWS::StackName}}-{}",
        mount.name
    );
    let uri = format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/{date}/functions/{function}/{how}"
    );
    let transfer = if mount.stream { "STREAM" } else { "BUFFERED" };
    json!({
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": { "Fn::Sub": uri },
        "responseTransferMode": transfer,
        "timeoutInMillis": u64::try_from(timeout.as_millis()).unwrap(),
    })
}

/// An answer of API Gateway's own, in the words of the API.
fn answer(code: Code, message: &str) -> Value {
    let name: &str = code.into();
    let body = format!(
        "{{\"error\":{{\"code\":\"{name}\",\"message\":\"{message}\",\"request_id\":\"$context.requestId\"}}}}"
    );
    let mut headers = json!({ "gatewayresponse.header.Cache-Control": "'no-store'" });
    if matches!(code, Code::RateLimited | Code::Unavailable) {
        headers["gatewayresponse.header.Retry-After"] = json!("'2'");
    }
    json!({
        "statusCode": code.status().as_u16(),
        "responseTemplates": { "application/json": body },
        "responseParameters": headers,
    })
}

/// What API Gateway is told: every route, as OpenAPI with its extensions.
fn gateway() -> String {
    let mut paths: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for mount in MOUNTS {
        for (method, path) in routes_of(mount) {
            // The rest of a path is `{*path}` to axum and `{path+}` to API Gateway.
            let path = match path.split_once("{*") {
                Some((before, name)) => format!("{before}{{{}", name.replace('}', "+}")),
                None => path,
            };
            let names = path
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split_once('}'));
            let parameters: Vec<_> = names
                .map(|(name, _)| json!({ "name": name.trim_end_matches('+'), "in": "path", "required": true, "schema": { "type": "string" } }))
                .collect();
            let route = json!({
                "parameters": parameters,
                "responses": { "default": { "description": "as the function says" } },
                "x-amazon-apigateway-integration": integration(mount),
            });
            let methods = paths.entry(path).or_default();
            methods.insert(method.to_ascii_lowercase(), route);
        }
    }
    let later = "This is not available now; try again in a moment.";
    let document = json!({
        "openapi": "3.0.1",
        "info": { "title": "Koda", "version": "1" },
        // Bodies go both ways as they are: a function's answer that is not text comes in base64, and is decoded for these alone.
        "x-amazon-apigateway-binary-media-types": ["*/*"],
        "x-amazon-apigateway-gateway-responses": {
            "ACCESS_DENIED": answer(Code::Forbidden, "Koda is reached by its own address alone."),
            "DEFAULT_4XX": answer(Code::BadRequest, "This request cannot be understood."),
            "DEFAULT_5XX": answer(Code::Unavailable, later),
            "INTEGRATION_TIMEOUT": answer(Code::Unavailable, later),
            "MISSING_AUTHENTICATION_TOKEN": answer(Code::NotFound, "There is nothing here. It may have been deleted."),
            "REQUEST_TOO_LARGE": answer(Code::TooLarge, "The body is too large; upload large things as assets."),
            "THROTTLED": answer(Code::RateLimited, "Too many requests; try again in a moment."),
        },
        "paths": paths,
    });
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

fn compare(name: &str, made: &str) {
    let file = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(kept, made, "{name}: run `make api`");
}

#[test]
fn cargo_lambda_watch_knows_every_route() {
    compare("infra/dev/watch.toml", &watch());
}

#[test]
fn api_gateway_knows_every_route() {
    compare("infra/aws/api.json", &gateway());
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
