//! Records that no item can hold.

use super::{Table, Wall, table_at};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use jiff::Timestamp;
use koda_domain::{
    TenantId,
    objects::{
        DownloadTerms, ObjectBody, ObjectError, ObjectKey, ObjectMeta, ObjectStore, SignedUrl,
        UploadTerms,
    },
    project::{Node, NodeKind, Project},
    store::SessionStore,
};
use koda_objects::LocalObjects;
use koda_store::DynamoStore;
use koda_testkit::{
    aws::{dynamodb_local, emulators},
    samples::{self, message},
};
use std::{ops::Range, sync::Arc};

/// Text that hardly gets smaller.
fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let letters = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + u8::try_from(state % 94).unwrap_or_default())
    });
    letters.take(bytes).collect()
}

fn project(text: &str) -> Project {
    let mut project = samples::project(&TenantId::single(), Timestamp::UNIX_EPOCH);
    project.document.nodes.push(Node {
        id: "n".into(),
        kind: NodeKind::Text,
        x: 0.0,
        y: 0.0,
        width: None,
        height: None,
        data: [("text".to_owned(), text.into())].into_iter().collect(),
    });
    project
}

fn files_in(folder: &std::path::Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        count += if path.is_dir() { files_in(&path) } else { 1 };
    }
    count
}

/// Objects that hold parts of records, with what describes each.
fn objects(table: &Table) -> usize {
    files_in(&table.objects)
}

async fn large_records_are_kept_elsewhere_and_go_with_their_record(table: Table) {
    let store = &table.store;
    let tenant = TenantId::single();
    let before = objects(&table);
    let mut project = project(&noise(900_000));
    store.create_project(&project).await.unwrap();
    assert_eq!(store.project(&tenant, project.id).await.unwrap(), project);
    assert!(objects(&table) > before);
    project.document.nodes[0].data.clear();
    store.update_project(&project, 1).await.unwrap();
    assert_eq!(
        objects(&table),
        before,
        "a part of the first revision stayed"
    );

    let mut head = samples::session(&project);
    store
        .create_session(&head, Timestamp::UNIX_EPOCH, &[])
        .await
        .unwrap();
    for seq in 1..=40 {
        let event = message(&noise(if seq % 20 == 0 { 700_000 } else { 2_000 }));
        let append = samples::append(&head, Timestamp::UNIX_EPOCH, None, vec![event]);
        head.seq = store.append(&append).await.unwrap();
        head.state = append.state;
    }
    // Two large events, and a saved state that has both.
    assert!(objects(&table) >= before + 3);
    assert_eq!(store.session_any(head.id).await.unwrap(), head);
    assert_eq!(store.events(head.id, 0, 100).await.unwrap().len(), 40);
    store.delete_project(&tenant, project.id).await.unwrap();
    assert_eq!(objects(&table), before, "a part of the log stayed");
}

#[tokio::test]
async fn large_records_by_the_emulator() {
    let table = table_at(&emulators().dynamodb).await;
    large_records_are_kept_elsewhere_and_go_with_their_record(table).await;
}

#[tokio::test]
async fn large_records_by_amazons_own() {
    let table = table_at(dynamodb_local()).await;
    large_records_are_kept_elsewhere_and_go_with_their_record(table).await;
}

/// A folder in which something happens before the first object is read.
struct Meanwhile {
    folder: LocalObjects,
    happens: tokio::sync::Mutex<Option<BoxFuture<'static, ()>>>,
}

#[async_trait]
impl ObjectStore for Meanwhile {
    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
    ) -> Result<ObjectBody, ObjectError> {
        if let Some(happens) = self.happens.lock().await.take() {
            happens.await;
        }
        self.folder.get(key, range).await
    }

    async fn put(&self, key: &ObjectKey, kind: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.folder.put(key, kind, bytes).await
    }

    async fn put_stream(
        &self,
        key: &ObjectKey,
        kind: &str,
        stream: BoxStream<'static, Result<Bytes, ObjectError>>,
    ) -> Result<ObjectMeta, ObjectError> {
        self.folder.put_stream(key, kind, stream).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, ObjectError> {
        self.folder.head(key).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        self.folder.delete(key).await
    }

    async fn presign_put(
        &self,
        key: &ObjectKey,
        terms: &UploadTerms,
    ) -> Result<SignedUrl, ObjectError> {
        self.folder.presign_put(key, terms).await
    }

    async fn presign_get(
        &self,
        key: &ObjectKey,
        terms: &DownloadTerms,
    ) -> Result<SignedUrl, ObjectError> {
        self.folder.presign_get(key, terms).await
    }

    async fn ready(&self) -> Result<(), ObjectError> {
        self.folder.ready().await
    }
}

#[tokio::test]
async fn a_record_that_is_replaced_while_it_is_read_is_read_whole() {
    let table = table_at(&emulators().dynamodb).await;
    let mut project = project(&noise(600_000));
    table.store.create_project(&project).await.unwrap();
    project.name = "Replaced".into();
    let (writer, replaced) = (table.store.clone(), project.clone());
    let happens = async move {
        writer.update_project(&replaced, 1).await.unwrap();
    };
    let folder = LocalObjects::new(table.objects.clone(), b"secret", Arc::new(Wall)).unwrap();
    let objects = Meanwhile {
        folder,
        happens: tokio::sync::Mutex::new(Some(happens.boxed())),
    };
    let reader = DynamoStore::new(table.client.clone(), &table.name, Arc::new(objects));
    let read = reader.project(&TenantId::single(), project.id).await;
    let read = read.unwrap();
    assert_eq!((read.revision, read.name.as_str()), (2, "Replaced"));
    assert_eq!(read.document, project.document);
}
