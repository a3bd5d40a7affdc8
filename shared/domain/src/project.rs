//! Projects: canvas documents with revisions.

use crate::{ProjectId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A canvas document. The server keeps it whole and checks its shape; its meaning is the canvas's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// Its name.
    pub id: ProjectId,
    /// Whose it is.
    #[serde(skip_serializing, default = "TenantId::single")]
    #[schema(ignore)]
    pub tenant: TenantId,
    /// As shown on the dashboard.
    pub name: String,
    /// Grows by one with every write; a write names the revision that it is based on.
    pub revision: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last written.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Nodes, edges and viewport.
    pub document: Document,
}

/// What is on a canvas.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Version of the document's shape; 1.
    pub schema: u32,
    /// In drawing order.
    pub nodes: Vec<Node>,
    /// Connections.
    pub edges: Vec<Edge>,
    /// What is in view.
    pub viewport: Viewport,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Unique in the document; letters, digits, `_` and `-`, at most 64.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: NodeKind,
    /// Canvas units from the left.
    pub x: f64,
    /// Canvas units from the top.
    pub y: f64,
    /// Canvas units, where resized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// Canvas units, where resized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<f64>,
    /// By kind: `{session_id}` of an animation, `{text}` of a text or a note (`{color}` too), `{asset_id}` of media.
    #[schema(value_type = Object)]
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// Kinds of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NodeKind {
    /// A session. Ports: `prompt` and `media` in, `video` out.
    Animation,
    /// Words for a prompt. Port: `text` out.
    Text,
    /// An asset. Port: `media` out.
    Media,
    /// A remark; no ports.
    Note,
}

/// A connection between two ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Unique in the document.
    pub id: String,
    /// Node that gives.
    pub source: String,
    /// Its port: `text`, `media` or `video`.
    pub source_port: String,
    /// Node that takes.
    pub target: String,
    /// Its port: `prompt` or `media`.
    pub target_port: String,
}

/// What is in view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Viewport {
    /// Canvas units.
    pub x: f64,
    /// Canvas units.
    pub y: f64,
    /// 1 is life size.
    pub zoom: f64,
}

impl Default for Viewport {
    fn default() -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            zoom: 1.0,
        }
    }
}

impl NodeKind {
    /// What kind of value leaves this port, if there is such a port.
    fn gives(self, port: &str) -> Option<&'static str> {
        match (self, port) {
            (Self::Text, "text") => Some("text"),
            (Self::Media, "media") => Some("media"),
            (Self::Animation, "video") => Some("media"),
            _ => None,
        }
    }

    /// What kind of value this port takes, if there is such a port.
    fn takes(self, port: &str) -> Option<&'static str> {
        match (self, port) {
            (Self::Animation, "prompt") => Some("text"),
            (Self::Animation, "media") => Some("media"),
            _ => None,
        }
    }
}

impl Document {
    /// The newest shape of a document that is understood.
    pub const SCHEMA: u32 = 1;
    /// The most nodes of a document.
    pub const MAX_NODES: usize = 5_000;

    /// The first rule that the document breaks, as a sentence.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        if self.nodes.len() > Self::MAX_NODES || self.edges.len() > 2 * Self::MAX_NODES {
            return Some("A canvas holds at most 5000 nodes and 10000 connections.".into());
        }
        if self.schema > Self::SCHEMA {
            return Some(format!(
                "The document is of shape {}, and this server knows {} at most; update Koda.",
                self.schema,
                Self::SCHEMA
            ));
        }
        let Viewport { x, y, zoom } = self.viewport;
        if !is_place(x) || !is_place(y) || !(0.01..=100.0).contains(&zoom) {
            return Some("The viewport must be within 10 million units of the origin, with a zoom of 0.01 to 100.".into());
        }
        let mut kinds = std::collections::HashMap::new();
        for node in &self.nodes {
            if !is_name(&node.id) || kinds.insert(node.id.as_str(), node.kind).is_some() {
                return Some(format!(
                    "Node id {:?} is used twice or is not a plain name.",
                    node.id
                ));
            }
            if !is_place(node.x) || !is_place(node.y) {
                return Some(format!(
                    "Node {} is not within 10 million units of the origin.",
                    node.id
                ));
            }
            let sides = [node.width, node.height];
            if sides
                .iter()
                .flatten()
                .any(|side| !(1.0..=100_000.0).contains(side))
            {
                return Some(format!(
                    "Node {} must be 1 to 100000 units wide and high.",
                    node.id
                ));
            }
        }
        let mut edges = std::collections::HashSet::new();
        let mut joined = std::collections::HashSet::new();
        for edge in &self.edges {
            if !is_name(&edge.id) || !edges.insert(edge.id.as_str()) {
                return Some(format!(
                    "Edge id {:?} is used twice or is not a plain name.",
                    edge.id
                ));
            }
            if let Some(end) = [&edge.source, &edge.target]
                .into_iter()
                .find(|end| !kinds.contains_key(end.as_str()))
            {
                return Some(format!(
                    "Edge {} names node {end:?}, which is not there.",
                    edge.id
                ));
            }
            if edge.source == edge.target {
                return Some(format!("Edge {} joins a node to itself.", edge.id));
            }
            let ends = [
                &edge.source,
                &edge.source_port,
                &edge.target,
                &edge.target_port,
            ];
            if !joined.insert(ends) {
                return Some(format!("Edge {} repeats another.", edge.id));
            }
            let gives = kinds
                .get(edge.source.as_str())
                .and_then(|k| k.gives(&edge.source_port));
            let takes = kinds
                .get(edge.target.as_str())
                .and_then(|k| k.takes(&edge.target_port));
            match (gives, takes) {
                (Some(gives), Some(takes)) if gives == takes => {}
                (Some(gives), Some(takes)) => {
                    return Some(format!(
                        "Edge {} joins a {gives} output to a {takes} input; connect it to a {gives} input.",
                        edge.id
                    ));
                }
                _ => return Some(format!("Edge {} joins ports that do not exist.", edge.id)),
            }
        }
        None
    }
}

/// Whether a canvas reaches there.
fn is_place(coordinate: f64) -> bool {
    coordinate.abs() <= 1e7
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
