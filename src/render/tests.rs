use super::*;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn sample(voucher_type: &str) -> Json {
    json!({"company":"深圳样例科技有限公司","ledger":"主账套","period":"2024-03","type":voucher_type,
        "number":"0001","date":"2024-03-05","currency":"CNY","attachments":2,
        "lines":[{"summary":"支付三月房租","account":"管理费用","subaccount":"房租","debit":"12000.00"},
                 {"summary":"冲回多计房租","account":"管理费用","subaccount":"房租","debit":"-200.00"},
                 {"summary":"支付三月房租","account":"银行存款","credit":"11800.00"}],
        "preparer":"张三","reviewer":null,"bookkeeper":"李四","cashier":"王五","extra":{}})
}

fn voucher(json: &Json) -> Voucher {
    Voucher::from_json(json.to_string().as_bytes()).unwrap()
}

fn template(voucher_type: &str) -> Template {
    Template::from_toml(Template::builtin(voucher_type).unwrap()).unwrap()
}

fn mark() -> Mark {
    Mark {
        place: "/深圳样例科技有限公司/主账套/2024-03/payment/0001".to_owned(),
        digest: "0123456789abcdef".repeat(4),
    }
}

fn draw(voucher_type: &str, json: &Json) -> Drawing {
    let renderer = Renderer::new();
    renderer
        .draw(&template(voucher_type), &voucher(json), &mark())
        .unwrap()
}

fn field<'a>(drawing: &'a Drawing, name: &str) -> &'a FieldBox {
    let found = drawing.fields().iter().find(|field| field.name == name);
    found.unwrap_or_else(|| panic!("no field {name}"))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn a_renderer_is_shared_between_threads() {
    let renderer = Renderer::new();
    let draw = || {
        let voucher = voucher(&sample("payment"));
        renderer
            .draw(&template("payment"), &voucher, &mark())
            .unwrap()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(draw);
        assert_eq!(draw(), other.join().unwrap());
    });
}

#[test]
fn every_built_in_form_shows_every_value() {
    for voucher_type in Template::builtin_names() {
        let drawing = draw(voucher_type, &sample(voucher_type));
        assert_eq!(drawing.warnings(), [], "{voucher_type}");
        let total = match voucher_type {
            "journal" => "Eleven thousand eight hundred and 00/100 CNY",
            _ => "人民币壹万壹仟捌佰元整",
        };
        for (name, text) in [
            ("number", "0001"),
            ("company", "深圳样例科技有限公司"),
            ("ledger", "主账套"),
            ("attachments", "2"),
            ("preparer", "张三"),
            ("reviewer", ""),
            ("bookkeeper", "李四"),
            ("cashier", "王五"),
            ("lines[0].summary", "支付三月房租"),
            ("lines[2].account", "银行存款"),
            ("lines[0].subaccount", "房租"),
            ("lines[0].credit", ""),
            ("total.words", total),
        ] {
            assert_eq!(field(&drawing, name).text, text, "{voucher_type} {name}");
        }
    }
}

#[test]
fn fields_point_at_the_glyphs_that_draw_them() {
    let drawing = draw("payment", &sample("payment"));
    for field in drawing.fields() {
        let items = &drawing.pages()[field.page][field.items.clone()];
        let drawn: String = items
            .iter()
            .flat_map(|item| match item {
                Item::Glyphs(run) => run.glyphs.iter().map(|glyph| glyph.character).collect(),
                _ => Vec::new(),
            })
            .collect();
        assert_eq!(drawn, field.text, "{}", field.name);
    }
    assert_eq!(field(&drawing, "lines[1].debit").text, "-20000");
    assert_eq!(field(&drawing, "total.credit").text, "¥1180000");
}

#[test]
fn negative_amounts_are_red() {
    let drawing = draw("payment", &sample("payment"));
    let debit = field(&drawing, "lines[1].debit");
    let Item::Glyphs(run) = &drawing.pages()[0][debit.items.start] else {
        panic!("not text");
    };
    assert_eq!(run.colour, template("payment").inks.negative);
}

#[test]
fn a_missing_glyph_is_a_box_and_a_warning() {
    let mut json = sample("payment");
    json["preparer"] = json!("赵𠀀");
    let drawing = draw("payment", &json);
    let warning = "preparer: no typeface has U+20000, a box stands in for it";
    let [told] = drawing.warnings() else {
        panic!("{:?}", drawing.warnings());
    };
    assert_eq!(told.to_string(), warning);
    assert_eq!(told.for_log(), "preparer: a box stands in for a character");
    assert!(Renderer::new().pdf(&drawing, b"{}").is_ok());
}

#[test]
fn an_amount_beyond_the_grid_is_written_across_it() {
    let mut json = sample("payment");
    json["lines"] = json!([
        {"summary":"x","account":"y","debit":"1234567890.00"},
        {"summary":"x","account":"y","credit":"1234567890.00"}]);
    let drawing = draw("payment", &json);
    assert_eq!(field(&drawing, "lines[0].debit").text, "1,234,567,890.00");
    let warning = &drawing.warnings()[0];
    assert_eq!(
        (warning.field.as_str(), warning.shortfall),
        ("lines[0].debit", Shortfall::BeyondGrid)
    );
}

