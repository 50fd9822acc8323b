//! Vouchers of chance: what accountants write, of any form.

use serde_json::{Value, json};

use super::random::Random;

pub const FORMS: [&str; 7] = [
    "receipt",
    "payment",
    "transfer",
    "receivable",
    "payable",
    "general",
    "journal",
];
const SURNAMES: &str = "张王李赵陈刘杨黄周吴徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武戴莫孔向汤";
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂华玉兰建国文斌宇浩凯鑫波辉鹏飞雪梅琳萍红云龙志海林晨阳思佳怡欣然子涵雨轩博诚";
const ACCOUNTS: [(&str, &str); 20] = [
    ("管理费用", "房租"),
    ("管理费用", "办公费"),
    ("管理费用", "差旅费"),
    ("银行存款", "工商银行"),
    ("银行存款", "建设银行"),
    ("库存现金", ""),
    ("应收账款", "北方贸易公司"),
    ("应付账款", "南海物资公司"),
    ("主营业务收入", "产品销售"),
    ("其他业务收入", "材料销售"),
    ("应交税费", "应交增值税"),
    ("财务费用", "手续费"),
    ("销售费用", "广告费"),
    ("原材料", "钢材"),
    ("固定资产", "机器设备"),
    ("累计折旧", ""),
    ("生产成本", "直接人工"),
    ("应付职工薪酬", "工资"),
    ("其他应收款", "备用金"),
    ("预付账款", "东方电力公司"),
];
const SUMMARIES: [&str; 18] = [
    "支付三月房租",
    "收到货款",
    "购入钢材一批",
    "报销差旅费",
    "提取备用金",
    "结转销售成本",
    "计提折旧",
    "支付广告费",
    "缴纳增值税",
    "发放工资",
    "销售产品",
    "支付手续费",
    "购买办公用品",
    "归还借款",
    "预付电费款",
    "收回前欠货款",
    "盘盈存货入账",
    "支付设备维修费",
];

pub fn person(random: &mut Random) -> String {
    let letters = |of: &str, random: &mut Random| {
        let letters: Vec<char> = of.chars().collect();
        random.pick(&letters)
    };
    let mut name = letters(SURNAMES, random).to_string();
    for _ in 0..1 + random.below(2) {
        name.push(letters(GIVEN, random));
    }
    name
}

/// An amount as text: sizes as they come, a few whole, a few tiny.
fn amount(random: &mut Random) -> i64 {
    let digits = 3 + random.below(7) as u32;
    let largest = 10i64.pow(digits);
    let amount = (random.unit() * (largest as f64)) as i64 + 1;
    if random.chance(0.3) {
        (amount / 100 + 1) * 100
    } else {
        amount
    }
}

pub fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

pub fn voucher(random: &mut Random, form: &str) -> Value {
    let count = 2 + random.below(5);
    let sides = count - 1;
    let mut lines = Vec::new();
    let mut total = 0;
    for index in 0..count {
        let (account, subaccount) = random.pick(&ACCOUNTS);
        let mut line = json!({"summary": random.pick(&SUMMARIES), "account": account});
        if !subaccount.is_empty() {
            line["subaccount"] = json!(subaccount);
        }
        if index < sides {
            let cents = amount(random);
            total += cents;
            line["debit"] = json!(money(cents));
        } else {
            line["credit"] = json!(money(total));
        }
        lines.push(line);
    }
    let month = 1 + random.below(12);
    let period = format!("2024-{month:02}");
    let company = random.pick(&[
        "深圳样例科技有限公司",
        "北京远山贸易有限公司",
        "广州南沙机械厂",
        "上海浦江电器股份有限公司",
    ]);
    json!({"company": company, "ledger": random.pick(&["主账套", "基建账套"]), "period": period, "type": form,
        "number": format!("{:04}", 1 + random.below(9_998)), "date": format!("{period}-{:02}", 1 + random.below(28)),
        "currency": "CNY", "attachments": random.below(30), "lines": lines, "preparer": person(random),
        "reviewer": if random.chance(0.5) { json!(person(random)) } else { Value::Null },
        "bookkeeper": person(random), "cashier": person(random), "extra": {}})
}
