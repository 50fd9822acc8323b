//! Files as scanners write them.

use image::RgbImage;

/// In quality 85.
pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder
        .encode(
            picture.as_raw(),
            width,
            height,
            jpeg_encoder::ColorType::Rgb,
        )
        .unwrap();
    bytes
}

/// A PDF whose pages are pictures, as scanners make them.
pub fn pdf(pages: &[RgbImage]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    let mut object = |bytes: &mut Vec<u8>, body: Vec<u8>| {
        offsets.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", offsets.len()).into_bytes());
        bytes.extend(body);
        bytes.extend(b"\nendobj\n");
    };
    let kids: Vec<String> = (0..pages.len())
        .map(|page| format!("{} 0 R", 3 + 3 * page))
        .collect();
    object(&mut bytes, b"<< /Type /Catalog /Pages 2 0 R >>".to_vec());
    let tree = format!(
        "<< /Type /Pages /Kids [{}] /Count {} >>",
        kids.join(" "),
        pages.len()
    );
    object(&mut bytes, tree.into_bytes());
    for (index, page) in pages.iter().enumerate() {
        let (width, height) = (page.width() * 72 / 200, page.height() * 72 / 200);
        let (content, picture) = (4 + 3 * index, 5 + 3 * index);
        let leaf = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents {content} 0 R /Resources << /XObject << /P {picture} 0 R >> >> >>"
        );
        object(&mut bytes, leaf.into_bytes());
        let draw = format!("{width} 0 0 {height} 0 0 cm /P Do");
        object(
            &mut bytes,
            format!("<< /Length {} >>\nstream\n{draw}\nendstream", draw.len()).into_bytes(),
        );
        let pixels = jpeg(page);
        let mut body = format!("<< /Type /XObject /Subtype /Image /Width {} /Height {} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length {} >>\nstream\n", page.width(), page.height(), pixels.len()).into_bytes();
        body.extend(pixels);
        body.extend(b"\nendstream");
        object(&mut bytes, body);
    }
    let start = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).into_bytes());
    for offset in &offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").into_bytes());
    }
    bytes.extend(
        format!(
            "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
            offsets.len() + 1
        )
        .into_bytes(),
    );
    bytes
}