#[test]
fn two_hundred_lines_are_carried_from_page_to_page() {
    let mut json = sample("payment");
    let mut lines: Vec<Json> = (0..199)
        .map(|index| json!({"summary":format!("第{index}笔"),"account":"管理费用","debit":"1.00"}))
        .collect();
    lines.push(json!({"summary":"合付","account":"银行存款","credit":"199.00"}));
    json["lines"] = json!(lines);
    let drawing = draw("payment", &json);
    // Eight lines on the first page, seven on each of the others.
    assert_eq!(drawing.pages().len(), 1 + (200usize - 8).div_ceil(7));
    assert_eq!(drawing.warnings(), []);
    assert_eq!(field(&drawing, "carried_forward.debit").text, "¥800");
    assert_eq!(field(&drawing, "brought_forward.debit").text, "¥800");
    assert_eq!(
        field(&drawing, "total.debit").page,
        drawing.pages().len() - 1
    );
    assert_eq!(field(&drawing, "lines[199].credit").text, "19900");
    let renderer = Renderer::new();
    let pdf = renderer.pdf(&drawing, b"{}").unwrap();
    let png = renderer.png(&pdf, 100).unwrap();
    let height = u32::from_be_bytes([png[20], png[21], png[22], png[23]]);
    assert_eq!(height as usize, 551 * drawing.pages().len());
}

#[test]
fn the_pdf_says_that_it_is_an_archive_file() {
    let pdf = Renderer::new()
        .pdf(
            &draw("payment", &sample("payment")),
            b"{\"number\":\"0001\"}",
        )
        .unwrap();
    for text in [
        "<pdfaid:part>3</pdfaid:part>",
        "<pdfaid:conformance>B</pdfaid:conformance>",
        "/GTS_PDFA1",
        "/AFRelationship/Source",
        "/AFRelationship /Source",
        "voucher.json",
        "D:20240305000000Z",
        "/FontFile2",
    ] {
        let spaced = text.contains("AFRelationship");
        assert!(spaced || contains(&pdf, text), "{text}");
    }
    assert!(contains(&pdf, "/AFRelationship/Source") || contains(&pdf, "/AFRelationship /Source"));
    assert!(!contains(&pdf, "/Encrypt"));
}

#[test]
fn a_page_is_whole_pixels_and_the_picture_knows_its_size() {
    let renderer = Renderer::new();
    let pdf = renderer
        .pdf(&draw("payment", &sample("payment")), b"{}")
        .unwrap();
    for (dots, width, height) in [(100, 945, 551), (200, 1_890, 1_102), (300, 2_835, 1_653)] {
        let png = renderer.png(&pdf, dots).unwrap();
        let picture = image::load_from_memory(&png).unwrap();
        assert_eq!((picture.width(), picture.height()), (width, height));
        assert!(png.len() < 300_000, "{} bytes at {dots}", png.len());
    }
    let jpeg = image::load_from_memory(&renderer.jpeg(&pdf, 100).unwrap()).unwrap();
    assert_eq!((jpeg.width(), jpeg.height()), (945, 551));
    assert_eq!(
        renderer.png(&pdf, 1_000),
        Err(RenderError::Resolution(1_000))
    );
    assert!(matches!(
        renderer.png(b"not a PDF", 100),
        Err(RenderError::Picture(_))
    ));
}

#[test]
fn inks_arrive_in_the_picture_unchanged() {
    let renderer = Renderer::new();
    let template = template("payment");
    let pdf = renderer
        .pdf(&draw("payment", &sample("payment")), b"{}")
        .unwrap();
    let picture = image::load_from_memory(&renderer.png(&pdf, 200).unwrap())
        .unwrap()
        .to_rgb8();
    for colour in [
        template.inks.form,
        template.inks.value,
        template.inks.accent,
    ] {
        let wanted = image::Rgb([colour.red, colour.green, colour.blue]);
        let count = picture.pixels().filter(|pixel| **pixel == wanted).count();
        assert!(count > 500, "{colour:?}: {count} pixels");
    }
}

