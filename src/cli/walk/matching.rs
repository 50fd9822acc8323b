//! The steps about scans.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Walk;
use super::{BOOKS, COMPANY, Held, check};

/// How long the comparison of the sample's scans may take.
const MATCHING_MAX: Duration = Duration::from_secs(60);

/// The state of a voucher's pictures, once it is known.
fn image_set(walk: &Walk<'_>, who: &str, place: &str) -> Result<String, String> {
    let until = Instant::now() + MATCHING_MAX;
    loop {
        let history = walk
            .get(who, &format!("{place}/history.json"))?
            .expect(200)?
            .json()?;
        let state = history["image_set"].as_str().unwrap_or_default().to_owned();
        if state != "matching" || Instant::now() > until {
            return Ok(state);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

pub(super) fn image_sets(walk: &Walk<'_>) -> Held {
    let payments = format!("/dav/{BOOKS}/2024-03/payment");
    for (number, expected) in [
        ("0001", "complete"),
        ("0003", "mismatch"),
        ("0004", "awaiting-scan"),
    ] {
        let state = image_set(walk, "ann", &format!("{payments}/{number}"))?;
        check(
            state == expected,
            format!("{number} is {state}, not {expected}"),
        )?;
    }
    let report = walk
        .get("ann", &format!("{payments}/0003/match.json"))?
        .expect(200)?
        .json()?;
    let fields = report["report"]["fields"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let differs = |field: &Value| field["name"] == "total.debit" && field["verdict"] == "mismatch";
    check(
        fields.iter().any(differs),
        "match.json does not name the amount",
    )?;
    let picture = walk
        .get("ann", &format!("{payments}/0003/match.png"))?
        .expect(200)?;
    check(picture.body.starts_with(b"\x89PNG"), "match.png is no PNG")?;
    let listed = walk
        .get("ann", "/api/v1/image-sets?state=mismatch")?
        .expect(200)?
        .json()?;
    let listed = listed["vouchers"].as_array().cloned().unwrap_or_default();
    let of = |company: &str| {
        let path = format!("/{company}/");
        listed
            .iter()
            .filter(|it| it["path"].as_str().is_some_and(|it| it.starts_with(&path)))
            .count()
    };
    check(
        of(COMPANY) >= 1 && of("acme") == 0,
        "the list of mismatches is not what ann may see",
    )
}

pub(super) fn settled(walk: &Walk<'_>) -> Held {
    let place = "/dav/acme/gl/2024-03/payment/0002";
    image_set(walk, "ben", place)?;
    let file = format!("{place}/match.json");
    let overruled = json!({"verdict": "mismatch", "reason": "the seal is not ours"});
    walk.put("ben", &file, &overruled)?.expect(403)?;
    walk.put("rita", &file, &json!({"verdict": "mismatch"}))?
        .expect(400)?;
    walk.put("rita", &file, &overruled)?.expect(201)?;
    let state = image_set(walk, "ben", place)?;
    check(state == "mismatch", format!("it is {state}"))?;
    walk.put(
        "rita",
        &file,
        &json!({"verdict": "match", "reason": "it is, the new one"}),
    )?
    .expect(201)?;
    let history = walk
        .get("ben", &format!("{place}/history.json"))?
        .expect(200)?
        .json()?;
    let kept = history["matches"].as_array().map_or(0, Vec::len);
    check(
        kept >= 3 && history["image_set"] == "complete",
        "an earlier decision is gone",
    )
}
