//! `demo --exit`: the whole job over real HTTP, as each kind of user, a line per step.

mod client;
mod log;
mod matching;
mod people;
mod review;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use client::Walk;
use log::{exported, log_files, proof, proven, traces, verified};

use super::sample::{self, Person};
use super::{Failure, terminal};
use crate::archive::Records;

const COMPANY: &str = "深圳样例科技有限公司";
/// The same as [`COMPANY`] and the ledger, as they stand in URLs.
const BOOKS: &str = "%E6%B7%B1%E5%9C%B3%E6%A0%B7%E4%BE%8B%E7%A7%91%E6%8A%80%E6%9C%89%E9%99%90%E5%85%AC%E5%8F%B8/%E4%B8%BB%E8%B4%A6%E5%A5%97";

/// Why a step did not hold.
type Held = Result<(), String>;

fn check(held: bool, otherwise: impl Into<String>) -> Held {
    if held { Ok(()) } else { Err(otherwise.into()) }
}

/// Walks through everything; an error if any step did not hold.
pub fn walk(dir: &Path, address: SocketAddr, people: &[Person]) -> Result<(), Failure> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(60)))
        .build();
    let walk = Walk {
        agent: config.into(),
        address,
        people,
    };
    // A walk through the same archive again files under a number of its own.
    let size = Records::open_to_read(dir)?.size()?;
    let number = format!("W{size}");
    let place = format!("/dav/{BOOKS}/2024-03/payment/{number}");
    let mut failed = 0;
    let mut step = |who: &str, what: &str, held: Held| {
        let line = match held {
            Ok(()) => format!("ok      {who:<11} {what}"),
            Err(why) => {
                failed += 1;
                format!("FAILED  {who:<11} {what}: {why}")
            }
        };
        terminal::print_line(&line)
    };
    step("anybody", "the server says that it is ready", ready(&walk))?;
    step(
        "erp",
        "uploads a voucher; it is filed and drawn",
        upload(&walk, &place, &number),
    )?;
    step(
        "erp",
        "uploads it again: nothing new",
        again(&walk, &place, &number),
    )?;
    step(
        "erp",
        "uploads a correction: a new version, the old one kept",
        correct(&walk, &place, &number),
    )?;
    step(
        "erp",
        "an unbalanced voucher is refused, and the field named",
        unbalanced(&walk, &place, &number),
    )?;
    step(
        "erp",
        "drops voucher data in the inbox: it finds its place",
        inbox(&walk, &number),
    )?;
    step(
        "erp",
        "deleting what is filed is refused",
        delete(&walk, &place),
    )?;
    step(
        "ann viewer",
        "lists the voucher's folder",
        folder(&walk, &place),
    )?;
    step(
        "ann viewer",
        "reads the picture, a part of it, and not again what is known",
        picture(&walk, &place),
    )?;
    step("ann viewer", "reads the PDF", pdf(&walk, &place))?;
    step(
        "ann viewer",
        "sees nothing of the other company",
        hidden(&walk),
    )?;
    step(
        "ann viewer",
        "may not upload where she may look",
        read_only(&walk, &place, &number),
    )?;
    step(
        "ben auditor",
        "sees both companies and the scans",
        auditor(&walk),
    )?;
    step(
        "ann viewer",
        "sees that a scan shows what was filed, one shows another amount, and one is missing",
        matching::image_sets(&walk),
    )?;
    step(
        "rita review",
        "settles what she looked at, with a reason; others may not",
        matching::settled(&walk),
    )?;
    step(
        "rita review",
        "approves a voucher of her queue with her own signature; its sender may not",
        review::reviewed(&walk, &place, &number),
    )?;
    step(
        "ann viewer",
        "signs in on the page, and a page of another site cannot sign her in",
        people::session(&walk),
    )?;
    step(
        "ben auditor",
        "sees who looked at the voucher, and could prove who might have; ann may not",
        people::looked(&walk, &place),
    )?;
    step(
        "ben auditor",
        "checks the voucher's proof himself",
        proof(&walk, &place, dir),
    )?;
    step(
        "operator",
        "proves the voucher to somebody who sees nothing else of the log",
        proven(dir),
    )?;
    step(
        "cleo compl.",
        "reads the log's own files over HTTP, and an entry bundle",
        log_files(&walk),
    )?;
    step(
        "cleo compl.",
        "finds who looked, in the log",
        traces(&walk, dir),
    )?;
    step(
        "root admin",
        "sees users' templates, and no voucher",
        admin(&walk, &place),
    )?;
    step(
        "nobody",
        "is asked to sign in, whatever the path",
        nobody(&walk, &place),
    )?;
    step(
        "compliance",
        "the archive verifies while it is served",
        verified(dir),
    )?;
    step(
        "compliance",
        "an export verifies by itself, and a flipped bit in it is named",
        exported(dir),
    )?;
    if failed > 0 {
        return Err(Failure::No(format!("{failed} steps did not hold")));
    }
    terminal::print_line("every step held")
}

fn sample_voucher(number: &str, cents: u64) -> Value {
    let (_, ledger) = sample::COMPANIES[0];
    sample::voucher([COMPANY, ledger, "2024-03", "payment", number], cents)
}

fn ready(walk: &Walk<'_>) -> Held {
    walk.get("", "/healthz")?.expect(200).map(|_| ())
}

fn upload(walk: &Walk<'_>, place: &str, number: &str) -> Held {
    let voucher = sample_voucher(number, 500_000);
    walk.put("erp", &format!("{place}/voucher.json"), &voucher)?
        .expect(201)
        .map(|_| ())
}

