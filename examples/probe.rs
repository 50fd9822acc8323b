use vouchsafe::matching::*;
use vouchsafe::render::*;
use vouchsafe::voucher::{Voucher, template::Template};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let data = std::fs::read(&a[1]).unwrap();
    let v = Voucher::from_json(&data).unwrap();
    let renderer = Renderer::new();
    let t = Template::from_toml(Template::builtin(&v.voucher_type).unwrap()).unwrap();
    let place = format!("/{}/{}/{}/{}/{}", v.company, v.ledger, v.period, v.voucher_type, v.number);
    let d = renderer.draw(&t, &v, &Mark { place, digest: "0".repeat(64) }).unwrap();
    let pdf = renderer.pdf(&d, &data).unwrap();
    let time = std::time::Instant::now();
    let form = Form::new(&renderer, &d, &pdf).unwrap();
    eprintln!("form {:?}", time.elapsed());
    let reader = if std::env::var("NO_READER").is_ok() { None } else { Reader::load(std::path::Path::new("/root/.cache/vouchsafe/models")).ok() };
    eprintln!("reader {:?}", time.elapsed());
    let m = Matcher::new(reader, Thresholds::default());
    let scan = std::fs::read(&a[2]).unwrap();
    for _ in 0..std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(1) {
        let time = std::time::Instant::now();
        let c = m.compare(&form, &scan).unwrap();
        eprintln!("compare {:?} {:?} {}", time.elapsed(), c.report.verdict, c.report.reason);
        for f in c.report.fields.iter().filter(|f| f.verdict != Verdict::Match) {
            eprintln!("   {} {:?} {} / {} {:?} {}", f.name, f.verdict, f.expected, f.seen, f.votes, f.reason);
        }
    }
}
