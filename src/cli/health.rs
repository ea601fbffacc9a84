//! `pusher-lite health`: asks the server of the same settings whether it is ready.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Outcome, output};
use crate::{config::Config, server::trusting_only};

/// Timeout for the whole exchange.
const PATIENCE: Duration = Duration::from_secs(5);

/// Maximum length of an answer, in bytes.
const ANSWER: u64 = 4096;

const QUESTION: &[u8] = b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

pub(super) async fn run(config: &Config) -> Outcome {
    let address = SocketAddr::new(reachable(config.listen.host), config.listen.port);
    let answer = timeout(PATIENCE, ask(config, address)).await.map_err(|_| format!("{address} does not answer"))??;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("{address} is not ready: it answers {status}").into());
    }
    // The exit code is the answer: a server that is ready is not restarted because of a full disk here.
    let _ = output::try_print(&format!("{address} is ready."));
    Ok(())
}

async fn ask(config: &Config, address: SocketAddr) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let unreachable = |error| format!("{address} cannot be reached: {error}");
    let stream = TcpStream::connect(address).await.map_err(unreachable)?;
    match &config.tls {
        None => Ok(exchange(stream).await.map_err(unreachable)?),
        Some(files) => {
            let connector = trusting_only(&files.certificate)?;
            let stream = connector.connect(address.ip().into(), stream).await.map_err(unreachable)?;
            Ok(exchange(stream).await.map_err(unreachable)?)
        }
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<String> {
    stream.write_all(QUESTION).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Returns the address that reaches a server that listens on `host` from the same machine.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}
