// What the pages say, in English and Chinese. The language is the browser's.
const CHINESE = {
  "Vouchers": "凭证", "Queue": "待审核", "Traces": "查看痕迹", "Unplaced scans": "未归位影像", "My account": "我的账户",
  "Sign in": "登录", "Sign in at": "登录方式：", "Sign out": "退出", "Name": "用户名", "Password": "密码", "The name or the password is wrong.": "用户名或密码错误。",
  "Waiting for you": "等待您审核", "Nothing waits for you.": "没有等待审核的凭证。", "Filed": "归档时间",
  "Image set": "影像齐套", "Review": "审核", "Approve": "通过", "Reject": "退回", "Comment": "意见",
  "Form": "凭证影像", "Reviewed": "已审核影像", "Comparison": "匹配", "Data": "数据", "History": "历史", "Voucher": "凭证",
  "Summary": "摘要", "Account": "科目", "Debit": "借方", "Credit": "贷方", "Total": "合计", "Date": "日期",
  "Number": "凭证号", "Preparer": "制单", "Reviewer": "审核", "Bookkeeper": "记账", "Cashier": "出纳", "Currency": "币种",
  "Attachments": "附件", "Who looked": "谁看过", "Times": "次数", "First": "首次", "Last": "最近", "Files": "文件",
  "When": "时间", "Who": "人员", "What": "内容", "From": "来自", "Client": "客户端", "Entry": "记录号",
  "Your password signs it": "用您的密码签名", "Signed with the key of this browser": "用本浏览器的密钥签名",
  "Why, if the pictures are not complete or you reject it": "影像未齐套或退回时请说明原因",
  "The scan shows the voucher": "影像与凭证一致", "The scan shows something else": "影像与凭证不一致", "Reason": "原因",
  "Settle the comparison": "人工确认匹配结果", "There is nothing here.": "这里没有内容。", "More": "更多", "Search": "查询",
  "A path or a person": "路径或人员", "Show": "显示", "Bursts": "异常查看", "Export as CSV": "导出 CSV", "Export as NDJSON": "导出 NDJSON",
  "Change password": "修改密码", "Old password": "旧密码", "New password": "新密码", "What you may do": "您的权限",
  "Signing key": "签名密钥", "Keep the key in this browser": "密钥保存在本浏览器", "Let the archive keep a new key under my password": "由档案库用密码保管新密钥",
  "None yet: the first review makes one.": "尚无：首次审核时生成。", "Until": "至", "for ever": "永久",
  "Sign as its preparer": "制单人签名", "Submit": "提交", "submitted": "已提交", "approved": "已通过", "rejected": "已退回", "waiting": "待审核", "complete": "已齐套", "mismatch": "不一致", "unsure": "待确认", "awaiting-scan": "待影像",
  "Field": "栏目", "Expected": "应为", "Seen": "所见", "Why": "原因", "In its full size": "查看原尺寸", "The comparison is wrong": "匹配结果有误",
  "File it there": "归入此凭证", "What it was": "结果", "Why it has no place": "未归位原因", "Candidates": "候选凭证", "Every scan has found its voucher.": "所有影像均已归位。",
};
const chinese = navigator.language.toLowerCase().startsWith("zh");
document.documentElement.lang = chinese ? "zh" : "en";

/** The text in the reader's language; one without a translation stays English. */
export function say(text) {
  return chinese ? CHINESE[text] ?? text : text;
}

/** A time of the archive as its reader's clock shows it. */
export function time(value) {
  return new Date(value).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}
