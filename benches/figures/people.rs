//! What permissions, passwords and live queues cost.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use vouchsafe::access::Role;
use vouchsafe::archive::{Archive, system_clock};

use crate::listing::WANTED;
use crate::peer::requests_per_second;
use crate::server::{Filled, PASSWORD, Served, agent, authorization, grant, voucher};

/// Grants of the user whose listing is filtered.
const GRANTS: u32 = 1_000;
/// Listeners of the queue.
const LISTENERS: usize = 200;
/// Vouchers that they are told of.
const TOLD: usize = 20;

fn prepare(filled: &Filled) {
    let archive = Archive::open(&filled.archive(), system_clock(), &|_, _| {}).unwrap();
    for (name, role) in [("many", Role::Viewer), ("rita", Role::Reviewer)] {
        archive.add_user(name, PASSWORD).unwrap();
        if role == Role::Reviewer {
            archive.add_grant(name, grant(role, "/acme/")).unwrap();
        }
    }
    // Each has ten vouchers; together they have all, and each name is asked for.
    for tens in 0..GRANTS {
        let scope = format!("/acme/gl/2024-03/payment/{tens:05}*/");
        archive
            .add_grant("many", grant(Role::Viewer, &scope))
            .unwrap();
    }
}

fn listings(served: &Served, filled: &Filled) {
    let url = format!("{}/dav/acme/gl/2024-03/payment/", served.url);
    let rate = |who: &str| {
        let login = authorization(who);
        let headers = [("Depth", "1"), ("Authorization", login.as_str())];
        requests_per_second(filled.folder.path(), "PROPFIND", &url, &headers, WANTED, 8)
    };
    // In turns, so that the machine's moods fall on both.
    let rounds: Vec<(f64, f64)> = (0..3).map(|_| (rate("ann"), rate("many"))).collect();
    let all: f64 = rounds.iter().map(|it| it.0).sum::<f64>() / rounds.len() as f64;
    let filtered: f64 = rounds.iter().map(|it| it.1).sum::<f64>() / rounds.len() as f64;
    println!(
        "people    {} vouchers, one grant {all:6.1} /s, {GRANTS} grants {filtered:6.1} /s   time ratio {:.2}",
        filled.count,
        all / filtered
    );
}

fn passwords(served: &Served, filled: &Filled) {
    let url = format!("{}/api/v1/queue", served.url);
    let login = authorization("ann");
    let known = [("Authorization", login.as_str())];
    let rate = requests_per_second(filled.folder.path(), "GET", &url, &known, "", 64);
    let health = format!("{}/healthz", served.url);
    let without = requests_per_second(filled.folder.path(), "GET", &health, &[], "", 64);
    println!(
        "people    Basic authentication {rate:8.0} /s   nobody signs in {without:8.0} /s   ratio {:.2}",
        rate / without
    );
}

/// Listens as rita until it was told of `TOLD` vouchers; sends when it heard of each.
fn listen(address: String, heard: mpsc::Sender<(usize, Instant)>, ready: mpsc::Sender<()>) {
    let mut stream = TcpStream::connect(&address).unwrap();
    let login = authorization("rita");
    write!(
        stream,
        "GET /api/v1/queue/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: {login}\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.find(|line| line == "event: queue").unwrap();
    ready.send(()).unwrap();
    let mut waiting = lines.filter(|line| line.starts_with("data: ") && line.contains("/9"));
    for _ in 0..TOLD {
        let line = waiting.next().unwrap();
        let number = line.split("/9").nth(1).unwrap();
        let number: usize = number[..5].parse().unwrap();
        heard.send((number, Instant::now())).unwrap();
    }
}

fn queues(served: &Served) {
    let address = served.url.trim_start_matches("http://").to_owned();
    let ((heard, hearing), (ready, begun)) = (mpsc::channel(), mpsc::channel());
    for _ in 0..LISTENERS {
        let (address, heard, ready) = (address.clone(), heard.clone(), ready.clone());
        std::thread::spawn(move || listen(address, heard, ready));
    }
    for _ in 0..LISTENERS {
        begun.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    let agent = agent();
    let login = authorization("erp");
    let mut answered = Vec::new();
    for number in 0..TOLD {
        let number = format!("9{number:05}");
        let url = format!(
            "{}/dav/acme/gl/2024-03/payment/{number}/voucher.json",
            served.url
        );
        let request = agent.put(&url).header("Authorization", &login);
        assert_eq!(request.send(&voucher(&number)[..]).unwrap().status(), 201);
        answered.push(Instant::now());
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut delays: Vec<f64> = (0..LISTENERS * TOLD)
        .map(|_| {
            let (number, at) = hearing.recv_timeout(Duration::from_secs(60)).unwrap();
            at.saturating_duration_since(answered[number]).as_secs_f64() * 1_000.0
        })
        .collect();
    delays.sort_by(f64::total_cmp);
    println!(
        "people    queue events to {LISTENERS} listeners: half within {:.1} ms after the upload's answer, 99 % within {:.1}, all within {:.1}",
        delays[delays.len() / 2],
        delays[delays.len() * 99 / 100],
        delays[delays.len() - 1]
    );
}

pub fn measure(filled: &Filled) {
    prepare(filled);
    let served = Served::start(&filled.archive());
    let said = |after: &str| {
        let peak = served.peak_memory() as f64 / 1e6;
        println!("people    peak memory {peak:.1} MB after {after}");
    };
    listings(&served, filled);
    said("listings");
    passwords(&served, filled);
    said("signing in");
    queues(&served);
    said("events");
}
