//! The sample archive: two companies, every voucher type, three periods, and people of every role.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vouchsafe_evidence::digest::{Digest, to_hex};

use super::{Failure, terminal};
use crate::access::{Grant, Permissions, Role, Scope};
use crate::archive::{
    Archive, ArchiveError, Caller, Condition, OPERATOR, make_aside, system_clock,
};
use crate::catalog::TreePath;
use crate::render::{Mark, Renderer};
use crate::voucher::Voucher;
use crate::voucher::template::Template;

pub const COMPANIES: [(&str, &str); 2] = [("深圳样例科技有限公司", "主账套"), ("acme", "gl")];
pub const PERIODS: [&str; 3] = ["2024-01", "2024-02", "2024-03"];
/// Vouchers of each type in each period.
const VOUCHERS: u64 = 4;
/// The file beside the sample archive that says who can sign in.
const USERS: &str = "demo-users.json";

/// Name, role and scope of everybody in the sample; the passwords are made anew each time.
const PEOPLE: [(&str, Role, &str); 6] = [
    ("erp", Role::Uploader, "/*/"),
    ("ann", Role::Viewer, "/深圳样例科技有限公司/*/2024-*/"),
    ("ben", Role::Auditor, "/*/"),
    ("rita", Role::Reviewer, "/*/"),
    ("cleo", Role::Compliance, "/"),
    ("root", Role::Admin, "/"),
];

/// Somebody who can sign in to the sample.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    pub role: String,
    pub scope: String,
    pub password: String,
}

/// One line of a sample voucher: summary, account, subaccount, side and share of the amount in percent.
type SampleLine = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    u64,
);

const TYPES: [(&str, &[SampleLine]); 7] = [
    (
        "receipt",
        &[
            ("收到货款", "银行存款", Some("工商银行"), "debit", 100),
            (
                "收到货款",
                "应收账款",
                Some("广州远航贸易有限公司"),
                "credit",
                100,
            ),
        ],
    ),
    (
        "payment",
        &[
            ("支付办公室房租", "管理费用", Some("房租"), "debit", 80),
            ("支付物业管理费", "管理费用", Some("物业费"), "debit", 20),
            (
                "支付房租及物业费",
                "银行存款",
                Some("工商银行"),
                "credit",
                100,
            ),
        ],
    ),
    (
        "transfer",
        &[
            ("计提本月折旧", "管理费用", Some("折旧费"), "debit", 60),
            ("计提本月折旧", "制造费用", Some("折旧费"), "debit", 40),
            ("计提本月折旧", "累计折旧", None, "credit", 100),
        ],
    ),
    (
        "receivable",
        &[
            (
                "销售商品",
                "应收账款",
                Some("上海新程科技有限公司"),
                "debit",
                113,
            ),
            ("销售商品", "主营业务收入", None, "credit", 100),
            ("销项税额", "应交税费", Some("应交增值税"), "credit", 13),
        ],
    ),
    (
        "payable",
        &[
            ("采购原材料", "原材料", Some("铝材"), "debit", 100),
            ("进项税额", "应交税费", Some("应交增值税"), "debit", 13),
            (
                "采购原材料",
                "应付账款",
                Some("佛山铝业有限公司"),
                "credit",
                113,
            ),
        ],
    ),
    (
        "general",
        &[
            ("报销差旅费", "管理费用", Some("差旅费"), "debit", 90),
            ("退回多借现金", "库存现金", None, "debit", 10),
            ("冲销差旅费借款", "其他应收款", Some("李喆"), "credit", 100),
        ],
    ),
    (
        "journal",
        &[
            ("Office rent", "Administration", Some("Rent"), "debit", 80),
            ("Cleaning", "Administration", Some("Services"), "debit", 20),
            (
                "Rent and cleaning",
                "Cash at bank",
                Some("Current account"),
                "credit",
                100,
            ),
        ],
    ),
];

/// Voucher data. `cents` is what 100 percent stands for.
pub fn voucher(place: [&str; 5], cents: u64) -> Value {
    let [company, ledger, period, voucher_type, number] = place;
    let lines = TYPES
        .iter()
        .find(|(name, _)| *name == voucher_type)
        .map_or(&[][..], |(_, lines)| lines);
    let lines: Vec<Value> = lines
        .iter()
        .map(|(summary, account, subaccount, side, percent)| {
            let cents = cents * percent / 100;
            let mut line = json!({"summary": summary, "account": account});
            if let Some(subaccount) = subaccount {
                line["subaccount"] = json!(subaccount);
            }
            line[side] = json!(format!("{}.{:02}", cents / 100, cents % 100));
            line
        })
        .collect();
    let day = 1 + cents % 27;
    let [preparer, bookkeeper, cashier] = if voucher_type == "journal" {
        ["Zoë Łaska", "Anna Müller", "Tom Reed"]
    } else {
        ["张三", "李四", "王五"]
    };
    json!({
        "company": company, "ledger": ledger, "period": period, "type": voucher_type,
        "number": number, "date": format!("{period}-{day:02}"), "currency": "CNY",
        "attachments": 1 + cents % 3, "lines": lines, "preparer": preparer,
        "reviewer": null, "bookkeeper": bookkeeper, "cashier": cashier,
        "extra": {"erp_id": format!("FI-{period}-{voucher_type}-{number}")},
    })
}

