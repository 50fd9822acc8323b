//! PDFs drawn in a process of their own, with little memory and little time: a file of three kilobytes can ask for
//! gigabytes and minutes, and for more stack than there is, which ends a process.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::Failure;
use crate::matching::{
    DecodeError, Decoder, MATCH_MAX_BYTES, SCAN_MAX_PAGES, SCAN_MAX_PIXELS, each_page, is_pdf,
};
use crate::render::PagePixels;

/// The command that such a process is started with.
const COMMAND: &str = "decode-scan";
/// Address space that it may have.
const MEMORY_MIB: u64 = 1_536;
/// Processor time that a file may take.
const PROCESSOR_SECONDS: u64 = 20;
/// How long all of a file's pages may be waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Such processes at the same time.
const AT_ONCE: usize = 4;
/// Longest answer that is no page, in bytes, and the most that is read of what it complains about.
const WORDS_MAX_BYTES: usize = 4 << 10;

/// First bytes of what it sends: a page, or how it ended.
const PAGE: u8 = b'P';
const END: u8 = b'E';

/// Decodes PDFs in a process of their own, and all else in this one, whose decoders know limits.
pub struct Apart {
    program: PathBuf,
    running: Mutex<usize>,
    ended: Condvar,
}

impl Apart {
    /// Starts this same program for each PDF.
    pub fn new() -> Result<Apart, Failure> {
        // What runs now, even if its file is replaced meanwhile.
        let own = PathBuf::from("/proc/self/exe");
        let program = match own.exists() {
            true => own,
            false => std::env::current_exe()
                .map_err(|error| Failure::Machine(format!("finding this program: {error}")))?,
        };
        Ok(Apart {
            program,
            running: Mutex::new(0),
            ended: Condvar::new(),
        })
    }

    /// Waits for its turn.
    fn turn(&self) -> Result<Turn<'_>, DecodeError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .ended
            .wait_timeout_while(running, PATIENCE, |running| *running >= AT_ONCE);
        let (mut running, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(DecodeError::Busy("too many PDFs are being read".to_owned()));
        }
        *running += 1;
        Ok(Turn(self))
    }
}

/// One of the processes that there may be.
struct Turn<'a>(&'a Apart);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let running = self.0.running.lock();
        *running.unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.ended.notify_one();
    }
}

/// A process that is gone when this is.
struct Running(Child);

