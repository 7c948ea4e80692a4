//! Pages that show what the services of a workspace offer, and let people try it: OpenAPI, GraphiQL, messages.
//!
//! They stand beside the services, in `cargo xtask dev`, and not in them: what runs elsewhere has no page, no library of
//! a page and no port for them. One port of the loopback interface shows all services. Whoever asks must name it as this
//! machine does ([`guard`]), so that no site elsewhere reaches it through the browser. A page reaches its service below
//! `/services/NAME/api`: what comes there is passed on ([`tunnel`]), so the page has one origin and the service needs to
//! trust no other.
//!
//! Documents and libraries are files of the workspace, read when they are asked for.

mod answer;
mod guard;
mod head;
mod site;
mod tunnel;

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use answer::Answer;
use head::{Head, Unreadable};

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);
/// Connections at a time; one more is closed.
const MOST: usize = 256;

/// What the pages show.
#[derive(Clone, Debug)]
pub struct Site {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The system's name.
    pub name: &'static str,
    pub services: Vec<Service>,
}

/// A service that runs.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    pub name: &'static str,
    /// Where it listens on the loopback interface.
    pub port: u16,
    /// The files that describe it, from the workspace's root: `contracts/orders/openapi.json`.
    pub documents: &'static [&'static str],
}

/// A port of the loopback interface, taken for the pages.
#[derive(Debug)]
pub struct Pages(TcpListener);

impl Pages {
    /// Takes a port; 0 is a free one.
    ///
    /// # Errors
    /// It is not to be had.
    pub fn listen(port: u16) -> io::Result<Self> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(Self)
    }

    /// The port.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    /// Shows the site as long as the program runs.
    ///
    /// # Errors
    /// As for [`port`](Self::port).
    pub fn show(self, site: Site) -> io::Result<()> {
        let port = self.port()?;
        let (site, open) = (Arc::new(site), Arc::new(AtomicUsize::new(0)));
        thread::spawn(move || {
            for connection in self.0.incoming() {
                // It was gone before it was taken, or there are too many: the next one may go.
                let Ok(connection) = connection else {
                    thread::sleep(Duration::from_millis(10));
                    continue;
                };
                if open.fetch_add(1, Ordering::Relaxed) >= MOST {
                    open.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                let (site, open) = (site.clone(), open.clone());
                thread::spawn(move || {
                    // Who asked has gone: there is nobody to tell.
                    let _ = serve(&site, port, connection);
                    open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(())
    }
}

/// Answers one request, which is all that comes on a connection.
fn serve(site: &Site, port: u16, mut connection: TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(HEAD))?;
    let head = match Head::read(&mut connection) {
        Ok(head) => head,
        Err(Unreadable::Gone(error)) => return Err(error),
        Err(Unreadable::Wrong(status, why)) => return Answer::text(status, why).send(&mut connection, true),
    };
    let called = site.called(&head.target);
    if let Err(refused) = guard::admits(&head, port, called.is_some()) {
        return refused.send(&mut connection, true);
    }
    match called {
        Some((service, target)) => {
            connection.set_read_timeout(None)?;
            tunnel::pass(&head, service, target, connection)
        }
        None => site.answer(&head).send(&mut connection, head.method != "HEAD"),
    }
}