/// The people of the sample in `folder`, or what to do if it is no sample.
pub fn people(folder: &Path) -> Result<Vec<Person>, Failure> {
    let file = folder.join(USERS);
    let no_sample = |why: String| {
        Failure::Wrong(format!(
            "{} is no sample archive ({why})\n  name a folder that does not exist yet with --dir",
            folder.display()
        ))
    };
    let text = fs::read(&file).map_err(|error| no_sample(format!("{USERS}: {error}")))?;
    serde_json::from_slice(&text).map_err(|error| no_sample(format!("{USERS}: {error}")))
}

/// Makes the sample in `folder`.
pub fn make(folder: &Path) -> Result<(), Failure> {
    make_aside(folder, fill)
}

fn fill(folder: &Path) -> Result<(), Failure> {
    let people = new_people()?;
    let password = |role: Role| {
        let person = people.iter().find(|person| person.role == role.name());
        person
            .map(|person| person.password.clone())
            .unwrap_or_default()
    };
    Archive::create(folder, "root", &password(Role::Admin), None, system_clock())?;
    let archive = Arc::new(Archive::open(folder, system_clock(), &|_, _| {})?);
    for person in people
        .iter()
        .filter(|person| person.role != Role::Admin.name())
    {
        archive.add_user(&person.name, &person.password)?;
        archive.add_grant(&person.name, grant(&person.role, &person.scope)?)?;
    }
    file_vouchers(&archive)?;
    write_people(&folder.join(USERS), &people)
}

fn new_people() -> Result<Vec<Person>, Failure> {
    let mut people = Vec::new();
    for (name, role, scope) in PEOPLE {
        let mut random = [0; 6];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::Machine(format!("no randomness: {error}")))?;
        people.push(Person {
            name: name.to_owned(),
            role: role.name().to_owned(),
            scope: scope.to_owned(),
            password: to_hex(&random),
        });
    }
    Ok(people)
}

fn write_people(file: &Path, people: &[Person]) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(people).map_err(|e| Failure::Machine(e.to_string()))?;
    let opened = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(file);
    opened
        .and_then(|mut opened| std::io::Write::write_all(&mut opened, &text))
        .map_err(|error| Failure::io(file, &error))
}

fn grant(role: &str, scope: &str) -> Result<Grant, Failure> {
    let role = Role::parse(role);
    Ok(Grant {
        role: role.ok_or_else(|| Failure::Wrong("no such role".to_owned()))?,
        scope: Scope::parse(scope).map_err(|error| Failure::Wrong(error.to_string()))?,
        from: None,
        until: None,
    })
}

fn file_vouchers(archive: &Archive) -> Result<(), Failure> {
    let erp = archive
        .records()
        .people()
        .named("erp")
        .map(|user| user.id.clone());
    let caller = Caller {
        id: erp.unwrap_or_else(|| OPERATOR.to_owned()),
        name: "erp".to_owned(),
        permissions: Permissions::at(&[grant("uploader", "/*/")?.into()], 0),
        origin: Default::default(),
    };
    let renderer = Renderer::new();
    let progress = terminal::Progress::new("filing sample vouchers");
    let all = (COMPANIES.len() * PERIODS.len() * TYPES.len()) as u64 * VOUCHERS;
    let mut done = 0;
    for (company, ledger) in COMPANIES {
        for period in PERIODS {
            for (voucher_type, _) in TYPES {
                for number in 1..=VOUCHERS {
                    let number = format!("{number:04}");
                    let place = [company, ledger, period, voucher_type, &number];
                    file(archive, &caller, &renderer, place, done)?;
                    done += 1;
                    progress.at(done, all);
                }
            }
        }
    }
    Ok(())
}

/// Files one voucher. The last period's payments get their scans: the first two show what was filed,
/// the third shows another amount, and the fourth is missing.
fn file(
    archive: &Archive,
    caller: &Caller,
    renderer: &Renderer,
    place: [&str; 5],
    count: u64,
) -> Result<(), Failure> {
    let cents = 120_000 + count * 7_300;
    let data =
        serde_json::to_vec(&voucher(place, cents)).map_err(|e| Failure::Machine(e.to_string()))?;
    let path = TreePath::from_segments(place.map(str::to_owned).to_vec());
    archive.file_voucher(caller, &path, &data, &Condition::Always)?;
    let altered = match (place[2], place[3], place[4]) {
        ("2024-03", "payment", "0001" | "0002") => 0,
        ("2024-03", "payment", "0003") => 300_000,
        _ => return Ok(()),
    };
    let scan = scan(renderer, &path, &voucher(place, cents + altered))?;
    archive.add_scan(
        caller,
        &path,
        "scan-1.jpg",
        &mut scan.as_slice(),
        &Condition::Always,
    )?;
    Ok(())
}

/// A picture of the paper form, as a scanner would bring it.
fn scan(renderer: &Renderer, path: &TreePath, voucher: &Value) -> Result<Vec<u8>, Failure> {
    let data = voucher.to_string();
    let voucher = Voucher::from_json(data.as_bytes()).map_err(ArchiveError::from)?;
    let text = Template::builtin(&voucher.voucher_type).unwrap_or_default();
    let template = Template::from_toml(text).map_err(|e| Failure::Machine(e.to_string()))?;
    let mark = Mark {
        place: path.to_string(),
        digest: Digest::blake3(data.as_bytes()).to_string(),
    };
    let drawing = renderer.draw(&template, &voucher, &mark)?;
    Ok(renderer.jpeg(&renderer.pdf(&drawing, data.as_bytes())?, 150)?)
}
