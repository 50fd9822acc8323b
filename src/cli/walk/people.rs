//! The steps about signing in, and about who looked.

use serde_json::json;

use super::client::Walk;
use super::{Held, check};

/// Signs ann in as a page does.
pub(super) fn session(walk: &Walk<'_>) -> Held {
    let person = walk.people.iter().find(|person| person.name == "ann");
    let password = person.map_or("", |person| person.password.as_str());
    let body = json!({"name": "ann", "password": password}).to_string();
    let sign_in = |headers: &[(&str, &str)]| {
        walk.ask("", "POST", "/api/v1/session", headers, body.as_bytes())
    };
    sign_in(&[])?.expect(403)?;
    let who = sign_in(&[("x-vouchsafe-page", "1")])?.expect(200)?.json()?;
    check(
        who["name"] == "ann",
        format!("it is the session of {}", who["name"]),
    )?;
    let page = walk.get("", "/")?.expect(200)?.text();
    check(page.contains("/page/main.js"), "there is no page")
}

/// Has ben find in the traces that ann looked at the voucher at `place`.
pub(super) fn looked(walk: &Walk<'_>, place: &str) -> Held {
    let path = place.strip_prefix("/dav").unwrap_or(place);
    let asked = format!("/api/v1/traces?path={path}");
    walk.get("ann", &asked)?.expect(403)?;
    let told = walk.get("ben", &asked)?.expect(200)?.json()?;
    let traces = told["traces"].as_array().map_or(&[][..], Vec::as_slice);
    check(
        traces
            .iter()
            .any(|it| it["name"] == "ann" && it["file"] == "voucher.png"),
        "her look at the picture is not among the traces",
    )?;
    let access = walk.get("ben", &format!("/api/v1/access?path={path}"))?;
    let access = access.expect(200)?.json()?;
    let people = access["people"].as_array().map_or(&[][..], Vec::as_slice);
    let proofs = access["proofs"].as_array().map_or(0, Vec::len);
    check(
        people.iter().any(|it| it["name"] == "ann") && proofs > 0,
        "who could see it is not told with proofs",
    )
}
