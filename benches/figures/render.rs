use std::process::Command;
use std::time::Instant;

use vouchsafe::render::{Mark, Renderer};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::Template;

use crate::forms;
use crate::peer::peak_memory;
use crate::server::voucher;

const ROUNDS: u32 = 60;
const DOTS_PER_INCH: u32 = 200;

fn milliseconds(mut work: impl FnMut()) -> f64 {
    work();
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1e3 / f64::from(ROUNDS)
}

pub fn measure() {
    let data = voucher("0001");
    let voucher = Voucher::from_json(&data).unwrap();
    let template = Template::from_toml(Template::builtin("payment").unwrap()).unwrap();
    let mark = Mark {
        place: "/acme/gl/2024-03/payment/0001".to_owned(),
        digest: "0".repeat(64),
    };
    let start = Instant::now();
    let renderer = Renderer::new();
    let drawing = renderer.draw(&template, &voucher, &mark).unwrap();
    let pdf = renderer.pdf(&drawing, &data).unwrap();
    let png = renderer.png(&pdf, DOTS_PER_INCH).unwrap();
    let first = start.elapsed().as_secs_f64() * 1e3;
    let jpeg = renderer.jpeg(&pdf, DOTS_PER_INCH).unwrap();
    println!("render    first of a process  {first:8.2} ms");
    let draw = milliseconds(|| drop(renderer.draw(&template, &voucher, &mark).unwrap()));
    println!("render    display list        {draw:8.2} ms");
    let write = milliseconds(|| drop(renderer.pdf(&drawing, &data).unwrap()));
    let bytes = pdf.len();
    println!("render    PDF/A-3b            {write:8.2} ms   {bytes} bytes");
    let raster = milliseconds(|| drop(renderer.png(&pdf, DOTS_PER_INCH).unwrap()));
    let bytes = png.len();
    println!("render    PNG at 200 dpi      {raster:8.2} ms   {bytes} bytes");
    let lossy = milliseconds(|| drop(renderer.jpeg(&pdf, DOTS_PER_INCH).unwrap()));
    let bytes = jpeg.len();
    println!("render    JPEG at 200 dpi     {lossy:8.2} ms   {bytes} bytes");
    let all = draw + write + raster;
    println!("render    PDF + PNG in all    {all:8.2} ms");
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let drawing = renderer.draw(&template, &voucher, &mark).unwrap();
                    let pdf = renderer.pdf(&drawing, &data).unwrap();
                    drop(renderer.png(&pdf, DOTS_PER_INCH).unwrap());
                }
            });
        }
    });
    let each_second = f64::from(2 * ROUNDS) / start.elapsed().as_secs_f64();
    println!("render    on two cores        {each_second:8.0} vouchers a second, PDF + PNG");
    let memory = peak_memory(std::process::id()).unwrap() as f64 / 1e6;
    println!("render    peak memory         {memory:8.1} MB");
    let work = tempfile::tempdir().unwrap();
    forms::write(&drawing, work.path());
    peers(work.path(), all);
}

/// The same form by others, warm, in this run.
fn peers(work: &std::path::Path, ours: f64) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/draw.py");
    let python = std::env::var("PEERS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python)
        .arg(script)
        .arg(work)
        .args([DOTS_PER_INCH.to_string(), "30".to_owned()])
        .output()
        .expect("python3; `build/peers.sh` installs the peers");
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["memory", name, megabytes] = words[..] {
            println!("render    {name:19} {megabytes:>8} MB   peak memory");
        }
        let [name, pdf, png, pdf_bytes, png_bytes] = words[..] else {
            continue;
        };
        let all: f64 = pdf.parse::<f64>().unwrap() + png.parse::<f64>().unwrap();
        println!(
            "render    {name:19} {all:8.2} ms   PDF {pdf} ms {pdf_bytes} bytes, PNG {png} ms {png_bytes} bytes   \
             ratio {:.1}",
            all / ours
        );
    }
}
