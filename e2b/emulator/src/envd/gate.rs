//! The way to ports inside: a connection says which, is told whether anybody listens there, and then is that connection.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpStream, UnixListener, UnixStream},
    time::timeout,
};

/// How long a port's name and its connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn serve(listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(pass(stream));
    }
}

async fn pass(mut outside: UnixStream) -> Option<()> {
    let mut port = [0; 2];
    timeout(PATIENCE, outside.read_exact(&mut port))
        .await
        .ok()?
        .ok()?;
    let port = u16::from_be_bytes(port);
    let connecting = async {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => Ok(stream),
            Err(_) => TcpStream::connect(("::1", port)).await,
        }
    };
    let Ok(Ok(mut inside)) = timeout(PATIENCE, connecting).await else {
        return outside.write_all(&[0]).await.ok();
    };
    let _ = inside.set_nodelay(true);
    outside.write_all(&[1]).await.ok()?;
    copy_bidirectional(&mut outside, &mut inside).await.ok()?;
    Some(())
}
