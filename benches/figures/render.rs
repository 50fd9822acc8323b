use std::time::Instant;

use vouchsafe::render::{Mark, Renderer};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::Template;

use crate::server::voucher;

const ROUNDS: u32 = 60;

fn milliseconds(mut work: impl FnMut()) -> f64 {
    work();
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1e3 / f64::from(ROUNDS)
}

pub fn measure() {
    let start = Instant::now();
    let renderer = Renderer::new();
    println!(
        "render    reading the fonts   {:8.2} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let data = voucher("0001");
    let voucher = Voucher::from_json(&data).unwrap();
    let template = Template::from_toml(Template::builtin("payment").unwrap()).unwrap();
    let mark = Mark {
        place: "/acme/gl/2024-03/payment/0001".to_owned(),
        digest: "0".repeat(64),
    };
    let drawing = renderer.draw(&template, &voucher, &mark).unwrap();
    let pdf = renderer.pdf(&drawing, &data).unwrap();
    let png = renderer.png(&pdf, 200).unwrap();
    let draw = milliseconds(|| drop(renderer.draw(&template, &voucher, &mark).unwrap()));
    println!("render    display list        {draw:8.2} ms");
    let write = milliseconds(|| drop(renderer.pdf(&drawing, &data).unwrap()));
    println!(
        "render    PDF/A-3b            {write:8.2} ms   {} bytes",
        pdf.len()
    );
    let raster = milliseconds(|| drop(renderer.png(&pdf, 200).unwrap()));
    println!(
        "render    PNG at 200 dpi      {raster:8.2} ms   {} bytes",
        png.len()
    );
    let all = draw + write + raster;
    println!("render    one voucher in all  {all:8.2} ms");
}
