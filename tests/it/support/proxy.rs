//! A proxy before a Postgres server that can be told to stall, or to be gone.

use std::{io, path::PathBuf};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_postgres::config::Host;

/// Behavior of the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Passes everything on.
    Open,
    /// Takes what comes and passes nothing on, as a server that hangs, or a network that has lost its way.
    Stalled,
    /// Ends open connections, and new ones, immediately.
    Gone,
}

/// A proxy on a port of this machine.
pub(crate) struct Proxy {
    way: watch::Sender<Way>,
}

/// Address of the Postgres server of a URL.
#[derive(Debug, Clone)]
enum Upstream {
    Tcp(String, u16),
    Unix(PathBuf),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Proxy {
    /// A proxy that is open, before the server of this URL, and the URL of the same database through it.
    pub(crate) async fn before(url: &str) -> (Self, String) {
        let config: tokio_postgres::Config = url.parse().expect("the test's URL is right");
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let upstream = match &config.get_hosts()[0] {
            Host::Tcp(name) => Upstream::Tcp(name.clone(), port),
            Host::Unix(folder) => Upstream::Unix(folder.join(format!(".s.PGSQL.{port}"))),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, watched) = watch::channel(Way::Open);
        tokio::spawn(accept(listener, upstream, watched));
        let (_, rest) = url.split_once("://").unwrap();
        let (user, place) = rest.split_once('@').expect("the test's URL names its user");
        let (_, database) = place.split_once('/').expect("the test's URL names its database");
        (Self { way }, format!("postgres://{user}@{address}/{database}"))
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn accept(listener: TcpListener, upstream: Upstream, way: watch::Receiver<Way>) {
    while let Ok((client, _)) = listener.accept().await {
        if *way.borrow() != Way::Gone {
            tokio::spawn(serve(client, upstream.clone(), way.clone()));
        }
    }
}

async fn serve(client: TcpStream, upstream: Upstream, way: watch::Receiver<Way>) -> io::Result<()> {
    let server: Box<dyn Stream> = match upstream {
        Upstream::Tcp(name, port) => Box::new(TcpStream::connect((name, port)).await?),
        Upstream::Unix(path) => Box::new(UnixStream::connect(path).await?),
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = tokio::io::split(server);
    let mut gone = way.clone();
    tokio::select! {
        done = pass_on(from_client, to_server, way.clone()) => done,
        done = pass_on(from_server, to_client, way) => done,
        _ = gone.wait_for(|way| *way == Way::Gone) => Ok(()),
    }
}

async fn pass_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
) -> io::Result<()> {
    let mut buffer = [0; 8192];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 || way.wait_for(|way| *way == Way::Open).await.is_err() {
            return Ok(());
        }
        to.write_all(&buffer[..read]).await?;
    }
}
