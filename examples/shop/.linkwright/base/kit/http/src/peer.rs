//! Who is at the other end.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, header},
};

/// The address of the caller: of the other end of the connection or, if that is a proxy of ours, of the one that it says it
/// asks for (`Forwarded`, RFC 7239). What anybody else says there is not believed.
pub(crate) fn address(request: &Request, proxies: &[IpAddr]) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let peer = peer.ip().to_canonical();
    let said = proxies.contains(&peer).then(|| forwarded_for(request.headers())).flatten();
    Some(said.unwrap_or(peer))
}

/// What the nearest proxy says. Its element is the last one.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(header::FORWARDED).iter().next_back()?.to_str().ok()?.rsplit(',').next()?;
    let node = last.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })?;
    // `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`; else a word that names nobody.
    let address = match node.strip_prefix('[') {
        Some(node) => node.split(']').next().unwrap_or_default(),
        None => node.split(':').next().unwrap_or_default(),
    };
    address.parse().map(|address: IpAddr| address.to_canonical()).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_proxy_of_ours_is_believed_and_nobody_else() {
        let asked = |peer: &str, forwarded: &[&str]| {
            let mut request = Request::new(Body::empty());
            request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
            for value in forwarded {
                request.headers_mut().append(header::FORWARDED, value.parse().unwrap());
            }
            address(&request, &["10.0.0.1".parse().unwrap()]).unwrap().to_string()
        };
        for (peer, forwarded, expected) in [
            ("192.0.2.7:1", &[][..], "192.0.2.7"),
            ("192.0.2.7:1", &["for=192.0.2.9"], "192.0.2.7"),
            ("10.0.0.1:1", &[], "10.0.0.1"),
            ("10.0.0.1:1", &["for=192.0.2.9;host=\"a:1\";proto=http"], "192.0.2.9"),
            ("[::ffff:10.0.0.1]:1", &["proto=http; For=\"192.0.2.9:4711\""], "192.0.2.9"),
            ("10.0.0.1:1", &["for=192.0.2.8", "for=192.0.2.9"], "192.0.2.9"),
            ("10.0.0.1:1", &["for=192.0.2.8, for=\"[2001:db8::1]:80\""], "2001:db8::1"),
            ("10.0.0.1:1", &["for=unknown"], "10.0.0.1"),
            ("10.0.0.1:1", &["for=_hidden, by=_x"], "10.0.0.1"),
            ("10.0.0.1:1", &["for=\""], "10.0.0.1"),
        ] {
            assert_eq!(asked(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }
}
