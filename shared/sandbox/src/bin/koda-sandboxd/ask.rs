//! Asking the supervisor from inside: one request, and its answers as lines on the standard output, as they come.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    process::ExitCode,
};

/// `ask SOCKET REQUEST`. Ends with 3 where no supervisor listens.
pub fn ask(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(socket), Some(request)) = (args.next(), args.next()) else {
        return ExitCode::from(2);
    };
    let Ok(mut stream) = UnixStream::connect(socket) else {
        eprintln!("koda-sandboxd does not run in this sandbox");
        return ExitCode::from(3);
    };
    let mut line = request.into_encoded_bytes();
    line.push(b'\n');
    match stream.write_all(&line).and_then(|()| pass_on(stream)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Passes on what comes, when it comes. The standard library's way to copy lets the kernel do it, which waits for more
/// than there is; and its standard output holds lines back.
fn pass_on(mut from: UnixStream) -> io::Result<()> {
    let mut out = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut piece = vec![0; 64 << 10];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(()),
            count => out.write_all(&piece[..count])?,
        }
    }
}