impl Running {
    fn end(&mut self) -> io::Result<ExitStatus> {
        let _ = self.0.kill();
        self.0.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What such a process sends.
enum Sent {
    Page(PagePixels),
    End(Result<(), DecodeError>),
}

impl Decoder for Apart {
    fn each_page(
        &self,
        content: &[u8],
        each: &mut dyn FnMut(usize, PagePixels) -> bool,
    ) -> Result<(), DecodeError> {
        if !is_pdf(content) || content.len() as u64 > MATCH_MAX_BYTES {
            return each_page(content, each);
        }
        let _turn = self.turn()?;
        let fault = |error: io::Error| DecodeError::Busy(error.to_string());
        let started = Command::new(&self.program)
            .arg(COMMAND)
            // Nothing that this process knows is for a decoder of strangers' files.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut running = Running(started.map_err(fault)?);
        let child = &mut running.0;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = pipes else {
            return Err(DecodeError::Busy("a process without pipes".to_owned()));
        };
        thread::scope(|scope| {
            // One that ends early does not read all.
            let write = move || drop(stdin.write_all(content));
            let (sender, sent) = sync_channel(0);
            let read = move || {
                while let Ok(frame) = receive(&mut stdout) {
                    let last = matches!(frame, Sent::End(_));
                    if sender.send(frame).is_err() || last {
                        break;
                    }
                }
            };
            let begin = thread::Builder::new;
            begin().spawn_scoped(scope, write).map_err(fault)?;
            begin().spawn_scoped(scope, read).map_err(fault)?;
            let answer = pages(&sent, each);
            // The reader waits for somebody who takes what it has.
            drop(sent);
            if let Some(answer) = answer {
                drop(running);
                return answer;
            }
            let status = running.0.wait().map_err(fault)?;
            let mut said = Vec::new();
            let _ = (&mut stderr)
                .take(WORDS_MAX_BYTES as u64)
                .read_to_end(&mut said);
            Err(cause(status, &String::from_utf8_lossy(&said)))
        })
    }
}

/// Hands on the pages; how it ended, or none if the process ended without a word.
fn pages(
    sent: &Receiver<Sent>,
    each: &mut dyn FnMut(usize, PagePixels) -> bool,
) -> Option<Result<(), DecodeError>> {
    let mut left = PATIENCE;
    for index in 0..=SCAN_MAX_PAGES {
        let begun = Instant::now();
        let received = sent.recv_timeout(left);
        // Only the waiting counts: looking at a page may take its time.
        left = left.saturating_sub(begun.elapsed());
        match received {
            Ok(Sent::Page(picture)) if index < SCAN_MAX_PAGES => {
                if !each(index, picture) {
                    return Some(Ok(()));
                }
            }
            Ok(Sent::Page(_)) => return Some(Err(DecodeError::Busy("a page too many".to_owned()))),
            Ok(Sent::End(outcome)) => return Some(outcome),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                let limit = format!("more than {} seconds", PATIENCE.as_secs());
                return Some(Err(DecodeError::Limit(limit)));
            }
        }
    }
    None
}

/// Why a process ended without a word.
fn cause(status: ExitStatus, said: &str) -> DecodeError {
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    if is(Signal::XCPU) {
        let limit = format!("more than {PROCESSOR_SECONDS} seconds of processor time");
        return DecodeError::Limit(limit);
    }
    if said.contains("overflowed its stack") {
        return DecodeError::Limit("more nesting than the stack has room for".to_owned());
    }
    if said.contains("memory allocation") || is(Signal::ABORT) {
        return DecodeError::Limit(format!("more than {MEMORY_MIB} MiB of memory"));
    }
    DecodeError::Busy(format!("its decoder ended with {status}"))
}

fn send(out: &mut impl Write, frame: &Sent) -> io::Result<()> {
    match frame {
        Sent::Page(picture) => {
            out.write_all(&[PAGE])?;
            for side in [picture.width, picture.height] {
                out.write_all(&(side as u32).to_le_bytes())?;
            }
            out.write_all(picture.pixels.as_flattened())
        }
        Sent::End(outcome) => {
            let words = serde_json::to_vec(outcome)?;
            out.write_all(&[END])?;
            out.write_all(&(words.len() as u32).to_le_bytes())?;
            out.write_all(&words)
        }
    }
}

fn receive(from: &mut impl Read) -> io::Result<Sent> {
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let number = |from: &mut dyn Read| {
        let mut bytes = [0; 4];
        from.read_exact(&mut bytes)?;
        io::Result::Ok(u32::from_le_bytes(bytes) as usize)
    };
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    match kind[0] {
        PAGE => {
            let (width, height) = (number(from)?, number(from)?);
            if (width as u64).saturating_mul(height as u64) > SCAN_MAX_PIXELS {
                return Err(strange("too many pixels"));
            }
            let mut pixels = vec![[0; 3]; width * height];
            from.read_exact(pixels.as_flattened_mut())?;
            Ok(Sent::Page(PagePixels {
                width,
                height,
                pixels,
            }))
        }
        END => {
            let length = number(from)?;
            if length > WORDS_MAX_BYTES {
                return Err(strange("too many words"));
            }
            let mut words = vec![0; length];
            from.read_exact(&mut words)?;
            Ok(Sent::End(serde_json::from_slice(&words)?))
        }
        _ => Err(strange("neither a page nor an end")),
    }
}

/// Keeps this process from taking more than a file may.
fn limit() -> io::Result<()> {
    let at_most = |most: u64| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    let limits = [
        (Resource::As, at_most(MEMORY_MIB << 20)),
        // It is told by a signal of its own, and killed if that does not end it.
        (
            Resource::Cpu,
            Rlimit {
                current: Some(PROCESSOR_SECONDS),
                maximum: Some(PROCESSOR_SECONDS + 1),
            },
        ),
        (Resource::Core, at_most(0)),
        (Resource::Fsize, at_most(0)),
        (Resource::Nofile, at_most(0)),
    ];
    for (resource, limit) in limits {
        setrlimit(resource, limit)?;
    }
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

/// What such a process does: a PDF comes in, its pages go out.
pub fn run() -> Result<(), Failure> {
    let fault = |error: io::Error| Failure::Machine(error.to_string());
    let out = io::stdout().as_fd().try_clone_to_owned().map_err(fault)?;
    limit().map_err(fault)?;
    // A decoder that panics has found the file damaged, and that is said in its place.
    std::panic::set_hook(Box::new(|_| {}));
    let mut content = Vec::new();
    let stdin = io::stdin().lock();
    let read = stdin.take(MATCH_MAX_BYTES + 1).read_to_end(&mut content);
    read.map_err(fault)?;
    let mut out = File::from(out);
    let mut sent = Ok(());
    let outcome = each_page(&content, |_, picture| {
        sent = send(&mut out, &Sent::Page(picture));
        sent.is_ok()
    });
    // Whoever does not listen any more has seen enough.
    let outcome = outcome.map_err(shortened);
    sent.and_then(|()| send(&mut out, &Sent::End(outcome)))
        .map_err(fault)
}

/// An error as far as it fits into an answer.
fn shortened(error: DecodeError) -> DecodeError {
    match error {
        DecodeError::Damaged { page, why } => DecodeError::Damaged {
            page,
            why: why.chars().take(WORDS_MAX_BYTES / 16).collect(),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_received_and_nothing_else() {
        let picture = PagePixels {
            width: 3,
            height: 2,
            pixels: (0..6).map(|it| [it, 2 * it, 255 - it]).collect(),
        };
        let refused = DecodeError::TooManyPixels { page: 7 };
        let mut bytes = Vec::new();
        send(&mut bytes, &Sent::Page(picture)).unwrap();
        send(&mut bytes, &Sent::End(Err(refused.clone()))).unwrap();
        let mut rest = &bytes[..];
        let Ok(Sent::Page(page)) = receive(&mut rest) else {
            panic!("a page was sent");
        };
        assert_eq!(
            (page.width, page.height, page.pixels[5]),
            (3, 2, [5, 10, 250])
        );
        assert!(matches!(receive(&mut rest), Ok(Sent::End(Err(it))) if it == refused));
        assert!(receive(&mut rest).is_err(), "nothing is left");
        // Cut off, larger than anything that is read, and no frame.
        assert!(receive(&mut &bytes[..20]).is_err());
        for strange in [
            &b"P\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"[..],
            b"E\xFF\xFF\0\0",
            b"Q",
        ] {
            assert!(receive(&mut &strange[..]).is_err(), "{strange:?}");
        }
    }

    #[test]
    fn a_process_that_died_tells_which_limit_it_passed() {
        let died = |signal: i32, said: &str| cause(ExitStatus::from_raw(signal), said).to_string();
        assert!(died(24, "").contains("20 seconds of processor time"));
        assert!(died(6, "memory allocation of 9 bytes failed").contains("1536 MiB"));
        assert!(died(6, "thread 'main' has overflowed its stack").contains("nesting"));
        assert!(died(9, "").contains("at this moment"));
    }
}