#[test]
fn a_logo_stands_in_its_box_as_it_was_drawn() {
    let logo = image::RgbaImage::from_fn(40, 20, |x, _| {
        // Red, and on the right half nothing.
        image::Rgba([255, 0, 0, if x < 20 { 255 } else { 0 }])
    });
    let mut png = Vec::new();
    let format = image::ImageFormat::Png;
    logo.write_to(&mut std::io::Cursor::new(&mut png), format)
        .unwrap();
    let text = format!(
        "{}\n[[pictures]]\nbox = [12.7, 120.65, 25.4, 25.4]\npng = \"{}\"\n",
        Template::builtin("payment")
            .unwrap()
            .replace("height = 140", "height = 150"),
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &png)
    );
    let renderer = Renderer::new();
    let template = Template::from_toml(&text).unwrap();
    let drawing = renderer
        .draw(&template, &voucher(&sample("payment")), &mark())
        .unwrap();
    let pdf = renderer.pdf(&drawing, b"{}").unwrap();
    let picture = image::load_from_memory(&renderer.png(&pdf, 100).unwrap()).unwrap();
    let pixel = |x, y| picture.to_rgb8().get_pixel(x, y).0;
    // An inch wide and half an inch high, in the middle of a square inch at half an inch and 4.75 inches.
    let (red, white) = ([255, 0, 0], [255, 255, 255]);
    for (x, y, expected) in [
        (52, 502, red),
        (98, 547, red),
        (102, 502, white),
        (148, 547, white),
        (52, 497, white),
    ] {
        assert_eq!(pixel(x, y), expected, "{x} {y}");
    }
}

/// Mean darkness, 0 to 255, of a box of the first page; `dots` is the picture's resolution.
fn darkness(picture: &image::GrayImage, dots: i32, x: i32, y: i32, width: i32, height: i32) -> f64 {
    let pixel = |units: i32| (units * dots / 7_200) as u32;
    let (mut sum, mut count) = (0.0, 0.0);
    for row in pixel(y)..pixel(y + height) {
        for column in pixel(x)..pixel(x + width) {
            sum += 255.0 - f64::from(picture.get_pixel(column, row).0[0]);
            count += 1.0;
        }
    }
    sum / count
}

/// A rasteriser once drew a closing bracket inverted at one resolution only.
#[test]
fn every_glyph_has_as_much_ink_at_200_as_at_300_dots_per_inch() {
    let renderer = Renderer::new();
    // With this heading hayro 0.9.0's glyph cache shows the fault.
    let text = Template::builtin("receivable").unwrap();
    let text = text.replace("应收（借方）", "应收金额（借方）");
    let template = Template::from_toml(&text).unwrap();
    let drawing = renderer
        .draw(&template, &voucher(&sample("receivable")), &mark())
        .unwrap();
    let pdf = renderer.pdf(&drawing, b"{}").unwrap();
    let picture = |dots| {
        let png = renderer.png(&pdf, dots).unwrap();
        image::load_from_memory(&png).unwrap().to_luma8()
    };
    let (coarse, fine) = (picture(200), picture(300));
    for item in &drawing.pages()[0] {
        let Item::Glyphs(run) = item else { continue };
        let top = run.baseline - run.size;
        for glyph in &run.glyphs {
            let ink =
                |picture, dots| darkness(picture, dots, glyph.x, top, run.size, run.size * 5 / 4);
            let (coarse, fine) = (ink(&coarse, 200), ink(&fine, 300));
            let character = glyph.character;
            assert!(
                (coarse - fine).abs() < 12.0,
                "{character}: {coarse} and {fine}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_voucher_is_drawn_within_its_pages(summary in "\\PC{1,80}", account in "[一-龥A-Za-z0-9 ]{1,40}",
                                             cents in 0u64..10u64.pow(17), lines in 1usize..30) {
        let amount = format!("{}.{:02}", cents / 100 / lines as u64, cents % 100);
        let mut json = sample("transfer");
        let mut all = Vec::new();
        for _ in 0..lines {
            all.push(json!({"summary":summary,"account":account,"debit":amount}));
            all.push(json!({"summary":account,"account":account,"credit":amount}));
        }
        json["lines"] = json!(all);
        let Ok(voucher) = Voucher::from_json(json.to_string().as_bytes()) else { return Ok(()) };
        let renderer = Renderer::new();
        let drawing = renderer.draw(&template("transfer"), &voucher, &mark()).unwrap();
        for item in drawing.pages().iter().flatten() {
            if let Item::Glyphs(run) = item {
                prop_assert!(run.baseline > 0 && run.baseline <= drawing.height().0);
                for glyph in &run.glyphs {
                    prop_assert!(glyph.id != 0 && glyph.x >= 0 && glyph.x <= drawing.width().0);
                }
            }
        }
        let pdf = renderer.pdf(&drawing, b"data");
        prop_assert!(pdf.is_ok(), "{:?}", pdf);
    }

    #[test]
    fn a_damaged_template_is_refused_or_drawn(at in any::<prop::sample::Index>(), digit in "[0-9]{1,2}") {
        let text = Template::builtin("transfer").unwrap();
        let numbers: Vec<usize> = text.char_indices().filter(|c| c.1.is_ascii_digit()).map(|c| c.0).collect();
        let at = numbers[at.index(numbers.len())];
        let damaged = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
        if let Ok(template) = Template::from_toml(&damaged) {
            let renderer = Renderer::new();
            let drawing = renderer.draw(&template, &voucher(&sample("transfer")), &mark()).unwrap();
            let pdf = renderer.pdf(&drawing, b"{}").unwrap();
            prop_assert!(renderer.png(&pdf, 50).is_ok());
        }
    }
}
