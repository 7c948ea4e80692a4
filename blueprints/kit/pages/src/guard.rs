//! Who may ask: the pages themselves, and whoever opens them on this machine.
//!
//! A browser carries requests of any site to this machine. A site whose name is made to mean 127.0.0.1 (DNS rebinding) is
//! told by `Host`; a page of another origin by `Origin` (RFC 6454) and by what browsers say of where a request comes from
//! (W3C Fetch Metadata).

use crate::{answer::Answer, head::Head};

/// Refuses what does not come from here. `to_service`: what is asked for is behind the pages.
pub(crate) fn admits(head: &Head, port: u16, to_service: bool) -> Result<(), Answer> {
    let names = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let mut hosts = head.values("host");
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => names.iter().find(|name| name.as_bytes() == host),
        _ => None,
    };
    let Some(host) = host else {
        let why = format!("These pages are at http://{} and nowhere else.", names[0]);
        return Err(Answer::text("421 Misdirected Request", &why));
    };
    let own = format!("http://{host}");
    if head.values("origin").any(|origin| origin != own.as_bytes()) {
        return Err(Answer::text("403 Forbidden", "Pages of other origins have no business here."));
    }
    let is_from_here = head.values("sec-fetch-site").all(|site| site == b"same-origin" || site == b"none");
    // A link elsewhere may lead to a page. It may not call a service.
    let is_followed = !to_service && head.values("sec-fetch-mode").eq([b"navigate".as_slice()]);
    if !is_from_here && !is_followed {
        return Err(Answer::text("403 Forbidden", "This was asked for by a page of another origin."));
    }
    Ok(())
}
