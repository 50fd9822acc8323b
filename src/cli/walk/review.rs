//! The steps of a reviewer.

use serde_json::json;

use super::client::Walk;
use super::{Held, check};

/// Finds the voucher at `place` in rita's queue and has it approved with a reason, because no scan has come.
pub(super) fn reviewed(walk: &Walk<'_>, place: &str, number: &str) -> Held {
    let ending = format!("/payment/{number}");
    let waits = |who: &str| -> Result<bool, String> {
        let queue = walk.get(who, "/api/v1/queue")?.expect(200)?.json()?;
        let paths = queue["vouchers"].as_array().into_iter().flatten();
        let mut paths = paths.filter_map(|it| it["path"].as_str());
        Ok(paths.any(|path| path.ends_with(&ending)))
    };
    check(waits("rita")?, "it is not in her queue")?;
    check(
        !waits("ann")?,
        "it is in the queue of somebody who only looks",
    )?;
    let file = format!("{place}/review.json");
    let approved = json!({"decision": "approve", "comment": "the paper is in the safe"});
    walk.put("erp", &file, &approved)?.expect(403)?;
    walk.put("rita", &file, &json!({"decision": "approve"}))?
        .expect(400)?;
    walk.put("rita", &file, &approved)?.expect(201)?;
    check(!waits("rita")?, "it is still in her queue")?;
    let told = walk.get("ann", &file)?.expect(200)?.json()?;
    check(
        told["reviewer"] == "rita",
        format!("it is by {}", told["reviewer"]),
    )?;
    let note = walk.get("ann", &format!("{place}/review.note"))?;
    let note = note.expect(200)?.text();
    check(
        note.contains(&format!("{ending}\n")) && note.contains("\ndecision approve\n"),
        "another statement was signed",
    )
}
