//! Who is at the other end.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, header},
};
use ipnet::IpNet;
use serde::Deserialize;

/// Where something is: an address, or a network in the notation of CIDR (RFC 4632, 3.1; RFC 4291, 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical().into())
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(address.into());
        }
        let network: IpNet = text
            .parse()
            .map_err(|_| format!("{text:?} is neither an address as \"10.0.0.1\" nor a network as \"10.0.0.0/8\""))?;
        if network.addr().to_canonical() != network.addr() {
            return Err(format!("{text:?} is a network of IPv4: write it as \"10.0.0.0/8\""));
        }
        match network.trunc() {
            whole if whole == network => Ok(Self(network)),
            // More than was meant would be believed, or less.
            whole => Err(format!("{text:?} is an address within a network: \"{}\" or \"{whole}\"", network.addr())),
        }
    }
}

/// The address of the caller: of the other end of the connection or, if that is a proxy of ours, of the one that it says it
/// asks for (`Forwarded`, RFC 7239). What anybody else says there is not believed.
pub(crate) fn address(request: &Request, proxies: &[Network]) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let peer = peer.ip().to_canonical();
    let is_ours = proxies.iter().any(|proxies| proxies.contains(peer));
    let said = is_ours.then(|| forwarded_for(request.headers())).flatten();
    Some(said.unwrap_or(peer))
}

/// What the nearest proxy says of a request in `Forwarded` (RFC 7239, 5): `for`, `host`, `proto`. Its element is the last one.
/// It is to be believed only of a proxy of ours.
pub fn forwarded<'h>(headers: &'h HeaderMap, parameter: &str) -> Option<&'h str> {
    let last = headers.get_all(header::FORWARDED).iter().next_back()?.to_str().ok()?.rsplit(',').next()?;
    last.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case(parameter).then(|| value.trim().trim_matches('"'))
    })
}

fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let node = forwarded(headers, "for")?;
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
            let proxies = ["10.0.0.1", "10.1.0.0/16", "2001:db8:7::/48"];
            let proxies = proxies.map(|text| Network::try_from(text.to_owned()).unwrap());
            address(&request, &proxies).unwrap().to_string()
        };
        for (peer, forwarded, expected) in [
            ("192.0.2.7:1", &[][..], "192.0.2.7"),
            ("192.0.2.7:1", &["for=192.0.2.9"], "192.0.2.7"),
            ("10.0.0.1:1", &[], "10.0.0.1"),
            ("10.0.0.1:1", &["for=192.0.2.9;host=\"a:1\";proto=http"], "192.0.2.9"),
            ("[::ffff:10.0.0.1]:1", &["proto=http; For=\"192.0.2.9:4711\""], "192.0.2.9"),
            ("10.0.0.2:1", &["for=192.0.2.9"], "10.0.0.2"),
            ("10.1.255.7:1", &["for=192.0.2.9"], "192.0.2.9"),
            ("[::ffff:10.1.0.7]:1", &["for=192.0.2.9"], "192.0.2.9"),
            ("10.2.0.0:1", &["for=192.0.2.9"], "10.2.0.0"),
            ("[2001:db8:7:1::1]:1", &["for=192.0.2.9"], "192.0.2.9"),
            ("[2001:db8:8::1]:1", &["for=192.0.2.9"], "2001:db8:8::1"),
            ("10.0.0.1:1", &["for=192.0.2.8", "for=192.0.2.9"], "192.0.2.9"),
            ("10.0.0.1:1", &["for=192.0.2.8, for=\"[2001:db8::1]:80\""], "2001:db8::1"),
            ("10.0.0.1:1", &["for=unknown"], "10.0.0.1"),
            ("10.0.0.1:1", &["for=_hidden, by=_x"], "10.0.0.1"),
            ("10.0.0.1:1", &["for=\""], "10.0.0.1"),
        ] {
            assert_eq!(asked(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_would_be_one() {
        for text in ["10.0.0.1", "::1", "::ffff:10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "192.0.2.7/32"] {
            assert!(Network::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for (text, due) in [
            ("10.0.0.1/8", "\"10.0.0.1\" or \"10.0.0.0/8\""),
            ("fd00::1/8", "\"fd00::1\" or \"fd00::/8\""),
            ("::ffff:10.0.0.0/104", "a network of IPv4"),
            ("10.0.0.0/33", "neither an address"),
            ("10.0.0.0/", "neither an address"),
            ("10.0/8", "neither an address"),
            ("balancer.example", "neither an address"),
            ("", "neither an address"),
        ] {
            let error = Network::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(due), "{error}");
        }
    }
}
