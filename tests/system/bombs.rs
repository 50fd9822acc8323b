//! Files of a few kilobytes that ask for all memory, all time and all stack: they are refused, and nobody else waits.

use crate::anchors::file;
use crate::matching::{PLACE, image_set};
use crate::served::{Archive, run_expecting, voucher};

/// A PDF of these objects, the first of which is the catalogue.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(objects) {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend(format!("{number} 0 obj\n").into_bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let start = bytes.len();
    let end = format!(
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    );
    bytes.extend(table.into_bytes());
    bytes.extend(end.into_bytes());
    bytes
}

fn stream(head: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("<< {head} /Length {} >>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

/// A page whose content draws `/X`, which is object 5.
fn page_with(rest: Vec<Vec<u8>>) -> Vec<u8> {
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
        /Resources << /XObject << /X 5 0 R >> >> >>";
    let begun = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.as_bytes().to_vec(),
        stream("", b"q 595 0 0 842 0 0 cm /X Do Q"),
    ];
    pdf(&[&begun[..], &rest].concat())
}

/// Forms that draw the next one `times` times, `depth` deep: the last draws squares.
fn nested(depth: usize, times: usize) -> Vec<u8> {
    let form = |level: usize| {
        let next = 5 + level + 1;
        let head = format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 1 1] \
             /Resources << /XObject << /X {next} 0 R >> >>"
        );
        stream(
            &head,
            "q .9 0 0 .9 0 0 cm /X Do Q ".repeat(times).as_bytes(),
        )
    };
    let last = "/Type /XObject /Subtype /Form /BBox [0 0 1 1]";
    let mut forms: Vec<Vec<u8>> = (0..depth).map(form).collect();
    forms.push(stream(last, "0 0 1 1 re f ".repeat(9).as_bytes()));
    page_with(forms)
}

/// Forms that draw the next one twelve times and paint nothing: all they take is time.
fn endless() -> Vec<u8> {
    let form = |level: usize| {
        let next = 5 + level + 1;
        let head = format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 1 1] \
             /Resources << /XObject << /X {next} 0 R >> >>"
        );
        stream(&head, "/X Do ".repeat(12).as_bytes())
    };
    let mut forms: Vec<Vec<u8>> = (0..9).map(form).collect();
    forms.push(stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 1 1]",
        b" ",
    ));
    page_with(forms)
}

/// The bytes of a picture, all alike, as short as zlib can say it (RFC 1951, fixed codes): 13 bits for 258 bytes.
fn packed(length: u64) -> Vec<u8> {
    let (mut bytes, mut count) = (vec![0x78, 0x01], 0u32);
    let mut push = |bits: &str| {
        for bit in bits.bytes() {
            if count % 8 == 0 {
                bytes.push(0);
            }
            *bytes.last_mut().unwrap() |= (bit - b'0') << (count % 8);
            count += 1;
        }
    };
    // The last block, with fixed codes, and the byte 0x55; then all of it again and again.
    push("110");
    push("10000101");
    let times = length / 258;
    (0..times).for_each(|_| push("1100010100000"));
    push("0000000");
    let written = u128::from(1 + 258 * times);
    let low = (1 + 0x55 * written) % 65_521;
    let high = (written + 0x55 * written * (written + 1) / 2) % 65_521;
    bytes.extend(((high << 16 | low) as u32).to_be_bytes());
    bytes
}

/// A picture of 60,000 by 60,000 pixels.
fn huge() -> Vec<u8> {
    let head = "/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceGray \
        /BitsPerComponent 1 /Filter /FlateDecode";
    page_with(vec![stream(head, &packed(60_000 * 60_000 / 8))])
}

#[test]
fn what_asks_for_too_much_is_refused_by_the_command() {
    let work = tempfile::tempdir().unwrap();
    let files = ["voucher.json", "scan.pdf"].map(|name| work.path().join(name));
    let [data, scan] = files.each_ref().map(|file| file.to_str().unwrap());
    std::fs::write(data, voucher("acme/gl/2024-03/payment/0001", "1.00")).unwrap();
    for (bomb, status, what) in [
        (nested(9, 10), 2, "takes more than 1536 MiB of memory"),
        (huge(), 2, "takes more than 1536 MiB of memory"),
        (endless(), 2, "seconds"),
        // The decoder itself goes only so deep.
        (nested(20_000, 1), 4, "not found on the scan"),
    ] {
        std::fs::write(scan, &bomb).unwrap();
        let said = run_expecting(status, &["match", data, scan]);
        assert!(said.contains(what), "{said}");
    }
}

#[test]
fn a_bomb_in_an_inbox_is_said_and_stops_nobody() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let bomb = nested(9, 10);
    std::thread::scope(|scope| {
        let sent: Vec<_> = (0..2)
            .map(|number| {
                let (erp, bomb) = (served.client("erp"), &bomb);
                scope.spawn(move || erp.put(&format!("/dav/_inbox/{number}.pdf"), bomb))
            })
            .collect();
        file(&erp, "0001");
        for answer in sent {
            let answer = answer.join().unwrap();
            assert_eq!(answer.status, 201);
            let told = answer.json()["warnings"][0].to_string();
            assert!(told.contains("reading it takes more than"), "{told}");
        }
    });
    let unplaced = erp.get("/api/v1/unplaced").json();
    assert_eq!(unplaced.as_array().unwrap().len(), 2);
    // As the scan of a voucher it is for a person to look at.
    assert_eq!(
        erp.put(&format!("{PLACE}/0001/scan-1.pdf"), &bomb).status,
        201
    );
    assert_eq!(image_set(&served.client("ann"), "0001"), "unsure");
    let decided = erp.get(&format!("{PLACE}/0001/match.json")).json();
    let why = decided["report"]["reason"].as_str().unwrap();
    assert!(
        why.contains("scan-1.pdf: reading it takes more than"),
        "{why}"
    );
    drop(served);
    archive.assert_well();
}
