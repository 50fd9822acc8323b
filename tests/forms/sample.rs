//! Vouchers that try the forms.

use serde_json::{Value, json};
use vouchsafe::render::{Drawing, Mark, Renderer};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::Template;

/// A voucher with its form.
pub struct Sample {
    /// Form and kind, such as `payment-long`.
    pub name: String,
    pub template: Template,
    pub data: Vec<u8>,
}

/// What makes a voucher hard to draw.
pub const KINDS: [&str; 5] = ["usual", "one-line", "long", "rare", "many"];

impl Sample {
    pub fn new(form: &str, kind: &str) -> Sample {
        let text = Template::builtin(form).unwrap();
        Sample {
            name: format!("{form}-{kind}"),
            template: Template::from_toml(text).unwrap(),
            data: data(form, kind).to_string().into_bytes(),
        }
    }

    pub fn voucher(&self) -> Voucher {
        Voucher::from_json(&self.data).unwrap()
    }

    pub fn draw(&self, renderer: &Renderer) -> Drawing {
        let mark = Mark {
            place: "/深圳样例科技有限公司/主账套/2024-03/payment/0001".to_owned(),
            digest: blake3::hash(&self.data).to_hex().to_string(),
        };
        renderer
            .draw(&self.template, &self.voucher(), &mark)
            .unwrap()
    }

    pub fn pdf(&self, renderer: &Renderer) -> Vec<u8> {
        renderer.pdf(&self.draw(renderer), &self.data).unwrap()
    }
}

fn data(form: &str, kind: &str) -> Value {
    let mut voucher = json!({"company":"深圳样例科技有限公司","ledger":"主账套","period":"2024-03","type":form,
        "number":"0001","date":"2024-03-05","currency":"CNY","attachments":2,
        "lines":[
            {"summary":"支付三月房租","account":"管理费用","subaccount":"房租","debit":"12000.00"},
            {"summary":"冲回多计房租","account":"管理费用","subaccount":"房租","debit":"-200.00"},
            {"summary":"零","account":"财务费用","debit":"0.00"},
            {"summary":"Bank charges, Café Zürich","account":"财务费用","subaccount":"手续费","debit":"0.05"},
            {"summary":"支付三月房租","account":"银行存款","subaccount":"工商银行","credit":"11800.05"}],
        "preparer":"张三","reviewer":"赵六","bookkeeper":"李四","cashier":"王五","extra":{}});
    match kind {
        "usual" => {}
        "one-line" => {
            voucher["lines"] = json!([{"summary":"更正科目","account":"管理费用","debit":"0.00"}]);
            voucher["reviewer"] = Value::Null;
            voucher["cashier"] = Value::Null;
            voucher["attachments"] = json!(0);
        }
        "long" => {
            let line = &mut voucher["lines"][0];
            line["summary"] = json!(
                "支付深圳市南山区科技园办公楼二零二四年三月份房屋租金及物业管理费含水电费公摊部分共计"
            );
            line["account"] = json!("以公允价值计量且其变动计入其他综合收益的金融资产");
            line["subaccount"] = json!("中国工商银行股份有限公司深圳市南山区科技园支行");
            line["debit"] = json!("987654321.98");
            voucher["lines"][4]["credit"] = json!("987654122.03");
            voucher["lines"][4]["summary"] =
                json!("ＡＢＣ１２３ ｶﾀｶﾅ half and full width, “quotes” — and a dash…");
        }
        // Names of CJK Extension A, B (drawn), and C, traditional, European and Vietnamese letters.
        "rare" => {
            voucher["preparer"] = json!("张喆堃");
            voucher["reviewer"] = json!("䶮㛃");
            voucher["bookkeeper"] = json!("𫖯𬱖");
            voucher["cashier"] = json!("Łukasz Nguyễn");
            voucher["lines"][0]["summary"] = json!("支付國際龍騰有限公司（玥、婳、昇）房租");
        }
        "many" => {
            let line = |index: usize| {
                let account = ["管理费用", "销售费用", "制造费用"][index % 3];
                json!({"summary":format!("第{}笔报销", index + 1),"account":account,"debit":format!("{}.{:02}", 100 + index, index % 100)})
            };
            let mut lines: Vec<Value> = (0..199).map(line).collect();
            let cents: usize = (0..199)
                .map(|index| (100 + index) * 100 + index % 100)
                .sum();
            lines.push(json!({"summary":"合付","account":"银行存款","credit":format!("{}.{:02}", cents / 100, cents % 100)}));
            voucher["lines"] = json!(lines);
        }
        other => panic!("no kind of voucher is called {other}"),
    }
    voucher
}
