//! The pages in a real browser: Chromium, driven by the Chrome DevTools Protocol.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};

use crate::matching::{PLACE, image_set, paper, voucher};
use crate::served::{Archive, PASSWORD, Served};

/// How long a page may take to show something.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A browser with one page; ended when dropped.
pub struct Browser {
    process: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    sent: u64,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    pub fn open(url: &str) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("chromium")
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args(["--no-first-run", "--lang=en-US", "--window-size=1280,900"])
            .args(["--remote-debugging-port=0", "--remote-allow-origins=*"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stderr(Stdio::piped())
            .spawn()
            .expect("Chromium: `build/packages.sh test` installs it");
        let said = BufReader::new(process.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        let address = lines
            .find_map(|line| {
                line.strip_prefix("DevTools listening on ws://")
                    .map(str::to_owned)
            })
            .expect("Chromium says where it listens");
        // Whatever else it says is read, so that it never waits for that.
        std::thread::spawn(move || lines.for_each(drop));
        let host = address.split('/').next().unwrap();
        let page = ureq::put(&format!("http://{host}/json/new?about:blank"))
            .send_empty()
            .unwrap();
        let page: Value = serde_json::from_reader(page.into_body().into_reader()).unwrap();
        let (socket, _) =
            tungstenite::connect(page["webSocketDebuggerUrl"].as_str().unwrap()).unwrap();
        let mut browser = Browser {
            process,
            socket,
            sent: 0,
            _profile: profile,
        };
        if let MaybeTlsStream::Plain(stream) = browser.socket.get_ref() {
            stream
                .set_read_timeout(Some(Duration::from_secs(10)))
                .unwrap();
        }
        browser.go(url);
        browser
    }

    /// What comes of a command; none where nothing comes, as while a page is left for another.
    fn command(&mut self, method: &str, parameters: &Value) -> Option<Value> {
        self.sent += 1;
        let message = json!({"id": self.sent, "method": method, "params": parameters});
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
        loop {
            let text = match self.socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(_) => continue,
                Err(tungstenite::Error::Io(error)) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
                    return None;
                }
                Err(error) => panic!("{method}: {error}"),
            };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == self.sent {
                return answer["error"].is_null().then(|| answer["result"].clone());
            }
        }
    }

    pub fn go(&mut self, url: &str) {
        self.command("Page.navigate", &json!({"url": url}));
    }

    fn evaluated(&mut self, expression: &str) -> Option<Value> {
        let parameters =
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.command("Runtime.evaluate", &parameters)?;
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        Some(answer["result"]["value"].clone())
    }

    /// The value of an expression, once it is there.
    pub fn value(&mut self, expression: &str) -> Value {
        let value = self.evaluated(expression);
        value.unwrap_or_else(|| panic!("{expression} has no value"))
    }

