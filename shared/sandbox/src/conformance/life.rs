//! How sandboxes come to be, are found, and end.

use super::{Bench, exec, file, fresh, shell, soon, spec};
use koda_domain::{SandboxId, sandbox::SandboxError};
use std::time::Duration;

/// Creating twice for one session gives one sandbox, from anywhere.
pub async fn creating_twice_gives_one_sandbox(bench: Bench) {
    let spec = spec();
    let (a, b) = tokio::join!(bench.provider.create(&spec), bench.elsewhere.create(&spec));
    let (a, b) = (a.expect("first"), b.expect("second"));
    assert_eq!(a.id, b.id);
    bench.provider.destroy(&a.id).await.expect("destroyed");
}

/// A session's other sandboxes live beside its own, are told apart, and are not taken for doubles.
pub async fn a_session_has_a_sandbox_for_each_place(bench: Bench) {
    let spec = spec();
    let mut other = spec.clone();
    other.place = 1;
    let own = bench.provider.create(&spec).await.expect("its own");
    let helper = bench.provider.create(&other).await.expect("a helper");
    assert_ne!(own.id, helper.id);
    assert_eq!((own.place, helper.place), (0, 1));
    let again = bench.elsewhere.create(&other).await.expect("found again");
    assert_eq!(again.id, helper.id);
    bench.provider.sweep().await.expect("swept");
    let owned = bench.elsewhere.owned().await.expect("a list");
    for (id, place) in [(&own.id, 0), (&helper.id, 1)] {
        let mut found = owned.iter().filter(|it| it.id == *id);
        assert_eq!(found.next().map(|it| it.place), Some(place));
    }
    bench.provider.destroy(&helper.id).await.expect("destroyed");
    assert!(
        bench.provider.get(&own.id).await.is_ok(),
        "its own went too"
    );
    bench.provider.destroy(&own.id).await.expect("destroyed");
}

/// Owned sandboxes are listed from anywhere, live on when extended, and end when their time is over.
pub async fn life_is_extended_and_ends(bench: Bench) {
    let mut short = spec();
    short.life = Duration::from_secs(2);
    let id = bench.provider.create(&short).await.expect("a sandbox").id;
    let owned = bench.elsewhere.owned().await.expect("a list");
    assert!(
        owned
            .iter()
            .any(|s| s.id == id && s.session == short.session)
    );
    bench
        .elsewhere
        .extend(&id, Duration::from_secs(6))
        .await
        .expect("extended");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(
        bench.provider.get(&id).await.is_ok(),
        "it ended before its time"
    );
    soon("it outlived its time", async || {
        bench.provider.get(&id).await == Err(SandboxError::Gone)
    })
    .await;
    bench.provider.sweep().await.expect("swept");
    assert!(
        !bench
            .provider
            .owned()
            .await
            .expect("a list")
            .iter()
            .any(|s| s.id == id)
    );
}

/// A destroyed sandbox is gone for everybody; destroying it again succeeds.
pub async fn destroying_is_final(bench: Bench) {
    let id = fresh(&bench).await;
    bench
        .provider
        .spawn(&id, &exec("bg", &["sleep", "60"]))
        .await
        .expect("spawned");
    bench.elsewhere.destroy(&id).await.expect("destroyed");
    bench.provider.destroy(&id).await.expect("destroyed again");
    assert_eq!(bench.provider.get(&id).await, Err(SandboxError::Gone));
    assert!(matches!(
        bench.provider.exec(&id, &exec("x", &["true"])).await.err(),
        Some(SandboxError::Gone)
    ));
    assert_eq!(
        bench.provider.write(&id, vec![file("a", "b")]).await,
        Err(SandboxError::Gone)
    );
    assert_eq!(bench.provider.preview(&id).await, Err(SandboxError::Gone));
    let nobody = SandboxId("sbx-00000000000000000000000000".into());
    assert_eq!(bench.provider.get(&nobody).await, Err(SandboxError::Gone));
    bench
        .provider
        .destroy(&nobody)
        .await
        .expect("destroying nobody");
}

/// The page that is served inside is reached from outside.
pub async fn the_preview_is_reached(bench: Bench) {
    let id = fresh(&bench).await;
    let script =
        "require('http').createServer((q,s)=>s.end('seen '+q.url)).listen(process.env.KODA_PORT)";
    bench
        .provider
        .spawn(&id, &exec("preview", &["node", "-e", script]))
        .await
        .expect("spawned");
    let upstream = bench.elsewhere.preview(&id).await.expect("an upstream");
    soon("the preview was not reached", async || {
        let answer = (bench.visit)(upstream.clone(), "/a?b=1".into()).await;
        answer.is_ok_and(|answer| answer.contains("200 OK") && answer.ends_with("seen /a?b=1"))
    })
    .await;
    bench.provider.destroy(&id).await.expect("destroyed");
}

/// Sweeping leaves what lives alone.
pub async fn sweeping_spares_what_lives(bench: Bench) {
    let id = fresh(&bench).await;
    bench.elsewhere.sweep().await.expect("swept");
    assert_eq!(shell(&bench, &id, "echo alive").await, "alive\n");
    bench.provider.destroy(&id).await.expect("destroyed");
    bench.provider.sweep().await.expect("swept");
    assert_eq!(bench.elsewhere.sweep().await, Ok(0));
}
