//! The network between a function and a service: a proxy that holds bytes back by half a round trip each way.
//!
//! It runs on threads of its own, whose sleeps end within microseconds; the timers of Tokio count in milliseconds.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Listens until it is dropped; a connection lives as long as its two ends.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Proxy {
    /// Leads connections to `service`, a round trip away.
    pub(crate) fn start(service: SocketAddr, round_trip: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                // A connection that fails ends; the function reports its absence.
                let _ = client.and_then(|client| connect(&client, service, round_trip));
            }
        });
        Ok(Self { address, ended })
    }

    /// The address that it listens at.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, which looks at `ended`.
        let _ = TcpStream::connect(self.address);
    }
}

/// Two directions between a client and the service.
fn connect(client: &TcpStream, service: SocketAddr, round_trip: Duration) -> io::Result<()> {
    // Loopback has answered the handshake at once; on a network it takes a round trip.
    let open = Instant::now() + round_trip;
    let service = TcpStream::connect(service)?;
    for stream in [client, &service] {
        stream.set_nodelay(true)?;
    }
    let delay = round_trip / 2;
    for (from, to) in [(client, &service), (&service, client)] {
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || receive(from, &sender, open, delay));
        thread::spawn(move || deliver(to, &receiver));
    }
    Ok(())
}

/// Bytes, and when they are due at the other end; none at the end of the stream.
type Passing = (Instant, Vec<u8>);

fn receive(mut from: TcpStream, passing: &Sender<Passing>, open: Instant, delay: Duration) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // A connection that was reset ends as well.
        let read = from.read(&mut buffer).unwrap_or_default();
        let due = Instant::now().max(open) + delay;
        let bytes = buffer.get(..read).unwrap_or_default().to_vec();
        if passing.send((due, bytes)).is_err() || read == 0 {
            return;
        }
    }
}

fn deliver(mut to: TcpStream, passing: &Receiver<Passing>) {
    // The kernel adds up to 50 µs to a thread's sleeps otherwise.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(1);
    for (due, bytes) in passing {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if bytes.is_empty() || to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(10);

    /// A service that sends back each byte that it is sent.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                stream.set_nodelay(true).unwrap();
                let mut writer = stream.try_clone().unwrap();
                thread::spawn(move || io::copy(&mut stream, &mut writer));
            }
        });
        address
    }

    fn connect(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn ask(stream: &mut TcpStream) {
        stream.write_all(b"?").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }

    /// Tries many times: a busy machine may hold any attempt up.
    fn once(mut attempt: impl FnMut() -> bool) -> bool {
        (0..200).any(|_| attempt())
    }

    #[test]
    fn a_request_takes_a_round_trip_and_the_first_of_a_connection_two() {
        let proxy = Proxy::start(echo(), ROUND_TRIP).unwrap();
        let (mut fastest_first, mut fastest_second) = (Duration::MAX, Duration::MAX);
        assert!(once(|| {
            let begun = Instant::now();
            let mut stream = connect(&proxy);
            ask(&mut stream);
            let first = begun.elapsed();
            assert!(first >= 2 * ROUND_TRIP, "{first:?}");
            let begun = Instant::now();
            ask(&mut stream);
            let second = begun.elapsed();
            assert!(second >= ROUND_TRIP, "{second:?}");
            fastest_first = fastest_first.min(first);
            fastest_second = fastest_second.min(second);
            // Not a round trip more.
            fastest_first < 3 * ROUND_TRIP && fastest_second < 2 * ROUND_TRIP
        }));
    }

    #[test]
    fn what_is_sent_bit_by_bit_is_held_back_once() {
        let proxy = Proxy::start(echo(), ROUND_TRIP).unwrap();
        assert!(once(|| {
            let mut stream = connect(&proxy);
            ask(&mut stream);
            let begun = Instant::now();
            let mut writer = stream.try_clone().unwrap();
            // Far enough apart to be read one by one.
            let sender = thread::spawn(move || {
                for byte in 0..20 {
                    writer.write_all(&[byte]).unwrap();
                    thread::sleep(Duration::from_millis(1));
                }
            });
            let mut found = [0; 20];
            stream.read_exact(&mut found).unwrap();
            let taken = begun.elapsed();
            sender.join().unwrap();
            assert!(found.iter().copied().eq(0..20), "{found:?}");
            assert!(taken >= ROUND_TRIP, "{taken:?}");
            // Twenty halves of a round trip in a row would be 100 ms.
            taken < Duration::from_millis(60)
        }));
    }

    #[test]
    fn the_end_of_a_stream_passes_too() {
        let proxy = Proxy::start(echo(), Duration::ZERO).unwrap();
        let mut stream = connect(&proxy);
        stream.write_all(b"to the end").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut found = String::new();
        stream.read_to_string(&mut found).unwrap();
        assert_eq!(found, "to the end");
    }
}
