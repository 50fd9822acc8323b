use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::Failure;

/// Work that lasts shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets warnings and errors appear on stderr; `RUST_LOG` shows more.
pub fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// The password from `VOUCHSAFE_PASSWORD`, or from a prompt, where it is asked for twice.
pub fn new_password(whose: &str) -> Result<String, Failure> {
    if let Ok(password) = std::env::var("VOUCHSAFE_PASSWORD") {
        return Ok(password);
    }
    if !std::io::stdin().is_terminal() {
        let hint = "set VOUCHSAFE_PASSWORD, or run this on a terminal";
        return Err(Failure::Wrong(format!("no password for {whose}\n  {hint}")));
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| Failure::Machine(error.to_string()))
    };
    let password = ask(format!("Password for {whose}: "))?;
    if ask("Again: ".to_owned())? != password {
        return Err(Failure::Wrong("the two passwords differ".to_owned()));
    }
    Ok(password)
}

/// Shows how far work has come, on stderr, when it is a terminal and the work lasts.
pub struct Progress {
    bar: ProgressBar,
    shown_from: Instant,
}

impl Progress {
    pub fn new(what: &str) -> Progress {
        let bar = ProgressBar::hidden();
        // The template is a constant; a default bar would do as well.
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}  {eta}")
        {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Progress {
            bar,
            shown_from: Instant::now() + PATIENCE,
        }
    }

    pub fn at(&self, done: u64, of: u64) {
        if self.bar.is_hidden() && Instant::now() >= self.shown_from {
            // Draws nothing where stderr is no terminal.
            self.bar
                .set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        self.bar.set_length(of);
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Prints a report as one line of JSON.
pub fn print_json(report: &impl Serialize) -> Result<(), Failure> {
    let text =
        serde_json::to_string(report).map_err(|error| Failure::Machine(error.to_string()))?;
    print_line(&text)
}

/// Prints a line on stdout at once, also when it is a pipe.
pub fn print_line(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Machine(format!("stdout: {error}")))
}

/// The password that somebody has now, from `VOUCHSAFE_OLD_PASSWORD` or a prompt; none where it is forgotten.
pub fn old_password(whose: &str) -> Result<Option<String>, Failure> {
    let given = std::env::var("VOUCHSAFE_OLD_PASSWORD").ok();
    let asks = given.is_none()
        && std::env::var_os("VOUCHSAFE_PASSWORD").is_none()
        && std::io::stdin().is_terminal();
    let old = match asks {
        false => given.unwrap_or_default(),
        true => rpassword::prompt_password(format!(
            "Password of {whose} until now (empty: forgotten): "
        ))
        .map_err(|error| Failure::Machine(error.to_string()))?,
    };
    Ok((!old.is_empty()).then_some(old))
}

/// The password of somebody who signs in elsewhere, from `VOUCHSAFE_PASSWORD` or a prompt.
pub fn password(whose: &str) -> Result<String, Failure> {
    if let Ok(password) = std::env::var("VOUCHSAFE_PASSWORD") {
        return Ok(password);
    }
    if !std::io::stdin().is_terminal() {
        let hint = "set VOUCHSAFE_PASSWORD, or run this on a terminal";
        return Err(Failure::Wrong(format!("no password for {whose}\n  {hint}")));
    }
    rpassword::prompt_password(format!("Password for {whose}: "))
        .map_err(|error| Failure::Machine(error.to_string()))
}
