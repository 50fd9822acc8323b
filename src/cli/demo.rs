use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::decoding::Apart;
use super::sample::{self, Person};
use super::serve::{Served, open, runtime};
use super::{Failure, matching, terminal, walk};
use crate::archive::Matching;
use crate::config::Comparing;
use crate::matching::Decoder;

#[derive(Args)]
#[command(after_help = "Example: vouchsafe demo\nExample: vouchsafe demo --exit --dir /tmp/sample")]
pub struct Arguments {
    /// The sample archive's folder; made anew only if absent
    #[arg(long, value_name = "DIR", default_value = "./demo-archive")]
    dir: PathBuf,
    /// Address and port on this machine
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Walk through everything as each kind of user, a line per step, and exit
    #[arg(long)]
    exit: bool,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    // The walk takes any free port, so that it also works beside a demo that is being looked at.
    let port = if arguments.exit { 0 } else { 8640 };
    let listen = arguments
        .listen
        .unwrap_or(SocketAddr::from(([127, 0, 0, 1], port)));
    if !listen.ip().is_loopback() {
        return Err(Failure::Wrong(format!(
            "--listen {listen}: the demo serves this machine only; use 127.0.0.1"
        )));
    }
    let empty = std::fs::read_dir(&arguments.dir).map_or(true, |mut items| items.next().is_none());
    if empty {
        terminal::print_line(&format!(
            "making a sample archive in {}",
            arguments.dir.display()
        ))?;
        sample::make(&arguments.dir)?;
    }
    let people = sample::people(&arguments.dir)?;
    let decoder: Arc<dyn Decoder> = Arc::new(Apart::new()?);
    let archive = open(&arguments.dir, &decoder)?;
    let matchers = matching::matchers(&Comparing::default(), &decoder)?;
    let matching = Matching::start(Arc::clone(&archive), matchers)?;
    runtime()?.block_on(async {
        let served = Served::start(&arguments.dir, archive, listen).await?;
        if !arguments.exit {
            introduce(&arguments.dir, served.address(), &people)?;
            return served.until_told_to_stop().await;
        }
        let (dir, address) = (arguments.dir.clone(), served.address());
        let walked = tokio::task::spawn_blocking(move || walk::walk(&dir, address, &people)).await;
        served.stop().await;
        walked.map_err(|error| Failure::Machine(error.to_string()))?
    })?;
    drop(matching);
    Ok(())
}

/// Says who can sign in, and how to open and mount the archive.
fn introduce(dir: &Path, address: SocketAddr, people: &[Person]) -> Result<(), Failure> {
    let mut text =
        format!("\nlistening on http://{address}\n\nname  password      role        may see\n");
    for person in people {
        let Person {
            name,
            role,
            scope,
            password,
        } = person;
        let scope = if role == "admin" {
            "users, grants, templates; no voucher"
        } else {
            scope
        };
        text += &format!("{name:<5} {password:<13} {role:<11} {scope}\n");
    }
    let password = |name: &str| {
        let person = people.iter().find(|person| person.name == name);
        person.map_or("", |person| person.password.as_str())
    };
    let (ben, dir) = (password("ben"), dir.display());
    text += &format!(
        "\nLook    in a browser: http://{address}/dav/\n\
         Windows net use V: http://{address}/dav/ /user:ben {ben}\n        \
         (once, as administrator, so that Windows sends a password over plain HTTP to this machine:\n        \
         reg add HKLM\\SYSTEM\\CurrentControlSet\\Services\\WebClient\\Parameters /v BasicAuthLevel /t REG_DWORD /d 2 /f\n        \
         and restart the service WebClient)\n\
         macOS   Finder, Go, Connect to Server: http://{address}/dav/   (name ben, password {ben})\n\
         Linux   rclone mount \":webdav,url='http://{address}/dav/',user=ben,pass=$(rclone obscure {ben}):\" MOUNTPOINT\n\
         Upload  curl -u erp:{erp} -T voucher.json http://{address}/dav/acme/gl/2024-03/payment/0100/voucher.json\n\
         Verify  vouchsafe verify {dir}\n\nCtrl-C ends it.",
        erp = password("erp"),
    );
    terminal::print_line(&text)
}