fn again(walk: &Walk<'_>, place: &str, number: &str) -> Held {
    let voucher = sample_voucher(number, 500_000);
    walk.put("erp", &format!("{place}/voucher.json"), &voucher)?
        .expect(204)
        .map(|_| ())
}

fn correct(walk: &Walk<'_>, place: &str, number: &str) -> Held {
    let path = format!("{place}/voucher.json");
    walk.put("erp", &path, &sample_voucher(number, 600_000))?
        .expect(201)?;
    let new = walk.get("erp", &path)?.expect(200)?.text();
    check(new.contains("6000.00"), "the new version is not shown")?;
    let old = walk
        .get("erp", &format!("{path}?version=1"))?
        .expect(200)?
        .text();
    check(old.contains("5000.00"), "the old version is not kept")
}

fn unbalanced(walk: &Walk<'_>, place: &str, number: &str) -> Held {
    let mut voucher = sample_voucher(number, 700_000);
    voucher["lines"][0]["debit"] = "5600.01".into();
    let answer = walk
        .put("erp", &format!("{place}/voucher.json"), &voucher)?
        .expect(400)?;
    check(answer.json()?["field"] == "lines", "the field is not named")
}

fn inbox(walk: &Walk<'_>, number: &str) -> Held {
    let number = format!("{number}-inbox");
    let voucher = sample_voucher(&number, 800_000);
    walk.put("erp", &format!("/dav/_inbox/{number}.json"), &voucher)?
        .expect(201)?;
    let place = format!("/dav/{BOOKS}/2024-03/payment/{number}/voucher.pdf");
    walk.get("ann", &place)?.expect(200).map(|_| ())
}

fn delete(walk: &Walk<'_>, place: &str) -> Held {
    let path = format!("{place}/voucher.json");
    walk.ask("erp", "DELETE", &path, &[], b"")?.expect(403)?;
    walk.get("erp", &path)?.expect(200).map(|_| ())
}

fn folder(walk: &Walk<'_>, place: &str) -> Held {
    let listed = walk.list("ann", &format!("{place}/"))?;
    for name in [
        "voucher.json",
        "voucher.png",
        "voucher.pdf",
        "history.json",
        "proof.json",
        "voucher.tlog-proof",
    ] {
        check(
            listed.contains(&format!("/{name}</D:href>")),
            format!("{name} is not listed"),
        )?;
    }
    Ok(())
}

fn picture(walk: &Walk<'_>, place: &str) -> Held {
    let path = format!("{place}/voucher.png");
    let whole = walk.get("ann", &path)?.expect(200)?;
    check(whole.body.starts_with(b"\x89PNG"), "not a PNG")?;
    let part = walk
        .ask("ann", "GET", &path, &[("Range", "bytes=8-15")], b"")?
        .expect(206)?;
    check(
        whole.body.get(8..16) == Some(&part.body),
        "the part is not of the whole",
    )?;
    let known = [("If-None-Match", whole.etag.as_str())];
    walk.ask("ann", "GET", &path, &known, b"")?
        .expect(304)
        .map(|_| ())
}

fn pdf(walk: &Walk<'_>, place: &str) -> Held {
    let pdf = walk
        .get("ann", &format!("{place}/voucher.pdf"))?
        .expect(200)?;
    check(pdf.body.starts_with(b"%PDF-"), "not a PDF")
}

fn hidden(walk: &Walk<'_>) -> Held {
    let root = walk.list("ann", "/dav/")?;
    check(
        root.contains(COMPANY) || root.contains("%E6%B7%B1"),
        "her own company is not listed",
    )?;
    check(!root.contains("acme"), "the other company is listed")?;
    let there = walk
        .get("ann", "/dav/acme/gl/2024-03/payment/0001/voucher.json")?
        .expect(404)?;
    let never = walk
        .get("ann", "/dav/acme/gl/2024-03/payment/none/voucher.json")?
        .expect(404)?;
    check(
        there.body == never.body,
        "what is hidden is told from what is not there",
    )
}

fn read_only(walk: &Walk<'_>, place: &str, number: &str) -> Held {
    let voucher = sample_voucher(number, 900_000);
    walk.put("ann", &format!("{place}/voucher.json"), &voucher)?
        .expect(403)
        .map(|_| ())
}

fn auditor(walk: &Walk<'_>) -> Held {
    let root = walk.list("ben", "/dav/")?;
    check(
        root.contains("acme") && root.contains("%E6%B7%B1"),
        "a company is missing",
    )?;
    let scan = walk
        .get("ben", "/dav/acme/gl/2024-03/payment/0003/scan-1.jpg")?
        .expect(200)?;
    check(scan.body.starts_with(b"\xFF\xD8\xFF"), "not a JPEG")
}

fn admin(walk: &Walk<'_>, place: &str) -> Held {
    walk.get("root", "/dav/_templates/payment.toml")?
        .expect(200)?;
    walk.get("root", &format!("{place}/voucher.json"))?
        .expect(404)
        .map(|_| ())
}

fn nobody(walk: &Walk<'_>, place: &str) -> Held {
    walk.get("", &format!("{place}/voucher.json"))?
        .expect(401)?;
    let wrong = [("Authorization", "Basic YW5uOndyb25nLXBhc3N3b3Jk")];
    walk.ask("", "GET", "/dav/nowhere", &wrong, b"")?
        .expect(401)
        .map(|_| ())
}
