//! Files of a few kilobytes that ask for all memory, all time and all stack: they are refused, and nobody else waits.

use crate::anchors::file;
use crate::matching::{PLACE, image_set};
use crate::served::{Archive, run, voucher};

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

/// A picture of 60,000 by 60,000 pixels. Run lengths of run lengths: each 0x81 0x81 stands for 128 times 0x81.
fn huge() -> Vec<u8> {
    let head = "/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB \
        /BitsPerComponent 8 /Filter [/RunLengthDecode /RunLengthDecode /RunLengthDecode /RunLengthDecode]";
    page_with(vec![stream(head, &[0x81; 1_024])])
}

#[test]
fn what_asks_for_too_much_is_refused_by_the_command() {
    let work = tempfile::tempdir().unwrap();
    let (data, scan) = (
        work.path().join("voucher.json"),
        work.path().join("scan.pdf"),
    );
    std::fs::write(&data, voucher("acme/gl/2024-03/payment/0001", "1.00")).unwrap();
    for (bomb, name) in [
        (nested(9, 10), "nested forms"),
        (nested(20_000, 1), "deep forms"),
        (huge(), "a huge picture"),
    ] {
        std::fs::write(&scan, &bomb).unwrap();
        let output = run(&["match", data.to_str().unwrap(), scan.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        println!(
            "{name}, {} bytes: {:?} {said}",
            bomb.len(),
            output.status.code()
        );
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains("the scan: "), "{name}: {said}");
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
