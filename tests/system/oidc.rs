//! Signing in at a provider of OpenID Connect: a real one (panva's oidc-provider), in a real browser.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::json;

use crate::browser::Browser;
use crate::client::Client;
use crate::served::{Archive, Served};

struct Provider {
    process: Child,
    issuer: String,
    /// What it says is not read, but it must have somebody to say it to.
    _said: BufReader<ChildStdout>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn provider(redirect: &str) -> Provider {
    let here = env!("CARGO_MANIFEST_DIR");
    let brought = Command::new(format!("{here}/build/oidc_provider.sh"))
        .output()
        .unwrap();
    assert!(brought.status.success(), "{brought:?}");
    let folder = String::from_utf8(brought.stdout).unwrap();
    let mut process = Command::new("node")
        .arg(format!("{here}/tests/oidc/provider.mjs"))
        .args([folder.trim(), redirect])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("node: `build/packages.sh test` installs it");
    let mut issuer = String::new();
    let mut said = BufReader::new(process.stdout.take().unwrap());
    said.read_line(&mut issuer).unwrap();
    Provider {
        _said: said,
        process,
        issuer: issuer.trim().to_owned(),
    }
}

/// An archive that sends people to the provider; its address is chosen first, for the provider must know it.
fn begun(claim: &str) -> (Archive, Served, Provider) {
    let archive = Archive::new();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("http://127.0.0.1:{port}");
    let provider = provider(&format!("{address}/api/v1/oidc/done"));
    let secret = archive.folder.path().join("oidc-secret");
    std::fs::write(&secret, "a-secret-of-the-tests\n").unwrap();
    let config = archive.folder.path().join("config.toml");
    let text = format!(
        "[oidc]\nissuer = \"{}\"\nclient_id = \"vouchsafe\"\nclient_secret_file = \"{}\"\naddress = \"{address}\"\n\
         claim = \"{claim}\"\n",
        provider.issuer,
        secret.display()
    );
    std::fs::write(&config, text).unwrap();
    let listen = format!("127.0.0.1:{port}");
    let options = ["--listen", &listen, "--config", config.to_str().unwrap()];
    let served = Served::start_with_options(&options, &archive.path());
    (archive, served, provider)
}

/// Goes through the provider's own pages as `name`.
fn sign_in_elsewhere(browser: &mut Browser, name: &str) {
    let link = "document.querySelector('a[href=\"/api/v1/oidc/begin\"]')";
    browser.until(link);
    browser.value(&format!("{link}.click(), 0"));
    browser.until("document.querySelector('input[name=login]')");
    browser.value(&format!(
        "document.querySelector('input[name=login]').value = {0}, document.querySelector('input[name=password]').value = 'x', \
         document.querySelector('form').submit(), 0",
        json!(name)
    ));
    browser.until("document.querySelector('input[name=prompt][value=consent]')");
    browser.value("document.querySelector('form').submit(), 0");
}

#[test]
fn somebody_signs_in_at_their_provider_and_is_who_they_are_here() {
    let (_archive, served, _provider) = begun("preferred_username");
    let mut browser = Browser::open(&served.url);
    sign_in_elsewhere(&mut browser, "ann");
    browser.until("document.querySelector('#person')?.innerText.includes('ann')");
    let who =
        browser.value("fetch('/api/v1/session').then((it) => it.json()).then((it) => it.name)");
    assert_eq!(who, "ann");
    // What the password's session may, this one may: and no more.
    assert_eq!(
        browser.value("fetch('/api/v1/bursts').then((it) => it.status)"),
        403
    );
}

#[test]
fn a_fresh_sign_in_speaks_for_nobody_else() {
    let (archive, served, _provider) = begun("preferred_username");
    let token = archive.command(&["token", "add", "ben"]);
    let mut browser = Browser::open(&served.url);
    sign_in_elsewhere(&mut browser, "ann");
    browser.until("document.querySelector('#person')?.innerText.includes('ann')");
    let key = |headers: &str, name: &str| {
        format!(
            "fetch('/api/v1/own/key', {{method: 'PUT', headers: {{'x-vouchsafe-page': '1', {headers}}}, \
             body: JSON.stringify({{vkey: {name}}})}}).then((it) => it.status)"
        )
    };
    // With somebody's token beside her own cookie she is them, and has proven nothing.
    let login = format!("'authorization': 'Basic ' + btoa('ben:{}')", token.trim());
    let name = served.client("ben").get("/api/v1/session").json()["key_name"].clone();
    let signing = vouchsafe_evidence::key::SigningNoteKey::from_seed(
        name.as_str().unwrap(),
        vouchsafe_evidence::key::KeyKind::Note,
        &[7; 32],
    );
    let vkey = json!(signing.unwrap().verifier().to_string()).to_string();
    assert_eq!(browser.value(&key(&login, &vkey)), 403);
    // Her own key she may name, without a password that she may not even have.
    let mut person = served.client("ann").get("/api/v1/session").json();
    let signing = vouchsafe_evidence::key::SigningNoteKey::from_seed(
        person["key_name"].take().as_str().unwrap(),
        vouchsafe_evidence::key::KeyKind::Note,
        &[8; 32],
    );
    let vkey = json!(signing.unwrap().verifier().to_string()).to_string();
    assert_eq!(browser.value(&key("", &vkey)), 204);
}

#[test]
fn who_is_known_there_and_not_here_stays_outside() {
    let (archive, served, _provider) = begun("preferred_username");
    let mut browser = Browser::open(&served.url);
    sign_in_elsewhere(&mut browser, "mallory");
    browser.until_says("you are known there, and not here");
    browser.go(&served.url);
    browser.until("document.querySelector('.sign-in')");
    archive.command(&["user", "disable", "ann"]);
    let mut browser = Browser::open(&served.url);
    sign_in_elsewhere(&mut browser, "ann");
    browser.until_says("you are known there, and not here");
}

#[test]
fn an_address_that_nobody_checked_is_no_name() {
    let (archive, served, _provider) = begun("email");
    archive.command(&["user", "add", "ann@example.org"]);
    let mut browser = Browser::open(&served.url);
    sign_in_elsewhere(&mut browser, "ann");
    browser.until_says("does not tell your name");
}

#[test]
fn an_answer_that_this_browser_did_not_ask_for_is_refused() {
    let (_archive, served, _provider) = begun("preferred_username");
    let nobody = Client::new(&served.url, "", "");
    let forged = nobody.get("/api/v1/oidc/done?state=abc&code=def");
    assert_eq!(forged.status, 403, "{forged:?}");
    assert!(forged.text().contains("did not begin in this browser"));
    // Begun in one browser, finished in another: somebody is to be signed in as somebody else.
    let begun = nobody.get_without_following("/api/v1/oidc/begin");
    assert_eq!(begun.status, 303);
    let place = begun.header("location");
    let state = place
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    assert!(
        place.contains("code_challenge_method=S256") && place.contains("nonce="),
        "{place}"
    );
    let crossed = nobody.get(&format!("/api/v1/oidc/done?state={state}&code=def"));
    assert_eq!(crossed.status, 403, "{crossed:?}");
    // Where no provider is set up, there is nothing.
    let without = Archive::new();
    let served = without.serve();
    assert_eq!(served.client("").get("/api/v1/oidc/begin").status, 404);
}