    /// Waits until an expression holds.
    pub fn until(&mut self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while self.evaluated(&format!("Boolean({expression})")) != Some(true.into()) {
            if Instant::now() > end {
                let text = self.value("document.body.innerText");
                panic!("{expression} never held; the page says: {text}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn until_says(&mut self, text: &str) {
        self.until(&format!(
            "document.body?.innerText.includes({})",
            json!(text)
        ));
    }

    pub fn fill(&mut self, id: &str, text: &str) {
        self.until(&format!("document.getElementById({})", json!(id)));
        self.value(&format!(
            "document.getElementById({}).value = {}, 0",
            json!(id),
            json!(text)
        ));
    }

    /// Presses the button, or follows the link, with this text.
    pub fn press(&mut self, text: &str) {
        let found = format!(
            "[...document.querySelectorAll('button, a, summary')].find((it) => it.firstChild?.textContent.trim() === {})",
            json!(text)
        );
        self.until(&found);
        self.value(&format!("{found}.click(), 0"));
    }

    /// Keeps a picture of the page where somebody wants to look at it.
    pub fn picture(&mut self, name: &str) {
        use base64::Engine as _;
        let Some(folder) = std::env::var_os("VOUCHSAFE_PICTURES") else {
            return;
        };
        let whole = json!({"captureBeyondViewport": true});
        let taken = self.command("Page.captureScreenshot", &whole).unwrap();
        let data =
            base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap());
        std::fs::write(std::path::Path::new(&folder).join(name), data.unwrap()).unwrap();
    }

    pub fn sign_in(&mut self, name: &str) {
        self.fill("name", name);
        self.fill("password", PASSWORD);
        self.press("Sign in");
        self.until("!document.querySelector('.sign-in')");
    }
}

pub fn begun() -> (Archive, Served) {
    let archive = Archive::new();
    archive.command(&["user", "add", "rita"]);
    archive.command(&["grant", "add", "rita", "reviewer", "/acme/"]);
    let served = archive.serve();
    (archive, served)
}

fn file(served: &Served, number: &str) {
    let erp = served.client("erp");
    let data = voucher(number, "12000.00");
    let path = format!("{PLACE}/{number}");
    assert_eq!(
        erp.put(&format!("{path}/voucher.json"), data.to_string())
            .status,
        201
    );
    let folder = tempfile::tempdir().unwrap();
    let scan = paper(folder.path(), &data, "png");
    assert_eq!(erp.put(&format!("{path}/scan-1.png"), &scan).status, 201);
    assert_eq!(image_set(&erp, number), "complete");
}

#[test]
fn a_reviewer_signs_in_sees_the_queue_live_and_approves() {
    let (archive, served) = begun();
    let mut browser = Browser::open(&served.url);
    browser.until("document.querySelector('.sign-in')");
    browser.picture("sign-in.png");
    browser.fill("name", "rita");
    browser.fill("password", "Wrong-Horse-9");
    browser.press("Sign in");
    browser.until_says("The name or the password is wrong.");
    browser.sign_in("rita");
    browser.press("Queue");
    browser.until_says("Nothing waits for you.");
    // It comes by itself.
    file(&served, "0001");
    browser.until_says("/acme/gl/2024-03/payment/0001");
    browser.until("document.querySelector('nav .count')?.innerText === '1'");
    browser.picture("queue.png");
    browser.press("/acme/gl/2024-03/payment/0001");
    browser.until("document.querySelector('.picture img')?.naturalWidth > 500");
    browser.picture("voucher.png");
    browser.fill("comment", "in order");
    browser.fill("password", "Wrong-Horse-9");
    browser.press("Approve");
    browser.until_says("this needs the caller's own password");
    browser.fill("password", PASSWORD);
    browser.press("Approve");
    browser.until("document.querySelector('.badge.approved')");
    browser.until(
        "[...document.querySelectorAll('.tabs button')].some((it) => it.innerText === 'Reviewed')",
    );
    browser.press("Reviewed");
    browser.until("document.querySelector('.picture img')?.naturalWidth > 500");
    browser.picture("reviewed.png");
    browser.press("Queue");
    browser.until_says("Nothing waits for you.");
    browser.press("Sign out");
    browser.until("document.querySelector('.sign-in')");
    let review = served
        .client("ann")
        .get(&format!("{PLACE}/0001/review.json"))
        .json();
    assert_eq!(
        (&review["reviewer"], &review["comment"]),
        (&"rita".into(), &"in order".into())
    );
    drop(served);
    archive.assert_well();
}

#[test]
fn a_key_of_the_browser_signs_there() {
    let (archive, served) = begun();
    file(&served, "0001");
    let mut browser = Browser::open(&served.url);
    browser.sign_in("rita");
    browser.press("My account");
    browser.fill("key-password", PASSWORD);
    browser.press("Keep the key in this browser");
    browser.until("document.querySelector('code')?.innerText.includes('+')");
    browser.picture("account.png");
    let vkey = browser.value("document.querySelector('code').innerText");
    // The archive cannot sign for her any more.
    let body = json!({"decision": "approve", "comment": ""}).to_string();
    let refused = served
        .client("rita")
        .put(&format!("{PLACE}/0001/review.json"), body);
    assert_eq!(refused.status, 403, "{refused:?}");
    browser.press("Queue");
    browser.press("/acme/gl/2024-03/payment/0001");
    browser.until_says("Signed with the key of this browser");
    browser.press("Approve");
    browser.until("document.querySelector('.badge.approved')");
    let review = served
        .client("ann")
        .get(&format!("{PLACE}/0001/review.json"))
        .json();
    assert_eq!(review["key"], vkey);
    // The verifier, which knows the key from the log, finds the note signed by it.
    drop(served);
    archive.assert_well();
}

#[test]
fn a_preparer_stands_by_a_voucher_with_their_own_signature() {
    let (archive, served) = begun();
    archive.command(&["user", "add", "张三"]);
    archive.command(&["grant", "add", "张三", "preparer", "/acme/"]);
    file(&served, "0001");
    let mut browser = Browser::open(&served.url);
    browser.sign_in("张三");
    for step in ["acme", "gl", "2024-03", "payment", "0001"] {
        browser.press(step);
    }
    browser.fill("submit-password", PASSWORD);
    browser.press("Submit");
    browser.until_says("submitted");
    let path = format!("{PLACE}/0001");
    let note = served
        .client("ann")
        .get(&format!("{path}/submitted.note"))
        .text();
    assert!(note.contains("\ndecision submit\n"), "{note}");
    // Nobody else does it for them, and they do not review it.
    let submit = json!({"decision": "submit"}).to_string();
    let by = |who: &str, body: &str| {
        served
            .client(who)
            .put(&format!("{path}/review.json"), body)
            .status
    };
    assert_eq!(by("张三", &submit), 204);
    assert_eq!(by("rita", &submit), 403);
    let approve = json!({"decision": "approve"}).to_string();
    assert_eq!(by("张三", &approve), 403);
    assert_eq!(by("rita", &approve), 201);
    let history = served
        .client("ann")
        .get(&format!("{path}/history.json"))
        .json();
    assert_eq!(history["submissions"][0]["by"], "张三");
    let seals = served.client("erp").get(&format!("{path}/reviewed.png"));
    if let Some(folder) = std::env::var_os("VOUCHSAFE_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join("seals.png"), &seals.body).unwrap();
    }
    drop(served);
    archive.assert_well();
}

#[test]
fn texts_of_vouchers_are_texts_and_the_tree_is_walked() {
    let (_archive, served) = begun();
    let mut data = voucher("0001", "12000.00");
    data["lines"][0]["summary"] = "<img src=x onerror=document.title='owned'>".into();
    served
        .client("erp")
        .put(&format!("{PLACE}/0001/voucher.json"), data.to_string());
    let mut browser = Browser::open(&served.url);
    browser.sign_in("ben");
    for step in ["acme", "gl", "2024-03", "payment", "0001"] {
        browser.press(step);
    }
    browser.until_says("<img src=x onerror=");
    browser.until_says("Who looked");
    browser.until("document.querySelector('.picture img')?.naturalWidth > 500");
    assert_eq!(browser.value("document.title"), "Vouchsafe");
    browser.press("Traces");
    browser.until_says("voucher.png");
    browser.picture("traces.png");
}
