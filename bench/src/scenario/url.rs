//! Addresses on this machine.

pub(super) struct Url {
    pub(super) ip: [u8; 4],
    pub(super) port: u16,
    pub(super) host: String,
    pub(super) path: String,
}

pub(super) fn url(s: &str, scheme: &str) -> Result<Url, String> {
    let r = s.strip_prefix(scheme).ok_or(format!("{s}: must begin with {scheme}"))?;
    let (host, path) = r.find('/').map_or((r, "/"), |i| (&r[..i], &r[i..]));
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    let ip: std::net::Ipv4Addr = if name == "localhost" {
        std::net::Ipv4Addr::LOCALHOST
    } else {
        name.parse().map_err(|_| format!("{name}: not an IPv4 address"))?
    };
    if !ip.is_loopback() {
        return Err(format!("{ip}: loopback only"));
    }
    Ok(Url {
        ip: ip.octets(),
        port: port.parse().map_err(|_| format!("port {port}"))?,
        host: host.into(),
        path: path.into(),
    })
}
